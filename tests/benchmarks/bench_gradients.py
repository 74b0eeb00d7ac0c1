"""What `oracle.check_gradients` finds and costs beside `torch.autograd.gradcheck`, on the functions of the tests.

    python tests/benchmarks/bench_gradients.py [--cases N] [--write]

Both are asked about the same functions in float64: gradcheck as a test suite does it, on one standard normal input of
each dimension 4 or 5, in slow and in fast mode; check_gradients with its defaults, and its time is that of one case.
What only a second derivative, a `jvp` or float32 shows is left out, for gradcheck does not look there.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import torch

import oracle
from oracle.gradients.check import _prepare
from oracle.gradients.subject import Mine
from oracle.spec import Tensors
from tests.benchmarks.bench_check import write
from tests.functions import RIGHT, WRONG, Made


def as_function(subject: Mine, x: Tensors) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """A subject of `check_gradients` as what gradcheck takes: a function of the tensors that it differentiates."""
    form, function = subject.form, subject.operators[0].function
    assert form is not None
    given = [torch.from_numpy(x[name]).requires_grad_(name in function.wanted) for name in function.names]

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: torch.Tensor) -> Any:
            ctx.x = {name: t.detach().numpy().copy() for name, t in zip(function.names, tensors, strict=True)}
            made = function.real(*map(torch.from_numpy, ctx.x.values()))
            ones = {k: np.ones(tuple(made[k].shape)) for k in function.picks}
            outs, _ = form.first(dict(ctx.x), function.wanted, ones)
            return tuple(torch.as_tensor(np.asarray(y)) for y in outs.values())

        @staticmethod
        def backward(ctx: Any, *g: torch.Tensor) -> Any:
            c = {k: d.numpy().copy() for k, d in zip(function.picks, g, strict=True)}
            _, grads = form.first({name: a.copy() for name, a in ctx.x.items()}, function.wanted, c)
            return tuple(torch.as_tensor(np.asarray(grads[n])) if n in grads else None for n in function.names)

    return Wrapped.apply, given


def normal(made: Made) -> tuple[Mine, Tensors]:
    """The subject, and one input of the shapes that a person would write down."""
    sizes = {name: (n,) for name, n in zip(names_of(made.inputs), count(4), strict=False)}
    options = {k: v for k, v in made.options.items() if k == "framework"}
    run = _prepare(
        made.mine, made.like, made.inputs, 1, False, options.get("framework"), ("float64",),
        sizes, False, "cpu", 0,
    )  # fmt: skip
    x = next(run.source.stream(0, "float64"))
    rng = np.random.default_rng(0)
    return run.subject, {n: rng.standard_normal(a.shape) if a.dtype.kind == "f" else a for n, a in x.items()}


def names_of(inputs: Any) -> list[str]:
    """The named dimensions of some inputs."""
    shapes = inputs.values() if isinstance(inputs, dict) else inputs
    found = [getattr(s, "shape", s) for s in shapes]
    return list(dict.fromkeys(n for shape in found for n in shape if isinstance(n, str)))


def accused(made: Made, fast: bool) -> bool:
    """Whether gradcheck says no."""
    subject, x = normal(made)
    call, given = as_function(subject, x)
    try:
        return not torch.autograd.gradcheck(call, given, fast_mode=fast)
    except Exception:  # gradcheck raises where it says no, and the subject may raise anything
        return True


def row(made: Made, cases: int) -> tuple[bool, float, int, bool, float, bool, float]:
    """(found, microseconds of a case, cases judged; gradcheck slow, its microseconds; fast, its)."""
    start = time.perf_counter()
    report = oracle.check_gradients(
        made.mine, like=made.like, inputs=made.inputs, dtypes=("float64",), cases=cases, raises=False,
        **{k: v for k, v in made.options.items() if k not in ("order", "forward", "cases", "dtypes")},
    )  # fmt: skip
    took = (time.perf_counter() - start) / max(1, report.cases) * 1e6
    told = []
    for fast in (False, True):
        start = time.perf_counter()
        told += [accused(made, fast), (time.perf_counter() - start) * 1e6]
    return bool(report.exit_code), took, report.cases, *told  # type: ignore[return-value]


def table(cases: int) -> str:
    """What was found and what it cost, as Markdown."""
    lines = ["| functions | | accused by check_gradients | gradcheck slow | fast | a case of check_gradients | "
             "gradcheck slow | fast |", "|---|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for kind, many in (("right", RIGHT), ("wrong", [m for m in WRONG if not {"order", "forward"} & m.options.keys()])):
        rows = [row(made, cases) for made in many]
        shares = [sum(r[k] for r in rows) for k in (0, 3, 5)]
        medians = [float(np.median([r[k] for r in rows])) / 1e3 for k in (1, 4, 6)]
        numbers = " | ".join([*map(str, shares), *(f"{m:.2g} ms" for m in medians)])
        lines.append(f"| {kind} | {len(many)} | {numbers} |")
        missed = [m.name for m, r in zip(many, rows, strict=True) if kind == "wrong" and not r[3]]
        if missed:
            lines += ["", f"Wrong, and right to gradcheck (slow): {', '.join(missed)}."]
    return "\n".join(lines)


def main() -> None:
    """Measure and print; `--write` keeps it in reports/benchmark.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    text = table(options.cases)
    print(text)
    if options.write:
        write("gradients", text, "One function: check_gradients beside gradcheck")


if __name__ == "__main__":
    main()
