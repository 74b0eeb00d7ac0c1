r"""Matrices whose entries are written one by one: z_{11} = a_{11} w_{11} + a_{12} w_{12}, z_{12} = ….

Such an example of a convolution stands beside the net whose loss it takes the partials of: what is made of the
entries leads to the loss, nobody writes how.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES, THERE
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.meaning.unsaid import Unsaid, dependencies
from oracle.lesson.syntax import Indexed, Name, Node, Number, Plus, Power, Relation, Statement, Tagged, rebuilt

CELL = re.compile(r"[a-z]_[1-9][1-9]")
PLACE = re.compile(r"[1-9][1-9]")


def cells(definitions: Iterable[Definition]) -> set[str]:
    """The names of such entries, which are numbers."""
    bases = {part.base for d in definitions for part in (d.head, *d.body.walk()) if isinstance(part, Ref)}
    found = {base for base in bases if CELL.fullmatch(base)}
    return {base for base in found if base[:-2] + "11" in found and {base[:-2] + "12", base[:-2] + "21"} & found}


def with_cells(definitions: list[Definition]) -> list[Definition]:
    """Definitions in which the loss is also made of the entries that nothing else is made of."""
    found, below = cells(definitions), dependencies(definitions)
    loss = next((d for d in definitions if d.head.base in LOSSES and not (d.head.slots or d.head.subs)), None)
    reached = {key[0] for key in below.get((loss.head.base, ()), ()) if isinstance(key, tuple)} if loss else set()
    made = [d.head for d in definitions if d.head.base in found]
    used = {part.base for d in definitions for part in d.body.walk() if isinstance(part, Ref)}
    tops = tuple(dict.fromkeys(head for head in made if head.base not in used))
    if loss is None or not tops or reached & found:
        return definitions
    other = Ref(loss.head.base + THERE)
    if isinstance(loss.body, Unsaid):
        more = replace(loss, body=replace(loss.body, args=(*loss.body.args, *tops)))
        return [more if d is loss else d for d in definitions]
    whole = replace(loss, body=Plus((loss.body, other), (1, 1)))
    return [*(whole if d is loss else d for d in definitions), Definition(other, Unsaid(tops, number=True))]


def told_cells(statements: Iterable[Statement]) -> set[str]:
    """The letters of such entries in formulas as they are written: the z, a and w of z_{11} = a_{11} w_{11} + …."""
    found = set[str]()
    for statement in statements:
        match statement.body:
            case Relation(items=(Indexed(base=Name(), subs=(Number(text=text),)), body), ops=("=",)):
                if PLACE.fullmatch(text):
                    found |= {name for part in body.walk() if (name := _cell(part))}
    return found


def as_cells(statement: Statement, letters: set[str]) -> Statement:
    """A statement in which W^{l+1}_{11} is the w_{11} of the example."""
    return replace(statement, body=_as_cells(statement.body, letters)) if letters else statement


def _as_cells(node: Node, letters: set[str]) -> Node:
    if (plain := _without_layer(node)) is not node and (name := _cell(plain)):
        own = name if name in letters else name.lower()
        if own in letters:
            assert isinstance(plain, Indexed)
            return Indexed(Name(own, span=node.span), plain.subs, span=node.span)
    return rebuilt(node, lambda child: _as_cells(child, letters))


def _without_layer(node: Node) -> Node:
    match node:
        case Tagged(base=Indexed() as inner) | Power(base=Indexed() as inner, exponent=Name() | Plus()):
            return inner
        case Indexed(
            base=Tagged(base=Name() as name) | Power(base=Name() as name, exponent=Name() | Plus()), subs=subs
        ):
            return Indexed(name, subs, span=node.span)
    return node


def _cell(node: Node) -> str:
    """The w of w_{11}."""
    match node:
        case Indexed(base=Name(base=base), subs=(Number(text=text),)) if PLACE.fullmatch(text):
            return base
    return ""
