r"""Rules of matrix algebra: tr(ABC) = tr(CAB) is said of any matrices, whatever the net of the lesson means by A.

And (s ⊙ t)_j = s_j t_j is said of any vectors.
"""

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.usage import ACTIVATION_NAMES
from oracle.lesson.meaning.values import REFUSED
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Call, Derivative, Gradient, Indexed, Name, Node, Times

ANY_MATRICES = "the letters are any matrices"
RULED = {"tr", "Tr", "trace", "inner", "vec", "diag", "sum", PREFIX, *ACTIVATION_NAMES}
"""Functions that such rules are of."""


def of_any_matrices(nets: Nets, head: Node, member: Node) -> bool:
    """Whether two sides are a rule of matrix algebra, and agree for any matrices that fit."""
    vectors = _of_vectors(nets.program, head, member)
    if not vectors and not (_is_rule(head) and _is_rule(member)):
        return False
    rank = 1 if vectors else 2
    program = Program(nets.program.notation, vectors=True, declared=_ranks(head, rank) | _ranks(member, rank))
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


def _of_vectors(program: Program, head: Node, member: Node) -> bool:
    """Whether a formula says of vectors that no net has what entries a product of them has: (s ⊙ t)_j = s_j t_j."""
    entry = isinstance(head, Indexed) and isinstance(head.base, Times) and not any(map(_known, member.walk()))
    refs = [part for side in (head, member) for part in side.walk() if isinstance(part, Ref)]
    match head:
        case Indexed(base=Times(ops=("odot",), factors=(Ref(subs=()), Ref(subs=())))):
            told = True  # whatever s and t are elsewhere
        case _:
            told = False
    return entry and all(len(ref.subs) <= 1 and not ref.slots and (told or not program.knows(ref.base)) for ref in refs)


def _known(part: Node) -> bool:
    return isinstance(part, Derivative | Gradient | Call)


def _ranks(side: Node, rank: int) -> dict[str, int]:
    return {part.base.removeprefix(PREFIX): rank for part in side.walk() if isinstance(part, Ref)}
