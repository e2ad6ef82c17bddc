"""The teacher of demonstrations: scripted acting within the limits, disturbed by bursts of noise.

What is asked for carries the noise; what is taught is what the expert would do there, within the limits. Continuous
noise would keep the expert from ever succeeding; bursts show how to recover. Now and then all goes slowly for a while:
how hard things are met depends on the speed, and who only ever saw one cannot foretell that. The teacher sees what the
learner sees.
"""

from dataclasses import replace

import numpy as np

from agent.messages import TICK_S
from agent.policies.interface import Array, Checkpointed, Motion, Policy, Situation
from agent.policies.limits import clamped

BURSTS_PER_S = 0.45
BURST_S = (0.10, 0.45)
BURST_M_S, BURST_RAD_S = 0.14, 0.7
"""Largest speed of a burst; its direction and size are uniform within."""
WRONG_GRIP = 0.12
"""Share of bursts in which the hand opens or closes by mistake."""
SLOW_PER_S, SLOW_S = 0.5, (0.3, 2.0)
SLOWEST = 0.25
"""Share of the speed that is left at least while it goes slowly; drawn uniformly from there to 1."""
OPEN_M, CLOSED_N = 0.10, 24.0
_SALT = 52361


class Teacher:
    """An expert with bursts of noise; a pure function of the seed and what it sees."""

    name = "teacher"

    def __init__(self, expert: Policy, seed: int) -> None:
        self._expert = expert
        self._rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_SALT, seed])))
        self._left = self._slow_left = 0
        self._twist: Array = np.zeros(6)
        self._grip: tuple[str, float] | None = None
        self._pace = 1.0

    def reset(self) -> None:
        self._left = self._slow_left = 0
        self._expert.reset()

    def act(self, situation: Situation) -> Motion:
        wanted = self._expert.act(situation)
        lesson = clamped(situation, wanted)
        if self._left == 0 and self._rng.random() < BURSTS_PER_S * TICK_S:
            self._begin_burst()
        pace = self._next_pace()
        twist, base = pace * wanted.twist_in_target, pace * wanted.base_velocity_in_base
        done = replace(wanted, twist_in_target=twist, base_velocity_in_base=base, reflexes=True, advice=lesson)
        if self._left > 0 and not lesson.finished:
            self._left -= 1
            done.twist_in_target += self._twist
            if self._grip is not None:
                done.grip_mode, done.grip = self._grip  # type: ignore[assignment]
        return done

    def think(self) -> bool:
        return self._expert.think()

    def _next_pace(self) -> float:
        if self._slow_left == 0 and self._rng.random() < SLOW_PER_S * TICK_S:
            self._slow_left = int(self._rng.uniform(*SLOW_S) / TICK_S)
            self._pace = self._rng.uniform(SLOWEST, 1.0)
        if self._slow_left == 0:
            return 1.0
        self._slow_left -= 1
        return self._pace

    def _begin_burst(self) -> None:
        rng = self._rng
        self._left = int(rng.uniform(*BURST_S) / TICK_S)
        self._twist = np.concatenate([_in_ball(rng) * BURST_M_S, _in_ball(rng) * BURST_RAD_S])
        wrong = rng.random() < WRONG_GRIP
        opens = rng.random() < 0.5
        self._grip = (("width", OPEN_M) if opens else ("force", CLOSED_N)) if wrong else None


class Advised:
    """A learner acts; a teacher says in every tick what it would have done: on-policy data."""

    def __init__(self, learner: Policy, teacher: Policy) -> None:
        self.name = f"{learner.name}, advised"
        self.checkpoint = learner.checkpoint if isinstance(learner, Checkpointed) else ""
        self._learner = learner
        self._teacher = teacher

    def reset(self) -> None:
        self._learner.reset()
        self._teacher.reset()

    def act(self, situation: Situation) -> Motion:
        motion = self._learner.act(situation)
        motion.advice = clamped(situation, self._teacher.act(situation))
        return motion

    def think(self) -> bool:
        return self._learner.think()


class Clamped:
    """A policy whose every motion is held back to the limits by reflexes: the baseline of planning under limits."""

    def __init__(self, policy: Policy) -> None:
        self.name = f"{policy.name}-clamped"
        self.checkpoint = policy.checkpoint if isinstance(policy, Checkpointed) else ""
        self._policy = policy

    def reset(self) -> None:
        self._policy.reset()

    def act(self, situation: Situation) -> Motion:
        motion = self._policy.act(situation)
        motion.reflexes = True
        return motion

    def think(self) -> bool:
        return self._policy.think()


def _in_ball(rng: np.random.Generator) -> Array:
    """A direction times a length in [0, 1)."""
    direction = rng.standard_normal(3)
    return direction / np.linalg.norm(direction) * rng.random()
