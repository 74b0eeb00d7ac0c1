"""Classical lessons: one unit in each layer, letters for layers, words and indices above, minus signs in δ."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

CHAIN = r"""
$$C_0 = (a^{(L)} - y)^2$$
$$z^{(L)} = w^{(L)} a^{(L-1)} + b^{(L)}, \quad a^{(L)} = \sigma(z^{(L)})$$
$$\frac{\partial C}{\partial w^{(L)}} = \frac1n \sum_{k=0}^{n-1} \frac{\partial C_k}{\partial w^{(L)}}$$
"""
LATER = r"""
## Several units

$$z_j^{(L)} = \sum_k w_{jk}^{(L)} a_k^{(L-1)} + b_j^{(L)}, \quad a_j^{(L)} = \sigma(z_j^{(L)})$$
$$C_0 = \sum_j (a_j^{(L)} - y_j)^2$$
"""
FAUSETT = r"""
$$z^{in}_j = v_{0j} + \sum_i x_i v_{ij}, \quad z_j = f(z^{in}_j)$$
$$y^{in}_k = w_{0k} + \sum_j z_j w_{jk}, \quad y_k = f(y^{in}_k)$$
$$E = \frac12 \sum_k (t_k - y_k)^2$$
$$\delta_k = -\frac{\partial E}{\partial y^{in}_k} = (t_k - y_k) f'(y^{in}_k)$$
$$\delta_j = -\frac{\partial E}{\partial z^{in}_j}$$
"""
ABOVE = r"""
$$b_h = f(\alpha_h - \gamma_h), \quad \alpha_h = \sum_i v_{ih} x_i, \quad \beta_j = \sum_h w_{hj} b_h$$
$$\hat y_j^k = f(\beta_j - \theta_j), \quad f(x) = \frac{1}{1 + e^{-x}}, \quad f'(x) = f(x) (1 - f(x))$$
$$E_k = \frac12 \sum_j (\hat y_j^k - y_j^k)^2, \quad E = \frac1m \sum_{k=1}^m E_k$$
$$g_j = -\frac{\partial E_k}{\partial \hat y_j^k} \frac{\partial \hat y_j^k}{\partial \beta_j}$$
$$e_h = -\frac{\partial E_k}{\partial b_h} \frac{\partial b_h}{\partial \alpha_h}$$
"""
UNITS_ABOVE = r"""
$$u_i^h = \sigma_h\Bigl(\sum_{j=0}^n v_{jh} x_i^j\Bigr), \quad a_i^m = \sigma_m\Bigl(\sum_{h=0}^H w_{hm} u_i^h\Bigr)$$
$$u_i^0 = x_i^0 = -1$$
$$s_i^h = \sum_{j=0}^n v_{jh} x_i^j, \quad r_i^m = \sum_{h=0}^H w_{hm} u_i^h$$
$$Q_i = \frac12 \sum_{m=1}^M (a_i^m - y_i^m)^2, \quad Q = \frac1\ell \sum_{i=1}^\ell Q_i$$
$$\frac{\partial Q_i}{\partial a_i^m} = a_i^m - y_i^m = \varepsilon_i^m$$
$$\frac{\partial Q_i}{\partial u_i^h} = \sum_{m=1}^M \varepsilon_i^m \sigma_m'(r_i^m) w_{hm} = \varepsilon_i^h$$
"""
FROM_ZERO = r"""
$$z_j = \sum_{i=0}^n w_{ji} x_i, \quad a_j = \sigma(z_j), \quad E = \frac12 \sum_j (a_j - t_j)^2$$
$$x_0 = 1$$
$$\delta_j = \frac{\partial E}{\partial z_j}$$
"""
BARE = r"""
$$z^l = W^l a^{l-1}, \quad a^l = f^l(z^l)$$
$$\delta^l = \nabla_{z^l} C$$
$$\delta^{l-2} = (f^{l-2})' \odot (W^{l-1})^T \delta^{l-1}$$
"""
NUMBERED = r"""
$$z_1 = w_1 x_1 + w_2 x_2, \quad z_2 = w_3 x_1 + w_4 x_2, \quad h_i = \max(0, z_i)$$
$$o = w_5 h_1 + w_6 h_2, \quad L = \frac12 (o - t)^2$$
"""


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (CHAIN + LATER, r"\frac{\partial C_0}{\partial b_j^{(L)}} = \sigma'(z_j^{(L)}) 2 (a_j^{(L)} - y_j)",
         r"\frac{\partial C_0}{\partial b_j^{(L)}} = \sigma'(z_j^{(L)}) (a_j^{(L)} - y_j)"),
        (CHAIN, r"\frac{\partial C_0}{\partial w^{(L)}} = a^{(L-1)} \sigma'(z^{(L)}) 2 (a^{(L)} - y)",
         r"\frac{\partial C_0}{\partial w^{(L)}} = a^{(L)} \sigma'(z^{(L)}) 2 (a^{(L)} - y)"),
        (FAUSETT, r"\delta_j = f'(z^{in}_j) \sum_k \delta_k w_{jk}", r"\delta_j = f'(z_j) \sum_k \delta_k w_{jk}"),
        (FAUSETT, r"\frac{\partial E}{\partial v_{ij}} = -\delta_j x_i",
         r"\frac{\partial E}{\partial v_{ij}} = \delta_j x_i"),
        (FAUSETT + r"$$\delta^{in}_j = \sum_k \delta_k w_{jk}$$", r"\delta_j = \delta^{in}_j f'(z^{in}_j)",
         r"\delta_j = \delta^{in}_j f'(z_j)"),
        (ABOVE, r"g_j = \hat y_j^k (1 - \hat y_j^k) (y_j^k - \hat y_j^k)",
         r"g_j = \hat y_j^k (1 - \hat y_j^k) (\hat y_j^k - y_j^k)"),
        (ABOVE, r"e_h = b_h (1 - b_h) \sum_j w_{hj} g_j", r"e_h = b_h (1 - b_h) \sum_j w_{hj} b_h"),
        (ABOVE, r"\frac{\partial E_k}{\partial \theta_j} = g_j", r"\frac{\partial E_k}{\partial \theta_j} = -g_j"),
        (ABOVE, r"\frac{\partial E}{\partial w_{hj}} = -\frac1m \sum_{k=1}^m g_j^k b_h^k",
         r"\frac{\partial E}{\partial w_{hj}} = -\sum_{k=1}^m g_j^k b_h^k"),
        (UNITS_ABOVE, r"\frac{\partial Q_i}{\partial v_{jh}} = \varepsilon_i^h \sigma_h'(s_i^h) x_i^j",
         r"\frac{\partial Q_i}{\partial v_{jh}} = \varepsilon_i^h \sigma_h(s_i^h) x_i^j"),
        (UNITS_ABOVE, r"\frac{\partial Q_i}{\partial w_{0m}} = -\varepsilon_i^m \sigma_m'",
         r"\frac{\partial Q_i}{\partial w_{0m}} = \varepsilon_i^m \sigma_m'"),
        (FROM_ZERO, r"\frac{\partial E}{\partial w_{j0}} = \delta_j",
         r"\frac{\partial E}{\partial w_{j0}} = 2 \delta_j"),
        (BARE, r"\delta^{l-1} = (f^{l-1})' \odot (W^l)^T \delta^l",
         r"\delta^{l-1} = (f^l)' \odot (W^l)^T \delta^l"),
        (NUMBERED, r"\frac{\partial L}{\partial h_2} = (o - t) w_6", r"\frac{\partial L}{\partial h_2} = (o - t) w_5"),
    ],
)  # fmt: skip
def test_a_form_of_classical_lessons(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(f"{lesson}\n\n$${right}$$")) <= GOOD
    assert claimed(f"{lesson}\n\n$${wrong}$$")[-1] in BAD


@pytest.mark.parametrize(
    "rule",
    [
        r"w_{ji}(t+1) = w_{ji}(t) - \eta \frac{\partial E}{\partial w_{ji}}",
        r"w_{ji}(\text{new}) = w_{ji}(\text{old}) + \Delta w_{ji}",
        r"\Delta w_{ji}(t+1) = \eta \delta_j x_i + \mu \Delta w_{ji}(t)",
    ],
)
def test_iterations_in_parentheses_say_no_more_than_new_and_old(rule: str) -> None:
    assert claimed(rf"$$z_j = \sum_i w_{{ji}} x_i, \quad a_j = f(z_j)$$ $${rule}$$") == ["update"]


TYPED = """
1. The net
----------

A hidden unit has net_j = Σ_i w_ij x_i, and then

    h_j = tanh(net_j)                        (1)
    o = Σ_j v_j h_j                          (2)
    E = ½ (o − t)²

2. Backwards
------------

    ∂E/∂net_j = ∂E/∂h_j · ∂h_j/∂net_j
        = (o − t) v_j (1 − h_j²)             (3)

and since ∂net_j/∂w_ij = x_i we have

    ∂E/∂w_ij = (o − t) v_j (1 − h_j²) x_i    (4)
"""


@pytest.mark.parametrize(("old", "new"), [("", ""), ("(1 − h_j²) x_i", "h_j x_i"), ("∂w_ij = x_i", "∂w_ij = h_j")])
def test_formulas_that_are_typed_without_tex(old: str, new: str) -> None:
    found = audit(read(Path("lesson.txt"), TYPED.replace(old, new) if old else TYPED)).equations
    links = [link.verdict for e in found for link in e.links if link.verdict != "definition"]
    assert len(links) == 4
    assert sum(verdict in BAD for verdict in links) == bool(old)
    assert [e.label for e in found if e.label] == ["1", "2", "3", "4"]
