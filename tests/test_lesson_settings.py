"""What a lesson says of itself, in every format: settings, roles of letters, and what means nothing."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from oracle.lesson.records import Audit
from oracle.lesson.settings import roles, settled

COMMENTS = {
    "md": ("<!-- audit: {} -->", "$$\n{}\n$$"),
    "tex": ("% audit: {}", "\\[\n{}\n\\]"),
    "rst": (".. audit: {}", ".. math::\n\n   {}\n"),
    "html": ("<!-- audit: {} -->", "<p>\\[ {} \\]</p>"),
}


def told(folder: Path, kind: str, comments: list[str], formulas: list[str]) -> Audit:
    comment, formula = COMMENTS[kind]
    path = folder / f"lesson.{kind}"
    lines = [*(comment.format(words) for words in comments), *(formula.format(tex) for tex in formulas)]
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return audit(read(path), code=False)


def verdicts(found: Audit) -> list[str]:
    return [link.verdict for equation in found.equations for link in equation.links]


@pytest.mark.parametrize("kind", COMMENTS)
def test_an_activation_is_said_in_every_format(tmp_path: Path, kind: str) -> None:
    slope = [r"a_j = \sigma(z_j), \quad z_j = \sum_i w_{ji} x_i", r"\frac{\partial a_j}{\partial z_j} = 1 - a_j^2"]
    assert verdicts(told(tmp_path, kind, ["activation: tanh"], slope))[-1] == "holds"
    assert verdicts(told(tmp_path, kind, ["activation: sigmoid"], slope))[-1] == "fails"
    assert not told(tmp_path, kind, ["activation: tanh"], slope).notes


@pytest.mark.parametrize("kind", COMMENTS)
def test_what_means_nothing_is_told_with_its_line(tmp_path: Path, kind: str) -> None:
    said = ["activation: sine", "index i: banana", "colour: red", "index foo: input"]
    notes = told(tmp_path, kind, said, ["a = b"]).notes
    words = [note.words for note in notes]
    assert any("activation can be sigmoid, tanh, softplus or relu" in w for w in words)
    assert any("`audit: index i: banana`" in w and "input, hidden, output, sample, step or layer" in w for w in words)
    assert any("`audit: colour: red` sets nothing" in w for w in words)
    assert any("an index is one letter" in w for w in words)
    assert [note.line for note in notes] == [1, 3, 5, 7]


def test_a_letter_counts_steps_where_the_lesson_says_so(tmp_path: Path) -> None:
    net = [r"h_s = \tanh(u h_{s-1} + v x_s)", r"\frac{\partial h_s}{\partial x_s} = (1 - h_s^2) v"]
    found = told(tmp_path, "md", ["index s: step"], net)
    assert verdicts(found) == ["definition", "holds"]


def test_a_letter_counts_layers_where_the_lesson_says_so(tmp_path: Path) -> None:
    net = [r"z_q = W_q a_{q-1}, \quad a_q = \sigma(z_q)", r"\frac{\partial z_q}{\partial a_{q-1}} = W_q",
           r"\frac{\partial z_q}{\partial a_q} = W_q"]  # fmt: skip
    found = verdicts(told(tmp_path, "md", ["index q: layer"], net))
    assert found[:3] == ["definition", "definition", "holds"]
    assert found[3] not in ("holds", "holds under")


def test_roles_name_the_letters_of_a_net_that_is_never_written(tmp_path: Path) -> None:
    claims = [
        r"\delta_p = \frac{\partial L}{\partial z_p}", r"\frac{\partial L}{\partial w_{qp}} = \delta_p a_q",
        r"\frac{\partial L}{\partial y_p} = y_p - t_p",
    ]  # fmt: skip
    said = ["index r: input", "index q: hidden", "index p: output"]
    assert verdicts(told(tmp_path, "md", [], claims)) == ["definition", "holds", "holds"]
    found = told(tmp_path, "md", said, claims)
    assert verdicts(found) == ["definition", "holds", "holds"]
    assert "r counts inputs, q hidden units, p outputs" in " ".join(found.readings)


def test_front_matter_says_it_too(tmp_path: Path) -> None:
    path = tmp_path / "lesson.md"
    path.write_text("---\naudit:\n  activation: tanh\n  loss: nonsense\n---\n\n$$ a_j = \\sigma(z_j) $$\n", "utf-8")
    found = audit(read(path), code=False)
    assert ["loss can be half_squared or cross_entropy" in note.words for note in found.notes] == [True]
    assert found.notes[0].line == 4


def test_other_names_are_known() -> None:
    said = {"loss": "Cross-Entropy", "activation": "logistic", "profile": "none", "index \\mu": "time step"}
    assert settled(said) == {"loss": "cross_entropy", "activation": "sigmoid"}
    assert roles(said) == {"mu": "step"}
