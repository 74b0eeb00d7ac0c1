"""The catalogue's table of kinks against torch itself: at each point, and on the floats beside it."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from oracle.catalogue import KINDS, Subgradients, plain, subgradients, tables
from oracle.faults import FAULTS
from oracle.kinks import KINKS, RESIDUAL, kinks
from oracle.spec import Node

ROWS = subgradients()
DTYPES = (torch.float32, torch.float64)


def module(s: Subgradients, dtype: Any) -> nn.Module:
    """The operator as torch has it, in evaluation: RReLU then takes the middle of its bounds."""
    return getattr(nn, s.op)(**s.attrs).to(dtype).eval()


def slope(s: Subgradients, at: float, dtype: Any) -> float:
    """Torch's own slope at a point, by autograd."""
    x = torch.tensor([at], dtype=dtype, requires_grad=True)
    made = module(s, dtype)
    y = made(x, torch.zeros(1, dtype=dtype)) if s.op in RESIDUAL else made(x)
    return float(torch.autograd.grad(y.sum(), x)[0])


def beside(at: float, towards: float, dtype: Any) -> float:
    """The next float."""
    kind = np.float32 if dtype == torch.float32 else np.float64
    return float(np.nextafter(kind(at), kind(towards)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("s", ROWS, ids=lambda s: f"{s.op} {s.at:g}")
def test_torch_has_the_slopes_of_the_table(s: Subgradients, dtype: Any) -> None:
    room = 2e-6 if dtype == torch.float32 else 1e-8 if s.op == "Hardsigmoid" else 1e-12
    # torch holds the 1/6 of Hardsigmoid as a float32 in float64 too
    assert slope(s, s.at, dtype) == pytest.approx(s.torch, abs=room)
    assert slope(s, beside(s.at, -np.inf, dtype), dtype) == pytest.approx(s.left, abs=room)
    assert slope(s, beside(s.at, np.inf, dtype), dtype) == pytest.approx(s.right, abs=room)


@pytest.mark.parametrize("s", ROWS, ids=lambda s: f"{s.op} {s.at:g}")
def test_torch_takes_a_valid_slope(s: Subgradients) -> None:
    low, high = s.valid
    assert low <= s.torch <= high
    assert {low, high} == {s.left, s.right}


def test_every_kink_has_its_row() -> None:
    listed = [(s.op, k.at) for op, s in {s.op: s for s in ROWS}.items() for k in kinks(Node("n", op, ("x",), s.attrs))]
    assert sorted(listed) == sorted((s.op, s.at) for s in ROWS)
    assert {s.op for s in ROWS} == set(KINKS)


def test_the_valid_sets_as_they_are_written() -> None:
    (table,) = tables("kinks")
    valid = {(row[0], row[1]): row[-1] for row in table.rows}
    assert valid["ReLU", "input = 0"] == "[0, 1]"
    assert valid["LeakyReLU(negative_slope=0.01)", "input = 0"] == "[0.01, 1]"
    assert valid["L1Loss", "prediction − target = 0"] == "[-1, 1]"
    assert valid["Hardswish", "input = 3"] == "[1, 1.5]"


def test_every_fault_is_in_the_tables_once() -> None:
    codes = [row[0] for table in tables("faults") for row in table.rows]
    assert sorted(codes) == sorted(FAULTS)
    assert list(plain()) == list(KINDS)
    assert {f["code"] for f in plain("faults")["faults"]} == set(FAULTS)
