"""What judging a case costs, as a multiple of torch's own forward and backward pass of that case, in the same run.

    python tests/benchmarks/bench_check.py [--cases N] [--write]

One thread; every case is timed for torch bare (leaves and modules made before), for the stages of the oracle, for a
naive loop (torch, the subject, np.allclose of every tensor), for what a process of its own adds to the subject's call
and, for a sample, for torch.autograd.gradcheck.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import torch

from oracle.check import TWICE
from oracle.compare import pairs
from oracle.draws import Stream
from oracle.judge import How, trial
from oracle.spec import Case
from oracle.subjects import resolve
from oracle.twin import Twin, _leaf

REPORT = Path(__file__).resolve().parents[2] / "reports" / "benchmark.md"


def bare(twin: Twin, case: Case) -> Callable[[], None]:
    """Torch's own pass: everything is made before the clock starts."""
    leaves = {n: _leaf(x, "float64") for n, x in {**case.inputs, **case.parameters}.items()}
    state = {n: _leaf(x, "float64").detach() for n, x in case.buffers.items()}
    wanted = [x for x in leaves.values() if x.requires_grad]
    for step in twin.steps:
        for role, full in step.roles:
            step.module._parameters[role] = leaves[full]
        for role, full in step.buffers:
            step.module._buffers[role] = state[full]

    def run() -> None:
        values = dict(leaves)
        for step in twin.steps:
            y = step.call(*[values[name] for name in step.node.inputs])
            if isinstance(y, tuple):
                values.update({f"{step.node.name}:{k}": part for k, part in enumerate(y)})
            else:
                values[step.node.name] = y
        torch.autograd.grad(values[case.nodes[-1].name], wanted, allow_unused=True)

    return run


def clock(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e6


def gradcheck(twin: Twin, case: Case, fast: bool) -> Callable[[], object]:
    """torch.autograd.gradcheck of the same graph by the same leaves."""
    leaves = [(n, _leaf(x, "float64")) for n, x in {**case.inputs, **case.parameters}.items() if x.dtype.kind == "f"]

    def function(*x: torch.Tensor) -> torch.Tensor:
        given = dict(zip((n for n, _ in leaves), x, strict=True))
        values = {n: given.get(n, _leaf(v, "float64")) for n, v in case.inputs.items()}
        for step in twin.steps:
            for role, full in step.roles:
                step.module._parameters[role] = given[full]
            for role, full in step.buffers:
                step.module._buffers[role] = _leaf(case.buffers[full], "float64").detach()
            y = step.call(*[values[name] for name in step.node.inputs])
            values.update(
                {f"{step.node.name}:{k}": p for k, p in enumerate(y)} if isinstance(y, tuple) else {step.node.name: y}
            )
        return values[case.nodes[-1].name]

    return lambda: torch.autograd.gradcheck(function, [x for _, x in leaves], fast_mode=fast, raise_exception=False)


def measure(cases: int, dtype: str, profile: str) -> dict[str, float]:
    """Sums of microseconds over the cases."""
    stream, subject = Stream(7, dtype, profile), resolve("reference")
    apart = resolve("python:oracle.subjects:reference")
    total = dict.fromkeys(("torch", "draw", "oracle", "naive", "apart", "fast", "slow", "sampled"), 0.0)
    twin, stages = None, {}
    for k in range(cases):
        start = time.perf_counter()
        case = stream[k]
        if not isinstance(case, Case):
            continue
        if twin is None or twin.nodes is not case.nodes:
            twin = Twin(case)
        total["draw"] += (time.perf_counter() - start) * 1e6
        run = bare(twin, case)
        run()
        total["torch"] += min(clock(run) for _ in range(3))
        start, how = time.perf_counter(), How(twice=k % TWICE == 0, thorough=False)
        stage = trial(case, subject, twin, how).verdict.stage
        total["oracle"] += (time.perf_counter() - start) * 1e6
        stages[stage] = stages.get(stage, 0) + 1

        def naive(c: Case = case, t: Twin = twin) -> None:
            for _, got, expected in pairs(subject.call(c), t.run(c)):
                np.allclose(got, expected)

        total["naive"] += clock(naive)
        total["apart"] += clock(lambda c=case: apart.answer(c)) - clock(lambda c=case: subject.answer(c))
        if k % 25 == 0 and all(x.size for x in case.inputs.values()):
            total["sampled"] += min(clock(run) for _ in range(3))
            total["fast"] += clock(gradcheck(twin, case, True))
            total["slow"] += clock(gradcheck(twin, case, False))
    apart.close()
    return total | {f"stage {s}": float(n) for s, n in stages.items()}


def table(cases: int) -> str:
    """The measurements, as a table of Markdown."""
    lines = [
        f"{cases} cases a row, seed 7, the reference as subject; in multiples of torch's own pass of the same cases.",
        "",
        "| cases | torch, us | oracle | its drawing | its judging | a process more | naive loop | "
        "gradcheck fast | slow | cheap / estimated / measured |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for profile in ("mlp", "standard"):
        for dtype in ("float64", "float32"):
            t = measure(cases, dtype, profile)
            n = sum(v for k, v in t.items() if k.startswith("stage"))
            share = " / ".join(f"{100 * t.get(f'stage {s}', 0) / n:.1f} %" for s in ("cheap", "estimated", "measured"))
            lines.append(
                f"| {profile}, {dtype} | {t['torch'] / n:.0f} | {(t['oracle'] + t['draw']) / t['torch']:.1f} "
                f"| {t['draw'] / t['torch']:.1f} | {t['oracle'] / t['torch']:.1f} "
                f"| {t['apart'] / t['torch']:.1f} | {t['naive'] / t['torch']:.1f} "
                f"| {t['fast'] / t['sampled']:.1f} | {t['slow'] / t['sampled']:.1f} | {share} |"
            )
    return "\n".join(lines)


def write(section: str, text: str, title: str = "What judging a case costs") -> None:
    """Put a section of the report between its markers, and leave the others alone."""
    begin, end = f"<!-- {section}:begin -->", f"<!-- {section}:end -->"
    old = REPORT.read_text() if REPORT.exists() else "# Benchmarks\n"
    if begin not in old:
        old = f"{old.rstrip()}\n\n## {title}\n\n{begin}\n{end}\n"
    head, rest = old.split(begin)
    REPORT.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def main() -> None:
    """Measure and print; `--write` keeps it in reports/benchmark.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    text = table(options.cases)
    print(text)
    if options.write:
        write("check", text)


if __name__ == "__main__":
    main()
