"""The pytest plugin: the fixture `oracle`, the marker `@pytest.mark.oracle`, and the options --oracle-….

pytest loads this file whenever it starts, so it imports nothing of the oracle until a test asks for the fixture.
"""

import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest

OPTIONS = {
    "seed": ("N", "the same seed asks the same cases (default: 0)"),
    "cases": ("N", "random cases of each dtype for one check (default: 100)"),
    "profile": ("NAME", "what is drawn: standard, mlp, deep, stress or updates (default: standard)"),
    "report": ("DIR", "write a report of every check there, a folder for each test"),
    "corpus": ("DIR", "judge the cases there first: DIR/*.json for every test, and the folder of the test"),
}
"""Each is an option --oracle-NAME, and oracle_NAME in the ini file."""
NUMBERS = ("seed", "cases")
MARKER = "oracle(cases, seed, profile, dtypes): judges gradients with the oracle; the arguments are for this test"

_asked = pytest.StashKey[dict[str, Any]]()
_running = pytest.StashKey[pytest.Item]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and the same in the ini file."""
    group = parser.getgroup("oracle", "gradients judged against torch.autograd")
    for name, (metavar, told) in OPTIONS.items():
        group.addoption(f"--oracle-{name}", metavar=metavar, help=told)
        parser.addini(f"oracle_{name}", f"as --oracle-{name}", default="")
    group.addoption("--oracle-save", action="store_true", help="add the smallest failing cases to the corpus")


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and what the command line and the ini file ask for. Raises `UsageError` for no number."""
    config.addinivalue_line("markers", MARKER)
    config.stash[_asked] = {"save": config.getoption("oracle_save")} | dict(_read(config))
    if config.stash[_asked]["save"] and "corpus" not in config.stash[_asked]:
        raise pytest.UsageError("--oracle-save adds cases to a corpus; say which with --oracle-corpus=DIR")


def _read(config: pytest.Config) -> Iterator[tuple[str, Any]]:
    """(name, value) of every option that is given, the command line before the ini file."""
    for name in OPTIONS:
        typed = config.getoption(f"oracle_{name}")
        value = config.getini(f"oracle_{name}") if typed is None else typed
        if name in NUMBERS and value and not (value.isascii() and value.isdigit()):
            raise pytest.UsageError(f"--oracle-{name} is {value!r}, but should be a number from 0")
        if value:
            folder = config.invocation_params.dir if typed or config.inipath is None else config.inipath.parent
            yield name, int(value) if name in NUMBERS else value if name == "profile" else folder / value


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember which test runs: the fixture is one for the session, so that hypothesis may share it."""
    item.config.stash[_running] = item
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    """Explain a failure of ours before it is shown: only the one that is, of the many that hypothesis tries."""
    if call.excinfo is not None and (testing := sys.modules.get("oracle.testing")):
        testing.explain(call.excinfo.value, item)
    return (yield)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each test of which there is something to say."""
    reports = [r for found in terminalreporter.stats.values() for r in found if getattr(r, "when", "") == "call"]
    told = {r.nodeid: [text for name, text in r.user_properties if name == "oracle_note"] for r in reports}
    if any(told.values()):
        terminalreporter.section("oracle")
    for nodeid in sorted(nodeid for nodeid, notes in told.items() if notes):
        terminalreporter.line(f"{nodeid}: {'; '.join(told[nodeid])}")


@pytest.fixture(scope="session")
def oracle(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The oracle: check(subject), judge(case, subject), replay(paths, subject), check_gradients(mine, like=…)."""
    from oracle.testing import Oracle

    config = request.config
    found = Oracle(config.stash[_asked], lambda: config.stash[_running])
    yield found
    found.close()
