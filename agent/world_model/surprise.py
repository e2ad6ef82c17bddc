"""Surprise: how much what is felt differs from what was foretold, as one number.

Below 1 all is well; above 1 something is not as it should be. What came is compared with what was foretold 40, 160 and
320 ms before, given what was done since: a knock shows in the first, a weight that changed in the last, for the memory
soon gets used to it. The threshold is set on undisturbed episodes that were not trained on; no kind of disturbance was
used to set it.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from agent.world_model import heads, predictor
from agent.world_model.layers import Weights
from agent.world_model.model import Calibration, Model

Floats = NDArray[np.float32]

LAGS = (1, 4, 8)
"""Steps between foretelling and comparing; the last is the predictor's horizon at most."""
STRONGEST = 4
"""Readings that count: those that differ most, for an event shows in few."""
CAP = 12.0
SMOOTHING = 0.35
"""Share of a new step in the score: a time constant of about 0.1 s."""


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


def raw_score(feel_error: Floats, latent_error: Floats) -> Floats:
    """(…,) of errors in units of what is usual: feel (…, FEEL), latent (…, latent)."""
    felt = np.sort(np.minimum(np.abs(feel_error), CAP), axis=-1)[..., -STRONGEST:].mean(axis=-1)
    thought = np.sqrt(np.minimum(latent_error**2, CAP**2).mean(axis=-1))
    return 0.5 * (felt + thought)


def together(raw: list[float], calibration: Calibration) -> float:
    """One number from the raw scores of the lags there were yet, in their order."""
    units = calibration.surprise_units or (1.0,) * len(raw)
    return max((score / unit for score, unit in zip(raw, units, strict=False)), default=0.0)


class Surprise:
    """The score over the steps of an attempt: `update` with what came, then `remember` the state there."""

    def __init__(self, model: Model) -> None:
        self._w, self._calibration = model.weights, model.calibration
        self._lags = lags(model.config.horizon)
        self._horizon = model.config.horizon
        ones = ((1.0,) * model.config.latent,) * len(self._lags)
        self._residual = np.array(model.calibration.residual_std or ones, np.float32)
        self.reset()

    def reset(self) -> None:
        self._smooth: float | None = None
        self._states: deque[tuple[Floats, Floats]] = deque(maxlen=self._lags[-1])
        self._actions: deque[Floats] = deque(maxlen=self._lags[-1])

    def update(self, action: Floats, z: Floats, feel: Floats) -> float | None:
        """The score after a step: `action` (ACTION_SIZE,) was done, and then `z` (latent,) and `feel` (FEEL,) came.
        None at the first step."""
        if not self._states:
            return None
        self._actions.append(action)
        raw = []
        for lag, usual in zip(self._lags, self._residual, strict=True):
            if lag > len(self._states):
                break
            before_z, before_h = self._states[-lag]
            actions = np.zeros((1, self._horizon, len(action)), np.float32)
            actions[0, :lag] = list(self._actions)[-lag:]
            felt, thought = errors(self._w, before_z[None], before_h[None], actions, lag, z[None], feel[None])
            raw.append(float(raw_score(felt, thought / usual)[0]))
        score = together(raw, self._calibration)
        self._smooth = score if self._smooth is None else self._smooth + SMOOTHING * (score - self._smooth)
        return self._smooth / self._calibration.surprise_threshold

    def remember(self, z: Floats, h: Floats) -> None:
        """The state from which later steps are foretold."""
        self._states.append((z, h))
