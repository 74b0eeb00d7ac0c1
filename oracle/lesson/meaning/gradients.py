r"""Names that say of which quantity they are the partial of the loss: δh_t, di_t, \bar{c}_t beside h_t, i_t and c_t.

A `d` or `δ` that is read as a factor before a symbol is such a name if the lesson says what several of them are; an
accent is one if it stands over what the forward equations have without it, weights among them.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.meaning.gradients_below import BELOW, markers_below, with_names_below
from oracle.lesson.syntax import (
    Derivative,
    Indexed,
    Marked,
    Name,
    Node,
    Power,
    Relation,
    Statement,
    Tagged,
    Times,
    Transpose,
    rebuilt,
)  # fmt: skip

PREFIXES = ("d", "delta")
JOINED = "dW"
"""Among the markers of a lesson that writes d W as well as dW: there both are dW."""
ACCENTS = ("bar", "hat", "tilde", "dot")
PARAMETERS = {"W", "w", "b", "U", "V", "gamma", "beta"}
NEVER = {"L", "C", "J", "E", "cal L", "cal J", "cal E", "ell"}
"""Where dL stands alone, d is the total differential."""
SCRIPTED = Tagged | Power | Indexed | Marked


def markers(statements: Iterable[Statement]) -> frozenset[str]:
    """The prefixes and accents that make a quantity's name that of its partial in this lesson."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    heads = [body.items[0] for body in bodies]
    plain = {name.base for head in heads if (name := _core(head))}
    found = {prefix for prefix in PREFIXES if _prefixes(prefix, heads, plain) or _said(prefix, bodies)}
    found |= markers_below(bodies, plain, PARAMETERS)
    found |= {JOINED} if "d" in found and any(map(_is_word, heads)) else set()
    return frozenset(found | {accent for accent in ACCENTS if _accents(accent, bodies, plain)})


def _is_word(head: Node) -> bool:
    """Whether a left side is dW, read as one word."""
    name = _core(head)
    return name is not None and name.base[:1] == "d" and name.base[1:] in PARAMETERS


def _prefixes(prefix: str, heads: list[Node], plain: set[str]) -> bool:
    symbols = [symbol for head in heads if (symbol := _after(prefix, head))]
    total = any(isinstance(symbol, Name) and symbol.base in NEVER for symbol in symbols)
    names = {name.base for symbol in symbols if (name := _core(symbol))}
    words = {name.base[1:] for head in heads if (name := _core(head)) and name.base[0] == "d" == prefix}
    return not total and bool(names) and len((names | words) & (plain | PARAMETERS)) > 1


def _said(prefix: str, bodies: list[Relation]) -> bool:
    """Whether the lesson says δh_t = ∂L/∂h_t, of a quantity that is no loss."""
    for body in bodies:
        symbol, member = _after(prefix, body.items[0]), body.items[1]
        loss = isinstance(symbol, Name) and symbol.base in NEVER
        if symbol is not None and not loss and isinstance(member, Derivative) and member.wrt == (symbol,):
            return True
    return False


def _accents(accent: str, bodies: list[Relation], plain: set[str]) -> bool:
    """Whether an accent stands over weights, or is said to be a partial, and over several of what there is without."""
    said, names = False, set[str]()
    for body in bodies:
        mark, _, inner = (name.base if (name := _core(body.items[0])) else "").partition(" ")
        if mark == accent and inner in plain | PARAMETERS:
            names.add(inner)
            said |= inner in PARAMETERS or any(_partial_by(inner, member) for member in body.items[1:])
    return said and len(names) > 1


def _partial_by(base: str, node: Node) -> bool:
    return isinstance(node, Derivative) and any(name.base == base for by in node.wrt if (name := _core(by)))


def _core(node: Node) -> Name | None:
    """The letter of a symbol."""
    while isinstance(node, SCRIPTED):
        node = node.base
    return node if isinstance(node, Name) else None


def _after(prefix: str, node: Node) -> Node | None:
    """The h_t of δ h_t."""
    match node:
        case Times(factors=(Name(base=base), symbol), ops=("",)) if base == prefix:
            return symbol.base if isinstance(symbol, Transpose) else symbol
    return None


def named(node: Node, known: frozenset[str]) -> Node:
    """A formula in which δ h_t is one symbol."""
    node = with_names_below(node, known) if known & {*BELOW} else node
    if not known & {*PREFIXES}:
        return node
    node = rebuilt(node, lambda child: named(child, known))
    return _joined(node, known) if isinstance(node, Times) else node


def _joined(node: Times, known: frozenset[str]) -> Node:
    factors, ops = [node.factors[0]], list[str]()
    for op, factor in zip(node.ops, node.factors[1:], strict=True):
        before = factors[-1]
        prefix = isinstance(before, Name) and before.base in known and op == ""
        if prefix and isinstance(before, Name) and (one := _prefixed(before, factor, JOINED in known)) is not None:
            factors[-1] = one
        else:
            factors.append(factor)
            ops.append(op)
    return factors[0] if not ops else replace(node, factors=tuple(factors), ops=tuple(ops))


def _prefixed(prefix: Name, node: Node, joined: bool) -> Node | None:
    """δ and h_t as one symbol; None where the second is none."""
    span = (prefix.span[0], node.span[1])
    if isinstance(node, Name) and joined and prefix.base == "d" and len(node.base) == 1:
        return Name(f"d{node.base}", node.bold, span=span)
    if isinstance(node, Name):
        return Name(f"{prefix.base} {node.base}", node.bold, span=span)
    if not isinstance(node, SCRIPTED | Transpose) or (inner := _prefixed(prefix, node.base, joined)) is None:
        return None
    return replace(node, base=inner, span=span)


def gradient_of(base: str, known: frozenset[str]) -> str:
    """The quantity of which a name says that it is the partial: h_o of `d h_o`, `dh_o` and `bar h_o`; "" of others."""
    mark, _, inner = base.partition(" ")
    if inner and mark in known:
        return inner
    return base[1:] if base[:1] == "d" and len(base.partition("_")[0]) > 1 and base[1:2] != " " else ""
