"""Lessons as their authors type them: labels before indices, entries in small letters, equations side by side."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.formula import parse
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under", "vacuous"}, {"fails", "ill-typed"}
Claims = list[tuple[str, str, str]]

LABELLED = r"""
The weight $w_{hij}$ leads to a hidden unit, and $w_{oij}$ to an output; $\psi$ is the softmax.

$$\begin{align} W_h = \begin{bmatrix} w_{h11} & w_{h12} \end{bmatrix}
&& b_o = \begin{bmatrix} b_{o1} & b_{o2} \end{bmatrix} \end{align}$$
$$Z_h = X W_h + b_h, \quad H = \tanh(Z_h)$$
$$Z_o = H W_o + b_o, \quad P = \psi(Z_o)$$
$$L(Y, P) = \sum_n L(\mathbf{y}_n, \mathbf{p}_n) = -\sum_n \sum_k y_{nk} \log p_{nk}$$
$$\delta_o = \frac{\partial L}{\partial Z_o}$$
"""
LABELLED_CLAIMS = [
    (r"\delta_o = P - Y", "P - Y", "Y - P"),
    (r"\frac{\partial L}{\partial W_o} = H^T \delta_o", "H^T", "X^T"),
    (
        r"\frac{\partial L}{\partial \mathbf{w}_{oj}} = \sum_n h_{nj} (\mathbf{p}_n - \mathbf{y}_n)",
        "h_{nj}",
        "h_{nj}^2",
    ),
    (r"\frac{\partial L}{\partial w_{ojk}} = \sum_n h_{nj} (p_{nk} - y_{nk})", "h_{nj}", "x_{nj}"),
    (r"J_{W_h} = \frac{\partial L}{\partial W_h} = X^T (\delta_o W_o^T \odot (1 - H \odot H))", "1 - H", "H - H"),
    (r"J_{b_o} = \frac{\partial L}{\partial b_o} = \sum_n \delta_{on}", r"= \sum_n", r"= 2 \sum_n"),
]
"""What the right formula has, and what the wrong one."""
COLUMNS = r"""
$$t^{(n)}_i = \begin{cases} 1, & i = k^{(n)} \\ 0, & \text{otherwise} \end{cases}$$
$$s(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
$$Z^{[1]} = W^{[1]} X + b^{[1]}, \quad A^{[1]} = \tanh(Z^{[1]})$$
$$A^{[2]} = s(W^{[2]} A^{[1]} + b^{[2]}), \quad Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$$
$$J = -\frac{1}{N} \sum_{n=1}^N \sum_i T_{i,n} \log A^{[2]}_{i,n}$$
$$\delta^{[l]} := N \frac{\partial J}{\partial Z^{[l]}}$$
"""
COLUMNS_CLAIMS = [
    (r"\delta^{[2]} = A^{[2]} - T", "A^{[2]} - T", "T - A^{[2]}"),
    (r"\delta^{[1]} = (W^{[2]})^T \delta^{[2]} \odot (1 - A^{[1]} \odot A^{[1]})", "1 - A^{[1]}", "1 - X"),
    (r"\frac{\partial J}{\partial W^{[2]}} = \frac{1}{N} \delta^{[2]} (A^{[1]})^T", r"\frac{1}{N} \delta", r"\delta"),
    (r"\frac{\partial J}{\partial b^{[2]}} = \frac{1}{N} \sum_n \delta^{[2]}_{:,n}", r"\frac{1}{N} \sum", r"\sum"),
]
"""Samples in columns, and a softmax that the lesson itself defines, of one of them."""
DERIVED = r"""
$$L_n(u, v) = -\sum_k t_{nk} \log y_{nk}, \qquad L(u, v) = \frac{1}{N} \sum_{n=1}^N L_n(u, v)$$
With S=exp(s<sub>0</sub>)+exp(s<sub>1</sub>)+exp(s<sub>2</sub>)
$$\frac{\partial y_i}{\partial s_i} = \frac{\partial}{\partial s_i} \frac{\exp(s_i)}{S}$$
$$s_0 = v_{00} h_0 + v_{01} h_1 + v_{02} h_2$$
"""
DERIVED_CLAIMS = [
    (
        r"\frac{\partial y_0}{\partial s_0} = \frac{\exp(s_0) S - \exp(s_0)^2}{S^2} = y_0 (1 - y_0)",
        "(1 - y_0)", "(1 - y_1)",
    ),
    (r"\frac{\partial L_n}{\partial s_0} = -t_0 (1 - y_0) + t_1 y_0 + t_2 y_0 = y_0 - t_0", "+ t_1 y_0", "- t_1 y_0"),
    (
        r"\frac{\partial L_n}{\partial v_{kj}} = \frac{\partial L_n}{\partial s_k} \frac{\partial s_k}{\partial v_{kj}}"
        r" = (y_k - t_k) h_j",
        "h_j", "h_k",
    ),
    (
        r"\frac{\partial L_n}{\partial u_{ji}} = \frac{\partial L_n}{\partial a_j} \frac{\partial a_j}{\partial u_{ji}}"
        r" = \left(\sum_k (y_k - t_k) v_{kj}\right) \frac{\partial h_j}{\partial a_j}"
        r" \frac{\partial}{\partial u_{ji}} \sum_i u_{ji} x_i"
        r" = \left(\sum_k (y_k - t_k) v_{kj}\right) \frac{\partial}{\partial a_j} \tanh(a_j) x_i"
        r" = \left(\sum_k (y_k - t_k) v_{kj}\right) (1 - h_j^2) x_i",
        "", "",
    ),
]  # fmt: skip
"""Forward equations that only derivations tell, and one unit of an example; the loss alone says of which sample."""
MODELS = r"""
# Two classes
$$p_i = g(w^T x_i), \qquad g(z) = \frac{1}{1 + e^{-z}}$$
$$L(w) = -\log \prod_{i=1}^n p_i^{y_i} (1 - p_i)^{1 - y_i}$$
$$L(w) = -\sum_{i=1}^n \left[ y_i \log p_i + (1 - y_i) \log(1 - p_i) \right]$$
$$\frac{\partial L(w)}{\partial w} = -\sum_{i=1}^n (y_i - g(w^T x_i)) x_i$$
# Many classes
$$p = g(z), \qquad z = w^T x, \qquad g(z) = \frac{e^z}{\sum_j e^{z_j}}$$
$$L(w) = -\sum_{i=1}^n y_i^T \log p_i = -\sum_{i=1}^n y_i^T \log g(w^T x_i)$$
$$g(z) = \begin{pmatrix} e^{z_1} / \sum_j e^{z_j} \\ \vdots \\ e^{z_d} / \sum_j e^{z_j} \end{pmatrix}$$
Here $\frac{\partial L}{\partial p}$ is a row vector.
"""
MODELS_CLAIMS = [
    (r"\frac{\partial L}{\partial p} \frac{\partial p}{\partial z} = \left[g(w^T x) - y\right]^T", "- y", "+ y"),
    (
        r"\frac{\partial L}{\partial p} \frac{\partial p}{\partial z} ="
        r" \begin{pmatrix} -y_1 (1 - p_1) + \sum_{k \neq 1} y_k p_1"
        r" & \dots & -y_K (1 - p_K) + \sum_{k \neq K} y_k p_K \end{pmatrix}",
        "y_k p_1", "y_k p_k",
    ),
    (
        r"\frac{\partial L(w)}{\partial w} = -\sum_{i=1}^n x_i \left[y_i - g(w^T x_i)\right]^T",
        "", "",
    ),
]  # fmt: skip
"""Two models in the same letters, each in a chapter of its own."""
LESSONS = [
    (LABELLED, LABELLED_CLAIMS), (COLUMNS, COLUMNS_CLAIMS), (DERIVED, DERIVED_CLAIMS), (MODELS, MODELS_CLAIMS),
]  # fmt: skip


def _shown(formulas: list[str]) -> str:
    return "\n\n".join(f"$${formula}$$" for formula in formulas)


@pytest.mark.parametrize(
    ("net", "claims", "at"),
    [(net, claims, at) for net, claims in LESSONS for at in range(len(claims)) if claims[at][1]],
)
def test_the_right_ones_hold_and_a_slip_is_found(net: str, claims: Claims, at: int) -> None:
    right = [claim for claim, _, _ in claims]
    claim, old, new = claims[at]
    wrong = [*right[:at], claim.replace(old, new), *right[at + 1 :]]
    assert wrong != right
    assert set(claimed(net + _shown(right))) <= GOOD
    found = audit(read(Path("lesson.md"), net + _shown(wrong))).equations
    verdicts = [{link.verdict for link in equation.links} for equation in found[-len(claims) :]]
    assert verdicts[at] & BAD
    assert not any(other & BAD for k, other in enumerate(verdicts) if k != at)


@pytest.mark.parametrize(
    ("tex", "count"),
    [
        (r"a = b && c = d", 2),
        (r"\begin{aligned} a &= b & c &= d \\ e &= f & g &= h \end{aligned}", 4),
        (r"\begin{eqnarray} a & = & b \\ & + & c \end{eqnarray}", 1),
        (r"\begin{align} a &= b & + c \\ &= d & \text{as told} \end{align}", 1),
    ],
)
def test_columns_of_aligned_rows_are_equations_of_their_own(tex: str, count: int) -> None:
    assert len(parse(tex).statements) == count


def test_bold_letters_stay_bold_above_e() -> None:
    assert "bold=True" in repr(parse(r"e^{\mathbf{w}_d}").statements[0].body)
