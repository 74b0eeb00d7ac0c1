"""Contract first, then numbers: each breach has its sentence, and each measure its room."""

from typing import Any

import numpy as np
import pytest

from oracle import compare
from oracle.compare import CHEAP, SAFE, Difference
from oracle.spec import Answer, UpdateAnswer, UpdateCase
from oracle.twin import Twin
from tests.fakes import MLP, chain, linear

CASE = chain(linear(2, 3), ("BatchNorm1d", {"num_features": 3}))
TRUTH = Twin.of(CASE).run(CASE, errors=True)
SHAPES = {"gradients": TRUTH.gradients, "buffers": TRUTH.buffers, "outputs": TRUTH.values, "errors": TRUTH.errors}
RIGHT: dict[str, Any] = {"loss": TRUTH.loss, "gradients": TRUTH.gradients}
EPS = float(np.finfo("f8").eps)
G = "n1.weight"
B, V = np.zeros(3), np.zeros(2)


def gives(x: Any) -> dict[str, Any]:
    """The right answer, but for one gradient."""
    return {"gradients": {**TRUTH.gradients, G: x}}


class Stubborn:
    """Like a tensor of torch that wants a gradient: no array can be made of it."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("call detach() first")


BREACHES: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"gradients": {k: v for k, v in TRUTH.gradients.items() if k != G}}, f"gradient of {G} is missing"),
    "unknown": ({"gradients": {**TRUTH.gradients, "w": B}}, "gradient of 'w' is not asked for; the names are n1.w"),
    "a list": (gives([[0.0]]), f"gradient of {G} is a list, but should be a NumPy array"),
    "None": (gives(None), f"gradient of {G} is None, but should be a NumPy array"),
    "of torch": (gives(Stubborn()), f"gradient of {G} is a Stubborn, but should be a NumPy array"),
    "objects": (gives(np.full((3, 2), None)), f"gradient of {G} has dtype object, but should be float64"),
    "words": (gives(np.full((3, 2), "1")), f"gradient of {G} has dtype <U1, but should be float64"),
    "complex": (gives(np.zeros((3, 2), complex)), f"gradient of {G} has dtype complex128, but should be float64"),
    "another dtype": (gives(np.zeros((3, 2), "f4")), f"gradient of {G} has dtype float32, but should be float64"),
    "integers": (gives(np.zeros((3, 2), int)), f"gradient of {G} has dtype int64, but should be float64"),
    "transposed": (gives(np.zeros((2, 3))), f"gradient of {G} has shape (2, 3), but should be (3, 2)"),
    "flat": (gives(np.zeros(6)), f"gradient of {G} has shape (6,), but should be (3, 2)"),
    "a loss for each sample": ({"loss": B}, "the loss has shape (3,), but should be ()"),
    "a loss in words": ({"loss": "0"}, "the loss has dtype <U1, but should be real"),
    "a ragged loss": ({"loss": [[1], [1, 2]]}, "the loss is a list, but should be a number"),
    "a loss of torch": ({"loss": Stubborn()}, "the loss is a Stubborn, but should be a number"),
    "a buffer": ({"buffers": {"n2.running_mean": B[:1]}}, "buffer n2.running_mean has shape (1,), but should be (3,)"),
    "a buffer of nobody": ({"buffers": {"n2.mean": B}}, "buffer 'n2.mean' is not asked for; the names are n2.runn"),
    "an output": ({"outputs": {"n1": B}}, "output n1 has shape (3,), but should be (3, 3)"),
    "an error signal": ({"errors": {"n9": B}}, "error signal of 'n9' is not asked for"),
}


@pytest.mark.parametrize(("change", "sentence"), BREACHES.values(), ids=BREACHES)
def test_each_breach_has_its_sentence(change: dict[str, Any], sentence: str) -> None:
    (breach,) = compare.contract(CASE, Answer(**RIGHT | change), CASE.wanted(), SHAPES)
    assert breach.startswith(sentence)


def test_every_breach_is_told() -> None:
    assert (
        len(compare.contract(CASE, Answer(gradients={"w": B}, loss=B), CASE.wanted(), SHAPES)) == len(CASE.wanted()) + 2
    )


def test_what_is_no_breach() -> None:
    both = {"buffers": TRUTH.buffers, "outputs": TRUTH.values, "errors": TRUTH.errors}
    for more in ({}, both, {"loss": None}, {"loss": 1}, {"loss": 1.0}, {"loss": np.float32(1)}):
        assert compare.contract(CASE, Answer(**RIGHT | more), CASE.wanted(), SHAPES) == []
    low = chain(*MLP, dtype="float32")
    narrow = {n: g.astype("f4") for n, g in Twin.of(low).run(low).gradients.items()}
    shapes = {"gradients": Twin.of(low).run(low).gradients, "buffers": {}, "outputs": {}, "errors": {}}
    assert compare.contract(low, Answer(gradients=narrow), ["x"], shapes) == []


def test_what_is_judged_stands_beside_the_truth() -> None:
    more = {"buffers": TRUTH.buffers, "outputs": {"n1": TRUTH.values["n1"]}, "errors": {"n1": TRUTH.errors["n1"]}}
    found = compare.pairs(Answer(**RIGHT, **more), TRUTH)
    names = {"loss", *TRUTH.gradients, *(f"buffer {b}" for b in TRUTH.buffers), "output n1", "error n1"}
    assert {name for name, _, _ in found} == names
    assert compare.cheap(found, "float64") == []


# ------------------------------------------------------------------------------------------------------------ step 5

UPDATE = UpdateCase(op="SGD", parameters={"w": np.ones(2)}, gradients=({"w": np.ones(2)},) * 2)
STEPS: dict[str, tuple[Any, list[str]]] = {
    "too few": (({"w": V},), ["1 steps were returned, but 2 gradients were given"]),
    "no mapping": (({"w": V}, B), ["step 2 is a ndarray, but should be a mapping"]),
    "missing": (({"w": V}, {}), ["step 2: parameter w is missing"]),
    "unknown": (({"w": V}, {"w": V, "v": B}), ["step 2: there is no parameter 'v'"]),
    "shape": (({"w": B}, {"w": V}), ["step 1: parameter w has shape (3,), but should be (2,)"]),
    "dtype": (({"w": V.astype("f4")}, {"w": V}), ["step 1: parameter w has dtype float32, but should be float64"]),
    "a list": (({"w": [0, 0]}, {"w": V}), ["step 1: parameter w is a list, but should be a NumPy array"]),
    "right": (({"w": V}, {"w": V}), []),
}


@pytest.mark.parametrize(("steps", "sentences"), STEPS.values(), ids=STEPS)
def test_each_breach_of_step_5_has_its_sentence(steps: Any, sentences: list[str]) -> None:
    found = compare.update_contract(UPDATE, UpdateAnswer(steps=steps))
    assert [b[: len(s)] for b, s in zip(found, sentences, strict=True)] == sentences


# ----------------------------------------------------------------------------------------------------------- numbers


def test_cheap_acceptance_holds_a_small_row_and_a_small_column_to_its_own_scale() -> None:
    truth = np.array([[1.0, 1e-6, 1.0], [1e-6, 1e-6, 1e-6], [1.0, 1e-6, 0.0]])
    for at in np.ndindex(truth.shape):
        scale = 1.0 if at in ((0, 0), (0, 2), (2, 0), (2, 2)) else 1e-6
        for factor, doubtful in ((0.5, False), (2.0, True)):
            got = truth.copy()
            got[at] += factor * CHEAP * EPS * scale
            assert bool(compare.cheap([("w", got, truth)], "float64")) is doubtful, (at, factor)


@pytest.mark.parametrize("got", [np.nan, np.inf, -np.inf, 1.0000001])
def test_cheap_acceptance_lets_no_nonsense_through(got: float) -> None:
    assert compare.cheap([("w", np.array([got, 1.0]), np.ones(2))], "float64") == ["w"]
    assert compare.cheap([("w", np.array(got), np.ones(()))], "float64") == ["w"]


def test_nothing_is_close_to_nothing() -> None:
    assert compare.cheap([("w", np.zeros((0, 2)), np.zeros((0, 2)))], "float64") == []
    assert compare.suspects([("w", np.zeros((0, 2)), np.zeros((0, 2)))], {"w": np.zeros((0, 2))}) == []


FIRST = np.array([1.0, 0.0])


def test_an_estimate_widens_by_what_float32_loses_and_ignores_a_decision_gone_the_other_way() -> None:
    truth, low = np.array([1.0, 1.0]), np.array([1.0 + 1e-4, 1.0])
    off = truth + FIRST * 1e-4 * EPS / np.finfo("f4").eps
    assert compare.estimated([("w", off, truth)], [[("w", off, low)]], "float64", 1.0) == []
    assert compare.estimated([("w", truth + FIRST[::-1] * 1e-9, truth)], [[("w", off, low)]], "float64", 1.0) == ["w"]
    assert compare.estimated([("w", truth + FIRST * 1e-10, truth)], [[("w", off, low + 9)]], "float64", 1.0) == ["w"]
    infinite = np.array([np.inf, np.nan])
    assert compare.estimated([("w", infinite, infinite)], [[("w", infinite, infinite)]], "float64", 1.0) == []


def test_a_tolerance_is_many_mean_deviations() -> None:
    truth = np.array([1.0, 0.0])
    runs = [[("w", truth, truth + FIRST * s * 1e-10)] for s in (1, -1, 1)]
    room = compare.tolerances([("w", truth, truth)], runs, "float64")["w"]
    assert room[0] == pytest.approx(SAFE * 1e-10, rel=1e-4)
    assert 0 < room[1] < 1e-300


def test_suspects_are_the_worst_entry_of_each_tensor_worst_first() -> None:
    room = {"a": np.full((2, 2), 1e-3), "b": np.full(2, 1e-3), "c": np.array(1e-3), "d": np.ones(1)}
    found = [
        ("a", np.array([[0.0, 2e-3], [5e-3, 0]]), np.zeros((2, 2))),
        ("b", np.array([np.nan, 1]), np.zeros(2)),
        ("c", np.array(1e-4), np.array(0.0)),
        ("d", np.array([np.inf]), np.array([np.inf])),
    ]
    b, a = compare.suspects(found, room)
    assert (b.where, a.where, a.index, a.got, a.error) == ("b[0]", "a[1, 0]", (1, 0), 5e-3, 5e-3)
    assert Difference("loss", (), 1.0, 2.0, 0.1).where == "loss"


@pytest.mark.parametrize(("raw", "said"), [(3, "an int"), (None, "None"), ([], "a list"), ("", "a str")])
def test_kinds_are_named_with_their_article(raw: Any, said: str) -> None:
    assert f"returned {said}, but" in str(compare.normalise(raw))
