r"""What a difference of two formulas proves, where some of their quantities are arbitrary functions.

Of a loss that is never written down nothing but its partials can be said: a formula that tells more may be right for
the loss that its author has in mind.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from oracle.lesson.meaning.convolving import LINEAR
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.losses import THERE
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import SCALARS, Program
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Gradient,
    Indexed,
    Name,
    Negative,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Sum,
    Tagged,
    Times,
    Transpose,
)  # fmt: skip


def proves(program: Program, below: Mapping[object, set[object]], head: Node, member: Node) -> bool:
    """Whether a difference of two formulas says that one is wrong, though some of their quantities are arbitrary.

    It does if every term of both is linear in the partials of the arbitrary function (∂L/∂z); where it stands in the
    middle of a chain, if every term is a chain of partials that leads from the left side's end to its other end.
    `below` are the program's `dependencies`.
    """
    if any(_may_be_row(program, part) for side in (head, member) for part in side.walk()):
        return False
    found = {_symbol(d.head): d.body for d in program.definitions if isinstance(d.body, Unsaid)}
    unlinked = _unlinked(program)
    if not found and not program.unclear and not unlinked:
        return True
    used = _mentioned(program, head) | _mentioned(program, member)
    reached = used | {deep for symbol in used for deep in below.get(symbol, ())}
    bases = {symbol[0] for symbol in reached if isinstance(symbol, tuple)}
    if any({one, whole} <= bases for one, whole in unlinked):
        return False
    clear = {d.head for d in program.definitions if not (isinstance(d.body, Unsaid) and d.number and not d.body.number)}
    if {_symbol(head) for head in program.unclear - clear} & reached:
        return False
    touched = {symbol for symbol, made in found.items() if symbol in reached and (made.number or not made.exact)}
    touched -= {symbol for symbol, made in found.items() if _elsewhere(symbol, made, used, below)}
    ends = _ends_of_partials(program, head, member)
    sums = {symbol: _added_up(program, symbol) for symbol in touched}
    inner = {symbol for symbol in touched if any(symbol in below[k] for k in below.keys() - sums[symbol])}
    crossed = {symbol for symbol in inner if below.get(symbol, set()) & ends}
    outer = touched - inner
    if crossed and not _chains(program, head, member):
        return False
    if any(_between_arguments(program, symbol, head, member) for symbol in outer):
        return False
    return all(_carries(program, side, sums[symbol]) for symbol in outer for side in (head, member))


def _may_be_row(program: Program, part: Node) -> bool:
    """Whether a symbol is taken for a matrix of another case, and may be one of its rows: w_u, beside w_{uj} and W."""
    if not isinstance(part, Ref) or part.base not in program.aliases or len(part.subs) > 1:
        return False
    if core(part.base) in program.notation.rows:
        return False  # that it is one is known
    whole = program.aliases[part.base]
    return (
        whole == part.base.upper() != part.base
        and program.rank(whole, 0) == 2
        and (part.base, 1) in program.notation.indexed
    )


def _unlinked(program: Program) -> list[tuple[str, str]]:
    """Inputs of which one is surely made of the others, and nothing says how: the x_i and X of Σ_i x_i and X - μ."""
    linked = {*program.columns, *program.stacks, *program.aliases, *program.batches}
    arrays = {key[0] for key, shape in program.shapes.items() if shape} - linked - PARAMETER_LETTERS
    made = {d.head.base for d in program.definitions}
    return [(base, base.upper()) for base in arrays - made if base.islower() and base.upper() in arrays - made]


def _elsewhere(
    symbol: tuple[str, tuple[str, ...]], made: Unsaid, used: set[tuple[str, tuple[str, ...]]],
    below: Mapping[object, set[object]],
) -> bool:  # fmt: skip
    """Whether an arbitrary part of the loss is of an example beside the net, of which a formula has nothing."""
    args = {_symbol(arg) for arg in made.args}
    return symbol[0].endswith(THERE) and not used & args.union(*(below.get(arg, set()) for arg in args))


Symbol = tuple[str, tuple[str, ...]]
"""A base and the kinds of its slots."""


def _symbol(ref: Ref) -> Symbol:
    return ref.base, ref.kinds


def _added_up(program: Program, symbol: Symbol) -> set[Symbol]:
    """A quantity and all that are sums of it, with penalties or without: the partials of L = Σ_t L_t are sums too."""
    found, last = {symbol}, set[Symbol]()
    while found != last:
        last = {*found}
        found |= {_symbol(d.head) for d in program.definitions if _adds(program, d.body, last)}
    return found


def _adds(program: Program, body: Node, found: set[Symbol]) -> bool:
    match body:
        case Ref():
            return _symbol(body) in found
        case Sum(body=inner, product=False) | Negative(body=inner):
            return _adds(program, inner, found)
        case Plus(terms=(_, Ref(base=base) as there)) if base.endswith(THERE):
            return _adds(program, there, found)  # of an example of its own, which nothing else is made of
        case Plus(terms=terms):
            rest = [term for term in terms if not _penalty(program, term)]
            return bool(rest) and all(_adds(program, term, found) for term in rest)
        case Times(factors=factors):
            return _adds(program, factors[-1], found) and all(_constant(factor) for factor in factors[:-1])
        case Quotient(over=over, under=under):
            return _adds(program, over, found) and _constant(under)
    return False


def _constant(node: Node) -> bool:
    """1, 1/2, 1/m."""
    match node:
        case Number():
            return True
        case Ref(base=base, slots=(), subs=()):
            return base in SCALARS or base in ("T", "N", "B")
        case Quotient(over=over, under=under):
            return _constant(over) and _constant(under)
    return False


def _between_arguments(program: Program, symbol: object, *sides: Node) -> bool:
    """Whether ∂f/∂β is told by ∂f/∂y, where nobody knows how y depends on β."""
    made = [d.body for d in program.definitions if isinstance(d.body, Unsaid) and (d.head.base, d.head.kinds) == symbol]
    args = {(arg.base, arg.kinds) for body in made for arg in body.args} & _ends_of_partials(program, *sides)
    bodies = [d.body for d in program.definitions if not isinstance(d.body, Unsaid)]
    known = {(d.head.base, d.head.kinds) for d in program.definitions}
    known |= {(n.base, n.kinds) for body in bodies for n in body.walk() if isinstance(n, Ref)}
    return len(args) > 1 and not args <= known


def _ends_of_partials(program: Program, *sides: Node) -> set[object]:
    """By what is differentiated: a function that no partial goes through is as good as a number."""
    nodes = [node for side in sides for node in side.walk()]
    wrt = [w for node in nodes if isinstance(node, Derivative) for w in node.wrt if isinstance(w, Ref)]
    wrt += [node.wrt for node in nodes if isinstance(node, Gradient) and isinstance(node.wrt, Ref)]
    signals = [(node, s) for node in nodes if isinstance(node, Ref) and (s := program.signal(node))]
    return {(w.base, w.kinds) for w in wrt} | {(s.of, node.kinds) for node, s in signals}


def _mentioned(program: Program, node: Node) -> set[Symbol]:
    refs = [replace(n, base=n.base.removeprefix(PREFIX)) for n in node.walk() if isinstance(n, Ref)]
    signals = [(ref, s) for ref in refs if (s := program.signal(ref))]
    called = {name_of(part) for part in node.walk() if isinstance(part, Call)}
    return (
        {(ref.base, ref.kinds) for ref in refs}
        | {(d.head.base, d.head.kinds) for d in program.definitions if d.head.base in called}
        | {(s.of, ref.kinds) for ref, s in signals}
        | {(n.base, n.kinds) for _, s in signals for n in s.loss.walk() if isinstance(n, Ref)}
    )


def _partial(program: Program, node: Node) -> Symbol | None:
    """Of which quantity a factor is a partial."""
    match node:
        case Derivative(of=Ref() as of) | Gradient(of=Ref() as of):
            return _symbol(of) if of.kinds else _value(program, of.base)
        case Derivative(of=Call() as call):
            return _value(program, name_of(call))
        case Call(function=Prime()):
            return _value(program, name_of(node))
        case Ref(base=base) if base.startswith(PREFIX) and program.notation.differentials:
            return base.removeprefix(PREFIX), node.kinds
        case Ref() if (signal := program.signal(node)) and isinstance(signal.loss, Ref):
            return signal.loss.base, signal.loss.kinds
    return None


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case Negative(body=body) | Sum(body=body) | Transpose(base=body) | Indexed(base=body) | Quotient(over=body):
            return (body,)
        case Times(factors=factors):
            return factors
        case Call(function=Name(base="tr" | "Tr" | "sum"), args=(body,)):
            return (body,)
        case Call(args=args) if name_of(node) in LINEAR:
            return args[:2]
    return ()


def _carries(program: Program, node: Node, symbols: set[Symbol]) -> bool:
    """Whether every term of a formula has a partial of one of some quantities as a factor."""
    if _partial(program, node) in symbols:
        return True
    if isinstance(node, Plus):
        terms = [term for term in node.terms if not _of_parameters(term)]
        return bool(terms) and all(_carries(program, term, symbols) for term in terms)
    if isinstance(node, Ref) and (made := _named_signal(program, node)) is not None:
        return _carries(program, made, symbols)
    return any(_carries(program, part, symbols) for part in _inside(node))


def _of_parameters(term: Node) -> bool:
    """Whether a term is a penalty's: λ W, of which no loss of a sample can be in an author's mind."""
    refs = [part for part in term.walk() if isinstance(part, Ref)]
    weights = [ref for ref in refs if ref.base not in SCALARS and core(ref.base) != "lambda"]
    return len(refs) > len(weights) > 0 and all(core(ref.base) in PARAMETER_LETTERS for ref in weights)


def _penalty(program: Program, term: Node) -> bool:
    """Whether a term is a penalty, or the name of one: the s of J = L + s."""
    named = [d.body for d in program.definitions if d.head == term]
    return _of_parameters(term) or (len(named) == 1 and _of_parameters(named[0]))


def _named_signal(program: Program, ref: Ref) -> Node | None:
    """What δ^h is, by a definition that is made of error signals; None of any other symbol."""
    bodies = (d.body for d in program.definitions if (d.head.base, d.head.kinds) == (ref.base, ref.kinds) and d.number)
    found = (b for b in bodies if any(isinstance(part, Ref) and program.signal(part) for part in b.walk()))
    return None if program.signal(ref) else next(found, None)


def _value(program: Program, name: str) -> Symbol:
    """The quantity that a function's values are, whatever it counts: the L_t of L_t(y_t)."""
    kinds = [d.head.kinds for d in program.definitions if d.head.base == name]
    return name, kinds[0] if kinds and () not in kinds else ()


def name_of(call: Call) -> str:
    """The name of a function, whatever stands on it."""
    core = call.function
    while isinstance(core, Prime | Indexed | Tagged | Power):
        core = core.base
    return core.base if isinstance(core, Name) else ""


def _chains(program: Program, head: Node, member: Node) -> bool:
    """Whether a partial of a number is a sum of chains of partials of numbers, each between the same two ends."""
    if not isinstance(head, Derivative) or any(isinstance(part, Ref) and part.subs for part in head.walk()):
        return False
    whole = _ends(head)
    terms = member.terms if isinstance(member, Plus) else (member,)
    return all((ends := _ends(term)) is not None and ends == whole for term in terms)


def _ends(term: Node) -> tuple[Counter[str], Counter[str]] | None:
    """What is left of a chain's numerators and denominators when they are cancelled."""
    over, under = Counter[str](), Counter[str]()
    for factor in term.factors if isinstance(term, Times) else (term,):
        match factor:
            case Derivative(of=Ref(base=a, subs=()), wrt=(Ref(base=b, subs=()),)):
                over[a] += 1
                under[b] += 1
            case Derivative(of=Call(function=Name(base=a)), wrt=(Ref(base=b, subs=()),)):
                over[a] += 1
                under[b] += 1
            case _:
                return None
    return over - under, under - over
