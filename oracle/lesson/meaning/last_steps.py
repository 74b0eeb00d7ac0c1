"""A letter of its own for the last step: the τ of h^{(τ)} in a lesson whose other steps are t."""

from collections.abc import Iterable

from oracle.lesson.syntax import Dots, Indexed, Items, Name, Node, Power, Statement, Tagged


def always_last(statements: Iterable[Statement]) -> set[str]:
    """τ, where lists end there, or it is the step of symbols in formulas that have no t, and never stands as τ - 1."""
    given = list(statements)
    if any(_ends_there(node) for s in given for node in s.body.walk()):
        return {"tau"}
    scripts = [[script for node in s.body.walk() for script in _scripts(node)] for s in given]
    met = [{"tau", "t"} & {letter for script in found for letter in _letters(script)} for found in scripts]
    alone = [script == Name("tau") for found in scripts for script in found if "tau" in _letters(script)]
    apart = {"t"} in met and {"t", "tau"} not in met
    return {"tau"} if alone and all(alone) and apart else set()


def _ends_there(node: Node) -> bool:
    """Whether a list is of all steps up to τ: x^{(1)}, …, x^{(τ)}."""
    match node:
        case Items(items=(*_, Dots(), last)):
            return _scripts(last) == (Name("tau"),)
    return False


def _letters(node: Node) -> set[str]:
    return {part.base for part in node.walk() if isinstance(part, Name)}


def _scripts(node: Node) -> tuple[Node, ...]:
    match node:
        case Tagged(tag=script) | Power(exponent=script):
            return (script,)
        case Indexed(subs=subs):
            return subs
    return ()
