"""What the marks of a formula stand for."""

RELATIONS = {
    "=": "=", ":=": ":=", r"\equiv": ":=", r"\triangleq": ":=", r"\coloneqq": ":=", r"\leftarrow": "<-", r"\gets": "<-",
    r"\to": "->", r"\rightarrow": "->", r"\Rightarrow": "->", r"\implies": "->", r"\approx": "~=", r"\simeq": "~=",
    r"\ne": "!=", r"\neq": "!=", "<": "<", ">": ">", r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=",
    r"\in": "in", r"\sim": "~", r"\propto": "~", "+=": "+=", "-=": "-=", "*=": "*=", r"\lt": "<", r"\gt": ">",
}  # fmt: skip
TIGHT = {r"\cdot": "cdot", r"\times": "times", "*": "*", r"\ast": "*", "@": "@"}
LOOSE = {
    r"\odot": "odot", r"\circ": "odot", r"\bullet": "odot", r"\otimes": "otimes", r"\star": "odot",
}  # fmt: skip
DOTS = {r"\cdots", r"\ldots", r"\dots", "…"}
ACCENTS = {r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde", r"\bar": "bar",
           r"\overline": "bar", r"\dot": "dot"}  # fmt: skip
STYLES = {r"\mathcal": "cal", r"\mathscr": "cal", r"\mathbb": "bb"}
BARE = {"log", "ln", "exp", "tanh", "sinh", "cosh", "max", "min", "sin", "cos", "softmax", "sigmoid", "relu", "ReLU",
        "sign", "diag", "tr", "vec", "argmax"}  # fmt: skip
FUNCTIONS = BARE | {
    "sum",
    "mean",
    "prod",
    "var",
    "sigma",
    "phi",
    "varphi",
    "f",
    "g",
    "Var",
    "dot",
    "np.sum",
    "np.dot",
    "np.mean",
    "np.exp",
    "np.log",
}
PAIRS = {"(": ")", "[": "]", r"\{": r"\}", r"\langle": r"\rangle", r"\lVert": r"\rVert", r"\lvert": r"\rvert"}
