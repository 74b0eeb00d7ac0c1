"""Teaching accuracy: a lesson's formulas, worked numbers and code, held against autograd."""
