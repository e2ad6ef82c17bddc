"""Arm and lift between skills: tucked for driving, and set up before a skill acts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, rotation_vector, tool_rotation
from agent.messages import JOINT_NAMES, Observation
from controllers.arm_model import HOME_JOINTS, HOME_LIFT_M, LIFT_MAX_VELOCITY_M_S, tool_in_base

Array = NDArray[np.float64]

LIFT = JOINT_NAMES.index("lift")
TRAVEL_LIFT_M = 0.32
"""The tool then rides 1.1 m high: above worktops and tables."""
HOME_PITCH_RAD = np.deg2rad(25.0)
SPEED_M_S = 0.45
TURN_RAD_S = 1.5
LIFT_GAIN = 4.0

_HOME_POSITION, _HOME_ROTATION = tool_in_base(HOME_JOINTS, HOME_LIFT_M)


@dataclass(frozen=True, slots=True)
class Posture:
    """A tool pose relative to the base and a lift; the tool rides on the lift."""

    tool: Pose
    """With the lift at `lift_m`."""
    lift_m: float


def tucked(pitch_down_rad: float = HOME_PITCH_RAD, lift_m: float = TRAVEL_LIFT_M) -> Posture:
    """Close to the body, at the pitch in which something is held."""
    position = np.array(_HOME_POSITION)
    position[2] += lift_m - HOME_LIFT_M
    return Posture(Pose(position, tool_rotation(pitch_down_rad)), lift_m)


def lift_rate(goal_m: float, observation: Observation, limit_m_s: float = LIFT_MAX_VELOCITY_M_S) -> float:
    gap = goal_m - float(observation.joint_position[LIFT])
    return float(np.clip(LIFT_GAIN * gap, -limit_m_s, limit_m_s))


def towards(
    posture: Posture, tool_in_base_now: Pose, observation: Observation, speed_m_s: float = SPEED_M_S
) -> tuple[Array, float, bool]:
    """Twist (6,) of the tool relative to the base, lift rate, and whether the posture is reached.

    The tool's goal is carried along with the lift, so that arm and lift do not fight.
    """
    rate = lift_rate(posture.lift_m, observation)
    missing_lift = posture.lift_m - float(observation.joint_position[LIFT])
    goal = posture.tool.position - np.array([0.0, 0.0, missing_lift])
    gap = goal - tool_in_base_now.position
    turn = rotation_vector(posture.tool.rotation @ tool_in_base_now.rotation.T)
    distance, angle = float(np.linalg.norm(gap)), float(np.linalg.norm(turn))
    linear = gap * (4.0 if 4.0 * distance <= speed_m_s else speed_m_s / distance)
    angular = turn * (3.0 if 3.0 * angle <= TURN_RAD_S else TURN_RAD_S / angle)
    twist = np.concatenate([linear, angular])
    twist[2] += rate
    return twist, rate, distance < 0.025 and angle < 0.08 and abs(missing_lift) < 0.02
