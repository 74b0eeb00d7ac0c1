"""How a lesson uses its symbols: what it differentiates, what it takes slopes at, which symbols have layers."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from oracle.lesson.meaning.called import called_last
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.entry_names import has_entries
from oracle.lesson.meaning.gradients import gradient_of
from oracle.lesson.meaning.layouts import LAYOUTS
from oracle.lesson.meaning.losses import LOSS, LOSSES
from oracle.lesson.meaning.named_errors import named_errors
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Notation, Ref
from oracle.lesson.meaning.steps import step
from oracle.lesson.meaning.thin import thin
from oracle.lesson.meaning.told import Told, like, of_any_sample, told
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Dots,
    Gradient,
    Indexed,
    Items,
    Matrix,
    Name,
    Node,
    Norm,
    Number,
    Prime,
    Relation,
    Statement,
    Sum,
    Times,
    Transpose,
)  # fmt: skip

ERRORS = {"epsilon", "varepsilon"}
"""What is an error signal only where an equation is of it."""
SIGNALS = {"delta", "Delta", "Err", "err", "error", *ERRORS}
"""Symbols that often stand for a partial of the loss."""


ACTIVATION_NAMES = {"sigma", "varsigma", "phi", "varphi", "psi", "rho", "f", "g", "F", "G", "Phi", "act", "activation"}
"""Names that stand for an activation by custom."""


LAYERS = 3
"""Of the nets of a lesson that does not say how many."""

WHOLE = {"joined", "softmax", "diag", "Tr", "tr"}
"""Functions of vectors and matrices."""


@dataclass
class Usage:
    """What the statements of one lesson show."""

    notation: Notation
    refs: Counter[Ref] = field(default_factory=Counter)
    kinds: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    """By base, the kinds of slots it is met with."""
    losses: Counter[str] = field(default_factory=Counter)
    """What is differentiated and has neither index nor slot."""
    of_samples: Counter[str] = field(default_factory=Counter)
    """What is differentiated and has a sample alone."""
    preactivations: Counter[str] = field(default_factory=Counter)
    """Bases at which slopes are taken."""
    slopes_at: set[Ref] = field(default_factory=set)
    """At what slopes are taken, scripts and all."""
    slopes: Counter[str] = field(default_factory=Counter)
    """Names of functions that are met with a prime."""
    functions: Counter[str] = field(default_factory=Counter)
    arguments: dict[str, set[Node]] = field(default_factory=dict)
    """By function of one argument, what it is met with."""
    thin: dict[str, int] = field(default_factory=dict)
    """The axes of what a lesson's forward equations multiply to one vector: the w and b of X w + b."""
    bodies: list[Node] = field(default_factory=list)
    """The statements themselves."""
    formal: set[str] = field(default_factory=set)
    """What functions are said to be of: the x of f'(x) = f(x)(1 - f(x))."""
    heads: set[str] = field(default_factory=set)
    """Bases that stand on the left of an equation."""
    signals: set[str] = field(default_factory=set)
    """Bases that are defined as a partial."""
    called: dict[Ref, Derivative] = field(default_factory=dict)
    """Names at the end of a chain of partials, and of which: the g of ∂L/∂z = a - y = g, met there first."""
    told: dict[str, dict[Ref, Told]] = field(default_factory=dict)
    """Of which partials symbols are said to stand."""
    variables: Counter[Ref] = field(default_factory=Counter)
    """What is differentiated by."""
    vectors: bool = False
    products: set[str] = field(default_factory=set)
    """Symbols that are the product of a matrix and a vector, if they are vectors."""
    lined_up: dict[str, bool] = field(default_factory=dict)
    """By matrix that is said to be made of vectors, whether these are its columns: U = [u_1, …, u_n]."""
    partials: list[tuple[Ref, Ref]] = field(default_factory=list)
    """What is differentiated by what."""
    nested: list[tuple[Ref, Ref]] = field(default_factory=list)
    """What is a function of what, and of nothing else: F(x(r), y(r)) has said so."""
    steps: Counter[int] = field(default_factory=Counter)
    """How many update rules go along a gradient (1), and how many against it (-1)."""
    changes: Counter[int] = field(default_factory=Counter)
    """Of the steps without a rate that have names of their own, how many are along a gradient: Δw = ∂E/∂w."""
    added: bool = False
    """Whether such a step is added to its parameter: w + Δw."""
    elementwise: bool = False
    """Whether ⊙ is written."""
    chains_summed: bool = False
    """Whether a sum is written over a product of partials."""
    common: set[Ref] = field(default_factory=set)
    """Symbols that stand, with these very scripts, in two statements or more: they are no slips."""
    picked: bool = False
    """Whether an index picks an entry of a formula: [p - t]_k."""
    layers: int = 0
    """How many layers the statements say that there are: L = 2."""
    narrow: bool = False
    """Whether some layer has a single unit, as those of a 1-2-1 network: its vectors may be written as numbers."""
    numbers: bool = False
    """Whether no vector was met yet: every quantity may be a number."""
    turned: bool = False
    """Whether a vector stands beside a transposed one."""

    def is_signal(self, base: str) -> bool:
        plain = core(base)
        if self.notation.differentials and base.startswith(PREFIX):
            return False
        return (
            (plain in SIGNALS and (plain not in ERRORS or base in self.heads))
            or base in self.signals
            or (" " in base and base.partition(" ")[0] in self.notation.markers)
            or (len(plain) == 2 and plain[0] == "d" and plain[1] in "abhoswxyzABHOWXYZL")
            or (len(plain) == 2 and plain[0] == "d" and plain[1] in self.heads - LOSSES)
            or gradient_of(base, self.notation.markers) in self.kinds
        )

    @property
    def depth(self) -> int:
        """How many layers a net of the lesson has: as many as it counts, where all of them have numbers."""
        slots = [slot for ref in self.refs for kind, slot in ref.slots if kind == "layer"]
        numbers = [int(slot.text) for slot in slots if isinstance(slot, Number) and slot.text.isdigit()]
        return max(numbers) if max(numbers, default=0) > 1 and len(numbers) == len(slots) else LAYERS

    def layered(self, base: str) -> bool:
        return any("layer" in kinds for kinds in self.kinds.get(base, ()))


def survey_usage(statements: Iterable[Statement], notation: Notation | None = None) -> Usage:
    """The usage of a lesson's statements, symbols bound."""
    found, seen, given = Usage(notation or Notation()), set[Ref](), list(statements)
    found.called, loss = called_last(given), _only_differentiated(given)
    found.signals |= {ref.base for ref in found.called}
    for statement in given:
        if isinstance(statement.body, Relation) and isinstance(head := statement.body.items[0], Ref):
            found.heads.add(head.base)
            if partial := _partial_of(head, statement.body, loss):
                found.signals.add(head.base)
                found.told.setdefault(head.base, {}).setdefault(head, partial)
        found.bodies.append(statement.body)
        found.layers = _said_layers(statement.body, found.notation.tops) or found.layers
        found.formal |= _formal(statement.body)
        for node in statement.body.walk():
            _note(node, found)
        _count_steps(statement.body, found)
        found.products |= {_product(statement.body)}
        found.lined_up |= _lined_up(statement.body)
        here = {node for node in statement.body.walk() if isinstance(node, Ref)}
        found.common |= here & seen
        seen |= here
    for name, partial in named_errors(given, found.is_signal).items():
        found.signals.add(name.base)
        found.told.setdefault(name.base, {}).setdefault(name, partial)
    found.thin = thin(given)
    found.vectors |= bool(found.thin) or 0 < len(found.notation.layouts) < len(LAYOUTS)
    indexed = {ref.base for ref in found.refs if ref.subs}
    found.vectors |= bool(indexed & found.products) or has_entries(found.refs)
    return found


def _formal(body: Node) -> set[str]:
    match body:
        case Relation(items=(Call(args=(Ref(base=base, slots=(), subs=()),)), *_)):
            return {base}
    return set()


def _said_layers(body: Node, tops: Collection[str]) -> int:
    """The 2 of L = 2; 0 of any other statement, and where there would be one layer or many."""
    match body:
        case Relation(items=(Ref(base=base, slots=(), subs=()), Number(text=text)), ops=("=",)) if text.isdigit():
            return int(text) if base in {"L", *tops} and 1 < int(text) < 5 else 0
    return 0


def _only_differentiated(statements: Iterable[Statement]) -> str:
    """The ξ that a lesson differentiates, and by which nothing is differentiated; "" where there are several."""
    partials = [part for s in statements for part in s.body.walk() if isinstance(part, Derivative)]
    by = {wrt.base for part in partials for wrt in part.wrt if isinstance(wrt, Ref)}
    alone = {part.of.base for part in partials if isinstance(part.of, Ref)} - by
    return alone.pop() if len(alone) == 1 else ""


def _partial_of(head: Ref, body: Relation, loss: str) -> Told | None:
    """The partial of the loss that a symbol is a name of, which is by what is indexed like it: g_k = ∂E/∂z_k."""
    if body.ops[0] not in ("=", ":=") or head.mark or core(head.base) in PARAMETER_LETTERS:
        return None
    found = told(body.items[1])
    found = found and of_any_sample(head, found)
    if core(head.base) in LOSSES and not (found and isinstance(found.of, Ref) and found.of.base in LOSSES):
        return None
    if found is None or not isinstance(of := found.of, Ref) or not isinstance(found.wrt, Ref):
        return None
    one = not (found.chained or found.factor < 0) or core(of.base) in LOSSES or of.base == loss
    whole = not of.subs and not {"layer", "sample"} & {*of.kinds} and of.base != head.base != found.wrt.base
    return found if one and whole and like(head, found) else None


def _count_steps(body: Node, found: Usage) -> None:
    if isinstance(body, Relation):
        for op, member in zip(body.ops, body.items[1:], strict=True):
            made = step(body.items[0], op, member)
            if made and made.wrt:
                found.steps[made.sign] += 1
                found.changes[made.sign] += made.change and not made.rate
            elif made and isinstance(made.core, Ref) and made.core.base.startswith("Delta "):
                found.added |= made.sign > 0


def _product(body: Node) -> str:
    """The s of s = W x, which is a vector if it has entries."""
    match body:
        case Relation(items=(Ref(base=base, subs=()), member, *_), ops=("=", *_)):
            factors = [part.factors for part in member.walk() if isinstance(part, Times)]
            known = (all(isinstance(f, Ref) and not f.subs for f in found) for found in factors)
            upper = (any(isinstance(f, Ref) and f.base[:1].isupper() for f in found) for found in factors)
            return base if any(a and b for a, b in zip(known, upper, strict=True)) else ""
    return ""


def _lined_up(body: Node) -> dict[str, bool]:
    """The U of U = [u_1, …, u_n], whose columns these are; in [u_1^T; …; u_n^T] and [u_1, …, u_n]^T its rows."""
    if not isinstance(body, Relation) or not isinstance(body.items[0], Ref):
        return {}
    rest = body.items[1]
    whole = rest.base if isinstance(rest, Transpose) else rest
    match whole:
        case Items(items=cells) | Matrix(rows=(cells,)):
            upright = True
        case Matrix(rows=rows) if all(len(row) == 1 for row in rows):
            cells, upright = tuple(row[0] for row in rows), False
        case _:
            return {}
    matrix = body.items[0].base
    vectors = {c.base if isinstance(c, Transpose) else c for c in cells if not isinstance(c, Dots)}
    alike = all(isinstance(v, Ref) and matrix in (v.base[:1].upper() + v.base[1:]) for v in vectors)
    turned = isinstance(rest, Transpose), any(isinstance(c, Transpose) for c in cells)
    known = alike and len(vectors) > 1 and upright != turned[1]
    return {matrix: upright != turned[0]} if known else {}


def _note(node: Node, found: Usage) -> None:
    found.partials += _partials(node) or ([] if found.notation.primed else _slopes_of_losses(node))
    found.nested += _nested(node)
    if isinstance(node, Derivative | Gradient):
        wrt = node.wrt if isinstance(node, Derivative) else (node.wrt,)
        found.variables.update(part for part in wrt if isinstance(part, Ref))
    match node:
        case Ref():
            found.refs[node] += 1
            found.kinds.setdefault(node.base, set()).add(node.kinds)
        case Derivative(of=Ref() as of) | Gradient(of=Ref() as of):
            if not of.subs and not of.slots and not (isinstance(node, Derivative) and of in node.wrt):
                found.losses[of.base] += 1
            elif not of.subs and of.kinds == ("sample",):
                found.of_samples[of.base] += 1
        case Derivative(of=Call(function=Name(base=base))) | Gradient(of=Call(function=Name(base=base))) if (
            base not in ACTIVATION_NAMES
        ):
            found.losses[base] += 1
        case Call(function=function, args=args):
            primed = any(isinstance(part, Prime) for part in function.walk())
            name = next((part.base for part in function.walk() if isinstance(part, Name)), "")
            found.functions[name] += 1
            if len(args) == 1:
                found.arguments.setdefault(name, set()).add(args[0])
            found.vectors |= name in WHOLE and not any(
                isinstance(n, Ref) and n.subs for arg in args for n in arg.walk()
            )
            found.vectors |= name == "diag" and len(args) > 1  # diag(a_1, …, a_n)
            if primed:
                found.slopes[name] += 1
                for arg in args:
                    if isinstance(arg, Ref):
                        found.preactivations[arg.base] += 1
                        found.slopes_at.add(arg)
        case Indexed():
            found.picked = True
        case Sum(body=body) if is_chain(body):
            found.chains_summed = True
        case Transpose():
            found.vectors = True
        case Norm(kind=kind) if kind != "abs":
            found.vectors = True
        case Times(factors=factors) if any(_turned(a, b) for a, b in pairwise(factors)):
            found.turned = found.vectors = True
        case Times(ops=ops) if "odot" in ops:
            found.vectors = found.elementwise = True
        case Times(ops=ops) if "otimes" in ops:
            found.vectors = True
        case Matrix():
            found.vectors = True


def is_chain(node: Node) -> bool:
    """Whether a formula is a product of partials."""
    return isinstance(node, Times) and all(isinstance(factor, Derivative) for factor in node.factors)


def _partials(node: Node) -> list[tuple[Ref, Ref]]:
    """∂a/∂b and ∇_b a."""
    match node:
        case Derivative(of=Ref() as of, wrt=(Ref() as wrt,)) | Gradient(of=Ref() as of, wrt=Ref() as wrt):
            return [(of, wrt)]
        case (
            Derivative(of=Call(function=Name(base=base), args=args))
            | Gradient(of=Call(function=Name(base=base), args=args))
        ):
            plain = all(isinstance(arg, Ref) and not arg.subs and not arg.slots for arg in args)
            return [(Ref(base), arg) for arg in args if isinstance(arg, Ref) and plain]
    return []


def _slopes_of_losses(node: Node) -> list[tuple[Ref, Ref]]:
    """C'(a), where primes are slopes of functions elsewhere."""
    match node:
        case Call(function=Prime(base=Name(base=base)), args=(Ref() as arg,)) if base in LOSS:
            return [(Ref(base), arg)]
    return []


def _nested(node: Node) -> list[tuple[Ref, Ref]]:
    """F(x(r), y(r)): F by x and y, and these by r."""
    if not isinstance(node, Derivative) or not isinstance(node.of, Call) or not isinstance(node.of.function, Name):
        return []
    inner = [_called(arg) for arg in node.of.args]
    if not inner or None in inner or any(f.base in ACTIVATION_NAMES for f, _ in filter(None, inner)):
        return []  # log σ(u) is a function of one number
    pairs = [pair for pair in inner if pair]
    return [*((Ref(node.of.function.base), f) for f, _ in pairs), *pairs]


def _called(node: Node) -> tuple[Ref, Ref] | None:
    """x(r), which looks like a product where nothing says that x is a function."""
    match node:
        case Call(function=Name(base=base), args=(Ref() as arg,)):
            return Ref(base), arg
        case Times(factors=(Ref() as f, Ref() as arg), ops=("",)):
            return f, arg
    return None


def _turned(a: Node, b: Node) -> bool:
    """Whether one of two factors is a transposed vector, and the other a vector."""
    cores = [x.base if isinstance(x, Transpose) else x for x in (a, b)]
    cores = [x.args[0] if isinstance(x, Call) and len(x.args) == 1 else x for x in cores]
    cores = [x.base if isinstance(x, Transpose) else x for x in cores]
    known = all(isinstance(x, Ref) and x.base[:1].islower() and not x.subs for x in cores)
    return known and (any(isinstance(part, Transpose) for x in (a, b) for part in x.walk()))


__all__ = ["SIGNALS", "Usage", "survey_usage"]
