"""A recurrent state over the steps of an attempt: what one frame cannot show (bias, mass, friction, delay)."""

from typing import Any

import numpy as np

from agent.world_model.config import ModelConfig
from agent.world_model.layers import Shapes, Weights, namespace, sigmoid


def shapes(c: ModelConfig) -> Shapes:
    return {
        "memory.x.w": (c.latent, 3 * c.memory),
        "memory.x.b": (3 * c.memory,),
        "memory.h.w": (c.memory, 3 * c.memory),
        "memory.h.b": (3 * c.memory,),
    }


def step(w: Weights, z: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The state (…, memory) after a latent (…, latent): a gated recurrent unit (Cho et al. 2014) as in torch."""
    n = h.shape[-1]
    from_z, from_h = z @ w["memory.x.w"] + w["memory.x.b"], h @ w["memory.h.w"] + w["memory.h.b"]
    gates = sigmoid(from_z[..., : 2 * n] + from_h[..., : 2 * n])
    reset, keep = gates[..., :n], gates[..., n:]
    new = np.tanh(from_z[..., 2 * n :] + reset * from_h[..., 2 * n :])
    return new + keep * (h - new)


def unroll(w: Weights, z: Any) -> Any:
    """States (batch, steps, memory) of latents (batch, steps, latent), from an empty memory. Torch only."""
    torch = namespace(z)
    weights = [w["memory.x.w"].T, w["memory.h.w"].T, w["memory.x.b"], w["memory.h.b"]]
    start = z.new_zeros(1, z.shape[0], w["memory.h.w"].shape[0])
    states, _ = torch.gru(z, start, weights, True, 1, 0.0, False, False, True)
    return states
