r"""Nets with one output unit in a lesson of batches: L = 1/m Σ_i (ŷ_i - y_i)², where ŷ = σ(A W + b) has a row a sample.

Then ŷ_i is a number, so that ŷ, and what it is compared with, has one column. And the y of o_j = y is all that
the last layer has; so is a^2 ∈ ℝ^1.
"""

from collections.abc import Iterable, Iterator

from oracle.lesson.meaning.columns import is_batch
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, letters
from oracle.lesson.meaning.program import Definition, Program, is_target
from oracle.lesson.meaning.values import REFUSED
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Name, Node, Number, Plus, Power, Relation, Sum, Times


def declare_columns(program: Program) -> None:
    """Note that targets have two axes, and that the second of them and of the prediction is of size one."""
    pairs = {pair for d in program.definitions if program.is_loss(d.head.base) for pair in _compared(d.body)}
    for prediction, target in pairs:
        made = next((d for d in program.definitions if d.head == prediction), None)
        if made is None or not any(_of_batch(part) for part in made.body.walk()) or program.defines(target.base, ()):
            continue
        try:
            shape = World(program, infer=True).whole(prediction, {}).shape
        except REFUSED:
            continue
        if len(shape) == 2:
            program.declared[target.base] = 2
            program.units.append(shape[1])


def declare_single(program: Program, bodies: Iterable[Node]) -> None:
    """Note that the last layer has one unit, in a lesson that says o_j = y of it, or W^2 ∈ ℝ^{1×3}."""
    for ref, axes in filter(None, map(_told, bodies)):
        try:
            shape = World(program, infer=True).whole(ref, {}).shape
        except REFUSED:
            continue
        if len(shape) == axes:
            program.units.append(shape[0])
    single = program.notation.any_unit.single
    for d in program.definitions:
        match d:
            case Definition(head=Ref(base=y), body=Sum(body=Ref(subs=(Name(),)) as output)) if single and y == single:
                try:
                    shape = World(program, infer=True).whole(output, {}).shape
                except REFUSED:
                    continue
                program.units.append(shape[0])


def declare_targets_of_numbers(program: Program) -> None:
    """Note that the y of E = Σ_l (y^{(l)} - ŷ^{(l)})^2 is a number where ŷ is one, whatever has a y_j elsewhere."""
    losses = [d for d in program.definitions if program.is_loss(d.head.base)] if program.vectors else []
    for loss, part in ((d, part) for d in losses for part in d.body.walk()):
        match part:
            case Plus(terms=(Ref(subs=()) as one, Ref(subs=()) as other), signs=(1, -1)) if one.slots == other.slots:
                for target, made in ((one, other), (other, one)):
                    open_to = is_target(target.base) and not program.defines(target.base, target.kinds)
                    if open_to and program.rank(target.base, 0) == 1 and _is_number(made, loss, program):
                        program.declared[target.base] = 0
                        program.shapes |= {key: () for key in program.shapes if key[0] == target.base}


def _is_number(made: Ref, loss: Definition, program: Program) -> bool:
    """Whether a loss is made of one number of each sample."""
    env = {name: 1 for _, slot in made.slots for name in letters(slot)}
    world = World(program, infer=True)
    try:
        world.value(loss.head, env)
        found = world.value(made, env)
    except REFUSED:
        return False
    return program.defines(made.base, made.kinds) and not found.shape and not found.names


def _told(body: Node) -> tuple[Ref, int] | None:
    """What is said to have one row, of one layer whose number is written, and its axes: 2 of W^2 ∈ ℝ^{1×3}."""
    match body:
        case Relation(
            items=(Ref(slots=((_, Number()),), subs=()) as ref, Power(base=Ref("bb R"), exponent=size)), ops=("in",)
        ):
            sizes = size.factors if isinstance(size, Times) else (size,)
            return (ref, len(sizes)) if sizes[0] == Number("1") else None
    return None


def _compared(body: Node) -> Iterator[tuple[Ref, Ref]]:
    """The ŷ and y of Σ_i (ŷ_i - y_i)², which have this one index each."""
    for total in (part for part in body.walk() if isinstance(part, Sum) and len(part.indices) == 1):
        entries = [part for part in total.body.walk() if isinstance(part, Ref) and part.subs == total.indices]
        bases = list(dict.fromkeys(Ref(part.base) for part in entries if not part.slots))
        targets = [ref for ref in bases if is_target(ref.base)]
        if len(bases) == 2 and len(targets) == 1:
            yield next(ref for ref in bases if ref not in targets), targets[0]


def _of_batch(part: Node) -> bool:
    """Whether a symbol is a matrix of all samples: the Z_2 of ŷ = σ(Z_2)."""
    whole = isinstance(part, Ref) and not part.subs and is_batch(part.base)
    return whole and isinstance(part, Ref) and letter(part.base) not in PARAMETER_LETTERS
