r"""Error signals of output units that are sums: δ_j = ∂E/∂a_j, and δ_k = ∂E/∂y_k where y_k = Σ_j w_{kj} z_j."""

from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program, Signal, letters_of
from oracle.lesson.syntax import Call

Lettered = dict[tuple[str, tuple[str, ...], tuple[str, ...]], Signal]


def end_signals(program: Program) -> Lettered:
    """By name and letter, signals of linear outputs, where what the signal is of has other letters only."""
    units = [d for d in program.definitions if len(d.head.subs) == 1 and not d.head.slots]
    used = {part.base for d in units for part in d.body.walk() if isinstance(part, Ref)}
    ends = [d for d in units if d.head.base not in used and not isinstance(d.body, Call) and d.number]
    found: Lettered = {}
    for (name, kinds, count), signal in program.signals.items():
        known = {letters_of(d.head) for d in units if d.head.base == signal.of}
        for d in ends if count == 1 and known else ():
            if letters_of(d.head) not in known and d.head.base != signal.of:
                found[name, kinds, letters_of(d.head)] = replace(signal, of=d.head.base)
    return found
