"""What the model sees of a tick: one vector of three groups (touch, body, target), all relative to the target frame.

Touch is all that is felt: pads, skin, the wrist's wrench, and what belief makes of them alone (slip, support).

Nothing here is learned. The same code makes training data from recorded Steps and input while acting.
"""

from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, carried_twist, rotation_vector
from agent.messages import PAD_SHAPE, TICK_S, SubgoalKind
from agent.policies.interface import Goal, Situation
from agent.policies.paths import across_axis, along_path, angle_of, fingers
from agent.world_model.seen import Seen

Array = NDArray[np.float64]
Vector = NDArray[np.float32]

KINDS = (
    SubgoalKind.OPEN,
    SubgoalKind.PICK,
    SubgoalKind.PLACE,
    SubgoalKind.SERVE,
    SubgoalKind.PLACE_UNDER_SPOUT,
    SubgoalKind.INSERT_POD,
    SubgoalKind.PRESS,
    SubgoalKind.OPEN_LID,
    SubgoalKind.CLOSE_LID,
    SubgoalKind.PUSH_DOOR,
    SubgoalKind.CARRY,
    SubgoalKind.CLOSE,
)
"""The kinds of subgoal in which a policy acts."""

FEATURES_VERSION = 7
"""Raised with every change of what a number means."""
_PRESSURE_CELLS, _SHEAR_CELLS = (6, 4), (3, 2)
_SKIN_HAND = slice(64, 96)
"""Patches of hand and fingers; those before are the two sections of the arm."""
_JOINTS = slice(0, 9)
"""Lift, arm, fingers: all but the head."""
_TORQUE_NM, _LAG, _TORQUE_WRIST_NM, _SHEAR_N, _TAXEL_N = 20.0, 0.05, 0.5, 2.0, 0.5
FORCE_UNIT_N = 5.0
"""Forces f are given as arsinh(f / unit): linear where they are small, and contact does not drown the rest."""
SPEED_UNIT_M_S = 0.2
_SEEN_M, _FARTHEST_SEEN_M = 0.05, 0.5
_FORCE_CLAMP = "force"
_CLAMPS = ("reach", "joint_limit", "leash")
_NO_PATH = [0.0] * 14
LONGEST_S = 60.0
"""More time than in training means nothing to the model: enough is enough."""


def _pooling(cells: tuple[int, int]) -> Vector:
    """(96, cells) sums of taxels over a coarser grid."""
    rows = np.arange(PAD_SHAPE[0]) * cells[0] // PAD_SHAPE[0]
    columns = np.arange(PAD_SHAPE[1]) * cells[1] // PAD_SHAPE[1]
    cell = (rows[:, None] * cells[1] + columns).ravel()
    return np.eye(cells[0] * cells[1], dtype=np.float32)[cell]


_POOL_PRESSURE, _POOL_SHEAR = _pooling(_PRESSURE_CELLS), _pooling(_SHEAR_CELLS)


@dataclass(frozen=True)
class Layout:
    """Where each group, and what is felt, lies in the vector."""

    touch: slice
    body: slice
    target: slice
    feel: NDArray[np.intp]
    """Readings that the model foretells: pad forces, force at the tool, width, tool velocity, lag, what is seen."""
    force: NDArray[np.intp]
    """(3,) what the world exerts on the hand, low-passed, in the target frame."""
    slides: int
    """Whether what is opened or closed slides."""
    holding: int
    """Whether something is held, in the target group."""
    size: int


FEEL_NAMES = (
    *("pad left", "pad right", "shear left x", "shear left z", "shear right x", "shear right z"),
    *("force x", "force y", "force z", "width", "velocity x", "velocity y", "velocity z", "lag"),
    *("seen x", "seen y", "seen z", "opening", "seen lately"),
)
SEEN_LATELY_S = 0.25
SHEAR_IN_FEEL = slice(2, 6)
"""At the pads."""
FORCE_IN_FEEL = slice(6, 9)
"""Force at the tool in the target frame."""
SEEN_IN_FEEL = slice(14, 19)
"""Where the thing in question is seen, how far open it is, and whether it is seen at all: nothing just disappears."""


class Featurizer:
    """Makes one vector per tick. Keeps the last tool pose, for velocities, and what was seen last: call `reset` when
    acting begins."""

    def __init__(self) -> None:
        self._last: Pose | None = None
        self._seen = Seen()

    def reset(self) -> None:
        self._last = None
        self._seen.reset()

    @property
    def missing(self) -> int:
        """As in `Seen`: frames that should have shown the thing in question and did not, since it was seen last."""
        return self._seen.missing

    def __call__(self, s: Situation) -> Vector:
        """(LAYOUT.size,) raw features."""
        target_rotation = s.target_in_base.rotation
        tool_in_base = Pose(
            s.target_in_base.point(s.tool_in_target.position), target_rotation @ s.tool_in_target.rotation
        )
        linear, angular = self._velocity(s, tool_in_base)
        self._last = tool_in_base
        body = _body(s, tool_in_base, target_rotation.T @ linear, target_rotation.T @ angular)
        seen = self._seen(s)
        return np.concatenate((_touch(s), body, _target(s, tool_in_base, *seen)), dtype=np.float32)

    def _velocity(self, s: Situation, tool: Pose) -> tuple[Array, Array]:
        """Of the tool over ground, base axes."""
        carried = carried_twist(s.observation.base_velocity_in_base, tool.position)
        linear, angular = carried[:3], carried[3:]
        if self._last is not None:
            linear += (tool.position - self._last.position) / TICK_S
            angular += rotation_vector(tool.rotation @ self._last.rotation.T) / TICK_S
        return linear, angular


def _touch(s: Situation) -> Vector:
    pads = s.observation.pad_touch_n.astype(np.float32).reshape(2, 3, 3, -1)
    skin = s.observation.skin_touch_n[0].astype(np.float32)
    wrench, applied = s.observation.wrist_wrench_in_tool, s.observation.applied
    mean, largest, change = pads[:, 0], pads[:, 1], pads[:, 2]
    total = mean.sum(axis=-1)
    return np.concatenate(
        (
            np.arcsinh(total[:, 0] / FORCE_UNIT_N),
            np.arcsinh(total[:, 1:].ravel() / _SHEAR_N),
            np.arcsinh(s.tool_in_target.rotation @ wrench[:3] / FORCE_UNIT_N),
            np.arcsinh(wrench[3:] / _TORQUE_WRIST_NM),
            np.arcsinh(s.force_in_target_n / FORCE_UNIT_N),
            [float(s.supported), float(applied.slip_reflex), float(_FORCE_CLAMP in {c.name for c in applied.clamps})],
            [np.arcsinh(s.grip_force_n / FORCE_UNIT_N), float(s.pads_touch)],
            np.arcsinh((mean[:, 0] @ _POOL_PRESSURE).ravel() / _TAXEL_N),
            np.arcsinh((mean[:, 1:] @ _POOL_SHEAR).ravel() / _TAXEL_N),
            np.arcsinh(largest[:, 0].max(axis=-1) / _TAXEL_N),
            np.arcsinh(change.sum(axis=-1).ravel()),
            np.arcsinh([skin[:32].max() / _TAXEL_N, skin[32:64].max() / _TAXEL_N]),
            np.arcsinh(skin[_SKIN_HAND] / _TAXEL_N),
        ),
        dtype=np.float32,
    )


def _body(s: Situation, tool: Pose, linear_in_target: Array, angular_in_target: Array) -> Vector:
    o, applied = s.observation, s.observation.applied
    to_target = s.target_in_base.rotation.T
    lag = o.command_lag[_JOINTS]
    clamped = {clamp.name for clamp in applied.clamps}
    return np.concatenate(
        (
            [s.width_m / 0.05],
            linear_in_target / SPEED_UNIT_M_S,
            [float(np.linalg.norm(lag[1:8])) / _LAG],
            angular_in_target,
            o.joint_position[_JOINTS],
            o.joint_velocity[_JOINTS],
            o.joint_torque[_JOINTS] / _TORQUE_NM,
            lag / _LAG,
            o.base_velocity_in_base / 0.2,
            to_target @ applied.tool_twist_in_base[:3] / 0.2,
            to_target @ applied.tool_twist_in_base[3:],
            applied.base_velocity_in_base / 0.2,
            [
                float(applied.grip_mode == "force"),
                applied.grip / (20.0 if applied.grip_mode == "force" else 0.05),
                *(float(name in clamped) for name in _CLAMPS),
            ],
        ),
        dtype=np.float32,
    )


def _target(s: Situation, tool: Pose, seen_in_target: Array, seen_age_s: float) -> Vector:
    goal, at = s.goal, s.tool_in_target
    off = at.position - goal.tool_in_target.position
    off_in_goal = goal.tool_in_target.rotation.T @ off
    turn = rotation_vector(goal.tool_in_target.rotation @ at.rotation.T)
    yaw, limits = s.target_in_base.yaw, s.limits
    time_s = min(limits.time_s, LONGEST_S)
    rotation = goal.tool_in_target.rotation
    far = _FARTHEST_SEEN_M
    return np.concatenate(
        (
            np.clip(seen_in_target, -far, far) / _SEEN_M,
            [-1.0 if s.opening is None else s.opening],
            np.clip(seen_in_target - at.position, -far, far) / _SEEN_M,
            [float(s.opening is not None), seen_age_s, float(seen_age_s < SEEN_LATELY_S)],
            *(off / 0.15, np.tanh(off / 0.02), off_in_goal / 0.15, np.tanh(off_in_goal / 0.02)),
            *(turn, np.tanh(turn / 0.1)),
            _to_way_points(goal, off),
            *(
                s.target_in_base.position,
                tool.position,
                rotation[:, 0],
                rotation[:, 2],
                goal.tool_in_target.position / 0.1,
            ),
            [cos(yaw), sin(yaw), s.target_std_m / 0.02],
            [goal.approach_m / 0.1, goal.above_m / 0.1, goal.let_go_at_m / 0.02, goal.travel],
            [float(goal.axis == "slide"), float(goal.axis == "hinge")],
            *(goal.hinge_in_target, goal.hinge_direction_in_target),
            _path(goal, at),
            [float(s.holding)],
            [min(s.elapsed_s, 30.0) / 10.0, max(-1.0, time_s - s.elapsed_s) / 30.0],
            [limits.force_n / 20.0, limits.speed_m_s / 0.2, limits.tilt_rad / 0.2, time_s / 30.0],
            [float(s.kind is kind) for kind in KINDS],
        ),
        dtype=np.float32,
    )


def _to_way_points(goal: Goal, off: Array) -> list[float]:
    """How far the tool is from as high as it is to be lifted, and from where it is to come in (4),
    coarse and fine. To be told the heights alone is not enough: a model that had to subtract lifted 3 cm for 1.2."""
    rise, out = float(off[2]) - goal.above_m, float(goal.tool_in_target.rotation[:, 2] @ off) + goal.approach_m
    return [rise / 0.15, float(np.tanh(rise / 0.01)), out / 0.15, float(np.tanh(out / 0.01))]


def _path(goal: Goal, tool: Pose) -> list[float]:
    """Where on the path of handle or tab the tool is (14): fraction, how far from either end, tangent, and for lids
    where the fingers are about the hinge."""
    if goal.axis == "none":
        return _NO_PATH
    fraction, tangent = along_path(goal, tool.position)
    # Finely: who lets go late meets the front's own stop.
    path = [fraction, float(np.tanh((abs(fraction) - 1.0) / 0.05)), *tangent.tolist()]
    if goal.axis == "slide":
        return path + [0.0] * 9
    axis, hinge = np.array(goal.hinge_direction_in_target), np.array(goal.hinge_in_target)
    now, start = fingers(tool), fingers(goal.tool_in_target)
    aside = float(axis @ (now - start))
    if abs(float(axis[2])) > 0.5:
        radius = float(np.linalg.norm(across_axis(tool.position - hinge, axis)))
        nominal = float(np.linalg.norm(across_axis(goal.tool_in_target.position - hinge, axis)))
        return [*path, aside / 0.03, (radius - nominal) / 0.03, *[0.0] * 7]
    (angle, distance), (first, nominal) = angle_of(goal, now), angle_of(goal, start)
    to_tab = distance - float(np.linalg.norm(hinge))
    return [
        *path,
        *(aside / 0.03, (distance - nominal) / 0.03, to_tab / 0.03),
        *(cos(angle), sin(angle), angle, angle - first),
        *(float(np.tanh(to_tab / 0.01)), float(np.tanh(aside / 0.01))),
    ]


def _layout() -> Layout:
    """Counted once, from the code above."""
    touch = 2 + 4 + 9 + 3 + 2 + 2 * 24 + 2 * 2 * 6 + 2 + 6 + 2 + 32
    body = 1 + 3 + 1 + 3 + 4 * 9 + 3 + 6 + 3 + 2 + len(_CLAMPS)
    before_axis = 4 + 6 + 12 + 6 + 4 + 15 + 3 + 4
    before_holding = before_axis + 2 + 6 + 14
    target = before_holding + 1 + 2 + 4 + len(KINDS)
    feel = np.concatenate((np.arange(9), touch + np.arange(5), touch + body + np.array([0, 1, 2, 3, 9])))
    parts = slice(0, touch), slice(touch, touch + body), slice(touch + body, touch + body + target)
    target_at = touch + body
    return Layout(
        *parts,
        feel=feel,
        force=np.arange(12, 15),
        slides=target_at + before_axis,
        holding=target_at + before_holding,
        size=target_at + target,
    )


LAYOUT = _layout()
