r"""What a lesson says of a function at any argument: σ′(a) = σ(a) (1 - σ(a)), in whatever net a is a vector."""

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.usage import WHOLE
from oracle.lesson.syntax import Call, Derivative, Name, Node, Prime, rebuilt

STEEPNESS = ("alpha", "beta", "gamma", "kappa", "lambda", "a", "b", "c", "k", "T")
"""What functions have beside their argument: tanh(βh)."""


def at_any_number(head: Node, member: Node) -> tuple[Node, Node] | None:
    """Both sides at a number of which nothing is known, where they are of one function's slope; None of all others.

    dσ(a)/da and σ′(a) say what the slope of σ is wherever nothing but that a stands on both sides.
    """
    argument = _argument(head)
    refs = {part for side in (head, member) for part in side.walk() if isinstance(part, Ref)}
    if argument is None or not refs <= {argument, *map(Ref, STEEPNESS)}:
        return None
    number = Ref(f"{argument.base}_number", span=argument.span)
    return _put(head, argument, number), _put(member, argument, number)


def _argument(head: Node) -> Ref | None:
    match head:
        case Call(args=(Ref() as argument,)) if _sloped(head) and not _of_vectors(head):
            return argument
        case Derivative(of=Call(args=(Ref() as argument,)) as of, wrt=(wrt,)) if wrt == argument:
            return None if _of_vectors(of) else argument
    return None


def _sloped(call: Call) -> bool:
    return any(isinstance(part, Prime) for part in call.function.walk())


def _of_vectors(call: Call) -> bool:
    """Whether a function needs all of a vector: a softmax is none of each entry."""
    return any(isinstance(part, Name) and part.base in WHOLE for part in call.function.walk())


def _put(node: Node, argument: Ref, number: Ref) -> Node:
    return number if node == argument else rebuilt(node, lambda child: _put(child, argument, number))
