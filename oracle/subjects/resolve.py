"""From the text of a user to a subject.

    reference                                   the one in this package
    python:package.module:callable              or python:path/file.py:callable
    cmd:program args                            any program that speaks the line protocol (`protocol`)
    jax, ...                                    a framework (`oracle.frameworks`)

A Python subject is a callable Case -> Answer. Attributes of it say what it declares:

    returns    which gradients it returns: {"parameters", "inputs"} (default both)
    supports   the operators it knows (default all); or it raises `oracle.Unsupported` for a case
    update     UpdateCase -> the parameters after each step, a sequence of mappings
    conventions  its slopes at kinks, as weights of the right one: {"ReLU": 1, "Hardtanh": (0, 1)}; see `oracle.kinks`
"""

import importlib
import importlib.util
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from oracle.frameworks import NAMES, missing
from oracle.spec import Case
from oracle.subjects.declare import declared
from oracle.subjects.ours import reference, reference_update
from oracle.subjects.process import MEMORY
from oracle.subjects.remote import Remote, worker
from oracle.subjects.subject import Subject, SubjectError, where

SECONDS = 20.0
"""The time limit of one call, unless another is said."""


def resolve(
    text: str, *, read_as: str = "", in_process: bool = False, seconds: float = SECONDS, memory: int = MEMORY
) -> Subject:
    """The subject a text stands for. All but the reference live in a process of their own, with these limits of a
    call's seconds and of bytes, unless a Python one is wanted `in_process`. Raises `SubjectError`.
    """
    if text == "reference" and not read_as:
        return Subject("reference", reference, reference_update, seconds=seconds)
    kind, _, rest = _framework(text).partition(":")
    if kind == "cmd" and rest.strip():
        if read_as:
            raise SubjectError(f"--as is for Python functions; {text} speaks the protocol itself")
        return Remote.start(text, _words(rest), seconds, memory)
    target, _, attribute = rest.rpartition(":")
    if kind != "python" or not target or not attribute:
        raise SubjectError(
            f"{text!r} is no subject; write python:package.module:callable, python:path/file.py:callable, "
            f"cmd:program args, or one of reference, {', '.join(NAMES)}"
        )
    if not in_process:
        return Remote.start(text, worker(f"python:{rest}", read_as), seconds, memory, _as(read_as))
    call = _callable(text, target, attribute)
    if read_as:
        from oracle.students import adapt, spoken

        kind, said = spoken(read_as)
        call = adapt(call, kind, **said)
    return replace(wrap(call, text, seconds=seconds), options=_as(read_as))


def _framework(text: str) -> str:
    """The subject that the short name of a framework stands for; any other text as it is."""
    if text in NAMES and (sentence := missing(text)):
        raise SubjectError(sentence)
    return NAMES.get(text, text)


def _as(kind: str) -> str:
    return f"--as {shlex.quote(kind)}" if kind else ""


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise SubjectError(f"cmd:{command}: {error}") from None


def _callable(text: str, target: str, attribute: str) -> Callable[[Case], Any]:
    found = _load_file(Path(target)) if target.endswith(".py") else _load_module(target)
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [n for n in dir(found) if not n.startswith("_") and callable(getattr(found, n))]
            raise SubjectError(f"{target} has no {part!r}; its callables are {', '.join(public[:20]) or 'none'}")
        found = getattr(found, part)
    if not callable(found):
        raise SubjectError(f"{text}: {attribute} is {type(found).__name__}, not a callable")
    return found


def _load_module(name: str) -> Any:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except BaseException as error:
        raise SubjectError(f"{name} cannot be imported: {where(error)}") from error


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise SubjectError(f"{path} is not a file")
    spec = importlib.util.spec_from_file_location(f"subject_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        raise SubjectError(f"{path} cannot be imported: {where(error)}") from error
    finally:
        sys.path.pop(0)
    return module


def wrap(call: Callable[[Case], Any], name: str = "", *, seconds: float = SECONDS) -> Subject:
    """A callable with its declarations. Raises `SubjectError`."""
    name = name or getattr(call, "__name__", "subject")
    remark, chain = getattr(call, "told", ""), getattr(call, "chain", None)
    return Subject(
        name, call, getattr(call, "update", None), seconds=seconds, remark=remark, chain=chain, **declared(call, name)
    )
