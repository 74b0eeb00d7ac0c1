"""A letter of its own for the last step: the τ of h^{(τ)} in a lesson whose other steps are t."""

from collections.abc import Iterable

from oracle.lesson.syntax import Indexed, Name, Node, Power, Statement, Tagged


def always_last(statements: Iterable[Statement]) -> set[str]:
    """τ, where it is the step of symbols in formulas that have no t, and never stands as τ - 1."""
    scripts = [[script for node in s.body.walk() for script in _scripts(node)] for s in statements]
    met = [{"tau", "t"} & {letter for script in found for letter in _letters(script)} for found in scripts]
    alone = [script == Name("tau") for found in scripts for script in found if "tau" in _letters(script)]
    apart = {"t"} in met and {"t", "tau"} not in met
    return {"tau"} if alone and all(alone) and apart else set()


def _letters(node: Node) -> set[str]:
    return {part.base for part in node.walk() if isinstance(part, Name)}


def _scripts(node: Node) -> tuple[Node, ...]:
    match node:
        case Tagged(tag=script) | Power(exponent=script):
            return (script,)
        case Indexed(subs=subs):
            return subs
    return ()
