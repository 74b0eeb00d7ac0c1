r"""Conditions on two indices beside a formula: `p_i (1 - p_i) \quad (i = j)`, `\text{if } i \neq j`, `z_{j \neq i}`.

What is said to be so for i = j is judged with one letter for both, what is said for i ≠ j where the two differ.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from oracle.lesson.meaning.notation import CLASSES, LAYER_LETTERS, Ref, chosen, letters
from oracle.lesson.syntax import (
    At,
    Call,
    Cases,
    Derivative,
    Gradient,
    Indexed,
    Indicator,
    Limit,
    Name,
    Node,
    Number,
    Relation,
    Statement,
    Sum,
    Text,
    Times,
    rebuilt,
)  # fmt: skip

DIGITS = {*"0123456789"}
EQUAL = {"=": "=", ":=": "=", "!=": "!="}
SIGNS = {">", "<", ">=", "<="}
WRITTEN = re.compile(r"(?<![\w\\])([a-zA-Z])\s*(==?|!=|≠|\\neq?(?![a-z])|<>)\s*([a-zA-Z]|\d(?!\.\d))(?![A-Za-z\d_(])")
"""A condition in plain words."""


def limit(node: Node, letters: Collection[str]) -> Limit | None:
    """The condition that a relation is, if it relates two of the lesson's index letters and nothing else."""
    if not isinstance(node, Relation) or len(node.items) != 2:
        return None
    if node.ops[0] not in EQUAL:
        return Limit("", node.ops[0], "", where=node) if _of_sign(node) else None
    a, b = (_letter(item) for item in node.items)
    if (at := _class(node.items[1])) is not None and a in letters and node.ops[0] == "!=":
        return Limit(a, "!=", "the true class", of_class=True, at=at)
    if isinstance(node.items[1], Number) and a in letters and node.ops[0] == "!=":
        return Limit(a, "!=", node.items[1].text)
    return Limit(a, EQUAL[node.ops[0]], b) if a != b and {a, b} <= {*letters} else None


def _of_sign(node: Relation) -> bool:
    """Whether a relation is a condition on the sign of a value: z_j > 0."""
    left, right = node.items
    return node.ops[0] in SIGNS and right == Number("0") and any(isinstance(part, Ref) for part in left.walk())


def _letter(node: Node) -> str:
    bare = isinstance(node, Name) or (isinstance(node, Ref) and not node.subs and not node.slots)
    return node.base if bare and isinstance(node, Name | Ref) else ""


def _class(node: Node) -> Node | None:
    """The class of a sample as an index: y_i."""
    match node:
        case Ref(base=base, slots=(("sample", Name() as sample),), subs=()) if base in CLASSES:
            return Indexed(Name(base), (sample,))
    return None


def spoken(words: str, letters: Collection[str]) -> Iterator[tuple[Limit, int, int]]:
    """The conditions in plain words, and where they stand."""
    for match in WRITTEN.finditer(words):
        op = "=" if match[2] in ("=", "==") else "!="
        if match[1] != match[3] and {match[1], match[3]} <= {*letters, *(DIGITS if op == "!=" else ())}:
            yield Limit(match[1], op, match[3]), *match.span()


def index_letters(statements: Sequence[Statement]) -> set[str]:
    """Every letter that stands below a symbol, and every one of a layer."""
    nodes = [node for s in statements for node in s.body.walk() if isinstance(node, Ref | Indexed)]
    subs = [sub for node in nodes for sub in node.subs]
    compared = [item for sub in subs if isinstance(sub, Relation) for item in sub.items]
    layers = [slot for node in nodes if isinstance(node, Ref) for kind, slot in node.slots if kind == "layer"]
    return {sub.base for sub in (*subs, *compared, *layers) if isinstance(sub, Name)}


def of_class(said: Limit, classes: Collection[str]) -> Limit:
    """A condition with the class on its right side, where it is one on the true class."""
    if said.a in classes:
        said = replace(said, a=said.b, b=said.a)
    return replace(said, of_class=said.of_class or said.b in classes)


def limited(
    statements: Sequence[Statement], letters: Collection[str], classes: Collection[str] = ()
) -> tuple[list[Statement], list[Relation]]:
    """The statements of a formula, each with the conditions beside it; and those that are a condition and no more."""
    found: list[Statement] = []
    alone: list[Relation] = []
    waiting: tuple[Limit, ...] = ()
    for statement in statements:
        if (said := limit(statement.body, letters)) and isinstance(statement.body, Relation):
            alone.append(statement.body)
            if found:
                found[-1] = replace(found[-1], limits=(*found[-1].limits, said))
            else:
                waiting = (*waiting, said)
            continue
        made = _with_asides(_inside(statement, letters), letters)
        found.append(replace(made, limits=(*waiting, *made.limits)))
        waiting = ()
    told = [replace(s, limits=tuple(of_class(k, classes) for k in s.limits)) for s in found]
    return told, alone


def conditions_of(relations: Sequence[Relation], letters: Collection[str]) -> tuple[Limit, ...]:
    """What relations say of the lesson's index letters."""
    return tuple(said for relation in relations if (said := limit(relation, letters)))


def under(statement: Statement, said: Sequence[Limit]) -> Statement:
    """A statement under the conditions that the text sets it; of the same letters its own are what counts."""
    own = [{k.a, k.b} for k in statement.limits]
    more = tuple(k for k in said if {k.a, k.b} not in own)
    return replace(statement, limits=(*statement.limits, *more))


def _with_asides(statement: Statement, letters: Collection[str]) -> Statement:
    """A statement under the conditions that stand beside it."""
    said = [k for aside in statement.asides for k in _of_aside(aside, letters)]
    return replace(statement, limits=(*statement.limits, *said))


def _of_aside(aside: Node, letters: Collection[str]) -> list[Limit]:
    if isinstance(aside, Text):
        return [said for said, *_ in spoken(aside.text, letters)]
    match aside:
        case Relation(items=(Name(base=base) as name, Number() as value)) if (
            aside.ops[0] in SIGNS and value.text == "0"
        ):
            aside = replace(aside, items=(Ref(base, span=name.span), value))
    found = limit(aside, letters)
    return [found] if found else []


def _inside(statement: Statement, letters: Collection[str]) -> Statement:
    r"""Conditions inside a formula, taken out of it: z_{j ≠ i}, \left. … \right|_{i=j}, a last factor (i = j)."""
    body = statement.body
    if not isinstance(body, Relation):
        return statement
    said: list[Limit] = []
    items = [_plain(item, letters, said) for item in body.items]
    ops = body.ops
    if ops[:2] in (("=", "in"), ("!=", "in")) and (first := limit(Relation((items[0], items[1]), ops[:1]), letters)):
        said.append(first)  # i = j: ∂p_i/∂z_j = …
        items, ops = items[2:], ops[2:]
    last = items[-1]
    if isinstance(last, Times) and not last.ops[-1] and (closing := limit(last.factors[-1], letters)):
        said.append(closing)
        rest = replace(last, factors=last.factors[:-1], ops=last.ops[:-1])
        items[-1] = rest.factors[0] if len(rest.factors) == 1 else rest
    if not said or not ops:
        return statement
    return replace(statement, body=replace(body, items=tuple(items), ops=ops), limits=tuple(dict.fromkeys(said)))


def _plain(node: Node, letters: Collection[str], said: list[Limit]) -> Node:
    """A formula without the conditions in it, which are `said`."""
    if isinstance(node, At) and (found := limit(node.condition, letters)):
        said.append(found)
        return _plain(node.body, letters, said)
    if isinstance(node, Ref) and any(isinstance(sub, Relation) for sub in node.subs):
        return replace(node, subs=tuple(_sub(sub, letters, said) for sub in node.subs))
    if isinstance(node, Indicator):
        return node
    return rebuilt(node, lambda child: _plain(child, letters, said))


def _sub(sub: Node, letters: Collection[str], said: list[Limit]) -> Node:
    if (found := limit(sub, letters)) is None or not isinstance(sub, Relation):
        return sub
    said.append(found)
    return sub.items[0]


# ---------------------------------------------------------------------------------------------------- one for another


def in_pieces(statement: Statement, whole: Collection[Statement]) -> Statement:
    """H(x) = 1 if x > 0, which is nothing elsewhere: a function that is given by a number there, and nowhere else."""
    where = next((said.where for said in statement.limits if said.sure and said.where), None)
    match statement.body:
        case Relation(items=(Call(args=(Ref() as x,)) as head, Number() as value), ops=("=" | ":=",)):
            said = [s.body.items[1] for s in whole if isinstance(s.body, Relation) and s.body.items[0] == head]
            if where is not None and x in where.items and {*said} <= {value, Number("0")}:
                made = Relation((head, Cases((value,), (where,), span=value.span)), ("=",), span=statement.body.span)
                return replace(statement, body=made)
    return statement


def with_one_letter(statement: Statement) -> Statement:
    """What is said of i = j with i for j, where it claims something of a partial; its other conditions stay."""
    body = statement.body
    done = [k for k in statement.limits if k.sure and k.op == "=" and differentiates(body) and not _of_layers(k, body)]
    for said in done:
        body = one_letter(body, said)
    kept = tuple(k for k in statement.limits if k not in done)
    return replace(statement, body=body, limits=kept)


def differentiates(node: Node) -> bool:
    """Whether a formula has a partial in it."""
    return any(isinstance(part, Derivative | Gradient) for part in node.walk())


def one_letter(node: Node, said: Limit) -> Node:
    """A formula with one letter for two that are equal; as it is where it has only one of them."""
    if said.of_class:
        return put(node, said.a, chosen(said.b))
    for old, new in ((said.b, said.a), (said.a, said.b)):
        if {old, new} <= free(node) and not _caught(node, old, new):
            return put(node, old, Name(new))
    return in_layer(node, said.a, said.b) if _of_layers(said, node) and not said.b.isdigit() else node


def _of_layers(said: Limit, node: Node) -> bool:
    """Whether it is a condition on the layer of a formula: what is said then is a reading of it."""
    return said.a not in free(node) and any(said.a in _layers(ref) for ref in node.walk() if isinstance(ref, Ref))


def _layers(ref: Ref) -> set[str]:
    """The letters of a symbol's layer."""
    return {x for kind, slot in ref.slots if kind == "layer" for x in letters(slot)}


def in_layer(node: Node, old: str, new: str) -> Node:
    """A formula that is said of layer l, said of layer L."""
    if isinstance(node, Ref):
        slots = tuple((kind, _of_layer(slot, old, new) if kind == "layer" else slot) for kind, slot in node.slots)
        return replace(node, slots=slots)
    return rebuilt(node, lambda child: in_layer(child, old, new))


def _of_layer(slot: Node, old: str, new: str) -> Node:
    if isinstance(slot, Name):
        return replace(slot, base=new) if slot.base == old else slot
    return rebuilt(slot, lambda child: _of_layer(child, old, new))


def free(node: Node) -> set[str]:
    """The letters below symbols that no sum goes over."""
    match node:
        case Ref(subs=subs):
            return {sub.base for sub in subs if isinstance(sub, Name)}
        case Sum(indices=indices, body=body, condition=condition):  # the L of Σ_{k=1}^{n_L} is below no symbol
            inner = free(body) | (free(condition) if condition else set())
            return inner - {name.base for name in indices}
    own = {sub.base for sub in node.subs if isinstance(sub, Name)} if isinstance(node, Indexed) else set[str]()
    return own.union(*(free(child) for child in node.children()))


def _caught(node: Node, old: str, new: str) -> bool:
    """Whether a sum over the new letter has the old one in it."""
    sums = (part for part in node.walk() if isinstance(part, Sum))
    return any(Name(new) in part.indices and old in free(part) for part in sums)


def put(node: Node, old: str, new: Node) -> Node:
    """A formula with another letter below its symbols, but for those that a sum goes over."""
    if isinstance(node, Sum) and Name(old) in node.indices:
        return node
    if isinstance(node, Ref):
        return replace(node, subs=tuple(_renamed(sub, old, new) for sub in node.subs))
    if isinstance(node, Indexed):
        subs = tuple(_renamed(sub, old, new) for sub in node.subs)
        return replace(node, base=put(node.base, old, new), subs=subs)
    return rebuilt(node, lambda child: put(child, old, new))


def _renamed(sub: Node, old: str, new: Node) -> Node:
    return replace(new, span=sub.span) if isinstance(sub, Name) and sub.base == old else sub


def of_layers_and_entries(*formulas: Node) -> str:
    """The i of [df/dx]_{ij} = ∂f_i/∂x_j, where f_i is a layer elsewhere, if there is one."""
    parts = [part for formula in formulas for part in formula.walk() if isinstance(part, Ref | Indexed)]
    layers = {
        x for part in parts if isinstance(part, Ref) for kind, at in part.slots if kind == "layer" for x in letters(at)
    }
    entries = {x for part in parts for sub in part.subs for x in letters(sub)}
    return min(layers & entries - LAYER_LETTERS, default="")
