r"""Update rules judged: the gradient is that of the parameter that moves, and the step leads down the loss.

What cannot be proven is an update and nothing more: momentum, weight decay, a loss that nobody has defined.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from oracle.lesson.judging import Nets, assignments
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.quantities import indices
from oracle.lesson.meaning.steps import Step, is_parameter, step
from oracle.lesson.meaning.values import REFUSED
from oracle.lesson.meaning.world import World
from oracle.lesson.records import Equation, Link, Suggestion, Verdict
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Name,
    Negative,
    Node,
    Number,
    Quotient,
    Relation,
    Statement,
    Sum,
    Times,
)


@dataclass(frozen=True)
class Update:
    """What can be said of one update rule."""

    verdict: Verdict = "update"
    reason: str = ""
    place: tuple[int, int] = (0, 0)
    """Which part of the TeX is put right, where one is."""
    text: str = ""
    """What stands there then."""

    def repaired(self, tex: str) -> tuple[Suggestion, ...]:
        """The rule put right."""
        start, end = self.place
        if not self.text:
            return ()
        old = tex[start:end].strip()
        right = f"{tex[:start]}{self.text}{tex[end:]}"
        return (Suggestion("edit", right, f"put ${self.text.strip()}$ for ${old}$"),)


def renewed(equation: Equation, statements: Sequence[Statement], tex: str, nets: Nets) -> Equation:
    """An equation with its update rules judged, and put right where they are wrong."""
    links, repairs = list[Link](), equation.suggestions
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    pairs = [(body.items[0], op, m) for body in bodies for op, m in zip(body.ops, body.items[1:], strict=True)]
    for link, (head, op, member) in zip(equation.links, pairs, strict=False):
        said = updated(head, op, member, tex, nets, equation.number) if link.verdict == "update" else Update()
        repairs += () if link.deliberate else said.repaired(tex)
        links.append(structs.replace(link, verdict=said.verdict, reason=said.reason) if said.reason else link)
    return structs.replace(equation, links=(*links, *equation.links[len(links) :]), suggestions=repairs)


def updated(head: Node, op: str, member: Node, tex: str, nets: Nets, number: int) -> Update:
    """The verdict on one update rule."""
    found = step(head, op, member)
    if found is None:
        return Update()
    if (wrt := found.wrt) is not None and (words := _another(found.of, wrt, nets)):
        return Update("fails", words, *_renamed(found, tex))
    if letters := _foreign(found):
        return Update("ill-typed", f"the parameter has the indices {letters[0]}, and the step has {letters[1]}")
    named = found.change and not found.rate and nets.program.changes_are_gradients
    if not named and found.sign * _direction(found, nets, number) > 0:
        return Update(
            "fails", "the step leads up the loss, and descent goes against its gradient", *_turned(found, tex)
        )
    return Update()


# --------------------------------------------------------------------------------------------------- which parameter


def _another(of: Ref, wrt: Ref, nets: Nets) -> str:
    """Why a gradient is not that of the parameter that moves; "" where it is, or nobody knows."""
    aliases = nets.program.aliases
    ours, theirs = (aliases.get(ref.base, ref.base) for ref in (of, wrt))
    if not is_parameter(wrt) or {of.base.lower(), wrt.base.lower()} & {"theta"}:
        return ""
    if ours.lower() != theirs.lower():
        return f"{of.base} is moved along the gradient by {wrt.base}"
    alike = of.kinds == wrt.kinds and len(of.subs) == len(wrt.subs)
    if alike and (of.slots != wrt.slots or of.subs != wrt.subs):
        return f"the gradient is by another {wrt.base} than the one that moves"
    return ""


def _renamed(found: Step, tex: str) -> tuple[tuple[int, int], str]:
    """The right parameter in the gradient."""
    name = tex[slice(*found.of.span)].strip()
    match found.core:
        case Derivative(wrt=(wrt,)) | Gradient(wrt=Ref() as wrt):
            return wrt.span, name
        case Ref(span=span):
            return span, f"d{name}"
    return (0, 0), ""


def _foreign(found: Step) -> tuple[str, str] | None:
    """The indices of a parameter, and as many others of its step: w_{kj} and δ_k x_i."""
    if any(isinstance(part, Sum) for part in found.core.walk()) or not found.of.subs:
        return None
    ours = {sub.base for sub in found.of.subs if isinstance(sub, Name)}
    theirs = indices(found.core)
    if len(ours) != len(found.of.subs) or len(theirs) != len(ours) or theirs == ours or not ours & theirs:
        return None
    return ", ".join(sorted(ours)), ", ".join(sorted(theirs))


# ----------------------------------------------------------------------------------------------------- which direction


def _direction(found: Step, nets: Nets, number: int) -> int:
    """1 where the step's body is the gradient of a loss that is to be small, -1 where its opposite; 0 if unproven."""
    match found.core:
        case Derivative(of=of) | Gradient(of=of):
            loss = _named(of)
            return int(_alone(nets) or (loss is not None and _is_small(loss, nets, number)))
        case _ if found.wrt is not None:
            signal = nets.program.signal(found.core) if isinstance(found.core, Ref) else None
            return int(_alone(nets) or (signal is not None and _is_small(signal.loss, nets, number)))
    losses = {d.head for d in nets.program.definitions if d.number and d.head.base in LOSSES and not d.head.subs}
    one = {replace(loss, slots=()) for loss in losses if loss.kinds in ((), ("sample",))}
    for loss in one if _certain(found, nets) else ():
        if _is_small(loss, nets, number):
            for sign in (1, -1):
                if any(_agrees(Derivative(loss, (found.of,)), body, nets, number) for body in _bodies(found, sign)):
                    return sign
    return 0


def _alone(nets: Nets) -> bool:
    """Whether one step of the lesson goes along its gradient, and all others against theirs."""
    return nets.program.ascents == 1 and nets.program.descents > 1


def _named(of: Node) -> Ref | None:
    """The loss that is differentiated: L, or J(W, b)."""
    match of:
        case Ref(slots=()):
            return of
        case Call(function=Name(base=base)):
            return Ref(base)
    return None


def _is_small(loss: Ref, nets: Nets, number: int) -> bool:
    """Whether a loss is one to be made small: the lesson defines it, and it is positive in every net."""
    own = [d for d in nets.program.definitions if d.head.base == loss.base and d.number]
    products = any(isinstance(part, Sum) and part.product for d in own for part in d.body.walk())
    values = [value for world in nets for value in _values(loss, world, nets, number)] if own and not products else []
    return bool(values) and min(values) > 0


def _values(loss: Ref, world: World, nets: Nets, number: int) -> list[float]:
    world.begin(number, set())
    found: list[float] = []
    for env in assignments(nets.program, (loss,)):
        try:
            with world.fresh(loss):
                data = world.value(loss, env).data
        except (*REFUSED, RuntimeError):  # RuntimeErrors are torch's, or of Python's stack
            continue
        found += [] if data is None else data.detach().reshape(-1).tolist()
    return found


def _certain(found: Step, nets: Nets) -> bool:
    """Whether the lesson says itself of which partial each error signal of a step is."""
    signals = [nets.program.signal(part) for part in found.core.walk() if isinstance(part, Ref)]
    return all(signal is None or signal.said for signal in signals)


def _bodies(found: Step, sign: int) -> list[Node]:
    """What a step goes along, with and without its numbers: a sum over samples, or their mean."""
    whole = Times((*found.numbers, found.core), ("",) * len(found.numbers)) if found.numbers else found.core
    halves = [Times((number, found.core), ("",)) for number in (Number("2"), Quotient(Number("1"), Number("2")))]
    return [body if sign > 0 else Negative(body) for body in (found.core, whole, *halves)]


def _agrees(head: Node, body: Node, nets: Nets, number: int) -> bool:
    outcome = nets.judge(head, body, number)
    return outcome.right


def _turned(found: Step, tex: str) -> tuple[tuple[int, int], str]:
    """The other sign, where one is written."""
    start, end = found.at
    at = next((k for k in range(start, end) if tex[k] in "+-"), -1)
    if at < 0 or sum(sign in "+-" for sign in tex[start:end]) > 1:
        return (0, 0), ""
    return (at, at + 1), "-" if tex[at] == "+" else "+"
