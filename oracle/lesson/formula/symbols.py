"""What the marks of a formula stand for."""


def _split(text: str) -> list[str]:
    return text.split()


GREEK = _split(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi pi "
    "varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi "
    "Omega ell"
)
WORDS = _split(
    "keepdims softmax sigmoid target output argmax hidden ReLU relu tanh Loss Cost loss cost error input total axis "
    "True Err net out log exp max MSE new old BCE NLL"
)
"""Words that are no product of their letters, wherever they stand."""
PLAIN = [
    *_split("diag if for where and otherwise when else with sum mean dot matmul multiply outer"),
    *_split("conv conv2 rot180 ROT180 rot upsample sech sinh cosh"),
    *(name for name in GREEK if len(name) > 3),
]
"""Words if no letter stands beside them."""
LINKING = set(_split("and where with so then or hence thus therefore but since because by as is are let denote here"))
LIMITING = set(
    _split(
        "if for when unless otherwise else any every all each si se cuando pour por para sinon falls wenn für sonst "
        "если при иначе eğer değilse 若 如果 当 當 对于 否则"
    )
)

RELATIONS = {
    "=": "=", "==": "=", ":=": ":=", r"\equiv": ":=", r"\triangleq": ":=", r"\coloneqq": ":=", r"\doteq": ":=",
    r"\leftarrow": "<-", r"\gets": "<-", r"\longleftarrow": "<-", r"\Leftarrow": "<-", r"\mapsto": "->",
    r"\to": "->", r"\rightarrow": "->", r"\longrightarrow": "->", r"\approx": "~=", r"\simeq": "~=", r"\cong": "~=",
    r"\ne": "!=", r"\neq": "!=", "<": "<", ">": ">", r"\ll": "<", r"\gg": ">",
    r"\le": "<=", r"\leq": "<=", r"\leqslant": "<=", r"\ge": ">=", r"\geq": ">=", r"\geqslant": ">=",
    r"\in": "in", ":": "in", r"\colon": "in", r"\subset": "in", r"\subseteq": "in", r"\notin": "!=",
    r"\sim": "~", r"\propto": "~", r"\leftrightarrow": "~", "<->": "~", "+=": "+=", "-=": "-=", "*=": "*=",
}  # fmt: skip
IMPLIES = {
    r"\Rightarrow", r"\implies", r"\iff", r"\Longrightarrow", r"\Leftrightarrow", r"\Longleftrightarrow", r"\therefore",
    r"\because",
}  # fmt: skip
SIGNS = {"+": 1, "-": -1}
TIGHT = {
    r"\cdot": "cdot", r"\vdot": "cdot", r"\times": "times", "*": "*", r"\ast": "*", "@": "@",
    r"\circledast": "star",
}  # fmt: skip
LOOSE = {
    r"\odot": "odot", r"\circ": "odot", r"\bullet": "odot", r"\star": "odot", ".*": "odot",
    r"\otimes": "otimes", r"\circledcirc": "odot",
}  # fmt: skip
DIVIDING = {r"\oslash", r"\div", "./"}
"""Elementwise quotients."""
OPERATIONS = SIGNS.keys() | TIGHT.keys() | LOOSE.keys() | DIVIDING
DOTS = {r"\cdots", r"\hdots", r"\ldots", r"\dots", r"\vdots", r"\ddots", r"\dotsc", r"\dotsb", "..."}
ACCENTS = {
    r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde", r"\bar": "bar",
    r"\overline": "bar", r"\dot": "dot", r"\ddot": "ddot", r"\check": "check", r"\breve": "breve",
    r"\acute": "acute", r"\grave": "grave", r"\mathring": "ring",
}  # fmt: skip
ALPHABETS = {
    r"\mathcal": "cal", r"\mathscr": "cal", r"\cal": "cal", r"\mathbb": "bb", r"\mathds": "bb", r"\mathbbm": "bb",
}  # fmt: skip
STYLES = set(
    _split(
        r"\mathbf \bold \boldsymbol \bm \pmb \textbf \vec \overrightarrow \mathsf \mathit \mathfrak \mathtt \mathrm "
        r"\bf \rm \it \sf \tt"
    )
)
OLD = {r"\rm", r"\sf", r"\tt", r"\it"}
"""Old styles that go on to the end of their group, and make a word of letters."""
BOLD = STYLES - set(_split(r"\mathit \mathtt \mathrm \rm \it \sf \tt"))
BARE = set(
    _split(
        "log ln exp tanh sinh cosh max min sin cos softmax sigmoid relu ReLU sign sgn diag tr Tr vec argmax argmin "
        "det Pr"
    )
)
"""Functions that need no parenthesis."""
FUNCTIONS = BARE | set(
    _split(
        "sum mean prod var Var sigma varsigma phi varphi psi Phi Psi f g dot matmul multiply outer sech sqrt "
        "rot180 ROT180 rot conv conv2"
    )
)
ABROAD = {"th": "tanh", "sh": "sinh", "ch": "cosh"} | {
    "Softmax": "softmax", "SoftMax": "softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "ReLU", "RELU": "ReLU",
}  # fmt: skip
"""What functions are called in other countries, or with a capital."""
QUANTITIES = dict.fromkeys(_split("오차 손실 误差 損失 损失 誤差"), "Loss") | {"가중합": "net", "加权和": "net"}
"""Words of the East that name a loss, and what goes into a unit."""
NOUNS = set(_split("net out target Err total output hidden error input new old"))
"""Words that are quantities: a parenthesis after them is a factor."""
LOSSES = {"ell", "cal L", "cal J", "cal E", "cal C", "L", "J", "E", "l"}
"""What is a function of a parenthesis with one symbol, where it is a loss."""
DIFFERENTIALS = {f"d{x}" for x in _split("W b B z a A Z x X w h H Y U V v s S o O u p P Q K theta")}
FRACTIONS = {r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"}
PAIRS = {"(": ")", "[": "]", r"\{": r"\}", r"\langle": r"\rangle", r"\lVert": r"\rVert", r"\lvert": r"\rvert"}
OPENING = PAIRS.keys() | {"{", r"\left."}
CLOSING = set(PAIRS.values()) | {"}", r"\right."}
MATRICES = set(_split("bmatrix pmatrix matrix array smallmatrix vmatrix Bmatrix Vmatrix cases dcases rcases"))
BRACES = {r"\underbrace", r"\overbrace"}

_LETTERS = _split(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi sum Phi Psi Omega"
)
_MARKS = _split(
    "partial sum prod odot circ cdot times leftarrow to nabla in approx ne le ge equiv top prime ell ldots cdots "
    "otimes infty phi leftarrow Rightarrow Leftrightarrow propto sim simeq triangleq bullet cdot ast | forall"
)
UNICODE = (
    {c: "\\" + name for c, name in zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", _LETTERS, strict=True)}
    | {c: "\\" + name for c, name in zip("∂∑∏⊙∘·×←→∇∈≈≠≤≥≡⊤′ℓ…⋯⊗∞ϕ⟵⇒⇔∝∼≃≜∙⋅∗∥∀", _MARKS, strict=True)}
    | {"−": "-", "–": "-", "≔": ":=", "∣": "|", "⟨": r"\langle", "⟩": r"\rangle", "（": "(", "）": ")", "，": ","}
    | {"’": "'"}
)
"""Σ is a sum: a matrix of that name is written in TeX."""
SCRIPTS = {c: ("_", d) for c, d in zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₗₘₙₜₒₕₚₓ₊₋₍₎", "0123456789ijklmntohpx+-()", strict=True)} | {
    c: ("^", d) for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹ᵀⁿˡⁱʲᵏᵐᵗᴸ⁺⁻⁽⁾", "0123456789TnlijkmtL+-()", strict=True)
}
COMBINING = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0305": r"\bar", "\u0307": r"\dot"}
SAME = {
    r"\vartriangle": r"\Delta", r"\triangle": r"\Delta", r"\bigtriangleup": r"\Delta",
    "=>": r"\Rightarrow", "||": r"\|", r"\_": "_", r"\*": "*",
    r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\vert": "|", r"\mid": "|",
    r"\arrowvert": "|", r"\lt": "<", r"\gt": ">",
    r"\Vert": r"\|", r"\cr": "\\\\", r"\newline": "\\\\", r"\qquad": r"\quad", r"\bigodot": r"\odot",
    r"\varnothing": r"\emptyset", r"\intercal": r"\top", r"\xrightarrow": r"\to", r"\xleftarrow": r"\leftarrow",
}  # fmt: skip
GONE = {"\\ ", "~", '"', "“", "”", "``"} | set(
    _split(
        r"\square \Box \blacksquare \qed \checkmark ✓ ✔ ∎ \substack "
        r"\displaystyle \textstyle \scriptstyle \scriptscriptstyle \limits \nolimits \nonumber \notag "
        r"\, \: \; \! \> "
        r"\hfill \mathop \mathbin \mathrel \mathord \underline \bigl \bigr \big \Big \bigg \Bigg \hline "
        r"\space \nobreakspace \negthinspace \relax \null "
        r"\enspace \thinspace \thickspace \medspace \mathstrut \small \large \normalsize \allowbreak \noindent"
    )
)
STRUCK = {r"\cancel", r"\bcancel", r"\xcancel", r"\boxed", r"\fbox"}
r"""Commands that leave of their argument what stands in its braces: y \cancel{- y h} is a difference."""
TEXTS = {r"\text", r"\textrm", r"\mathrm", r"\operatorname", r"\textit", r"\mbox", r"\texttt", r"\textsf", r"\hbox"}
DROPPED = set(
    _split(
        r"\tag \label \color \textcolor \hspace \vspace \phantom \hphantom \vphantom \overset \underset \stackrel "
        r"\intertext \shortintertext \ref \eqref \colorbox \hskip \require"
    )
)
"""Commands that go, and their first argument with them."""
MACROS = {
    r"\pdv": (2, r"\frac{\partial #1}{\partial #2}"), r"\pd": (2, r"\frac{\partial #1}{\partial #2}"),
    r"\dv": (2, r"\frac{d #1}{d #2}"), r"\norm": (1, r"\lVert #1 \rVert"), r"\abs": (1, r"\lvert #1 \rvert"),
    r"\R": (0, r"\mathbb{R}"), r"\Re": (0, r"\mathbb{R}"), r"\E": (0, r"\mathbb{E}"), r"\T": (0, r"\top"),
    r"\dd": (0, "d"), r"\partialfrac": (2, r"\frac{\partial #1}{\partial #2}"),
    r"\pderiv": (2, r"\frac{\partial #1}{\partial #2}"), r"\pfrac": (2, r"\frac{\partial #1}{\partial #2}"),
    r"\deriv": (2, r"\frac{d #1}{d #2}"), r"\pa": (1, "(#1)"), r"\paren": (1, "(#1)"), r"\parens": (1, "(#1)"),
    r"\cro": (1, "[#1]"), r"\brac": (1, "[#1]"), r"\infegal": (0, r"\le"), r"\supegal": (0, r"\ge"),
}  # fmt: skip
"""What lessons and well-known packages mean by them, where a lesson does not define them itself."""
