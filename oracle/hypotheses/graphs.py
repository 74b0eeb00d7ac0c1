"""Wrong sums where branches meet, part or share; wrong shapes and broadcasts.

Faults of the walk over the graph are told for the whole case: of every tensor that is used several times, what would
a wrong walk add? The order of a walk is that of the nodes, backwards; of a node's inputs, forwards.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (the name that everybody gives it)

from oracle.composites import Tensor
from oracle.hypotheses.evidence import Evidence, told
from oracle.hypotheses.hypothesis import Hypothesis, Override, anything, elementwise, keeping, op, override, scaled, vjp
from oracle.hypotheses.losses import each
from oracle.spec import Case, Node, Tensors

Place = int | str
"""Which of a node's inputs; or the role of a parameter."""
Use = tuple[Node, Place]

# ------------------------------------------------------------------------------------------------------- uses in a walk


def live(case: Case) -> list[Node]:
    """The nodes that the loss hears of."""
    heard = case.spec.ancestors(case.spec.loss)
    return [node for node in case.nodes if node.name in heard]


def walks(e: Evidence) -> list[list[Node]]:
    """Orders in which a walk backwards may meet the nodes: as they are written, all or those that the loss hears of; or
    sorted by a search from the loss, through the inputs forwards or backwards.
    """

    def sorted_by(step: int) -> list[Node]:
        by_name = {node.name: node for node in e.case.nodes}
        found: dict[str, Node] = {}

        def visit(node: Node) -> None:
            for name in node.inputs[::step]:
                maker = by_name.get(name.partition(":")[0])
                if maker is not None and maker.name not in found:
                    visit(maker)
            found[node.name] = node

        visit(e.case.nodes[-1])
        return list(found.values())[::-1]

    return [list(e.case.nodes)[::-1], live(e.case)[::-1], sorted_by(1), sorted_by(-1)]


def uses(e: Evidence, walk: list[Node], *, parameters: bool = False) -> dict[str, list[Use]]:
    """The uses of every tensor that is differentiated and used more than once, as the walk meets them.

    With `parameters`, of shared ones too.
    """
    found: dict[str, list[Use]] = {}
    for node in walk:
        for k, name in enumerate(node.inputs):
            if e.truth.values[name].dtype.kind == "f":
                found.setdefault(name, []).append((node, k))
        for role in ("weight", "bias") if parameters and node.op == "Linear" else ():
            found.setdefault(node.parameter(role), []).append((node, role))
    return {name: many for name, many in found.items() if len(many) > 1}


Weights = dict[tuple[str, Place], float]


def weighted(e: Evidence, weights: Weights) -> Tensors:
    """The answer when uses, by node and place, are heard so many times."""
    places: dict[str, dict[Place, float]] = {}
    for (name, k), w in weights.items():
        places.setdefault(name, {})[k] = w

    def fault(ks: dict[Place, float]) -> Callable[..., Any]:
        def wrong(call: Any, p: Mapping[str, Tensor], *x: Tensor) -> Any:
            heard = [_heard(t, ks[k]) if k in ks else t for k, t in enumerate(x)]
            if not any(isinstance(k, str) for k in ks):
                return call(*heard)
            own = {role: _heard(t, ks.get(role, 1.0)) for role, t in p.items()}
            return F.linear(heard[0], own["weight"], own.get("bias"))

        return wrong

    return told(e.twin.run(e.case, faults={name: fault(ks) for name, ks in places.items()}))


def _heard(x: Tensor, k: float) -> Tensor:
    return scaled(x, k) if k else x.detach()


def only(kept: Use, many: list[Use]) -> Weights:
    """Weights that keep one use."""
    return {(node.name, k): float((node, k) == kept) for node, k in many}


def _everywhere(e: Evidence, *rules: Callable[[list[Use]], Weights]) -> Iterator[Tensors]:
    """Every tensor's uses weighted by a rule, parameters' too or not, in whatever order a walk meets them."""
    seen: list[Weights] = []
    for walk in walks(e):
        for parameters in (False, True):
            found = uses(e, walk, parameters=parameters)
            for rule in rules:
                merged: Weights = {}
                for many in found.values():
                    merged |= rule(many)
                if merged not in seen:
                    seen.append(merged)
                    yield weighted(e, merged)


def _one_use(e: Evidence) -> Iterator[Tensors]:
    """Of every tensor only the last use on the walk, or the first; of one tensor any use, or all but one."""

    def swapped(many: list[Use]) -> list[Use]:
        """The inputs of each node in the other order."""
        last = many[-1][0]
        return [u for u in many if u[0] is not last] + [u for u in many if u[0] is last][::-1]

    yield from _everywhere(
        e,
        lambda many: only(many[-1], many),
        lambda many: only(many[0], many),
        lambda many: only(swapped(many)[-1], many),
    )
    for many in uses(e, live(e.case)[::-1]).values():
        yield from (weighted(e, only(use, many)) for use in many)
        if len(many) > 2:
            yield from (weighted(e, {(node.name, k): 0.0}) for node, k in many)


def _averaged(e: Evidence) -> Iterator[Tensors]:
    """Each use counts for one part in so many; or each new one is averaged with all before it."""

    def evenly(many: list[Use]) -> Weights:
        return {(node.name, k): 1 / len(many) for node, k in many}

    def running(many: list[Use]) -> Weights:
        last = len(many) - 1
        return {(node.name, k): 0.5 ** min(last, last - i + 1) for i, (node, k) in enumerate(many)}

    yield from _everywhere(e, evenly, running)
    for many in uses(e, live(e.case)[::-1]).values():
        yield weighted(e, evenly(many))


def _twice(keep: int) -> Override:
    """Of a tensor that the node reads several times only the last place, or the first, hears."""

    def make(node: Node) -> Callable[..., Any]:
        places = {name: [k for k, other in enumerate(node.inputs) if other == name] for name in node.inputs}
        kept = {ks[keep] for ks in places.values()}
        return lambda call, p, *x: call(*[t if k in kept else t.detach() for k, t in enumerate(x)])

    return make


# ----------------------------------------------------------------------------------------------------- propagated again

STEPS = 3000
"""Visits after which a walk that sends everything again is given up."""


class Local:
    """Each node's own small graph, for a walk of any kind."""

    def __init__(self, e: Evidence) -> None:
        self.case = e.case
        self.parts: dict[str, tuple[list[Tensor], list[tuple[str, Tensor]], list[Tensor]]] = {}
        by_name = {node.name: node for node in e.case.nodes}
        e.twin.run(e.case, faults={name: self._recorded(node) for name, node in by_name.items()})
        self.maker = {t: by_name[t.partition(":")[0]] for t in e.truth.values if t.partition(":")[0] in by_name}

    def _recorded(self, node: Node) -> Callable[..., Any]:
        def record(call: Any, p: Mapping[str, Tensor], *x: Tensor) -> Any:
            leaves = [t.detach().requires_grad_(t.is_floating_point()) for t in x]
            y = call(*leaves)
            own = [(node.parameter(role), t) for role, t in p.items()]
            self.parts[node.name] = (leaves, own, list(y) if isinstance(y, tuple) else [y])
            return tuple(t.detach() for t in y) if isinstance(y, tuple) else y.detach()

        return record

    def outputs(self, node: Node) -> list[str]:
        """The tensors that a node makes."""
        n = len(self.parts[node.name][2])
        return [node.name] if f"{node.name}:0" not in self.maker else [f"{node.name}:{k}" for k in range(n)]

    def back(self, node: Node, errors: Mapping[str, Tensor]) -> tuple[list[Tensor | None], dict[str, Tensor]]:
        """What a node hands to its inputs, and its partials."""
        leaves, own, y = self.parts[node.name]
        signals = [errors.get(name, torch.zeros_like(t)) for name, t in zip(self.outputs(node), y, strict=True)]
        wanted = [*(t for t in leaves if t.requires_grad), *(t for _, t in own)]
        if not wanted:
            return [None] * len(leaves), {}
        heard = [(t, s) for t, s in zip(y, signals, strict=True) if t.requires_grad]
        found = iter(
            torch.autograd.grad(
                [t for t, _ in heard], wanted, [s for _, s in heard], retain_graph=True, allow_unused=True
            )
        )
        down = [next(found) if t.requires_grad else None for t in leaves]
        return down, {name: g for (name, _), g in zip(own, found, strict=True) if g is not None}


def _again(e: Evidence) -> Iterator[Tensors]:
    """A node that hears anything at once sends on all that it has heard so far."""
    local = Local(e)
    for how in ("each use", "each node", "at once"):
        for step in (1, -1):
            yield from _resent(e, local, how, step)


def _resent(e: Evidence, local: Local, how: str, step: int) -> Iterator[Tensors]:
    """All inputs hear before any sends on, for each use or each node; or each sends at once.

    Partials are added at each visit, or made at the end.
    """
    errors: dict[str, Tensor] = {}
    partials: dict[str, Tensor] = {}
    visits = 0

    def send(node: Node) -> None:
        nonlocal visits
        visits += 1
        if visits > STEPS:
            raise ValueError("too many ways from the loss")
        down, own = local.back(node, errors)
        for name, g in own.items():
            partials[name] = partials[name] + g if name in partials else g
        heard = [(n, d) for n, d in zip(node.inputs, down, strict=True) if d is not None][::step]
        for name, d in heard:
            errors[name] = errors[name] + d if name in errors else d
            if how == "at once" and name in local.maker:
                send(local.maker[name])
        makers = [local.maker[name].name for name, _ in heard if name in local.maker and how != "at once"]
        for name in dict.fromkeys(makers) if how == "each node" else makers:
            send(local.maker[name] if name in local.maker else local.maker[f"{name}:0"])

    last = e.case.nodes[-1]
    errors[last.name] = torch.ones_like(local.parts[last.name][2][0])
    send(last)
    inputs = {name: errors[name].numpy() for name in e.case.inputs if name in errors}
    yield {**e.right, **inputs, **{name: g.numpy() for name, g in partials.items()}}
    final: dict[str, Tensor] = {}
    for node in live(e.case):
        for name, g in local.back(node, errors)[1].items():
            final[name] = final[name] + g if name in final else g
    yield {**e.right, **inputs, **{name: g.numpy() for name, g in final.items()}}


# ------------------------------------------------------------------------------------------------ shared memory


def _shared_memory(e: Evidence) -> Iterator[Tensors]:
    """Error signals that are handed on as they are share their memory, and something writes into it: the slopes of one
    operator, those of all, or the sum of two uses.
    """
    handing = [node for node in e.case.nodes if _hands_on(node, e.case)]
    ops = sorted({node.op for node in e.case.nodes if elementwise(node) or node.op == "Dropout"})
    if not handing:
        yield e.right
        return
    local = Local(e)
    for writing in [{name} for name in ops] + ([set(ops)] if len(ops) > 1 else []):
        yield _overwriting(e, local, writing, summing=False)
    yield _overwriting(e, local, set(), summing=True)


def _hands_on(node: Node, case: Case) -> bool:
    """Whether δ itself, or a view of it, is handed down."""
    plain = ("Add", "Concatenate", "Identity", "Flatten", "Unflatten")
    return node.op in plain or (node.op == "Dropout" and not case.training)


def _views(node: Node, delta: Tensor, x: list[Tensor]) -> Iterator[Tensor | None]:
    """The memory of δ that each input gets; None where it gets numbers of its own."""
    start, axis = 0, node.attrs.get("dim", 1)
    for t in x:
        if node.op == "Concatenate":
            yield delta.narrow(axis, start, t.shape[axis])
            start += t.shape[axis]
        elif node.op in ("Flatten", "Unflatten"):
            yield delta.view(t.shape) if delta.is_contiguous() else None
        else:
            yield delta if t.shape == delta.shape else None


def _overwriting(e: Evidence, local: Local, writing: set[str], *, summing: bool) -> Tensors:
    """A walk backwards in which these operators write what they hand down into what they heard."""
    errors = {e.case.nodes[-1].name: torch.ones_like(local.parts[e.case.nodes[-1].name][2][0])}
    partials: dict[str, Tensor] = {}
    for node in reversed(live(e.case)):
        found, own = local.back(node, errors)
        down = [None if d is None else d.clone() for d in found]
        for name, g in own.items():
            partials[name] = partials[name] + g if name in partials else g.clone()
        heard = errors.get(node.name)
        if heard is not None and _hands_on(node, e.case):
            views = _views(node, heard, local.parts[node.name][0])
            down = [d if d is None or v is None else v for d, v in zip(down, views, strict=True)]
        elif heard is not None and node.op in writing and down[0] is not None and down[0].shape == heard.shape:
            down[0] = heard.copy_(down[0])
        for name, d in zip(node.inputs, down, strict=True):
            if d is not None:
                old = errors.get(name)
                errors[name] = d if old is None else old.add_(d) if summing else old + d
    inputs = {name: errors[name].numpy().copy() for name in e.case.inputs if name in errors}
    return {**e.right, **inputs, **{name: g.numpy() for name, g in partials.items()}}


# ------------------------------------------------------------------------------------------------ shared, and forgotten


def _sharers(case: Case) -> dict[str, list[Node]]:
    """The Linear nodes of each weight that several have."""
    found: dict[str, list[Node]] = {}
    for node in case.nodes:
        if node.op == "Linear":
            found.setdefault(node.parameter("weight"), []).append(node)
    return {name: nodes for name, nodes in found.items() if len(nodes) > 1}


def _unlearned(node: Node) -> Callable[..., Any]:
    return lambda call, p, x: F.linear(x, p["weight"].detach(), p.get("bias"))


def _one_sharer(e: Evidence) -> Iterator[Tensors]:
    """Of the uses of a shared weight only the last, or the first: of all, or of those that the loss hears of."""
    heard = {node.name for node in live(e.case)}
    for keep in (-1, 0):
        for among in (heard, {node.name for node in e.case.nodes}):
            kept = [[n for n in nodes if n.name in among][keep:][:1] for nodes in _sharers(e.case).values()]
            names = {n.name for nodes in kept for n in nodes}
            silent = [n for nodes in _sharers(e.case).values() for n in nodes if n.name not in names]
            yield told(e.twin.run(e.case, faults={n.name: _unlearned(n) for n in silent}))


def _inputs_forgotten(e: Evidence) -> Iterator[Tensors]:
    """Nothing for the first input, for all but the targets, or for any."""
    real = [name for name in e.case.spec.input_names() if name in e.right]
    ends = {name for node in e.case.nodes[-2:] for name in node.inputs[1:]}
    for gone in (real[:1], [n for n in real if n not in ends], real):
        yield {**e.right, **{name: np.zeros_like(e.right[name]) for name in gone}}


def _used(e: Evidence, node: Node) -> list[bool]:
    """Of the outputs of a node, which the loss hears of."""
    read = {name for other in live(e.case) for name in other.inputs}
    count = sum(name.partition(":")[0] == node.name for name in e.truth.values)
    return [f"{node.name}:{k}" in read for k in range(count)]


def _first_output(e: Evidence, nodes: list[Node]) -> Iterator[Tensors]:
    """The first piece alone is heard; or nothing is, where the first piece, or any, is not used."""

    def first(call: Any, p: Any, x: Tensor) -> Any:
        y = call(x)
        return (y[0], *(t.detach() for t in y[1:])) if isinstance(y, tuple) else y

    def none(call: Any, p: Any, x: Tensor) -> Any:
        return call(x.detach())

    yield told(e.twin.run(e.case, faults={n.name: first for n in nodes}))
    for asked in (slice(1), slice(None)):
        gone = [n for n in nodes if not all(_used(e, n)[asked])]
        yield told(e.twin.run(e.case, faults={n.name: none for n in gone}))


def _use_forgotten(k: int) -> Override:
    """The k-th input of the node gets nothing back."""
    return lambda node: lambda call, p, *x: call(*[t.detach() if i == k else t for i, t in enumerate(x)])


def _nothing_back(node: Node) -> Callable[..., Any]:
    return lambda call, p, *x: call(*[t.detach() for t in x])


def _parted(k: Callable[[int], float]) -> Override:
    """Every input hears k(number of inputs) times what it should."""
    return lambda node: lambda call, p, *x: call(*[scaled(t, k(len(x))) for t in x])


# ------------------------------------------------------------------------------------------------ sums and products

JOINS = op("Add", "Multiply", "Concatenate")
Reduce = Callable[[Tensor, tuple[int, ...]], Tensor]
"""δ in the shape of the result, and the axes along which an operand was repeated (all kept)."""


def _repeated(delta: Tensor, x: Tensor) -> tuple[int, ...]:
    shape = (1,) * (delta.dim() - x.dim()) + tuple(x.shape)
    new = range(delta.dim() - x.dim())
    return (*new, *(k for k, n in enumerate(shape) if k not in new and n == 1 and delta.shape[k] != 1))


def _factors(node: Node, x: list[Tensor]) -> list[Tensor]:
    """What δ is multiplied by on its way to each operand."""
    if node.op == "Add":
        return [torch.ones((), dtype=t.dtype) for t in x]
    return [reduce(torch.mul, [*x[:k], *x[k + 1 :]]) for k in range(len(x))]


def _sum(delta: Tensor, axes: tuple[int, ...]) -> Tensor:
    return delta.sum(axes, keepdim=True) if axes else delta


def _mean(delta: Tensor, axes: tuple[int, ...]) -> Tensor:
    return delta.mean(axes, keepdim=True) if axes else delta


def _at(k: int) -> Reduce:
    """One index of the repeated axes, the first or the last."""

    def take(delta: Tensor, axes: tuple[int, ...]) -> Tensor:
        for axis in axes:
            delta = delta[(slice(None),) * axis + (slice(0, 1) if k == 0 else slice(-1, None),)]
        return delta

    return take


def broadcast(reduced: Reduce) -> Hypothesis:
    """Another adjoint of broadcasting, in sums and products."""

    def wrong(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
        for t, factor in zip(x, _factors(node, x), strict=True):
            yield reduced(delta * factor, _repeated(delta, t)).reshape(t.shape)

    return override(op("Add", "Multiply"), vjp(wrong))


def product(factor: Callable[[list[Tensor], int], Any], places: slice = slice(None)) -> Override:
    """Another factor for the operands in these places of a product: factor(operands, k)."""

    def wrong(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
        right = _factors(node, x)
        for k, t in enumerate(x):
            f = factor(x, k) if k in range(*places.indices(len(x))) else right[k]
            yield _sum(delta * f, _repeated(delta, t)).reshape(t.shape)

    return vjp(wrong)


def _negated_from(places: slice) -> Override:
    return lambda node: (
        lambda call, p, *x: call(*[scaled(t, -1.0) if i in range(len(x))[places] else t for i, t in enumerate(x)])
    )


# -------------------------------------------------------------------------------------------------- cuts and shapes


def _fitted(delta: Tensor, axis: int, n: int) -> Tensor:
    """The first n entries along an axis, zeros where there are too few."""
    delta = delta.narrow(axis, 0, min(n, delta.shape[axis]))
    missing = list(delta.shape)
    missing[axis] = n - delta.shape[axis]
    return torch.cat([delta, delta.new_zeros(missing)], axis)


def _refilled(part: Tensor, t: Tensor) -> Tensor:
    """The numbers of a part in another shape, begun again where they are too few, as np.resize does."""
    return torch.from_numpy(np.resize(part.numpy(), tuple(t.shape)).copy())


def _cut_evenly(fit: str, *, pairs: bool) -> Override:
    """Each part begins at its share of the width; it has its own width, or ends at its share and is made to fit.

    With `pairs` only where there are two parts.
    """

    def wrong(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
        axis = node.attrs.get("dim", 1) % delta.dim()
        width, n = delta.shape[axis], len(x)
        widths = [t.shape[axis] for t in x]
        starts = [k * width // n for k in range(n + 1)]
        if (pairs and n != 2) or (fit == "refilled" and (width % n or len(set(widths)) == 1)):
            starts = [sum(widths[:k]) for k in range(n + 1)]
        for k, t in enumerate(x):
            end = min(width, starts[k] + widths[k]) if fit == "own width" else starts[k + 1]
            part = delta.narrow(axis, starts[k], end - starts[k])
            yield _refilled(part, t) if fit == "refilled" else _fitted(part, axis, widths[k])

    return vjp(wrong)


def _orders(n: int) -> list[list[int]]:
    """The parts in the opposite order; the first two exchanged; each one place on."""
    return [list(range(n))[::-1], [1, 0, *range(2, n)], [*range(1, n), 0], [n - 1, *range(n - 1)]]


def _reordered(which: int) -> Override:
    """The error signals of the parts in another order."""

    def make(node: Node) -> Callable[..., Any]:
        def wrong(call: Any, p: Any, *x: Tensor) -> Any:
            if node.op == "Chunk":
                y = call(*x)
                order = _orders(len(y))[which] if len(y) > 1 else [0]
                return tuple(keeping(t, y[k]) for t, k in zip(y, order, strict=True))
            if len({t.shape for t in x}) > 1:
                return call(*x)
            return keeping(call(*x), call(*[x[k] for k in _orders(len(x))[which]]))

        return wrong

    return make


def _fortran(node: Node, p: Any, delta: Tensor, x: list[Tensor], y: Tensor) -> Any:
    return (torch.from_numpy(delta.numpy().reshape(tuple(x[0].shape), order="F").copy()),)


def _many(node: Node) -> bool:
    """Products of three and more."""
    return node.op == "Multiply" and len(node.inputs) > 2


def _reads_twice(node: Node) -> bool:
    return len(set(node.inputs)) < len(node.inputs)


HYPOTHESES: dict[str, Hypothesis] = {
    # -------------------------------------------------------------------------------------------------- branches
    "G101": override(JOINS, _use_forgotten(0)),
    "G102": override(JOINS, _use_forgotten(1)),
    "G103": override(lambda node: True, _nothing_back),
    "G104": anything(_one_use),
    "G105": each(_reads_twice, _twice(-1), _twice(0)),
    "G106": anything(_averaged),
    "G107": anything(_again),
    "G108": anything(_one_sharer),
    "G109": anything(_inputs_forgotten),
    "G110": each(op("Add"), _parted(lambda n: 0.5), _parted(lambda n: 1 / n)),
    "G111": Hypothesis(op("Chunk"), _first_output),
    "G112": anything(_shared_memory),
    # ---------------------------------------------------------------------------------------- broadcasts and joins
    "J101": broadcast(_at(0)),
    "J102": broadcast(_mean),
    "J105": each(
        op("Multiply"),
        product(lambda x, k: x[k]),
        product(lambda x, k: x[k] ** (len(x) - 1)),
        product(lambda x, k: x[k], slice(1)),
        product(lambda x, k: x[k], slice(1, None)),
    ),
    "J106": each(
        op("Multiply"),
        product(lambda x, k: 1.0),
        product(lambda x, k: 1.0, slice(1)),
        product(lambda x, k: 1.0, slice(1, None)),
    ),
    "J107": each(op("Add"), _negated_from(slice(1, 2)), _negated_from(slice(1, None))),
    "J108": each(
        op("Concatenate"),
        *(_cut_evenly(fit, pairs=pairs) for fit in ("cut", "own width", "refilled") for pairs in (False, True)),
    ),
    "J109": each(op("Chunk", "Concatenate"), *(_reordered(k) for k in range(4))),
    "J110": override(op("Flatten", "Unflatten"), vjp(_fortran)),
    "J111": each(_many, product(lambda x, k: [*x[:k], *x[k + 1 :]][0]), product(lambda x, k: x[(k + 1) % len(x)])),
}
