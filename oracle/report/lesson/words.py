"""The sentences that every report of an audit says in the same words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from oracle.lesson.records import BAD, Audit, Equation, Link, Remark, Verdict, Worked
from oracle.report.numbers import short
from oracle.report.words import plural

ORDER: tuple[Verdict, ...] = (
    "fails", "ill-typed", "not understood", "vacuous", "holds under", "holds", "update", "definition", "aside",
    "skipped",
)  # fmt: skip
"""Verdicts as they are listed, the worst first."""
NOTABLE = BAD | {"not understood", "vacuous", "holds under"}
"""Verdicts that are told unasked."""
Tone = Literal["wrong", "doubtful", "right", "plain"]
TONES: dict[Verdict, Tone] = {
    "fails": "wrong", "ill-typed": "wrong", "not understood": "doubtful", "vacuous": "doubtful",
    "holds under": "right", "holds": "right", "update": "plain", "definition": "plain", "aside": "plain",
    "skipped": "plain",
}  # fmt: skip
MEANING: dict[Verdict, str] = {
    "fails": "The two sides differ, on random nets, by more than rounding.",
    "ill-typed": "The two sides have different free indices or shapes: no numbers could make them equal.",
    "not understood": "It could not be read; nothing is said of it.",
    "vacuous": "It says 0 = 0 or the like: true, and of no use.",
    "holds under": "It holds under the reading that is named, and not under every reading.",
    "holds": "The two sides agree on every net.",
    "update": "A step of learning, not an equation.",
    "definition": "It gives a name to the right side.",
    "aside": "It claims nothing about values.",
    "skipped": "The lesson itself says to leave it out.",
}
"""What a verdict means, for who reads it the first time."""
KINDS = {
    "cancelling": "ERRORS CANCEL", "contradiction": "CLAIMS CONTRADICT", "undefined": "NEVER DEFINED",
    "two quantities": "ONE NAME, TWO QUANTITIES", "deliberate": "MARKED WRONG, AND IS NOT",
}  # fmt: skip
NUMBERS = {
    "right": "RIGHT", "rounded": "ROUNDED", "variant": "VARIANT", "wrong": "WRONG", "not recomputed": "NOT RECOMPUTED",
}  # fmt: skip
CODE = {"match": "MATCH", "mismatch": "MISMATCH", "not judged": "NOT JUDGED"}


def understood(audit: Audit) -> bool:
    """Whether anything in the lesson could be judged."""
    kinds = {link.verdict for equation in audit.equations for link in equation.links} - {"not understood", "skipped"}
    numbers = any(number.verdict != "not recomputed" for number in audit.numbers)
    return bool(kinds) or numbers or any(code.verdict != "not judged" for code in audit.code)


def headline(audit: Audit) -> tuple[str, str]:
    """The word for the whole lesson, and the sentence after it."""
    if not understood(audit):
        return "NOTHING UNDERSTOOD", f"none of {plural(len(audit.equations), 'equation')} could be read"
    wrong = [equation for equation in audit.equations if equation.verdict in BAD]
    if wrong:
        return "FAILED", f"{len(wrong)} of {plural(len(audit.equations), 'equation')} {_are(len(wrong))} wrong"
    return ("FAILED", _elsewhere(audit)) if audit.failed else ("PASSED", "nothing is wrong")


def _elsewhere(audit: Audit) -> str:
    """What is wrong where every equation is right."""
    found = {
        "worked number": sum(number.verdict == "wrong" for number in audit.numbers),
        "block of code": sum(code.verdict == "mismatch" for code in audit.code),
        "contradiction": sum(remark.kind == "contradiction" for remark in audit.remarks),
    }
    told = [f"{n} {noun if n == 1 else noun.replace('block', 'blocks') + 's' * ('block' not in noun)}"
            for noun, n in found.items() if n]  # fmt: skip
    return f"no equation is wrong, but {', '.join(told)}" if told else "what is marked as wrong on purpose is right"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def tally(audit: Audit) -> list[tuple[Verdict, int]]:
    """Links by verdict, the worst first; verdicts that never came are left out."""
    counts = Counter(link.verdict for equation in audit.equations for link in equation.links)
    return [(verdict, counts[verdict]) for verdict in ORDER if counts[verdict]]


def equations_tally(audit: Audit) -> list[tuple[Verdict, int]]:
    """Equations by the worst of their links."""
    counts = Counter(equation.verdict for equation in audit.equations)
    return [(verdict, counts[verdict]) for verdict in ORDER if counts[verdict]]


def counts_line(audit: Audit) -> str:
    """20 links in 14 equations: 5 FAILS, 12 HOLDS, ...; numbers and code where there are any."""
    links = sum(len(equation.links) for equation in audit.equations)
    told = ", ".join(f"{n} {verdict.upper()}" for verdict, n in tally(audit)) or "nothing"
    parts = [f"{plural(links, 'link')} in {plural(len(audit.equations), 'equation')}: {told}"]
    parts += _counted("numbers", [NUMBERS[number.verdict] for number in audit.numbers])
    parts += _counted("code", [CODE[code.verdict] for code in audit.code])
    parts += _counted("remarks", [KINDS[remark.kind] for remark in audit.remarks])
    return "; ".join(parts)


def _counted(noun: str, found: list[str]) -> list[str]:
    return [f"{noun}: {', '.join(f'{n} {word}' for word, n in Counter(found).items())}"] if found else []


def line(audit: Audit) -> str:
    """The whole audit in one line."""
    word, told = headline(audit)
    return f"{word}: {audit.lesson}: {told} ({counts_line(audit)})"


def read_as(audit: Audit) -> str:
    """How the lesson was read, and on how many nets it was tried."""
    notation = f", notation profile {audit.profile}" if audit.profile else ""
    return f"read as {audit.format}{notation}; tried on {plural(audit.nets, 'random net')}"


def title(equation: Equation) -> str:
    """Equation 3 (2.7)."""
    return f"Equation {equation.number}{f' ({equation.label})' if equation.label else ''}"


def verdict(link: Link) -> str:
    """A verdict in words: FAILS; HOLDS UNDER the reading; FAILS, on purpose."""
    if link.verdict == "holds under":
        return f"HOLDS UNDER {link.under}" if link.under else "HOLDS UNDER a reading"
    return f"{link.verdict.upper()}{', on purpose' if link.deliberate and link.verdict in BAD else ''}"


def sentence(text: str) -> str:
    """`text` as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def worst(equations: Iterable[Equation]) -> Verdict:
    """The worst verdict of several equations."""
    return min((equation.verdict for equation in equations), key=ORDER.index)


def claim(link: Link) -> str:
    """The link as TeX."""
    return one_line(f"{link.left} {link.relation} {link.right}")


def one_line(tex: str) -> str:
    """TeX on one line where that does not change what it says: a % would comment out what follows."""
    return tex.strip() if "%" in tex and "\n" in tex else " ".join(tex.split())


def notable(link: Link) -> bool:
    """Whether a link is told unasked."""
    return link.verdict in NOTABLE and not (link.deliberate and link.verdict in BAD)


def difference(link: Link, nets: int) -> str:
    """How far the sides are apart, over all nets; "" where that was not measured or is 0."""
    if link.difference is None or link.difference == (0, 0) or link.verdict in ("holds", "definition", "update"):
        return ""
    low, high = (short(float(f"{value:.3g}")) for value in link.difference)
    over = f" on {plural(nets, 'net')}" if nets else ""
    return f"relative difference {low}{over}" if low == high else f"relative difference {low} to {high}{over}"


def evidence(link: Link, nets: int) -> Iterator[str]:
    """The sentences that speak for the verdict."""
    yield from filter(None, (link.reason, difference(link, nets)))
    if found := link.counterexample:
        numbers = ", ".join(f"{sample.tex} = {sample.value}" for sample in found.net)
        left, right = found.left, found.right
        yield f"in a 1-1-1 net with {numbers}: {left.tex} = {left.value}, but {right.tex} = {right.value}"


def joint(equation: int, others: Iterable[tuple[int, str]]) -> str:
    """What else a joint repair changes."""
    return f"together with equation {' and '.join(str(n) for n, _ in others)}, not equation {equation} alone"


def remark_line(audit: Audit, remark: Remark) -> int:
    """Where a remark belongs: its own line, or that of the first equation it names; 1 for the whole lesson."""
    lines = {equation.number: equation.place.line for equation in audit.equations}
    return remark.line or next((lines[n] for n in remark.equations if n in lines), 1)


def concerns(remark: Remark) -> str:
    """Which equations a remark is about."""
    listed = ", ".join(map(str, remark.equations))
    return f"equation{'s' if len(remark.equations) > 1 else ''} {listed}" if listed else ""


def number(found: Worked) -> str:
    """A worked number in one line."""
    told = f"published {found.published}, recomputed {found.recomputed or '–'}"
    return f"{told}: {found.explanation}" if found.explanation else told
