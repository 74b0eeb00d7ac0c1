"""What a lesson says of itself in its front matter and its `audit:` comments: the net, and what its letters count."""

import re
from collections.abc import Iterator, Mapping

from oracle.lesson.document import Document
from oracle.lesson.formula.symbols import GREEK
from oracle.lesson.records import Note

VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "loss": {
        "half_squared": ("half squared", "half squared error", "squared error", "squared_error", "mse"),
        "cross_entropy": ("cross entropy", "cross-entropy", "softmax cross-entropy", "log loss"),
    },
    "activation": {"sigmoid": ("logistic", "logistic sigmoid"), "tanh": (), "softplus": (), "relu": ("ReLU",)},
    "profile": {"own": (), "layers": (), "indices": ()},
}
"""What can be set, to what, and other names for it."""
ROLES = {
    "input": ("inputs",), "hidden": ("hidden unit", "hidden units"), "output": ("outputs", "class"),
    "sample": ("samples", "example", "batch"), "step": ("time", "time step", "steps"), "layer": ("layers",),
}  # fmt: skip
"""What a letter can count."""
INDEX = re.compile(r"index\s+\\?([A-Za-z]+)")


def settled(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings that mean something, in the words that the audit knows."""
    found = {key: value for key, given in settings.items() if (value := _value(key, given))}
    return {key: found[key] for key in found if not INDEX.fullmatch(key)}


def roles(settings: Mapping[str, str]) -> dict[str, str]:
    """By letter, what it counts."""
    pairs = ((INDEX.fullmatch(key), _value(key, given)) for key, given in settings.items())
    return {match[1]: value for match, value in pairs if match and value}


def complaints(document: Document) -> Iterator[Note]:
    """A sentence for every setting that means nothing."""
    for key, given in document.settings.items():
        if not _value(key, given):
            yield Note(_line(document.text, key, given), _sentence(key, given))


def _value(key: str, given: str) -> str:
    index = INDEX.fullmatch(key)
    known = VALUES.get(key) or (ROLES if index and (len(index[1]) == 1 or index[1] in GREEK) else {})
    plain = " ".join(given.split()).lower()
    return next((name for name, others in known.items() if plain in (name, *(o.lower() for o in others))), "")


def _sentence(key: str, given: str) -> str:
    said = f"`audit: {key}: {given}`"
    if key in VALUES:
        return f"{said} is not known, and was not used; {key} can be {_listed(VALUES[key])}"
    if INDEX.fullmatch(key):
        return f"{said} is not known, and was not used; an index is one letter, and counts {_listed(ROLES)}"
    return f"{said} sets nothing; there are {_listed([*VALUES, 'index LETTER'])}, `skip: reason` and `wrong on purpose`"


def _listed(names: Mapping[str, object] | list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _line(text: str, key: str, given: str) -> int:
    lines = text.splitlines()
    return next((k for k, line in enumerate(lines, 1) if key in line and given in line), 1)
