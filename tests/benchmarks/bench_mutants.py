"""How many one-edit mutants of right formulas `oracle audit` rejects, and whether those that hold are true.

    python tests/benchmarks/bench_mutants.py [LESSON...] [-v] [--write]

Every link that holds in a lesson (our own ones, or those given) is changed in one place, in every way that
`tests/mutants.py` knows, and judged again in the same nets. A mutant that still holds is no miss where it is equal to
the formula that it was made from: as numbers, in fresh nets of other sizes, with other activations and other targets.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import torch

from oracle.lesson.audit import Line, prepared
from oracle.lesson.formula import to_tex
from oracle.lesson.judging import Nets, assignments, compared
from oracle.lesson.linking import chain, weighed
from oracle.lesson.meaning.notation import Ref, unbound
from oracle.lesson.meaning.program import Env, Program
from oracle.lesson.meaning.values import REFUSED, Dim, Tensor
from oracle.lesson.meaning.world import World
from oracle.lesson.reading import read
from oracle.lesson.syntax import Name, Node, Relation, Sum
from tests.benchmarks.bench_check import write
from tests.mutants import Mutant, Words, mutants

ROOT = Path(__file__).resolve().parents[2]
LESSONS = (ROOT / "tests" / "lessons").iterdir()
OURS = sorted([*(ROOT / "reference" / "lesson").glob("*.md"), *(path for path in LESSONS if path.is_file())])
OUTCOMES = ("rejected", "held under a reading", "not understood", "true", "missed")
"""`true` holds, and is the formula that it was made from in other words; `missed` holds, and is not."""
WORDS = """Every link that holds in our own lessons with one slip made in its right side, judged again in the same nets.
Rejected is what FAILS or is ILL-TYPED; true is what equals the formula that it was made from, as numbers in fresh nets
of other sizes, activations and targets; missed would be a wrong formula that HOLDS.
Written by `python tests/benchmarks/bench_mutants.py --write`."""
FRESH = 24
"""Nets in which a survivor is compared with the formula that it was made from."""
BENT: tuple[Callable[[Tensor], Tensor], ...] = (
    torch.sin, torch.sigmoid, lambda x: x + 0.3 * x**3, lambda x: torch.exp(0.4 * x), torch.atan, lambda x: x**2 + x
)  # fmt: skip


@dataclass
class Other(World):
    """A net unlike those that judge: of any sizes, also equal ones and single units, and of other activations."""

    def size(self, dim: Dim) -> int:
        root = dim.root()
        if root not in self.sizes:
            self.sizes[root] = int(torch.randint(1, 7, (1,), generator=self.random))
        return self.sizes[root]

    def drawn(self, base: str, shape: tuple[Dim, ...]) -> Tensor:
        data = super().drawn(base, shape).detach()
        return (data if self.program.logarithms else 1.7 * data + 0.05).requires_grad_(True)

    def function(self, name: str, env: Env) -> Callable[[Tensor], Tensor]:
        found = super().function(name, env)
        known = self.program.function(name, self.line) or name not in self.program.activations
        return found if known else BENT[self.seed % len(BENT)]


@dataclass(frozen=True)
class Right:
    """A link that holds, with the nets that say so."""

    line: Line
    head: Node
    member: Node
    nets: list[Nets]
    symbols: tuple[Ref, ...]

    def words(self) -> Words:
        """What a slip of this formula may put in."""
        found: dict[str, None] = {}
        for node in (part for side in (self.head, self.member) for part in side.walk()):
            if isinstance(node, Ref):
                found.update((sub.base, None) for sub in node.subs if isinstance(sub, Name))
            if isinstance(node, Sum):
                found.update((name.base, None) for name in node.indices)
        return Words(tuple(found), self.symbols, self.rank)

    def rank(self, node: Node) -> int:
        """How many axes a factor has; 0 where that cannot be told."""
        world = next(iter(self.nets[0]))
        for env in assignments(self.nets[0].program, (self.head, self.member)):
            try:
                with world.fresh(self.head, self.member):
                    return world.value(node, env).rank
            except REFUSED:
                continue
        return 0


def links(path: Path) -> Iterator[Right]:
    """Every link of a lesson that holds, and is meant to."""
    lines, _, reading, judges = prepared(read(path), 0, 8, {})
    for line in lines:
        if line.formula.directives:
            continue
        nets = [judges[line.section], *(nets for section, nets in judges.items() if section != line.section)]
        near = [n for other in lines if other.section == line.section for s in other.statements for n in s.body.walk()]
        known = quantities(nets[0].program)
        symbols = {n.base: n for n in near if isinstance(n, Ref) and n.base in known}
        for statement in line.statements:
            if isinstance(body := statement.body, Relation):
                told = chain(line.formula, line.number, body, reading.scopes[line.section].defined, nets)
                for link, member in zip(told, body.items[1:], strict=True):
                    if link.verdict == "holds":
                        yield Right(line, body.items[0], member, nets, tuple(symbols.values()))


def quantities(program: Program) -> set[str]:
    """What the symbols of a net are called."""
    signals = {base for base, *_ in program.signals}
    return {d.head.base for d in program.definitions} | {base for base, *_ in program.shapes} | signals


@dataclass(frozen=True)
class Tried:
    """A mutant, judged."""

    slip: str
    outcome: str
    """One of OUTCOMES."""
    words: str


def tried(right: Right, mutant: Mutant) -> Tried:
    """What the audit says of a mutant."""
    found, judge, under = weighed(right.head, mutant.node, right.line.number, right.nets)
    if under:
        outcome, why = "held under a reading", under
    elif found.verdict == "holds":
        outcome, why = "true" if equal(judge, right, mutant.node) else "missed", ""
    else:
        outcome, why = "not understood" if found.verdict == "not understood" else "rejected", found.reason
    head, before, after = (to_tex(unbound(node)) for node in (right.head, right.member, mutant.node))
    return Tried(mutant.slip, outcome, f"{right.line.formula.place.line}: {head} = {before}  ->  {after}  {why}")


def equal(nets: Nets, right: Right, mutant: Node) -> bool:
    """Whether a mutant is the formula that it was made from, in other words."""
    seen = 0
    for seed in range(FRESH):
        world = Other(nets.program, 9000 + seed)
        world.begin(right.line.number, set())
        for env in assignments(nets.program, (right.head, right.member, mutant)):
            try:
                with world.fresh(right.head, right.member):
                    world.value(right.head, env)
                    gap, _ = compared(world, right.member, mutant, env)
            except REFUSED:
                continue
            seen += 1
            if not isfinite(gap) or gap > 1e-9:
                return False
    return seen > 0


def measured(path: Path) -> tuple[int, list[Tried]]:
    """How many links of a lesson hold, and all their mutants."""
    held = list(links(path))
    return len(held), [tried(right, mutant) for right in held for mutant in mutants(right.member, right.words())]


def row(name: str, found: list[Tried]) -> str:
    """Numbers of outcomes; the share is of those that are not true."""
    count = Counter(one.outcome for one in found)
    share = 100 * count["rejected"] / max(1, len(found) - count["true"])
    return f"| {name} | {len(found)} | {' | '.join(str(count[o]) for o in OUTCOMES)} | {share:.1f} % |"


def table(paths: list[Path], verbose: bool = False) -> str:
    """What became of the mutants, by lesson and by slip, as Markdown."""
    head = f"mutants | {' | '.join(OUTCOMES)} | rejected of the wrong ones |"
    rule = "|---|" + "---:|" * (len(OUTCOMES) + 2)
    lines, every = [f"| lesson | {head}", rule], list[Tried]()
    for path in paths:
        held, found = measured(path)
        lines.append(row(f"{path.name}, {held} links", found))
        every += found
        for one in found if verbose else ():
            if one.outcome != "rejected":
                print(f"{one.outcome}, {one.slip}: {path.name}:{one.words}", flush=True)
    lines += [row("all", every), "", f"| slip | {head}", rule]
    lines += [row(slip, [one for one in every if one.slip == slip]) for slip in sorted({one.slip for one in every})]
    return "\n".join(lines)


def main() -> None:
    """Measure and print; `--write` keeps it in reports/benchmark.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="print every mutant that is not rejected")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = table(options.lessons or OURS, options.verbose)
    print(text)
    if options.write:
        write("mutants", f"{WORDS}\n\n{text}", "Lessons: one-edit mutants of right formulas")


if __name__ == "__main__":
    main()
