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


SCORES = r"""
$$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$

The true class is $%s$, and the loss $$L = -\log p_{%s}$$
"""


@pytest.mark.parametrize("letter", ["c", "y", "k", "y_i"])
def test_the_true_class_is_an_index(letter: str) -> None:
    lesson = SCORES % (letter, letter)
    for right, slip, instead in (
        (r"\frac{\partial L}{\partial z_{C}} = p_{C} - 1", "-", "+"),
        (r"\frac{\partial L}{\partial z_{C}} = -\frac{1}{p_{C}} \frac{\partial p_{C}}{\partial z_{C}}", "= -", "= "),
        (r"\frac{\partial L}{\partial z_j} = p_j - \mathbb{1}[j = C]", "p_j -", "p_j +"),
        (r"\frac{\partial L}{\partial z_j} = \begin{cases} p_j - 1 & j = C \\ p_j & j \neq C \end{cases}", "- 1", ""),
    ):
        assert said(lesson, right.replace("C", letter)) == {"holds"}
        assert said(lesson, right.replace(slip, instead).replace("C", letter)) == {"fails"}


def test_the_true_class_and_the_others() -> None:
    lesson = SCORES % ("c", "c") + r"If $j = c$ then $$\frac{\partial L}{\partial z_j} = p_j%s$$ else it is another."
    assert of_partials(lesson % " - 1") == ["holds"]
    assert of_partials(lesson % "") == ["fails"]
    others = SCORES % ("c", "c") + r"For $j \neq c$: $$\frac{\partial L}{\partial z_j} = p_j%s$$"
    assert of_partials(others % "") == ["holds under"]
    assert of_partials(others % " - 1") == ["fails"]


def test_a_class_in_a_lesson_of_targets() -> None:
    lesson = r"""
$$s = W x, \quad q_i = \frac{e^{s_i}}{\sum_j e^{s_j}}$$

$$L = -\sum_i y_i \log q_i$$

With $y_k = 1$ for the right class, $$L = -\log q_k$$ and $\frac{\partial L}{\partial s_k} = q_k - 1$, and always
$$\frac{\partial L}{\partial s_i} = %s$$
"""
    assert of_partials(lesson % "q_i - y_i") == ["holds"] * 2
    assert of_partials(lesson % "y_i - q_i") == ["holds", "fails"]


def test_a_loss_of_each_sample_and_their_sum_by_one_letter() -> None:
    lesson = r"""
$$a_{nj} = \sum_i w_{ji} x_{ni}, \quad y_{nj} = \sigma(a_{nj})$$

$$E_n = \frac12 \sum_k (y_{nk} - t_{nk})^2, \quad E = \sum_{n=1}^N E_n$$

$$\frac{\partial E}{\partial w_{ji}} = \sum_n \frac{\partial E_n}{\partial w_{ji}} = \sum_n (y_{nj} - t_{nj})
\sigma'(a_{nj}) %s$$
"""
    assert of_partials(lesson % "x_{ni}") == ["holds"] * 2
    assert of_partials(lesson % "x_{nj}")[1] in ("fails", "ill-typed")
