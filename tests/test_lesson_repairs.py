"""The first correction of a slip is the formula that the author meant, in the lesson's own spelling."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from oracle.lesson.records import BAD

UNITS = r"""$$a_j = \sum_{i=1}^{D} u_{ji} x_i$$
$$h_j = \tanh(a_j)$$
$$r_k = \sum_{j=1}^{M} v_{kj} h_j$$
$$E = \frac{1}{2} \sum_{k=1}^{K} (t_k - r_k)^2$$
$$\frac{\partial E}{\partial r_k} = -(t_k - r_k)$$
$$e_k = \frac{\partial E}{\partial r_k}$$
"""
ROWS = r"""$$H = \sigma(X W_1)$$
$$S = H W_2$$
$$L = \frac{1}{2N} \| S - Y \|^2$$
$$\frac{\partial L}{\partial S} = \frac{1}{N} (S - Y)$$
$$\frac{\partial L}{\partial H} = \frac{\partial L}{\partial S} W_2^\top$$
"""
CASES = [
    (UNITS, r"\frac{\partial E}{\partial a_j} = (1 - h_j) \sum_{k=1}^{K} e_k v_{kj}",
     r"(1 - h_j^{2}) \sum_{k=1}^{K} e_k v_{kj}"),
    (UNITS, r"\frac{\partial E}{\partial a_j} = (1 - a_j^2) \sum_{k=1}^{K} e_k v_{kj}",
     r"(1 - h_j^{2}) \sum_{k=1}^{K} e_k v_{kj}"),
    (UNITS, r"\frac{\partial E}{\partial h_j} = \sum_{j=1}^{M} e_k v_{kj}", r"\sum_{k=1}^{K} e_k v_{kj}"),
    (UNITS, r"\frac{\partial E}{\partial r_k} = (t_k - r_k)", r"-(t_k - r_k)"),
    (ROWS, r"\frac{\partial L}{\partial H} = \frac{\partial L}{\partial S} W_1^\top",
     r"\frac{\partial L}{\partial S} W_2^\top"),
    (ROWS, r"\frac{\partial L}{\partial S} = S - Y", r"\frac{1}{N} (S - Y)"),
]  # fmt: skip


@pytest.mark.parametrize(("lesson", "slip", "meant"), CASES)
def test_the_first_correction_is_what_was_meant(lesson: str, slip: str, meant: str) -> None:
    text = f"{lesson}$${slip}$$\n".replace("\n", "\n\n")
    last = audit(read(Path("lesson.md"), text), code=False).equations[-1]
    assert last.verdict in BAD
    assert last.suggestions[0].tex.endswith(meant)
