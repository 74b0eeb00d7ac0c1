"""Quantities of which a lesson says only what they depend on."""

from pathlib import Path

from oracle.lesson.audit import audit
from oracle.lesson.reading import read


def verdicts(*formulas: str) -> list[str]:
    """The verdicts of displayed formulas in a lesson that has nothing else."""
    text = "\n\n".join(f"$${formula}$$" for formula in formulas)
    return [link.verdict for e in audit(read(Path("lesson.md"), text)).equations for link in e.links]


def test_the_chain_rule_holds_for_any_function() -> None:
    rule = r"\frac{\partial u}{\partial r} = \frac{\partial u}{\partial x}\frac{\partial x}{\partial r}"
    assert verdicts(rule + r" + \frac{\partial u}{\partial y}\frac{\partial y}{\partial r}") == ["holds"]
    assert verdicts(r"\frac{dL}{dw} = \frac{dL}{da}\frac{da}{dz}\frac{dz}{dw}") == ["holds"]


def test_arguments_in_full_are_all_the_arguments() -> None:
    left = r"\frac{dF(x(r), y(r))}{dr} = \frac{\partial F}{\partial x}\frac{dx}{dr} + \frac{\partial F}{\partial y}"
    assert verdicts(left + r"\frac{dy}{dr}") == ["holds"]
    assert verdicts(left + r"\frac{dy}{dx}") == ["fails"]


def test_layers_are_told_apart_by_letters_where_they_would_run_in_a_circle() -> None:
    through = (
        r"\frac{\partial E}{\partial o_j}\frac{\partial o_j}{\partial net_j}\frac{\partial net_j}{\partial w_{ij}}"
    )
    above = r"\sum_l \frac{\partial E}{\partial net_l}\frac{\partial net_l}{\partial o_j}"
    assert verdicts(
        rf"\frac{{\partial E}}{{\partial w_{{ij}}}} = {through}", rf"\frac{{\partial E}}{{\partial o_j}} = {above}"
    ) == ["holds", "holds"]


def test_a_batch_has_any_loss() -> None:
    forward = r"\hat x_i = \frac{x_i - \mu}{s}, \quad y_i = \gamma \hat x_i + \beta"
    gamma = r"\frac{\partial f}{\partial \gamma} = \sum_i \frac{\partial f}{\partial y_i}"
    assert verdicts(forward, gamma + r" \hat x_i") == ["definition", "definition", "holds"]
    assert verdicts(forward, gamma + r" x_i") == ["definition", "definition", "fails"]


def test_what_the_function_is_nobody_knows() -> None:
    chain = r"\frac{\partial L}{\partial w} = \frac{\partial L}{\partial a}\frac{\partial a}{\partial w}"
    assert verdicts(chain + " = (a - y) x") == ["holds", "not understood"]
    assert verdicts(r"\frac{\partial E}{\partial W} = \sum_t \frac{\partial E_t}{\partial U}") == ["not understood"]
