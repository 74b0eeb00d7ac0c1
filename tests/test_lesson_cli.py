"""`oracle audit` as a user meets it; what judges is put in its place by hand here."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from oracle.cli import lessons
from oracle.lesson.records import Audit
from tests.lesson_audits import LESSON, audit, document, passing

COMMAND = importlib.import_module("oracle.cli.audit")  # the package has the command by this name


def judged(path: Path, wanted: Any) -> tuple[Any, Audit]:
    """What is wrong in the lesson by hand, as long as it has not been repaired."""
    if not path.exists():
        raise lessons.UnreadableError(f"{path} cannot be read: no such file")
    text = path.read_text(encoding="utf-8")
    if text.startswith("UNREADABLE"):
        raise lessons.UnreadableError(f"{path} is no text")
    read = document(text, str(path))
    if text == LESSON:
        return read, replace(audit(read), nets=wanted.nets, profile=wanted.settings.get("profile", "index"))
    if text.startswith("NOTHING"):
        return read, replace(passing(), lesson=str(path), equations=())
    found = passing() if "RIGHT" in text or r"\pd{L}{z_k} = (y" in text else audit()
    return read, replace(found, lesson=str(path))


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lessons, "audited", judged)
    monkeypatch.setattr(COMMAND, "guard", lambda: None)
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "lesson.md"
    path.write_text(LESSON, encoding="utf-8", newline="")
    return path


@pytest.fixture
def right(tmp_path: Path) -> Path:
    path = tmp_path / "right.md"
    path.write_text("RIGHT $a = a$", encoding="utf-8")
    return path


def run(*given: object) -> Result:
    return CliRunner().invoke(COMMAND.audit, [*map(str, given)])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_wrong_lesson_is_told_and_nothing_is_written(lesson: Path, tmp_path: Path) -> None:
    result = run("lesson.md")
    assert result.exit_code == 1, result.output
    assert "EQUATION 3 (lesson.md:7)" in result.output
    assert "::error" not in result.output
    assert names(tmp_path) == ["lesson.md"]


def test_a_right_lesson_passes_in_one_line(right: Path) -> None:
    result = run(right.name, "-q")
    assert result.exit_code == 0
    assert result.output.startswith("PASSED: right.md")
    assert result.output.count("\n") == 1


def test_verbose_tells_what_holds(lesson: Path) -> None:
    assert "EQUATION 4 " not in run(lesson).output
    assert "EQUATION 4 " in run(lesson, "-v").output


def test_the_report_has_every_form(lesson: Path, tmp_path: Path) -> None:
    result = run(lesson, "--report", "out")
    assert "report: out/lesson.html" in result.output
    assert names(tmp_path / "out") == [
        "audit.schema.json", "lesson.html", "lesson.json", "lesson.md", "lesson.sarif"
    ]  # fmt: skip
    found = json.loads((tmp_path / "out" / "lesson.sarif").read_bytes())
    where = found["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where["uri"] == "lesson.md"


def test_the_report_of_formulas_alone_has_its_name(lesson: Path, tmp_path: Path) -> None:
    run(lesson, "--report", "out", "--name", "seed_audit", "--formulas-only")
    for path in (tmp_path / "out").glob("seed_audit.*"):
        text = path.read_text(encoding="utf-8")
        assert "Every output" not in text
        assert "Backwards" not in text
        assert str(tmp_path) not in text
    assert len(names(tmp_path / "out")) == 5


def test_json_is_a_line_for_each_lesson(lesson: Path, right: Path) -> None:
    result = CliRunner().invoke(COMMAND.audit, [str(lesson), str(right), "--json", "--nets", "3", "--profile", "own"])
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["failed"] for one in found] == [True, False]
    assert (found[0]["audit"]["nets"], found[0]["audit"]["profile"]) == (3, "own")


def test_a_folder_is_read_whole_but_for_what_is_no_lesson(lesson: Path, right: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("NOTHING", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\0")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "lesson.md").write_text(LESSON, encoding="utf-8")
    (tmp_path / "lesson.fixed.md").write_text(LESSON, encoding="utf-8")
    result = run(".", "-q")
    assert [line.split(":")[1].strip() for line in result.output.splitlines()] == ["lesson.md", "right.md"]
    assert result.exit_code == 1


def test_reports_of_two_lessons_of_one_name_are_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "lesson.md").write_text("RIGHT", encoding="utf-8")
    assert run("a", "b", "-q", "--report", "out").exit_code == 0
    assert [name for name in names(tmp_path / "out") if name.endswith(".html")] == [
        "a-lesson.md.html", "b-lesson.md.html"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.md"], "nowhere.md is neither a file nor a folder"),
        (["empty"], "empty has no lesson in it"),
        (["right.md", "--in-place"], "give --fix, too"),
        (["right.md", "--name", "x"], "say where it goes with --report DIR"),
        (["right.md", "lesson.md", "--name", "x", "--report", "out"], "--name is for one lesson, and there are 2"),
        (["right.md", "--name", "../x", "--report", "out"], "is no name of a file"),
        (["nothing.md"], "nothing.md: no equation of it was understood"),
        (["broken.md"], "broken.md is no text"),
        (["only"], "none of 1 files has an equation that was understood"),
        (["right.md", "broken.md"], "broken.md is no text"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    words: list[str], told: str, lesson: Path, right: Path, tmp_path: Path
) -> None:
    for folder in ("empty", "only"):
        (tmp_path / folder).mkdir()
    (tmp_path / "only" / "notes.md").write_text("NOTHING", encoding="utf-8")
    (tmp_path / "nothing.md").write_text("NOTHING", encoding="utf-8")
    (tmp_path / "broken.md").write_text("UNREADABLE", encoding="utf-8")
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert told in result.output
    assert "Traceback" not in result.output


def test_what_is_wrong_outweighs_what_cannot_be_read(lesson: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.md").write_text("UNREADABLE", encoding="utf-8")
    assert run("broken.md", lesson, "-q").exit_code == 1


def test_fix_writes_a_copy_and_audits_it(lesson: Path, tmp_path: Path) -> None:
    result = run(lesson, "--fix", "-q")
    assert result.exit_code == 1, "the lesson itself is as wrong as before"
    first, _, told, _, again = result.output.splitlines()
    assert first.startswith("FAILED")
    assert told.endswith("lesson.fixed.md; its audit:")
    assert again.startswith("PASSED")
    assert names(tmp_path) == ["lesson.fixed.md", "lesson.md"]
    assert lesson.read_text(encoding="utf-8") == LESSON


def test_fix_in_place_is_judged_by_what_is_left(lesson: Path, tmp_path: Path) -> None:
    assert run(lesson, "--fix", "--in-place", "-q").exit_code == 0
    assert names(tmp_path) == ["lesson.md"]
    assert r"\pd{L}{z_k} = (y_k - t_k)" in lesson.read_text(encoding="utf-8")


def test_there_is_nothing_to_repair_in_what_is_right(right: Path, tmp_path: Path) -> None:
    result = run(right, "--fix", "-q")
    assert result.exit_code == 0
    assert "there is nothing to repair" in result.output
    assert names(tmp_path) == ["right.md"]


def test_on_github_the_lines_are_annotated(lesson: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    lines = run("lesson.md").output.splitlines()
    assert lines[0].startswith("::stop-commands::")
    end = lines.index(f"::{lines[0].removeprefix('::stop-commands::')}::")
    assert lines[end + 1].startswith("::error title=FAILS%3A Equation 3,file=lesson.md,line=7::")
    assert (tmp_path / "summary").read_text(encoding="utf-8").startswith("# FAILED: 3 of 12 equations are wrong")
    assert "::" not in run("lesson.md", "--no-github", "-q").output


def test_on_github_json_stays_json(lesson: Path) -> None:
    result = CliRunner().invoke(COMMAND.audit, [str(lesson), "--json", "--github"])
    assert json.loads(result.stdout)["failed"]
    assert "::error" in result.stderr
