r"""Losses of which a lesson says only what they are of: L = ℓ(ŷ, y), C = C(a^L), ℒ = Σ_t ℒ_t(y_t, y_t^*).

Each is an arbitrary smooth number of its arguments, and a quantity by its function's name, so that ∂ℒ_t/∂y_t and
∂ℒ/∂y_t are of one thing.
"""

from dataclasses import replace

from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.meaning.losses import LOSS
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref, slots_of, taken_apart
from oracle.lesson.meaning.program import Definition, Program, is_target
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.syntax import Call, Name, Node, rebuilt

NUMBERS = {*LOSS, "l"}
"""What is a loss by its name, and no function of each entry: an R(z) may be one."""


def with_open_losses(program: Program) -> list[Definition]:
    """The definitions of a lesson, every loss in them that is left open a quantity with a definition of its own."""
    found, made = list[Definition](), dict[Ref, Definition]()
    for d in program.definitions:
        body = _opened(d.body, d, program, made) if core(d.head.base) in NUMBERS else d.body
        found.append(replace(d, body=body) if body != d.body else d)  # what defines something is known by its identity
    for d in program.again:  # L = Σ_t L_t here, and Σ_t ℓ(ŷ_t, y_t) there
        if core(d.head.base) in NUMBERS:
            _opened(d.body, d, program, made)
    return [*found, *made.values()]


def _opened(node: Node, within: Definition, program: Program, made: dict[Ref, Definition]) -> Node:
    """A formula with the quantity that an open loss is in the place of its call."""
    if not isinstance(node, Call):
        return node if isinstance(node, Ref | Name) else rebuilt(node, lambda x: _opened(x, within, program, made))
    quantity, args = _quantity(node, program), _arguments(node)
    if quantity is None or not args:
        return rebuilt(node, lambda x: _opened(x, within, program, made))
    anything = Unsaid(args, exact=True, number=True, span=node.span)
    if quantity == within.head and node is within.body:
        return anything
    if quantity.base != within.head.base or quantity.kinds != within.head.kinds:
        made.setdefault(quantity, Definition(quantity, anything, within.number))
    return quantity


def _arguments(call: Call) -> tuple[Ref, ...]:
    """What a loss is of, also inside of other functions: the y and h of ℓ(y, g(h)); none where it has indices."""
    plain = all(isinstance(arg, Ref | Call) for arg in call.args)
    found = [part for arg in call.args for part in arg.walk() if isinstance(part, Ref)]
    return tuple(dict.fromkeys(found)) if plain and not any(ref.subs for ref in found) else ()


def _quantity(call: Call, program: Program) -> Ref | None:
    """The quantity that a function's value is, with the steps or samples of its arguments; None where it is no loss."""
    scripts = taken_apart(call.function)
    named = program.notation.ref(scripts) if scripts is not None else None
    if not isinstance(named, Ref) or named.subs or not (named.base in NUMBERS or _compares(call)):
        return None
    if named.base in NAMED or named.base in program.functions:
        return None
    quantity = replace(named, slots=named.slots or slots_of(call.args), span=call.span)
    known = any(d.head.base == named.base and _says(d, quantity) for d in program.definitions)
    return quantity if not known or named.base == _own(program, call) else None


def _says(definition: Definition, quantity: Ref) -> bool:
    """Whether a definition says what a loss is: of this very step or sample, or L(ŷ, y) = ½ (ŷ - y)² of any."""
    named = {part.base for part in definition.body.walk() if isinstance(part, Name | Ref)}
    return definition.head.kinds == quantity.kinds or quantity.base not in named


def _compares(call: Call) -> bool:
    """Whether a function is of a target and something else: D(ŷ, y)."""
    args = [arg for arg in call.args if isinstance(arg, Ref)]
    return len(args) > 1 and any(is_target(arg.base) for arg in args)


def _own(program: Program, call: Call) -> str:
    """C, where C = C(a^L) is all that is said of it."""
    return next((d.head.base for d in program.definitions if d.body is call), "")
