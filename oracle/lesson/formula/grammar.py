"""The statements of a formula, and what is said beside them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from oracle.lesson.formula.alignment import without_columns
from oracle.lesson.formula.cursor import Limits, divided, nesting
from oracle.lesson.formula.expressions import Reader
from oracle.lesson.formula.pieces import together
from oracle.lesson.formula.remarks import without_remarks
from oracle.lesson.formula.symbols import (
    DOTS,
    FUNCTIONS,
    IMPLIES,
    LIMITING,
    LINKING,
    LOOSE,
    OPERATIONS,
    RELATIONS,
    SIGNS,
    TIGHT,
)
from oracle.lesson.formula.token import Token, UnreadableError
from oracle.lesson.formula.tokens import tokens
from oracle.lesson.syntax import Node, Parsed, Problem, Relation, Span, Statement, Text

DEEPEST = 120
_LISTING = {",", ";", ".", r"\quad"}


_MENTIONED = RELATIONS.keys() | OPERATIONS | {r"\nabla", r"\partial", r"\sum", r"\prod"}
"""A sign alone is spoken of, and says nothing."""


@dataclass
class Part:
    """Tokens of one statement. `beside`: it follows a comma; `limit`: it follows the word if or for."""

    tokens: list[Token] = field(default_factory=list)
    beside: bool = False
    limit: bool = False


def parse(tex: str, macros: Mapping[str, tuple[int, str]] = {}, functions: Collection[str] = FUNCTIONS) -> Parsed:
    """What a formula says; what cannot be read is a Problem. `functions` are bases that take a parenthesis."""
    everything = (0, len(tex))
    try:
        parts = _parts(_multiplied(_uncommented(_system(without_remarks(without_columns(tokens(tex, macros)))))))
    except (UnreadableError, RecursionError) as error:
        return Parsed((), (_problem(error, everything),))
    if len(parts) == 1 and (mark := parts[0].tokens[0]).text in _MENTIONED and _is_mentioned(parts[0].tokens):
        return Parsed((Statement(Text(mark.text, span=mark.span), span=mark.span),), ())
    limits = Limits(frozenset(functions))
    statements: list[Statement] = []
    problems: list[Problem] = []
    pending: list[Node] = []
    for part in map(_unended, parts):
        try:
            _add(statements, pending, part, _read(part, limits))
        except (UnreadableError, RecursionError) as error:
            problem = _problem(error, (part.tokens[0].span[0], part.tokens[-1].span[1]))
            rest = _without_last(part, problem)
            problems.append(replace(problem, reason="one ) too many", slight=True) if rest else problem)
            if rest is not None:
                _add(statements, pending, rest, _read(rest, limits))
    statements += [Statement(node, span=node.span) for node in pending]
    return Parsed(tuple(together(statements)), tuple(problems))


def _unended(part: Part) -> Part:
    """A chain without the = at its end, after which the next formula goes on."""
    open_ended = part.tokens[-1:] and part.tokens[-1].text == "=" and any(t.text == "=" for t in part.tokens[:-1])
    return replace(part, tokens=part.tokens[:-1]) if open_ended else part


def _is_mentioned(found: list[Token]) -> bool:
    r"""Whether a sign is spoken of, alone or with what would stand behind it: \circ f'(x)."""
    binary = found[0].text in OPERATIONS - SIGNS.keys()
    return len(found) == 1 or (binary and not any(token.text in RELATIONS for token in found))


def _without_last(part: Part, problem: Problem) -> Part | None:
    """The statement without a parenthesis too many at its end, if that is all that is wrong with it."""
    last = part.tokens[-1]
    if last.text != ")" or last.span != problem.span or len(part.tokens) < 2:
        return None
    rest = replace(part, tokens=part.tokens[:-1])
    try:
        _read(rest, Limits(frozenset()))
    except (UnreadableError, RecursionError):
        return None
    return rest


def _problem(error: Exception, span: Span) -> Problem:
    if isinstance(error, UnreadableError):
        return Problem(error.span if error.span != (0, 0) else span, error.reason)
    return Problem(span, "nested too deeply; write it in parts")


def _read(part: Part, limits: Limits) -> Node:
    reader = Reader(part.tokens, limits)
    node = reader.relation()
    reader.finish()
    if _depth(node) > DEEPEST:
        raise UnreadableError(node.span, "nested too deeply; write it in parts")
    return node


def _add(statements: list[Statement], pending: list[Node], part: Part, node: Node) -> None:
    """One statement more; limits, and what relates nothing after a comma, stand beside the one before, or the next."""
    aside = part.limit or isinstance(node, Text) or (part.beside and not isinstance(node, Relation))
    if aside and statements:
        before = statements[-1]
        statements[-1] = replace(before, asides=(*before.asides, node))
    elif part.limit:
        pending.append(node)
    else:
        statements.append(Statement(node, tuple(pending), span=node.span))
        pending.clear()


def _depth(node: Node) -> int:
    deepest, stack = 0, [(node, 1)]
    while stack:
        here, depth = stack.pop()
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in here.children())
    return deepest


# ------------------------------------------------------------------------------------------------------------- parts


def _uncommented(found: Sequence[Token]) -> list[Token]:
    r"""Without the words at the end of a row whose chain goes on in the next one; `by (1) \Rightarrow a` is none."""
    out: list[Token] = []
    comment: int | None = None
    depth = 0
    for k, token in enumerate(found):
        depth = max(0, depth + nesting(token))
        if token.text == "\\\\" and comment is not None:
            if k + 1 < len(found) and found[k + 1].text in RELATIONS:
                del out[comment:]
            comment = None
        elif token.text in IMPLIES - {r"\because"} and not depth:
            comment = None
        elif _remarks(token) and comment is None and out and not depth and not _heads(token, out[-1]):
            comment = len(out)
        out.append(token)
    return out


def _heads(token: Token, before: Token) -> bool:
    """Whether words are the name of what stands in their row: `Equation 3: a = b`."""
    return token.kind == "text" and token.upright and before.text == "\\\\"


def _remarks(token: Token) -> bool:
    r"""Whether a remark on a row begins: words, and \because a = b."""
    return token.text == r"\because" or (token.kind == "text" and not _first(token) & LIMITING)


def _multiplied(found: list[Token]) -> list[Token]:
    """Full stops with a gap on both sides, or between partials, as products: (a - y) . σ'(z), ∂L/∂z. ∂z/∂w."""
    out = list(found)
    for k in range(1, len(found) - 1):
        before, dot, after = found[k - 1 : k + 2]
        apart = before.span[1] < dot.span[0] and dot.span[1] < after.span[0]
        joins = before.text not in _APART and after.text not in _APART and "text" not in (before.kind, after.kind)
        between = before.text == "}" and after.text in (r"\frac", r"\dfrac", r"\tfrac")
        if dot.text == "." and joins and (apart or between):
            out[k] = replace(dot, text=r"\cdot")
    return out


_APART = RELATIONS.keys() | OPERATIONS | _LISTING | {"\\\\", "&"}


def _parts(found: Sequence[Token]) -> list[Part]:
    """The statements' tokens. A row that begins with a relation or an operation goes on with the row before."""
    parts = [Part()]
    depth = tables = 0
    for k, token in enumerate(found):
        depth = max(0, depth + nesting(token))
        tables += token.text.startswith(r"\begin ") - token.text.startswith(r"\end ")
        after = found[k + 1] if k + 1 < len(found) else None
        if depth and token.text == "\\\\" and not tables:
            continue
        if not depth and token.text == r"\quad" and not parts[-1].tokens:
            continue
        if depth or not (new := _divides(token, parts[-1], after)):
            parts[-1].tokens.append(token)
        elif token.kind == "text" and not new.limit and not _first(token) & LINKING:
            parts += [Part([token], beside=True), new]
        elif not _continues(token, parts[-1], after):
            parts.append(new)
        elif not parts[-1].tokens and len(parts) > 1:  # the comma before the row's end ended nothing
            parts.pop()
    return [part for part in parts if part.tokens]


def _divides(token: Token, part: Part, after: Token | None) -> Part | None:
    """The part that begins after a token; None where it belongs to the part before it."""
    if token.text == "\\\\" or token.text in IMPLIES:
        return Part()
    if part.limit and token.text in (":", r"\colon"):
        return Part()
    if token.text in _LISTING:
        return Part(beside=True, limit=part.limit and token.text in (",", r"\quad") and _counts(part, after))
    if token.text == r"\forall":
        return Part(limit=True)
    if token.kind not in ("word", "text") or _operand(token, part, after):
        return None
    if _first(token) & LIMITING:
        return Part(limit=True)
    return Part() if token.kind == "text" or _first(token) & LINKING else None


def _counts(part: Part, after: Token | None) -> bool:
    """`for l = L - 1, 2, 1`: what follows the comma goes on counting."""
    listing = bool(part.tokens) and part.tokens[-1].text in DOTS
    return listing or (after is not None and (after.kind == "number" or after.text in DOTS))


def _first(token: Token) -> set[str]:
    words = token.text.lower().split()
    return {words[0]} if words else set()


def _operand(token: Token, part: Part, after: Token | None) -> bool:
    """Words that stand where a quantity should: beside a relation, an operation or scripts, or as a script."""
    before = part.tokens[-1].text if part.tokens else ""
    if before in ("_", "^"):
        return True
    if _first(token) & (LIMITING | LINKING):
        return False
    joined = RELATIONS.keys() | OPERATIONS
    return before in joined or (after is not None and after.text in joined | {"_", "^", "(", "'"})


def _continues(token: Token, part: Part, after: Token | None) -> bool:
    """Whether a formula goes on after what would end a statement."""
    before = part.tokens[-1].text if part.tokens else ""
    if token.text == "\\\\":
        return before in RELATIONS.keys() | OPERATIONS or (after is not None and after.text in _GOING_ON)
    goes_on = after is not None and after.text in RELATIONS and token.text in _LISTING
    multiplied = after is not None and after.text in TIGHT.keys() | LOOSE.keys()  # no statement begins with a ⊙
    return goes_on or (token.text == r"\quad" and (before in RELATIONS.keys() | OPERATIONS or multiplied))


_GOING_ON = RELATIONS.keys() | SIGNS.keys() | TIGHT.keys() | {r"\odot", r"\otimes", r"\circ", "/"}


def _system(found: list[Token]) -> list[Token]:
    """Rows of equations in an array, or after one brace: without the array and the brace."""
    inner = found
    while inner and inner[-1].text in (".", ",", ";"):
        inner = inner[:-1]
    if inner and inner[0].text in (r"\{", r"\left.") and inner[0].fence and inner[-1].text == r"\right.":
        inner = inner[1:-1]
    if not inner or inner[0].text not in (r"\begin array", r"\begin cases", r"\begin dcases", r"\begin rcases"):
        return inner if len(inner) < len(found) and any(token.text == "\\\\" for token in inner) else found
    if not inner[-1].text.startswith(r"\end ") or len(inner) < 3:
        return found
    rows = divided(inner[1:-1], {"\\\\"})
    cells = rows if inner[0].text.endswith("array") else [divided(row, {"&"})[0] for row in rows]
    if not all(any(token.text in RELATIONS for token in row) for row in cells if row):
        return found
    return [token for token in inner[1:-1] if token.text != "&"]
