r"""How a lesson lays out its partials: what has the rows of ∂y/∂x, and whether ∂L/∂W has the shape of W.

"" is what most lessons do: ∂y/∂x has a row for every entry of y, and ∂L/∂W the shape of W. With "denominator" ∂y/∂x has
a row for every entry of x; with "numerator" ∂L/∂x is a row, and ∂L/∂W has the shape of Wᵀ; with "rows" ∂L/∂x is a row,
and ∂L/∂W has the shape of W all the same.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.values import Value
from oracle.lesson.syntax import Call, Derivative, Gradient, Node, Plus, Prime, Times, Transpose

TURNED = "denominator"
LAYOUTS = ("", TURNED, "rows", "numerator")
LYING = {"rows", "numerator"}
"""Where the partials of a number by a vector are rows."""
NUMERATOR = re.compile(r"(?i)numerator[\s-]+layout|jacobian formulation|分子布局")
DENOMINATOR = re.compile(r"(?i)denominator[\s-]+layout|hessian formulation|分母布局")
BACKWARD = {"delta", "Delta", "epsilon", "err", "error"}
"""What is as partials are: a row where those are rows."""
SHAPED = re.compile(r"(?i)shape[\s-]+convention|形状约定")
ROW = re.compile(
    r"(?s)\\partial(?:(?!\\partial|_\{[a-z]{2}).)*\\in\s*\\(?:mathbb|bm|mathbf|R)[^{}]*\{?R?\}?\s*\^\s*\{\s*1\s*\\times"
)
r"""A partial in ℝ^{1 × n}: a row, if it is by no entry."""
LYING_DOWN = re.compile(r"(?i)\s*,?\s*(is|as|be|being)\s+an?\s+(\$[^$]*\$\s*)?row[\s-]+vector")
BY_A_VECTOR = re.compile(r"(?s)^\\[dt]?frac\s*\{\s*\\partial(?:(?!\\partial).)*\{\s*\\partial\s*\\?[a-z]+(?!\s*_)")
r"""\frac{\partial L}{\partial p}, of which words may say that it is a row."""
WORDS = {
    "": "partials of vectors by vectors have a row for each entry of what is differentiated",
    "denominator": "partials are in denominator layout",
    "rows": "partials by vectors are rows, and those by matrices have the shape of these",
    "numerator": "partials are in numerator layout",
}


SURE, RARE = 1.0, 2.0
"""One formula more that holds, and fails no longer, is more than the first and less than the second."""


def turned(value: Value, layout: str) -> Value:
    """A partial as the layout has it, from a row for each entry of what is differentiated; or back."""
    if value.way is None or not layout:
        return value
    ranks = (value.rank - value.way.rank, value.way.rank)
    if ranks == {"denominator": (1, 1), "numerator": (0, 2)}.get(layout):
        data = None if value.data is None else value.data.mT
        return replace(value, data=data, shape=value.shape[::-1])
    return replace(value, row=not value.row) if layout in LYING and ranks == (0, 1) else value


def said(texts: Iterable[str], formulas: Iterable[str] = (), beside: Iterable[tuple[str, str]] = ()) -> tuple[str, ...]:
    r"""The layouts that a lesson may have by its own words; all where it says nothing, or speaks of both.

    `beside` are its formulas with the words behind them: "$\partial L/\partial p$ is a row vector".
    """
    whole = "\n".join(texts)
    if any(LYING_DOWN.match(words) and BY_A_VECTOR.match(tex.strip()) for tex, words in beside):
        return ("rows", "numerator")
    denominator = DENOMINATOR.search(whole)
    numerator = NUMERATOR.search(whole) or (not denominator and any(ROW.search(tex) for tex in formulas))
    if SHAPED.search(whole):
        return ("", "rows")
    if bool(numerator) == bool(denominator):
        return LAYOUTS
    return ("", "rows", "numerator") if numerator else ("denominator",)


def settled_layout(scores: Mapping[str, float], rows: int = 0) -> tuple[str, tuple[str, ...]]:
    """The layout of a lesson by how much of it holds in each, and those that it may have as well.

    In few lessons ∂L/∂x is a row: one formula is no proof of it, it may be a slip; where `rows` partials are said to be
    rows, it may be meant.
    """
    told = len(scores) < len(LAYOUTS)
    rare = {layout: score + rows for layout, score in scores.items() if layout in LYING and not told}
    others = {layout: score for layout, score in scores.items() if layout not in rare}
    best = max(others, key=lambda layout: others[layout])
    if rare and max(rare.values()) > others[best] + RARE:
        return max(rare, key=lambda layout: rare[layout]), ()
    second = max((score for layout, score in others.items() if layout != best), default=-SURE)
    doubtful = () if told or others[best] > second + SURE else (*others,)
    return best, (*doubtful, *(layout for layout in rare if rows and rare[layout] > others[best]))


def row(head: Node, member: Node) -> bool:
    """Whether a partial is said to be a row: [p - y]^T, and no transposed weights; ∂L/∂y ⊙ g'(a)^T; δ^T x^T."""
    named = isinstance(head, Ref) and core(head.base) in BACKWARD
    match member:
        case Times(ops=ops, factors=factors) if "odot" in ops:
            turned = [factor.base for factor in factors if isinstance(factor, Transpose)]
            slopes = [isinstance(base, Call) and isinstance(base.function, Prime) for base in turned]
            return bool(slopes) and all(slopes) and not isinstance(head, Transpose)
        case Times(factors=(Transpose(base=Ref() as left), Transpose(base=Ref() as right))):
            return sensitive(head) and core(left.base) in BACKWARD and _is_vector(right)
        case Transpose(base=Plus()):
            return sensitive(head) or named
        case Transpose(base=Ref() as whole):
            return sensitive(head) and _is_vector(whole)
    return False


def _is_vector(ref: Ref) -> bool:
    """Whether a symbol looks like a vector that is no parameter."""
    return ref.base[:1].islower() and core(ref.base) not in PARAMETER_LETTERS


def order(member: Node) -> bool | None:
    """Whether a chain of whole partials stands in the order of denominator layout: ∂z/∂a ∂L/∂z ends in L."""
    if not isinstance(member, Times):
        return None
    chains = [(a, b) for a, b in pairwise(member.factors) if isinstance(a, Derivative) and isinstance(b, Derivative)]
    if any(a.wrt == (b.of,) and _is_whole(b.of) for a, b in chains):
        return False
    return True if any(b.wrt == (a.of,) and _is_whole(a.of) for a, b in chains) else None


def _is_whole(node: Node) -> bool:
    """Whether a quantity has no index."""
    return isinstance(node, Ref) and not node.subs


def sensitive(*formulas: Node) -> bool:
    """Whether whole quantities are differentiated by whole quantities: entries are the same in every layout."""
    for part in (part for formula in formulas for part in formula.walk()):
        match part:
            case Derivative(wrt=(Ref(subs=()),)) | Gradient(wrt=Ref(subs=())):
                return True
    return False
