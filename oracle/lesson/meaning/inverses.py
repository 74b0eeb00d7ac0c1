"""Parameters by what is made of them: b = z - W a after z = W a + b is no definition, and for ∂b/∂z in ∂C/∂b ∂b/∂z
lessons mean one over ∂z/∂b, and write it to say that the two errors are one.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, mentions
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Derivative, Indicator, Node, Number, Quotient, Relation, Times, rebuilt

SUMMED = {"w", "W", "b", "B", "theta", "Theta"}
"""Parameters that are nothing else; a v may be what goes into a unit."""


def rearranged(given: Iterable[tuple[int, Node]]) -> set[int]:
    """The numbers of equations that say what a parameter is by what is made of it: b = z - W x after z = W x + b."""
    found, made = set[int](), list[tuple[str, Node]]()
    for number, body in given:
        match body:
            case Relation(items=(Ref(base=head), member, *_), ops=("=", *_)):
                parameter = head in SUMMED
                terms = {part.base for part in getattr(member, "terms", ()) if isinstance(part, Ref)}
                if parameter and any(base in terms - {head} and mentions(other, head) for base, other in made):
                    found.add(number)
                elif not parameter and not any(isinstance(part, Derivative) for part in member.walk()):
                    made.append((head, member))
    return found


def inverted(node: Node, program: Program) -> Node:
    """The formula with one over ∂z/∂b for every ∂b/∂z in a chain through a parameter, ∂C/∂b ∂b/∂z."""
    match node:
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)) if core(of.base) in PARAMETER_LETTERS:
            return _turned(node, {of}, program) if not _given(wrt, program) and _given(of, program) else node
    if not isinstance(node, Times):
        return rebuilt(node, lambda child: inverted(child, program))
    through = {by for factor in node.factors if isinstance(factor, Derivative) for by in factor.wrt}
    return rebuilt(node, lambda child: _turned(child, through, program))


def _turned(node: Node, through: set[Node], program: Program) -> Node:
    match node:
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)) if of in through and _given(of, program):
            if not _given(wrt, program):
                own = replace(wrt, subs=of.subs) if len(of.subs) == len(wrt.subs) == 1 else wrt
                one = Quotient(Number("1"), Derivative(own, (of,), node.sign, span=node.span), span=node.span)
                alike = Indicator(Relation((*of.subs, *wrt.subs), ("=",)))  # ∂b_k/∂z_j is zero elsewhere
                return one if own == wrt else Times((alike, one), ("",), span=node.span)
    return inverted(node, program)


def _given(ref: Ref, program: Program) -> bool:
    return any(base == ref.base for base, *_ in program.shapes) and not program.defines(ref.base, ref.kinds)
