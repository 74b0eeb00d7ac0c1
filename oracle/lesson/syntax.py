r"""The syntax of a lesson's formulas: what is written, before anybody asks what it means.

Nothing here knows a net. `z^2` may be a power or a layer, `w_{12}` an entry or a name, `f(x)` a value or a product:
what the notation leaves open stays open (`Power`, `Indexed`, `Times`), and the reading of a whole lesson decides.

Every node carries its `span`, offsets into the TeX of the formula as the lesson has it; what a macro made carries the
span of the macro's call. Spans do not take part in comparisons.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Node:
    """Any part of a formula."""

    span: Span = field(default=(0, 0), compare=False, repr=False)

    def children(self) -> Iterator["Node"]:
        """The nodes directly inside, from left to right."""
        for name in _parts(self):
            yield from _nodes(getattr(self, name))

    def walk(self) -> Iterator["Node"]:
        """A node and all inside it, outermost first."""
        return iter(self._all)

    @cached_property
    def _all(self) -> tuple["Node", ...]:
        """Kept, as nodes never change and are walked through again and again."""
        return (self, *(node for child in self.children() for node in child.walk()))


def _parts(node: Node) -> tuple[str, ...]:
    """The fields of a node that may hold nodes: all but the span, which is for keywords only."""
    return node.__match_args__


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def rebuilt(node: Node, change: Any) -> Node:
    """`node` with `change` (a function of a node) applied to each direct child."""

    def through(value: Any) -> Any:
        if isinstance(value, Node):
            return change(value)
        return tuple(through(item) for item in value) if isinstance(value, tuple) else value

    return replace(node, **{name: through(getattr(node, name)) for name in _parts(node)})


def replaced(node: Node, other: Mapping[Any, Node]) -> Node:
    """`node` with others for some of its nodes, each where the one before it stood."""
    if node in other:
        return replace(other[node], span=node.span)
    return rebuilt(node, lambda child: replaced(child, other))


# ------------------------------------------------------------------------------------------------------------- atoms


@dataclass(frozen=True)
class Number(Node):
    r"""`0.15`, `1`, `1{,}000`, as printed; `1e-3` and `1 \times 10^{-3}` are what they look like (Times, Power)."""

    text: str


@dataclass(frozen=True)
class Name(Node):
    r"""A symbol without scripts.

    `base` is a letter (`x`), a Greek letter's TeX name without backslash (`sigma`, also for σ), a word (`net`, `out`,
    `softmax`, `total`, from \text, \mathrm, \operatorname or a known word), with accents before it: `hat y`,
    `tilde x`, `bar x`, `dot x`; calligraphic letters are `cal L` (also \ell -> `ell`), blackboard ones `bb R`.
    Bold, upright, sans and vector arrows leave `base` alone and set `bold`.
    The one-symbol differentials of code-like lessons, `dW`, `db`, `dz^{[1]}`, are words: base `dW`.
    `\Delta w` is `Delta w`, an index `i'` is `i'`, an index that runs free (`W_{:,j}`, `W_{i\cdot}`) is `:`.
    """

    base: str
    bold: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Text(Node):
    r"""Words inside a formula (`\text{ if } i = j` gives Text and a relation). `text` is stripped."""

    text: str


@dataclass(frozen=True)
class Before(Node):
    """The left side of a formula that begins with a relation (`= c`): it goes on with the formula before it."""


@dataclass(frozen=True)
class Dots(Node):
    r"""`\cdots`, `\ldots`, `…`: something left out."""


# ----------------------------------------------------------------------------------------------------------- scripts


@dataclass(frozen=True)
class Indexed(Node):
    r"""Subscripts: `w_{kj}` -> (k, j); `w_{k,j}` too; `w_{11}` -> (Number 11,); `out_{o1}` -> (Name o1,);

    `E_{total}` -> (Name total,); `h_{t-1}` -> (Plus,); `W_{hh}` -> (h, h).
    """

    base: Node
    subs: tuple[Node, ...]


@dataclass(frozen=True)
class Tagged(Node):
    r"""Superscripts in brackets: `W^{(l)}`, `a^{[l-1]}`, `x^{<t>}`, `x^{\langle t\rangle}`.

    `a^{[l](i)}` is a Tagged of a Tagged (inner l).
    """

    base: Node
    tag: Node
    bracket: str
    """`(`, `[` or `<`."""


@dataclass(frozen=True)
class Power(Node):
    """Any other superscript: `x^2`, `e^{-x}`, `z^l`, `W^{l+1}`, `w^{l}_{jk}` (a Power of an Indexed), `W^{-1}`."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Transpose(Node):
    r"""`W^T`, `W^\top`, `W^\intercal`, `W^{\mathsf T}`, `W^{[2]T}`, `W^{l+1\,T}`, `W.T`."""

    base: Node


@dataclass(frozen=True)
class Prime(Node):
    r"""`σ'`, `\sigma^\prime`, `f''` (order 2); also with a layer, `{g^{[l]}}'`, `g^{[l]\prime}`."""

    base: Node
    order: int = 1


@dataclass(frozen=True)
class Marked(Node):
    r"""A superscript that marks a variant: `w^*`, `w^+`, `w^{new}`, `w^{(new)}`, `w^{\text{old}}`."""

    base: Node
    mark: str


# -------------------------------------------------------------------------------------------------------- operations


@dataclass(frozen=True)
class Negative(Node):
    """`-x`, only where no term stands before it."""

    body: Node


@dataclass(frozen=True)
class Plus(Node):
    """A sum of two terms or more; `signs` holds 1 or -1 for each (`a - b` -> (1, -1))."""

    terms: tuple[Node, ...]
    signs: tuple[int, ...]


@dataclass(frozen=True)
class Times(Node):
    r"""A product of two factors or more, flat; `ops` stand between them, one less than factors.

    An op is "" (juxtaposition), "cdot", "times", "*", "odot" (also \circ, \bullet and ⊙ ∘: elementwise), "otimes", "@".
    Juxtaposition binds tighter than "odot" and "otimes": `A B \odot C D` is Times(Times(A B), odot, Times(C D)).
    """

    factors: tuple[Node, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True)
class Quotient(Node):
    r"""`\frac{a}{b}`, `\dfrac`, `a / b`: never a derivative, which is a `Derivative`."""

    over: Node
    under: Node


@dataclass(frozen=True)
class Call(Node):
    r"""A function of arguments: `\sigma(z)`, `\sigma'(z_k)`, `\log x`, `\max(0, x)`, `\text{softmax}(z)`, `f(x, y; w)`,

    `\tanh^2 z` is a Power of a Call. `function` is a Name, or a Name with scripts or primes around it
    (`g^{[1]}(z)`, `\sigma'(z)`, `\log_2 x`). `np.sum(dZ, axis=1, keepdims=True)` has the arguments dZ and Relations.
    """

    function: Node
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Sum(Node):
    r"""`\sum_{k=1}^{K} body`, `\prod`, `\max_k`? (no: Call). The body reaches to the next + or - or relation.

    `\sum_k`, `\sum_{k}` (bounds None), `\sum_{i,j}` (two indices), `\sum_{k \in D}`, `\sum_{j \ne i}` (condition),
    `\sum` with nothing (no index).
    """

    indices: tuple[Name, ...]
    lower: Node | None
    upper: Node | None
    condition: Node | None
    body: Node
    product: bool = False


@dataclass(frozen=True)
class Derivative(Node):
    r"""One derivative, never a quotient: `\frac{\partial L}{\partial w_{kj}}`, `\partial L / \partial w`,

    `\frac{\partial}{\partial z_j} body` (`operator` True: `of` is the rest of the term), `\partial_w L`,
    `\frac{\partial^2 L}{\partial w \partial b}` (wrt (w, b)), `\frac{\partial^2 L}{\partial w^2}` (wrt (w, w)),
    `\frac{\partial^+ h}{\partial W}` and `\frac{\bar\partial ...}` (`immediate` True), `\frac{dL}{dz}`, \delta too.
    """

    of: Node
    wrt: tuple[Node, ...]
    sign: str = "∂"
    """`∂`, `d` or `δ`; "total" where an error signal stands for it, which holds nothing."""
    operator: bool = False
    immediate: bool = False
    torn: str = ""
    r"""Where its sign is missing, "above" or "below" the line: `\frac{\partial C}{z}`."""


@dataclass(frozen=True)
class Gradient(Node):
    r"""`\nabla_W J`, `\nabla_{a^L} C`, `\nabla J` (`wrt` None), `\nabla_W J(W, b)`."""

    of: Node
    wrt: Node | None


@dataclass(frozen=True)
class Norm(Node):
    r"""`\|x\|`, `\lVert x \rVert_2`, `\|W\|_F` (`kind` "", "2", "1", "F", "inf"); `|x|` has kind "abs"."""

    body: Node
    kind: str = ""


@dataclass(frozen=True)
class Matrix(Node):
    r"""`\begin{bmatrix} a & b \\ c & d \end{bmatrix}`, pmatrix, matrix, array, smallmatrix; `[a, b]` too is a row."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Cases(Node):
    r"""`\begin{cases} p_i (1-p_i) & i = j \\ ... \end{cases}`: values and their conditions (Relation, Text or None)."""

    values: tuple[Node, ...]
    conditions: tuple[Node | None, ...]


@dataclass(frozen=True)
class Indicator(Node):
    r"""`\mathbb{1}[y = j]`, `1\{y^{(i)} = j\}`, `[i = j]`, `\mathbf{1}_{i=j}`."""

    condition: Node


@dataclass(frozen=True)
class At(Node):
    r"""`\left. body \right|_{x = a}`, `body \big|_{...}`: evaluated at."""

    body: Node
    condition: Node


@dataclass(frozen=True)
class Items(Node):
    """`(W, b)`, `W, b`: a list of things, where no function stands before it."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Relation(Node):
    r"""A chain of relations: `a = b = c`, also inside conditions and as a whole statement.

    An op is one of `=`, `:=` (also \equiv, ≜, \triangleq, =:), `<-` (\leftarrow), `->` (\to, \Rightarrow),
    `~=` (\approx, \simeq), `!=`, `<`, `>`, `<=`, `>=`, `in`, `~` (\sim, \propto), `+=`, `-=`, `*=`.
    """

    items: tuple[Node, ...]
    ops: tuple[str, ...]


OPPOSITE = {"=": "!=", "!=": "=", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}


@dataclass(frozen=True)
class Limit:
    """`i = j` or `i ≠ j`: a condition on two indices, under which a statement is meant."""

    a: str
    op: str
    """`=` or `!=`."""
    b: str
    of_class: bool = False
    """Whether b is the true class."""
    at: Node | None = None
    """The class of a sample, where b is one: the y_i of j ≠ y_i."""
    sure: bool = True
    """Whether it was said of this very statement; else of one nearby, and it may be meant here too."""
    where: Relation | None = None
    """The condition on a value that it is instead: z_j > 0."""

    @property
    def otherwise(self) -> "Limit":
        """The opposite condition, said of this very statement."""
        where = self.where and replace(self.where, ops=(OPPOSITE[self.op],))
        return replace(self, op=OPPOSITE[self.op], sure=True, where=where)

    @property
    def words(self) -> str:
        """For the report."""
        if self.where:
            return f"the condition with {self.op} holds, as the text says"
        return f"{self.a} {'=' if self.op == '=' else '≠'} {self.b}, as the text says"


@dataclass(frozen=True)
class Statement(Node):
    r"""One statement of a formula: a Relation, or an expression alone, and what is said beside it.

    Statements of one formula are told apart by rows of `align`, by `,` and `\quad`, `;`, and by the words and, where.
    A row that begins with a relation (`&= ...`) goes on with the chain before it. `asides` are what limits or comments
    a statement: Relations and Texts after a comma or the words if, for, when (`for l = L-1, ..., 2`, `i = j`).
    """

    body: Node
    asides: tuple[Node, ...] = ()
    limits: tuple[Limit, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Problem:
    """A part that could not be read: where, and why, in a sentence for the author."""

    span: Span
    reason: str
    slight: bool = False
    """Whether all else of the statement is read without it."""


@dataclass(frozen=True)
class Parsed:
    """What a formula says. A statement that could not be read is a Problem, the others stand all the same."""

    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
