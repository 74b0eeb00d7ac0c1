"""How the oracle did on every planted fault, as plain data, and what the data add up to."""

from collections import Counter
from collections.abc import Callable, Iterable
from statistics import median
from typing import Literal, get_args

from msgspec import Struct

Naming = Literal["first", "tied", "top three", "other", "not recognised", "not found"]
"""How the diagnosis of a planted fault came out.

first           the first finding has its name
tied            the first finding has another name, and this one among those that give the same numbers
top three       the second or third finding has its name, alone or tied
other           the first finding has the name of another fault only
not recognised  the first finding has no name
not found       there is no finding
"""
NAMINGS: tuple[Naming, ...] = get_args(Naming)
SOON = 20
"""Cases within which most faults ought to be found."""


class Mutant(Struct, frozen=True, kw_only=True):
    """One planted fault, and what the oracle and its peers made of it."""

    seed: str
    """The code of the fault, and the operators in which it was planted."""
    code: str
    name: str
    family: str
    part: str
    ops: str
    profile: str
    cases: int
    """Cases judged until there were enough failures."""
    failures: int = 0
    first: int | None = None
    """The number of cases up to the first that failed, itself included; None: not found."""
    reason: str = ""
    """What the verdict on that case says."""
    sentence: str = ""
    """What the most frequent finding says."""
    born: str = ""
    """Where it is said to be born: operator and part."""
    located: bool | None = None
    """Whether that is so; None where the fault has no place (a breach of contract) or was not found."""
    naming: Naming = "not found"
    told: str = ""
    """The code that the diagnosis names."""
    also: tuple[str, ...] = ()
    """The codes that it calls indistinguishable."""
    case_id: str = ""
    """Of the shrunk case."""
    nodes: int | None = None
    """In the shrunk case, besides the last."""
    numbers: int | None = None
    """In the shrunk case."""
    peers: dict[str, int | None] = {}
    """For each peer that can judge such cases, the number of cases up to its first true alarm; None: never."""
    error: str = ""
    """Why the fault could not be tried."""

    @property
    def found(self) -> bool:
        """Whether any case failed."""
        return self.first is not None

    @property
    def good(self) -> bool:
        """Found, and not called by the name of another fault."""
        return self.found and self.naming != "other" and not self.error


class Accusation(Struct, frozen=True):
    """What was said of right code."""

    by: str
    """ "oracle", or the name of a peer."""
    rule: str
    accused: int
    """Cases on which right code was called wrong."""
    judged: int
    """Cases on which it was called right or wrong."""
    example: str = ""


class Mutation(Struct, frozen=True, kw_only=True):
    """A whole run. The same seed and versions give the same bytes: no clock."""

    format: int = 1
    seed: int
    dtypes: tuple[str, ...]
    cases: int
    """The most cases of each dtype for one fault."""
    enough: int
    """Failures after which no more cases are judged."""
    peer_cases: int
    """The most cases that a peer is asked about one fault; 0: no peer was asked."""
    mutants: tuple[Mutant, ...]
    accusations: tuple[Accusation, ...]
    """Of right code: the oracle's, which should be none, and the peers'."""
    versions: dict[str, str]

    @property
    def exit_code(self) -> int:
        """0 if every fault is found, none is called by a wrong name, and no right code is accused."""
        innocent = not any(a.accused for a in self.accusations if a.by == "oracle")
        return 0 if innocent and all(m.good for m in self.mutants) else 1


# ------------------------------------------------------------------------------------------------- what it adds up to


class Share(Struct, frozen=True):
    """So many of so many."""

    n: int
    of: int


class Figures(Struct, frozen=True, kw_only=True):
    """A group of faults in numbers."""

    seeds: int
    found: Share
    soon: Share
    """Found within `SOON` cases."""
    located: Share
    namings: dict[str, int]
    median_numbers: float | None
    largest_numbers: int | None
    largest_nodes: int | None
    peers: dict[str, Share]


def figures(mutants: Iterable[Mutant]) -> Figures:
    """A group of faults in numbers."""
    every = tuple(mutants)
    count = Counter(m.naming for m in every)
    sizes = [m.numbers for m in every if m.numbers is not None]
    names = dict.fromkeys(name for m in every for name in m.peers)
    return Figures(
        seeds=len(every),
        found=_share(every, lambda m: m.found),
        soon=_share(every, lambda m: m.first is not None and m.first <= SOON),
        located=_share((m for m in every if m.located is not None), lambda m: bool(m.located)),
        namings={naming: count[naming] for naming in NAMINGS},
        median_numbers=median(sizes) if sizes else None,
        largest_numbers=max(sizes, default=None),
        largest_nodes=max((m.nodes for m in every if m.nodes is not None), default=None),
        peers={n: _heard(n, every) for n in names},
    )


def _heard(peer: str, mutants: Iterable[Mutant]) -> Share:
    return _share((m for m in mutants if peer in m.peers), lambda m: m.peers[peer] is not None)


def _share(mutants: Iterable[Mutant], holds: Callable[[Mutant], bool]) -> Share:
    told = [holds(m) for m in mutants]
    return Share(sum(told), len(told))


def families(report: Mutation) -> dict[str, Figures]:
    """The figures of every family of faults, by its name."""
    names = dict.fromkeys(m.family for m in report.mutants)
    return {name: figures(m for m in report.mutants if m.family == name) for name in names}


def confusion(report: Mutation) -> dict[str, dict[str, int]]:
    """For every fault, how many of its seeds were given each name; "not recognised" and "not found" are names too."""
    matrix: dict[str, Counter[str]] = {}
    for m in report.mutants:
        matrix.setdefault(m.code, Counter())[m.told or m.naming] += 1
    return {code: dict(sorted(row.items())) for code, row in matrix.items()}


def confused(report: Mutation) -> list[tuple[str, str, int]]:
    """The entries off the diagonal: (planted, named, seeds)."""
    return [(code, told, n) for code, row in confusion(report).items() for told, n in row.items() if told != code]
