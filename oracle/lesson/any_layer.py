r"""Sections on any layer in a lesson whose example has layers of its own: δ^l = (W^{l+1})ᵀ δ^{l+1} ⊙ σ'(z^l), and in
another section a^1 = ReLU(z^1), z^2 = W^2 a^1 + b^2 and a^2 = sigmoid(z^2).

The net of such a section has no layer that is the example's; but z^l = W^l a^{l-1} + b^l is said by the example.
"""

from collections.abc import Iterator
from dataclasses import replace

from oracle.lesson.meaning.notation import Ref, letters
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Name, Node, Number, Plus, rebuilt


def of_any_layer(own: Program, here: Usage) -> Program | None:
    """The lesson's program without its example's layers; None where this section is not of any layer alone."""
    used = {letter for ref in here.refs for kind, slot in ref.slots if kind == "layer" for letter in letters(slot)}
    used -= own.last("layer")
    if not used or any(_number(ref) for ref in here.refs):
        return None
    examples = [d for d in own.definitions if d.number not in own.here and _number(d.head)]
    if not examples:
        return None
    kept = [d for d in own.definitions if d not in examples]
    known = {(d.head.base, d.head.kinds) for d in kept}
    general = (*_generally(examples, min(used)), *_activated(examples, min(used), here))
    said = [d for d in general if (d.head.base, d.head.kinds) not in known]
    return replace(own, definitions=kept + said)


def _generally(examples: list[Definition], letter: str) -> Iterator[Definition]:
    """What the last example says of its layer and the one below it, of any: z^l = W^l a^{l-1} + b^l."""
    for base in {d.head.base: None for d in examples}:
        last = max((d for d in examples if d.head.base == base), key=lambda d: _number(d.head))
        below = {_number(part) for part in last.body.walk() if isinstance(part, Ref) and part.slots}
        n = _number(last.head)
        if below == {n, n - 1} and not isinstance(last.body, Call):
            head = _lettered(last.head, n, letter)
            assert isinstance(head, Ref)
            yield replace(last, head=head, body=_lettered(last.body, n, letter), others=())


def _activated(examples: list[Definition], letter: str, here: Usage) -> Iterator[Definition]:
    """The a^l = σ(z^l) of a^1 = ReLU(z^1) and a^2 = sigmoid(z^2), where σ' is what this section has the slope of."""
    names = [Name(name) for name in here.slopes]
    for base in {d.head.base: None for d in examples}:
        calls = [(d.head, d.body) for d in examples if d.head.base == base and isinstance(d.body, Call)]
        of = {_lettered(arg, _number(head), letter) for head, call in calls for arg in call.args}
        if calls and len(of) == len(names) == 1:
            head = _lettered(calls[0][0], _number(calls[0][0]), letter)
            assert isinstance(head, Ref)
            yield Definition(head, Call(names[0], tuple(of)))


def _number(ref: Ref) -> int:
    """The number of the layer of a symbol; 0 of a letter, of the inputs, and of what has no layer."""
    slot = dict(ref.slots).get("layer")
    return int(slot.text) if isinstance(slot, Number) and slot.text.isdigit() else 0


def _lettered(node: Node, n: int, letter: str) -> Node:
    """l for layer n, and l - 1 for the one below it."""
    if isinstance(node, Ref) and _number(node):
        one = Name(letter)
        slot = one if _number(node) == n else Plus((one, Number("1")), (1, -1))
        return replace(node, slots=tuple((kind, slot if kind == "layer" else at) for kind, at in node.slots))
    return rebuilt(node, lambda child: _lettered(child, n, letter))
