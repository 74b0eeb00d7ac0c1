r"""Every formula that is one small edit away, with what the edit costs: the less, the likelier to be meant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.correcting.writing import text
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Sum,
    Times,
    Transpose,
    rebuilt,
)  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """A changed formula. `what` names the change without its place: the same slip, made again, has the same one."""

    node: Node
    cost: float
    words: str
    what: tuple[object, ...] = ()


Edits = Iterator[Edit]


def edits(node: Node, words: Vocabulary, term: bool = True) -> Edits:
    """Every formula one edit away; `term` says that a further factor can stand beside the node."""
    if term:
        yield from _beside(node, words)
    yield from _AT.get(type(node), _nothing)(node, words)
    for k, child in enumerate(node.children()):
        if _fixed(node, child):
            continue
        for edit in edits(child, words, _is_term(node, child)):
            yield replace(edit, node=_with(node, k, edit.node))


def _fixed(node: Node, child: Node) -> bool:
    """Parts that edits at their parent take care of."""
    if isinstance(node, Ref) or (isinstance(node, Sum) and child is not node.body):
        return True
    return isinstance(node, Call) and child is node.function


def _is_term(node: Node, child: Node) -> bool:
    return isinstance(node, Plus | Negative | Sum) or (isinstance(node, Quotient) and child is node.over)


def _with(node: Node, at: int, new: Node) -> Node:
    """A node with another child; products in products are one, as the parser makes them."""
    children = [new if k == at else child for k, child in enumerate(node.children())]
    if isinstance(node, Times) and isinstance(new, Times) and not {"odot", "otimes"} & {*node.ops, *new.ops}:
        ops = (*node.ops[:at], *new.ops, *node.ops[at:])
        return Times((*children[:at], *new.factors, *children[at + 1 :]), ops, span=node.span)
    rest = iter(children)
    return rebuilt(node, lambda _: next(rest))


def _nothing(node: Any, words: Vocabulary) -> Edits:
    yield from ()


# ------------------------------------------------------------------------------------------------------------- symbols


def _symbol(node: Ref, words: Vocabulary) -> Edits:
    for other, far in words.symbols.items():
        if other != node:
            yield _put(node, replace(other, span=node.span), _unlike(node, other) + far, words)
    for k, sub in enumerate(node.subs):
        for letter in words.letters if isinstance(sub, Name) else ():
            if letter != getattr(sub, "base", ""):
                subs = (*node.subs[:k], Name(letter, span=sub.span), *node.subs[k + 1 :])
                yield _put(node, replace(node, subs=subs), 1.0, words)
    for k, (kind, number) in enumerate(node.slots):
        for shifted in _shifted(number):
            slots = (*node.slots[:k], (kind, shifted), *node.slots[k + 1 :])
            yield _put(node, replace(node, slots=slots), 1.0, words)
    if words.matrices and not node.subs:
        yield Edit(Transpose(node, span=node.span), 1.0, f"transpose ${text(node, words)}$", ("transpose",))


def _put(old: Node, new: Node, cost: float, words: Vocabulary) -> Edit:
    return Edit(new, cost, f"put ${text(new, words)}$ for ${text(old, words)}$", ("put", old, new))


def _unlike(a: Ref, b: Ref) -> float:
    """How far two symbols are from each other: an index, a letter, or both."""
    alike = len(a.subs) == len(b.subs) and a.kinds == b.kinds
    if a.base == b.base:
        return 0.95 if alike else 1.4
    if (a.subs, a.slots) == (b.subs, b.slots):
        return 1.15
    return 1.5 if alike else 1.8


def _shifted(number: Node) -> Iterator[Node]:
    """l - 1, l and l + 1 but for the one that it is."""
    span = number.span
    match number:
        case Number(text=digits) if digits.isdigit():
            yield from (Number(str(n), span=span) for n in (int(digits) - 1, int(digits) + 1) if n >= 0)
        case Name():
            yield from (Plus((number, Number("1")), (1, sign), span=span) for sign in (1, -1))
        case Plus(terms=(Name() as letter, Number(text="1") as one), signs=(1, sign)):
            yield replace(letter, span=span)
            yield Plus((letter, one), (1, -sign), span=span)


# ------------------------------------------------------------------------------------------------ sums and products


def _beside(node: Node, words: Vocabulary) -> Edits:
    """A factor more, a sum more, the other sign."""
    if not isinstance(node, Negative | Plus | Number):
        yield Edit(Negative(node, span=node.span), 1.0, "put a minus in front", ("minus",))
    if isinstance(node, Plus):
        minus = Plus(node.terms, tuple(-sign for sign in node.signs), span=node.span)
        yield Edit(minus, 1.1, "turn all signs", ("signs",))
    parts = node.factors if isinstance(node, Times) else (node,)
    ops = node.ops if isinstance(node, Times) else ()
    for factor, far in words.factors.items():
        cost = _price(factor) + far
        said = f"multiply by ${text(factor, words)}$"
        for op in _joints(ops, words):
            more = Times((*parts, factor), (*ops, op), span=node.span)
            yield Edit(more, cost, said, ("times", factor))
        if words.matrices or isinstance(factor, Number | Quotient):
            yield Edit(Times((factor, *parts), ("", *ops), span=node.span), cost, said, ("times", factor))
    for letter in words.letters:
        yield from _summed(node, letter)


def _joints(ops: tuple[str, ...], words: Vocabulary) -> tuple[str, ...]:
    if words.matrices:
        return ("odot", "")
    return (ops[-1] if ops and ops[-1] in ("cdot", "times", "*") else "",)


def _price(factor: Node) -> float:
    match factor:
        case Call():
            return 1.1
        case Ref() | Transpose() | Plus():
            return 1.3
        case Number() | Quotient():
            return 1.2
    return 1.5


def _summed(node: Node, letter: str) -> Edits:
    """A sum over a letter, from the first factor on that has it."""
    if isinstance(node, Times):
        having = [k for k, factor in enumerate(node.factors) if _has(factor, letter)]
        if not having:
            return
        first = having[0]
        body = node.factors[first] if first + 1 == len(node.factors) else replace(
            node, factors=node.factors[first:], ops=node.ops[first:], span=(node.factors[first].span[0], node.span[1])
        )  # fmt: skip
        total: Node = Sum((Name(letter),), None, None, None, body, span=body.span)
        if first:
            total = Times((*node.factors[:first], total), node.ops[:first], span=node.span)
    elif _has(node, letter):
        total = Sum((Name(letter),), None, None, None, node, span=node.span)
    else:
        return
    yield Edit(total, 0.9, f"sum over ${letter}$", ("sum", letter))


def _has(node: Node, letter: str) -> bool:
    parts = list(node.walk())
    bound = any(isinstance(p, Sum) and any(name.base == letter for name in p.indices) for p in parts)
    return not bound and any(
        isinstance(p, Ref) and any(isinstance(sub, Name) and sub.base == letter for sub in p.subs) for p in parts
    )


def _product(node: Times, words: Vocabulary) -> Edits:
    count = len(node.factors)
    for k, factor in enumerate(node.factors):
        rest = node.factors[:k] + node.factors[k + 1 :]
        ops = node.ops[: max(k - 1, 0)] + node.ops[max(k, 1) :]
        left = rest[0] if len(rest) == 1 else Times(rest, ops, span=node.span)
        yield Edit(left, 1.15, f"leave out ${text(factor, words)}$", ("without", factor))
        for other, far in words.factors.items():
            if type(other) is type(factor) and not isinstance(factor, Ref | Number) and other != factor:
                changed = replace(node, factors=(*node.factors[:k], other, *node.factors[k + 1 :]))
                yield replace(_put(factor, other, 1.4 + far, words), node=changed)
    for k in range(count - 1) if words.matrices else ():
        factors = (*node.factors[:k], node.factors[k + 1], node.factors[k], *node.factors[k + 2 :])
        a, b = (text(factor, words) for factor in node.factors[k : k + 2])
        yield Edit(replace(node, factors=factors), 1.1, f"exchange ${a}$ and ${b}$", ("order",))
    for k, op in enumerate(node.ops) if words.matrices else ():
        new, said = ("", "as a matrix product") if op == "odot" else ("odot", "elementwise")
        yield Edit(replace(node, ops=(*node.ops[:k], new, *node.ops[k + 1 :])), 1.1, f"multiply {said}", ("op", new))


def _terms(node: Plus, words: Vocabulary) -> Edits:
    if node.signs == (1, -1):
        yield Edit(replace(node, terms=node.terms[::-1]), 0.9, "turn the difference round", ("turn",))
    for k, term in enumerate(node.terms):
        signs = (*node.signs[:k], -node.signs[k], *node.signs[k + 1 :])
        yield Edit(replace(node, signs=signs), 1.0, f"turn the sign of ${text(term, words)}$", ("sign",))
        rest, left = node.terms[:k] + node.terms[k + 1 :], node.signs[:k] + node.signs[k + 1 :]
        gone: Node = Plus(rest, left, span=node.span)
        if len(rest) == 1:
            gone = rest[0] if left[0] > 0 else Negative(rest[0], span=node.span)
        yield Edit(gone, 1.4, f"leave out ${text(term, words)}$", ("less", term))
    for term, far in words.terms.items():
        more = Plus((*node.terms, term), (*node.signs, 1), span=node.span)
        yield Edit(more, 1.7 + far, f"add ${text(term, words)}$", ("plus", term))


def _sum(node: Sum, words: Vocabulary) -> Edits:
    if not node.product:
        yield Edit(node.body, 1.1, "leave out the sum", ("no sum",))
    for letter in words.letters:
        if len(node.indices) == 1 and letter != node.indices[0].base:
            over = (Name(letter, span=node.indices[0].span),)
            yield Edit(replace(node, indices=over), 1.0, f"sum over ${letter}$", ("over", letter))


# ---------------------------------------------------------------------------------------------------------- the others


def _call(node: Call, words: Vocabulary) -> Edits:
    written = text(node.function, words)
    if isinstance(node.function, Prime):
        plain = node.function.base
        yield Edit(replace(node, function=plain), 1.1, f"put ${text(plain, words)}$ for ${written}$", ("no prime",))
    else:
        sloped = Prime(node.function, span=node.function.span)
        yield Edit(replace(node, function=sloped), 1.0, f"put ${text(sloped, words)}$ for ${written}$", ("prime",))
    for other, far in words.functions.items():
        if other != node.function:
            yield replace(_put(node.function, other, 1.3 + far, words), node=replace(node, function=other))


def _derivative(node: Derivative, words: Vocabulary) -> Edits:
    if len(node.wrt) == 1:
        turned = replace(node, of=node.wrt[0], wrt=(node.of,))
        yield Edit(turned, 1.1, f"exchange what is differentiated by what in ${text(node, words)}$", ("exchange",))


def _quotient(node: Quotient, words: Vocabulary) -> Edits:
    said = text(node, words)
    if node.over != Number("1"):
        yield Edit(node.over, 1.2, f"do not divide by ${text(node.under, words)}$", ("over",))
    yield Edit(replace(node, over=node.under, under=node.over), 1.4, f"turn ${said}$ upside down", ("inverse",))


def _power(node: Power, words: Vocabulary) -> Edits:
    if isinstance(node.exponent, Number):
        yield Edit(node.base, 1.2, f"leave out the power ${text(node.exponent, words)}$", ("no power",))


def _number(node: Number, words: Vocabulary) -> Edits:
    for other in ("1", "2"):
        if node.text in ("1", "2", "3", "4") and other != node.text:
            yield _put(node, Number(other, span=node.span), 1.4, words)


def _transpose(node: Transpose, words: Vocabulary) -> Edits:
    yield Edit(node.base, 1.0, f"do not transpose ${text(node.base, words)}$", ("no transpose",))


def _negative(node: Negative, words: Vocabulary) -> Edits:
    yield Edit(node.body, 0.85, "leave out the minus", ("no minus",))


_AT: dict[type, Callable[[Any, Vocabulary], Edits]] = {
    Ref: _symbol,
    Times: _product,
    Plus: _terms,
    Sum: _sum,
    Call: _call,
    Derivative: _derivative,
    Quotient: _quotient,
    Power: _power,
    Number: _number,
    Transpose: _transpose,
    Negative: _negative,
}
