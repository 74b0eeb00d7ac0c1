"""What authors write, each in a lesson of a few formulas: the right form holds, and a slip in it is found."""

import pytest

from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

ENCODER = r"""
The code is $h = s(W x + b)$, where $s$ is the logistic sigmoid, and $y = W^T h + c$ with $J = \frac12 \|y - x\|^2$.

$$e = \frac{\partial J}{\partial y} = y - x$$
"""
GATES = r"""
$$z_t = \sigma(W_z x_t + U_z h_{t-1}), \quad g_t = \tanh(W_g x_t + U_g h_{t-1})$$
$$h_t = (1 - z_t) \odot h_{t-1} + z_t \odot g_t$$

Let $\delta h_t = \partial L / \partial h_t$, and let $z_t = \sigma(a_t^z)$ and $g_t = \tanh(a_t^g)$.
"""
ROWS = r"""
The rows of $X$ are examples with labels $y_i$, and $dA$ stands for $\partial L / \partial A$.

$$S = X W + b, \quad P_{ik} = \frac{e^{S_{ik}}}{\sum_j e^{S_{ij}}}, \quad L = -\frac1N \sum_{i=1}^N \log P_{i y_i}$$
"""
LAYERS = r"""
Samples are rows. For every $l$

$$Z_l = H_{l-1} W_l + \mathbf{1} b_l, \quad H_l = \max(0, Z_l), \quad S = Z_L, \quad H_0 = X$$
$$P_{nc} = \frac{\exp(S_{nc})}{\sum_k \exp(S_{nk})}, \quad \mathcal{L} = -\frac1N \sum_n \sum_c Y_{nc} \log P_{nc}$$

For any array $A$ I write $dA$ for $\partial \mathcal{L} / \partial A$.

$$dW_l = H_{l-1}^T dZ_l$$
"""
CELL = r"$$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad f_t = \sigma(W c_{t-1}), \quad i_t = \sigma(U c_{t-1})$$"
QUOTIENT = r"""
$$p_i = \frac{e^{o_i}}{\sum_k e^{o_k}}$$

Here $q = \sum_k e^{o_k}$, which I'll shorten to $\Sigma$.
"""
ONE = r"""
$$Z^{[1]} = W^{[1]} X + b^{[1]}, \quad A^{[1]} = \tanh(Z^{[1]})$$
$$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}, \quad A^{[2]} = \sigma(Z^{[2]})$$
$$J = -\frac1m \sum_{i=1}^m \left( y^{(i)} \log a^{[2](i)} + (1 - y^{(i)}) \log(1 - a^{[2](i)}) \right)$$

## One example

$$dW^{[2]} = dz^{[2]} a^{[1]T}$$
$$da^{[1]} = W^{[2]T} dz^{[2]}$$
$$dW^{[1]} = dz^{[1]} x^T$$
"""
COLUMN = r"""
$$Z_1 = X W_1 + b_1, \quad A_1 = \sigma(Z_1), \quad Z_2 = A_1 W_2 + b_2, \quad \hat y = \sigma(Z_2)$$
$$L = \frac1m \sum_{i=1}^m (\hat y_i - y_i)^2, \quad \sigma(z) = \frac{1}{1 + e^{-z}}$$
$$dA_1 = dZ_2 W_2^T$$
"""
EVERYWHERE = r"""
$$v_j(n) = \sum_i w_{ji}(n) y_i(n), \quad y_j(n) = \varphi(v_j(n)), \quad e_j(n) = d_j(n) - y_j(n)$$
$$E(n) = \frac12 \sum_j e_j^2(n), \quad \varphi(v_j(n)) = \frac{1}{1 + \exp(-a v_j(n))}$$
"""
REGRESSION = r"""
$$p_i = \sigma(z_i), \quad z_i = w^T x_i + b$$
$$J = -\frac1n \sum_{i=1}^n \left( y_i \log p_i + (1 - y_i) \log(1 - p_i) \right)$$
"""


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (ENCODER, r"\frac{\partial J}{\partial W} = ((W e) \odot h \odot (1 - h)) x^T + h e^T",
         r"\frac{\partial J}{\partial W} = ((W e) \odot h \odot (1 - h)) x^T + e h^T"),
        (GATES, r"\frac{\partial L}{\partial a_t^g} = \delta h_t \odot z_t \odot (1 - g_t^2)",
         r"\frac{\partial L}{\partial a_t^g} = \delta h_t \odot z_t \odot (1 - g_t)"),
        (GATES, r"\frac{\partial L}{\partial h_{t-1}} = \delta h_t \odot (1 - z_t)"
         r" + U_z^T \frac{\partial L}{\partial a_t^z} + U_g^T \frac{\partial L}{\partial a_t^g}",
         r"\frac{\partial L}{\partial h_{t-1}} = \delta h_t \odot z_t"
         r" + U_z^T \frac{\partial L}{\partial a_t^z} + U_g^T \frac{\partial L}{\partial a_t^g}"),
        (ROWS, r"dS_{ik} = \frac1N (P_{ik} - \mathbb{1}(k = y_i))", r"dS_{ik} = P_{ik} - \mathbb{1}(k = y_i)"),
        (ROWS, r"dW = X^T dS", r"dW = dS X^T"),
        (ROWS, r"db_k = \sum_i dS_{ik}", r"db_k = \frac1N \sum_i dS_{ik}"),
        (LAYERS, r"dZ_L = dS = \frac1N (P - Y)", r"dZ_L = dS = P - Y"),
        (LAYERS, r"(dW_l)_{ij} = \sum_n (H_{l-1})_{ni} (dZ_l)_{nj}", r"(dW_l)_{ij} = \sum_n (H_l)_{ni} (dZ_l)_{nj}"),
        (LAYERS, r"dZ_l = dH_l \odot \mathbb{1}[Z_l > 0]", r"dZ_l = dH_l \odot Z_l"),
        (CELL, r"\frac{\partial c_t}{\partial c_k} = \prod_{j=k+1}^t \mathrm{diag}(f_j)",
         r"\frac{\partial c_t}{\partial c_k} = \prod_{j=k+1}^t \mathrm{diag}(i_j)"),
        (QUOTIENT, r"\frac{\partial \Sigma}{\partial o_j} = e^{o_j}", r"\frac{\partial \Sigma}{\partial o_j} = \Sigma"),
        (ONE, r"dz^{[2]} = a^{[2]} - y", r"dz^{[2]} = y - a^{[2]}"),
        (COLUMN, r"\frac{\partial L}{\partial \hat y} = \frac2m (\hat y - y)",
         r"\frac{\partial L}{\partial \hat y} = \frac1m (\hat y - y)"),
        (COLUMN, r"dA_1 = \frac2m (\hat y - y) \odot \hat y \odot (1 - \hat y) W_2^T",
         r"dA_1 = \frac2m (\hat y - y) \odot (1 - \hat y) W_2^T"),
        (EVERYWHERE, r"\frac{\partial E(n)}{\partial w_{ji}(n)} = -a e_j(n) y_j(n) [1 - y_j(n)] y_i(n)",
         r"\frac{\partial E(n)}{\partial w_{ji}(n)} = -e_j(n) y_j(n) [1 - y_j(n)] y_i(n)"),
        (REGRESSION, r"\nabla_w J = \frac1n X^T (p - y)", r"\nabla_w J = X^T (p - y)"),
    ],
)  # fmt: skip
def test_what_authors_write(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(f"{lesson}\n\n$${right}$$")) <= {*GOOD, "update"}
    assert claimed(f"{lesson}\n\n$${wrong}$$")[-1] in BAD


@pytest.mark.parametrize(
    "lesson",
    [
        r"Let $f = q z$ and $q = x + y$ with $x = 1$, $y = 3$, $z = -2$. Then $\frac{\partial f}{\partial z} = 4$.",
        r"$$S = H W + \mathbf{1} b^T, \quad L = \sum_{ij} S_{ij}^2$$ The rule for a product $S = H W$ is simple.",
        r"$$dh_t = V^T ds_t + dh_t^{next}$$ $$s_t = V h_t, \quad L = \sum_t \|s_t\|^2$$",
        r"$$a^{[l]} = g(z^{[l]})$$ With $g^{[1]}(z) = \tanh(z)$, and so on for $l = L - 1, \dots, 1$.",
    ],
)
def test_what_claims_nothing(lesson: str) -> None:
    assert not BAD & set(claimed(lesson))


def test_a_name_that_is_given_afterwards_is_of_the_partial_and_not_of_what_it_was_said_to_be() -> None:
    lesson = r"""
$$r_k = \sum_j v_{kj} h_j, \quad E = \frac12 \sum_k (r_k - x_k)^2$$
$$\frac{\partial E}{\partial r_k} = x_k - r_k$$
Let us call this $e_k$.
$$\frac{\partial E}{\partial v_{kj}} = e_k h_j$$
$$\frac{\partial E}{\partial h_j} = \sum_k e_k v_{kj}$$"""
    assert claimed(lesson) == ["fails", "holds", "holds"]
