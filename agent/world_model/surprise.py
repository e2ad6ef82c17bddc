"""Surprise: how much what is felt differs from what was foretold, as one number.

Below 1 all is well; above 1 something is not as it should be. What came is compared with what was foretold 40, 160 and
320 ms before, by what was asked for since: a knock shows in the first, a weight that changed in the last, for the
memory soon gets used to it. Every reading at every distance is a detector with a unit of its own, what it seldom
passes when nothing is wrong; the largest counts. One mean over all would hide what shows in a single reading behind
the contacts that come a little early or late in every grasp. Units and threshold are set on undisturbed episodes that
were not trained on; no kind of disturbance was used to set them.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from agent.world_model import heads, predictor
from agent.world_model.layers import Weights
from agent.world_model.model import Model

Floats = NDArray[np.float32]

LAGS = (1, 4, 8)
"""Steps between foretelling and comparing; the last is the predictor's horizon at most."""
SMOOTHING = 0.35
"""Share of a new step in a detector: a time constant of about 0.1 s."""


def lags(horizon: int) -> tuple[int, ...]:
    """Those of LAGS that a predictor of this horizon can serve."""
    return tuple(lag for lag in LAGS if lag <= horizon)


def errors(
    w: Weights, z: Floats, h: Floats, actions: Floats, lag: int, came: Floats, felt: Floats
) -> tuple[Floats, Floats]:
    """Of foretelling `lag` steps ahead: of readings (n, FEEL) in units of their expected error, of latents (n, latent).

    z, h (n, …): states before; actions (n, horizon, ACTION_SIZE): done since then, the rest does not matter; came, felt
    (n, …): the latents and readings that came.
    """
    foretold = predictor.predict(w, z, h, actions, at=slice(lag - 1, lag))[:, :, 0].mean(axis=0)
    meaning = heads.read(w, foretold, h)
    return (felt - meaning.feel) / np.exp(meaning.feel_log_scale), came - foretold


def detectors(feel_error: Floats, latent_error: Floats) -> Floats:
    """(…, FEEL + 1) sizes of errors in units of what is usual: each reading's (…, FEEL), and the whole latent's
    (…, latent)."""
    thought = np.sqrt((latent_error**2).mean(axis=-1, keepdims=True))
    return np.concatenate([np.abs(feel_error), thought], axis=-1)


class Surprise:
    """The score over the steps of an attempt: `update` with what came, then `remember` the state there."""

    def __init__(self, model: Model) -> None:
        self._w, self._calibration = model.weights, model.calibration
        self._lags = lags(model.config.horizon)
        self._horizon = model.config.horizon
        ones = ((1.0,) * model.config.latent,) * len(self._lags)
        self._residual = np.array(model.calibration.residual_std or ones, np.float32)
        self._units = np.array(model.calibration.surprise_units or np.ones((len(self._lags), heads.FEEL + 1)))
        self.reset()

    def reset(self) -> None:
        self._smooth: NDArray[np.float64] = np.zeros_like(self._units)
        self._states: deque[tuple[Floats, Floats]] = deque(maxlen=self._lags[-1])
        self._actions: deque[Floats] = deque(maxlen=self._lags[-1])

    def update(self, action: Floats, z: Floats, feel: Floats) -> float | None:
        """The score after a step: `action` (ACTION_SIZE,) was asked for, then `z` (latent,) and `feel` (FEEL,) came.
        None at the first step."""
        if not self._states:
            return None
        self._actions.append(action)
        for k, (lag, usual) in enumerate(zip(self._lags, self._residual, strict=True)):
            if lag > len(self._states):
                break
            before_z, before_h = self._states[-lag]
            actions = np.zeros((1, self._horizon, len(action)), np.float32)
            actions[0, :lag] = list(self._actions)[-lag:]
            felt, thought = errors(self._w, before_z[None], before_h[None], actions, lag, z[None], feel[None])
            self._smooth[k] += SMOOTHING * (detectors(felt, thought / usual)[0] - self._smooth[k])
        return float((self._smooth / self._units).max()) / self._calibration.surprise_threshold

    def about(self, readings: slice) -> float:
        """The largest detector of these readings alone, in its unit."""
        return float((self._smooth[:, readings] / self._units[:, readings]).max())

    def remember(self, z: Floats, h: Floats) -> None:
        """The state from which later steps are foretold."""
        self._states.append((z, h))
