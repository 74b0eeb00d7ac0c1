r"""Update rules taken apart: which parameter makes which step, w ← w − η ∂L/∂w, however that is written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, REGRESSED, Ref, mentions
from oracle.lesson.syntax import (
    Derivative,
    Gradient,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Span,
    Times,
)

RATES = {"eta", "alpha", "lambda", "epsilon", "varepsilon", "gamma", "mu", "lr", "rate", "rho", "learning rate"}
VARIANTS = {"new", "old", "next", "prev", "t", "n", "next step", "updated"}
"""Labels of the same parameter before and after a step."""


@dataclass(frozen=True)
class Step:
    """What a parameter is moved along."""

    of: Ref
    sign: int
    """1 where the step is added."""
    at: Span
    """Where the sign stands, somewhere in it."""
    rate: bool
    """Whether a learning rate is there."""
    numbers: tuple[Node, ...]
    core: Node
    """The step without its sign, its rate and numbers."""
    change: bool = False
    """Whether the step has a name of its own: Δw."""

    @property
    def wrt(self) -> Ref | None:
        """By which parameter the step's gradient is, where one can see that: ∂L/∂w, ∇_w L, dw."""
        match self.core:
            case Derivative(wrt=(Ref() as wrt,)) | Gradient(wrt=Ref() as wrt):
                return parameter(wrt)
            case Ref(base=base) if base[:1] == "d" and base[1:2] in PARAMETER_LETTERS:
                return parameter(replace(self.core, base=base[1:]))
        return None


def parameter(ref: Ref) -> Ref:
    """A parameter whatever its time: without marks, steps, and labels such as new and old."""
    base, *labels = ref.base.split("_")
    slots = tuple(slot for slot in ref.slots if slot[0] != "time")
    return Ref("_".join([base, *(x for x in labels if x not in VARIANTS)]), slots, ref.subs, span=ref.span)


def is_parameter(ref: Ref) -> bool:
    return core(ref.base) in PARAMETER_LETTERS or (core(ref.base) in REGRESSED and bool(ref.subs))


def step(head: Node, op: str, member: Node) -> Step | None:
    """The step of an update; None where this is no update, or one of several terms: momentum, weight decay."""
    if isinstance(head, Prime) and isinstance(head.base, Name):  # w' for the new w
        head = Ref(head.base.base, span=head.span)
    if not isinstance(head, Ref):
        return None
    of, terms = parameter(head), [*_terms(member)]
    change = of.base.startswith("Delta ")
    if change:
        of = replace(of, base=of.base.removeprefix("Delta "))
    elif op in ("+=", "-="):
        terms = [(sign if op == "+=" else -sign, term) for sign, term in terms]
    else:
        rest = [(sign, term) for sign, term in terms if not (isinstance(term, Ref) and parameter(term) == of)]
        if len(rest) != len(terms) - 1 or len(terms) != 2 or terms[0] in rest:
            return None
        terms = rest
    if len(terms) != 1:
        return None
    sign, term = terms[0]
    if not (is_parameter(of) or change or (sign < 0 and _next(head) and mentions(term, "eta"))):
        return None
    at = member.terms[0].span[1] if isinstance(member, Plus) else head.span[1]
    found = _step(of, sign, term, (at, term.span[0] + 1))
    found = found and replace(found, change=change)
    renewed = op not in ("=", ":=") or any(isinstance(part, Ref) and part == head for part in member.walk())
    return found if found and (renewed or found.rate or found.wrt) else None


def _next(head: Ref) -> bool:
    """Whether something is of the step t + 1: by c_{t+1} = c_t - η e(t), c is a parameter whatever its letter."""
    return any(
        isinstance(slot, Plus) and slot.terms[1:] == (Number("1"),) for kind, slot in head.slots if kind == "time"
    )


def _step(of: Ref, sign: int, term: Node, at: Span) -> Step | None:
    factors, ops = (term.factors, term.ops) if isinstance(term, Times) else ((term,), ())
    gradient = any(isinstance(factor, Gradient) for factor in factors)
    kept, joints, scalars = list[Node](), list[str](), list[Node]()
    for op, factor in zip(("", *ops), factors, strict=True):
        if _scalar(factor):
            scalars.append(factor)
        elif gradient and isinstance(factor, Ref) and parameter(factor) == of:
            continue  # ∇J(w): the argument of J
        else:
            kept.append(factor)
            joints.append(op)
    if not kept:
        return None
    core = (
        kept[0] if len(kept) == 1 else Times(tuple(kept), tuple(joints[1:]), span=(kept[0].span[0], kept[-1].span[1]))
    )
    rates = [s for s in scalars if any(isinstance(p, Ref) and p.base in RATES for p in s.walk())]
    return Step(of, sign, at, bool(rates), tuple(s for s in scalars if s not in rates), core)


def _terms(node: Node, sign: int = 1) -> Iterator[tuple[int, Node]]:
    """The terms of a sum with their signs, parentheses and minuses resolved."""
    match node:
        case Negative(body=body):
            yield from _terms(body, -sign)
        case Plus(terms=terms, signs=signs):
            for s, term in zip(signs, terms, strict=True):
                yield from _terms(term, s * sign)
        case Times(factors=(Negative(body=body), *rest), ops=ops):
            yield -sign, replace(node, factors=(body, *rest), ops=ops)
        case _:
            yield sign, node


def _scalar(node: Node) -> bool:
    """Numbers and learning rates."""
    match node:
        case Number():
            return True
        case Ref(base=base, subs=(Name(),), slots=()):
            return base in RATES  # the γ_r of the step r
        case Ref(base=base, subs=(), slots=slots):
            return base in RATES or (base in ("m", "N", "n", "B") and not slots)
        case Quotient(over=over, under=under):
            return _scalar(over) and _scalar(under)
        case Power(base=base):
            return _scalar(base)
        case Times(factors=factors):
            return all(_scalar(factor) for factor in factors)
    return False
