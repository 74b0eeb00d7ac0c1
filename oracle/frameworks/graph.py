"""A case's graph, walked over a framework's own operators: one engine for every framework.

A framework brings a table, op -> operator, and its own way to a gradient. Operators get the node as a `Layer` and its
inputs, all of them tensors of the framework; labels and buffers, which nothing differentiates, stay arrays of NumPy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oracle.spec import Array, Case, Node, Unsupported, UpdateCase

ROLES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
"""Parameters and buffers that a node may have."""


@dataclass(frozen=True)
class Layer:
    """A node as its operator sees it."""

    attrs: Mapping[str, Any]
    training: bool
    own: Mapping[str, Any]
    """Its parameters and buffers, by role."""
    new: dict[str, Any] = field(default_factory=dict)
    """Where the operator leaves its new buffers, by role."""

    def get(self, name: str, default: Any = None) -> Any:
        """An argument of the constructor."""
        return self.attrs.get(name, default)


Operator = Callable[..., Any]
"""(layer, *inputs) -> the output, or a list of several."""
Table = Mapping[str, Operator]


def leaves(case: Case, tensor: Callable[[Array], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is differentiated, and what is not, each by its full name."""
    given = case.inputs | case.parameters
    real = {name: tensor(given[name]) for name in case.wanted()}
    masks = {name: tensor(x) for name, x in case.inputs.items() if x.dtype.kind == "b"}
    return real, case.inputs | case.buffers | masks


def forward(table: Table, case: Case, values: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The loss, and the buffers after the pass."""
    made, buffers = dict(values), {name: values[name] for name in case.buffers}
    for node in case.nodes:
        layer = Layer(node.attrs, case.training, _own(node, values))
        y = table[node.op](layer, *(made[name] for name in node.inputs))
        several = isinstance(y, list | tuple)
        made.update({f"{node.name}:{k}": part for k, part in enumerate(y)} if several else {node.name: y})
        buffers.update({node.parameter(role): x for role, x in layer.new.items()})
    return made[case.nodes[-1].name], buffers


def _own(node: Node, values: Mapping[str, Any]) -> dict[str, Any]:
    return {role: values[full] for role in ROLES if (full := node.parameter(role)) in values}


def answer(case: Case, array: Callable[[Any], Array], loss: Any, gradients: Mapping[str, Any], buffers: Any) -> Any:
    """The answer, every tensor an array of NumPy again."""
    found: Any = {"loss": array(loss), "gradients": {name: array(g) for name, g in gradients.items()}}
    return found | ({"buffers": {name: array(x) for name, x in buffers.items()}} if case.buffers else {})


def arguments(case: UpdateCase, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The arguments of an optimizer, with the defaults of those it knows. Declines what it does not have."""
    if case.op not in known:
        raise Unsupported(f"it has no {case.op} that is torch's")
    for name, value in case.attrs.items():
        if name not in known[case.op] and value:
            raise Unsupported(f"its {case.op} has no {name}")
    return {name: case.attrs.get(name, default) for name, default in known[case.op].items()}
