r"""Definitions of functions that make a vector of a vector: s(x)_i = …, softmax(z_i) = e^{z_i} / Σ_j e^{z_j}."""

from dataclasses import replace

from oracle.lesson.meaning.bare_functions import ARGUMENT
from oracle.lesson.meaning.calculus import ELEMENTWISE, NAMED
from oracle.lesson.meaning.limits import free
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import FunctionDefinition
from oracle.lesson.syntax import (
    Call,
    Dots,
    Indexed,
    Matrix,
    Name,
    Node,
    Norm,
    Number,
    Prime,
    Quotient,
    Sum,
    Tagged,
    Times,
    Transpose,
    rebuilt,
)  # fmt: skip


def whole_function(head: Node, body: Node, number: int) -> FunctionDefinition | None:
    """The function that a left side defines, if it is one of a whole vector; σ(z)_i = σ(z_i) defines none."""
    match head:
        case Indexed(base=Call(function=Name(base=name), args=(Ref(subs=()) as of,)), subs=subs):
            pass
        case Call(function=Indexed(base=Name(base=name), subs=subs), args=(Ref(subs=()) as of,)):
            pass
        case Call(function=Name(base=name), args=(Ref(subs=(_,) as subs) as given,)) if _summed(given, body):
            of = Ref(given.base, given.slots, span=given.span)
        case Call(function=Name(base=name), args=(Ref(subs=()) as of,)) if letter := loose_entry(of, body):
            subs = (Name(letter),)
        case Call(function=Name(base=name), args=(Ref(subs=(), slots=()) as of,)) if letter := _spread(of, body):
            return FunctionDefinition(name, (of,), _each_entry(body, of, letter), number, (Name(letter),))
        case _:
            return None
    named = all(isinstance(sub, Name) for sub in subs) and len(subs) == 1
    inside = named and any(isinstance(part, Ref) and part.base == of.base and part.subs for part in body.walk())
    elementwise = any(isinstance(part, Call) and part.function == Name(name) for part in body.walk())
    return FunctionDefinition(name, (of,), body, number, subs) if inside and not elementwise else None


def loose_entry(of: Ref, body: Node) -> str:
    """The i of σ(v) = e^{v_i} / Σ_j e^{v_j}, whose entry i is meant; "" where there is no such letter."""
    parts = [*body.walk()]
    listed = any(isinstance(part, Matrix) for part in parts)
    found = free(body) if any(isinstance(part, Sum) for part in parts) and not listed else set[str]()
    mine = {ref.subs for ref in body.walk() if isinstance(ref, Ref) and ref.base == of.base and ref.slots == of.slots}
    letter = next(iter(found)) if len(found) == 1 else ""
    return letter if (Name(letter),) in mine else ""


def _spread(of: Ref, body: Node) -> str:
    r"""A letter for the entries of z in e^z / Σ_j e^{z_j}, which has one z for all; "" where it is no such body."""
    used = {part for part in body.walk() if isinstance(part, Name)}
    letter = next(letter for letter in "iknpqrs" if Name(letter) not in used)
    over = isinstance(body, Quotient) and _summed(of, body.under) and Ref(of.base) in body.over.walk()
    return letter if over else ""


def _each_entry(node: Node, of: Ref, letter: str) -> Node:
    if node == of:
        return replace(of, subs=(Name(letter),))
    return node if isinstance(node, Ref) else rebuilt(node, lambda child: _each_entry(child, of, letter))


def listed_function(head: Node, body: Node, number: int) -> FunctionDefinition | None:
    r"""The function that φ(z) = (e^{z_1} / Σ_j e^{z_j}, …, e^{z_n} / Σ_j e^{z_j})^T defines, if its cells are alike."""
    match head, body.base if isinstance(body, Transpose) else body:
        case Call(function=Name(base=name), args=(Ref(subs=(), slots=()) as of,)), Matrix(rows=rows):
            cells = [cell for row in rows for cell in row if not isinstance(cell, Dots)]
        case _:
            return None
    if len(cells) < 2 or 1 not in (len(rows), max(map(len, rows))):
        return None
    letter = next(letter for letter in "iknpq" if Name(letter) not in {part for cell in cells for part in cell.walk()})
    entries = {_entry(cell, of, _label(cell, of), letter) for cell in cells}
    return FunctionDefinition(name, (of,), entries.pop(), number, (Name(letter),)) if len(entries) == 1 else None


def chosen_function(head: Node, body: Node, number: int) -> FunctionDefinition | None:
    """The function that g = tanh chooses, and that all g_i = tanh are."""
    match head, body:
        case Ref(base=g, slots=(), subs=() | (Name(),)), Ref(base=name, slots=(), subs=()) | Name(base=name) if (
            name in NAMED
        ):
            return FunctionDefinition(g, (ARGUMENT,), Call(Name(name), (ARGUMENT,), span=body.span), number)
    return None


def sloped_alike(head: Node, body: Node, number: int) -> FunctionDefinition | None:
    r"""The function that f'(a) = \tanh'(a) chooses."""
    match head, body:
        case Call(function=Prime(base=Name(base=f)), args=given), Call(function=Prime(base=Name(base=name)), args=same):
            if given == same and name in NAMED and f not in NAMED:
                return FunctionDefinition(f, (ARGUMENT,), Call(Name(name), (ARGUMENT,), span=body.span), number)
    return None


def chosen_in_a_layer(head: Node, body: Node) -> bool:
    """Whether g^{[1]}(z) = tanh(z) says which function is meant in a layer."""
    match head, body:
        case Call(function=Tagged(base=Name()), args=given), Call(function=Name(base=name), args=same):
            return given == same and name in ELEMENTWISE
    return False


def _label(cell: Node, of: Ref) -> str:
    """The 1 of z_1, by which a cell is another than the next."""
    labels = [part.base.partition("_")[2] for part in cell.walk() if isinstance(part, Ref) and part.subs == ()]
    named = [sub.text if isinstance(sub, Number) else sub.base for part in cell.walk() if isinstance(part, Ref)
             and part.base == of.base for sub in part.subs if isinstance(sub, Number | Name)]  # fmt: skip
    bound = {name.base for part in cell.walk() if isinstance(part, Sum) for name in part.indices}
    return next((label for label in (*labels, *named) if label and label not in bound), "")


def _entry(node: Node, of: Ref, label: str, letter: str) -> Node:
    """A cell with the letter of an index in the place of its own number."""
    if isinstance(node, Ref):
        entry = (Name(letter),)
        there = node.base == of.base and node.subs in ((Number(label),), (Name(label),))
        return replace(node, base=of.base, subs=entry) if there or node.base == f"{of.base}_{label}" else node
    return rebuilt(node, lambda child: _entry(child, of, label, letter))


def is_form(given: Ref, body: Node) -> bool:
    """Whether a body makes a number of a whole vector: x^T A x, b^T x, the square of ‖A x - b‖."""
    if given.subs or given.slots:
        return False
    norms = any(isinstance(part, Norm) and part.kind != "abs" for part in body.walk())
    products = [part for part in body.walk() if isinstance(part, Times)]
    inner = any(isinstance(part.factors[0], Transpose) and part.factors[-1] == given for part in products)
    return norms or (inner and all(not isinstance(part, Call) for part in body.walk()))


def is_jacobian(head: Node) -> bool:
    """Whether a call is J_x(s), all partials of a vector by a vector."""
    match head:
        case Call(
            function=Indexed(base=Name(base="J" | "bb J" | "cal J", bold=bold), subs=(Name(bold=other),)), args=(Ref(),)
        ):
            return bold or other
    return False


def _summed(given: Ref, body: Node) -> bool:
    """Whether a sum goes over the other entries of an argument: then all of it is the argument."""
    sums = (part for part in body.walk() if isinstance(part, Sum))
    return any(
        isinstance(ref, Ref) and ref.base == given.base and ref.subs != given.subs
        for s in sums
        for ref in s.body.walk()
    )
