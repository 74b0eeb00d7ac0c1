r"""Gradients that say below of what they are: G_{W_1}, G_Z and g_s beside W_1, Z and s, as `d W_1` says it in front.

A G is such a name if what stands below it are symbols of the forward equations and a parameter, and it never stands
without: (G_S)_{ij} is an entry of the gradient with respect to S.
"""

from collections.abc import Iterable
from dataclasses import replace

from oracle.lesson.syntax import Call, Indexed, Name, Node, Relation, Tagged, Times, rebuilt

BELOW = ("G", "g", "J")
"""What gradients are called."""


def markers_below(bodies: Iterable[Relation], plain: set[str], parameters: set[str]) -> set[str]:
    """The letters that are a gradient with respect to what stands below them; both cases where one surely is."""
    found = {letter: set[str]() for letter in BELOW}
    alone = set[str]()
    for body in bodies:
        _collect(body, found, alone)
    sure = {g for g, names in found.items() if names & parameters and len(names & (plain | parameters)) > 1}
    likely = {g for g, names in found.items() if sure and names & (plain | parameters)}
    return (sure | likely) - alone


def _collect(node: Node, found: dict[str, set[str]], alone: set[str]) -> None:
    match node:
        case Indexed(base=Name(base=base), subs=(sub,)) if base in found:
            found[base].add(_letter(sub))
        case Name(base=base) if base in found:
            alone.add(base)
        case Call(function=Name(base=base)) if base in found:
            alone.add(base)
        case _:
            for child in node.children():
                _collect(child, found, alone)


def _letter(symbol: Node) -> str:
    """The letter of a symbol without its scripts; "" of what is none."""
    while isinstance(symbol, Indexed | Tagged):
        symbol = symbol.base
    return symbol.base if isinstance(symbol, Name) else ""


def with_names_below(node: Node, known: frozenset[str]) -> Node:
    """A formula in which G_{W_1} is one symbol, as d W_1 is."""
    match node:
        case Indexed(base=Name(base=base), subs=(sub,)) if base in known and base in BELOW and _letter(sub):
            return replace(_named(base, sub), span=node.span)
        case Call(function=Indexed(base=Name(base=base)) as gradient, args=(arg,)) if base in known and base in BELOW:
            factors = (with_names_below(gradient, known), with_names_below(arg, known))
            return Times(factors, ("",), span=node.span)  # g_a (aᵀ g_a) is a product
    return rebuilt(node, lambda child: with_names_below(child, known))


def _named(mark: str, symbol: Node) -> Node:
    if isinstance(symbol, Name):
        return replace(symbol, base=f"{mark} {symbol.base}")
    assert isinstance(symbol, Indexed | Tagged)
    return replace(symbol, base=_named(mark, symbol.base))
