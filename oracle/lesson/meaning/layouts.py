r"""How a lesson lays out its partials: what has the rows of ∂y/∂x, and whether ∂L/∂W has the shape of W.

"" is what most lessons do: ∂y/∂x has a row for every entry of y, and ∂L/∂W the shape of W. With "denominator" ∂y/∂x has
a row for every entry of x; with "numerator" ∂L/∂x is a row, and ∂L/∂W has the shape of Wᵀ.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.values import Value
from oracle.lesson.syntax import Call, Derivative, Gradient, Node, Plus, Prime, Times, Transpose

LAYOUTS = ("", "denominator", "numerator")
NUMERATOR = re.compile(r"(?i)numerator[\s-]+layout|jacobian formulation|分子布局")
DENOMINATOR = re.compile(r"(?i)denominator[\s-]+layout|hessian formulation|分母布局")
ROW = re.compile(r"(?s)\\partial.*\\in\s*\\(?:mathbb|bm|mathbf|R)[^{}]*\{?R?\}?\s*\^\s*\{\s*1\s*\\times")
r"""A partial in ℝ^{1 × n}: a row."""
WORDS = {
    "": "partials of vectors by vectors have a row for each entry of what is differentiated",
    "denominator": "partials are in denominator layout",
    "numerator": "partials are in numerator layout",
}


SURE, RARE = 1.0, 2.0
"""One formula more that holds, and fails no longer, is more than the first and less than the second."""


def turned(value: Value, layout: str) -> Value:
    """A partial as the layout has it, from a row for each entry of what is differentiated; or back."""
    if value.way is None or not layout:
        return value
    ranks = (value.rank - value.way.rank, value.way.rank)
    if ranks == ((1, 1) if layout == "denominator" else (0, 2)):
        data = None if value.data is None else value.data.mT
        return replace(value, data=data, shape=value.shape[::-1])
    return replace(value, row=not value.row) if layout == "numerator" and ranks == (0, 1) else value


def said(texts: Iterable[str], formulas: Iterable[str] = ()) -> tuple[str, ...]:
    """The layouts that a lesson may have by its own words; all where it says nothing, or speaks of both."""
    whole = "\n".join(texts)
    rows = any(ROW.search(tex) for tex in formulas)
    numerator, denominator = NUMERATOR.search(whole) or rows, DENOMINATOR.search(whole)
    if bool(numerator) == bool(denominator):
        return LAYOUTS
    return ("", "numerator") if numerator else ("denominator",)


def settled_layout(scores: Mapping[str, float], rows: int = 0) -> tuple[str, tuple[str, ...]]:
    """The layout of a lesson by how much of it holds in each, and those that it may have as well.

    Few lessons give ∂L/∂W another shape than W has: one formula is no proof of it, it may be a slip; where `rows`
    partials are said to be rows, it may be meant.
    """
    others = dict(scores)
    rare = others.pop("numerator") + rows if len(scores) > 2 else None
    best = max(others, key=lambda layout: others[layout])
    if rare is not None and rare > others[best] + RARE:
        return "numerator", ()
    second = max((score for layout, score in others.items() if layout != best), default=-SURE)
    doubtful = () if len(scores) < 3 or others[best] > second + SURE else (*others,)
    return best, (*doubtful, *(("numerator",) if rows and rare is not None and rare > others[best] else ()))


def row(head: Node, member: Node) -> bool:
    """Whether a partial is said to be a transposed vector: [p - y]^T, and no transposed weights; or ∂L/∂y ⊙ g'(a)^T."""
    match member:
        case Times(ops=ops, factors=factors) if "odot" in ops:
            turned = [factor.base for factor in factors if isinstance(factor, Transpose)]
            slopes = [isinstance(base, Call) and isinstance(base.function, Prime) for base in turned]
            return bool(slopes) and all(slopes) and not isinstance(head, Transpose)
        case Transpose(base=Plus()):
            return sensitive(head)
        case Transpose(base=Ref(base=base)):
            return sensitive(head) and base[:1].islower() and core(base) not in PARAMETER_LETTERS
    return False


def sensitive(*formulas: Node) -> bool:
    """Whether whole quantities are differentiated by whole quantities: entries are the same in every layout."""
    for part in (part for formula in formulas for part in formula.walk()):
        match part:
            case Derivative(wrt=(Ref(subs=()),)) | Gradient(wrt=Ref(subs=())):
                return True
    return False
