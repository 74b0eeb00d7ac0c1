r"""What a repair may put in: the symbols, factors and terms of the lesson, the nearest first, with their TeX."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Sum,
    Tagged,
    Times,
    Transpose,
)  # fmt: skip

NUMBERS = (Number("2"), Quotient(Number("1"), Number("2")))
UNWRITTEN = 0.65
"""How foreign numbers are that the lesson writes nowhere."""
PLAIN = {"log", "ln", "exp", "max", "min", "sum", "softmax", "diag", "tr", "sqrt", "sign", "f", "J", "C", "L"}
"""Functions whose slope is not put in unless the lesson itself writes it."""
FAR = 0.6
MOST = 40
"""Symbols, factors and terms that are tried: the nearest."""


@dataclass(frozen=True)
class Source:
    """A formula of the lesson: the trees of its statements, and its TeX."""

    number: int
    trees: tuple[Node, ...]
    tex: str


@dataclass(frozen=True)
class Vocabulary:
    """Nodes with their distance from the formula at hand: 0 in it, up to `FAR` far from it."""

    letters: tuple[str, ...]
    """Index letters of the formula at hand."""
    numbers: tuple[str, ...]
    """Letters that count layers, samples or steps in the formula at hand."""
    slots: tuple[tuple[str, Node], ...]
    """Layers, samples and steps of the formula at hand: (kind, l + 1)."""
    matrices: bool
    elementwise: str
    transposed: str
    sums: str
    r"""`\sum_{` or `\sum_`: how the letter below a sum is written."""
    symbols: dict[Ref, float] = field(default_factory=dict)
    factors: dict[Node, float] = field(default_factory=dict)
    terms: dict[Node, float] = field(default_factory=dict)
    bodies: dict[Node, float] = field(default_factory=dict)
    """What symbols are said to be: the sums that a lesson's equations define."""
    differences: dict[Plus, float] = field(default_factory=dict)
    """All sums: p_k - y_k."""
    squares: dict[Node, float] = field(default_factory=dict)
    """What is squared somewhere: the h of 1 - h^2."""
    totals: dict[str, Sum] = field(default_factory=dict)
    """By letter, the nearest sum that says from where to where it runs."""
    functions: dict[Node, float] = field(default_factory=dict)
    negated: set[Node] = field(default_factory=set)
    """Sums that stand behind a minus: -(y - a)."""
    calls: dict[Node, Call] = field(default_factory=dict)
    """What a function is applied to somewhere, and where: f(x) by x."""
    tex: dict[Node, str] = field(default_factory=dict)
    short: dict[Node, str] = field(default_factory=dict)
    """TeX without indices that the lesson leaves out from some place on."""
    shorter: bool = False
    """Whether the formula at hand leaves some out."""
    own: Mapping[int, str] = field(default_factory=dict)
    """What stands at the nodes of the formula at hand, by their identity."""

    def add_definition(self, head: Ref, body: Node) -> None:
        """What a net's equation says, whether the lesson writes it down or not."""
        for node in (head, *body.walk()):
            if isinstance(node, Ref) and not node.mark:
                _add(self.symbols, node, FAR)
        if isinstance(body, Plus):
            _add(self.bodies, body, FAR)


def vocabulary(here: Source, sources: Sequence[Source]) -> Vocabulary:
    """The words for one formula, its own first."""
    ordered = sorted(sources, key=lambda source: (abs(source.number - here.number), source.number))
    ordered = [here, *(source for source in ordered if source.number != here.number)]
    elementwise, transposed, sums = _style(here, sources)
    found = Vocabulary(
        letters=_letters(here.trees), numbers=_numbers(here.trees), slots=_slots(here.trees),
        matrices=_matrices(sources), elementwise=elementwise, transposed=transposed, sums=sums,
        shorter=not all(_spelled(node) for tree in here.trees for node in tree.walk()),
    )  # fmt: skip
    for source in ordered:
        _collect(source, here.number, found)
    for number in NUMBERS:
        found.factors.setdefault(number, UNWRITTEN)
    _slopes(here, found)
    found.tex.update(found.short)
    return found


def distance(here: int, there: int) -> float:
    """How foreign a symbol of another formula is."""
    away = abs(here - there)
    return 0.0 if not away else 0.2 if away <= 3 else 0.4 if away <= 8 else FAR


def _collect(source: Source, here: int, found: Vocabulary) -> None:
    far = distance(here, source.number)
    mixed = {id(node) for tree in source.trees for node in loose(tree, source.tex)}
    for node in (node for tree in source.trees for node in tree.walk()):
        written = source.tex[slice(*node.span)].strip()
        if written and balanced(written) and id(node) not in mixed:
            if _spelled(node):
                found.tex.setdefault(node, written)
            elif found.shorter:
                found.short.setdefault(node, written)
        if isinstance(node, Ref) and not node.mark:
            _add(found.symbols, node, far)
        if isinstance(node, Sum) and len(node.indices) == 1 and node.lower is not None:
            found.totals.setdefault(node.indices[0].base, node)
        if isinstance(node, Plus):
            _add(found.differences, node, far)
        if isinstance(node, Power) and node.exponent == Number("2"):
            _add(found.squares, node.base, far)
        if isinstance(node, Negative) and source.number != here:
            found.negated.update(part for part in node.walk() if isinstance(part, Plus))
        if isinstance(node, Call):
            _add(found.functions, node.function, far)
            if len(node.args) == 1 and not isinstance(node.function, Prime) and source.number == here:
                found.calls.setdefault(node.args[0], node)
        for factor in _factors(node):
            _add(found.factors, factor, far)
        if isinstance(node, Plus):
            for term in node.terms:
                _add(found.terms, term, far)
    for tree in source.trees:
        if isinstance(tree, Relation) and isinstance(tree.items[0], Ref):
            for member in tree.items[1:]:
                if isinstance(member, Plus):
                    _add(found.bodies, member, far)


def loose(tree: Node, tex: str) -> Iterator[Node]:
    """Symbols whose TeX is mixed with what is raised on them: the h of h_1^2, and of h^{[1]T}."""
    for node in tree.walk():
        if isinstance(node, Transpose | Power) and isinstance(base := node.base, Ref):
            after = tex[base.span[1] : node.span[1]]
            if node.span[0] < node.span[1] and not re.match(r"\s*(\\right)?\s*[)}\]^']", after):
                yield base


def _spelled(node: Node) -> bool:
    """Whether a symbol is written with all its scripts: z_j may stand as z where the lesson leaves j out."""
    subs = (*node.subs, *(number for _, number in node.slots)) if isinstance(node, Ref) else ()
    return all(node.span[0] < sub.span[1] <= node.span[1] and sub.span[0] < sub.span[1] for sub in subs)


Kind = TypeVar("Kind", bound=Node)


def _add(found: dict[Kind, float], node: Kind, far: float) -> None:
    if len(found) < MOST:
        found.setdefault(node, far)


def _factors(node: Node) -> Iterator[Node]:
    """What a product could lack: the factors that stand somewhere, and the slope wherever a function is applied."""
    if isinstance(node, Times):
        yield from (part for part in node.factors if not isinstance(part, Sum | Negative | Times))
    if isinstance(node, Ref | Derivative) or _one_over(node):
        yield node
    if isinstance(node, Call) and len(node.args) == 1 and isinstance(node.args[0], Ref):
        if isinstance(node.function, Prime):
            yield node
        elif _activation(node.function):
            yield Call(Prime(node.function), node.args)


def _slopes(here: Source, found: Vocabulary) -> None:
    """σ′(z) with the scripts of every symbol of the formula at hand: ∂C/∂a^l may lack a σ′(z^l) that no formula has."""
    known = [f for f in found.factors if isinstance(f, Call) and isinstance(f.args[0], Ref)]
    arguments = {(f.function, f.args[0].base, f.args[0].kinds): 0 for f in known if isinstance(f.args[0], Ref)}
    symbols = dict.fromkeys(node for tree in here.trees for node in tree.walk() if isinstance(node, Ref))
    for function, base, kinds in arguments:
        for symbol in symbols:
            if symbol.kinds == kinds and (symbol.subs or symbol.slots):
                slope = Call(function, (Ref(base, symbol.slots, symbol.subs),))
                if len(found.factors) < 2 * MOST:
                    found.factors.setdefault(slope, 0.1)


def _one_over(node: Node) -> bool:
    return isinstance(node, Quotient) and isinstance(node.over, Number)


def _activation(function: Node) -> bool:
    while isinstance(function, Tagged):
        function = function.base
    return isinstance(function, Name) and function.base not in PLAIN


def _letters(trees: Iterable[Node]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in (node for tree in trees for node in tree.walk()):
        if isinstance(node, Ref):
            found.update((sub.base, None) for sub in node.subs if isinstance(sub, Name))
        if isinstance(node, Sum):
            found.update((name.base, None) for name in node.indices)
    return tuple(found)


def _numbers(trees: Iterable[Node]) -> tuple[str, ...]:
    refs = (node for tree in trees for node in tree.walk() if isinstance(node, Ref))
    names = (part for ref in refs for _, number in ref.slots for part in number.walk() if isinstance(part, Name))
    return tuple(dict.fromkeys(name.base for name in names))


def _slots(trees: Iterable[Node]) -> tuple[tuple[str, Node], ...]:
    refs = (node for tree in trees for node in tree.walk() if isinstance(node, Ref))
    return tuple(dict.fromkeys(slot for ref in refs for slot in ref.slots))


def _matrices(sources: Sequence[Source]) -> bool:
    """Whether products of vectors and matrices are written."""
    nodes = (node for source in sources for tree in source.trees for node in tree.walk())
    return any(isinstance(n, Transpose) or (isinstance(n, Times) and {"odot", "@"} & set(n.ops)) for n in nodes)


def _style(here: Source, sources: Sequence[Source]) -> tuple[str, str, str]:
    """How the lesson writes ⊙, ᵀ and Σ."""
    texts = [here.tex, *(source.tex for source in sources)]
    turned = [
        source.tex[slice(*node.span)]
        for source in (here, *sources) for tree in source.trees for node in tree.walk() if isinstance(node, Transpose)
    ]  # fmt: skip
    return (
        _first(texts, r"\\(?:odot|circ|bullet)(?![a-z])|[⊙∘]", r"\odot"),
        _first(turned, r"\^\s*(?:T\b|\\top|\\intercal|\{\s*(?:T|\\top|\\intercal|\\math\w+\{?\s*T\}?)\s*\})", "^T"),
        _first(texts, r"\\sum_\{?(?=\w\b)", r"\sum_{"),
    )


def _first(texts: Iterable[str], pattern: str, default: str) -> str:
    return next((found[0] for text in texts if (found := re.search(pattern, text))), default)


def balanced(tex: str) -> bool:
    """Whether every bracket of a piece of TeX closes in it."""
    depth = 0
    for sign in re.findall(r"\\left|\\right|\\[{}]|[{}()]", tex):
        depth += sign in ("{", "(")
        depth -= sign in ("}", ")")
        if depth < 0:
            return False
    return depth == 0 and tex.count(r"\left") == len(re.findall(r"\\left(?![a-z])", tex)) == len(
        re.findall(r"\\right(?![a-z])", tex)
    )
