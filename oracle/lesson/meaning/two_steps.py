r"""Error signals of two steps: $\delta_k^{(t)} = \partial E_t / \partial z_k$ is of what comes before the loss.

So is $\delta_k = \partial E_t / \partial z_k$, where the step of the loss is some t that stays the same. Such a
symbol is written out wherever it is used. Where the step comes after that of the loss, it means nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Env, Program
from oracle.lesson.meaning.values import NotUnderstoodError
from oracle.lesson.syntax import Derivative, Name, Node, Relation, Statement, Sum, rebuilt

Signals = Mapping[str, tuple[Ref, Derivative]]
"""By name, how a signal is written, and of which partial it stands."""


def two_steps(statements: Iterable[Statement]) -> Signals:
    """The signals of two steps that a lesson defines."""
    found: dict[str, tuple[Ref, Derivative]] = {}
    for body in (s.body for s in statements):
        match body:
            case Relation(items=(Ref() as head, Derivative(of=Ref() as of, wrt=(Ref() as wrt,)) as partial, *_)):
                steps = [slot for ref in (of, wrt) for kind, slot in ref.slots if kind == "time"]
                plain = all(isinstance(slot, Name) for slot in steps) and of.kinds == wrt.kinds == ("time",)
                counted = {*steps, *wrt.subs} if len(_places(head)) > 1 + len(wrt.subs) else {*_places(wrt)}
                told = {*_places(head)} == counted and len(_places(head)) == len(counted)
                if plain and told and steps[0] != steps[1] and not of.subs:
                    found.setdefault(head.base, (head, partial))
    return found


def written_out(statement: Statement, signals: Signals) -> Statement:
    """A statement with the partials that such signals stand for; what only defines one stays as it is."""
    body = statement.body
    defines = isinstance(body, Relation) and signals.get(_base(body.items[0]), ())[1:] == body.items[1:]
    if not signals or defines:
        return statement
    return replace(statement, body=_written(body, signals))


def _base(node: Node) -> str:
    return node.base if isinstance(node, Ref) else ""


def _written(node: Node, signals: Signals) -> Node:
    if not isinstance(node, Ref) or node.base not in signals:
        return rebuilt(node, lambda child: _written(child, signals))
    head, partial = signals[node.base]
    alike = node.kinds == head.kinds and len(node.subs) == len(head.subs)
    old, new = (_places(ref) if alike else _in_order(ref) for ref in (head, node))
    entry = new[len(old) :]  # the i of [δ_{t,k}]_i
    if len(old) > len(new):
        return node
    there = dict(zip(old, new, strict=False))
    (of, wrt) = (replace(ref, slots=tuple((kind, there.get(slot, slot)) for kind, slot in ref.slots), span=node.span,
                         subs=tuple(there.get(sub, sub) for sub in ref.subs))
                 for ref in (partial.of, partial.wrt[0]) if isinstance(ref, Ref))  # fmt: skip
    return replace(partial, of=of, wrt=(replace(wrt, subs=(*wrt.subs, *entry)),), sign="total", span=node.span)


def _places(ref: Ref) -> tuple[Node, ...]:
    """All that stands above and below a symbol."""
    return (*(slot for _, slot in ref.slots), *ref.subs)


def _in_order(ref: Ref) -> tuple[Node, ...]:
    """The t and k of δ_{t,k} as they are written, whichever of them is taken for a step."""
    return tuple(sorted(_places(ref), key=_start))


def _start(node: Node) -> int:
    """Where a script begins."""
    return min((part.span[0] for part in node.walk() if part.span[1]), default=0)


def ahead(program: Program, env: Env, *formulas: Node) -> bool:
    """Whether formulas take the partial of a loss by what comes after it: ∂E_t/∂z_k, where k > t."""
    for loss, state in (pair for formula in formulas for pair in _partials(formula)):
        try:
            if program.number(loss, env, "time") < program.number(state, env, "time"):
                return True
        except NotUnderstoodError:
            continue
    return False


def _partials(node: Node) -> Iterator[tuple[Node, Node]]:
    """The t and k of ∂E_t/∂z_k outside of all sums."""
    match node:
        case Sum():
            return
        case Derivative(of=Ref(base=loss, slots=(("time", t),)), wrt=(Ref(slots=(("time", k),)),)) if loss in LOSSES:
            yield t, k
    for child in node.children():
        yield from _partials(child)
