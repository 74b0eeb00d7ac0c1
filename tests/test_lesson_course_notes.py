r"""Lessons as lecturers write them: layers below any letter, a list of activations, a second loss, means of losses."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

BELOW = r"""
$$\newcommand{\vect}[1]{\mathbf{#1}}$$
$$\vect u_k = \vect A_k \vect x_{k-1} + \vect b_k, \quad \vect x_k = \rho(\vect u_k), \quad \vect x_0 = \vect x$$
$$E = \|\vect t - \vect x_K\|^2, \qquad k = 1, \dots, K$$
$$\vect\delta_k = \frac{\partial E}{\partial \vect u_k}$$
"""
"""Layers are counted below by k, and a macro takes a command for its argument."""


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        (r"\vect\delta_k = \rho'(\vect u_k) \odot \vect A_{k+1}^T \vect\delta_{k+1}", "holds"),
        (r"\vect\delta_k = \rho'(\vect u_k) \odot \vect A_k^T \vect\delta_{k+1}", "ill-typed"),
        (r"\frac{\partial E}{\partial \vect A_k} = \vect\delta_k \vect x_{k-1}^T", "holds"),
        (r"\frac{\partial E}{\partial \vect A_k} = \vect\delta_k \vect x_k^T", "ill-typed"),
        (r"\vect\delta_K = -2 (\vect t - \vect x_K) \odot \rho'(\vect u_K)", "holds"),
        (r"\vect\delta_K = 2 (\vect t - \vect x_K) \odot \rho'(\vect u_K)", "fails"),
    ],
)
def test_a_matrix_with_one_index_is_of_a_layer(formula: str, verdict: str) -> None:
    assert claimed(f"{BELOW}$${formula}$$")[-1] == verdict


def test_a_letter_that_counts_layers_may_count_entries_elsewhere() -> None:
    entries = r"$$\left[\frac{\partial \vect x}{\partial \vect t}\right]_{kj} = \frac{\partial x_k}{\partial t_j}$$"
    assert claimed(f"{entries}\n# Nets\n{BELOW}")[0] == "not understood"


def test_a_net_of_two_layers_has_two() -> None:
    last = r"For $K = 2$ we have $\vect\delta_2 = -2 (\vect t - \vect x_2) \odot \rho'(\vect u_2)$."
    assert claimed(f"{BELOW}\n# Example\n{last}")[-1] == "holds"


@pytest.mark.parametrize(("out", "verdict"), [("h^{L-1}", "holds"), ("h^L", "fails")])
def test_the_output_has_a_name(out: str, verdict: str) -> None:
    net = r"$u^l = h^{l-1} W^l + b^l$, $h^l = \phi(u^l)$, $h^0 = x$ and $h^L = y$. $E$ is the loss function."
    signal = r"$$\delta^l = \frac{\partial E}{\partial u^l}$$"
    assert claimed(rf"{net}{signal}$$\frac{{\partial E}}{{\partial W^L}} = ({out})^\top \delta^L$$") == [verdict]


NOTES = r"""
$$z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}, \quad a^{(l)} = g_l(z^{(l)}), \quad C = \frac12 \|a^{(L)} - y\|^2$$
$$\frac{\partial C}{\partial a_j^{(L)}} = a_j^{(L)} - y_j$$
$$\delta^{(l)} = \frac{\partial C}{\partial z^{(l)}} = \left((W^{(l+1)})^T \delta^{(l+1)}\right) \odot g_l'(z^{(l)})$$
"""


@pytest.mark.parametrize(("slope", "verdict"), [("(1 - a^{(l)})", "holds under"), ("(1 + a^{(l)})", "fails")])
def test_a_function_in_a_list_is_an_example(slope: str, verdict: str) -> None:
    listed = r"Logistic: $\sigma(z) = \frac{1}{1 + e^{-z}}$. ReLU: $g(z) = \max(0, z)$, $g'(z) = \mathbf{1}[z > 0]$."
    sloped = rf"$$\delta^{{(l)}} = \left((W^{{(l+1)}})^T \delta^{{(l+1)}}\right) \odot a^{{(l)}} \odot {slope}$$"
    assert claimed(f"{NOTES}\n# Activations\n{listed}\nWith logistic units,{sloped}")[-2:] == ["holds", verdict]


MORE = r"""
# Other losses
For logistic outputs, one prefers the cross-entropy
$$C_{\mathrm{CE}} = - \sum_{j=1}^{d_L} \left[y_j \ln a_j^{(L)} + (1 - y_j) \ln(1 - a_j^{(L)})\right]$$
$$\delta^{(L)} = a^{(L)} - y$$
On a training set we minimize $$J = \frac1n \sum_{i=1}^n C_i + \frac\lambda2 \sum_{l=1}^L \|W^{(l)}\|_F^2$$
"""


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        (r"\nabla_{W^{(l)}} J = \frac1n \sum_{i=1}^n \delta_i^{(l)} (a_i^{(l-1)})^T + \lambda W^{(l)}", "holds"),
        (r"\nabla_{W^{(l)}} J = \frac1n \sum_{i=1}^n \delta_i^{(l)} (a_i^{(l-1)})^T + 2 \lambda W^{(l)}", "fails"),
        (r"\nabla_{b^{(l)}} J = \sum_{i=1}^n \delta_i^{(l)}", "fails"),
        (r"\delta^{(L)} = y - a^{(L)}", "fails"),
    ],
)
def test_a_section_has_a_loss_with_a_label_and_a_mean_of_losses(formula: str, verdict: str) -> None:
    assert claimed(f"{NOTES}{MORE}$${formula}$$")[-2:] == ["holds under", verdict]


def test_a_matrix_of_slopes_has_a_name() -> None:
    net = r"""
$$u_k = A_k x_{k-1} + b_k, \quad k = 1, \dots, K, \qquad x_k = \rho(u_k), \quad k = 1, \dots, K-1, \qquad x_K = u_K$$
$$E = \frac12 \|x_K - y\|^2, \quad D_k := \mathrm{diag}(\rho'(u_k))$$
$$p_k := \nabla_{x_k} E, \quad q_k := \nabla_{u_k} E$$
"""
    claims = r"$$q_k = D_k p_k = \rho'(u_k) \odot p_k$$ $$q_k = D_k A_{k+1}^T q_{k+1}$$ $$q_k = D_k A_{k+1} q_{k+1}$$"
    verdicts = [verdict for verdict in claimed(net + claims) if verdict != "aside"]
    assert verdicts == ["holds", "holds", "holds", "ill-typed"]


COLUMNS = r"""
Let $Z = W X + b \mathbf{1}^T$, $H = \tanh(Z)$, $s = v^T H + c$, $\hat y = \sigma(s)$ and
$$J = -\frac1m \sum_{i=1}^m \left[y_i \ln \hat y_i + (1 - y_i) \ln(1 - \hat y_i)\right]. \checkmark$$
Let $e = \frac1m (\hat y - y)$, a row. $$\Delta := \nabla_Z J$$
"""


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        (r"\nabla_v J = H e^T", "holds under"),
        (r"\nabla_H J = v e", "holds under"),
        (r"\nabla_H J = e v", "ill-typed"),
        (r"\nabla_W J = \Delta\,X^T", "holds"),
        (r"\nabla_W J = X^T\,\Delta", "ill-typed"),
    ],
)
def test_a_row_of_all_samples_and_a_gradient_called_delta(formula: str, verdict: str) -> None:
    assert claimed(f"{COLUMNS}$${formula}$$") == [verdict]


def test_a_gradient_has_the_letter_of_another_loss_and_indices_begin_with_a() -> None:
    attention = (
        r"$$S = \frac{1}{\sqrt d} Q K^T, \quad P = \mathrm{softmax}(S), \quad O = P V$$ Let $R = \nabla_P \mathcal{L}$."
    )
    right = r"\frac{\partial \mathcal{L}}{\partial S_{ac}} = \sum_{b=1}^T R_{ab} P_{ab} (\delta_{bc} - P_{ac})"
    assert claimed(f"{attention}$${right} = P_{{ac}} R_{{ac}}$$") == ["holds", "fails"]


MATRICES = r"""
For any matrices $d(XY) = (dX) Y + X\,dY$, $d(X^{-1}) = -X^{-1} (dX) X^{-1}$. Let $Y = A X B$.
# All samples
$X = [x_1, \dots, x_N]$, $Y = [y_1, \dots, y_N]$, $Z = W X + b \mathbf{1}^T$,
$l = -\mathrm{tr}(Y^T \log \mathrm{softmax}(Z))$.
$$dl = \mathrm{tr}((\mathrm{softmax}(Z) - Y)^T dZ), \quad \frac{\partial l}{\partial Z} = \mathrm{softmax}(Z) - Y$$
"""
LOGISTIC = r"""
$$l = -y\,x^T w + \log(1 + \exp(x^T w))$$
$$dl = (\sigma(x^T w) - y)\,x^T dw, \quad \frac{\partial l}{\partial w} = x (\sigma(x^T w) - y)$$
"""


@pytest.mark.parametrize(
    ("lesson", "wrong"),
    [
        (MATRICES, r"\frac{\partial l}{\partial Z} = Y - \mathrm{softmax}(Z)"),
        (LOGISTIC, r"\frac{\partial l}{\partial w} = x (y - \sigma(x^T w))"),
    ],
)
def test_matrix_differentials(lesson: str, wrong: str) -> None:
    *right, last = claimed(f"{lesson}$${wrong}$$")
    assert {*right} <= {"holds", "holds under"}
    assert last == "fails"


def test_sizes_are_no_claims() -> None:
    sizes = r"$$(784 \times m)(m \times 128) = 784 \times 128$$"
    assert claimed(rf"$y_i = e^{{(Z_3)_i}}$. {sizes}") == ["aside"]


PATTERNS = r"""
$$net_{pj} = \sum_i w_{ji} o_{pi} + \theta_j, \quad o_{pj} = f_j(net_{pj})$$
$$E_p = \frac12 \sum_j (t_{pj} - o_{pj})^2$$
$$\delta_{pj} = -\frac{\partial E_p}{\partial net_{pj}}$$
"""


def test_the_change_for_a_pattern_is_an_update() -> None:
    assert claimed(rf"{PATTERNS}$$\Delta_p w_{{ji}} = \eta\, \delta_{{pj}}\, o_{{pi}}$$") == ["update"]


def test_typed_notes_with_remarks_and_numbers_of_functions() -> None:
    notes = """
1. NET
------
    hⱼ^μ = Σ_k w_jk ξ_k^μ,    Vⱼ^μ = g(hⱼ^μ)                           (8.1)

    hᵢ^μ = Σ_j W_ij Vⱼ^μ,    Oᵢ^μ = g(hᵢ^μ)

    E = ½ Σ_μ Σ_i [ ζᵢ^μ − Oᵢ^μ ]²                                    (8.5)

    δᵢ^μ = g′(hᵢ^μ) [ ζᵢ^μ − Oᵢ^μ ]             (no sum over i)       (8.7)

2. CHOICE OF g
--------------
Take g(h) = tanh(βh), for which g′(h) = β (1 − g(h)²). With β = 1 we have

    δᵢ^μ = (1 − (Oᵢ^μ)²) (ζᵢ^μ − Oᵢ^μ),
    δᵢ^μ = (1 + (Oᵢ^μ)²) (ζᵢ^μ − Oᵢ^μ)
"""
    found = audit(read(Path("notes.txt"), notes))
    verdicts = [link.verdict for e in found.equations for link in e.links if link.verdict != "definition"]
    assert verdicts == ["holds", "holds", "holds under", "fails"]


def test_a_whole_softmax_and_its_entries() -> None:
    text = r"""
$L = -\sum_i y_i \log p_i$ and $p_i = \mathrm{softmax}(o)_i$, where $o = W h + b$.
$$p_j = \frac{e^{o_j}}{\sum_k e^{o_k}}$$
The Jacobian is $J = \mathrm{diag}(p) - p p^\top$.
"""
    claims = [r"\nabla_o L = J^\top \nabla_p L", r"\nabla_W L = (p - y) h^\top", r"\nabla_o L = y - p"]
    assert claimed(text + "\n".join(f"$${claim}$$" for claim in claims)) == ["holds", "holds", "fails"]


OUTPUTS = r"""
$$z_j^{[l]} = \sum_i a_i^{[l-1]} \omega_{ji}^{[l]} + b_j^{[l]}, \quad a_j^{[l]} = f(z_j^{[l]})$$
$$C = \sum_i (a_i - \hat{a_i})^2$$
"""


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        (r"\frac{\partial C}{\partial a_j^{[L]}} = 2 (a_j^{[L]} - \hat{a_j^{[L]}})", "holds"),
        (r"\frac{\partial C}{\partial b_j^{[L]}} = 2 (a_j^{[L]} - \hat{a_j^{[L]}}) f'(a_j^{[L]})", "fails"),
        (r"\delta^{[L]} = \nabla_a C \odot f'(z^{[L]})", "holds"),
        (r"\frac{\partial C}{\partial \omega^{[L]}} = \delta^{[L]} a^{{[L-1]}^{T}}", "holds"),
        (r"\frac{\partial C}{\partial \omega^{[L]}} = \delta^{[L]} a^{{[L]}^{T}}", "ill-typed"),
    ],
)
def test_a_loss_without_layers_is_of_the_last(formula: str, verdict: str) -> None:
    assert claimed(f"{OUTPUTS}$${formula}$$")[-1] == verdict


def test_matrices_in_words_for_convolutions() -> None:
    rows = r"$$Z = K_{\rm row} X_{\rm col} + b\,\mathbf{1}^\top, \quad D = \frac{\partial L}{\partial Z}$$"
    assert claimed(rows + r"$$\frac{\partial L}{\partial K_{\rm row}} = D\, X_{\rm col}^\top$$") == ["holds"]


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        (r"\delta_j^{o} = \frac{\partial E}{\partial a_j^{o}} \phi'(z_j^{o})", "holds"),
        (r"\delta^{o} = \nabla_a E \odot \phi'(z^{o})", "holds"),
        (r"\delta^{o} = \nabla_a E \odot \phi'(a^{o})", "fails"),
    ],
)
def test_the_layer_of_the_outputs_is_called_o(formula: str, verdict: str) -> None:
    net = r"$$z^{l} = a^{l-1} \omega^{l} + b^{l}, \quad a^l = \phi(z^l)$$ Subscript o indicates the output layer."
    hidden = r"$$\delta_j^{l} = \sum_k \omega_{j,k}^{l+1} \phi'(z_j^{l}) \delta_k^{l+1}$$"
    assert claimed(f"{net}{hidden}$${formula}$$")[-1] == verdict


def test_large_brackets_around_one_matrix() -> None:
    net = r"$u = h W + b$, $E = \frac12 \sum_j (u_j - t_j)^2$ and $\delta_j = \frac{\partial E}{\partial u_j}$."
    entry = r"$$\begin{pmatrix} \frac{\partial E}{\partial W} \end{pmatrix}_{ij} = h_i \delta_j = h_j \delta_i$$"
    assert claimed(net + entry) == ["holds", "ill-typed"]


@pytest.mark.parametrize(("below", "verdict"), [("A^{l-1}", "holds"), ("A^l", "ill-typed")])
def test_an_offset_has_the_letter_of_the_weights(below: str, verdict: str) -> None:
    net = r"$$Z^l = {W^l}^T A^{l-1} + W^l_0, \quad A^l = f^l(Z^l)$$"
    signal = r"\left(\frac{\partial \text{loss}}{\partial Z^l}\right)^T"
    assert claimed(rf"{net}$$\frac{{\partial \text{{loss}}}}{{\partial W^l}} = {below} {signal}$$") == [verdict]


def test_what_a_quantity_is_of_and_numbers_in_boxes() -> None:
    net = r"$$z = z(w) = w^\top x + b, \quad \hat y = \psi(z)$$"
    signal = (
        r"$$\boxed{\frac{\partial J}{\partial z} = \delta = \frac{\partial J}{\partial \hat y}\,\psi'(z) \quad (1)}$$"
    )
    claims = (
        r"$$\boxed{\frac{\partial J}{\partial w} = \delta x \quad (d)}$$ $$\frac{\partial J}{\partial w} = \delta w$$"
    )
    assert claimed(net + signal + claims) == ["holds", "holds", "holds", "fails"]
