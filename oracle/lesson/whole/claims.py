r"""A lesson's claims, and one put into another: what ∂L/∂y_k is said to be, where ∂L/∂y_k is used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from oracle.lesson.correcting import Understood, verdicts
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import Program
from oracle.lesson.records import Equation
from oracle.lesson.syntax import Derivative, Name, Node, Number, Plus, Relation, Sum, rebuilt

Letters = dict[str, Node]
JUDGED = ("holds", "holds under", "fails", "ill-typed", "vacuous")


@dataclass(frozen=True)
class Claim:
    """One link: the head of a chain is its member number `member`."""

    line: Understood
    at: int
    """Which statement of the line."""
    place: int
    """Which member of its chain."""
    verdict: str

    @property
    def number(self) -> int:
        return self.line.number

    @property
    def body(self) -> Relation:
        body = self.line.statements[self.at].body
        assert isinstance(body, Relation)
        return body

    @property
    def head(self) -> Node:
        return self.body.items[0]

    @property
    def member(self) -> Node:
        return self.body.items[self.place + 1]

    def tex(self, node: Node) -> str:
        """A part of the claim as the lesson has it."""
        return self.line.formula.tex[slice(*node.span)].strip()


def claims(lines: Sequence[Understood], equations: Sequence[Equation]) -> list[Claim]:
    """Every link that was judged and is not wrong on purpose."""
    found = []
    for line, equation in zip(lines, equations, strict=True):
        if any(link.deliberate for link in equation.links):
            continue
        for at, members in verdicts(line, equation).items():
            found += [Claim(line, at, k, verdict) for k, verdict in enumerate(members) if verdict in JUDGED]
    return found


def put_into(node: Node, claim: Claim, program: Program) -> Node:
    """`node` with the claim's member wherever its head stands."""
    if (found := matched(claim.head, node, program)) is not None:
        return _instance(claim.member, found)
    if isinstance(node, Ref):
        return node
    return rebuilt(node, lambda part: put_into(part, claim, program))


def uses(node: Node, claim: Claim, program: Program) -> bool:
    """Whether the claim's head stands in a formula."""
    return any(matched(claim.head, part, program) is not None for part in node.walk())


def matched(pattern: Node, node: Node, program: Program) -> Letters | None:
    """What the letters of a pattern are in a node of the same form: ∂C/∂z^{l+1}_k by ∂C/∂z^l_j, l -> l+1, j -> k."""
    letters: Letters = {}
    return letters if _same(pattern, node, program, letters) else None


def _same(pattern: Node, node: Node, program: Program, letters: Letters) -> bool:
    match pattern, node:
        case Derivative(operator=False), Derivative(operator=False) if len(pattern.wrt) == len(node.wrt) == 1:
            return all(_same(p, q, program, letters) for p, q in ((pattern.of, node.of), (pattern.wrt[0], node.wrt[0])))
        case Ref(), Ref():
            alike = (pattern.base, pattern.kinds, pattern.mark, len(pattern.subs)) == (
                node.base, node.kinds, node.mark, len(node.subs)
            )  # fmt: skip
            if not alike or program.family(pattern) != program.family(node):
                return False
            pairs = [*zip(pattern.slots, node.slots, strict=True)]
            numbers = all(_bound(p, q, letters) for (_, p), (_, q) in pairs)
            return numbers and all(_bound(p, q, letters) for p, q in zip(pattern.subs, node.subs, strict=True))
    return False


def _bound(pattern: Node, node: Node, letters: Letters) -> bool:
    """A letter stands for anything, the same everywhere; l + 1 is l + 1, L is L."""
    match pattern, node:
        case Name(base="L" | "T" | "n_l"), _:
            return pattern == node
        case Name(base=base), _:
            return letters.setdefault(base, node) == node
        case Plus(terms=(Name(base=base), Number())), Plus() if pattern == node:
            return letters.setdefault(base, Name(base)) == Name(base)
    return pattern == node


def _instance(member: Node, letters: Letters) -> Node:
    """A member with its letters replaced; sums over letters that come in count by another name."""
    coming = {part.base for node in letters.values() for part in node.walk() if isinstance(part, Name)}
    moved = {base: node for base, node in letters.items() if node != Name(base)}
    for inner in {name.base for part in member.walk() if isinstance(part, Sum) for name in part.indices} & coming:
        moved[inner] = Name(inner + "'")
    return _renamed(member, moved) if moved else member


def _renamed(node: Node, letters: Letters) -> Node:
    if isinstance(node, Ref):
        slots = tuple((kind, _lettered(number, letters)) for kind, number in node.slots)
        return replace(node, slots=slots, subs=tuple(_lettered(sub, letters) for sub in node.subs))
    if isinstance(node, Sum):
        indices = tuple(new if isinstance(new := letters.get(n.base, n), Name) else n for n in node.indices)
        inside = rebuilt(node, lambda part: _renamed(part, letters))
        return replace(inside, indices=indices) if isinstance(inside, Sum) else inside
    return rebuilt(node, lambda part: _renamed(part, letters))


def _lettered(node: Node, letters: Letters) -> Node:
    if isinstance(node, Name):
        return letters.get(node.base, node)
    return rebuilt(node, lambda part: _lettered(part, letters))


def heads(found: Sequence[Claim]) -> Iterator[Claim]:
    """Claims about a partial, or about a symbol that stands for one."""
    return (claim for claim in found if isinstance(claim.head, Derivative | Ref))
