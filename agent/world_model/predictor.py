"""From a state and the actions of the next steps to all latents on the way, in one pass.

Step j sees the actions up to j and no later one: a block-triangular layer. An ensemble of small members shares nothing,
so where they disagree nobody knows.
"""

from typing import Any

import numpy as np

from agent.world_model.actions import ACTION_SIZE
from agent.world_model.config import ModelConfig
from agent.world_model.layers import Shapes, Weights, namespace, relu


def shapes(c: ModelConfig) -> Shapes:
    m, h = c.members, c.horizon
    return {
        "predict.prefix.w": (m, h * ACTION_SIZE, h * c.prefix),
        "predict.prefix.b": (m, 1, h * c.prefix),
        "predict.state.w": (m, c.latent + c.memory, c.hidden),
        "predict.when.b": (m, h, c.hidden),
        "predict.mix.w": (m, c.prefix, c.hidden),
        "predict.out.w": (m, c.hidden, c.latent),
        "predict.out.b": (m, 1, c.latent),
    }


def causal(c: ModelConfig) -> np.ndarray:
    """(horizon · actions, horizon · prefix): 1 where an action may be seen."""
    step = np.arange(c.horizon)
    allowed = (step[:, None] <= step).astype(np.float32)
    return np.kron(allowed, np.ones((ACTION_SIZE, c.prefix), np.float32))


def predict(w: Weights, z: Any, h: Any, actions: Any, at: slice = slice(None)) -> Any:
    """Latents (members, n, horizon, latent) that follow when `actions` (n, horizon, ACTION_SIZE) are done.

    z (n or 1, latent), h (n or 1, memory): the state before. `at`: only these steps of the horizon are foretold.
    """
    members, horizon = w["predict.when.b"].shape[:2]
    n = actions.shape[0]
    flat = actions.reshape(1, n, -1)
    prefix = relu(flat @ (w["predict.prefix.w"] * w["predict.causal"]) + w["predict.prefix.b"])
    prefix = prefix.reshape(members, n, horizon, -1)[:, :, at]
    asked = prefix.shape[2]
    prefix = prefix.reshape(members, n * asked, -1)
    state = namespace(z).concatenate((z, h), -1) @ w["predict.state.w"]
    context = state[:, :, None, :] + w["predict.when.b"][:, None, at]
    mixed = (prefix @ w["predict.mix.w"]).reshape(members, n, asked, -1)
    hidden = relu(mixed + context)
    change = hidden.reshape(members, n * asked, -1) @ w["predict.out.w"] + w["predict.out.b"]
    return z[None, :, None, :] + change.reshape(members, n, asked, -1)
