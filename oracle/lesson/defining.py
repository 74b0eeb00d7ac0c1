"""A lesson's own definitions: forward equations, functions, and the partials that error signals stand for."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from oracle.lesson.arguments import factored, unnamed
from oracle.lesson.called_losses import filled
from oracle.lesson.formula.calls import LOOKUP
from oracle.lesson.inlined import (
    said_in_one_piece,
    with_last_layers,
    with_named_inputs,
    with_one_end,
    with_outputs_named,
)
from oracle.lesson.meaning.any_unit import inputs
from oracle.lesson.meaning.calculus import NAMED
from oracle.lesson.meaning.called import called_by_word
from oracle.lesson.meaning.differentials import PREFIX
from oracle.lesson.meaning.entry_names import names_entries
from oracle.lesson.meaning.general_units import fed, unfed
from oracle.lesson.meaning.input_layers import input_layers
from oracle.lesson.meaning.inverses import rearranged
from oracle.lesson.meaning.labelled_functions import in_this_layer
from oracle.lesson.meaning.last_for_any import of_every_layer
from oracle.lesson.meaning.last_units import of_last_units
from oracle.lesson.meaning.layer_functions import of_layers, of_slope
from oracle.lesson.meaning.losses import LOSSES
from oracle.lesson.meaning.models import alike_first, of_special_layers, other_model, weighed
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Ref, is_class, mentions, slots_of
from oracle.lesson.meaning.per_sample import with_samples_on_heads, with_values_of_samples
from oracle.lesson.meaning.program import (
    SCALARS,
    Definition,
    FunctionDefinition,
    Program,
    Signal,
    letters_of,
    recurs,
    written,
)
from oracle.lesson.meaning.renamed import renamed, stepwise
from oracle.lesson.meaning.siblings import siblings
from oracle.lesson.meaning.steps import step
from oracle.lesson.meaning.targets import is_label
from oracle.lesson.meaning.told import Told, like, told
from oracle.lesson.meaning.told_entries import told_entry
from oracle.lesson.meaning.unsaid import Unsaid
from oracle.lesson.meaning.usage import ACTIVATION_NAMES, Usage
from oracle.lesson.meaning.wholes import (
    chosen_function,
    chosen_in_a_layer,
    is_form,
    is_jacobian,
    listed_function,
    sloped_alike,
    whole_function,
)
from oracle.lesson.meaning.written_out import of_all_units, single_units
from oracle.lesson.naming import every_step, named, step_by_step, whole_losses
from oracle.lesson.open_losses import with_open_losses
from oracle.lesson.other_case import in_this_case
from oracle.lesson.own_letters import has_own_letters
from oracle.lesson.redefined_losses import of_this_section
from oracle.lesson.scalar_sections import of_vectors
from oracle.lesson.scoping import in_sight, without_given, without_made_of_targets
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Dots,
    Gradient,
    Indexed,
    Items,
    Matrix,
    Name,
    Node,
    Number,
    Power,
    Prime,
    Relation,
    Statement,
    Sum,
    Text,
    Times,
    rebuilt,
)
from oracle.lesson.told_outputs import told_outputs


@dataclass(frozen=True)
class Said:
    """A statement, the number of its equation, and the section of the lesson that it stands in."""

    number: int
    section: int
    statement: Statement
    meant: bool = True
    """Whether it is claimed: no lesson means what it calls wrong on purpose."""


def collected(said: list[Said], section: int, usage: Usage, first: bool = False) -> tuple[Program, set[int]]:
    """The lesson's own definitions as one section sees them, its own first or the lesson's first, and what they are."""
    program, defined = Program(usage.notation), set[int]()
    program.elementwise, program.common = usage.elementwise, usage.common
    program.chains_summed = usage.chains_summed
    program.ascents, program.descents = usage.steps[1], usage.steps[-1]
    program.changes_are_gradients = usage.changes[1] > 1 and not usage.changes[-1] and not usage.added
    if has_own_letters(said, section):
        said = [s for s in said if s.section <= section]
    before = [s for s in said if s.section < section]
    here = [s for s in said if s.section == section]
    order = (
        here + alike_first(here, before[::-1], lambda s: s.statement.body) + [s for s in said if s.section > section]
    )
    order = said if first else order
    own = [s.statement.body.items[1] for s in said if s.section == section and isinstance(s.statement.body, Relation)]
    order = [s for s in order if s.section == section or not other_model(s.statement, own)]
    units = [body for body in own if weighed(body)]
    order = [s for s in order if s.section <= section or not of_special_layers(s.statement, units)]
    program.here = {s.number for s in said if s.section == section}
    turned = rearranged(s.statement.body for s in said)
    for s in order:
        if isinstance(s.statement.body, Relation) and id(s.statement.body) not in turned:
            _define(s.number, s.statement.body, program, defined, usage)
            _call(s.statement.body, program, defined, usage)
    local = [s.statement.body for s in said if s.section == section]
    sections = {s.number: s.section for s in said}
    listed = Counter(sections[f[0].number] for f in program.functions.values())
    program.examples = {name for name, f in program.functions.items() if listed[sections[f[0].number]] > 1}
    program.definitions = [d for d in program.definitions if not _special_elsewhere(d, program)]
    met = {part.base for body in local for part in body.walk() if isinstance(part, Ref)}
    program.signals = {name: _of_the_loss_here(signal, program, met) for name, signal in program.signals.items()}
    program.lettered = {name: _of_the_loss_here(signal, program, met) for name, signal in program.lettered.items()}
    for s in order:
        if isinstance(s.statement.body, Relation):
            _passed_on(s.number, s.statement.body, program, defined, usage)
    numbers = {s.number for s in said if s.section in usage.notation.scalar}
    if section not in usage.notation.scalar:
        program.definitions = of_vectors(program.definitions, numbers, local)
    powers = {base for body in local if (base := _loss_of_one(body))}
    program.definitions = [d for d in program.definitions if d.number in program.here or d.head.base not in powers]
    program.definitions = in_sight(program.definitions, program.here, local)
    program.definitions = without_given(program.definitions, program.here, local, [s.statement.body for s in before])
    program.definitions += [Definition(name, call) for call, name in usage.notation.called_values.items()]
    program.definitions += renamed(((s.number, s.statement.body) for s in order), program, usage)
    program.definitions = without_made_of_targets(program.definitions, program.here, local)
    program.definitions = in_this_case(of_this_section(program), local)
    stepwise(program, usage, local, ((s.number, s.statement.body) for s in order))
    program.definitions = of_last_units(program.definitions, program.last("layer"))
    program.definitions += said_in_one_piece(program.definitions)
    step_by_step(program, defined, usage)
    factored(program, usage)
    ends = with_named_inputs(with_one_end(named(every_step(program.definitions))))
    ends = with_last_layers(with_outputs_named(ends, program.last("layer")), usage.kinds)
    program.definitions = with_open_losses(replace(program, definitions=ends))
    program.definitions += whole_losses([s.statement.body for s in said], program)
    program.definitions += filled([s.statement.body for s in said if isinstance(s.statement.body, Relation)], program)
    program.definitions = with_samples_on_heads(with_values_of_samples(program.definitions))
    defined |= {id(d.body) for d in single_units(program.again, program.definitions)}
    program.definitions = of_all_units(program.definitions, program.here)
    program.definitions = told_outputs(program, [s.statement.body for s in said])
    made = {d.head.base for d in program.definitions}
    if not usage.preactivations.keys() & made and any(usage.is_signal(base) for base in usage.kinds):
        unnamed(program)
    program.definitions = of_every_layer(program.definitions, usage.refs)
    program.definitions += siblings(program, usage.kinds)
    of_these = {
        name: found for name, found in program.functions.items() if any(f.number in program.here for f in found)
    }
    program.definitions += of_layers(program.definitions, of_these)
    program.layered_inputs = input_layers(program.definitions)
    program.definitions += fed(program.definitions, local, "x" in usage.kinds)
    program.definitions += inputs(usage.notation.any_unit, (s.statement.body for s in said))
    lost = unfed(program.definitions)
    foreign = [d for d in program.definitions if d.body in lost and d.number not in program.here]
    program.definitions = [d for d in program.definitions if d not in foreign]
    program.unclear |= lost - {d.body for d in foreign}
    return program, defined


def _of_the_loss_here(signal: Signal, program: Program, met: Collection[str]) -> Signal:
    """δ = -∂E/∂h in a section of E, where a later one says of E_{RE} that δ = -∂E_{RE}/∂h."""
    plain, last = signal.loss.base.partition("_")[0], max(program.here, default=0)
    told = {d.head.base: d.number for d in reversed(program.definitions)}
    early = told.get(plain, last + 1) <= last < told.get(signal.loss.base, 0)
    here = plain in LOSSES and signal.loss.base not in met and (early or told.get(plain) in program.here)
    return replace(signal, loss=replace(signal.loss, base=plain)) if here else signal


def _call(body: Relation, program: Program, defined: set[int], usage: Usage) -> None:
    """Note what the name at the end of a chain stands for."""
    for name, partial in usage.called.items() if isinstance(body.items[0], Derivative) else ():
        if partial is body.items[0] and isinstance(partial.of, Ref) and isinstance(wrt := partial.wrt[0], Ref):
            stands_for = Signal(wrt.base, replace(partial.of, slots=()), said=True)
            stands_for = stands_for if "sample" in partial.of.kinds else replace(stands_for, loss=partial.of)
            program.signals.setdefault(written(name), stands_for)
            program.lettered.setdefault((name.base, name.kinds, letters_of(name)), stands_for)
            defined |= {id(item) for item in body.items if item is name}


def _loss_of_one(body: Node) -> str:
    """The E of E^q = …, whose q nobody knows here: what the lesson means by E then is no other section's E."""
    match body:
        case Relation(items=(Power(base=Ref(base=base), exponent=Ref() | Name()), *_)) if base in LOSSES:
            return base
    return ""


def _special_elsewhere(definition: Definition, program: Program) -> bool:
    """Whether another section says of the last layer what this one says otherwise of all: a^L = softmax(z^L)."""
    head = definition.head
    if definition.number in program.here or head.kinds != ("layer",) or not _is_last(head, program):
        return False
    alike = (d.head for d in program.definitions if d.number in program.here and d.head.base == head.base)
    return any(other.kinds == head.kinds and other.slots[0][1] in (Name("l"), Name("ell")) for other in alike)


def _is_last(head: Ref, program: Program) -> bool:
    """Whether a symbol is of the last layer."""
    return all(isinstance(slot, Name) and slot.base in program.last(kind) for kind, slot in head.slots)


def name_of(ref: Ref) -> tuple[object, ...]:
    """Base, slots and letters: what two definitions of one quantity have alike."""
    return ref.base, ref.slots, tuple(sub.base if isinstance(sub, Name) else "#" for sub in ref.subs)


def _define(number: int, body: Relation, program: Program, defined: set[int], usage: Usage) -> None:
    while body.ops[0] == "in" and len(body.ops) > 1:  # Z ∈ ℝ^{m×d} = X W
        body = Relation((body.items[0], *body.items[2:]), body.ops[1:], span=body.span)
    if isinstance(body.items[0], Call) and len(body.ops) > 1 and _calls(body.items[1], body.items[0].function):
        defined.add(id(body.items[1]))
        body = Relation((body.items[0], *body.items[2:]), body.ops[1:], span=body.span)
    defined |= {id(body.items[1])} if (own := in_this_layer(body)) is not body else set()
    body = own
    if len(body.ops) > 1 and is_of_arguments(body.items[0], body.items[1]):
        defined.add(id(body.items[1]))
        body = Relation((body.items[0], *body.items[2:]), body.ops[1:], span=body.span)
    head, op, member = body.items[0], body.ops[0], body.items[1]
    if op not in ("=", ":="):
        return
    if len(body.ops) > 1 and isinstance(body.items[-1], Number) and all(isinstance(k, Ref) for k in body.items[:-1]):
        defined |= {id(item) for item in body.items[1:]}  # w = v = 1: numbers that are told
        return
    if vectorial := whole_function(head, member, number) or listed_function(head, member, number):
        if any(f.parameters[0] != vectorial.parameters[0] for f in program.functions.get(vectorial.name, [])):
            return
        if isinstance(head, Call) and any(
            isinstance(x, Ref) and x.subs for x in usage.arguments.get(vectorial.name, ())
        ):
            defined.add(id(member))  # σ(v) = e^{v_i} / Σ_j e^{v_j} is an example, where σ is applied to entries
            return
        program.functions.setdefault(vectorial.name, []).append(vectorial)
        if vectorial.body is not member:  # its cells are alike: one stands for all
            defined.add(id(member))
            member = vectorial.body
        head = Ref(vectorial.name, (), vectorial.subs, span=head.span)  # an entry of what s makes of x
    elif isinstance(head, Indexed):
        return
    if (made := of_slope(head, member, number)) and not program.functions.get(made.name):
        program.functions[made.name] = [made]
        return
    if (alike := sloped_alike(head, member, number)) and not program.functions.get(alike.name):
        program.functions[alike.name] = [alike]
        defined.add(id(member))
        return
    if chosen_in_a_layer(head, member):
        defined.add(id(member))
        return
    if isinstance(head, Call):
        named = _called(head, member, program, number, usage)
        if named is None or isinstance(named, FunctionDefinition):
            defined |= {id(member)} if named else set()
            return
        head = named
    if entry := told_entry(body, usage.notation):
        program.entries.setdefault(*entry)
        defined |= {id(item) for item in body.items[1:]}
        return
    if not isinstance(head, Ref) or head.mark or (usage.notation.differentials and head.base.startswith(PREFIX)):
        return
    if _one_of_many(head, member, usage):
        return
    if (choice := chosen_function(head, member, number)) is not None:
        program.functions.setdefault(choice.name, []).append(choice)
        defined.add(id(member))
        return
    if (inner := _nest(member, program)) is not None:
        program.definitions += [Definition(of, made, number) for of, made in ((head, inner[0][0]), *inner[1:])]
        defined.add(id(member))
        return
    if usage.is_signal(head.base) and (said := _partial(head, body)) is not None:
        member, partial = said
        if isinstance(partial.of, Ref) and isinstance(partial.wrt, Ref):
            stands_for = Signal(partial.wrt.base, partial.of, partial.factor, partial.mean, said=True)
            program.signals.setdefault(written(head), stands_for)
            if head.kinds == ("layer",) and isinstance(head.slots[0][1], Number):
                program.numbered_signals.setdefault(Ref(head.base, head.slots), stands_for)
            nearest = program.lettered.setdefault((head.base, head.kinds, letters_of(head)), stands_for)
            if nearest.loss != stands_for.loss and number < min(program.here) and not program.said_here(head):
                program.unclear.add(head)  # of which loss ε is, where two sections before say two, nothing says here
            program.told_signals |= {(written(head), number)}
            defined.add(id(member))
        return
    if not mentions(member) or (isinstance(member, Call) and member.function == Name(LOOKUP)):
        defined.add(
            id(member)
        )  # where a vector is kept, or a value that is given, or told: worked numbers are judged apart
        if not mentions(member):
            program.told.add(head.base)
            program.given += [Definition(head, member, number)] if number in program.here else []
        return
    if (
        not usage.notation.chosen
        and is_label(head, member)
        and all(d.head.base != head.base for d in program.definitions)
    ):
        defined.add(id(member))
        return
    laid_out = isinstance(member, Matrix) and not any(d.head.base == head.base for d in program.definitions)
    if laid_out or names_entries(head, member):
        defined.add(id(member))  # how it is laid out, which no equation needs
        return
    if _names_jacobian(head, member):
        if not any(d.head.base == head.base for d in program.definitions):
            program.definitions.append(Definition(head, member, number))
            defined.add(id(member))
        return
    if _of_arguments(head, member):
        defined.add(id(member))
        return
    if _names_gradient(head, member) and not any(d.head.base == head.base for d in program.definitions):
        program.definitions.append(Definition(head, member, number))
        defined.add(id(member))
        return
    if isinstance(member, Call) and member.function == Name(head.base):
        defined.add(id(member))  # L = L(y): what it is of
    new = op == ":=" and usage.is_signal(head.base) and written(head) not in program.signals
    if new and _made_of_signals(member, usage) and not recurs(head, member):
        program.definitions.append(Definition(head, member, number))
        defined.add(id(member))
        return
    if head.base in SCALARS and _has_partials(member) and not usage.is_signal(head.base):
        program.unclear.add(head)  # D = ∂J/∂A ⊙ (1 - A ⊙ A): no number of anything
    renewed = recurs(head, member) or step(head, op, member) is not None
    claims = _differentiates(member, program) and not is_diagonal_of_slopes(member)
    if usage.is_signal(head.base) or renewed or claims or _says_nothing(member):
        return
    known = next((d for d in program.definitions if name_of(d.head) == name_of(head)), None)
    more = (m for m, op in zip(body.items[2:], body.ops[1:], strict=True) if op in ("=", ":="))
    others = tuple(m for m in more if mentions(m) and not recurs(head, m) and not _has_partials(m))
    if known is None:
        member = _any_number(head, member, program, usage)
        program.definitions.append(Definition(head, member, number, others))
    elif known.body == member and others:
        program.definitions[program.definitions.index(known)] = replace(known, others=(*known.others, *others))
    elif not _in_words(known.body, usage) or _in_words(member, usage):
        program.again.append(Definition(head, member, number))
        return
    else:
        program.definitions[program.definitions.index(known)] = Definition(head, member, number)
    defined.add(id(body.items[1]))


def is_of_arguments(head: Node, member: Node) -> bool:
    """Whether z = z(w) only says what a quantity is of."""
    match member:
        case Times(factors=(first, *others), ops=ops):
            return first == head and {*ops} == {""} and all(isinstance(other, Ref) for other in others)
        case Call(function=Name(base=base), args=args) if isinstance(head, Ref):
            return base == head.base and all(isinstance(arg, Ref) for arg in args)
    return False


def _one_of_many(head: Ref, member: Node, usage: Usage) -> bool:
    """Whether u_o = U y says of one of many vectors, which U is made of, which it is."""
    matrix = head.base[:1].upper() + head.base[1:]
    chosen = len(head.subs) == 1 and is_class(head.subs[0])
    return chosen and head.base in usage.notation.many and mentions(member, matrix)


def _any_number(head: Ref, member: Node, program: Program, usage: Usage) -> Node:
    """The f(z) of a loss L = f(z) in vectors, of which nothing more is said: a number, no activation of each entry."""
    match member:
        case Call(function=Name(base=f), args=(Ref(subs=()) as z,)):
            open_to = f in ACTIVATION_NAMES - program.functions.keys() and not usage.slopes[f]
            if usage.vectors and open_to and head.base in LOSSES and not head.slots and not head.subs:
                return Unsaid((z,), True, span=member.span)
    return member


def _of_arguments(head: Ref, member: Node) -> bool:
    """Whether y_{nk} = y_k(x_n, w) only says what a quantity is of, which something else defines."""
    match member:
        case Call(function=Indexed(base=Name(base=base))):
            return base == head.base and {"sample"} == {*head.kinds}
    return False


def _partial(head: Ref, body: Relation) -> tuple[Node, Told] | None:
    """The partial that a chain says a signal to be; further on, one that is indexed like it."""
    for k, member in enumerate(body.items[1:]):
        if (found := told(member)) is not None and not found.chained:
            named = isinstance(found.wrt, Ref) and like(head, found) and _label(found.wrt) == _label(head)
            if not k or named:
                return member, found
    return None


def _made_of_signals(member: Node, usage: Usage) -> bool:
    """Whether a formula that is said to be a definition has other error signals in it: δ^h := δ ⊙ f′(u)."""
    return any(isinstance(part, Ref) and usage.is_signal(part.base) for part in member.walk())


def _names_jacobian(head: Ref, member: Node) -> bool:
    """Whether a symbol is a name of the partials of one quantity by another: J_{kj} = ∂z_k/∂a_j."""
    match member:
        case Derivative(of=Ref(subs=of), wrt=(Ref(subs=wrt),)) if of and wrt:
            return len(head.subs) == len(of) + len(wrt) and {*head.subs} == {*of, *wrt}
    return False


def _names_gradient(head: Ref, member: Node) -> bool:
    """Whether a symbol is a name of the gradient by a layer's quantity: G = ∇_{U^{(2)}} J."""
    match member:
        case (
            Gradient(of=Ref(subs=()) as of, wrt=Ref(subs=()) as wrt)
            | Derivative(of=Ref(subs=()) as of, wrt=(Ref(subs=()) as wrt,))
        ):
            numbered = wrt.kinds == ("layer",) and isinstance(wrt.slots[0][1], Number)
            return numbered and not head.slots and not head.subs and core(of.base) in LOSSES
    return False


def _label(ref: Ref) -> str:
    """What stands below a symbol and is no index."""
    return ref.base.partition("_")[2]


def _passed_on(number: int, body: Relation, program: Program, defined: set[int], usage: Usage) -> None:
    """ŷ = a = σ(z) defines a too, where nothing else does, and y_i = s(z)_i = … the function s."""
    for k, middle in enumerate(body.items[1:-1], 1):
        if id(middle) not in defined or not (isinstance(middle, Ref) or _unknown(middle)):
            return
        _define(number, Relation(body.items[k:], body.ops[k:]), program, defined, usage)


def _unknown(node: Node) -> bool:
    """Whether a node is a function's value, of one that is none of the usual ones."""
    call = node.base if isinstance(node, Indexed) else node
    return isinstance(call, Call) and isinstance(call.function, Name) and call.function.base not in NAMED


def _called(head: Call, member: Node, program: Program, number: int, usage: Usage) -> FunctionDefinition | Ref | None:
    """`f(x) = …` is a function; J(W, b) = …, and Cost(h(x⁽ⁱ⁾), y⁽ⁱ⁾) = … for every i, are quantities."""
    core: Node = head.function
    if is_jacobian(head):
        return None
    while isinstance(core, Indexed):
        core = core.base
    if not isinstance(core, Name) or _has_partials(member) or isinstance(member, Matrix | Items):
        return None
    if _calls(member, head.function):
        return None
    if len(head.args) == 1 and isinstance(given := head.args[0], Ref) and core.base not in LOSSES:
        varied = any(wrt.base.lower() == core.base.lower() for wrt in usage.variables)  # the net of ∂o/∂net
        if (varied or is_form(given, member)) and usage.arguments.get(core.base, set()) <= {given}:
            return Ref(core.base, span=head.span)
        if _of_one_layer(given, usage.arguments.get(core.base, set())):
            return None
        parameter = Ref(given.base, span=given.span)
        made = FunctionDefinition(core.base, (parameter,), _with(member, given, parameter), number)
        program.functions.setdefault(core.base, []).append(made)
        return made
    if len(head.args) == 1 and not isinstance(head.args[0], Ref) and core.base not in LOSSES:
        return None  # g(θᵀ x) = … is a value of g
    return Ref(called_by_word(head) or core.base, slots_of(head.args), span=head.span)


def _of_one_layer(given: Ref, others: set[Node]) -> bool:
    """Whether h(a^L) = … says what a function is in one layer, where it has the a of other layers elsewhere."""
    alike = {ref.slots for ref in others if isinstance(ref, Ref) and ref.base == given.base and ref.kinds == ("layer",)}
    return given.kinds == ("layer",) and not _counting(given) and any(slots != given.slots for slots in alike)


def _counting(ref: Ref) -> bool:
    """Whether a symbol is of any layer."""
    return any(isinstance(slot, Name) and slot.base in ("l", "ell") for _, slot in ref.slots)


def _calls(node: Node, function: Node) -> bool:
    """Whether a formula calls a function: L(t, y) = Σ_i L(t_i, y_i) = - Σ_i … is told by what comes after that."""
    return any(isinstance(part, Call) and part.function == function for part in node.walk())


def _with(node: Node, old: Node, new: Node) -> Node:
    """A formula with one symbol for another, wherever it stands just so."""
    return new if node == old else rebuilt(node, lambda child: _with(child, old, new))


def _nest(member: Node, program: Program) -> list[tuple[Ref, Node]] | None:
    """C(R(Z(X W))) as quantities, outermost first, each with what it is made of; the cost C stays open."""
    found: list[tuple[Ref, Node]] = []
    while isinstance(member, Call) and isinstance(member.function, Name) and len(member.args) == 1:
        name, inner = member.function, member.args[0]
        within = inner.function.base if isinstance(inner, Call) and isinstance(inner.function, Name) else ""
        found.append((Ref(name.base), Call(name, (Ref(within),)) if within else inner))
        member = inner
    names = {ref.base for ref, _ in found}
    return (
        found if len(found) > 2 and names & program.notation.primed and not names & program.functions.keys() else None
    )


def _in_words(body: Node, usage: Usage) -> bool:
    """Whether a definition only tells what to do: E = Σ ½(target - output)², in names that are met with labels."""
    whole = {part.base for part in body.walk() if isinstance(part, Ref) and not part.subs and not part.slots}
    cores = {core(base) for base in usage.kinds if "_" in base}
    words = {base for base in whole if len(base) > 2 and base.isalpha()}
    return any(isinstance(part, Sum) and not part.indices for part in body.walk()) and bool(
        words & (cores | {"output"})
    )


def _differentiates(member: Node, program: Program) -> bool:
    """Whether a formula claims a partial; where primes of quantities are partials, other slopes claim nothing."""
    if program.notation.primed:
        return any(isinstance(part, Derivative) for part in member.walk())
    return _has_partials(member)


def is_diagonal_of_slopes(member: Node) -> bool:
    """Whether a formula is diag(σ'(z)), which a symbol is a name of: D = diag(σ'(z))."""
    match member:
        case Call(function=Name(base="diag"), args=(Call(function=Prime()),)):
            return True
    return False


def _has_partials(node: Node) -> bool:
    return any(isinstance(part, Derivative | Gradient | Prime) for part in node.walk())


def _says_nothing(member: Node) -> bool:
    """Whether something is left out, or said in words."""
    return any(isinstance(part, Dots | Text | Items) for part in member.walk())
