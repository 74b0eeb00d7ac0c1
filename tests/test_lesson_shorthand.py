"""Lessons of one step of a recurrence: gates without a step, gates one below the other, what is added to a partial."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

CELL = r"""
$$\begin{pmatrix} i \\ f \\ o \\ g \end{pmatrix}
= \begin{pmatrix} \sigma \\ \sigma \\ \sigma \\ \tanh \end{pmatrix} U_{n+m,4n}
\begin{pmatrix} h_{t-1} \\ x_t \end{pmatrix}$$
$$c_t = f \odot c_{t-1} + i \odot g, \quad h_t = o \odot \tanh(c_t), \quad dh_t = \frac{\partial L}{\partial h_t}$$
"""
GATES = r"""
$$\zeta_i = \tanh, \quad df = dc_t \odot c_{t-1}, \quad dg = dc_t \odot i$$
$$(i, f, o, g)^T = (\sigma(\hat i), \sigma(\hat f), \sigma(\hat o), \zeta_1(\hat g))^T$$
$$\hat z_t = (\hat i, \hat f, \hat o, \hat g)^T, \quad (x_t, h_{t-1})^T = z_t$$
$$\hat z_t = U_{n+m,4n} z_t$$
"""
ALL_STEPS = r"""
$$\begin{pmatrix} i_t \\ f_t \\ g_t \end{pmatrix} = \begin{pmatrix} \sigma \\ \sigma \\ \tanh \end{pmatrix} W
\begin{pmatrix} h_{t-1} \\ x_t \end{pmatrix}$$
$$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad h_t = \tanh(c_t)$$
$$L = \frac12 \sum_{t=1}^T \|h_t - y_t\|^2$$
"""


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (CELL, r"do = dh_t \odot \tanh(c_t)", r"do = dh_t \odot c_t"),
        (CELL, r"dc_t = dh_t \odot o \odot (1 - \tanh^2(c_t))", r"dc_t = dh_t \odot o \odot (1 - \tanh(c_t))"),
        (CELL, r"dc_t = dc_t + dh_t \odot o \odot (1 - \tanh^2(c_t))", r"dc_t = dc_t + dh_t \odot (1 - \tanh^2(c_t))"),
        (CELL, r"df_k = dc_{t,k} c_{t-1,k}", r"df_k = dc_{t,k} c_{t,k}"),
        (CELL, r"dc_{t-1} = dc_t \odot f", r"dc_{t-1} = dc_t \odot i"),
        (CELL + GATES, r"d\hat f = df \odot f \odot (1 - f)", r"d\hat f = df \odot (1 - f)"),
        (CELL + GATES, r"d\hat g = dg \odot \zeta_1'(\hat g)", r"d\hat g = dg \odot \zeta_1'(g)"),
        (ALL_STEPS, r"\frac{\partial L}{\partial g_t} = \frac{\partial L}{\partial c_t} \odot i_t",
         r"\frac{\partial L}{\partial g_t} = \frac{\partial L}{\partial c_t} \odot f_t"),
    ],
)  # fmt: skip
def test_gates_of_one_step_are_understood(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(f"{lesson}\n\n$${right}$$")) <= GOOD
    found = audit(read(Path("lesson.md"), f"{lesson}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} & BAD


def test_what_is_added_in_a_loop_is_no_claim_of_all() -> None:
    """x is used twice: its partial is the sum of two parts, and each is added by itself."""
    lesson = (
        r"$$a = \tanh(x), \quad b = x \odot a, \quad L = \frac12 \|b\|^2, \quad dx = \frac{\partial L}{\partial x}$$"
    )
    more = r"$$db = b$$ $$da = db \odot x$$ $$dx = db \odot a + da \odot (1 - a^2)$$ $$dx += da \odot (1 - a^2)$$"
    found = audit(read(Path("lesson.md"), lesson + more)).equations[-1]
    assert [link.verdict for link in found.links] == ["update"]


EXAMPLES = r"""
$$\begin{aligned}
s_i^{(1)} &= \sum_j w_{ij}^{(1)} x_j \\
h_i^{(1)} &= \tanh(s_i^{(1)}) \\
s_i^{(2)} &= \sum_j w_{ij}^{(2)} h_j^{(1)} \\
\vdots &= \vdots \\
s_i^{(L-1)} &= \sum_j w_{ij}^{(L-1)} h_j^{(L-2)} \\
h_j^{(L-1)} &= \tanh(s_j^{(L-1)}) \\
\hat y_i &= \sum_j w_{ij}^{(L)} h_j^{(L-1)}
\end{aligned}$$
$$E = \frac12 \sum_j (\hat y_j - y_j)^2, \quad \hat y_j = s_j$$
$$\Delta w_{ij} = \frac{\partial E}{\partial w_{ij}}
= \frac{\partial E}{\partial s_i} \frac{\partial s_i}{\partial w_{ij}}$$
$$\delta_j^{(l)} = \frac{\partial E}{\partial s_j^{(l)}}, \quad
\Delta w_{ij}^{(l)} = \frac{\partial E}{\partial w_{ij}^{(l)}}$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\delta_j = \frac{\partial E}{\partial \hat y_j} = \hat y_j - y_j", r"\delta_j = y_j - \hat y_j"),
        (r"\frac{\partial E}{\partial w_{ij}^{(l)}} = \delta_i^{(l)} h_j^{(l-1)}",
         r"\frac{\partial E}{\partial w_{ij}^{(l)}} = \delta_i^{(l)} h_i^{(l-1)}"),
        (r"\delta_j^{(l-1)} = (1 - (h_j^{(l-1)})^2) \sum_k \delta_k^{(l)} w_{kj}^{(l)}",
         r"\delta_j^{(l-1)} = (1 - (h_j^{(l-1)})^2) \sum_k \delta_k^{(l)} w_{jk}^{(l)}"),
        (r"f'(s) = \tanh'(s)$$ $$\delta_j^{(l-1)} = f'(s_j^{(l-1)}) \sum_k \delta_k^{(l)} w_{kj}^{(l)}",
         r"f'(s) = \tanh'(s)$$ $$\delta_j^{(l-1)} = f(s_j^{(l-1)}) \sum_k \delta_k^{(l)} w_{kj}^{(l)}"),
    ],
)  # fmt: skip
def test_layers_are_told_by_examples(right: str, wrong: str) -> None:
    """The first and the one below the last are said to be alike; what has no layer is of the last."""
    assert {*claimed(f"{EXAMPLES}\n\n$${right}$$")} <= GOOD | {"aside", "update"}
    found = audit(read(Path("lesson.md"), f"{EXAMPLES}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} & BAD


LAYERS = r"""
$$z_j^2 = \sum_k w_{jk}^2 x^1_k + b_j^2, \quad a_j^2 = \sigma(z_j^2)$$
$$z_j^l = \sum_k w_{jk}^l a^{l-1}_k + b_j^l, \quad a_j^l = \sigma(z_j^l)$$
$$J = \frac12 \sum_j (a_j^L - y_j)^2, \quad \delta_j^l = \frac{\partial J}{\partial z_j^l}$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)",
         r"\delta^l = (w^{l+1} \delta^{l+1}) \odot \sigma'(z^l)"),
        (r"\delta^L = \nabla J \odot \sigma'(z^L)", r"\delta^L = -\nabla J \odot \sigma'(z^L)"),
        (r"\delta_j^L = \frac{\partial J}{\partial a_j^L} \frac{\partial a_j^L}{\partial z_j^L}\ (only\ z_j^L \ne 0)",
         r"\delta_j^L = \frac{\partial J}{\partial a_j^L} \frac{\partial z_j^L}{\partial a_j^L}\ (only\ z_j^L \ne 0)"),
    ],
)  # fmt: skip
def test_the_inputs_are_a_layer(right: str, wrong: str) -> None:
    r"""The x^1 of the second layer is what the general equation calls a^1; $\sum_k$ by itself says nothing."""
    assert {*claimed(f"{LAYERS}\n\n$${right}$$\n\nHere $\\sum_k$ is left out.")} <= GOOD
    found = audit(read(Path("lesson.md"), f"{LAYERS}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} & BAD


ROWS = r"""
Repeated indices are summed.
$$t = x W + b, \quad h = \sigma(t), \quad v = h V + c, \quad J = \frac12 \|v - y\|^2$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\frac{\partial J}{\partial x_k} = (v - y) V^T \circ \sigma'(t) W^T",
         r"\frac{\partial J}{\partial x_k} = (v - y) V^T \circ \sigma(t) W^T"),
        (r"\frac{\partial t_d}{\partial W_{fg}} = x_f \delta_{dg}",
         r"\frac{\partial t_d}{\partial W_{fg}} = x_g \delta_{df}"),
    ],
)  # fmt: skip
def test_entries_that_are_not_written(right: str, wrong: str) -> None:
    """An entry is meant where the left side is by one; letters that count beside others do so too."""
    assert {*claimed(f"{ROWS}\n\n$${right}$$")} <= GOOD
    found = audit(read(Path("lesson.md"), f"{ROWS}\n\n$${wrong}$$")).equations[-1]
    assert not {link.verdict for link in found.links} & GOOD


BOOK = r"""
From $t = 1$ on, with the parameters $\MU$ and $\Vb$:
$$\Vs^{(t)} = \Vb + \MW \Vs^{(t-1)} + \MU \Vx^{(t)}, \quad \Vu^{(t)} = \MV \Vs^{(t)}$$
$$\hat \Vy^{(t)} = \text{softmax}(\Vu^{(t)})$$
$$L\big(\{\Vx^{(1)}, \dots, \Vx^{(\tau)}\}\big) = \sum_t L^{(t)}
= -\sum_t \log p_{\text{model}}\big(y^{(t)} \mid \{\Vx^{(1)}, \dots, \Vx^{(t)}\}\big)$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"(\nabla_{\Vu^{(t)}} L)_i = \hat y_i^{(t)} - \mathbf{1}_{i,y^{(t)}}",
         r"(\nabla_{\Vu^{(t)}} L)_i = \mathbf{1}_{i,y^{(t)}} - \hat y_i^{(t)}"),
        (r"\nabla_{\Vs^{(\tau)}} L = \MV^\top \nabla_{\Vu^{(\tau)}} L",
         r"\nabla_{\Vs^{(\tau)}} L = \MV \nabla_{\Vu^{(\tau)}} L"),
        (r"\nabla_{\MV} L = \sum_t (\nabla_{\Vu^{(t)}} L) \Vs^{(t)^\top}",
         r"\nabla_{\MV} L = \sum_t (\nabla_{\Vu^{(t)}} L) \Vs^{(t-1)^\top}"),
    ],
)  # fmt: skip
def test_letters_of_a_book_without_its_preamble(right: str, wrong: str) -> None:
    """Nobody defines the macros; the likelihood of the target is an entry of the softmax."""
    assert {*claimed(f"{BOOK}\n\n$${right}$$")} <= GOOD | {"aside"}
    found = audit(read(Path("lesson.md"), f"{BOOK}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} & BAD


CELLS = r"""
$$z^l = W^l a^{l-1} + b^l, \quad a^l = \sigma(z^l), \quad C = \frac12 \|a^L - y\|^2$$
$$\nabla a^l = \frac{\partial C}{\partial a^l}, \quad \delta^l = \frac{\partial C}{\partial z^l}$$

An example of a convolution, of a row with three entries:
$$z_{11} = a_{11} w_{11} + a_{12} w_{12}, \quad z_{12} = a_{12} w_{11} + a_{13} w_{12}$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\nabla a_{12} = \delta_{11} w_{12} + \delta_{12} w_{11}",
         r"\nabla a_{12} = \delta_{11} w_{11} + \delta_{12} w_{12}"),
        (r"\frac{\partial C}{\partial W^{l+1}_{11}} = a_{11} \delta_{11} + a_{12} \delta_{12}",
         r"\frac{\partial C}{\partial W^{l+1}_{11}} = a_{11} \delta_{11} + a_{13} \delta_{12}"),
        (r"\delta^L = (a^L - y) \odot \sigma'(z^L)", r"\delta^L = (a^L - y) \odot \sigma(z^L)"),
    ],
)  # fmt: skip
def test_entries_of_an_example_lead_to_the_loss(right: str, wrong: str) -> None:
    """What is computed entry by entry beside the net is differentiated as part of it."""
    assert {*claimed(f"{CELLS}\n\n$${right}$$")} <= GOOD
    found = audit(read(Path("lesson.md"), f"{CELLS}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} & BAD
