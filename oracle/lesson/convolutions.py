r"""Lessons that write * for a convolution of whole arrays, and how many axes these have: δ^l * rot180(W^l)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from oracle.lesson.document import Document, Prose
from oracle.lesson.marks_said import with_marks_said
from oracle.lesson.meaning.cells import CELL
from oracle.lesson.meaning.convolving import CONVOLUTIONS, GOES_OVER, KERNELS, POOLS, RESHAPES, ROTATIONS, SPREADS
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.over_marks import OverMarks
from oracle.lesson.meaning.positions import place
from oracle.lesson.meaning.program import SCALARS, Definition, Program
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import (
    Call,
    Indexed,
    Name,
    Node,
    Number,
    Plus,
    Quotient,
    Relation,
    Statement,
    Times,
    Transpose,
    rebuilt,
)

SPOKEN = re.compile(r"(?i)convol|\bcnns?\b|cross-correlat|卷积|互相关|св[её]рт|faltung")
AVERAGES = re.compile(r"(?i)average[\s-]pool|mean[\s-]pool|平均池化|均值池化")
OFTEN = 4
"""A lesson that is about convolutions names them so many times."""
MARKS = {r"\star": (0, r"\circledast")}
ANY_LOSS = "the loss is any function of what the last layer makes"
MARKED = {"*", "star"}
AXES = 2
"""Of an image."""


def about_convolutions(document: Document) -> bool:
    """Whether a lesson is about convolutions."""
    prose = (piece for piece in document.pieces if isinstance(piece, Prose))
    return sum(len(SPOKEN.findall(piece.text)) * (OFTEN if piece.level else 1) for piece in prose) >= OFTEN


def marked(document: Document) -> Document:
    r"""The same lesson, in which \otimes is what it says, and \star no product of entries in one on convolutions."""
    document = with_marks_said(document)
    return replace(document, macros={**MARKS, **document.macros}) if about_convolutions(document) else document


def over_marks(document: Document, statements: list[Statement]) -> OverMarks:
    """How a lesson writes convolutions: an array is turned round, or it is about them and has whole arrays beside *, or
    adds up indices.
    """
    nodes = [node for s in statements for node in s.body.walk()]
    products = [node for node in nodes if isinstance(node, Times)]
    marks = {op for node in products for op in node.ops} & {*MARKED, "otimes"}
    turned = any(map(_turns, nodes))
    sides = [pair for node in products for pair in _beside(node)]
    there = _adds_up(nodes) or any(map(_are_whole, sides)) or _of_channels(nodes, sides)
    return OverMarks(
        convolves := turned or (there and about_convolutions(document)),
        crosses=turned and marks == {"otimes"},
        starred=marks == {"star"},
        turning=convolves and marks >= MARKED,
        told=next(filter(None, map(_says, (s.body for s in statements))), ""),
        averages=any(isinstance(piece, Prose) and AVERAGES.search(piece.text) for piece in document.pieces),
    )


def _says(body: Node) -> str:
    """What a definition of * by its entries says that it does; "" of other formulas."""
    match body:
        case Relation(items=(Indexed(base=Times(ops=("*",)), subs=subs), *members), ops=("=" | ":=", *_)):
            refs = (part for member in members for part in member.walk() if isinstance(part, Ref))
            places = [at for ref in refs for sub in ref.subs if (at := place(sub)) and len(at.signs) == 2]
            own = {sub.base for sub in subs if isinstance(sub, Name)}
            signs = {sign for at in places for letter, sign in at.signs.items() if letter not in own}
            return {frozenset({1}): "corr", frozenset({-1}): "conv"}.get(frozenset(signs), "")
    return ""


def _adds_up(nodes: Iterable[Node]) -> bool:
    """Whether a symbol is x_{i+m}."""
    found = (at for node in nodes if isinstance(node, Ref) for sub in node.subs if (at := place(sub)))
    return any(len(at.signs) > 1 for at in found)


def _of_channels(nodes: Iterable[Node], sides: Iterable[tuple[Node, Node]]) -> bool:
    """Whether what stands beside * has places too: δ_j beside (δ_j)_{xy}."""
    met = {(node.base, len(node.subs)) for node in nodes if isinstance(node, Ref)}
    beside = [side for pair in sides for side in pair if isinstance(side, Ref)]
    return any((ref.base, len(ref.subs) + AXES) in met for ref in beside)


def _turns(node: Node) -> bool:
    return isinstance(node, Call) and core_of(node) in ROTATIONS


def core_of(call: Call) -> str:
    """The rot of rot_{180}(W)."""
    function = call.function.base if isinstance(call.function, Indexed) else call.function
    return function.base if isinstance(function, Name) else ""


def _beside(node: Times) -> Iterator[tuple[Node, Node]]:
    """What stands on both sides of every *."""
    for op, a, b in zip(node.ops, node.factors, node.factors[1:], strict=False):
        if op in MARKED:
            yield a, b


def _are_whole(sides: tuple[Node, Node]) -> bool:
    """Whether a whole array goes over another: a^{l-1} * W^l, and not δ * σ'(z) or η * W."""
    refs = [side for side in sides if isinstance(side, Ref)]
    if not any(core(ref.base) in KERNELS for ref in refs) or any(core(ref.base) in SCALARS - KERNELS for ref in refs):
        return False
    return all(isinstance(side, Ref | Call) and not any(isinstance(r, Ref) and r.subs for r in side.walk())
               for side in sides)  # fmt: skip


def with_convolutions(statement: Statement, marks: OverMarks) -> Statement:
    """A statement in which * is a convolution, where the lesson writes it so."""
    ops = marks.operations
    return replace(statement, body=_convolved(statement.body, ops)) if ops else statement


def _convolved(node: Node, ops: Mapping[str, str]) -> Node:
    if isinstance(node, Ref) or _of_numbers(node):
        return node
    made = rebuilt(node, lambda child: _convolved(child, ops))
    return replace(made, ops=tuple(ops.get(op, op) for op in made.ops)) if isinstance(made, Times) else made


def _of_numbers(node: Node) -> bool:
    """Whether a product is of entries and numbers: a_{11} * w_{11}."""
    factors = node.factors if isinstance(node, Times) else ()
    single = (isinstance(x, Number) or (isinstance(x, Ref) and CELL.fullmatch(x.base)) for x in factors)
    return bool(factors) and all(single)


def map_ranks(definitions: Iterable[Definition], bodies: Iterable[Node]) -> dict[str, int]:
    """How many axes arrays have: two beside * and what is made of them entry by entry; a bias added to one has none."""
    given = list(definitions)
    if not any(goes_over(d) for d in given):
        return {}
    nodes = [node for body in (*bodies, *(d.body for d in given)) for node in body.walk()]
    refs = [ref for node in nodes for ref in _convolved_refs(node)]
    if _adds_up(nodes):
        indexed = {node.base for node in nodes if isinstance(node, Ref) and node.subs}
        return dict.fromkeys({ref.base for ref in refs} - indexed, AXES)
    found = {ref.base: AXES + len(ref.subs) for ref in refs}
    biases = dict[str, int]()
    while True:
        before = len(found)
        for d in given:
            _spread(d, found, biases)
        if len(found) == before:
            return {**found, **biases}


def _convolved_refs(node: Node) -> Iterator[Ref]:
    match node:
        case Times(ops=ops) if GOES_OVER & {*ops}:
            for side in node.factors:
                yield from _entrywise(side)
        case Call(args=args) if core_of(node) in ROTATIONS | CONVOLUTIONS:
            for arg in args[:2]:
                yield from _entrywise(arg)


def _entrywise(node: Node) -> Iterator[Ref]:
    """The symbols of which a formula has the shape: z and b of σ(z) + b."""
    match node:
        case Ref():
            yield node
        case Call(args=(arg,)) if core_of(node) not in RESHAPES:
            yield from _entrywise(arg)
        case Times(ops=ops, factors=factors) if {*ops} <= {"odot"}:
            for factor in factors:
                yield from _entrywise(factor)
        case Plus(terms=terms):
            for term in terms:
                yield from _entrywise(term)


def _spread(d: Definition, found: dict[str, int], biases: dict[str, int]) -> None:
    """What one definition says of arrays."""
    convolved = any(map(_is_over, _terms(d.body)))
    refs = [ref for ref in _entrywise(d.body) if core(ref.base) not in PARAMETER_LETTERS]
    if convolved or d.head.base in found or any(ref.base in found for ref in refs):
        for ref in (d.head, *refs) if not any(map(_sums, _terms(d.body))) else ():
            found.setdefault(ref.base, AXES + len(ref.subs))
    for node in d.body.walk():
        if isinstance(node, Plus):
            plain = [term for term in node.terms if isinstance(term, Ref)]
            if any(term.base in found for term in plain):
                found.update({t.base: AXES + len(t.subs) for t in plain if t.base not in found and not _is_bias(t)})
            if any(map(_over, node.terms)):
                biases.update({term.base: len(term.subs) for term in plain if _is_bias(term)})


def _terms(node: Node) -> tuple[Node, ...]:
    return node.terms if isinstance(node, Plus) else (node,)


def _sums(node: Node) -> bool:
    """Whether a formula makes a number of arrays."""
    return isinstance(node, Quotient | Transpose)


def _is_bias(ref: Ref) -> bool:
    return core(ref.base) in PARAMETER_LETTERS


def pooling(definitions: list[Definition], here: Usage) -> list[Definition]:
    """In a section that speaks of pooling, what is convolved elsewhere is pooled: z^l = pool(a^{l-1})."""
    spoken = here.functions.keys()
    if not spoken & SPREADS or spoken & (ROTATIONS | CONVOLUTIONS) or any(map(_over, here.bodies)):
        return definitions
    return [replace(d, body=_pooled(d)) for d in definitions]


def _pooled(d: Definition) -> Node:
    for node in d.body.walk():
        if _is_over(node) and d.head.kinds == ("layer",):
            inputs = [ref for ref in node.walk() if isinstance(ref, Ref) and not _is_bias(ref)]
            return Call(Name(min(POOLS)), (replace(inputs[0], subs=()),)) if len(inputs) == 1 else d.body
    return d.body


def _over(body: Node) -> bool:
    return any(map(_is_over, body.walk()))


def _is_over(node: Node) -> bool:
    """Whether a node is a product in which one array goes over another."""
    return isinstance(node, Times) and bool(GOES_OVER & {*node.ops})


def goes_over(d: Definition) -> bool:
    """Whether a definition is a convolution, of entries or of whole arrays."""
    return _over(d.body) or any(isinstance(node, Ref) and any(map(place, node.subs)) for node in d.body.walk())


def open_losses(own: Program) -> list[Definition]:
    """Losses that are made of nothing that is computed, as any function of the last layer: E = Σ_p (t_p - y_p)²."""
    made = {d.head.base for d in own.definitions}
    tops = [d.head for d in own.definitions if d.head.kinds == ("layer",)]
    losses = [d for d in own.definitions if d.head.base in LOSSES and not d.head.slots and not d.head.subs]
    losses = losses or [Definition(Ref("L"), Ref(""))]
    apart = [d for d in losses if not any(isinstance(n, Ref) and n.base in made for n in d.body.walk())]
    last = (("layer", Name("L")),)
    return [replace(d, body=Unsaid((replace(tops[-1], slots=last),), number=True)) for d in apart if tops]


def shared_biases(definitions: Iterable[Definition]) -> dict[str, int]:
    """The b of z_{ij} = Σ_m Σ_n w_{mn} x_{i+m,j+n} + b, which is a number."""
    found = dict[str, int]()
    for d in definitions:
        there = any(isinstance(node, Ref) and any(map(place, node.subs)) for node in d.body.walk())
        if there and d.head.subs and isinstance(d.body, Plus):
            found |= {t.base: 0 for t in d.body.terms if isinstance(t, Ref) and not t.subs}
    return found
