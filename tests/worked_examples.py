"""Worked numbers of two textbooks, held against `reference`: published, recomputed, explanation.

A printed number is reproduced if the recomputed one lies within half a unit of its last digit. Where the text's own
rule does not give it, the first *variant* that does is named; a variant is run, never argued. The numbers are cited
as facts. `python tests/worked_examples.py` writes reports/worked_examples.md.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from reference import LAYERS, Network, Trace, forward, hidden_errors, output_error, partials, update
from reference.activations import Sigmoid
from reference.layer import Array, Params, Saved
from reference.optimizers import SGD

Tensors = dict[str, Array]
Numbers = dict[str, float]
"""Quantities by name, as a run finds them."""


@dataclass(frozen=True)
class Example:
    """A worked example: what is printed, and the runs that may give it."""

    title: str
    source: str
    published: Mapping[str, str]
    """Digits as printed, by quantity."""
    own: Callable[[], Numbers]
    """The rule the text describes."""
    variants: Mapping[str, Callable[[], Numbers]]
    """Other rules by name, in the order in which they are tried."""
    note: Callable[[], str] = str
    """What else the numbers say; nothing by default."""


@dataclass(frozen=True)
class Row:
    """One printed number."""

    quantity: str
    published: str
    recomputed: float
    variant: str = ""
    """The variant that gives the printed digits where the text's own rule does not."""
    by_variant: float | None = None

    @property
    def explained(self) -> bool:
        """Reproduced by the text's own rule or by a named variant."""
        return bool(self.variant) or reproduces(self.published, self.recomputed)

    @property
    def explanation(self) -> str:
        """The third field, in words."""
        if self.variant:
            return f"{self.variant}: {shown(self.published, self.by_variant)}"
        return "reproduced" if self.explained else "no variant known"


def reproduces(published: str, value: float) -> bool:
    """|value − published| ≤ half a unit of the last printed digit; the value's own rounding error is not counted."""
    printed = Decimal(published)
    if not math.isfinite(value):
        return False
    return 2 * abs(Decimal(f"{value:.12g}") - printed) <= Decimal(1).scaleb(int(printed.as_tuple().exponent))


def rows(example: Example) -> list[Row]:
    """Every printed number of an example beside its recomputation."""
    own = example.own()
    return [_row(example, name, own[name]) for name in example.published]


def _row(example: Example, name: str, value: float) -> Row:
    published = example.published[name]
    plain = Row(name, published, value)
    if plain.explained:
        return plain
    found = ((variant, run()) for variant, run in example.variants.items())
    giving = ((variant, n[name]) for variant, n in found if name in n and reproduces(published, n[name]))
    return replace(plain, **dict(zip(("variant", "by_variant"), next(giving, ("", None)), strict=True)))


# ---------------------------------------------------------------------------------------------- rounding by hand


@dataclass(frozen=True)
class RoundingSigmoid(Sigmoid):
    """A sigmoid by hand: a is written down to `digits` places, δz to `error_digits`, and so they go on."""

    digits: int = 3
    error_digits: int = 4

    def sigma(self, z: Array) -> Array:
        """The sigmoid, rounded."""
        return np.round(super().sigma(z), self.digits)

    def slope(self, z: Array, a: Array) -> Array:
        """a (1 − a), of the rounded a."""
        return a * (1 - a)

    def backward(self, p: Params, saved: Saved, delta: Array) -> tuple[Array, ...]:
        """δz, rounded."""
        return (np.round(super().backward(p, saved, delta)[0], self.error_digits),)


def rounding(net: Network, layer: RoundingSigmoid) -> Network:
    """The net with every sigmoid computed by hand."""
    net.nodes = [replace(n, layer=layer) if isinstance(n.layer, Sigmoid) else n for n in net.nodes]
    return net


def two_layers(features: int, hidden: int, outputs: int) -> Network:
    """Two sigmoid layers and ½ Σ (y − t)²; "h" and "o" are the units' net inputs, "ha" and "y" their outputs."""
    nodes = (
        ("h", "Linear", ("x",), {"in_features": features, "out_features": hidden}),
        ("ha", "Sigmoid", ("h",), {}),
        ("o", "Linear", ("ha",), {"in_features": hidden, "out_features": outputs}),
        ("y", "Sigmoid", ("o",), {}),
        ("E", "HalfSquaredError", ("y", "t"), {}),
    )
    keys = ("name", "op", "inputs", "attrs")
    return Network([dict(zip(keys, node, strict=True)) for node in nodes], input_errors=False)


# --------------------------------------------------------------------------------------------------------- Mazur

MAZUR_THETA: Tensors = {
    "h.weight": np.array([[0.15, 0.20], [0.25, 0.30]]),
    "h.bias": np.array([0.35, 0.35]),
    "o.weight": np.array([[0.40, 0.45], [0.50, 0.55]]),
    "o.bias": np.array([0.60, 0.60]),
}
MAZUR_DATA: Tensors = {"x": np.array([[0.05, 0.10]]), "t": np.array([[0.01, 0.99]])}
MAZUR_RULE = SGD(lr=0.5)
MAZUR_STEPS = 10_000

FROM_UPDATED = "hidden deltas from updated weights"
BEFORE_LAST = "loss read before the 10,000th update"
ROUNDED = "rounded intermediates"

MAZUR_PUBLISHED = {
    "net_h1": "0.3775",
    "out_h1": "0.593269992",
    "out_h2": "0.596884378",
    "net_o1": "1.105905967",
    "out_o1": "0.75136507",
    "out_o2": "0.772928465",
    "E_o1": "0.274811083",
    "E_o2": "0.023560026",
    "E_total": "0.298371109",
    "∂E/∂out_o1": "0.74136507",
    "∂out_o1/∂net_o1": "0.186815602",
    "∂E/∂net_o1": "0.138498562",
    "∂E/∂w5": "0.082167041",
    "w5 after 1 step": "0.35891648",
    "w6 after 1 step": "0.408666186",
    "w7 after 1 step": "0.511301270",
    "w8 after 1 step": "0.561370121",
    "∂E_o1/∂out_h1": "0.055399425",
    "∂E_o2/∂out_h1": "-0.019049119",
    "∂E/∂out_h1": "0.036350306",
    "∂out_h1/∂net_h1": "0.241300709",
    "∂E/∂w1": "0.000438568",
    "w1 after 1 step": "0.149780716",
    "w2 after 1 step": "0.19956143",
    "w3 after 1 step": "0.24975114",
    "w4 after 1 step": "0.29950229",
    "E after 1 step": "0.291027924",
    "E after 10,000 steps": "0.0000351085",
    "out_o1 after 10,000 steps": "0.015912196",
    "out_o2 after 10,000 steps": "0.984065734",
}


@dataclass(frozen=True)
class Steps:
    """The forward pass and steps 1 to 4, before step 5."""

    trace: Trace
    deltas: Tensors
    gradients: Tensors

    @property
    def loss(self) -> float:
        """E."""
        return float(self.trace.values["E"])


def steps(net: Network, theta: Tensors, data: Tensors, updated: bool = False) -> Steps:
    """The weights' gradients (biases are not trained); `updated` sends hidden errors through the new output weights."""
    trace = forward(net, theta, data)
    deltas = hidden_errors(net, theta, trace, output_error(net, theta, trace))
    gradients = weights_only(partials(net, theta, trace, deltas))
    if updated:
        ahead, _ = update(MAZUR_RULE, theta, {"o.weight": gradients["o.weight"]})
        deltas = hidden_errors(net, ahead, trace, output_error(net, theta, trace))
        gradients = weights_only(partials(net, theta, trace, deltas))
    return Steps(trace, deltas, gradients)


def weights_only(gradients: Tensors) -> Tensors:
    """One bias serves a whole layer and stays as it is."""
    return {name: g for name, g in gradients.items() if name.endswith(".weight")}


@cache
def mazur(updated: bool = False) -> Numbers:
    """Every printed quantity, by the text's own order of update or by the other."""
    net, theta = two_layers(2, 2, 2), MAZUR_THETA
    losses = []
    for k in range(MAZUR_STEPS):
        found = steps(net, theta, MAZUR_DATA, updated)
        losses.append(found.loss)
        theta, _ = update(MAZUR_RULE, theta, found.gradients)
        if k == 0:
            numbers = first_step(net, found, theta)
    end = forward(net, theta, MAZUR_DATA).values
    return numbers | {
        "E after 1 step": losses[1],
        "E after 10,000 steps": float(end["E"]),
        "E before the last step": losses[-1],
        "out_o1 after 10,000 steps": end["y"][0, 0],
        "out_o2 after 10,000 steps": end["y"][0, 1],
    }


def first_step(net: Network, found: Steps, after: Tensors) -> Numbers:
    """The quantities of the first step; w1 to w8 number the weights unit by unit."""
    values, deltas, g = found.trace.values, found.deltas, found.gradients
    from_o1, from_o2 = (heard(net, found, k) for k in (0, 1))
    costs = LAYERS["HalfSquaredError"](reduction="none").forward({}, values["y"], values["t"])[0]  # type: ignore[call-arg]
    weights = np.concatenate([after["h.weight"].reshape(-1), after["o.weight"].reshape(-1)])
    return {
        "net_h1": values["h"][0, 0],
        "out_h1": values["ha"][0, 0],
        "out_h2": values["ha"][0, 1],
        "net_o1": values["o"][0, 0],
        "out_o1": values["y"][0, 0],
        "out_o2": values["y"][0, 1],
        "E_o1": costs[0, 0],
        "E_o2": costs[0, 1],
        "E_total": found.loss,
        "∂E/∂out_o1": deltas["y"][0, 0],
        "∂out_o1/∂net_o1": slope(net, found, "y"),
        "∂E/∂net_o1": deltas["o"][0, 0],
        "∂E/∂w5": g["o.weight"][0, 0],
        "∂E_o1/∂out_h1": from_o1,
        "∂E_o2/∂out_h1": from_o2,
        "∂E/∂out_h1": deltas["ha"][0, 0],
        "∂out_h1/∂net_h1": slope(net, found, "ha"),
        "∂E/∂w1": g["h.weight"][0, 0],
    } | {f"w{k} after 1 step": w for k, w in enumerate(weights, 1)}


def slope(net: Network, found: Steps, name: str) -> float:
    """σ′ of a layer's first unit: what `backward` makes of δ = 1."""
    layer = next(node.layer for node in net.nodes if node.name == name)
    ones = np.ones_like(found.trace.values[name])
    return layer.backward({}, found.trace.saved[name], ones)[0][0, 0]  # type: ignore[index]


def heard(net: Network, found: Steps, k: int) -> float:
    """What the first hidden unit hears from output unit k alone."""
    node = next(node for node in net.nodes if node.name == "o")
    alone = found.deltas["o"] * np.eye(2)[k]
    return node.layer.backward(node.own(MAZUR_THETA), found.trace.saved["o"], alone)[0][0, 0]  # type: ignore[index]


@cache
def mazur_rounded() -> Numbers:
    """The first step, every output and every delta written down to nine places."""
    net = rounding(two_layers(2, 2, 2), RoundingSigmoid(digits=9, error_digits=9))
    found = steps(net, MAZUR_THETA, MAZUR_DATA)
    return first_step(net, found, update(MAZUR_RULE, MAZUR_THETA, found.gradients)[0])


def mazur_note() -> str:
    """The end figures do not belong together."""
    E = mazur(updated=True)["E after 10,000 steps"]
    return f"The printed outputs after 10,000 steps have E = {E:.10f}: they and the printed E come from two rules."


MAZUR = Example(
    "Mazur: a step by step backpropagation example",
    "M. Mazur, A Step by Step Backpropagation Example, 2015. 2-2-2, sigmoid, η = 0.5, biases not trained.",
    MAZUR_PUBLISHED,
    mazur,
    {
        ROUNDED: mazur_rounded,
        FROM_UPDATED: lambda: mazur(updated=True),
        BEFORE_LAST: lambda: {"E after 10,000 steps": mazur()["E before the last step"]},
    },
    mazur_note,
)

# ------------------------------------------------------------------------------------------------- Han and Kamber

HAN_THETA: Tensors = {
    "h.weight": np.array([[0.2, 0.4, -0.5], [-0.3, 0.1, 0.2]]),
    "h.bias": np.array([-0.4, 0.2]),
    "o.weight": np.array([[-0.3, -0.2]]),
    "o.bias": np.array([0.1]),
}
HAN_DATA: Tensors = {"x": np.array([[1.0, 0.0, 1.0]]), "t": np.array([[1.0]])}

HAN_PUBLISHED = {
    "net 4": "-0.7",
    "net 5": "0.1",
    "net 6": "-0.105",
    "out 4": "0.332",
    "out 5": "0.525",
    "out 6": "0.474",
    "error 6": "0.1311",
    "error 5": "-0.0065",
    "error 4": "-0.0087",
    "w46 after 1 step": "-0.261",
    "w56 after 1 step": "-0.138",
    "w14 after 1 step": "0.192",
    "w15 after 1 step": "-0.306",
    "w24 after 1 step": "0.4",
    "w25 after 1 step": "0.1",
    "w34 after 1 step": "-0.508",
    "w35 after 1 step": "0.194",
    "θ6 after 1 step": "0.218",
    "θ5 after 1 step": "0.194",
    "θ4 after 1 step": "-0.408",
}


@cache
def han(by_hand: bool = False) -> Numbers:
    """Every printed quantity; `by_hand` writes outputs down to three places and errors to four.

    The book's error of a unit is −∂L/∂z, so that it is added.
    """
    net = rounding(two_layers(3, 2, 1), RoundingSigmoid()) if by_hand else two_layers(3, 2, 1)
    trace = forward(net, HAN_THETA, HAN_DATA)
    deltas = hidden_errors(net, HAN_THETA, trace, output_error(net, HAN_THETA, trace))
    after, _ = update(SGD(lr=0.9), HAN_THETA, partials(net, HAN_THETA, trace, deltas))
    units = {key: np.concatenate([trace.values[k][0] for k in names]) for key, names in _HAN_UNITS.items()}
    units["error"] = -np.concatenate([deltas["h"][0], deltas["o"][0]])
    units["θ"] = np.concatenate([after["h.bias"], after["o.bias"]])
    numbers = {_han_name(key, unit): x for key, xs in units.items() for unit, x in zip((4, 5, 6), xs, strict=True)}
    return numbers | _han_weights(after)


_HAN_UNITS = {"net": ("h", "o"), "out": ("ha", "y")}


def _han_name(key: str, unit: int) -> str:
    return f"θ{unit} after 1 step" if key == "θ" else f"{key} {unit}"


def _han_weights(after: Tensors) -> Numbers:
    """w_ij leads from unit i to unit j."""
    hidden = {f"w{i}{j} after 1 step": after["h.weight"][j - 4, i - 1] for i in (1, 2, 3) for j in (4, 5)}
    return hidden | {f"w{j}6 after 1 step": after["o.weight"][0, j - 4] for j in (4, 5)}


HAN = Example(
    "Han and Kamber: sample calculations",
    "J. Han, M. Kamber, Data Mining: Concepts and Techniques, classification by backpropagation. "
    "3-2-1, sigmoid, x = (1, 0, 1), t = 1, η = 0.9.",
    HAN_PUBLISHED,
    han,
    {ROUNDED: lambda: han(by_hand=True)},
)

EXAMPLES = {"mazur": MAZUR, "han-kamber": HAN}

# -------------------------------------------------------------------------------------------------------- report

REPORT = Path(__file__).parents[1] / "reports" / "worked_examples.md"


def shown(published: str, value: Any) -> str:
    """A value with two more digits than are printed."""
    return f"{value:.{2 - int(Decimal(published).as_tuple().exponent)}f}"


def report() -> str:
    """Every example as a table."""
    head = """# Worked examples

Printed numbers against `reference`, in float64; "reproduced" means to half a unit of the last printed digit.
Written by `python tests/worked_examples.py`.
"""
    return head + "".join(section(example) for example in EXAMPLES.values())


def section(example: Example) -> str:
    """One example as a table."""
    found = rows(example)
    own = sum(not row.variant for row in found if row.explained)
    lines = [f"| {r.quantity} | {r.published} | {shown(r.published, r.recomputed)} | {r.explanation} |" for r in found]
    table = "\n".join(("| quantity | published | recomputed | explanation |", "|---|---|---|---|", *lines))
    count = f"{own} of {len(found)} are what the text's own rule gives."
    text = "\n".join(line for line in (example.source, count, example.note()) if line)
    return f"\n## {example.title}\n\n{text}\n\n{table}\n"


if __name__ == "__main__":
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report())
    print(f"{REPORT}: written")
