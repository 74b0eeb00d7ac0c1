r"""Primes of quantities: C'(W) for ∂C/∂W, where σ'(z) stays the slope of a function.

A lesson writes so if the primes make a chain, C'(R) · R'(Z) · Z'(W): then R is a quantity that the cost is made of.
"""

from collections.abc import Callable, Iterable

from oracle.lesson.meaning.naming import core
from oracle.lesson.syntax import Call, Derivative, Node, Prime

FUNCTIONS = {"sigma", "phi", "varphi", "psi", "f", "g", "tanh", "sigmoid", "relu", "ReLU", "softmax", "act"}
COSTS = {"C", "J", "L", "E", "cal L", "cal J", "cal E", "cal C", "Cost", "Loss", "cost", "loss"}
PARAMETERS = {"w", "W", "b", "B", "theta", "Theta"}


def primed(node: Node) -> tuple[Node, Node] | None:
    """What stands before the prime, and its argument: C and W of C'(W)."""
    if isinstance(node, Call) and len(node.args) == 1 and isinstance(node.function, Prime) and node.function.order == 1:
        return node.function.base, node.args[0]
    return None


def quantities(nodes: Iterable[Node], heads: Iterable[Node], named: Callable[[Node], str]) -> set[str]:
    """Names whose primes are partials; none where no primes make a chain.

    `named` says the name of a symbol, or ""; `heads` stand on the left of the lesson's equations.
    """
    defined = {named(head) for head in heads}
    pairs = {(named(found[0]), named(found[1])) for node in nodes if (found := primed(node))}
    pairs = {pair for pair in pairs if all(pair)}
    args = {arg for _, arg in pairs}
    if not any(of in args for of, _ in pairs):
        return set()
    by: dict[str, set[str]] = {}
    for of, arg in pairs:
        by.setdefault(of, set()).add(arg)
    return {of for of, found in by.items() if core(of) not in FUNCTIONS and (of in defined or _made(of, found, args))}


def sloped(nodes: Iterable[Node], named: Callable[[Node], str]) -> set[str]:
    """Costs whose slopes are partials: C'(a), in a lesson that writes ∂C/∂w too."""
    found = list(nodes)
    differentiated = {named(node.of) for node in found if isinstance(node, Derivative)}
    slopes = {named(pair[0]) for node in found if (pair := primed(node)) and named(pair[1])}
    return {of for of in slopes & differentiated if of in COSTS}


def _made(of: str, found: set[str], args: set[str]) -> bool:
    """Whether a name is a quantity: the cost, an output, what another is differentiated by or a weight changes.

    One that is applied to several of a kind (Z, Z_o, Z_h) is a function all the same.
    """
    if core(of) in COSTS or of.startswith("hat ") or any(core(arg) in PARAMETERS for arg in found):
        return True
    return of in args and (len(found) == 1 or len({core(arg) for arg in found}) > 1)
