"""Backpropagation from scratch in NumPy. Read `backprop.py` first: it is the five steps; then `linear.py`."""

from reference import activations, classification, joins, leaky, linear, losses, normalization, rectifiers, softmax  # noqa: F401  (they fill LAYERS)
from reference.backprop import (
    Backprop,
    Network,
    Trace,
    backprop,
    forward,
    hidden_errors,
    output_error,
    partials,
    update,
)
from reference.layer import LAYERS, GraphError, Layer, layer
from reference.optimizers import OPTIMIZERS, Optimizer

__all__ = [
    "LAYERS",
    "OPTIMIZERS",
    "Backprop",
    "GraphError",
    "Layer",
    "Network",
    "Optimizer",
    "Trace",
    "backprop",
    "forward",
    "hidden_errors",
    "layer",
    "output_error",
    "partials",
    "update",
]
