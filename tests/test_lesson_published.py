"""What published lessons do: one letter for the units of all layers, sloppy signs, letters in another case."""

import pytest

from tests.verdicts import claimed

ONE_LETTER = r"""
$$E = \frac12 \sum_k (a_k - t_k)^2, \quad a_k = g(z_k), \quad z_k = b_k + \sum_j a_j w_{jk}$$
$$a_j = g(z_j), \quad z_j = b_j + \sum_i a_i w_{ij}$$
$$\frac{\partial z_k}{\partial w_{ij}} = w_{jk} g'(z_j) %s$$
"""


@pytest.mark.parametrize(("factor", "good"), [("a_i", True), ("z_i", False), ("a_j", False)])
def test_one_letter_is_of_inputs_too(factor: str, good: bool) -> None:
    assert claimed(ONE_LETTER % factor)[-1] in ({"holds"} if good else {"fails", "ill-typed"})


SPACED = r"The output is $a = \sigma(z) $ and $z = w x + b $, it costs $5 or $6, and $C = (a - y)^2 $: then"


@pytest.mark.parametrize(("slope", "verdict"), [(r"\sigma'(z)", "holds"), (r"\sigma(z)", "fails")])
def test_a_space_may_stand_before_the_closing_dollar(slope: str, verdict: str) -> None:
    assert claimed(rf"{SPACED} $\frac{{\partial C}}{{\partial w}} = 2 (a - y) {slope} x $.") == [verdict]


def test_a_formula_may_stand_between_two_pairs_of_signs() -> None:
    assert claimed(r"With \( $y = x^2$ \) we have \[ $$\frac{dy}{dx} = 2 x$$ \]") == ["holds"]


FRENCH = r"""
$$p_i = \frac{e^{a_i}}{\sum_k e^{a_k}}$$
si $i = j$ :
$$\frac{\partial p_i}{\partial a_j} = p_i (1 - p_j)$$
si $i \neq j$ :
$$\frac{\partial p_i}{\partial a_j} = - p_i p_j$$
"""


@pytest.mark.parametrize(("right", "wrong"), [("(1 - p_j)", "(1 + p_j)"), ("= - p_i", "= p_i")])
def test_a_condition_in_another_language_is_of_the_formula_after_its_colon(right: str, wrong: str) -> None:
    assert set(claimed(FRENCH)) <= {"holds", "holds under", "aside"}
    assert claimed(FRENCH.replace(right, wrong)).count("fails") == 1


PIECES = r"""
$$z = w x, \quad y = z \quad (z > 0) \\ y = 0 \quad (z \le 0)$$
$$\frac{\partial y}{\partial z} = %s \quad (z > 0) \\ \frac{\partial y}{\partial z} = 0 \quad (z \le 0)$$
"""


@pytest.mark.parametrize(("slope", "verdict"), [("1", "holds"), ("z", "fails")])
def test_a_function_may_be_told_in_pieces(slope: str, verdict: str) -> None:
    assert claimed(PIECES % slope) == [verdict]


def test_arguments_that_are_listed_together_do_not_depend_on_each_other() -> None:
    nodes = r"""
## Sum
$$z = f(x, y) = x + y$$
$$\frac{\partial z}{\partial x} = \frac{\partial (x + y)}{\partial x} = 1$$
## ReLU
$$y = \max(0, x)$$
"""
    assert set(claimed(nodes)) == {"holds"}


BISHOP = r"""
$$a_j = \sum_i w_{ji} z_i, \quad z_j = h(a_j)$$
$$\delta_j = \frac{\partial E_n}{\partial a_j}
= \sum_k \frac{\partial E_n}{\partial a_k} \frac{\partial a_k}{\partial a_j}$$
$$\delta_j = h'(a_j) \sum_k %s \delta_k$$
"""


@pytest.mark.parametrize(("weight", "verdicts"), [("w_{kj}", {"holds"}), ("w_{jk}", {"fails", "ill-typed"})])
def test_a_loss_that_is_never_written_is_of_the_outputs(weight: str, verdicts: set[str]) -> None:
    assert claimed(BISHOP % weight)[-1] in verdicts


TWO_MEANINGS = r"""
## One neuron
$$z = w x + b, \quad a = \phi(z)$$
$$\frac{\partial a}{\partial w} = \phi'(z) x$$
## Softmax
$$p_i = \frac{e^{a_i}}{\sum_k e^{a_k}}$$
$$\frac{\partial p_i}{\partial a_i} = p_i (1 - p_i)$$
"""


def test_what_another_section_says_of_a_letter_does_not_spoil_a_definition() -> None:
    assert claimed(TWO_MEANINGS) == ["holds", "holds"]


THRESHOLD = r"""
$$net = w_0 + \sum_{i=1}^n w_i x_i, \quad o = \sigma(net), \quad E = \frac12 (o - y)^2$$
$$\frac{\partial E}{\partial w_0} = (o - y) \sigma'(net), \quad \frac{\partial net}{\partial w_i} = %s$$
"""


@pytest.mark.parametrize(("partial", "verdict"), [("x_i", "holds"), ("w_i", "fails")])
def test_a_threshold_numbered_zero_is_no_weight(partial: str, verdict: str) -> None:
    assert claimed(THRESHOLD % partial) == ["holds", verdict]


OF_ARGUMENTS = r"""
$$E(o) = \frac12 (o - y)^2, \quad O(net) = \sigma(net), \quad net(w) = w x + b$$
$$\frac{\partial E}{\partial w} = \frac{\partial E}{\partial o} \frac{\partial o}{\partial net}
\frac{\partial net}{\partial w} = (o - y) %s x$$
"""


@pytest.mark.parametrize(("slope", "verdict"), [(r"\sigma'(net)", "holds"), (r"\sigma(net)", "fails")])
def test_quantities_may_be_written_with_what_they_are_of(slope: str, verdict: str) -> None:
    assert claimed(OF_ARGUMENTS % slope) == ["holds", verdict]


PARTIALS_ALONE = r"""
We use $\delta_j = \frac{\partial E}{\partial net_j}$, where a unit makes its output $o_j$ of $net_j$.
$$\frac{\partial E}{\partial w_{ji}} = \frac{\partial E}{\partial net_j} \frac{\partial net_j}{\partial w_{ji}}
= \delta_j o_i$$
$$\delta_j = \frac{\partial o_j}{\partial net_j} (o_j - y_j)$$
$$\delta_j = \frac{\partial o_j}{\partial net_j} \sum_k \delta_k %s$$
"""


@pytest.mark.parametrize(("weight", "good"), [("w_{kj}", True), ("w_{jk}", False)])
def test_units_of_any_layer_may_be_known_from_their_partials(weight: str, good: bool) -> None:
    assert set(claimed(PARTIALS_ALONE % "w_{kj}")) == {"holds"}
    assert (claimed(PARTIALS_ALONE % weight)[-1] == "holds") is good


TWICE = r"""
$$z = y - t, \quad L = \frac12 z^2$$
$$\frac{\partial L}{\partial y} = z$$
With an activation before it:
$$y = \sigma(z), \quad L = \frac12 (y - t)^2$$
$$\frac{\partial y}{\partial z} = \sigma'(z), \quad \frac{\partial L}{\partial y} = y - t$$
"""


def test_a_letter_that_would_be_made_of_itself_has_two_meanings() -> None:
    assert set(claimed(TWICE)) == {"holds"}


def test_there_are_no_small_calligraphic_letters() -> None:
    assert claimed(
        r"$$\mathcal{L} = (y - t)^2$$ $$\frac{\partial \mathcal{L}}{\partial \mathcal{y}} = 2 (y - t)$$"
    ) == ["holds"]


PENALTY = r"""
$$z = W_1 x, \quad h = \phi(z), \quad o = W_2 h, \quad L = l(o, y)$$
$$s = \frac{\lambda}{2} \left(\|W_1\|_F^2 + \|W_2\|_F^2\right), \quad J = L + s$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\frac{\partial J}{\partial W_2} = \frac{\partial J}{\partial o} h^\top + \lambda W_2", r"h^\top|z^\top"),
        (r"\frac{\partial J}{\partial h} = W_2^\top \frac{\partial J}{\partial o}", r"W_2^\top|W_2"),
        (r"\frac{\partial J}{\partial z} = \frac{\partial J}{\partial h} \odot \phi'(z)", "(z)|(h)"),
    ],
)
def test_a_loss_that_is_not_written_may_have_a_penalty_beside_it(right: str, wrong: str) -> None:
    assert claimed(f"{PENALTY}$${right}$$") == ["holds"]
    assert set(claimed(f"{PENALTY}$${right.replace(*wrong.split('|'))}$$")) <= {"fails", "ill-typed"}
