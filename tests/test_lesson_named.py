"""Lessons whose units have names: net_{h1}, out_{o1}, w_5, what is written of one unit and meant of both."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

HALF = r"""
$$net_{h1} = w_1 * i_1 + w_2 * i_2 + b_1 * 1, \quad out_{h1} = \frac{1}{1 + e^{-net_{h1}}}$$
$$net_{o1} = w_5 * out_{h1} + w_6 * out_{h2} + b_2 * 1, \quad out_{o1} = \frac{1}{1 + e^{-net_{o1}}}$$
$$E_{total} = \sum \frac{1}{2} (target - output)^2$$
$$E_{o1} = \frac{1}{2} (target_{o1} - out_{o1})^2, \quad E_{total} = E_{o1} + E_{o2}$$
"""
CLAIMS = r"""
$$E_{total} = \frac{1}{2} (target_{o1} - out_{o1})^2 + \frac{1}{2} (target_{o2} - out_{o2})^2$$
$$\frac{\partial E_{total}}{\partial out_{o1}} = 2 * \frac{1}{2} (target_{o1} - out_{o1})^{2 - 1} * -1 + 0$$
$$\frac{\partial net_{o1}}{\partial w_5} = 1 * out_{h1} * w_5^{(1 - 1)} + 0 + 0$$
$$\delta_{o1} = \frac{\partial E_{total}}{\partial out_{o1}} * \frac{\partial out_{o1}}{\partial net_{o1}}
  = \frac{\partial E_{total}}{\partial net_{o1}}$$
$$\delta_{o1} = -(target_{o1} - out_{o1}) * out_{o1} (1 - out_{o1})$$
$$\frac{\partial E_{total}}{\partial w_5} = \delta_{o1} out_{h1}$$
$$\frac{\partial E_{total}}{\partial w_8} = \delta_{o2} out_{h2}$$
$$\frac{\partial E_{total}}{\partial out_{h1}}
  = \frac{\partial E_{o1}}{\partial out_{h1}} + \frac{\partial E_{o2}}{\partial out_{h1}}
  = w_5 \delta_{o1} + w_7 \delta_{o2}$$
$$\frac{\partial E_{total}}{\partial w_1} = (\sum_o \delta_o * w_{ho}) * out_{h1} (1 - out_{h1}) * i_1$$
$$\frac{\partial E_{total}}{\partial w_1} = = \delta_{h1} i_1$$
"""
WHOLE = r"""
$$z_{h_1} = w_1 x_1 + w_2 x_2 + b_1, \quad a_{h_1} = \sigma(z_{h_1})$$
$$z_{h_2} = w_3 x_1 + w_4 x_2 + b_1, \quad a_{h_2} = \sigma(z_{h_2})$$
$$z_{o_1} = w_5 a_{h_1} + w_6 a_{h_2} + b_2, \quad a_{o_1} = \sigma(z_{o_1})$$
$$z_{o_2} = w_7 a_{h_1} + w_8 a_{h_2} + b_2, \quad a_{o_2} = \sigma(z_{o_2})$$
$$E = \sum_{k=1}^{2} E_{o_k}, \quad E_{o_1} = \frac{1}{2} (t_{o_1} - a_{o_1})^2$$
"""
ERRORS = r"""
$$\delta_{o_1} = (a_{o_1} - t_{o_1}) \sigma'(z_{o_1})$$
$$\delta_{h_1} = (\delta_{o_1} w_5 + \delta_{o_2} w_7) \sigma'(z_{h_1})$$
$$\delta_h = \sigma'(z_h) \sum_o w_{oh} \delta_o$$
$$\frac{\partial E}{\partial w_3} = \delta_{h_2} x_1$$
$$\frac{\partial E}{\partial b_1} = \delta_{h_1} + \delta_{h_2}$$
"""


def verdicts(text: str) -> list[str]:
    """What is said of all that is no definition and no number."""
    return [verdict for verdict in claimed(text) if verdict != "aside"]


@pytest.mark.parametrize("lesson", [HALF + CLAIMS, WHOLE + ERRORS])
def test_what_is_right_holds(lesson: str) -> None:
    found = verdicts(lesson)
    assert len(found) > 4
    assert set(found) <= {"holds", "holds under"}


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (HALF + CLAIMS, "w_7", "w_6"),
        (HALF + CLAIMS, r"\delta_{o2} out_{h2}", r"\delta_{o1} out_{h2}"),
        (HALF + CLAIMS, r"= -(target_{o1} - out_{o1}) * out_{o1}", r"= (target_{o1} - out_{o1}) * out_{o1}"),
        (HALF + CLAIMS, r"\delta_o * w_{ho}) *", r"\delta_o) *"),
        (HALF + CLAIMS, r"\delta_{h1} i_1", r"\delta_{h1} i_2"),
        (HALF + CLAIMS, "w_5^{(1 - 1)}", "w_5^{(2 - 1)}"),
        (WHOLE + ERRORS, r"\delta_{o_2} w_7", r"\delta_{o_2} w_6"),
        (WHOLE + ERRORS, r"= \delta_{h_1} + \delta_{h_2}", r"= \delta_{h_1}"),
        (WHOLE + ERRORS, r"\sigma'(z_h)", r"\sigma(z_h)"),
        (WHOLE + ERRORS, r"\delta_{h_2} x_1", r"\delta_{h_2} x_2"),
    ],
)
def test_a_slip_is_found_and_nothing_else_is_called_wrong(lesson: str, right: str, wrong: str) -> None:
    assert right in lesson
    found = verdicts(lesson.replace(right, wrong))
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) == 1


def test_the_net_that_is_shown_has_the_other_units_too() -> None:
    net = audit(read(Path("lesson.md"), HALF + CLAIMS)).net
    assert any("o2" in equation.split("=")[0] and "w_{7}" in equation and "assumed" in equation for equation in net)


def test_weights_that_are_another_units_already_are_not_counted_on() -> None:
    claim = r"$$\frac{\partial E_{total}}{\partial w_7} = \delta_{o2} out_{h1}$$"
    taken = HALF.replace("w_1 * i_1", "w_7 * i_1") + claim
    assert verdicts(taken)[-1] == "not understood"
