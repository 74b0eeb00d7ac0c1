r"""Labels above a symbol: W^{(hh)}, W^{\text{in}}, the gate's W^{(f)}, and the target y^*.

A word above, or letters side by side, tell one quantity from another as they would below it. What marks the same
parameter before and after a step (w^{new}) stays a mark.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from oracle.lesson.formula.symbols import GREEK
from oracle.lesson.syntax import Indexed, Marked, Name, Node, Power, Statement, Tagged, Text, Times, rebuilt

STEPS = {"t", "tau"}
PARAMETERS = {"W", "w", "U", "u", "V", "v", "b", "B", "A", "theta", "Theta", "P", "R"}
RENEWED = {"new", "old", "next", "prev", "previous", "current", "updated", "before", "after", "+", "-", "dagger"}
BESIDE = {"next", "prev", "previous"}
"""What stands above a part of something else, where it is no parameter: dh_t^{next} comes from the next step."""
STARS = {"*", "star", "ast"}
INDICES = set("ijklmnpqrst")
POWERED = {"e", "pi", "alpha", "beta", "lambda", "gamma", "eta", "epsilon"}
"""What is raised to a power and carries no label."""
COUNTING = {"L", "N", "D", "K", "M", "T", "H"}
"""Capitals that stand for a number of layers, steps or units."""


@dataclass(frozen=True)
class Stepped:
    """What has steps in a lesson."""

    names: frozenset[str] = frozenset()
    """h of h_t, and c of c̃^{(t)}: a parameter with such a letter above it is that quantity's."""
    gates: frozenset[str] = frozenset()
    """a of a_t^h beside a_t^z: what goes into the one or the other, by the letter above it."""


def stepped_names(statements: Iterable[Statement]) -> Stepped:
    """The quantities of a lesson that have steps."""
    names, above = set[str](), set[tuple[str, str]]()
    for node in (node for s in statements for node in s.body.walk()):
        scripts = node.subs if isinstance(node, Indexed) else (node.tag,) if isinstance(node, Tagged) else ()
        counted = any(isinstance(x, Name) and x.base in STEPS for script in scripts for x in script.walk())
        if counted and (core := symbol_of(node)):
            names.add(core.split(" ")[-1])
        if (told := _told(node)) and (core := symbol_of(node)):
            above.add((core, told))
    gates = {core for core, told in above if told in names and told not in STEPS}
    several = {core for core in gates if sum(other == core and told in names for other, told in above) > 1}
    return Stepped(frozenset(names - STEPS), frozenset(several - PARAMETERS))


def _told(node: Node) -> str:
    """The z of a_t^z."""
    match node:
        case Power(base=Indexed(subs=subs), exponent=Name(base=base)) if STEPS & {
            x.base for sub in subs for x in sub.walk() if isinstance(x, Name)
        }:
            return base
        case Indexed(base=Power(exponent=Name(base=base)), subs=subs) if STEPS & {
            x.base for sub in subs for x in sub.walk() if isinstance(x, Name)
        }:
            return base
    return ""


def with_labels(node: Node, stepped: Stepped) -> Node:
    """A formula in which labels above symbols stand below them."""
    node = rebuilt(node, lambda child: with_labels(child, stepped))
    core = symbol_of(node) if isinstance(node, Marked | Tagged | Power) else ""
    if isinstance(node, Marked | Tagged | Power) and core and (word := _label(node, core, stepped)):
        return _below(node.base, word)
    return node


def _label(node: Marked | Tagged | Power, core: str, stepped: Stepped) -> str:
    """What stands above a symbol and only says which one it is; "" for layers, steps, samples, powers and marks."""
    if isinstance(node, Marked):
        star = node.mark in STARS
        if node.mark in BESIDE and core not in PARAMETERS:
            return node.mark
        return "" if node.mark in RENEWED or (star and core in PARAMETERS) else "*" if star else node.mark
    script = node.tag if isinstance(node, Tagged) else node.exponent
    if core in POWERED:
        return ""
    match script:
        case Name(base=base) if core in PARAMETERS and stepped.names:
            capital = isinstance(node, Tagged) and len(base) == 1 and base.isupper() and base not in COUNTING
            return base if base in stepped.names or capital else ""
        case Name(base=base) if core in stepped.gates and base in stepped.names:
            return base
        case Name(base=base) if isinstance(node, Tagged) and len(base) > 2 and base.isalpha() and base.isascii():
            return "" if base in RENEWED or base in GREEK else base
        case Times(factors=factors, ops=ops) if not any(ops):
            return _spelled(factors, core)
    return ""


def _spelled(factors: tuple[Node, ...], core: str) -> str:
    """hh of W^{hh}, in of z^{in}, hid of z^{hid}; "" where the letters are indices, or a product is meant."""
    letters = [x.base for x in factors if isinstance(x, Name)]
    word = "".join(letters)
    plain = len(letters) == len(factors) and all(len(x) == 1 for x in letters)
    long_enough = core in PARAMETERS or len(letters) > 2
    return word if plain and (word == "in" or (long_enough and not {*letters} <= INDICES)) else ""


def _below(node: Node, word: str) -> Node:
    """A symbol with a label behind all that stands below it."""
    label = Text(word, span=node.span)
    match node:
        case Name():
            return Indexed(node, (label,), span=node.span)
        case Indexed(base=base, subs=subs) if isinstance(base, Name):
            return Indexed(base, (*subs, label), span=node.span)
        case Indexed(base=base) | Tagged(base=base) | Power(base=base) | Marked(base=base):
            return replace(node, base=_below(base, word))
    return node


def symbol_of(node: Node) -> str:
    """The letter of a symbol; "" of anything else."""
    while isinstance(node, Indexed | Tagged | Power | Marked):
        node = node.base
    return node.base if isinstance(node, Name) else ""
