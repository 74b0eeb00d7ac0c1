"""A callable's parameters and what they stand for, told by their names."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROLES: dict[str, str] = {
    "weights": r"w|ws|weights?|weight_list|weight_matrices|thetas?|syns|synapses",
    "biases": r"b|bs|bias|biases|bias_list|bias_vectors",
    "params": r"params?|parameters?|layers|net|network|model|nn|mlp|theta_dict|state|p",
    "x": r"x|xs|xb|inputs?|in|x_?batch|x_?train|data|samples?|features|a_?0|images?|batch_?x|x_?data",
    "y": r"y|ys|yb|t|ts|d|targets?|labels?|expected|desired|y_?true|y_?batch|y_?train|truth|batch_?y|y_?data",
    "activation": r"act|activations?|activation_?(name|fn|func|function|type)?|act_?(fn|func|name)|non_?lin(earity)?"
    r"|nonlin|sigma|phi|hidden_activation|f|g",
    "slope": r"(d_?)?act(ivation)?_?(prime|derivative|deriv|grad|backward)|[dfg]_?prime"
    r"|d_?(f|g|act|activation|sigma|phi)|derivative|sigma_?prime|activation_?d",
    "off": r"reg(ularization)?(_?strength|_?lambda)?|lambd|lambda|lam|reg_?lambda"
    r"|l[12](_?reg)?|weight_?decay|dropout|noise|drop_?prob",
    "one": r"keep_?prob|scale",
    "rate": r"lr|learning_?rate|eta|rate|step_?size",
    "sizes": r"sizes|layer_?sizes|layer_?dims?|dims|dimensions|architecture|arch|structure|topology|units|shape",
    "count": r"l|n_?layers?|num_?layers?|depth",
}
"""The names of parameters by role, in lower case."""


def role(name: str) -> str:
    """The role of a parameter: "weights", "W2" for one layer's, or "?" where the name does not tell."""
    low = name.lower().strip("_")
    if one := re.fullmatch(r"(w|weights?|theta|syn|b|bias)_?(\d+)", low):
        return ("B" if one[1].startswith("b") else "W") + one[2]
    return next((known for known, pattern in ROLES.items() if re.fullmatch(pattern, low)), "?")


class Misfit(Exception):  # noqa: N818  (it is an answer to a question, not a failure)
    """The code cannot be called in this way; the sentence says why."""


@dataclass(frozen=True)
class Signature:
    """A callable's parameters and their roles."""

    names: tuple[str, ...]
    roles: tuple[str, ...]
    required: tuple[bool, ...]
    positional: tuple[bool, ...]

    @classmethod
    def of(cls, call: Any, skip: int = 0, said: list[str] | None = None) -> "Signature":
        """Of a callable, its first `skip` parameters left out; `said` are the roles in order."""
        found = [
            p for p in inspect.signature(call).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        found = found[skip:]
        roles = [role(p.name) for p in found]
        for k, told in enumerate(said or ()):
            roles[k : k + 1] = [told.upper() if re.fullmatch(r"[wb]\d+", told) else told]
        roles = _counted(roles)
        if "weights" in roles and "biases" not in roles and not said:
            roles[roles.index("weights")] = "params"
        return cls(
            tuple(p.name for p in found),
            tuple(roles[: len(found)]),
            tuple(p.default is p.empty for p in found),
            tuple(p.kind is p.POSITIONAL_ONLY for p in found),
        )

    def has(self, *roles: str) -> bool:
        """Whether some parameter has one of these roles."""
        return any(r in roles for r in self.roles)

    @property
    def depth(self) -> int:
        """How many layers it has, if it has parameters for each; else 0."""
        numbers = {r[1:] for r in self.roles if re.fullmatch(r"W\d+", r)}
        return len(numbers)

    def bind(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments. Raises `Misfit` where a required one is not known."""
        positional, named = list[Any](), dict[str, Any]()
        for name, its, required, only in zip(self.names, self.roles, self.required, self.positional, strict=True):
            key = its if its in values else name if name in values else None
            if key is None:
                if required:
                    raise Misfit(f"nothing is known for its parameter {name!r}")
                continue
            if only:
                positional.append(values[key])
            else:
                named[name] = values[key]
        return positional, named


def _counted(roles: list[str]) -> list[str]:
    """The layers' own parameters, counted from 1 whatever the names count from."""
    numbers = sorted({int(r[1:]) for r in roles if re.fullmatch(r"[WB]\d+", r)})
    return [f"{r[0]}{numbers.index(int(r[1:])) + 1}" if re.fullmatch(r"[WB]\d+", r) else r for r in roles]
