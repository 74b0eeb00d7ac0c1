"""Lessons on convolutions, normalisation and attention: indices that are added up, dx_i and dγ, keys and widths."""

import pytest

from tests.verdicts import claimed, of_the_last

LINE = r"""
$$z_i = \sum_{a=0}^{m-1} w_a x_{i+a} + b, \quad L = \frac{1}{2} \sum_i (z_i - t_i)^2$$
"""
FROM_ONE = r"""
$$O_{pq} = \sum_{r=1}^{F} \sum_{s=1}^{F} K_{rs} I_{p+r-1, q+s-1}$$

$$\frac{\partial L}{\partial K_{rs}} = \sum_p \sum_q \frac{\partial L}{\partial O_{pq}} \frac{\partial O_{pq}}{\partial K_{rs}}$$
"""  # noqa: E501
LAYERS = r"""
$$z^l_{i,j} = \sum_{u} \sum_{v} w^l_{u,v} a^{l-1}_{i-u,j-v} + b^l, \quad a^l_{i,j} = \sigma(z^l_{i,j})$$

$$\delta^l_{i,j} = \frac{\partial C}{\partial z^l_{i,j}}$$
"""
CHANNELS = r"""
$$z_{k,i,j} = b_k + \sum_c \sum_p \sum_q w_{k,c,p,q} x_{c,i+p,j+q}$$

$$\frac{\partial L}{\partial b_k} = \sum_{i,j} \frac{\partial L}{\partial z_{k,i,j}}$$
"""
BATCH = r"""
$$\mu = \frac{1}{m} \sum_{i=1}^m x_i, \quad \sigma^2 = \frac{1}{m} \sum_{i=1}^m (x_i - \mu)^2$$

$$\hat x_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}, \quad y_i = \gamma \hat x_i + \beta$$

$$d\hat x_i = dy_i \gamma, \quad d\beta = \sum_{i=1}^m dy_i$$
"""
ATTENTION = r"""
$$S = \frac{Q K^T}{\sqrt{d}}, \quad P = \mathrm{softmax}(S), \quad O = P V, \quad dO = \frac{\partial L}{\partial O}$$

$$dV = P^T dO, \quad dP = dO V^T, \quad dS_{ij} = P_{ij} (dP_{ij} - \sum_k dP_{ik} P_{ik})$$
"""
CASES = {
    "the kernel of a line": (
        LINE, r"\frac{\partial L}{\partial w_a} = \sum_i \frac{\partial L}{\partial z_i} x_{i+a}", "i+a", "i-a",
    ),
    "its input, with the kernel flipped": (
        LINE, r"\frac{\partial L}{\partial x_i} = \sum_a \frac{\partial L}{\partial z_{i-a}} w_a", "i-a", "i+a",
    ),
    "counted from one": (
        FROM_ONE,
        r"\frac{\partial L}{\partial I_{ij}} = \sum_r \sum_s \frac{\partial L}{\partial O_{i-r+1,j-s+1}} K_{rs}",
        "i-r+1", "i-r-1",
    ),
    "an entry": (
        FROM_ONE, r"\frac{\partial O_{pq}}{\partial K_{rs}} = I_{p+r-1,q+s-1}", "p+r-1,q+s-1", "p+r,q+s",
    ),
    "δ through a layer that convolves": (
        LAYERS, r"\delta^l_{i,j} = \sum_u \sum_v \delta^{l+1}_{i+u,j+v} w^{l+1}_{u,v} \sigma'(z^l_{i,j})", "+v", "-v",
    ),
    "its kernel": (
        LAYERS, r"\frac{\partial C}{\partial w^l_{u,v}} = \sum_i \sum_j \delta^l_{i,j} a^{l-1}_{i-u,j-v}", "-u", "+u",
    ),
    "channels": (
        CHANNELS,
        r"\frac{\partial L}{\partial x_{c,i,j}} = \sum_{k} \sum_{p} \sum_{q}"
        r" \frac{\partial L}{\partial z_{k,i-p,j-q}} w_{k,c,p,q}",
        "i-p,j-q", "i+p,j+q",
    ),
    "dσ² beside dx̂": (
        BATCH, r"d\sigma^2 = -\frac12 \sum_{i=1}^m d\hat x_i (x_i - \mu) (\sigma^2 + \epsilon)^{-3/2}", "-3/2", "-1/2",
    ),
    "dγ": (BATCH, r"d\gamma = \sum_{i=1}^m dy_i \hat x_i", r"\hat x_i", "x_i"),
    "keys": (ATTENTION, r"dK = \frac{1}{\sqrt{d}} dS^T Q", "dS^T", "dS"),
    "queries": (ATTENTION, r"dQ = \frac{1}{\sqrt{d}} dS K", r"\frac{1}{\sqrt{d}}", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_right_formulas_hold_and_their_twins_do_not(case: str) -> None:
    forward, right, part, slip = CASES[case]
    assert part in right
    assert set(of_the_last(f"{forward}\n$$\n{right}\n$$\n")) == {"holds"}
    assert of_the_last(f"{forward}\n$$\n{right.replace(part, slip)}\n$$\n")[-1] in ("fails", "ill-typed")


@pytest.mark.parametrize("lesson", [FROM_ONE, LAYERS, CHANNELS, BATCH, ATTENTION])
def test_what_leads_to_them_holds(lesson: str) -> None:
    assert set(claimed(lesson)) <= {"holds", "vacuous"}


def test_positions_that_no_forward_equation_adds_up_are_not_understood() -> None:
    lesson = (
        r"$$z_i = w_i x_i, \quad L = \sum_i z_i^2$$" + "\n\n" + r"$$\frac{\partial L}{\partial x_i} = z_{i+k} w_i$$"
    )
    assert of_the_last(lesson) == ["not understood"]


def test_a_display_between_escaped_dollars_is_read() -> None:
    lesson = (
        "The slope is\n\\$$\n\\begin{align}\n\\frac{\\partial x^2}{\\partial x} = 2 x\n\\end{align}\n\\$$\nas said."
    )
    assert of_the_last(lesson) == ["holds"]
