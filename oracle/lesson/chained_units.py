r"""Forward equations read off the chains of a lesson that writes none, of units that have letters below them.

$\partial \alpha_h / \partial v_{ih} = x_i$ is of $\alpha_h = \sum_i v_{ih} x_i$, $\partial \beta_j / \partial b_h =
w_{hj}$ of $\beta_j = \sum_h w_{hj} b_h$, and $f'(\alpha_h - \gamma_h)$ beside $\partial b_h / \partial \alpha_h$ of
$b_h = f(\alpha_h - \gamma_h)$.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Name, Node, Sum, Times


def chained_units(usage: Usage, own: Program) -> tuple[Definition, ...]:
    """What the partials of units say of those that no forward equation of the lesson is of."""
    made = {(d.head.base, _letter(d.head)) for d in own.definitions}
    by: dict[Ref, list[Ref]] = {}
    for of, wrt in usage.partials:
        if _letter(of) and (of.base, _letter(of)) not in made:
            by.setdefault(of, []).append(wrt)
    found = (Definition(of, body) for of, wrts in by.items() if (body := _body(of, wrts, usage)) is not None)
    return tuple(found)


def _body(of: Ref, wrts: list[Ref], usage: Usage) -> Node | None:
    """The sum or the function that a unit is."""
    sums = [made for wrt in wrts if (made := _sum(of, wrt, usage)) is not None]
    if sums:
        return sums[0] if all(made == sums[0] for made in sums) else None
    return next(_activations(of, wrts, usage), None)


def _sum(of: Ref, wrt: Ref, usage: Usage) -> Node | None:
    """Σ_i v_{ih} x_i, by what is differentiated by v_{ih}, or by the x_i that this unit alone weighs."""
    j = of.subs[0]
    if _weighs(wrt, j):
        i = next((sub for sub in wrt.subs if sub != j), j)
        fed = [ref for ref in usage.refs if ref.subs == (i,) and not ref.slots and ref.base == "x"]
        return _weighed(i, wrt, fed[0]) if fed and isinstance(i, Name) else None
    if len(wrt.subs) == 1 and wrt.subs != of.subs and isinstance(i := wrt.subs[0], Name) and wrt.base != of.base:
        weights = Counter({ref: n for ref, n in usage.refs.items() if _weighs(ref, j) and i in ref.subs}).most_common(2)
        sure = weights and (len(weights) == 1 or weights[0][1] > weights[1][1] + 1)
        return _weighed(i, weights[0][0], wrt) if sure else None
    return None


def _weighs(ref: Ref, j: Node) -> bool:
    """Whether a symbol is a weight of the unit j."""
    letters = all(isinstance(sub, Name) for sub in ref.subs)
    return len(ref.subs) == 2 and letters and j in ref.subs and not ref.slots and ref.base in PARAMETER_LETTERS


def _weighed(i: Name, w: Ref, x: Ref) -> Node:
    return Sum((i,), None, None, None, Times((w, x), ("",)))


def _activations(of: Ref, wrts: Iterable[Ref], usage: Usage) -> Iterator[Node]:
    """f(α_h - γ_h), by the arguments of f and f' that have all by which the unit b_h is differentiated."""
    alike = {wrt for wrt in wrts if wrt.subs == of.subs and wrt.base != of.base}
    for name in (slope for slope, _ in usage.slopes.most_common()):
        given = sorted(usage.arguments.get(name, ()), key=lambda arg: len([*arg.walk()]))
        for argument in given:
            if (
                alike
                and alike <= {part for part in argument.walk() if isinstance(part, Ref)}
                and not _inside(of, argument)
            ):
                yield Call(Name(name), (argument,))


def _inside(of: Ref, argument: Node) -> bool:
    return any(isinstance(part, Ref) and part.base == of.base for part in argument.walk())


def _letter(ref: Ref) -> str:
    """The letter of a unit; "" of a symbol that is no unit's."""
    match ref:
        case Ref(subs=(Name(base=letter),), slots=slots) if all(kind == "sample" for kind, _ in slots):
            return letter
    return ""
