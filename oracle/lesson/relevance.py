"""Which candidates for a section's net differ in anything that the formulas of the section reach."""

from collections.abc import Iterable, Iterator

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition, Program, Signal
from oracle.lesson.profiles import Assumption
from oracle.lesson.syntax import Name, Node


def distinct(candidates: Iterable[Assumption], own: Program, claims: list[tuple[Node, Node]]) -> Iterator[Assumption]:
    """The candidates without those that say the same as an earlier one of all that the claims reach: three losses are
    one to a section that never speaks of a loss.
    """
    asked = {base for claim in claims for base in _bases(claim)}
    seen = set[object]()
    for candidate in candidates:
        said = _said(candidate, _reached(asked, own, candidate))
        if said not in seen:
            seen.add(said)
            yield candidate


def _touching(definitions: Iterable[Definition], reached: set[str]) -> list[Definition]:
    """The definitions of what is reached, and of anything by what no equation makes: that they give its size."""
    given = list(definitions)
    made = {_name(d.head.base) for d in given}
    return [d for d in given if reached & {_name(d.head.base), *(_bases((d.body,)) - made)}]


def _said(candidate: Assumption, reached: set[str]) -> object:
    """What a candidate says of what is reached."""
    given = _touching(candidate.definitions, reached)
    replaced = [d for d in candidate.replaced if _name(d.head.base) in reached]
    return repr((
        candidate.name, candidate.vectors, candidate.flat, candidate.numbers, candidate.read_off, candidate.of_sum,
        candidate.left_out, given, replaced, (candidate.loss, candidate.supposed) if given or replaced else (),
        *(sorted((base, said) for base, said in told.items() if _name(base) in reached)
          for told in (candidate.signals, candidate.ranks, candidate.aliases)),
    ))  # fmt: skip


def _reached(asked: set[str], own: Program, candidate: Assumption) -> set[str]:
    """All that the value of a claim may depend on: what is in it, what that is made of, and so on."""
    made = dict[str, set[str]]()
    for d in (*own.definitions, *own.again, *candidate.definitions, *candidate.replaced):
        made.setdefault(_name(d.head.base), set()).update(_bases((d.body,)))
    for name, functions in own.functions.items():
        made.setdefault(_name(name), set()).update(*(_bases((f.body,)) for f in functions))
    for base, signal in _signals(own, candidate):
        made.setdefault(_name(base), set()).update(
            map(_name, (signal.of, signal.loss.base, *(of for _, of in signal.each)))
        )
    for base, other in (*own.aliases.items(), *candidate.aliases.items()):
        made.setdefault(_name(base), set()).add(_name(other))
    found, new = set[str](), asked
    while new:
        found |= new
        new = set[str]().union(*(made.get(base, ()) for base in new)) - found
    return found


def _signals(own: Program, candidate: Assumption) -> Iterator[tuple[str, Signal]]:
    yield from ((base, signal) for (base, *_), signal in (*own.signals.items(), *own.lettered.items()))
    yield from ((ref.base, signal) for ref, signal in own.numbered_signals.items())
    yield from candidate.signals.items()


def _bases(nodes: Iterable[Node]) -> set[str]:
    return {_name(part.base) for node in nodes for part in node.walk() if isinstance(part, Ref | Name)}


def _name(base: str) -> str:
    """One name for a sample and its batch, a and A."""
    return base.lower()
