"""What published lessons do: the loss of one sample for the mean of all, no transposes, entries in brackets above."""

import pytest

from oracle.lesson.formula import parse
from oracle.lesson.syntax import Derivative, Indexed, Name, Number, Power, Tagged
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

MEANS = r"""
# Net
$$\ell(a^{[K]}, y) = -[y \ln(a^{[K]}) + (1 - y) \ln(1 - a^{[K]})]$$
$$a^{[l]} = g^{[l]}(z^{[l]}) = g^{[l]}(W^{[l]} a^{[l-1]} + b^{[l]})$$
# Back
For $l < K$:
$$\frac{\partial \ell}{\partial z^{[l]}} = W^{[l+1]T} \frac{\partial \ell}{\partial z^{[l+1]}} * g'(z^{[l]})$$
$$\frac{\partial \ell}{\partial W^{[l]}} = \frac{\partial \ell}{\partial z^{[l]}} a^{[l-1]T}$$
The cost is their mean:
$$J(A^{[K]}, Y) = \frac{1}{m} \sum_{i=1}^m \ell(a^{[K](i)}, y^{(i)})$$
$$\frac{\partial \ell}{\partial Z^{[l]}} = W^{[l+1]T} \frac{\partial \ell}{\partial Z^{[l+1]}} * g'(Z^{[l]})$$
$$\frac{\partial \ell}{\partial W^{[l]}} = \frac{1}{m} \frac{\partial \ell}{\partial Z^{[l]}} A^{[l-1]T}$$
$$\frac{\partial \ell}{\partial b^{[l]}} = \frac{1}{m} \sum_{i=1}^m \frac{\partial \ell}{\partial z^{[l](i)}}$$
"""


def test_gradients_of_the_mean_by_the_letter_of_a_sample_s_loss() -> None:
    """K is the last layer because l < K, and A the batch of a because partials by Z stand before its transpose."""
    assert {*claimed(MEANS)} <= GOOD | {"definition", "aside"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"{\partial Z^{[l]}} A^{[l-1]T}", r"{\partial Z^{[l]}} A^{[l]T}"),
        (r"* g'(Z^{[l]})", r"* g'(Z^{[l+1]})"),
        (r"\sum_{i=1}^m \frac{\partial \ell}{\partial z^{[l](i)}}",
         r"\sum_{i=1}^m \frac{\partial \ell}{\partial z^{[l+1](i)}}"),
    ],
)  # fmt: skip
def test_a_slip_is_found_among_means(right: str, wrong: str) -> None:
    assert right in MEANS
    assert sum(verdict in BAD for verdict in claimed(MEANS.replace(right, wrong))) == 1


TURNLESS = r"""
$$s^{<t>} = V h^{<t>} + c, \quad \hat{y}^{<t>} = softmax(s^{<t>}), \quad E_t = -y^{<t>} \log(\hat{y}^{<t>})$$
$$h^{<t>} = \tanh(u^{<t>}), \quad u^{<t>} = A x^{<t>} + Q h^{<t-1>} + b$$
$$\frac{\partial \tanh(v)}{\partial v} = sech^2(v) = 1 - \tanh^2(v)$$
$$\frac{\partial E_t}{\partial s} = \hat{y}^{<t_k>} - y^{<t_k>}, \quad \frac{\partial s}{\partial V} = h^{<t>}$$
$$\frac{\partial E_t}{\partial V} = \frac{\partial E_t}{\partial s} \frac{\partial s}{\partial V}$$
$$\frac{\partial E_t}{\partial V} = (\hat{y}^{<t_k>} - y^{<t_k>}) \cdot h^{<t>}$$
$$\frac{\partial E_t}{\partial c} = \frac{\partial E_t}{\partial s} \frac{\partial s}{\partial c}, \quad
  \frac{\partial E_t}{\partial c} = \hat{y}^{<t_k>} - y^{<t_k>}$$
$$\frac{\partial E_t}{\partial h_{<t>}} = \frac{\partial E_t}{\partial s} \frac{\partial s}{\partial h^{<t>}}$$
$$\frac{\partial E_t}{\partial h^{<t>}} = (\hat{y}^{<t_k>} - y^{<t_k>}) V$$
$$\frac{\partial h^{<t>}}{\partial u^{<t>}} = 1 - h^{2<t>}$$
"""


def test_a_lesson_that_writes_no_transposes_means_them() -> None:
    assert {*claimed(TURNLESS)} <= GOOD | {"definition"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            r"= \hat{y}^{<t_k>} - y^{<t_k>}, \quad \frac{\partial s}",
            r"= \hat{y}^{<t_k>} + y^{<t_k>}, \quad \frac{\partial s}",
        ),
        (r"(\hat{y}^{<t_k>} - y^{<t_k>}) V", r"(y^{<t_k>} - \hat{y}^{<t_k>}) V"),
        (r"= 1 - h^{2<t>}", r"= 1 - h^{<t>}"),
    ],
)
def test_a_slip_is_found_where_no_transposes_are(right: str, wrong: str) -> None:
    assert right in TURNLESS
    assert sum(verdict in BAD for verdict in claimed(TURNLESS.replace(right, wrong))) == 1


def test_a_number_and_a_letter_beside_a_step_in_brackets() -> None:
    step = Tagged(Name("h"), Name("t"), "<")
    assert parse("h^{2<t>}").statements[0].body == Power(step, Number("2"))
    assert parse("h_{<t>}").statements[0].body == step
    assert parse(r"h^{<t_k>}").statements[0].body == Tagged(Indexed(Name("h"), (Name("k"),)), Name("t"), "<")


def test_words_of_the_east_are_names() -> None:
    """The error of y is a loss, and the weighted sum what goes into a unit; 오차 is not taken apart into strokes."""
    partial = parse(r"\frac{d오차y_{o1}}{d가중합_{3}}").statements[0].body
    assert partial == Derivative(Indexed(Name("Loss"), (Name("o1"),)), (Indexed(Name("net"), (Number("3"),)),), "d")
    assert parse("학습률").statements[0].body == Name("학습률")


def test_a_template_s_tag_behind_a_formula_is_none_of_it() -> None:
    assert parse("a = b\n{{numeq}}{eq:one}").statements == parse("a = b").statements


NUMERALS = r"""
$$v^{I}_j = \sum_i w^{I}_{ji} x_i, \quad y^{I}_j = \varphi(v^{I}_j)$$
$$v^{II}_k = \sum_j w^{II}_{kj} y^{I}_j, \quad y^{II}_k = \varphi(v^{II}_k)$$
$$\xi = \frac12 \sum_k e_k^2, \quad e_k = d_k - y^{II}_k$$
$$\boxed{\delta^{II}_k = -\frac{\partial \xi}{\partial y^{II}_k} \frac{\partial y^{II}_k}{\partial v^{II}_k}}$$
$$\delta^{I}_j = -\frac{\partial \xi}{\partial y^{I}_j} \frac{\partial y^{I}_j}{\partial v^{I}_j}$$
$$\delta^{II}_k = e_k \varphi'(v^{II}_k)$$
$$\delta^{I}_j = \varphi'(v^{I}_j) \sum_k \delta^{II}_k w^{II}_{kj}$$
$$\frac{\partial \xi}{\partial w^{II}_{kj}} = -\delta^{II}_k y^{I}_j$$
Where the activation is the identity, $\varphi' = 1$.
"""


def test_layers_may_have_roman_numerals_and_a_loss_any_letter() -> None:
    assert {*claimed(NUMERALS)} <= GOOD | {"definition", "aside"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"= e_k \varphi'", r"= -e_k \varphi'"),
        (r"\varphi'(v^{I}_j) \sum", r"\varphi'(v^{II}_j) \sum"),
        (r"-\delta^{II}_k y^{I}_j", r"\delta^{II}_k y^{I}_j"),
    ],
)
def test_a_slip_is_found_among_numerals(right: str, wrong: str) -> None:
    assert right in NUMERALS
    assert sum(verdict in BAD for verdict in claimed(NUMERALS.replace(right, wrong))) == 1
