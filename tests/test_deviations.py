"""Where torch itself is wrong: found by the oracle, and printed by scripts that need nothing but torch."""

import io
import math
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from oracle import deviations
from oracle.cli import main
from oracle.deviations import PROBES, Deviation, Probe, known, native, search, unprobed
from oracle.draws import Stream
from oracle.judge import judge
from oracle.report.deviations import page
from oracle.spec import Case
from oracle.subjects import wrap

REPORT = Path(__file__).parents[1] / "reports" / "torch.md"
FEW = tuple(p for p in PROBES if p.op in ("Hardsigmoid", "Sigmoid") or p.attrs == {"approximate": "tanh"})


def probes(op: str, label: str = "") -> list[Probe]:
    return [p for p in PROBES if p.op == op and p.label.startswith(label)]


def run(script: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said):
        exec(script, {})
    return said.getvalue().strip()


@pytest.fixture(scope="module")
def found() -> list[Deviation]:
    return search(FEW)


def test_every_operator_that_torch_has_is_asked() -> None:
    """Dropout draws in torch.nn what is data here."""
    assert unprobed() == {"Dropout"}


def test_hardsigmoid_is_wrong_at_ordinary_inputs(found: list[Deviation]) -> None:
    (d,) = (d for d in found if d.probe.op == "Hardsigmoid")
    assert (d.dtype, d.tensor, d.grade) == ("float64", "x", "everywhere")
    assert d.worst.got == float(np.float32(1 / 6))
    assert d.worst.units == pytest.approx(1.79e8, rel=0.01)
    assert d.verdict == "match"


def test_the_tail_of_sigmoid_is_lost_and_harmless(found: list[Deviation]) -> None:
    its = [d for d in found if d.probe.op == "Sigmoid"]
    assert {(d.dtype, d.tensor, d.grade) for d in its} == {(t, "x", "invisible") for t in ("float32", "float64")}
    assert all(d.worst.roundings < 1 < d.worst.units for d in its)


def test_gelu_is_nan_where_x_squared_overflows(found: list[Deviation]) -> None:
    its = [d for d in found if d.grade == "not finite"]
    assert {(d.probe.op, d.dtype) for d in its} == {("GELU", "float32"), ("GELU", "float64")}
    assert all(math.isnan(d.worst.got) and 1.0 in d.worst.true for d in its)
    assert found.index(its[-1]) == len(its) - 1, "NaN comes first"


def test_the_scripts_print_what_the_report_says(found: list[Deviation]) -> None:
    for d in found:
        assert run(d.script) == d.printed
        true = float(d.printed.rpartition(" ")[2])
        assert d.worst.true.distance(true) <= 2 * float(np.finfo(d.dtype).eps) * abs(true)


@pytest.mark.parametrize("op", ["ReLU", "LeakyReLU", "PReLU", "MSELoss", "HuberLoss", "NLLLoss", "Linear", "Flatten"])
def test_where_torch_is_right_nothing_is_found(op: str) -> None:
    assert not search(probes(op))


def test_the_target_of_bce_has_an_infinite_gradient() -> None:
    worst = search(probes("BCELoss", "target 0.3"), ("float64",))[0]
    assert (worst.tensor, worst.grade, worst.worst.got) == ("t", "not finite", -math.inf)
    assert -100.0 in worst.worst.true


def test_conditioning_is_no_fault_but_overflow_is() -> None:
    assert {d.grade for d in search(probes("BatchNorm1d", "spread 1"))} == {"conditioning"}
    its = search(probes("BatchNorm1d", "the spread"), ("float32",))
    assert {d.tensor for d in its if d.grade == "visible"} == {"value", "n.weight"}
    assert all(d.worst.at >= 1e19 and d.probe.training for d in its)


def test_a_subject_that_is_right_is_never_accused() -> None:
    """Even where the twin itself is off: Softplus's threshold, and the value of BCEWithLogitsLoss."""
    for op in ("Softplus", "BCEWithLogitsLoss", "Tanhshrink"):
        for d in search(probes(op), ("float64",)):
            assert d.verdict in ("match", "torch deviates", "convention"), d


def test_torch_as_a_subject() -> None:
    """Only what is known to deviate is ever called wrong, steps of optimizers included."""
    subject, wrong = wrap(native, "torch"), set()
    for dtype in ("float64", "float32"):
        stream = Stream(0, dtype)
        for k in range(24):
            verdict = judge(case := stream[k], subject)
            assert verdict.outcome in ("match", "convention", "mismatch"), verdict.reason
            if verdict.outcome == "mismatch":
                assert isinstance(case, Case)
                assert {n.op for n in case.nodes} & {"Hardsigmoid", "CELU", "BCELoss"}, verdict.reason
                wrong.add(dtype)
    assert wrong == {"float64"}


def test_the_page_is_remade_byte_for_byte(
    found: list[Deviation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page(found, [], known())
    assert page(search(FEW), [], known()) == text
    assert text.count("```python") == text.count("### ") == text.count("Upstream: ")
    for anchor in re.findall(r"\(#([^)]*)\)", text):
        assert any(re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") == anchor for h in re.findall("### (.*)", text))
    monkeypatch.setattr(deviations, "PROBES", FEW)
    told = CliRunner().invoke(main, ["torch", "--cases", "0", "--report", str(tmp_path / "torch.md")])
    assert told.exit_code == 0, told.output
    written = (tmp_path / "torch.md").read_text()
    assert [line for line in written.split("\n") if line[:2] != "- "] == [*text.rstrip("\n").split("\n"), ""]


def test_the_scripts_of_the_report_print_what_it_says() -> None:
    """If this fails with a new torch, run `oracle torch`: something was repaired, or broken."""
    text = REPORT.read_text()
    if not all(word in text for word in (f"torch {torch.__version__},", torch.backends.cpu.get_cpu_capability())):
        pytest.skip("the report was made with another torch, or on another kind of CPU")
    entries = re.findall(r"```python\n(.*?)\n```\n\nIt prints `([^`]*)`", text, re.S)
    assert len(entries) > 20
    for script, printed in entries:
        assert "oracle" not in script
        assert run(script) == printed, script
