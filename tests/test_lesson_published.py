"""What published lessons do: one letter for the units of all layers, sloppy signs, letters in another case."""

import pytest

from tests.verdicts import claimed

ONE_LETTER = r"""
$$E = \frac12 \sum_k (a_k - t_k)^2, \quad a_k = g(z_k), \quad z_k = b_k + \sum_j a_j w_{jk}$$
$$a_j = g(z_j), \quad z_j = b_j + \sum_i a_i w_{ij}$$
$$\frac{\partial z_k}{\partial w_{ij}} = w_{jk} g'(z_j) %s$$
"""


@pytest.mark.parametrize(("factor", "verdict"), [("a_i", "holds"), ("z_i", "ill-typed"), ("a_j", "fails")])
def test_one_letter_is_of_inputs_too(factor: str, verdict: str) -> None:
    assert claimed(ONE_LETTER % factor)[-1] == verdict


SPACED = r"The output is $a = \sigma(z) $ and $z = w x + b $, it costs $5 or $6, and $C = (a - y)^2 $: then"


@pytest.mark.parametrize(("slope", "verdict"), [(r"\sigma'(z)", "holds"), (r"\sigma(z)", "fails")])
def test_a_space_may_stand_before_the_closing_dollar(slope: str, verdict: str) -> None:
    assert claimed(rf"{SPACED} $\frac{{\partial C}}{{\partial w}} = 2 (a - y) {slope} x $.") == [verdict]


def test_a_formula_may_stand_between_two_pairs_of_signs() -> None:
    assert claimed(r"With \( $y = x^2$ \) we have \[ $$\frac{dy}{dx} = 2 x$$ \]") == ["holds"]
