r"""Variables in general beside those of cases: Z_m = σ(α_m^T X) of any X, and z_{mi} = σ(α_m^T x_i) of the case i.

Then X is x_i of any i, and what is made of it, as f_k(X) = g_k(T) is, is of that case: f_k(x_i) is a quantity.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from oracle.lesson.meaning.cases import General
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Name,
    Node,
    Prime,
    Relation,
    Statement,
    Times,
    Transpose,
    rebuilt,
)

UNIT = "unit "
"""What makes the name of the function of each unit, g_k(T_k), from that of all of them, g_k(T)."""


def general_inputs(statements: Iterable[Statement]) -> General:
    """The variables of a lesson that are meant in general; none where no weights multiply both X and x_i."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    pairs = {pair for body in bodies for pair in _weighed(body)}
    weighed = {(w, x.base.lower()): x for w, x in pairs if x.slots and not x.subs}
    inputs = {x.base for w, x in pairs if x == Ref(x.base) and x.base.isupper() and (w, x.base.lower()) in weighed}
    case = {x.slots for (_, x) in weighed.items()}
    if not inputs or len(case) != 1:
        return General()
    found = General(frozenset(inputs), case=case.pop())
    for _ in bodies:
        more = _more(bodies, found)
        if more == found:
            break
        found = more
    return found


def of_cases(statement: Statement, general: General) -> Statement:
    """A statement in which what is meant in general is of a case."""
    return replace(statement, body=_of_case(statement.body, general)) if general.inputs else statement


def _weighed(body: Node) -> Iterator[tuple[Node, Ref]]:
    """The α_m and X of α_m^T X."""
    for part in body.walk():
        match part:
            case Times(factors=(Transpose(base=w), Ref() as x)):
                yield w, x


def _more(bodies: Iterable[Relation], known: General) -> General:
    """What is made of what is known to be general."""
    made, functions = {*known.made}, {*known.functions}
    for body in (body for body in bodies if body.ops[0] in ("=", ":=")):
        used = {part.base for item in body.items[1:] for part in item.walk() if isinstance(part, Ref)}
        partials = any(isinstance(part, Derivative | Gradient | Prime) for part in body.walk())
        match body.items[0]:
            case Ref(base=base, slots=()) if used & (known.inputs | known.made) and not partials:
                made.add(base)
            case Call(function=Indexed(base=Name(base=f), subs=(Name(),)), args=(Ref(subs=()) as x,)):
                functions |= {f} if x.base in known.inputs | known.made else set()
    return replace(known, made=frozenset(made), functions=frozenset(functions))


def _of_case(node: Node, known: General) -> Node:
    node = rebuilt(node, lambda child: _of_case(child, known))
    match node:
        case Ref(base=base, slots=()) if base in known.inputs:
            return replace(node, base=base.lower(), slots=known.case)
        case Ref(base=base, slots=()) if base in known.made:
            return replace(node, slots=known.case)
        case Call(function=Indexed(base=Name(base=f), subs=subs), args=(Ref() as x,)) if f in known.functions:
            unit = Name(UNIT + f, span=node.span)
            return Ref(f, x.slots, subs, span=node.span) if not x.subs else replace(node, function=unit)
        case Call(function=Prime(base=Indexed(base=Name(base=f))) as slope) if f in known.functions:
            return replace(node, function=replace(slope, base=Name(UNIT + f, span=slope.span)))
    return node
