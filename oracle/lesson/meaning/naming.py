r"""Units by name: o1 and o2 in net_{o1}, out_{h2}, and what a lesson says of all of them in one letter.

`\sum_o \delta_o w_{ho}` goes over the output units o1 and o2, and w_{ho} is the weight from h1 to each: whatever
net_{o1} has before out_{h1}. Such formulas are spelled out before anybody asks what they mean.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from oracle.lesson.meaning.matrix_labels import matrix_labels, with_labels_split
from oracle.lesson.syntax import (
    Derivative,
    Indexed,
    Items,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Relation,
    Statement,
    Sum,
    Tagged,
    rebuilt,
)

UNIT = re.compile(r"([a-su-z])(\d)")
WEIGHTS = {"w", "W", "theta", "v"}
SIGNALS = {"delta", "Delta", "epsilon", "err", "error", "Err", "e"}
"""What goes backward, and joins no layer to the one above it."""


def core(name: str) -> str:
    """The name of a symbol without its label: net of net_o1."""
    return name.partition("_")[0]


def letter(name: str) -> str:
    """The letter of a symbol, without label and accent: y of hat y_k."""
    return core(name).split(" ")[-1]


@dataclass(frozen=True)
class Units:
    """The units that a lesson names, and how layers of them are joined."""

    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """By letter, the numbers of its units."""
    joints: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """By letters (o, h): what o1 adds up, and what of h1 it is made of (net, out)."""
    weights: frozenset[tuple[str, ...]] = frozenset()
    """Weights that forward equations have by the names of two units."""
    owners: frozenset[tuple[str, str]] = frozenset()
    """What has units with the letter of their names: net and h of net_{h1}."""
    labels: frozenset[str] = frozenset()
    """Letters that are no units, but labels of matrices: the h of w_{h11} beside W_h."""


def units(statements: Iterable[Statement]) -> Units:
    """The named units of a lesson; none where no subscript is a letter and a number."""
    given = list(statements)
    labels = matrix_labels(given)
    numbers: dict[str, set[int]] = {}
    owners: set[tuple[str, str]] = set()
    nodes = [node for statement in given for node in statement.body.walk()]
    bound = {name.base for node in nodes if isinstance(node, Sum) for name in node.indices}
    for node in nodes:
        for letter, number in _named(node, labels) if isinstance(node, Indexed) else ():
            if f"{letter}{number}" not in bound:  # the h_1 of Σ_{h_1} is any unit
                numbers.setdefault(letter, set()).add(number)
                owners.add((_base(node), letter))
    several = {letter: tuple(sorted(found)) for letter, found in numbers.items() if len(found) > 1}
    heads = [s.body for s in given if isinstance(s.body, Relation) and isinstance(s.body.items[0], Indexed)]
    joints: dict[tuple[str, str], tuple[str, str]] = {}
    weights: set[tuple[str, ...]] = set()
    for body in heads if several else ():
        for member in body.items[1:]:
            _join(body.items[0], member, joints, weights)
    return Units(several, joints, frozenset(weights), frozenset(owners), labels)


def _join(
    head: Node, member: Node, joints: dict[tuple[str, str], tuple[str, str]], weights: set[tuple[str, ...]]
) -> None:
    if not isinstance(head, Indexed) or not isinstance(head.base, Name) or head.base.base in SIGNALS:
        return
    to = _named(head)
    if len(to) != 1 or any(isinstance(part, Derivative) for part in member.walk()):
        return
    for part in member.walk():
        if isinstance(part, Indexed) and isinstance(part.base, Name):
            names = _named(part)
            if len(names) == 2 and part.base.base in WEIGHTS:
                weights.add((part.base.base, *(letter for letter, _ in names)))
            elif len(names) == 1 and names[0][0] != to[0][0]:
                joints.setdefault((to[0][0], names[0][0]), (head.base.base, part.base.base))


def _named(node: Indexed, never: frozenset[str] = frozenset()) -> list[tuple[str, int]]:
    found = (UNIT.fullmatch(sub.base) for sub in flat(node.subs) if isinstance(sub, Name))
    return [(match[1], int(match[2])) for match in found if match and match[1] not in never]


def _base(node: Node) -> str:
    """The letter under all scripts."""
    while isinstance(node, Indexed | Tagged | Power):
        node = node.base
    return node.base if isinstance(node, Name) else ""


def _counts_unit(node: Indexed, of: str, known: Units) -> bool:
    """Whether a letter below a symbol is of units: not the h of y_{nh} and w_{dh} in a lesson of net_{h1}."""
    if _base(node) not in WEIGHTS:
        return (_base(node), of) in known.owners or _base(node) in SIGNALS
    others = [sub.base for sub in flat(node.subs) if isinstance(sub, Name) and sub.base != of]
    return bool(others) and all(other in known.numbers or UNIT.fullmatch(other) for other in others)


def flat(subs: tuple[Node, ...]) -> tuple[Node, ...]:
    """Subscripts one by one; `o_1` and `o_k` below are the unit o1 and the units o of the number k."""
    out: list[Node] = []
    for sub in subs:
        if isinstance(sub, Items):
            out += flat(sub.items)
        elif isinstance(sub, Indexed) and isinstance(sub.base, Name) and len(sub.subs) == 1:
            below = sub.subs[0]
            if isinstance(below, Number) and UNIT.fullmatch(sub.base.base + below.text):
                out.append(Name(sub.base.base + below.text, span=sub.span))
            else:
                out.append(sub)
        else:
            out.append(sub)
    return tuple(out)


def spelled(statement: Statement, known: Units) -> Statement:
    """A statement without sums over named units, a free letter of theirs standing for the first of them."""
    if known.labels:
        statement = replace(statement, body=with_labels_split(statement.body, known.labels))
    if not known.numbers:
        return statement
    body = _sums(statement.body, known)
    indexed = [(node, sub.base) for node in body.walk() if isinstance(node, Indexed)
               for sub in flat(node.subs) if isinstance(sub, Name)]  # fmt: skip
    free = {of for node, of in indexed if of in known.numbers and _counts_unit(node, of, known)}
    said = [pair for node in body.walk() if isinstance(node, Indexed) for pair in _named(node)]
    for letter in sorted(free):
        numbers = {number for of, number in said if of == letter}
        body = _put(body, letter, min(numbers) if len(numbers) == 1 else known.numbers[letter][0])
    return replace(statement, body=_connected(body, known))


def _sums(node: Node, known: Units) -> Node:
    """Sums over units as what they add up."""
    node = rebuilt(node, lambda child: _sums(child, known))
    if not isinstance(node, Sum) or len(node.indices) != 1 or node.product or node.condition:
        return node
    letter = node.indices[0].base
    if letter in known.numbers:
        terms = tuple(_put(node.body, letter, k) for k in known.numbers[letter])
        return Plus(terms, (1,) * len(terms), span=node.span)
    over = {of for part in node.body.walk() if isinstance(part, Indexed) for of in _counted(part, letter, known)}
    if len(over) != 1:
        return node
    (of,) = over
    terms = tuple(_number(node.body, of, letter, k) for k in known.numbers[of])
    return Plus(terms, (1,) * len(terms), span=node.span)


def _counted(node: Indexed, letter: str, known: Units) -> list[str]:
    """The o of E_{o_k} and E_{ok}, where k is a letter of its own."""
    found = []
    subs = flat(node.subs)
    for at, sub in enumerate(subs):
        if isinstance(sub, Indexed) and isinstance(sub.base, Name) and sub.subs == (Name(letter),):
            found.append(sub.base.base)
        elif sub == Name(letter) and at and isinstance(before := subs[at - 1], Name):
            found.append(before.base)
    return [of for of in found if of in known.numbers]


def _number(node: Node, of: str, letter: str, number: int) -> Node:
    """E_{o_k} and E_{ok} with a number for k."""
    if not isinstance(node, Indexed):
        return rebuilt(node, lambda child: _number(child, of, letter, number))
    out: list[Node] = []
    for sub in flat(node.subs):
        if sub == Name(letter) and out and out[-1] == Name(of):
            out[-1] = Name(f"{of}{number}", span=out[-1].span)
        elif isinstance(sub, Indexed) and sub == Indexed(Name(of), (Name(letter),)):
            out.append(Name(f"{of}{number}", span=sub.span))
        else:
            out.append(sub)
    return Indexed(_number(node.base, of, letter, number), tuple(out), span=node.span)


def _put(node: Node, letter: str, number: int) -> Node:
    """A unit's number after its letter, in every subscript."""
    if not isinstance(node, Indexed):
        return rebuilt(node, lambda child: _put(child, letter, number))
    subs = tuple(Name(f"{letter}{number}", span=sub.span) if sub == Name(letter) else sub for sub in flat(node.subs))
    return Indexed(_put(node.base, letter, number), subs, span=node.span)


def _connected(node: Node, known: Units) -> Node:
    """w_{h1 o1} as what o1 adds up of h1, where no forward equation has it by that name."""
    if isinstance(node, Indexed) and isinstance(node.base, Name) and node.base.base in WEIGHTS:
        names = _named(node)
        letters = tuple(letter for letter, _ in names)
        if len(names) == 2 == len(flat(node.subs)) and (node.base.base, *letters) not in known.weights:
            for (to, m), (source, n) in ((names[1], names[0]), (names[0], names[1])):
                if joint := known.joints.get((to, source)):
                    of = Indexed(Name(joint[0]), (Name(f"{to}{m}"),), span=node.span)
                    wrt = Indexed(Name(joint[1]), (Name(f"{source}{n}"),), span=node.span)
                    return Derivative(of, (wrt,), span=node.span)
    return rebuilt(node, lambda child: _connected(child, known))
