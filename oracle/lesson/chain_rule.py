r"""The chain rule in letters of its own: $\frac{dz}{dx} = \frac{dz}{dy} \frac{dy}{dx}$, whatever the lesson's y is.

"If z depends on y, which depends on x" is said of any three quantities, where no equation of the lesson makes z or y.
"""

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.told import told
from oracle.lesson.syntax import Derivative, Node, Times

ONE_BY_ONE = "each of these quantities is a function of the next one alone"


def is_chain_rule(nets: Nets, head: Node, member: Node) -> bool:
    """Whether a formula is the chain rule for quantities that the lesson does not compute."""
    match head, member:
        case Derivative(of=z, wrt=(x,)), Times(factors=factors):
            found = told(member)
            own = all(isinstance(f, Derivative) and _is_own(f, nets) for f in factors)
            return own and found is not None and (found.of, found.wrt, found.factor) == (z, x, 1.0)
    return False


def _is_own(partial: Derivative, nets: Nets) -> bool:
    """Whether it is of symbols without scripts, and no equation of the lesson defines what is differentiated."""
    plain = all(isinstance(node, Ref) and not node.slots and not node.subs for node in (partial.of, *partial.wrt))
    made = {d.head.base for d in nets.program.definitions if d.number}
    return plain and isinstance(partial.of, Ref) and partial.of.base not in made
