"""Trees back to TeX, for reports; the lesson's own TeX is kept wherever it can be (spans)."""

from collections.abc import Callable
from typing import Any

from oracle.lesson.formula.symbols import GREEK
from oracle.lesson.syntax import (
    At,
    Before,
    Call,
    Cases,
    Derivative,
    Dots,
    Gradient,
    Indexed,
    Indicator,
    Items,
    Marked,
    Matrix,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Sum,
    Tagged,
    Text,
    Times,
    Transpose,
)  # fmt: skip

_OPS = {"": " ", "*": " * ", "conv": " * ", "corr": r" \star ", "star": r" \star ", "@": " @ "}
_RELATIONS = {":=": ":=", "<-": r"\leftarrow", "->": r"\to", "~=": r"\approx", "!=": r"\ne", "<=": r"\le",
              ">=": r"\ge", "in": r"\in", "~": r"\sim"}  # fmt: skip
_PREFIXES = {"Delta ": r"\Delta ", "delta ": r"\delta ", "d ": "d "}
_FUNCTIONS = {"log", "ln", "exp", "tanh", "sinh", "cosh", "max", "min", "sin", "cos"}


def to_tex(node: Node) -> str:
    """The TeX of a tree, with every parenthesis that it needs to be read back as the same tree."""
    return _PRINTERS[type(node)](node)


def _name(node: Name) -> str:
    for prefix, tex in _PREFIXES.items():
        if node.base.startswith(prefix):
            return tex + _name(Name(node.base.removeprefix(prefix)))
    if node.base.endswith("'"):
        return _name(Name(node.base[:-1])) + "'"
    if node.base == "1":
        return r"\mathbf{1}"
    if " " in node.base:
        mark, inner = node.base.split(" ", 1)
        if mark == "dhat":
            return f"d{_name(Name(node.base[1:]))}"
        if len(mark) == 1:
            return f"{mark}_{{{_name(Name(inner))}}}"
        command = {"cal": "mathcal", "bb": "mathbb"}.get(mark, mark)
        return rf"\{command}{{{_name(Name(inner))}}}"
    if node.base in GREEK or node.base in _FUNCTIONS or node.base == "infty":
        return "\\" + node.base
    return node.base if len(node.base) == 1 else rf"\text{{{node.base}}}"


def _base(node: Node) -> str:
    kinds = (Name, Number, Indexed, Matrix, Norm)
    below = isinstance(node, Name) and node.base[1:2] == " " and node.base[:2] not in _PREFIXES
    return to_tex(node) if isinstance(node, kinds) and not below else _fenced(node)


def _fenced(node: Node) -> str:
    return rf"\left({to_tex(node)}\right)"


def _scripted(node: Node) -> str:
    r"""What a further superscript stands on: scripts are braced, `{W^{[l]}}^\top`, sums fenced."""
    scripts = (Tagged, Power, Prime, Marked, Transpose)
    return f"{{{to_tex(node)}}}" if isinstance(node, scripts) else _base(node)


def _script(node: Node) -> str:
    return ", ".join(map(to_tex, node.items)) if isinstance(node, Items) else to_tex(node)


def _factor(node: Node, last: bool = True) -> str:
    open_ended = isinstance(node, Sum) or (isinstance(node, Derivative) and node.operator)
    if isinstance(node, Plus | Negative | Relation | Times | Items) or (open_ended and not last):
        return _fenced(node)
    return to_tex(node)


def _times(node: Times) -> str:
    last = len(node.factors) - 1
    loose = any(op in ("odot", "otimes") for op in node.ops)
    parts = [
        to_tex(part) if loose and isinstance(part, Times) and not set(part.ops) & {"odot", "otimes"}
        else _factor(part, k == last)
        for k, part in enumerate(node.factors)
    ]  # fmt: skip
    text = parts[0]
    for op, part in zip(node.ops, parts[1:], strict=True):
        text += _OPS.get(op, rf" \{op} ") + part
    return text


def _plus(node: Plus) -> str:
    parts = [_fenced(term) if isinstance(term, Plus | Relation | Items) else to_tex(term) for term in node.terms]
    text = ("-" if node.signs[0] < 0 else "") + parts[0]
    return text + "".join(f" {'+-'[sign < 0]} {part}" for sign, part in zip(node.signs[1:], parts[1:], strict=True))


def _relation(node: Relation) -> str:
    text = to_tex(node.items[0])
    for op, item in zip(node.ops, node.items[1:], strict=True):
        text += f" {_RELATIONS.get(op, op)} {to_tex(item)}"
    return text


def _sum(node: Sum) -> str:
    lower = ", ".join(to_tex(index) for index in node.indices)
    lower = f"{lower} = {to_tex(node.lower)}" if node.lower else lower
    if node.condition:
        lower = f"{lower}, {to_tex(node.condition)}" if node.lower else to_tex(node.condition)
    upper = f"^{{{to_tex(node.upper)}}}" if node.upper else ""
    body = _fenced(node.body) if isinstance(node.body, Plus | Relation | Items) else to_tex(node.body)
    return (r"\prod" if node.product else r"\sum") + (f"_{{{lower}}}" if lower else "") + upper + " " + body


def _derivative(node: Derivative) -> str:
    sign = {"∂": r"\partial", "total": r"\partial", "δ": r"\delta"}.get(node.sign, "d")
    order = ("^+" if node.immediate else "") + (f"^{len(node.wrt)}" if len(node.wrt) > 1 else "")
    under = " ".join(f"{sign} {_factor(variable)}" for variable in node.wrt)
    if node.operator:
        return rf"\frac{{{sign}{order}}}{{{under}}} {_factor(node.of)}"
    return rf"\frac{{{sign}{order} {_factor(node.of)}}}{{{under}}}"


def _norm(node: Norm) -> str:
    if node.kind == "abs":
        return rf"\lvert {to_tex(node.body)} \rvert"
    kind = {"": "", "inf": r"_\infty"}.get(node.kind, f"_{node.kind}")
    return rf"\lVert {to_tex(node.body)} \rVert{kind}"


def _call(node: Call) -> str:
    return rf"{to_tex(node.function)}\left({', '.join(to_tex(arg) for arg in node.args)}\right)"


def _tagged(node: Tagged) -> str:
    opened, close = {"(": ("(", ")"), "[": ("[", "]")}.get(node.bracket, (r"\langle ", r"\rangle"))
    return f"{_scripted(node.base)}^{{{opened}{_script(node.tag)}{close}}}"


def _matrix(node: Matrix) -> str:
    rows = r" \\ ".join(" & ".join(to_tex(cell) for cell in row) for row in node.rows)
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _cases(node: Cases) -> str:
    rows = (
        to_tex(value) + (f" & {to_tex(condition)}" if condition else "")
        for value, condition in zip(node.values, node.conditions, strict=True)
    )
    return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"


def _indexed(node: Indexed) -> str:
    between = "" if all(isinstance(item, Name | Number) and to_tex(item).isalnum() for item in node.subs) else ", "
    return f"{_scripted(node.base)}_{{{between.join(to_tex(item) for item in node.subs)}}}"


def _gradient(node: Gradient) -> str:
    return r"\nabla" + (f"_{{{to_tex(node.wrt)}}} " if node.wrt else " ") + _factor(node.of)


_PRINTERS: dict[type, Callable[[Any], str]] = {
    Number: lambda node: node.text.replace(",", "{,}"),
    Name: _name,
    Text: lambda node: rf"\text{{{node.text}}}",
    Before: lambda _: "",
    Dots: lambda _: r"\cdots",
    Indexed: _indexed,
    Tagged: _tagged,
    Power: lambda node: f"{_scripted(node.base)}^{{{_script(node.exponent)}}}",
    Transpose: lambda node: rf"{_scripted(node.base)}^{{\top}}",
    Prime: lambda node: _scripted(node.base) + "'" * node.order,
    Marked: lambda node: f"{_scripted(node.base)}^{{{node.mark}}}",
    Negative: lambda node: "-" + (_fenced(node.body) if isinstance(node.body, Plus | Negative) else to_tex(node.body)),
    Plus: _plus,
    Times: _times,
    Quotient: lambda node: rf"\frac{{{to_tex(node.over)}}}{{{to_tex(node.under)}}}",
    Call: _call,
    Sum: _sum,
    Derivative: _derivative,
    Gradient: _gradient,
    Norm: _norm,
    Matrix: _matrix,
    Cases: _cases,
    Indicator: lambda node: rf"\mathbb{{1}}[{to_tex(node.condition)}]",
    At: lambda node: rf"\left. {_factor(node.body)} \right|_{{{to_tex(node.condition)}}}",
    Items: lambda node: rf"\left({', '.join(to_tex(item) for item in node.items)}\right)",
    Relation: _relation,
}
