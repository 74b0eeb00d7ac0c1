"""What losses are called."""

ENTROPIES = ("CE", "BCE", "NLL", "MSE")
LOSS = ("L", "C", "J", "E", "cal L", "cal J", "cal E", "cal C", "ell", "Loss", "Cost", "loss", "cost", *ENTROPIES)
"""What a loss is called, the likeliest first."""
LOSSES = {*LOSS, "l", "R", "S"}
