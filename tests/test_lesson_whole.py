"""What concerns a lesson as a whole: errors that cancel, claims that contradict each other, names."""

from oracle.lesson.audit import Line, judged, understood
from oracle.lesson.building import build
from oracle.lesson.correcting import Reread, suggest
from oracle.lesson.defining import Said
from oracle.lesson.formula import parse
from oracle.lesson.function_names import function_names
from oracle.lesson.judging import Nets
from oracle.lesson.meaning.notation import lifted
from oracle.lesson.reading import markdown
from oracle.lesson.records import Equation, Remark
from oracle.lesson.syntax import Statement
from oracle.lesson.whole import remarks

FORWARD = r"""
$$z_j = \sum_i w_{ji} x_i + b_j$$

$$a_j = \sigma(z_j)$$

$$z_k = \sum_j w_{kj} a_j + b_k$$

$$y_k = \sigma(z_k)$$

$$L = \frac{1}{2} \sum_k (y_k - t_k)^2$$
"""
OUTPUT = r"\frac{\partial L}{\partial y_k} = (y_k - t_k) \sigma'(z_k)"
STEP = r"\frac{\partial L}{\partial z_j} = \sum_k \frac{\partial L}{\partial y_k} \frac{\partial y_k}{\partial z_j}"
HIDDEN = r"\frac{\partial y_k}{\partial z_j} = \sigma'(z_j) w_{kj}"
BIAS = (
    r"\frac{\partial L}{\partial b_k} = \frac{\partial L}{\partial y_k} \frac{\partial y_k}{\partial z_k}"
    r" = (y_k - t_k) \sigma'(z_k)"
)


def read(text: str) -> tuple[list[Line], list[Equation], dict[int, Nets], Reread]:
    document = markdown.read("lesson.md", text)
    functions = function_names(document)
    lines, notation = understood(document, functions)
    reading = build([Said(line.number, line.section, s) for line in lines for s in line.statements], notation, {})
    judges = {section: Nets(scope.program, 4, 0, reading.activations) for section, scope in reading.scopes.items()}

    def reread(tex: str) -> list[Statement]:
        found = parse(tex, document.macros, functions).statements
        return [Statement(lifted(s.body, notation), s.asides, span=s.span) for s in found]

    return lines, [judged(line, reading, judges) for line in lines], judges, reread


def said(*formulas: str, forward: str = FORWARD) -> dict[str, Remark]:
    text = forward + "".join(f"\n$${formula}$$\n" for formula in formulas)
    lines, equations, judges, reread = read(text)
    offered = suggest(lines, equations, judges[lines[0].section], reread)
    return {remark.kind: remark for remark in remarks(lines, equations, judges, reread, offered)}


def test_errors_that_cancel_are_repaired_together() -> None:
    found = said(OUTPUT, STEP, HIDDEN)["cancelling"]
    assert found.equations == (6, 8, 7)
    assert found.suggestion is not None
    assert found.suggestion.tex == OUTPUT.replace("y_k}", "z_k}")
    assert dict(found.suggestion.others) == {7: STEP.replace("y_k", "z_k"), 8: HIDDEN.replace("y_k", "z_k")}


def test_two_errors_that_make_no_right_claim_do_not_cancel() -> None:
    assert "cancelling" not in said(OUTPUT, STEP, HIDDEN.replace("w_{kj}", "w_{kj} a_j"))


def test_a_claim_put_into_another_equation_contradicts_it() -> None:
    found = said(OUTPUT, BIAS)["contradiction"]
    assert found.equations == (6, 7)
    assert r"$\frac{\partial L}{\partial y_k}$ is $(y_k - t_k) \sigma'(z_k)$" in found.words


def test_two_equations_that_say_different_things_of_one_partial_contradict_each_other() -> None:
    found = said(OUTPUT, r"\frac{\partial L}{\partial y_k} = y_k - t_k")["contradiction"]
    assert found.equations == (6, 7)


def test_claims_that_hold_contradict_nothing() -> None:
    assert said(r"\frac{\partial L}{\partial y_k} = y_k - t_k", STEP, BIAS) == {}


def test_what_is_wrong_on_purpose_is_no_contradiction() -> None:
    assert said("x", forward=f"{FORWARD}\n<!-- audit: wrong on purpose -->\n\n$${OUTPUT}$$\n\n$${BIAS}$$\n") == {}


def test_a_symbol_that_nothing_defines() -> None:
    found = said(r"\frac{\partial L}{\partial y_k} = q_k - t_k")["undefined"]
    assert found.equations == (6,)
    assert "$q_k$" in found.words


def test_one_name_for_two_error_signals() -> None:
    found = said(r"\delta_j = \frac{\partial L}{\partial z_j}", r"\delta_k = \frac{\partial L}{\partial y_k}")
    assert found["two quantities"].equations == (6, 7)
    assert r"\frac{\partial L}{\partial y_k}" in found["two quantities"].words


def test_a_claim_about_any_layer_is_put_into_the_next() -> None:
    forward = r"""
$$z^l = W^l a^{l-1} + b^l$$

$$a^l = \sigma(z^l)$$

$$C = \frac{1}{2} \|a^L - y\|^2$$

$$\delta^l = \frac{\partial C}{\partial z^l}$$
"""
    wrong = r"\delta^l = (W^{l+1})^T \delta^{l+1}"
    chain = (
        r"\frac{\partial C}{\partial W^l} = \delta^l (a^{l-1})^T"
        r" = ((W^{l+1})^T \delta^{l+1} \odot \sigma'(z^l)) (a^{l-1})^T"
    )
    assert said(wrong, chain, forward=forward)["contradiction"].equations == (5, 6)
