"""What the mind asks of the robot, and what the robot says was really done."""

from typing import Literal

import msgspec

from agent.messages.arrays import F64


class Action(msgspec.Struct, frozen=True, kw_only=True, tag="action"):
    """One command of the mind, valid in [valid_from_s, expires_s) of robot time."""

    sequence: int
    """Sequence number of the Observation this answers."""
    valid_from_s: float
    expires_s: float
    tool_twist_in_base: F64
    """(n, 6) linear m/s then angular rad/s of the tool, base axes, relative to the base; one row per tick."""
    grip_mode: Literal["width", "force"]
    grip: float
    """Width between the pads in m, or closing force in N (negative opens), by `grip_mode`."""
    base_velocity_in_base: F64
    """(3,) x and y in m/s, yaw rate in rad/s."""
    lift_rate_m_s: float
    head_rate_rad_s: F64
    """(2,) pan, tilt."""


class Clamp(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that changed what was asked."""

    name: str
    """E.g. `tool_speed`, `workspace`, `joint_limit`, `force`, `stale`."""
    asked: float
    bound: float


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What the robot did in the tick that ended with this Observation."""

    sequence: int
    """Of the Action it came from; -1 before the first."""
    tool_twist_in_base: F64
    """(6,)"""
    grip_mode: Literal["width", "force"]
    grip: float
    base_velocity_in_base: F64
    """(3,)"""
    lift_rate_m_s: float
    head_rate_rad_s: F64
    """(2,)"""
    clamps: list[Clamp] = []
    slip_reflex: bool = False
    """The grip reflex raised the force in this tick."""
    mode: Literal["ok", "hold", "ramp", "stop", "fault"] = "ok"
