"""Surprise: how much what is felt differs from what was foretold, as one number.

Below 1 all is well; above 1 something is not as it should be. What came is compared with what was foretold 40, 160 and
320 ms before, by what was asked for since: a knock shows in the first, a weight that changed in the last, for the
memory soon gets used to it. Errors keep their sign and are smoothed over half a second: what only fluctuates cancels,
what is really different stays. Readings at each distance are detectors, each in a unit of its own, what it seldom
passes when nothing is wrong (usual.py); the largest counts. One mean over all would hide what shows in a single reading
behind the contacts that come a little early or late in every grasp. Three more detectors are of another kind: that
something pushes the hand (jolt.py), that what is held has become heavier (load.py), and that something is not where it
was left (permanence.py). Units and threshold are set on undisturbed episodes that were not trained on; no kind of
disturbance was used to set them.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.world_model import heads, jolt, load, permanence, predictor
from agent.world_model.config import ModelConfig
from agent.world_model.features import FORCE_IN_FEEL, LAYOUT, SEEN_IN_FEEL, SHEAR_IN_FEEL
from agent.world_model.jolt import SOFTENING, Jolt
from agent.world_model.layers import Weights
from agent.world_model.load import Load, load_of
from agent.world_model.usual import GROUPS, group_of

if TYPE_CHECKING:
    from agent.world_model.model import Model

Floats = NDArray[np.float32]

LAGS = (1, 4, 8)
"""Steps between foretelling and comparing; the last is the predictor's horizon at most."""
SMOOTHING = 0.08
"""Share of a new step in a detector: a time constant of 0.5 s."""
READINGS = np.delete(np.arange(heads.FEEL), SHEAR_IN_FEEL)
"""Of the readings, those that are detectors. Shear at the pads is not: wherever fingers rub at a door it is as strange
as anything ever is, and what it would tell shows in the pads' pressure too."""
RESIDUAL, UNITS = "surprise.residual", "surprise.units"
"""Names among the weights of (lags, latent) standard deviations of the latent's errors, and of (GROUPS, detectors) what
each detector seldom passes when nothing is wrong: for every lag those of READINGS and of the latent, then the other
three."""
_LEAST_OF_ERRORS = 1e-3
_LEAST_OF_OTHERS = (jolt.LEAST_UNIT, load.LEAST_UNIT, permanence.LEAST_UNIT)
JOLT = -3
"""Its number among the detectors."""
_HORIZONTAL = np.arange(heads.FEEL)[FORCE_IN_FEEL][:2]
_SEEN = np.isin(READINGS, np.arange(heads.FEEL)[SEEN_IN_FEEL])


@dataclass(frozen=True)
class Errors:
    """Of foretelling n states."""

    feel: Floats
    """(n, FEEL) of readings, in units of their expected error."""
    latent: Floats
    """(n, latent)"""
    force: Floats
    """(n, 2) of the horizontal force, softened (agent.world_model.jolt)."""


def least_units(c: ModelConfig) -> Floats:
    """(detectors,) what each of them may always show."""
    of_errors = np.full(len(lags(c.horizon)) * (len(READINGS) + 1), _LEAST_OF_ERRORS)
    return np.concatenate([of_errors, _LEAST_OF_OTHERS]).astype(np.float32)


def unset(c: ModelConfig) -> dict[str, Floats]:
    """All of them before anything was measured."""
    return {
        RESIDUAL: np.ones((len(lags(c.horizon)), c.latent), np.float32),
        UNITS: np.ones((GROUPS, len(least_units(c))), np.float32),
    }


def lags(horizon: int) -> tuple[int, ...]:
    """Those of LAGS that a predictor of this horizon can serve."""
    return tuple(lag for lag in LAGS if lag <= horizon)


def errors(w: Weights, z: Floats, h: Floats, actions: Floats, lag: int, came: Floats, felt: Floats) -> Errors:
    """Of foretelling `lag` steps ahead.

    z, h (n, …): states before; actions (n, horizon, ACTION_SIZE): done since then, the rest does not matter; came, felt
    (n, …): the latents and readings that came.
    """
    foretold = predictor.predict(w, z, h, actions, at=slice(lag - 1, lag))[:, :, 0].mean(axis=0)
    meaning = heads.read(w, foretold, h)
    expected, error = np.exp(meaning.feel_log_scale), felt - meaning.feel
    softened = error[:, _HORIZONTAL] / (expected[:, _HORIZONTAL] + SOFTENING)
    return Errors(error / expected, came - foretold, softened)


def smooth(errors: Floats, before: Floats) -> Floats:
    """Signed errors (…,) of one more step, folded into those smoothed so far."""
    return (before + SMOOTHING * (errors - before)).astype(np.float32)


def detectors(feel_error: Floats, latent_error: Floats) -> Floats:
    """(…, READINGS + 1) from smoothed errors: the size of each reading's (…, FEEL), and that of the whole latent's
    (…, latent)."""
    thought = np.sqrt((latent_error**2).mean(axis=-1, keepdims=True))
    return np.concatenate([np.abs(feel_error[..., READINGS]), thought], axis=-1)


class Surprise:
    """The score over the steps of an attempt: `update` with what came, `remember` the state there, `score`."""

    def __init__(self, model: "Model") -> None:
        self._w, self._threshold = model.weights, model.calibration.surprise_threshold
        self._lags = lags(model.config.horizon)
        self._horizon = model.config.horizon
        self._residual = model.weights[RESIDUAL]
        self._jolt, self._load = Jolt(), Load()
        self.reset()

    def reset(self) -> None:
        self._felt = np.zeros((len(self._lags), heads.FEEL), np.float32)
        self._thought = np.zeros_like(self._residual)
        self._others = np.zeros(len(_LEAST_OF_OTHERS), np.float32)
        self._units = self._w[UNITS][0]
        self._states: deque[tuple[Floats, Floats]] = deque(maxlen=self._lags[-1])
        self._actions: deque[Floats] = deque(maxlen=self._lags[-1])
        self._jolt.reset()
        self._load.reset()

    def update(self, action: Floats, z: Floats, x: Floats, missing: int) -> None:
        """A step: `action` (ACTION_SIZE,) was asked for, then `z` (latent,) and the normalised features `x`
        (LAYOUT.size,) came, after so many frames that should have shown the thing and did not."""
        self._units = self._w[UNITS][group_of(self._w, x)]
        self._others[1:] = self._load(*load_of(self._w, x)), missing
        if not self._states:
            return
        feel = x[LAYOUT.feel]
        self._actions.append(action)
        for k, lag in enumerate(self._lags):
            if lag > len(self._states):
                break
            before_z, before_h = self._states[-lag]
            actions = np.zeros((1, self._horizon, len(action)), np.float32)
            actions[0, :lag] = list(self._actions)[-lag:]
            of_lag = errors(self._w, before_z[None], before_h[None], actions, lag, z[None], feel[None])
            self._felt[k] = smooth(of_lag.feel[0], self._felt[k])
            self._thought[k] = smooth(of_lag.latent[0] / self._residual[k], self._thought[k])
            if lag == 1:
                self._others[0] = self._jolt(of_lag.force[0])

    def remember(self, z: Floats, h: Floats) -> None:
        """The state from which later steps are foretold."""
        self._states.append((z, h))

    def score(self) -> float | None:
        """None at the first step."""
        return float(self._told().max()) / self._threshold if self._actions else None

    def of_sight(self) -> float:
        """The detectors of what is seen alone, together: the root of the sum of their squares, in their units."""
        told = self._told()
        of_readings = told[: -len(self._others)].reshape(len(self._lags), -1)[:, :-1]
        return float(np.sqrt((of_readings[:, _SEEN] ** 2).sum() + told[-1] ** 2))

    def _told(self) -> Floats:
        """(detectors,) in their units."""
        return np.concatenate([detectors(self._felt, self._thought).ravel(), self._others]) / self._units
