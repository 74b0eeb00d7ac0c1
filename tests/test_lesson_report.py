"""Reports of an audit: pure functions of records, harmless whatever a lesson says."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from msgspec.structs import replace

from oracle.lesson.document import Document, Formula, Table
from oracle.lesson.fixing import FixError, chosen, fixed, write_fixed
from oracle.lesson.records import Audit, Link
from oracle.report.lesson import (
    annotations,
    audit_page,
    decode,
    encode,
    encode_line,
    formulas_only,
    html,
    markdown,
    sarif,
    schema,
    words,
    write_audit,
)
from oracle.report.lesson.flow import blocks
from oracle.report.lesson.mathml import mathml
from oracle.spec import CaseError
from tests.lesson_audits import JOINT, LESSON, MACROS, audit, document, passing

AUDIT, DOCUMENT = audit(), document()
WORDS = ("Backwards by hand", "Every output has an error", "Weights and", "is its name")


# ------------------------------------------------------------------------------------------------------------ terminal


def test_the_terminal_says_where_what_and_why() -> None:
    page = audit_page(AUDIT).plain
    for told in (
        "EQUATION 3 (lesson.md:7)", "FAILS", "The right side is ∂L/∂z_k.", "relative difference 0.17 to 3.25 on 8 nets",
        "in a 1-1-1 net with x = 0.5, w_j = -1", "leave σ′(z_k) out on the right",
        "HOLDS UNDER the sum over k is meant",
        "ERRORS CANCEL (equations 3, 4, 5, lesson.md:7)", "z_j = \\sum_i w_{ji} x_i + b_j % assumed",
        "published 0.291027924, recomputed 0.291027774: the hidden deltas", "MISMATCH  backward  lesson.md:37",
        "lesson.md:40  a $$ is never closed", "FAILED: 3 of 12 equations are wrong", "a bracket is open at column 17",
    ):  # fmt: skip
        assert told in page
    assert "EQUATION 4 " not in page
    assert "w_5^+" not in page


def test_verbose_shows_every_link() -> None:
    page = audit_page(AUDIT, verbose=True).plain
    assert all(f"EQUATION {equation.number} " in page for equation in AUDIT.equations)
    assert "w_5^+" in page
    assert "FAILS, on purpose" in page


def test_a_joint_repair_is_told_in_full_once() -> None:
    page = audit_page(AUDIT).plain
    assert page.count("jointly with equation 3 and 4, as said above") == 1
    assert page.count(JOINT.others[0][1]) == 1


def test_the_counts_are_those_of_the_links() -> None:
    assert dict(words.tally(AUDIT)) == {
        "fails": 3, "ill-typed": 1, "not understood": 1, "vacuous": 1, "holds under": 1, "holds": 2, "update": 1,
        "definition": 1, "aside": 1, "skipped": 1,
    }  # fmt: skip
    assert words.line(passing()).startswith("PASSED: right.md: nothing is wrong (2 links in 2 equations: ")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"numbers": AUDIT.numbers}, ("FAILED", "no equation is wrong, but 1 worked number")),
        ({"code": AUDIT.code * 2}, ("FAILED", "no equation is wrong, but 2 blocks of code")),
        ({"remarks": AUDIT.remarks[1:2]}, ("FAILED", "no equation is wrong, but 1 contradiction")),
        ({"equations": (AUDIT.equations[9],)}, ("NOTHING UNDERSTOOD", "none of 1 equation could be read")),
    ],
)
def test_what_is_wrong_is_said_where_no_equation_is(changes: dict[str, object], told: tuple[str, str]) -> None:
    assert words.headline(replace(passing(), **changes)) == told


def test_a_comment_in_tex_keeps_its_line() -> None:
    assert words.one_line("a % why\n b") == "a % why\n b"
    assert words.one_line("a\n  = b") == "a = b"


# ---------------------------------------------------------------------------------------------------------------- JSON


def test_json_comes_back_and_fits_its_schema() -> None:
    data = encode(AUDIT)
    assert decode(data) == AUDIT
    assert decode(encode_line(AUDIT)) == AUDIT
    assert encode_line(AUDIT).count(b"\n") == 1
    raw = json.loads(data)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(raw, schema())
    assert raw["failed"]
    assert raw["links"]["fails"] == 3
    assert raw["audit"]["equations"][10]["links"][1]["difference"] == [1.0, "Infinity"]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"audit": {}}', b'{"audit": {"equations": [{}]}}'])
def test_what_is_no_audit_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(CaseError, match=r"^here\.json: "):
        decode(data, "here.json")


def test_the_schema_refuses_an_unknown_verdict() -> None:
    raw = json.loads(encode(AUDIT))
    raw["audit"]["equations"][0]["links"][0]["verdict"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(raw, schema())


# ------------------------------------------------------------------------------------------------------ HTML, Markdown


class Reader(HTMLParser):
    """What a browser makes of a page: its tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    page = html(AUDIT, DOCUMENT)
    reader = Reader(page)
    assert not reader.open
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] or "" for tag, attrs in reader.tags if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert not [attrs for _, attrs in reader.tags if "src" in attrs or "style" in attrs]
    assert not [name for _, attrs in reader.tags for name in attrs if name.startswith("on")]


def test_the_policy_allows_the_page_its_own_script_and_styles_and_no_other() -> None:
    page = html(AUDIT, DOCUMENT)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none';")
    inside = re.findall(r"<(style|script)>(.*?)</\1>", page, re.S)
    assert [kind for kind, _ in inside] == ["style", "style", "script"]
    for kind, text in inside:
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in re.findall(rf"{kind}-src ([^;]*)", policy[1])[0]


def test_the_page_shows_the_lesson_and_every_verdict_in_words() -> None:
    page = html(AUDIT, DOCUMENT)
    text = "".join(Reader(page).text)
    assert all(told in text for told in WORDS)
    assert "<script>alert(1)" not in page
    assert "Weights and biases" in text
    for verdict, _ in words.equations_tally(AUDIT):
        assert verdict.upper() in text
        assert f'id="show-{verdict.replace(" ", "-")}"' in page
        assert f"#show-{verdict.replace(' ', '-')}:not(:checked)" in page
    assert page.count('class="evidence') == len(AUDIT.equations)
    assert r"<code>\pd{L}{y_k} = y_k - t_k</code>" in page


def test_without_the_document_no_word_of_the_lesson_is_left() -> None:
    bare = formulas_only(replace(AUDIT, lesson="/somewhere/else/lesson.md"))
    for page in (
        html(bare),
        html(bare, DOCUMENT, prose=False),
        markdown(bare),
        encode(bare).decode(),
        sarif(bare).decode(),
    ):
        assert not [told for told in WORDS if told in page]
        assert "somewhere" not in page
        assert r"w_{kj}" in page


def test_the_lesson_is_shown_in_its_order() -> None:
    found = blocks(AUDIT, DOCUMENT)
    kinds = [block.kind for block in found]
    assert kinds[:4] == ["heading", "text", "formula", "formula"]
    assert kinds.count("code") == 1
    assert sorted(e.number for block in found for e in block.equations) == list(range(1, 13))
    assert [e.number for e in found[1].equations] == [1, 12]


def test_an_equation_that_no_formula_has_is_shown_at_the_end() -> None:
    empty = Document("lesson.md", "markdown", "", "", (), {}, {}, ())
    places = sorted(AUDIT.equations, key=lambda equation: equation.place.start)
    assert [block.equations for block in blocks(AUDIT, empty)] == [(equation,) for equation in places]


def test_a_table_shows_its_cells_and_the_equations_in_it() -> None:
    formula = next(piece for piece in DOCUMENT.pieces if isinstance(piece, Formula))
    table = Table((("name", "**value**"), ("δ", "1")), (3, 4), formula.place)
    inside = Document("lesson.md", "markdown", LESSON, "", (table, formula), MACROS, {}, ())
    found = blocks(replace(AUDIT, equations=AUDIT.equations[:1]), inside)
    assert [block.kind for block in found] == ["table", "formula"]
    assert found[0].rows == (("name", "value"), ("δ", "1"))


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("html", "<p>An <em>error</em> &amp; more<script>alert(1)</script></p>", "An error & more"),
        ("markdown", "One\nparagraph\n- a point\n2. another", "One paragraph\n• a point\n2. another"),
        ("html", "<p>One\nparagraph<br>and a line</p>", "One paragraph\nand a line"),
        ("latex", r"An \emph{error} % of mine", "An error"),
        ("markdown", "An **error**, [see](javascript:alert(1)) <!-- audit: skip -->", "An error, see)"),
        ("text", "An *error* &amp; more", "An *error* &amp; more"),
    ],
)
def test_markup_is_left_out_of_the_prose(kind: str, text: str, shown: str) -> None:
    from oracle.report.lesson.flow import cleaned

    assert cleaned(text, kind).strip() == shown


def test_markdown_has_a_row_for_every_link_and_the_repairs() -> None:
    page = markdown(AUDIT)
    rows = [line for line in page.splitlines() if re.match(r"\| \d* \| \d+ \| ", line)]
    assert len(rows) == sum(len(equation.links) for equation in AUDIT.equations)
    assert "```tex\n" + r"\pd{L}{y_k} = y_k - t_k" in page
    assert "**ERRORS CANCEL** (equations 3, 4, 5), line 7" in page
    assert "<script>" not in page


def test_equal_audits_give_equal_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        written = write_audit(audit(), document(), tmp_path / folder, "lesson", "docs/lesson.md")
        assert sorted(path.name for path in written) == [
            "audit.schema.json", "lesson.html", "lesson.json", "lesson.md", "lesson.sarif"
        ]  # fmt: skip
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


# ------------------------------------------------------------------------------------------------------------- MathML

GOOD = (
    r"\frac{\partial L}{\partial w_{kj}} = \sum_{k=1}^K (y_k-t_k)\sigma'(z_k) a_j",
    r"\begin{align} a &= b + c \\ &= d \end{align}",
    r"\begin{aligned}[t] a &= b \\[4pt] c &= d \label{x}\end{aligned}",
    r"\begin{eqnarray*} a &=& b \\ c &=& d \nonumber\end{eqnarray*}",
    r"\begin{alignat}{2} a &= b & c &= d\end{alignat}",
    r"f(x) = \begin{cases} x & \text{if } x>0 \\ 0 & \text{otherwise} \end{cases}",
    r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma^\prime(z^l)",
    r"\left.\frac{\partial L}{\partial z}\right|_{z=z_0} \bigl( a \bigr)",
    r"\boxed{a = b} \mathbf{W}^{(1)} \in \R^{h \times d}",
    r"\pd{L}{w_{ij}} = \pd L z x_i",
    r"\arg\max_x \operatorname*{softmax}(z) \bm{\delta} \mathrm{diag}(x)",
    r"a &= b \\ &= c",
    "∂L/∂w_{ij} = δ_j ⊙ x_i",
)
BAD = (r"\unknown{x}", r"\frac{a}{b", r"\loop", r"a \middle", "x" * 9000, r"\begin{nowhere} a & b \end{nowhere}")


@pytest.mark.parametrize("tex", GOOD)
def test_formulas_of_lessons_become_mathml(tex: str) -> None:
    made = mathml(tex, True, MACROS)
    assert made
    root = ElementTree.fromstring(made)
    row, note = root[0]
    assert note.text == " ".join(tex.split())
    shown = "".join(row.itertext())
    assert "\\" not in shown
    assert "&" not in shown


@pytest.mark.parametrize("tex", BAD)
def test_what_cannot_be_shown_faithfully_is_not_shown_as_a_formula(tex: str) -> None:
    assert mathml(tex, True, {"loop": (0, r"\loop\loop")}) is None


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<script>alert(1)</script>}", r"\href{javascript:alert(1)}{x}", r'\style{color:red" onclick="x}{x}',
        r"\class{a}{x}", r"\text{&lt;img src=x&gt;}", r"\color{red\" onload=\"x}{y}", "<img src=x onerror=alert(1)>",
    ],
)  # fmt: skip
def test_nothing_but_mathematics_gets_through(tex: str) -> None:
    made = mathml(tex)
    for tag, attrs in Reader(str(made or "")).tags:
        assert tag in {"math", "semantics", "annotation", "mrow", "mtext", "mi", "mo", "mn", "msup", "mstyle"}
        assert not attrs.keys() & {"href", "style", "class", "onclick", "onload", "src", "onerror"}


def test_a_formula_without_mathml_is_shown_as_its_tex() -> None:
    assert r'<code class="tex">\delta^l = \oops{( \delta}</code>' in html(AUDIT, DOCUMENT)


def test_marks_that_nobody_sees_are_shown_as_a_sign() -> None:
    found = replace(AUDIT.equations[1], tex="a\u202e = \\text{b\x1b }c\u0007")
    page = html(replace(AUDIT, equations=(found,)))
    assert not set("\u202e\x1b\u0007") & set(page)
    assert "b\ufffd\u00a0" in page


def test_signs_are_operators_and_words_are_whole() -> None:
    made = str(mathml(r"δ ⊙ ∂ \mathrm{diag}(x)"))
    assert "<mo>⊙</mo>" in made
    assert "<mi>δ</mi>" in made
    assert "<mi>diag</mi>" in made


# ------------------------------------------------------------------------------------------------------- code hosts


def test_annotations_stand_at_the_line_of_the_equation() -> None:
    lines = annotations([(AUDIT, "docs/lesson.md")]).splitlines()
    assert lines[0].startswith("::error title=FAILS%3A Equation 3,file=docs/lesson.md,line=7::")
    assert r"%0Ainstead: \pd{L}{y_k} = y_k - t_k" in lines[0]
    assert all(re.match(r"::(error|warning) title=[^,:]+,file=docs/lesson\.md,line=\d+::", line) for line in lines)
    assert len([line for line in lines if line.startswith("::error")]) == 6


def test_no_more_than_ten_annotations_of_a_kind() -> None:
    lines = annotations([(AUDIT, "a.md")] * 5).splitlines()
    errors = [line for line in lines if line.startswith("::error")]
    assert len(errors) == 10
    assert "title=21 more" in errors[-1]


def test_sarif_points_at_the_very_characters() -> None:
    (run,) = json.loads(sarif(AUDIT, DOCUMENT, "docs/my lesson.md"))["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= rules
    assert all(len(result["locations"]) == 1 for result in run["results"])
    fails = [result for result in run["results"] if result["ruleId"] == "equation/fails"]
    assert len(fails) == 3
    where = fails[0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "docs/my%20lesson.md"
    region = where["region"]
    start, end = region["charOffset"], region["charOffset"] + region["charLength"]
    tex = LESSON[start:end]
    assert tex == AUDIT.equations[2].tex
    assert LESSON.splitlines()[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1] == tex
    assert "suppressions" in fails[2]
    assert "suppressions" not in fails[0]


def test_sarif_carries_the_repairs() -> None:
    (run,) = json.loads(sarif(AUDIT, DOCUMENT))["runs"]
    fixes = next(result for result in run["results"] if result["ruleId"] == "equation/fails")["fixes"]
    assert [len(repair["artifactChanges"][0]["replacements"]) for repair in fixes] == [1, 3]
    (single,) = fixes[0]["artifactChanges"][0]["replacements"]
    assert single["insertedContent"]["text"] == r"\pd{L}{y_k} = y_k - t_k"
    (bare,) = json.loads(sarif(AUDIT))["runs"]
    assert not [result for result in bare["results"] if "fixes" in result]


# ------------------------------------------------------------------------------------------------------------- fixing


def test_errors_that_cancel_are_repaired_together_and_nothing_twice() -> None:
    assert chosen(AUDIT) == {
        3: JOINT.tex, **dict(JOINT.others), 6: AUDIT.equations[5].suggestions[0].tex,
    }  # fmt: skip
    alone = chosen(replace(AUDIT, remarks=()))
    assert alone.keys() == {3, 6}, "5 has a joint repair only, with 3, which is repaired already"
    assert alone[3] == r"\pd{L}{y_k} = y_k - t_k"


def test_what_is_wrong_on_purpose_stays() -> None:
    def meant(link: Link) -> Link:
        return replace(link, deliberate=True)

    equations = tuple(replace(e, links=tuple(map(meant, e.links))) for e in AUDIT.equations)
    assert chosen(replace(AUDIT, equations=equations, remarks=())) == {}


ENDS = {"lf": "\n", "crlf": "\r\n"}


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("translated", [True, False])
def test_every_other_byte_is_kept(encoding: str, ends: str, translated: bool) -> None:
    text = LESSON.replace("Every output", "每 output é")
    raw = text.replace("\n", ENDS[ends]).encode(encoding)
    read = document(text if translated else text.replace("\n", ENDS[ends]))
    new = fixed(audit(read), read, raw)
    wanted = text.replace("\n", ENDS[ends])
    for number, tex in chosen(audit(read)).items():
        wanted = wanted.replace(audit(read).equations[number - 1].tex, tex, 1)
    assert new == wanted.encode(encoding)
    assert new != raw


def test_the_repair_is_written_as_the_file_wants_it() -> None:
    text = LESSON.replace("\\", "\\\\")
    read = document(text, escape=lambda tex: tex.replace("\\", "\\\\"))
    new = fixed(audit(document()), _moved(read), text.encode()).decode()
    assert r"\\pd{L}{z_k} = (y_k - t_k)\\sigma'(z_k)" in new


def _moved(read: Document) -> Document:
    """The document whose formulas lie where the audit of the plain one has them."""
    plain = document()
    formulas = iter([piece for piece in plain.pieces if isinstance(piece, Formula)])
    pieces = tuple(
        Formula(piece.tex, next(formulas).place, piece.display, piece.escape) if isinstance(piece, Formula) else piece
        for piece in read.pieces
    )
    return Document(read.path, read.format, read.text, read.title, pieces, read.macros, {}, ())


def test_another_file_is_not_repaired() -> None:
    with pytest.raises(FixError, match=r"lesson\.md is no longer what was audited"):
        fixed(AUDIT, DOCUMENT, LESSON.replace("name", "title").encode())


def test_what_the_encoding_lacks_is_refused_in_a_sentence() -> None:
    text = "é $a = b$\n"
    read = document(text)
    (formula,) = (piece for piece in read.pieces if isinstance(piece, Formula))
    wrong = replace(AUDIT.equations[2], number=1, tex=formula.tex, place=formula.place)
    suggestion = replace(wrong.suggestions[0], tex="a = δ")
    found = replace(AUDIT, equations=(replace(wrong, suggestions=(suggestion,)),), remarks=())
    with pytest.raises(FixError, match=r"lesson\.md is in cp1252, which has no 'δ'; save it as UTF-8"):
        fixed(found, read, text.encode("cp1252"))


def test_the_copy_lies_beside_the_lesson(tmp_path: Path) -> None:
    path = tmp_path / "lesson.md"
    path.write_text(LESSON, encoding="utf-8", newline="")
    copy = write_fixed(AUDIT, DOCUMENT, path)
    assert copy == tmp_path / "lesson.fixed.md"
    assert path.read_text(encoding="utf-8") == LESSON
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lesson.fixed.md", "lesson.md"]
    assert write_fixed(AUDIT, DOCUMENT, path, in_place=True) == path
    assert path.read_bytes() == copy.read_bytes()
    assert write_fixed(passing_of(path), document(path.read_text(encoding="utf-8")), path) is None


def passing_of(path: Path) -> Audit:
    """An audit of a file that finds nothing."""
    return replace(passing(), lesson=str(path))
