r"""Forward equations that nobody here understands: a pooling layer is some function of what stands in it.

What the net does above and below such a layer can be judged all the same.
"""

from dataclasses import replace

from oracle.lesson.judging import assignments
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.meaning.values import BeyondError, IllTypedError, NotUnderstoodError
from oracle.lesson.meaning.world import World
from oracle.lesson.syntax import Call


def arbitrary(world: World, broken: Definition) -> list[Definition]:
    """a^2 as any function of a^1, where a^2 = max_{u,v} a^1_{si+u,sj+v} means nothing; none where it is ill-typed."""
    heads = {(d.head.base, d.head.kinds) for d in world.program.definitions if d is not broken}
    used = (part for part in broken.body.walk() if isinstance(part, Ref) and (part.base, part.kinds) in heads)
    args = tuple(dict.fromkeys(replace(ref, subs=()) for ref in used if ref.slots != broken.head.slots))
    needed = any(
        isinstance(part, Ref) and (part.base, part.slots) == (broken.head.base, broken.head.slots)
        for d in world.program.definitions if d is not broken for part in d.body.walk()
    )  # fmt: skip
    function = isinstance(broken.body, Call) and bool(broken.number)
    if not (args and needed and function) or _is_ill_typed(world, broken):
        return []
    return [replace(broken, body=Unsaid(args, span=broken.body.span), others=())]


def _is_ill_typed(world: World, broken: Definition) -> bool:
    for env in assignments(world.program, (broken.head, broken.body)):
        try:
            with world.fresh(broken.head, broken.body):
                world.value(broken.body, env)
        except IllTypedError:
            return True
        except (NotUnderstoodError, BeyondError):
            continue
    return False
