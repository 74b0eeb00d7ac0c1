"""The oracle measured by itself: what is found, named and located, and how that is reported."""

import json
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from rich.console import Console

import oracle.seeds
from oracle.cli import main
from oracle.mutation import Plan, mutate, mutation
from oracle.report.mutation import encode, headline, html, junit, markdown, print_mutation, write_mutation
from oracle.score import Accusation, Mutant, Mutation, Share, confused, confusion, families, figures
from oracle.seeds.planting import Seed, answering, bent, stepping

TANH = bent("A104", "Tanh", backward=lambda self, right, p, y, d: (
    (d * (1 - (y[1] if isinstance(y, tuple) else y))).astype(d.dtype),), profile="mlp")  # fmt: skip
RIGHT = bent("A104", "Identity", profile="mlp")
LEARNS = stepping("O101", "SGD", lambda o, right, theta, g, state, t, name: right(theta, -g, state))
BROKEN = Seed("A104", "Tanh", lambda: 1 / 0, "mlp")  # type: ignore[arg-type, return-value]
FEW = Plan(cases=10, peer_cases=1)


@pytest.fixture(scope="module")
def tanh() -> Mutant:
    return mutate(TANH, FEW)[0]


def test_a_planted_fault_is_found_located_and_named(tanh: Mutant) -> None:
    assert tanh.found
    assert tanh.first
    assert tanh.first <= tanh.cases <= 20
    assert (tanh.located, tanh.born) == (True, "Tanh backward")
    assert (tanh.naming, tanh.told) == ("first", "A104")
    assert tanh.nodes == 1
    assert (tanh.family, tanh.part, tanh.error) == ("derivatives of activations", "backward", "")


def test_the_peers_are_asked_about_the_same_cases(tanh: Mutant) -> None:
    assert set(tanh.peers) == {p.name for p in oracle.mutation.PEERS}
    assert tanh.peers["np.allclose"]
    assert tanh.peers["np.allclose"] >= (tanh.first or 0)


def test_a_fault_that_changes_nothing_is_not_found() -> None:
    found, seconds = mutate(RIGHT, Plan(cases=5, peer_cases=2))
    assert (found.first, found.naming, found.located, found.peers, found.cases) == (None, "not found", None, {}, 10)
    assert seconds == 0
    assert not found.good


def test_a_fault_of_step_5_is_located_in_its_optimizer() -> None:
    found, _ = mutate(LEARNS, Plan(cases=4, peer_cases=1))
    assert (found.born, found.located) == ("SGD update", True)
    assert set(found.peers) == {"np.allclose", "assert_close"}


def test_a_breach_has_no_place() -> None:
    found, _ = mutate(answering("P104", "", lambda: lambda case, answer: 1 / 0, profile="mlp"), Plan(3, 0))
    assert (found.first, found.located, found.peers) == (1, None, {})
    assert "ZeroDivisionError" in found.reason


def test_a_seed_that_cannot_be_planted_is_a_failure_and_no_crash() -> None:
    found, _ = mutate(BROKEN, FEW)
    assert found.error == "ZeroDivisionError: division by zero"
    assert not found.good


def test_a_run_is_the_same_again_and_accuses_no_right_code() -> None:
    seen: list[tuple[int, str]] = []
    plan = Plan(cases=4, peer_cases=1)
    first = mutation(plan, (RIGHT, BROKEN), told=lambda k, mutant, seconds: seen.append((k, mutant.seed)))
    assert seen == [(1, RIGHT.name), (2, BROKEN.name)]
    assert encode(first) == encode(mutation(plan, (RIGHT, BROKEN)))
    mine = first.accusations[0]
    assert (mine.by, mine.accused, mine.judged) == ("oracle", 0, 8)
    assert first.exit_code == 1  # RIGHT is not found


# ------------------------------------------------------------------------------------------------- figures and reports


def made(code: str = "A104", **fields: object) -> Mutant:
    known = {"seed": f"{code} Tanh", "code": code, "name": "a name", "family": "a family", "part": "backward"}
    told = {"ops": "Tanh", "profile": "mlp", "cases": 40, "first": 3, "located": True, "naming": "first", "told": code}
    sizes = {"nodes": 1, "numbers": 2, "peers": {"np.allclose": 5}}
    return Mutant(**{**known, **told, **sizes, **fields})  # type: ignore[arg-type]


MUTANTS = (
    made(),
    made("A105", first=21, naming="other", told="A104", numbers=8, peers={"np.allclose": None}),
    made("A106", naming="tied", told="A104", also=("A106",), located=False),
    made("A106", naming="not recognised", told="", numbers=4),
    made("P101", family="others", first=None, naming="not found", told="", located=None, numbers=None, nodes=None),
)
REPORT = Mutation(
    seed=0, dtypes=("float64", "float32"), cases=20, enough=12, peer_cases=3, mutants=MUTANTS, versions={"torch": "2"},
    accusations=(Accusation("oracle", "proof", 0, 80), Accusation("np.allclose", "rtol | atol", 1, 6, "case <1>")),
)  # fmt: skip


def test_the_figures_add_up() -> None:
    f = figures(MUTANTS)
    assert (f.seeds, f.found, f.soon, f.located) == (5, Share(4, 5), Share(3, 5), Share(3, 4))
    named = {"first": 1, "tied": 1, "top three": 0, "other": 1, "not recognised": 1, "not found": 1}
    assert f.namings == named
    assert (f.median_numbers, f.largest_numbers, f.largest_nodes) == (3, 8, 1)
    assert f.peers == {"np.allclose": Share(4, 5)}
    assert [(name, g.seeds) for name, g in families(REPORT).items()] == [("a family", 4), ("others", 1)]


def test_the_confusion_is_of_codes() -> None:
    assert confusion(REPORT)["A106"] == {"A104": 1, "not recognised": 1}
    off = [("A105", "A104", 1), ("A106", "A104", 1), ("A106", "not recognised", 1), ("P101", "not found", 1)]
    assert confused(REPORT) == off


@pytest.mark.parametrize(
    ("mutant", "code"),
    [(MUTANTS[0], 0), (MUTANTS[1], 1), (MUTANTS[2], 0), (MUTANTS[3], 0), (MUTANTS[4], 1), (made(error="no"), 1)],
)
def test_the_exit_code(mutant: Mutant, code: int) -> None:
    report = replace(REPORT, mutants=(mutant,))
    assert report.exit_code == code
    assert (ET.fromstring(junit(report)).find(".//failure") is not None) == bool(code)
    accused = replace(report, accusations=(Accusation("oracle", "proof", 1, 80, "case 3"),))
    assert accused.exit_code == 1
    assert ET.fromstring(junit(accused)).find(".//failure") is not None


def test_every_format_tells_the_same(tmp_path: Path) -> None:
    names = {path.name for path in write_mutation(REPORT, tmp_path)}
    assert names == {"mutation.json", "mutation.junit.xml", "mutation.md", "mutation.html"}
    told = headline(REPORT)
    assert told == "4 of 5 seeds of 4 faults found, 2 named, 1 called by another's name"
    console = Console(width=200, file=StringIO())
    print_mutation(console, REPORT)
    for text in (markdown(REPORT), html(REPORT).replace("&#39;", "'"), console.file.getvalue()):  # type: ignore[attr-defined]
        assert told in text
        assert "Beside others" in text
    data = json.loads(encode(REPORT))
    assert data["confusion"]["A106"] == {"A104": 1, "not recognised": 1}
    assert data["figures"]["found"] == {"n": 4, "of": 5}
    assert len(ET.fromstring(junit(REPORT)).findall(".//testcase")) == 7


def test_text_is_quoted_for_its_format() -> None:
    assert r"rtol \| atol" in markdown(REPORT)
    assert "case &lt;1&gt;" in html(REPORT)
    assert "seconds" not in encode(REPORT).decode()


def test_the_tables_of_markdown_are_tables() -> None:
    lines = [line for line in markdown(REPORT).splitlines() if line.startswith("|")]
    assert len(lines) > 20
    assert all(line.endswith("|") for line in lines)


# --------------------------------------------------------------------------------------------------------- the command


def test_the_command_writes_and_says_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.seeds.SEEDS", (RIGHT, BROKEN))
    words = ["mutation", "--cases", "2", "--jobs", "1", "--no-peers", "--report", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1, result.output
    assert "FAILED: " in result.output
    assert {p.name for p in tmp_path.iterdir()} >= {"mutation.md", "mutation.json", "mutation.timing.json"}
    assert "2 seeds of 1 fault" in (tmp_path / "mutation.md").read_text()


def test_the_command_refuses_an_unknown_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.seeds.SEEDS", (TANH,))
    result = CliRunner().invoke(main, ["mutation", "Z999"])
    assert result.exit_code == 2
    assert "has the code Z999" in result.output
