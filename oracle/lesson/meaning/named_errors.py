r"""Error signals by names of their own: the s_m of ∂R/∂α_{mℓ} = s_m x_ℓ is ∂R/∂v_m, where v_m = Σ_ℓ α_{mℓ} x_ℓ."""

from collections.abc import Callable, Iterable, Iterator

from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.told import Told, like
from oracle.lesson.syntax import Call, Derivative, Gradient, Node, Prime, Relation, Statement, Sum, Times


def named_errors(statements: Iterable[Statement], is_signal: Callable[[str], bool]) -> dict[Ref, Told]:
    """Names that are first met as a factor of a gradient and are made of known error signals, with their partials."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    made = {head for body in bodies if (head := _made_of_errors(body, is_signal))}
    found, seen = dict[Ref, Told](), set[str]()
    for body in bodies:
        for name, loss, w in _factors(body):
            sums = [head for head in _weighing(bodies, w) if like(name, Told(loss, head, chained=True))]
            if name.base in made - seen and sums:
                found[name] = Told(loss, sums[0], chained=True)
        if not isinstance(body.items[0], Derivative):
            seen |= {part.base for part in body.walk() if isinstance(part, Ref)}
    return found


def _made_of_errors(body: Relation, is_signal: Callable[[str], bool]) -> str:
    """The s of s_m = σ'(v_m) Σ_k β_{km} δ_k."""
    match body:
        case Relation(items=(Ref(base=base), member, *_), ops=("=", *_)) if not is_signal(base):
            sums = (part.walk() for part in member.walk() if isinstance(part, Sum))
            return base if any(isinstance(n, Ref) and is_signal(n.base) for nodes in sums for n in nodes) else ""
    return ""


def _factors(body: Relation) -> Iterator[tuple[Ref, Ref, Ref]]:
    """The s, x, R and α of ∂R/∂α_{mℓ} = s_m x_ℓ: each factor with the loss and the weights."""
    match body:
        case Relation(
            items=(Derivative(of=Ref() as loss, wrt=(Ref(subs=(_, _)) as w,)), Times(factors=(Ref() as a, Ref() as b)))
        ):
            yield from ((a, loss, w), (b, loss, w))


def _weighing(bodies: Iterable[Relation], w: Ref) -> Iterator[Node]:
    """The v of v_m = α_m^T x, and of v_m = Σ_ℓ α_{mℓ} x_ℓ."""
    for body in bodies:
        parts = [*body.items[1].walk()]
        sums = not any(isinstance(part, Derivative | Gradient | Prime | Call) for part in parts)
        if sums and isinstance(body.items[0], Ref) and any(isinstance(p, Ref) and p.base == w.base for p in parts):
            yield body.items[0]
