r"""Rules of matrix algebra: tr(ABC) = tr(CAB) is said of any matrices, whatever the net of the lesson means by A."""

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.usage import ACTIVATION_NAMES
from oracle.lesson.meaning.values import REFUSED
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Call, Derivative, Gradient, Name, Node

ANY_MATRICES = "the letters are any matrices"
RULED = {"tr", "Tr", "trace", "inner", "vec", "diag", "sum", PREFIX, *ACTIVATION_NAMES}
"""Functions that such rules are of."""


def of_any_matrices(nets: Nets, head: Node, member: Node) -> bool:
    """Whether two sides are a rule of matrix algebra, and agree for any matrices that fit."""
    if not _is_rule(head) or not _is_rule(member):
        return False
    program = Program(nets.program.notation, vectors=True, declared=_ranks(head) | _ranks(member))
    world = World(program, infer=True)
    try:
        with world.fresh(head, member):
            world.algebra.elementwise(max, world.value(head, {}), world.value(member, {}), "the two sides")
    except REFUSED:
        return False
    return nets.of(program).judge(head, member).right


def _is_rule(side: Node) -> bool:
    """Whether a formula is made of whole matrices alone, whose letters are capitals."""
    parts = list(side.walk())
    calls = (part for part in parts if isinstance(part, Call))
    known = all(any(isinstance(n, Name) and n.base in RULED for n in call.function.walk()) for call in calls)
    whole = all(_matrix(part) for part in parts if isinstance(part, Ref))
    return known and whole and not any(isinstance(part, Derivative | Gradient) for part in parts)


def _matrix(ref: Ref) -> bool:
    letter = ref.base.removeprefix(PREFIX)
    return not ref.subs and not ref.slots and letter.isupper() and len(letter) == 1


def _ranks(side: Node) -> dict[str, int]:
    return {part.base.removeprefix(PREFIX): 2 for part in side.walk() if isinstance(part, Ref)}
