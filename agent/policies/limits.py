"""Limits set at run time: a clamp that keeps a motion within them, and a watch that says how well they were kept.

The clamp is a reflex: what a careful controller can do without foresight. It holds back demonstrations and the world
model's plans; with the prior alone it is the baseline that planning must beat.
"""

from collections import deque
from dataclasses import replace
from math import acos, hypot

import numpy as np

from agent.episodes.report import Kept
from agent.frames import carried_twist, from_quaternion
from agent.messages import TICK_S, Acting, Limits, Step
from agent.policies.interface import Array, Motion, Situation

FORCE_ALERT = 0.7
"""Share of the force limit from which on motion into the force is slowed."""
BRAKE_M_S_N = 0.004
INERTIA_SHARE, FRONT_KG = 0.35, 2.5
"""Share of the force limit that is left to what sets a front in motion, hand and front taken to be this heavy."""
BASE_M_S2 = 2.0
"""No base starts faster (controllers/gate.py): an arm that made up for more would overdo it."""
TURN_PER_M_RAD = 4.0
"""The tool turns at most this fast for each m/s it may move."""
TILT_ALERT = 0.8
REFLEX_MARGIN = 0.05
"""Share of the limits of force and tilt that reflexes keep free."""
FORCE_TICKS = 5
"""Forces are judged by their mean over 50 ms: single peaks depend on contact stiffness."""


def tilt_rad(tool_rotation: Array, upright_rotation: Array) -> float:
    """How far what is held is tilted, when it is upright while the tool has `upright_rotation` (both in one frame)."""
    return acos(min(1.0, max(-1.0, float(tool_rotation[2] @ upright_rotation[2]))))


def clamped(s: Situation, motion: Motion) -> Motion:
    """A copy of the motion that keeps the situation's limits as far as this tick can tell."""
    limits, keep = s.limits, 1.0 - REFLEX_MARGIN
    most_n, most_rad = keep * limits.force_n, keep * limits.tilt_rad
    twist, base = motion.twist_in_target.copy(), motion.base_velocity_in_base.copy()
    _shorten(twist[:3], limits.speed_m_s)
    _shorten(base[:2], limits.speed_m_s)
    _shorten(twist[3:], TURN_PER_M_RAD * limits.speed_m_s)
    force = s.force_in_target_n
    size = hypot(*force.tolist())
    if size > FORCE_ALERT * most_n:
        away = force / size
        slowest = BRAKE_M_S_N * (size - most_n)
        twist[:3] += max(0.0, slowest - float(away @ twist[:3])) * away
        across = (s.target_in_base.rotation @ away)[:2]
        base[:2] += max(0.0, slowest - float(across @ base[:2])) * across
    if s.goal.axis != "none" and s.pads_touch and size < most_n:
        _gently(s, twist, base, INERTIA_SHARE * most_n / FRONT_KG)
        _shorten(twist[:3], limits.speed_m_s)
        _shorten(base[:2], limits.speed_m_s)
    if s.holding:
        upright = s.goal.tool_in_target.rotation
        tilt = tilt_rad(s.tool_in_target.rotation, upright)
        if tilt > TILT_ALERT * most_rad:
            # Turning about the vertical tilts nothing; what tilts further is left out.
            up_now, up = s.tool_in_target.rotation @ upright[2], np.array([0.0, 0.0, 1.0])
            righting = np.cross(up_now, up)
            righting /= max(1e-9, float(np.linalg.norm(righting)))
            twist[3:] -= righting * min(0.0, float(righting @ twist[3:]))
    return replace(motion, twist_in_target=twist, base_velocity_in_base=base)


def _gently(s: Situation, twist: Array, base: Array, most_m_s2: float) -> None:
    """A front follows the hand that grips its handle: how fast that changes its speed is felt too. Most of the knock
    with which a drawer starts is that; and whoever brakes harder shakes hand and front with the force of braking."""
    applied = s.observation.applied
    carried = carried_twist(applied.base_velocity_in_base, s.observation.tool_pose_in_base[:3])
    before = s.target_in_base.rotation.T @ (applied.tool_twist_in_base[:3] + carried[:3])
    _approach(twist[:3], before, most_m_s2 * TICK_S)
    _approach(base[:2], applied.base_velocity_in_base[:2], min(most_m_s2, BASE_M_S2) * TICK_S)


def _approach(wanted: Array, before: Array, most: float) -> None:
    """At most so far from what was before, in place."""
    change = wanted - before
    if hypot(*change.tolist()) > most:
        _shorten(change, most)
        wanted[:] = before + change


def _shorten(vector: Array, length: float) -> None:
    norm = hypot(*vector.tolist())
    if norm > length:
        vector *= length / norm


class JudgedForce:
    """The force at the wrist as limits are judged, N: the mean of its size over FORCE_TICKS. Give it the wrench (6,) of
    every tick, in any frame; before the first there were `before_n`."""

    def __init__(self, before_n: float = 0.0) -> None:
        self._sizes_n = deque(FORCE_TICKS * [before_n], maxlen=FORCE_TICKS)

    def __call__(self, wrench: Array) -> float:
        self._sizes_n.append(hypot(*wrench[:3].tolist()))
        return sum(self._sizes_n) / FORCE_TICKS


class LimitWatch:
    """Compares what the sensors say with the limits of the subgoal in force. Give it every Step."""

    def __init__(self) -> None:
        self._bound: dict[str, float] = {}
        self._peak: dict[str, float] = {}
        self._ticks: dict[str, int] = {}
        self._force = JudgedForce()
        self._last: Array | None = None

    def update(self, step: Step) -> None:
        observation, acting = step.observation, step.acting
        force_n = self._force(observation.wrist_wrench_in_tool)
        pose = observation.tool_pose_in_base
        if acting is None or step.subgoal is None:
            self._last = pose
            return
        limits: Limits = step.subgoal.limits
        self._note("force_n", force_n, limits.force_n)
        if self._last is not None:
            carried = carried_twist(observation.base_velocity_in_base, pose[:3])
            velocity = (pose[:3] - self._last[:3]) / TICK_S + carried[:3]
            self._note("speed_m_s", hypot(*velocity.tolist()), limits.speed_m_s)
        if acting.holding:
            self._note("tilt_rad", _held_tilt_rad(acting, pose), limits.tilt_rad)
        self._note("time_s", acting.elapsed_s, limits.time_s)
        self._last = pose

    def _note(self, name: str, value: float, bound: float) -> None:
        self._bound[name] = bound
        self._peak[name] = max(self._peak.get(name, 0.0), value)
        self._ticks[name] = self._ticks.get(name, 0) + (value > bound)

    def report(self) -> dict[str, Kept]:
        """By the limit's name; without those that nothing was ever compared with."""
        return {
            name: Kept(bound=self._bound[name], peak=self._peak[name], over_s=self._ticks[name] * TICK_S)
            for name in self._bound
        }


def _held_tilt_rad(acting: Acting, tool_pose_in_base: Array) -> float:
    tool = from_quaternion(tool_pose_in_base[:3], tool_pose_in_base[3:]).rotation
    upright = acting.target_in_base[3:].reshape(3, 3) @ acting.goal.tool_in_target[3:].reshape(3, 3)
    return tilt_rad(tool, upright)
