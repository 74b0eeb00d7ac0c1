"""Lessons that call entries by small letters, and statisticians' ones."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed, of_the_last

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}
ENTRIES = r"""
Let $W = (w_{ij})$ be the weights.

$$z = W x + b, \quad a = \sigma(z), \quad L = \frac12 \|a - y\|^2$$
"""
ENTRIES_OF_LAYERS = r"""
$W^l = (w^l_{jk})$ are the weights, and

$$z^l = W^l a^{l-1} + b^l, \quad a^l = \sigma(z^l), \quad \delta^l = \nabla_{z^l} C$$
$$\frac{\partial C}{\partial b^l} = \delta^l$$
"""


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (ENTRIES, r"\frac{\partial L}{\partial w_{ij}} = (a_i - y_i) \sigma'(z_i) x_j",
         r"\frac{\partial L}{\partial w_{ij}} = (a_j - y_j) \sigma'(z_j) x_i"),
        (ENTRIES_OF_LAYERS, r"\frac{\partial C}{\partial w^l_{jk}} = \delta^l_j a^{l-1}_k",
         r"\frac{\partial C}{\partial w^l_{jk}} = \delta^l_j a^l_k"),
        (ENTRIES_OF_LAYERS, r"\delta^{l-1} := \sigma'(z^{l-1}) \odot (W^l)^T \delta^l",
         r"\delta^{l-1} := \sigma'(z^{l-1}) \odot W^l \delta^l"),
        (ENTRIES_OF_LAYERS, r"\nabla_{W^l} C = \delta^l (a^{l-1})^T", r"\nabla_{W^l} C = \delta^l (a^l)^T"),
    ],
)  # fmt: skip
def test_a_name_of_entries_defines_nothing(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(f"{lesson}\n\n$${right}$$")) <= GOOD
    assert set(of_the_last(f"{lesson}\n\n$${wrong}$$")) <= BAD


CASES = r"""
$$Z_m = \sigma(\alpha_{0m} + \alpha_m^T X), \quad T_k = \beta_{0k} + \beta_k^T Z, \quad f_k(X) = g_k(T)$$

# Least squares

$$R(\theta) = \sum_{i=1}^N R_i = \sum_{i=1}^N \sum_{k=1}^K (y_{ik} - f_k(x_i))^2$$

where $g_k(T) = g_k(T_k)$, and we write

$$v_{mi} = \alpha_{0m} + \alpha_m^T x_i, \quad z_{mi} = \sigma(v_{mi}), \quad T_{ki} = \beta_{0k} + \beta_k^T z_i$$
"""
CASES_CLAIMS = [
    (r"\frac{\partial R_i}{\partial \beta_{km}} = -2 (y_{ik} - f_k(x_i)) g_k'(T_{ki}) z_{mi}", "z_{mi}", "x_{im}"),
    (r"\frac{\partial R_i}{\partial \beta_{0k}} = -2 (y_{ik} - f_k(x_i)) g_k'(T_{ki})", "-2", "2"),
    (r"\frac{\partial R_i}{\partial \beta_{km}} = \delta_{ki} z_{mi}", r"\delta_{ki}", r"\delta_{mi}"),
    (r"\frac{\partial R_i}{\partial \alpha_{m\ell}} = s_{mi} x_{i\ell}", r"x_{i\ell}", r"z_{\ell i}"),
    (r"\delta_{ki} = -2 (y_{ik} - f_k(x_i)) g_k'(T_{ki})", "-2", "-"),
    (r"s_{mi} = \sigma'(v_{mi}) \sum_{k=1}^K \beta_{km} \delta_{ki}", r"\sigma'", r"\sigma"),
    (r"\frac{\partial R_i}{\partial \alpha_{0m}} = s_{mi}", "= s", "= 2 s"),
]
UPDATE = r"\beta_{km}^{(r+1)} = \beta_{km}^{(r)} - \gamma_r \sum_{i=1}^N \frac{\partial R_i}{\partial \beta_{km}^{(r)}}"
DEVIANCE = r"""
# Deviance

With the softmax $g_k(T) = e^{T_k} / \sum_{\ell=1}^K e^{T_\ell}$ of the last chapter,

# Its gradient

$$R(\theta) = -\sum_{i=1}^N \sum_{k=1}^K y_{ik} \log f_k(x_i)$$
$$\sum_k y_{ik} = 1$$
$$\frac{\partial R_i}{\partial T_{\ell i}} = f_\ell(x_i) - y_{i\ell}$$
"""


def test_the_derivative_of_a_function_is_at_its_argument_beside() -> None:
    lesson = r"""
$$o_j = \varphi(net_j), \quad net_j = \sum_i w_{ij} x_i, \quad E = \frac12 \sum_j (o_j - t_j)^2$$
$$\frac{\partial E}{\partial w_{ij}} = (o_j - t_j) o_j (1 - o_j) x_i$$
$$\varphi(z) = \frac{1}{1+e^{-z}}, \qquad \frac{d \varphi}{d z} = \varphi(z) (1 - \varphi(z))$$
"""
    assert set(claimed(lesson)) <= GOOD
    assert of_the_last(lesson.replace("(1 - ", "(1 + "))[-1] == "fails"


@pytest.mark.parametrize("at", range(len(CASES_CLAIMS)))
def test_what_is_said_of_any_input_is_said_of_each_case(at: int) -> None:
    right = [claim for claim, _, _ in CASES_CLAIMS]
    claim, old, new = CASES_CLAIMS[at]
    wrong = [*right[:at], claim.replace(old, new, 1), *right[at + 1 :]]
    assert set(claimed(CASES + _shown(right))) - {"aside"} <= GOOD
    found = audit(read(Path("lesson.md"), CASES + _shown(wrong))).equations[at - len(CASES_CLAIMS)]
    assert {link.verdict for link in found.links} <= BAD


def test_a_section_has_the_loss_of_a_case_from_its_own_total() -> None:
    lesson = CASES + _shown([claim for claim, _, _ in CASES_CLAIMS]) + DEVIANCE
    assert set(claimed(lesson)) - {"aside"} <= GOOD
    assert of_the_last(lesson.replace(r"f_\ell(x_i) - y_{i\ell}", r"y_{i\ell} - f_\ell(x_i)")) == ["fails"]


def test_letters_above_count_updates_where_they_are_counted_on() -> None:
    assert of_the_last(f"{CASES}\n\n$${UPDATE}$$") == ["update"]


def _shown(formulas: list[str]) -> str:
    return "\n\n".join(f"$${formula}$$" for formula in formulas)
