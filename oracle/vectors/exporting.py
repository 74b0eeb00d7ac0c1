"""From cases to the files of a set: the published recipe, and sets of one's own."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from oracle.draws import Stream
from oracle.faults import FAULTS
from oracle.kinks import KINKS
from oracle.seeds import Seed
from oracle.spec import Case, Node, Tensors
from oracle.vectors.certifying import Uncertain, cast, certify
from oracle.vectors.choosing import at_kink, candidates, companions, cover, smaller
from oracle.vectors.drawing import OPERATORS, cases, features, size
from oracle.vectors.records import DTYPES, Answer, Dtype, Entry, Flag, Index, Note, Tensor, Unshown, Vector, identify
from oracle.vectors.targets import NOT_SHOWN, Worth, ask, spelled, targets, touches
from oracle.vectors.verifying import Misfit, Outcome, judge

POOL = 3200
"""Cases among which the published set is chosen."""
RECIPE = "oracle vectors export DIR"

Told = Callable[[str], None]
Made = tuple[Index, list[Vector]]


def quiet(sentence: str) -> None:
    """Say nothing."""


def published(seed: int = 0, pool: int = POOL, operators: frozenset[str] = OPERATORS, told: Told = quiet,
              recipe: str = RECIPE) -> Made:  # fmt: skip
    """The smallest set found that shows every fault and meets every option of a vocabulary, and each of its kinks.

    Raises ValueError for operators that make no case.
    """
    seeds = [s for s in targets(operators) if s.code not in NOT_SHOWN]
    drawn = [case for case in cases(seed, pool) if {node.op for node in case.nodes} <= operators]
    found = list(candidates(drawn, seeds))
    if not found:
        raise ValueError("these operators make no case that ends in a loss; name a loss too: MSELoss, Dot")
    wanted = frozenset[Worth]().union(*(c.worth for c in found))
    told(
        f"{len(found)} cases, asked alone, show {len({k for _, k in wanted if isinstance(k, int)})} "
        f"of {len(seeds)} faults"
    )
    chosen = cover(found, wanted, seed)
    told(f"{len(chosen)} of them show as many, and every option, with {sum(c.size for c in chosen)} numbers")
    chosen = smaller(chosen, seeds, wanted)
    told(f"{len(chosen)} after shrinking, with {sum(c.size for c in chosen)} numbers")
    order = sorted(chosen, key=lambda c: (len(c.case.nodes), c.size))
    kinked = [case for op in sorted(KINKS) if op in operators for case in at_kink(drawn, op)]
    return collected([*kinked, *companions([c.case for c in order], seeds)], operators, recipe, told, least=True)


def drawn(count: int, seed: int, profile: str, operators: frozenset[str] | None = None, told: Told = quiet,
          recipe: str = "") -> Made:  # fmt: skip
    """So many cases of a profile, as far as a rigorous answer to them can be written down; of gradients alone."""
    stream = Stream(seed, "float32", profile, operators)
    asked = (case for case in (stream[k] for k in range(2 * count)) if isinstance(case, Case))
    found = list(islice(asked, count))
    return collected(found, frozenset(node.op for case in found for node in case.nodes), recipe, told)


# --------------------------------------------------------------------------------------------------------- collecting


def collected(found: Iterable[Case], operators: frozenset[str], recipe: str, told: Told, least: bool = False) -> Made:
    """The vectors of these cases, as far as they can be certified, flagged; of the `least`, none is needless."""
    known = [pair for pair in (_certified(cast(case, "float64"), told) for case in found) if pair]
    seeds = targets(operators)
    if least:
        known = _needed(known, seeds)
    flags = _flags(known, seeds, "float64")
    vectors = [replace(vector, flags=some) for (vector, _), some in zip(known, flags, strict=True)]
    low = _flags(known, seeds, "float32")
    told(f"{len(vectors)} vectors show {len(_union(flags))} of {len(seeds)} faults")
    return _index(vectors, seeds, _union(flags) - _union(low), recipe), vectors


Known = tuple[Vector, Case]


def _certified(case: Case, told: Told) -> Known | None:
    try:
        proof = certify(case)
    except Uncertain as reason:
        told(f"no vector of {about(case)}: {reason}")
        return None
    asked: dict[str, Any] = {
        "training": case.training,
        "nodes": case.nodes,
        "inputs": _tensors(case.inputs),
        "parameters": _tensors(case.parameters),
        "buffers": _tensors(case.buffers),
    }
    vector = Vector(
        id=identify(msgspec.to_builtins(asked)),
        about=about(case),
        **asked,
        expected=proof.expected,
        kinks=proof.kinks,
        conventions=proof.conventions,
    )
    return vector, case


_TYPES: dict[str, Any] = {"f": "real", "i": "integer", "b": "boolean"}


def _tensors(tensors: Tensors) -> dict[str, Tensor]:
    return {name: Tensor(_TYPES[x.dtype.kind], x.shape, x.tolist()) for name, x in tensors.items()}


def about(case: Case) -> str:
    """The operators in order, with their arguments: "Linear, Tanh, MSELoss (reduction sum)"."""
    return ", ".join(node.op + _arguments(node) for node in case.nodes)


def _arguments(node: Node) -> str:
    shown = [f"{k} {v}" for k, v in node.attrs.items() if k not in ("in_features", "out_features")]
    return f" ({', '.join([*shown, *(f'{role} of {full}' for role, full in node.params.items())])})".replace(" ()", "")


# --------------------------------------------------------------------------------------------------------------- flags


def _flags(known: Sequence[Known], seeds: Sequence[Seed], dtype: Dtype) -> list[dict[str, Flag]]:
    """The faults that each vector shows, when one subject is asked them all in order."""
    asked = [(vector, cast(case, dtype)) for vector, case in known]
    found: list[dict[str, Flag]] = [{} for _ in known]
    for seed in seeds:
        subject = seed.plant()
        for (vector, case), flags in zip(asked, found, strict=True):
            outcome = _outcome(vector, ask(subject, case), dtype) if touches(seed, case) else None
            if outcome and outcome.misfits:
                flags[seed.name] = _flag(seed.code, outcome.misfits[0])
    return [dict(sorted(flags.items())) for flags in found]


def _outcome(vector: Vector, said: Tensors | None, dtype: Dtype) -> Outcome:
    return judge(vector, None if said is None else Answer(**spelled(said)), dtype)


def _union(flags: Iterable[Iterable[str]]) -> set[str]:
    return {flag for one in flags for flag in one}


def _needed(known: list[Known], seeds: Sequence[Seed]) -> list[Known]:
    """Without those that the others make needless, by the proven bounds; the largest are tried first."""

    def worth(some: list[Known]) -> set[tuple[str, str]]:
        met = {("meets", feature) for _, case in some for feature in features(case)}
        met |= {("kink", n.op) for v, _ in some for n in v.nodes for kink in v.kinks if kink.node == n.name}
        return met | {(dtype, flag) for dtype in DTYPES for flag in _union(_flags(some, seeds, dtype))}

    every = worth(known)
    for one in sorted(known, key=lambda pair: -size(pair[1])):
        rest = [pair for pair in known if pair is not one]
        known = rest if worth(rest) == every else known
    return known


# --------------------------------------------------------------------------------------------------------------- index


def _index(vectors: Sequence[Vector], seeds: Sequence[Seed], only: set[str], recipe: str) -> Index:
    shown = _union(vector.flags for vector in vectors)
    missed = [
        Unshown(s.name, NOT_SHOWN.get(s.code, "No vector of this set shows it.")) for s in seeds if s.name not in shown
    ]
    return Index(
        recipe=recipe,
        vectors=tuple(Entry(v.id, file_name(v), "", v.about, len(v.flags)) for v in vectors),
        faults={code: _note(code) for code in sorted({s.code for s in seeds})},
        shown=len(shown),
        only_float64=tuple(sorted(only)),
        not_shown=tuple(missed),
    )


def _flag(code: str, wrong: Misfit) -> Flag:
    return Flag(FAULTS[code].name, FAULTS[code].effect, wrong.where, wrong.got)


def _note(code: str) -> Note:
    fault = FAULTS[code]
    return Note(fault.name, fault.effect, fault.story, fault.wrong, fault.right)


def file_name(vector: Vector) -> str:
    """linear-tanh-mseloss-0123abcd.json"""
    ops = dict.fromkeys(node.op.lower() for node in vector.nodes)
    return f"{'-'.join(list(ops)[:4])}-{vector.id[:8]}.json"
