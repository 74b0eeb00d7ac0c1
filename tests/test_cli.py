"""The command line as a user meets it: exit codes, sentences, files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from oracle import faults
from oracle.cli import main

HOMEWORK = f"python:{Path(__file__).parent / 'homework.py'}:backprop"
CORPUS = Path(__file__).parent / "corpus"


def oracle(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_reference_passes_and_the_report_is_written(tmp_path: Path) -> None:
    result = oracle("check", "--cases", 20, "--report", tmp_path)
    assert result.exit_code == 0, result.output
    assert "PASSED: 40 of 40 cases match" in result.output
    names = {"report.json", "report.schema.json", "junit.xml", "summary.md", "report.html", "timing.json"}
    assert names == set(files(tmp_path))


def test_a_wrong_line_is_found_named_and_replayed(tmp_path: Path) -> None:
    result = oracle("check", HOMEWORK, "--profile", "mlp", "--cases", 60, "--dtype", "float64", "--report", tmp_path)
    assert result.exit_code == 1
    order = [
        "MISMATCH",
        "THE SMALLEST CASE",
        "THE BACKWARD PASS",
        "EXPECTED, GOT AND RATIO",
        "WHY",
        "PROOF",
        "TO REPRODUCE",
    ]
    places = [result.output.index(word) for word in order]
    assert places == sorted(places)
    assert "tanh′ without the square" in result.output
    (case,) = (tmp_path / "corpus").glob("*.json")
    assert oracle("replay", case, "--subject", HOMEWORK).exit_code == 1
    fixed = oracle("replay", case)
    assert (fixed.exit_code, fixed.output.split()[0]) == (0, "FIXED")
    told = oracle("explain", case)
    assert told.exit_code == 0
    for step in ("Forward", "Step 1", "Steps 2 and 3", "Step 4", "Step 5"):
        assert step in told.output


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        oracle(
            "check",
            HOMEWORK,
            "--profile",
            "mlp",
            "--cases",
            40,
            "--dtype",
            "float32",
            "-q",
            "--report",
            tmp_path / folder,
        )
    a, b = ({n: x for n, x in files(tmp_path / f).items() if n != "timing.json"} for f in ("a", "b"))
    assert a == b
    assert str(tmp_path).encode() not in b"".join(a.values())


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("check", "python:nowhere.py:f"), 2, "nowhere.py is not a file"),
        (("check", "python:json:nothing"), 2, "json has no 'nothing'"),
        (("check", "nonsense"), 2, "'nonsense' is no subject"),
        (("check", "--profile", "nope"), 2, "no profile is called 'nope'"),
        (("check", "--seconds", "nan"), 2, "is not a time"),
        (("check", "--cases", "0", "-q"), 2, "NOTHING JUDGED"),
        (("explain", "nowhere.json"), 2, "No such file"),
        (("explain", "A999"), 2, "no fault has the code A999"),
        (("replay", "nowhere.json"), 2, "No such file"),
    ],
)
def test_refusals_are_sentences(words: tuple[str, ...], code: int, sentence: str, tmp_path: Path) -> None:
    report = ("--report", tmp_path) if words[0] == "check" else ()
    result = oracle(*words, *report)
    assert result.exit_code == code
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_folder_of_cases_is_replayed_and_broken_ones_are_told(tmp_path: Path) -> None:
    assert oracle("replay", CORPUS, "-q").exit_code == 0
    (tmp_path / "broken.json").write_text("{")
    result = oracle("replay", CORPUS, tmp_path, "-q")
    assert result.exit_code == 2
    assert "SKIPPED" in result.output
    assert oracle("replay", tmp_path / "broken.json").exit_code == 2


def test_updates_are_explained(tmp_path: Path) -> None:
    from oracle.draws import Stream
    from oracle.spec import save

    case = save(Stream(0, "float64", "updates")[0], tmp_path / "update.json")
    assert "Update 1" in oracle("explain", case).output


def test_the_catalogue_lists_everything() -> None:
    told = oracle("catalogue")
    assert told.exit_code == 0
    for word in ("Linear", "CrossEntropyLoss", "AdamW", "A101", "[0.01, 1]"):
        assert word in told.output


def test_a_part_of_the_catalogue_for_people_and_for_machines() -> None:
    told = oracle("catalogue", "--kinks")
    assert "[-1, 1]" in told.output
    assert "AdamW" not in told.output
    data = json.loads(oracle("catalogue", "--faults", "--optimizers", "--json").output)
    assert set(data) == {"faults", "optimizers"}
    fault = next(f for f in data["faults"] if f["code"] == "A104")
    assert (fault["hypothesis"], fault["source"]) == (True, "apache/tvm#7340")
    kink = next(k for k in json.loads(oracle("catalogue", "--kinks", "--json").output)["kinks"] if k["op"] == "L1Loss")
    assert (kink["torch"], kink["valid"]) == (0, [-1, 1])


def test_a_fault_is_explained() -> None:
    told = oracle("explain", "a104")
    assert told.exit_code == 0
    order = [
        "A104",
        "tanh′ without the square",
        "apache/tvm",
        "THE SMALLEST CASE",
        "RIGHT AND WRONG",
        "oracle mutation",
    ]
    places = [told.output.index(word) for word in order]
    assert places == sorted(places)


def test_pages_about_the_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {code: faults.FAULTS[code] for code in ("A104", "P101")}
    monkeypatch.setattr(faults, "FAULTS", few)
    told = oracle("catalogue", "--pages", tmp_path)
    assert told.exit_code == 0, told.output
    names = {"index.html", "index.md", "A104.html", "A104.md", "P101.html", "P101.md"}
    assert set(files(tmp_path)) == names


def test_an_interrupt_leaves_a_report(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from oracle.cli import run; run()", "check", "--report", str(tmp_path), "-q"]
    child = subprocess.Popen(
        [*command, "--cases", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    time.sleep(8)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    if out:  # a slow machine may still have been starting
        assert json.loads((tmp_path / "report.json").read_text())["stopped"] == "interrupted"
