"""Forward equations that a lesson does not write because it wrote another just like them.

net_{o2} is to o2 what net_{o1} is to o1: the other unit's name, and the weights that come next.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.syntax import Node, rebuilt

NAMED = re.compile(r"(.+)_([a-z])(\d)")
NUMBERED = re.compile(r"(\w+?)_(\d+)")


def siblings(program: Program, used: Iterable[str]) -> list[Definition]:
    """Definitions of what the lesson uses and never defines, after those of their like."""
    known = {d.head.base: d for d in program.definitions if not d.head.slots and not d.head.subs}
    taken = {part.base for d in program.definitions for part in d.body.walk() if isinstance(part, Ref)}
    found: dict[str, Definition] = {}
    wanted = [*used, *sorted(taken)]
    while wanted:
        base = wanted.pop(0)
        if base in known or base in found or (made := _made(base, known, taken)) is None:
            continue
        found[base] = made
        wanted += [part.base for part in made.body.walk() if isinstance(part, Ref)]
    return list(found.values())


def _made(base: str, known: dict[str, Definition], taken: set[str]) -> Definition | None:
    match = NAMED.fullmatch(base)
    if match is None:
        return None
    name, letter, number = match[1], match[2], int(match[3])
    for k in range(10):
        like = known.get(f"{name}_{letter}{k}")
        if like is None or k == number:
            continue
        names = _renamed(like.body, f"{letter}{k}", f"{letter}{number}", number - k)
        if any(new in taken for old, new in names.items() if core(old) in PARAMETER_LETTERS and old != new):
            return None
        return Definition(replace(like.head, base=base), _with(like.body, names))
    return None


def _renamed(body: Node, old: str, new: str, steps: int) -> dict[str, str]:
    """By name, what stands in its place: the unit's own with its new name, weights counted on."""
    bases = {part.base for part in body.walk() if isinstance(part, Ref)}
    names = {base: base.removesuffix(old) + new for base in bases if base.endswith("_" + old)}
    weights = [m for base in bases if (m := NUMBERED.fullmatch(base)) and m[1] in PARAMETER_LETTERS - {"b", "B"}]
    numbers = sorted({int(m[2]) for m in weights})
    if numbers and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        names |= {m[0]: f"{m[1]}_{int(m[2]) + steps * len(numbers)}" for m in weights}
    return names


def _with(node: Node, names: dict[str, str]) -> Node:
    if isinstance(node, Ref):
        return replace(node, base=names.get(node.base, node.base))
    return rebuilt(node, lambda child: _with(child, names))
