"""From a failing case to the smallest one a person can compute by hand.

Every move makes a whole new case and keeps it only if the subject still fails on it in the same way: cut the graph
behind a node (its error signal becomes the cotangent of a `Dot`), cut it before a node (its value becomes an
input), take a node out, drop arguments, narrow axes, and write simple numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from msgspec.structs import replace

from oracle.spec import Array, Case, CaseError, Node, Spec, Tensors, UpdateCase
from oracle.twin import Truth, Twin

Fails = Callable[[Any], bool]

# ------------------------------------------------------------------------------------------------------- the graph


def prune(case: Case, nodes: Iterable[Node], inputs: Tensors) -> Case:
    """A case with these nodes, and only the tensors that they read."""
    nodes = tuple(nodes)
    read = set(Spec(nodes).input_names())
    names = {n.name for n in nodes} | {full for n in nodes for full in n.params.values()}

    def own(tensors: Tensors) -> Tensors:
        return {name: x for name, x in tensors.items() if name in names or name.rpartition(".")[0] in names}

    return replace(
        case,
        nodes=nodes,
        inputs={name: x for name, x in inputs.items() if name in read},
        parameters=own(case.parameters),
        buffers=own(case.buffers),
    )


def cut_behind(case: Case, truth: Truth, tensor: str) -> Case:
    """Everything up to a tensor; what the rest would have handed back is the cotangent of a `Dot`."""
    spec = case.spec
    made = next(n for n in case.nodes if n.name == tensor.partition(":")[0])
    keep = spec.ancestors(made)
    nodes = [n for n in case.nodes if n.name in keep]
    name = _free("c", nodes)
    cotangent = truth.errors.get(tensor, np.ones(truth.values[tensor].shape)).astype(case.dtype)
    return prune(case, [*nodes, Node("dot", "Dot", (tensor, name))], {**case.inputs, name: cotangent})


def cut_before(case: Case, truth: Truth, tensors: Iterable[str]) -> Case:
    """These tensors become inputs, with the values they have; what made them goes."""
    inputs, names = dict(case.inputs), {}
    for tensor in tensors:
        names[tensor] = _free(tensor.replace(":", "_") + "_in", case.nodes)
        inputs[names[tensor]] = truth.values[tensor].astype(case.dtype)
    nodes = [replace(n, inputs=tuple(names.get(i, i) for i in n.inputs)) for n in case.nodes]
    keep = Spec(tuple(nodes)).ancestors(nodes[-1])
    return prune(case, [n for n in nodes if n.name in keep], inputs)


def isolate(case: Case, truth: Truth, node: Node) -> Case:
    """One node alone: its true inputs, and its true error signal as the cotangent. The loss stays as it is."""
    alone = case
    if node.name != case.nodes[-1].name:
        outputs = [t for t in truth.values if t.partition(":")[0] == node.name]
        alone = cut_behind(
            case, truth, max(outputs, key=lambda t: float(np.abs(truth.errors.get(t, 0)).max(initial=0)))
        )
    made = {n.name for n in case.nodes}
    return cut_before(alone, truth, [t for t in dict.fromkeys(node.inputs) if t.partition(":")[0] in made])


def finite(case: Case) -> bool:
    """Whether every number of a case is one: a value cut out of a float64 run may overflow float32."""
    return all(np.isfinite(x).all() for x in (*case.inputs.values(), *case.parameters.values()))


def _free(name: str, nodes: Iterable[Node]) -> str:
    taken = {name for n in nodes for name in (n.name, *n.inputs)}
    while name in taken:
        name += "_"
    return name


def _without(case: Case, node: Node) -> Case:
    """The node taken out: who read it reads its first input."""
    nodes = [
        replace(n, inputs=tuple(node.inputs[0] if i == node.name else i for i in n.inputs))
        for n in case.nodes
        if n.name != node.name
    ]
    return prune(case, nodes, case.inputs)


def _graphs(case: Case, truth: Truth) -> Iterator[Case]:
    """Smaller graphs, the smallest first."""
    inner = [t for t in truth.values if t not in case.inputs]
    cuts = [cut_behind(case, truth, tensor) for tensor in inner[:-1]]
    cuts += [cut_before(case, truth, [tensor]) for tensor in reversed(inner[:-1])]
    cuts += [_without(case, node) for node in case.nodes[:-1]]
    ends_in_dot = case.nodes[-1].op == "Dot"
    for cut in cuts:
        if len(cut.nodes) < len(case.nodes) + (not ends_in_dot and cut.nodes[-1].op == "Dot"):
            yield cut


# -------------------------------------------------------------------------------------------------------- arguments


def _arguments(case: Case) -> Iterator[Case]:
    """Each argument that is not its operator's default, dropped."""
    for k, node in enumerate(case.nodes):
        for name in node.attrs:
            attrs = {key: v for key, v in node.attrs.items() if key != name}
            nodes = (*case.nodes[:k], replace(node, attrs=attrs), *case.nodes[k + 1 :])
            yield prune(case, nodes, case.inputs)


# ------------------------------------------------------------------------------------------------------------- axes


class _Axes:
    """Which axes of which tensors have to have the same length, by union of classes."""

    def __init__(self, case: Case, truth: Truth) -> None:
        self.parent: dict[tuple[str, int], tuple[str, int]] = {}
        self.frozen: set[tuple[str, int]] = set()
        self.case, self.truth = case, truth
        for node in case.nodes:
            self._node(node)

    def find(self, axis: tuple[str, int]) -> tuple[str, int]:
        """The representative of an axis."""
        while (up := self.parent.setdefault(axis, axis)) != axis:
            axis = up
        return axis

    def join(self, a: tuple[str, int], b: tuple[str, int]) -> None:
        """Two axes of one length."""
        self.parent[self.find(a)] = self.find(b)

    def _shape(self, name: str) -> tuple[int, ...]:
        return self.truth.values[name].shape

    def _node(self, node: Node) -> None:
        outputs = [t for t in self.truth.values if t.partition(":")[0] == node.name]
        tensors = [*node.inputs, *outputs]
        if node.op == "Linear":
            last = len(self._shape(node.inputs[0])) - 1
            for axis in range(last):
                self.join((node.inputs[0], axis), (node.name, axis))
            self.join((node.parameter("weight"), 1), (node.inputs[0], last))
            self.join((node.parameter("weight"), 0), (node.name, last))
            self.join((node.parameter("bias"), 0), (node.name, last))
            return
        first = self._shape(node.inputs[0])
        for tensor in tensors:
            for axis, length in enumerate(self._shape(tensor)):
                if axis < len(first) and first[axis] == length:
                    self.join((tensor, axis), (node.inputs[0], axis))
                if node.op in _RESHAPING and axis:
                    self.frozen.add((tensor, axis))
        if isinstance(node.attrs.get("weight") or node.attrs.get("pos_weight"), list):
            self.frozen |= {(node.inputs[0], axis) for axis in range(1, len(first))}
        for full in (*self.case.parameters, *self.case.buffers):
            shape = self.case.state()[full].shape
            if full.rpartition(".")[0] == node.name and len(first) > 1 and shape == first[1:2]:
                self.join((full, 0), (node.inputs[0], 1))

    def classes(self) -> list[list[tuple[str, int]]]:
        """The groups of axes that may be narrowed."""
        groups: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for axis in list(self.parent):
            groups.setdefault(self.find(axis), []).append(axis)
        stuck = {self.find(axis) for axis in self.frozen}
        return [axes for root, axes in groups.items() if root not in stuck]


_RESHAPING = {"Flatten", "Unflatten", "Chunk", "Concatenate", "GLU"}
_SIZES = {
    "in_features": ("weight", 1),
    "out_features": ("weight", 0),
    "num_features": (None, 1),
    "num_parameters": ("weight", 0),
}


def _narrow(case: Case, axes: list[tuple[str, int]], keep: list[int]) -> Case:
    """The case with only these indices along a class of axes."""
    state = case.state()
    cut: Tensors = {**case.inputs, **state}
    for name, axis in axes:
        if name in cut:
            cut[name] = np.take(cut[name], keep, axis)

    def resized(node: Node) -> Node:
        attrs = dict(node.attrs)
        for attr, (role, axis) in _SIZES.items():
            where = node.parameter(role) if role else node.inputs[0]
            if attr in attrs and (where, axis) in axes:
                attrs[attr] = len(keep)
        return replace(node, attrs=attrs)

    return replace(
        case,
        nodes=tuple(resized(n) for n in case.nodes),
        inputs={name: cut[name] for name in case.inputs},
        parameters={name: cut[name] for name in case.parameters},
        buffers={name: cut[name] for name in case.buffers},
    )


def _widths(case: Case, truth: Truth) -> Iterator[Case]:
    """Every class of axes narrowed to one index, to half, and by one."""
    given = {**case.inputs, **case.state()}
    tensors = {**given, **truth.values}
    for axes in _Axes(case, truth).classes():
        lengths = {tensors[name].shape[axis] for name, axis in axes if name in tensors}
        length = max(lengths, default=0)
        if len(lengths) != 1 or length < 2 or not any(name in given for name, _ in axes):
            continue
        tries = [[0], [length - 1], list(range(length // 2)), list(range(length // 2, length))]
        tries += [[i for i in range(length) if i != drop] for drop in range(length)]
        for keep in tries:
            if 0 < len(keep) < length:
                yield _narrow(case, axes, keep)


# ---------------------------------------------------------------------------------------------------------- numbers

SIMPLE = (1.0, 2.0, -1.0, 3.0, -2.0)


def _simple(x: Array, name: str) -> Iterator[Array]:
    """Simpler numbers for a whole tensor, the most readable first."""
    if x.dtype.kind == "b":
        yield np.ones_like(x)
    elif x.dtype.kind == "i":
        yield np.zeros_like(x)
    else:
        start = sum(map(ord, name)) % len(SIMPLE)
        pattern = np.resize(np.roll(SIMPLE, -start), x.size).reshape(x.shape).astype(x.dtype)
        yield pattern
        yield np.abs(pattern)
        yield np.ones_like(x)
        yield np.clip(np.round(x), -9, 9)
        yield np.round(x * 2) / 2
        yield np.zeros_like(x)
        with np.errstate(all="ignore"):
            yield np.round(x, 1)


def _complexity(x: float) -> tuple[int, float]:
    """Small integers before halves before the rest; 0 costs more than 1, for it hides what it multiplies."""
    if not np.isfinite(x):
        return 6, 0.0
    if x == int(x):
        return (0 if x and abs(x) <= 9 else 1 if abs(x) <= 9 else 4, abs(x))
    return (2 if x * 2 == int(x * 2) else 3 if round(x, 1) == x else 5, abs(x))


def _entries(x: Array, name: str) -> Iterator[Array]:
    """One entry at a time made simpler."""
    if x.dtype.kind != "f" or x.size > 64:
        return
    for at in np.ndindex(x.shape):
        for value in (1.0, 2.0, -1.0, 3.0, float(np.round(x[at])), 0.0, 0.5, -0.5):
            if abs(value) <= 99 and _complexity(value) < _complexity(float(x[at])):
                y = x.copy()
                y[at] = value
                yield y


def _numbers(case: Case, each: Callable[[Array, str], Iterator[Array]]) -> Iterator[Case]:
    for group in ("inputs", "parameters", "buffers"):
        tensors: Tensors = getattr(case, group)
        for name, x in tensors.items():
            for y in each(x, name):
                if _simpler(y, x):
                    yield replace(case, **{group: {**tensors, name: np.asarray(y, x.dtype)}})


def _simpler(y: Array, x: Array) -> bool:
    if x.dtype.kind != "f":
        return not np.array_equal(x, y)

    def total(z: Array) -> tuple[int, float]:
        costs = [_complexity(float(v)) for v in np.ravel(z)]
        return sum(c for c, _ in costs), sum(s for _, s in costs)

    return total(np.asarray(y)) < total(x)


# ------------------------------------------------------------------------------------------------------- the search

LARGEST = 4000
"""Entries of a tensor above which numbers are not simplified one tensor at a time."""


Moves = Callable[[Case], Iterator[Case]]
"""Simpler cases of one kind, the simplest first."""


def shrink(case: Case, fails: Fails, budget: int = 400) -> Case:
    """The smallest case found, within so many trials, on which `fails` still holds."""
    return descend(case, fails, (_with_truth(_graphs), _with_truth(_widths), _arguments, *numbers), budget)


def _with_truth(moves: Callable[[Case, Truth], Iterator[Case]]) -> Moves:
    return lambda case: moves(case, Twin(case).run(case, errors=True))


def _small(each: Callable[[Array, str], Iterator[Array]]) -> Moves:
    """Simpler numbers, of a case with few enough of them."""

    def moves(case: Case) -> Iterator[Case]:
        if sum(x.size for x in (*case.inputs.values(), *case.parameters.values())) <= LARGEST:
            yield from _numbers(case, each)

    return moves


numbers = (_small(_simple), _small(_entries))
"""Simpler numbers, tensor by tensor and entry by entry."""


def descend(case: Case, fails: Fails, kinds: Iterable[Moves], budget: int) -> Case:
    """The smallest case found, within so many trials, by these kinds of moves in turn, on which `fails` still holds."""
    left, kinds = [budget], tuple(kinds)

    def attempt(candidates: Iterable[Case]) -> Case | None:
        for candidate in candidates:
            if left[0] <= 0:
                return None
            left[0] -= 1
            if _holds(fails, candidate):
                return candidate
        return None

    before = None
    while before != case.id and left[0] > 0:
        before = case.id
        for moves in kinds:
            while (smaller := attempt(moves(case))) is not None:
                case = smaller
    return case


def _holds(fails: Fails, candidate: Any) -> bool:
    try:
        return (isinstance(candidate, UpdateCase) or finite(candidate)) and fails(candidate)
    except CaseError:
        return False


# ----------------------------------------------------------------------------------------------------------- step 5


def shrink_update(case: UpdateCase, fails: Fails, budget: int = 200) -> UpdateCase:
    """Fewer steps, fewer parameters, fewer options, one entry, simple numbers."""
    moved = True
    while moved and budget > 0:
        moved = False
        for candidate in _updates(case):
            budget -= 1
            if _holds(fails, candidate):
                case, moved = candidate, True
                break
    return case


def _updates(case: UpdateCase) -> Iterator[UpdateCase]:
    if len(case.gradients) > 1:
        yield replace(case, gradients=case.gradients[:1])
        yield replace(case, gradients=case.gradients[:-1])
        yield replace(case, gradients=case.gradients[1:])
    for name in case.parameters if len(case.parameters) > 1 else ():
        yield _every(case, lambda tensors, n=name: {k: x for k, x in tensors.items() if k != n})
    for attr in case.attrs:
        if attr != "lr":
            yield replace(case, attrs={k: v for k, v in case.attrs.items() if k != attr})
    for name, x in case.parameters.items():
        for axis, length in enumerate(x.shape):
            if length > 1:
                yield _every(case, lambda ts, n=name, a=axis: {**ts, n: np.take(ts[n], [0], a)})
    for k, tensors in enumerate((case.parameters, *case.gradients)):
        for name, x in tensors.items():
            for y in _simple(x, name):
                if _simpler(y, x):
                    yield _with(case, k, {**tensors, name: np.asarray(y, x.dtype)})


def _every(case: UpdateCase, change: Callable[..., Tensors]) -> UpdateCase:
    return replace(case, parameters=change(case.parameters), gradients=tuple(change(g) for g in case.gradients))


def _with(case: UpdateCase, k: int, tensors: Tensors) -> UpdateCase:
    if k == 0:
        return replace(case, parameters=tensors)
    return replace(case, gradients=(*case.gradients[: k - 1], tensors, *case.gradients[k:]))
