r"""Parameters of a recurrence: the copy of one that a step uses, θ_t or W^{(t)}, and a θ that is any of them.

∂L/∂W^{(t)} is of what W does at step t alone, ∂L/∂W of what it does at every step: W^{(t)} = W in every step.
"""

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import SCALARS, Program
from oracle.lesson.meaning.usage import Usage

ANY = ("theta", "Theta", "vartheta", "W", "w")
"""What a lesson calls any of its parameters."""


def any_parameter(program: Program, lesson: Usage) -> dict[str, str]:
    """By a name that no forward equation has and that is differentiated by, a parameter of the recurrence."""
    known = {n.base for d in program.definitions for n in (d.head, *d.body.walk()) if isinstance(n, Ref)}
    free = {ref.base for ref in lesson.variables if not ref.subs and set(ref.kinds) <= {"time"}}
    wanted = [base for base in ANY if base in free - known and base not in program.functions]
    found = _recurrent(program) if wanted else []
    thin = next((base for base in found if core(base) in ("b", "c")), None)
    return dict.fromkeys(wanted, thin or found[0]) if found else {}


def copied(program: Program, lesson: Usage) -> set[str]:
    """Parameters that the forward equations use without a step, and the lesson differentiates by at a step."""
    named = {program.aliases.get(ref.base, ref.base) for ref in lesson.variables if "time" in ref.kinds}
    used = {n.base for d in program.definitions for n in d.body.walk() if isinstance(n, Ref) and not n.slots}
    return {base for base in named & used if not any(d.head.base == base for d in program.definitions)}


def _recurrent(program: Program) -> list[str]:
    """The parameters of the quantities that are made of what they were a step before."""
    stepped = [d for d in program.definitions if "time" in d.head.kinds]
    below = {d.head.base: {n.base for n in d.body.walk() if isinstance(n, Ref)} for d in stepped}
    for _ in below:
        for made in below.values():
            made |= {deep for base in tuple(made) for deep in below.get(base, ())}
    refs = [n for d in stepped if d.head.base in below[d.head.base] for n in d.body.walk() if isinstance(n, Ref)]
    plain = [n.base for n in refs if not n.slots and not n.subs and n.base not in SCALARS and n.base not in below]
    letters = PARAMETER_LETTERS | {"A", "B", "C", "c", "R"}
    return list(dict.fromkeys(base for base in plain if core(base) in letters))
