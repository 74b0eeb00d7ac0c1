r"""Gradients of what the loss of the lesson is not made of: g_s and g_a beside a = softmax(s), an example of its own.

They are those of a loss that nobody writes there, whatever it is.
"""

from dataclasses import replace

from oracle.lesson.meaning.losses import THERE
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program, Signal, Written
from oracle.lesson.meaning.unsaid import dependencies


def with_another_loss(program: Program) -> dict[Written, Signal]:
    """The signals of a program, those of a quantity that is apart from the loss of another loss."""
    if not program.notation.markers:
        return program.signals
    below = dependencies(program.definitions, letters=False)
    counted = any(d.head.kinds for d in program.definitions)
    refs = [n for d in program.definitions for n in (d.head, *d.body.walk()) if isinstance(n, Ref)]
    used = {ref.base for ref in refs}

    def apart(signal: Signal) -> bool:
        loss = signal.loss
        known = program.defines(loss.base, loss.kinds) and not loss.kinds and not counted
        reached = {key[0] for key in below.get((loss.base, ()), ()) if isinstance(key, tuple)}
        return known and signal.of in used and signal.of not in {*reached, loss.base}

    return {name: replace(s, loss=Ref(s.loss.base + THERE)) if apart(s) else s for name, s in program.signals.items()}
