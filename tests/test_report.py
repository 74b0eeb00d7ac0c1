"""Reports: pure functions of records, harmless whatever a subject says, the same bytes for the same run."""

import io
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from oracle import spec
from oracle.compare import Difference, Verdict
from oracle.records import Birthplace, Diagnosis, Finding, Line, Note, Report, Stop
from oracle.report import decode, print_finding, print_summary, render_finding, safe_text, write_report
from oracle.report.numbers import contrast, ratio, short
from oracle.report.text import code, fence, markdown
from oracle.spec import Case, CaseError, Node, UpdateCase

HOSTILE = "[/oops] <script>alert(1)</script> \x1b[31m \x00 \u202e ]]> & \"' | \\` ``` \r\n# PROOF\n\tend"


def tensor(*rows: object) -> np.ndarray:
    return np.array(rows, float)


def mismatch() -> Finding:
    """A Linear whose partial of the weight is twice too large, with a skip connection around it."""
    nodes = (
        Node("h1", "Linear", ("x",), {"in_features": 2, "out_features": 2}),
        Node("a1", "ReLU", ("h1",)),
        Node("s1", "Add", ("a1", "x")),
        Node("loss", "MSELoss", ("s1", "target"), {"reduction": "mean"}),
    )
    case = Case(
        nodes=nodes,
        inputs={"target": tensor([0, 0]), "x": tensor([1, 2])},
        parameters={"h1.weight": tensor([1, 0], [0, 1]), "h1.bias": tensor(0, -1)},
    )
    dw, x = tensor([2, 4], [3, 6]), tensor([4, 6])
    backward = (
        Stop(
            "loss", "MSELoss", ("s1", "target"), "right", (Line("error s1", "right", tensor([2, 3]), tensor([2, 3])),)
        ),
        Stop("s1", "Add", ("a1", "x"), "right", (Line("error a1", "not returned", tensor([2, 3])),)),
        Stop("a1", "ReLU", ("h1",), "unknown", ()),
        Stop(
            "h1",
            "Linear",
            ("x",),
            "wrong",
            (
                Line("h1.weight", "wrong", dw, 2 * dw),
                Line("h1.bias", "right", tensor(2, 3), tensor(2, 3)),
                Line("x", "follows", x, x + tensor([0, 1])),
            ),
        ),
    )
    d = Difference("h1.weight", (1, 1), 6.0, 12.0, 1e-13, 6 - 1e-15, 6 + 1e-15)
    return Finding(
        sentence="h1.weight[1, 1] is 12, but should be 6",
        verdict=Verdict("mismatch", "h1.weight[1, 1] is 12, but should be 6", (d,), "proved", 6e13, ("h1.weight",)),
        case=case,
        case_id=case.id,
        found_in="case 17 of seed 0",
        backward=backward,
        born=Birthplace("h1", "Linear", "partials", "its error signal is right, and its partial is not"),
        diagnosis=Diagnosis(
            code="partial-doubled",
            name="partial counted twice",
            story="The partial is added once in the loop and once after it.",
            wrong="dW += delta.T @ x\ndW += delta.T @ x",
            right="dW += delta.T @ x",
            node="h1",
            evidence="put into the twin it gives the subject's numbers in 8 of 8 cases",
            also=("learning-rate-doubled",),
        ),
        trigger="only with a batch above 1: in 21 of 21 probes of Linear alone, and in none of the 27 others",
        reading="the partial is 2 times the right one",
        count=12,
        reproduce=f"oracle replay corpus/{case.id}.json --subject python:student.py:backprop",
    )


def errored() -> Finding:
    """A subject that raises an exception with a text made to hurt."""
    case = replace(mismatch().case, dtype="float64", training=False)
    verdict = Verdict("errored", f"the subject raised {HOSTILE}", stage="contract")
    return Finding(HOSTILE, verdict, case, "../../etc/passwd", HOSTILE, reproduce=HOSTILE)


def update() -> Finding:
    """A momentum that is forgotten at the second step."""
    case = UpdateCase(
        op="SGD",
        attrs={"lr": 0.5, "momentum": 0.9},
        parameters={"w": tensor(1, 2)},
        gradients=({"w": tensor(1, 0)}, {"w": tensor(1, 0)}),
    )
    d = Difference("step 2: w", (0,), -0.45, 0.0, 1e-15, -0.45, -0.45)
    sentence = "step 2: w[0] is 0, but should be -0.45"
    steps = (
        Stop("step 1", "SGD", (), "right", (Line("step 1: w", "right", tensor(0.5, 2), tensor(0.5, 2)),)),
        Stop("step 2", "SGD", (), "wrong", (Line("step 2: w", "wrong", tensor(-0.45, 2), tensor(0, 2)),)),
    )
    return Finding(sentence, Verdict("mismatch", sentence, (d,), "proved"), case, case.id, "case 3 of seed 0", steps)


def not_finite() -> Finding:
    """NaN and infinities, wherever a record has room for them."""
    worse = (
        Difference("h1.weight", (0, 0), 1.0, math.nan, 1e-15, 1.0, 1.0),
        Difference("x", (0, 0), -0.0, math.inf, math.inf, -math.inf, math.inf),
    )
    got = tensor([math.nan, math.inf], [-math.inf, 6])
    line = Line("h1.weight", "wrong", tensor([1, 2], [3, 6]), got)
    stop = Stop("h1", "Linear", ("x",), "wrong", (line,))
    verdict = Verdict("mismatch", "NaN", worse, "proved", math.inf)
    case = replace(
        mismatch().case, nodes=(Node("h", "Hardtanh", ("x",), {"max_val": math.inf}), *mismatch().case.nodes)
    )
    return replace(
        mismatch(), sentence="NaN", verdict=verdict, case=case, case_id=case.id, backward=(stop,), diagnosis=None
    )


def report(*findings: Finding, **changes: object) -> Report:
    full = Report(
        name="check",
        subject="python:student.py:backprop",
        seed=0,
        dtypes=("float64", "float32"),
        profile="quick",
        cases=1000,
        asked=2000,
        tally={"skipped": 3, "match": 985, "mismatch": 12},
        stages={"cheap": 900, "proved": 12},
        coverage={"ReLU": 40, "Linear": 400, "GRU": 0},
        regimes={"ReLU": {"in training": 3, "in evaluation": 0}, "Linear": {"in training": 4, "in evaluation": 1}},
        unmet={"ReLU": ("in evaluation", "exactly at a kink"), "Linear": ()},
        findings=findings,
        notes=(
            Note("convention", "another slope at a kink: ReLU at 0", 2, "case 4 of seed 0", "corpus/ab.json"),
            Note("skipped", HOSTILE, 3, "case 9 of seed 0"),
            Note("undecided", "not proven", 1, "case 11 of seed 0"),
        ),
        versions={"torch": "2.13.0", "numpy": "2.3.0"},
        exit_code=1 if findings else 0,
        stopped="the time was over",
    )
    return replace(full, **changes)


def everything() -> Report:
    return report(mismatch(), errored(), update(), not_finite(), subject=HOSTILE, name=HOSTILE)


def empty() -> Report:
    return report(
        cases=0,
        asked=None,
        tally={},
        stages={},
        coverage={},
        regimes={},
        unmet={},
        notes=(),
        versions={},
        dtypes=(),
        stopped="",
    )


# ------------------------------------------------------------------------------------------------------------ files

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
FILES = ["report.json", "report.schema.json", "junit.xml", "summary.md", "report.html"]


@pytest.mark.parametrize("make", [everything, empty, report], ids=["everything", "empty", "passed"])
def test_the_same_report_gives_the_same_bytes(make, tmp_path):
    first, second = (write_report(make(), tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in first[:5]] == FILES
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_order_of_dicts_does_not_matter(tmp_path):
    def turned(d: dict) -> dict:
        return dict(reversed(d.items()))

    other = report(mismatch())
    case = other.findings[0].case
    case = replace(case, inputs=turned(case.inputs), parameters=turned(case.parameters))
    finding = replace(other.findings[0], case=case)
    other = replace(other, tally=turned(other.tally), coverage=turned(other.coverage), findings=(finding,))
    other = replace(other, versions=turned(other.versions), stages=turned(other.stages))
    other = replace(other, regimes=turned(other.regimes), unmet=turned(other.unmet))
    first, second = write_report(report(mismatch()), tmp_path / "one"), write_report(other, tmp_path / "two")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_no_file_holds_a_raw_control_character(tmp_path):
    for path in write_report(everything(), tmp_path):
        assert not RAW.search(path.read_text("utf-8")), path


def test_the_smallest_cases_are_saved_and_nothing_is_deleted(tmp_path):
    mine = tmp_path / "corpus" / "mine.json"
    spec.save(update().case, mine)
    written = write_report(everything(), tmp_path)
    assert mine.exists()
    assert all(tmp_path in path.resolve().parents for path in written)
    assert spec.load(tmp_path / "corpus" / f"{mismatch().case_id}.json").id == mismatch().case_id
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {mine, *written}


def test_reports_need_neither_torch_nor_the_judge():
    names = "'torch', 'hypothesis', 'flint', 'reference', 'oracle.twin', 'oracle.judge'"
    done = f"import sys, oracle.report; sys.exit(str([n for n in ({names}) if n in sys.modules] or ''))"
    assert subprocess.run([sys.executable, "-c", done], capture_output=True, text=True).stderr.strip() == ""


# ------------------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("make", [everything, empty, report])
def test_json_round_trip(make, tmp_path):
    path = write_report(make(), tmp_path)[0]
    again = decode(path.read_bytes())
    write_report(again, tmp_path / "again")
    assert (tmp_path / "again" / "report.json").read_bytes() == path.read_bytes()


def test_numbers_that_are_not_finite_survive_json(tmp_path):
    path = write_report(report(not_finite()), tmp_path)[0]
    finding = decode(path.read_bytes()).findings[0]
    assert math.isnan(finding.verdict.differences[0].got)
    assert finding.verdict.differences[1].low == -math.inf
    assert finding.verdict.worst == math.inf
    assert finding.case.nodes[0].attrs == {"max_val": math.inf}
    assert np.array_equal(finding.backward[0].lines[0].got, not_finite().backward[0].lines[0].got, equal_nan=True)


def test_a_finite_report_is_plain_for_the_spec(tmp_path):
    path = write_report(report(mismatch(), update()), tmp_path)[0]
    assert spec.from_json(path.read_bytes(), Report).findings[0].case.id == mismatch().case_id


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"findings": 3}', b'{"findings": [7]}', b"[" * 5000])
def test_what_is_no_report_is_refused_in_a_sentence(data):
    with pytest.raises(CaseError, match=r"report\.json"):
        decode(data)


@pytest.mark.parametrize("make", [everything, empty])
def test_report_json_obeys_its_schema(make, tmp_path):
    data, schema = (msgspec.json.decode(path.read_bytes()) for path in write_report(make(), tmp_path)[:2])
    assert list(breaches(data, schema, schema)) == []
    assert list(breaches({**data, "seed": "no"}, schema, schema)) == ["$.seed: 'no' is no integer"]


KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
    "boolean": bool,
}


def breaches(value, schema, root, at="$"):
    """What JSON Schema objects to, for the words that msgspec uses."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        found = [list(breaches(value, option, root, at)) for option in schema["anyOf"]]
        yield from min(found, key=len)
    if (kind := schema.get("type")) and not isinstance(value, KINDS[kind]):
        yield f"{at}: {value!r} is no {kind}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    elif isinstance(value, dict):
        yield from (f"{at}: {key} is missing" for key in schema.get("required", ()) if key not in value)
        for key, v in value.items():
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            yield from [f"{at}.{key} is unknown"] if inner is False else breaches(v, inner or {}, root, f"{at}.{key}")
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for k, v in enumerate(value):
            yield from breaches(v, schema["items"], root, f"{at}[{k}]")


# -------------------------------------------------------------------------------------------------------- JUnit XML


def test_junit_has_a_test_for_the_matches_each_finding_and_each_note(tmp_path):
    suite = ET.fromstring(write_report(everything(), tmp_path)[2].read_bytes())[0]
    tests = suite.findall("testcase")
    results = [test[0].tag if len(test) else "passed" for test in tests]
    assert results == ["passed", "failure", "error", "failure", "failure", "system-out", "skipped", "skipped"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "8",
        "3",
        "1",
        "2",
    )
    assert tests[1][0].get("message") == mismatch().sentence
    assert tests[1][0].text == render_finding(mismatch())
    assert len({test.get("name") for test in tests}) == len(tests)
    assert "time=" not in ET.tostring(tests[1]).decode()


def test_junit_of_an_empty_report_passes_nothing(tmp_path):
    suite = ET.fromstring(write_report(empty(), tmp_path)[2].read_bytes())[0]
    assert [test[0].tag for test in suite.findall("testcase")] == ["skipped"]


# -------------------------------------------------------------------------------------------------- Markdown and HTML


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head(tmp_path):
    text = write_report(everything(), tmp_path)[3].read_text("utf-8")
    assert text.startswith("# FAILED: 4 causes of failure, in 12 of 1000 cases\n")
    width = None
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
        width = (width or cells) if line.startswith("|") else None
        assert width in (None, cells), line
    assert "<script" not in re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


class Page(HTMLParser):
    """The tags of a page, checked to be balanced, and the text outside the style sheet."""

    VOID = ("meta", "path", "rect", "line", "br")

    def __init__(self, html: str):
        super().__init__()
        self.open, self.tags, self.words = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data if "style" not in self.open else ""


@pytest.mark.parametrize("make", [everything, empty, report])
def test_html_is_one_balanced_file_that_asks_for_nothing(make, tmp_path):
    html = write_report(make(), tmp_path)[4].read_text("utf-8")
    page = Page(html)
    assert page.open == []
    assert not re.search("https?:|<script|<img|@import|url\\((?!#)", html)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "link", "iframe", "object", "form"})
    links = [attrs[key] for _, attrs in page.tags for key in ("href", "src") if key in attrs]
    assert all(re.fullmatch(r"#finding-\d+|corpus/\w+\.json|faults/[A-Z]\d{3}\.html", link) for link in links)
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") or name == "style" for name in attrs)]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    referred = " ".join(attrs.get("aria-labelledby", "") for _, attrs in page.tags).split()
    assert set(referred) <= set(ids)


def test_html_allows_nothing_but_its_own_style_sheet(tmp_path):
    import base64
    import hashlib

    html = write_report(everything(), tmp_path)[4].read_text("utf-8")
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for tag, a in Page(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_html_shows_hostile_text_as_text(tmp_path):
    page = Page(write_report(everything(), tmp_path)[4].read_text("utf-8"))
    assert safe_text(HOSTILE).splitlines()[0].strip() in page.words


def test_html_says_what_is_wrong_in_words_too(tmp_path):
    html = write_report(report(mismatch()), tmp_path)[4].read_text("utf-8")
    page = Page(html)
    assert ("html", {"lang": "en"}) in page.tags
    assert "Linear · WRONG" in page.words
    assert "h1: Linear · WRONG." in page.words
    order = ["The smallest case", "The backward pass", "Expected, got", "Why", "Proof", "To reproduce", "Notes"]
    places = [page.words.index(heading) for heading in order]
    assert places == sorted(places)


def test_edges_of_the_network_stay_on_the_canvas(tmp_path):
    html = write_report(everything(), tmp_path)[4].read_text("utf-8")
    for svg in re.findall("<svg.*?</svg>", html, re.DOTALL):
        width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
        numbers = [float(n) for path in re.findall(' d="(M[^Z]*?)"', svg) for n in re.findall(r"[\d.]+", path)]
        assert numbers
        assert max(numbers) <= max(width, height)


# ---------------------------------------------------------------------------------------------------------- terminal


def test_the_order_of_a_mismatch():
    text = render_finding(mismatch())
    parts = [
        "MISMATCH  h1.weight[1, 1] is 12, but should be 6",
        "h1 = Linear(x; in_features=2, out_features=2)",
        "h1.weight  (2, 2)  parameter  1  0",
        "THE BACKWARD PASS (last layer first)",
        "EXPECTED, GOT AND RATIO",
        "2  4        4*   8*     2  2",
        "every wrong entry is 2 times what it should be",
        "WHY",
        "wrong  dW += delta.T @ x",
        "right  dW += delta.T @ x",
        "PROOF",
        "the true value lies in [5.999999999999999, 6.000000000000001]; got 12, 6 away",
        "TO REPRODUCE",
        "oracle replay corpus/",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_what_is_wrong_and_what_follows_are_told_apart():
    lines = [line.split() for line in render_finding(mismatch()).splitlines()]
    assert ["h1", "Linear(x)", "WRONG"] in lines
    assert ["x", "follows"] in lines
    assert ["error", "a1", "not", "returned"] in lines


def test_a_finding_without_a_diagnosis_guesses_nothing():
    assert "cause not recognised" in render_finding(replace(mismatch(), diagnosis=None))


def test_what_was_learnt_by_experiment_is_told_everywhere(tmp_path):
    for finding in (mismatch(), replace(mismatch(), diagnosis=None)):
        text = render_finding(finding)
        assert "SHOWS: only with a batch above 1: in 21 of 21 probes" in text
        assert "READ FROM THE NUMBERS: the partial is 2 times the right one" in text
        assert text.index("WHY") < text.index("SHOWS") < text.index("READ FROM") < text.index("PROOF")
        written = write_report(report(finding), tmp_path)
        words = Page(written[4].read_text("utf-8")).words
        assert "Shows: only with a batch above 1" in words
        assert "Read from the numbers: the partial" in words
        assert "SHOWS: only with a batch above 1" in written[3].read_text("utf-8")
    assert "SHOWS" not in render_finding(update())
    crash = render_finding(replace(errored(), trigger="with a batch of 0"))
    assert "SHOWS: with a batch of 0" in crash
    assert "not recognised" not in crash


def test_the_regimes_that_were_met_and_those_that_never_were(tmp_path):
    written = write_report(report(), tmp_path)
    told = written[3].read_text("utf-8")
    assert "| `ReLU` | 40 | 1 | never met: in evaluation; exactly at a kink |" in told
    assert "| `Linear` | 400 | 2 |  |" in told
    assert "| `GRU` | never met | – |  |" in told
    words = Page(written[4].read_text("utf-8")).words
    assert "in 2 regimes" in words
    assert "never met: in evaluation; exactly at a kink" in words
    assert decode(written[0].read_bytes()).unmet["ReLU"] == ("in evaluation", "exactly at a kink")
    plain = write_report(report(regimes={}, unmet={}), tmp_path)
    assert "| `ReLU` | 40 |\n" in plain[3].read_text("utf-8")


def test_the_pages_of_diagnosed_faults_are_written_and_linked(tmp_path):
    known = replace(mismatch(), diagnosis=replace(mismatch().diagnosis, code="A104", name="tanh′ without the square"))
    written = write_report(report(known, known), tmp_path)
    assert [path.name for path in written if path.parent.name == "faults"] == ["A104.html", "A104.md"]
    assert '<a href="faults/A104.html">' in written[4].read_text("utf-8")
    assert "[tanh′ without the square](faults/A104.md)" in written[3].read_text("utf-8")
    assert "oracle explain A104" in render_finding(known)
    assert not (tmp_path / "faults" / "partial-doubled.html").exists()


def test_a_crash_shows_its_reason_and_no_numbers():
    text = render_finding(errored())
    assert "NO NUMBERS TO COMPARE" in text
    assert "EXPECTED" not in text
    assert not RAW.search(text.replace("\n", ""))
    headings = [line for line in text.splitlines() if line and line[0] != " "]
    assert [h.split()[0] for h in headings] == ["ERRORED", "THE", "NO", "TO"], "a subject cannot forge a heading"


def test_an_update_names_its_first_wrong_step():
    text = render_finding(update())
    assert "optimizer = SGD(lr=0.5, momentum=0.9)" in text
    assert "the first wrong step is step 2" in text
    assert "first wrong step is step 2" in render_finding(replace(update(), backward=()))


def test_without_the_backward_pass_the_worst_entries_are_shown():
    text = render_finding(replace(mismatch(), backward=(), born=None))
    assert re.search(r"\[1, 1\] +6 +12\* +2", text)


def test_of_large_tensors_the_wrong_entries_are_shown():
    expected = np.arange(1.0, 101).reshape(10, 10)
    got = expected.copy()
    got[9, 9] = -1
    stop = Stop("h1", "Linear", ("x",), "wrong", (Line("h1.weight", "wrong", expected, got),))
    text = render_finding(replace(mismatch(), backward=(stop,)))
    assert re.search(r"\[9, 9\] +100 +-1\* +-0.01", text)
    assert "[0, 0]" not in text
    assert "1 of 100 entries are wrong; shown: 1" in text


@pytest.mark.parametrize("shape", [(), (0,), (3,), (20,), (2, 0), (2, 3), (2, 2, 2), (2, 1, 2, 2)])
def test_tensors_of_every_shape(shape, tmp_path):
    expected = np.ones(shape)
    stop = Stop("h1", "Linear", ("x",), "wrong", (Line("h1.weight", "wrong", expected, 2 * expected),))
    finding = replace(mismatch(), backward=(stop,))
    assert render_finding(finding).count("2*") >= expected.size
    assert Page(write_report(report(finding), tmp_path)[4].read_text("utf-8")).open == []


def test_colours_only_on_a_terminal():
    plain, colour = (Console(file=io.StringIO(), force_terminal=t, width=200, _environ={}) for t in (False, True))
    for console in (plain, colour):
        print_finding(console, errored())
        print_summary(console, everything())
    assert "\x1b" not in plain.file.getvalue()
    assert plain.file.getvalue().startswith(render_finding(errored()))
    assert re.sub(r"\x1b\[[\d;]*m", "", colour.file.getvalue()) == plain.file.getvalue()
    assert "[/oops]" in colour.file.getvalue()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"tally": {"match": 985, "skipped": 15}}, "PASSED: 985 of 1000 cases match"),
        ({"cases": 0, "tally": {}}, "NOTHING JUDGED: none of 0 cases"),
        ({"exit_code": 3}, "SELF-CHECK FAILED"),
        ({"exit_code": 130}, "INTERRUPTED"),
    ],
)
def test_the_first_line_is_the_verdict(changes, word, tmp_path):
    assert write_report(report(**changes), tmp_path)[3].read_text("utf-8").startswith(f"# {word}")


# ------------------------------------------------------------------------------------------------ numbers and text


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.5, "0.5"), (-3.0, "-3"), (1e-30, "1e-30"), (1 / 3, "0.333333"), (math.pi * 1e10, "3.14159e10"), (-0.0, "-0")],
)
def test_numbers_are_short(x, text):
    assert short(x) == text


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf, True, 7])
def test_numbers_that_are_words(x):
    assert short(x) == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "True": "true", "7": "7"}[str(x)]


def test_different_numbers_never_print_the_same():
    rng = np.random.default_rng(0)
    for a in rng.normal(size=200) * 10.0 ** rng.integers(-300, 300, 200):
        for b in (np.nextafter(a, 0), a * (1 + 1e-9), a * 1.5, -a):
            assert len(set(contrast(float(a), float(b)))) == 2
    assert contrast(1.0, 1.0) == ("1", "1")


def test_ratios():
    assert (ratio(2.0, 4.0), ratio(0.0, 1.0), ratio(1.0, math.nan), ratio(-0.5, 0.0)) == ("2", "–", "–", "0")
    assert ratio(1.0, 1 + 2**-52) == "1 + 2.2e-16"


@given(st.text())
def test_safe_text_is_printable(text):
    assert all(c == "\n" or c.isprintable() for c in safe_text(text))
    assert safe_text(safe_text(text)) == safe_text(text)
    ET.fromstring(f"<a>{markdown(text)}</a>".replace("&", "&amp;"))
    assert "\n" not in markdown(text)
    assert "\n" not in code(text)


def test_a_fence_is_longer_than_any_inside():
    assert fence("a ```` b").startswith("`````text\n")


def test_long_text_is_cut():
    assert safe_text("x" * 10_000).endswith("… (6000 more characters)")
