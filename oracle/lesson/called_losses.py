r"""What a loss's arguments are: L(\hat y, y) = …, and J = \frac1m Σ_i L(f(x^{(i)}), y^{(i)}) says that \hat y is f(x).

A loss that is called with quantities of samples and written out nowhere is an arbitrary function of them.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.syntax import Call, Name, Node, Relation, Sum


def filled(bodies: Iterable[Relation], program: Program) -> list[Definition]:
    """Definitions of the arguments of losses, and of losses themselves, that only their calls tell."""
    given = list(bodies)
    made = {d.head.base for d in program.definitions}
    equal = [body.items[0] for body in given if body.ops[0] in ("=", ":=")]
    heads = {_loss(head): head.args for head in equal if isinstance(head, Call)}
    found: dict[Ref, set[Node]] = {}
    losses: dict[str, set[tuple[Node, ...]]] = {}
    for call in _added(given):
        name, args = _loss(call), tuple(_of_any(arg) for arg in call.args)
        if name in heads and name in made and len(args) == len(heads[name]):
            for of, arg in zip(heads[name], args, strict=True):
                if isinstance(of, Ref) and not of.slots and not of.subs and of != arg and of.base not in made:
                    found.setdefault(of, set()).add(arg)
        elif name not in made and name not in program.functions:
            losses.setdefault(name, set()).add(args)
    arguments = [Definition(of, several.pop()) for of, several in found.items() if len(several) == 1]
    return arguments + [
        Definition(Ref(base), _any(several.pop())) for base, several in losses.items() if len(several) == 1
    ]


def _any(args: tuple[Node, ...]) -> Unsaid:
    return Unsaid(tuple(arg for arg in args if isinstance(arg, Ref)), True)


def _added(bodies: list[Relation]) -> Iterable[Call]:
    """The losses that are added up over samples, all of whose arguments are quantities."""
    for part in (part for body in bodies for item in body.items[1:] for part in item.walk()):
        if isinstance(part, Sum):
            for call in part.body.walk():
                if (
                    isinstance(call, Call)
                    and _loss(call)
                    and all(isinstance(arg, Ref) for arg in call.args)
                    and any(map(_sampled, call.args))
                ):
                    yield call


def _loss(call: Call) -> str:
    """The name of the loss that a call is of; "" of any other."""
    return call.function.base if isinstance(call.function, Name) and call.function.base in LOSSES else ""


def _sampled(node: Node) -> bool:
    return isinstance(node, Ref) and "sample" in node.kinds


def _of_any(node: Node) -> Node:
    """A quantity without its sample."""
    return replace(node, slots=tuple(s for s in node.slots if s[0] != "sample")) if isinstance(node, Ref) else node
