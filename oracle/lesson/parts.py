"""The parts of a lesson in each of which a symbol has one meaning."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from oracle.lesson.meaning.models import clash
from oracle.lesson.meaning.notation import Ref, is_class, mentions
from oracle.lesson.meaning.program import LOGARITHMS, TARGETS, recurs
from oracle.lesson.signals import swapped
from oracle.lesson.syntax import Derivative, Gradient, Name, Node, Prime, Quotient, Relation, Statement, Sum


@dataclass
class Parts:
    """Sections, and what is a section of its own because a symbol is defined anew: z = W x, then z = x W."""

    number: int = 0
    section: int = 0
    known: dict[Ref, Node] = field(default_factory=dict)

    def of(self, section: int, statements: Iterable[Statement]) -> int:
        """The number of the part that the next formula stands in."""
        found = dict(filter(None, (_definition(s) for s in statements)))
        anew = any(head in self.known and not _restates(body, self.known[head]) for head, body in found.items())
        anew = anew or any(clash(body, known) for body in found.values() for known in self.known.values())
        anew = anew or any(self._in_another_case(head) or self._in_a_circle(head, body) for head, body in found.items())
        if section != self.section or anew:
            self.number += 1
            self.section = section
            self.known = {}
        self.known.update(found)
        return self.number

    def _in_a_circle(self, head: Ref, body: Node) -> bool:
        """Whether z was made of y, and now y is made of z."""
        used, new = set[Node](), {part for part in body.walk() if isinstance(part, Ref)}
        while new:
            used |= new
            new = {part for ref in new for part in self.known.get(ref, Name("")).walk() if isinstance(part, Ref)} - used
        return head in used

    def _in_another_case(self, head: Ref) -> bool:
        """Whether a layer's A follows its a, and no capital did yet: now all samples are meant, and no longer one."""
        twin = replace(head, base=swapped(head.base))
        upper = {known.base[:1].isupper() for known in self.known if known.slots}
        return bool(head.slots) and twin in self.known and head.base[:1].isupper() not in upper


def _restates(body: Node, known: Node) -> bool:
    """Whether a definition says again what another says: alike, or both are shares of a sum, as a softmax is.

    -log p_c says again what -Σ_i y_i log p_i says, where c is the true class.
    """
    shares = (isinstance(x, Quotient) and any(isinstance(part, Sum) for part in x.under.walk()) for x in (body, known))
    return body == known or all(shares) or (_of_class(body) and _entropy(known))


def _of_class(body: Node) -> bool:
    return any(is_class(sub) for part in body.walk() if isinstance(part, Ref) for sub in part.subs)


def _entropy(body: Node) -> bool:
    """Whether a formula weighs logarithms with targets."""
    refs = {part.base for part in body.walk() if isinstance(part, Ref)}
    return bool(refs & {*TARGETS}) and any(isinstance(part, Name) and part.base in LOGARITHMS for part in body.walk())


def _definition(statement: Statement) -> tuple[Ref, Node] | None:
    """`z = f(x)`, if no partials stand in it."""
    body = statement.body
    if not isinstance(body, Relation) or body.ops[0] not in ("=", ":="):
        return None
    head, member = body.items[:2]
    partials = any(isinstance(part, Derivative | Gradient | Prime) for part in member.walk())
    if not isinstance(head, Ref) or head.mark or partials or not mentions(member) or recurs(head, member):
        return None
    return head, member
