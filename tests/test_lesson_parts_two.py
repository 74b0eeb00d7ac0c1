"""Lessons that call entries by small letters, and statisticians' ones."""

import pytest

from tests.verdicts import claimed, of_the_last

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}
ENTRIES = r"""
Let $W = (w_{ij})$ be the weights.

$$z = W x + b, \quad a = \sigma(z), \quad L = \frac12 \|a - y\|^2$$
"""
ENTRIES_OF_LAYERS = r"""
$W^l = (w^l_{jk})$ are the weights, and

$$z^l = W^l a^{l-1} + b^l, \quad a^l = \sigma(z^l), \quad \delta^l = \nabla_{z^l} C$$
$$\frac{\partial C}{\partial b^l} = \delta^l$$
"""
ONCE = r"\nabla_{W^l} C = \delta^l (a^{l-1})^T"


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (ENTRIES, r"\frac{\partial L}{\partial w_{ij}} = (a_i - y_i) \sigma'(z_i) x_j",
         r"\frac{\partial L}{\partial w_{ij}} = (a_j - y_j) \sigma'(z_j) x_i"),
        (ENTRIES_OF_LAYERS, r"\frac{\partial C}{\partial w^l_{jk}} = \delta^l_j a^{l-1}_k",
         r"\frac{\partial C}{\partial w^l_{jk}} = \delta^l_j a^l_k"),
        (ENTRIES_OF_LAYERS, r"\nabla_{W^l} C = \delta^l (a^{l-1})^T", r"\nabla_{W^l} C = \delta^l (a^l)^T"),
    ],
)  # fmt: skip
def test_a_name_of_entries_defines_nothing(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(f"{lesson}\n\n$${right}$$")) <= GOOD
    assert set(of_the_last(f"{lesson}\n\n$${wrong}$$")) <= BAD
