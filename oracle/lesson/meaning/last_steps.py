r"""The last step: the τ of h^{(τ)} in a lesson whose other steps are t, and the T of δ_j^T, which is no transpose."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.meaning.above import PARAMETERS, STEPS, symbol_of
from oracle.lesson.syntax import (
    Dots,
    Indexed,
    Items,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Statement,
    Tagged,
    Transpose,
    rebuilt,
)


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


def stepping_above(statements: Iterable[Statement]) -> set[str]:
    """The δ and a of δ_j^t and a_j^{T-1}: where steps stand above without brackets, T is the last one."""
    nodes = [node for s in statements for node in s.body.walk() if isinstance(node, Power)]
    above = {symbol_of(node) for node in nodes if _is_step(node.exponent)}
    last = any(isinstance(node.exponent, Plus) and node.exponent.terms[0] == Name("T") for node in nodes)
    return above - PARAMETERS - {""} if last else set()


def with_last_steps(statement: Statement, bases: Collection[str]) -> Statement:
    """A statement with the last step where a transpose seems to stand above such a symbol."""
    return replace(statement, body=_stepped(statement.body, bases)) if bases else statement


def _stepped(node: Node, bases: Collection[str]) -> Node:
    node = rebuilt(node, lambda child: _stepped(child, bases))
    match node:
        case Transpose(base=Name() | Indexed(base=Name()) as base) if symbol_of(base) in bases:
            return Power(base, Name("T", span=node.span), span=node.span)
    return node


def _is_step(exponent: Node) -> bool:
    """Whether a script is t, t + 1 or T - 1."""
    match exponent:
        case Name(base=letter):
            return letter in STEPS
        case Plus(terms=(Name(base=letter), Number())):
            return letter in STEPS | {"T"}
    return False
