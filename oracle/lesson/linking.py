"""The links of a chain: its first member is the truth for all others."""

from oracle.lesson.accumulating import added, one_of_several
from oracle.lesson.alone import of_these_alone
from oracle.lesson.any_matrices import ANY_MATRICES, of_any_matrices
from oracle.lesson.any_parameter import ANY_PARAMETER, of_any_parameter
from oracle.lesson.batch_means import of_a_mean, of_all_in_all
from oracle.lesson.bold_columns import COLUMN, with_columns
from oracle.lesson.calculus_rules import by_rule, primed
from oracle.lesson.cancelling import is_zero
from oracle.lesson.chain_factors import FACTOR, as_factor
from oracle.lesson.chain_rule import ONE_BY_ONE, is_chain_rule
from oracle.lesson.counted_from_zero import FROM_ZERO, from_the_first
from oracle.lesson.counterexample import counterexample
from oracle.lesson.defining import is_of_arguments
from oracle.lesson.document import Formula
from oracle.lesson.endings import is_loss
from oracle.lesson.entry_meant import ENTRY, WHOLE, entry_of, whole_of
from oracle.lesson.instead import instead
from oracle.lesson.judging import OTHERWISE, UNSAID, Nets, Outcome, apart_by
from oracle.lesson.meaning.classes import other_classes
from oracle.lesson.meaning.convolving import GOES_OVER
from oracle.lesson.meaning.gradients import gradient_of
from oracle.lesson.meaning.layouts import LYING, sensitive
from oracle.lesson.meaning.limits import free, one_letter
from oracle.lesson.meaning.masks import conditional
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref, letters, mentions
from oracle.lesson.meaning.program import called, is_target, is_update, made_of
from oracle.lesson.meaning.sizes_said import SIZES
from oracle.lesson.meaning.slopes import leftwards
from oracle.lesson.meaning.steps import step
from oracle.lesson.meaning.values import REFUSED
from oracle.lesson.ones_meant import ONES, with_ones
from oracle.lesson.pointwise import at_any_number
from oracle.lesson.records import BAD, Link, Place, Verdict
from oracle.lesson.row_weights import ROW, with_rows
from oracle.lesson.several_losses import by_another
from oracle.lesson.squares_meant import SQUARES, with_squares
from oracle.lesson.syntax import (
    Call,
    Cases,
    Derivative,
    Dots,
    Gradient,
    Indexed,
    Indicator,
    Items,
    Limit,
    Matrix,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Plus,
    Power,
    Prime,
    Problem,
    Relation,
    Span,
    Times,
    Transpose,
)  # fmt: skip
from oracle.lesson.told_numbers import by_told_numbers
from oracle.lesson.transposed import OF_TRANSPOSED, of_transposed
from oracle.lesson.unplaced import BELOW, one_layer_below
from oracle.lesson.unscripted import ANY_UNIT, of_any_unit
from oracle.lesson.untransposed import of_turned
from oracle.lesson.widening import widened

EQUAL = ("=", ":=")
STEP = ("<-", "+=", "-=")
ACTIVATION_WORDS = {way.words for way in OTHERWISE if way.activations}
"""Readings by which activation it is."""


def chain(
    formula: Formula, number: int, body: Relation, defined: set[int], nets: list[Nets], limits: tuple[Limit, ...] = (),
    spoken: tuple[str, ...] = (),
) -> list[Link]:  # fmt: skip
    """Every relation of a chain, judged in the first of `nets`, and in the others where those alone know of it.

    Members whose identity is in `defined` define what stands before them; `limits` are conditions of the text, and
    `spoken` the activations that it names right before.
    """
    members = zip(body.ops, body.items[1:], strict=True)
    notation = nets[0].program.notation
    limits += other_classes(body.items[0], notation.chosen if notation.others else ())
    links = [_link(formula, number, body.items[0], op, member, defined, nets, limits, spoken) for op, member in members]
    return _torn(_of_one_activation(_by_numbers(links, body)), body)


def _of_one_activation(links: list[Link]) -> list[Link]:
    """Links of which none holds for another activation than one before it in the chain: h (1 - h) = 1 - h²."""
    first = next((k.under for k in links if k.under in ACTIVATION_WORDS), "")
    why = f"another member of this chain holds where {first}, and not where this one does"
    return [
        Link(k.left, k.relation, k.right, "fails", why, place=k.place)
        if first and k.under in ACTIVATION_WORDS - {first} else k
        for k in links
    ]  # fmt: skip


def _torn(links: list[Link], body: Relation) -> list[Link]:
    r"""Links of which those that are right but for a missing ∂ say so: \frac{\partial C}{z}."""
    torn = [
        next((part.torn for part in item.walk() if isinstance(part, Derivative) and part.torn), "")
        for item in body.items
    ]
    missing = [torn[1] or torn[0], *torn[2:]]  # the head's is said of the first link alone
    return [
        Link(k.left, k.relation, k.right, "ill-typed", f"a ∂ is missing {where} the line", place=k.place)
        if where and k.verdict in ("holds", "holds under", "definition") else k
        for k, where in zip(links, missing, strict=True)
    ]  # fmt: skip


def _by_numbers(links: list[Link], body: Relation) -> list[Link]:
    """Links of which those that compare symbols by their numbers claim no more: ∂L/∂w_3 = ∂L/∂w_4 = 0."""
    if links[-1].verdict != "aside" or mentions(body.items[-1]):
        return links
    pairs = zip(links, body.items[1:], strict=True)
    alike = [(link, link.verdict == "fails" and isinstance(item, Derivative | Ref)) for link, item in pairs]
    return [Link(k.left, k.relation, k.right, "aside", place=k.place) if same else k for k, same in alike]


def aside(formula: Formula, relation: Relation) -> Link:
    """A relation that is a condition, and claims nothing."""
    left, right = (formula.tex[slice(*item.span)] for item in relation.items[:2])
    return Link(left, relation.ops[0], right, "aside", place=within(formula, relation.span))


def _link(
    formula: Formula, number: int, head: Node, op: str, member: Node, defined: set[int], nets: list[Nets],
    limits: tuple[Limit, ...] = (), spoken: tuple[str, ...] = (),
) -> Link:  # fmt: skip
    left, right = formula.tex[slice(*head.span)], formula.tex[slice(*member.span)]
    place = within(formula, member.span)
    op = "<-" if op == "->" and is_update(head, member) else op
    if id(member) in defined and step(head, op, member) is None:
        return Link(left, op, right, "definition", place=place)
    listed = (isinstance(head, Ref) and _lists(member)) or _where(head, member) or _labels(head, member, nets[0])
    listed = listed or _entries(head, member)
    if op in EQUAL and listed:
        return Link(left, op, right, "definition", place=place)
    nothing = _told(head, member) or _named_list(head, member) or _arithmetic(head, member) or _open_ended(member)
    nothing = nothing or _size(head, member, nets[0]) or _is_of(head, member) or _of_identity(head, member)
    if op not in EQUAL + STEP or nothing or Dots() in (head, member):
        return Link(left, op, right, "aside", place=place)
    part = added(head, op, member, nets[0])
    if stepped(head, op, member) if part is None else one_of_several(head, part, number, nets[0]):
        return Link(left, op, right, "update", place=place)
    member = part or member
    found, judge, under = weighed(head, member, number, nets, limits)
    factor = None if under or found.verdict == "holds" else as_factor(judge, head, member, number)
    if factor is not None and (factor.verdict == "holds" or found.verdict == "not understood"):
        found, under = factor, FACTOR if factor.verdict == "holds" else ""
    if found.verdict != "holds" and not under and primed(head) and (said := by_rule(judge, head, member, number)):
        found, under = said
    doubtful = found.zero or found.verdict != "holds"
    if doubtful and not under and is_chain_rule(judge, head, member):
        under = ONE_BY_ONE
    if found.verdict in (*BAD, "not understood") and not under:
        under = instead(judge, head, member, number, spoken)
    if under:
        return Link(left, op, right, "holds under", under=under, place=place)
    told = found.verdict in BAD and (_names_gradient(head, member, nets[0]) or _goes_over(head))
    if told or (found.verdict == "not understood" and _written_out(head, member, judge)):
        return Link(left, op, right, "definition", place=place)
    if found.verdict == "fails" and not mentions(member) and _given(head, member, judge):
        return Link(left, op, right, "aside", place=place)
    if found.verdict == "fails" and supposed(judge, head, member, number):
        found = Outcome("not understood", "the lesson writes no loss, and none that is known has this partial")
    lying = LYING & {*judge.program.layouts} and sensitive(head, member)
    if found.verdict == "ill-typed" and lying and not _means_nothing(judge, member, number):
        found = Outcome("not understood", "partials may be rows in this lesson, and nothing says of which")
    if found.verdict == "ill-typed" and judge.program.narrow:
        found = Outcome(
            "not understood", "some layer has a single unit here, and its vectors may be written as numbers"
        )
    if found.verdict == "ill-typed" and _of_many_numbers(judge, head):
        found = Outcome("not understood", "the loss is no single number in the net that the lesson writes down")
    verdict: Verdict = "vacuous" if found.verdict == "holds" and found.zero else found.verdict
    example = counterexample(judge, head, member, left, right, number) if verdict == "fails" else None
    difference = (found.least, found.most) if found.verdict in ("holds", "fails") else None
    return Link(
        left, op, right, verdict, found.reason, difference=difference, counterexample=example, place=place
    )  # fmt: skip


def weighed(
    head: Node, member: Node, number: int, nets: list[Nets], limits: tuple[Limit, ...] = ()
) -> tuple[Outcome, Nets, str]:
    """What the nets say of two sides, which nets, and under which other reading the sides agree ("" where none)."""
    found, judge = _outcome(head, member, number, nets)
    doubtful = found.verdict in ("ill-typed", "not understood")
    if doubtful and (of_function := at_any_number(head, member)) is not None:
        head, member = of_function
        found = judge.judge(head, member, number)
    if found.verdict not in ("fails", "ill-typed"):
        ways = OTHERWISE if found.reason == UNSAID else judge.summing if found.verdict == "not understood" else ()
        words = judge.under(head, member, number, ways) if ways else ""
        if not words and found.verdict == "not understood" and of_any_matrices(judge, head, member):
            words = ANY_MATRICES
        elif not words and found.verdict == "not understood" and of_any_unit(judge, head, member, number):
            words = ANY_UNIT
        elif not words and found.verdict == "not understood" and of_any_parameter(nets, head, member, number):
            words = ANY_PARAMETER
        return found, judge, words
    if words := _under_conditions(judge, head, member, number, limits):
        return found, judge, words
    if (wide := widened(member)) != member and judge.judge(head, wide, number).right:
        return found, judge, "the derivative is of all that follows it"
    below = one_layer_below(judge.program, head, member)
    if below is not None and judge.judge(head, below, number).right:
        return found, judge, BELOW
    if (ones := with_ones(judge.program, member)) != member and judge.judge(head, ones, number).right:
        return found, judge, ONES
    if found.verdict == "ill-typed" and (other := leftwards(member)) != member and _agree(judge, head, other, number):
        return found, judge, "products are made from left to right"
    entries = [entry_of(head, one) for one in (member, leftwards(member))] if found.verdict == "ill-typed" else []
    if any(entry is not None and _agree(judge, head, entry, number) for entry in entries):
        return found, judge, ENTRY
    told = any(limit.sure and limit.where for limit in limits)
    ways = tuple(way for way in OTHERWISE if not (told and way.half))
    if words := of_these_alone(judge, head, member, number) or judge.under(head, member, number, ways):
        return found, judge, words
    if (squares := with_squares(member)) != member and judge.judge(head, squares, number).right:
        return found, judge, SQUARES
    if (counted := from_the_first(judge.program, member)) != member and judge.judge(head, counted, number).right:
        return found, judge, FROM_ZERO
    if (row := with_rows(judge.program, member)) != member and judge.judge(head, row, number).right:
        return found, judge, ROW
    if (column := with_columns(judge.program, member)) != member:
        again = judge.judge(with_columns(judge.program, head), column, number)
        if again.right or again.verdict == "not understood":
            return again, judge, COLUMN if again.right else ""
    if (turned := of_transposed(head, member)) is not None and _agree(judge, *turned, number):
        return found, judge, OF_TRANSPOSED
    if of_any_matrices(judge, head, member):
        return found, judge, ANY_MATRICES
    whole = (whole_of(head, member, judge.program.notation.bound) if found.verdict == "ill-typed" else None) or member
    if whole is not member and _agree_somehow(judge, head, whole, number):
        return found, judge, WHOLE
    if found.verdict == "ill-typed" and (words := of_turned(judge, head, whole, number)):
        return found, judge, words
    for reading in (by_another, of_a_mean, of_all_in_all, by_told_numbers):
        if words := reading(judge, head, member, number):
            return found, judge, words
    return found, judge, ""


def _agree_somehow(nets: Nets, head: Node, member: Node, number: int) -> bool:
    """Whether two sides agree, as they stand or under another reading."""
    return _agree(nets, head, member, number) or bool(nets.under(head, member, number))


def _agree(nets: Nets, head: Node, member: Node, number: int) -> bool:
    """Whether two sides agree, as they stand or with the sums that the lesson leaves out."""
    return nets.judge(head, member, number).right or bool(nets.under(head, member, number, nets.summing))


def _under_conditions(nets: Nets, head: Node, member: Node, number: int, limits: tuple[Limit, ...]) -> str:
    """The condition of the text under which two sides agree; "" where there is none."""
    told = conditional(head) or conditional(member)
    for limit in limits:
        if told and not limit.sure:  # it says itself what is where
            continue
        if limit.where:
            if limit.sure and _agree_where(nets, limit.where, head, member, number):
                return limit.words
            continue
        there = {limit.a} if limit.of_class or limit.b.isdigit() else {limit.a, limit.b}
        above = {x for side in (head, member) for part in side.walk() if isinstance(part, Ref) for _, slot in part.slots
                 for x in letters(slot)}  # fmt: skip
        if not there <= free(head) | free(member) and not (limit.op == "=" and limit.a in above):
            continue
        if limit.op == "=":
            left, right = one_letter(Items((head, member)), limit).children()
            outcome = nets.judge(left, right, number)
        else:
            outcome = nets.read(head, member, apart_by(limit), number)
        if outcome.verdict == "holds" and (limit.sure or not outcome.zero):
            return limit.words
    return ""


def _means_nothing(nets: Nets, member: Node, number: int) -> bool:
    """Whether a side without partials is ill-typed in every layout: S (A - Y) for Sᵀ (A - Y)."""
    parts = [*member.walk()]
    partials = any(isinstance(part, Derivative | Gradient) for part in parts)
    signals = any(isinstance(part, Ref) and nets.program.signal(part) for part in parts)
    return not partials and not signals and nets.judge(member, member, number).verdict == "ill-typed"


def _agree_where(nets: Nets, condition: Relation, head: Node, member: Node, number: int) -> bool:
    """Whether two sides agree where a condition on a value holds, and nothing is said elsewhere: ∂a/∂z = 1 if z > 0."""
    left, right = (Cases((side,), (condition,)) for side in (head, member))
    found = nets.judge(left, right, number)
    return found.right or (found.verdict == "holds" and is_zero(member))


def _written_out(head: Node, member: Node, nets: Nets) -> bool:
    """Whether dots stand in what a new name is given to: g(x) := f_L(W_L … f_1(W_1 x) …), ŷ = w_1 x_1 + … + w_n x_n."""
    name = head if isinstance(head, Ref) else Ref(called(head)) if isinstance(head, Call) else None
    if name is None or not any(isinstance(part, Dots) for part in member.walk()):
        return False
    partials = any(isinstance(part, Derivative | Gradient) for part in member.walk())
    known = nets.program.knows(core(name.base)) or nets.program.signal(name) or nets.program.functions.get(name.base)
    return not partials and not known


def stepped(head: Node, op: str, member: Node) -> bool:
    """Whether a link says how something is renewed, and not what it is."""
    return op in STEP or is_update(head, member, op) or step(head, op, member) is not None


def supposed(nets: Nets, head: Node, member: Node, number: int) -> bool:
    """Whether it may be the loss that is another: the target stands in the formula, and it is not just the sign."""
    target = nets.program.supposed
    entries = (base for base, whole in nets.program.aliases.items() if whole == target)
    if not target or not any(mentions(member, name) for name in (target, *entries)):
        return False
    return nets.judge(head, Negative(member), number).verdict != "holds"


def _of_many_numbers(nets: Nets, head: Node) -> bool:
    """Whether a loss by which a formula is a partial has places in the net, as the y of (y - ŷ)² has elsewhere."""
    match head:
        case (
            Derivative(of=Ref(base=base, slots=(), subs=()) as loss)
            | Gradient(of=Ref(base=base, slots=(), subs=()) as loss)
        ) if is_loss(base):
            try:
                return bool(next(iter(nets)).value(loss, {}).shape)
            except REFUSED:
                return False
    return False


def _lists(member: Node) -> bool:
    """Whether a formula lists what a vector or a set is made of: (x_1, …, x_n), {(x_1, y_1), …}."""
    return isinstance(member.base if isinstance(member, Transpose) else member, Items)


def _entries(head: Node, member: Node) -> bool:
    """Whether it is said what entries a gradient has: ∂L/∂K = (∂L/∂k_{ij})."""
    match head, member:
        case Derivative(of=Ref() as a, wrt=(Ref(subs=()) as whole,)), Derivative(of=b, wrt=(Ref() as entry,)):
            alike = entry.base in (whole.base, whole.base.lower()) and entry.slots == whole.slots
            return a == b and alike and bool(entry.subs)
    return False


def _where(head: Node, member: Node) -> bool:
    """Whether a formula names the place of what is largest: (u^*, v^*) = argmax x_{uv}."""
    function = member.function if isinstance(member, Call) else None
    name = function.base if isinstance(function, Indexed) else function
    return isinstance(head, Ref | Items) and name in (Name("argmax"), Name("argmin"))


def _goes_over(head: Node) -> bool:
    """Whether it is said what entries a convolution has: (X * K)_{ij} = Σ_m Σ_n X_{i+m,j+n} K_{mn} + b."""
    return isinstance(head, Indexed) and isinstance(head.base, Times) and bool(GOES_OVER & {*head.base.ops})


def _names_gradient(head: Node, member: Node, nets: Nets) -> bool:
    """Whether a name is given to the partial that it spells: da = ∂L/∂a."""
    match head, member:
        case Ref(base=name), Derivative(of=of, wrt=(Ref(base=base),)):
            loss = called(of) if isinstance(of, Call) else of.base if isinstance(of, Ref) else ""
            return gradient_of(name, nets.program.notation.markers) == base and is_loss(loss)
    return False


def _labels(head: Node, member: Node, nets: Nets) -> bool:
    """Whether it is told what a target is for a class: y_i = 1 where i = c, and else 0."""
    target = isinstance(head, Ref) and is_target(head.base) and not nets.program.defines(head.base, head.kinds)
    return target and isinstance(member, Cases | Indicator) and not any(map(mentions, getattr(member, "values", ())))


def _told(head: Node, member: Node) -> bool:
    """Whether a number is told, of a worked example: those are judged apart."""
    numbers = [part.text for part in member.walk() if isinstance(part, Number)]
    return not mentions(member) and bool(numbers) and (isinstance(head, Ref) or any("." in text for text in numbers))


def _is_of(head: Node, member: Node) -> bool:
    """Whether it is only said what a quantity is of: z = z(w)."""
    called = isinstance(head, Ref) and isinstance(member, Call) and member.function == Name(head.base)
    return called or is_of_arguments(head, member)


def _of_identity(head: Node, member: Node) -> bool:
    """Whether it is only said that a function is the identity: σ' = 1, θ'(s^{(L)}) = 1."""
    slope = head.function if isinstance(head, Call) else head
    return member == Number("1") and isinstance(slope, Prime) and isinstance(slope.base, Name)


def _open_ended(member: Node) -> bool:
    """Whether a sum says that something follows, and not what: W x + …"""
    return isinstance(member, Plus) and isinstance(member.terms[-1], Dots)


def _size(head: Node, member: Node, nets: Nets) -> bool:
    """Whether it is said how large something is: W^T dZ = n × m, (784 × m) (m × 128) = 784 × 128, n_0 = n, |𝒜| = 2."""
    match head:
        case Norm(kind="abs", body=Ref(base=base, slots=(), subs=())) if base.startswith("cal ") and not mentions(
            member
        ):
            return True
    made = {d.head.base for d in nets.program.definitions}
    if isinstance(head, Ref):
        return isinstance(member, Ref) and _of_sizes(head, made) and _of_sizes(member, made)
    product = isinstance(member, Times) and {*member.ops} == {"times"} and _of_sizes(member, made)
    return product and (mentions(member) or (mentions(head) and _of_sizes(head, made)))


def _of_sizes(node: Node, made: set[str]) -> bool:
    """Whether a formula is of numbers and of letters for sizes alone."""
    if isinstance(node, Ref):
        return node.base in SIZES - made
    return isinstance(node, Number) or (isinstance(node, Times) and all(_of_sizes(f, made) for f in node.factors))


def _arithmetic(head: Node, member: Node) -> bool:
    """Whether matrices of numbers are reckoned with, and no quantity."""
    written = any(isinstance(part, Matrix) for side in (head, member) for part in side.walk())
    return written and not mentions(head) and not mentions(member)


def _given(head: Node, member: Node, nets: Nets) -> bool:
    """Whether the lesson gives numbers to what a partial is made of, or f' is of: ∂f/∂z = 4 after x = 1 and y = 3."""
    slope = isinstance(head, Derivative) or (isinstance(head, Call) and isinstance(member, Matrix))
    named = {part.base for part in head.walk() if isinstance(part, Ref)}
    return slope and bool(made_of(nets.program.definitions, named) & nets.program.told)


def _named_list(head: Node, member: Node) -> bool:
    """Whether a set or a list gets a name: D = {(x_n, y_n)}_{n=1}^N, (W, b) = (W_1, b_1, W_2, b_2)."""
    while isinstance(member, Indexed | Power):
        member = member.base
    lists = [side for side in (head, member) if isinstance(side, Items)]
    return isinstance(member, Items) and len({len(side.items) for side in lists}) != len(lists) - 1


def _outcome(head: Node, member: Node, number: int, nets: list[Nets]) -> tuple[Outcome, Nets]:
    first = nets[0].judge(head, member, number)
    if first.verdict != "not understood" and not (first.zero and first.verdict == "holds"):
        return first, nets[0]
    for other in nets[1:]:
        found = other.judge(head, member, number)
        if found.right:
            return found, other
    return first, nets[0]


def unread(formula: Formula, problem: Problem) -> Link:
    """What could not be read, as a link of its own; a mark too many takes nothing from the rest."""
    text = formula.tex[slice(*problem.span)]
    verdict: Verdict = "aside" if problem.slight else "not understood"
    return Link("", "", text, verdict, problem.reason, place=within(formula, problem.span))


def within(formula: Formula, span: Span) -> Place:
    """The place of a part of a formula: its line is exact, its columns where the formula has one line."""
    before, inside = formula.tex[: span[0]].count("\n"), formula.tex[slice(*span)].count("\n")
    place = formula.place
    line = place.line + before
    return Place(line, 1 if before else place.column, line + inside, place.start, place.end)
