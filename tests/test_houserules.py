"""The rules of the house: who may import whom, and that every operator is known to all who must know it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import oracle
from oracle import arbiter
from oracle.arbiter.update import RULES
from oracle.architectures import LOSSES, UNITS, architecture
from oracle.draws import OPTIMIZERS
from oracle.twin import known_op, optimizers
from reference import LAYERS
from reference import OPTIMIZERS as UPDATES

ROOT = Path(oracle.__file__).parents[1]
HEAVY = {"torch", "hypothesis"}
APART: dict[str, set[str]] = {
    "reference": {"torch", "oracle", "hypothesis", "flint", "msgspec"},
    "oracle": {"torch", "hypothesis", "numpy", "msgspec", "flint", "reference"},
    "oracle.spec": HEAVY | {"reference", "flint"},
    "oracle.compare": HEAVY | {"reference", "flint"},
    "oracle.subjects": HEAVY | {"reference", "flint"},
    "oracle.subjects.worker": HEAVY | {"reference", "flint", "jax"},
    "oracle.pytest_plugin": {"torch", "numpy", "hypothesis", "msgspec", "click", "oracle.spec"},
    "oracle.records": HEAVY | {"reference", "flint"},
    "oracle.report": HEAVY | {"reference", "flint"},
    "oracle.arbiter": HEAVY | {"reference"},
    "oracle.report.vectors": HEAVY | {"reference", "flint"},
    "oracle.vectors.verifying": HEAVY | {"reference", "flint", "rich"},
    "oracle.kinks": HEAVY | {"reference"},
    "oracle.architectures": HEAVY | {"reference"},
    "oracle.check": {"hypothesis", "reference", "oracle.report"},
}
"""What must not be there after a module is imported, however far down."""
MAY_IMPORT_REFERENCE = {"oracle/subjects/ours.py", "oracle/explain.py", "oracle/mutation.py", "oracle/seeds"}
"""Files, and the folder of bugs that are put into the reference."""


@pytest.mark.parametrize("module", APART)
def test_a_fresh_interpreter_imports_no_more_than_it_may(module: str) -> None:
    code = f"import sys; import {module}; print(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(run.stdout.split()) & APART[module], f"{module} imports what it must not"


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, inside of functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield node.module or ""


def test_only_a_few_know_the_reference() -> None:
    files = [*(ROOT / "oracle").rglob("*.py")]
    assert len(files) > 20
    knowing = {p.relative_to(ROOT) for p in files if any(m.split(".")[0] == "reference" for m in imports(p))}
    assert {str(p.parent if p.parent.name == "seeds" else p) for p in knowing} <= MAY_IMPORT_REFERENCE


def test_the_reference_is_numpy_and_nothing_else() -> None:
    for path in (ROOT / "reference").rglob("*.py"):
        foreign = {m.split(".")[0] for m in imports(path)} - {"reference", "numpy"} - sys.stdlib_module_names
        assert not foreign, f"{path.name} imports {foreign}"


def test_the_oracle_imports_no_tests_and_renders_nowhere_but_in_its_reports() -> None:
    for path in (ROOT / "oracle").rglob("*.py"):
        names = set(imports(path))
        foreign = {"tests", "pytest"} if path.name != "pytest_plugin.py" else {"tests"}
        assert not {m.split(".")[0] for m in names} & foreign, path
        if not {"cli", "report"} & set(path.parts):
            assert not {m for m in names if m.split(".")[0] in ("rich", "click", "jinja2", "junitparser")}, path


def test_the_public_names_are_there() -> None:
    for name in oracle.__all__:
        assert getattr(oracle, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'oracle' has no attribute 'nothing'"):
        _ = oracle.nothing


# -------------------------------------------------------------------------------------------------------- catalogue


def drawn() -> set[str]:
    """Every operator that the generator draws."""
    nets = (architecture(Random(k), turn=k) for k in range(300))
    return {node.op for net in nets for node in net.nodes} | set(UNITS) | set(LOSSES)


def test_every_operator_is_known_to_all_who_must_know_it() -> None:
    known = {
        "a class with @layer in reference/": set(LAYERS),
        "a generator entry (UNITS, LOSSES or a move of Builder in oracle/architectures.py)": drawn(),
        "a formula for the proof (FORMULAS in oracle/arbiter/)": set(arbiter.FORMULAS),
    }
    every = set.union(*known.values())
    known["a twin (a class of torch.nn, or FUNCTIONS in oracle/composites.py)"] = {op for op in every if known_op(op)}
    missing = [f"{op} lacks {what}" for op in sorted(every) for what, ops in known.items() if op not in ops]
    assert not missing, "\n".join(missing)


def test_every_optimizer_is_known_to_all_who_must_know_it() -> None:
    known = {
        "a class with @optimizer in reference/optimizers.py": set(UPDATES),
        "a generator entry (OPTIMIZERS in oracle/draws.py)": set(OPTIMIZERS),
        "a twin (optimizers() in oracle/twin.py)": set(optimizers()),
        "a rule for the proof (RULES in oracle/arbiter/update.py)": set(RULES),
    }
    every = set.union(*known.values())
    missing = [f"{op} lacks {what}" for op in sorted(every) for what, ops in known.items() if op not in ops]
    assert not missing, "\n".join(missing)
