"""The pytest plugin as a user meets it: what a failing test shows, what is written, and that it costs nothing."""

import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oracle import spec
from oracle.testing import Oracle, Wrong, folder
from tests import fakes

ROOT = Path(__file__).parents[1]
FAST = {"cases": 6, "profile": "mlp", "dtypes": "float64"}


def pytest_in(project: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Pytest in a project of its own, with this plugin and no other that is installed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "oracle.pytest_plugin", "-p", "no:cacheprovider"]
    env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    env.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [*command, *map(str, words)], cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False
    )


# ---------------------------------------------------------------------------------------------------------- the start


def test_it_is_an_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"oracle": "oracle.pytest_plugin"}


CHEAP = """
import sys
def pytest_sessionfinish():
    heavy = {"numpy", "torch", "click", "hypothesis", "msgspec", "oracle.spec", "oracle.testing"} & set(sys.modules)
    print("heavy:", sorted(heavy))
"""
MARKED = """
import pytest

@pytest.mark.oracle
def test_marked(): ...

def test_plain(): ...
"""


def test_it_imports_nothing_until_it_is_asked(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CHEAP)
    (tmp_path / "test_a.py").write_text(MARKED)
    run = pytest_in(tmp_path, "--co", "-m", "oracle", "--strict-markers")
    assert run.returncode == 0, run.stdout
    assert "heavy: []" in run.stdout
    assert "test_a.py::test_marked" in run.stdout
    assert "test_plain" not in run.stdout


@pytest.mark.parametrize(
    ("words", "ini", "sentence"),
    [
        (["--oracle-cases=many"], "", "--oracle-cases is 'many', but should be a number from 0"),
        ([], "oracle_seed = -1", "--oracle-seed is '-1', but should be a number from 0"),
        (["--oracle-save"], "", "say which with --oracle-corpus=DIR"),
    ],
)
def test_bad_options_are_refused(words: list[str], ini: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    run = pytest_in(tmp_path, *words)
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert sentence in run.stderr


# ---------------------------------------------------------------------------------------------------------- a session

SESSION = """
import sys
import types

import pytest
from hypothesis import Phase, given, settings

import oracle
from oracle.subjects import reference
from tests import fakes
from tests.homework import backprop

pytestmark = pytest.mark.oracle(profile="mlp", cases=6)
KNOWN = {"Linear", "Tanh", "HalfSquaredError"}


@pytest.mark.oracle(cases=12)
@pytest.mark.parametrize("name", ["../a b"])
def test_wrong(oracle, name):
    oracle.check(fakes.tanh_without_square)


def test_right(oracle):
    assert oracle.check("reference").exit_code == 0


def test_convention(oracle):
    oracle.check(fakes.relu_one_at_zero, cases=30)


@settings(max_examples=20, deadline=None, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink])
@given(case=oracle.strategies.cases(supports=KNOWN, dtype="float64", depth=(1, 2), batches=[1, 2], widths=[1, 2]))
def test_strategy(case, oracle):
    oracle.judge(case, fakes.tanh_without_square)


def test_gradients(oracle, monkeypatch):
    asked = []

    def check_gradients(mine, **options):
        asked.append(options)
        return oracle.check(reference, cases=2)

    monkeypatch.setitem(sys.modules, "oracle.gradients", types.SimpleNamespace(check_gradients=check_gradients))
    oracle.check_gradients(abs, like=abs, inputs={"x": (2,)}, order=2)
    assert asked == [{"like": abs, "inputs": {"x": (2,)}, "order": 2, "seed": 3, "cases": 6, "raises": False}]
"""


def outcomes(xml: Path) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Of every test in a JUnit file: what became of it, and its properties."""
    tests = ET.fromstring(xml.read_text()).iter("testcase")
    return {
        str(test.get("name")): (
            next((child.tag for child in test if child.tag != "properties"), "passed"),
            [(str(p.get("name")), str(p.get("value"))) for p in test.iter("property")],
        )
        for test in tests
    }


def files(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def test_a_session_alone_and_distributed(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(SESSION)
    words = ["-p", "no:randomly", "--oracle-seed=3", "--oracle-save"]
    kept = {name: [f"--oracle-report={name}/rep", f"--oracle-corpus={name}/corpus"] for name in ("one", "two")}
    run = pytest_in(tmp_path, *words, *kept["one"], "--junitxml=one.xml", "test_mine.py")
    shown = run.stdout
    assert run.returncode == 1, shown + run.stderr
    order = [
        "oracle.check(fakes.tanh_without_square)",
        "Wrong: MISMATCH  ",
        "E       THE SMALLEST CASE",
        "E       PROOF",
    ]
    assert [shown.index(word) for word in order] == sorted(shown.index(word) for word in order)
    assert "testing.py" not in shown, "internals are in the traceback"
    assert "2 failed, 3 passed" in shown
    assert "test_mine.py::test_convention: " in shown
    assert "convention: " in shown
    found = outcomes(tmp_path / "one.xml")
    for name in ("test_wrong[../a b]", "test_strategy"):
        what, properties = found[name]
        assert what == "failure"
        assert ("oracle_diagnosis", "A104") in properties
        assert {"oracle_case", "oracle_reproduce"} <= {key for key, _ in properties}
    assert ("oracle_seed", "3") in found["test_right"][1]
    again = dict(found["test_wrong[../a b]"][1])["oracle_reproduce"]
    assert again == "pytest 'test_mine.py::test_wrong[../a b]' --oracle-seed=3 --oracle-cases=12 --oracle-profile=mlp"

    other = pytest_in(tmp_path, *words, *kept["two"], "--junitxml=two.xml", "-p", "xdist", "-n", 2, "test_mine.py")
    assert other.returncode == 1, other.stdout
    assert outcomes(tmp_path / "two.xml") == found
    written = files(tmp_path / "one")
    assert files(tmp_path / "two") == written
    assert any("test-wrong-a-b" in name and "/corpus/" in name for name in written)
    assert not list(tmp_path.parent.glob("a b*"))


# ---------------------------------------------------------------------------------------------------- without a process


def oracle_of(asked: dict[str, Any] | None = None, *marks: dict[str, Any]) -> Oracle:
    """The fixture in a test with these markers, the innermost first."""
    item = SimpleNamespace(
        nodeid="test_a.py::test_b",
        user_properties=[],
        add_report_section=lambda *words: None,
        iter_markers=lambda name: [SimpleNamespace(args=(), kwargs=mark) for mark in marks],
    )
    return Oracle({"save": False} | (asked or {}), lambda: item)


def test_the_call_beats_the_marker_and_that_the_command_line() -> None:
    it = oracle_of({"seed": 1, "cases": 9, "profile": "deep"}, {"cases": 4}, {"cases": 5, "profile": "mlp"})
    found = it.check("reference", seed=2, dtypes="float64")
    assert (found.seed, found.cases, found.profile, found.dtypes) == (2, 4, "mlp", ("float64",))


@pytest.mark.parametrize(
    ("subject", "options", "sentence"),
    [
        ("python:nowhere.py:f", {}, "the subject cannot be started: nowhere.py is not a file"),
        (3, {}, "int is no subject"),
        ("reference", {"case": 3}, "oracle.check has 'case'; it may have cases, seed, profile, dtypes"),
        ("reference", {"profile": "nope"}, "no profile is called 'nope'"),
        ("reference", {"cases": 0}, "NOTHING JUDGED"),
    ],
)
def test_what_cannot_be_judged_fails_with_a_sentence(subject: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Wrong, match="^" + sentence.replace("(", r"\(")):
        oracle_of().check(subject, **options)


def raising(case: spec.Case) -> Any:
    raise ValueError("boom")


def declining(case: spec.Case) -> Any:
    raise spec.Unsupported("all of it")


def test_errors_and_nothing_judged_fail() -> None:
    with pytest.raises(Wrong, match=r"^ERRORED(.|\n)*raised ValueError: boom"):
        oracle_of().check(raising, **FAST)
    with pytest.raises(Wrong, match=r"^NOTHING JUDGED(.|\n)*the subject declines: all of it"):
        oracle_of().check(declining, **FAST)
    with pytest.raises(Wrong, match=r"^nothing could be judged: the subject declines"):
        oracle_of().judge(fakes.chain("Tanh"), declining)


def test_saved_cases_come_first_and_broken_ones_fail(tmp_path: Path) -> None:
    case = fakes.chain("Tanh")
    spec.save(case, tmp_path / "shared.json")
    spec.save(case, tmp_path / folder("test_a.py::test_b") / "own.json")
    spec.save(case, tmp_path / "another-test" / "other.json")
    it = oracle_of({"corpus": tmp_path})
    found = it.check("reference", **FAST)
    own = f"{folder('test_a.py::test_b')}/own.json"
    assert [(r.file, r.outcome) for r in found.replayed] == [("shared.json", "match"), (own, "match")]
    assert it.replay(tmp_path, "reference").tally["match"] == 1
    with pytest.raises(Wrong, match="MISMATCH"):
        it.replay([tmp_path / "shared.json"], fakes.tanh_without_square)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(Wrong, match=r"broken.json: not what it should be"):
        it.replay(tmp_path, "reference")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Wrong, match="there are no cases in"):
        it.replay(tmp_path / "empty", "reference")
    with pytest.raises(Wrong, match="BROKEN CORPUS"):
        it.check("reference", **FAST)


def test_folders_are_safe_and_differ() -> None:
    names = {folder(nodeid) for nodeid in ("a.py::t[../x]", "a.py::t[..\\x]", "a.py::t[" + "y" * 500 + "]", "é::t[\0]")}
    assert len(names) == 4
    assert all(len(name) < 80 and name.replace("-", "").isalnum() and name.isascii() for name in names)
