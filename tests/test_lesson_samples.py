"""Predictions and losses as functions of samples: logistic and linear regression in the notations of lessons."""

import pytest

from tests.verdicts import of_partials, of_the_last

LOGISTIC = r"""
The hypothesis is $$h_\theta(x) = g(\theta^T x) = \frac{1}{1 + e^{-\theta^T x}}$$ with $g(z) = \frac{1}{1 + e^{-z}}$.

$$J(\theta) = -\frac{1}{m} \sum_{i=1}^m [y^{(i)} \log h_\theta(x^{(i)}) + (1 - y^{(i)}) \log (1 - h_\theta(x^{(i)}))]$$
"""
UNIT = r"""
$$\hat y^{(i)} = \sigma(w^T x^{(i)} + b), \quad \sigma(z) = \frac{1}{1 + e^{-z}}$$

$$L(\hat y^{(i)}, y^{(i)}) = -(y^{(i)} \log \hat y^{(i)} + (1 - y^{(i)}) \log(1 - \hat y^{(i)}))$$

$$J(w, b) = \frac{1}{m} \sum_{i=1}^m L(\hat y^{(i)}, y^{(i)})$$
"""
LINE = r"""
The model is $h_\theta(x) = \theta_0 + \theta_1 x$, its cost
$$J(\theta_0, \theta_1) = \frac{1}{2m} \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)})^2$$
"""
POINTS = r"""
A line is $f(x) = a x + b$, and its error
$$E(a, b) = \frac{1}{N} \sum_{i=1}^N (y_i - (a x_i + b))^2$$
"""


def said(lesson: str, formula: str) -> set[str]:
    return set(of_the_last(f"{lesson}\n$${formula}$$\n"))


@pytest.mark.parametrize(
    ("lesson", "formula", "slip", "instead"),
    [
        (
            LOGISTIC,
            r"\frac{\partial J(\theta)}{\partial \theta_j} = \frac{1}{m} \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)}) "
            r"x_j^{(i)}",
            r"\frac{1}{m} \sum",
            r"\sum",
        ),
        (UNIT, r"\frac{\partial J}{\partial w} = \frac{1}{m} \sum_{i=1}^m (\hat y^{(i)} - y^{(i)}) x^{(i)}", "-", "+"),
        (UNIT, r"\frac{\partial J}{\partial b} = \frac{1}{m} \sum_i (\hat y^{(i)} - y^{(i)})", "-", "+"),
        (
            LINE,
            r"\frac{\partial}{\partial \theta_1} J(\theta_0, \theta_1) = \frac{1}{m} \sum_{i=1}^m "
            r"(h_\theta(x^{(i)}) - y^{(i)}) x^{(i)}",
            r"\frac{1}{m}",
            r"\frac{2}{m}",
        ),
        (POINTS, r"\frac{\partial E}{\partial a} = -\frac{2}{N} \sum_{i=1}^N x_i (y_i - (a x_i + b))", "-", ""),
    ],
)
def test_the_gradient_of_a_mean_over_samples(lesson: str, formula: str, slip: str, instead: str) -> None:
    assert said(lesson, formula) == {"holds"}
    assert said(lesson, formula.replace(slip, instead, 1)) == {"fails"}


def test_a_prediction_is_differentiated_by_its_parameters() -> None:
    lesson = r"""
$$h_w(x^{(i)}) = \frac{1}{1 + e^{-w_0 - w_1 x^{(i)}}}$$

$$\frac{\partial h_w}{\partial w_1} = h_w(x) (1 - h_w(x)) x$$

$$\frac{\partial}{\partial w_1} \log h_w(x^{(i)}) = \frac{\partial}{\partial h_w} (\log h_w(x^{(i)}))
\frac{\partial h_w}{\partial w_1} = (1 - h_w(x^{(i)})) x^{(i)}$$
"""
    assert of_partials(lesson) == ["holds"] * 3
    assert "fails" in of_partials(lesson.replace("= (1 - h", "= (1 + h"))


def test_one_example_and_all_examples() -> None:
    lesson = r"""
$$h_\theta(x) = \theta^T x$$

$$J(\theta) = \frac12 \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)})^2$$

For one example $J(\theta) = \frac12 (h_\theta(x) - y)^2$, and $\frac{\partial J}{\partial \theta_j} = %s$.
"""
    assert of_the_last(lesson % r"(h_\theta(x) - y) x_j") == ["holds"]
    assert of_the_last(lesson % r"(h_\theta(x) + y) x_j") == ["fails"]


def test_what_is_struck_out_stands_there_all_the_same() -> None:
    lesson = "$$L = (p - y)^2$$\n\n" + r"$$\frac{\partial L}{\partial p} = 2 p \cancel{- p} - 2 y \cancel{%s p}$$"
    assert of_the_last(lesson % "+") == ["holds"]
    assert of_the_last(lesson % "-") == ["fails"]
