r"""Formulas by any parameter: $\partial J/\partial\Theta = \frac1N \sum_n \partial L_n/\partial\Theta$."""

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.copies import ANY
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.syntax import Derivative, Gradient, Node, replaced

ANY_PARAMETER = "what is differentiated by is any parameter"


def of_any_parameter(nets: list[Nets], head: Node, member: Node, number: int) -> bool:
    """Whether two sides agree in a net of the lesson, with a parameter for a Θ that no forward equation has."""
    return any(_agree(net, head, member, number) for net in nets)


def _agree(nets: Nets, head: Node, member: Node, number: int) -> bool:
    every = {wrt for side in (head, member) for wrt in _by(side) if core(wrt.base) in {*ANY, *PARAMETER_LETTERS}}
    names = {wrt for wrt in every if core(wrt.base) in ANY and not wrt.slots + wrt.subs}
    if len(every) != 1 or len(names) != 1 or nets.program.knows(core((name := names.pop()).base)):
        return False
    bodies = (part for d in nets.program.definitions for part in d.body.walk())
    known = (part for part in bodies if isinstance(part, Ref) and core(part.base) in PARAMETER_LETTERS)
    parameter = next((part for part in known if not part.subs), None)
    if parameter is None:
        return False
    left, right = (replaced(side, {name: parameter}) for side in (head, member))
    return nets.judge(left, right, number).right


def _by(node: Node) -> list[Ref]:
    """What a formula differentiates by."""
    found = [wrt for part in node.walk() if isinstance(part, Derivative) for wrt in part.wrt]
    found += [part.wrt for part in node.walk() if isinstance(part, Gradient) and part.wrt is not None]
    return [wrt for wrt in found if isinstance(wrt, Ref)]
