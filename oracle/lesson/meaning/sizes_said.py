r"""How large matrices are, said with an equals sign: $[W^k] = [D_k \times D_{k-1}]$ and $b = D_1 \times 1$."""

from dataclasses import replace

from oracle.lesson.syntax import Indexed, Name, Node, Number, Power, Relation, Statement, Tagged, Times

SIZES = {"n", "m", "d", "p", "N", "M", "D", "K", "B"}
"""Letters that sizes of matrices have."""


def with_sizes_said(statement: Statement) -> Statement:
    """A statement that says of what stands before a size that it is of that size: W^k ∈ D_k × D_{k-1}."""
    body = statement.body
    if not isinstance(body, Relation):
        return statement
    pairs = zip(body.ops, body.items[1:], strict=True)
    ops = tuple("in" if op == "=" and is_size(member) else op for op, member in pairs)
    return statement if ops == body.ops else replace(statement, body=replace(body, ops=ops))


def is_size(node: Node) -> bool:
    """Whether a formula is a number of rows times a number of columns, of which one is 1 or both have one letter."""
    if not isinstance(node, Times) or {*node.ops} != {"times"} or len(node.factors) != 2:
        return False
    letters = [_letter(factor) for factor in node.factors if factor != Number("1")]
    scripted = any(not isinstance(factor, Name | Number) for factor in node.factors)
    return set(letters) <= SIZES and (len(letters) == 1 or (len(set(letters)) == 1 and scripted))


def _letter(node: Node) -> str:
    """The D of D_k and n^{[l]}."""
    while isinstance(node, Indexed | Power | Tagged):
        node = node.base
    return node.base if isinstance(node, Name) else ""
