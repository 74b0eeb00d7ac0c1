"""A lesson from its text to its verdicts."""

from pathlib import Path

from oracle.lesson.audit import audit
from oracle.lesson.reading import read

FORWARD = r"""
$$z_j = \sum_i w_{ji} x_i + b_j, \quad a_j = \sigma(z_j)$$

$$z_k = \sum_j w_{kj} a_j + b_k, \quad y_k = \sigma(z_k)$$

$$L = \frac{1}{2} \sum_k (y_k - t_k)^2$$
"""


def verdicts(formulas: str) -> list[str]:
    """The verdicts of some formulas in a lesson that has its forward pass."""
    found = audit(read(Path("lesson.md"), FORWARD + formulas))
    return [link.verdict for equation in found.equations[3:] for link in equation.links]


def test_a_right_chain_holds_link_by_link() -> None:
    chain = r"""$$\frac{\partial L}{\partial w_{kj}}
        = \frac{\partial L}{\partial z_k} \frac{\partial z_k}{\partial w_{kj}}
        = (y_k - t_k) \sigma'(z_k) a_j$$"""
    assert verdicts(chain) == ["holds", "holds"]


def test_wrong_links_are_told_apart() -> None:
    assert verdicts(r"$$\frac{\partial L}{\partial y_k} = (y_k - t_k) \sigma'(z_k)$$") == ["fails"]
    assert verdicts(r"$$\frac{\partial L}{\partial w_{ki}} = (y_k - t_k) \sigma'(z_k) a_j$$") == ["ill-typed"]
    assert verdicts(r"$$\frac{\partial z_j}{\partial a_j} = 0$$") == ["vacuous"]


def test_error_signals_mean_what_the_lesson_says() -> None:
    lesson = r"""
$$\delta_k = \frac{\partial L}{\partial z_k}, \quad \delta_j = \frac{\partial L}{\partial z_j}$$

$$\delta_j = \sigma'(z_j) \sum_k \delta_k w_{kj}$$

$$\delta_j = \sigma'(a_j) \sum_k \delta_k w_{kj}$$
"""
    assert verdicts(lesson) == ["definition", "definition", "holds", "fails"]
