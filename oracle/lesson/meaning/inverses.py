"""Parameters by what is made of them: b = z - W a after z = W a + b is no definition, and for ∂b/∂z in ∂C/∂b ∂b/∂z
lessons mean one over ∂z/∂b, and write it to say that the two errors are one.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, mentions
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Derivative, Indicator, Node, Number, Plus, Quotient, Relation, Times, rebuilt

SUMMED = {"w", "W", "b", "B", "theta", "Theta"}
"""Parameters that are nothing else; a v may be what goes into a unit."""


def rearranged(bodies: Iterable[Node]) -> set[int]:
    """Identities of equations that say what a parameter is by what is made of it: b = z - W x after z = W x + b."""
    found, made = set[int](), list[tuple[str, Node]]()
    for body in bodies:
        match body:
            case Relation(items=(Ref(base=head), Plus(terms=terms), *_), ops=("=", *_)) if head in SUMMED:
                used = {term.base for term in terms if isinstance(term, Ref)} - {head}
                if any(base in used and mentions(other, head) for base, other in made):
                    found.add(id(body))
            case Relation(items=(Ref(base=head), member, *_), ops=("=", *_)):
                if not any(isinstance(part, Derivative) for part in member.walk()):
                    made.append((head, member))
    return found


def inverted(node: Node, program: Program) -> Node:
    """The formula with one over ∂z/∂b for every ∂b/∂z in a chain through a parameter, ∂C/∂b ∂b/∂z."""
    match node:
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)) if core(of.base) in PARAMETER_LETTERS:
            return _turned(node, {of}, program) if not _given(wrt, program) and _given(of, program) else node
    return _inverted_inside(node, program)


def _inverted_inside(node: Node, program: Program) -> Node:
    """The same where no partial is the whole formula: ∂w/∂z alone in a chain is a slip."""
    if not isinstance(node, Times):
        return rebuilt(node, lambda child: _inverted_inside(child, program))
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
    return _inverted_inside(node, program)


def _given(ref: Ref, program: Program) -> bool:
    return any(base == ref.base for base, *_ in program.shapes) and not program.defines(ref.base, ref.kinds)
