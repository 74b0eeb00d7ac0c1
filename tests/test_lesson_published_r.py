"""What published lessons do: a letter for the last layer, the same sum in other letters, rules in letters of their own."""

import pytest

from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

FINAL = r"""
$$\frac{\partial E(X, w)}{\partial w_{pq}^h} = \frac{1}{N} \sum_{d=1}^N \frac{\partial}{\partial w_{pq}^h} \left(\frac12 (\hat{y_d} - y_d)^2\right) = \frac{1}{N} \sum_{d=1}^N \frac{\partial E_d}{\partial w_{pq}^h}$$
$$E = \frac12 (\hat{y} - y)^2 = \frac12 (g(s_1^z) - y)^2$$
$$\delta_q^h = \frac{\partial E}{\partial s_q^h}$$
$$\frac{\partial s_q^h}{\partial w_{pq}^h} = \frac{\partial}{\partial w_{pq}^h} \left(\sum_{r=0}^{n_{h-1}} w_{rq}^h u_r^{h-1}\right) = u_p^{h-1}$$
$$\delta_1^z = (\hat{y} - y) g'(s_1^z)$$
$$\frac{\partial E}{\partial w_{p1}^z} = \delta_1^z u_p^{z-1}$$
$$s_r^{h+1} = \sum_{q=1}^{n_h} w_{qr}^{h+1} g(s_q^h)$$
$$\delta_q^h = g'(s_q^h) \sum_{r=1}^{n_{h+1}} w_{qr}^{h+1} \delta_r^{h+1}$$
$$\frac{\partial E}{\partial w_{pq}^h} = \delta_q^h u_p^{h-1}$$
"""
FINAL_SLIPS = [
    ("= \\delta_1^z u_p^{z-1}", "= \\delta_1^z u_p^z"),
    (r"(\hat{y} - y) g'(s_1^z)", r"(y - \hat{y}) g'(s_1^z)"),
    (r"\right) = u_p^{h-1}", r"\right) = u_q^{h-1}"),
    (r"w_{qr}^{h+1} \delta", r"w_{rq}^{h+1} \delta"),
    (r"\delta_q^h u_p^{h-1}", r"\delta_p^h u_p^{h-1}"),
]


def test_what_has_no_layer_says_which_letter_is_the_last_and_one_sum_in_other_letters_what_goes_into_it() -> None:
    assert set(claimed(FINAL)) <= GOOD


@pytest.mark.parametrize(("right", "wrong"), FINAL_SLIPS)
def test_a_slip_is_found_in_a_net_with_a_letter_for_the_last_layer(right: str, wrong: str) -> None:
    assert right in FINAL
    assert sum(verdict in BAD for verdict in claimed(FINAL.replace(right, wrong))) == 1


RULE = r"""
$$\frac{dp}{dx} = \frac{dp}{dy} \frac{dy}{dx}$$

# The net

$$z = w x + b, \quad a = f(z), \quad E = \frac12 (a - y)^2$$
$$\frac{\partial E}{\partial w} = (a - y) f'(z) x$$
"""


def test_the_chain_rule_is_of_any_quantities_that_the_lesson_does_not_compute() -> None:
    assert set(claimed(RULE)) <= GOOD
    assert "holds under" not in claimed(RULE.replace(r"\frac{dy}{dx}", r"\frac{dx}{dy}"))
