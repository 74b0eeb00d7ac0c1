r"""Units of any layer: $net_j = \sum_i w_{ij} o_i$ and $o_j = f(net_j)$ of outputs and of hidden units alike.

A lesson that writes so tells its layers apart by what its indices are joined by (`levels`): the k of ∂E/∂net_k
∂net_k/∂o_j is of the layer above that of j. Read so, $net^l_j = \sum_i w^l_{ij} o^{l-1}_i$ is said of every layer.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from oracle.lesson.meaning.levels import Scope, ends, inside, levels, of_outputs, said_of, unit_of
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, letters
from oracle.lesson.meaning.program import Definition, is_target
from oracle.lesson.meaning.unit_names import AnyUnit
from oracle.lesson.meaning.untold_units import untold
from oracle.lesson.meaning.usage import ERRORS, SIGNALS
from oracle.lesson.syntax import (
    Call,
    Cases,
    Derivative,
    Name,
    Node,
    Number,
    Plus,
    Relation,
    Statement,
    Sum,
    Times,
    rebuilt,
)

COUNTS = ("l", "m", "h", "s")
"""What the layer is called: the first of these that is no index of the lesson."""
BIASES = {*PARAMETER_LETTERS, "vartheta"}
LABEL = "_unit"
"""Added to a name that has layers of its own elsewhere in the lesson."""


def any_unit(statements: Iterable[Statement]) -> AnyUnit:
    """The names of what every unit has; none where nothing says that one letter is of units of all layers."""
    bodies = [s.body for s in statements if isinstance(s.body, Relation)]
    refs = [part for body in bodies for part in body.walk() if isinstance(part, Ref)]
    told = (found for body in bodies for found in _activations(body))
    for found in (*(unit for o, j, argument in told for unit in _weighed(o, j, argument, bodies)), *untold(bodies)):
        single = _single(found, bodies)
        known = replace(found, single=single, ended=_ended(found, bodies))
        known = replace(known, owned=_owned(known, bodies, refs))
        if not _only_so(known, bodies) or not _of_all_layers(known, bodies, refs):
            continue
        apart = {ref.base for ref in refs if "layer" in ref.kinds}
        same = {base for base in (known.out, known.net, known.weights, *known.owned) if {base, base.swapcase()} & apart}
        taken = {letter for ref in refs for sub in ref.subs for letter in letters(sub)}
        return replace(known, relabelled=frozenset(same), count=next(x for x in COUNTS if x not in taken))
    return AnyUnit()


def inputs(known: AnyUnit, bodies: Iterable[Node]) -> list[Definition]:
    """o^0_i = x_i, where the lesson calls the inputs of its units x."""
    used = {part.base for body in bodies for part in body.walk() if isinstance(part, Ref) and len(part.subs) == 1}
    if not known.out or "x" not in used:
        return []
    below = (("layer", Number("0")),)
    i = (Name("i"),)
    return [Definition(Ref(relabelled(known.out, known), below, i), Ref("x", (), i))]


def _activations(body: Relation) -> Iterator[tuple[str, str, Node]]:
    """The o, j and argument of o_j = f(…), where it is a function of one argument."""
    match body.items[0]:
        case Ref(base=base, subs=(Name(base=j),)) as head if body.ops[0] in ("=", ":=") and "layer" not in head.kinds:
            for item in body.items[1:]:
                if isinstance(item, Call) and len(item.args) == 1 and base not in LOSSES:
                    yield base, j, item.args[0]


def _weighed(out: str, j: str, argument: Node, bodies: list[Relation]) -> Iterator[AnyUnit]:
    """How the argument is made of what other units put out."""
    net, sums = "", [(j, argument)]
    if isinstance(argument, Ref) and argument.subs == (Name(j),) and argument.base != out:
        net = argument.base
        sums = [made for body in bodies for made in _made(net, body)]
        sums += [(k, arg) for body in bodies for o, k, arg in _activations(body) if o == out]
    for unit, item in sums:
        for part in item.walk():
            match part:
                case Sum(indices=(Name() as i,), body=Times(factors=(Ref() as a, Ref() as b))):
                    w, x = (a, b) if _leads(a, i, unit) else (b, a)
                    if not _leads(w, i, unit):
                        continue
                    if x.base == out and x.subs == (i,):
                        yield AnyUnit(out, net, w.base, w.subs[0] == i)
                    elif x.subs == (Name(unit), i) and x.base not in PARAMETER_LETTERS:
                        yield AnyUnit(out, net, w.base, w.subs[0] == i, along=x.base)


def _made(net: str, body: Relation) -> Iterator[tuple[str, Node]]:
    """The j and right sides of net_j = …"""
    match body.items[0]:
        case Ref(base=base, subs=(Name(base=j),)) if base == net and body.ops[0] in ("=", ":="):
            yield from ((j, item) for item in body.items[1:])


def _leads(w: Ref, i: Name, j: str) -> bool:
    """Whether a symbol is the weight of units i and j."""
    return core(w.base) in PARAMETER_LETTERS and not w.slots and w.subs in ((i, Name(j)), (Name(j), i))


def _single(known: AnyUnit, bodies: list[Relation]) -> str:
    """The y of o_j = y."""
    for body in bodies:
        match body:
            case Relation(items=(Ref(base=out, subs=(Name(),)), Ref(base=y, subs=(), slots=())), ops=("=",)):
                if out == known.out:
                    return y
    return ""


def _owned(known: AnyUnit, bodies: list[Relation], refs: list[Ref]) -> frozenset[str]:
    """Error signals, what a lesson says to be partials by what a unit has, and what is added to a unit's sum."""
    one = {ref.base for ref in refs if len(ref.subs) == 1 and _is_of_any(ref)}
    found = {base for base in one if core(base) in SIGNALS}
    for body in bodies:
        head, used = body.items[0], [part for item in body.items[1:] for part in item.walk()]
        if isinstance(head, Ref) and head.base in known.values:
            found |= {part.base for part in used if isinstance(part, Ref) and core(part.base) in BIASES} & one
        elif isinstance(head, Ref) and head.base in one:
            by = [w for part in body.items[1].walk() if isinstance(part, Derivative) for w in part.wrt]
            found |= {head.base} if any(isinstance(w, Ref) and w.base in known.values for w in by) else set()
    return frozenset(found - known.values - known.ended - {known.weights})


def _is_of_any(ref: Ref) -> bool:
    """Whether a symbol has a letter below it, and no layer."""
    return isinstance(ref.subs[0], Name) and "layer" not in ref.kinds


def _ended(known: AnyUnit, bodies: list[Relation]) -> frozenset[str]:
    """The e of e_j = t_j - o_j."""
    found = set[str]()
    for body in bodies:
        match body:
            case Relation(items=(Ref(base=base, subs=(Name(),)), Plus(terms=(Ref(), Ref()) as terms), *_)):
                bases = {term.base for term in terms if isinstance(term, Ref)}
                if core(base) not in SIGNALS - ERRORS and known.out in bases and any(map(is_target, bases)):
                    found.add(base)
    return frozenset(found)


def _only_so(known: AnyUnit, bodies: list[Relation]) -> bool:
    """Whether no equation says of some units that they are made of something else: a_j = Σ_i w_{ji} x_i."""
    for body in bodies:
        head = body.items[0]
        if not isinstance(head, Ref) or head.base not in known.values or body.ops[0] not in ("=", ":="):
            continue
        sums = [part for item in body.items[1:] for part in item.walk() if isinstance(part, Sum)]
        partial = any(isinstance(part, Derivative) for item in body.items[1:] for part in item.walk())
        used = {part.base for total in sums for part in total.body.walk() if isinstance(part, Ref)}
        if sums and not partial and not used & {known.out, known.along} - {""}:
            return False
    return True


def _of_all_layers(known: AnyUnit, bodies: list[Relation], refs: list[Ref]) -> bool:
    """Whether units that have a target, and units that feed others, are called alike."""
    told = {out for body in bodies for out, *_ in _activations(body)}
    if known.single or known.along or known.out not in told:
        return True
    if any(isinstance(part, Cases) for body in bodies for part in body.walk()):
        return any(is_target(ref.base) for ref in refs)
    for body in bodies:
        used = [part for part in body.walk() if isinstance(part, Ref) and len(part.subs) == 1]
        outputs = {ref.subs for ref in used if ref.base == known.out}
        if any(of_outputs(ref, known) and ref.subs in outputs for ref in used):
            return True
    return False


def in_layers(statement: Statement, known: AnyUnit) -> Statement:
    """A statement in which everything that a unit has is of its layer."""
    body = statement.body
    if not known.out or not any(_of_units(part, known) for part in body.walk()):
        return statement
    if (output := _the_output(body, known)) is not None:
        return replace(statement, body=output)
    found = levels(body, known)
    return statement if found is None else replace(statement, body=_Placing(known, found).placed(body, {}))


def _of_units(node: Node, known: AnyUnit) -> bool:
    return isinstance(node, Ref) and bool(unit_of(node, known) or ends(node, known))


def _the_output(body: Node, known: AnyUnit) -> Relation | None:
    """o_j = y as y = Σ_j o^L_j, over the one output unit."""
    match body:
        case Relation(items=(Ref(base=out, subs=(Name() as j,)) as o, Ref(base=y) as whole)) if (
            out == known.out and y == known.single
        ):
            top = replace(o, base=relabelled(out, known), slots=(*o.slots, ("layer", Name("L"))))
            return replace(body, items=(whole, Sum((j,), None, None, None, top, span=o.span)))
    return None


@dataclass
class _Placing:
    """Formulas with the layers of their units."""

    known: AnyUnit
    layers: Mapping[str, Node]

    def placed(self, node: Node, scope: Scope) -> Node:
        """A formula in which everything that a unit has is of its layer."""
        known = self.known
        match node:
            case Ref() if found := ends(node, known):
                if node.base == known.along:
                    return self.at(replace(node, base=known.out, subs=(Name(found[0]),)), found[0], scope)
                return self.at(node, found[1], scope)
            case Ref() if letter := unit_of(node, known):
                return self.at(node, letter, scope)
            case Ref(base=base, subs=(Number(), Name(base=j)) | (Name(base=j), Number())) if base == known.weights:
                return self.at(node, j, scope)
            case Ref(base=base, subs=(Name(),)) if known.single and is_target(base):
                return replace(node, subs=())
            case Cases():
                values = tuple(self.placed(value, scope) for value in node.values)
                return replace(node, values=values, conditions=tuple(map(self.condition, node.conditions)))
        within = inside(node, scope) if isinstance(node, Sum) else scope
        return rebuilt(node, lambda child: self.placed(child, within))

    def at(self, ref: Ref, letter: str, scope: Scope) -> Ref:
        """A symbol at the layer of a letter."""
        layer = self.layers.get(scope.get(letter, letter))
        slots = tuple(sorted((*ref.slots, ("layer", layer)), key=lambda slot: slot[0])) if layer else ref.slots
        return replace(ref, base=relabelled(ref.base, self.known), slots=slots)

    def condition(self, condition: Node | None) -> Node | None:
        """l = L, where words say that a unit is an output."""
        op = said_of(condition)
        if not op or condition is None:
            return condition
        return Relation((Name(self.known.count), Name("L")), (op,), span=condition.span)


def relabelled(base: str, known: AnyUnit) -> str:
    """The name of what a unit has."""
    return base + LABEL if base.removeprefix("Delta ") in known.relabelled else base
