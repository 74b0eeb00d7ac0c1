"""Lessons on gated recurrent nets: names of gradients with d, δ or a bar, classes as indices, losses of one symbol."""

import pytest

from tests.verdicts import claimed, of_the_last

CELL = r"""
$$f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f), \quad i_t = \sigma(W_i x_t + U_i h_{t-1} + b_i)$$

$$o_t = \sigma(W_o x_t + U_o h_{t-1} + b_o), \quad g_t = \tanh(W_g x_t + U_g h_{t-1} + b_g)$$

$$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad h_t = o_t \odot \tanh(c_t), \quad L = \sum_t L_t(h_t)$$
"""
BACKWARD = r"""
$$\delta o_t = \delta h_t \odot \tanh(c_t), \quad \delta i_t = \delta c_t \odot g_t$$

$$\delta c_t = \delta h_t \odot o_t \odot (1 - \tanh^2(c_t)) + \delta c_{t+1} \odot f_{t+1}$$
"""
INSIDE = r"""
$$\delta c_t = \delta h_t \odot o_t \odot (1 - \tanh^2(c_t)) + \delta c_{t+1} \odot f_{t+1}$$

$$\delta o_t = \delta h_t \odot \tanh(c_t) \odot o_t \odot (1 - o_t)$$

$$\delta i_t = \delta c_t \odot g_t \odot i_t \odot (1 - i_t)$$

$$\delta g_t = \delta c_t \odot i_t \odot (1 - g_t^2)$$
"""
CLASSES = r"""
$$a^{(t)} = b + W h^{(t-1)} + U x^{(t)}, \quad h^{(t)} = \tanh(a^{(t)}), \quad o^{(t)} = c + V h^{(t)}$$

$$p^{(t)} = \mathrm{softmax}(o^{(t)}), \quad L = \sum_t L^{(t)}, \quad L^{(t)} = -\log p^{(t)}_{y^{(t)}}$$
"""
TAGGED = CELL.replace("_t", "^{(t)}").replace("_{t-1}", "^{(t-1)}").replace(r"\sum^{(t)}", r"\sum_t")

CASES = {
    "the gradient of a gate": (CELL, BACKWARD, r"\delta f_t = \delta c_t \odot c_{t-1}", "c_{t-1}", "c_t"),
    "of its weight": (
        CELL, BACKWARD,
        r"\frac{\partial L}{\partial U_i} = \sum_t (\delta i_t \odot i_t \odot (1 - i_t)) h_{t-1}^T",
        "h_{t-1}^T", "h_t^T",
    ),
    "of what goes into a gate": (
        CELL, INSIDE, r"\frac{\partial L}{\partial W_i} = \sum_t \delta i_t x_t^T", r"\delta i_t x", r"\delta g_t x",
    ),
    "d before a symbol": (
        CELL, BACKWARD.replace(r"\delta ", "d"), r"df_t = dc_t \odot c_{t-1}", "c_{t-1}", r"f_{t-1}",
    ),
    "a bar over a symbol": (
        CELL,
        r"$$\bar{h}_t = \frac{\partial L}{\partial h_t}, \quad \bar{o}_t = \bar{h}_t \odot \tanh(c_t)$$",
        r"\bar{c}_t = \bar{h}_t \odot o_t \odot (1 - \tanh^2(c_t)) + \bar{c}_{t+1} \odot f_{t+1}", "f_{t+1}", "f_t",
    ),
    "a gate's letter below its weight, steps above": (
        TAGGED, "",
        r"\frac{\partial L}{\partial b_i} = \sum_t \frac{\partial L}{\partial i^{(t)}} \odot i^{(t)}"
        r" \odot (1 - i^{(t)})",
        r"(1 - i^{(t)})", r"(1 - (i^{(t)})^2)",
    ),
    "a class as an index": (
        CLASSES, "", r"\frac{\partial L}{\partial o^{(t)}_i} = p^{(t)}_i - 1_{i, y^{(t)}}", "- 1", "+ 1",
    ),
    "the last step by a letter": (
        CLASSES, "", r"\nabla_{h^{(\tau)}} L = V^\top \nabla_{o^{(\tau)}} L", r"V^\top \n", r"W^\top \n",
    ),
    "a product from the last step to the first": (
        CLASSES, "",
        r"\frac{\partial h^{(t)}}{\partial h^{(k)}} = \prod_{i=k+1}^{t} \mathrm{diag}(1 - (h^{(i)})^2) W", "^2", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_right_formulas_hold_and_their_twins_do_not(case: str) -> None:
    forward, backward, right, part, slip = CASES[case]
    assert part in right
    lesson = "{}\n{}\n$$\n{}\n$$\n"
    found = of_the_last(lesson.format(forward, backward, right))
    assert found
    assert set(found) <= {"holds", "holds under"}
    assert of_the_last(lesson.format(forward, backward, right.replace(part, slip)))[-1] in ("fails", "ill-typed")


@pytest.mark.parametrize("backward", [BACKWARD, INSIDE, BACKWARD.replace(r"\delta ", "d")])
def test_a_whole_backward_pass_holds(backward: str) -> None:
    assert set(claimed(CELL + backward)) <= {"holds", "holds under"}


def test_a_bar_is_a_mean_where_no_weight_has_one() -> None:
    """x̄ beside x is a quantity of the lesson, and no partial."""
    lesson = r"""
$$\bar{x} = \frac{1}{m} \sum_{i=1}^m x_i, \quad \bar{y} = \frac{1}{m} \sum_{i=1}^m y_i$$

$$\frac{\partial \bar{x}}{\partial x_i} = \frac{1}{m}$$
"""
    assert of_the_last(lesson) == ["holds"]
    assert of_the_last(lesson.replace(r"i} = \frac{1}{m}$$", r"i} = m$$")) == ["fails"]
