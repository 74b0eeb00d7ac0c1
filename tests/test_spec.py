"""The data: every number survives, every id is stable, and every bad file is refused in a sentence."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from msgspec.structs import replace

from oracle import spec, tensors
from oracle.draws import Stream
from oracle.spec import AnyCase, Case, CaseError, Node, UpdateCase
from tests.fakes import MLP, chain

INFINITE = chain(("Hardtanh", {"min_val": -math.inf, "max_val": math.inf}), shape=(1, 2))
UPDATE = UpdateCase(op="SGD", attrs={"lr": 0.5}, parameters={"w": np.ones(2)}, gradients=({"w": np.zeros(2)},))


def same(x: np.ndarray, y: np.ndarray) -> bool:
    """Bit for bit, but for the payload of a NaN."""
    signs = x.dtype.kind != "f" or np.array_equal(np.signbit(x[x == 0]), np.signbit(y[y == 0]))
    equal = np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
    return x.dtype == y.dtype and x.shape == y.shape and equal and bool(signs)


# ------------------------------------------------------------------------------------------------------ round trips

AWKWARD = {
    "float64": np.array([0.1, -0.0, np.inf, -np.inf, np.nan, 5e-324, np.finfo("f8").max, 1 / 3, 2.0**53 + 2]),
    "float32": np.array([0.1, -0.0, np.inf, -np.inf, np.nan, 1e-45, np.finfo("f4").max, 1 / 3], np.float32),
    "int64": np.array([-(2**63), 2**63 - 1, 0]),
    "bool": np.array([[True], [False]]),
    "0-d": np.array(-0.0),
    "0-d bool": np.array(True),
    "empty": np.zeros((0,)),
    "empty rows": np.zeros((2, 0, 3), np.float32),
    "no rows": np.zeros((0, 4), np.int64),
    "not contiguous": np.arange(6.0).reshape(2, 3).T,
}


@pytest.mark.parametrize("x", AWKWARD.values(), ids=AWKWARD)
def test_awkward_tensors_survive(x: np.ndarray) -> None:
    assert same(tensors.decode_tensor(json.loads(json.dumps(tensors.encode_tensor(x)))), x)


@settings(deadline=None, derandomize=True, database=None)
@given(hnp.arrays(st.sampled_from(["f4", "f8", "i8", "?"]), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0)))
def test_tensors_survive(x: np.ndarray) -> None:
    assert same(tensors.decode_tensor(json.loads(json.dumps(tensors.encode_tensor(x)))), x)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cases_survive(dtype: str, tmp_path: Path) -> None:
    stream = Stream(7, dtype)
    for case in (INFINITE, UPDATE, *(stream[k] for k in range(40))):
        line = spec.from_json(spec.to_json(case), AnyCase)
        file = spec.load(spec.save(case, tmp_path / "deep" / "case.json"))
        assert line.id == file.id == case.id
        file.check()
        if isinstance(case, Case):
            assert file.nodes == case.nodes
            assert all(same(x, file.state()[name]) for name, x in case.state().items())
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["case.json"]


def test_infinite_attributes_are_words_in_the_file() -> None:
    assert b'"max_val":"Infinity","min_val":"-Infinity"' in spec.to_json(INFINITE)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spec.write(tmp_path / "a.json", b"old")

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        spec.write(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.json", b"old")]


# --------------------------------------------------------------------------------------------------------------- ids


def test_an_id_does_not_depend_on_the_order_of_names() -> None:
    case = chain(*MLP)
    turned = replace(
        case, parameters=dict(reversed(case.parameters.items())), inputs=dict(reversed(case.inputs.items()))
    )
    nodes = tuple(replace(n, attrs=dict(reversed(n.attrs.items()))) for n in case.nodes)
    assert turned.id == replace(turned, nodes=nodes).id == case.id
    assert len(case.id) == 16
    int(case.id, 16)


def test_an_id_depends_on_everything_else() -> None:
    case = chain(*MLP)
    nudged = {**case.inputs, "x": np.nextafter(case.inputs["x"], 9)}
    signed = [replace(case, inputs={**case.inputs, "x": x}) for x in (np.zeros((3, 2)), -np.zeros((3, 2)))]
    others = [
        replace(case, training=False),
        replace(case, inputs=nudged),
        replace(case, nodes=case.nodes[:-1]),
        *signed,
    ]
    assert len({c.id for c in (case, *others)}) == 6


def test_an_id_is_the_same_in_another_process(tmp_path: Path) -> None:
    case = Stream(1)[3]
    path = spec.save(case, tmp_path / "case.json")
    code = f"from oracle import spec; from pathlib import Path; print(spec.load(Path({str(path)!r})).id)"
    env = os.environ | {"PYTHONHASHSEED": "7"}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert out.stdout.strip() == case.id


# --------------------------------------------------------------------------------------------------------- refusals


def changed(path: str, value: Any) -> Callable[[], bytes]:
    """The bytes of a case with one value replaced, at a path like "nodes.0.name"."""

    def build() -> bytes:
        raw: Any = json.loads(spec.to_json(chain(*MLP)))
        at, *keys = raw, *path.split(".")
        for key in keys[:-1]:
            at = at[int(key) if isinstance(at, list) else key]
        at[int(keys[-1]) if isinstance(at, list) else keys[-1]] = value
        return json.dumps(raw).encode()

    return build


def tensor(shape: list[int], data: Any, dtype: str = "float64") -> Callable[[], bytes]:
    return changed("inputs.x", {"dtype": dtype, "shape": shape, "data": data})


def nested(depth: int, opening: bytes, closing: bytes) -> Callable[[], bytes]:
    return lambda: changed("nodes.0.attrs", {"deep": 0})().replace(
        b'"deep": 0', b'"deep": ' + opening * depth + b"1" + closing * depth
    )


def whole() -> bytes:
    return spec.to_json(chain(*MLP))


MALFORMED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "truncated"),
    "truncated": (lambda: whole()[:-9], "truncated"),
    "not JSON": (lambda: b"\xff\xfe", "malformed"),
    "a pickle": (lambda: b"\x80\x04K\x01.", "malformed"),
    "a list": (lambda: b"[]", "Expected `object`"),
    "another kind": (changed("kind", "answer"), "Invalid value 'answer'"),
    "unknown field": (changed("hello", 1), "unknown field `hello`"),
    "unknown field of a node": (changed("nodes.0.hello", 1), "unknown field `hello`"),
    "format of another type": (changed("format", "1"), r"\$\.format"),
    "another dtype": (changed("dtype", "float16"), "float16"),
    "nodes of another type": (changed("nodes", {}), r"\$\.nodes"),
    "name of another type": (changed("nodes.0.name", 1), r"\$\.nodes\[0\]\.name"),
    "huge shape": (tensor([10**12], []), "is not a shape"),
    "huge empty shape": (tensor([0, 2**40, 2**40], []), "is not a shape"),
    "negative shape": (tensor([-1], []), "is not a shape"),
    "nine axes": (tensor([1] * 9, [[[[[[[[[1]]]]]]]]]), "is not a shape"),
    "ragged": (tensor([2, 2], [[1, 2], [3]]), "1 rows where the shape says 2"),
    "too few": (tensor([3], [1, 2]), "2 rows where the shape says 3"),
    "no rows": (tensor([1], None), "None where the shape says 1"),
    "a word": (tensor([1], ["1"]), "'1' is not a float64"),
    "null": (tensor([1], [None]), "None is not a float64"),
    "a truth for a number": (tensor([1], [True]), "True is not a float64"),
    "a number for a truth": (tensor([1], [1], "bool"), "1 is not a bool"),
    "a fraction for an int": (tensor([1], [1.5], "int64"), "1.5 is not a int64"),
    "too great for int64": (tensor([1], [2**63], "int64"), "does not fit int64"),
    "too great for float64": (tensor([1], [10**400]), "does not fit float64"),
    "out of range": (lambda: tensor([1], [1])().replace(b"[1]}", b"[1e999]}"), "out of range"),
    "not a float32": (tensor([1], [0.1], "float32"), "not exactly a float32"),
    "too great for float32": (tensor([1], [1e300], "float32"), "not exactly a float32"),
    "deep list": (nested(100_000, b"[", b"]"), "nested too deeply"),
    "deep mapping": (nested(100_000, b'{"a":', b"}"), "nested too deeply"),
    "rather deep": (nested(900, b"[", b"]"), "nested too deeply"),
}


@pytest.mark.parametrize(("data", "words"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_refused_in_a_sentence(data: Callable[[], bytes], words: str, tmp_path: Path) -> None:
    path = spec.write(tmp_path / "case.json", data())
    with pytest.raises(CaseError, match=words) as refused:
        spec.load(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert len(str(refused.value)) < 300


def test_missing_and_too_large_files(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="No such file"):
        spec.load(tmp_path / "none.json")
    with pytest.raises(CaseError, match="directory"):
        spec.load(tmp_path)
    (path := tmp_path / "large.json").touch()
    os.truncate(path, spec.LARGEST_FILE + 1)
    with pytest.raises(CaseError, match="too large for a case"):
        spec.load(path)


MSE = Node("loss", "MSELoss", ("x", "t"))
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no nodes": ({"nodes": ()}, "no nodes"),
    "two of a name": ({"nodes": (MSE, MSE)}, "two nodes are called 'loss'"),
    "a dot in a name": ({"nodes": (replace(MSE, name="a.b"),)}, "'a.b' cannot name a node"),
    "no name": ({"nodes": (replace(MSE, name=""),)}, "'' cannot name a node"),
    "no inputs": ({"nodes": (replace(MSE, inputs=()),)}, "has no inputs"),
    "itself": ({"nodes": (replace(MSE, inputs=("loss", "t")),)}, "reads 'loss', which is itself"),
    "a cycle": ({"nodes": (Node("a", "Tanh", ("b",)), Node("b", "Tanh", ("a",)), MSE)}, "made later: a cycle"),
    "unknown input": ({"nodes": (replace(MSE, inputs=("x", "u")),)}, "input 'u' is read but not given"),
    "unused input": ({"inputs": {n: np.ones(2) for n in "xtu"}}, "input 'u' is given but no node reads it"),
    "wrong dtype": (
        {"inputs": {"x": np.ones(2, "f4"), "t": np.ones(2)}},
        "input x is float32, but the case is float64",
    ),
    "complex": ({"inputs": {"x": np.ones(2, complex), "t": np.ones(2)}}, "has dtype complex128"),
    "NaN": ({"inputs": {"x": np.array([1, np.nan]), "t": np.ones(2)}}, r"input x is NaN at \[1\]"),
    "NaN weight": ({"parameters": {"h.w": np.full((1, 1), np.nan)}}, r"parameter h.w is NaN at \[0, 0\]"),
    "NaN buffer": ({"buffers": {"h.m": np.array(np.nan)}}, r"buffer h.m is NaN"),
    "integer weight": ({"parameters": {"h.w": np.ones(1, int)}}, "parameter h.w is int64"),
    "another format": ({"format": 2}, "format is 2, but this oracle reads format 1"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD)
def test_a_bad_case_is_refused_in_a_sentence(change: dict[str, Any], words: str) -> None:
    good = Case(nodes=(MSE,), inputs={"x": np.ones(2), "t": np.ones(2)})
    good.check()
    with pytest.raises(CaseError, match=words):
        replace(good, **change).check()


BAD_UPDATES: dict[str, tuple[dict[str, Any], str]] = {
    "another parameter": ({"gradients": ({"v": np.ones(2)},)}, r"step 1: gradients of \['v'\], parameters \['w'\]"),
    "another shape": ({"gradients": ({"w": np.ones(3)},)}, r"gradient of w has shape \(3,\), but should be \(2,\)"),
    "NaN": ({"gradients": ({"w": np.full(2, np.nan)},)}, "step 1: gradient w is NaN"),
    "wrong dtype": ({"parameters": {"w": np.ones(2, "f4")}}, "parameter w is float32, but the case is float64"),
    "another format": ({"format": 0}, "format is 0"),
}


@pytest.mark.parametrize(("change", "words"), BAD_UPDATES.values(), ids=BAD_UPDATES)
def test_a_bad_update_is_refused_in_a_sentence(change: dict[str, Any], words: str) -> None:
    UPDATE.check()
    with pytest.raises(CaseError, match=words):
        replace(UPDATE, **change).check()


# ----------------------------------------------------------------------------------------------------------- schema


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value has the structure that a JSON Schema asks for, as far as ours go."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(fits(value, option, root) for option in schema["anyOf"])
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return False
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return False
    if isinstance(value, list):
        return all(fits(v, schema.get("items", {}), root) for v in value)
    if isinstance(value, dict):
        own, more = schema.get("properties", {}), schema.get("additionalProperties", {})
        known = all(k in own or more is not False for k in value) and set(schema.get("required", ())) <= set(value)
        return known and all(fits(v, own.get(k, more), root) for k, v in value.items())
    return not ("minimum" in schema and value < schema["minimum"])


@pytest.mark.parametrize("case", [chain(*MLP), INFINITE, UPDATE], ids=["graph", "infinite", "update"])
def test_the_schema_accepts_a_saved_case_and_no_other(case: Any, tmp_path: Path) -> None:
    schema = spec.schema(type(case))
    raw = json.loads(spec.save(case, tmp_path / "case.json").read_text())
    assert fits(raw, schema, schema)
    for broken in (
        {**raw, "hello": 1},
        {**raw, "dtype": "float16"},
        {**raw, "parameters": {"w": {"dtype": "float64"}}},
    ):
        assert not fits(broken, schema, schema)


# ------------------------------------------------------------------------------------------------------------- graph


def test_questions_to_a_graph() -> None:
    nodes = (Node("a", "Tanh", ("x",)), Node("b", "Chunk", ("a",), {"chunks": 2}), Node("d", "Tanh", ("x",)))
    graph = spec.Spec((*nodes, Node("loss", "MSELoss", ("b:0", "b:1"))))
    assert [n.name for n in graph.consumers("x")] == ["a", "d"]
    assert graph.ancestors(graph.loss) == {"a", "b", "loss"}
    assert graph.input_names() == ["x"]
    assert Node("a", "Linear", ("x",), {}, {"weight": "e.weight"}).parameter("weight") == "e.weight"
