"""Forward formulas of the elementwise activations and the softmax family, as `torch.nn` documents them."""

from flint import arb

from oracle.arbiter.dual import Dual, balls, constant, erfc, exp, expm1, log, sigmoid, softplus, tanh
from oracle.arbiter.site import Break, Formula, Site, own_breaks, piecewise

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def kinked(pieces: Formula) -> Formula:
    """An operator whose pieces(site) meet at its kinks."""

    def formula(site: Site, z: Dual, *others: Dual) -> Dual:
        return piecewise(site, own_breaks(site), pieces(site), z, *others)

    return formula


def hard(*pieces: Formula) -> Formula:
    """A kinked operator without attributes in its pieces."""
    return kinked(lambda site: pieces)


def zero(z: Dual) -> Dual:
    """The formula 0."""
    return constant(z, 0)


def same(z: Dual) -> Dual:
    """The formula z."""
    return z


def celu(site: Site, z: Dual) -> Dual:
    """CELU(z) = max(0, z) + min(0, α (e^(z/α) − 1)); smooth at 0"""
    alpha = site.number("alpha", 1.0)
    return piecewise(site, [Break(arb(0))], [lambda z: alpha * expm1(z / alpha), same], z)


def elu(site: Site) -> list[Formula]:
    """ELU(z) = z, or α (eᶻ − 1) below 0"""
    alpha = site.number("alpha", 1.0)
    return [lambda z: alpha * expm1(z), same]


def selu(site: Site) -> list[Formula]:
    """SELU(z) = s (max(0, z) + min(0, α (eᶻ − 1)))"""
    scale, alpha = arb(SELU_SCALE), arb(SELU_ALPHA)
    return [lambda z: scale * (alpha * expm1(z)), lambda z: scale * z]


def gelu(site: Site, z: Dual) -> Dual:
    """GELU(z) = z Φ(z), Φ(z) = ½ erfc(−z/√2)

    or, approximated, z ½ (1 + tanh u) = z σ(2u) with u = √(2/π) (z + 0.044715 z³).
    """
    if site.attr("approximate", "none") == "tanh":
        return z * sigmoid(2 * (arb(2) / arb.pi()).sqrt() * (z + arb(0.044715) * z * z * z))
    return z * erfc(-z / arb(2).sqrt()) * 0.5


def softshrink(site: Site) -> list[Formula]:
    """Softshrink(z) = z + λ below −λ, z − λ above λ, else 0"""
    lambd = site.number("lambd", 0.5)
    return [lambda z: z + lambd, zero, lambda z: z - lambd]


def hardtanh(site: Site) -> list[Formula]:
    """Hardtanh(z) = min(max(z, min_val), max_val)"""
    low, high = site.number("min_val", -1.0), site.number("max_val", 1.0)
    return [lambda z: constant(z, low), same, lambda z: constant(z, high)]


def leaky_relu(site: Site) -> list[Formula]:
    """LeakyReLU(z) = z, or a z below 0"""
    slope = site.number("negative_slope", 0.01)
    return [lambda z: slope * z, same]


def log_sigmoid(site: Site, z: Dual) -> Dual:
    """LogSigmoid(z) = ln σ(z) = −ln(1 + e^(−z))"""
    return -softplus(-z)


def mish(site: Site, z: Dual) -> Dual:
    """Mish(z) = z tanh(ln(1 + eᶻ))"""
    return z * tanh(softplus(z))


def prelu(site: Site, z: Dual) -> Dual:
    """PReLU(z) = z, or a z below 0, with one a or one for each channel (axis 1)"""
    a = site.tensor("weight")
    if a.v.size > 1 and z.v.ndim > 1:
        a = a.reshape(-1, *[1] * (z.v.ndim - 2))
    return piecewise(site, own_breaks(site), [lambda z, a: a * z, lambda z, a: z], z, a)


def rrelu(site: Site, z: Dual, slopes: Dual) -> Dual:
    """RReLU(z) = z, or a z below 0: a is drawn in training, (lower + upper)/2 in evaluation"""
    if not site.case.training:
        slopes = constant(z, (site.number("lower", 1 / 8) + site.number("upper", 1 / 3)) / 2)
    return piecewise(site, own_breaks(site), [lambda z, a: a * z, lambda z, a: z], z, slopes)


def silu(site: Site, z: Dual) -> Dual:
    """SiLU(z) = z σ(z)"""
    return z * sigmoid(z)


def softplus_to_line(site: Site, z: Dual) -> Dual:
    """Softplus(z) = ln(1 + e^(βz))/β, and z itself above threshold/β: so the operator is documented"""
    beta = site.number("beta", 1.0)
    if site.exact_softplus:
        return softplus(beta * z) / beta
    return piecewise(site, own_breaks(site), [lambda z: softplus(beta * z) / beta, same], z)


def softsign(site: Site, z: Dual) -> Dual:
    """Softsign(z) = z / (1 + |z|); smooth at 0"""
    return piecewise(site, [Break(arb(0))], [lambda z: z / (1 - z), lambda z: z / (1 + z)], z)


def threshold(site: Site) -> list[Formula]:
    """Threshold(z) = z above the threshold, else value"""
    value = site.number("value")
    return [lambda z: constant(z, value), same]


def _axis(site: Site, z: Dual) -> int:
    """`dim`, or where torch puts it when it is not given."""
    dim = site.attr("dim")
    return int(dim) if dim is not None else 0 if z.v.ndim in (0, 1, 3) else 1


def log_sum_exp(z: Dual, axis: int) -> Dual:
    """LSE(z) = ln Σ eᶻ = c + ln Σ e^(z − c), with any constant c near the maximum"""
    c = Dual(balls(z.v.astype(float).max(axis, keepdims=True, initial=-1e308)))
    return c + log(exp(z - c).sum(axis, keepdims=True))


def log_softmax(site: Site, z: Dual) -> Dual:
    """LogSoftmax(z) = z − ln Σ eᶻ"""
    return z - log_sum_exp(z, _axis(site, z))


def softmax(site: Site, z: Dual) -> Dual:
    """Softmax(z) = eᶻ / Σ eᶻ = e^(z − ln Σ eᶻ)"""
    return exp(log_softmax(site, z))


def glu(site: Site, z: Dual) -> Dual:
    """GLU(a, b) = a σ(b), the two halves of z along `dim`"""
    dim = site.attr("dim", -1)
    half = z.shape[dim] // 2
    z = z.moveaxis(dim, -1)
    return (z[..., :half] * sigmoid(z[..., half:])).moveaxis(-1, dim)


ACTIVATIONS: dict[str, Formula] = {
    "CELU": celu,
    "ELU": kinked(elu),
    "GELU": gelu,
    "GLU": glu,
    "Hardshrink": hard(same, zero, same),
    "Hardsigmoid": hard(zero, lambda z: z / 6 + 0.5, lambda z: constant(z, 1)),
    "Hardswish": hard(zero, lambda z: z * (z + 3) / 6, same),
    "Hardtanh": kinked(hardtanh),
    "LeakyReLU": kinked(leaky_relu),
    "LogSigmoid": log_sigmoid,
    "LogSoftmax": log_softmax,
    "Mish": mish,
    "PReLU": prelu,
    "RReLU": rrelu,
    "ReLU": hard(zero, same),
    "ReLU6": hard(zero, same, lambda z: constant(z, 6)),
    "SELU": kinked(selu),
    "SiLU": silu,
    "Sigmoid": lambda site, z: sigmoid(z),
    "Softmax": softmax,
    "Softmin": lambda site, z: softmax(site, -z),
    "Softplus": softplus_to_line,
    "Softshrink": kinked(softshrink),
    "Softsign": softsign,
    "Tanh": lambda site, z: tanh(z),
    "Tanhshrink": lambda site, z: z - tanh(z),
    "Threshold": kinked(threshold),
}
