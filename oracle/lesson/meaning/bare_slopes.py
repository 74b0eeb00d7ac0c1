r"""Slopes without their argument: the (f^l)′ of δ^l = (f^l)′ ⊙ …, and σ_m′ beside a^m = σ_m(r^m)."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.syntax import Call, Indexed, Name, Node, Power, Prime, Tagged, rebuilt


def bare_slope(program: Program, node: Prime) -> Call | None:
    """The slope at what the forward equations apply the function to; None where they apply it to nothing, or twice."""
    plain = isinstance(node.base, Name)
    bodies = [d.body for d in program.definitions if not plain or d.head.kinds in ((), ("sample",))]
    calls = [body for body in bodies if isinstance(body, Call) and len(body.args) == 1]
    same = [call for call in calls if call.function == node.base]
    found = list(dict.fromkeys(same or [moved for call in calls if (moved := _moved(call, node.base))]))
    return replace(found[0], function=replace(node, base=found[0].function)) if len(found) == 1 else None


def _moved(call: Call, function: Node) -> Call | None:
    """f^l(z^l) as f^{l+1}(z^{l+1}), where that is the function; None where it is another one."""
    match call.function, function:
        case (Power(base=a, exponent=Name() as at), Power(base=b, exponent=there)) if a == b:
            return _at(call, at, there)
        case (Tagged(base=a, tag=Name() as at), Tagged(base=b, tag=there)) if a == b:
            return _at(call, at, there)
        case (Indexed(base=a, subs=(Name() as at,)), Indexed(base=b, subs=(there,))) if a == b:
            return _at(call, at, there)
    return None


def _at(node: Call, letter: Name, there: Node) -> Call:
    """A call in which another layer or unit stands for a letter."""
    made = _replaced(node, letter, there)
    assert isinstance(made, Call)
    return made


def _replaced(node: Node, letter: Name, there: Node) -> Node:
    if isinstance(node, Ref):
        slots = tuple((kind, there if slot == letter else slot) for kind, slot in node.slots)
        return replace(node, slots=slots, subs=tuple(there if sub == letter else sub for sub in node.subs))
    if node == letter:
        return there
    return rebuilt(node, lambda child: _replaced(child, letter, there))
