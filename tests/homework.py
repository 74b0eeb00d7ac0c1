"""A subject as a student writes it, for the README and the example report: one line is wrong."""

import numpy as np

from oracle import Unsupported


def sigmoid(z):
    """1 / (1 + e^(−z))."""
    return 1 / (1 + np.exp(-z))


def backprop(case):
    """Forward and backward through a chain of Linear, Tanh and Sigmoid that ends in HalfSquaredError or Dot."""
    values, theta, gradients = dict(case.inputs), case.parameters, {}
    for node in case.nodes:
        x = [values[name] for name in node.inputs]
        if node.op == "Linear":
            bias = theta[f"{node.name}.bias"] if node.attrs.get("bias", True) else 0
            values[node.name] = x[0] @ theta[f"{node.name}.weight"].T + bias
        elif node.op == "Tanh":
            values[node.name] = np.tanh(x[0])
        elif node.op == "Sigmoid":
            values[node.name] = sigmoid(x[0])
        elif node.op == "Dot":
            values[node.name] = (x[0] * x[1]).sum()
        elif node.op == "HalfSquaredError":
            if node.attrs.get("reduction") == "none":
                raise Unsupported("a loss that is not reduced")
            loss = (x[0] - x[1]) ** 2 / 2
            values[node.name] = loss.mean() if node.attrs.get("reduction") == "mean" else loss.sum()

    last = case.nodes[-1]
    delta, (y, t) = {}, (values[name] for name in last.inputs)
    if last.op == "Dot":
        delta[last.inputs[0]], delta[last.inputs[1]] = t, y
    else:
        n = y.size if last.attrs.get("reduction") == "mean" else 1
        delta[last.inputs[0]], delta[last.inputs[1]] = (y - t) / n, (t - y) / n

    for node in reversed(case.nodes[:-1]):
        d, x, a = delta[node.name], values[node.inputs[0]], values[node.name]
        if node.op == "Linear":
            gradients[f"{node.name}.weight"] = d.T @ x
            if node.attrs.get("bias", True):
                gradients[f"{node.name}.bias"] = d.sum(0)
            d = d @ theta[f"{node.name}.weight"]
        elif node.op == "Tanh":
            d = d * (1 - a)  # wrong: 1 - a**2
        elif node.op == "Sigmoid":
            d = d * a * (1 - a)
        delta[node.inputs[0]] = d
    return {"loss": values[last.name], "gradients": gradients | {name: delta[name] for name in case.inputs}}


backprop.supports = {"Linear", "Tanh", "Sigmoid", "HalfSquaredError", "Dot"}
