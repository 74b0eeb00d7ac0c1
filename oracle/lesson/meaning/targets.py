r"""The targets of a lesson that writes its loss as -log p_c: t_j is 1 where j is the class c, and 0 elsewhere."""

from collections.abc import Collection, Iterable

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref, is_class
from oracle.lesson.meaning.program import Definition, Program, is_target
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.meaning.values import REFUSED
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Call, Cases, Name, Node, Number, Relation, Times

NAMES = ("t", "y", "target")


def is_label(head: Ref, member: Node) -> bool:
    """Whether y_i = 1 where i = c, and 0 otherwise, says how the label of a sample is written."""
    match member:
        case Cases(values=(Number(text="1"), Number(text="0")), conditions=(Relation(items=(a, b), ops=("=",)), _)):
            indices = {sub.base for sub in head.subs if isinstance(sub, Name)}
            return len([side for side in (a, b) if getattr(side, "base", "") in indices]) == 1
    return False


def dotted_targets(definitions: Iterable[Definition], indexed: Collection[tuple[str, int]]) -> dict[str, int]:
    """Targets that are vectors, because a loss multiplies them with one: the t of L = -t · log y beside y_k."""
    found: dict[str, int] = {}
    bodies = [body for d in definitions if d.head.base in LOSSES for body in (d.body, *d.others)]
    for part in (part for body in bodies for part in body.walk()):
        match part:
            case Times(factors=(Ref(base=target, slots=(), subs=()), other), ops=("cdot",)) if is_target(target):
                of = other.args[0] if isinstance(other, Call) and len(other.args) == 1 else other
                if isinstance(of, Ref) and not of.subs and (of.base, 1) in indexed:
                    found[target] = 1
    return found


def declare_targets(program: Program, usage: Usage) -> None:
    """Note that such a target has an entry for every class, where no forward equation has it."""
    used = {ref.base for ref in usage.refs if len(ref.subs) < 2 and not ref.slots} & {*NAMES}
    free = [base for base in used if not program.defines(base, ()) and (base, (), ()) not in program.shapes]
    for ref in (part for d in program.definitions for part in d.body.walk() if free and isinstance(part, Ref)):
        if len(ref.subs) == 1 and is_class(ref.subs[0]):
            try:
                shape = World(program, infer=True).whole(Ref(ref.base, ref.slots), {}).shape
            except REFUSED:
                continue
            if shape:
                program.shapes |= {(base, (), ()): shape[:1] for base in free}
                return


def fix_sizes(program: Program) -> None:
    """Note how large the vectors are of which sums have all entries written out."""
    for base, count in program.notation.written.items():
        try:
            shape = World(program, infer=True).whole(Ref(base), {}).shape
        except REFUSED:
            continue
        program.fixed |= {shape[0].root(): count} if len(shape) == 1 else {}
