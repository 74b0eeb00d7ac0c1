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


def offered(text: str) -> str:
    """The first correction of the last formula."""
    return audit(read(Path("lesson.md"), text), code=False).equations[-1].suggestions[0].tex


SOFTMAX = r"$s_i = \frac{e^{x_i}}{\sum_j e^{x_j}}$. If $i \ne j$: "


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (
            r"\frac{\partial s_i}{\partial x_j} = s_i s_j",
            r"\frac{\partial s_i}{\partial x_j} = -s_i s_j",
        ),
        (
            r"\frac{\partial s_i}{\partial x_j} = \frac{0 - e^{x_i} e^{x_j}}{\sum_k e^{x_k}}",
            r"\frac{\partial s_i}{\partial x_j} = \frac{0 - e^{x_i} e^{x_j}}{(\sum_k e^{x_k})^{2}}",
        ),
        (
            r"\frac{\partial s_i}{\partial x_j} = \begin{cases} s_i (1 - s_j) & i = j \\ s_i s_j & else \end{cases}",
            r"\frac{\partial s_i}{\partial x_j} = \begin{cases} s_i (1 - s_j) & i = j \\ -s_i s_j & else \end{cases}",
        ),
    ],
)
def test_what_is_said_under_a_condition_is_mended_under_it(wrong: str, right: str) -> None:
    assert offered(f"{SOFTMAX}$${wrong}$$") == right


def test_an_exponent_is_mended() -> None:
    scaled = r"$u = (v + \epsilon)^{-1/2} x$, $$\frac{\partial u}{\partial v} = -\frac12 (v + \epsilon)^{-1/2} x$$"
    assert offered(scaled) == r"\frac{\partial u}{\partial v} = -\frac12 (v + \epsilon)^{-3/2} x"


def test_what_is_wrong_by_either_of_two_losses_is_mended_by_one() -> None:
    lesson = r"""
$$Z = W A + b, \quad \hat Y = \sigma(Z)$$
For classification $$J = -\frac{1}{m} \sum_{i=1}^m [Y^{(i)} \log \hat Y^{(i)} + (1 - Y^{(i)}) \log(1 - \hat Y^{(i)})]$$
For regression $$J = \frac{1}{2m} \sum_{i=1}^m \|\hat Y^{(i)} - Y^{(i)}\|^2$$
For regression $$\frac{\partial J}{\partial \hat Y} = \frac{1}{m} (Y - \hat Y)$$
"""
    assert offered(lesson) == r"\frac{\partial J}{\partial \hat Y} = \frac{1}{m} (\hat Y - Y)"


def test_a_chain_is_of_one_activation() -> None:
    net = r"$s_t = U x_t + W h_{t-1}$, $h_t = f(s_t)$, $z_t = V h_t$, $E_t = \frac12 \|z_t - y_t\|^2$."
    chain = r"$$\frac{\partial E_t}{\partial s_t} = diag(1 - h_t \odot h_t) V^T (z_t - y_t) = V^T (z_t - y_t) \odot X$$"
    right = audit(read(Path("lesson.md"), net + chain.replace("X", r"(1 - h_t \odot h_t)"))).equations[-1]
    assert {link.verdict for link in right.links} == {"holds under"}
    wrong = audit(read(Path("lesson.md"), net + chain.replace("X", r"h_t \odot (1 - h_t)"))).equations[-1]
    assert [link.verdict for link in wrong.links] == ["holds under", "fails"]


def test_a_number_of_samples_is_no_two() -> None:
    variance = r"$\mu = \frac1m \sum_{i=1}^m x_i$, $v = \frac1m \sum_{i=1}^m (x_i - \mu)^2$. "
    right = r"$$\frac{\partial v}{\partial x_i} = \frac{2}{m} (x_i - \mu)$$"
    assert audit(read(Path("lesson.md"), variance + right)).equations[-1].verdict == "holds"
    wrong = audit(read(Path("lesson.md"), variance + right.replace(r"\frac{2}{m}", ""))).equations[-1]
    assert wrong.verdict == "fails"
