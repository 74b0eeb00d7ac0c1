"""The engine and every layer of `reference`: one property, and what a graph may look like."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import reference
from oracle import strategies
from oracle.draws import Stream
from oracle.judge import How, judge
from oracle.spec import Case, Node
from oracle.subjects import resolve
from oracle.twin import Twin
from reference import GraphError, Network, backprop, forward, hidden_errors, output_error, partials, update
from reference.optimizers import SGD
from tests.fakes import MLP, chain, linear

QUIET = settings(
    deadline=None, derandomize=True, database=None, max_examples=150, suppress_health_check=list(HealthCheck)
)


@QUIET
@given(strategies.cases())
def test_every_layer_in_every_graph_is_right(case: Case) -> None:
    """A new operator is tested by existing: its generator entry brings it here."""
    verdict = judge(case, resolve("reference"), how=How(thorough=False))
    assert verdict.outcome in ("match", "convention", "torch deviates"), verdict


# ------------------------------------------------------------------------------------------------------------ graphs

A, B = np.array([[1.0, 2.0], [3.0, -4.0]]), np.array([[0.5, -1.0], [2.0, 3.0]])
W = {"h.weight": np.array([[1.0, -2.0], [0.5, 3.0]]), "h.bias": np.array([0.25, -1.0])}
H = Node("h", "Linear", ("x",), {"in_features": 2, "out_features": 2})


def dot(of: str) -> Node:
    return Node("loss", "Dot", (of, "c"))


TIED = Node("k", "Linear", ("h",), {"in_features": 2, "out_features": 2, "bias": False}, {"weight": "h.weight"})
GRAPHS: dict[str, tuple[tuple[Node, ...], dict[str, np.ndarray]]] = {
    "an input used twice": ((Node("m", "Multiply", ("x", "x")), dot("m")), {}),
    "an input used by two nodes": ((Node("t", "Tanh", ("x",)), Node("s", "Add", ("t", "x")), dot("s")), {}),
    "a node used three times": ((H, Node("m", "Multiply", ("h", "h")), Node("s", "Add", ("h", "m")), dot("s")), W),
    "a weight used twice": ((H, TIED, dot("k")), W),
    "one part of several": ((H, Node("p", "Chunk", ("h",), {"chunks": 2}), Node("l", "Dot", ("p:1", "one"))), W),
    "all parts, turned around": (
        (Node("p", "Chunk", ("x",), {"chunks": 2}), Node("q", "Concatenate", ("p:1", "p:0")), dot("q")), {},
    ),
    "a branch that leads nowhere": ((H, Node("stub", "Tanh", ("h",)), dot("x")), W),
    "a stub with several parts": ((H, Node("p", "Chunk", ("h",), {"chunks": 2}), dot("x")), W),
    "a loss that nothing leads to": ((H, Node("loss", "Dot", ("c", "c"))), W),
    "a broadcast input": ((Node("s", "Add", ("x", "row")), Node("m", "Multiply", ("s", "row")), dot("m")), {}),
    "a loss in the middle": ((Node("e", "MSELoss", ("x", "c")), Node("m", "Multiply", ("e", "x")), dot("m")), {}),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("nodes", "theta"), GRAPHS.values(), ids=GRAPHS)
def test_graphs(nodes: tuple[Node, ...], theta: dict[str, np.ndarray], dtype: Any) -> None:
    inputs = {"x": A, "c": B, "one": B[:, :1], "row": A[:1]}
    read = {i for node in nodes for i in node.inputs}
    case = Case(
        dtype=dtype,
        nodes=nodes,
        inputs={n: x.astype(dtype) for n, x in inputs.items() if n in read},
        parameters={n: x.astype(dtype) for n, x in theta.items()},
    )
    assert judge(case, resolve("reference")).outcome == "match"


def test_a_dead_branch_has_zero_gradients_of_its_own_shape() -> None:
    nodes, theta = GRAPHS["a branch that leads nowhere"]
    found = backprop(Network(nodes), theta, {"x": A, "c": B})
    assert {n: g.tolist() for n, g in found.gradients.items() if n in W} == {n: (w * 0).tolist() for n, w in W.items()}
    assert "stub" not in found.deltas


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("training", [True, False])
def test_small_batches_and_both_modes(rows: int, training: bool) -> None:
    layers = ["Tanh", ("Softmax", {"dim": 1}), ("PReLU", {}), ("BatchNorm1d", {"num_features": 3})]
    for layer in layers if rows > 1 or not training else layers[:-1]:
        verdict = judge(
            chain(linear(2, 3), layer, linear(3, 2), shape=(rows, 2), training=training), resolve("reference")
        )
        assert verdict.outcome == "match", verdict


def test_the_five_steps_one_by_one_are_the_one_call() -> None:
    case = chain(*MLP)
    net = Network(case.nodes)
    trace = forward(net, case.parameters, case.inputs)
    first = output_error(net, case.parameters, trace)
    assert set(first) == {"loss", "n3", "t"}
    deltas = hidden_errors(net, case.parameters, trace, first)
    gradients = partials(net, case.parameters, trace, deltas)
    whole = backprop(net, case.parameters, case.inputs)
    truth = Twin.of(case).run(case, errors=True)
    assert set(gradients) == set(case.parameters)
    for name, g in gradients.items():
        np.testing.assert_array_equal(g, whole.gradients[name])
    for name, delta in truth.errors.items():
        np.testing.assert_allclose(deltas[name], delta, rtol=1e-12)
    theta, _ = update(SGD(lr=0.5), case.parameters, gradients)
    for name, x in case.parameters.items():
        np.testing.assert_allclose(theta[name], x - 0.5 * truth.gradients[name], rtol=1e-12)


def test_error_signals_of_inputs_may_be_left_out() -> None:
    for k in range(0, 60, 4):
        case = Stream(2)[k]
        if isinstance(case, Case):
            whole = backprop(Network(case.nodes, case.training), case.state(), case.inputs)
            short = backprop(Network(case.nodes, case.training, input_errors=False), case.state(), case.inputs)
            assert set(short.gradients) == set(case.parameters)
            for name, g in short.gradients.items():
                np.testing.assert_array_equal(g, whole.gradients[name])
            assert not set(short.deltas) & set(case.inputs)


def test_nothing_that_is_given_is_changed_and_float32_stays() -> None:
    """Read-only arrays go in; every tensor that comes out has the dtype of the case."""
    for dtype in ("float64", "float32"):
        stream = Stream(8, dtype)
        for k in range(0, 130, 2):
            case = stream[k]
            if isinstance(case, Case):
                before = copy.deepcopy(case)
                for x in (*case.inputs.values(), *case.state().values()):
                    x.flags.writeable = False
                net = Network(case.nodes, case.training)
                found = backprop(net, case.state(), case.inputs)
                made = [found.loss, *found.gradients.values(), *found.deltas.values(), *found.trace.values.values()]
                assert {x.dtype.name for x in made if x.dtype.kind == "f"} == {dtype}, case.nodes
                buffers = found.trace.buffers(net, case.state())
                assert {n: b.dtype for n, b in buffers.items()} == {n: b.dtype for n, b in case.buffers.items()}
                assert case.id == before.id


def test_a_network_holds_no_numbers() -> None:
    case, other = chain(*MLP), chain(*MLP, seed=1)
    net = Network(case.nodes)
    first = backprop(net, case.parameters, case.inputs).gradients
    backprop(net, other.parameters, other.inputs)
    for name, g in backprop(net, case.parameters, case.inputs).gradients.items():
        np.testing.assert_array_equal(g, first[name])


def test_nodes_may_be_mappings() -> None:
    nodes = [{"name": "t", "op": "Tanh", "inputs": ["x"]}, {"name": "loss", "op": "Dot", "inputs": ["t", "c"]}]
    assert backprop(Network(nodes), {}, {"x": A, "c": B}).loss == pytest.approx(float((np.tanh(A) * B).sum()))


# ---------------------------------------------------------------------------------------------------------- refusals

X = {"x": A, "c": B}
PLAIN = {"num_features": 2, "affine": False, "track_running_stats": False}


def one(op: str, *inputs: str, **attrs: Any) -> tuple[Node, ...]:
    return (Node("n", op, inputs, attrs), dot("n"))


NETS: dict[str, tuple[tuple[Any, ...], str]] = {
    "no nodes": ((), "the net has no nodes; the last one must be the loss"),
    "unknown operator": (one("Foo", "x"), "n: no operator is called 'Foo'; there are Add, BCELoss"),
    "no operator": (({"name": "n", "inputs": ["x"]},), "n: no operator is called ''"),
    "unknown argument": (one("ReLU", "x", slope=1), "n: ReLU has no argument 'slope'; it takes"),
    "argument missing": (one("Linear", "x"), r"n: Linear\({}\): .*missing 2 required"),
    "too few inputs": (one("Add", "x"), "n: Add has 1 inputs, but should have at least 2"),
    "too many inputs": (one("Tanh", "x", "c"), "n: Tanh has 2 inputs, but should have 1"),
    "no inputs": (one("Tanh"), "n: Tanh has 0 inputs, but should have 1"),
    "a name twice": ((Node("n", "Tanh", ("x",)), Node("n", "Tanh", ("n",))), "n: 'n' is used before it is made"),
    "a cycle": ((Node("a", "Tanh", ("b",)), Node("b", "Tanh", ("a",))), "b: 'b' is used before it is made"),
    "itself": (one("Add", "n", "x"), "n: 'n' is used before it is made"),
    "an unknown reduction": (one("MSELoss", "x", "c", reduction="avg"), "reduction is 'avg', but should be"),
    "a negative threshold": (one("Softshrink", "x", lambd=-1), "Softshrink: lambd is -1, but should be at least 0"),
}


@pytest.mark.parametrize(("nodes", "words"), NETS.values(), ids=NETS)
def test_a_net_that_cannot_be_is_refused_in_a_sentence(nodes: Any, words: str) -> None:
    with pytest.raises(GraphError, match=words):
        Network(nodes)


NARROW = (Node("h", "Linear", ("x",), {"in_features": 2, "out_features": 1}), dot("h"))
TENSORS: dict[str, tuple[tuple[Node, ...], dict[str, Any], dict[str, Any], str]] = {
    "no such output": ((Node("p", "Chunk", ("x",), {"chunks": 2}), dot("p:2")), {}, X, "input 'p:2' is missing"),
    "input missing": ((dot("x"),), {}, {"x": A}, r"input 'c' is missing; the net reads \['x', 'c'\]"),
    "parameter missing": ((H, dot("h")), {}, X, r"h: parameter 'h.weight' of shape \(out_features, in_features\) = "),
    "another shape": (
        (H, dot("h")),
        {**W, "h.weight": A[:1]},
        X,
        r"h: weight has shape \(1, 2\), but should be \(out_f",
    ),
    "transposed": (NARROW, {"h.weight": A[:, :1], "h.bias": A[0, :1]}, X, r"shape \(2, 1\), but .* = \(1, 2\)"),
    "shapes apart": (one("Add", "x", "c"), {}, {"x": A, "c": np.ones(3)}, r"\(2, 2\), \(3,\) do not fit together"),
    "a target to broadcast": (
        one("MSELoss", "x", "c"),
        {},
        {"x": A, "c": B[0]},
        r"has shape \(2,\), but should be \(2,",
    ),
    "an axis that does not divide": (
        (Node("p", "Chunk", ("x",), {"chunks": 3}), dot("p:0")),
        {},
        X,
        "does not divide into 3 chunks",
    ),
    "a mask of numbers": (one("Dropout", "x", "c"), {}, X, "the mask is float64, but should be bool"),
    "one value to normalise": (one("BatchNorm1d", "x", **PLAIN), {}, {"x": A[:1], "c": B}, "one value per channel"),
}


@pytest.mark.parametrize(("nodes", "theta", "inputs", "words"), TENSORS.values(), ids=TENSORS)
def test_tensors_that_do_not_fit_are_refused_in_a_sentence(nodes: Any, theta: Any, inputs: Any, words: str) -> None:
    with pytest.raises(GraphError, match=words):
        backprop(Network(nodes), theta, inputs)


def test_every_layer_says_its_formula() -> None:
    for op, cls in reference.LAYERS.items():
        assert cls.__doc__, f"{op} has no docstring"
        for method in ("forward", "backward", *(("partials", "shapes") if cls.parameters else ())):
            assert getattr(cls, method).__doc__, f"{op}.{method} has no docstring"
            assert getattr(cls, method) is not getattr(reference.Layer, method), f"{op} has no {method}"
