r"""Quantities of which a lesson says only what they depend on: ∂L/∂a beside a loss that is never written down.

Such a quantity is an arbitrary smooth function of what it is differentiated by, so that the chain rule can be held
against autograd, and nothing that would need to know the function. `o_j`, differentiated by `net_j`, is a function of
its own net alone; `z_k`, differentiated by `a_j`, of every a.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch

from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.meaning.listed import listed
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.notation import Ref, slots_of, taken_apart
from oracle.lesson.meaning.program import TARGETS, Definition, Program, written
from oracle.lesson.meaning.units_meant import every_layer
from oracle.lesson.meaning.usage import ACTIVATION_NAMES, Usage
from oracle.lesson.meaning.values import Tensor, Value
from oracle.lesson.syntax import Call, Name, Node, Plus, Sum, Times

LARGE = 10.0
"""Many large entries are scaled down, so that a logarithm of what is made of the function stays finite."""


@dataclass(frozen=True)
class Unsaid(Node):
    """An arbitrary smooth function of some quantities."""

    args: tuple[Ref, ...]
    exact: bool = False
    """Whether the lesson lists its arguments."""
    number: bool = False
    """Whether it is a loss of its arguments, and of nothing else: L = ℓ(ŷ, y)."""


def unsaid(program: Program, here: Usage, lesson: Usage) -> list[Definition]:
    """What a program lacks of the quantities that are differentiated: first as this section does it."""
    made, circles = _acyclic(program, here, lesson, False)
    several = any(_several(program, arg) for d in made if isinstance(d.body, Unsaid) for arg in d.body.args)
    return _acyclic(program, here, lesson, True)[0] if circles or several else made


def _several(program: Program, arg: Ref) -> bool:
    """Whether y_k(a_j) is of an a_j beside which the net has an a_l, made of it."""
    heads = {d.head.subs for d in program.definitions if (d.head.base, d.head.kinds) == (arg.base, arg.kinds)}
    return len(heads - {()}) > 1 and "layer" not in arg.kinds and len(arg.subs) == 1


def _acyclic(program: Program, here: Usage, lesson: Usage, letters: bool) -> tuple[list[Definition], set[str]]:
    """Arbitrary functions, and what would depend on itself; with `letters`, z_j and z_k are two quantities."""
    all_over = _by_head(program, lesson, letters)
    found = [_with_made(d, all_over, program, letters) for d in _by_head(program, here, letters)]
    near = {d.head.base for d in found}
    wanted = {written(ref) for ref in here.refs} | {
        written(s.loss) for s in program.signals.values() if isinstance(s.loss, Ref)
    }
    more = [d for d in all_over if d.head.base not in near and written(d.head) in wanted]
    below = dependencies([*program.definitions, *found, *more], letters)
    circles = {d.head.base for d in (*found, *more) if identity(d.head, letters) in below[identity(d.head, letters)]}
    return [_reduced(d, below, letters) for d in (*found, *more) if d.head.base not in circles], circles


def _with_made(d: Definition, lesson: list[Definition], program: Program, letters: bool) -> Definition:
    """L(W, z), where this section has L(W) alone, and z, by which other sections differentiate L, is made of W."""
    assert isinstance(d.body, Unsaid)
    given = {identity(arg, letters) for arg in d.body.args}
    below = dependencies(program.definitions, letters)
    others = (o.body.args for o in lesson if written(o.head) == written(d.head) and isinstance(o.body, Unsaid))
    more = [arg for args in others for arg in args if below.get(identity(arg, letters), set()) & given]
    made = tuple(arg for arg in dict.fromkeys(more) if identity(arg, letters) not in given)
    return replace(d, body=replace(d.body, args=(*d.body.args, *made)))


def _by_head(program: Program, usage: Usage, letters: bool) -> list[Definition]:
    """Every undefined quantity, as a function of all that it is differentiated by."""
    heads: dict[object, tuple[Ref, bool, dict[object, Ref]]] = {}
    each, together = summands(program), listed(program)
    for exact, pairs in ((True, usage.nested), (False, [*usage.partials, *_signalled(program, usage)])):
        for of, wrt in pairs:
            wrt = replace(wrt, base=program.aliases.get(wrt.base, wrt.base))
            if of in each and wrt.kinds == each[of].kinds and wrt.base not in program.copies:
                of, wrt = each[of], replace(wrt, slots=each[of].slots)
            if any(isinstance(sub, Plus) for sub in wrt.subs) or any(
                {of.base, wrt.base} <= names for names in together
            ):
                continue
            applied = usage.functions[of.base] and not exact and (of.subs or of.base in ACTIVATION_NAMES)
            if of.base == wrt.base or applied or not _open(program, of) or wrt.base in program.functions:
                continue
            beside = of.base in LOSSES and any(d.head.base == of.base for d in program.definitions)
            if not of.kinds and (beside or any(ref.base == of.base and ref.kinds for ref in usage.refs)):
                continue  # E is E_3 where that stands beside it
            _, closed, args = heads.setdefault((written(of), identity(of, letters)), (of, exact, {}))
            for arg in every_layer(program, wrt) if exact or not closed else ():
                key = (arg.base, arg.kinds, set(of.subs) >= set(arg.subs), identity(arg, letters))
                if _earlier(args.setdefault(key, arg), arg):
                    args[key] = arg
    between = {(of.base, wrt.base) for of, wrt in usage.partials}
    known = {part.base for d in program.definitions for part in (d.head, *d.body.walk()) if isinstance(part, Ref)}

    def through(wrt: Ref, args: Iterable[Ref]) -> bool:
        """Whether it is the t of df/dt = df/dx dx/dt, where x is made of something else."""
        return wrt.base not in known and any((x.base, wrt.base) in between and x.base in known for x in args)

    found = (
        (of, exact, [x for x in args.values() if not through(x, args.values())]) for of, exact, args in heads.values()
    )
    return [Definition(of, Unsaid(tuple(args), exact)) for of, exact, args in found]


def _earlier(known: Ref, other: Ref) -> bool:
    """Whether what is known is h_{t-1}, and the other h_t: what the loss is of is made of it."""
    pairs = [(a, b) for (_, a), (_, b) in zip(known.slots, other.slots, strict=True) if a != b]
    return bool(pairs) and all(isinstance(a, Plus) and isinstance(b, Name) for a, b in pairs)


def summands(program: Program) -> dict[Ref, Ref]:
    """Of every loss that is a sum over the steps, the open loss of one step: the L_t of L = Σ_t L_t."""
    found: dict[Ref, Ref] = {}
    for d in program.definitions:
        part: Node | None = d.body
        while isinstance(part, Times) and len(part.factors) == 2:  # 1/T Σ_t L_t
            part = part.factors[-1]
        match part:
            case Sum(body=Ref(subs=()) as loss, product=False) if loss.kinds == ("time",) and loss.base in LOSSES:
                if not d.head.slots and not program.defines(loss.base, loss.kinds):
                    found[d.head] = loss
    return found


def _signalled(program: Program, usage: Usage) -> Iterable[tuple[Ref, Ref]]:
    """The loss with all of which a lesson names the partial: dx_i, dγ, δh_t."""
    for ref in usage.refs:
        signal = program.signal(ref) if usage.notation.markers else None
        if signal and isinstance(signal.loss, Ref):
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
    if of.base in program.notation.sample_losses.letters and program.defines(of.base, (*of.kinds, "sample")):
        return False
    if of.base in TARGETS and program.defines(f"hat {of.base}", of.kinds):
        return False
    return not (program.defines(of.base, of.kinds) or program.is_function(of) or program.signal(of))


def identity(ref: Ref, letters: bool) -> tuple[object, ...]:
    """What tells a quantity from others: its name and kinds of slots, and with `letters` its indices."""
    return (ref.base, ref.kinds, *ref.subs) if letters else (ref.base, ref.kinds)


def open_loss(program: Program, call: Call) -> Ref | None:
    """The quantity that ℓ(ŷ_t, y_t) is where nothing more is said of ℓ; None of any other function."""
    scripts = taken_apart(call.function)
    named = program.notation.ref(scripts) if scripts is not None else None
    if not isinstance(named, Ref):
        return None
    for slots in (named.slots, slots_of(call.args)):
        kinds = tuple(kind for kind, _ in slots)
        for d in program.definitions:
            if isinstance(d.body, Unsaid) and d.body.number and (d.head.base, d.head.kinds) == (named.base, kinds):
                return Ref(named.base, slots, span=call.span)
    return None


def dependencies(definitions: Iterable[Definition], letters: bool = False) -> dict[object, set[object]]:
    """Of every quantity, all that it is made of at the same layer and step."""
    below: dict[object, set[object]] = {}
    for d in definitions:
        refs = (n for n in d.body.walk() if isinstance(n, Ref))
        used = (n for n in refs if not n.slots or n.slots == d.head.slots or n.kinds != d.head.kinds)
        head = identity(d.head, letters)
        below.setdefault(head, set()).update(key for n in used if (key := identity(n, letters)) != head)
    for _ in range(len(below)):
        for made in below.values():
            made |= {deep for key in tuple(made) for deep in below.get(key, ())}
    return below


def _reduced(d: Definition, below: Mapping[object, set[object]], letters: bool) -> Definition:
    """Without the quantities that it depends on through others, and without z beside z_i."""
    assert isinstance(d.body, Unsaid)
    through = {arg: below.get(identity(arg, letters), set()) for arg in d.body.args}
    indexed = {arg.base for arg in d.body.args if arg.subs}
    args = tuple(
        arg for arg in d.body.args
        if not any(identity(arg, letters) in used for other, used in through.items() if other != arg)
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
        data = data / max(1.0, float(data.detach().abs().max()) * width**0.5 / LARGE)
        steps = torch.arange(out.numel() * width, dtype=torch.float64).reshape((*sizes, width))
        weights = (0.8 + 0.4 * torch.cos(1.7 * steps + k)) / width**0.5
        line = (weights * (data + 0.3 * data**2)).sum(-1)
        out = out * (1 + 0.3 * line) + torch.tanh(line) + 0.2 * line**2
    return out
