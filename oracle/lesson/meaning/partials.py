"""Partials of the quantities of a net: total ones, and direct ones with everything else held."""

from dataclasses import dataclass, field, replace

from oracle.lesson.meaning.calculus import connected, jacobian
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref, mentions
from oracle.lesson.meaning.program import SCALARS, Env, Program
from oracle.lesson.meaning.quantities import Quantities
from oracle.lesson.meaning.values import IllTypedError, NotUnderstoodError, Route, Tensor, UndefinedError, Value
from oracle.lesson.syntax import Derivative, Node, Plus

GIVEN = {"t", "d", "target"}
"""What targets are called, and nothing else is."""


@dataclass
class Partials(Quantities):
    """A net whose quantities can be differentiated by each other."""

    jacobians: dict[tuple[int, int], tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict)
    """What was differentiated by what (kept, so that its identity stays its own), and the result."""

    def derivative(self, node: Derivative, env: Env) -> Value:
        if len(node.wrt) != 1:
            raise NotUnderstoodError("a derivative of higher order")
        if (self.immediate or node.immediate) and isinstance(node.of, Ref):
            return self.direct(node.of, node.wrt[0], env)
        return self.partial(self.value(node.of, env), node.wrt[0], env, node.of)

    def jacobian(self, of: Tensor, wrt: Tensor) -> Tensor:
        """∂of/∂wrt, computed once."""
        key = (id(of), id(wrt))
        if key not in self.jacobians:
            self.jacobians[key] = (of, wrt, jacobian(of, wrt))
        return self.jacobians[key][2]

    def direct(self, of: Ref, wrt: Node, env: Env) -> Value:
        """The partial with everything else held: through the definition of `of` alone, where that uses `wrt` itself."""
        slots = self.program.numbered(of, env)
        found = self.program.definition(of.base, self.family(of), slots)
        if found is None or not isinstance(wrt, Ref) or not mentions(found[0].body, wrt.base):
            return self.partial(self.value(of, env), wrt, env, of)
        before, self.held = self.held, {}
        try:
            whole = self.defined((of.base, self.family(of), tuple(n for _, n in slots)), *found)
            return self.partial(self.indexed(whole, of, env), wrt, env, of)
        finally:
            self.held = before

    def unsaid(self, of: Ref, wrt: Ref) -> bool:
        """Whether a symbol is differentiated of which nothing says how it is computed."""
        of = replace(of, base=self.program.aliases.get(of.base, of.base))
        if of.base == wrt.base or self.program.signal(of) or of.base in self.loose or self.given(of):
            return False
        return not self.program.defines(of.base, of.kinds) and not self.program.is_function(of)

    def given(self, of: Ref) -> bool:
        """Whether a symbol is a parameter, a target or a constant of the net: nothing else makes it."""
        if not any(base == of.base for base, *_ in self.program.shapes):
            return False
        named = of.base.split("_")[0] in PARAMETER_LETTERS | GIVEN or of.base in SCALARS
        return named or any(_compares(d.body, of, self.program) for d in self.program.definitions)

    def partial(self, of: Value, wrt: Node, env: Env, source: Node | None = None) -> Value:
        if not isinstance(wrt, Ref):
            raise NotUnderstoodError("a derivative by something that is no symbol")
        wrt = replace(wrt, base=self.program.aliases.get(wrt.base, wrt.base))
        if (signal := self.program.signal(wrt)) and signal.said and not of.way and wrt.base not in self.loose:
            raise IllTypedError(f"{wrt.base} stands for a partial here, and nothing is differentiated by it")
        target = self.whole(wrt, env)
        if isinstance(source, Ref) and self.unsaid(source, wrt):
            raise UndefinedError(source.base)
        if isinstance(source, Ref) and source.base in self.program.alternates and _apart(of, target):
            of = self.value(self.program.alternates[source.base], env)
        if self.program.read_off and _apart(of, target):
            raise NotUnderstoodError("nothing says that the one is made of the other here")
        names, dims, shape = of.names, of.dims, of.shape + target.shape
        data = None if of.data is None or target.data is None else self.jacobian(of.data, target.data)
        places = Value(data, names, dims, shape)
        way = None if wrt.subs else Route(_key(source), _key(wrt), target.rank)
        if not wrt.subs:
            return replace(places, way=way)
        first = tuple(range(len(names)))
        last = range(len(names), len(names) + of.rank)
        turned = None if data is None else data.permute((*first, *range(len(names) + of.rank, data.dim()), *last))
        return self.indexed(Value(turned, names, dims, target.shape + of.shape), wrt, env)


def _compares(body: Node, target: Ref, program: Program) -> bool:
    """Whether a formula has the difference of a symbol and something that the net computes: that is a target."""
    for part in body.walk():
        if isinstance(part, Plus) and len(part.terms) == 2 and sorted(part.signs) == [-1, 1]:
            refs = [term for term in part.terms if isinstance(term, Ref)]
            if len(refs) == 2 and any(ref.base == target.base for ref in refs):
                return any(program.defines(ref.base, ref.kinds) for ref in refs if ref.base != target.base)
    return False


def _key(node: Node | None) -> object:
    return (node.base, node.slots) if isinstance(node, Ref) else node


def _apart(of: Value, wrt: Value) -> bool:
    """Whether a value is not made of another at all."""
    return of.data is not None and wrt.data is not None and not connected(of.data, wrt.data)
