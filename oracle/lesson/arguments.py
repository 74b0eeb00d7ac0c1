"""What goes into the functions of a lesson: the z of a = σ(W x + b), named elsewhere in the lesson or nowhere."""

from dataclasses import replace

from oracle.lesson.meaning.naming import core
from oracle.lesson.meaning.notation import PARAMETER_LETTERS, Ref
from oracle.lesson.meaning.program import Definition, Program
from oracle.lesson.meaning.usage import Usage
from oracle.lesson.syntax import Call, Name, Node, Number

INTO = "input of "
"""What goes into the activation of a quantity, where the lesson has no letter for it."""


def factored(program: Program, usage: Usage) -> None:
    """a = σ(W x + b) beside σ′(z): z is the argument, and a is σ(z)."""
    _labelled(program)
    for k, definition in enumerate(program.definitions):
        if not _composed(definition) or not isinstance(body := definition.body, Call):
            continue
        capital = definition.head.base[:1].isupper()
        for base in sorted(usage.preactivations, key=lambda base: base[:1].isupper() != capital):
            kinds = usage.kinds.get(base, set())
            z = replace(definition.head, base=base)
            if definition.head.kinds in kinds and base != definition.head.base and not _formal(z, program, usage):
                known = [d for d in program.definitions if d.head.base == base]
                if known and not any(d.head.kinds == z.kinds for d in known):
                    continue
                if not known and sum(_composed(d) and d.head.kinds == z.kinds for d in program.definitions) > 1:
                    continue  # σ′(z) in a lesson of h = σ(W x) and y = σ(V h): z is of no one of them
                covering = [d for d in known if _covers(d.head, z)]
                if covering and all(_another(d, body.args[0]) for d in covering):
                    continue
                if not covering:
                    program.definitions.append(Definition(z, body.args[0], definition.number))
                program.definitions[k] = Definition(definition.head, replace(body, args=(z,)), definition.number)
                break


def _labelled(program: Program) -> None:
    """out_o = f(h_1 w_1 + h_2 w_2) beside out_h = f(net_h): what goes into f is net_o."""
    pairs: dict[str, str] = {}
    for d in program.definitions:
        match d.body:
            case Call(args=(Ref(base=base, slots=(), subs=()),)) if label := d.head.base.partition("_")[2]:
                if base == f"{core(base)}_{label}":
                    pairs.setdefault(core(d.head.base), core(base))
    for k, d in enumerate(program.definitions):
        name, _, label = d.head.base.partition("_")
        if label and name in pairs and _composed(d) and isinstance(d.body, Call):
            z = replace(d.head, base=f"{pairs[name]}_{label}")
            if not any(other.head == z for other in program.definitions):
                program.definitions.append(Definition(z, d.body.args[0], d.number))
            program.definitions[k] = replace(d, body=replace(d.body, args=(z,)))


def _formal(z: Ref, program: Program, usage: Usage) -> bool:
    """Whether the x_h of b_h = f(α_h - γ_h) is none: x is only what f(x) = 1/(1 + e^{-x}) calls its argument."""
    parameters = {ref.base for found in program.functions.values() for f in found for ref in f.parameters}
    met = any(ref.base == z.base and (ref.kinds, len(ref.subs)) == (z.kinds, len(z.subs)) for ref in usage.slopes_at)
    return z.base in parameters and not met


def _composed(definition: Definition) -> bool:
    """Whether a quantity is a function of something that has no name: a = σ(W x + b)."""
    body = definition.body
    single = isinstance(body, Call) and len(body.args) == 1 and body.function != Name("diag")
    return single and isinstance(body, Call) and not isinstance(body.args[0], Ref)


def _another(z: Definition, argument: Node) -> bool:
    """Whether z = w x + b is no name of what goes into a_1 = σ(w_1 x + b_1): it is made of other parameters."""
    made, used = ({n.base for n in body.walk() if isinstance(n, Ref)} for body in (z.body, argument))
    return {*z.head.kinds} <= {"sample", "time"} and not made & used & PARAMETER_LETTERS and bool(used - made)


def _covers(head: Ref, z: Ref) -> bool:
    """Whether a definition is of this very layer, or of every layer."""
    pairs = zip(head.slots, z.slots, strict=False)
    return head.kinds == z.kinds and all(a == b or not isinstance(a[1], Number) for a, b in pairs)


def unnamed(program: Program) -> None:
    """x_l = f(W_l x_{l-1}) beside an error signal that nothing explains: what goes into f has a name of our own."""
    for k, definition in enumerate(program.definitions):
        if _composed(definition) and isinstance(body := definition.body, Call):
            z = replace(definition.head, base=INTO + definition.head.base)
            program.definitions.append(Definition(z, body.args[0], definition.number))
            program.definitions[k] = replace(definition, body=replace(body, args=(z,)))
