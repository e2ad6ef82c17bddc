"""Searching the model's own predictions for a better way than the prior's, and a gate that seldom trusts the result.

Candidates are the prior's proposal, the same slower and faster, the last plan moved on by a step, and the prior with
smooth noise (spline knots). All are foretold in one pass, reflexes at work, as the model has learned it. Their cost is
time to go, failure, what they violate of the limits, and where the ensemble disagrees; straying from the prior costs
too, for a model that is searched hard enough finds its own errors (the optimiser's curse).
"""

from dataclasses import dataclass

import numpy as np

from agent.policies.interface import Situation
from agent.world_model import heads, predictor
from agent.world_model.actions import ACTION_SIZE, BASE, SCALE
from agent.world_model.config import STEP_S
from agent.world_model.layers import sigmoid
from agent.world_model.model import Model

_SALT = 66103
FORETOLD = slice(1, None, 2)
"""Every second step of the horizon: what a search foretells."""
HARDEST = 5.3
"""Forces are foretold up to 200 N."""


@dataclass(frozen=True)
class Plan:
    """What a search found."""

    actions: np.ndarray
    """(horizon, ACTION_SIZE)"""
    replaces: bool
    """The gate lets it replace the prior's proposal."""
    gain_s: float
    """Predicted; real gain is less."""
    force_n: float
    """As in `Estimate`: within 0.36 s after the horizon, if the prior is followed."""
    disagreement: float
    """Of the ensemble about the prior's proposal."""


@dataclass(frozen=True)
class Outlook:
    """What is foretold for n plans; … stands for the members of the ensemble, where each is asked."""

    cost: np.ndarray
    """(…, n) s, but for disagreement and straying."""
    violation: np.ndarray
    """(…, n) by how much of them limits are passed."""
    force_n: np.ndarray
    """(…, n, times) most at the wrist within 0.36 s from then on, as a mean over 50 ms, with a chance of 80 %."""
    to_go_s: np.ndarray
    """(…, n)"""


class Planner:
    """Searches once a step, and between steps when asked to. A pure function of what it is given and of the searches
    that came before since `reset`."""

    def __init__(self, model: Model) -> None:
        self.config = model.planning
        self._w, self._horizon = model.weights, model.config.horizon
        self._latent_std = model.calibration.latent_std
        self._spline = _spline(self._horizon, self.config.knots)
        self._noise = np.zeros(ACTION_SIZE, np.float32)
        self._noise[:3] = self.config.noise_m_s / SCALE[:3]
        self._noise[3:6] = self.config.noise_rad_s / SCALE[3:6]
        self.reset()

    def reset(self) -> None:
        self._searches = 0
        self._last: np.ndarray | None = None
        self._in_charge = 0
        """Steps for which plans have replaced the prior; negative: for which they must not."""
        self._least_to_go_s = np.inf

    def search(self, s: Situation, z: np.ndarray, h: np.ndarray, prior: np.ndarray, *, between: bool = False) -> Plan:
        """The best of the candidates around `prior` (horizon, ACTION_SIZE), from latent z and memory h. `between` steps
        the last plan has not moved on by a step, and patience with plans does not wear either."""
        config = self.config
        if not between:
            self._move_on()
        candidates = self.candidates(prior)
        foretold = self._foretell(z, h, candidates)
        spread = foretold.std(axis=0).mean(axis=(1, 2)) / self._latent_std
        outlook = self._weigh(s, h, candidates, foretold.mean(axis=0))
        stray = ((candidates - prior) ** 2).mean(axis=(1, 2))
        cost = outlook.cost + config.disagreement_s * spread + config.stray_s * stray
        best = np.argsort(cost, kind="stable")[: config.elites]
        share = np.exp(-(cost[best] - cost[best[0]]) / 0.1)
        actions = np.tensordot(share / share.sum(), candidates[best], axes=1).astype(np.float32)
        surer = bool(spread[best[0]] <= config.surer * spread[0])
        gain, saved = self._gains(s, z, h, prior, actions)
        gain -= config.stray_s * float(((actions - prior) ** 2).mean())
        to_go_s = float(outlook.to_go_s[0])
        replaces = bool(best[0] != 0) and surer and (gain > config.gain_s or saved > config.violation_gain)
        replaces = replaces and self._in_charge >= 0 if between else self._may(replaces, to_go_s)
        self._last = actions if replaces else None
        return Plan(actions, replaces, gain, float(outlook.force_n[0, -1]), float(spread[0]))

    def _foretell(self, z: np.ndarray, h: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Latents (members, n, times, latent) after every second step of actions (n, horizon, ACTION_SIZE)."""
        return predictor.predict(self._w, z[None], h[None], actions, at=FORETOLD)

    def _weigh(self, s: Situation, h: np.ndarray, actions: np.ndarray, latents: np.ndarray) -> "Outlook":
        """What latents (…, n, times, latent), foretold for actions (n, horizon, ACTION_SIZE), come to."""
        config = self.config
        prospect = heads.foresee(self._w, latents, h)
        force_n = np.expm1(np.minimum(prospect.log_force, HARDEST))
        to_go_s = np.expm1(prospect.log_time[..., -1])
        late = np.maximum(0.0, (s.elapsed_s + self._horizon * STEP_S + to_go_s) / s.limits.time_s - 1.0)
        violation = self._violation(s, actions, force_n) + late
        harm = (1.0 - sigmoid(prospect.success[..., -1])) * config.failure_s
        return Outlook(to_go_s + harm + config.violation_s * violation, violation, force_n, to_go_s)

    def _gains(
        self, s: Situation, z: np.ndarray, h: np.ndarray, prior: np.ndarray, plan: np.ndarray
    ) -> tuple[float, float]:
        """By how much a plan is better than the prior in cost and in violation. Among many candidates there is always
        one that looks better by an error of the model; so the plan is foretold again, and the least gain of all members
        of the ensemble counts."""
        both = np.stack([prior, plan])
        foretold = self._foretell(z, h, both)
        views = foretold if self.config.unanimous else foretold.mean(axis=0, keepdims=True)
        outlook = self._weigh(s, h, both, views)
        gains, saved = (column[:, 0] - column[:, 1] for column in (outlook.cost, outlook.violation))
        return float(gains.min()), float(saved.min())

    def _move_on(self) -> None:
        if self._last is not None:
            self._last = np.concatenate([self._last[1:], self._last[-1:]])

    def _may(self, wants: bool, to_go_s: float) -> bool:
        """Whether a plan that wants to replace the prior may: not for long without getting on."""
        config = self.config
        if self._in_charge < 0:
            self._in_charge += 1
            return False
        if not wants:
            self._in_charge = 0
            return False
        if self._in_charge == 0 or to_go_s < self._least_to_go_s - config.headway_s:
            self._in_charge, self._least_to_go_s = 0, to_go_s
        self._in_charge += 1
        if self._in_charge > config.patience_steps:
            self._in_charge = -config.patience_steps
            return False
        return True

    def candidates(self, prior: np.ndarray) -> np.ndarray:
        """(candidates, horizon, ACTION_SIZE), the prior first."""
        config = self.config
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_SALT, self._searches])))
        self._searches += 1
        found = np.repeat(prior[None], config.candidates, axis=0)
        row = 1
        for pace in config.paces:
            found[row, :, :6] *= pace
            found[row, :, BASE] *= pace
            row += 1
        if self._last is not None:
            found[row] = self._last
            row += 1
        knots = rng.standard_normal((config.candidates - row, config.knots, ACTION_SIZE)).astype(np.float32)
        found[row:] += (self._spline @ knots) * self._noise
        # Half of the noisy ones are slower too: under a limit both are wanted at once.
        found[row::2, :, :6] *= 0.6
        return found

    def _violation(self, s: Situation, candidates: np.ndarray, force_n: np.ndarray) -> np.ndarray:
        """(…, candidates) by how much of them the limits are passed, added up, averaged over time."""
        limits, keep = s.limits, 1.0 - self.config.margin
        speed = np.linalg.norm(candidates[..., :3] * SCALE[:3], axis=-1)
        over = np.maximum(0.0, speed / limits.speed_m_s - 1.0).mean(axis=1)
        # What is foretold of force is a bound already, and needs no margin.
        over = over + np.maximum(0.0, force_n / limits.force_n - 1.0).mean(axis=-1)
        if s.holding:
            upright = s.goal.tool_in_target.rotation
            up_now = s.tool_in_target.rotation @ upright[2]
            # Small angles: turning about horizontal axes tilts what is held.
            now = np.array([-up_now[1], up_now[0]])
            tilts = now + np.cumsum(candidates[..., 3:5] * SCALE[3:5] * STEP_S, axis=1)
            over += np.maximum(0.0, np.linalg.norm(tilts, axis=-1) / (keep * limits.tilt_rad) - 1.0).mean(axis=1)
        return over


def _spline(horizon: int, knots: int) -> np.ndarray:
    """(horizon, knots) weights of linear interpolation between evenly spaced knots."""
    at = np.linspace(0.0, knots - 1.0, horizon)
    return np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(knots))).astype(np.float32)
