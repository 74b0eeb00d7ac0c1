"""`reports/frameworks.md`: what the oracle finds in other frameworks, each disagreement with a script that shows it."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oracle.report.numbers import contrast, short
from oracle.report.words import plural
from oracle.spec import Case, write

if TYPE_CHECKING:
    from oracle.frameworks.survey import Disagreement, Slope, Survey

TENSORS = {
    "value": "value", "x": "gradient of the input", "t": "gradient of the target", "step": "step", "": "call",
    "c": "gradient of a factor without axes",
}  # fmt: skip
KINDS = {
    "NaN or infinity": "NaN or infinity where the truth is a number",
    "wrong value": "a wrong value: fewer than three digits are right",
    "digits lost": "digits lost",
    "raises": "it raises",
}


def write_page(path: Path, found: Sequence["Survey"]) -> Path:
    """The report as a file; equal surveys give equal bytes."""
    return write(path, page(found).encode())


def page(found: Sequence["Survey"]) -> str:
    """The whole report in Markdown."""
    lines = [*_head(found)]
    for survey in found:
        lines += _section(survey)
    return "\n".join(lines).rstrip() + "\n"


def _head(found: Sequence["Survey"]) -> Iterator[str]:
    yield "# What the oracle finds in other frameworks"
    yield ""
    yield "Every framework runs the oracle's random graphs with its own operators, and with its primitives where it has"
    yield "none; the verdicts are those of `oracle check`. What fails is taken apart: an operator is listed if it fails"
    yield "*alone*, on true inputs and a true error signal, in its smallest case. Every script needs the framework"
    yield "only, and printed what is shown. Written by `oracle frameworks`."
    yield ""
    yield "| framework | dtype | cases | match | convention | mismatch | errored | others |"
    yield "|---|---|---|---|---|---|---|---|"
    for survey in found:
        for dtype, tally in survey.tally.items():
            named = ("match", "convention", "mismatch", "errored")
            others = ", ".join(f"{n} {outcome}" for outcome, n in tally.items() if outcome not in named)
            numbers = " | ".join(str(tally.get(outcome, 0)) for outcome in named)
            name = f"{survey.name} {survey.versions[survey.name]}"
            yield f"| {name} | {dtype} | {sum(tally.values())} | {numbers} | {others} |"
    yield ""
    yield "*convention*: at a kink, another slope than torch's, and a valid one. *undecided*: suspect, and neither"
    yield "proven nor cleared. *torch deviates*: the framework is right, and torch is not."
    yield ""


def _section(survey: "Survey") -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in survey.versions.items())
    yield f"## {survey.name}"
    yield ""
    yield f"{versions}{f'; {survey.setting}' if survey.setting else ''}."
    yield ""
    yield f"Its own: {', '.join(survey.own)}."
    yield f"Composed: {', '.join(survey.composed)}."
    for reason, n in survey.declined.items():
        yield f"Not judged in {plural(n, 'case')}: {reason.removeprefix('the subject declines: ')}."
    yield ""
    yield from _slopes(survey.slopes)
    for kind, title in KINDS.items():
        its = [d for d in survey.disagreements if d.kind == kind]
        if its:
            yield f"### {survey.name}: {title if title.startswith('NaN') else title[0].lower() + title[1:]}"
            yield ""
        for d in its:
            yield from _entry(survey, d)
    if not survey.disagreements:
        yield f"### {survey.name}: no operator disagrees"
        yield ""
    for where, reason in survey.together.items():
        yield f"- {where}: {reason}, though no operator in it fails alone"
        yield ""


def _slopes(slopes: Sequence["Slope"]) -> Iterator[str]:
    """The conventions; what is no subgradient is a wrong value."""
    if not slopes:
        return
    yield "| at a kink | where | torch | here | valid | |"
    yield "|---|---|---|---|---|---|"
    for s in slopes:
        attrs = ", ".join(f"{name}={short(x)}" for name, x in s.at.attrs.items())
        low, high = (short(x) for x in s.at.valid)
        told = "convention" if s.valid else "no subgradient"
        at = f"{s.at.op}({attrs})" if attrs else s.at.op
        yield f"| {at} | {s.at.where} | {short(s.at.torch)} | {short(s.got)} | [{low}, {high}] | {told} |"
    yield ""


def _entry(survey: "Survey", d: "Disagreement") -> Iterator[str]:
    yield f"**{d.op}, {_tensor(d.tensor)}, {d.dtype}**, in {plural(d.count, 'case')}: {_numbers(d)}"
    if d.cause:
        yield d.cause
    yield f"Upstream: {d.upstream or 'no issue was found.'}"
    yield ""
    if d.script:
        yield "```python"
        yield d.script
        yield "```"
        yield ""
        yield f"It prints `{d.printed}`."
        yield ""


def _tensor(tensor: str) -> str:
    return TENSORS.get(tensor, f"gradient of the {tensor}")


def _numbers(d: "Disagreement") -> str:
    """What it is, and what it should be."""
    if not d.verdict.differences:
        return f"{d.verdict.reason.removeprefix('the subject ')}."
    got, true = contrast(d.got, d.true)
    at = f", at {_arguments(d)}" if _arguments(d) else ""
    digits = f"; {d.digits:.0f} digits are right" if d.kind == "digits lost" and 1 <= d.digits < math.inf else ""
    return f"{got}, but should be {true}{digits}{at}."


def _arguments(d: "Disagreement") -> str:
    attrs = d.case.nodes[0].attrs if isinstance(d.case, Case) else d.case.attrs
    return ", ".join(f"{name}={value}" for name, value in attrs.items())
