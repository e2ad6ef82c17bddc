"""Arm and lift between skills: tucked for driving, and set up before a skill acts."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from agent.belief.hand import Hand
from agent.frames import Pose, rotation_vector, tool_rotation
from agent.messages import JOINT_NAMES, Observation
from controllers.arm_model import LIFT_MAX_VELOCITY_M_S, MOUNT_IN_BASE_M, tool_jacobian_in_base
from controllers.plant import ARM

Array = NDArray[np.float64]

LIFT = JOINT_NAMES.index("lift")
TRAVEL_LIFT_M = 0.15
TUCKED_IN_MOUNT_M = np.array([0.13, -0.14, 0.66])
"""Found by search: for every pitch from 10° to 60° the whole arm is then within 0.28 m of the base's centre, and no
joint is nearer than 0.23 rad to a limit."""
TUCKED_PITCH_RAD = np.deg2rad(25.0)
TUCKED_JOINTS_RAD = np.array([0.0112, -1.2423, -0.2374, -1.8884, -0.3158, 0.7694, -0.3169])
"""The arm's joints there."""
JOINT_GAIN, JOINT_RAD_S = 3.0, 1.2
RETREAT_X_M = 0.42
"""How far ahead of the base's centre the tool may stay when it leaves a scene."""
OUT_OF_SCENE_X_M, LEFT_M, BESIDE_MAST_M = 0.52, 0.05, 0.10
DRIVE_WITHIN_M = 0.16
"""The base drives once the tool is this near to its tucked place."""
TUCKED_WITHIN_M = 0.05
AT_LIMIT = frozenset({"reach", "joint_limit", "self_collision"})
"""Clamps that say that the arm cannot go on as asked."""
GIVE_M_PER_NS, GIVE_FROM_N, GIVE_MAX_M_S = 0.004, 8.0, 0.12
"""How the arm gives way to what it runs into while it sets up or tucks in."""
HELD_BACK_N, CLIMB_M_S = 5.0, 0.08
"""Over what holds it back, such as a drawer's front, the hand climbs on its way out."""
SPEED_M_S = 0.45
TURN_RAD_S = 1.5
LIFT_GAIN = 4.0


@dataclass(frozen=True, slots=True)
class Posture:
    """A tool pose relative to the base and a lift; the tool rides on the lift."""

    tool: Pose
    """With the lift at `lift_m`."""
    lift_m: float


def tucked(pitch_down_rad: float = TUCKED_PITCH_RAD, lift_m: float = TRAVEL_LIFT_M) -> Posture:
    """Above the base, at the pitch in which something is held."""
    position = TUCKED_IN_MOUNT_M + MOUNT_IN_BASE_M
    position[2] += lift_m
    return Posture(Pose(position, tool_rotation(pitch_down_rad)), lift_m)


def lift_rate(goal_m: float, observation: Observation, limit_m_s: float = LIFT_MAX_VELOCITY_M_S) -> float:
    gap = goal_m - float(observation.joint_position[LIFT])
    return min(max(LIFT_GAIN * gap, -limit_m_s), limit_m_s)


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
    distance, angle = _length(gap), _length(turn)
    linear = gap * (4.0 if 4.0 * distance <= speed_m_s else speed_m_s / distance)
    angular = turn * (3.0 if 3.0 * angle <= TURN_RAD_S else TURN_RAD_S / angle)
    twist = np.concatenate([linear, angular])
    twist[2] += rate
    return twist, rate, distance < 0.025 and angle < 0.08 and abs(missing_lift) < 0.02


def tuck(
    hand: Hand, observation: Observation, speed_m_s: float = SPEED_M_S, keep_level: bool = False, wedged: bool = False
) -> tuple[Array, float, bool, bool]:
    """Draw back from wherever the tool is, then tuck in, yielding to what is in the way.

    With `keep_level` (a full mug) the tool goes straight and keeps its pitch; else the joints go to TUCKED_JOINTS.
    An arm that is `wedged` against the robot itself goes out before the base first. Returns twist (6,) relative to the
    base, lift rate, whether the base may drive, and whether the arm is tucked in.
    """
    now = hand.tool_in_base
    pitch = TUCKED_PITCH_RAD if hand.held is None or not keep_level else hand.held.pitch_down_rad
    posture = tucked(pitch)
    near = _length(now.position - posture.tool.position) < DRIVE_WITHIN_M
    if wedged:
        out = Pose(np.array([OUT_OF_SCENE_X_M, -LEFT_M, float(now.position[2])]), tool_rotation(pitch))
        twist, rate, _ = towards(Posture(out, float(observation.joint_position[LIFT])), now, observation, speed_m_s)
        return giving_way(twist, hand.force_in_base_n), rate, False, False
    if float(now.position[0]) > RETREAT_X_M + 0.03:
        # Straight back at the height where the tool is, with the lift at rest: no way down onto a worktop.
        x, y, z = (float(v) for v in now.position)
        back = np.array([RETREAT_X_M, min(y, LEFT_M) if x < OUT_OF_SCENE_X_M else y, z])
        goal = Posture(Pose(back, now.rotation), float(observation.joint_position[LIFT]))
        twist, rate, _ = towards(goal, now, observation, speed_m_s)
        if not keep_level and any(clamp.name in AT_LIMIT for clamp in observation.applied.clamps):
            # At a limit, or stretched out, where no straight way is left: fold the joints until there is room again.
            twist, rate = _towards_joints(TUCKED_JOINTS_RAD, posture.lift_m, observation, speed_m_s)
        if not keep_level and float(hand.force_in_base_n[0]) > HELD_BACK_N:
            twist[:3] = 0.0, 0.0, CLIMB_M_S
        return giving_way(twist, hand.force_in_base_n), rate, False, False
    if float(now.position[1]) > BESIDE_MAST_M:
        # Between scene and mast an arm can get wedged: round the front to the other side first.
        front = Pose(np.array([RETREAT_X_M, 0.0, now.position[2]]), tool_rotation(pitch))
        twist, rate, _ = towards(Posture(front, float(observation.joint_position[LIFT])), now, observation, speed_m_s)
        return giving_way(twist, hand.force_in_base_n), rate, False, False
    if keep_level:
        twist, rate, there = towards(posture, now, observation, speed_m_s)
    else:
        twist, rate = _towards_joints(TUCKED_JOINTS_RAD, TRAVEL_LIFT_M, observation, speed_m_s)
        # The redundant joint may rest elsewhere: the hand's place is what counts.
        there = _length(now.position - posture.tool.position) < TUCKED_WITHIN_M
    return giving_way(twist, hand.force_in_base_n), rate, near, there


def _towards_joints(
    joints_rad: Array, lift_m: float, observation: Observation, speed_m_s: float
) -> tuple[Array, float]:
    """The twist that moves all joints to their goals at the same time, in proportion to how far they are."""
    arm = observation.joint_position[ARM]
    _, _, jacobian = tool_jacobian_in_base(arm, float(observation.joint_position[LIFT]))
    gap = joints_rad - arm
    rate = lift_rate(lift_m, observation)
    twist = jacobian[:, 1:] @ (JOINT_GAIN * gap)
    fastest = max(
        _length(twist[:3]) / speed_m_s,
        _length(twist[3:]) / TURN_RAD_S,
        float(np.max(np.abs(JOINT_GAIN * gap))) / JOINT_RAD_S,
    )
    twist /= max(1.0, fastest)
    twist[2] += rate
    return twist, rate


def _length(vector: Array) -> float:
    """Several times faster than np.linalg.norm on three numbers."""
    return sqrt(vector @ vector)


def giving_way(twist_in_base: Array, force_in_base_n: Array) -> Array:
    """The twist (6,), without motion into what presses on the hand and a little away from it."""
    strength = _length(force_in_base_n)
    if strength < GIVE_FROM_N:
        return twist_in_base
    away = force_in_base_n / strength
    twist = twist_in_base.copy()
    twist[:3] -= away * min(0.0, float(away @ twist[:3]))
    twist[:3] += away * min(GIVE_MAX_M_S, GIVE_M_PER_NS * (strength - GIVE_FROM_N))
    return twist
