r"""Rules of calculus, and what they are applied to: (f/g)' = (f'g - fg')/g², f = e^{z_k}, f' = e^{z_k}.

A rule is said of any functions of one variable: it is held against dual numbers, a value and a slope for every letter.
What a rule is applied to are quantities: the prime of one is its partial by what its formula is made of.
"""

import random
from dataclasses import dataclass, field, replace

from oracle.lesson.judging import APART, CLOSE, FAR, Nets, Outcome
from oracle.lesson.meaning.limits import free
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.meaning.program import called
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Times,
    rebuilt,
)

RULE = "the functions are any functions of one variable"
MEANT = "the derivative of the left side is meant"
WHOLE = "the prime is the derivative by an argument of the quantity"
OTHER = "q"
"""An index that no formula has."""


def primed(head: Node) -> bool:
    """Whether a formula is of a derivative of functions, or of the prime of something."""
    of = head.of if isinstance(head, Derivative) else head
    return (
        any(isinstance(part, Prime) for part in head.walk())
        or _nested(of)
        or (isinstance(head, Derivative) and isinstance(of, Quotient | Times | Plus))
    )


def _nested(node: Node) -> bool:
    """Whether a function is of another: f(g(x))."""
    return isinstance(node, Call) and len(node.args) == 1 and isinstance(node.args[0], Call)


def by_rule(nets: Nets, head: Node, member: Node, number: int) -> tuple[Outcome, str] | None:
    """What is said of a formula with primes that no net knows, and under which reading; None where nothing is."""
    if _of_any_functions(nets, head):
        slope = _sloped(head) if _slopes(member) else head
        agree = [_Dual(nets, number, seed).agree(slope, member) for seed in range(4)]
        if all(agree):
            return Outcome("holds"), MEANT if slope is not head else RULE
        if slope is head and agree[0] is False:
            return Outcome("fails", least=FAR, most=1.0), ""
    if _is_rule(nets, head, number):
        agree = [_Dual(nets, number, seed).agree(head, member) for seed in range(4)]
        if all(agree):
            return Outcome("holds"), RULE
        return (Outcome("fails", least=FAR, most=1.0), "") if agree[0] is False and _composed(head) else None
    body = _told(nets, head, number)
    if body is not None and _is_slope(nets, body, member, number):
        return Outcome("holds"), WHOLE
    unknown = isinstance(head, Prime) and not _function(nets, head.base) and not _has(member, head.base)
    return (Outcome("not understood", "what is differentiated by what, nothing says"), "") if unknown else None


def _of_any_functions(nets: Nets, head: Node) -> bool:
    """Whether functions of functions are spoken of that the lesson has nowhere else: (f(g(x)))', (f ∘ g)'(x)."""
    match head:
        case Derivative(of=of) | Prime(base=of) if _nested(of):
            pass
        case Times(factors=(Prime(base=Times(ops=("odot",)) as of), Name() | Ref()), ops=("",)):
            pass
        case Call() as of if _nested(of):
            pass
        case _:
            return False
    names = {part.base for part in of.walk() if isinstance(part, Name | Ref)}
    return not names & nets.program.functions.keys()


def _sloped(head: Node) -> Node:
    """The derivative of f(g(x)) by x; any other formula as it is."""
    match head:
        case Call(args=(Call(args=(x,)),)):
            return Derivative(head, (x,))
    return head


def _plain(node: Node) -> Node:
    """A formula in which a symbol without scripts is its letter, which it is within primes as well."""
    return Name(node.base) if isinstance(node, Ref) and not node.slots + node.subs else rebuilt(node, _plain)


def _slopes(member: Node) -> bool:
    return any(isinstance(part, Prime | Derivative) for part in member.walk())


def _function(nets: Nets, name: Node) -> bool:
    """Whether a symbol is a function that the lesson has or uses."""
    program = nets.program
    return isinstance(name, Name | Ref) and (name.base in program.functions or program.calls(name.base))


def _has(node: Node, name: Node) -> bool:
    return isinstance(name, Name | Ref) and any(isinstance(n, Name | Ref) and n.base == name.base for n in node.walk())


def _composed(head: Node) -> bool:
    """Whether it says itself what is differentiated: (f/g)'."""
    return not isinstance(head, Call)


def _is_rule(nets: Nets, head: Node, number: int) -> bool:
    """Whether a quotient, a product or a sum of functions is differentiated, or what is told to be one."""
    match head:
        case Prime(base=Quotient() | Times() | Plus()):
            return True
        case Derivative(of=Quotient() | Times() | Plus() as of, wrt=(Ref(slots=(), subs=()) as x,)):
            return any(isinstance(part, Call) and part.args == (x,) for part in of.walk())
        case Call(function=Prime(base=Name(base=name) | Ref(base=name))):
            told = nets.program.function(name, number)
            return told is not None and _calls(told.body)
    return False


def _calls(body: Node) -> bool:
    """Whether a function is told to be made of others: it is held to that; of any other, nothing is used."""
    return any(isinstance(part, Call) for part in body.walk())


@dataclass
class _Dual:
    """One function of every letter: its value and its slope at one place."""

    nets: Nets
    number: int
    seed: int
    argument: Node | None = None
    drawn: dict[str, tuple[float, float]] = field(default_factory=dict)
    inner: dict[tuple[str, Call], tuple[float, float]] = field(default_factory=dict)
    """Values and slopes of functions of functions."""

    def agree(self, head: Node, member: Node) -> bool | None:
        """Whether two sides have one value; None where a side is no formula of functions."""
        self.random = random.Random(self.seed)
        try:
            left, right = self.of(_plain(head))[0], self.of(_plain(member))[0]
        except (TypeError, ZeroDivisionError, OverflowError):
            return None
        return abs(left - right) <= CLOSE * max(abs(left), abs(right), 1.0)

    def of(self, node: Node) -> tuple[float, float]:
        """Value and slope; of a slope only its value is known. Raises TypeError where it is none of these."""
        match node:
            case Number(text=text):
                return float(text), 0.0
            case Prime(base=base, order=1):
                return self.of(base)[1], float("nan")
            case Derivative(of=of, wrt=(x,)) if (by := self.by_function(of, x)) is not None:
                return by, float("nan")
            case Derivative(of=of, wrt=(x,)):
                self.at(x)
                return self.of(of)[1], float("nan")
            case Times(factors=(Prime(base=Times(factors=(f, g), ops=("odot",)), order=1), x), ops=("",)):
                return self.of(Call(f, (Call(g, (x,)),)))[1], float("nan")
            case Call(function=Prime(base=Name(base=name) | Ref(base=name), order=1), args=(Call() as inner,)):
                return self.at_inner(name, inner)[1], float("nan")
            case Call(function=Name(base=name) | Ref(base=name), args=(Call() as inner,)):
                (value, slope), by = self.at_inner(name, inner), self.of(inner)[1]
                return value, slope * by
            case Call(function=Prime(base=base, order=1), args=(x,)):
                return self.of(Call(base, (x,)))[1], float("nan")
            case Call(function=Name(base=name) | Ref(base=name, subs=(), slots=()), args=(x,)):
                self.at(x)
                told = self.nets.program.function(name, self.number)
                return self.of(_plain(told.body)) if told is not None and _calls(told.body) else self.letter(name)
            case Name(base=name) | Ref(base=name, subs=(), slots=()):
                return self.letter(name)
            case Negative(body=body):
                value, slope = self.of(body)
                return -value, -slope
            case Plus(terms=terms, signs=signs):
                parts = [self.of(term) for term in terms]
                value, slope = (sum(s * p[k] for s, p in zip(signs, parts, strict=True)) for k in (0, 1))
                return value, slope
            case Times(factors=factors, ops=ops) if {*ops} <= {"", "cdot", "times", "*"}:
                value, slope = 1.0, 0.0
                for a, b in map(self.of, factors):
                    value, slope = value * a, slope * a + value * b
                return value, slope
            case Quotient(over=over, under=under):
                (a, da), (b, db) = self.of(over), self.of(under)
                return a / b, (da * b - a * db) / b**2
            case Power(base=base, exponent=Number(text=text)) if text.isdigit():
                (a, da), n = self.of(base), int(text)
                return a**n, n * a ** (n - 1) * da
        raise TypeError

    def at_inner(self, name: str, inner: Call) -> tuple[float, float]:
        """Value and slope of a function at the value of another: f at g(x)."""
        return self.inner.setdefault((name, inner), (self.random.uniform(0.5, 2), self.random.uniform(0.5, 2)))

    def by_function(self, of: Node, wrt: Node) -> float | None:
        """The df/dg of f(g(x)); None where that is spoken of nowhere."""
        name, g = (called(side) if isinstance(side, Call) else getattr(side, "base", "") for side in (of, wrt))
        return next((s for (f, inner), (_, s) in self.inner.items() if f == name and called(inner) == g), None)

    def at(self, x: Node) -> None:
        """All functions are of one argument."""
        argument = self.argument = self.argument or x
        if argument != x:
            raise TypeError

    def letter(self, name: str) -> tuple[float, float]:
        """The argument itself, or a function of it."""
        if isinstance(self.argument, Name | Ref) and self.argument.base == name:
            return self.drawn.setdefault(name, (self.random.uniform(0.5, 2), 1.0))
        return self.drawn.setdefault(name, (self.random.uniform(0.5, 2), self.random.uniform(0.5, 2)))


def _told(nets: Nets, head: Node, number: int) -> Node | None:
    """What the quantity is told to be whose prime a formula is of, last before it: f = e^{z_k}."""
    match head:
        case Prime(base=Name(base=name) | Ref(base=name), order=1):
            told = [d for d in nets.program.definitions if d.head == Ref(name) and d.number <= number]
            return max(told, key=lambda d: d.number).body if told else None
    return None


def _is_slope(nets: Nets, body: Node, member: Node, number: int) -> bool:
    """Whether a formula is the partial of another by some entry of what that is made of."""
    letters = [*sorted(free(member) | free(body)), OTHER]
    refs = {part for part in body.walk() if isinstance(part, Ref) and len(part.subs) <= 1}
    wrt = {replace(ref, subs=(Name(letter),)) if ref.subs else ref for ref in refs for letter in letters}
    for by in sorted(wrt, key=str):
        partial = Derivative(body, (by,))
        found = nets.judge(partial, member, number)
        apart = member == Number("0") and nets.read(partial, member, APART, number).verdict == "holds"
        if found.right or apart:
            return True
    return False
