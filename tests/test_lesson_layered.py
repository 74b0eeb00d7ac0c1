r"""Lessons with layers above their symbols, in the notations of engineers, statisticians and physicists."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

MACROS = r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}"
ENGINEERS = r"""
$$a^0 = p, \quad n^m = W^m a^{m-1} + b^m, \quad a^m = f^m(n^m), \quad m = 1, 2, \ldots, M$$
$$a = a^M, \quad e = t - a, \quad \hat F = e^T e$$
$$n_i^m = \sum_j w_{i,j}^m a_j^{m-1} + b_i^m$$
$$s^m = \frac{\partial \hat F}{\partial n^m}, \quad \dot f^m(n_j^m) = \frac{\partial f^m(n_j^m)}{\partial n_j^m}$$
"""
UNITS = r"""
$$a_j = \sum_i w_{ji} z_i, \quad z_j = h(a_j), \quad y_k = a_k, \quad E = \frac12 \sum_k (y_k - t_k)^2$$
$$\delta_j = \frac{\partial E}{\partial a_j}$$
$$\delta_j = \sum_k \frac{\partial E}{\partial a_k} \frac{\partial a_k}{\partial a_j}$$
"""
SAMPLES = r"""
$$z^l = w^l a^{l-1} + b^l, \quad a^l = \sigma(z^l)$$
$$C = \frac{1}{2n} \sum_x \|y(x) - a^L(x)\|^2, \quad C = \frac1n \sum_x C_x, \quad C_x = \frac12 \|y - a^L\|^2$$
$$\delta^{x,l} = \frac{\partial C_x}{\partial z^{x,l}}$$
$$z^{x,l} = w^l a^{x,l-1} + b^l, \quad a^{x,l} = \sigma(z^{x,l})$$
"""
ROWS = r"""
$$U = H W, \quad J = -\frac1m \sum_{i=1}^m \sum_c Y_{i,c} \log \mathrm{softmax}(U_{i,:})_c$$
$$\frac{\partial J}{\partial W} = H^T \frac{\partial J}{\partial U}$$
"""
DEEP = r"$$a^{(0)} = x, \quad z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}, \quad a^{(l)} = f(z^{(l)})$$ "


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (ENGINEERS, r"\frac{\partial n^{m+1}}{\partial n^m} = W^{m+1} \dot F^m(n^m)",
         r"\frac{\partial n^{m+1}}{\partial n^m} = W^m \dot F^m(n^m)"),
        (ENGINEERS, r"\frac{\partial n_i^{m+1}}{\partial n_j^m} = w_{i,j}^{m+1} \dot f^m(n_j^m)",
         r"\frac{\partial n_i^{m+1}}{\partial n_j^m} = w_{j,i}^{m+1} \dot f^m(n_j^m)"),
        (ENGINEERS, r"s^M = -2 \dot F^M(n^M) (t - a)", r"s^M = 2 \dot F^M(n^M) (t - a)"),
        (ENGINEERS + r"$$w_{i,j}^m(k+1) = w_{i,j}^m(k) - \alpha \frac{\partial \hat F}{\partial w_{i,j}^m}$$",
         r"\frac{\partial \hat F}{\partial a} = -2 (t(k) - a(k))",
         r"\frac{\partial \hat F}{\partial a} = -2 (a(k) - t(k))"),
        (ENGINEERS + r"$$f^1(n) = \frac{1}{1 + e^{-n}}, \quad f^2(n) = n$$", r"s^2 = -2 (t - a)", r"s^2 = -(t - a)"),
        (UNITS, r"\delta_k = y_k - t_k", r"\delta_k = t_k - y_k"),
        (UNITS, r"\delta_j = h'(a_j) \sum_k w_{kj} \delta_k", r"\delta_j = h'(a_j) \sum_k w_{jk} \delta_k"),
        (UNITS, r"\frac{\partial E}{\partial w_{ji}} = \delta_j z_i",
         r"\frac{\partial E}{\partial w_{ji}} = \delta_i z_j"),
        (SAMPLES, r"\delta^{x,L} = (a^{x,L} - y) \odot \sigma'(z^{x,L})",
         r"\delta^{x,L} = (a^{x,L} - y) \odot \sigma(z^{x,L})"),
        (SAMPLES, r"\delta^{x,l} = ((w^{l+1})^T \delta^{x,l+1}) \odot \sigma'(z^{x,l})",
         r"\delta^{x,l} = ((w^l)^T \delta^{x,l+1}) \odot \sigma'(z^{x,l})"),
        (ROWS, r"\frac{\partial J}{\partial U} = \frac1m (\mathrm{softmax}(U) - Y)",
         r"\frac{\partial J}{\partial U} = \frac1m (Y - \mathrm{softmax}(U))"),
        (DEEP, r"\frac{\partial z^{(l)}}{\partial W_{ij}^{(l)}} = [0, \cdots, a_j^{(l-1)}, \cdots, 0]",
         r"\frac{\partial z^{(l)}}{\partial W_{ij}^{(l)}} = [0, \cdots, a_i^{(l-1)}, \cdots, 0]"),
        (DEEP, r"\frac{\partial z^{(l)}}{\partial b^{(l)}} = I_{M_l}",
         r"\frac{\partial z^{(l)}}{\partial b^{(l)}} = W^{(l)}"),
        (DEEP + r"$$R = \lambda \|W\|_F^2$$", r"\frac{\partial R}{\partial W^{(l)}} = 2 \lambda W^{(l)}",
         r"\frac{\partial R}{\partial W^{(l)}} = \lambda W^{(l)}"),
        (r"$$u_a = \sum_i W_{ai} x_i, \quad h_a = g(u_a)$$ "
         r"$$h^l_a = g(u^l_a), \quad u^l_a = \sum_b W^l_{ab} h^{l-1}_b$$"
         r" $$g = \tanh$$", r"g'(u_a) = 1 - h_a^2", r"g'(u_a) = 1 - h_a"),
        (r"$$y = g(x), \quad z = f(y)$$ # Nets" "\n\n" r"$$h^{(0)} = x, \quad h^{(k)} = f(W^{(k)} h^{(k-1)})$$"
         r"$$\hat y = h^{(l)}, \quad k = 1, \ldots, l, \quad J = \|\hat y - y\|^2$$",
         r"\frac{\partial J}{\partial h^{(l)}} = 2 (\hat y - y)", r"\frac{\partial J}{\partial h^{(l)}} = \hat y - y"),
    ],
)  # fmt: skip
def test_the_right_one_holds_and_the_slip_is_found(lesson: str, right: str, wrong: str) -> None:
    assert set(_verdicts(lesson + f"\n\n$${right}$$")) <= GOOD
    assert set(_verdicts(lesson + f"\n\n$${wrong}$$")) <= BAD


def test_a_letter_above_in_a_macro_is_no_label() -> None:
    lesson = rf"\documentclass{{article}}{MACROS}\begin{{document}}\[n^m = W^m a^{{m-1}} + b^m\] \[a^m = f(n^m)\]"
    found = audit(read(Path("lesson.tex"), lesson + r"\[\pd{a^m_i}{n^m_i} = f'(n^m_i)\]\end{document}"))
    assert {link.verdict for link in found.equations[-1].links} <= GOOD


def test_the_activation_that_the_text_names() -> None:
    text = r"$f(z) = \frac{1}{1 + e^{-z}}$, so $f'(z) = f(z) (1 - f(z))$. If you use tanh instead, "
    assert set(_verdicts(text + r"$f'(z) = 1 - f(z)^2$.")) <= GOOD
    assert set(_verdicts(text + r"$f'(z) = 1 + f(z)^2$.")) <= BAD
    assert set(_verdicts(text.replace("If you use tanh instead, ", "") + r"$f'(z) = 1 - f(z)^2$.")) <= BAD


@pytest.mark.parametrize(
    "nothing",
    [r"l = L-1, \ldots, 2", r"D = \{(x^{(n)}, y^{(n)})\}_{n=1}^N", r"(W, b) = (W^{(1)}, b^{(1)}, W^{(2)}, b^{(2)})"],
)
def test_what_claims_nothing(nothing: str) -> None:
    assert set(_verdicts(DEEP + f"\n\n$${nothing}$$")) <= {"aside", "definition"}


def _verdicts(text: str) -> list[str]:
    """What is said of the last formula."""
    return [link.verdict for link in audit(read(Path("lesson.md"), text)).equations[-1].links]
