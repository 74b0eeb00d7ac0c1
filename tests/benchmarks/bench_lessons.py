"""How much of unseen lessons `oracle audit` understands, what it accuses wrongly, and which planted slips it finds.

    python tests/benchmarks/bench_lessons.py [LESSON...] [-v] [--write]

A lesson of `tests/lessons/styles` is right, every formula of it. Beside it stands NAME.slips: pairs of lines, "- " the
text as it stands and "+ " with one slip. Slips are dealt over copies of the lesson with at most three each: a slip is
found where a link of its formula FAILS or is ILL-TYPED, and corrected where the first suggestion is the formula that
stood there. What is accused beside the slips is a false alarm, unless it says the same of a slip (its remark tells).
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from oracle.lesson.audit import audit
from oracle.lesson.document import Document
from oracle.lesson.formula import parse, to_tex
from oracle.lesson.reading import read
from oracle.lesson.records import BAD, Audit, Equation
from oracle.lesson.syntax import Negative, Node, Plus, Quotient, Sum, Times, rebuilt
from tests.benchmarks.bench_check import write

STYLES = Path(__file__).resolve().parents[1] / "lessons" / "styles"
TOGETHER = 3
"""How many slips a copy has at most."""
HELD = ("holds", "holds under")
CLAIMS = (*HELD, *sorted(BAD), "vacuous", "not understood")
WORDS = """Lessons in the notations of many authors (`tests/lessons/styles`), every formula right, and copies of them
with at most three planted slips each. Claims are all links but definitions, updates and asides. Accused are right
links that FAIL or are ILL-TYPED: in the lesson itself, and beside the slips in its copies.
These lessons have been looked at while the audit was written: for unseen ones the figures are lower.
Written by `python tests/benchmarks/bench_lessons.py --write`."""


@dataclass
class Score:
    """What became of one lesson."""

    name: str
    claims: int = 0
    hold: int = 0
    accused: int = 0
    beside: int = 0
    slips: int = 0
    found: int = 0
    corrected: int = 0
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)

    def row(self) -> str:
        """As a line of the table."""
        share = 100 * self.hold / max(1, self.claims)
        numbers = (self.claims, self.hold, f"{share:.0f} %", self.accused, self.slips, self.found, self.corrected)
        return f"| {self.name} | {' | '.join(map(str, numbers))} | {self.beside} | {self.seconds:.1f} |"


def slips_of(lesson: Path) -> list[tuple[str, str]]:
    """The pairs of a lesson's slips. Raises ValueError where one does not stand in the lesson exactly once."""
    path, text = lesson.with_suffix(".slips"), lesson.read_text()
    lines = [line for line in path.read_text().splitlines() if line.strip() and line[0] != "#"] if path.exists() else []
    found = [(a[2:], b[2:]) for a, b in zip(lines[::2], lines[1::2], strict=True) if (a[:2], b[:2]) == ("- ", "+ ")]
    if 2 * len(found) != len(lines):
        raise ValueError(f'{path.name}: lines are not pairs of "- " and "+ "')
    for right, wrong in found:
        if text.count(right) != 1 or right == wrong:
            raise ValueError(f"{path.name}: {right!r} stands {text.count(right)} times in the lesson")
    return found


def scored(lesson: Path) -> Score:
    """One lesson, and its copies with slips."""
    torch.set_num_threads(1)
    score, begin = Score(lesson.name), time.perf_counter()
    text, slips = lesson.read_text(), slips_of(lesson)
    document = read(lesson, text)
    right = audit(document, code=False)
    score.seconds = time.perf_counter() - begin
    for equation in right.equations:
        judged(score, equation)
    copies = -(-len(slips) // TOGETHER)
    for copy in range(copies):
        changed, places = with_slips(text, slips[copy::copies])
        found = audit(read(lesson, changed), code=False).equations
        hit = [number for place in places for number in looked_for(score, place, found, right, document)]
        for equation in found:
            if equation.number not in hit and equation.verdict in BAD:
                score.beside += 1
                score.remarks.append(f"accused beside {[place.slip for place in places]}, {words(equation)}")
    return score


def judged(score: Score, equation: Equation) -> None:
    """Count the links of a right equation."""
    claims = [link.verdict for link in equation.links if link.verdict in CLAIMS]
    score.claims += len(claims)
    score.hold += sum(verdict in HELD for verdict in claims)
    score.accused += sum(verdict in BAD for verdict in claims)
    if any(verdict not in HELD for verdict in claims):
        score.remarks.append(words(equation))


def words(equation: Equation) -> str:
    """An equation with what is said of its links."""
    said = [f"    {k.verdict}: {k.left} {k.relation} {k.right}  [{k.under or k.reason}]" for k in equation.links]
    return "\n".join([f"line {equation.place.line}: {equation.tex}", *said])


@dataclass
class Slip:
    """A slip, where in a copy it stands, and where in the lesson."""

    slip: str
    at: int
    was: int


def with_slips(text: str, slips: list[tuple[str, str]]) -> tuple[str, list[Slip]]:
    """A copy with slips, and where each of them stands."""
    places, lesson = list[Slip](), text
    for before, after in sorted(slips, key=lambda slip: text.index(slip[0])):
        start = text.index(before)
        text = f"{text[:start]}{after}{text[start + len(before) :]}"
        same = next((k for k, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after))
        was = lesson.index(before) + min(same, len(before) - 1)
        places.append(Slip(after, start + min(same, len(after) - 1), was))
    return text, places


def looked_for(score: Score, slip: Slip, found: Sequence[Equation], right: Audit, document: Document) -> list[int]:
    """Whether a slip was found and corrected; the numbers of the equations in which it stands."""
    here = [e for e in found if e.place.start <= slip.at <= e.place.end]
    bad = [e for e in here if e.verdict in BAD]
    score.slips += 1
    score.found += bool(bad)
    if not bad:
        score.remarks.append("\n".join([f"slip not found: {slip.slip}", *map(words, here)]))
        return [e.number for e in here]
    stood = (e for e in right.equations if e.place.start <= slip.was <= e.place.end)
    meant = next((canonical(e.tex, document) for e in stood), "")
    offered = [canonical(s.tex, document) for s in bad[0].suggestions]
    score.corrected += offered[:1] == [meant]
    if offered[:1] != [meant]:
        score.remarks.append(f"corrected otherwise: {slip.slip}\n    {offered}")
    return [e.number for e in here]


def canonical(tex: str, document: Document) -> str:
    """A formula as the printer writes it, or without spaces where it cannot be read; -(y - a) as a - y."""
    parsed = parse(tex, document.macros)
    return "; ".join(to_tex(signed(s.body)) for s in parsed.statements) if not parsed.problems else "".join(tex.split())


def signed(node: Node) -> Node:
    """A formula with its minus signs in front, and with the terms of every sum in one order: the same formula."""
    negative, positive = _sign(node)
    return Negative(positive) if negative else positive


def _sign(node: Node) -> tuple[bool, Node]:
    """Whether a formula has a minus in front, and the rest."""
    match node:
        case Negative(body=body):
            negative, rest = _sign(body)
            return not negative, rest
        case Plus(terms=terms, signs=signs):
            parts = [(sign, *_sign(term)) for sign, term in zip(signs, terms, strict=True)]
            ordered = sorted(((to_tex(rest), -sign if turned else sign, rest) for sign, turned, rest in parts), key=str)
            first = ordered[0][1]
            return first < 0, Plus(tuple(rest for *_, rest in ordered), tuple(first * sign for _, sign, _ in ordered))
        case Times() | Quotient():
            parts_of = [_sign(child) for child in node.children()]
            children = iter(rest for _, rest in parts_of)
            return sum(negative for negative, _ in parts_of) % 2 == 1, _flat(rebuilt(node, lambda _: next(children)))
        case Sum(body=body, product=False):
            negative, rest = _sign(body)
            return negative, replace(node, body=rest)
    return False, rebuilt(node, signed)


def _flat(node: Node) -> Node:
    """2 (a b) as 2 a b."""
    if not isinstance(node, Times):
        return node
    factors, ops = [node.factors[0]], list[str]()
    plain = {*node.ops} <= {"", "cdot"}
    for op, factor in zip(("", *node.ops), node.factors, strict=True):
        inner = factor if plain and isinstance(factor, Times) and {*factor.ops} <= {"", "cdot"} else None
        factors += inner.factors if inner else (factor,)
        ops += (op, *inner.ops) if inner else (op,)
    return replace(node, factors=tuple(factors[1:]), ops=tuple(ops[1:]))


def table(lessons: Iterable[Path], verbose: bool = False) -> str:
    """All scores as Markdown."""
    lines = ["| lesson | claims | hold | share | accused | slips | found | corrected | accused beside | seconds |"]
    lines += ["|---|" + "---:|" * 9]
    every = Score("all")
    with ProcessPoolExecutor(2) as pool:
        for score in pool.map(scored, lessons):
            lines.append(score.row())
            print(lines[-1], *(score.remarks if verbose else ()), sep="\n", flush=True)
            for name in ("claims", "hold", "accused", "beside", "slips", "found", "corrected", "seconds"):
                setattr(every, name, getattr(every, name) + getattr(score, name))
    return "\n".join([*lines, every.row()])


def main() -> None:
    """Measure and print; `--write` keeps it in reports/benchmark.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="print all that is not as it should be")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lessons = [path for path in options.lessons or sorted(STYLES.iterdir()) if path.suffix != ".slips"]
    text = table(lessons, options.verbose)
    print(text, file=sys.stderr if options.verbose else sys.stdout)
    if options.write:
        write("styles", f"{WORDS}\n\n{text}", "Lessons: unseen notations and planted slips")


if __name__ == "__main__":
    main()
