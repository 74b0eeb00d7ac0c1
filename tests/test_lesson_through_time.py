"""Recurrent nets as real lessons write them, and forward passes that only their derivation tells."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under", "definition", "update", "aside"}, {"fails", "ill-typed"}

RECURRENT = r"""
$$u_t = A h_{t-1} + B x_t,\quad h_t = \sigma(u_t),\quad o_t = C h_t,\quad p_t = \mathrm{softmax}(o_t)$$
$$L_t = -y_t^T \log(p_t),\quad L = \sum_t L_t$$
$$\delta_k = \frac{\partial L_t}{\partial u_k}$$
"""
RECURRENT_CLAIMS = [
    (r"\frac{\partial L}{\partial C} = \sum_{k=0}^T (p_k - y_k) \otimes h_k", "h_k", "h_{k-1}"),
    (r"\frac{\partial L_t}{\partial A} = \sum_{k=0}^t \delta_k \otimes h_{k-1}", "{k-1}", "k"),
    (r"\delta_k = (A^T \delta_{k+1}) \odot \sigma'(u_k)", "{k+1}", "{k+2}"),
    (r"\delta_k = (A^T \delta_{k+1}) \odot h_k \odot (1 - h_k)", "1 - h_k", r"1 - h_k \odot h_k"),
    (r"\delta_t = (C^T (p_t - y_t)) \odot h_t \odot (1 - h_t)", "C^T", "A^T"),
    (r"\frac{\partial L_t}{\partial A_{ij}} = \sum_{k=0}^t \delta_k^{(i)} h_{k-1}^{(j)}", "(i)} h", "(j)} h"),
    (r"\frac{\partial L_t}{\partial C_{ij}} = (p_t - y_t)^{(i)} h_t^{(j)}", "h_t^", "u_t^"),
    (
        r"\frac{\partial L_t}{\partial C_{ij}} = tr\Big( \big(\frac{\partial L_t}{\partial o_t}\big)^T "
        r"\frac{\partial o_t}{\partial C_{ij}} \Big)",
        "{\\partial o_t}{",
        "{\\partial u_t}{",
    ),
]
"""A sum from step 0, a fixed step of the loss, entries above, a trace; what is right, and what wrong."""
TOLD_BY_PARTIALS = r"""
Each pattern $k$ has a loss $E_k$.
"""
TOLD_CLAIMS = [
    (
        r"\frac{\partial E_k}{\partial \tau_j} = \frac{\partial E_k}{\partial \hat{y}_j^k} "
        r"\frac{\partial f(\beta_j - \tau_j)}{\partial \tau_j} = -\frac{\partial E_k}{\partial \hat{y}_j^k} "
        r"f'(\beta_j - \tau_j) = -\frac{\partial [\frac{1}{2} \sum_j (\hat{y}_j^k - y_j^k)^2]}"
        r"{\partial \hat{y}_j^k} f'(\beta_j - \tau_j) = (y_j^k - \hat{y}_j^k) f'(\beta_j - \tau_j) = g_j",
        r"(y_j^k - \hat{y}_j^k) f",
        r"(\hat{y}_j^k - y_j^k) f",
    ),
    (
        r"\frac{\partial E_k}{\partial v_{ih}} = \sum_j \frac{\partial E_k}{\partial \hat{y}_j^k} "
        r"\frac{\partial \hat{y}_j^k}{\partial \beta_j} \frac{\partial \beta_j}{\partial b_h} "
        r"\frac{\partial b_h}{\partial \alpha_h} \frac{\partial \alpha_h}{\partial v_{ih}}",
        r"{\partial \beta_j}{\partial b_h}",
        r"{\partial \beta_j}{\partial \alpha_h}",
    ),
    (
        r"\frac{\partial E_k}{\partial v_{ih}} = -\sum_j g_j w_{hj} f'(\alpha_h - \gamma_h) x_i",
        "f'(",
        "f(",
    ),
    (
        r"\frac{\partial E_k}{\partial \gamma_h} = \frac{\partial E_k}{\partial b_h} "
        r"\frac{\partial b_h}{\partial \gamma_h} = f'(\alpha_h - \gamma_h) \sum_j g_j w_{hj}",
        "g_j w_{hj}",
        "\\beta_j w_{hj}",
    ),
]
"""A net with thresholds of which the lesson writes no forward equation."""


UNITS = r"""
Here $\theta$ will denote an activation function, and the loss $\mathcal{L}$ is any.

\begin{align}
a_h^{t} &= \sum_{i=1}^I w_{ih} x_i^{t} + \sum_{h'=1}^H w_{h'h} b_{h'}^{t-1} \\
b_h^t &= \theta(a_h^t) \\
a_k^t &= \sum_{h=1}^H w_{hk} b_h^t \\
y_k^t &= \theta(a_k^t)
\end{align}

$$\delta_j^t = \frac{\partial \mathcal{L}}{\partial a_j^t}$$
"""
UNITS_CLAIMS = [
    (
        r"\delta_h^t = \theta'(a_h^t) \Big( \sum_k \delta_k^t w_{hk} + \sum_{h'} \delta_{h'}^{t+1} w_{hh'} \Big)",
        "w_{hh'}",
        "w_{h'h}",
    ),
    (r"\frac{\partial \mathcal{L}}{\partial w_{ij}} = \sum_{t=1}^T \delta_j^t b_i^t", "b_i^t", "a_i^t"),
    (r"\frac{\partial \mathcal{L}}{\partial w_{ij}} = \sum_{t=1}^T \delta_j^t b_i^{t-1}", r"_j^t b_i", r"_i^t b_j"),
    (r"\delta_j^T = \theta'(a_j^T) \sum_k w_{jk} \delta_k^T", r"\theta'(a_j^T)", ""),
    (
        r"\delta_j^{T-1} = \theta'(a_j^{T-1}) \Big( \sum_k w_{jk} \delta_k^{T-1} + \sum_{h_1=1}^H w_{jh_1} "
        r"\theta'(a_{h_1}^T) \sum_k w_{h_1k} \delta_k^T \Big)",
        "(a_{h_1}^T)",
        "(a_{h_1}^{T-1})",
    ),
]
"""Graves's letters: of every layer of units its own, and of any unit i and j."""
BELOW = r"""
$$z_i = \sum_j W_{ij} x_j + b_i, \quad \delta_{z_i} = \frac{\partial L}{\partial z_i}$$
$$\frac{\partial L}{\partial x_j} = \sum_i W_{ij} \delta_{z_i}$$

## Summary
"""
BELOW_CLAIMS = [
    (r"\frac{\partial L}{\partial \mathbf{W}} = \boldsymbol{\delta_z} \mathbf{x}^T", "_z} \\mathbf{x}^T", "_z}"),
    (r"\frac{\partial L}{\partial W_{ij}} = \delta_{z_i} x_j", "{z_i} x_j", "{z_j} x_i"),
]
"""Error signals with their quantity below them, and a section that only speaks of parameters."""


GERMAN = r"""
\begin{align*}
F &= \sum_{p \in P} {}^p E \\
{}^p E &= \frac{1}{2} \sum_j (t_j - y_j)^2
\end{align*}

$$u_m = \sum_i w_{im} x_i, \quad y_m = f(u_m), \quad E = \frac{1}{2} \sum_j (t_j - y_j)^2$$
"""
GERMAN_CLAIMS = [
    (
        r"\frac{\partial u_m}{\partial w_{hm}} = \frac{\partial}{\partial w_{hm}} \cdot \sum_i w_{im} x_i",
        "_{im} x",
        "_{hm} x",
    ),
    (
        r"\frac{\partial E}{\partial u_m} = \frac{\partial E}{\partial y_m} f'(u_m) \ \left( = -\delta_m \right) "
        r"= \text{\textcolor{blue}{\framebox{$-(t_m - y_m)$}}} \cdot f'(u_m)",
        r"$-(t_m",
        r"$(t_m",
    ),
]
"""Left superscripts, operators with a dot, a chain that goes on in brackets, a formula in a box."""
LAYERS = r"""
{{< displaymath >}}
u_j^l = \sum_i w_{ij}^l y_i^{l-1}
{{< /displaymath >}}

$$y_j^l = f(u_j^l), \quad E = \frac{1}{2} \sum_i (y_i^L - t_i)^2, \quad \delta_j^l = \frac{\partial E}{\partial u_j^l}$$
"""
LAYERS_CLAIMS = [
    (
        r"\delta_j^l = \begin{cases} \frac{\partial E}{\partial y_j^L} f_L'(u_j^L) & (l = L) \\ "
        r"\sum_k \delta_k^{l+1} w_{jk}^{l+1} f_l'(u_j^l) & (l \neq L) \end{cases}",
        "w_{jk}",
        "w_{kj}",
    ),
    (
        r"\left(\frac{\partial E}{\partial w_{ij}^l}\right)_{ij} = \mathbf{y}^{l-1} (\boldsymbol{\delta}^l)^\top",
        "^{l-1}",
        "^l",
    ),
    (
        r"\boldsymbol{\delta}^l = "
        r"\begin{pmatrix} w_{11}^{l+1} & w_{12}^{l+1} & \cdots \\ w_{21}^{l+1} "
        r"& w_{22}^{l+1} & \cdots \\ \vdots & \vdots & \ddots \end{pmatrix} "
        r"\begin{pmatrix} \delta_1^{l+1} \\ \delta_2^{l+1} \\ \vdots "
        r"\end{pmatrix} \odot f'(\mathbf{u}^l)",
        r" \odot f'(\mathbf{u}^l)",
        "",
    ),
]
"""A shortcode of Hugo, cases by l = L, the matrix of entries, and a product of matrices that are written out."""


TWO_STEPS = r"""
$$z_t = U h_{t-1} + W x_t + b, \quad h_t = f(z_t), \quad \mathcal{L}_t = \mathcal{L}(y_t, g(h_t))$$
$$\mathcal{L} = \sum_{t=1}^T \mathcal{L}_t$$
"""
TWO_STEPS_CLAIMS = [
    (
        r"\delta_{t,k} = \frac{\partial \mathcal{L}_t}{\partial z_k} = \mathrm{diag}(f'(z_k)) U^\top \delta_{t,k+1}",
        r"U^\top",
        r"U",
    ),
    (r"\frac{\partial \mathcal{L}_t}{\partial u_{ij}} = \sum_{k=1}^t [\delta_{t,k}]_i [h_{k-1}]_j", "_{k-1}", "_k"),
    (
        r"\delta_{t,k} = \prod_{\tau=k}^{t-1} \left( \mathrm{diag}(f'(z_\tau)) U^\top \right) \delta_{t,t}",
        "f'(",
        "f(",
    ),
    (
        r"\frac{\partial \mathcal{L}_t}{\partial W} = \sum_{k=1}^t \frac{\partial \mathcal{L}_t}{\partial h_t} "
        r"\prod_{j=k+1}^t \frac{\partial h_j}{\partial h_{j-1}} \frac{\partial h_k}{\partial W}",
        "{j=k+1}",
        "{j=k}",
    ),
]
"""Signals of two steps at the head of a chain, and by entries; what stands behind a product is no part of it."""


BEHIND = r"""
$$a(t) = W x(t) + U h(t-1), \quad h(t) = \tanh(a(t)), \quad o(t) = V h(t)$$
$$E(t) = \frac{1}{2} \|o(t) - d(t)\|^2, \quad E = \sum_t E(t), \quad \delta(t) = \frac{\partial E}{\partial a(t)}$$
"""
BEHIND_CLAIMS = [
    (r"\delta(t) = (1 - h(t)^2) \odot (V^T (o(t) - d(t)) + U^T \delta(t+1))", "U^T", "W^T"),
    (r"\frac{\partial E}{\partial h(t-1)} = V^T (o(t-1) - d(t-1)) + U^T \delta(t)", "(o(t-1)", "(o(t)"),
    (r"\frac{\partial E}{\partial U} = \sum_t \delta(t) h(t-1)^T", "t-1", "t"),
]
"""Steps in parentheses."""


@pytest.mark.parametrize(
    ("net", "claims", "at"),
    [(RECURRENT, RECURRENT_CLAIMS, at) for at in range(len(RECURRENT_CLAIMS))]
    + [(TOLD_BY_PARTIALS, TOLD_CLAIMS, at) for at in range(len(TOLD_CLAIMS))]
    + [(UNITS, UNITS_CLAIMS, at) for at in range(len(UNITS_CLAIMS))]
    + [(BELOW, BELOW_CLAIMS, at) for at in range(len(BELOW_CLAIMS))]
    + [(BEHIND, BEHIND_CLAIMS, at) for at in range(len(BEHIND_CLAIMS))]
    + [(TWO_STEPS, TWO_STEPS_CLAIMS, at) for at in range(len(TWO_STEPS_CLAIMS))]
    + [(GERMAN, GERMAN_CLAIMS, at) for at in range(len(GERMAN_CLAIMS))]
    + [(LAYERS, LAYERS_CLAIMS, at) for at in range(len(LAYERS_CLAIMS))],
)
def test_the_right_ones_hold_and_a_slip_is_found(net: str, claims: list[tuple[str, str, str]], at: int) -> None:
    right = [claim for claim, _, _ in claims]
    claim, old, new = claims[at]
    wrong = [*right[:at], claim.replace(old, new), *right[at + 1 :]]
    assert wrong != right
    assert set(claimed(net + _shown(right))) <= GOOD
    found = audit(read(Path("lesson.md"), net + _shown(wrong))).equations[at - len(claims)]
    assert {link.verdict for link in found.links} & BAD


def _shown(formulas: list[str]) -> str:
    return "\n\n".join(f"$${formula}$$" for formula in formulas)


def test_what_comes_from_the_next_step_is_of_no_step_of_that_name() -> None:
    found = claimed(
        r"$$h_t = \tanh(W h_{t-1} + U x_t), \quad y_t = V h_t, \quad L = \sum_t \|y_t - c_t\|^2$$"
        r"$$dy_t = 2 (y_t - c_t)$$ $$dV = \sum_t dy_t h_t^T$$ $$dh_t = V^T dy_t + dh_{next}$$"
    )
    assert not {*found} & BAD


@pytest.mark.parametrize(("state", "verdict"), [("s_k", "holds under"), ("s_i", "fails"), ("s_t", "fails")])
def test_jacobians_are_multiplied_from_the_last_step_where_what_begins_the_chain_is_immediate(
    state: str, verdict: str
) -> None:
    found = claimed(
        r"$$z_t = U x_t + W s_{t-1}, \quad s_t = \tanh(z_t), \quad L_t = \frac12 \|V s_t - y_t\|^2$$"
        r"$$\frac{\partial s_t}{\partial s_{t-1}} = \frac{\partial s_t}{\partial z_t} W$$"
        r"$$\frac{\partial L_t}{\partial W} = \sum_{k=1}^t \frac{\partial L_t}{\partial s_t}"
        r"\left(\prod_{i=k+1}^t \frac{\partial s_i}{\partial z_i} W\right)"
        rf"\frac{{\partial {state}}}{{\partial z_k}} \frac{{\partial z_k}}{{\partial W}}$$"
    )
    assert found == ["holds", verdict]
