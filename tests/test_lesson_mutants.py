"""Slips made in right formulas: the audit rejects them, or they are the same formula in other words."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.benchmarks.bench_mutants import links, measured, row
from tests.mutants import Words, mutants

LESSON = r"""
$$ z_j = \sum_i w_{ji} x_i + b_j, \quad a_j = \sigma(z_j) $$

$$ z_k = \sum_j w_{kj} a_j + b_k, \quad y_k = \sigma(z_k) $$

$$ L = \frac{1}{2} \sum_k (y_k - t_k)^2 $$

$$ \delta_k = \frac{\partial L}{\partial z_k} = (y_k - t_k) \sigma'(z_k) $$

$$ \frac{\partial L}{\partial a_j} = \sum_k \delta_k w_{kj} $$

$$ \frac{\partial L}{\partial w_{kj}} = \delta_k a_j $$

$$ \frac{\partial L}{\partial b_k} = \frac{\partial L}{\partial z_k} \frac{\partial z_k}{\partial b_k} $$
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "lesson.md"
    path.write_text(LESSON, encoding="utf-8")
    return path


def test_no_slip_is_missed_and_what_still_holds_is_true(lesson: Path) -> None:
    held, found = measured(lesson)
    outcomes = {one.outcome for one in found}
    assert held == 4
    assert len(found) > 40
    assert "missed" not in outcomes
    true = [one.words for one in found if one.outcome == "true"]
    assert all(r"\frac{\partial L}{\partial b_{k}}" in words for words in true), "∂z/∂b is 1"
    assert true
    rejected = sum(one.outcome == "rejected" for one in found)
    assert rejected >= 0.98 * (len(found) - len(true))
    assert row("all", found).startswith(f"| all | {len(found)} | {rejected} |")


def test_mutants_are_different_and_each_is_made_once(lesson: Path) -> None:
    *_, sums, weights, _ = links(lesson)
    made = [m.node for m in mutants(sums.member, sums.words())]
    assert len({*made}) == len(made)
    assert sums.member not in made
    slips = {m.slip for m in mutants(sums.member, sums.words())}
    assert {"no sum", "no factor", "factor twice", "indices swapped", "another index", "sign"} <= slips
    alone = Words((), (), lambda _: 0)
    assert [m.slip for m in mutants(weights.member, alone)] == [
        "sign", "no factor", "factor twice", "no factor", "factor twice"
    ]  # fmt: skip


def told(folder: Path, *formulas: str) -> list[str]:
    """The verdicts of the last formula's links, in a lesson of all of them."""
    path = folder / "lesson.md"
    path.write_text("\n\n".join(f"$$ {tex} $$" for tex in formulas), encoding="utf-8")
    equation = audit(read(path), code=False).equations[-1]
    return [f"{link.verdict}: {link.reason}{link.under}" for link in equation.links]


LETTERS = (
    r"z_j = \sum_i w_{ji} x_i, \quad a_j = \sigma(z_j)", r"z_k = \sum_j w_{kj} a_j, \quad y_k = \sigma(z_k)",
    r"L = \frac{1}{2} \sum_k (y_k - t_k)^2", r"\delta_k = \frac{\partial L}{\partial z_k}",
    r"\delta_j = \frac{\partial L}{\partial z_j}",
)  # fmt: skip
LAYERS = (
    r"z^{(l)} = W^{(l)} a^{(l-1)}, \quad a^{(l)} = \sigma(z^{(l)})", r"C = \frac{1}{2} \| a^{(L)} - y \|^2",
    r"\delta^{(l)} = \frac{\partial C}{\partial z^{(l)}}",
    r"\delta^{(l)} = (W^{(l+1)})^T \delta^{(l+1)} \odot \sigma'(z^{(l)})",
)  # fmt: skip


def test_an_index_that_a_quantity_does_not_have_is_ill_typed(tmp_path: Path) -> None:
    assert told(tmp_path, *LETTERS, r"\frac{\partial L}{\partial w_{ji}} = \delta_j x_i") == ["holds: "]
    (wrong,) = told(tmp_path, *LETTERS, r"\frac{\partial L}{\partial w_{ji}} = \delta_i x_i")
    assert wrong.startswith("ill-typed: no equation says what z with i is, only with j")


def test_a_symbol_that_the_lesson_often_writes_is_no_slip(tmp_path: Path) -> None:
    mine = r"\frac{\partial L}{\partial w_{ji}} = \delta_i x_i"
    (once,) = told(tmp_path, *LETTERS, mine)
    (twice,) = told(tmp_path, *LETTERS, r"\frac{\partial L}{\partial x_i} = \delta_i", mine)
    assert once.startswith("ill-typed")
    assert twice.startswith("not understood")


def test_nothing_is_differentiated_by_an_error_signal(tmp_path: Path) -> None:
    (wrong,) = told(tmp_path, *LETTERS, r"\delta_k = \frac{\partial L}{\partial \delta_k} \sigma'(z_k)")
    assert wrong.startswith("ill-typed: delta stands for a partial")


def test_no_layer_is_behind_the_last_one_but_where_the_lesson_has_it(tmp_path: Path) -> None:
    mine = r"\delta^{(L)} = (a^{(L+1)} - y) \odot \sigma'(z^{(L)})"
    (once,) = told(tmp_path, *LAYERS, mine)
    (twice,) = told(tmp_path, *LAYERS, r"\delta^{(L)} = a^{(L+1)}", mine)
    assert once.startswith("ill-typed: nothing stands at layer L + 1")
    assert twice.startswith("not understood")


def test_a_formula_over_three_layers_gets_a_net_that_has_them(tmp_path: Path) -> None:
    (wrong,) = told(tmp_path, *LAYERS, r"\delta^{(l)} = (W^{(l+2)})^T \delta^{(l+3)} \odot \sigma'(z^{(l)})")
    assert wrong.startswith("ill-typed: a matrix product")


def test_a_lesson_that_writes_odot_means_it(tmp_path: Path) -> None:
    dense = r"\delta^{(L)} = (a^{(L)} - y) \sigma'(z^{(L)})"
    weights = r"\frac{\partial C}{\partial W^{(l)}} = \delta^{(l)} (a^{(l-1)})^T"
    (wrong,) = told(tmp_path, *LAYERS, dense)
    (right,) = told(tmp_path, *LAYERS[:3], weights, dense)
    assert wrong.startswith("ill-typed")
    assert right == "holds under: vectors side by side are multiplied entry by entry"
