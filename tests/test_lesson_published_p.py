"""Mini lessons in the notations of published ones: functions with brackets, chains with numbers."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.formula import parse
from oracle.lesson.reading import read
from oracle.lesson.records import Link

GOOD, BAD, TOLD = {"holds", "holds under"}, {"fails", "ill-typed"}, {"definition", "aside"}


def bad(text: str) -> list[str]:
    """The left sides of what is called wrong."""
    return [link.left for link in links(text) if link.verdict in BAD]


def links(text: str) -> list[Link]:
    """What is claimed, without conditions beside it."""
    found = audit(read(Path("lesson.md"), text), code=False)
    return [link for equation in found.equations for link in equation.links if link.verdict not in TOLD]


BRACKETS = r"""
$$L[\boldsymbol\phi] = \sum_{i=1}^I \ell_i$$

# Numbers
$$f_0 = \beta_0 + \omega_0 \cdot x_i$$
$$h_1 = \sin[f_0]$$
$$f_1 = \beta_1 + \omega_1 \cdot h_1$$
$$h_2 = \exp[f_1]$$
$$f_2 = \beta_2 + \omega_2 \cdot h_2$$
$$\ell_i = (f_2 - y_i)^2$$
$$\frac{\partial \ell_i}{\partial f_2} = 2 (f_2 - y_i)$$
$$\frac{\partial \ell_i}{\partial f_0} = \frac{\partial h_1}{\partial f_0} \frac{\partial f_1}{\partial h_1}
\left(\frac{\partial h_2}{\partial f_1} \frac{\partial f_2}{\partial h_2} \frac{\partial \ell_i}{\partial f_2}\right)$$
$$\frac{\partial f_k}{\partial \omega_k} = h_k$$
$$\frac{\partial f_0}{\partial \omega_0} = x_i$$

# Vectors
$$\mathbf{f}_0 = \boldsymbol\beta_0 + \boldsymbol\Omega_0 \mathbf{x}_i$$
$$\mathbf{h}_k = \mathbf{a}[\mathbf{f}_{k-1}] \hspace{2cm} k \in \{1, 2, \ldots, K\}$$
$$\mathbf{f}_k = \boldsymbol\beta_k + \boldsymbol\Omega_k \mathbf{h}_k \hspace{2cm} k \in \{1, 2, \ldots, K\}$$
$$\ell_i = \mbox{l}[\mathbf{f}_K, y_i]$$
$$\frac{\partial \mathbf{f}_2}{\partial \mathbf{h}_2} = \boldsymbol\Omega_2^T$$
$$\frac{\partial \ell_i}{\partial \boldsymbol\Omega_k} = \frac{\partial \ell_i}{\partial \mathbf{f}_k} \mathbf{h}_k^T$$
$$\frac{\partial \ell_i}{\partial \mathbf{f}_{k-1}}
= \mathbb{I}[\mathbf{f}_{k-1} > 0] \odot \bigl(\boldsymbol\Omega_k^T
\frac{\partial \ell_i}{\partial \mathbf{f}_k}\bigr)
\hspace{1cm} k \in \{K, K-1, \ldots, 1\}$$
$$\frac{\partial \ell_i}{\partial \boldsymbol\Omega_0} = \frac{\partial \ell_i}{\partial \mathbf{f}_0} \mathbf{x}_i^T$$
"""
"""A chain of numbers, and the same letters as vectors in bold; functions have their arguments in brackets."""


def test_functions_with_brackets_and_chains_of_numbers_hold() -> None:
    assert {link.verdict for link in links(BRACKETS)} <= GOOD


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("= 2 (f_2 - y_i)", "= (f_2 - y_i)"),
        (r"\frac{\partial h_2}{\partial f_1} \frac", r"\frac"),
        (r"= h_k$$", r"= h_{k+1}$$"),
        (r"\mathbb{I}[\mathbf{f}_{k-1} > 0] \odot", ""),
    ],
)
def test_a_slip_in_such_a_chain_is_found(right: str, wrong: str) -> None:
    assert BRACKETS.count(right) == 1
    assert len(bad(BRACKETS.replace(right, wrong))) == 1


def test_words_below_a_brace_are_no_end_of_the_formula() -> None:
    whole = parse(r"a = \underbrace{b}_\text{one part} \cdot \underbrace{c}_\text{other part}")
    assert not whole.problems
    assert whole.statements == parse(r"a = b \cdot c").statements
