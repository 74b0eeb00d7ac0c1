"""Batch normalisation, where a lesson leaves out some of its four equations: everybody knows them.

μ = (1/m) Σ_i x_i,  σ² = (1/m) Σ_i (x_i - μ)²,  x̂_i = (x_i - μ) / √(σ² + ε),  y_i = γ x̂_i + β   (Ioffe and Szegedy)
"""

from oracle.lesson.endings import COUNTS, HALF
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Name, Node, Number, Plus, Power, Quotient, Sum, Times

SCALED = ("y", "o", "out", "z", "a")
"""What the normalised values become, the likeliest first."""


def normalisation(usage: Usage, own: Program) -> tuple[Definition, ...]:
    """The equations of batch normalisation in a lesson's letters, where it has γ, β and an x̂_i with one index."""
    hats = [ref for ref in usage.refs if ref.base.startswith("hat ") and len(ref.subs) == 1 and not ref.slots]
    made = {d.head.base for d in own.definitions}
    if not hats or not {"gamma", "beta"} <= usage.kinds.keys():
        return ()
    hat = hats[0]
    x = Ref(hat.base.removeprefix("hat "), (), hat.subs)
    mean = _named(usage, "mu", "")
    square = _named(usage, "sigma", "^2")
    count = next((name for name in COUNTS if name in usage.kinds), "m")
    scaled = next((y for y in SCALED if y != x.base and any(r.base == y and r.subs for r in usage.refs)), "")
    away = Plus((x, mean), (1, -1))
    root = Power(Plus((square, Ref("epsilon")), (1, 1)), HALF)
    four = [
        Definition(mean, _average(x, hat, count)),
        Definition(square, _average(Power(away, Number("2")), hat, count)),
        Definition(hat, Quotient(away, root)),
    ]
    if scaled:
        line = Plus((Times((Ref("gamma"), hat), ("",)), Ref("beta")), (1, 1))
        four.append(Definition(Ref(scaled, (), hat.subs), line))
    return tuple(d for d in four if d.head.base not in made and d.head.base in usage.kinds)


def _named(usage: Usage, begins: str, ends: str) -> Ref:
    """The lesson's mean or variance: μ, μ_B, σ²_B."""
    whole = [ref for ref in usage.refs if not ref.subs and not ref.slots]
    found = [ref.base for ref in whole if ref.base.startswith(begins) and ref.base.endswith(ends)]
    return Ref(min(found, key=len, default=begins + ends))


def _average(body: Node, at: Ref, count: str) -> Node:
    (letter,) = at.subs
    assert isinstance(letter, Name)
    total = Sum((letter,), Number("1"), Ref(count), None, body)
    return Times((Quotient(Number("1"), Ref(count)), total), ("",))
