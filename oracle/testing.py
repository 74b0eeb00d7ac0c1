"""What the fixture `oracle` of the pytest plugin can do: run, keep what is asked for, and fail as the terminal shows.

A test fails for a mismatch, an exception, a hang, a subject that cannot start, and when nothing could be judged; a
convention or a deviation of torch is told, and fails nothing.
"""

import hashlib
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from hypothesis import currently_in_test_context, reject
from msgspec.structs import replace

import oracle.check as run
from oracle import spec
from oracle.analysis import Failure, analyse, pattern
from oracle.architectures import PROFILES, restricted
from oracle.compare import Verdict
from oracle.judge import How, judge
from oracle.records import Finding, Report
from oracle.report import render_finding, write_report
from oracle.report.words import born_in, plural, remarks, run_line, title, verdict_line
from oracle.spec import AnyCase
from oracle.subjects import Subject, SubjectError, resolve, wrap

DEFAULTS = {"cases": 100, "seed": 0, "profile": "standard", "dtypes": ("float64", "float32")}
SHOWN = 3
"""Findings that a failing test shows in full."""


class Wrong(AssertionError):  # noqa: N818  (what a test says, not what went wrong in it)
    """A subject that is not right; as a text, what the terminal shows."""

    def __init__(self, told: str, explain: Callable[[], Finding] | None = None) -> None:
        super().__init__(told)
        self.explain = explain

    def __str__(self) -> str:
        """The text alone."""
        return str(self.args[0])


class Oracle:
    """The fixture. The options of a test are those of the call, else of its marker, the command line, the ini file."""

    def __init__(self, asked: dict[str, Any], item: Callable[[], Any]) -> None:
        self._asked, self._item, self._subjects, self._wrong = asked, item, dict[str, Subject](), set[str]()

    def __repr__(self) -> str:
        """Short, for it stands in what hypothesis prints."""
        return "oracle"

    def check(self, subject: Any, **options: Any) -> Report:
        """Judge a subject on random cases, after those of the corpus: a callable Case -> answer, a text, a `Subject`.

        Options are `cases`, `seed`, `profile`, `dtypes`.
        """
        __tracebackhide__ = True
        asked, item = self._options(options), self._item()
        with _one_thread():
            judged = self._subject(subject)
            _refuse(_no_profile(asked["profile"], judged))
            found = run.check(judged, **asked, name=folder(item.nodeid), corpus=self._corpus(item))
        command = " ".join(f"--oracle-{name}={asked[name]}" for name in ("seed", "cases", "profile"))
        if self._asked["save"]:
            for finding in found.findings:
                path = self._asked["corpus"] / folder(item.nodeid) / f"{finding.case_id}.json"
                _ = path.exists() or spec.save(finding.case, path)
        return self._concluded(found, item, command)

    def judge(self, case: AnyCase, subject: Any) -> Verdict:
        """Judge a subject on one case, of a hypothesis strategy for instance; a failure is explained when shown."""
        __tracebackhide__ = True
        test = self._item().nodeid
        with _one_thread():
            judged = self._subject(subject)
            verdict = judge(case, judged, how=How(thorough=test not in self._wrong))
        if verdict.failed:
            self._wrong.add(test)  # while hypothesis shrinks what is proven wrong, less care will do
            failure = Failure("this test", case, verdict)
            raise Wrong(f"{verdict.outcome}: {verdict.reason}", lambda: analyse([failure], judged))
        if verdict.outcome == "skipped":
            _ = not currently_in_test_context() or reject()
            raise Wrong(f"nothing could be judged: {verdict.reason}")
        if verdict.outcome != "match":
            _note(self._item(), f"{verdict.outcome}: {pattern(verdict.reason)}")
        return verdict

    def replay(self, paths: str | Path | Iterable[str | Path], subject: Any) -> Report:
        """Judge saved cases again: files, and folders of them."""
        __tracebackhide__ = True
        listed = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
        saved = list(run.saved(listed))
        _refuse("" if saved else f"there are no cases in {', '.join(map(str, listed))}")
        _refuse("\n".join(f"{path}: {case}" for path, case in saved if isinstance(case, str)))
        cases = [(path.name, case) for path, case in saved if not isinstance(case, str)]
        with _one_thread():
            found, _ = run.replay(self._subject(subject), cases, folder(self._item().nodeid))
        return self._concluded(found, self._item())

    def check_gradients(self, mine: Any, *, like: Any, inputs: Any, **options: Any) -> Report:
        """`oracle.check_gradients`: one function with a hand-written backward against a torch function."""
        __tracebackhide__ = True
        check = import_module("oracle.gradients").check_gradients
        options = {name: self._options({})[name] for name in ("seed", "cases")} | options
        return self._concluded(check(mine, like=like, inputs=inputs, raises=False, **options), self._item())

    def close(self) -> None:
        """End the processes of the subjects that were named by a text."""
        for subject in self._subjects.values():
            subject.close()

    # ------------------------------------------------------------------------------------------------------- settings

    def _options(self, of_call: dict[str, Any]) -> dict[str, Any]:
        """What one call asks for."""
        __tracebackhide__ = True
        marks = [mark for mark in reversed(list(self._item().iter_markers("oracle"))) if mark.args or mark.kwargs]
        given = [("the marker oracle", mark.kwargs) for mark in marks] + [("oracle.check", of_call)]
        for where, options in given:
            unknown = sorted(options.keys() - DEFAULTS.keys())
            _refuse(f"{where} has {unknown[0]!r}; it may have {', '.join(DEFAULTS)}" if unknown else "")
        _refuse("the marker oracle takes keyword arguments only" if any(mark.args for mark in marks) else "")
        found = {name: self._asked.get(name, default) for name, default in DEFAULTS.items()}
        for _, options in given:
            found |= {name: value for name, value in options.items() if value is not None}
        return found | ({"dtypes": (found["dtypes"],)} if isinstance(found["dtypes"], str) else {})

    def _subject(self, subject: Any) -> Subject:
        __tracebackhide__ = True
        if isinstance(subject, Subject):
            return subject
        if not isinstance(subject, str) and not callable(subject):
            raise Wrong(f"{type(subject).__name__} is no subject; give a callable, a text like cmd:…, or a Subject")
        _refuse(_broken(subject == "reference"))
        try:
            if not isinstance(subject, str):
                return wrap(subject)
            if subject not in self._subjects:
                self._subjects[subject] = resolve(subject)
            return self._subjects[subject]
        except SubjectError as error:
            raise Wrong(f"the subject cannot be started: {error}") from None

    def _corpus(self, item: Any) -> list[tuple[str, AnyCase | str]]:
        """What all tests share, and what is this test's own: no test sees what another one saves."""
        if "corpus" not in self._asked:
            return []
        corpus: Path = self._asked["corpus"]
        folders = (path for path in (corpus, corpus / folder(item.nodeid)) if path.is_dir())
        return [(path.relative_to(corpus).as_posix(), case) for path, case in run.saved(folders)]

    # ----------------------------------------------------------------------------------------------------- conclusions

    def _concluded(self, found: Report, item: Any, options: str = "") -> Report:
        """The report, written and told where that is asked for. Raises `Wrong` if it is not a good one."""
        __tracebackhide__ = True
        again = " ".join(filter(None, ("pytest", shlex.quote(item.nodeid), options)))
        found = replace(found, findings=tuple(replace(f, reproduce=again) for f in found.findings))
        item.user_properties += [("oracle_seed", str(found.seed)), ("oracle_cases", str(found.cases))]
        item.user_properties += [pair for finding in found.findings for pair in _properties(finding)]
        where = self._written(found, item)
        if found.exit_code:
            raise Wrong(_told(found) + where)
        for told in _worth_saying(found):
            _note(item, told)
            item.add_report_section("call", "oracle", f"{told}\n")
        return found

    def _written(self, found: Report, item: Any) -> str:
        """Where the report of this call is, if one is asked for."""
        if "report" not in self._asked:
            return ""
        item.oracle_reports = nth = getattr(item, "oracle_reports", 0) + 1
        directory = self._asked["report"] / (folder(item.nodeid) + (f"-{nth}" if nth > 1 else ""))
        write_report(found, directory)
        return f"\nreport: {directory / 'report.html'}"


def explain(error: BaseException, item: Any) -> None:
    """Analyse the failure of a single case, now that it is to be shown."""
    for part in getattr(error, "exceptions", (error,)):
        if isinstance(part, Wrong) and part.explain is not None:
            with _one_thread():
                finding = replace(part.explain(), reproduce=f"pytest {shlex.quote(item.nodeid)}")
            part.args, part.explain = (render_finding(finding),), None
            item.user_properties += _properties(finding)


def folder(nodeid: str) -> str:
    """A test's own folder: its id as far as it is readable, and a digest."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", nodeid.replace(".py", "")).strip("-")[-60:]
    return f"{readable}-{hashlib.sha256(nodeid.encode()).hexdigest()[:8]}"


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch, so that the sums are the same everywhere; and then as many as there were."""
    before = torch.get_num_threads()
    run.set_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def _broken(reference: bool) -> str:
    """Why no verdict is worth anything, or an empty string."""
    if reference and (sentence := run.shadowed()):
        return sentence
    return f"the oracle's own self-check failed: {sentence}" if (sentence := run.self_check()) else ""


def _no_profile(profile: str, subject: Subject) -> str:
    """Why nothing can be drawn, or an empty string."""
    if profile not in PROFILES:
        return f"no profile is called {profile!r}; there are {', '.join(PROFILES)}"
    try:
        restricted(PROFILES[profile], subject.supports)
    except ValueError as error:
        return str(error)
    return ""


def _refuse(sentence: str) -> None:
    __tracebackhide__ = True
    if sentence:
        raise Wrong(sentence)


def _note(item: Any, text: str) -> None:
    """A line for the terminal's summary, once."""
    if ("oracle_note", text) not in item.user_properties:
        item.user_properties.append(("oracle_note", text))


def _properties(finding: Finding) -> list[tuple[str, str]]:
    """What JUnit shows of a finding."""
    code = finding.diagnosis.code if finding.diagnosis else "not recognised"
    return [
        ("oracle_case", finding.case_id),
        ("oracle_outcome", finding.verdict.outcome),
        ("oracle_born", born_in(finding)),
        ("oracle_diagnosis", code),
        ("oracle_reproduce", finding.reproduce),
    ]


def _worth_saying(found: Report) -> Iterator[str]:
    """What is no failure, and yet no plain match; of what is skipped, if it is more than the rest."""
    skipped = 2 * found.tally.get("skipped", 0) > found.cases
    for note in found.notes:
        if note.outcome != "skipped" or skipped:
            yield f"{plural(note.count, 'case')} {note.outcome}: {note.reason}"
    yield from remarks(found)


def _told(found: Report) -> str:
    """A failing report as the terminal shows it."""
    shown = [render_finding(finding) for finding in found.findings[:SHOWN]]
    more = [f"and {title(finding)}: {finding.sentence}" for finding in found.findings[SHOWN:]]
    notes = [] if shown else [f"{note.outcome}: {note.reason}" for note in found.notes]
    return "\n".join([*shown, *more, verdict_line(found), *notes, *remarks(found), run_line(found)])
