r"""Values of functions by which a lesson differentiates: the tanh(c_t) of ∂h_t/∂tanh(c_t) ∂tanh(c_t)/∂c_t.

Such a value becomes a quantity with a name of its own, wherever it stands in the lesson.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import Call, Derivative, Name, Relation, Statement, replaced


def called_values(statements: Iterable[Statement]) -> dict[Call, Ref]:
    """The calls by which something is differentiated, with their names; of functions that no equation defines."""
    given = list(statements)
    heads = [s.body.items[0] for s in given if isinstance(s.body, Relation)]
    own = {part for head in heads if isinstance(head, Call) for part in head.function.walk()}
    wrt = (w for s in given for part in s.body.walk() if isinstance(part, Derivative) for w in part.wrt)
    found: dict[Call, Ref] = {}
    for call in wrt:
        match call:
            case Call(function=Name(base=f) as function, args=(Ref() as arg,)) if function not in own:
                found[call] = replace(arg, base=f"{f}{arg.base}")
    return found


def with_called_values(statement: Statement, named: Mapping[Call, Ref]) -> Statement:
    """A statement with such names."""
    return replace(statement, body=replaced(statement.body, named)) if named else statement
