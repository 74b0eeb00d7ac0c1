"""o = φ(net) = φ(Σ_k w_k x_k): one formula twice, which says what net is; so does C = ½ Σ (y − t)² = ½ Σ (a^L − t)²."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, mentions
from oracle.lesson.meaning.other_letters import in_letters_of
from oracle.lesson.meaning.program import Definition, Program, letters_of
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Derivative, Gradient, Name, Negative, Node, Plus, Relation, Sum, rebuilt

_HOLE = Name("")


def renamed(said: Iterable[tuple[int, Node]], program: Program, usage: Usage) -> list[Definition]:
    """What two members of a chain say by being alike but for one symbol, which nothing else defines."""
    found: dict[str, Definition] = {}
    for number, body in said:
        if not isinstance(body, Relation) or {*body.ops} - {"=", ":="}:
            continue
        for partial, inner in _inside_partials(body):
            if _open(partial, program, usage) and _known(inner, partial, program):
                found.setdefault(partial.base, Definition(partial, inner, number))
        if (last := _last_state(body, program)) and _open(last[0], program, usage):
            found[last[0].base] = Definition(*last, number)
        if not isinstance(body.items[0], Ref | Call):
            continue
        for one, other in zip(body.items[1:], body.items[2:], strict=False):
            pairs = renaming(one, other) or []
            pairs = pairs if len(pairs) == 1 else renaming(_inward(one), _inward(other)) or []
            if len(pairs) != 1:
                continue
            for new, known in (pairs[0], pairs[0][::-1]):
                if isinstance(one, Derivative) and isinstance(new, Ref) and core(new.base) in PARAMETER_LETTERS:
                    continue  # δ = ∂C/∂z = ∂C/∂b: the b of z = W x + b is no z
                own = number in program.here and isinstance(new, Ref) and _of_others(new, known, program)
                if isinstance(new, Ref) and (own or _open(new, program, usage)) and _known(known, new, program):
                    found.setdefault(new.base, Definition(new, known, number))
    heads = {d.head for d in found.values()}
    program.definitions = [d for d in program.definitions if d.head not in heads]
    return list(found.values())


def _last_state(body: Relation, program: Program) -> tuple[Ref, Ref] | None:
    """The y and s_n of ∂E/∂y = ∂E/∂s_n, which is the last state by another name."""
    match body.items[:2]:
        case (
            Derivative(of=one, wrt=(Ref(slots=(), subs=()) as y,)),
            Derivative(of=other, wrt=(Ref(slots=(("time", Name(base=n)),), subs=()) as state,)),
        ) if one == other and n in program.last("time"):
            return y, state
    return None


def _of_others(new: Ref, known: Node, program: Program) -> bool:
    """Whether what defines a symbol stands in other sections only, and this one says it of parameters of its own."""
    there = [d for d in program.definitions if _same(d.head, new)]
    used = {part for d in program.definitions for part in d.body.walk()}
    own = [part for part in known.walk() if isinstance(part, Ref) and core(part.base) in PARAMETER_LETTERS]
    return bool(there and own) and not any(d.number in program.here for d in there) and not {*own} & used


def stepwise(program: Program, usage: Usage, local: Iterable[Node], said: Iterable[tuple[int, Node]]) -> None:
    """z_t = σ(W x_t + b), and later z_t = σ(a_t): a is what goes into σ, and z is σ(a).

    y_k = a_k alone says so where the `local` formulas of a section have a, or error signals.
    """
    _in_other_letters(program, usage, said)
    refs = [part for body in local for part in body.walk() if isinstance(part, Ref)]
    signals = any(usage.is_signal(ref.base) for ref in refs)

    def wanted(ref: Node) -> bool:
        return signals or any(isinstance(ref, Ref) and ref.base == other.base for other in refs)

    for later in program.again:
        known = next((d for d in program.definitions if d.head == later.head), None)
        bare = isinstance(later.body, Ref) and not wanted(later.body)
        pairs = renaming(known.body, later.body) if known and not bare else None
        if known is None or not pairs or len(pairs) != 1:
            continue
        for step, (made, new) in ((later, pairs[0]), (known, pairs[0][::-1])):
            if not isinstance(new, Ref) or isinstance(made, Ref) or not _open(new, program, usage):
                continue
            if isinstance(known.body, Ref) and later.number not in program.here:
                continue
            if _known(made, new, program):
                program.definitions[program.definitions.index(known)] = replace(known, body=step.body)
                program.definitions.append(Definition(new, made, step.number))
                break


def _in_other_letters(program: Program, usage: Usage, said: Iterable[tuple[int, Node]]) -> None:
    """a_j^k = Σ_l w_{lj}^k o_l^{k-1}, and a_l^{k+1} = Σ_j w_{jl}^{k+1} g(a_j^k): o is g(a), whatever the letters."""
    related = [(n, body) for n, body in said if isinstance(body, Relation)]
    inside = ((n, pair) for n, body in related for pair in _inside_partials(body))
    partials = [Definition(of, inner, n) for n, (of, inner) in inside if _known(inner, of, program)]
    _with_offsets(program, [body for n, body in related if n in program.here])
    for later in [*program.again, *partials]:
        for at, known in enumerate(program.definitions):
            bodies = in_letters_of(later, known)
            pairs = renaming(*bodies) if bodies else None
            if bodies is None or not pairs or len(pairs) != 1:
                continue
            for body, (new, made) in zip(bodies, (pairs[0], pairs[0][::-1]), strict=True):
                named = isinstance(new, Ref) and _open(new, program, usage) and _known(made, new, program)
                if isinstance(new, Ref) and isinstance(made, Call) and named:
                    program.definitions[at] = replace(known, body=body)
                    program.definitions.append(Definition(new, made, later.number))
                    return


def _with_offsets(program: Program, bodies: Iterable[Relation]) -> None:
    """z = W a, where ∂z/∂b = ∂(W a + b)/∂b adds a b that no equation has: what was left out until this section."""
    used = {part.base for d in program.definitions for part in d.body.walk() if isinstance(part, Ref)}
    pairs = [pair for body in bodies for a, b in pairwise(body.items) for pair in _by_the_same(a, b)]
    for at, known in enumerate(program.definitions):
        for head, body in pairs:
            match body:
                case Plus(terms=(first, Ref(base=b)), signs=(1, 1)) if core(b) in ("b", "B") and b not in used:
                    if head == known.head and first == known.body:
                        program.definitions[at] = replace(known, body=body)


def _by_the_same(one: Node, other: Node) -> Iterator[tuple[Node, Node]]:
    """The z and W a + b of δ ∂z/∂b and ∂L/∂z ∂(W a + b)/∂b."""
    named, written = ([part for part in side.walk() if isinstance(part, Derivative)] for side in (one, other))
    yield from ((a.of, b.of) for a in named for b in written if a.wrt == b.wrt and isinstance(a.of, Ref))


def _inside_partials(body: Relation) -> Iterator[tuple[Ref, Node]]:
    """The y and σ(z) of ∂y/∂z = ∂σ(z)/∂z, and of chains that are alike but for these."""
    for one, other in pairwise(body.items):
        for a, b in _differing(one, other):
            if not isinstance(a.of, Ref):
                a, b = b, a
            if isinstance(a.of, Ref) and a.wrt == b.wrt and _is_of(b) and not isinstance(b.of, Ref):
                yield a.of, b.of


def _is_of(partial: Derivative) -> bool:
    """Whether what is differentiated has what it is taken by in it, with its letters or with those of a sum."""
    bound = {name for part in partial.of.walk() if isinstance(part, Sum) for name in part.indices}
    refs = [part for part in partial.of.walk() if isinstance(part, Ref)]

    def inside(wrt: Node) -> bool:
        alike = [ref for ref in refs if isinstance(wrt, Ref) and ref.base == wrt.base]
        return any(isinstance(wrt, Ref) and (ref.subs == wrt.subs or bool({*ref.subs} & bound)) for ref in alike)

    return all(map(inside, partial.wrt))


def _differing(one: Node, other: Node) -> list[tuple[Derivative, Derivative]]:
    """The partials in which two formulas differ that are alike but for one of them."""
    if isinstance(one, Derivative) and isinstance(other, Derivative):
        return [(one, other)] if one != other else []
    pairs = renaming(one, other) or []
    ends = [[part for part in side.walk() if isinstance(part, Derivative)] for side in (one, other)]
    found = [(a, b) for a, b in zip(*ends, strict=False) if a != b]
    return found if len(pairs) == 1 == len(found) and len(ends[0]) == len(ends[1]) else []


def renaming(one: Node, other: Node) -> list[tuple[Node, Node]] | None:
    """What stands in the one formula where something else stands in the other; None where they are not alike."""
    if one == other:
        return []
    if isinstance(one, Ref) or isinstance(other, Ref):
        return [(one, other)]
    ones, others = [*one.children()], [*other.children()]
    if len(ones) != len(others) or not ones or rebuilt(one, _hole) != rebuilt(other, _hole):
        return None
    pairs: list[tuple[Node, Node]] = []
    for a, b in zip(ones, others, strict=True):
        if (found := renaming(a, b)) is None:
            return None
        pairs += [pair for pair in found if pair not in pairs]
    return pairs


def _inward(node: Node) -> Node:
    """-Σ_t x_t as Σ_t -x_t: beside Σ_t L_t it says what L_t is."""
    match node:
        case Negative(body=Sum(body=body, product=False) as whole):
            return replace(whole, body=Negative(body))
    return node


def _hole(_: Node) -> Node:
    return _HOLE


def _open(ref: Ref, program: Program, usage: Usage) -> bool:
    """Whether nothing says what a symbol is."""
    return (
        not any(_same(d.head, ref) for d in program.definitions)
        and not program.functions.get(ref.base)
        and not usage.is_signal(ref.base)
    )


def _same(head: Ref, ref: Ref) -> bool:
    """Whether a definition is of a symbol, or of any sample's; that of a_j is not of the a_k of another layer."""
    alike = not ref.subs or ref.slots or letters_of(head) == letters_of(ref)
    of_any = tuple(kind for kind in ref.kinds if kind != "sample")
    return head.base == ref.base and head.kinds in (ref.kinds, of_any) and bool(alike)


def _known(node: Node, new: Ref, program: Program) -> bool:
    """Whether something can define a symbol: what the net computes, or a formula without partials and without it."""
    if isinstance(node, Ref):
        return program.defines(node.base, node.kinds)
    partials = any(isinstance(part, Derivative | Gradient) for part in node.walk())
    return mentions(node) and not mentions(node, new.base) and not partials
