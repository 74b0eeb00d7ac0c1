"""Pages about faults: the numbers of every example are wrong where they are said to be, and the page is whole."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from oracle.explanations import Explanation, explanation
from oracle.faults import FAULTS
from oracle.records import Line
from oracle.report.explanations import explanation_html, explanation_markdown, explanation_page, write_pages
from oracle.spec import Case, UpdateCase
from oracle.twin import Twin, run_update

FEW = ["A104", "A126", "W105", "B101", "N103", "D102", "C102", "L101", "R101", "G101", "J101", "F106", "O115", "X104"]
"""One of each kind; `oracle catalogue --pages` makes them all."""


def lines(x: Explanation) -> list[Line]:
    assert x.example is not None
    return [line for stop in x.example.backward for line in stop.lines]


@pytest.mark.parametrize("code", FEW)
def test_the_right_numbers_are_autograds_and_the_wrong_ones_are_others(code: str) -> None:
    x = explanation(code)
    assert x.example is not None
    case = x.example.case
    if isinstance(case, UpdateCase):
        right = {f"step {k}: {n}": a for k, t in enumerate(run_update(case), 1) for n, a in t.items()}
    else:
        truth = Twin.of(case).run(case)
        right = {**truth.gradients, "loss": truth.loss}
    told = {line.tensor: line for line in lines(x)}
    for name, expected in right.items():
        np.testing.assert_array_equal(told[name].expected, expected)
    assert any(line.status == "wrong" for line in told.values())
    for line in told.values():
        same = line.got is not None and np.allclose(line.got, line.expected, rtol=1e-13, atol=1e-13, equal_nan=True)
        assert same == (line.status == "right")


@pytest.mark.parametrize("code", FEW)
def test_examples_are_small(code: str) -> None:
    x = explanation(code)
    assert x.example is not None
    case = x.example.case
    tensors = [*case.parameters.values(), *(case.inputs.values() if isinstance(case, Case) else ())]
    assert sum(t.size for t in tensors) <= 16
    if code != "X104":
        assert all(np.array_equal(t * 4, np.round(t * 4)) for t in tensors if t.dtype.kind == "f")


def test_the_example_of_tanh_can_be_done_by_hand() -> None:
    x = explanation("A104")
    assert x.operators == ("Tanh",)
    assert x.example is not None
    case = x.example.case
    assert isinstance(case, Case)
    assert [n.op for n in case.nodes] == ["Tanh", "Dot"]
    (wrong,) = [line for line in lines(x) if line.status == "wrong"]
    c, a = case.inputs["c"], np.tanh(case.inputs["x"])
    assert wrong.tensor == "x"
    np.testing.assert_allclose(wrong.expected, c * (1 - a * a))
    np.testing.assert_allclose(wrong.got, c * (1 - a))


def test_a_breach_of_contract_has_no_example() -> None:
    x = explanation("P101")
    assert x.example is None
    assert "NO EXAMPLE" in explanation_page(x).plain
    assert "contract" in explanation_markdown(x)


def test_faults_that_give_the_same_numbers_are_named() -> None:
    x = explanation("O115")
    assert "O136" in {other.code for other in x.confused}
    assert all(other.family == x.fault.family and other.part == x.fault.part for other in x.confused)
    assert all(explanation(code).fault not in explanation(code).confused for code in FEW)


class Tags(HTMLParser):
    """The tags of a page, which must close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in ("meta", "path", "rect", "line", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_are_whole_and_link_to_each_other_and_to_the_source(tmp_path: Path) -> None:
    pages = [explanation(code) for code in (*FEW, "O136", "P101")]
    written = write_pages(pages, tmp_path, index=True)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    for path in written:
        text = path.read_text("utf-8")
        links = Tags(text).links if path.suffix == ".html" else re.findall(r"\]\((\S+)\)", text)
        assert path.suffix == ".md" or Tags(text).open == []
        for link in links:
            source = re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/issues/\d+", link)
            assert source or (tmp_path / link).is_file(), link
    assert "https://github.com/apache/tvm/issues/7340" in (tmp_path / "A104.html").read_text("utf-8")
    assert "A104.md" in (tmp_path / "index.md").read_text("utf-8")


def test_rows_of_tables_in_markdown_have_as_many_cells_as_their_heads(tmp_path: Path) -> None:
    write_pages([explanation(code) for code in FEW], tmp_path, index=True)
    for path in tmp_path.glob("*.md"):
        width = None
        for line in re.sub(r"^(`{3,})text\n.*?^\1$", "", path.read_text("utf-8"), flags=re.DOTALL | re.M).splitlines():
            cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
            width = (width or cells) if line.startswith("|") else None
            assert width in (None, cells), (path.name, line)


def test_the_same_page_every_time() -> None:
    once = explanation("W105")
    explanation.cache_clear()
    again = explanation("W105")
    assert once is not again
    assert explanation_html(once) == explanation_html(again)
    assert explanation_markdown(once) == explanation_markdown(again)


def test_codes_have_only_characters_of_a_file_name() -> None:
    assert all(re.fullmatch(r"[A-Z]\d{3}", code) for code in FAULTS)
