"""The implementation under judgement, as a subject: a case of its graph in, its outputs and gradients out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from oracle.gradients.forms import Form
from oracle.gradients.functions import Operator, Phase, Reading
from oracle.spec import AnyCase, Array, Case, Tensors
from oracle.subjects import Reply, Subject


@dataclass(frozen=True)
class Mine(Subject):
    """A function with a hand-written backward."""

    form: Form | None = None
    operators: tuple[Operator, ...] = ()
    contiguous: bool = False
    """Whether it is given arrays in the order of C alone."""
    empties: bool = False
    """Whether it must take inputs without entries; else it may raise."""

    def wanted(self, case: Case) -> list[str]:
        """Nothing is missing: `answers` says None for what was not returned."""
        return []

    def ask(self, case: AnyCase) -> Reply:
        """As any subject; what raises on inputs without entries declines them."""
        reply = super().ask(case)
        assert isinstance(case, Case)
        if (reply.error or reply.breach) and not self.empties and not all(x.size for x in case.inputs.values()):
            return Reply(skipped=f"mine declines inputs without entries: {reply.error or reply.breach}")
        return reply


def mine(name: str, form: Form, operators: dict[Phase, Operator], **settings: Any) -> Mine:
    """The subject that asks a form."""
    by_op = {op.op: op for op in operators.values()}
    contiguous = settings.get("contiguous", False)

    def call(case: Case) -> Any:
        with _laid_out(case.inputs, contiguous) as inputs:
            return answers(form, Reading(replace_inputs(case, inputs), by_op[case.nodes[0].op]))

    return Mine(name, call, form=form, operators=tuple(operators.values()), **settings)


def replace_inputs(case: Case, inputs: Tensors) -> Case:
    """The case with these inputs; they are not copied."""
    return Case(dtype=case.dtype, training=case.training, nodes=case.nodes, inputs=inputs)


def as_contiguous(subject: Mine) -> Mine:
    """The subject, given arrays in the order of C alone."""
    assert subject.form is not None
    operators = {op.phase: op for op in subject.operators}
    return mine(subject.name, subject.form, operators, contiguous=True, empties=subject.empties)


@contextmanager
def _laid_out(inputs: Tensors, contiguous: bool) -> Iterator[Tensors]:
    """The arrays in the order of C; or, where some are strided, those of one axis too. What is written is seen."""
    strided = any(not x.flags.c_contiguous and not x.flags.f_contiguous for x in inputs.values())
    given = {name: _order(x, contiguous, strided) for name, x in inputs.items()}
    yield given
    for name, x in inputs.items():
        if given[name] is not x:
            x[...] = given[name]


def _order(x: Array, contiguous: bool, strided: bool) -> Array:
    if contiguous:
        return x if x.flags.c_contiguous else x.copy("C")
    if strided and x.ndim == 1 and x.size:
        return np.repeat(x, 2)[::2]
    return x


def answers(form: Form, asked: Reading) -> dict[str, Any]:
    """What a form says of a case, by the names of the graph; None for what it does not return."""
    function, inputs, op = form.function, asked.case.inputs, asked.op
    x = {name: inputs[name] for name in function.names}
    cotangents = {k: inputs[c] for k, _, c in asked.dots}
    names = {k: tensor for k, tensor, _ in asked.dots}
    if op.phase == "order 1":
        outs, grads = form.first(x, asked.needs, cotangents)
        return {"outputs": {names[k]: y for k, y in outs.items()}, "gradients": _filled(grads, x)}
    if op.phase == "order 2":
        upstream = dict(zip(function.picks, op.extra, strict=True))
        found = form.second(x, {k: inputs[c] for k, c in upstream.items()}, list(cotangents.values()))
        named = {upstream[key] if isinstance(key, int) else key: g for key, g in found.items()}
        return {"gradients": _zeros(named, inputs)}
    v = {name: inputs[t] for name, t in zip(function.wanted, op.extra, strict=True)}
    found_outs = form.forward(x, v)
    return {"outputs": dict(zip(names.values(), found_outs.values(), strict=True)), "gradients": {}}


def _filled(grads: dict[str, Any], x: Tensors) -> dict[str, Any]:
    """An empty input needs no gradient: None is as good."""
    return {name: np.zeros_like(x[name]) if g is None and not x[name].size else g for name, g in grads.items()}


def _zeros(grads: dict[str, Any], x: Tensors) -> dict[str, Any]:
    """None in a second derivative is autograd's word for 0: the first one does not depend on it."""
    return {name: np.zeros_like(x[name]) if g is None else g for name, g in grads.items()}


def needing(subject: Mine, case: Case) -> Reading:
    """A case read back by the operator that it is of."""
    by_op = {op.op: op for op in subject.operators}
    return Reading(case, by_op[case.nodes[0].op])
