"""Backpropagation as courses and well-known repositories have it written: their interfaces, our own code, all right."""

from itertools import pairwise

import numpy as np

RNG = np.random.default_rng(0)


def sigmoid(z):
    """1 / (1 + e^(−z))."""
    return 1.0 / (1.0 + np.exp(-z))


def softmax(z):
    """Rows that sum to 1."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ACTS = {
    "sigmoid": (sigmoid, lambda a: a * (1 - a)),
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda a: (a > 0) * 1.0),
}
"""σ, and σ′ as a function of a = σ(z)."""


# ------------------------------------------------------------------------------------------------- lists, rows


def lists(weights, biases, x, y, activation):
    """The plainest: half the squared error summed, the same activation everywhere, (in, out)."""
    f, slope = ACTS[activation]
    acts = [x]
    for W, b in zip(weights, biases, strict=True):
        acts.append(f(acts[-1] @ W + b))
    dW, db = [None] * len(weights), [None] * len(weights)
    delta = (acts[-1] - y) * slope(acts[-1])
    for k in range(len(weights) - 1, -1, -1):
        dW[k], db[k] = acts[k].T @ delta, delta.sum(axis=0)
        delta = (delta @ weights[k].T) * slope(acts[k])
    return dW, db


def loss_first(weights, biases, X, y, activation="tanh"):
    """(loss, dW, db); linear output; mean squared error over all entries; (out, in)."""
    f, slope = ACTS[activation]
    acts = [X]
    for k, (W, b) in enumerate(zip(weights, biases, strict=True)):
        z = acts[-1] @ W.T + b
        acts.append(z if k == len(weights) - 1 else f(z))
    loss = np.mean((acts[-1] - y) ** 2)
    delta, dW, db = 2 * (acts[-1] - y) / y.size, [], []
    for k in reversed(range(len(weights))):
        dW.append(delta.T @ acts[k])
        db.append(delta.sum(0))
        if k:
            delta = delta @ weights[k] * slope(acts[k])
    return loss, dW[::-1], db[::-1]


def named_lists(Ws, bs, inputs, targets):
    """{"dW": [...], "db": [...]}; relu, softmax, mean cross-entropy, one-hot; biases (1, out)."""
    acts = [inputs]
    for W, b in zip(Ws[:-1], bs[:-1], strict=True):
        acts.append(np.maximum(0, acts[-1].dot(W) + b))
    p = softmax(acts[-1].dot(Ws[-1]) + bs[-1])
    d = (p - targets) / len(inputs)
    grads = {"dW": [], "db": []}
    for k in reversed(range(len(Ws))):
        grads["dW"].insert(0, acts[k].T.dot(d))
        grads["db"].insert(0, d.sum(axis=0, keepdims=True))
        d = d.dot(Ws[k].T) * (acts[k] > 0)
    return grads


def interleaved(params, x, t):
    """[dW1, db1, dW2, db2, ...] of [W1, b1, W2, b2, ...]; tanh; half the squared error, mean over the batch."""
    acts, n = [x], len(params) // 2
    for k in range(n):
        z = acts[-1] @ params[2 * k] + params[2 * k + 1]
        acts.append(np.tanh(z) if k < n - 1 else z)
    delta, grads = (acts[-1] - t) / len(x), [None] * len(params)
    for k in reversed(range(n)):
        grads[2 * k], grads[2 * k + 1] = acts[k].T @ delta, delta.sum(0)
        delta = delta @ params[2 * k].T * (1 - acts[k] ** 2)
    return grads


def pairs(layers, x, y):
    """A loss and a list of (dW, db) for a list of (W, b); sigmoid hidden, linear output; squared error summed."""
    acts = [x]
    for k, (W, b) in enumerate(layers):
        z = acts[-1] @ W + b
        acts.append(sigmoid(z) if k < len(layers) - 1 else z)
    delta, grads = 2 * (acts[-1] - y), []
    for k in reversed(range(len(layers))):
        grads.append((acts[k].T @ delta, delta.sum(0)))
        delta = delta @ layers[k][0].T * acts[k] * (1 - acts[k])
    return float(np.sum((acts[-1] - y) ** 2)), grads[::-1]


def flat(W1, b1, W2, b2, X, Y):
    """Two layers by their names; tanh, softmax and classes; (loss, dW1, db1, dW2, db2)."""
    h = np.tanh(X @ W1 + b1)
    p = softmax(h @ W2 + b2)
    n = len(X)
    loss = -np.log(p[np.arange(n), Y]).mean()
    d2 = p.copy()
    d2[np.arange(n), Y] -= 1
    d2 /= n
    d1 = d2 @ W2.T * (1 - h**2)
    return loss, X.T @ d1, d1.sum(0), h.T @ d2, d2.sum(0)


def three(x, y, w1, b1, w2, b2, w3, b3):
    """Three layers by their names, (out, in); relu; {"dw1", "db1", ...}."""
    a1 = np.maximum(x @ w1.T + b1, 0)
    a2 = np.maximum(a1 @ w2.T + b2, 0)
    d3 = (a2 @ w3.T + b3 - y) / x.shape[0]
    d2 = d3 @ w3 * (a2 > 0)
    d1 = d2 @ w2 * (a1 > 0)
    return {
        "dw1": d1.T @ x, "db1": d1.sum(0), "dw2": d2.T @ a1, "db2": d2.sum(0), "dw3": d3.T @ a2, "db3": d3.sum(0),
    }  # fmt: skip


def with_functions(weights, biases, x, y, act, act_prime):
    """The activation and its slope at z handed in as functions."""
    zs, acts = [], [x]
    for W, b in zip(weights, biases, strict=True):
        zs.append(acts[-1] @ W + b)
        acts.append(act(zs[-1]))
    delta, grads = (acts[-1] - y) * act_prime(zs[-1]), []
    for k in reversed(range(len(weights))):
        grads.append([acts[k].T @ delta, delta.sum(0)])
        if k:
            delta = delta @ weights[k].T * act_prime(zs[k - 1])
    return grads[::-1]


def first_column(thetas, X, y, lambda_=1.0):
    """The bias as the first column of Theta (out, in + 1); sigmoids, cross-entropy, regularised; (J, grads)."""
    n, acts = len(X), [X]
    for theta in thetas:
        acts[-1] = np.column_stack([np.ones(n), acts[-1]])
        acts.append(sigmoid(acts[-1] @ theta.T))
    h = acts[-1]
    J = -(y * np.log(h) + (1 - y) * np.log(1 - h)).sum() / n
    J += lambda_ / (2 * n) * sum((theta[:, 1:] ** 2).sum() for theta in thetas)
    delta, grads = h - y, []
    for k in reversed(range(len(thetas))):
        grad = delta.T @ acts[k] / n
        grad[:, 1:] += lambda_ / n * thetas[k][:, 1:]
        grads.append(grad)
        delta = (delta @ thetas[k] * acts[k] * (1 - acts[k]))[:, 1:]
    return J, grads[::-1]


def no_bias(x, y, syn0, syn1):
    """Eleven lines and no biases."""
    l1 = sigmoid(np.dot(x, syn0))
    l2 = sigmoid(np.dot(l1, syn1))
    l2_delta = (l2 - y) * l2 * (1 - l2)
    l1_delta = l2_delta.dot(syn1.T) * l1 * (1 - l1)
    return x.T.dot(l1_delta), l1.T.dot(l2_delta)


def one_sample(x, y, weights, biases):
    """One sample, a vector, with np.outer; nested Python lists come back."""
    acts = [x]
    for W, b in zip(weights, biases, strict=True):
        acts.append(np.tanh(W @ acts[-1] + b))
    delta, dW, db = (acts[-1] - y) * (1 - acts[-1] ** 2), [], []
    for k in reversed(range(len(weights))):
        dW.insert(0, np.outer(delta, acts[k]).tolist())
        db.insert(0, delta.tolist())
        delta = weights[k].T @ delta * (1 - acts[k] ** 2)
    return dW, db


# ------------------------------------------------------------------------------------------------- columns, a course


def forward_propagation(X, parameters):
    """A1 = tanh(W1 X + b1), A2 = σ(W2 A1 + b2), samples in columns."""
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
    A2 = sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def backward_propagation(parameters, cache, X, Y):
    """The backward half, which wants the cache of the forward half."""
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = 1 / m * np.dot(dZ2, cache["A1"].T)
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(parameters["W2"].T, dZ2) * (1 - np.power(cache["A1"], 2))
    dW1 = 1 / m * np.dot(dZ1, X.T)
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def L_model_forward(X, parameters):  # noqa: N802
    """relu, relu, ..., sigmoid; (AL, caches)."""
    A, caches, L = X, [], len(parameters) // 2
    for k in range(1, L + 1):
        Z = parameters[f"W{k}"] @ A + parameters[f"b{k}"]
        caches.append((A, Z))
        A = np.maximum(0, Z) if k < L else sigmoid(Z)
    return A, caches


def L_model_backward(AL, Y, caches, parameters):  # noqa: N802
    """Its backward half, through dAL."""
    m, L, grads = AL.shape[1], len(caches), {}
    dA = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    for k in reversed(range(1, L + 1)):
        A, Z = caches[k - 1]
        dZ = dA * AL * (1 - AL) if k == L else dA * (Z > 0)
        grads[f"dW{k}"] = dZ @ A.T / m
        grads[f"db{k}"] = dZ.sum(axis=1, keepdims=True) / m
        dA = parameters[f"W{k}"].T @ dZ
    return grads


# ------------------------------------------------------------------------------------------------- objects


class Network:
    """Lists of (out, in) weights and (out, 1) biases; one sample at a time, a column; nabla_b first."""

    def __init__(self, sizes):
        self.sizes = sizes
        self.biases = [RNG.normal(size=(n, 1)) for n in sizes[1:]]
        self.weights = [RNG.normal(size=(n, m)) for m, n in pairwise(sizes)]

    def backprop(self, x, y):
        """(nabla_b, nabla_w)."""
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activations, zs = [x], []
        for b, w in zip(self.biases, self.weights, strict=True):
            zs.append(np.dot(w, activations[-1]) + b)
            activations.append(sigmoid(zs[-1]))
        delta = (activations[-1] - y) * self.slope(zs[-1])
        nabla_b[-1], nabla_w[-1] = delta, np.dot(delta, activations[-2].transpose())
        for k in range(2, len(self.sizes)):
            delta = np.dot(self.weights[-k + 1].transpose(), delta) * self.slope(zs[-k])
            nabla_b[-k], nabla_w[-k] = delta, np.dot(delta, activations[-k - 1].transpose())
        return nabla_b, nabla_w

    @staticmethod
    def slope(z):
        """σ′(z)."""
        return sigmoid(z) * (1 - sigmoid(z))


class TwoLayerNet:
    """A dictionary of parameters; loss(X, y, reg) is (loss, grads)."""

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {
            "W1": std * RNG.normal(size=(input_size, hidden_size)), "b1": np.zeros(hidden_size),
            "W2": std * RNG.normal(size=(hidden_size, output_size)), "b2": np.zeros(output_size),
        }  # fmt: skip

    def loss(self, X, y=None, reg=0.5):
        """Softmax loss of classes, and an L2 term."""
        W1, b1, W2, b2 = (self.params[n] for n in ("W1", "b1", "W2", "b2"))
        hidden = np.maximum(0, X.dot(W1) + b1)
        p, n = softmax(hidden.dot(W2) + b2), len(X)
        loss = -np.log(p[range(n), y]).sum() / n + reg * ((W1**2).sum() + (W2**2).sum())
        d = p.copy()
        d[range(n), y] -= 1
        d /= n
        dh = d.dot(W2.T) * (hidden > 0)
        grads = {"W2": hidden.T.dot(d) + 2 * reg * W2, "b2": d.sum(0)}
        grads |= {"W1": X.T.dot(dh) + 2 * reg * W1, "b1": dh.sum(0)}
        return loss, grads


class Layer:
    """A layer that keeps its gradients."""

    def __init__(self, n_in, n_out):
        self.W, self.b = RNG.normal(size=(n_in, n_out)), np.zeros((1, n_out))

    def forward(self, x):
        """σ(x W + b)."""
        self.x, self.a = x, sigmoid(x @ self.W + self.b)
        return self.a

    def backward(self, d):
        """The gradients are kept, the error signal handed on."""
        d = d * self.a * (1 - self.a)
        self.dW, self.db = self.x.T @ d, d.sum(0, keepdims=True)
        return d @ self.W.T


class Stack:
    """A list of layers; forward(x), then backward(y) leaves the gradients in the layers."""

    def __init__(self, sizes):
        self.layers = [Layer(a, b) for a, b in pairwise(sizes)]

    def forward(self, x):
        """The output."""
        for layer in self.layers:
            x = layer.forward(x)
        self.out = x
        return x

    def backward(self, y):
        """Half the squared error, summed."""
        d = self.out - y
        for layer in reversed(self.layers):
            d = layer.backward(d)


class Classifier:
    """Like scikit-learn's: hidden sizes in the constructor, coefs_ and intercepts_, gradients kept."""

    def __init__(self, n_inputs, hidden_sizes, n_outputs, activation="relu"):
        sizes = [n_inputs, *hidden_sizes, n_outputs]
        self.activation = activation
        self.coefs_ = [RNG.normal(size=(a, b)) for a, b in pairwise(sizes)]
        self.intercepts_ = [np.zeros(b) for b in sizes[1:]]

    def compute_gradients(self, X, y):
        """Cross-entropy of a softmax, mean over the batch; y one-hot; (loss, coef_grads, intercept_grads)."""
        f, slope = ACTS[self.activation]
        acts = [X]
        for k, (W, b) in enumerate(zip(self.coefs_, self.intercepts_, strict=True)):
            z = acts[-1] @ W + b
            acts.append(f(z) if k < len(self.coefs_) - 1 else softmax(z))
        loss = -(y * np.log(acts[-1] + 1e-9)).sum(1).mean()
        d, coefs, intercepts = (acts[-1] - y) / len(X), [], []
        for k in reversed(range(len(self.coefs_))):
            coefs.insert(0, acts[k].T @ d)
            intercepts.insert(0, d.sum(0))
            d = d @ self.coefs_[k].T * slope(acts[k])
        return loss, coefs, intercepts


class Scalar:
    """A number that remembers how it was made."""

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes, self.grad = float(data), parents, slopes, 0.0

    def __add__(self, other):
        """The sum."""
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        """The product."""
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.data * other.data, (self, other), (other.data, self.data))

    def tanh(self):
        """The hyperbolic tangent."""
        t = np.tanh(self.data)
        return Scalar(t, (self,), (1 - t * t,))

    def backward(self):
        """Every number's gradient, in reverse order of making."""
        order, seen = [], set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p in v.parents:
                    visit(p)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            for p, slope in zip(v.parents, v.slopes, strict=True):
                p.grad += slope * v.grad


def scalars(weights, biases, x, y):
    """A net of scalars that differentiate themselves; lists of numbers come back."""
    Ws = [[[Scalar(v) for v in row] for row in W] for W in weights]
    bs = [[Scalar(v) for v in b] for b in biases]
    total = Scalar(0.0)
    for xi, yi in zip(x, y, strict=True):
        a = [Scalar(v) for v in xi]
        for W, b in zip(Ws, bs, strict=True):
            a = [sum((w * v for w, v in zip(row, a, strict=True)), bias).tanh() for row, bias in zip(W, b, strict=True)]
        for o, t in zip(a, yi, strict=True):
            e = o + -float(t)
            total = total + e * e
    total.backward()
    return total.data, [[[w.grad for w in row] for row in W] for W in Ws], [[v.grad for v in b] for b in bs]


class Dense:
    """Holds the arrays that it is given, and so must see what is later written into them."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(0)
        return d @ self.W.T


class Held:
    """Layers over a dictionary of parameters."""

    def __init__(self, input_size, hidden_size, output_size):
        self.params = {
            "W1": np.full((input_size, hidden_size), 0.1), "b1": np.zeros(hidden_size),
            "W2": np.full((hidden_size, output_size), 0.1), "b2": np.zeros(output_size),
        }  # fmt: skip
        self.first = Dense(self.params["W1"], self.params["b1"])
        self.last = Dense(self.params["W2"], self.params["b2"])

    def gradient(self, x, t):
        a = np.tanh(self.first.forward(x))
        d = self.last.backward(self.last.forward(a) - t)
        self.first.backward(d * (1 - a**2))
        return {"W1": self.first.dW, "b1": self.first.db, "W2": self.last.dW, "b2": self.last.db}


def flat_rows(W1, b1, W2, b2, x, y):
    """Biases are rows, their gradients are not: to subtract them does no harm."""
    a = np.tanh(x @ W1 + b1)
    d2 = (a @ W2 + b2 - y) / len(x)
    d1 = d2 @ W2.T * (1 - a**2)
    return x.T @ d1, d1.sum(0), a.T @ d2, d2.sum(0)
