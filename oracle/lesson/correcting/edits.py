r"""Every formula that is one small edit away, with what the edit costs: the less, the likelier to be meant."""

from collections import Counter
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
    """What to do, with {} for each of `named`: their TeX is made only for what is offered."""
    named: tuple[Node, ...] = ()
    what: tuple[object, ...] = ()
    path: tuple[int, ...] = ()
    """Where `node` goes: which child, and which of its children. Most edits are never made, only priced."""

    def made(self, side: Node) -> "Edit":
        """The edit with the whole side as its node."""
        return Edit(_with(side, self.path, self.node), self.cost, self.words, self.named, self.what)

    def said(self, words: Vocabulary) -> str:
        """What to do, in words."""
        return self.words.format(*(f"${text(node, words)}$" for node in self.named))

    def then(self, other: "Edit") -> "Edit":
        """Both edits, `other` made after this one."""
        return Edit(
            other.node, self.cost + other.cost, f"{self.words}, and {other.words}",
            self.named + other.named, self.what + other.what,
        )  # fmt: skip


Edits = Iterator[Edit]


def neighbours(node: Node, words: Vocabulary) -> Edits:
    """Every side one edit away: `edits`, and a letter or symbol renamed all through."""
    yield from renamings(node, words)
    yield from edits(node, words)


def renamings(node: Node, words: Vocabulary) -> Edits:
    """A letter that stands in several places replaced in all of them."""
    counted = Counter(
        part.base
        for top in node.walk()
        if isinstance(top, Ref)
        for part in top.walk()
        if part is not top and isinstance(part, Name)
    )
    for letter, times in counted.items():
        for other in (*words.letters, *words.numbers):
            if times > 1 and other != letter:
                new = renamed(node, Name(letter), Name(other))
                yield Edit(
                    new, 1.3, "put {} for {} all through", (Name(other), Name(letter)), ("rename", letter, other)
                )


def renamed(node: Node, old: Node, new: Node) -> Node:
    """A formula with one symbol or letter replaced all through; functions and their names are left alone."""
    if node == old:
        return replace(new, span=node.span)
    if isinstance(node, Prime):
        return node
    return rebuilt(node, lambda part: renamed(part, old, new))


def edits(node: Node, words: Vocabulary, term: bool = True, inner: bool = False, path: tuple[int, ...] = ()) -> Edits:
    """Every edit of a part of a formula; `term` says that a further factor can stand beside the node,

    `inner` that a number or a sign there could as well stand further out.
    """
    if term and not isinstance(node, Negative):
        yield from (_at(edit, path) for edit in _beside(node, words))
    if term and not inner:
        yield from (_at(edit, path) for edit in _scaled(node, words))
    yield from (_at(edit, path) for edit in _AT.get(type(node), _nothing)(node, words))
    for k, child in enumerate(node.children()):
        if not _fixed(node, child):
            yield from edits(child, words, _is_term(node, child), not isinstance(node, Plus), (*path, k))


def _at(edit: Edit, path: tuple[int, ...]) -> Edit:
    return Edit(edit.node, edit.cost, edit.words, edit.named, edit.what, path)


def _fixed(node: Node, child: Node) -> bool:
    """Parts that edits at their parent take care of."""
    if isinstance(node, Ref) or (isinstance(node, Sum) and child is not node.body):
        return True
    return isinstance(node, Call) and child is node.function


def _is_term(node: Node, child: Node) -> bool:
    return isinstance(node, Plus | Negative | Sum) or (isinstance(node, Quotient) and child is node.over)


def _with(node: Node, path: tuple[int, ...], new: Node) -> Node:
    """A node with another one at the path; products in products are one, as the parser makes them."""
    if not path:
        return new
    at, *below = path
    children = list(node.children())
    changed = children[at] = _with(children[at], tuple(below), new)
    if isinstance(node, Times) and isinstance(changed, Times) and not {"odot", "otimes"} & {*node.ops, *changed.ops}:
        ops = (*node.ops[:at], *changed.ops, *node.ops[at:])
        return Times((*children[:at], *changed.factors, *children[at + 1 :]), ops, span=node.span)
    rest = iter(children)
    return rebuilt(node, lambda _: next(rest))


def _nothing(node: Any, words: Vocabulary) -> Edits:
    yield from ()


# ------------------------------------------------------------------------------------------------------------- symbols


def _symbol(node: Ref, words: Vocabulary) -> Edits:
    for other, far in words.symbols.items():
        if other != node:
            new = Ref(other.base, other.slots, other.subs, other.mark, span=node.span)
            yield _put(node, new, _unlike(node, other) + far)
    for k, sub in enumerate(node.subs):
        for letter in words.letters if isinstance(sub, Name) else ():
            if letter != getattr(sub, "base", ""):
                subs = (*node.subs[:k], Name(letter, span=sub.span), *node.subs[k + 1 :])
                yield _put(node, replace(node, subs=subs), 1.0)
    for k, (kind, number) in enumerate(node.slots):
        others = (other for other_kind, other in words.slots if other_kind == kind and other != number)
        for shifted in dict.fromkeys((*others, *_shifted(number))):
            slots = (*node.slots[:k], (kind, shifted), *node.slots[k + 1 :])
            yield _put(node, replace(node, slots=slots), 1.0)
    if words.matrices and not node.subs:
        yield Edit(Transpose(node, span=node.span), 1.0, "transpose {}", (node,), ("transpose",))


def _put(old: Node, new: Node, cost: float) -> Edit:
    return Edit(new, cost, "put {} for {}", (new, old), ("put", old, new))


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


def _scaled(node: Node, words: Vocabulary) -> Edits:
    """The other sign, a number in front."""
    if not isinstance(node, Negative | Plus | Number):
        usual = any(part in words.negated for part in node.walk())
        yield Edit(Negative(node, span=node.span), 0.8 if usual else 1.0, "put a minus in front", (), ("minus",))
    if isinstance(node, Plus):
        minus = Plus(node.terms, tuple(-sign for sign in node.signs), span=node.span)
        yield Edit(minus, 1.1, "turn all signs", (), ("signs",))
    parts, ops = _parts(node)
    for factor, far in words.factors.items() if not isinstance(node, Number) else ():
        if isinstance(factor, Number | Quotient):
            more = Times((factor, *parts), ("", *ops), span=node.span)
            yield Edit(more, _price(factor) + far, "multiply by {}", (factor,), ("times", factor))


def _parts(node: Node) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    return (node.factors, node.ops) if isinstance(node, Times) else ((node,), ())


def _beside(node: Node, words: Vocabulary) -> Edits:
    """A factor more, a sum more."""
    parts, ops = _parts(node)
    for factor, far in words.factors.items() if node != Number("1") else ():
        cost = _price(factor) + far
        if isinstance(factor, Number | Quotient):
            continue
        matrices = words.matrices and not _indexed(node)
        for op in ("odot", "") if matrices else _joints(ops):
            more = Times((*parts, factor), (*ops, op), span=node.span)
            yield Edit(more, cost, "multiply by {}", (factor,), ("times", factor))
        if matrices:
            more = Times((factor, *parts), ("", *ops), span=node.span)
            yield Edit(more, cost, "multiply by {}", (factor,), ("times", factor))
        if matrices and isinstance(factor, Ref) and not factor.subs:
            turned = Transpose(factor)
            for factors, joints in (((turned, *parts), ("", *ops)), ((*parts, turned), (*ops, ""))):
                more = Times(factors, joints, span=node.span)
                yield Edit(more, cost + 0.1, "multiply by {}", (turned,), ("times", turned))
    for letter in words.letters:
        yield from _summed(node, letter)


def _joints(ops: tuple[str, ...]) -> tuple[str, ...]:
    return (ops[-1] if ops and ops[-1] in ("cdot", "times", "*") else "",)


def _indexed(node: Node) -> bool:
    """Whether a formula is written with indices: its products are of numbers."""
    return any(isinstance(part, Ref) and part.subs for part in node.walk())


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
    lone = isinstance(total, Times) and isinstance(total.factors[-1], Sum) and isinstance(total.factors[-1].body, Ref)
    yield Edit(total, 1.4 if lone else 0.9, "sum over {}", (Name(letter),), ("sum", letter))


def _has(node: Node, letter: str) -> bool:
    parts = list(node.walk())
    bound = any(isinstance(p, Sum) and any(name.base == letter for name in p.indices) for p in parts)
    return not bound and any(
        isinstance(p, Ref) and any(isinstance(sub, Name) and sub.base == letter for sub in p.subs) for p in parts
    )


def _product(node: Times, words: Vocabulary) -> Edits:
    count = len(node.factors)
    for k, factor in reversed(list(enumerate(node.factors))):
        rest = node.factors[:k] + node.factors[k + 1 :]
        ops = node.ops[: max(k - 1, 0)] + node.ops[max(k, 1) :]
        left = rest[0] if len(rest) == 1 else Times(rest, ops, span=node.span)
        yield Edit(left, 1.15, "leave out {}", (factor,), ("without", factor))
        for other, far in words.factors.items():
            if type(other) is type(factor) and not isinstance(factor, Ref | Number) and other != factor:
                changed = replace(node, factors=(*node.factors[:k], other, *node.factors[k + 1 :]))
                yield replace(_put(factor, other, 1.4 + far), node=changed)
    matrices = words.matrices and not _indexed(node)
    for k in range(count - 1) if matrices else ():
        factors = (*node.factors[:k], node.factors[k + 1], node.factors[k], *node.factors[k + 2 :])
        yield Edit(replace(node, factors=factors), 1.1, "exchange {} and {}", node.factors[k : k + 2], ("order",))
        for at in (k, k + 1):
            turned = (*factors[:at], _turned(factors[at]), *factors[at + 1 :])
            said = "exchange {} and {}, and transpose {}"
            named = (*node.factors[k : k + 2], factors[at])
            yield Edit(
                replace(node, factors=turned), 1.8 if at == k else 1.5, said, named, ("order", "transpose", at - k)
            )
    yield from _applied(node, words)
    for k, op in enumerate(node.ops) if matrices else ():
        new, said = ("", "as a matrix product") if op == "odot" else ("odot", "elementwise")
        ops = (*node.ops[:k], new, *node.ops[k + 1 :])
        yield Edit(replace(node, ops=ops), 1.1, f"multiply {said}", (), ("op", new))


def _applied(node: Times, words: Vocabulary) -> Edits:
    """f(z) where the lesson has a symbol beside z."""
    for k, (name, arg) in enumerate(zip(node.factors, node.factors[1:], strict=False)):
        if isinstance(name, Ref) and not name.subs:
            for function, far in words.functions.items():
                call = Call(function, (arg,), span=(name.span[0], arg.span[1]))
                rest = (*node.factors[:k], call, *node.factors[k + 2 :])
                new = call if len(rest) == 1 else Times(rest, node.ops[:k] + node.ops[k + 1 :], span=node.span)
                dear = 1.5 if isinstance(function, Name) else 1.6
                yield replace(_put(name, function, dear + far), node=new)


def _turned(node: Node) -> Node:
    return node.base if isinstance(node, Transpose) else Transpose(node, span=node.span)


def _terms(node: Plus, words: Vocabulary) -> Edits:
    if node.signs == (1, -1):
        yield Edit(replace(node, terms=node.terms[::-1]), 0.9, "turn the difference round", (), ("turn",))
    for k, term in enumerate(node.terms):
        signs = (*node.signs[:k], -node.signs[k], *node.signs[k + 1 :])
        yield Edit(replace(node, signs=signs), 1.0, "turn the sign of {}", (term,), ("sign",))
        rest, left = node.terms[:k] + node.terms[k + 1 :], node.signs[:k] + node.signs[k + 1 :]
        gone: Node = Plus(rest, left, span=node.span)
        if len(rest) == 1:
            gone = rest[0] if left[0] > 0 else Negative(rest[0], span=node.span)
        yield Edit(gone, 1.4, "leave out {}", (term,), ("less", term))
    for term, far in words.terms.items():
        more = Plus((*node.terms, term), (*node.signs, 1), span=node.span)
        yield Edit(more, 1.7 + far, "add {}", (term,), ("plus", term))


def _sum(node: Sum, words: Vocabulary) -> Edits:
    if not node.product:
        yield Edit(node.body, 1.1, "leave out the sum", (), ("no sum",))
    for letter in words.letters:
        if len(node.indices) == 1 and letter != node.indices[0].base:
            over = (Name(letter, span=node.indices[0].span),)
            yield Edit(replace(node, indices=over), 1.0, "sum over {}", (over[0],), ("over", letter))


# ---------------------------------------------------------------------------------------------------------- the others


def _call(node: Call, words: Vocabulary) -> Edits:
    if isinstance(node.function, Prime):
        plain = node.function.base
        yield Edit(replace(node, function=plain), 1.1, "put {} for {}", (plain, node.function), ("no prime",))
    else:
        sloped = Prime(node.function, span=node.function.span)
        yield Edit(replace(node, function=sloped), 1.0, "put {} for {}", (sloped, node.function), ("prime",))
    for arg in node.args if len(node.args) == 1 and not isinstance(node.args[0], Ref) else ():
        for other, far in (*words.bodies.items(), *words.symbols.items()):
            cost = 1.5 if isinstance(other, Plus) and _kindred(arg, other) else 1.6 + far
            yield replace(_put(arg, other, cost), node=replace(node, args=(other,)))
            yield _put(node, other, cost + 0.2)
    for function, far in words.functions.items():
        if function != node.function:
            yield replace(_put(node.function, function, 1.3 + far), node=replace(node, function=function))


def _kindred(one: Node, other: Node) -> bool:
    """Whether two formulas share symbols."""
    return bool({p for p in one.walk() if isinstance(p, Ref)} & {p for p in other.walk() if isinstance(p, Ref)})


def _derivative(node: Derivative, words: Vocabulary) -> Edits:
    if len(node.wrt) == 1:
        turned = replace(node, of=node.wrt[0], wrt=(node.of,))
        yield Edit(turned, 1.1, "turn {} upside down", (node,), ("exchange",))


def _quotient(node: Quotient, words: Vocabulary) -> Edits:
    if node.over != Number("1"):
        yield Edit(node.over, 1.2, "do not divide by {}", (node.under,), ("over",))
    yield Edit(replace(node, over=node.under, under=node.over), 1.4, "turn {} upside down", (node,), ("inverse",))


def _power(node: Power, words: Vocabulary) -> Edits:
    if not any(isinstance(part, Ref | Name) for part in node.exponent.walk()):
        yield Edit(node.base, 1.2, "leave out the power {}", (node.exponent,), ("no power",))


def _number(node: Number, words: Vocabulary) -> Edits:
    for other in ("1", "2"):
        if node.text in ("1", "2", "3", "4") and other != node.text:
            yield _put(node, Number(other, span=node.span), 1.4)


def _transpose(node: Transpose, words: Vocabulary) -> Edits:
    yield Edit(node.base, 1.0, "do not transpose {}", (node.base,), ("no transpose",))


def _negative(node: Negative, words: Vocabulary) -> Edits:
    yield Edit(node.body, 0.85, "leave out the minus", (), ("no minus",))


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
