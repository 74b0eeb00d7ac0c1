"""Cases that once went wrong in the oracle itself: right answers that it accused, or could not judge."""

from pathlib import Path
from typing import Any

import pytest

from oracle.judge import judge
from oracle.spec import load
from oracle.subjects import resolve, wrap
from tests.fakes import wrong

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_reference_is_right(path: Path) -> None:
    verdict = judge(load(path), resolve("reference"))
    assert verdict.outcome == "match", verdict


def test_there_is_a_corpus() -> None:
    assert CORPUS


def test_half_a_slope_is_a_convention_though_the_rest_of_the_entry_cancels() -> None:
    """With torch's slope such an entry is a zero without noise; its tolerance is that of the slope that was chosen."""

    def slope(self: Any, right: Any, z: Any, a: Any) -> Any:
        return (0.5 * ((z > 0) & (z < 6)) + 0.5 * ((z >= 0) & (z <= 6))).astype(z.dtype)

    half = wrong("ReLU6", slope=slope)
    case = load(CORPUS[0].parent / "cancelling_at_a_kink_float32.json")
    assert judge(case, wrap(half)).outcome == "convention"
    half.conventions = {"ReLU6": 0.5}  # type: ignore[attr-defined]
    assert judge(case, wrap(half)).outcome == "match"
