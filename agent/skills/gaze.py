"""Where the head looks."""

from math import atan2, cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, wrap
from agent.messages import JOINT_NAMES, Observation
from controllers.arm_model import HEAD_LOWER_RAD, HEAD_MAX_VELOCITY_RAD_S, HEAD_UPPER_RAD

Array = NDArray[np.float64]

PAN, TILT = JOINT_NAMES.index("head_pan"), JOINT_NAMES.index("head_tilt")
EYE_HEIGHT_M = 1.5
_PAN_RANGE, _TILT_RANGE = zip(HEAD_LOWER_RAD.tolist(), HEAD_UPPER_RAD.tolist(), strict=True)
GAIN = 6.0
SWEEP_PERIOD_S = 5.0
SWEEP_TILT_RAD = 0.45
NOD_S, NOD_PAN_S, NOD_PAN_RAD, NOD_TILT_RAD = 1.6, 4.0, 0.75, 0.95
"""Periods of tilt and pan, which must not go together: else one side is only ever looked at from above."""


def look_at(point_in_base: Array, observation: Observation) -> Array:
    """Head rates (2,) that turn the camera to a point in the base frame."""
    x, y, z = np.asarray(point_in_base, dtype=np.float64).tolist()
    pan = wrap(atan2(y, x))
    tilt = atan2(EYE_HEIGHT_M - z, max(0.1, hypot(x, y)))
    return _turn_to(pan, tilt, observation)


def look_at_map_point(point_in_map: Array, base_in_map: Pose, observation: Observation) -> Array:
    return look_at(base_in_map.inverse().point(point_in_map), observation)


def towards_map_point(point_in_map: Array, base_in_map: Pose, observation: Observation) -> Array:
    """Look in the direction of a point, a little down: furniture and doors on the way are in view."""
    x, y, _ = base_in_map.inverse().point(point_in_map).tolist()
    return _turn_to(wrap(atan2(y, x)), SWEEP_TILT_RAD, observation)


def sweep(observation: Observation, width_rad: float = 1.1) -> Array:
    """Look about while driving."""
    pan = width_rad * sin(2 * pi * observation.time_s / SWEEP_PERIOD_S)
    return _turn_to(pan, SWEEP_TILT_RAD, observation)


def nod(observation: Observation) -> Array:
    """Look about in front: over the floor, tables and into drawers, and up again."""
    pan = NOD_PAN_RAD * sin(2 * pi * observation.time_s / NOD_PAN_S)
    return _turn_to(pan, NOD_TILT_RAD * (1.0 - cos(2 * pi * observation.time_s / NOD_S)) / 2.0, observation)


def _turn_to(pan: float, tilt: float, observation: Observation) -> Array:
    rates = []
    for goal, joint, lower, upper in ((pan, PAN, *_PAN_RANGE), (tilt, TILT, *_TILT_RANGE)):
        gap = min(max(goal, lower), upper) - observation.joint_position.item(joint)
        rates.append(min(max(GAIN * gap, -HEAD_MAX_VELOCITY_RAD_S), HEAD_MAX_VELOCITY_RAD_S))
    return np.array(rates)
