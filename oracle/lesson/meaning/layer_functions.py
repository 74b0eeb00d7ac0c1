r"""Functions of single layers: $f^1(n) = 1/(1+e^{-n})$ and $f^2(n) = n$ in a lesson whose layers have $a^m = f^m(n^m)$.

Each goes by a name of its own, f_1 and f_2, and makes its layer's quantity where it is defined.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Definition, FunctionDefinition, called
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Name,
    Node,
    Number,
    Power,
    Prime,
    Relation,
    Statement,
    Tagged,
    rebuilt,
)

Numbered = tuple[str, str]
"""The f and 1 of f^1."""


def numbered(statements: Iterable[Statement]) -> set[Numbered]:
    """The functions of single layers that a lesson defines, or says the slope of; none where none is of every layer."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    calls = [node for body in bodies for node in body.walk() if isinstance(node, Call)]
    layered = {name for call in calls if (name := _of_every_layer(call.function))}
    heads = {found for body in bodies if (found := _numbered(body.items[0])) and body.ops[0] in ("=", ":=")}
    return {(name, number) for name, number in heads if name in layered}


def with_numbers(statement: Statement, names: Collection[Numbered]) -> Statement:
    """A statement in which such functions have names of their own."""
    return replace(statement, body=_renamed(statement.body, names)) if names else statement


def of_slope(head: Node, member: Node, number: int) -> FunctionDefinition | None:
    """The function whose slope is said to be that of a formula: f'(n) = d/dn (1 / (1 + e^{-n}))."""
    match head, member:
        case Call(function=Prime(base=Name(base=f), order=1), args=(Ref() as x,)), Derivative(of=of, wrt=(by,)):
            inside = any(isinstance(part, Call) and called(part) == f for part in of.walk())
            return FunctionDefinition(f, (x,), of, number) if by == x and not inside else None
    return None


def of_layers(definitions: Iterable[Definition], functions: Mapping[str, list[FunctionDefinition]]) -> list[Definition]:
    """a^1 = f_1(n^1), beside a^m = f^m(n^m)."""
    found: list[Definition] = []
    for d in definitions:
        match d.head, d.body:
            case Ref(slots=(("layer", slot),)), Call(args=(Ref(slots=(("layer", other),)) as arg,)) as call:
                for k in _layers(called(call), functions) if slot == other and letters(slot) else ():
                    there = (("layer", Number(str(k))),)
                    body = Call(Name(f"{called(call)}_{k}"), (replace(arg, slots=there),), span=call.span)
                    found.append(Definition(replace(d.head, slots=there), body, d.number))
    return found


def _layers(name: str, functions: Mapping[str, list[FunctionDefinition]]) -> list[int]:
    """The layers that have a function of this name of their own."""
    labels = [other.removeprefix(name + "_") for other in functions if other.startswith(name + "_")]
    return sorted(int(label) for label in labels if label.isdigit())


def depth(functions: Mapping[str, list[FunctionDefinition]], here: Collection[int]) -> int:
    """How many layers a section has that says what function each has; 0 where none does."""
    names = {name.partition("_")[0] for name, found in functions.items() if any(f.number in here for f in found)}
    layers = [_layers(name, functions) for name in names]
    return max(
        (len(found) for found in layers if found == list(range(1, len(found) + 1)) and len(found) > 1), default=0
    )


def _of_every_layer(function: Node) -> str:
    """The f of f^m."""
    match function:
        case Power(base=Name(base=f), exponent=script) | Tagged(base=Name(base=f), tag=script):
            return f if letters(script) else ""
    return ""


def _numbered(node: Node) -> Numbered | None:
    """The f and 1 of f^1(n), and of its slope."""
    match node:
        case Power(base=Call(function=Name(base=f) | Prime(base=Name(base=f))), exponent=Number(text=k)):
            return f, k
        case Call(function=Tagged(base=Name(base=f), tag=Number(text=k))):
            return f, k
        case Call(function=Prime(base=Power(base=Name(base=f), exponent=Number(text=k)))):
            return f, k
    return None


def _renamed(node: Node, names: Collection[Numbered]) -> Node:
    node = rebuilt(node, lambda child: _renamed(child, names))
    match node:
        case Power(base=Call(function=Name(base="diag"), args=(Call() as inner,)) as whole, exponent=Number()):
            if _numbered(power := replace(node, base=inner)) in names:
                return replace(whole, args=(_renamed(power, names),), span=node.span)
    if (found := _numbered(node)) in names and found:
        call = node.base if isinstance(node, Power) else node
        assert isinstance(call, Call)
        name: Node = Name("_".join(found), span=call.function.span)
        sloped = isinstance(call.function, Prime)
        return replace(call, function=Prime(name) if sloped else name, span=node.span)
    return node
