"""The worked numbers of a lesson, calculated again in float64 from what the lesson gives."""

from oracle.lesson.document import Document
from oracle.lesson.numbers.bench import Bench
from oracle.lesson.numbers.gathering import told
from oracle.lesson.numbers.judging import excused, judged
from oracle.lesson.records import Worked

__all__ = ["worked"]


def worked(document: Document) -> tuple[Worked, ...]:
    """Every published number that the lesson's formulas, or numbers inserted in them, lead to."""
    bench = Bench(told(document))
    found = [one for event in bench.events for one in judged(bench, event)]
    if bench.confirmed:
        found = [one for event in bench.events for one in judged(bench, event)]
    return tuple(one.worked() for one in excused(found))
