"""`reports/torch.md`: where torch itself is wrong, so that each entry could be sent upstream as it is."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oracle.report.numbers import exact, short
from oracle.report.words import plural
from oracle.spec import write

if TYPE_CHECKING:
    from oracle.deviations import Contest, Deviation, Known

TITLES = {
    "not finite": "NaN or infinity where the truth is an ordinary number",
    "everywhere": "Wrong at ordinary inputs",
    "visible": "Wrong in a corner, and by more than rounding",
    "roundings": "A few roundings of the largest entry",
    "invisible": "Digits lost in a tail, harmless beside the largest entry",
    "conditioning": "No fault: inputs that leave no more digits",
}
TOLD = {
    "not finite": "What matters first: one such number spoils every parameter.",
    "everywhere": "More than a quarter of the inputs between 0.001 and 10 are off by more than 64 roundings.",
    "visible": "Off by more than 64 units in the last place of the largest entry (of 1, if that is larger).",
    "roundings": "Off by 1 to 64 units in the last place of the largest entry, where the truth is far smaller.",
    "invisible": "Off by less than one unit in the last place of the largest entry, though by more than a thousand of "
    "the true number's own. A network notices only if it divides by it.",
    "conditioning": "Moving each input to the next number moves the truth as much, to a factor of 4: the numbers "
    "given, not torch, are to blame.",
}
RESULTS = {"value": "value", "x": "gradient of the input", "t": "gradient of the target"}
SPANS = 4


def write_page(path: Path, found: Sequence["Deviation"], contests: Sequence["Contest"], known: "Known") -> Path:
    """The report as a file; equal findings give equal bytes."""
    return write(path, page(found, contests, known).encode())


def page(found: Sequence["Deviation"], contests: Sequence["Contest"], known: "Known") -> str:
    """The whole report in Markdown."""
    lines = [*_head(found, contests, known)]
    for grade, title in TITLES.items():
        entries = [its for its in grouped(found) if its[0].grade == grade]
        lines += [f"## {title}", "", TOLD[grade], ""] if entries else []
        for its in entries:
            lines += _conditioned(its) if grade == "conditioning" else _entry(its, known)
    return "\n".join(lines).rstrip() + "\n"


def grouped(found: Sequence["Deviation"]) -> list[list["Deviation"]]:
    """What has one cause together, the worst first: one operator and one result, but NaN and conditioning apart."""
    entries: dict[tuple[str, str, str], list[Deviation]] = {}
    for d in found:
        apart = d.grade if d.grade in ("not finite", "conditioning") else ""
        entries.setdefault((d.probe.op, d.tensor, apart), []).append(d)
    return list(entries.values())


def _head(found: Sequence["Deviation"], contests: Sequence["Contest"], known: "Known") -> Iterator[str]:
    yield "# Where torch is wrong"
    yield ""
    yield "torch.nn on the CPU, in its own dtype, against enclosures of the true numbers proven by ball arithmetic."
    yield (
        "Written by `oracle torch`, with "
        + ", ".join(f"{name} {version}" for name, version in known.versions.items())
        + "."
    )
    yield ""
    yield "A number is listed if the truth lies within the dtype, and torch gives NaN, infinity, or something more than"
    yield "1000 units in the last place of the truth away. *Units* are those of the true number; *roundings* those of"
    yield "the largest entry, or of 1 if that is larger: what the rest of a network sees. Inputs exactly on a kink are"
    yield "conventions, and not asked. Where one element and 64 (the vectorised kernel) differ, it is said."
    yield ""
    yield "| operator | result | dtypes | units | roundings | |"
    yield "|---|---|---|---|---|---|"
    for its in grouped(found):
        if (d := its[0]).grade != "conditioning":
            dtypes = ", ".join(dict.fromkeys(other.dtype for other in its))
            units, roundings = _size(max(other.worst.units for other in its)), _size(d.worst.roundings)
            yield f"| [{d.probe.op}](#{_anchor(d)}) | {_result(d)} | {dtypes} | {units} | {roundings} | {d.grade} |"
    yield ""
    yield "Plain torch as a subject (`oracle check python:oracle.deviations:native`), on the first cases of seed 0:"
    yield ""
    for c in contests:
        tally = ", ".join(f"{n} {outcome}" for outcome, n in c.tally.items())
        blamed = ", ".join(f"{op} in {n}" for op, n in c.blamed.items()) or "none"
        yield f"- {c.dtype}: {plural(c.cases, 'case')}, {tally}; operators that fail alone: {blamed}"
    yield ""


def _entry(its: Sequence["Deviation"], known: "Known") -> Iterator[str]:
    d = its[0]
    w = d.worst
    yield f"### {_heading(d)}"
    yield ""
    yield f"{_sentence(d)} {_told(known.causes, d)}".rstrip()
    yield ""
    yield from _table(its)
    yield ""
    yield "```python"
    yield d.script
    yield "```"
    yield ""
    yield f"It prints `{d.printed}`. The truth lies in [{w.true.low!r}, {w.true.high!r}], about {w.true.mid}."
    yield ""
    twin = f", spelled out because {known.twins[d.probe.op]}" if d.probe.op in known.twins else ""
    yield f"The oracle's twin has {d.twin} there{twin}. The oracle's verdict on the true numbers: {d.verdict}."
    yield ""
    yield f"Upstream: {_told(known.upstream, d) or 'No issue was found.'}"
    yield ""


def _told(about: Mapping[str, str], d: "Deviation") -> str:
    """What is said of this grade, of this result, or else of the operator."""
    op = d.probe.op
    return next((about[k] for k in (f"{op} {d.tensor}, {d.grade}", f"{op} {d.tensor}", op) if k in about), "")


def _conditioned(its: Sequence["Deviation"]) -> Iterator[str]:
    yield f"### {_heading(its[0])}, on ill-conditioned inputs"
    yield ""
    yield from _table(its)
    yield ""


def _table(its: Sequence["Deviation"]) -> Iterator[str]:
    yield "| arguments | dtype | input | torch | truth | units | roundings | off at |"
    yield "|---|---|---|---|---|---|---|---|"
    for d in its:
        w = d.worst
        form = "" if len(d.forms) > 1 or d.probe.cotangent is not None else f"; {plural(d.forms[0], 'element')} only"
        yield (
            f"| {_arguments(d)} | {d.dtype} | {d.probe.label} = {_at(w.at)} | {exact_in(w.got, d.dtype)} "
            f"| {_digits(w.true.mid, d.dtype)} | {_size(w.units)} | {_size(w.roundings)} "
            f"| {_where(d.spans)} ({d.affected} of {d.asked}{form}) |"
        )


def exact_in(x: float, dtype: str) -> str:
    """A number with the digits that its dtype has."""
    return exact(x) if dtype == "float64" or not math.isfinite(x) else exact(float(f"{x:.9g}"))


def _digits(mid: str, dtype: str) -> str:
    return exact(float(mid)) if dtype == "float64" else exact(float(f"{float(mid):.9g}"))


def _sentence(d: "Deviation") -> str:
    w = d.worst
    size = "" if math.isinf(w.units) else f", {_size(w.units)} units in the last place away"
    return (
        f"The {_result(d)} of `{d.probe.op}` in {d.dtype} at {d.probe.label} = {_at(w.at)} is "
        f"{exact_in(w.got, d.dtype)}, but should be {_digits(w.true.mid, d.dtype)}{size}."
    )


def _heading(d: "Deviation") -> str:
    return f"{d.probe.op}: {_result(d)}{', not finite' if d.grade == 'not finite' else ''}"


def _anchor(d: "Deviation") -> str:
    kept = "".join(c for c in _heading(d).lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _result(d: "Deviation") -> str:
    return RESULTS.get(d.tensor, f"gradient of the {d.tensor.removeprefix('n.')}")


def _arguments(d: "Deviation") -> str:
    told = ", ".join(f"{k}={v}" for k, v in d.probe.attrs.items() if k not in ("reduction", "num_features", "dim"))
    mode = "" if d.probe.training or d.probe.op == "RReLU" else "evaluation"
    return ", ".join(filter(None, (told, mode))) or "default"


def _where(spans: Sequence[tuple[float, float]]) -> str:
    told = [f"{a:.4g}" if a == b else f"{a:.4g} to {b:.4g}" for a, b in spans[:SPANS]]
    return "; ".join(told) + (f"; {len(spans) - SPANS} more" if len(spans) > SPANS else "")


def _at(x: float) -> str:
    return exact(float(f"{x:.8g}"))


def _size(x: float) -> str:
    if math.isinf(x):
        return "∞"
    digits, _, power = f"{x:.1e}".partition("e")
    return short(float(f"{x:.2g}")) if 1e-3 < x < 1e4 else f"{digits}e{int(power)}"
