"""Two textbooks' printed numbers are what `reference` computes, or what a named variant of it computes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.worked_examples import BEFORE_LAST, EXAMPLES, FROM_UPDATED, REPORT, ROUNDED, report, reproduces, rows

VARIANTS = {
    "mazur": {
        "∂E_o2/∂out_h1": ROUNDED,
        "E after 1 step": FROM_UPDATED,
        "E after 10,000 steps": BEFORE_LAST,
        "out_o1 after 10,000 steps": FROM_UPDATED,
        "out_o2 after 10,000 steps": FROM_UPDATED,
    },
    "han-kamber": {"error 6": ROUNDED},
}
NUMBERS = [(key, quantity) for key, example in EXAMPLES.items() for quantity in example.published]


@pytest.mark.parametrize("key", EXAMPLES)
def test_every_number_is_explained(key: str) -> None:
    found = rows(EXAMPLES[key])
    assert [row.quantity for row in found if not row.explained] == []
    assert {row.quantity: row.variant for row in found if row.variant} == VARIANTS[key]
    assert len(found) == {"mazur": 30, "han-kamber": 20}[key]


@pytest.mark.parametrize(("key", "quantity"), NUMBERS)
def test_an_altered_number_is_not(key: str, quantity: str) -> None:
    printed = Decimal(EXAMPLES[key].published[quantity])
    unit = Decimal(1).scaleb(printed.as_tuple().exponent)
    for altered in (printed + 3 * unit, printed - 3 * unit):
        (row,) = rows(replace(EXAMPLES[key], published={quantity: f"{altered:f}"}))
        assert not row.explained
        assert row.explanation == "no variant known"


@pytest.mark.parametrize(
    ("published", "value", "expected"),
    [
        ("0.25", 0.255, True),
        ("0.25", 0.245, True),
        ("0.25", 0.2551, False),
        ("0.250", 0.2506, False),
        ("-0.7", -0.7499, True),
        ("-0.7", 0.7, False),
        ("0.1", float("nan"), False),
    ],
)
def test_half_a_unit_of_the_last_printed_digit(published: str, value: float, expected: bool) -> None:
    assert reproduces(published, value) is expected


def test_the_report_is_current() -> None:
    assert REPORT.read_text() == report(), "run `python tests/worked_examples.py`"
