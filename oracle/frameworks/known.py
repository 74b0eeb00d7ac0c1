"""What is known of the disagreements beside their numbers: why, and what the public issues say (an index was searched).

Keys are a framework and an operator, or these and a kind of `survey.KINDS`, which goes first.
"""

CAUSES: dict[str, str] = {
    "jax GELU": "1 + tanh cancels for negative x.",
    "mygrad ELU": "eˣ − 1 cancels near 0, where expm1 would not.",
    "mygrad GLU": "As Sigmoid.",
    "mygrad LeakyReLU": "max(x, 0) + slope · min(x, 0), and at a tie MyGrad's max and min both pass nothing on: 0 lies "
    "outside the subgradients, which reach from the slope to 1.",
    "mygrad LogSoftmax": "It asks for the largest entry of an empty batch.",
    "mygrad SELU": "eˣ − 1 cancels near 0, where expm1 would not.",
    "mygrad Sigmoid": "σ (1 − σ) cancels where σ is near 1.",
    "tinygrad Adam": "The learning rate and the state are float32, whatever the parameters are; OPTIM_DTYPE changes "
    "the "
    "state alone. The bias corrections 1 − βᵗ are float32 too, and cancel.",
    "tinygrad AdamW": "As Adam.",
    "tinygrad BCELoss": "ln 0: there is no clamp as torch's at −100, and 0 · ∞ is NaN.",
    "tinygrad CELU": "max(x, 0) + min(α (e^(x/α) − 1), 0): where e^(x/α) rounds to 1 the second is a tie too, "
    "and passes "
    "half of its gradient on beside the first; and eˣ − 1 cancels.",
    "tinygrad CELU, NaN or infinity": "e^(x/α) overflows for large x, and 0 · ∞ is NaN: a branch that is not taken.",
    "tinygrad ELU": "relu(x) − α relu(1 − eˣ): at 0 both slopes are 0, though ELU with α = 1 has the slope 1 there; "
    "and 1 − eˣ cancels.",
    "tinygrad ELU, NaN or infinity": "eˣ overflows for large x, and 0 · ∞ is NaN: a branch that is not taken.",
    "tinygrad GELU": "erf is a polynomial good to 1.5e-7 (Abramowitz and Stegun 7.1.26), in float64 too; its slope is "
    "that of the polynomial.",
    "tinygrad LogSigmoid": "As Softplus.",
    "tinygrad Mish": "tanh is 2 σ(2x) − 1, which cancels near 0.",
    "tinygrad SELU": "Its constants have six digits, 1.67326 and 1.0507; and eˣ − 1 cancels.",
    "tinygrad SELU, NaN or infinity": "eˣ overflows for large x, and 0 · ∞ is NaN: a branch that is not taken.",
    "tinygrad SGD": "Its momentum is float32, whatever the parameters are.",
    "tinygrad Tanh": "2 σ(2x) − 1 cancels near 0, where tanh x is x.",
    "tinygrad Tanhshrink": "As Tanh.",
    "tinygrad c": "A tensor without axes is a constant of the graph, one with every equal constant in it: its gradient "
    "counts them all, here a 1 of the sign in |x|.",
}

UPSTREAM: dict[str, str] = {
    "jax GELU": "The same cancellation in tanh: jax-ml/jax#40388 (closed).",
    "tinygrad Adam": "tinygrad/tinygrad#10387 and #10925 made it so, on purpose.",
    "tinygrad AdamW": "tinygrad/tinygrad#10387 and #10925 made it so, on purpose.",
    "tinygrad CELU, NaN or infinity": "Repaired after this version: tinygrad/tinygrad#17852.",
    "tinygrad ELU, NaN or infinity": "Repaired after this version: tinygrad/tinygrad#17852.",
    "tinygrad SELU, NaN or infinity": "Repaired after this version: tinygrad/tinygrad#17852.",
    "tinygrad SGD": "tinygrad/tinygrad#10387 and #10925 made it so, on purpose.",
    "tinygrad c": "tinygrad/tinygrad#9597 (closed), with a repair in tinygrad/tinygrad#14075 that went with "
    "requires_grad.",
}


def told(about: dict[str, str], name: str, op: str, kind: str, tensor: str) -> str:
    """What is said of a disagreement; an empty string where nothing is."""
    keys = (f"{name} {tensor}", f"{name} {op}, {kind}", f"{name} {op}")
    return next((about[key] for key in keys if key in about), "")
