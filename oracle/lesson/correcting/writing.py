r"""TeX of a repaired formula: what changed is replaced where it stands, everything else stays byte for byte."""

import re
from dataclasses import replace

from oracle.lesson.correcting.vocabulary import Vocabulary, balanced, loose
from oracle.lesson.formula import to_tex
from oracle.lesson.meaning.notation import Ref
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Span,
    Times,
    Transpose,
    rebuilt,
)  # fmt: skip

ATOMS = (Ref, Call, Derivative, Quotient, Norm, Prime, Transpose, Power)
FIRST = 0xE000
"""Private characters stand for atoms while a tree is printed."""
MARKS = r"\\cdot|\\times|\\odot|\\circ|\\bullet|\\otimes|\*|\\,|\\;|\\ |~"
OPS = {"cdot": r"\cdot", "times": r"\times", "*": "*", "conv": "*", "corr": r"\star", "otimes": r"\otimes", "@": "@"}


def rewritten(old: Node, new: Node, tex: str, words: Vocabulary) -> str:
    """The TeX of the whole formula with `new` in the place of `old`."""
    start, end = old.span
    mixed = {id(part) for part in loose(old, tex)}
    own = {
        id(part): tex[slice(*part.span)].strip()
        for part in old.walk()
        if balanced(tex[slice(*part.span)]) and id(part) not in mixed
    }
    words = replace(words, own=own)
    if isinstance(new, Plus) and (bare := next((part for part in old.walk() if part == new), None)):
        return tex[:start] + tex[slice(*bare.span)] + tex[end:]  # nothing around it needs its parentheses any more
    around = grown(tex, old.span, (0, len(tex)))
    if isinstance(old, Plus) and new == Negative(old) and around != old.span:
        return f"{tex[: around[0]]}-{tex[around[0] :].lstrip()}"
    return tex[:start] + _patched(old, new, tex, words) + tex[end:]


def _patched(old: Node, new: Node, tex: str, words: Vocabulary) -> str:
    """The TeX of `new`, with as much as possible of what stands at `old`."""
    start, end = old.span
    if old == new:
        return tex[start:end]
    if isinstance(old, Ref) and (known := words.own.get(id(new)) or words.tex.get(new)):
        return known
    if (pairs := _separate(old, new, tex)) and all(a == b or a.span != (0, 0) for a, b in pairs):
        out, at = "", start
        for a, b in sorted(((a, b) for a, b in pairs if a != b), key=lambda pair: pair[0].span):
            if not at <= a.span[0] <= a.span[1] <= end:
                return text(new, words)
            out, at = out + tex[at : a.span[0]] + _patched(a, b, tex, words), a.span[1]
        return out + tex[at:end]
    for part in old.walk():
        if part == new and part is not old:
            return tex[slice(*grown(tex, part.span, old.span))] if isinstance(part, Plus) else tex[slice(*part.span)]
    match old, new:
        case Times(), Times() if (k := _extra(old.factors, new.factors)) is not None and k == len(old.factors):
            return f"{tex[start:end]} {_op(new.ops[k - 1], words)}{_factor(new.factors[k], words)}"
        case Times(), _ if (k := _extra(_parts(new), old.factors)) is not None:
            return _without(tex, old.span, grown(tex, old.factors[k].span, old.span))
        case _, Times() if new.factors[0] == old and not isinstance(old, Plus | Times | Negative):
            rest = zip(new.ops, new.factors[1:], strict=True)
            return tex[start:end] + "".join(f" {_op(op, words)}{_factor(part, words)}" for op, part in rest)
        case _, Negative(body=body) if body == old and not isinstance(old, Plus | Negative):
            return "-" + tex[start:end]
    return text(new, words)


def _separate(old: Node, new: Node, tex: str) -> list[tuple[Node, Node]]:
    """`_aligned`, where what is raised on a symbol can be told from it."""
    inside = isinstance(old, Transpose | Power) and any(part is old.base for part in loose(old, tex))
    return [] if inside else _aligned(old, new)


def _aligned(old: Node, new: Node) -> list[tuple[Node, Node]]:
    """The children of two nodes that differ in nothing else; [] where they do."""
    a, b = list(old.children()), list(new.children())
    if type(old) is not type(new) or len(a) != len(b):
        return []
    here = iter(b)
    if rebuilt(old, lambda _: next(here)) != new:
        return []
    loose = isinstance(old, Times | Power | Negative | Transpose) or (isinstance(old, Derivative) and old.operator)
    pairs = list(zip(a, b, strict=True))
    if loose and any(isinstance(y, Plus | Negative | Times) and type(x) is not type(y) for x, y in pairs):
        return []  # it would need parentheses
    return pairs


def _parts(node: Node) -> tuple[Node, ...]:
    return node.factors if isinstance(node, Times) else (node,)


def _extra(few: tuple[Node, ...], many: tuple[Node, ...]) -> int | None:
    """Which of `many` is the one that `few` lacks."""
    if len(many) != len(few) + 1:
        return None
    return next((k for k in reversed(range(len(many))) if many[:k] + many[k + 1 :] == few), None)


def _without(tex: str, whole: Span, part: Span) -> str:
    """The TeX of a product without a factor, and without one of the signs at its sides."""
    left, right = tex[whole[0] : part[0]].rstrip(), tex[part[1] : whole[1]].lstrip()
    bare_left = re.sub(rf"(?:{MARKS})$", "", left).rstrip()
    bare_right = re.sub(rf"^(?:{MARKS})", "", right).lstrip()
    if not right:
        return bare_left
    if not left:
        return bare_right
    if bare_left != left:
        return f"{bare_left} {right}"
    return f"{left} {right}"


def grown(tex: str, span: Span, within: Span) -> Span:
    """A span and the parentheses right around it, as far as they lie in `within`."""
    while True:
        before = re.search(r"(?:\\left|\\[bB]igg?l?)?\s*[(\[]\s*$", tex[within[0] : span[0]])
        after = re.match(r"\s*(?:\\right|\\[bB]igg?r?)?\s*[)\]]", tex[span[1] : within[1]])
        if not before or not after:
            return span
        span = (within[0] + before.start(), span[1] + after.end())


def _op(op: str, words: Vocabulary) -> str:
    if op == "odot":
        return f"{words.elementwise} "
    return f"{OPS[op]} " if op in OPS else ""


def _factor(node: Node, words: Vocabulary) -> str:
    written = text(node, words)
    return f"({written})" if isinstance(node, Plus | Negative | Relation) else written


def text(node: Node, words: Vocabulary) -> str:
    """The TeX of any node, in the lesson's own words where it has them."""
    if known := words.own.get(id(node)) or words.tex.get(node):
        return known
    if isinstance(node, Ref):
        return _ref(node, words)
    if isinstance(node, Call):
        args = ", ".join(text(arg, words) for arg in node.args)
        return f"{text(node.function, words)}({args})"
    if isinstance(node, Prime):
        base = text(node.base, words)
        return (f"{{{base}}}" if "^" in base else base) + "'" * node.order
    if isinstance(node, Transpose):
        return _raised(node.base, words) + words.transposed
    if isinstance(node, Power):
        return f"{_raised(node.base, words)}^{{{text(node.exponent, words)}}}"
    return _printed(node, words)


def _raised(base: Node, words: Vocabulary) -> str:
    """What a superscript stands on: a symbol without one of its own, else something in parentheses."""
    written = text(base, words)
    return written if isinstance(base, Ref | Name | Number) and "^" not in written else f"({written})"


def _printed(node: Node, words: Vocabulary) -> str:
    atoms: list[str] = []

    def hidden(part: Node) -> Node:
        if isinstance(part, ATOMS) and part is not node:
            atoms.append(text(part, words))
            return Name(chr(FIRST + len(atoms) - 1))
        return rebuilt(part, hidden)

    out = to_tex(hidden(node)).replace(r"\left(", "(").replace(r"\right)", ")")
    out = out.replace(r"\odot", words.elementwise).replace(r"^{\top}", words.transposed)
    if not words.sums.endswith("{"):
        out = re.sub(r"\\sum_\{(\w)\}", r"\\sum_\1", out)
    return "".join(atoms[ord(c) - FIRST] if FIRST <= ord(c) < FIRST + len(atoms) else c for c in out)


def _ref(node: Ref, words: Vocabulary) -> str:
    """A symbol with scripts that the lesson never has together: written like its nearest relative."""
    for other in words.symbols:
        if other.base == node.base and len(other.subs) == len(node.subs) and other.kinds == node.kinds:
            written = words.tex.get(other)
            if written and (out := _scripts(written, other, node, words)):
                return out
    return _plain(node, words)


def _scripts(written: str, other: Ref, node: Ref, words: Vocabulary) -> str:
    """A symbol written as another one is; a layer that is not written there is not written here."""
    old, new = ((*(expr for _, expr in ref.slots), *ref.subs) for ref in (other, node))
    pairs = [(a.span, text(b, words)) for a, b in zip(old, new, strict=True) if any(part.span[1] for part in a.walk())]
    start = other.span[0]
    out = written
    for (a, b), part in sorted(pairs, reverse=True):
        a, b = a - start, b - start
        if not 0 <= a < b <= len(written):
            return ""
        bare = len(part) == 1 or (a > 0 and b < len(written) and out[a - 1] in "{([" and written[b : b + 1] in "})]")
        bare = bare or "{" in written[:a]
        out = out[:a] + (part if bare else f"{{{part}}}") + out[b:]
    return out if balanced(out) else ""


def _plain(node: Ref, words: Vocabulary) -> str:
    tags = "".join(f"^{{({text(expr, words)})}}" for _, expr in node.slots)
    subs = "".join(text(sub, words) for sub in node.subs)
    return to_tex(Name(node.base)) + tags + (f"_{{{subs}}}" if subs else "")
