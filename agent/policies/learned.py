"""The learned policies: encoder and prior at every tick; memory at every fourth, after which, once the action has left,
a plan is searched for and, once the next one has, surprise is computed. Where the prior goes on to another phase, the
plan is searched for first.

numpy alone: no torch, no compiler, no thread of its own.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec.structs import replace

from agent.messages import Estimate
from agent.policies.interface import Motion, Situation
from agent.world_model import encoders, heads, memory, prior
from agent.world_model.actions import ACTION_SIZE, to_motion, to_vector
from agent.world_model.checkpoint import identity, load, shipped_checkpoint
from agent.world_model.config import STEP_TICKS
from agent.world_model.features import Featurizer
from agent.world_model.layers import sigmoid
from agent.world_model.mirror import mirrored, mirrored_motion, needs_mirror
from agent.world_model.model import Model
from agent.world_model.planning import Plan, Planner
from agent.world_model.surprise import Surprise

_HERE, _MISSING = np.ones(1, np.float32), np.zeros(1, np.float32)
DONE = 0.5
"""Probability from which the prior's word that nothing is left to do is taken."""


class Searching(Protocol):
    """What plans: agent.world_model.planning.Planner, or a baseline."""

    def reset(self) -> None: ...

    def search(self, s: Situation, z: np.ndarray, h: np.ndarray, prior: np.ndarray, *, between: bool = False) -> Plan:
        """Once a step; `between` steps another one, of which neither time nor plan has moved on by a step."""
        ...


class LearnedPolicy:
    """`prior` acts by the prior alone, `prior-blind` without touch, `world-model` plans as well.

    `planner` searches in place of the model's own."""

    def __init__(self, name: str, model: Model, planner: "Searching | None" = None) -> None:
        self.name = name
        self.model = model
        self.checkpoint = identity(model)
        self._w = model.weights
        self._touch = _MISSING if name == "prior-blind" else _HERE
        self._featurizer = Featurizer()
        self._surprise = Surprise(model)
        self._planner = Planner(model) if planner is None and name == "world-model" else planner
        self.plans = 0
        """Searches since this policy was made."""
        self._phases = np.eye(len(model.phases), dtype=np.float32)
        self.reset()

    @classmethod
    def load(cls, name: str, path: Path | None = None) -> "LearnedPolicy":
        """With the weights at `path`, or the shipped ones. Raises CheckpointError."""
        return cls(name, load(path if path is not None else shipped_checkpoint()))

    def reset(self) -> None:
        """A new attempt: an empty memory."""
        config = self.model.config
        self._featurizer.reset()
        self._surprise.reset()
        if self._planner is not None:
            self._planner.reset()
        self._tick = 0
        self._h = np.zeros(config.memory, np.float32)
        self._done = np.zeros(ACTION_SIZE, np.float32)
        """Sum of what was asked for since the last step, before reflexes."""
        self._correction = np.zeros(ACTION_SIZE, np.float32)
        self._estimate = Estimate()
        self._led_here = self._done
        """What was asked for in the step that has ended, on average."""
        self._hurried, self._searched = False, False
        """Whether a plan was searched for before acting: in this step, in this tick."""
        self._phase: int | None = None
        """What the prior was about in the last tick."""
        self._asked: tuple[Situation, np.ndarray, np.ndarray, np.ndarray] | None = None
        """What to search a plan for: (situation, z, h, the prior's chunk)."""
        self._came: tuple[np.ndarray, np.ndarray, np.ndarray, int] | None = None
        """What to compare with what was foretold: (z, h, normalised features, frames in which something is missing)."""

    def act(self, situation: Situation) -> Motion:
        if needs_mirror(situation):
            return mirrored_motion(self._act(mirrored(situation)))
        return self._act(situation)

    def _act(self, situation: Situation) -> Motion:
        w = self._w
        x = encoders.normalise(w, self._featurizer(situation))
        masked = encoders.mask(x, self._touch, _HERE)
        z = encoders.encode(w, masked)
        is_step = self._tick % STEP_TICKS == 0
        self._tick += 1
        self._searched = False
        if is_step:
            self._step(z)
        hidden = prior.think(w, z, self._h, masked)
        phase = int(np.argmax(prior.phase_logits(w, hidden)))
        chunk, finished = prior.propose(w, hidden, self._phases[phase])
        chunk = chunk.reshape(-1, ACTION_SIZE)
        if is_step:
            self._asked, self._came = (situation, z, self._h, chunk), (z, self._h, x, self._featurizer.missing)
            self._estimate = self._believe(z, situation.failures)
            self._hurried = False
        if self._planner is not None and self._phase not in (None, phase) and not self._hurried:
            # A new phase begins with a jerk, which is over before the next step: a plan must be there with it.
            self._hurried, self._searched, self._asked = True, True, None
            self._adopt(self._planner.search(situation, z, self._h, chunk, between=not is_step), chunk)
        self._phase = phase
        motion = to_motion(chunk[0] + self._correction, self.model.phases[phase], float(sigmoid(finished)) > DONE)
        # What foresight misses is left to reflexes.
        motion.reflexes = self._planner is not None
        self._done += to_vector(motion)
        motion.estimate = self._estimate
        return motion

    def think(self) -> bool:
        """A plan first, surprise in the next tick: both in one would take most of it."""
        if self._searched:
            self._searched = False
            return True
        if self._asked is not None:
            (situation, z, h, chunk), self._asked = self._asked, None
            if self._planner is not None:
                self._adopt(self._planner.search(situation, z, h, chunk), chunk)
                return True
        if self._came is not None:
            (z, h, x, missing), self._came = self._came, None
            self._surprise.update(self._led_here, z, x, missing)
            self._surprise.remember(z, h)
            self._estimate = replace(self._estimate, surprise=self._surprise.score())
            return True
        return False

    def _adopt(self, plan: Plan, chunk: np.ndarray) -> None:
        self.plans += 1
        self._correction = plan.actions[0] - chunk[0] if plan.replaces else np.zeros(ACTION_SIZE, np.float32)
        self._estimate = replace(
            self._estimate, force_n=plan.force_n, disagreement=plan.disagreement, planned=plan.replaces
        )

    def _step(self, z: np.ndarray) -> None:
        """Take a step of 40 ms into memory."""
        self._led_here = (self._done / STEP_TICKS).astype(np.float32)
        self._h = memory.step(self._w, z, self._h)
        self._done = np.zeros(ACTION_SIZE, np.float32)

    def _believe(self, z: np.ndarray, failures: int) -> Estimate:
        meaning = heads.read(self._w, z, self._h)
        return replace(
            self._estimate,
            success_probability=float(self.model.calibration.odds(meaning.success, failures)),
            time_to_go_s=float(np.expm1(max(0.0, float(meaning.log_time)))),
            contact_probability=float(sigmoid(meaning.contact)),
            slip_probability=float(sigmoid(meaning.slip)),
        )
