r"""A section that writes small letters for all samples: dz = A - Y and dW = 1/m dz x^T after z = W x + b.

It has the capitals of what is computed in small letters, and no equation for them: both are one there.
"""

from dataclasses import replace

from oracle.lesson.meaning.columns import capital, is_batch
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core, letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import SCALARS, Program
from oracle.lesson.meaning.stacks import COUNTS
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Node, rebuilt

ENDS = {"x", "y", "t", "o", "p"}
"""What inputs, targets and outputs are called, which have no layer."""


def of_all_samples(own: Program, here: Usage) -> Program | None:
    """The lesson's program with capitals for small letters; None where this section mixes none, or has both."""
    parts = [part for d in own.definitions for part in (d.head, *d.body.walk()) if isinstance(part, Ref)]
    names = {part.base for part in parts if part.kinds == ("layer",) or letter(part.base) in ENDS}
    made = {(d.head.base, d.head.slots) for d in own.definitions if d.head.kinds == ("layer",)}
    lacking = {capital(base) for base, slots in made if (capital(base), slots) not in made}
    given = {part.base for part in parts} - {d.head.base for d in own.definitions}  # the A of z = A a + b is a weight
    used = {ref.base for ref in here.refs if "layer" in ref.kinds and is_batch(ref.base)} - LOSSES - given
    if not used & lacking or not _averages(here):
        return None
    computed = {base: capital(base) for base in names if _of_samples(base)}
    definitions = [replace(d, head=_named(d.head, computed), body=_put(d.body, computed)) for d in own.definitions]
    once = {(d.head, d.head.subs): d for d in reversed(definitions)}
    definitions = [d for d in definitions if once[d.head, d.head.subs] is d]
    return replace(own, definitions=definitions, aliases={**own.aliases, **computed})


def _averages(here: Usage) -> bool:
    """Whether a number of samples stands in the section."""
    return any(ref.base in COUNTS and not ref.slots and not ref.subs for ref in here.refs)


def _of_samples(base: str) -> bool:
    """Whether a small letter is another for each sample."""
    plain = core(base)[-1:].islower() and len(letter(base)) == 1
    return plain and letter(base) not in PARAMETER_LETTERS | LOSSES | SCALARS


def _named(ref: Ref, names: dict[str, str]) -> Ref:
    return replace(ref, base=names.get(ref.base, ref.base))


def _put(node: Node, names: dict[str, str]) -> Node:
    if isinstance(node, Ref):
        return _named(node, names)
    return rebuilt(node, lambda child: _put(child, names))
