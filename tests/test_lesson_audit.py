"""A lesson from its text to its verdicts."""

from pathlib import Path

import pytest

import reference
from oracle.lesson.audit import audit
from oracle.lesson.reading import read

LESSONS = Path(__file__).parent / "lessons"
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


def test_the_tutorial_of_the_beginning() -> None:
    found = audit(read(LESSONS / "seed.md"))
    assert found.profile == "indices"
    assert [[link.verdict for link in equation.links] for equation in found.equations] == [
        ["definition"], ["fails"], ["holds"], ["fails", "fails"], ["fails"], ["vacuous", "fails"],
        ["ill-typed", "ill-typed"], ["holds", "holds"], ["holds", "holds"], ["holds", "holds"],
        *[["update"]] * 4,
    ]  # fmt: skip
    repairs = {e.number: [s.tex for s in e.suggestions] for e in found.equations}
    assert repairs[2][0] == r"\frac{\partial L}{\partial y_k}=y_k-t_k"
    assert r"\frac{\partial L}{\partial z_k}=(y_k-t_k)\cdot\sigma'(z_k)" in repairs[2]
    assert (
        repairs[5][0]
        == r"\frac{\partial L}{\partial z_j}=\frac{\partial L}{\partial a_j}\cdot\frac{\partial a_j}{\partial z_j}"
    )
    assert repairs[3] == repairs[8] == []


@pytest.mark.parametrize("name", ["backpropagation.md", "backpropagation.zh.md"])
def test_every_equation_number_and_block_of_our_own_lesson_is_right(name: str) -> None:
    found = audit(read(Path(reference.__file__).parent / "lesson" / name))
    links = [link for equation in found.equations for link in equation.links]
    assert {link.verdict for link in links if not link.deliberate} == {"holds", "definition", "update"}
    assert {link.verdict for link in links if link.deliberate} == {"fails", "ill-typed"}
    assert len(links) > 60
    assert len(found.numbers) > 30
    assert {number.verdict for number in found.numbers} == {"right"}
    assert [code.verdict for code in found.code] == ["match"]


def test_the_tutorials_errors_cancel_and_its_claims_contradict() -> None:
    found = audit(read(LESSONS / "seed.md"))
    cancelling = next(remark for remark in found.remarks if remark.kind == "cancelling")
    assert set(cancelling.equations) == {2, 3, 4}
    assert cancelling.suggestion is not None
    joint = [cancelling.suggestion.tex, *(tex for _, tex in cancelling.suggestion.others)]
    assert joint[0] == r"\frac{\partial L}{\partial z_k}=(y_k-t_k)\cdot\sigma'(z_k)"
    assert any(tex.startswith(r"\frac{\partial z_k}{\partial z_j}=") for tex in joint)
    assert any(remark.kind == "contradiction" and 2 in remark.equations for remark in found.remarks)


def test_a_failing_link_has_a_counterexample_in_small_numbers() -> None:
    found = audit(read(Path("lesson.md"), FORWARD + r"$$\frac{\partial L}{\partial y_k} = (y_k - t_k) \sigma'(z_k)$$"))
    example = found.equations[-1].links[0].counterexample
    assert example is not None
    assert {"w_{ji}", "w_{kj}", "b_{j}", "b_{k}"} <= {sample.tex for sample in example.net}
    assert example.left.value != example.right.value
