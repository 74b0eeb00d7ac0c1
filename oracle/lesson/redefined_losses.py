r"""Losses that a section has anew: beside R = -Σ_i Σ_k y_{ik} log f_k(x_i), its R_i is no other section's."""

from dataclasses import replace

from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.syntax import Name, Negative, Node, Sum


def of_this_section(program: Program) -> list[Definition]:
    """The definitions of a section, the losses of samples what its own total adds up."""
    terms = {d.head.base.removesuffix("_all"): d for d in program.definitions if d.number in program.here}
    return [_anew(d, terms.get(d.head.base.removesuffix("_each")), program) for d in program.definitions]


def _anew(d: Definition, total: Definition | None, program: Program) -> Definition:
    """The R_i of another section, as the term of this section's R = Σ_i …."""
    if total is None or d.number in program.here or d.head.base == total.head.base or total.head.subs:
        return d
    index = [slot for _, slot in d.head.slots] + [*d.head.subs]
    term = _term(total.body, index[0]) if len(index) == 1 else None
    return d if term is None or d.head in term.walk() else replace(d, body=term)


def _term(body: Node, index: Node) -> Node | None:
    """What is added up for a sample."""
    match body:
        case Negative(body=inner):
            term = _term(inner, index)
            return term and Negative(term, span=body.span)
        case Sum(indices=(Name() as letter,), body=inner, product=False) if letter == index:
            return inner
    return None
