r"""What is a number in a lesson of vectors: wᵀ x is one, so the b of wᵀ x + b is, and the y of y log σ(wᵀ x + b)."""

from collections.abc import Iterator
from itertools import pairwise

from oracle.lesson.meaning.cells import cells
from oracle.lesson.meaning.convolving import GOES_OVER
from oracle.lesson.meaning.differentials import NUMBERS
from oracle.lesson.meaning.naming import letter
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import LOGARITHMS, Program, is_target
from oracle.lesson.syntax import Call, Name, Negative, Node, Number, Plus, Power, Quotient, Sum, Times, Transpose

LOGS = {Name(log) for log in LOGARITHMS}
RATES = {"alpha", "lambda", "eta", "epsilon", "rho"}
"""What is a number by custom, and all that it is made of."""
TEMPERATURES = {"T", "tau", "t", "c", "kappa"}
"""What vectors are divided by, and is a number."""


def declare_numbers(program: Program) -> None:
    """Note in `declared` all that must be a number because a forward equation has it beside one."""
    if not program.vectors:
        return
    for base in (*_ends(program), *_shares(program), *_divisors(program), *cells(program.definitions)):
        program.declared.setdefault(base, 0)
    for base in _weights(program):
        program.declared.setdefault(base, 1)
    for base in _rows(program):
        program.declared.setdefault(base, 2)
    made: set[str] = set()
    refs = (part for d in program.definitions for part in d.body.walk() if isinstance(part, Ref))
    layered = {ref.base for ref in refs if "layer" in ref.kinds}  # the b of w^T x + b is another than b^{[l]}
    for _ in range(4):
        for d in program.definitions:
            for base in {*_found(d.body, program, made)} - layered:
                program.declared.setdefault(base, 0)
            if not d.head.subs and _is_number(d.body, program, made):
                made.add(d.head.base)


def _ends(program: Program) -> Iterator[str]:
    """The d of Σ_{i=1}^d, wherever it stands."""
    for part in (part for d in program.definitions for part in d.body.walk()):
        match part:
            case Sum(indices=(_, *_), upper=Ref(base=base, subs=(), slots=())) if not _made(base, program):
                yield base


def _shares(program: Program) -> Iterator[str]:
    """The a of (1 - a) h_{t-1} + a f(u_t), and the τ of α = 1/τ: numbers, as a product with vectors has no ⊙."""
    for d in program.definitions:
        number = d.head.base in RATES and not d.head.subs
        found = [part for part in d.body.walk() if isinstance(part, Ref)] if number else [*_rests(d.body)]
        alone = [ref.base for ref in found if not ref.subs and not ref.slots and not is_target(ref.base)]
        yield from (base for base in alone if not _made(base, program))


def _divisors(program: Program) -> Iterator[str]:
    """The T of softmax(o / T), which nothing makes."""
    for part in (part for d in program.definitions for part in d.body.walk()):
        match part:
            case Quotient(over=Ref(), under=Ref(base=base, subs=(), slots=())) if not _made(base, program):
                yield from {base} & TEMPERATURES


def _rests(body: Node) -> Iterator[Ref]:
    for part in body.walk():
        match part:
            case Times(factors=(Plus(terms=(Number(text="1"), Ref() as share), signs=(1, -1)), *_), ops=ops):
                yield from () if {*ops} - {"", "cdot"} else (share,)


def _weights(program: Program) -> Iterator[str]:
    """The w of wᵀ x in a cross-entropy of two classes, or in a square of numbers: one unit's weights, a vector."""
    if any(_binary(d.body) or _squared(d.body) for d in program.definitions):
        for node in (part for d in program.definitions for part in d.body.walk()):
            for a, b in _inner(node):
                if a == Ref("w") and b.base.islower():
                    yield "w"
    for d in program.definitions:
        if d.head.base in NUMBERS and any(_softplus(part) for part in d.body.walk()):
            yield from (ref.base for part in d.body.walk() for pair in _inner(part) for ref in pair if ref == Ref("w"))


def _inner(node: Node) -> Iterator[tuple[Ref, Ref]]:
    """The w and x of wᵀ x, wherever they stand in a product."""
    for a, b in pairwise(node.factors) if isinstance(node, Times) else ():
        if isinstance(a, Transpose) and isinstance(a.base, Ref) and isinstance(b, Ref):
            yield a.base, b


def _softplus(node: Node) -> bool:
    """Whether a formula is log(1 + exp(x^T w))."""
    match node:
        case Call(args=(Plus(terms=(Number(text="1"), Call() | Power()), signs=(1, 1)),)):
            return node.function in LOGS
    return False


def _squared(body: Node) -> bool:
    """Whether a formula has (wᵀ x - y)²."""
    squares = (part.base for part in body.walk() if isinstance(part, Power) and part.exponent == Number("2"))
    terms = (term for base in squares if isinstance(base, Plus) for term in base.terms)
    return any(isinstance(term, Times) and isinstance(term.factors[0], Transpose) for term in terms)


def _rows(program: Program) -> Iterator[str]:
    """The θ of θ_kᵀ x, which has a vector for each k."""
    for node in (part for d in program.definitions for part in d.body.walk()):
        match node:
            case Times(factors=(Transpose(base=Ref(base=w, slots=(), subs=(Name(),))), Ref(base=x, subs=()), *_)):
                if letter(w) in PARAMETER_LETTERS and x.islower():
                    yield w


def _binary(body: Node) -> bool:
    """Whether a formula has log (1 - p) or (1 - p)^{1 - y}, and adds up no classes."""
    for part in body.walk():
        match part:
            case Call(args=(Plus(terms=(Number(text="1"), _), signs=(1, -1)),)) if part.function in LOGS:
                return sum(isinstance(part, Sum) for part in body.walk()) < 2
            case Power(base=Plus(terms=(Number(text="1"), _), signs=(1, -1)), exponent=exponent):
                return exponent in [Plus((Number("1"), ref), (1, -1)) for ref in exponent.walk()]
    return False


def _found(body: Node, program: Program, made: set[str]) -> Iterator[str]:
    """Symbols that no equation defines and that are added to numbers, or weigh their logarithms."""
    for part in body.walk():
        match part:
            case Plus(terms=terms) if any(_is_number(term, program, made) for term in terms):
                beside: tuple[Node, ...] = terms
            case Times(factors=factors) if any(_is_log(f, program, made) for f in factors):
                beside = tuple(f for f in factors if isinstance(f, Ref) and is_target(f.base))
            case Times(factors=factors, ops=ops) if {*ops} <= {"", "cdot"} and len(factors) > 2:
                inner = [
                    pair
                    for pair in _inner(part)
                    if _is_number(Times((Transpose(pair[0]), pair[1]), ("",)), program, made)
                ]
                beside = tuple(f for f in factors if inner and isinstance(f, Ref) and is_target(f.base))
            case Power(base=power, exponent=Ref() as exponent) if _is_number(power, program, made):
                beside = (exponent,)
            case _:
                continue
        for term in beside:
            if isinstance(term, Ref) and not term.subs and not _made(term.base, program):
                yield term.base


def _made(base: str, program: Program) -> bool:
    return any(d.head.base == base for d in program.definitions)


def _is_log(node: Node, program: Program, made: set[str]) -> bool:
    return isinstance(node, Call) and node.function in LOGS and _is_number(node, program, made)


def _is_number(node: Node, program: Program, made: set[str]) -> bool:
    """Whether a formula is known to be a number, whatever its samples: an inner product, or made of one."""
    match node:
        case Ref(base=base, subs=subs) if subs:
            return len(subs) >= program.rank(base, len(subs))
        case Ref(base=base):
            return base in made or program.declared.get(base) == 0
        case Sum(body=body) if node.indices:
            return all(_is_number(x, program, made) for x in (body.factors if isinstance(body, Times) else (body,)))
        case Times(factors=(Transpose(base=Ref(subs=()) as a), Ref(subs=()) as b)):
            layer = b.base.islower() and not b.slots and b.base not in made  # the a of wᵀ a, where a = f(W x)
            return _vector(a, program) and (_vector(b, program) or (layer and _made(b.base, program)))
        case Plus(terms=terms):
            over = any(isinstance(part, Times) and GOES_OVER & {*part.ops} for part in node.walk())  # z = a * W + b
            return not over and any(_is_number(term, program, made) for term in terms)
        case Negative(body=body) | Power(base=body) | Call(args=(body,)):
            return _is_number(body, program, made)
        case Quotient(over=over, under=under):
            return all(isinstance(x, Number) or _is_number(x, program, made) for x in (over, under))
    return False


def _vector(ref: Ref, program: Program) -> bool:
    return not _made(ref.base, program) and program.rank(ref.base, 0) == 1
