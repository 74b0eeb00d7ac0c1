"""Losses that are left open, labels above symbols, and the copies of a parameter that the steps of a recurrence use."""

import pytest

from tests.verdicts import claimed, of_the_last

LEAKY = r"""
$$v_t = A s_{t-1} + B x_t + c$$
$$s_t = (1 - \kappa) s_{t-1} + \kappa \phi(v_t)$$
$$q_t = D s_t, \quad o_t = \psi(q_t)$$
$$J = \sum_t J_t(o_t, o_t^{*})$$
$$\epsilon^{\mathrm{out}}_t := \frac{\partial J_t}{\partial q_t}
  = \frac{\partial J_t}{\partial o_t} \odot \psi'(q_t)^\top \quad (\in \mathbb{R}^{1 \times m})$$
$$\epsilon_t := \frac{\partial J}{\partial s_t}
  = \frac{\partial J_t}{\partial s_t} + \frac{\partial J}{\partial s_{t+1}} \frac{\partial s_{t+1}}{\partial s_t}$$
$$\epsilon^{\mathrm{v}}_t := \epsilon_t \odot \phi'(v_t)^\top$$
$$\frac{\partial s_{t+1}}{\partial s_t} = (1 - \kappa) I_k + \kappa \, \text{diag}(\phi'(v_{t+1})) A$$
$$\epsilon_t = \epsilon^{\mathrm{out}}_t D + (1 - \kappa) \epsilon_{t+1} + \kappa \epsilon^{\mathrm{v}}_{t+1} A$$
$$\frac{\partial J}{\partial D} = \sum_t s_t \epsilon^{\mathrm{out}}_t$$
$$\frac{\partial J}{\partial A} = \kappa \sum_t s_{t-1} \epsilon^{\mathrm{v}}_t$$
"""
ANY = r"""
$$\frac{\partial J}{\partial \theta} = \sum_t \sum_{r \leq t} \frac{\partial J_t}{\partial \theta_r}
  \frac{\partial \theta_r}{\partial \theta}$$
$$\frac{\partial J}{\partial \theta_t} = \left(\frac{\partial J_t}{\partial s_t}
  + \sum_{r \geq t + 1} \frac{\partial J_r}{\partial s_t}\right) \frac{\partial s_t}{\partial \theta_t}$$
"""
COPIES = r"""
$$a^{(t)} = b + W h^{(t-1)} + U x^{(t)}, \quad h^{(t)} = \tanh(a^{(t)}), \quad o^{(t)} = c + V h^{(t)}$$
$$L = \sum_t L^{(t)}$$
$$\nabla_{h^{(t)}} L = W^\top \text{diag}(1 - (h^{(t+1)})^2) (\nabla_{h^{(t+1)}} L) + V^\top (\nabla_{o^{(t)}} L)$$
$$\nabla_W L = \sum_t \sum_i \left(\frac{\partial L}{\partial h^{(t)}_i}\right) \nabla_{W^{(t)}} h^{(t)}_i$$
"""
LAYERS = r"""
$$z^l = W^l a^{l-1} + b^l, \quad a^l = \sigma(z^l)$$
$$C = C(a^L)$$
$$\delta^l = \frac{\partial C}{\partial z^l}$$
$$\delta^L = C'(a^L) \odot \sigma'(z^L)$$
$$\delta^l = ((W^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)$$
"""
GATED = r"""
$$f_t = \sigma(W^{(f)} x_t + U^{(f)} h_{t-1}), \quad g_t = \tanh(W^{(g)} x_t + U^{(g)} h_{t-1})$$
$$h_t = f_t \odot h_{t-1} + (1 - f_t) \odot g_t$$
$$L = \sum_t \ell(h_t, y_t)$$
$$\frac{\partial L}{\partial f_t} = \frac{\partial L}{\partial h_t} \odot (h_{t-1} - g_t)$$
$$\frac{\partial L}{\partial U^{(f)}}
  = \sum_t \left(\frac{\partial L}{\partial f_t} \odot f_t \odot (1 - f_t)\right) h_{t-1}^T$$
"""


@pytest.mark.parametrize("lesson", [LEAKY, LEAKY + ANY, COPIES, LAYERS, GATED])
def test_what_is_right_holds(lesson: str) -> None:
    assert set(claimed(lesson)) <= {"holds", "holds under"}


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (LEAKY, r"= \epsilon^{\mathrm{out}}_t D", r"= D \epsilon^{\mathrm{out}}_t"),
        (LEAKY, r"(1 - \kappa) I_k", r"\kappa I_k"),
        (LEAKY, r"(1 - \kappa) \epsilon_{t+1}", r"(1 - \kappa) \epsilon_t"),
        (LEAKY, r"\kappa \sum_t s_{t-1}", r"\kappa \sum_t s_t"),
        (LEAKY, r"\sum_t s_t \epsilon", r"s_t \epsilon"),
        (LEAKY + ANY, r"\sum_{r \leq t} \frac", r"\sum_{r \leq t - 1} \frac"),
        (LEAKY + ANY, r"\sum_{r \geq t + 1}", r"\sum_{r \geq t}"),
        (COPIES, r"\nabla_{W^{(t)}} h", r"\nabla_{U^{(t)}} h"),
        (COPIES, r"+ V^\top", r"+ V"),
        (LAYERS, r"C'(a^L) \odot \sigma'(z^L)", r"C'(a^L) \odot \sigma(z^L)"),
        (LAYERS, r"(W^{l+1})^T", r"W^{l+1}"),
        (GATED, r"h_{t-1} - g_t", r"h_{t-1} + g_t"),
        (GATED, r"h_{t-1}^T", r"h_t^T"),
    ],
)
def test_a_slip_is_found_and_nothing_else_is_called_wrong(lesson: str, right: str, wrong: str) -> None:
    assert right in lesson
    found = claimed(lesson.replace(right, wrong))
    assert sum(verdict in ("fails", "ill-typed") for verdict in found) == 1


def test_of_an_open_loss_nothing_but_its_partials_can_be_said() -> None:
    squared = r"$$\delta^L = (a^L - y) \odot \sigma'(z^L)$$"
    assert of_the_last(LAYERS + squared) == ["not understood"]


def test_a_target_by_its_label_is_a_distribution_where_the_loss_is_an_entropy() -> None:
    lesson = r"""
$$p = \text{softmax}(z)$$
$$L = -\sum_k y^{*}_k \log p_k$$
$$\frac{\partial L}{\partial z_k} = %s$$
"""
    assert of_the_last(lesson % r"p_k - y^{*}_k") == ["holds"]
    assert of_the_last(lesson % r"p_k + y^{*}_k") == ["fails"]
