r"""Quantities of which a lesson says only what they depend on: ∂L/∂a beside a loss that is never written down.

Such a quantity is an arbitrary smooth function of what it is differentiated by, so that the chain rule can be held
against autograd, and nothing that would need to know the function. `o_j`, differentiated by `net_j`, is a function of
its own net alone; `z_k`, differentiated by `a_j`, of every a.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch

from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import TARGETS, Definition, Program, written
from oracle.lesson.meaning.usage import ACTIVATION_NAMES, Usage
from oracle.lesson.meaning.values import Tensor, Value
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Name,
    Negative,
    Node,
    Plus,
    Quotient,
    Sum,
    Times,
    Transpose,
)  # fmt: skip


@dataclass(frozen=True)
class Unsaid(Node):
    """An arbitrary smooth function of some quantities."""

    args: tuple[Ref, ...]
    exact: bool = False
    """Whether the lesson lists its arguments."""


def unsaid(program: Program, here: Usage, lesson: Usage) -> list[Definition]:
    """What a program lacks of the quantities that are differentiated: first as this section does it."""
    made, circles = _acyclic(program, here, lesson, False)
    return _acyclic(program, here, lesson, True)[0] if circles else made


def _acyclic(program: Program, here: Usage, lesson: Usage, letters: bool) -> tuple[list[Definition], set[str]]:
    """Arbitrary functions, and what would depend on itself; with `letters`, z_j and z_k are two quantities."""
    found = _by_head(program, here, letters)
    near = {d.head.base for d in found}
    wanted = {written(ref) for ref in here.refs} | {
        written(s.loss) for s in program.signals.values() if isinstance(s.loss, Ref)
    }
    more = [d for d in _by_head(program, lesson, letters) if d.head.base not in near and written(d.head) in wanted]
    below = dependencies([*program.definitions, *found, *more], letters)
    circles = {d.head.base for d in (*found, *more) if _key(d.head, letters) in below[_key(d.head, letters)]}
    return [_reduced(d, below, letters) for d in (*found, *more) if d.head.base not in circles], circles


def _by_head(program: Program, usage: Usage, letters: bool) -> list[Definition]:
    """Every undefined quantity, as a function of all that it is differentiated by."""
    heads: dict[object, tuple[Ref, bool, dict[object, Ref]]] = {}
    for exact, pairs in ((True, usage.nested), (False, [*usage.partials, *_signalled(program, usage)])):
        for of, wrt in pairs:
            wrt = replace(wrt, base=program.aliases.get(wrt.base, wrt.base))
            if any(isinstance(sub, Plus) for sub in wrt.subs):
                continue
            applied = usage.functions[of.base] and not exact and (of.subs or of.base in ACTIVATION_NAMES)
            if of.base == wrt.base or applied or not _open(program, of) or wrt.base in program.functions:
                continue
            beside = of.base in LOSSES and any(d.head.base == of.base for d in program.definitions)
            if not of.kinds and (beside or any(ref.base == of.base and ref.kinds for ref in usage.refs)):
                continue  # E is E_3 where that stands beside it
            _, closed, args = heads.setdefault((written(of), _key(of, letters)), (of, exact, {}))
            if exact or not closed:
                args.setdefault((wrt.base, wrt.kinds, set(of.subs) >= set(wrt.subs), _key(wrt, letters)), wrt)
    return [Definition(of, Unsaid(tuple(args.values()), exact)) for of, exact, args in heads.values()]


def _signalled(program: Program, usage: Usage) -> Iterable[tuple[Ref, Ref]]:
    """The loss with all of which a lesson names the partial, where only the names say so: dx_i, dγ."""
    for ref in usage.refs:
        signal = program.signal(ref) if usage.notation.markers else None
        if signal and isinstance(signal.loss, Ref) and not signal.said:
            yield signal.loss, replace(ref, base=signal.of)


def _open(program: Program, of: Ref) -> bool:
    """Whether nothing says what a symbol is."""
    if (
        of.mark
        or of.base in NAMED
        or of.base in {*program.aliases, *program.columns}
        or not all(isinstance(sub, Name) for sub in of.subs)
    ):
        return False
    if of.base in TARGETS and program.defines(f"hat {of.base}", of.kinds):
        return False
    return not (program.defines(of.base, of.kinds) or program.is_function(of) or program.signal(of))


def _key(ref: Ref, letters: bool) -> tuple[object, ...]:
    return (ref.base, ref.kinds, *ref.subs) if letters else (ref.base, ref.kinds)


def dependencies(definitions: Iterable[Definition], letters: bool = False) -> dict[object, set[object]]:
    """Of every quantity, all that it is made of at the same layer and step."""
    below: dict[object, set[object]] = {}
    for d in definitions:
        refs = (n for n in d.body.walk() if isinstance(n, Ref))
        used = (n for n in refs if not n.slots or n.slots == d.head.slots or n.kinds != d.head.kinds)
        head = _key(d.head, letters)
        below.setdefault(head, set()).update(key for n in used if (key := _key(n, letters)) != head)
    for _ in range(len(below)):
        for made in below.values():
            made |= {deep for key in tuple(made) for deep in below.get(key, ())}
    return below


def _reduced(d: Definition, below: Mapping[object, set[object]], letters: bool) -> Definition:
    """Without the quantities that it depends on through others, and without z beside z_i."""
    assert isinstance(d.body, Unsaid)
    through = {arg: below.get(_key(arg, letters), set()) for arg in d.body.args}
    indexed = {arg.base for arg in d.body.args if arg.subs}
    args = tuple(
        arg for arg in d.body.args
        if not any(_key(arg, letters) in used for other, used in through.items() if other != arg)
        and (arg.subs or arg.base not in indexed)
    )  # fmt: skip
    return replace(d, body=replace(d.body, args=args))


# ---------------------------------------------------------------------------------------------------------- arithmetic


def mixed(args: list[Value], names: tuple[str, ...], sizes: tuple[int, ...]) -> Tensor:
    """A smooth function of all entries of some values that share no letter of `names`, and of those that do, place by
    place; of shape `sizes`, whose first axes are `names`.
    """
    out = torch.zeros(sizes, dtype=torch.float64)
    for k, arg in enumerate(args):
        assert arg.data is not None
        rest = [n for n in arg.names if n not in names]
        kept = [n for n in names if n in arg.names]
        order = [arg.names.index(n) for n in (*kept, *rest)]
        data = arg.data.permute((*order, *range(len(order), arg.data.dim())))
        lead = [data.shape[kept.index(n)] if n in kept else 1 for n in names]
        data = data.reshape((*lead, *[1] * (len(sizes) - len(names)), -1))
        width = data.shape[-1]
        steps = torch.arange(out.numel() * width, dtype=torch.float64).reshape((*sizes, width))
        weights = (0.8 + 0.4 * torch.cos(1.7 * steps + k)) / width**0.5
        line = (weights * (data + 0.3 * data**2)).sum(-1)
        out = out * (1 + 0.3 * line) + torch.tanh(line) + 0.2 * line**2
    return out


# ----------------------------------------------------------------------------------------------------------- evidence


def proves(program: Program, below: Mapping[object, set[object]], head: Node, member: Node) -> bool:
    """Whether a difference of two formulas says that one is wrong, though some of their quantities are arbitrary.

    It does if every term of both is linear in the partials of the arbitrary function (∂L/∂z); where it stands in the
    middle of a chain, if every term is a chain of partials that leads from the left side's end to its other end.
    `below` are the program's `dependencies`.
    """
    found = {(d.head.base, d.head.kinds): d.body.exact for d in program.definitions if isinstance(d.body, Unsaid)}
    if not found and not program.unclear:
        return True
    used = _mentioned(program, head) | _mentioned(program, member)
    reached = used | {deep for symbol in used for deep in below.get(symbol, ())}
    unclear = {(head.base, head.kinds) for head in program.unclear - {d.head for d in program.definitions}}
    if unclear & reached:
        return False
    touched = {symbol for symbol, exact in found.items() if not exact and symbol in reached}
    inner = {symbol for symbol in touched if any(symbol in deep for deep in below.values())}
    crossed = {symbol for symbol in inner if below.get(symbol, set()) & _ends_of_partials(program, head, member)}
    touched -= inner - crossed
    inner = crossed
    if inner and not _chains(program, head, member):
        return False
    if any(_between_arguments(program, symbol, head, member) for symbol in touched - inner):
        return False
    return all(_carries(program, side, symbol) for symbol in touched - inner for side in (head, member))


def _between_arguments(program: Program, symbol: object, *sides: Node) -> bool:
    """Whether ∂f/∂β is told by ∂f/∂y, where nobody knows how y depends on β."""
    made = [d.body for d in program.definitions if isinstance(d.body, Unsaid) and (d.head.base, d.head.kinds) == symbol]
    args = {(arg.base, arg.kinds) for body in made for arg in body.args} & _ends_of_partials(program, *sides)
    bodies = [d.body for d in program.definitions if not isinstance(d.body, Unsaid)]
    known = {(d.head.base, d.head.kinds) for d in program.definitions}
    known |= {(n.base, n.kinds) for body in bodies for n in body.walk() if isinstance(n, Ref)}
    return len(args) > 1 and not args <= known


def _ends_of_partials(program: Program, *sides: Node) -> set[object]:
    """By what is differentiated: a function that no partial goes through is as good as a number."""
    nodes = [node for side in sides for node in side.walk()]
    wrt = [w for node in nodes if isinstance(node, Derivative) for w in node.wrt if isinstance(w, Ref)]
    wrt += [node.wrt for node in nodes if isinstance(node, Gradient) and isinstance(node.wrt, Ref)]
    signals = [(node, s) for node in nodes if isinstance(node, Ref) and (s := program.signal(node))]
    return {(w.base, w.kinds) for w in wrt} | {(s.of, node.kinds) for node, s in signals}


Symbol = tuple[str, tuple[str, ...]]
"""A base and the kinds of its slots."""


def _mentioned(program: Program, node: Node) -> set[Symbol]:
    refs = [part for part in node.walk() if isinstance(part, Ref)]
    signals = [(ref, s) for ref in refs if (s := program.signal(ref))]
    called = {part.function.base for part in node.walk() if isinstance(part, Call) and isinstance(part.function, Name)}
    return (
        {(ref.base, ref.kinds) for ref in refs}
        | {(d.head.base, d.head.kinds) for d in program.definitions if d.head.base in called}
        | {(s.of, ref.kinds) for ref, s in signals}
        | {(n.base, n.kinds) for _, s in signals for n in s.loss.walk() if isinstance(n, Ref)}
    )


def _partial(program: Program, node: Node) -> Symbol | None:
    """Of which quantity a factor is a partial."""
    match node:
        case Derivative(of=Ref() as of) | Gradient(of=Ref() as of):
            return of.base, of.kinds
        case Derivative(of=Call(function=Name(base=base))):
            return base, ()
        case Ref() if (signal := program.signal(node)) and isinstance(signal.loss, Ref):
            return signal.loss.base, signal.loss.kinds
    return None


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case Negative(body=body) | Sum(body=body) | Transpose(base=body) | Indexed(base=body) | Quotient(over=body):
            return (body,)
        case Times(factors=factors):
            return factors
    return ()


def _carries(program: Program, node: Node, symbol: Symbol) -> bool:
    if _partial(program, node) == symbol:
        return True
    if isinstance(node, Plus):
        return all(_carries(program, term, symbol) for term in node.terms)
    return any(_carries(program, part, symbol) for part in _inside(node))


def _chains(program: Program, head: Node, member: Node) -> bool:
    """Whether a partial of a number is a sum of chains of partials of numbers, each between the same two ends."""
    if not isinstance(head, Derivative) or any(isinstance(part, Ref) and part.subs for part in head.walk()):
        return False
    whole = _ends(head)
    terms = member.terms if isinstance(member, Plus) else (member,)
    return all((ends := _ends(term)) is not None and ends == whole for term in terms)


def _ends(term: Node) -> tuple[Counter[str], Counter[str]] | None:
    """What is left of a chain's numerators and denominators when they are cancelled."""
    over, under = Counter[str](), Counter[str]()
    for factor in term.factors if isinstance(term, Times) else (term,):
        match factor:
            case Derivative(of=Ref(base=a, subs=()), wrt=(Ref(base=b, subs=()),)):
                over[a] += 1
                under[b] += 1
            case Derivative(of=Call(function=Name(base=a)), wrt=(Ref(base=b, subs=()),)):
                over[a] += 1
                under[b] += 1
            case _:
                return None
    return over - under, under - over
