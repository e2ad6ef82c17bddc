"""Layers as functions of a dictionary of weights. The same code runs on numpy while acting and on torch in training."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

Weights = Mapping[str, Any]
"""Name to array: numpy.ndarray, or torch.Tensor while training."""
Shapes = dict[str, tuple[int, ...]]
"""What a part of the model asks for: names ending in `.b` start at zero, others at random."""


def namespace(array: Any) -> Any:
    """numpy or torch, whichever `array` is of."""
    return np if isinstance(array, np.ndarray) else sys.modules["torch"]


def linear(w: Weights, name: str, x: Any) -> Any:
    return x @ w[f"{name}.w"] + w[f"{name}.b"]


def linear_shapes(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.w": (inputs, outputs), f"{name}.b": (outputs,)}


def relu(x: Any) -> Any:
    return np.maximum(x, 0.0) if isinstance(x, np.ndarray) else x.relu()


def mlp(w: Weights, name: str, x: Any) -> Any:
    """One hidden layer."""
    return linear(w, f"{name}.2", relu(linear(w, f"{name}.1", x)))


def mlp_shapes(name: str, inputs: int, hidden: int, outputs: int) -> Shapes:
    return linear_shapes(f"{name}.1", inputs, hidden) | linear_shapes(f"{name}.2", hidden, outputs)


def sigmoid(x: Any) -> Any:
    if isinstance(x, np.ndarray | np.floating):
        return np.tanh(x * 0.5) * 0.5 + 0.5
    return x.sigmoid()


def join(*parts: Any) -> Any:
    """Concatenate along the last axis."""
    return (
        np.concatenate(parts, axis=-1) if isinstance(parts[0], np.ndarray) else namespace(parts[0]).cat(parts, dim=-1)
    )


def initial(shapes: Shapes, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights to start from: uniform, scaled by the number of inputs (He et al. 2015); biases 0."""
    weights = {}
    for name, shape in shapes.items():
        if name.endswith(".b"):
            weights[name] = np.zeros(shape, np.float32)
        else:
            bound = (3.0 / shape[-2]) ** 0.5
            weights[name] = rng.uniform(-bound, bound, shape).astype(np.float32)
    return weights
