r"""Samples that are counted below: the i of x_i in σ(w^T x_i + b), of f(x_i; θ) and of C = \frac1n Σ_i C_i.

An x_i behind a whole matrix or a transposed vector is no entry: it is one of many vectors. What else has this letter
as its first index, and is no parameter, is of the same sample: y_i, \hat y_i, z_{ik}.
"""

from collections.abc import Iterable

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import flat, letter
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Name,
    Node,
    Number,
    Quotient,
    Relation,
    Statement,
    Sum,
    Tagged,
    Times,
    Transpose,
)

INPUTS = {"x", "phi"}
"""What samples are called."""
WEIGHTS = {"w", "W", "theta", "Theta", "beta", "u", "U", "v", "V", "A", "alpha"}
COUNTED = {"delta"}
"""With two indices it is 1 where they are equal."""


def samples_below(statements: Iterable[Statement], never: set[str], parameters: set[str]) -> dict[str, str]:
    """By base, the letter of its first index that counts samples; empty where nothing says so, or several letters do.

    Letters of `never` count steps or layers.
    """
    given = list(statements)
    nodes = [node for s in given for top in (s.body, *s.asides) for node in top.walk()]
    parameters = parameters - set(map(_computed, given))
    sure = {of for node in nodes for of in _evidence(node)} | _above(nodes)
    sure -= never
    found = sure or {of for node in nodes for of in _added(node)} - never
    met = [(node, base) for node in nodes if isinstance(node, Indexed) and (base := symbol_of(node))]
    if len(found) != 1:
        return {}
    (index,) = found
    named = {id(node) for s in given if symbol_of(s.body) for node in s.body.walk()}  # W_{ij}: "the weight from j to i"
    there = [base for node, base in met if index in _letters(node) and id(node) not in named]
    single = {base for node, base in met if _first(node) == index and _alone(node)} - parameters
    whole = {base for node, base in met if _first(node) == index} - {*COUNTED} - parameters | single
    others = {base for node, base in met if _alone(node) and _first(node) not in (index, "") and not _named(node)}
    mean = any(map(_is_mean, nodes)) and all(_alone(node) for node, _ in met if index in _letters(node))
    doubtful = whole & others and not sure and not mean
    return {} if doubtful or parameters.intersection(there) else dict.fromkeys(whole, index)


def _named(node: Indexed) -> bool:
    """Whether a loss has a label below it: C_{CE}."""
    return symbol_of(node) in LOSSES and len(_first(node)) > 1


def _computed(statement: Statement) -> str:
    """The v of v_{mi} = α_m^T x_i, which is no parameter."""
    match statement.body:
        case Relation(items=(Indexed() as head, member, *_), ops=("=" | ":=", *_)) if base := symbol_of(head):
            mixed = any(isinstance(part, Transpose | Sum) for part in member.walk())
            renewed = any(isinstance(part, Derivative) or symbol_of(part) == base for part in member.walk())
            return base if mixed and not renewed else ""
    return ""


def samples_last(statements: Iterable[Statement], letters: set[str]) -> dict[str, str]:
    """By base, the letter that counts samples, where of two indices it is the last, and never the first: z_{mi}."""
    nodes = (node for s in statements for top in (s.body, *s.asides) for node in top.walk())
    met = [(base, flat(node.subs)) for node in nodes if isinstance(node, Indexed) and (base := symbol_of(node))]
    pairs = [(base, subs[0], subs[1]) for base, subs in met if len(subs) == 2]
    counts = {Name(letter) for letter in letters}
    others = {base for base, first, second in pairs if first in counts or second not in counts}
    last = {base for base, _, second in pairs if second in counts} - others
    return {base: letter for letter in letters for base in last}


def _above(nodes: Iterable[Node]) -> set[str]:
    """The n of x^{(n)} beside x_{ni}, its entry i."""
    given = list(nodes)
    above = {
        node.tag.base for node in given
        if isinstance(node, Tagged) and isinstance(node.tag, Name) and symbol_of(node) in INPUTS
    }  # fmt: skip
    entries = [node for node in given if isinstance(node, Indexed) and symbol_of(node) in INPUTS and not _alone(node)]
    return above & {_first(node) for node in entries}


def _letters(node: Indexed) -> set[str]:
    return {sub.base for sub in flat(node.subs) if isinstance(sub, Name)}


def _first(node: Indexed) -> str:
    sub = flat(node.subs)[0]
    return sub.base if isinstance(sub, Name) else ""


def _sample(node: Node) -> str:
    """The i of x_i, and of x_i^{(l)}."""
    node = node.base if isinstance(node, Tagged) else node
    single = isinstance(node, Indexed) and len(flat(node.subs)) == 1 and letter(symbol_of(node)) in INPUTS
    return _first(node) if single and isinstance(node, Indexed) else ""


def _evidence(node: Node) -> Iterable[str]:
    """Letters that a formula's part has below what must be a vector of one sample."""
    match node:
        case Times(factors=(Quotient(over=Number("1"), under=count), Sum(upper=upper) as total), ops=("",)) if (
            count == upper
        ):
            yield from _added(total)
        case Transpose(base=base) if of := _sample(base):
            yield of
        case Times(factors=factors, ops=ops):
            for a, b, op in zip(factors, factors[1:], ops, strict=False):
                inner = b.args[0] if isinstance(b, Call) and len(b.args) == 1 else b
                if op == "" and _whole_weights(a) and (of := _sample(inner)):
                    yield of
        case Call(function=function, args=args) if not isinstance(function, Name) or function.base not in LOSSES:
            inputs = {of for arg in args if (of := _sample(arg))}
            given = len(args) > 1 or isinstance(function, Indexed)
            yield from inputs if given else ()
        case Call(args=args) if len(args) > 1:
            pairs = [{_sample(part) or _target(part) for part in arg.walk()} - {""} for arg in args]
            yield from set.intersection(*pairs)


def _added(node: Node) -> Iterable[str]:
    """The x of Σ_x C_x, of Σ_x C_x(w) and of Σ_x ∂C_x/∂w."""
    match node:
        case Sum(indices=(Name(base=index),), body=body):
            bare = body.of if isinstance(body, Derivative | Gradient) else body
            bare = bare.function if isinstance(bare, Call) else bare
            if isinstance(bare, Indexed) and symbol_of(bare) in LOSSES and _first(bare) == index and _alone(bare):
                yield index


def _is_mean(node: Node) -> bool:
    r"""Whether a formula is the mean of the losses of all samples: \frac1n Σ_i C_i."""
    match node:
        case Times(factors=(Quotient(over=Number(text="1")), Sum(body=body))):
            return symbol_of(body) in LOSSES
    return False


def _alone(node: Indexed) -> bool:
    return len(flat(node.subs)) == 1


def _target(node: Node) -> str:
    """The i of y_i and of what is predicted of it."""
    known = isinstance(node, Indexed) and _alone(node) and letter(symbol_of(node)) in ("y", "t", "f")
    return _first(node) if known and isinstance(node, Indexed) else ""


def _whole_weights(node: Node) -> bool:
    """Whether a factor is w^T, w_j^T or W, with no index below it."""
    turned, core = isinstance(node, Transpose), node.base if isinstance(node, Transpose) else node
    if isinstance(core, Indexed):
        return turned and _alone(core) and symbol_of(core) in WEIGHTS
    name = symbol_of(core)
    return name in WEIGHTS and (turned or name[:1].isupper())
