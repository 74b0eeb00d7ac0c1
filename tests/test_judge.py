"""One case, one verdict: right answers of every kind pass, wrong ones are proven, kinks are a matter of convention."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from oracle.architectures import LOSSES, PROFILES, UNITS, architecture
from oracle.draws import Stream, values
from oracle.judge import How, judge, trial
from oracle.spec import Answer, Case, Node
from oracle.subjects import reference, resolve, wrap
from oracle.twin import Twin
from tests.fakes import MLP, Accumulating, chain, linear, relu_one_at_zero, wrong

NET = {dtype: chain(*MLP, dtype=dtype) for dtype in ("float64", "float32")}
SMALL = {"float64": 1e-9, "float32": 1e-4}


def changed(change: Callable[[Answer], Any]) -> Callable[[Case], Answer]:
    """The reference, with something done to its answer."""

    def subject(case: Case) -> Answer:
        answer = reference(case)
        answer.gradients = {name: g.copy() for name, g in answer.gradients.items()}
        change(answer)
        return answer

    return subject


# ------------------------------------------------------------------------------------------------ right, another way


def backwards(case: Case) -> Answer:
    """The samples in the other order: every sum over the batch is another sum."""

    def turned(name: str, x: np.ndarray) -> np.ndarray:
        batched = name in case.inputs and name[0] != "v" and x.ndim  # a v has no axis of samples
        return np.ascontiguousarray(x[::-1]) if batched else x

    answer = reference(replace(case, inputs={name: turned(name, x) for name, x in case.inputs.items()}))
    answer.gradients = {name: turned(name, g) for name, g in answer.gradients.items()}
    return answer


def textbook(case: Case) -> Answer:
    """The formulas as books print them, which lose the tails."""
    slopes = {
        "Sigmoid": lambda z, a: a * (1 - a),
        "Tanh": lambda z, a: 1 - a**2,
        "Softplus": lambda z, a: 1 / (1 + np.exp(-z)),
        "LogSigmoid": lambda z, a: 1 - 1 / (1 + np.exp(-z)),
        "SiLU": lambda z, a: (s := 1 / (1 + np.exp(-z))) * (1 + z * (1 - s)),
        "Softsign": lambda z, a: 1 / (1 + np.abs(z)) ** 2,
    }

    def slope(self: Any, right: Any, z: np.ndarray, a: np.ndarray) -> np.ndarray:
        own = slopes[type(self).__name__]
        return right(z, a) if getattr(self, "beta", 1.0) != 1 or getattr(self, "threshold", 20) < 20 else own(z, a)

    return wrong(" ".join(slopes), slope=slope)(case)


def precise(case: Case) -> Answer:
    """Every matrix product with 64 bits of mantissa, rounded once."""

    def long(x: np.ndarray) -> np.ndarray:
        return x.astype(np.longdouble)

    def forward(self: Any, right: Any, p: Any, x: np.ndarray) -> Any:
        z = long(x) @ long(p["weight"]).T
        return (z + p["bias"] if self.bias else z).astype(x.dtype), x

    def backward(self: Any, right: Any, p: Any, x: np.ndarray, delta: np.ndarray) -> Any:
        return ((long(delta) @ long(p["weight"])).astype(x.dtype),)

    return wrong("Linear", forward=forward, backward=backward)(case)


@pytest.mark.parametrize("subject", [backwards, textbook, precise])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_answers_are_not_accused(subject: Callable[[Case], Answer], dtype: str) -> None:
    stream, twin = Stream(21, dtype), None
    for k in range(80):
        case = stream[k]
        if isinstance(case, Case):
            twin = twin if twin is not None and twin.nodes is case.nodes else Twin(case)
            verdict = judge(case, wrap(subject), twin)
            assert verdict.outcome in ("match", "convention"), (k, verdict)


def test_parts_of_an_answer_that_are_not_asked_for_may_be_left_out_or_given() -> None:
    case = chain(linear(2, 3), ("BatchNorm1d", {"num_features": 3}))
    truth = Twin.of(case).run(case, errors=True)
    everything = Answer(
        loss=truth.loss, gradients=truth.gradients, buffers=truth.buffers, outputs=truth.values, errors=truth.errors
    )
    for answer in (everything, Answer(gradients=truth.gradients)):
        assert judge(case, wrap(lambda c, answer=answer: answer)).outcome == "match"
    few = wrap(lambda c: {n: truth.gradients[n] for n in case.parameters})
    reason = judge(case, few).reason
    assert reason.startswith("gradient of x is missing; ")
    assert 'returns = {"parameters"} (and 1 more)' in reason
    assert judge(case, replace_returns(few, "parameters")).outcome == "match"


def replace_returns(subject: Any, returns: str) -> Any:
    return wrap(type("Call", (), {"__call__": lambda self, case: subject.call(case), "returns": returns})())


# ------------------------------------------------------------------------------------------------------------- wrong


@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.parametrize("tensor", ["loss", *NET["float64"].wanted()])
def test_a_small_error_in_one_entry_is_a_proven_mismatch(tensor: str, dtype: str) -> None:
    case = NET[dtype]
    truth = Twin.of(case).run(case)
    exact = truth.loss if tensor == "loss" else truth.gradients[tensor]
    at = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(exact)), exact.shape))

    def bend(answer: Answer) -> None:
        if tensor == "loss":
            answer.loss = answer.loss * np.asarray(1 + SMALL[dtype], dtype)
        else:
            answer.gradients[tensor][at] *= 1 + SMALL[dtype]

    verdict = judge(case, wrap(changed(bend)))
    assert (verdict.outcome, verdict.stage, verdict.suspects) == ("mismatch", "proved", (tensor,))
    worst = verdict.differences[0]
    assert (worst.tensor, worst.index) == (tensor, at)
    assert worst.low is not None
    assert worst.high is not None
    room = 1e-13 * abs(exact[at])
    assert worst.low - room <= exact[at] <= worst.high + room
    assert verdict.reason.startswith(f"{worst.where} is ")
    assert judge(case, wrap(changed(bend)), how=How(prove=False, twice=False)).stage == "measured"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("tensor", ["loss", "n1.weight", "x"])
def test_what_is_not_finite_is_a_mismatch(tensor: str, value: float) -> None:
    def spoil(answer: Answer) -> None:
        if tensor == "loss":
            answer.loss = np.array(value)
        else:
            answer.gradients[tensor][0, 0] = value

    verdict = judge(NET["float64"], wrap(changed(spoil)))
    assert (verdict.outcome, verdict.stage) == ("mismatch", "proved")
    assert f" is {value}, but should be " in verdict.reason


def test_a_wrong_buffer_is_a_mismatch() -> None:
    case = chain(("BatchNorm1d", {"num_features": 2}))
    verdict = judge(
        case, wrap(changed(lambda a: a.buffers.update({"n1.running_var": a.buffers["n1.running_var"] * 1.1})))
    )  # type: ignore[union-attr]
    assert (verdict.outcome, verdict.suspects) == ("mismatch", ("buffer n1.running_var",))


def test_a_wrong_error_signal_alone_cannot_be_proven() -> None:
    case = NET["float64"]
    truth = Twin.of(case).run(case, errors=True)
    verdict = judge(case, wrap(lambda c: Answer(gradients=truth.gradients, errors={"n2": truth.errors["n2"] * 2})))
    assert verdict.outcome == "undecided"
    assert "the error signal of n2 is not a partial" in verdict.reason


# ------------------------------------------------------------------------------------------------- breaches, crashes


def second_call(*answers: Callable[[Answer], Any]) -> Callable[[Case], Answer]:
    """Answers that take turns."""
    turn = iter(range(100))
    return lambda case: changed(answers[next(turn) % len(answers)])(case)


def stop(_: Any) -> Any:
    raise SystemExit("bye")


def nothing(_: Any) -> None:
    pass


CASE_BREACHES: dict[str, tuple[Callable[[], Callable[[Case], Any]], str, str]] = {
    "missing": (lambda: changed(lambda a: a.gradients.pop("n1.bias")), "errored", "gradient of n1.bias is missing"),
    "unknown": (lambda: changed(lambda a: a.gradients.update(w=a.loss)), "errored", "gradient of 'w' is not asked for"),
    "a list": (lambda: changed(lambda a: a.gradients.update(x=[1])), "errored", "gradient of x is a list"),
    "dtype": (
        lambda: changed(lambda a: a.gradients.update(x=a.gradients["x"].astype("f4"))),
        "errored",
        "x has dtype f",
    ),
    "nothing": (lambda: nothing, "errored", "the subject returned None"),
    "raises": (lambda: changed(lambda a: a.gradients["nobody"]), "errored", "the subject raised KeyError: 'nobody'"),
    "exits": (lambda: stop, "errored", "the subject raised SystemExit: bye"),
    "changes": (lambda: lambda c: (c.inputs["x"].fill(0), reference(c))[1], "errored", "changed its input tensor x"),
    "adds up": (Accumulating, "mismatch", "another n1.weight: more by the gradient itself, as if"),
    "differs": (lambda: second_call(nothing, lambda a: a.gradients["x"].fill(0)), "mismatch", "returned another x"),
    "raises later": (
        lambda: second_call(nothing, stop),
        "mismatch",
        "the second call with the same case failed: SystemE",
    ),
    "returns less": (lambda: second_call(nothing, lambda a: a.gradients.pop("x")), "mismatch", "the second call"),
    "returns more": (
        lambda: second_call(nothing, lambda a: a.gradients.update(w=a.loss)),
        "mismatch",
        "set of tensors",
    ),
    "forgets a loss": (lambda: second_call(nothing, lambda a: setattr(a, "loss", None)), "mismatch", "the second call"),
    "another shape": (lambda: second_call(nothing, lambda a: a.gradients.update(x=a.loss)), "mismatch", "another x"),
}


@pytest.mark.parametrize(("subject", "outcome", "words"), CASE_BREACHES.values(), ids=CASE_BREACHES)
def test_breaches_and_crashes(subject: Callable[[], Any], outcome: str, words: str) -> None:
    verdict = judge(NET["float64"], wrap(subject()))
    assert (verdict.outcome, verdict.stage, verdict.differences) == (outcome, "contract", ())
    assert words in verdict.reason
    assert verdict.failed


def test_the_second_call_is_not_made_where_it_is_not_wanted() -> None:
    assert judge(NET["float64"], wrap(second_call(nothing, stop)), how=How(twice=False)).outcome == "match"


@pytest.mark.parametrize(("change", "words"), [
    ({"parameters": {**NET["float64"].parameters, "n1.bias": np.full(3, np.nan)}}, "parameter n1.bias is NaN at [0]"),
    ({"inputs": {"x": np.ones((3, 2))}}, "input 't' is read but not given"),
    ({"nodes": (Node("loss", "Foo", ("x", "t")),)}, "'Foo' is neither a class of torch.nn"),
    ({"inputs": {"x": np.ones((3, 5)), "t": np.ones((3, 2))}}, "n1 (Linear) on x (3, 5): "),
])  # fmt: skip
def test_what_cannot_be_judged_is_skipped_with_the_reason(change: dict[str, Any], words: str) -> None:
    found = trial(replace(NET["float64"], **change), resolve("reference"))
    assert found.verdict.outcome == "skipped"
    assert words in found.verdict.reason
    assert not found.verdict.failed


def damaged(case: Case, r: Random) -> Case:
    """The case with one thing about it wrong, or not."""
    nodes, k = list(case.nodes), r.randrange(len(case.nodes))
    names = [*case.inputs, *(n.name for n in nodes), "nobody", f"{nodes[k].name}:0", ""]
    ops = [*UNITS, *LOSSES, "Add", "Chunk", "Linear", "Foo", "Sequential", "LSTM", "Conv2d", "MaxPool1d"]
    tensors = {g: dict(getattr(case, g)) for g in ("inputs", "parameters", "buffers")}
    group = tensors[r.choice([g for g, of in tensors.items() if of])]
    name = r.choice(list(group))
    x = group[name]
    other = tuple(r.choice((i, r.choice(names))) for i in nodes[k].inputs)
    r.choice([
        lambda: nodes.pop(k),
        lambda: nodes.insert(r.randrange(k + 1), nodes[k]),
        lambda: r.shuffle(nodes),
        lambda: nodes.__setitem__(k, replace(nodes[k], inputs=other)),
        lambda: nodes.__setitem__(k, replace(nodes[k], inputs=nodes[k].inputs[1:])),
        lambda: nodes.__setitem__(k, replace(nodes[k], op=r.choice(ops))),
        lambda: nodes.__setitem__(k, replace(nodes[k], attrs={})),
        lambda: nodes.__setitem__(k, replace(nodes[k], params={"weight": r.choice([*case.state(), "w"])})),
        lambda: group.pop(name),
        lambda: group.update({name: r.choice([x.T, x[:0] if x.ndim else x, x.reshape(-1), x[..., None]])}),
        lambda: group.update({name: x.astype(r.choice([np.int64, bool, np.float32]))}),
        lambda: group.update({name: np.full_like(x, np.inf if x.dtype.kind == "f" else 1)}),
    ])()  # fmt: skip
    return replace(case, nodes=tuple(nodes), **tensors)


def test_no_damaged_case_brings_the_oracle_down() -> None:
    outcomes = []
    for k in range(400):
        r = Random(k)
        dtype = r.choice(["float64", "float32"])
        case = damaged(values(architecture(r), k, dtype, PROFILES["standard"].regimes), r)
        outcomes.append(judge(case, resolve("reference")).outcome)
    assert "mismatch" not in outcomes
    assert 100 < outcomes.count("skipped") < 300


# ------------------------------------------------------------------------------------------------------------- kinks


def at_points(op: str, points: list[float], dtype: str = "float64", **attrs: Any) -> Case:
    """An operator at some points, under the cotangent 1, 2, 3, …"""
    x, c = np.array([points], dtype), np.arange(1, len(points) + 1, dtype=dtype)[None]
    nodes = (Node("n", op, ("x",), attrs), Node("d", "Dot", ("n", "c")))
    return Case(nodes=nodes, inputs={"x": x, "c": c}, dtype=dtype)  # type: ignore[arg-type]


def sloped(at: float, slope: float) -> Callable[[Case], Answer]:
    """The reference, with another slope at one point."""
    return lambda case: changed(
        lambda a: np.copyto(a.gradients["x"], case.inputs["c"] * slope, where=case.inputs["x"] == at, casting="unsafe")
    )(case)


SLOPES: list[tuple[str, dict[str, Any], float, float, str, str]] = [
    ("ReLU", {}, 0, 0.0, "match", ""),
    ("ReLU", {}, 0, 1.0, "convention", "another slope at a kink: ReLU at 0: 1 of the right slope (torch 0)"),
    ("ReLU", {}, 0, 0.5, "convention", "ReLU at 0: 0.5 of the right slope (torch 0)"),
    ("ReLU", {}, 0, 2.0, "mismatch", "x[0, 0] is 2, but should be 0"),
    ("ReLU", {}, 0, -1.0, "mismatch", "x[0, 0] is -1, but should be 0"),
    ("ReLU", {}, 3, 0.5, "mismatch", "but should be"),
    ("LeakyReLU", {"negative_slope": 0.25}, 0, 1.0, "convention", "LeakyReLU at 0: 1 of the right slope (torch 0)"),
    ("LeakyReLU", {"negative_slope": 0.25}, 0, 0.0, "mismatch", "is 0, but should be 0.25"),
    ("Hardtanh", {"min_val": 0.0, "max_val": 3.0}, 3, 1.0, "convention", "Hardtanh at 3: 0 of the right slope"),
    ("Hardtanh", {"min_val": 0.0, "max_val": 3.0}, 3, 1.1, "mismatch", "but should be 0"),
    ("Softplus", {"threshold": 3.0}, 3, 1.0, "convention", "Softplus at 3: 1 of the right slope (torch 0)"),
    ("Hardsigmoid", {}, 3, 1 / 6, "convention", "Hardsigmoid at 3: 0 of the right slope (torch 1)"),
    ("Hardsigmoid", {}, 3, 0.2, "mismatch", "but should be 0"),
    ("Softshrink", {"lambd": 3.0}, 3, 1.0, "convention", "Softshrink at 3: 1 of the right slope (torch 0)"),
    ("Hardswish", {}, 3, 1.5, "convention", "Hardswish at 3: 0 of the right slope (torch 1)"),
    ("Tanh", {}, 0, 0.5, "mismatch", "is 0.5, but should be 1"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("op", "attrs", "at", "slope", "outcome", "words"), SLOPES)
def test_another_slope_at_a_kink(
    op: str, attrs: Any, at: float, slope: float, outcome: str, words: str, dtype: str
) -> None:
    verdict = judge(at_points(op, [0.0, 3.0, -1.5, 0.25], dtype, **attrs), wrap(sloped(at, slope)))
    assert verdict.outcome == outcome, verdict
    assert words in verdict.reason


def test_a_convention_does_not_hide_a_mistake() -> None:
    case = chain(linear(2, 2), "ReLU")
    case = replace(
        case, inputs=case.inputs | {"x": np.zeros((3, 2))}, parameters={n: p * 0 for n, p in case.parameters.items()}
    )
    assert judge(case, wrap(relu_one_at_zero)).outcome == "convention"
    spoiled = wrap(lambda c: (a := relu_one_at_zero(c), a.gradients["n1.bias"].__imul__(1 + 1e-9))[0])
    assert judge(case, spoiled).outcome == "mismatch"


def test_the_residual_of_a_loss_has_a_kink_too() -> None:
    case = Case(nodes=(Node("l", "L1Loss", ("x", "t")),), inputs={"x": np.ones((1, 2)), "t": np.array([[1.0, 0.0]])})
    told = {slope: judge(case, wrap(changed(lambda a, s=slope: a.gradients.update(  # type: ignore[misc]
        x=np.array([[s, 0.5]]), t=-np.array([[s, 0.5]]))))) for slope in (0.0, 0.5, -0.5, 1.0)}  # fmt: skip
    assert [v.outcome for v in told.values()] == ["match", "convention", "convention", "mismatch"]


def test_an_input_so_near_a_kink_that_rounding_decides_its_side() -> None:
    """(0.7 + 0.1) − 0.8 is −1e-16; 0.7 + (0.1 − 0.8) is 0, and another order is positive."""
    nodes = (Node("s", "Add", ("a", "b", "k")), Node("r", "ReLU", ("s",)), Node("d", "Dot", ("r", "c")))
    inputs = {name: np.array([[v]]) for name, v in {"a": 0.7, "b": 0.1, "k": -0.8, "c": 2.0}.items()}
    case = Case(nodes=nodes, inputs=inputs)
    sides = [wrap(lambda c, s=s: {n: np.array([[s if n in "abk" else 0.0]]) for n in "abkc"}) for s in (0.0, 2.0, 1e6)]
    assert [judge(case, side).outcome for side in sides] == ["match", "match", "mismatch"]


# --------------------------------------------------------------------------------------------- where torch is at fault


def test_the_true_softplus_is_right_where_torch_has_a_line() -> None:
    def exact(case: Case) -> Any:
        x, c = case.inputs["x"], case.inputs["c"]
        return {"x": c / (1 + np.exp(-x)), "c": np.log1p(np.exp(-x)) + x}

    verdict = judge(at_points("Softplus", [21.0]), wrap(exact))
    assert verdict.outcome == "torch deviates"
    assert "the subject has the true softplus; torch switches to a line" in verdict.reason
    assert not verdict.failed
    assert judge(at_points("Softplus", [4.0], threshold=3.0), wrap(exact)).outcome == "mismatch", "asked for by name"


def test_a_constant_of_float32_is_a_mismatch_in_float64_alone() -> None:
    sixth = wrong("Hardsigmoid", backward=lambda self, right, p, s, d: (
        d * (np.abs(s[0]) < 3) * np.asarray(np.float32(1 / 6), d.dtype),))  # fmt: skip
    low = at_points("Hardsigmoid", [0.5, 1.0], "float32")
    assert judge(low, wrap(sixth)).outcome == "match"
    verdict = judge(at_points("Hardsigmoid", [0.5, 1.0]), wrap(sixth))
    assert (verdict.outcome, verdict.stage) == ("mismatch", "proved")


def test_where_numbers_end_there_is_no_true_value() -> None:
    nodes = (Node("l", "CrossEntropyLoss", ("x", "t"), {"ignore_index": 0}),)
    case = Case(nodes=nodes, inputs={"x": np.ones((2, 3)), "t": np.array([0, 0])})
    verdict = judge(case, wrap(lambda c: Answer(loss=0.0, gradients={"x": np.zeros((2, 3))})))
    assert verdict.outcome == "convention"
    assert "a convention, no true value exists" in verdict.reason


def test_an_overflow_of_float32_is_no_mistake() -> None:
    nodes = (Node("m", "Multiply", ("x", "x")), Node("d", "Dot", ("m", "c")))
    case = Case(nodes=nodes, inputs={"x": np.full((1, 1), 1e25, "f4"), "c": np.ones((1, 1), "f4")}, dtype="float32")
    assert judge(case, resolve("reference")).outcome == "match"
    doubled = wrap(changed(lambda a: a.gradients["x"].__imul__(2)))
    assert judge(case, doubled).outcome == "mismatch"
