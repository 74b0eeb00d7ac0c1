"""Lessons whose partials by vectors are rows."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

LYING = r"""
$$z = W x + b_1, \quad h = \mathrm{ReLU}(z), \quad \theta = U h + b_2, \quad \hat y = \mathrm{softmax}(\theta)$$
$$J = -\sum_i y_i \log \hat y_i$$
$$\delta_1 = \frac{\partial J}{\partial \theta} = (\hat y - y)^T, \quad \delta_2 = \frac{\partial J}{\partial z}$$
$$\delta_2 = \delta_1 \frac{\partial \theta}{\partial h} \frac{\partial h}{\partial z} = \delta_1 U \circ \mathrm{ReLU}'(z)^T$$
$$\frac{\partial J}{\partial U} = \delta_1^T h^T$$
$$\frac{\partial J}{\partial W} = \delta_2^T x^T$$
$$\frac{\partial J}{\partial x} = (\delta_2 W)^T$$
"""  # noqa: E501


@pytest.mark.parametrize("said", ["", "All final answers follow the shape convention.\n"])
def test_deltas_are_rows_and_gradients_have_the_shape_of_the_weights(said: str) -> None:
    assert set(claimed(said + LYING)) <= GOOD
    slips = [
        (r"\delta_1^T h^T", r"\delta_1^T z^T"),
        (r"\delta_2^T x^T", r"x \delta_2"),
        (r"\delta_2^T x^T", r"\delta_1^T x^T"),
        (r"(\delta_2 W)^T", r"W \delta_2^T"),
        (r"= \delta_1 U \circ", r"= \delta_1 U^T \circ"),
    ]
    for right, wrong in slips:
        found = claimed(said + LYING.replace(right, wrong))
        assert sum(verdict in BAD for verdict in found) == 1


def test_what_is_transposed_is_not_transposed_again() -> None:
    wrong = LYING.replace(r"= \delta_1 U \circ", r"= \delta_1 U^T \circ")
    (offered,) = [e.suggestions[0].tex for e in audit(read(Path("lesson.md"), wrong)).equations if e.suggestions]
    assert "^T^T" not in offered


def test_a_factor_that_is_spoken_of_claims_nothing() -> None:
    assert claimed(r"So we may write $\circ f'(x)$ in the chain, or $\odot\, \sigma'(z)$.") == []


IN_PLACES = r"""
# Convolution layers
$$x_{i,j}^l = \sum_m \sum_n w_{m,n}^l o_{i+m,j+n}^{l-1} + b^l, \quad o_{i,j}^l = f(x_{i,j}^l)$$
$$E = \frac{1}{2} \sum_p (t_p - y_p)^2$$
$$\frac{\partial x_{i,j}^l}{\partial w_{m',n'}^l} = o_{i+m',j+n'}^{l-1}$$
$$\frac{\partial E}{\partial w_{m',n'}^l} = \sum_{i=0}^{H-k_1} \sum_{j=0}^{W-k_2} \delta_{i,j}^l o_{i+m',j+n'}^{l-1}$$
$$\frac{\partial x_{i'-m,j'-n}^{l+1}}{\partial x_{i',j'}^l} = w_{m,n}^{l+1} f'(x_{i',j'}^l)$$
$$\frac{\partial E}{\partial x_{i',j'}^l} = \sum_m \sum_n \delta_{i'-m,j'-n}^{l+1} w_{m,n}^{l+1} f'(x_{i',j'}^l)$$
"""
WHOLE = r"""
# Convolution layers
$$a^l = \sigma(z^l) = \sigma(a^{l-1} * W^l + b^l), \quad J = \frac12 \|a^L - y\|^2$$
$$\delta^l = \frac{\partial J}{\partial z^l}$$
$$\delta^{l-1} = \delta^l * rot180(W^l) \odot \sigma'(z^{l-1})$$
$$\frac{\partial J}{\partial W^l} = a^{l-1} * \delta^l$$
$$\frac{\partial J}{\partial b^l} = \sum_{u,v} (\delta^l)_{u,v}$$
# Pooling layers
$$\delta_k^{l-1} = upsample(\delta_k^l) \odot \sigma'(z_k^{l-1})$$
"""
TURNED = r"""
# Convolution layers
$$z^l = W^l * a^{l-1} + b^l, \quad a^l = \sigma(z^l), \quad J = \frac12 \|a^L - y\|^2, \quad \delta^l = \frac{\partial J}{\partial z^l}$$
$$\delta^l = rot180(W^{l+1}) * \delta^{l+1} \odot \sigma'(z^l)$$
$$\frac{\partial J}{\partial W^l} = rot180(a^{l-1}) * \delta^l$$
"""  # noqa: E501
MARKS = r"""
# Convolution layers
$$Y = X \star K + b$$
$$\frac{\partial L}{\partial K} = X \star \frac{\partial L}{\partial Y}$$
$$\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} * K$$
$$\frac{\partial L}{\partial X} = \mathrm{pad}\left(\frac{\partial L}{\partial Y}\right) \star \mathrm{rot}_{180}(K)$$
"""
POOLED = r"""
# Average pooling
$$y_{i,j} = \frac{1}{s^2} \sum_{u=0}^{s-1} \sum_{v=0}^{s-1} x_{si+u, sj+v}$$
$$\frac{\partial L}{\partial x_{si+u,sj+v}} = \frac{1}{s^2} \frac{\partial L}{\partial y_{i,j}}$$
# Strided convolution
$$z_{i,j} = \sum_{m} \sum_{n} w_{m,n} x_{2i+m, 2j+n}$$
$$\frac{\partial L}{\partial w_{m,n}} = \sum_{i,j} \frac{\partial L}{\partial z_{i,j}} x_{2i+m,2j+n}$$
# Max pooling
$$a_{i,j} = \max_{0 \le u,v < 2} x_{2i+u, 2j+v}$$
$$\frac{\partial a_{i,j}}{\partial x_{2i+u,2j+v}} = \begin{cases} 1 & x_{2i+u,2j+v} = a_{i,j} \\ 0 & \text{otherwise} \end{cases}$$
"""  # noqa: E501


@pytest.mark.parametrize(
    ("lesson", "slips"),
    [
        (IN_PLACES, [("= o_{i+m',j+n'}", "= o_{i-m',j+n'}"), (r"\delta_{i'-m,j'-n}", r"\delta_{i'+m,j'-n}"),
                     ("= w_{m,n}^{l+1} f'", "= w_{m,n}^{l+1} f")]),
        (WHOLE, [("rot180(W^l)", "W^l"), (r"a^{l-1} * \delta^l", r"z^{l-1} * \delta^l"),
                 (r"upsample(\delta_k^l) \odot \sigma'", r"upsample(\delta_k^l) \odot \sigma")]),
        (TURNED, [("rot180(W^{l+1})", "W^{l+1}")]),
        (MARKS, [(r"\partial Y}\right) \star", r"\partial Y}\right) *"), (r"} * K", r"} \star K")]),
        (POOLED, [(r"= \frac{1}{s^2} \frac", r"= \frac{1}{s} \frac"), ("x_{2i+m,2j+n}$", "x_{2i-m,2j+n}$"),
                  (r"1 & x", r"2 & x")]),
    ],
)  # fmt: skip
def test_convolutions_and_pooling(lesson: str, slips: list[tuple[str, str]]) -> None:
    assert set(claimed(lesson)) <= GOOD
    for right, wrong in slips:
        assert lesson.count(right) == 1
        assert sum(verdict in BAD for verdict in claimed(lesson.replace(right, wrong))) == 1


def test_a_pooling_layer_may_be_an_average_where_the_lesson_says_so() -> None:
    lesson = r"""
$$a_{i,j} = \max_{0 \le u,v < s} x_{si+u, sj+v}$$
With average pooling instead,
$$\frac{\partial L}{\partial x_{si+u,sj+v}} = \frac{1}{s^2} \frac{\partial L}{\partial a_{i,j}}$$"""
    assert claimed(lesson) == ["holds under"]
    assert claimed(lesson.replace("average pooling", "it"))[-1] in BAD


def test_patterns_are_counted_above() -> None:
    lesson = r"""
$$h_j^\mu = \sum_k w_{jk} \xi_k^\mu, \quad V_j^\mu = g(h_j^\mu)$$
$$h_i^\mu = \sum_j W_{ij} V_j^\mu, \quad O_i^\mu = g(h_i^\mu)$$
$$E = \frac12 \sum_{\mu i} [\zeta_i^\mu - O_i^\mu]^2$$
$$\frac{\partial E}{\partial W_{ij}} = -\sum_\mu \delta_i^\mu V_j^\mu$$
$$\delta_i^\mu = g'(h_i^\mu) [\zeta_i^\mu - O_i^\mu]$$
$$\delta_j^\mu = g'(h_j^\mu) \sum_i W_{ij} \delta_i^\mu$$"""
    assert set(claimed(lesson)) <= GOOD
    for right, wrong in ((r"-\sum_\mu \delta", r"-\sum_\mu O"), (r"g'(h_j^\mu) \sum", r"g'(V_j^\mu) \sum")):
        assert BAD & set(claimed(lesson.replace(right, wrong)))


def test_the_columns_of_a_matrix_are_the_same_in_all_of_a_lesson() -> None:
    lesson = r"""
# Scores
$$\theta = U^T v_c, \quad \hat y = \mathrm{softmax}(\theta), \quad J = -\sum_w y_w \log \hat y_w$$
$$J = -u_o^T v_c + \log \sum_w \exp(u_w^T v_c)$$
$$\frac{\partial J}{\partial v_c} = U (\hat y - y)$$
# Outside vectors
$$\frac{\partial J}{\partial u_w} = (\hat y_w - y_w) v_c$$
$$\frac{\partial J}{\partial U} = v_c (\hat y - y)^T$$"""
    assert set(claimed(lesson)) <= GOOD
    assert claimed(lesson.replace(r"v_c (\hat y - y)^T", r"(\hat y - y) v_c^T"))[-1] not in GOOD


CHANNELS = r"""
# A CNN layer
$$z_j^l = \sum_{i=1}^{M} a_i^{l-1} * w_{ij}^l + b_j^l, \quad a_j^l = \sigma(z_j^l), \quad C = \frac{1}{2} \sum_j \|a_j^L - y_j\|^2$$
$$\delta_j^l = \frac{\partial C}{\partial z_j^l}$$
$$\delta_i^{l-1} = \left( \sum_j \delta_j^l * \text{rot180}(w_{ij}^l) \right) \odot \sigma'(z_i^{l-1})$$
$$\frac{\partial C}{\partial w_{ij}^l} = a_i^{l-1} * \delta_j^l$$
$$\frac{\partial C}{\partial b_j^l} = \sum_{x,y} (\delta_j^l)_{xy}$$
"""  # noqa: E501
NO_LOSS = r"""
# A convolution layer
It computes $Z^{[l]} = A^{[l-1]} * W^{[l]} + b^{[l]}$ and $A^{[l]} = g(Z^{[l]})$.
$$dW^{[l]} = A^{[l-1]} * dZ^{[l]}$$
$$dA^{[l-1]} = dZ^{[l]} * \mathrm{rot180}(W^{[l]})$$
$$dZ^{[l]} = dA^{[l]} \odot g'(Z^{[l]})$$
"""
CROSSED = r"""
The convolution $Y = X \otimes W$ has the gradients
$$\frac{\partial L}{\partial W} = X \otimes \frac{\partial L}{\partial Y}$$
$$\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} \otimes \text{rot}_{180}(W)$$
$$dW = \text{conv}(X, dY)$$
$$dX = \text{conv}(\text{pad}(dY), \text{flip}(W))$$
"""
DENSE_ON_TOP = r"""
# A convolution and a dense unit
$$Z_1 = X * K + b_1, \quad A_1 = \mathrm{ReLU}(Z_1), \quad f = \mathrm{vec}(A_1), \quad z_2 = w^T f + b_2, \quad \hat y = \sigma(z_2)$$
$$L = -(y \log \hat y + (1-y) \log(1 - \hat y))$$
$$\frac{\partial L}{\partial w} = (\hat y - y) f$$
$$\frac{\partial L}{\partial f} = (\hat y - y) w$$
$$\frac{\partial L}{\partial A_1} = \mathrm{reshape}\left(\frac{\partial L}{\partial f}\right)$$
$$\frac{\partial L}{\partial K} = X * \frac{\partial L}{\partial Z_1}$$
"""  # noqa: E501


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (CHANNELS, r"\text{rot180}(w_{ij}^l)", r"w_{ij}^l"),
        (CHANNELS, r"a_i^{l-1} * \delta_j^l$", r"z_i^{l-1} * \delta_j^l$"),
        (NO_LOSS, r"\mathrm{rot180}(W^{[l]})", r"W^{[l]}"),
        (NO_LOSS, r"g'(Z^{[l]})", r"g(Z^{[l]})"),
        (CROSSED, r"\text{flip}(W)", "W"),
        (DENSE_ON_TOP, r"(\hat y - y) f", r"(y - \hat y) f"),
        (DENSE_ON_TOP, r"X * \frac{\partial L}{\partial Z_1}", r"X * \frac{\partial L}{\partial A_1}"),
    ],
)
def test_how_authors_write_convolutions(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(lesson)) <= GOOD
    assert lesson.count(right) == 1
    assert sum(verdict in BAD for verdict in claimed(lesson.replace(right, wrong))) == 1


def test_one_unit_on_a_hidden_layer() -> None:
    lesson = r"""
$$z_1 = W x + b_1, \quad a_1 = \mathrm{ReLU}(z_1), \quad z_2 = w^T a_1 + b_2, \quad \hat y = \sigma(z_2)$$
$$L = -(y \log \hat y + (1-y) \log(1 - \hat y))$$
$$\frac{\partial L}{\partial w} = (\hat y - y) a_1, \quad \frac{\partial L}{\partial b_2} = \hat y - y$$
$$\frac{\partial L}{\partial a_1} = (\hat y - y) w$$"""
    assert set(claimed(lesson)) <= GOOD
    assert BAD & set(claimed(lesson.replace(r"(\hat y - y) a_1", r"(\hat y - y) z_1")))


def test_products_of_entries_in_a_lesson_that_speaks_of_convolutions() -> None:
    lesson = r"""
# Convolution layers share weights; a convolution is a special dense layer
$$z_j = \sum_i w_{ji} * x_i + b_j, \quad a_j = \sigma(z_j), \quad E = \frac{1}{2} \sum_j (a_j - t_j)^2$$
$$\frac{\partial E}{\partial w_{ji}} = (a_j - t_j) * a_j * (1 - a_j) * x_i$$"""
    assert claimed(lesson) == ["holds under"]


def test_partials_by_the_value_of_a_function() -> None:
    lesson = r"""
$$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad h_t = o_t \odot \tanh(c_t)$$
$$\frac{\partial L}{\partial c_t} = \frac{\partial L}{\partial h_t} \odot \frac{\partial h_t}{\partial \tanh(c_t)} \odot \frac{\partial \tanh(c_t)}{\partial c_t} + \frac{\partial L}{\partial c_{t+1}} \odot f_{t+1}$$
$$\frac{\partial h_t}{\partial \tanh(c_t)} = o_t$$
$$\frac{\partial \tanh(c_t)}{\partial c_t} = 1 - \tanh^2(c_t)$$"""  # noqa: E501
    assert set(claimed(lesson)) <= GOOD
    for right, wrong in (("= o_t$", "= c_t$"), (r"1 - \tanh^2(c_t)", r"1 - \tanh(c_t)")):
        assert sum(verdict in BAD for verdict in claimed(lesson.replace(right, wrong))) == 1


def test_a_star_above_is_a_mark_in_a_lesson_on_convolutions() -> None:
    lesson = r"""
# Convolution
$$z = w^\star x, \quad y = X \star K$$
$$\frac{\partial z}{\partial x} = w^\star$$"""
    assert claimed(lesson) == ["holds"]
