"""Definitions of several sections that make a quantity of itself: z = y - t in one, y = σ(z) in another."""

from dataclasses import replace

from oracle.lesson.meaning.program import Program
from oracle.lesson.meaning.unsaid import dependencies, identity


def without_circles(program: Program) -> Program:
    """Without what other sections say of a symbol, where with what this one says it would be made of itself."""
    below = dependencies(program.definitions, letters=True)
    own = {identity(d.head, True) for d in program.definitions if d.number in program.here}
    circles = {key for key, made in below.items() if key in made and made & own}
    kept = [d for d in program.definitions if d.number in program.here or identity(d.head, True) not in circles]
    return replace(program, definitions=kept) if len(kept) < len(program.definitions) else program
