"""Ng's notation as others write it down: batches, means, small letters for capitals, sums and carets left out."""

from pathlib import Path

import pytest

from oracle.lesson.audit import audit
from oracle.lesson.reading import read
from tests.verdicts import claimed

GOOD, BAD = {"holds", "holds under"}, {"fails", "ill-typed"}

ANY_LAYER = r"""
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}$$
$$A^{[l]} = g(Z^{[l]})$$
"""
ANY_LAYER_CLAIMS = [
    (r"dZ^{[l]} := \frac{\partial J}{\partial Z^{[l]}} = dA^{[l]} * g'(Z^{[l]})", "g'", "g"),
    (r"dW^{[l]} := \frac{\partial J}{\partial W^{[l]}} = \frac{1}{m} dZ^{[l]} A^{[l-1]T}", "l-1", "l"),
    (r"db^{[l]} := \frac{\partial J}{\partial b^{[l]}} = \frac{1}{m} \sum_{i=1}^m dZ^{[l](i)}", "= dZ", "= dA"),
    (r"dA^{[l-1]} := \frac{\partial J}{\partial A^{[l-1]}} = W^{[l]T} dZ^{[l]}", "]T}", "]}"),
]
"""All are called partials of J, and dW and db are of its mean."""
SMALL = r"""
$$z^{[1]} = W^{[1]} x + b^{[1]}, \quad a^{[1]} = g^{[1]}(z^{[1]})$$
$$z^{[2]} = W^{[2]} a^{[1]} + b^{[2]}, \quad a^{[2]} = \sigma(z^{[2]})$$
$$J = \frac{1}{m} \sum_{i=1}^m L(\hat y, y)$$
$$dW^{[2]} = \frac{dJ}{dW^{[2]}}, \quad db^{[2]} = \frac{dJ}{db^{[2]}}$$
"""
SMALL_CLAIMS = [
    (r"dz^{[2]} = A^{[2]} - Y", "no slip", ""),
    (r"dW^{[2]} = \frac{1}{m} dz^{[2]} A^{[1]T}", "A^{[1]T}", "A^{[2]T}"),
    (r"db^{[2]} = \frac{1}{m} np.sum(dz^{[2]}, axis=1, keepdims=True)", r"\frac{1}{m} np", "np"),
    (r"dz^{[1]} = W^{[2]T} dz^{[2]} * g[1]^{'}(z^{[1]})", "]T}", "]}"),
]
"""What is computed for one x is meant for all of them."""
ENTRIES = r"""
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \quad A^{[l]} = g(Z^{[l]})$$
"""
ENTRIES_CLAIMS = [
    (r"dA^{[l-1]}_{i,j} = \frac{\partial J}{\partial A^{[l-1]}_{i,j}} = "
     r"\frac{\partial J}{\partial Z^{[l]}_{k,n}} \frac{\partial Z^{[l]}_{k,n}}{\partial A^{[l-1]}_{i,j}}", "none", ""),
    (r"\frac{\partial Z_{k,n}}{\partial A^{[l-1]}_{i,j}} = W^{[l]}_{k,l} \delta_{l,i} \delta_{n,j}", "k,l", "l,k"),
    (r"dA^{[l-1]}_{i,j} = W^{[l]T}_{i,k} dZ^{[l]}_{k,j}", "_{i,k}", "_{k,i}"),
    (r"dW^{[l]}_{i,j} = \frac{\partial J}{\partial W^{[l]}_{i,j}} = dZ^{[l]}_{i,n} A^{[l-1]}_{j,n}", "j,n", "n,j"),
]  # fmt: skip
"""Sums are left out, a layer too, and l counts layers and entries."""
LAST = r"""
$$\mathcal{L} = -\frac{1}{m} \sum_{i=1}^m \sum_{k=1}^{n_L} Y_k^{(i)} \log(A_k^{[L](i)})$$
$$A^{[L]} = \text{Softmax}(z^{[L]}), \quad z^{[L]} = W^{[L]} A^{[L-1]} + b{[L]}$$
$$dz^{[L]} = \frac{\partial \mathcal{L}}{\partial z^{[L]}}$$
"""
LAST_CLAIMS = [
    (r"dz^{[L]} = A^{[L]} - Y", "A^{[L]} - Y", "Y - A^{[L]}"),
    (r"dW^{[L]} = \frac{1}{m} dz^{[L]} (A^{[L-1]})^T", "[L-1]", "[L]"),
    (r"db^{[L]} = \frac{1}{m} \sum_{i=1}^m dz^{[L](i)}", r"\frac{1}{m}", ""),
    (r"dA^{[L-1]} = (W^{[L]})^T dz^{[L]}", ")^T", ")"),
]
"""Only the last layer is written, z in small letters though it is of all samples."""
LESSONS = [(ANY_LAYER, ANY_LAYER_CLAIMS), (SMALL, SMALL_CLAIMS), (ENTRIES, ENTRIES_CLAIMS), (LAST, LAST_CLAIMS)]


def _shown(net: str, formulas: list[str]) -> str:
    return net + "\n\n".join(f"$${formula}$$" for formula in formulas)


@pytest.mark.parametrize(("net", "claims"), LESSONS)
def test_all_that_is_right_holds(net: str, claims: list[tuple[str, str, str]]) -> None:
    assert set(claimed(_shown(net, [claim for claim, _, _ in claims]))) <= GOOD


@pytest.mark.parametrize(
    ("net", "claims", "at"),
    [(net, claims, at) for net, claims in LESSONS for at in range(len(claims)) if claims[at][1] in claims[at][0]],
)
def test_a_slip_among_them_is_found(net: str, claims: list[tuple[str, str, str]], at: int) -> None:
    wrong = [c.replace(old, new) if k == at else c for k, (c, old, new) in enumerate(claims)]
    found = audit(read(Path("lesson.md"), _shown(net, wrong))).equations[at - len(claims)]
    assert {link.verdict for link in found.links} & BAD
