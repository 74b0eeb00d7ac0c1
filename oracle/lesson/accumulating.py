r"""What is added to an error signal that is there already: dc_t = dc_t + dh_t ⊙ o_t ⊙ \tanh'(c_t)."""

from dataclasses import replace

from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Ref, mentions
from oracle.lesson.meaning.steps import is_parameter, step
from oracle.lesson.syntax import Node, Plus


def added(head: Node, op: str, member: Node, nets: Nets) -> Node | None:
    """What is added to an error signal of the net, no parameter's; None where a formula adds nothing to its left."""
    signal = nets.program.signal(head) if isinstance(head, Ref) else None
    if signal is None or not isinstance(head, Ref) or is_parameter(replace(head, base=signal.of)):
        return None
    if op == "+=":
        return member
    if op not in ("=", ":=", "<-") or not isinstance(member, Plus) or step(head, op, member) is not None:
        return None
    pairs = [pair for pair in zip(member.terms, member.signs, strict=True) if pair != (head, 1)]
    if len(pairs) != len(member.terms) - 1 or any(mentions(term, head.base) for term, _ in pairs):
        return None
    terms, signs = zip(*pairs, strict=True)
    return terms[0] if pairs[0][1] == 1 and len(pairs) == 1 else replace(member, terms=terms, signs=signs)


def one_of_several(head: Node, part: Node, number: int, nets: Nets) -> bool:
    """Whether what is added may be one of several parts: a quantity that is used more than once has as many."""
    signal = nets.program.signal(head) if isinstance(head, Ref) else None
    if signal is None or not isinstance(head, Ref):
        return False
    of = (signal.of, head.kinds)
    bodies = [d.body.walk() for d in nets.program.definitions]
    uses = [any(isinstance(node, Ref) and (node.base, node.kinds) == of for node in body) for body in bodies]
    return sum(uses) != 1 and not nets.judge(head, part, number).right
