"""Lessons on single topics: matrix differentials, gradients named by what stands below them, normalisation, words."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}
OF_ONES = r"\operatorname{tr}(G^\top (\mathrm{d}b) \mathbf{1}^\top)"

AFFINE = r"""$$Z = W X + b \mathbf{1}^\top, \quad A = \varphi(Z), \quad L = \frac{1}{2} \| A - T \|_F^2$$
$$\mathrm{d}L = \operatorname{tr}((A - T)^\top \mathrm{d}A), \quad G := \nabla_Z L$$
For $\varphi = \tanh$ nothing changes."""
BELOW = r"""$$Q = X W_Q, \quad Y = A Q, \quad L = \frac{1}{2} \| Y - T \|_F^2$$
$$G_Y = Y - T, \quad G_Q = A^\top G_Y, \quad G_{W_Q} = X^\top G_Q$$"""


@pytest.mark.parametrize(
    ("lesson", "right", "wrong"),
    [
        (AFFINE, r"\mathrm{d}L = \operatorname{tr}(G^\top (\mathrm{d}b) \mathbf{1}^\top)",
         r"\mathrm{d}L = \operatorname{tr}(A^\top (\mathrm{d}b) \mathbf{1}^\top)"),
        (AFFINE, OF_ONES + r" = (G \mathbf{1})^\top \mathrm{d}b", OF_ONES + r" = (A \mathbf{1})^\top \mathrm{d}b"),
        (AFFINE, OF_ONES + r" = \operatorname{tr}(\mathbf{1}^\top G^\top \mathrm{d}b)",
         OF_ONES + r" = \operatorname{tr}(\mathbf{1}^\top A^\top \mathrm{d}b)"),
        (AFFINE, r"\mathrm{d} \varphi(Z) = \varphi'(Z) \odot \mathrm{d}Z",
         r"\mathrm{d} \varphi(Z) = \varphi(Z) \odot \mathrm{d}Z"),
        (AFFINE, r"\mathrm{d}L = \langle A - T, \mathrm{d}A \rangle", r"\mathrm{d}L = \langle A, \mathrm{d}A \rangle"),
        (BELOW, r"G_X = G_Q W_Q^\top", r"G_X = W_Q^\top G_Q"),
        (BELOW, r"(G_Q)_{ij} = \sum_k A_{ki} (G_Y)_{kj}", r"(G_Q)_{ij} = \sum_k A_{ik} (G_Y)_{kj}"),
        (BELOW + r"$$a = \operatorname{softmax}(s)$$", r"g_s = a \odot g_a - a (a^\top g_a)",
         r"g_s = a \odot g_a - g_a (a^\top g_a)"),
    ],
)  # fmt: skip
def test_what_is_right_holds_and_a_slip_is_found(lesson: str, right: str, wrong: str) -> None:
    assert set(claimed(f"{lesson}\n\n$${right}$$")) <= GOOD
    found = audit(read(Path("lesson.md"), f"{lesson}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} <= BAD


@pytest.mark.parametrize(
    "rule",
    [r"\operatorname{tr}(ABC) = \operatorname{tr}(CAB)",
     r"\operatorname{tr}(A^\top (B \odot C)) = \operatorname{tr}((A \odot B)^\top C)",
     r"\operatorname{tr}(A^\top) = \operatorname{tr}(A)", r"\mathrm{d}(AB) = (\mathrm{d}A) B + A\, \mathrm{d}B"],
)  # fmt: skip
def test_rules_are_of_any_matrices(rule: str) -> None:
    assert set(claimed(f"${rule}$ is a rule.\n\n{AFFINE}")) <= GOOD


def test_a_rule_of_any_matrices_that_is_none_does_not_hold() -> None:
    assert not set(claimed(rf"$\operatorname{{tr}}(ABC) = \operatorname{{tr}}(BAC)$ is a rule. {AFFINE}")[:1]) & GOOD


def test_a_section_of_rules_has_letters_of_its_own() -> None:
    rules = "# Rules\n$$C = A B, \\quad G_A = G_C B^\\top$$\n# Net\n"
    net = BELOW.replace("A Q", "A Q, \\quad A = \\tanh(P)")
    assert set(claimed(rules + net)) <= GOOD
    wrong = audit(read(Path("lesson.md"), rules.replace(r"G_C B^\top", r"B^\top G_C") + net)).equations[0]
    assert wrong.links[-1].verdict in BAD


def test_what_would_be_is_no_claim() -> None:
    text = BELOW + "\n\nWith a shortcut, $Y = X + A Q$, there would be another term."
    assert set(claimed(text)) <= GOOD | {"aside"}


WORDS = r"""Each word has the vectors $v_w \in \mathbb{R}^d$ and $u_w \in \mathbb{R}^d$, the columns of $U$.
$$\hat y_o = P(O = o \mid C = c) = \frac{\exp(u_o^T v_c)}{\sum_{w=1}^W \exp(u_w^T v_c)}$$
$$\theta = U^T v_c, \quad \hat y = \text{softmax}(\theta)$$
$$J_{\text{softmax}}(v_c, o, U) = -\log P(O = o \mid C = c) = -\sum_{w=1}^W y_w \log \hat y_w$$
$$J_{\text{softmax}} = -u_o^T v_c + \log \sum_{w=1}^W \exp(u_w^T v_c)$$
$$u_o = U y$$"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\frac{\partial J_{\text{softmax}}}{\partial v_c} = -u_o + \sum_{w=1}^W \hat y_w u_w",
         r"\frac{\partial J_{\text{softmax}}}{\partial v_c} = u_o - \sum_{w=1}^W \hat y_w u_w"),
        (r"\frac{\partial J_{\text{softmax}}}{\partial v_c} = U (\hat y - y)",
         r"\frac{\partial J_{\text{softmax}}}{\partial v_c} = U (y - \hat y)"),
        (r"\frac{\partial J_{\text{softmax}}}{\partial u_o} = (\hat y_o - 1) v_c",
         r"\frac{\partial J_{\text{softmax}}}{\partial u_o} = (\hat y_o - 1) u_o"),
    ],
)  # fmt: skip
def test_a_loss_with_a_word_below_it_of_one_of_many_vectors(right: str, wrong: str) -> None:
    assert set(claimed(f"{WORDS}\n\n$${right}$$")) <= GOOD | {"aside"}
    found = audit(read(Path("lesson.md"), f"{WORDS}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} <= BAD


FEATURES = r"""$$\mu_d = \frac1N \sum_{k=1}^N x_{kd}, \qquad y_{nd} = \gamma_d (x_{nd} - \mu_d) + \beta_d$$
The loss $L$ is computed from $y$. From here on we drop the index $d$.
$$\frac{\partial L}{\partial \beta} = \sum_n \frac{\partial L}{\partial y_n}$$"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\frac{\partial L}{\partial x_n} = \gamma \Big("
         r"\frac{\partial L}{\partial y_n} - \frac1N \sum_k \frac{\partial L}{\partial y_k}\Big)",
         r"\frac{\partial L}{\partial x_n} = \gamma \frac{\partial L}{\partial y_n}"),
        (r"\frac{\partial \mu}{\partial x_n} = \frac1N", r"\frac{\partial \mu}{\partial x_n} = \frac2N"),
        (r"\sum_n (x_n - \mu) = 0", r"\sum_n x_n = 0"),
    ],
)  # fmt: skip
def test_an_index_that_is_dropped_is_meant_all_the_same(right: str, wrong: str) -> None:
    assert set(claimed(f"{FEATURES}\n\n$${right}$$")) <= GOOD
    found = audit(read(Path("lesson.md"), f"{FEATURES}\n\n$${wrong}$$")).equations[-1]
    assert {link.verdict for link in found.links} <= BAD


HINGE = r"""The scores are $$s = W x_i + b$$ and $w_j^T$ is row $j$ of $W$, so that $s_j = w_j^T x_i + b_j$.
$$L_i = \sum_{j \neq y_i} \max(0, s_j - s_{y_i} + 1)$$
For a wrong class $j \neq y_i$,
$$\frac{\partial L_i}{\partial s_j} = \mathbb{1}(s_j - s_{y_i} + 1 > 0)$$"""
SOFTMAX = r"""The scores are $$s = W x_i + b, \quad p_k = \frac{e^{s_k}}{\sum_j e^{s_j}}, \quad L_i = -\log p_{y_i}$$
$$\frac{\partial L_i}{\partial s_k} = p_k - \mathbb{1}(y_i = k)$$"""


@pytest.mark.parametrize(
    ("lesson", "old", "new"),
    [
        (HINGE, r"= \mathbb{1}(s", r"= -\mathbb{1}(s"),
        (SOFTMAX, r"p_k - \mathbb{1}(y_i = k)", r"\mathbb{1}(y_i = k) - p_k"),
    ],
)  # fmt: skip
def test_scores_of_one_sample_that_do_not_name_it(lesson: str, old: str, new: str) -> None:
    assert set(claimed(lesson)) <= GOOD | {"aside"}
    assert claimed(lesson.replace(old, new))[-1] in BAD


def test_the_end_of_a_sum_is_a_number() -> None:
    norm = r"""$$r = x + v, \quad v = W h$$
With the mean $\mu = \frac1d \sum_{i=1}^d r_i$, $$y_i = \gamma_i (r_i - \mu)$$
$$\bar v = \bar r, \quad \bar W = \bar v h^\top$$ $$\bar r_i = \gamma_i \bar y_i - \frac1d \sum_j \gamma_j \bar y_j$$"""
    assert set(claimed(norm)) <= GOOD
    assert claimed(norm.replace(r"- \frac1d \sum_j", r"- \sum_j"))[-1] in BAD


POOLED = r"""$$z^1_i = \sum_{u=0}^{K-1} w^1_u x_{i+u} + b^1, \quad a^1_i = f(z^1_i), \quad a^2_i = \max_{0 \le u < s} a^1_{si+u}$$
$$z^3_r = \sum_i w^3_{ri} a^2_i, \quad \hat y_r = \frac{\exp(z^3_r)}{\sum_q \exp(z^3_q)}, \quad E = -\sum_r y_r \ln \hat y_r$$
$$\delta^1_i = \frac{\partial E}{\partial z^1_i}, \quad \delta^3_r = \frac{\partial E}{\partial z^3_r}$$
$$\delta^3_r = \hat y_r - y_r$$
$$\frac{\partial E}{\partial w^3_{ri}} = \delta^3_r a^2_i$$
$$\delta^1_i = \frac{\partial E}{\partial a^1_i} f'(z^1_i)$$
$$\frac{\partial E}{\partial w^1_u} = \sum_i \delta^1_i x_{i+u}$$"""


def test_what_is_above_and_below_a_layer_that_is_not_understood() -> None:
    assert set(claimed(POOLED)) <= GOOD
    for right, wrong, at in ((r"\hat y_r - y_r", r"y_r - \hat y_r", 0), (r"x_{i+u}$$", r"x_{i-u}$$", -1)):
        assert claimed(POOLED.replace(right, wrong))[at] not in GOOD
