r"""The layers of units that have one name in all of them, as far as a formula says how they are joined.

In $\partial E/\partial o_j = \sum_k \partial E/\partial net_k\, w_{jk}$ the units k are one layer above j; those of
$t_k$ are in the last.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from oracle.lesson.meaning.notation import Ref, counted_on
from oracle.lesson.meaning.program import is_target
from oracle.lesson.meaning.unit_names import AnyUnit
from oracle.lesson.syntax import Call, Cases, Derivative, Name, Node, Number, Relation, Sum, Text

LAST, FIRST = "last", "first"
"""What stands for the layers of outputs and of inputs."""
OUTPUTS = re.compile(r"(?i)out|last|top|输出|ausg|sortie|salida")
INNER = re.compile(r"(?i)hidden|inner|inter|\bno[tn]?\b|_no[tn]?_|隐|verdeckt|versteckt|cach|ocult")
BEFORE = re.compile(r"(?i)up|pre|parent|in|source|ante")
Scope = Mapping[str, str]
"""By letter, the name of what it stands for: every sum has letters of its own."""
Joint = tuple[str, str, int]
"""Two letters, and by how many layers the second is above the first."""


@dataclass
class Levels:
    """Letters with how far above others they are."""

    above: dict[str, tuple[str, int]] = field(default_factory=dict)

    def root(self, letter: str) -> tuple[str, int]:
        """What a letter is counted from, and how far above that it is."""
        at = 0
        while letter in self.above:
            letter, by = self.above[letter]
            at += by
        return letter, at

    def join(self, low: str, high: str, by: int) -> None:
        """Note that a letter is so many layers above another, unless it is known where it is."""
        (a, m), (b, n) = self.root(low), self.root(high)
        if a != b:
            self.above[b] = (a, m + by - n)

    def distance(self, low: str, high: str) -> int | None:
        """By how many layers a letter is above another; None where nothing joins them."""
        (a, m), (b, n) = self.root(low), self.root(high)
        return n - m if a == b else None


def levels(body: Node, known: AnyUnit) -> dict[str, Node] | None:
    """The layers of all letters of a formula, by the names of their scopes; None where nothing says them."""
    found = Levels()
    for joints in (_structural, _weights):
        for low, high, by in joints(body, {}, known):
            found.join(low, high, by)
    used = list(dict.fromkeys(_used(body, {}, known)))
    (head,) = [body.items[0]] if isinstance(body, Relation) else [body]
    own = [k for k in dict.fromkeys(_used(head, {}, known)) if k in used] or [k for k in used if "#" not in k]
    if found.distance(FIRST, LAST) is not None:
        return None
    top = max(own, key=lambda k: found.root(k)[1]) if own else ""
    if top and found.distance(LAST, top) is None and found.distance(FIRST, top) is None and _of_output(body, known):
        found.join(LAST, top, 0)
    return _named(used, top, found, known)


def _named(used: list[str], top: str, found: Levels, known: AnyUnit) -> dict[str, Node] | None:
    """The layers of letters: counted from the last, from the first, or from that of `top`."""
    out: dict[str, Node] = {}
    for letter in used:
        if (by := found.distance(LAST, letter)) is not None:
            out[letter] = counted_on(Name("L"), by)
        elif (by := found.distance(FIRST, letter)) is not None:
            out[letter] = Number(str(by))
        elif top and (by := found.distance(top, letter)) is not None:
            out[letter] = counted_on(Name(known.count), by)
        else:
            return None
    return out


def inside(node: Sum, scope: Scope) -> Scope:
    """The letters inside a sum, which are its own."""
    return {**scope, **{name.base: f"{name.base}#{id(node)}" for name in node.indices}}


def said_of(condition: Node | None) -> str:
    """Whether a condition in words is of outputs ("=") or of hidden units ("!="); "" where it is none."""
    words = " ".join(x for part in condition.walk() for x in _words(part)) if condition else ""
    if not OUTPUTS.search(words) and not INNER.search(words):
        return ""
    return "!=" if INNER.search(words) else "="


def _words(part: Node) -> Iterator[str]:
    match part:
        case Text(text=text):
            yield text
        case Name(base=base) | Ref(base=base) if len(base) > 2:
            yield base


def of_outputs(ref: Ref, known: AnyUnit) -> bool:
    """Whether a symbol is something that only outputs have: a target, an error."""
    return (is_target(ref.base) or ref.base in known.ended) and ref.base not in known.values | known.owned


def unit_of(ref: Ref, known: AnyUnit) -> str:
    """The letter of what a unit has; "" where a symbol is nothing of one unit."""
    match ref:
        case Ref(base=base, subs=(Name(base=j),)) if base in known.values | known.owned and "layer" not in ref.kinds:
            return j
    return ""


def ends(ref: Ref, known: AnyUnit) -> tuple[str, str] | None:
    """The units from which and to which a weight leads."""
    match ref:
        case Ref(base=base, subs=(Name(base=a), Name(base=b))) if base in known.weighing and "layer" not in ref.kinds:
            return (a, b) if known.from_first and base != known.along else (b, a)
    return None


def _used(node: Node, scope: Scope, known: AnyUnit) -> Iterator[str]:
    """All letters of units, by their scopes."""
    if isinstance(node, Ref):
        found = [unit_of(node, known), *(ends(node, known) or ())]
        yield from (scope.get(letter, letter) for letter in found if letter)
    within = inside(node, scope) if isinstance(node, Sum) else scope
    for child in node.children():
        yield from _used(child, within, known)


def _weights(node: Node, scope: Scope, known: AnyUnit) -> Iterator[Joint]:
    """A weight leads one layer up."""
    if isinstance(node, Ref) and (pair := ends(node, known)):
        yield scope.get(pair[0], pair[0]), scope.get(pair[1], pair[1]), 1
    within = inside(node, scope) if isinstance(node, Sum) else scope
    for child in node.children():
        yield from _weights(child, within, known)


def _structural(node: Node, scope: Scope, known: AnyUnit) -> Iterator[Joint]:
    """What has a target is last; what is differentiated by what another unit has is above that."""
    match node:
        case Ref(subs=(Name(base=k),)) if of_outputs(node, known):
            yield LAST, scope.get(k, k), 0
        case Ref(base="x", subs=(Name(base=k),), slots=()) if "x" not in known.values:
            yield FIRST, scope.get(k, k), 0
        case Derivative(of=of, wrt=(Ref() as wrt,)) if j := unit_of(wrt, known):
            yield from _differentiated(of, wrt, scope.get(j, j), scope, known)
        case Sum(indices=(Name(base=k),), condition=Relation(ops=("in",), items=(_, where))):
            yield from _among(where, inside(node, scope)[k], scope)
    within = inside(node, scope) if isinstance(node, Sum) else scope
    if isinstance(node, Cases):
        for value, condition in zip(node.values, node.conditions, strict=True):
            if said_of(condition) != "=":
                yield from _structural(value, within, known)
        return
    for child in node.children():
        yield from _structural(child, within, known)


def _differentiated(of: Node, wrt: Ref, j: str, scope: Scope, known: AnyUnit) -> Iterator[Joint]:
    """The k of ∂net_k/∂o_j is above j; the i of ∂/∂o_j Σ_i w_{ki} o_i is where j is."""
    if isinstance(of, Ref) and (k := unit_of(of, known)) and of.base in known.values and scope.get(k, k) != j:
        yield j, scope.get(k, k), 1
    if isinstance(of, Ref | Call):
        return
    for key in _alike(of, wrt, scope, known):
        if key != j:
            yield j, key, 0


def _alike(node: Node, wrt: Ref, scope: Scope, known: AnyUnit) -> Iterator[str]:
    if isinstance(node, Ref) and node.base == wrt.base and (k := unit_of(node, known)):
        yield scope.get(k, k)
    within = inside(node, scope) if isinstance(node, Sum) else scope
    for child in node.children():
        yield from _alike(child, wrt, within, known)


def _among(where: Node, key: str, scope: Scope) -> Iterator[Joint]:
    """The k of k ∈ outputs, and of k ∈ Downstream(j)."""
    names = [part.base for part in where.walk() if isinstance(part, Name | Ref)]
    words, letters = " ".join(n for n in names if len(n) > 2), [n for n in names[1:] if len(n) == 1]
    if letters:
        yield scope.get(letters[0], letters[0]), key, -1 if BEFORE.match(words) else 1
    elif OUTPUTS.search(words):
        yield LAST, key, 0


def _of_output(node: Node, known: AnyUnit) -> bool:
    """Whether a formula speaks of the single output, or of its target, outside of cases."""
    if isinstance(node, Cases):
        return False
    if isinstance(node, Ref) and known.single and not node.subs and not node.slots:
        return node.base == known.single or is_target(node.base)
    return any(_of_output(child, known) for child in node.children())
