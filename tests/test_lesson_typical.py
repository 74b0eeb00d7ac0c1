"""Lessons as most of them are: names for hidden and output units, labels below, functions without arguments."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

ONE_HIDDEN = r"""
$$h_j = \sigma\Big(\sum_i w_{ji} x_i + b_j\Big)$$
$$\hat{y}_k = \sigma\Big(\sum_j v_{kj} h_j + c_k\Big)$$
$$E = \frac{1}{2} \sum_k (\hat{y}_k - y_k)^2$$
$$\sigma' = \sigma (1 - \sigma)$$
"""
ONE_HIDDEN_CLAIMS = [
    (r"\frac{\partial E}{\partial v_{kj}} = (\hat y_k - y_k) \hat y_k (1 - \hat y_k) h_j", "h_j", "x_j"),
    (r"\delta_k = (\hat{y}_k - y_k) \hat{y}_k (1 - \hat{y}_k)", r"\hat{y}_k (1", r"\hat{y}_k^2 (1"),
    (r"\frac{\partial E}{\partial c_k} = \delta_k", r"= \delta", r"= 2 \delta"),
    (r"\delta_j = h_j (1 - h_j) \sum_k \delta_k v_{kj}", "h_j (1 - h_j)", "h_j"),
    (r"\frac{\partial E}{\partial w_{ji}} = \delta_j x_i", "x_i", "h_i"),
]
"""Of one letter, the error signals of two layers; what stands in the right formula, and what in the wrong one."""
BATCH = r"""
$$Z_1 = X W_1 + b_1, \quad A_1 = \mathrm{ReLU}(Z_1)$$
$$Z_2 = A_1 W_2 + b_2, \quad P = \mathrm{softmax}(Z_2)$$
$$L = -\frac{1}{n} \sum_{i=1}^n \sum_k Y_{ik} \log P_{ik}$$
$$dZ_2 = \frac{1}{n} (P - Y)$$
$$dZ_1 = dZ_2 W_2^T \odot \mathbb{1}[Z_1 > 0]$$
"""
BATCH_CLAIMS = [
    (r"db_2 = \sum_i dZ_{2,i}", "_{2,i}", "_{1,i}"),
    (r"dW_{2,jk} = \sum_i A_{1,ij} dZ_{2,ik}", "A_{1,ij}", "Z_{1,ij}"),
    (r"db_1 = \mathbf{1}^T dZ_1", "dZ_1", "Z_1"),
]


@pytest.mark.parametrize(
    ("net", "claims", "at"),
    [(ONE_HIDDEN, ONE_HIDDEN_CLAIMS, at) for at in range(len(ONE_HIDDEN_CLAIMS))]
    + [(BATCH, BATCH_CLAIMS, at) for at in range(len(BATCH_CLAIMS))],
)
def test_the_right_ones_hold_and_a_slip_is_found(net: str, claims: list[tuple[str, str, str]], at: int) -> None:
    right = [claim for claim, _, _ in claims]
    claim, old, new = claims[at]
    wrong = [*right[:at], claim.replace(old, new), *right[at + 1 :]]
    assert wrong != right
    assert set(claimed(net + _shown(right))) <= GOOD
    found = audit(read(Path("lesson.md"), net + _shown(wrong))).equations[at - len(claims)]
    assert {link.verdict for link in found.links} <= BAD


def _shown(formulas: list[str]) -> str:
    return "\n\n".join(f"$${formula}$$" for formula in formulas)


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (r"$$z^l = W^l a^{l-1} + b^l, \quad a^l = f(z^l)$$ $$f(z_j^l) = \frac{1}{1 + \exp(-z_j^l)}$$",
         r"\frac{\partial a_j^l}{\partial z_j^l} = f(z_j^l) [1 - f(z_j^l)]",
         r"\frac{\partial a_j^l}{\partial z_j^l} = f(z_j^l) [1 + f(z_j^l)]"),
        (r"$$h(x) = \sigma(W x + b), \quad \hat y = V h(x), \quad \sigma(s) = \frac{1}{1 + e^{-s}}$$ $$s = W x + b$$",
         r"\frac{\partial h_j}{\partial s_j} = h_j (1 - h_j)", r"\frac{\partial h_j}{\partial s_j} = h_j (1 - x_j)"),
        (r"$$z_j = \sum_k w_{jk} x_k + b_j, \quad a_j = g(z_j), \quad C = \sum_j (a_j - t_j)^2$$",
         r"\frac{\partial C}{\partial z_j} = \frac{\partial C}{\partial b_j} \frac{\partial b_j}{\partial z_j}",
         r"\frac{\partial C}{\partial w_{jk}} = \frac{\partial C}{\partial z_j} \frac{\partial w_{jk}}{\partial z_j}"),
        (r"$$a^l = f(W^l a^{l-1})$$ $$C = \frac12 \sum_i (y_i - t_i)^2 = \frac12 \sum_i (a_i^L - t_i)^2$$",
         r"\frac{\partial C}{\partial y_i} = y_i - t_i", r"\frac{\partial C}{\partial y_i} = t_i - y_i"),
        (r"$$o_j = \varphi(net_j) = \varphi\left(\sum_k w_{jk} x_k\right)$$",
         r"\frac{\partial net_j}{\partial w_{jk}} = x_k", r"\frac{\partial net_j}{\partial w_{jk}} = x_j"),
        (r"$$f = (x + y) z, \quad q = x + y$$",
         r"\frac{\partial f}{\partial q} = z", r"\frac{\partial f}{\partial q} = q"),
        (r"$$S = Q K^T, \quad P = \mathrm{softmax}(S), \quad O = P V$$ $$\frac{\partial L}{\partial V} = P^T dO$$",
         r"dP = dO V^T", r"dP = V^T dO"),
    ],
)  # fmt: skip
def test_a_form_that_many_lessons_use(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(f"{lesson}\n\n$${right}$$")) <= GOOD
    assert claimed(f"{lesson}\n\n$${wrong}$$")[-1] in BAD


def test_what_is_differentiated_stays_what_it_was_where_no_loss_is_made_of_it() -> None:
    lesson = r"$$L = \max(0, 1 - y s), \quad s = w^T x$$ $$p = \sigma(z)$$ $$\frac{\partial L}{\partial z} = p - y$$"
    assert not BAD & set(claimed(lesson))


def test_functions_without_their_argument() -> None:
    lesson = r"$$\tanh' = 1 - \tanh^2$$ $$\tanh' = 1 - \tanh$$ $$f' = f (1 - f)$$ $$\sigma' = \sigma (2 - \sigma)$$"
    assert claimed(lesson) == ["holds", "fails", "holds under", "fails"]


def test_one_activation_in_all_of_a_section() -> None:
    lesson = r"""
$$z = W x + b, \quad \hat y = \sigma(z), \quad \ell = -y^T \log \hat y - (1 - y)^T \log(1 - \hat y)$$
$$\frac{\partial \ell}{\partial z} = \hat y - y$$
$$\frac{\partial \hat y}{\partial z} = \hat y (1 - \hat y)$$
$$\frac{\partial \hat y}{\partial z} = \hat y (1 + \hat y)$$"""
    assert claimed(lesson)[:2] == ["holds under", "holds under"]
    assert claimed(lesson)[2] in BAD


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{\partial {\cal C}}{\partial (a_j)} = a_j - t_j",
        r"\frac{\partial {\cal C}}{\partial a_j} = a_j - t_j \space",
        r"\frac{\partial {\cal C}}{\partial a_j} &= \frac{\partial}{\partial a_j} {\cal C} \\\\\\ &= a_j - t_j",
    ],
)
def test_marks_that_change_nothing(tex: str) -> None:
    assert set(claimed(rf"$${{\cal C}} = \frac12 \sum_i (a_i - t_i)^2$$ $${tex}$$")) <= GOOD


ONE_BY_ONE = r"""
$$z^{[1](i)} = W^{[1]} x^{(i)} + b^{[1]}, \quad a^{[1](i)} = \tanh(z^{[1](i)})$$
$$z^{[2](i)} = W^{[2]} a^{[1](i)} + b^{[2]}, \quad a^{[2](i)} = \sigma(z^{[2](i)}), \quad \hat y^{(i)} = a^{[2](i)}$$
$$J = -\frac1m \sum_{i=1}^m \left(y^{(i)} \log a^{[2](i)} + (1 - y^{(i)}) \log(1 - a^{[2](i)})\right)$$
$$\frac{\partial \mathcal{J}}{\partial z_2^{(i)}} = \frac1m (a^{[2](i)} - y^{(i)})$$
$$\frac{\partial \mathcal{J}}{\partial W_2} = \sum_i \frac{\partial \mathcal{J}}{\partial z_2^{(i)}} a^{[1](i)T}$$
$$dW^{[2]} = \frac1m dZ^{[2]} A^{[1]T}$$
$$dZ^{[2]} = A^{[2]} - Y$$
$$dZ^{[1]} = W^{[2]T} dZ^{[2]} * (1 - (A^{[1]})^2)$$
$$dW^{[1]} = \frac1m dZ^{[1]} X^T$$
"""


def test_batches_in_a_lesson_that_computes_sample_by_sample() -> None:
    assert set(claimed(ONE_BY_ONE)) <= GOOD
    for right, wrong in (("A^{[2]} - Y", "Y - A^{[2]}"), ("(A^{[1]})^2", "A^{[1]}"), (r"\frac1m dZ^{[1]}", "dZ^{[1]}")):
        assert BAD & set(claimed(ONE_BY_ONE.replace(right, wrong)))
