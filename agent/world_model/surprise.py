"""Surprise: how much what is felt differs from what was foretold one step before, as one number.

Below 1 all is well; above 1 something is not as it should be. The threshold is set so that undisturbed episodes that
were not trained on raise at most one false alarm in two minutes; no kind of disturbance was used to set it.
"""

import numpy as np

from agent.world_model import heads, predictor
from agent.world_model.model import Model

STRONGEST = 4
"""Readings that count: those that differ most, for an event shows in few."""
CAP = 12.0
SMOOTHING = 0.35
"""Share of a new step in the score: a time constant of about 0.1 s."""


def raw_score(feel_error: np.ndarray, latent_error: np.ndarray) -> np.ndarray:
    """(…,) of errors in units of what is usual: feel (…, FEEL), latent (…, latent)."""
    felt = np.sort(np.minimum(np.abs(feel_error), CAP), axis=-1)[..., -STRONGEST:].mean(axis=-1)
    thought = np.sqrt(np.minimum(latent_error**2, CAP**2).mean(axis=-1))
    return 0.5 * (felt + thought)


class Surprise:
    """The score over the steps of an attempt."""

    def __init__(self, model: Model) -> None:
        self._w, self._calibration = model.weights, model.calibration
        self._horizon = model.config.horizon
        self._residual = np.array(model.calibration.residual_std or np.ones(model.config.latent), np.float32)
        self.reset()

    def reset(self) -> None:
        self._smooth: float | None = None

    def update(
        self, z_before: np.ndarray, h_before: np.ndarray, action: np.ndarray, z: np.ndarray, feel: np.ndarray
    ) -> float:
        """The score after a step: `action` (ACTION_SIZE,) was done, and then `z` (latent,) and `feel` (FEEL,) came."""
        actions = np.zeros((1, self._horizon, len(action)), np.float32)
        actions[0, 0] = action
        foretold = predictor.predict(self._w, z_before[None], h_before[None], actions)[:, 0, 0].mean(axis=0)
        meaning = heads.read(self._w, foretold, h_before)
        error = (feel - meaning.feel) / np.exp(meaning.feel_log_scale)
        raw = float(raw_score(error, (z - foretold) / self._residual))
        self._smooth = raw if self._smooth is None else self._smooth + SMOOTHING * (raw - self._smooth)
        return self._smooth / self._calibration.surprise_threshold
