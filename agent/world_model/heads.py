"""What a latent means: readings it feels like, contact, slip, tilt, time to go, success, spill.

The same heads read latents that were encoded and latents that were foretold, each with the memory of the moment of
foretelling. How an attempt ends is read out linearly, from latents that were not bent by it (losses.py): there are only
as many examples as attempts, and anything richer learns them by heart.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.world_model.config import ModelConfig
from agent.world_model.features import FEEL_NAMES
from agent.world_model.layers import Shapes, Weights, join, linear, linear_shapes, mlp, mlp_shapes, relu

FEEL = len(FEEL_NAMES)
LONGEST_S = 30.0
"""Longest time to go that is told apart."""
FORCE_QUANTILE = 0.8
"""A force that is passed half of the time is no bound; peaks are what limits are about."""
FORCE_AHEAD = 8
"""Steps (0.32 s): of a knock it is known that it will come soon, and not in which step; asked for each step alone, the
quantile never saw one."""
_LEAST_LOG_SCALE, _LARGEST_LOG_SCALE = -3.0, 3.0
"""Readings that hardly ever move must not drown the others."""


@dataclass(frozen=True)
class Meaning:
    """Outputs for latents (…, latent); each field (…,) unless said otherwise."""

    feel: Any
    """(…, FEEL) expected readings, normalised."""
    feel_log_scale: Any
    """(…, FEEL) logarithm of their expected absolute error."""
    contact: Any
    """Logit: something touches hand or pads."""
    slip: Any
    """Logit: the grip reflex acts."""
    tilt: Any
    """Of what is held, rad."""
    log_force: Any
    """log(1 + N) that the force at the tool stays below with a chance of FORCE_QUANTILE, within the step and
    FORCE_AHEAD steps after it."""
    log_time: Any
    """log(1 + seconds to go), if it succeeds."""
    success: Any
    """Logit of this attempt."""
    spill: Any
    """Logit: something is spilled, broken or dropped within agent.world_model.data.SPILL_WITHIN_S."""


def shapes(c: ModelConfig) -> Shapes:
    inputs = c.latent + c.memory
    found = mlp_shapes("heads.feel", inputs, c.hidden // 2, 2 * FEEL)
    found |= mlp_shapes("heads.state", inputs, c.hidden // 2, 4)
    found |= mlp_shapes("heads.time", inputs, c.hidden // 2, 1)
    return found | linear_shapes("heads.ends", inputs, 2)


@dataclass(frozen=True)
class Prospect:
    """What a search weighs; the fields are those of Meaning, each (…,)."""

    log_force: np.ndarray
    log_time: np.ndarray
    success: np.ndarray


def foresee(w: Weights, z: np.ndarray, h: np.ndarray) -> Prospect:
    """The same as `read` says of foretold latents z (…, latent), all from one memory h (memory,): hundreds at once, and
    only what planning asks for."""

    def hidden(name: str) -> np.ndarray:
        first = w[f"heads.{name}.1.w"]
        return relu(z @ first[: z.shape[-1]] + (h @ first[z.shape[-1] :] + w[f"heads.{name}.1.b"]))

    force, ends = 3, w["heads.ends.w"]
    return Prospect(
        log_force=hidden("state") @ w["heads.state.2.w"][:, force] + w["heads.state.2.b"][force],
        log_time=hidden("time") @ w["heads.time.2.w"][:, 0] + w["heads.time.2.b"][0],
        success=z @ ends[: z.shape[-1], 0] + (h @ ends[z.shape[-1] :, 0] + w["heads.ends.b"][0]),
    )


def read(w: Weights, z: Any, h: Any) -> Meaning:
    """What latents z (…, latent) mean, given the memory h (…, memory)."""
    both = join(z, h)
    feel = mlp(w, "heads.feel", both)
    state, ends = mlp(w, "heads.state", both), linear(w, "heads.ends", both)
    return Meaning(
        feel=feel[..., :FEEL],
        feel_log_scale=feel[..., FEEL:].clip(_LEAST_LOG_SCALE, _LARGEST_LOG_SCALE),
        contact=state[..., 0],
        slip=state[..., 1],
        tilt=state[..., 2],
        log_force=state[..., 3],
        log_time=mlp(w, "heads.time", both)[..., 0],
        success=ends[..., 0],
        spill=ends[..., 1],
    )
