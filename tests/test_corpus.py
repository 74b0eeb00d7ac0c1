"""Cases that once went wrong in the oracle itself: right answers that it accused, or could not judge."""

from pathlib import Path

import pytest

from oracle.judge import judge
from oracle.spec import load
from oracle.subjects import resolve

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_reference_is_right(path: Path) -> None:
    verdict = judge(load(path), resolve("reference"))
    assert verdict.outcome == "match", verdict


def test_there_is_a_corpus() -> None:
    assert CORPUS
