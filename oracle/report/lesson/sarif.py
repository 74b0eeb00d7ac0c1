"""An audit as SARIF 2.1.0 ("Static Analysis Results Interchange Format", OASIS, 2020), which code hosts read.

Columns count Unicode code points from 1; a repair is a replacement of the equation's own characters.
"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from oracle.lesson.document import Document
from oracle.lesson.records import BAD, Audit, Equation, Link, Place, Suggestion, Verdict
from oracle.report.codec import indented
from oracle.report.lesson import words
from oracle.report.text import safe_text

LEVELS: dict[Verdict, str] = {
    "fails": "error", "ill-typed": "error", "not understood": "warning", "vacuous": "warning", "holds under": "note",
}  # fmt: skip
REMARKS = {
    "cancelling": "warning", "contradiction": "error", "undefined": "warning", "two quantities": "warning",
    "deliberate": "error",
}  # fmt: skip
OTHERS = {
    "worked-number": "A number of a worked example that cannot be recomputed.",
    "code": "A block of code whose gradients are wrong.",
    "unreadable": "A part of the lesson that could not be read at all.",
}
Result = dict[str, Any]


def sarif(audit: Audit, document: Document | None = None, uri: str = "") -> bytes:
    """The file; `uri` is the lesson's path from the root of the repository. With its document, repairs are in it."""
    name = quote(uri or audit.lesson)
    results = [*_equations(audit, document, name), *_rest(audit, name)]
    driver = {"name": "backprop-oracle", "version": version("backprop-oracle"), "rules": list(_rules())}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return indented({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def _rules() -> Iterator[Result]:
    for verdict, level in LEVELS.items():
        yield _rule(f"equation/{_slug(verdict)}", words.MEANING[verdict], level)
    for kind, level in REMARKS.items():
        yield _rule(f"lesson/{_slug(kind)}", f"{words.KINDS[kind].capitalize()}.", level)
    for name, told in OTHERS.items():
        yield _rule(f"lesson/{name}", told, "error")


def _rule(name: str, told: str, level: str) -> Result:
    return {"id": name, "shortDescription": {"text": told}, "defaultConfiguration": {"level": level}}


def _slug(text: str) -> str:
    return text.replace(" ", "-")


def _equations(audit: Audit, document: Document | None, uri: str) -> Iterator[Result]:
    for equation in audit.equations:
        for k, link in enumerate(equation.links):
            if link.verdict in LEVELS:
                yield _link(audit, equation, k, link, document, uri)


def _link(audit: Audit, equation: Equation, k: int, link: Link, document: Document | None, uri: str) -> Result:
    told = [f"{words.verdict(link)}: {words.claim(link)}", *words.evidence(link, audit.nets)]
    for suggestion in equation.suggestions[:1]:
        told.append(f"Instead: {words.one_line(suggestion.tex)}")
    result = _result(f"equation/{_slug(link.verdict)}", LEVELS[link.verdict], "\n".join(told))
    result["locations"] = [_location(uri, link.place or equation.place)]
    result["partialFingerprints"] = {"equation/v1": f"{words.one_line(equation.tex)}#{k}"}
    if link.verdict in BAD and document is not None:
        repairs = [_fix(audit, document, equation, suggestion, uri) for suggestion in equation.suggestions]
        result |= {"fixes": [repair for repair in repairs if repair]} if any(repairs) else {}
    if link.verdict in BAD and link.deliberate:
        result["suppressions"] = [{"kind": "inSource", "justification": "The lesson says: wrong on purpose."}]
    return result


def _fix(audit: Audit, document: Document, equation: Equation, suggestion: Suggestion, uri: str) -> Result | None:
    from oracle.lesson.fixing import replacements

    changes = dict([(equation.number, suggestion.tex), *suggestion.others])
    found = replacements(audit, document, changes)
    if len(found) < len(changes):
        return None
    parts = [{"deletedRegion": _span(start, end), "insertedContent": {"text": new}} for start, end, new in found]
    change = {"artifactLocation": _artifact(uri), "replacements": parts}
    return {
        "description": {"text": safe_text(suggestion.words or "The equation repaired.")},
        "artifactChanges": [change],
    }


def _rest(audit: Audit, uri: str) -> Iterator[Result]:
    for remark in audit.remarks:
        line = words.remark_line(audit, remark)
        yield _at(f"lesson/{_slug(remark.kind)}", REMARKS[remark.kind], remark.words, uri, line)
    for number in audit.numbers:
        if number.verdict in ("wrong", "variant"):
            level = "error" if number.verdict == "wrong" else "note"
            told = f"{words.NUMBERS[number.verdict]}: {words.one_line(number.name)}, {words.number(number)}"
            yield _at("lesson/worked-number", level, told, uri, number.line)
    for code in audit.code:
        if code.verdict == "mismatch":
            yield _at("lesson/code", "error", f"{code.function or 'code'}: {code.words}", uri, code.line)
    for note in audit.notes:
        yield _at("lesson/unreadable", "warning", note.words, uri, note.line)


def _result(rule: str, level: str, told: str) -> Result:
    return {"ruleId": rule, "level": level, "message": {"text": safe_text(told)}}


def _at(rule: str, level: str, told: str, uri: str, line: int) -> Result:
    where = {"physicalLocation": {"artifactLocation": _artifact(uri), "region": {"startLine": max(1, line)}}}
    return {**_result(rule, level, told), "locations": [where]}


def _location(uri: str, place: Place) -> Result:
    region = {"startLine": place.line, "startColumn": place.column, "endLine": place.end_line}
    region |= _span(place.start, place.end)
    if place.end_line == place.line:
        region["endColumn"] = place.column + place.end - place.start
    return {"physicalLocation": {"artifactLocation": _artifact(uri), "region": region}}


def _span(start: int, end: int) -> dict[str, int]:
    return {"charOffset": start, "charLength": end - start}


def _artifact(uri: str) -> dict[str, str]:
    return {"uri": f"file://{uri}"} if uri.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
