"""An episode as columns of numbers, one row per tick: what every export begins with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.episodes import Episode, EpisodeError
from agent.messages import JOINT_NAMES, Step

_POSE = ("x", "y", "z", "qw", "qx", "qy", "qz")
_TWIST = ("vx", "vy", "vz", "wx", "wy", "wz")
_ACTION = (
    *(f"tool.{axis}" for axis in _TWIST),
    "grip",
    "grip_is_force",
    *("base.vx", "base.vy", "base.yaw_rate"),
    "lift_rate",
    *("head_pan_rate", "head_tilt_rate"),
)


@dataclass(frozen=True)
class Column:
    """One quantity over time."""

    names: tuple[str, ...]
    """Of its numbers; empty where they are the taxels of a sensor."""
    values: NDArray[np.float32]
    """(n, width)"""


@dataclass(frozen=True)
class Table:
    """All of an episode that has one value per tick."""

    time_s: NDArray[np.float64]
    columns: dict[str, Column]
    subgoals: list[str]
    """Of each tick, in words; empty while there was none."""


def read_table(episode: Episode) -> Table:
    """The columns of `episode`. Raises EpisodeError for one without steps.

    Names follow LeRobot: `observation.state` is joints (m, rad), base by its wheels (m, rad) and the tool's pose in the
    base's frame; `action` is what the mind asked for, `applied` what was done.
    """
    if not len(episode):
        raise EpisodeError(f"{episode.directory} holds no steps of a mind to export")
    steps = list(episode.steps())
    columns = {
        "observation.state": Column(
            (*JOINT_NAMES, "base.x", "base.y", "base.yaw", *(f"tool.{axis}" for axis in _POSE)),
            _stack(
                [
                    np.concatenate([o.joint_position, o.base_pose_in_odom, o.tool_pose_in_base])
                    for o in (s.observation for s in steps)
                ]
            ),
        ),
        "observation.velocity": Column(
            (*JOINT_NAMES, "base.vx", "base.vy", "base.yaw_rate"),
            _stack(
                [np.concatenate([s.observation.joint_velocity, s.observation.base_velocity_in_base]) for s in steps]
            ),
        ),
        "observation.effort": Column(JOINT_NAMES, _stack([s.observation.joint_torque for s in steps])),
        "observation.wrench": Column(
            ("fx", "fy", "fz", "tx", "ty", "tz"), _stack([s.observation.wrist_wrench_in_tool for s in steps])
        ),
        "observation.touch.pads": Column((), _stack([s.observation.pad_touch_n[:, 0].ravel() for s in steps])),
        "observation.touch.skin": Column((), _stack([s.observation.skin_touch_n[0] for s in steps])),
        "action": Column(_ACTION, _stack([_asked(s) for s in steps])),
        "applied": Column(_ACTION, _stack([_applied(s) for s in steps])),
    }
    subgoals = ["" if s.subgoal is None else f"{s.subgoal.kind.value} {s.subgoal.target}".strip() for s in steps]
    return Table(np.array([s.observation.time_s for s in steps]), columns, subgoals)


def _stack(rows: list[NDArray[np.floating]]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


def _asked(step: Step) -> NDArray[np.float64]:
    action = step.action
    return np.concatenate(
        [
            action.tool_twist_in_base[0],
            [action.grip, float(action.grip_mode == "force")],
            action.base_velocity_in_base,
            [action.lift_rate_m_s],
            action.head_rate_rad_s,
        ]
    )


def _applied(step: Step) -> NDArray[np.float64]:
    applied = step.observation.applied
    return np.concatenate(
        [
            applied.tool_twist_in_base,
            [applied.grip, float(applied.grip_mode == "force")],
            applied.base_velocity_in_base,
            [applied.lift_rate_m_s],
            applied.head_rate_rad_s,
        ]
    )
