"""A student's function as a subject of the oracle: cases go in as it wants them, gradients come back by their names."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from oracle.architectures import reduction
from oracle.chains import Chain, Links, links
from oracle.spec import Array, Case, Unsupported
from oracle.students import paths
from oracle.students.entry import Entry
from oracle.students.layout import Layout, Net, arrays
from oracle.students.meaning import LOSSES, Meaning


class AnswerError(Exception):
    """What came back cannot be read as before; the sentence is for the student."""


@dataclass(frozen=True)
class Reading:
    """How a function is called, and where in its answer the gradients lie."""

    entry: Entry
    layout: Layout
    form: str
    weights: paths.Pattern
    biases: paths.Pattern | None
    loss: paths.Path | None
    single: bool = False
    """Whether it calculates in float32 whatever it is given."""

    def ask(self, net: Net, activation: Any, strict: bool = True) -> tuple[dict[str, Array], float | None]:
        """Gradients in the oracle's layout ("h1.weight"), and the loss. Strictly, a bias keeps its axes of length 1."""
        found = self.entry.run(arrays(self.layout, net), self.form, activation, net.widths)
        gradients: dict[str, Array] = {}
        for k, width in enumerate(net.widths[1:], 1):
            weight = self.layout.read_weight(_real(_at(found, self.weights.at(k))))
            if self.layout.biases == "first":
                gradients[f"h{k}.bias"], weight = weight[:, 0], weight[:, 1:]
            gradients[f"h{k}.weight"] = weight
            if self.biases is not None:
                bias = _real(_at(found, self.biases.at(k)))
                given = self.layout.bias(np.empty(width)).shape
                if strict and bias.size == width and not _harmless(bias.shape, given):
                    where = paths.spelled(self.biases.at(k))
                    raise AnswerError(f"{where} has shape {bias.shape}, but the bias has {given}: were axes dropped?")
                gradients[f"h{k}.bias"] = self.layout.read_bias(bias, width)
        loss = None if self.loss is None else _at(found, self.loss)
        return gradients, None if loss is None or loss.size != 1 else float(loss.reshape(()))

    @property
    def mapping(self) -> str:
        """Where the gradients of the first layer lie."""
        turned = " transposed" if self.layout.weights == "in_out" else ""
        said = f"h1.weight is {_spelled(self.weights)}{turned}"
        return said + (f", h1.bias is {_spelled(self.biases)}" if self.biases else "")


def _spelled(pattern: paths.Pattern) -> str:
    kept = pattern.first[0].kind == "attribute"
    return paths.spelled(pattern.first, "net" if kept else "answer")


def _at(found: dict[paths.Path, Array], path: paths.Path) -> Array:
    for p, x in found.items():
        rest = path[len(p) :]
        if paths.same(p, path[: len(p)]) and all(s.kind == "index" and x.ndim > k for k, s in enumerate(rest)):
            return x[tuple(s.at for s in rest)]  # layers of one shape may have become one array
    raise AnswerError(f"there is no array at {paths.spelled(path)}")


def _harmless(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a gradient of this shape can be subtracted from what has the wanted one, and leaves its shape."""
    try:
        return len(shape) >= len(wanted) or np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def _real(x: Array) -> Array:
    return x.astype(float) if x.dtype.kind in "fiub" else x


@dataclass(frozen=True)
class Student:
    """The subject: it is given float64 whatever the case is in."""

    reading: Reading
    meanings: dict[str, tuple[Any, Meaning]]
    """By activation: what is handed in, and what is then computed."""
    chain: Chain
    told: str
    """In a sentence, how the function was read."""
    judge_loss: bool = True
    returns: frozenset[str] = frozenset({"parameters"})

    @property
    def supports(self) -> frozenset[str]:
        """The operators of its chains."""
        return self.chain.supports

    @property
    def __name__(self) -> str:
        return self.reading.entry.name

    def __call__(self, case: Case) -> dict[str, Any]:
        """Loss and gradients. Raises `Unsupported` for what the function cannot run."""
        parts = links(case)
        activation, meaning = self._meaning(parts)
        net = self._net(case, parts)
        gradients, loss = self.reading.ask(net, activation)
        factor = meaning.factor(reduction(parts.loss), len(net.x), net.widths[-1])
        names = {f"h{k}": node.name for k, node in enumerate(parts.linears, 1)}
        answer = {
            f"{names[n.partition('.')[0]]}.{n.partition('.')[2]}": (factor * g).astype(case.dtype)
            for n, g in gradients.items()
        }
        return {"gradients": answer} | ({"loss": factor * loss} if loss is not None and self.judge_loss else {})

    def _meaning(self, parts: Links) -> tuple[Any, Meaning]:
        for activation, meaning in self.meanings.values():
            hidden, output = meaning.units
            same = parts.hidden in (None, hidden) and parts.output == output
            if same and parts.loss.op == LOSSES[meaning.loss]:
                return activation, meaning
        raise Unsupported("other activations, or another loss, than the function has")

    def _net(self, case: Case, parts: Links) -> Net:
        """The numbers, or the reason why the function cannot run them."""
        if case.dtype not in self.chain.dtypes:
            raise Unsupported(f"{case.dtype}: it calculates in float32")
        fixed, layout = self.chain.sizes, self.reading.layout
        if fixed and (
            len(fixed) != len(parts.widths) or any(a not in (0, b) for a, b in zip(fixed, parts.widths, strict=True))
        ):
            raise Unsupported(f"layers of other sizes than {fixed}")
        if not fixed and len(parts.linears) not in self.chain.depths:
            raise Unsupported(f"{len(parts.linears)} layers")
        if reduction(parts.loss) == "none" or parts.loss.attrs.keys() - {"reduction"}:
            raise Unsupported("a loss with such arguments")
        if any(node.attrs.get("bias", True) != self.chain.bias for node in parts.linears):
            raise Unsupported("a Linear without a bias" if self.chain.bias else "a Linear with a bias")
        weights, biases = (
            [
                _double(case.parameters[f"{n.name}.{role}"])
                for n in parts.linears
                if f"{n.name}.{role}" in case.parameters
            ]
            for role in ("weight", "bias")
        )
        x, target = case.inputs[parts.linears[0].inputs[0]], case.inputs[parts.loss.inputs[1]]
        if len(x) != 1 if layout.single else not len(x):
            raise Unsupported("a batch of other than one sample" if layout.single else "an empty batch")
        if target.dtype.kind == "f" and self.chain.target in ("classes", "one_hot") and not _one_hot(target):
            raise Unsupported("a target that is no class")
        biases = biases or [np.zeros(len(w)) for w in weights]
        return Net(weights, biases, _double(x), target if target.ndim == 1 else _double(target))


def _double(x: Array) -> Array:
    """In float64; the same array where it is already, so that a function which changes it is found out."""
    return np.asarray(x, np.float64)


def _one_hot(target: Array) -> bool:
    return target.ndim == 2 and bool(((target == 0) | (target == 1)).all() and (target.sum(1) == 1).all())
