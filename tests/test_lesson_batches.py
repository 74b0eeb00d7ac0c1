"""Batches and the losses of their samples: which loss a letter is, and what a mean over samples is of."""

import pytest

from tests.verdicts import of_the_last

LAYERS = r"""
$$z^{(l+1)} = W^{(l)} a^{(l)} + b^{(l)}, \quad a^{(l)} = f(z^{(l)})$$

A pair $(x, y)$ costs $$J(W,b;x,y) = \frac12 \|a^{(n_l)} - y\|^2$$

and all of them together
$$J(W,b) = \frac1m \sum_{i=1}^m J(W,b;x^{(i)},y^{(i)}) + \frac\lambda2 \sum_{l=1}^{n_l-1} \sum_{i=1}^{s_l}
\sum_{j=1}^{s_{l+1}} (W^{(l)}_{ji})^2$$
"""
CLASSES = r"""
$$p^{(i)} = \mathrm{softmax}(W x^{(i)} + b)$$

$$J^{(i)}(W, b) = -\sum_k y^{(i)}_k \log p^{(i)}_k$$

$$J(W, b) = \frac1m \sum_{i=1}^m J^{(i)}(W, b) + \frac\lambda2 \|W\|_F^2$$
"""
SHORT = r"""
$$\hat y^{(i)} = \theta^T x^{(i)}$$

$$L(x^{(i)}, y^{(i)}) = (\hat y^{(i)} - y^{(i)})^2, \quad L = \frac1N \sum_{i=1}^N L(x^{(i)}, y^{(i)})$$
"""


@pytest.mark.parametrize(
    ("lesson", "formula", "slip", "instead"),
    [
        (
            LAYERS,
            r"\frac{\partial}{\partial W_{ij}^{(l)}} J(W,b) = \frac1m \sum_{i=1}^m \frac{\partial}{\partial "
            r"W_{ij}^{(l)}} J(W,b; x^{(i)}, y^{(i)}) + \lambda W_{ij}^{(l)}",
            r"+ \lambda",
            r"+ 2 \lambda",
        ),
        (
            LAYERS,
            r"\frac{\partial}{\partial b_i^{(l)}} J(W,b) = \frac1m \sum_{k=1}^m \frac{\partial}{\partial "
            r"b_i^{(l)}} J(W,b; x^{(k)}, y^{(k)})",
            r"\frac1m",
            "",
        ),
        (
            LAYERS,
            r"\frac{\partial}{\partial b_i^{(l)}} J(W,b) = \frac1m \sum_{k=1}^m \frac{\partial}{\partial "
            r"b_i^{(l)}} J(W,b; x^{(k)}, y^{(k)})",
            "y^{(k)}",
            "y^{(i)}",
        ),
        (
            LAYERS,
            r"\frac{\partial}{\partial W_{ij}^{(l)}} J(W,b;x,y) = \frac{\partial J}{\partial z_i^{(l+1)}} a_j^{(l)}",
            "(l+1)",
            "(l)",
        ),
        (CLASSES, r"\nabla_W J = \frac1m \sum_i (p^{(i)} - y^{(i)}) (x^{(i)})^T + \lambda W", r"\frac1m", ""),
        (CLASSES, r"\nabla_b J = \frac1m \sum_i (p^{(i)} - y^{(i)})", "-", "+"),
        (SHORT, r"\frac{\partial L}{\partial \theta} = \frac2N \sum_i (\hat y^{(i)} - y^{(i)}) x^{(i)}", "2N", "1N"),
    ],
)
def test_a_loss_of_a_sample_and_one_of_all_by_one_letter(lesson: str, formula: str, slip: str, instead: str) -> None:
    assert of_the_last(f"{lesson}\n$${formula}$$\n") == ["holds"]
    assert of_the_last(f"{lesson}\n$${formula.replace(slip, instead)}$$\n")[0] in ("fails", "ill-typed")


def both(lesson: str, formula: str, slip: str, instead: str) -> tuple[str, str]:
    """What is said of a formula behind a lesson, and of its twin with a slip."""
    assert slip in formula
    right, wrong = (of_the_last(f"{lesson}\n$${f}$$\n")[-1] for f in (formula, formula.replace(slip, instead, 1)))
    return right, wrong


BELOW = r"""
$$s_i = W x_i + b, \quad p_i = \text{softmax}(s_i)$$

$$L_i = -\sum_k y_{ik} \log p_{ik}, \quad L = \frac1N \sum_{i=1}^N L_i + \frac\lambda2 \|W\|^2$$
"""
LINE = r"$$J(w) = \frac12 \sum_{i=1}^n (w^T x_i - y_i)^2$$"
COST = r"""
$$z^l = w^l a^{l-1} + b^l, \quad a^l = \sigma(z^l)$$

Each pair $x$ costs $C_x = \frac12 \|y - a^L\|^2$, all of them
$$C = \frac1n \sum_x C_x$$

For one pair we write $C$ again: $\delta^l = \frac{\partial C}{\partial z^l}$.
"""
PATTERNS = r"""
$$a_j = \sum_i w_{ji} x_i + w_{j0}, \quad y_k = \sum_j v_{kj} \tanh(a_j) + v_{k0}$$

$$E = \sum_{n=1}^N E_n, \quad E_n = \frac12 \sum_k (y_k - t_k)^2$$

$$\delta_k = \frac{\partial E_n}{\partial y_k}$$
"""
SCORED = r"""
$$f_i = W x_i + b, \quad p_k = \frac{e^{f_k}}{\sum_j e^{f_j}}$$

$$L_i = -f_{y_i} + \log \sum_j e^{f_j}, \quad L = \frac1N \sum_i L_i$$
"""


@pytest.mark.parametrize(
    ("lesson", "formula", "slip", "instead"),
    [
        (BELOW, r"\frac{\partial L_i}{\partial s_i} = p_i - y_i", "-", "+"),
        (BELOW, r"\frac{\partial L}{\partial s_i} = \frac1N (p_i - y_i)", r"\frac1N", ""),
        (BELOW, r"\frac{\partial L}{\partial W} = \frac1N \sum_i (p_i - y_i) x_i^T + \lambda W", "+", "+ 2"),
        (LINE, r"\nabla_w J = \sum_{i=1}^n (w^T x_i - y_i) x_i", "-", "+"),
        (LINE, r"\frac{\partial J}{\partial w_j} = \sum_i (w^T x_i - y_i) x_{ij}", r"\sum_i", r"2 \sum_i"),
        (COST, r"\frac{\partial C}{\partial w^l} = \frac1n \sum_x \frac{\partial C_x}{\partial w^l}", r"\frac1n", ""),
        (COST, r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j", r"a^{l-1}_k", "a^l_k"),
        (PATTERNS, r"\frac{\partial E}{\partial v_{kj}} = \sum_n \frac{\partial E_n}{\partial v_{kj}}", "= ", "= 2 "),
        (PATTERNS, r"\frac{\partial E_n}{\partial v_{k0}} = \delta_k", r"\delta_k", r"\delta_k y_k"),
        (PATTERNS, r"\frac{\partial E_n}{\partial v_{kj}} = \delta_k \tanh(a_j)", r"\tanh(a_j)", "a_j"),
        (SCORED, r"\frac{\partial L_i}{\partial f_k} = p_k - 1(y_i = k)", "-", "+"),
    ],
)  # fmt: skip
def test_samples_below_a_symbol(lesson: str, formula: str, slip: str, instead: str) -> None:
    right, wrong = both(lesson, formula, slip, instead)
    assert right in ("holds", "holds under")
    assert wrong in ("fails", "ill-typed")


STACKED = r"""
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \quad A^{[l]} = g^{[l]}(Z^{[l]})$$

$$\mathcal{L}(\hat y^{(i)}, y^{(i)}) = -(y^{(i)} \log \hat y^{(i)} + (1 - y^{(i)}) \log(1 - \hat y^{(i)})), \quad
\hat y^{(i)} = a^{[L](i)}$$

$$J = \frac1m \sum_{i=1}^m \mathcal{L}(\hat y^{(i)}, y^{(i)}) + \frac{\lambda}{2m} \sum_{l=1}^L \|W^{[l]}\|_F^2$$

$$dz^{[l]} = \frac{\partial \mathcal{L}}{\partial z^{[l]}}$$

$$\frac{\partial \mathcal{L}}{\partial b^{[l]}} = dz^{[l]}$$

$$dZ^{[l]} = (W^{[l+1]T} dZ^{[l+1]}) * g^{[l]\prime}(Z^{[l]})$$

$$dW^{[L]} = \frac1m dZ^{[L]} A^{[L-1]T} + \frac\lambda m W^{[L]}$$
"""


@pytest.mark.parametrize(
    ("formula", "slip", "instead"),
    [
        (r"\frac{\partial \mathcal{L}}{\partial a^{[L]}} = -\frac{y}{a^{[L]}} + \frac{1 - y}{1 - a^{[L]}}", "= -", "="),
        (r"dz^{[L]} = a^{[L]} - y", "-", "+"),
        (r"dZ^{[L]} = A^{[L]} - Y", "-", "+"),
        (r"dz_j^{[l]} = (\sum_k W_{kj}^{[l+1]} dz_k^{[l+1]}) g^{[l]\prime}(z_j^{[l]})", "W_{kj}", "W_{jk}"),
        (r"\frac{\partial \mathcal{L}}{\partial W_{jk}^{[l]}} = dz_j^{[l]} a_k^{[l-1]}", "l-1", "l"),
        (r"dW^{[l]} = \frac{\partial J}{\partial W^{[l]}} = \frac1m dZ^{[l]} A^{[l-1]T} + \frac\lambda m W^{[l]}",
         r"\lambda m W", r"\lambda{2m} W"),
        (r"db^{[l]} = \frac{\partial J}{\partial b^{[l]}} = \frac1m \sum_{i=1}^m dz^{[l](i)}", r"\frac1m", ""),
    ],
)  # fmt: skip
def test_a_batch_and_one_sample_of_it(formula: str, slip: str, instead: str) -> None:
    right, wrong = both(STACKED, formula, slip, instead)
    assert right in ("holds", "holds under")
    assert wrong in ("fails", "ill-typed")


LOGISTIC = r"""
$$h_\theta(x) = g(\theta^T x), \quad g(z) = \frac1{1 + e^{-z}}$$

$$J(\theta) = -\frac1m \sum_{i=1}^m [y^{(i)} \log h_\theta(x^{(i)}) + (1 - y^{(i)}) \log(1 - h_\theta(x^{(i)}))]$$
"""
CODES = r"""
$$h = \sigma(W x + b), \quad \hat x = V h + c$$

With the samples as columns of $X$ and $\hat X$, $$J = \frac1{2N} \|\hat X - X\|_F^2$$

$$E = \hat X - X, \quad R = (V^T E) \odot H \odot (1 - H)$$
"""
FITTED = r"""
$$f(x;\theta) = \tanh(\theta^T x), \quad L(\hat y, y) = \frac12 (\hat y - y)^2$$

$$J(\theta) = \frac1m \sum_{i=1}^m L(f(x^{(i)};\theta), y^{(i)})$$
"""
OPEN = r"""
$$\hat y^{(i)} = W x^{(i)} + b, \quad J = \frac1m \sum_{i=1}^m \ell(\hat y^{(i)}, y^{(i)}) + \frac\lambda2 \|W\|_F^2$$
"""
CHANCES = r"""
$$P(y^{(i)} = k | x^{(i)}; \theta) = \frac{\exp(\theta_k^T x^{(i)})}{\sum_{j=1}^K \exp(\theta_j^T x^{(i)})}$$

$$J(\theta) = -\sum_{i=1}^m \sum_{k=1}^K 1\{y^{(i)} = k\} \log P(y^{(i)} = k | x^{(i)}; \theta)$$
"""


@pytest.mark.parametrize(
    ("lesson", "formula", "slip", "instead"),
    [
        (LOGISTIC, r"\nabla_\theta J = \frac1m X^T (g(X\theta) - y)", r"\frac1m", ""),
        (CODES, r"\frac{\partial J}{\partial V} = \frac1N E H^T", r"\frac1N", ""),
        (CODES, r"\frac{\partial J}{\partial W} = \frac1N R X^T", "R X^T", r"(V^T E) X^T"),
        (CODES, r"\frac{\partial J}{\partial c} = \frac1N E 1", r"\frac1N E", r"\frac1N \hat X"),
        (FITTED, r"\frac{\partial J}{\partial \theta} = \frac1m \sum_i (f(x^{(i)};\theta) - y^{(i)}) "
         r"(1 - f(x^{(i)};\theta)^2) x^{(i)}", "(1 -", "(1 +"),
        (OPEN, r"\frac{\partial J}{\partial W} = \frac1m \sum_{i=1}^m \frac{\partial \ell}{\partial \hat y^{(i)}} "
         r"(x^{(i)})^T + \lambda W", r"+ \lambda", r"+ 2 \lambda"),
        (CHANCES, r"\nabla_{\theta_k} J(\theta) = -\sum_{i=1}^m x^{(i)} (1\{y^{(i)} = k\} - "
         r"P(y^{(i)} = k | x^{(i)}; \theta))", r"= -", "= "),
    ],
)  # fmt: skip
def test_samples_and_all_of_them(lesson: str, formula: str, slip: str, instead: str) -> None:
    right, wrong = both(lesson, formula, slip, instead)
    assert right in ("holds", "holds under")
    assert wrong in ("fails", "ill-typed")
