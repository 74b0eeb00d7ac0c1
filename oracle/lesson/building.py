"""From a lesson's statements to its net: its own definitions first, a notation profile for what it leaves unsaid.

Every candidate (a profile with its choices, a meaning of δ) is tried on the lesson's own equations in one net; the one
under which most of them hold is taken, the fewest assumptions first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from oracle.lesson.all_samples import of_all_samples
from oracle.lesson.another_loss import with_another_loss
from oracle.lesson.any_layer import of_any_layer
from oracle.lesson.arbitrary import arbitrary
from oracle.lesson.convolutions import AXES, map_ranks, pooling, shared_biases
from oracle.lesson.defining import Said, collected, name_of
from oracle.lesson.endings import HALF, samples_name
from oracle.lesson.formula import to_tex
from oracle.lesson.judging import ENTRYWISE, SLOPED, Nets, assignments
from oracle.lesson.left_out import left_out
from oracle.lesson.meaning.calculus import ACTIVATIONS
from oracle.lesson.meaning.cells import with_cells
from oracle.lesson.meaning.circles import without_circles
from oracle.lesson.meaning.columns import batch_of, columns, of_batch, samples_at, without_columns
from oracle.lesson.meaning.copies import any_parameter, copied
from oracle.lesson.meaning.einstein import contracted
from oracle.lesson.meaning.end_signals import end_signals
from oracle.lesson.meaning.layer_functions import depth as layer_functions
from oracle.lesson.meaning.layouts import LAYOUTS, TURNED, order, row, sensitive, settled_layout
from oracle.lesson.meaning.listed import apart
from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import Notation, Ref, unbound
from oracle.lesson.meaning.per_sample import shared, singles
from oracle.lesson.meaning.program import (
    SCALARS,
    Definition,
    Program,
    find_families,
)
from oracle.lesson.meaning.scalars import declare_numbers
from oracle.lesson.meaning.single_outputs import declare_columns, declare_single, declare_targets_of_numbers
from oracle.lesson.meaning.slopes import leftwards
from oracle.lesson.meaning.stacks import divisors, numbers, stacks, unstacked
from oracle.lesson.meaning.step_meant import step_meant
from oracle.lesson.meaning.targets import declare_targets, dotted_targets, fix_sizes
from oracle.lesson.meaning.unsaid import Unsaid, unsaid
from oracle.lesson.meaning.usage import Usage, survey_usage
from oracle.lesson.meaning.values import BeyondError, IllTypedError, NotUnderstoodError
from oracle.lesson.meaning.world import World
from oracle.lesson.naming import made_of_partials
from oracle.lesson.normalising import without_other_axes
from oracle.lesson.one_sample import of_one_sample
from oracle.lesson.pointwise import at_any_number
from oracle.lesson.profiles import Assumption, assumptions, entries_of, spelled_otherwise
from oracle.lesson.relevance import distinct
from oracle.lesson.rivals import Choice, choices, said_otherwise
from oracle.lesson.scalar_sections import of_numbers
from oracle.lesson.scoping import ranks
from oracle.lesson.several_losses import losses_beside, with_loss
from oracle.lesson.syntax import (
    Node,
    Power,
    Relation,
    Statement,
    Sum,
    Times,
    Transpose,
)
from oracle.lesson.told_in_chains import told_in_chains
from oracle.lesson.unit_examples import general, written
from oracle.lesson.unreached_losses import without_unreached

ROWS = 0.5
"""What it costs to read vectors as rows: one formula that holds is worth it, one that fails no longer is not."""
LOST = 0.1
"""What it costs that a definition of the lesson means nothing: not to understand is no merit."""


DERIVED = 1.0
"""How much more must hold where forward equations are taken from derivations, which may be wrong."""
SELDOM = 1.5
r"""What it costs to read \star as a convolution that turns its kernel round: more than one formula."""


@dataclass
class Scope:
    """The net of one section: its own definitions come first, then those before it, then those after it."""

    program: Program
    assumption: Assumption
    """What a profile supplied."""
    defined: set[int]
    """Identities of the members that define something."""
    own: Program
    """What the lesson says itself."""
    usages: tuple[Usage, Usage]
    """Of the section, and of the lesson."""
    reached: float = 0.0
    """How much of the section holds."""

    def deeper(self) -> Program:
        """The same net with a layer more."""
        return completed(self.own, self.assumption, self.usages, self.program.depth + 1)

    def beside(self) -> list[tuple[Definition, Program]]:
        """The same net with another loss of the lesson, for each that stands beside this one's."""
        return [
            (other, completed(with_loss(self.own, loss, other), self.assumption, self.usages))
            for loss, other in losses_beside(self.own)
        ]


@dataclass
class Reading:
    """How a lesson is read: the net of every section, and what was assumed."""

    scopes: dict[int, Scope]
    activations: tuple[str, ...] = tuple(ACTIVATIONS)

    @property
    def profile(self) -> str:
        names = dict.fromkeys(scope.assumption.name for scope in self.scopes.values())
        return ", ".join("the lesson's own equations" if name == "own" else name for name in names)

    @property
    def reached(self) -> float:
        """How much of the lesson holds."""
        return sum(scope.reached for scope in self.scopes.values())

    @property
    def net(self) -> tuple[str, ...]:
        """Every equation that was used, as TeX."""
        return tuple(dict.fromkeys(_equation(d) for scope in self.scopes.values() for d in scope.program.definitions))

    @property
    def words(self) -> tuple[str, ...]:
        """What was assumed, in sentences."""
        scopes = self.scopes.values()
        said = [word for scope in scopes for word in scope.assumption.words]
        said += [f"{name} is any parameter: {of}" for scope in scopes for name, of in scope.program.anyone.items()]
        return tuple(dict.fromkeys(said))


def build(said: Iterable[Said], notation: Notation, settings: dict[str, str]) -> Reading:
    """The nets of a lesson whose symbols are `Ref`s by now, as it means its convolutions, if it has any."""
    given = list(said)
    notation.written = written(s.statement.body for s in given)
    found, examples = general(given)
    reading = _built(found, notation, settings, examples)
    if derived := told_in_chains(found):
        other = _built([*found, *derived], notation, settings, examples)
        if other.reached > reading.reached + DERIVED:
            found, reading = [*found, *derived], other
    parts = (part for s in found for part in s.statement.body.walk())
    if notation.over.turning or not any(isinstance(part, Times) and "conv" in part.ops for part in parts):
        return reading
    turned = _built(found, replace(notation, over=replace(notation.over, turning=True)), settings, examples)
    return turned if turned.reached > reading.reached + SELDOM * notation.over.starred else reading


def _built(found: list[Said], notation: Notation, settings: dict[str, str], examples: set[int]) -> Reading:
    sections = list(dict.fromkeys(s.section for s in found)) or [0]
    usage = survey_usage([s.statement for s in found], notation)
    names = made_of_partials([s.statement.body for s in found if isinstance(s.statement.body, Relation)], usage)
    names |= examples
    own, defined = collected(found, sections[0], usage)
    defined |= names
    everything = [claim for s in found if s.meant for claim in _claims(s.statement, defined)]
    _, assumed, _ = _best(own, everything, assumptions(usage, own, settings), (usage, usage))
    reading, judged = Reading({}), dict[int, list[tuple[Node, Node]]]()
    if activation := settings.get("activation"):
        reading.activations = (activation,)
    for section in sections:
        here = [s for s in found if s.section == section]
        own, defined = collected(found, section, usage)
        defined |= names
        claims = [claim for s in here if s.meant for claim in _claims(s.statement, defined)]
        local = survey_usage([s.statement for s in here], notation)
        local.signals |= usage.signals
        local.layers = local.layers or notation.depths.get(section, 0)
        local.numbers, local.narrow = section in notation.scalar, section in notation.narrow
        first = _said_at_last(collected(found, section, usage, first=True)[0], own)
        usages = (local, usage)
        tried = choices(own, partial(completed, assumption=assumed, usages=usages))
        if (first.definitions, first.signals, first.lettered) != (own.definitions, own.signals, own.lettered):
            tried.append(Choice(first, tuple(d for d in own.definitions if d not in first.definitions)))
        if single := of_one_sample(own, local):
            tried.append(Choice(single))
        if whole := of_all_samples(own, local):
            tried.append(Choice(whole))
        if generally := of_any_layer(own, local):
            tried.append(Choice(generally))
        tried += said_otherwise(own)
        reading.scopes[section] = _chosen(tried, defined, claims, assumed, settings, usages)
        judged[section] = claims
    _lay_out(reading, notation.layouts or LAYOUTS, judged)
    return reading


def _said_at_last(first: Program, own: Program) -> Program:
    """What the lesson says first, but for functions that it leaves open there and writes in this section: L(a, y)."""
    here = {d.head: d for d in own.definitions if d.number in own.here and not isinstance(d.body, Unsaid)}
    found = [here.get(d.head, d) if isinstance(d.body, Unsaid) else d for d in first.definitions]
    return replace(first, definitions=found)


def _chosen(
    tried: list[Choice], defined: set[int], claims: list[tuple[Node, Node]], assumed: Assumption,
    settings: dict[str, str], usages: tuple[Usage, Usage],
) -> Scope:  # fmt: skip
    """The net of a section by the choice among rival definitions under which most of its claims hold.

    A definition that is left out is a claim, where every net that has it explains less.
    """
    scopes = list[tuple[float, Scope, Choice]]()
    for choice in tried:
        if scopes and scopes[0][0] >= len(claims):
            break
        made, reached = _scope(choice.program, defined, claims, assumed, settings, usages)
        scopes.append((reached, made, choice))
    best, scope, choice = max(scopes, key=lambda found: (found[0] > scopes[0][0] + 0.5, _merit(*found[:2])))
    fallen = set()
    for d in choice.rejected:
        keeping = [reached for reached, _, other in scopes if not any(d is r for r in other.rejected)]
        if d.number in choice.program.here and keeping and max(keeping) < best - 0.5:
            fallen.add(id(d.body))
    scope.defined, scope.reached = defined - fallen, best
    return scope


def _merit(reached: float, scope: Scope) -> float:
    """How much a net explains, which is no merit of one that is made up because half a mistake means nothing there."""
    return reached if scope.assumption.name == "own" else reached - 0.5


def _lay_out(reading: Reading, possible: tuple[str, ...], claims: dict[int, list[tuple[Node, Node]]]) -> None:
    """The layout of partials under which most of the whole lesson holds; others stay possible where little says so."""
    open_to = {k: [claim for claim in claims[k] if sensitive(*claim)] for k in reading.scopes}
    programs = {k: scope.program for k, scope in reading.scopes.items() if open_to[k]}
    scores = {
        layout: sum(_score(replace(p, layout=layout), open_to[k]) for k, p in programs.items()) for layout in possible
    }
    for turned in (order(member) for found in open_to.values() for _, member in found):
        alike = {layout for layout in scores if turned is not None and (layout == TURNED) == turned}
        scores |= {layout: scores[layout] + 1 for layout in alike}
    best, others = settled_layout(scores, sum(row(*claim) for found in claims.values() for claim in found))
    for scope in reading.scopes.values():
        scope.program.layout, scope.program.layouts = best, others


def _scope(
    own: Program, defined: set[int], claims: list[tuple[Node, Node]], assumed: Assumption,
    settings: dict[str, str], usages: tuple[Usage, Usage],
) -> tuple[Scope, float]:  # fmt: skip
    """The net of a section: as the whole lesson is read, unless another reading explains more of it."""
    spelled = spelled_otherwise(usages[1], own, assumed)
    others = {name: other for name, other in assumed.aliases.items() if name not in spelled.values()}
    assumed = replace(assumed, aliases={**others, **spelled})
    program = completed(own, assumed, usages)
    held = _score(program, claims)
    score = held - LOST * len(program.unclear - own.unclear)
    if held < len(claims):
        local = assumptions(usages[0], own, settings)
        local = (c.scalar for c in local) if usages[0].numbers else local
        every = chain(left_out(usages[0], own, assumed), local, assumptions(usages[1], own, settings))
        alike = (c for c in every if c.flat == assumed.flat and not _opposite(c, assumed, usages[1]))
        better, assumption, other = _best(own, claims, alike, usages)
        if better > score + 0.5:
            return Scope(other, assumption, defined, own, usages), better
    return Scope(program, assumed, defined, own, usages), score


def _opposite(candidate: Assumption, assumed: Assumption, lesson: Usage) -> bool:
    """Whether an error signal has the other sign than in the rest of the lesson, or is not what the lesson says; or a
    matrix has in its rows what is in its columns there.
    """
    bodies = [(a.body, b.body) for a in candidate.definitions for b in assumed.definitions if a.head == b.head]
    if any(a in (Transpose(b), b.base if isinstance(b, Transpose) else None) for a, b in bodies):
        return True
    shared = candidate.signals.keys() & assumed.signals.keys()
    pairs = [(candidate.signals[base], assumed.signals[base]) for base in shared & lesson.told.keys()]
    if any((a.of, a.factor) != (b.of, b.factor) for a, b in pairs):
        return True
    pairs = [(candidate.signals[base], assumed.signals[base]) for base in shared]
    return any(a.of == b.of and a.factor == -b.factor for a, b in pairs)


def _best(
    own: Program, claims: list[tuple[Node, Node]], candidates: Iterable[Assumption], usages: tuple[Usage, Usage]
) -> tuple[float, Assumption, Program]:
    """The candidate under which most claims hold."""
    best: tuple[float, Assumption, Program] | None = None
    for assumption in distinct(candidates, own, claims):
        program = completed(own, assumption, usages)
        price = 0.01 * len(assumption.definitions) + ROWS * assumption.flat
        price += LOST * len(program.unclear - own.unclear)
        score = _score(program, claims, best[0] + price if best else -float("inf")) - price
        # it is no merit of rows, or of a net that is made up, that one mistake means nothing there
        least = 0.5 if assumption.flat or assumption.name != "own" else 0.0
        if best is None or score > best[0] + least:
            best = (score, assumption, program)
    assert best is not None
    return best


def _equation(definition: Definition) -> str:
    head = to_tex(unbound(definition.head))
    if any(isinstance(part, Unsaid) for part in definition.body.walk()) and not isinstance(definition.body, Unsaid):
        return rf"{head} % any function, of other examples as well"
    if isinstance(definition.body, Unsaid):
        return rf"{head} = {head}({', '.join(to_tex(unbound(arg)) for arg in definition.body.args)}) % any function"
    tex = f"{head} = {to_tex(unbound(definition.body))}"
    return tex if definition.number else f"{tex} % assumed"


def completed(own: Program, assumption: Assumption, usages: tuple[Usage, Usage], depth: int = 0) -> Program:
    """The lesson's program with what a profile supplies, its dimensions inferred.

    What another section says of a symbol is left out where with it a definition of this section means nothing: the
    a_j of a softmax is not the a = φ(z) of one neuron.
    """
    own = without_circles(apart(own))
    program, lost = _completed(own, assumption, usages, depth)
    used = {part.base for d in lost for part in d.body.walk() if isinstance(part, Ref)}
    near = [d for d in own.definitions if d.number in own.here or d.head.base not in used]
    if len(near) < len(own.definitions):
        other, still = _completed(replace(own, definitions=near), assumption, usages, depth)
        if len(still) < len(lost):
            return other
    return program


def _completed(
    own: Program, assumption: Assumption, usages: tuple[Usage, Usage], depth: int
) -> tuple[Program, list[Definition]]:
    """The program, and the definitions of this section that mean nothing in it.

    A loss of the profile beside the lesson's own serves the quantities that the lesson's does not depend on: a lesson
    writes L once, and goes on with it in another notation.
    """
    program = replace(
        own, definitions=[*own.definitions], functions=dict(own.functions), signals=dict(own.signals),
        lettered=dict(own.lettered),
        alternates={}, shapes={}, counts={}, roles={}, drawn={}, joins=[], windows=[], areas=[], firsts=[], fixed={},
        families=set(), inputs=set(), units=[], unclear={*own.unclear}, batch=None,
        depth=depth or usages[0].layers or layer_functions(own.functions, own.here) or usages[1].depth,
    )  # fmt: skip
    program.vectors, program.summed = assumption.vectors, own.notation.summed or own.notation.sums_left_out
    program.flat, program.numbers, program.narrow = assumption.flat, assumption.numbers, usages[0].narrow
    program.sizes = _ends(own, "sample")
    program.declared = {
        **ranks(usages[0], own.notation),
        **dotted_targets(own.definitions, own.notation.indexed),
        **usages[1].thin,
        **_widths(own, usages[1]),
        **assumption.ranks,
        **shared_biases(own.definitions),
        **(maps := map_ranks(own.definitions, usages[0].bodies) if own.notation.over.convolves else {}),
    }
    program.maps = {base for base, axes in maps.items() if axes == AXES}
    program.turning = own.notation.over.turning
    program.supposed, program.read_off, program.of_sum = assumption.supposed, assumption.read_off, assumption.of_sum
    if assumption.numbers:
        program.definitions = of_numbers(program.definitions)
    program.definitions = pooling(program.definitions, usages[0])
    known = {name_of(d.head) for d in program.definitions}
    read = {name_of(d.head): d for d in assumption.replaced}
    program.definitions = [read.get(name_of(d.head), d) for d in program.definitions]
    program.definitions = without_other_axes(program.definitions, assumption.definitions, own.here)
    counts = _counts(own)
    for d in assumption.definitions:
        if d.head.base in counts:
            continue  # the m of Σ_{i=1}^m is what the sum says
        if d.head.base in own.notation.sample_losses.letters and own.defines(d.head.base, ("sample",)):
            continue  # E is E^{(k)} of any sample
        if name_of(d.head) not in known:
            program.definitions.append(d)
        elif not d.head.slots and not d.head.subs:
            program.alternates[d.head.base] = d.body
    program.definitions = without_unreached(program.definitions, usages[0], own.here)
    program.now = step_meant(program.definitions, program.last("time"))
    program.signals = {**{(base, (), 0): s for base, s in assumption.signals.items()}, **program.signals}
    for base, signal in assumption.signals.items():
        for letter, of in signal.each:
            program.lettered.setdefault((base, (), (letter,)), replace(signal, of=of, each=()))
    program.lettered = {**end_signals(program), **program.lettered}
    program.left_out = dict(assumption.left_out)
    program.definitions = without_columns(program.definitions, usages[0].kinds)
    program.columns = columns(program, {b: k for b, k in usages[1].kinds.items() if b not in own.aliases})
    program.samples_at = samples_at(d.body for d in program.definitions)
    if program.samples_at is None:
        program.samples_at = own.notation.samples_at
    bases = {d.head.base for d in program.definitions if program.columns}
    program.batches = {base for base in bases if of_batch(program, base)}
    program.anyone = any_parameter(program, usages[1])
    spelled = {base: other for base, other in assumption.aliases.items() if base not in program.columns}
    entries = entries_of(program.definitions, usages)
    program.aliases = {**own.layered_inputs, **own.aliases, **program.anyone, **entries, **spelled}
    program.copies = copied(program, usages[1])
    program.signals = with_another_loss(program)
    program.definitions += unsaid(program, *usages)
    program.definitions = with_cells(program.definitions)
    find_families(program)
    declare_numbers(program)
    program.shared, program.singles = shared(program.definitions), singles(program.definitions)
    program.singles -= {base for base, batch in program.columns.items() if base == batch}
    _stack(program, usages[1])
    declare_columns(program)
    declare_single(program, usages[1].bodies)
    lost = _infer(program)
    declare_targets_of_numbers(program)
    fix_sizes(program)
    if own.notation.chosen:
        declare_targets(program, usages[1])
    means = bool(program.of_sum) or any(signal.mean for signal in program.signals.values())
    batched = means or {**program.columns, **program.stacks}
    program.batch = (program.batch or batch_of(program)) if batched else None
    if program.batch is None:
        program.columns = {}
    elif means and (count := samples_name(usages[1])) not in {d.head.base for d in program.definitions}:
        program.sizes |= {count}
    return program, lost


def _stack(program: Program, lesson: Usage) -> None:
    """Note which batches are made of samples, and what their number is called."""
    program.stacks = {} if program.columns else stacks(program, lesson.kinds)
    program.unclear |= set() if program.columns or program.stacks else unstacked(program)
    if program.stacks:
        program.sizes |= numbers(program, lesson.kinds)
        program.definitions = [d for d in program.definitions if d.head.base not in program.sizes]
        program.aliases = {base: other for base, other in program.aliases.items() if base not in program.stacks}


def _widths(own: Program, lesson: Usage) -> dict[str, int]:
    """√d is of the width of keys, which has no axes; K, beside Kᵀ or ∂L/∂K, is no number of anything."""
    nodes = [part for d in own.definitions for part in d.body.walk()]
    roots = [part.base for part in nodes if isinstance(part, Power) and part.exponent == HALF]
    turned = [part.base for part in nodes if isinstance(part, Transpose)]
    turned += [ref for ref in lesson.variables if ref.base.isupper() and not ref.subs and not ref.slots]
    widths = dict.fromkeys((ref.base for ref in roots if isinstance(ref, Ref) and core(ref.base) == "d"), 0)
    keys = dict.fromkeys((ref.base for ref in turned if isinstance(ref, Ref) and ref.base in SCALARS), 2)
    told = {f"{base}_{letter}": 0 for base, letter in own.notation.widths}
    return {**widths, **told, **keys}


def _counts(own: Program) -> set[str]:
    """Numbers of what an index or samples count, because sums over it end there."""
    return _ends(own, "") | _ends(own, "sample")


def _ends(own: Program, kind: str) -> set[str]:
    """Where the sums over samples, or over an index (""), end."""
    sums = [part for d in own.definitions for part in d.body.walk() if isinstance(part, Sum)]
    over = [part for part in sums if {World.counts(name.base, part.body) for name in part.indices} == {kind}]
    found = {part.upper.base for part in over if isinstance(part.upper, Ref) and not part.upper.subs}
    return found | (divisors(own) if kind == "sample" else set())


def _claims(statement: Statement, defined: set[int]) -> Iterator[tuple[Node, Node]]:
    """What a statement says of the net; what is so under a condition alone is no evidence of one."""
    body = statement.body
    if isinstance(body, Relation) and not any(limit.sure for limit in statement.limits):
        for op, member in zip(body.ops, body.items[1:], strict=True):
            if op == "=" and id(member) not in defined:
                yield body.items[0], member


def _score(program: Program, claims: list[tuple[Node, Node]], least: float = -float("inf")) -> float:
    """How many claims hold (what is zero on both sides counts little); less, once `least` is out of reach."""
    nets = Nets(program, 1)
    total = 0.0
    for left, (head, member) in zip(range(len(claims), 0, -1), claims, strict=True):
        if total + left <= least:
            break
        outcome = nets.judge(head, member)
        if outcome.verdict == "ill-typed" and (of_function := at_any_number(head, member)) is not None:
            outcome = nets.judge(*of_function)
        loose = program.summed and outcome.verdict in ("ill-typed", "not understood")
        if loose and (whole := contracted(member, head)) is not None:
            outcome = nets.judge(head, whole)
        if outcome.verdict == "ill-typed" and (other := leftwards(member)) != member:
            outcome = nets.judge(head, other)
        if outcome.verdict == "holds":
            total += 0.1 if outcome.zero else 1.0
        elif outcome.verdict == "ill-typed" and nets.under(head, member, 0, (ENTRYWISE, SLOPED)):
            total += 0.9
        elif outcome.verdict in ("fails", "ill-typed"):
            total -= 0.3
    return total


def _infer(program: Program) -> list[Definition]:
    """Unite dimensions through every definition, in every layer; what means nothing is told otherwise, or dropped:
    those of this section are returned.
    """
    world = World(program, infer=True)
    gone: list[Definition] = []
    summed: list[Definition] = []
    for definition in list(program.definitions):
        head = definition.head
        while broken := _broken(world, head, [d for d in program.definitions if d.head == head][:1]):
            at = program.definitions.index(broken)
            whole = contracted(broken.body, broken.head)
            told = (
                [replace(broken, body=whole)]
                if whole is not None
                else _otherwise(broken) or _supplied(program, broken) or arbitrary(world, broken)
            )
            program.definitions[at : at + 1] = told
            summed += told if whole is not None else []
            lost = not told or isinstance(told[0].body, Unsaid)
            if broken.number and lost and not _said_here(program, broken):
                program.unclear.add(broken.head)
            if broken.number in program.here and lost:
                gone.append(broken)
    program.summed |= any(d in program.definitions for d in summed)
    program.rows, program.batch = world.algebra.rows, world.batch
    for base, body in list(program.alternates.items()):
        if _broken(world, body, [Definition(Ref(""), body)]):
            del program.alternates[base]
    return gone


def _said_here(program: Program, broken: Definition) -> bool:
    """Whether this section has its own definition of what another one defines otherwise: p_i beside p_{ik}."""
    alike = (d for d in program.definitions if (d.head.base, d.head.slots) == (broken.head.base, broken.head.slots))
    return broken.number not in program.here and any(d.number in program.here for d in alike)


def _otherwise(broken: Definition) -> list[Definition]:
    """What a chain goes on with, in place of what means nothing."""
    return [replace(broken, body=body, others=broken.others[1:]) for body in broken.others[:1]]


def _supplied(program: Program, broken: Definition) -> list[Definition]:
    """The profile's own in place of a loss that means nothing beside the rest of the net."""
    ref = broken.head
    body = None if ref.slots or ref.subs else program.alternates.pop(ref.base, None)
    return [Definition(ref, body)] if body is not None else []


def _broken(world: World, formula: Node, definitions: list[Definition]) -> Definition | None:
    """The definition by which a formula means nothing, in whatever layer or step."""
    for definition in definitions:
        good, culprit = False, definition
        for env in assignments(world.program, (definition.head, definition.body)):
            try:
                with world.fresh(definition.head, definition.body):
                    world.value(formula, env)
                    if world.program.families:
                        world.program.roles.update(world.typed)
                good = True
            except (IllTypedError, NotUnderstoodError) as error:
                culprit = error.culprit if error.culprit in world.program.definitions else definition
            except BeyondError:
                continue
            except RuntimeError:  # of torch, or of Python's stack
                culprit = definition
        if not good:
            return culprit
    return None
