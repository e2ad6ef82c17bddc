"""From features to a latent: one small encoder for each group, then what they say together.

Touch or target can be missing (touch broken, sight lost): the encoder is then told so and given zeros.
"""

from typing import Any

import numpy as np

from agent.world_model.config import ModelConfig
from agent.world_model.features import LAYOUT
from agent.world_model.layers import Shapes, Weights, join, linear, linear_shapes, mlp, mlp_shapes, relu

GROUPS = {"touch": LAYOUT.touch, "body": LAYOUT.body, "target": LAYOUT.target}
FARTHEST = 8.0
"""Normalised features beyond this are cut off: what never occurred must not drown the rest."""
_SMALLEST_STD = 0.02


def shapes(c: ModelConfig) -> Shapes:
    found: Shapes = {}
    for name, part in GROUPS.items():
        found |= mlp_shapes(f"encode.{name}", part.stop - part.start + 1, 2 * c.group, c.group)
    return found | linear_shapes("encode.all", 3 * c.group, c.latent)


def normalise(w: Weights, raw: Any) -> Any:
    """Features (…, n) with the training data's mean taken out and its deviation as unit."""
    return ((raw - w["normal.mean"]) * w["normal.scale"]).clip(-FARTHEST, FARTHEST)


def raw(w: Weights, x: Any, at: Any) -> Any:
    """Those of normalised features (n,) with these numbers, as they were before `normalise`."""
    return x[at] / w["normal.scale"][at] + w["normal.mean"][at]


def statistics(mean: np.ndarray, std: np.ndarray) -> dict[str, np.ndarray]:
    """The fixed weights that `normalise` needs."""
    scale = 1.0 / np.maximum(std, _SMALLEST_STD)
    return {"normal.mean": mean.astype(np.float32), "normal.scale": scale.astype(np.float32)}


def mask(x: Any, has_touch: Any, has_sight: Any) -> Any:
    """Normalised features (…, n) with a column for each group that says whether it is there.

    `has_touch`, `has_sight` (…, 1) are 1 or 0. Sight is the target group.
    """
    touch, body, target = (x[..., part] for part in GROUPS.values())
    here = has_touch * 0.0 + 1.0
    return join(touch * has_touch, has_touch, body, here, target * has_sight, has_sight)


def encode(w: Weights, masked: Any) -> Any:
    """Latent (…, latent) of masked features."""
    said, start = [], 0
    for name, part in GROUPS.items():
        end = start + part.stop - part.start + 1
        said.append(relu(mlp(w, f"encode.{name}", masked[..., start:end])))
        start = end
    return linear(w, "encode.all", join(*said))
