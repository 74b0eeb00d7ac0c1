"""Lessons whose units have one name in all layers, and long products with dots."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

DELTA_RULE = r"""
$$net_j = \sum_i w_{ji} o_i + \theta_j, \quad o_j = f(net_j), \quad E = \frac{1}{2} \sum_j (t_j - o_j)^2$$
$$\delta_j = -\frac{\partial E}{\partial net_j}$$
"""
DELTA_RULE_CLAIMS = [
    (r"\frac{\partial E}{\partial w_{ji}} = -\delta_j o_i", "o_i", "o_j"),
    (r"\frac{\partial E}{\partial \theta_j} = -\delta_j", r"= -", "= "),
    (r"\delta_j = (t_j - o_j) f'(net_j)", "(t_j - o_j)", "(o_j - t_j)"),
    (r"\frac{\partial E}{\partial o_j} = \sum_k \frac{\partial E}{\partial net_k} \frac{\partial net_k}{\partial o_j}",
     r"{\partial o_j} = \sum", r"{\partial o_j} = -\sum"),
    (r"\frac{\partial E}{\partial o_j} = \sum_k \frac{\partial E}{\partial net_k} \frac{\partial}{\partial o_j}"
     r" \sum_i w_{ki} o_i = -\sum_k \delta_k w_{kj}", r"\delta_k w_{kj}", r"\delta_k w_{jk}"),
    (r"\delta_j = f'(net_j) \sum_k \delta_k w_{kj}", "w_{kj}", "w_{jk}"),
]  # fmt: skip
"""Rumelhart's: the j of some formulas are outputs, those of others feed the units k."""
DOWNSTREAM = r"""
$$E = \frac{1}{2} \sum_{k \in outputs} (t_k - o_k)^2$$
$$net_j = \sum_i w_{ji} x_{ji}, \quad o_j = \sigma(net_j), \quad \sigma(y) = \frac{1}{1 + e^{-y}}$$
$$\delta_j = -\frac{\partial E}{\partial net_j}$$
"""
DOWNSTREAM_CLAIMS = [
    (r"\frac{\partial E}{\partial w_{ji}} = \frac{\partial E}{\partial net_j} x_{ji}", "x_{ji}", "o_j"),
    (r"\frac{\partial E}{\partial o_j} = \frac{\partial}{\partial o_j} \frac{1}{2} (t_j - o_j)^2 = -(t_j - o_j)",
     "-(t", "(t"),
    (r"\delta_j = (t_j - o_j) o_j (1 - o_j)", "o_j (1 - o_j)", "(1 - o_j)"),
    (r"\frac{\partial E}{\partial net_j} = \sum_{k \in Downstream(j)} -\delta_k w_{kj} o_j (1 - o_j)", "w_{kj} o_j",
     "w_{kj} o_k"),
    (r"\delta_j = o_j (1 - o_j) \sum_{k \in Downstream(j)} \delta_k w_{kj}", "w_{kj}", "w_{jk}"),
]  # fmt: skip
"""Mitchell's: what unit j gets from unit i is x_{ji}, and sets of units have names."""
PATTERNS = r"""
$$net_{pj} = \sum_i w_{ji} o_{pi}, \quad o_{pj} = f_j(net_{pj}), \quad E_p = \frac{1}{2} \sum_j (t_{pj} - o_{pj})^2$$
$$E = \sum_p E_p, \quad \delta_{pj} = -\frac{\partial E_p}{\partial net_{pj}}$$
"""
PATTERNS_CLAIMS = [
    (r"-\frac{\partial E_p}{\partial w_{ji}} = \delta_{pj} o_{pi}", "= ", "= -"),
    (r"\delta_{pj} = (t_{pj} - o_{pj}) f_j'(net_{pj})", "f_j'", "f_j"),
    (r"\delta_{pj} = f_j'(net_{pj}) \sum_k \delta_{pk} w_{kj}", "w_{kj}", "w_{jk}"),
]
ERRORS = r"""
$$v_j(n) = \sum_{i=0}^m w_{ji}(n) y_i(n), \quad y_j(n) = \varphi_j(v_j(n)), \quad e_j(n) = d_j(n) - y_j(n)$$
$$\mathcal{E}(n) = \frac{1}{2} \sum_{j \in C} e_j^2(n)$$
$$\delta_j(n) = -\frac{\partial \mathcal{E}(n)}{\partial v_j(n)}$$
"""
ERRORS_CLAIMS = [
    (r"\frac{\partial \mathcal{E}(n)}{\partial w_{ji}(n)} = -e_j(n) \varphi_j'(v_j(n)) y_i(n)", "y_i", "y_j"),
    (r"\frac{\partial \mathcal{E}(n)}{\partial y_j(n)} = -\sum_k e_k(n) \varphi_k'(v_k(n)) w_{kj}(n)",
     "w_{kj}", "w_{jk}"),
    (r"\delta_j(n) = \varphi_j'(v_j(n)) \sum_k \delta_k(n) w_{kj}(n)", "_j'(v_j(n))", "_j(v_j(n))"),
]  # fmt: skip
"""Haykin's: errors are of outputs alone."""
ONE_OUTPUT = r"""
$$E = \frac{1}{2} (t - y)^2$$ $$o_j = \varphi(net_j) = \varphi\left(\sum_k w_{kj} o_k\right)$$
$$\varphi(z) = \frac{1}{1 + e^{-z}}$$ For the output neuron $o_j = y$.
$$\delta_j = \frac{\partial E}{\partial o_j} \frac{\partial o_j}{\partial net_j}$$
"""
ONE_OUTPUT_CLAIMS = [
    (r"\frac{\partial E}{\partial o_j} = \frac{\partial E}{\partial y} = y - t", "y - t", "t - y"),
    (r"\frac{\partial E}{\partial o_j} = \sum_{l \in D} \frac{\partial E}{\partial o_l}"
     r" \frac{\partial o_l}{\partial net_l} w_{jl}", "w_{jl}", "w_{lj}"),
    (r"\frac{\partial E}{\partial w_{ij}} = o_i \delta_j", r"o_i \delta_j", r"o_j \delta_i"),
    (r"\delta_j = \begin{cases} (o_j - t_j) o_j (1 - o_j) & \text{if } j \text{ is an output neuron,}\\"
     r" \left(\sum_{l \in D} w_{jl} \delta_l\right) o_j (1 - o_j) & \text{if } j \text{ is an inner neuron.}"
     r"\end{cases}", r"w_{jl} \delta_l", r"w_{lj} \delta_l"),
]  # fmt: skip
PASSED_ON = r"""
$$a^0 = x$$ $$z^l = W^l a^{l-1}, \quad a^l = f^l(z^l)$$ $$\delta^l = \nabla_{z^l} C$$
$$\delta^{l-1} = (f^{l-1})' \circ (W^l)^T \cdot \delta^l$$
"""
PASSED_ON_CLAIMS = [
    (r"\nabla_x C = (W^1)^T \cdot (f^1)' \circ \ldots \circ (W^{L-1})^T \cdot (f^{L-1})' \circ (W^L)^T \cdot (f^L)'"
     r" \circ \nabla_{a^L} C", r"(f^L)' \circ", ""),
    (r"\delta^l = (f^l)' \circ (W^{l+1})^T \cdot (f^{l+1})' \circ \cdots \circ (W^L)^T \cdot (f^L)'"
     r" \circ \nabla_{a^L} C", r"= (f^l)' \circ", "="),
]  # fmt: skip
"""The whole product of a network, every factor applied to what follows it."""
STATES = r"""
$$h_t = \tanh(U x_t + W h_{t-1}), \quad \hat y_t = V h_t, \quad L = \frac{1}{2} \sum_t (\hat y_t - y_t)^2$$
"""
STATES_CLAIMS = [
    (r"\frac{\partial h_t}{\partial h_k} = \frac{\partial h_t}{\partial h_{t-1}}"
     r" \frac{\partial h_{t-1}}{\partial h_{t-2}} \cdots \frac{\partial h_{k+1}}{\partial h_k}",
     r"\cdots", r"2 \cdots"),
]  # fmt: skip
TWO_STEPS = r"""
$$h_t = \tanh(U h_{t-1} + W x_t + b), \quad L_t = \frac{1}{2} \|V h_t - y_t\|^2, \quad L = \sum_{t=1}^T L_t$$
With $z_k = U h_{k-1} + W x_k + b$: $$\delta_{t,k} = \frac{\partial L_t}{\partial z_k}$$
"""
TWO_STEPS_CLAIMS = [
    (r"\delta_{t,k} = \mathrm{diag}(1 - h_k^2) U^T \delta_{t,k+1}", r"\delta_{t,k+1}", r"\delta_{t+1,k}"),
    (r"\delta_{t,t} = (1 - h_t^2) \odot V^T (V h_t - y_t)", "(1 - h_t^2)", "(1 - h_t)"),
    (r"\frac{\partial L_t}{\partial U} = \sum_{k=1}^t \delta_{t,k} h_{k-1}^T", "h_{k-1}", "h_k"),
    (r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \sum_{k=1}^t \delta_{t,k} x_k^T", "x_k", "x_t"),
]
"""Of the loss of one step, and what goes into the state of another."""
ONE_BY_ONE = r"""
$$z_1 = w_{11} x_1 + w_{12} x_2 + b_1, \quad z_2 = w_{21} x_1 + w_{22} x_2 + b_2$$
$$h_1 = \tanh(z_1), \quad h_2 = \tanh(z_2), \quad o = v_1 h_1 + v_2 h_2 + c, \quad C = \frac{1}{2} (o - y)^2$$
See that $(o - y) v_j (1 - h_j^2)$ is everywhere:
"""
ONE_BY_ONE_CLAIMS = [
    (r"\frac{\partial C}{\partial v_2} = (o - y) h_2", "h_2", "h_1"),
    (r"\frac{\partial C}{\partial w_{21}} = (o - y) v_2 (1 - h_2^2) x_1", "v_2", "v_1"),
]
OVERWRITTEN = r"""
$$h^{(0)} = x, \quad a^{(k)} = W^{(k)} h^{(k-1)} + b^{(k)}, \quad h^{(k)} = f(a^{(k)}), \quad \hat y = h^{(L)}$$
$$J = L(\hat y, y)$$ $$g \leftarrow \nabla_{\hat y} J$$
"""
OVERWRITTEN_CLAIMS = [
    (r"g \leftarrow \nabla_{a^{(k)}} J = g \odot f'(a^{(k)})", "f'", "f"),
    (r"\nabla_{b^{(k)}} J = g", "= g", "= 2 g"),
    (r"\nabla_{W^{(k)}} J = g h^{(k-1)T}", "(k-1)", "(k)"),
    (r"g \leftarrow \nabla_{h^{(k-1)}} J = W^{(k)T} g", "W^{(k)T}", "W^{(k-1)T}"),
]
"""A loop in which one symbol is the gradient by one quantity after the other."""
LESSONS = [
    (PATTERNS, PATTERNS_CLAIMS), (ERRORS, ERRORS_CLAIMS),
    (OVERWRITTEN, OVERWRITTEN_CLAIMS),
    (TWO_STEPS, TWO_STEPS_CLAIMS), (ONE_BY_ONE, ONE_BY_ONE_CLAIMS),
    (DELTA_RULE, DELTA_RULE_CLAIMS), (DOWNSTREAM, DOWNSTREAM_CLAIMS), (ONE_OUTPUT, ONE_OUTPUT_CLAIMS),
    (PASSED_ON, PASSED_ON_CLAIMS), (STATES, STATES_CLAIMS),
]  # fmt: skip


@pytest.mark.parametrize(
    ("net", "claims", "at"), [(net, claims, k) for net, claims in LESSONS for k in range(len(claims))]
)
def test_the_right_ones_hold_and_a_slip_is_found(net: str, claims: list[tuple[str, str, str]], at: int) -> None:
    right = [claim for claim, _, _ in claims]
    claim, old, new = claims[at]
    wrong = [*right[:at], claim.replace(old, new), *right[at + 1 :]]
    assert wrong != right
    assert set(claimed(net + _shown(right))) <= {*GOOD, "update"}
    found = audit(read(Path("lesson.md"), net + _shown(wrong))).equations[at - len(claims)]
    assert {link.verdict for link in found.links} & BAD


NIELSEN = r"""
$$z^l = w^l a^{l-1} + b^l, \quad a^l = \sigma(z^l), \quad C = \frac{1}{2} \sum_j (a^L_j - y_j)^2$$
$$\delta^l_j = \frac{\partial C}{\partial z^l_j} = \frac{\partial C}{\partial b^l_j}$$
$$\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j$$
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"(s \odot t)_j = s_j t_j", r"(s \odot t)_j = s_j + t_j"),
        (r"\frac{\partial C}{\partial b} = \delta", r"\frac{\partial C}{\partial b} = a"),
        (r"\frac{\partial C}{\partial w} = a_{\rm in} \delta_{\rm out}",
         r"\frac{\partial C}{\partial w} = a_{\rm out} \delta_{\rm in}"),
    ],
)  # fmt: skip
def test_rules_without_scripts_are_of_any_neuron(right: str, wrong: str) -> None:
    assert claimed(f"{NIELSEN}$${right}$$")[-1] == "holds under"
    assert claimed(f"{NIELSEN}$${wrong}$$")[-1] == "not understood"


def test_what_is_said_of_softmax_outputs_is_so_for_them() -> None:
    net = r"""
$$a_j = \sum_i w_{ji} z_i, \quad z_j = f(a_j)$$
$$\frac{\partial y_k}{\partial a_j} = \sum_l \frac{\partial y_k}{\partial a_l} \frac{\partial a_l}{\partial a_j}$$
For softmax outputs
"""
    assert claimed(net + r"$$\frac{\partial y_k}{\partial a_l} = \delta_{kl} y_k - y_k y_l$$")[-1] == "holds under"
    assert claimed(net + r"$$\frac{\partial y_k}{\partial a_l} = \delta_{kl} y_k + y_k y_l$$")[-1] not in GOOD


def _shown(formulas: list[str]) -> str:
    return "\n\n".join(f"$${formula}$$" for formula in formulas)
