r"""The chain rule in letters of its own: $\frac{dz}{dx} = \frac{dz}{dy} \frac{dy}{dx}$, whatever the lesson's y is.

"If z depends on y, which depends on x" is said of any three quantities, where no equation of the lesson makes z or y,
or none has x in it; so is $\frac{dz}{dt} = \sum_i \frac{\partial z}{\partial x_i} \frac{dx_i}{dt}$.
"""

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.told import told
from oracle.lesson.syntax import Derivative, Node, Sum, Times

ONE_BY_ONE = "each of these quantities is a function of the next one alone"


def is_chain_rule(nets: Nets, head: Node, member: Node) -> bool:
    """Whether a formula is the chain rule for quantities that the lesson does not compute."""
    letters = frozenset[Node]()
    if isinstance(member, Sum) and not member.product and not member.condition:
        letters, member = frozenset(member.indices), member.body
    match head, member:
        case Derivative(of=z, wrt=(x,)), Times(factors=factors):
            made = {d.head.base for d in nets.program.definitions if d.number}
            used = {
                part.base
                for d in nets.program.definitions
                if d.number
                for part in d.body.walk()
                if isinstance(part, Ref)
            }
            links = [f for f in factors if isinstance(f, Derivative) and all(map(_is_plain, (f.of, *f.wrt)))]
            strange = isinstance(x, Ref) and x.base not in made | used
            own = strange or not made & {f.of.base for f in links if isinstance(f.of, Ref)}
            found = told(member)
            over = {sub for f in links for ref in (f.of, *f.wrt) if isinstance(ref, Ref) for sub in ref.subs}
            return (
                own
                and len(links) == len(factors)
                and over == letters
                and found is not None
                and (found.of, found.wrt, found.factor) == (z, x, 1.0)
            )
    return False


def _is_plain(node: Node) -> bool:
    """Whether it is a symbol without scripts, but for indices."""
    return isinstance(node, Ref) and not node.slots
