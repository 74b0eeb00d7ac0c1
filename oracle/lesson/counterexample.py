"""A net of one unit in each layer, with small numbers, in which the two sides of a link differ."""

from oracle.lesson.formula import to_tex
from oracle.lesson.judging import FAR, Nets, assignments
from oracle.lesson.meaning.notation import Ref, unbound
from oracle.lesson.meaning.program import Env, Key
from oracle.lesson.meaning.values import REFUSED, Value
from oracle.lesson.meaning.world import World
from oracle.lesson.records import Counterexample, Sample
from oracle.lesson.syntax import Name, Node, Number

TRIES = 4
"""Nets of single units that are tried: with one unit a missing sum shows nothing."""


def counterexample(nets: Nets, head: Node, member: Node, left: str, right: str, line: int) -> Counterexample | None:
    """The first net in which the sides differ, in numbers that one can multiply by hand; None where none does."""
    for seed in range(TRIES):
        world = World(nets.program, nets.seed + seed, activation=nets.activations[0], single=True)
        world.begin(line, set())
        for env in assignments(nets.program, (head, member)):
            sides = _sides(world, head, member, env)
            if sides and abs(sides[0] - sides[1]) > FAR * max(1.0, *map(abs, sides)):
                net = tuple(_sample(key, world) for key in world.kept if _given(key, world))
                return Counterexample(net, Sample(left, _digits(sides[0])), Sample(right, _digits(sides[1])))
    return None


def _sides(world: World, head: Node, member: Node, env: Env) -> tuple[float, float] | None:
    try:
        with world.fresh(head, member):
            found = [world.value(side, env) for side in (head, member)]
    except (*REFUSED, RuntimeError):  # of torch: a net of single units may be none for this formula
        return None
    if any(value.data is None or value.data.numel() != 1 for value in found):
        return None
    return _number(found[0]), _number(found[1])


def _number(value: Value) -> float:
    assert value.data is not None
    return float(value.data.detach().reshape(()))


def _given(key: Key, world: World) -> bool:
    """Whether a quantity is drawn, not computed."""
    data = world.kept[key].data
    return data is not None and data.is_leaf and data.numel() == 1


def _sample(key: Key, world: World) -> Sample:
    base, family, slots = key
    ref = Ref(base, tuple(("layer", Number(str(n))) for n in slots), tuple(Name(letter) for letter in family))
    return Sample(to_tex(unbound(ref)), _digits(_number(world.kept[key])))


def _digits(number: float) -> str:
    return f"{number:.4g}"
