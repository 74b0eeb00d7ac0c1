r"""Update rules: the gradient is that of the parameter that moves, and the step leads down the loss."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from oracle.lesson.records import Equation

INDEXED = (
    r"z_k = \sum_j w_{kj} x_j + b_k, \quad y_k = \sigma(z_k)", r"L = \frac{1}{2} \sum_k (y_k - t_k)^2",
    r"\delta_k = \frac{\partial L}{\partial z_k}", r"\delta_k = (y_k - t_k) \sigma'(z_k)",
    r"\frac{\partial L}{\partial w_{kj}} = \delta_k x_j",
)  # fmt: skip


def told(folder: Path, *formulas: str) -> Equation:
    """The last formula of a lesson, judged."""
    path = folder / "lesson.md"
    path.write_text("\n\n".join(f"$$\n{tex}\n$$" for tex in formulas), encoding="utf-8")
    return audit(read(path), code=False).equations[-1]


RIGHT = [
    r"w_{kj} \leftarrow w_{kj} - \eta \frac{\partial L}{\partial w_{kj}}",
    r"w_{kj} := w_{kj} - \eta \delta_k x_j",
    r"w_{kj}^{new} = w_{kj} - \eta \frac{\partial L}{\partial w_{kj}}",
    r"w_{kj} \leftarrow w_{kj} + \eta (t_k - y_k) \sigma'(z_k) x_j",
    r"w_{kj} \leftarrow w_{kj} - (-\eta (t_k - y_k) \sigma'(z_k) x_j)",
    r"\Delta w_{kj} = -\eta \frac{\partial L}{\partial w_{kj}}",
    r"b_k := b_k - \eta \delta_k",
    r"w_{kj} \leftarrow (1 - \eta \lambda) w_{kj} - \eta \frac{\partial L}{\partial w_{kj}}",
    r"w_{kj} \leftarrow w_{kj} + \alpha v_{kj} - \eta \frac{\partial L}{\partial w_{kj}}",
    r"w_{kj} \leftarrow w_{kj} - \eta \frac{m_{kj}}{\sqrt{v_{kj}} + \epsilon}",
    r"\theta_{t+1} = \theta_t - \eta \nabla_\theta J(\theta_t)",
    r"\theta \leftarrow \theta + \alpha \nabla_\theta J(\theta)",
    r"W -= \alpha \frac{\partial L}{\partial W}",
]  # fmt: skip


@pytest.mark.parametrize("rule", RIGHT)
def test_what_may_be_right_is_an_update_and_nothing_more(tmp_path: Path, rule: str) -> None:
    found = told(tmp_path, *INDEXED, rule)
    assert [link.verdict for link in found.links] == ["update"]
    assert not found.suggestions


WRONG = [
    (r"w_{kj} \leftarrow w_{kj} + \eta \frac{\partial L}{\partial w_{kj}}",
     r"w_{kj} \leftarrow w_{kj} - \eta \frac{\partial L}{\partial w_{kj}}", "leads up the loss"),
    (r"w_{kj} \leftarrow w_{kj} - \eta (t_k - y_k) \sigma'(z_k) x_j",
     r"w_{kj} \leftarrow w_{kj} + \eta (t_k - y_k) \sigma'(z_k) x_j", "leads up the loss"),
    (r"w_{kj} := w_{kj} + \eta \delta_k x_j", r"w_{kj} := w_{kj} - \eta \delta_k x_j", "leads up the loss"),
    (r"w_{kj} := w_{kj} - \eta \frac{\partial L}{\partial b_k}",
     r"w_{kj} := w_{kj} - \eta \frac{\partial L}{\partial w_{kj}}", "w is moved along the gradient by b"),
    (r"b_k \leftarrow b_k - \eta \frac{\partial L}{\partial z_k}", None, None),
    (r"w_{kj} := w_{kj} - \eta \frac{\partial L}{\partial w_{jk}}",
     r"w_{kj} := w_{kj} - \eta \frac{\partial L}{\partial w_{kj}}", "another w than the one that moves"),
    (r"\Delta w_{kj} = \eta \frac{\partial L}{\partial w_{kj}}", None, "leads up the loss"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "right", "words"), WRONG)
def test_what_is_wrong_is_told_with_the_rule_put_right(
    tmp_path: Path, rule: str, right: str | None, words: str | None
) -> None:
    found = told(tmp_path, *INDEXED, rule)
    (link,) = found.links
    assert link.verdict == ("fails" if words else "update")
    assert (words or "") in link.reason
    assert [s.tex for s in found.suggestions] == ([right] if right else [])


LAYERS = (
    r"Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \quad A^{[l]} = g(Z^{[l]})", r"b^{[l]} := b^{[l]} - \alpha db^{[l]}",
    r"W^{[l]} := W^{[l]} - \alpha dW^{[l]}",
)  # fmt: skip


def test_the_gradient_of_another_parameter_or_layer(tmp_path: Path) -> None:
    other = told(tmp_path, *LAYERS, r"W^{[l]} := W^{[l]} - \alpha db^{[l]}")
    assert "W is moved along the gradient by b" in other.links[0].reason
    assert other.suggestions[0].tex == r"W^{[l]} := W^{[l]} - \alpha dW^{[l]}"
    layer = told(tmp_path, *LAYERS, r"W^{[l]} := W^{[l]} - \alpha dW^{[l+1]}")
    assert layer.links[0].verdict == "fails"
    assert layer.suggestions[0].tex == r"W^{[l]} := W^{[l]} - \alpha dW^{[l]}"


def test_one_rule_that_goes_up_where_all_others_go_down(tmp_path: Path) -> None:
    assert told(tmp_path, *LAYERS, r"W^{[2]} := W^{[2]} + \alpha dW^{[2]}").links[0].verdict == "fails"
    ascent = [tex.replace("-", "+") if "alpha" in tex else tex for tex in LAYERS]
    assert told(tmp_path, *ascent, r"W^{[2]} := W^{[2]} + \alpha dW^{[2]}").links[0].verdict == "update"


def test_ascent_of_a_likelihood_is_right(tmp_path: Path) -> None:
    net = (r"z = \sum_j w_j x_j, \quad y = \frac{1}{1 + e^{-z}}", r"\ell = t \log y + (1 - t) \log(1 - y)")
    rule = r"w_j \leftarrow w_j + \eta \frac{\partial \ell}{\partial w_j}"
    assert told(tmp_path, *net, rule).links[0].verdict == "update"
    loss = (net[0], r"\ell = -(t \log y + (1 - t) \log(1 - y))")
    assert told(tmp_path, *loss, rule).links[0].verdict == "fails"


def test_an_index_of_another_layer(tmp_path: Path) -> None:
    found = told(tmp_path, *INDEXED, r"w_{kj} := w_{kj} - \eta \delta_k x_i")
    assert (found.links[0].verdict, found.links[0].reason) == (
        "ill-typed", "the parameter has the indices j, k, and the step has i, k"
    )  # fmt: skip
