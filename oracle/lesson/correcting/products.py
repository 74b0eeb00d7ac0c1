r"""Edits of sums and products: a factor, a sum, a sign or a term more or less, another order, another product."""

from dataclasses import replace

from oracle.lesson.correcting.edit import Edit, Edits, put
from oracle.lesson.correcting.vocabulary import Vocabulary
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Call, Name, Negative, Node, Number, Plus, Power, Quotient, Sum, Times, Transpose


def scaled(node: Node, words: Vocabulary) -> Edits:
    """The other sign, a number in front."""
    if isinstance(node, Negative):
        for edit in scaled(node.body, words):
            if edit.what[0] == "times":
                yield replace(edit, node=replace(node, body=edit.node))
        return
    if not isinstance(node, Plus | Number):
        usual = any(part in words.negated for part in node.walk())
        yield Edit(Negative(node, span=node.span), 0.8 if usual else 1.0, "put a minus in front", (), ("minus",))
    if isinstance(node, Plus):
        minus = Plus(node.terms, tuple(-sign for sign in node.signs), span=node.span)
        yield Edit(minus, 1.1, "turn all signs", (), ("signs",))
        if node in words.negated:
            yield Edit(Negative(node, span=node.span), 0.8, "put a minus in front", (), ("minus",))
    parts, ops = _parts(node)
    for factor, far in words.factors.items() if not isinstance(node, Number) else ():
        if isinstance(factor, Number | Quotient):
            more = Times((factor, *parts), ("", *ops), span=node.span)
            yield Edit(more, _price(factor) + far, "multiply by {}", (factor,), ("times", factor))


def _parts(node: Node) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    return (node.factors, node.ops) if isinstance(node, Times) else ((node,), ())


def beside(node: Node, words: Vocabulary) -> Edits:
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
    once = sum(_has(part, letter) for part in node.walk() if isinstance(part, Ref)) == 1
    cost = 1.4 if lone else 0.97 if once else 0.9  # an index that stands once is sooner a wrong one than summed over
    yield Edit(total, cost, "sum over {}", (Name(letter),), ("sum", letter))


def _has(node: Node, letter: str) -> bool:
    parts = list(node.walk())
    bound = any(isinstance(p, Sum) and any(name.base == letter for name in p.indices) for p in parts)
    return not bound and any(
        isinstance(p, Ref) and any(isinstance(sub, Name) and sub.base == letter for sub in p.subs) for p in parts
    )


def product(node: Times, words: Vocabulary) -> Edits:
    count = len(node.factors)
    for k, factor in reversed(list(enumerate(node.factors))):
        rest = node.factors[:k] + node.factors[k + 1 :]
        ops = node.ops[: max(k - 1, 0)] + node.ops[max(k, 1) :]
        left = rest[0] if len(rest) == 1 else Times(rest, ops, span=node.span)
        yield Edit(left, 1.15, "leave out {}", (factor,), ("without", factor))
        if isinstance(factor, Ref) and not words.matrices:
            under = Quotient(Number("1"), factor, span=factor.span)
            over = replace(node, factors=(*node.factors[:k], under, *node.factors[k + 1 :]))
            yield Edit(over, 1.4, "divide by {}", (factor,), ("divide", factor))
        for other, far in words.factors.items():
            if type(other) is type(factor) and not isinstance(factor, Ref | Number) and other != factor:
                changed = replace(node, factors=(*node.factors[:k], other, *node.factors[k + 1 :]))
                yield replace(put(factor, other, 1.4 + far), node=changed)
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
                yield replace(put(name, function, dear + far), node=new)


def _turned(node: Node) -> Node:
    return node.base if isinstance(node, Transpose) else Transpose(node, span=node.span)


def terms(node: Plus, words: Vocabulary) -> Edits:
    if node.signs == (1, -1):
        turned = replace(node, terms=node.terms[::-1])
        cost = 0.78 if turned in words.differences and node not in words.negated else 0.9
        yield Edit(turned, cost, "turn the difference round", (), ("turn",))
    for k, term in enumerate(node.terms):
        signs = (*node.signs[:k], -node.signs[k], *node.signs[k + 1 :])
        yield Edit(replace(node, signs=signs), 1.0, "turn the sign of {}", (term,), ("sign",))
        if isinstance(term, Ref | Call) and isinstance(node.terms[0], Number):
            squared = (*node.terms[:k], Power(term, Number("2"), span=term.span), *node.terms[k + 1 :])
            yield Edit(replace(node, terms=squared), 1.1, "square {}", (term,), ("square", term))
        rest, left = node.terms[:k] + node.terms[k + 1 :], node.signs[:k] + node.signs[k + 1 :]
        gone: Node = Plus(rest, left, span=node.span)
        if len(rest) == 1:
            gone = rest[0] if left[0] > 0 else Negative(rest[0], span=node.span)
        yield Edit(gone, 1.4, "leave out {}", (term,), ("less", term))
    for term, far in words.terms.items():
        more = Plus((*node.terms, term), (*node.signs, 1), span=node.span)
        yield Edit(more, 1.7 + far, "add {}", (term,), ("plus", term))


def total(node: Sum, words: Vocabulary) -> Edits:
    if not node.product:
        yield Edit(node.body, 1.1, "leave out the sum", (), ("no sum",))
    for letter in words.letters:
        if len(node.indices) == 1 and letter != node.indices[0].base:
            over = (Name(letter, span=node.indices[0].span),)
            cost = 1.0
            if (known := words.totals.get(letter)) and node.lower is not None and known.upper != node.upper:
                cost = 1.02
                limited = replace(node, indices=over, lower=known.lower, upper=known.upper)
                yield Edit(limited, 1.0, "sum over {}", (over[0],), ("over", letter))
            yield Edit(replace(node, indices=over), cost, "sum over {}", (over[0],), ("over", letter))
