"""Classical lessons: one unit in each layer, letters for layers, words and indices above, minus signs in δ."""

import pytest

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
