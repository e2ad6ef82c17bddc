"""Surprise: how much what is felt differs from what was foretold, as one number.

Below 1 all is well; above 1 something is not as it should be. What came is compared with what was foretold 40, 160 and
320 ms before, by what was asked for since: a knock shows in the first, a weight that changed in the last, for the
memory soon gets used to it. Errors keep their sign and are smoothed over half a second: what only fluctuates cancels,
what is really different stays. Every reading at every distance is a detector in a unit of its own, what it seldom
passes when nothing is wrong; the largest counts. One mean over all would hide what shows in a single reading behind the
contacts that come a little early or late in every grasp. Three more detectors are not foretold: that what is held has
become heavier (load.py), that something pushes the hand (work.py), and that something is not where it was left
(permanence.py). Units and threshold are set on undisturbed episodes that were not trained on; no kind of disturbance
was used to set them.
"""

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.world_model import heads, predictor
from agent.world_model.config import ModelConfig
from agent.world_model.features import LAYOUT, SEEN_IN_FEEL
from agent.world_model.layers import Weights
from agent.world_model.load import Load, load_of
from agent.world_model.work import GROUPS, Work, group_of, push_of

if TYPE_CHECKING:
    from agent.world_model.model import Model

Floats = NDArray[np.float32]

LAGS = (1, 4, 8)
"""Steps between foretelling and comparing; the last is the predictor's horizon at most."""
SMOOTHING = 0.08
"""Share of a new step in a detector: a time constant of 0.5 s."""
RESIDUAL, UNITS = "surprise.residual", "surprise.units"
HEAVIER, PUSHED, MISSING = "surprise.heavier", "surprise.pushed", "surprise.missing"
"""Names among the weights of (lags, latent) standard deviations of the latent's errors, and of what each detector
seldom passes when nothing is wrong: (lags, FEEL + 1), (1,) a share of the load, (work.GROUPS,) J, and (1,) frames."""


def unset(c: ModelConfig) -> dict[str, Floats]:
    """All of them before anything was measured."""
    count = len(lags(c.horizon))
    return {
        RESIDUAL: np.ones((count, c.latent), np.float32),
        UNITS: np.ones((count, heads.FEEL + 1), np.float32),
        HEAVIER: np.ones(1, np.float32),
        PUSHED: np.ones(GROUPS, np.float32),
        MISSING: np.ones(1, np.float32),
    }


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


def smooth(errors: Floats, before: Floats) -> Floats:
    """Signed errors (…,) of one more step, folded into those smoothed so far."""
    return (before + SMOOTHING * (errors - before)).astype(np.float32)


def detectors(feel_error: Floats, latent_error: Floats) -> Floats:
    """(…, FEEL + 1) from smoothed errors: the size of each reading's (…, FEEL), and that of the whole latent's
    (…, latent)."""
    thought = np.sqrt((latent_error**2).mean(axis=-1, keepdims=True))
    return np.concatenate([np.abs(feel_error), thought], axis=-1)


class Surprise:
    """The score over the steps of an attempt: `update` with what came, `remember` the state there, `score`."""

    def __init__(self, model: "Model") -> None:
        self._w, self._threshold = model.weights, model.calibration.surprise_threshold
        self._lags = lags(model.config.horizon)
        self._horizon = model.config.horizon
        self._residual, self._units = model.weights[RESIDUAL], model.weights[UNITS]
        self._heavier_unit, self._pushed_units = float(model.weights[HEAVIER][0]), model.weights[PUSHED]
        self._missing_unit = float(model.weights[MISSING][0])
        self._load, self._work = Load(), Work()
        self.reset()

    def reset(self) -> None:
        self._felt = np.zeros((len(self._lags), heads.FEEL), np.float32)
        self._thought = np.zeros_like(self._residual)
        self._states: deque[tuple[Floats, Floats]] = deque(maxlen=self._lags[-1])
        self._actions: deque[Floats] = deque(maxlen=self._lags[-1])
        self._load.reset()
        self._work.reset()
        self._heavier = self._pushed = self._missing = 0.0

    def update(self, action: Floats, z: Floats, x: Floats, missing: int) -> None:
        """A step: `action` (ACTION_SIZE,) was asked for, then `z` (latent,) and the normalised features `x`
        (LAYOUT.size,) came, after so many frames that should have shown the thing and did not."""
        self._missing = missing / self._missing_unit
        self._heavier = self._load(*load_of(self._w, x))
        self._pushed = self._work(*push_of(self._w, x)) / float(self._pushed_units[group_of(self._w, x)])
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
            felt, thought = errors(self._w, before_z[None], before_h[None], actions, lag, z[None], feel[None])
            self._felt[k] = smooth(felt[0], self._felt[k])
            self._thought[k] = smooth(thought[0] / self._residual[k], self._thought[k])

    def remember(self, z: Floats, h: Floats) -> None:
        """The state from which later steps are foretold."""
        self._states.append((z, h))

    def score(self) -> float | None:
        """None at the first step."""
        if not self._actions:
            return None
        foretold = float((detectors(self._felt, self._thought) / self._units).max())
        told = max(self._heavier / self._heavier_unit, self._pushed, self._missing)
        return max(foretold, told) / self._threshold

    def of_sight(self) -> float:
        """The detectors of what is seen alone, together: the root of the sum of their squares, in their units."""
        seen = (self._felt / self._units[:, :-1])[:, SEEN_IN_FEEL]
        return float(np.sqrt((seen**2).sum() + self._missing**2))
