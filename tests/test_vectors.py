"""Vectors: the published set read by programs that know only its schema; and how a set is certified, chosen, judged."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result

import oracle
from oracle.cli import main
from oracle.faults import FAULTS
from oracle.report.vectors import write_set
from oracle.seeds import SEEDS, Seed
from oracle.seeds.planting import bent
from oracle.spec import Case, CaseError, Node
from oracle.subjects import Subject, resolve
from oracle.vectors.certifying import Uncertain, certify
from oracle.vectors.choosing import Candidate, cover
from oracle.vectors.drawing import OPERATORS, cases, features
from oracle.vectors.exporting import collected, published, quiet
from oracle.vectors.records import load
from oracle.vectors.targets import NOT_SHOWN, targets
from oracle.vectors.verifying import read_answers
from oracle.vectors.verifying import verify as judged
from tests.consumers.implementations import by_numpy, by_torch, tensors

ROOT = Path(oracle.__file__).parents[1]
SET = ROOT / "reports" / "vectors"
Json = dict[str, Any]


@cache
def index() -> Json:
    return json.loads((SET / "index.json").read_text("utf-8"))


@cache
def vectors() -> tuple[Json, ...]:
    return tuple(json.loads((SET / entry["file"]).read_text("utf-8")) for entry in index()["vectors"])


@cache
def wrong_ones() -> Callable[..., list[str]]:
    """The consumer that the set's README prints, word for word."""
    code = (SET / "README.md").read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    names: Json = {}
    exec(code, names)
    return names["wrong_ones"]


def case_of(vector: Json, dtype: str) -> Case:
    numbers = tensors(vector, dtype)
    nodes = tuple(
        Node(n["name"], n["op"], tuple(n["inputs"]), n.get("attrs", {}), n.get("params", {})) for n in vector["nodes"]
    )
    inputs, parameters = ({n: numbers[n] for n in vector[part]} for part in ("inputs", "parameters"))
    return Case(dtype=dtype, nodes=nodes, inputs=inputs, parameters=parameters)  # type: ignore[arg-type]


def answers_of(subject: Subject, dtype: str = "float64") -> Json:
    """What one subject answers to the whole set, in order, as JSON would carry it."""
    found = {}
    for vector in asked(dtype):
        try:
            with np.errstate(all="ignore"):
                answer = subject.call(case_of(vector, dtype))
        except Exception:  # a planted bug may raise
            continue
        gradients = {name: plain(g) for name, g in answer.gradients.items()}
        found[vector["id"]] = {"loss": plain(answer.loss), "gradients": gradients}
    return found


def plain(x: Any) -> Any:
    return json.loads(
        json.dumps(np.asarray(x).tolist())
        .replace("NaN", "null")
        .replace("-Infinity", "null")
        .replace("Infinity", "null")
    )


def asked(dtype: str) -> list[Json]:
    return [vector for vector in vectors() if dtype in vector["expected"]["loss"]]


@cache
def planted() -> dict[str, tuple[Seed, Json]]:
    """Every fault of the vocabulary, with its answers in float64."""
    return {seed.name: (seed, answers_of(seed.plant())) for seed in targets(OPERATORS)}


# ---------------------------------------------------------------------------------------------------- the published set


def test_every_file_is_as_the_schema_and_the_index_say() -> None:
    schema = json.loads((SET / "schema.json").read_text("utf-8"))
    check = jsonschema.Draft202012Validator(schema)
    for document in (index(), *vectors(), {vectors()[0]["id"]: {"loss": 1, "gradients": {"x": [[None, "NaN"]]}}}):
        check.validate(document)
    for broken in ({**vectors()[0], "flag": {}}, {"id": {"loss": 1}}, {"id": {"loss": 1, "gradients": {"x": "1"}}}):
        assert not check.is_valid(broken)
    known, every = load(SET)  # ids and sums are checked there
    assert [v.id for v in every] == [v["id"] for v in vectors()]
    assert {p.name for p in SET.iterdir()} == {e.file for e in known.vectors} | {
        "index.json",
        "schema.json",
        "README.md",
    }


def test_the_bounds_hold_what_is_proven_and_are_no_wider_than_rounding() -> None:
    for vector in vectors():
        for name, allowed in {"loss": vector["expected"]["loss"], **vector["expected"]["gradients"]}.items():
            low, high = (np.array(allowed["proven"][side]) for side in ("low", "high"))
            size = max(np.abs(x).max(initial=0) for x in (low, high, *tensors(vector, "float64").values()))
            assert list(low.shape) == allowed["shape"] or not low.size
            for dtype, wide in (("float64", 1e-11), ("float32", 1e-2)):
                if dtype in allowed:
                    under, over = (np.array(allowed[dtype][side]) for side in ("low", "high"))
                    assert (under <= low).all()
                    assert (high <= over).all()
                    assert (over - high <= wide * size).all(), (vector["id"], name)
                    assert (low - under <= wide * size).all(), (vector["id"], name)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_implementations_are_right(dtype: str) -> None:
    assert len(asked(dtype)) > 10
    assert wrong_ones()(SET, answers_of(resolve("reference"), dtype), dtype) == []
    for implementation in (by_torch, by_numpy):
        answers = {vector["id"]: implementation(vector, dtype) for vector in asked(dtype)}
        assert wrong_ones()(SET, answers, dtype) == [], implementation.__name__


def test_every_fault_of_the_vocabulary_is_shown_where_its_flag_says() -> None:
    unshown = {one["flag"]: one["why"] for one in index()["not_shown"]}
    for name, (_, answers) in planted().items():
        flagged = [vector["id"] for vector in vectors() if name in vector["flags"]]
        assert wrong_ones()(SET, answers) == flagged, name
        assert bool(flagged) != (name in unshown), name
    assert {flag: NOT_SHOWN[flag.split()[0]] for flag in unshown} == unshown
    assert index()["shown"] == len(planted()) - len(unshown)


def test_what_only_float64_shows_is_what_the_index_says() -> None:
    shown = {
        seed.name for seed, _ in planted().values() if wrong_ones()(SET, answers_of(seed.plant(), "float32"), "float32")
    }
    flagged = {flag for vector in vectors() for flag in vector["flags"]}
    assert flagged - shown == set(index()["only_float64"])
    assert len(shown) > 0.9 * len(flagged)


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node to run JavaScript with")
def test_a_consumer_in_javascript_says_the_same(tmp_path: Path) -> None:
    told = {"right": answers_of(resolve("reference")), **{name: a for name, (_, a) in planted().items()}}
    files = [tmp_path / f"{k}.json" for k in range(len(told))]
    for file, answers in zip(files, told.values(), strict=True):
        file.write_text(json.dumps(answers))
    script = ROOT / "tests" / "consumers" / "plain.js"
    run = subprocess.run(["node", script, SET, "float64", *files], capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in run.stdout.splitlines()] == [wrong_ones()(SET, a) for a in told.values()]


def test_no_vector_is_needless_and_every_option_is_met() -> None:
    def worth(some: list[Json]) -> set[str]:
        kinked = {n["op"] for v in some for n in v["nodes"] for kink in v["kinks"] if kink["node"] == n["name"]}
        met = {feature for v in some for feature in features(case_of(v, "float64"))}
        return {f"kink of {op}" for op in kinked} | met | {flag for v in some for flag in v["flags"]}

    every = worth(list(vectors()))
    assert {"kink of ReLU", "kink of LeakyReLU"} <= every
    assert every >= OPERATORS | {feature for case in cases(0, 400) for feature in features(case)}


def test_flags_and_notes_are_those_of_the_catalogue() -> None:
    for vector in vectors():
        for flag, told in vector["flags"].items():
            fault = FAULTS[flag.split()[0]]
            assert (told["bugType"], told["effect"]) == (fault.name, fault.effect)
    assert {code: note["wrong"] for code, note in index()["faults"].items()} == {
        c: FAULTS[c].wrong for c in index()["faults"]
    }


# ---------------------------------------------------------------------------------------------------------- certifying


def dot(op: str, x: list[list[float]], c: list[list[float]], weight: float = 1.0, bias: float = 0.0) -> Case:
    """Σ c op(w x + b)."""
    nodes = (
        Node("h1", "Linear", ("x",), {"in_features": 1, "out_features": 1}),
        Node("a1", op, ("h1",)),
        Node("loss", "Dot", ("a1", "c")),
    )
    parameters = {"h1.weight": np.array([[weight]]), "h1.bias": np.array([bias])}
    return Case(nodes=nodes, inputs={"x": np.array(x), "c": np.array(c)}, parameters=parameters)


def test_at_kinks_every_choice_of_slopes_is_allowed_and_no_other_number() -> None:
    proof = certify(dot("ReLU", [[1.0], [2.0]], [[1.0], [-3.0]], weight=0.0))
    allowed = proof.expected.gradients
    assert [(kink.node, kink.index) for kink in proof.kinks] == [("a1", (0, 0)), ("a1", (1, 0))]
    # ∂L/∂w = λ₁ · 1 · 1 + λ₂ · (−3) · 2, each λ from 0 to 1
    assert (allowed["h1.weight"].proven.low, allowed["h1.weight"].proven.high) == ([[-6.0]], [[1.0]])
    assert (allowed["x"].proven.low, allowed["x"].proven.high) == ([[0.0], [0.0]], [[0.0], [0.0]])
    uniform = {c.slopes["ReLU"]: c.gradients["h1.weight"] for c in proof.conventions}
    assert {w: (b.low, b.high) for w, b in uniform.items()} == {w: ([[-5.0 * w]],) * 2 for w in (0.0, 0.5, 1.0)}


@pytest.mark.parametrize(("slope", "right"), [(0.0, True), (0.3, True), (1.0, True), (2.0, False), (-0.5, False)])
def test_answers_at_a_kink(slope: float, right: bool) -> None:
    def at_zero(self: Any, right: Any, z: Any, a: Any) -> Any:
        return np.where(z == 0, slope, right(z, a))

    kinked = {v["id"] for v in vectors() if any(n["op"] == "ReLU" for n in v["nodes"]) and v["kinks"]}
    answers = answers_of(bent("kink", "ReLU", slope=at_zero).plant())
    assert (not kinked & set(wrong_ones()(SET, answers))) == right


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (dot("ReLU", [[3.0]], [[1.0]], weight=0.1, bias=-0.3), "on which side of a kink"),
        (dot("ReLU", [[1.0]] * 9, [[1.0]] * 9, weight=0.0), "9 entries lie on kinks"),
        (dot("Identity", [[1e200]], [[1e300]]), "no finite number"),
    ],
)
def test_what_cannot_be_certified_is_no_vector(case: Case, reason: str) -> None:
    with pytest.raises(Uncertain, match=reason):
        certify(case)


def test_numbers_that_float32_cannot_hold_have_no_bounds_for_it() -> None:
    for weight in (0.1, 1e200):
        assert certify(dot("Tanh", [[1.0]], [[1.0]], weight=weight)).expected.loss.float32 is None


# ------------------------------------------------------------------------------------------------- choosing, exporting


def test_the_cover_is_smaller_than_the_first_greedy_one() -> None:
    """The largest of the three is what greedy takes first, and no part of the smallest cover."""
    case = dot("Tanh", [[1.0]], [[1.0]])
    worth = [{1, 2, 3, 4, 5, 6}, {1, 2, 3, 7, 8}, {4, 5, 6, 9, 10}]
    pool = [Candidate(case, frozenset(("float64", k) for k in some)) for some in worth]
    assert cover(pool, frozenset().union(*(c.worth for c in pool)), 0) == pool[1:]


def test_a_small_recipe_shows_all_faults_of_its_operators(tmp_path: Path) -> None:
    operators = frozenset({"Linear", "Dot", "Tanh"})
    index, vectors = published(pool=160, operators=operators)
    assert 2 <= len(vectors) <= 8
    flags = {flag for vector in vectors for flag in vector.flags}
    assert flags >= {f"{code} {op}" for code, op in (("A104", "Tanh"), ("W103", "Linear"), ("B101", "Linear"))}
    assert index.shown == len(flags) > 60


def test_a_set_has_the_same_bytes_again_and_takes_its_old_files_away(tmp_path: Path) -> None:
    operators = frozenset({"Linear", "Tanh", "Dot"})
    small, other = (dot("Tanh", [[x]], [[1.0]]) for x in (1.0, 2.0))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.json").write_text("{}")
        for case in (other, small):
            write_set(*collected([case], operators, "", quiet), tmp_path / folder)
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()} for folder in ("a", "b"))
    assert first == second
    known, _ = load(tmp_path / "a")
    assert first.keys() == {e.file for e in known.vectors} | {"index.json", "schema.json", "README.md", "mine.json"}


def test_random_cases_of_any_operator_make_a_set_too(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    options = ["--cases", "2", "--seed", "3", "--ops", "GELU,BatchNorm1d,L1Loss"]
    result = CliRunner().invoke(main, ["vectors", "export", str(folder), *options])
    assert result.exit_code == 0, result.output
    known, every = load(folder)
    assert every
    assert known.recipe == "oracle vectors export DIR --cases 2 --ops GELU,BatchNorm1d,L1Loss --seed 3"
    assert {node.op for vector in every for node in vector.nodes} <= {"GELU", "BatchNorm1d", "L1Loss", "Identity"}


# ----------------------------------------------------------------------------------------------------------- verifying


def verify(path: Path, answers: Any, *options: str, folder: Path = SET) -> Result:
    file = path / "answers.json"
    file.write_text(answers if isinstance(answers, str) else json.dumps(answers))
    return CliRunner().invoke(main, ["vectors", "verify", str(folder), str(file), *options])


def test_right_answers_pass_and_the_lines_may_be_split(tmp_path: Path) -> None:
    answers = answers_of(resolve("reference"))
    result = verify(tmp_path, answers)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, f"PASSED: {len(vectors())} ok")
    split = "\n".join(json.dumps({key: answer}) for key, answer in answers.items())
    assert verify(tmp_path, split, "--quiet").output == f"PASSED: {len(vectors())} ok\n"
    single = verify(tmp_path, answers_of(resolve("reference"), "float32"), "--dtype", "float32")
    assert single.exit_code == 0, single.output


@pytest.mark.parametrize("name", ["A104 Tanh", "W103 Linear", "R112 MSELoss", "P111", "G104", "P102 Linear", "X102"])
def test_a_wrong_answer_is_told_with_the_fault_it_looks_like(name: str, tmp_path: Path) -> None:
    name = next(flag for flag in planted() if flag.startswith(name))
    result = verify(tmp_path, planted()[name][1], "--json")
    assert result.exit_code == 1
    failed = [o for o in json.loads(result.output)["outcomes"] if o["status"] in ("wrong", "missing")]
    assert {o["id"] for o in failed} == {v["id"] for v in vectors() if name in v["flags"]}
    assert all(name in o["suggests"] for o in failed)
    text = verify(tmp_path, planted()[name][1]).output
    assert f"perhaps {name}: {FAULTS[name.split()[0]].name}" in text


def test_the_suggestion_is_most_often_the_fault_itself(tmp_path: Path) -> None:
    """Three are named at most, so some that give equal numbers go unnamed."""
    _, every = load(SET)
    first = named = 0
    for name, (_, answers) in planted().items():
        (tmp_path / "answers.json").write_text(json.dumps(answers))
        told = [o.suggests for o in judged(every, read_answers(tmp_path / "answers.json")) if o.suggests]
        first += any(o[0] == name for o in told)
        named += any(name in o for o in told)
    assert first > 0.6 * len(planted())
    assert named > 0.9 * len(planted())


def test_another_slope_at_a_kink_is_a_convention(tmp_path: Path) -> None:
    one = bent("kink", "ReLU", slope=lambda self, right, z, a: (z >= 0).astype(z.dtype)).plant()
    result = verify(tmp_path, answers_of(one))
    assert result.exit_code == 0, result.output
    assert "ReLU: 1 of the right slope" in result.output


def test_gradients_of_inputs_may_be_left_out_if_one_says_so(tmp_path: Path) -> None:
    answers = answers_of(resolve("reference"))
    for vector in vectors():
        for name in vector["inputs"]:
            answers[vector["id"]]["gradients"].pop(name, None)
    assert verify(tmp_path, answers).exit_code == 1
    assert verify(tmp_path, answers, "--parameters-only").exit_code == 0


def changed(key: str, change: Callable[[Json], Any]) -> Json:
    """Right answers, with that to one vector changed."""
    answers = answers_of(resolve("reference"))
    change(answers[key])
    return answers


def test_what_is_no_number_or_has_another_shape_is_wrong(tmp_path: Path) -> None:
    vector = next(v for v in vectors() if len(v["parameters"].get("h1.weight", {"data": []})["data"]) > 1)
    for wrong in (None, float("nan"), "NaN", True, [], [[1.0]]):
        answers = changed(vector["id"], lambda a, w=wrong: a["gradients"].update({"h1.weight": w}))
        result = verify(tmp_path, answers, "--json")
        assert result.exit_code == 1, wrong
        assert [o["id"] for o in json.loads(result.output)["outcomes"] if o["status"] == "wrong"] == [vector["id"]]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ("", "not answers"),
        ("[]", "no object of answers"),
        ('{"a": {"loss": 1, "gradients": {}}, "a": {"loss": 2, "gradients": {}}}', "'a' stands twice"),
        ('{"a": {"loss": 1, "gradients": {}}}\n{"a": {"loss": 1, "gradients": {}}}', "a is answered twice"),
        ('{"a": {"loss": 1}}', "missing required field `gradients` - at `$[...]`"),
        ('{"a": {"loss": 1, "gradients": {}}}', "a is no vector of"),
        ("[" * 100_000, "not answers"),
    ],
)
def test_files_that_are_no_answers_are_refused(answers: str, sentence: str, tmp_path: Path) -> None:
    result = verify(tmp_path, answers)
    assert result.exit_code == 2
    assert sentence in result.output


def test_a_changed_set_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(SET, tmp_path / "set")
    file = folder / index()["vectors"][0]["file"]
    file.write_text(file.read_text("utf-8").replace('"float64"', '"float64" ', 1), "utf-8")
    assert "not the file that index.json was made with" in verify(tmp_path, {}, folder=folder).output
    file.unlink()
    assert "No such file" in verify(tmp_path, {}, folder=folder).output
    (folder / "index.json").write_text("{}")
    with pytest.raises(CaseError, match=r"index.json: not what it should be"):
        load(folder)


@pytest.mark.parametrize(
    "options", [("--ops", "Linaer,Dot"), ("--ops", "Linear"), ("--ops", "GELU,Dot"), ("--profile", "x")]
)
def test_a_recipe_that_makes_no_sense_is_refused(options: tuple[str, ...], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["vectors", "export", str(tmp_path / "set"), *options])
    assert result.exit_code == 2
    assert result.output.startswith("oracle: ")
    assert not (tmp_path / "set").exists()


def test_verifying_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text("{}")
    code = (
        "import sys; from oracle.cli import main\n"
        f"try: main(['vectors', 'verify', {str(SET)!r}, {str(tmp_path / 'answers.json')!r}])\n"
        "finally: print(sorted({'torch', 'hypothesis', 'flint', 'reference'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 1
    assert run.stdout.splitlines()[-1] == "[]"
    assert f"FAILED: {len(vectors())} missing" in run.stdout


def test_read_answers_takes_the_numbers_of_python(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": {"loss": NaN, "gradients": {"x": [Infinity, 1]}}}')
    answer = read_answers(tmp_path / "a.json")["a"]
    assert np.isnan(answer.loss)
    assert answer.gradients["x"] == [np.inf, 1]


def test_targets_are_all_of_the_vocabulary() -> None:
    found = targets(OPERATORS)
    assert len({seed.name for seed in found}) == len(found)
    left_out = [s for s in SEEDS if s not in found and s.profile != "updates" and set(s.ops.split()) <= OPERATORS]
    assert not left_out
