"""Slips made in right formulas: the audit rejects them, or they are the same formula in other words."""

from pathlib import Path

import pytest

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
