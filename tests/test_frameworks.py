"""Other frameworks as subjects: each answers, each is found right or wrong where it is known to be."""

import importlib
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from oracle.catalogue import subgradients
from oracle.cli import main
from oracle.draws import Stream
from oracle.frameworks import NAMES, missing, survey
from oracle.frameworks.survey import PLAN, Disagreement, Survey
from oracle.judge import How, judge
from oracle.report.frameworks import page
from oracle.spec import Case, UpdateCase
from oracle.subjects import Subject, resolve, wrap

ROOT = Path(__file__).parents[1]
QUICK = How(twice=False)
CASES = {"jax": 12, "autograd": 100, "mygrad": 100, "tinygrad": 8}
"""Cases of each dtype: those that compile for every case, or interpret in Python, get fewer."""
KNOWN: dict[str, set[str]] = {
    "jax": set(),
    "autograd": set(),
    "mygrad": {"ELU", "LeakyReLU", "LogSoftmax", "SELU"},
    "tinygrad": {"Adam", "AdamW", "BCELoss", "CELU", "ELU", "GELU", "Mish", "SELU", "SGD", "SmoothL1Loss", "Tanh"},
}
"""Operators that are known to fail; any of these may explain a failure of a case that has it."""


def load(name: str) -> Any:
    if sentence := missing(name):
        pytest.skip(sentence)
    return importlib.import_module(NAMES[name].split(":")[1])


@pytest.fixture(params=list(NAMES))
def name(request: pytest.FixtureRequest) -> str:
    load(request.param)
    return str(request.param)


def subject(name: str) -> Subject:
    """A framework that compiles what it meets has the time for it that a busy machine takes."""
    return wrap(load(name).backprop, name, seconds=120)


def ops(case: Case | UpdateCase) -> set[str]:
    return {case.op} if isinstance(case, UpdateCase) else {node.op for node in case.nodes}


def test_only_known_operators_fail_and_slopes_are_as_declared(name: str) -> None:
    """The cases of every second number, for two neighbours share an architecture."""
    judged = subject(name)
    for dtype in ("float64", "float32"):
        stream = Stream(0, dtype, supports=judged.supports)
        for k in range(0, 2 * CASES[name], 2):
            verdict = judge(case := stream[k], judged, how=QUICK)
            assert verdict.outcome != "convention", verdict.reason
            assert not verdict.failed or ops(case) & KNOWN[name], (k, dtype, verdict.reason)


def test_every_operator_that_is_supported_is_answered(name: str) -> None:
    """In the shortest graphs that have it; a framework may decline an argument, never fail."""
    judged, met = subject(name), set[str]()
    assert judged.supports is not None
    for dtype in ("float64", "float32"):
        stream = Stream(1, dtype, "mlp" if name in ("jax", "tinygrad") else "standard", judged.supports)
        for k in range(6 if name in ("jax", "tinygrad") else 150):
            if judged.answer(case := stream[k]).answer is not None:
                met |= ops(case)
    units = {s.at.op for s in survey._slopes(replace(judged, conventions={}))}
    assert met | units >= (judged.supports if name in ("autograd", "mygrad") else {"Linear"})


def test_the_slopes_at_kinks_are_as_declared(name: str) -> None:
    """What is declared for a kink is what is found there, and nothing else is found but what is no subgradient."""
    judged = subject(name)
    found = [s for s in survey._slopes(replace(judged, conventions={})) if s.valid]
    assert {s.at.op for s in found} <= judged.conventions.keys()
    for slope in found:
        kinks = [s.at for s in subgradients() if s.op == slope.at.op]
        weights = judged.conventions[slope.at.op]
        weight = weights[min(kinks.index(slope.at.at), len(weights) - 1)]
        assert slope.got == pytest.approx((1 - weight) * slope.at.left + weight * slope.at.right)


def test_a_wrong_formula_in_a_table_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(name)
    right = module.TABLE["Tanh"]
    monkeypatch.setitem(module.TABLE, "Tanh", lambda n, x: right(n, x) * 1.001)
    stream = Stream(0, "float64", "mlp", frozenset({"Linear", "Tanh", "HalfSquaredError"}))
    cases = [case for k in range(0, 24, 2) if "Tanh" in ops(case := stream[k])]
    assert any(judge(case, subject(name), how=QUICK).outcome == "mismatch" for case in cases)


def test_an_answer_leaves_nothing_behind(name: str) -> None:
    """The same twice, with the user's own settings as they were."""
    case = Stream(0, "float64", "mlp", frozenset({"Linear", "ReLU", "MSELoss"}))[0]
    first, second = (subject(name).answer(case).answer for _ in range(2))
    assert first is not None
    assert second is not None
    for tensor, g in first.gradients.items():
        assert g.dtype == np.float64
        assert np.array_equal(g, second.gradients[tensor])
    if name == "jax":
        assert load("jax").jnp.asarray(1.0).dtype == np.float32


def test_a_short_name_stands_for_a_subject(name: str) -> None:
    assert resolve(NAMES[name]).supports == subject(name).supports


def test_what_is_not_installed_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.frameworks.find_spec", lambda name: None)
    assert missing("jax") == 'jax is not installed; pip install "backprop-oracle[jax]"'
    told = CliRunner().invoke(main, ["frameworks", "mygrad"])
    assert (told.exit_code, "mygrad is not installed" in told.output) == (2, True)
    told = CliRunner().invoke(main, ["frameworks", "keras"])
    assert (told.exit_code, "no framework is called 'keras'" in told.output) == (2, True)


def test_nothing_is_imported_until_it_is_asked_for() -> None:
    code = "import sys, oracle.frameworks, oracle.cli, oracle.frameworks.survey; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(run.stdout.split()) & NAMES.keys()


@pytest.fixture(scope="module")
def mygrad() -> Survey:
    load("mygrad")
    return survey.survey("mygrad", 400, 30)


def test_a_survey_finds_each_disagreement_alone_with_a_script(mygrad: Survey) -> None:
    """LeakyReLU'(0) = 0 is no subgradient; the script prints what was found."""
    (slope,) = (s for s in mygrad.slopes if s.at.op == "LeakyReLU")
    assert (slope.got, slope.valid) == (0.0, False)
    assert not mygrad.together
    assert mygrad.disagreements
    for d in mygrad.disagreements:
        assert isinstance(d.case, Case)
        assert d.case.nodes[0].op == d.op
        assert printed_as_found(d), d.script


def printed_as_found(d: Disagreement) -> bool:
    """Whether the script printed the number of the finding."""
    return not d.script or np.array_equal(float(d.printed), d.got, equal_nan=True)


def test_the_page_is_remade_byte_for_byte(mygrad: Survey) -> None:
    text = page([mygrad])
    assert page([survey.survey("mygrad", 400, 30)]) == text
    assert text.count("```python") == sum(bool(d.script) for d in mygrad.disagreements)


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    load("autograd")
    arguments = ["frameworks", "autograd", "--cases", "20", "--jobs", "1", "--report", str(tmp_path / "found.md")]
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 0, told.output
    assert "## autograd" in (tmp_path / "found.md").read_text()
    assert set(PLAN) == set(NAMES)


def run(script: str, module: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(module.SCRIPT.printed(script))


Scripts = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize("name", list(NAMES))
def test_the_scripts_of_the_report_print_what_it_says(name: str) -> None:
    """If this fails with a new version, run `oracle frameworks`: something was repaired, or broken."""
    import re
    from importlib.metadata import version

    module = load(name)
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", (ROOT / "reports/frameworks.md").read_text(), re.M | re.S)
    assert section
    if f"{name} {version(name)}, numpy {version('numpy')}," not in section[1]:
        pytest.skip(f"the report was made with another version of {name} or NumPy")
    for script, said in re.findall(r"```python\n(.*?)\n```\n\nIt prints `([^`]*)`", section[1], re.S):
        assert "oracle" not in script
        assert run(script, module) == said, script
