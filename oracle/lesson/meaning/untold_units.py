r"""Units of which a lesson writes partials alone: ∂E/∂w_{ji} = δ_j o_i beside δ_j = ∂o_j/∂net_j Σ_k δ_k w_{kj}.

No forward equation says what o_j and net_j are; what the partials are made of says it: w leads from unit i to unit j,
and what unit i puts out goes with the error signal of unit j.
"""

from collections.abc import Iterator

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.unit_names import AnyUnit
from oracle.lesson.meaning.usage import SIGNALS
from oracle.lesson.syntax import Call, Derivative, Name, Node, Prime, Relation, Sum


def untold(bodies: list[Relation]) -> Iterator[AnyUnit]:
    """The names of units whose error signals are summed over the units above, and of which nothing else is said."""
    made = {body.items[0].base for body in bodies if isinstance(body.items[0], Ref)}
    for w, out, from_first in dict.fromkeys(found for body in bodies for found in _steps(body)):
        nets = [net for body in bodies for net in _nets(body, out)]
        if out not in made and nets and nets[0] not in made and any(_sent_back(body, w) for body in bodies):
            yield AnyUnit(out, nets[0], w, from_first)


def _steps(body: Relation) -> Iterator[tuple[str, str, bool]]:
    """The w and o of ∂E/∂w_{ji} = δ_j o_i, and whether w_{ij} leads from i."""
    match body.items[0]:
        case Derivative(of=Ref(), wrt=(Ref(base=w, slots=(), subs=(Name(base=a), Name(base=b))),)):
            if core(w) in PARAMETER_LETTERS and a != b:
                for item in body.items[1:]:
                    single = [p for p in item.walk() if isinstance(p, Ref) and len(p.subs) == 1 and not p.slots]
                    signals = {p.subs for p in single if core(p.base) in SIGNALS}
                    outs = [p for p in single if core(p.base) not in SIGNALS and p.subs not in signals]
                    for p in outs:
                        if p.subs in ((Name(a),), (Name(b),)) and len(signals) == 1:
                            yield w, p.base, p.subs == (Name(a),)


def _nets(body: Relation, out: str) -> Iterator[str]:
    """The net of ∂o_j/∂net_j, or of f'(net_j)."""
    for part in body.walk():
        match part:
            case Derivative(of=Ref(base=of, subs=here), wrt=(Ref(base=net, subs=there, slots=()),)):
                if of == out and here == there and len(here) == 1 and net != out:
                    yield net
            case Call(function=Prime(), args=(Ref(base=net, subs=(Name(),), slots=()),)) if net != out:
                yield net


def _sent_back(body: Relation, w: str) -> bool:
    """Whether error signals are summed over the units above: Σ_k δ_k w_{kj}."""
    return any(isinstance(part, Sum) and _weighed(part.body, w) for part in body.walk())


def _weighed(node: Node, w: str) -> bool:
    used = [part for part in node.walk() if isinstance(part, Ref)]
    return any(part.base == w for part in used) and any(core(part.base) in SIGNALS for part in used)
