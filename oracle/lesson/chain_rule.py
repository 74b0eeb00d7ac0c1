r"""The chain rule in letters of its own: $\frac{dz}{dx} = \frac{dz}{dy} \frac{dy}{dx}$, whatever the lesson's y is.

"If z depends on y, which depends on x" is said of any three quantities, where no equation of the lesson makes z or y,
or none has x in it; so is $\frac{dz}{dt} = \sum_i \frac{\partial z}{\partial x_i} \frac{dx_i}{dt}$.
"""

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import called
from oracle.lesson.meaning.told import told
from oracle.lesson.syntax import Call, Derivative, Name, Node, Sum, Times

ONE_BY_ONE = "each of these quantities is a function of the next one alone"


def is_chain_rule(nets: Nets, head: Node, member: Node) -> bool:
    """Whether a formula is the chain rule for quantities that the lesson does not compute."""
    over = frozenset[Node]()
    if isinstance(member, Sum) and not member.product and not member.condition:
        over, member = frozenset(member.indices), member.body
    match head, member:
        case Derivative(of=z, wrt=(x,)), Times(factors=factors):
            found = told(member)
            links = [f for f in factors if isinstance(f, Derivative) and all(map(_is_plain, (f.of, *f.wrt)))]
            ends = [end for f in links for end in (f.of, *f.wrt)]
            indices = {sub for ref in ends if isinstance(ref, Ref) for sub in ref.subs}
            chained = found is not None and found.factor == 1 and _same(found.of, z) and _same(found.wrt, x)
            return chained and len(links) == len(factors) and indices == over and _is_strange(nets, x, links)
    return False


def _is_strange(nets: Nets, x: Node, links: list[Derivative]) -> bool:
    """Whether no equation of the lesson has x in it, or none makes what the chain goes through."""
    definitions = [d for d in nets.program.definitions if d.number]
    made = {d.head.base for d in definitions}
    known = made | {part.base for d in definitions for part in d.body.walk() if isinstance(part, Ref)}
    return (isinstance(x, Ref) and x.base not in known) or not made & {_letter(link.of) for link in links}


def _same(a: Node, b: Node) -> bool:
    """Whether two symbols are one: f and f(x) are."""
    return a == b or "" != _letter(a) == _letter(b)


def _letter(node: Node) -> str:
    """The letter of a symbol without a layer, and of a function: f for f(x)."""
    if isinstance(node, Call):
        return called(node)
    return node.base if isinstance(node, Name) or (isinstance(node, Ref) and not node.slots + node.subs) else ""


def _is_plain(node: Node) -> bool:
    """Whether it is a symbol without scripts, but for indices."""
    return isinstance(node, Name | Call) or (isinstance(node, Ref) and not node.slots)
