"""A hinge on the right is looked at in a mirror: then it is one on the left, and one lesson serves both.

The mirror is the vertical plane through the target in which the robot approaches: y becomes −y. The arm is its own
mirror image when joints 1, 3, 5 and 7 change sign, the hand when its fingers are swapped. A hand that was rolled comes
out rolled the other way; it is then turned by half a turn about its own z, which swaps the fingers back. Not so at
lids: there the hand is rolled one way for a hinge on the left and the other way for one on the right.
"""

from dataclasses import replace
from math import pi

import msgspec
import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, wrap
from agent.messages import Applied, Look, Move, Observation, SubgoalKind
from agent.policies.interface import Goal, Motion, Situation

Array = NDArray[np.float64]

ON_THE_RIGHT_M = -0.02
_POLAR = np.array([1.0, -1.0, 1.0])
"""Positions, forces, velocities."""
_AXIAL = -_POLAR
"""Torques, turning, directions of axes."""
_TWIST = np.concatenate([_POLAR, _AXIAL])
_PLANAR = np.array([1.0, -1.0, -1.0])
"""x, y, yaw rate."""
_JOINTS = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
_WRIST = 7
_SIDED = frozenset({SubgoalKind.OPEN_LID, SubgoalKind.CLOSE_LID})
_HALF_TURN = np.array([-1.0, -1.0, 1.0])
_PER_SECTION = ((0, 8, 4), (32, 8, 4), (64, 8, 2), (80, 4, 2), (88, 4, 2))
"""Skin: first patch, patches around, patches along."""


def needs_mirror(s: Situation) -> bool:
    return s.goal.axis == "hinge" and s.goal.hinge_in_target[1] < ON_THE_RIGHT_M


def mirrored(s: Situation) -> Situation:
    """The same situation seen in the mirror. Twice gives the first again."""
    goal = s.goal.tool_in_target
    rolled = s.kind not in _SIDED and float(_mirror(goal).rotation[:, 0] @ goal.rotation[:, 0]) < 0.0
    x, y, z = s.goal.hinge_in_target
    ax, ay, az = s.goal.hinge_direction_in_target
    return replace(
        s,
        goal=_goal(s.goal, _hand(goal, rolled), (x, -y, z), (-ax, ay, -az)),
        tool_in_target=_hand(s.tool_in_target, rolled),
        target_in_base=_mirror(s.target_in_base),
        observation=_observation(s.observation, rolled),
        force_in_target_n=s.force_in_target_n * _POLAR,
    )


def mirrored_motion(motion: Motion) -> Motion:
    """What is wanted in the mirror, as what is wanted; and back."""
    return replace(
        motion,
        twist_in_target=motion.twist_in_target * _TWIST,
        base_velocity_in_base=motion.base_velocity_in_base * _PLANAR,
    )


def mirrored_move(move: Move) -> Move:
    """The same for what was recorded."""
    x, y, turn = move.base_velocity_in_base
    return msgspec.structs.replace(
        move, twist_in_target=move.twist_in_target * _TWIST, base_velocity_in_base=(x, -y, -turn)
    )


def _goal(goal: Goal, tool: Pose, hinge: tuple[float, float, float], axis: tuple[float, float, float]) -> Goal:
    return replace(goal, tool_in_target=tool, hinge_in_target=hinge, hinge_direction_in_target=axis)


def _mirror(pose: Pose) -> Pose:
    return Pose(pose.position * _POLAR, pose.rotation * np.outer(_POLAR, _POLAR))


def _hand(pose: Pose, rolled: bool) -> Pose:
    seen = _mirror(pose)
    return Pose(seen.position, seen.rotation * _HALF_TURN) if rolled else seen


def _observation(o: Observation, rolled: bool) -> Observation:
    position = o.joint_position * _JOINTS
    wrench = o.wrist_wrench_in_tool * _TWIST
    pads, skin = o.pad_touch_n, o.skin_touch_n[:, _SKIN_MIRRORED]
    if rolled:
        position[_WRIST] = wrap(position[_WRIST] + pi)
        wrench = wrench * np.tile(_HALF_TURN, 2)
        pads = pads[..., ::-1] * _SHEAR_X_FLIPPED
        skin = skin[:, _SKIN_TURNED]
    else:
        pads = pads[::-1]
    return msgspec.structs.replace(
        o,
        joint_position=position,
        joint_velocity=o.joint_velocity * _JOINTS,
        joint_torque=o.joint_torque * _JOINTS,
        command_lag=o.command_lag * _JOINTS,
        base_velocity_in_base=o.base_velocity_in_base * _PLANAR,
        wrist_wrench_in_tool=wrench,
        pad_touch_n=pads,
        skin_touch_n=skin,
        applied=_applied(o.applied),
        look=None if o.look is None else _look(o.look),
    )


def _look(look: Look) -> Look:
    """Where things are seen, and no more."""
    seen = []
    for thing in look.detections:
        x, y, z = thing.position_in_base_m
        seen.append(
            msgspec.structs.replace(thing, position_in_base_m=(x, -y, z), yaw_in_base_rad=-thing.yaw_in_base_rad)
        )
    return msgspec.structs.replace(look, detections=seen)


def _applied(a: Applied) -> Applied:
    return msgspec.structs.replace(
        a,
        tool_twist_in_base=a.tool_twist_in_base * _TWIST,
        base_velocity_in_base=a.base_velocity_in_base * _PLANAR,
    )


_SHEAR_X_FLIPPED = np.array([1.0, -1.0, 1.0], np.float16)[:, None, None]


def _skin(turned: bool) -> NDArray[np.intp]:
    """Where each patch of the skin comes from: mirrored, or turned with the hand by half a turn."""
    order = np.arange(96)
    for first, around, along in _PER_SECTION:
        on_hand = first >= 64
        patch = np.arange(around * along).reshape(around, along)
        if not turned:
            patch = patch[::-1]
        elif on_hand:
            patch = np.roll(patch, around // 2, axis=0)
        # Swapped fingers: what the left one feels, the right one does.
        source = {80: 88, 88: 80}.get(first, first)
        order[first : first + around * along] = source + patch.ravel()
    return order


_SKIN_MIRRORED, _SKIN_TURNED = _skin(False), _skin(True)
