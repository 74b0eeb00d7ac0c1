"""A lesson written for the tests, its document and an audit of it by hand, with every verdict in it."""

import re
from collections.abc import Callable

from oracle.lesson.document import CodeBlock, Document, Formula, Prose
from oracle.lesson.records import (
    Audit,
    Code,
    Counterexample,
    Equation,
    Link,
    Note,
    Place,
    Remark,
    Sample,
    Suggestion,
    Worked,
)

LESSON = r"""# Backwards by hand <script>alert(1)</script>

Every output has an error, and $\delta_k = \pd{L}{z_k}$ is its name; $x \in \R^n$.

$$L = \frac12 \sum_k (y_k - t_k)^2$$

$$\pd{L}{y_k} = (y_k - t_k)\sigma'(z_k)$$

$$\pd{L}{z_j} = \sum_k \pd{L}{y_k} \pd{y_k}{z_j}$$

$$\pd{y_k}{z_j} = \sigma'(z_j) w_{kj}$$

## Weights and *biases*

$$\begin{aligned}
\pd{L}{w_{ki}} &= y_i (y_k - t_k)\sigma'(z_k) \\
\pd{L}{b_k} &= (y_k - t_k)\sigma'(z_k)
\end{aligned}$$

$$\pd{z_j}{a_j} = \pd{}{a_j} \sum_i w_{ji} x_i$$

$$w_{kj} \leftarrow w_{kj} - \eta \pd{L}{w_{kj}}$$

$$\delta^l = \oops{( \delta}$$

$$z = 0 = 1$$

```python
def backward(x): return x
```
"""
MACROS = {"pd": (2, r"\frac{\partial #1}{\partial #2}"), "R": (0, r"\mathbb{R}")}
PIECES = re.compile(r"(?s)\$\$(.+?)\$\$|\$(.+?)\$|```(\w+)\n(.*?)```|^(#+) ([^\n]*)|((?:(?![$`]|^#).)+)", re.M)


def place(text: str, start: int, end: int) -> Place:
    """Of `text[start:end]`."""
    line = text.count("\n", 0, start) + 1
    return Place(line, start - text.rfind("\n", 0, start), line + text.count("\n", start, end), start, end)


def document(text: str = LESSON, path: str = "lesson.md", escape: Callable[[str], str] = str) -> Document:
    """What a reader makes of the lesson."""
    pieces: list[Formula | Prose | CodeBlock] = []
    for m in PIECES.finditer(text):
        kind = m.lastindex or 0
        where = place(text, *(m.span(4) if kind == 4 else m.span(kind)))
        if kind in (1, 2):
            pieces.append(Formula(m[kind], where, kind == 1, escape))
        elif kind == 4:
            pieces.append(CodeBlock(m[4], m[3], where))
        else:
            pieces.append(Prose(m[kind], where, len(m[5] or "")))
    return Document(path, "markdown", text, "Backwards by hand", tuple(pieces), MACROS, {}, ())


NET = tuple(Sample(tex, value) for tex, value in (("x", "0.5"), ("w_j", "-1"), ("b_j", "0"), ("t_k", "1")))
EXAMPLE = Counterexample(
    NET, Sample(r"\frac{\partial L}{\partial y_k}", "-0.38"), Sample("(y_k - t_k)σ'(z_k)", "-0.09")
)
FIRST = Suggestion("edit", r"\pd{L}{y_k} = y_k - t_k", "leave σ′(z_k) out on the right")
JOINT = Suggestion(
    "joint", r"\pd{L}{z_k} = (y_k - t_k)\sigma'(z_k)", "put z_k for y_k on the left",
    ((4, r"\pd{L}{z_j} = \sum_k \pd{L}{z_k} \pd{z_k}{z_j}"), (5, r"\pd{z_k}{z_j} = \sigma'(z_j) w_{kj}")),
)  # fmt: skip
PARTNER = Suggestion("joint", JOINT.others[1][1], "put z_k for y_k", ((3, JOINT.tex), JOINT.others[0]))
INDEX = Suggestion("edit", r"\pd{L}{w_{kj}} &= a_j (y_k - t_k)\sigma'(z_k)", "put j for i, and a for y", ())


def links(tex: str) -> dict[str, tuple[Link, ...]]:
    """The links of the lesson's equations, by the verdict they are to show."""
    left, right = tex.split("=", 1) if "=" in tex else (tex, "")

    def link(verdict: str, **more: object) -> tuple[Link, ...]:
        return (Link(left.strip(), "=", right.strip(), verdict, **more),)  # type: ignore[arg-type]

    return {
        "definition": link("definition"),
        "aside": link("aside"),
        "holds": link("holds", difference=(0.0, 1e-16)),
        "holds under": link("holds under", under="the sum over k is meant"),
        "fails": link("fails", reason=r"The right side is ∂L/∂z_k.", difference=(0.17, 3.25), counterexample=EXAMPLE),
        "ill-typed": link("ill-typed", reason="i is free on both sides, and is no index of an output."),
        "vacuous": link("vacuous", reason="Both sides are 0."),
        "update": link("update"),
        "not understood": link("not understood", reason="a bracket is open at column 17"),
        "skipped": link("skipped", reason="the lesson says: skip"),
    }


def _equation(number: int, formula: Formula, verdict: str, *suggestions: Suggestion) -> Equation:
    return Equation(number, formula.tex, formula.place, formula.display, links(formula.tex)[verdict], suggestions)


def audit(of: Document | None = None) -> Audit:
    """Every verdict, kind of remark, number and code at least once."""
    of = of or document()
    f = [piece for piece in of.pieces if isinstance(piece, Formula)]
    rows = [_row(of, f[6], tex) for tex in (r"\pd{L}{w_{ki}}", r"\pd{L}{b_k}")]
    chain = (*links("z = 0")["skipped"], *links("z = 1")["fails"])
    deliberate = Link("z", "=", "1", "fails", difference=(1.0, float("inf")), deliberate=True, place=f[10].place)
    return Audit(
        lesson=of.path, title=of.title, format=of.format, profile="index",
        net=(r"z_j = \sum_i w_{ji} x_i + b_j % assumed", r"L = \frac12 \sum_k (y_k - t_k)^2"),
        readings=("σ is any smooth activation",),
        equations=(
            _equation(1, f[0], "holds under"),
            _equation(2, f[2], "definition"),
            _equation(3, f[3], "fails", FIRST, JOINT),
            _equation(4, f[4], "holds"),
            _equation(5, f[5], "fails", PARTNER),
            _equation(6, rows[0], "ill-typed", INDEX),
            _equation(7, rows[1], "holds"),
            _equation(8, f[7], "vacuous"),
            _equation(9, f[8], "update"),
            _equation(10, f[9], "not understood"),
            Equation(11, f[10].tex, f[10].place, True, (chain[0], deliberate), label="2.7"),
            _equation(12, f[1], "aside"),
        ),
        remarks=(
            Remark("cancelling", "The errors of equations 3 and 5 cancel in equation 4.", (3, 4, 5), JOINT),
            Remark("contradiction", "Equations 3 and 7 say different things of ∂L/∂y_k.", (3, 7)),
            Remark("undefined", "η is never defined.", (), None, 32),
            Remark("two quantities", "δ is the name of two things.", (1, 10)),
        ),
        numbers=(
            Worked("w_5^+", 12, "0.35891648", "0.35891648", "", "right"),
            Worked("E", 13, "0.291027924", "0.291027774", "the hidden deltas are from updated weights", "variant"),
            Worked("w_1", 14, "0.15", "0.19", "nothing explains it", "wrong"),
        ),
        code=(Code(37, "python", "backward", "mismatch", "the gradient of x is wrong"),),
        notes=(Note(40, "a $$ is never closed"),),
        nets=8,
    )  # fmt: skip


def _row(of: Document, formula: Formula, beginning: str) -> Formula:
    """One row of an aligned formula, by how it begins."""
    start = of.text.index(beginning, formula.place.start)
    end = min(k for k in (of.text.find(" \\\\", start), of.text.find("\n", start)) if k > 0)
    return Formula(of.text[start:end], place(of.text, start, end), True)


def passing() -> Audit:
    """An audit in which nothing is wrong."""
    found = audit()
    return Audit(
        lesson="right.md", title="", format="markdown", profile="index", net=(), readings=(),
        equations=(found.equations[1], found.equations[3]), nets=8,
    )  # fmt: skip
