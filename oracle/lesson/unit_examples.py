r"""Sums that are written out for one unit: a_0 = v_{00} z_0 + v_{01} z_1 + v_{02} z_2 is a_k = Σ_j v_{kj} z_j."""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.defining import Said
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Name, Node, Number, Plus, Relation, Statement, Sum, replaced

FEWEST = 3
"""How many terms such a sum has."""


def general(said: Iterable[Said]) -> tuple[list[Said], set[int]]:
    """The statements with such sums in general, and the members that are no claim then."""
    given = list(said)
    refs = (part for s in given for part in s.statement.body.walk() if isinstance(part, Ref))
    lettered = {ref.base for ref in refs if _letters(ref)}
    examples: set[int] = set()
    found: list[Said] = []
    for s in given:
        body = s.statement.body
        made = _generalised(body, lettered) if isinstance(body, Relation) else None
        if made is not None and isinstance(body, Relation):
            examples |= {id(body.items[1])}
            found.append(replace(s, statement=Statement(made, s.statement.asides, span=s.statement.span)))
        else:
            found.append(s)
    return found, examples


def written(bodies: Iterable[Node]) -> dict[str, int]:
    """How many entries of vectors sums have that are written out: 3 of t and y in t_0 log y_0 + t_1 log y_1 + …"""
    found: dict[str, int] = {}
    highest: dict[str, int] = {}
    for part in (part for body in bodies for part in body.walk()):
        if isinstance(part, Plus) and len(part.terms) >= FEWEST:
            numbers = [{(base, n) for ref in term.walk() for base, n in _numbered(ref)} for term in part.terms]
            found |= {base: len(numbers) for base, first in numbers[0] if first < 2 and _runs(base, first, numbers)}
        highest |= {base: max(n, highest.get(base, 0)) for base, n in _numbered(part)}
    return {base: count for base, count in found.items() if highest[base] <= count}


def _numbered(node: Node) -> list[tuple[str, int]]:
    match node:
        case Ref(base=base, subs=(Number(text=text),)) if text.isdigit():
            return [(base, int(text))]
    return []


def _runs(base: str, first: int, numbers: list[set[tuple[str, int]]]) -> bool:
    """Whether every term has the next entry of a vector."""
    return all((base, first + k) in there for k, there in enumerate(numbers))


def _letters(ref: Ref) -> bool:
    return bool(ref.subs) and all(isinstance(sub, Name) for sub in ref.subs)


def _generalised(body: Relation, lettered: set[str]) -> Relation | None:
    """A definition of one unit as one of all; None of any other formula."""
    match body:
        case Relation(items=(Ref() as head, Plus(terms=terms, signs=signs)), ops=("=" | ":=",)):
            pass
        case _:
            return None
    refs = [[part for part in term.walk() if isinstance(part, Ref) and part.subs] for term in terms]
    if len(terms) < FEWEST or {*signs} != {1} or not refs[0] or len({len(found) for found in refs}) > 1:
        return None
    unit = head.subs[0].text if len(head.subs) == 1 and isinstance(head.subs[0], Number) else ""
    if head.subs and not unit:
        return None
    letters = [name for name in "kjirs" if Name(name) not in {part for term in terms for part in term.walk()}]
    first = [*zip(*refs, strict=True)]
    patterns = {a[0]: pattern for a in first if (pattern := _pattern(a, unit, letters)) is not None}
    if len(patterns) < len(set(refs[0])) or any(ref.base not in lettered for ref in patterns):
        return None
    general = replaced(terms[0], patterns)
    if any(replaced(term, {a[k]: patterns[a[0]] for a in first}) != general for k, term in enumerate(terms)):
        return None
    whole = Sum((Name(letters[1]),), None, None, None, general, span=body.items[1].span)
    of_all = replace(head, subs=(Name(letters[0]),)) if head.subs else head
    return replace(body, items=(of_all, whole))


def _pattern(alike: tuple[Ref, ...], unit: str, letters: list[str]) -> Ref | None:
    """The v_{kj} of v_{00}, v_{01}, v_{02}; None where their numbers do not run so."""
    if len({(ref.base, ref.slots, len(ref.subs)) for ref in alike}) > 1:
        return None
    subs: list[Node] = []
    for column in zip(*(ref.subs for ref in alike), strict=True):
        numbers = [sub.text for sub in column if isinstance(sub, Number)]
        runs = [str(k) for k in range(int(numbers[0]), int(numbers[0]) + len(numbers))] if numbers else []
        if len(numbers) < len(column):
            return None
        if numbers == runs and numbers[0] in ("0", "1"):
            subs.append(Name(letters[1]))
        elif {*numbers} == {unit}:
            subs.append(Name(letters[0]))
        else:
            return None
    return replace(alike[0], subs=tuple(subs))
