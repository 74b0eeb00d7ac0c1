"""A disagreement as a few lines of the framework alone, and what they print."""

import io
from collections.abc import Callable, Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np

from oracle.spec import AnyCase, Array, UpdateCase

DEFAULTS: dict[str, Any] = {
    "alpha": 1.0, "approximate": "none", "beta": 1.0, "delta": 1.0, "dim": -1, "eps": 1e-5, "lambd": 0.5,
    "label_smoothing": 0.0, "max_val": 1.0, "min_val": -1.0, "negative_slope": 0.01, "reduction": "mean",
    "ignore_index": -100,
}  # fmt: skip
"""Arguments that a case leaves out, as torch.nn has them."""


@dataclass(frozen=True)
class Script:
    """How a framework is written down."""

    head: str
    """The imports."""
    tensor: str
    """A tensor of {data} and {dtype}."""
    gradient: str
    """Lines that print an entry, {index}, of the gradient of {loss} with respect to {wrt}."""
    value: str
    """Lines that print {loss}."""
    calls: Mapping[str, str]
    """op -> the call, of x, of t where there is a second input, and of arguments in braces."""
    step: str = ""
    """Lines that print an entry of {w} after the steps of {op}."""
    setting: str = ""
    """Variables of the environment that a script wants."""
    context: Callable[[], Any] = nullcontext
    """The same for a script that is run in this process."""

    def of(self, case: AnyCase, tensor: str, index: tuple[int, ...]) -> str:
        """The script for an entry of a case of one operator; an empty string where there is no call for it."""
        if isinstance(case, UpdateCase):
            return self._of_step(case, tensor.partition(": ")[2], index) if self.step else ""
        node = case.nodes[0]
        if node.op not in self.calls or len(case.nodes) > 2:
            return ""
        names = dict(zip(node.inputs, ("x", "t"), strict=False)) | {node.parameter(r): r for r in ("weight", "bias")}
        call, attrs = self.calls[node.op], DEFAULTS | node.attrs
        call = call.format_map({k: repr(v) for k, v in attrs.items()})
        if len(case.nodes) == 2:
            names[case.nodes[1].inputs[1]] = "c"
            call = f"({call} * c).sum()"
        given = {names[n]: x for n, x in (case.inputs | case.parameters).items() if n in names}
        lines = [self.head, *(f"{n} = {self._tensor(x, case.dtype)}" for n, x in given.items())]
        tail = self.value if tensor == "loss" else self.gradient
        return "\n".join([*lines, tail.format(loss=call, wrt=names.get(tensor, ""), index=_at(index))])

    def _of_step(self, case: UpdateCase, name: str, index: tuple[int, ...]) -> str:
        """The steps of one parameter; the first entry of the first where none is named."""
        name = name or next(iter(case.parameters))
        attrs = dict(case.attrs)
        if "betas" in attrs:
            attrs["b1"], attrs["b2"] = attrs.pop("betas")
        lines = self.step.format(
            w=self._tensor(case.parameters[name], case.dtype), op=case.op, dtype=case.dtype, index=_at(index),
            arguments=", ".join(f"{k}={v!r}" for k, v in attrs.items()),
            gradients=f"[{', '.join(_spelled(g[name]) for g in case.gradients)}]",
        )  # fmt: skip
        return f"{self.head}\n{lines}"

    def printed(self, script: str) -> str:
        """What a script prints, or the exception that it ends with."""
        said = io.StringIO()
        try:
            with self.context(), np.errstate(all="ignore"), redirect_stdout(said):
                exec(script, {})
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"
        return said.getvalue().strip()

    def _tensor(self, x: Array, dtype: str) -> str:
        if x.dtype.kind == "i":
            return f"np.array({x.tolist()})"
        return self.tensor.format(data=_spelled(x), dtype=dtype)


def _spelled(x: Array) -> str:
    """Nested rows with the shortest digits that are each number in its dtype."""
    return f"[{', '.join(map(_spelled, x))}]" if x.ndim else str(x[()])


def _at(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""
