r"""Error signals that say below of what they are, scripts and all: $\delta_{z_i} = \partial L/\partial z_i$ is δ_z.

So is $\delta_{h_t}$, and $\delta_{z^{[l]}}$; the o_1 of δ_{o_1} is a unit by name, and stays.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from oracle.lesson.meaning.above import symbol_of
from oracle.lesson.syntax import Derivative, Indexed, Name, Node, Number, Statement, Tagged, Text, rebuilt

SIGNALS = {"delta", "Delta", "varepsilon", "epsilon"}


def told_below(statements: Iterable[Statement]) -> set[str]:
    """What the lesson differentiates by, and writes with scripts below an error signal: the z of δ_{z_i}."""
    nodes = [node for s in statements for node in s.body.walk()]
    by = {symbol_of(wrt) for node in nodes if isinstance(node, Derivative) for wrt in node.wrt}
    return by & {symbol_of(below) for node in nodes if (below := _below(node)) is not None} - {""}


def with_names_apart(statement: Statement, names: Collection[str]) -> Statement:
    """A statement in which δ_{z_i} is δ_z with the index i."""
    return replace(statement, body=_apart(statement.body, names)) if names else statement


def _below(node: Node) -> Node | None:
    """The z_i of δ_{z_i}."""
    match node:
        case Indexed(base=Name(base=base), subs=((Indexed() | Tagged()) as below,)) if base in SIGNALS:
            numbered = isinstance(below, Indexed) and all(isinstance(sub, Number) for sub in below.subs)
            return None if numbered else below
    return None


def _apart(node: Node, names: Collection[str]) -> Node:
    below = _below(node)
    if below is None or symbol_of(below) not in names or not isinstance(node, Indexed):
        return rebuilt(node, lambda child: _apart(child, names))
    return replace(_onto(below, node.base), span=node.span)


def _onto(below: Node, signal: Node) -> Node:
    """The scripts of z_i on δ_z."""
    match below:
        case Indexed(base=Name(base=base), subs=subs):
            return Indexed(signal, (Text(base, span=below.span), *subs))
        case Name(base=base):
            return Indexed(signal, (Text(base, span=below.span),))
        case Indexed(base=base) | Tagged(base=base):
            return replace(below, base=_onto(base, signal))
    return signal
