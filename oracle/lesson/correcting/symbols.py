r"""Edits of symbols and functions: an index, a layer, a letter, a prime, a transpose, a derivative upside down."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from oracle.lesson.correcting.edit import Edit, Edits, put
from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import (
    Call,
    Cases,
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
    Transpose,
)


def symbol(node: Ref, words: Vocabulary) -> Edits:
    for other, far in words.symbols.items():
        if other != node:
            new = Ref(other.base, other.slots, other.subs, other.mark, span=node.span)
            yield put(node, new, unlike(node, other) + far)
    if (applied := words.calls.get(node)) is not None:
        yield put(node, applied, 1.1)
    for k, sub in enumerate(node.subs):
        for letter in words.letters if isinstance(sub, Name) else ():
            if letter != getattr(sub, "base", ""):
                subs = (*node.subs[:k], Name(letter, span=sub.span), *node.subs[k + 1 :])
                yield put(node, replace(node, subs=subs), 1.0)
    for k, (kind, number) in enumerate(node.slots):
        others = (other for other_kind, other in words.slots if other_kind == kind and other != number)
        for shifted in dict.fromkeys((*others, *_shifted(number))):
            slots = (*node.slots[:k], (kind, shifted), *node.slots[k + 1 :])
            yield put(node, replace(node, slots=slots), 1.0)
    yield from _wider(node, words)
    if words.matrices and not node.subs:
        yield Edit(Transpose(node, span=node.span), 1.0, "transpose {}", (node,), ("transpose",))


def _wider(node: Node, words: Vocabulary) -> Edits:
    """The square where the lesson squares it, 1 - h^2, and the sum that the lesson has it in: p_k - y_k."""
    if (far := words.squares.get(node)) is not None:
        yield Edit(Power(node, Number("2"), span=node.span), 1.0 + far / 2, "square {}", (node,), ("square",))
    for other, far in words.differences.items():
        if node in other.terms and len(other.terms) == 2:
            yield put(node, other, 1.4 + far)


def unlike(a: Ref, b: Ref) -> float:
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


def call(node: Call, words: Vocabulary) -> Edits:
    if isinstance(node.function, Prime):
        plain = node.function.base
        yield Edit(replace(node, function=plain), 1.1, "put {} for {}", (plain, node.function), ("no prime",))
    else:
        sloped = Prime(node.function, span=node.function.span)
        yield Edit(replace(node, function=sloped), 1.0, "put {} for {}", (sloped, node.function), ("prime",))
    yield from _wider(node, words)
    for arg in node.args if len(node.args) == 1 and not isinstance(node.args[0], Ref) else ():
        for other, far in (*words.bodies.items(), *words.symbols.items()):
            cost = 1.5 if isinstance(other, Plus) and _kindred(arg, other) else 1.6 + far
            yield replace(put(arg, other, cost), node=replace(node, args=(other,)))
            yield put(node, other, cost + 0.2)
    for function, far in words.functions.items():
        if function != node.function:
            yield replace(put(node.function, function, 1.3 + far), node=replace(node, function=function))


def _kindred(one: Node, other: Node) -> bool:
    """Whether two formulas share symbols."""
    return bool({p for p in one.walk() if isinstance(p, Ref)} & {p for p in other.walk() if isinstance(p, Ref)})


def derivative(node: Derivative, words: Vocabulary) -> Edits:
    if len(node.wrt) == 1:
        turned = replace(node, of=node.wrt[0], wrt=(node.of,))
        yield Edit(turned, 1.1, "turn {} upside down", (node,), ("exchange",))


def quotient(node: Quotient, words: Vocabulary) -> Edits:
    if node.over != Number("1"):
        yield Edit(node.over, 1.2, "do not divide by {}", (node.under,), ("over",))
    yield Edit(replace(node, over=node.under, under=node.over), 1.4, "turn {} upside down", (node,), ("inverse",))
    if isinstance(node.under, Ref | Sum | Plus | Call):
        squared = Power(node.under, Number("2"), span=node.under.span)
        yield Edit(replace(node, under=squared), 1.3, "square {}", (node.under,), ("square",))


def power(node: Power, words: Vocabulary) -> Edits:
    if any(isinstance(part, Ref | Name) for part in node.exponent.walk()):
        return
    yield Edit(node.base, 1.2, "leave out the power {}", (node.exponent,), ("no power",))
    if (exponent := _worth(node.exponent)) is not None:
        for other in (exponent - 1, exponent + 1, -exponent):
            if other not in (0, 1):
                yield put(node, replace(node, exponent=_written(other)), 1.3)


def _worth(node: Node) -> Fraction | None:
    """The number that an exponent is: -1/2."""
    match node:
        case Number(text=text) if text.isdigit():
            return Fraction(text)
        case Negative(body=body) if (inner := _worth(body)) is not None:
            return -inner
        case Quotient(over=over, under=under) if (a := _worth(over)) is not None and (b := _worth(under)):
            return a / b
    return None


def _written(number: Fraction) -> Node:
    size = abs(number)
    whole: Node = Number(str(size.numerator))
    if size.denominator > 1:
        whole = Quotient(whole, Number(str(size.denominator)))
    return whole if number > 0 else Negative(whole)


def cases(node: Cases, words: Vocabulary) -> Edits:
    for k, value in enumerate(node.values):
        for text in ("0", "1") if isinstance(value, Ref | Number) else ():
            if value != (other := Number(text)):
                values = (*node.values[:k], other, *node.values[k + 1 :])
                yield replace(put(value, other, 1.2), node=replace(node, values=values))


def number(node: Number, words: Vocabulary) -> Edits:
    for other in ("1", "2"):
        if node.text in ("1", "2", "3", "4") and other != node.text:
            yield put(node, Number(other, span=node.span), 1.4)


def transpose(node: Transpose, words: Vocabulary) -> Edits:
    yield Edit(node.base, 1.0, "do not transpose {}", (node.base,), ("no transpose",))


def negative(node: Negative, words: Vocabulary) -> Edits:
    yield Edit(node.body, 0.85, "leave out the minus", (), ("no minus",))
