"""Links held against autograd in random nets: formulas are built by hand here, without TeX."""

import pytest

from oracle.lesson.building import build
from oracle.lesson.defining import Said
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import Notation, Ref
from oracle.lesson.syntax import (
    Call,
    Derivative,
    Name,
    Node,
    Number,
    Plus,
    Power,
    Prime,
    Quotient,
    Relation,
    Statement,
    Sum,
    Times,
)


def s(base: str, letters: str = "") -> Ref:
    return Ref(base, (), tuple(Name(x) for x in letters))


def times(*factors: Node) -> Node:
    return Times(factors, ("",) * (len(factors) - 1))


def total(letter: str, body: Node) -> Node:
    return Sum((Name(letter),), None, None, None, body)


def d(of: Node, wrt: Node) -> Derivative:
    return Derivative(of, (wrt,))


def sigma(z: Node, primes: int = 0) -> Node:
    return Call(Prime(Name("sigma"), primes) if primes else Name("sigma"), (z,))


L, t = s("L"), s("t", "k")
ZJ, AJ, ZK, YK, WJI, WKJ, X, BJ, BK = (
    s(*name.split("_")) for name in ("z_j", "a_j", "z_k", "y_k", "w_ji", "w_kj", "x_i", "b_j", "b_k")
)
MISS = Plus((YK, t), (1, -1))
FORWARD = (
    (ZJ, Plus((total("i", times(WJI, X)), BJ), (1, 1))),
    (AJ, sigma(ZJ)),
    (ZK, Plus((total("j", times(WKJ, AJ)), BK), (1, 1))),
    (YK, sigma(ZK)),
    (L, times(Quotient(Number("1"), Number("2")), total("k", Power(MISS, Number("2"))))),
)


@pytest.fixture(scope="module")
def nets() -> Nets:
    said = [Said(n, 0, Statement(Relation(pair, ("=",)))) for n, pair in enumerate(FORWARD, 1)]
    return Nets(build(said, Notation(), {}).scopes[0].program, count=4)


RIGHT = {
    "output error": (d(L, YK), MISS),
    "chain through the outputs": (d(L, ZJ), total("k", times(d(L, YK), d(YK, ZJ)))),
    "both slopes": (d(YK, ZJ), times(sigma(ZK, 1), WKJ, sigma(ZJ, 1))),
    "weights": (d(L, WKJ), times(AJ, MISS, sigma(ZK, 1))),
    "hidden weights": (d(L, WJI), times(X, d(L, ZJ))),
    "bias": (d(L, BJ), times(d(L, ZJ), d(ZJ, BJ))),
}
WRONG = {
    "the partial by z, not by y": (d(L, YK), times(MISS, sigma(ZK, 1)), "fails"),
    "one slope is missing": (d(YK, ZJ), times(sigma(ZJ, 1), WKJ), "fails"),
    "the wrong direction": (d(L, AJ), times(d(L, ZJ), d(ZJ, AJ)), "fails"),
    "the sign": (d(L, YK), Plus((t, YK), (1, -1)), "fails"),
    "an output by an input's index": (d(L, WKJ), times(s("y", "i"), MISS, sigma(ZK, 1)), "ill-typed"),
    "no such weight": (d(L, s("w", "ki")), times(AJ, MISS, sigma(ZK, 1)), "ill-typed"),
    "a sum is missing": (d(L, ZJ), times(d(L, YK), d(YK, ZJ)), "ill-typed"),
}


@pytest.mark.parametrize("what", RIGHT)
def test_what_is_right_holds(nets: Nets, what: str) -> None:
    found = nets.judge(*RIGHT[what])
    assert (found.verdict, found.zero) == ("holds", False), found


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_does_not(nets: Nets, what: str) -> None:
    head, member, verdict = WRONG[what]
    assert nets.judge(head, member).verdict == verdict


def test_nothing_is_nothing_in_every_net(nets: Nets) -> None:
    assert nets.judge(d(ZJ, AJ), Number("0")).zero
