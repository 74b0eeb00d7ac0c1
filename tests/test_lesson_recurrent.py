"""Lessons on recurrent nets: steps, total and direct partials, products of Jacobians, sums that are left out."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import of_the_last

HOLDS, UNDER, FAILS, TYPED = "holds", "holds under", "fails", "ill-typed"
DEFINED = "definition"

ABSTRACT = r"""
$$h_t = f(x_t, h_{t-1}, w_h)$$

$$o_t = g(h_t, w_o)$$

$$L(x_1, \ldots, x_T, y_1, \ldots, y_T, w_h, w_o) = \frac{1}{T} \sum_{t=1}^T l(y_t, o_t)$$
"""
VANILLA = r"""
$$s_t = \tanh(U x_t + W s_{t-1})$$

$$\hat{y}_t = \mathrm{softmax}(V s_t)$$

$$E_t(y_t, \hat{y}_t) = -y_t \log \hat{y}_t, \quad E = \sum_t E_t(y_t, \hat{y}_t), \quad z_3 = V s_3$$
"""
LINEAR = r"""
$$h_t = W_{hx} x_t + W_{hh} h_{t-1}, \quad o_t = W_{qh} h_t, \quad r = h_T^\top h_T$$

$$L = \frac{1}{T} \sum_{t=1}^T \ell(o_t, y_t)$$
"""
EINSTEIN = r"""
We leave sums out, as Einstein does.

$$s_{t_m} = \tanh(z_{t_m}), \quad z_{t_m} = U_{mi} x_{t_i} + W_{mj} s_{{t-1}_j}, \quad q_{t_l} = V_{lm} s_{t_m}$$

$$E_t = \ell(q_t, y_t)$$
"""

LSTM = r"""
$$f_t = \sigma(W_f \cdot [h_{t-1}, x_t] + b_f), \quad i_t = \sigma(W_i \cdot [h_{t-1}, x_t] + b_i)$$

$$o_t = \sigma(W_o \cdot [h_{t-1}, x_t] + b_o), \quad \tilde{C}_t = \tanh(W_C \cdot [h_{t-1}, x_t] + b_C)$$

$$C_t = f_t * C_{t-1} + i_t * \tilde{C}_t, \quad h_t = o_t * \tanh(C_t), \quad L = \sum_{t=1}^T \ell(h_t, y_t)$$
"""
GRU = r"""
$$z_t = \sigma(W_z x_t + U_z h_{t-1}), \quad r_t = \sigma(W_r x_t + U_r h_{t-1})$$

$$\tilde h_t = \tanh(W x_t + U (r_t \odot h_{t-1})), \quad h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t$$

$$L = \sum_t L_t(h_t, y_t)$$
"""
NUMBERED = r"""
Here $z_3 = V s_3$ and $s_3 = \tanh(U x_3 + W s_2)$, and of the errors only their sum is used.

$$\frac{\partial E}{\partial W} = \sum_t \frac{\partial E_t}{\partial W}$$
"""


def verdicts(forward: str, formula: str) -> list[str]:
    """The verdicts of one more formula in a lesson."""
    return of_the_last(f"{forward}\n$$\n{formula}\n$$\n")


RIGHT = {
    "the loss of all steps by a weight": (
        ABSTRACT,
        r"""\frac{\partial L}{\partial w_h} = \frac{1}{T} \sum_{t=1}^T \frac{\partial l(y_t, o_t)}{\partial w_h}
        = \frac1T \sum_{t=1}^T \frac{\partial l(y_t, o_t)}{\partial o_t} \frac{\partial g(h_t, w_o)}{\partial h_t}
        \frac{\partial h_t}{\partial w_h}""",
        [HOLDS, HOLDS],
    ),
    "the recursion: an argument, the others held": (
        ABSTRACT,
        r"""\frac{\partial h_t}{\partial w_h} = \frac{\partial f(x_t, h_{t-1}, w_h)}{\partial w_h}
        + \frac{\partial f(x_t, h_{t-1}, w_h)}{\partial h_{t-1}} \frac{\partial h_{t-1}}{\partial w_h}""",
        [HOLDS],
    ),
    "the recursion unrolled": (
        ABSTRACT,
        r"""\frac{\partial h_t}{\partial w_h} = \frac{\partial f(x_t, h_{t-1}, w_h)}{\partial w_h} + \sum_{i=1}^{t-1}
        \left(\prod_{j=i+1}^{t} \frac{\partial f(x_j, h_{j-1}, w_h)}{\partial h_{j-1}}\right)
        \frac{\partial f(x_i, h_{i-1}, w_h)}{\partial w_h}""",
        [HOLDS],
    ),
    "sums and products that go down, the argument named without its step": (
        ABSTRACT,
        r"""\partial_{w_h} h_t = \sum_{i=t}^{1} \left[\prod_{j=t}^{i+1} \partial_h f(x_j, h_{j-1}, w_h)\right]
        \partial_{w_h} f(x_i, h_{i-1}, w_h)""",
        [HOLDS],
    ),
    "the errors of all steps": (
        VANILLA,
        r"\frac{\partial E}{\partial W} = \sum_t \frac{\partial E_t}{\partial W}",
        [HOLDS],
    ),
    "a chain at one step": (
        VANILLA,
        r"""\frac{\partial E_3}{\partial V} = \frac{\partial E_3}{\partial \hat{y}_3}
        \frac{\partial \hat{y}_3}{\partial z_3} \frac{\partial z_3}{\partial V} = (\hat{y}_3 - y_3) \otimes s_3""",
        [HOLDS, HOLDS],
    ),
    "a sum over the steps before, each weight's own part": (
        VANILLA,
        r"""\frac{\partial E_3}{\partial W} = \sum_{k=0}^{3} \frac{\partial E_3}{\partial \hat{y}_3}
        \frac{\partial \hat{y}_3}{\partial s_3} \frac{\partial s_3}{\partial s_k} \frac{\partial s_k}{\partial W}""",
        [UNDER],
    ),
    "the same, marked": (
        VANILLA,
        r"""\frac{\partial E_3}{\partial W} = \sum_{k=1}^{3} \frac{\partial E_3}{\partial s_3}
        \left(\prod_{j=k+1}^{3} \frac{\partial s_j}{\partial s_{j-1}}\right) \frac{\partial^+ s_k}{\partial W}""",
        [HOLDS],
    ),
    "every step's error by what the steps contribute": (
        VANILLA,
        r"""\frac{\partial E_t}{\partial W} = \sum_{1 \le k \le t} \frac{\partial E_t}{\partial s_t}
        \frac{\partial s_t}{\partial s_k} \frac{\partial^+ s_k}{\partial W}""",
        [HOLDS],
    ),
    "the error of a step, named without it": (
        VANILLA.replace(r"\quad E = \sum_t E_t(y_t, \hat{y}_t),", ""),
        r"""\frac{\partial E_3(s_1(W), s_2(W), s_3(W))}{\partial W} = \frac{\partial E}{\partial s_1}
        \frac{\partial^+ s_1}{\partial W} + \frac{\partial E}{\partial s_2} \frac{\partial^+ s_2}{\partial W}
        + \frac{\partial E}{\partial s_3} \frac{\partial^+ s_3}{\partial W}""",
        [HOLDS],
    ),
    "the mean over the steps, below the line": (
        LINEAR,
        r"\frac{\partial L}{\partial o_t} = \frac{\partial \ell(o_t, y_t)}{T \cdot \partial o_t}",
        [HOLDS],
    ),
    "the last step": (
        LINEAR,
        r"""\frac{\partial L}{\partial h_T} = \text{prod}\left(\frac{\partial L}{\partial o_T},
        \frac{\partial o_T}{\partial h_T}\right) = W_{qh}^\top \frac{\partial L}{\partial o_T}""",
        [HOLDS, HOLDS],
    ),
    "the steps before": (
        LINEAR,
        r"""\frac{\partial L}{\partial h_t} = W_{hh}^\top \frac{\partial L}{\partial h_{t+1}}
        + W_{qh}^\top \frac{\partial L}{\partial o_t}""",
        [HOLDS],
    ),
    "powers of a matrix": (
        LINEAR,
        r"""\frac{\partial L}{\partial h_t} = \sum_{i=t}^T \left(W_{hh}^\top\right)^{T-i} W_{qh}^\top
        \frac{\partial L}{\partial o_{T+t-i}}""",
        [HOLDS],
    ),
    "a weight of all steps": (
        LINEAR,
        r"\frac{\partial L}{\partial W_{hh}} = \sum_{t=1}^T \frac{\partial L}{\partial h_t} h_{t-1}^\top",
        [HOLDS],
    ),
    "an entry of a step": (EINSTEIN, r"\frac{\partial q_{t_l}}{\partial V_{ij}} = \delta_{il} s_{t_j}", [HOLDS]),
    "a sum that is left out": (
        EINSTEIN,
        r"""\frac{\partial q_{t_l}}{\partial V_{ij}} = \frac{\partial}{\partial V_{ij}} (V_{lm} s_{t_m})
        = \delta_{il} \delta_{jm} s_{t_m}""",
        [UNDER, UNDER],
    ),
    "a letter that is no usual index": (
        EINSTEIN,
        r"\frac{\partial q_{t_l}}{\partial s_{t_m}} = V_{lb} \delta_{bm} = V_{lm}",
        [UNDER, HOLDS],
    ),
    "a step of another letter": (
        EINSTEIN,
        r"""\frac{\partial s_{t_m}}{\partial W_{ij}} = \sum_{r=1}^{t} \frac{\partial s_{t_m}}{\partial s_{r_n}}
        \frac{\partial s_{r_n}}{\partial W_{ij}}""",
        [UNDER],
    ),
}
GATES = {
    "a gate": (LSTM, r"\frac{\partial L}{\partial o_t} = \frac{\partial L}{\partial h_t} * \tanh(C_t)", HOLDS),
    "the cell": (
        LSTM,
        r"""\frac{\partial L}{\partial C_t} = \frac{\partial L}{\partial h_t} * o_t * (1 - \tanh^2(C_t))
        + \frac{\partial L}{\partial C_{t+1}} * f_{t+1}""",
        HOLDS,
    ),
    "a weight of what is put together": (
        LSTM,
        r"""\frac{\partial L}{\partial W_f} = \sum_t
        \left(\frac{\partial L}{\partial C_t} * C_{t-1} * f_t * (1 - f_t)\right) [h_{t-1}, x_t]^T""",
        UNDER,
    ),
    "the wrong gate": (
        LSTM,
        r"\frac{\partial L}{\partial \tilde{C}_t} = \frac{\partial L}{\partial C_t} * f_t",
        FAILS,
    ),
    "a cell by the one before, entry by entry": (LSTM, r"\frac{\partial C_t}{\partial C_{t-1}} = f_t", UNDER),
    "the same with another gate": (LSTM, r"\frac{\partial C_t}{\partial C_{t-1}} = i_t", TYPED),
    "the update gate": (
        GRU,
        r"\frac{\partial L}{\partial z_t} = \frac{\partial L}{\partial h_t} \odot (\tilde h_t - h_{t-1})",
        HOLDS,
    ),
    "the reset gate": (
        GRU,
        r"""\frac{\partial L}{\partial r_t} = \left(U^T \left(\frac{\partial L}{\partial \tilde h_t}
        \odot (1 - \tilde h_t^2)\right)\right) \odot h_{t-1}""",
        HOLDS,
    ),
    "the update gate the wrong way round": (
        GRU,
        r"\frac{\partial L}{\partial \tilde h_t} = \frac{\partial L}{\partial h_t} \odot (1 - z_t)",
        FAILS,
    ),
    "steps that have numbers": (
        NUMBERED,
        r"""\frac{\partial E_3}{\partial W} = \sum_{k=0}^{3} \frac{\partial E_3}{\partial z_3}
        \frac{\partial z_3}{\partial s_3} \frac{\partial s_3}{\partial s_k} \frac{\partial s_k}{\partial W}""",
        UNDER,
    ),
}
WRONG = {
    "the recursion with the step itself": (
        ABSTRACT,
        r"""\frac{\partial h_t}{\partial w_h} = \frac{\partial f(x_t, h_{t-1}, w_h)}{\partial w_h}
        + \frac{\partial f(x_t, h_{t-1}, w_h)}{\partial h_{t-1}} \frac{\partial h_t}{\partial w_h}""",
        FAILS,
    ),
    "a factor too many": (
        ABSTRACT,
        r"""\partial_{w_h} h_t = \sum_{i=t}^{1} \left[\prod_{j=t}^{i} \partial_h f(x_j, h_{j-1}, w_h)\right]
        \partial_{w_h} f(x_i, h_{i-1}, w_h)""",
        FAILS,
    ),
    "a chain through the wrong step": (
        VANILLA,
        r"""\frac{\partial E_3}{\partial W} = \sum_{k=0}^{3} \frac{\partial E_3}{\partial \hat{y}_3}
        \frac{\partial \hat{y}_3}{\partial s_k} \frac{\partial s_3}{\partial s_k} \frac{\partial s_k}{\partial W}""",
        FAILS,
    ),
    "the sign": (VANILLA, r"\frac{\partial E_3}{\partial V} = (y_3 - \hat{y}_3) \otimes s_3", FAILS),
    "a transpose is missing": (
        LINEAR,
        r"\frac{\partial L}{\partial h_T} = W_{qh} \frac{\partial L}{\partial o_T}",
        TYPED,
    ),
    "the step before for the step after": (
        LINEAR,
        r"""\frac{\partial L}{\partial h_t} = W_{hh}^\top \frac{\partial L}{\partial h_{t-1}}
        + W_{qh}^\top \frac{\partial L}{\partial o_t}""",
        FAILS,
    ),
    "the power": (
        LINEAR,
        r"""\frac{\partial L}{\partial h_t} = \sum_{i=t}^T \left(W_{hh}^\top\right)^{T-t} W_{qh}^\top
        \frac{\partial L}{\partial o_{T+t-i}}""",
        FAILS,
    ),
    "the state of the same step": (
        LINEAR,
        r"\frac{\partial L}{\partial W_{hh}} = \sum_{t=1}^T \frac{\partial L}{\partial h_t} h_t^\top",
        FAILS,
    ),
    "rows for columns": (EINSTEIN, r"\frac{\partial q_{t_l}}{\partial s_{t_m}} = V_{ml}", TYPED),
}


@pytest.mark.parametrize("what", RIGHT)
def test_what_lessons_on_recurrent_nets_say_holds(what: str) -> None:
    forward, formula, expected = RIGHT[what]
    assert verdicts(forward, formula) == expected


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_in_them_is_found(what: str) -> None:
    forward, formula, expected = WRONG[what]
    assert verdicts(forward, formula)[-1] in (expected, TYPED)


@pytest.mark.parametrize("what", GATES)
def test_gates_and_cells(what: str) -> None:
    forward, formula, expected = GATES[what]
    assert verdicts(forward, formula) == [expected]


def test_the_loss_of_all_steps_is_the_sum_of_theirs() -> None:
    found = audit(read(Path("lesson.md"), NUMBERED))
    assert found.equations[-1].verdict == HOLDS
    assert r"E = \sum_{t} E_{t} % assumed" in found.net


def test_repeated_indices_are_summed_in_no_lesson_that_writes_its_sums() -> None:
    forward = r"""
$$z_k = \sum_j w_{kj} a_j, \quad y_k = \sigma(z_k), \quad L = \frac{1}{2} \sum_k (y_k - t_k)^2$$
"""
    right = r"\frac{\partial L}{\partial a_j} = \sum_k \frac{\partial L}{\partial z_k} w_{kj}"
    assert verdicts(forward, right) == [HOLDS]
    assert verdicts(forward, right.replace(r"\sum_k", "")) == [TYPED]


def test_a_model_may_be_any_function_first_and_a_certain_one_further_on() -> None:
    lesson = r"""
$$h_t = f(x_t, h_{t-1}, w)$$

$$\partial_w h_t = \partial_w f(x_t, h_{t-1}, w) + \partial_h f(x_t, h_{t-1}, w) \partial_w h_{t-1}$$

$$h_t = w h_{t-1} + x_t$$

$$\partial_w h_t = h_{t-1} + w \partial_w h_{t-1}$$

$$\partial_w h_t = h_{t-1} + \partial_w h_{t-1}$$
"""
    found = audit(read(Path("lesson.md"), lesson))
    assert [e.verdict for e in found.equations] == [DEFINED, HOLDS, DEFINED, HOLDS, FAILS]


def test_a_name_for_what_partials_are_made_into_is_a_definition() -> None:
    formula = (
        r"g_t = \xi_t \frac{\partial f(x_t, h_{t-1}, w_h)}{\partial h_{t-1}} \frac{\partial h_{t-1}}{\partial w_h}"
    )
    assert verdicts(ABSTRACT, formula) == [DEFINED]


def test_sums_may_have_conditions_and_several_indices() -> None:
    forward = r"$$z_k = \sum_j w_{kj} a_j, \quad L = \sum_k z_k^2$$"
    assert verdicts(forward, r"\sum_{i,k} z_k w_{ki} a_i = L") == [HOLDS]
    right = r"\frac{\partial L}{\partial a_j} a_j + \sum_{i \ne j} \frac{\partial L}{\partial a_i} a_i = 2 L"
    assert verdicts(forward, right) == [HOLDS]
    assert verdicts(forward, right.replace(r"i \ne j", "i")) == [FAILS]
