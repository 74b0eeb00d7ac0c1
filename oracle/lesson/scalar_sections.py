r"""Sections of numbers only: one neuron, or one in every layer, before the lesson goes on to vectors.

z = w x + b says nothing of axes. Where a later section has W_{ij} or ⊙, the same letters are vectors there; here every
quantity may be a number, whose factors stand in any order.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core, letter
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import SCALARS, Definition, made_of
from oracle.lesson.meaning.usage import WHOLE
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Matrix,
    Name,
    Node,
    Norm,
    Number,
    Prime,
    Relation,
    Statement,
    Times,
    Transpose,
    rebuilt,
)

VECTORS = re.compile(r"(?i)\b(?:vector|matri(?:x|ces)|vektor|vecteur|matrice)|向量|矩阵|ベクトル|行列")
NUMBERS = re.compile(
    r"(?i)\b(?:scalars?|single|one[- ](?:neuron|unit|weight|input|hidden)|only one)\b|标量|单个|一个神经元|スカラー"
)
"""What a section of numbers says of itself, though it speaks of the vectors to come."""

WIDTHS = re.compile(r"(?<![\d.])\d+(?:\s*[-–—]+\s*\d+){2,}(?![\d.])")
"""The sizes of layers: a 1-2-1 network."""


def narrow(words: str) -> bool:
    """Whether a section speaks of a net some layer of which has one unit."""
    return any("1" in re.findall(r"\d+", match[0]) for match in WIDTHS.finditer(words))


def scalar_sections(statements: Iterable[tuple[int, Statement]], words: Mapping[int, str]) -> set[int]:
    """The sections before the first that has vectors; none in a lesson that has no vectors at all."""
    marked: set[int] = set()
    seen: list[int] = []
    for section, statement in statements:
        seen += [section] if section not in seen else []
        if any(map(_of_vectors, statement.body.walk())):
            marked.add(section)
    marked |= {section for section in seen if _speaks_of_vectors(words.get(section, ""))}
    first = next((k for k, section in enumerate(seen) if section in marked), 0)
    return {*seen[:first]}


def plain_sections(given: Iterable[tuple[int, Statement]], known: Iterable[tuple[int, Statement]]) -> set[int]:
    r"""The sections that have in plain type what is in bold in the others: f_1 = β_1 + ω_1 h_1 beside \mathbf{f}_1.

    `given` are statements as they are written, with their sections, `known` those with what their symbols mean. Plain
    symbols with an index are entries: the a_k of \mathbf{a}.
    """
    of_entries = {section for section, s in known if any(isinstance(n, Ref) and _indexed(n) for n in s.body.walk())}
    met = {(section, base, bold) for section, s in given for base, bold in _faces(s.body)}
    thick = {base for _, base, bold in met if bold}
    of_vectors = {section for section, _, bold in met if bold} | of_entries
    counts = Counter(section for section, base, _ in met if base in thick)
    return {section for section, count in counts.items() if count > 1 and section not in of_vectors}


def _faces(node: Node) -> Iterator[tuple[str, bool]]:
    """The symbols of a formula that are no scripts, and whether they are bold; what is behind another argument is none.

    The w of f(x, w) is bold because it is all parameters.
    """
    if isinstance(node, Name):
        yield node.base, node.bold
    elif isinstance(node, Indexed):
        yield from _faces(node.base)
    else:
        children = node.args[:1] if isinstance(node, Call) else node.children()
        for child in children:
            yield from _faces(child)


def _speaks_of_vectors(words: str) -> bool:
    return bool(VECTORS.search(words)) and not NUMBERS.search(words)


def _of_vectors(node: Node) -> bool:
    """Whether a part of a formula has axes, or a capital for a matrix."""
    match node:
        case Ref(base=base):
            loss = core(base) in LOSSES
            capital = letter(base)[:1].isupper() and not loss and letter(base) not in SCALARS
            return capital or (not loss and _indexed(node))
        case Norm(kind=kind):
            return kind != "abs"
        case Times(ops=ops):
            return bool({"odot", "otimes", "@"} & {*ops})
        case Call(function=Name(base=base)):
            return base in WHOLE
    return isinstance(node, Transpose | Matrix | Gradient)


def _indexed(ref: Ref) -> bool:
    """Whether letters below a symbol are indices."""
    return any(not isinstance(sub, Number) for sub in ref.subs)


def with_names(statement: Statement, names: set[str]) -> Statement:
    """A statement of numbers, in which w_1 is a name and no entry of a later w_i."""
    return replace(statement, body=_named(statement.body, names)) if names else statement


def numbered(statements: Iterable[Statement]) -> set[str]:
    """The w and x of forward equations in w_1 and x_2, which say all there is of them."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    forward = [b for b in bodies if not any(isinstance(part, Derivative | Prime) for part in b.walk())]
    return {part.base for b in forward for part in b.walk() if isinstance(part, Ref) and part.subs}


def _named(node: Node, names: set[str]) -> Node:
    if isinstance(node, Ref) and node.base in names:
        label = (sub.text for sub in node.subs if isinstance(sub, Number))
        return replace(node, base="_".join([node.base, *label]), subs=())
    return rebuilt(node, lambda child: _named(child, names))


def of_vectors(definitions: list[Definition], numbers: set[int], local: Iterable[Node]) -> list[Definition]:
    """What a section of vectors takes from others: not the z = w x + b of one neuron beside z^l = W^l a^{l-1} + b^l,
    and of numbers only what its own formulas, `local`, are made of.

    `numbers` are the numbers of the equations that stand in sections of numbers.
    """
    anew = {(d.head.base, d.head.kinds) for d in definitions if d.number not in numbers}
    bases = {base for base, _ in anew}
    found = [d for d in definitions if d.number not in numbers or d.head.base not in bases]
    used = {ref.base for body in local for ref in body.walk() if isinstance(ref, Ref)}
    wanted = made_of(found, {d.head.base for d in found if d.number not in numbers} | used)
    return [d for d in found if d.number not in numbers or d.head.base in wanted]


def of_numbers(definitions: Iterable[Definition]) -> list[Definition]:
    """What a net of one unit in every layer can have."""
    return [d for d in definitions if not any(map(_of_vectors, (*d.head.walk(), *d.body.walk())))]
