"""The values of a lesson's symbols at one place in it, and what makes them doubtful."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from oracle.lesson.numbers.bench import Bench
from oracle.lesson.numbers.evaluating import BUILT_IN, Evaluator, Tensor, UnboundError, scalar
from oracle.lesson.numbers.events import Event
from oracle.lesson.numbers.normal import key
from oracle.lesson.numbers.printed import Printed
from oracle.lesson.syntax import Derivative, Indexed, Name, Node, Number

CYCLE = "its formulas go round in a circle"
BASE = "log may have the base 10 or 2"
ACTIVATION = "the lesson does not say what σ is"
SETTLED = (BASE, ACTIVATION)
"""Doubts that one long number settles, which is right under them."""


@dataclass
class Leaf:
    """A number that is taken as it is printed."""

    value: Tensor
    half: float
    """How far it may be off: nothing for what is given."""
    why: str = ""
    """What makes a calculation from it doubtful."""


@dataclass
class State(Evaluator):
    """The values of all symbols at one place of the lesson."""

    bench: Bench
    at: int
    rounded: bool = False
    """Take results as they were printed before, not as they are."""
    override: Mapping[str, Tensor] = field(default_factory=dict)
    memo: dict[str, Tensor] = field(default_factory=dict)
    leaves: dict[str, Leaf] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    made: list[tuple[str, Node]] = field(default_factory=list)
    """Symbols with the formulas they were calculated by, children first."""
    literals: dict[str, Leaf] = field(default_factory=dict)
    provenance: bool = False
    """Put the exact value of a result for its rounded digits."""
    alone: bool = False
    """Ask not whether other formulas agree."""

    def doubt(self, words: str) -> None:
        """What makes a calculation doubtful, unless the lesson's numbers have settled it."""
        if words not in self.bench.confirmed:
            self.doubts.append(words)

    def symbol(self, node: Node) -> Tensor | None:
        """By override, by formula, by autograd, by arithmetic, by number; in this order."""
        name = key(node)
        if name in self.override:
            self.memo[name] = self.override[name]
        if name not in self.memo:
            if name in self.busy:
                raise UnboundError(CYCLE)
            self.busy.add(name)
            try:
                found = self._found(name, node)
            finally:
                self.busy.discard(name)
            if found is None:
                return None
            self.memo[name] = found
        return self.memo[name]

    def _found(self, name: str, node: Node) -> Tensor | None:
        events = self.bench.ordered(name, self.at)
        before = [e for e in events if e.at < self.at and e.numbers]
        if self.rounded and before:
            return self.leaf(name, before[0].numbers[0][0], 0.0)
        for event in events:
            for formula in event.formulas:
                if (value := self._tried(formula)) is not None:
                    self.made.append((name, formula))
                    if not self.alone and conflicting(self.bench, name):
                        self.doubt(f"{name} has formulas that differ")
                    return value
        if isinstance(node, Derivative) and (value := self.partial(node)) is not None:
            return value
        if self.bench.is_given(name) and not self.bench.is_suspect(name):
            return self._printed(name, node, events)
        general = self._general(name, node)
        return general if general is not None else self._printed(name, node, events)

    def _general(self, name: str, node: Node) -> Tensor | None:
        """z_3 by the formula of z_j, where there is one for letters."""
        for formula in self.bench.general(node):
            if (value := self._tried(formula)) is not None:
                self.made.append((name, formula))
                self.doubt(f"{name} is read from a formula for all indices")
                return value
        return None

    def _tried(self, formula: Node) -> Tensor | None:
        try:
            return self.value(formula)
        except UnboundError:
            return None

    def _printed(self, name: str, node: Node, events: list[Event]) -> Tensor | None:
        for event in events:
            for inserted in event.arithmetic:
                if (value := self._tried(inserted)) is not None:
                    self.doubt(f"{name} has no formula, only numbers")
                    return value
            if event.numbers:
                suspect = self.bench.is_suspect(name)
                one = event.numbers[0][0]
                if suspect:
                    self.doubt(f"the lesson has no formula for {name}")
                if self.bench.several(name):
                    self.doubt(f"{name} has several values")
                exact = not one.long or (self.bench.is_given(name) and not suspect)
                return self.leaf(name, one, 0.0 if exact else one.half)
            for matrix, _ in event.matrix:
                return self.value(matrix)
        return self._entry(node)

    def _entry(self, node: Node) -> Tensor | None:
        """`x_2` of x = (0.05, 0.1), which counts from 1."""
        if not isinstance(node, Indexed) or not all(isinstance(sub, Number) for sub in node.subs):
            return None
        digits = [sub.text for sub in node.subs if isinstance(sub, Number)]
        whole = self.symbol(node.base) if key(node.base) in self.bench.by_key else None
        if whole is None or whole.ndim != 2:
            return None
        digits = list(digits[0]) if len(digits) == 1 and len(digits[0]) == 2 and 1 not in whole.shape else digits
        flat = whole.flatten() if 1 in whole.shape and len(digits) == 1 else whole
        place = tuple(int(d) - 1 for d in digits)
        if len(place) != flat.ndim or any(not 0 <= p < n for p, n in zip(place, flat.shape, strict=True)):
            return None
        return flat[place]

    def leaf(self, name: str, one: Printed, half: float) -> Tensor:
        """A number as it is printed."""
        value = scalar(one.value).requires_grad_()
        self.leaves[name] = Leaf(value, half)
        return value

    def partial(self, node: Derivative) -> Tensor | None:
        """∂of/∂wrt by autograd, where the lesson's formulas lead from one to the other."""
        if len(node.wrt) != 1 or node.operator:
            return None
        of, wrt = self.symbol(node.of), self.memo.get(key(node.wrt[0]))
        if of is None or wrt is None or of.ndim or not (of.requires_grad and wrt.requires_grad):
            return None
        (found,) = torch.autograd.grad(of, wrt, create_graph=True, allow_unused=True)
        return found

    def function(self, name: str, x: tuple[Tensor, ...]) -> Tensor | None:
        """The lesson's own definition, else what the name means everywhere, else the activation it names."""
        bare = name.removeprefix("\\").lower()
        if own := self.bench.told.functions.get(name):
            if len(own.arguments) != len(x):
                return None
            inner = State(
                self.bench, self.at, override={key(Name(a)): v for a, v in zip(own.arguments, x, strict=True)}
            )
            return inner.value(own.body)
        if bare in BUILT_IN and len(x) == 1:
            if bare == "log":
                self.doubt(BASE)
            return BUILT_IN[bare](x[0])
        if bare == "max" and len(x) == 2:
            return torch.maximum(x[0].flatten()[0] if not x[1].ndim else x[0], x[1])
        return self._assumed(bare, x)

    def _assumed(self, name: str, x: tuple[Tensor, ...]) -> Tensor | None:
        if name not in ("sigma", "phi", "varphi", "f", "g") or len(x) != 1:
            return None
        named = [a for a in ("sigmoid", "logistic", "tanh", "relu") if a in self.bench.told.words]
        if len({a.replace("logistic", "sigmoid") for a in named}) != 1:
            if name != "sigma":
                return None
            self.doubt(ACTIVATION)
        return BUILT_IN[named[0].replace("logistic", "sigmoid") if named else "sigmoid"](x[0])

    def literal(self, node: Number) -> Tensor:
        """Digits; with `provenance`, the exact value of the result that was printed by these digits."""
        plain = super().literal(node)
        digits = len(node.text.partition(".")[2])
        if not self.provenance or digits < 2:
            return plain
        known = self.bench.results.get(float(plain), [])
        if any(self.bench.is_given(name) and not self.bench.is_suspect(name) for name, _ in known):
            return plain
        exact = [value for name, one in known if (value := self._exact(name, one)) is not None]
        if exact and all(abs(float((a - exact[0]).detach())) <= 1e-12 for a in exact):
            return exact[0]
        one = self.literals.setdefault(node.text, Leaf(plain.requires_grad_(), 0.5 * 10.0**-digits))
        return one.value

    def _exact(self, name: str, one: Printed) -> Tensor | None:
        """The size of a result, which was printed as `one`; None where that is not it."""
        head = self.bench.by_key[name][0].head
        try:
            value = self.symbol(head) if head is not None else None
        except UnboundError:
            return None
        if value is None or value.ndim or not one.near(float(value.detach())):
            return None
        return value if one.value >= 0 else -value

    def slack(self, value: Tensor, literals: bool = False) -> float:
        """How far off a value may be, since some of what it comes from is printed rounded."""
        pool = [leaf for leaf in self.leaves.values() if leaf.half]
        pool += list(self.literals.values()) if literals else []
        if not pool or not value.requires_grad or value.ndim:
            return 0.0
        grads = torch.autograd.grad(value, [leaf.value for leaf in pool], retain_graph=True, allow_unused=True)
        return sum(float(g.abs()) * leaf.half for g, leaf in zip(grads, pool, strict=True) if g is not None)


def conflicting(bench: Bench, name: str) -> bool:
    """Whether a symbol has formulas that give different values."""
    if name not in bench.conflicts:
        bench.conflicts[name] = False  # while it is being asked
        values = [value for event in bench.by_key.get(name, []) for value in _values(bench, event)]
        bench.conflicts[name] = any(abs(a - values[0]) > 1e-6 * abs(a) for a in values)
    return bench.conflicts[name]


def _values(bench: Bench, event: Event) -> list[float]:
    found = []
    for formula in event.formulas:
        try:
            value = State(bench, event.at, alone=True).value(formula)
        except UnboundError:
            continue
        if not value.ndim:
            found.append(float(value.detach()))
    return found
