r"""One spelling for symbols that lessons spell in several ways: w_1^{new}, w_{1,new} and w_1(new) are w_1^+."""

import re

from oracle.lesson.formula import to_tex
from oracle.lesson.syntax import Indexed, Marked, Name, Node, Prime, Text, Times, rebuilt

NEW, OLD = {"new", "updated", "next", "neu", "nuevo", "+"}, {"old", "current", "prev", "alt", "initial"}
NESTED = re.compile(r"_\{([A-Za-z]+)_(?:\{(\w+)\}|(\w))\}")


def key(node: Node) -> str:
    r"""The normal form of a symbol; two that print alike are one, and o_{h_1} prints like o_{h1}."""
    bare = re.sub(r"\\text\{(\w+)\}", r"\1", to_tex(node))
    return NESTED.sub(lambda match: f"_{{{match[1]}{match[2] or match[3]}}}", bare)


def normal(node: Node) -> Node:
    """A formula with every symbol that is said to be new or old in its normal form."""
    match node:
        case Marked(base=base, mark=mark) if mark in NEW:
            return Marked(normal(base), "+", span=node.span)
        case Marked(base=base, mark=mark) if mark in OLD:
            return normal(base)
        case Indexed(base=base, subs=subs) if (said := _said(subs)) is not None:
            rest = tuple(sub for sub in map(_unsaid, subs) if sub is not None)
            inner = Indexed(normal(base), rest, span=node.span) if rest else normal(base)
            return Marked(inner, "+", span=node.span) if said in NEW else inner
        case Times(factors=(symbol, Name(base=word)), ops=("",)) if word in NEW | OLD:
            inner = normal(symbol)
            return Marked(inner, "+", span=node.span) if word in NEW else inner
    return rebuilt(node, normal)


def _word(sub: Node) -> str:
    match sub:
        case Name(base=word) | Text(text=word):
            return word
        case Indexed(subs=(inner,)):
            return _word(inner)
    return ""


def _said(subs: tuple[Node, ...]) -> str | None:
    """The word new or old among subscripts, also as a subscript of one."""
    return next((word for word in map(_word, subs) if word in NEW | OLD), None)


def _unsaid(sub: Node) -> Node | None:
    """A subscript without that word; None where it is nothing else."""
    if _word(sub) not in NEW | OLD:
        return sub
    return sub.base if isinstance(sub, Indexed) else None


def unprimed(node: Node) -> Node:
    """w_1' as w_1^+, in a lesson whose updates are spelled so."""
    return Marked(node.base, "+", span=node.span) if isinstance(node, Prime) and node.order == 1 else node
