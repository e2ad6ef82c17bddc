"""What a skill asks of the whole body for one tick, and how it becomes an Action."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, carried_twist
from agent.messages import TICK_S, Action, Observation

Array = NDArray[np.float64]

FULL_MUG_LIFT_M_S2 = 1.0
CHUNK_ROWS = 2
"""The tool goes on for one more tick when the next action is late."""


@dataclass(slots=True)
class Command:
    """Velocities over ground in the base frame; zeros keep still."""

    tool_twist_in_base: Array = field(default_factory=lambda: np.zeros(6))
    """(6,) of the tool over ground, or relative to the base where `tool_rides` is set."""
    tool_rides: bool = False
    """The tool keeps its pose relative to the base while that drives."""
    grip_mode: Literal["width", "force"] = "width"
    grip: float = 0.06
    base_velocity_in_base: Array = field(default_factory=lambda: np.zeros(3))
    lift_rate_m_s: float = 0.0
    head_rate_rad_s: Array = field(default_factory=lambda: np.zeros(2))
    phase: str = ""


def lift_gently(command: Command, observation: Observation) -> None:
    """Let the lift gain speed slowly, for a full mug: one that drops from under its coffee spills it."""
    last, change = observation.applied.lift_rate_m_s, FULL_MUG_LIFT_M_S2 * TICK_S
    rate = min(max(command.lift_rate_m_s, last - change), last + change)
    command.tool_twist_in_base[2] += rate - command.lift_rate_m_s  # the tool rides on the lift
    command.lift_rate_m_s = rate


def to_action(command: Command, observation: Observation, tool_in_base: Pose) -> Action:
    """The Action for the next tick."""
    twist = np.array(command.tool_twist_in_base, dtype=np.float64)
    if not command.tool_rides:
        twist -= carried_twist(np.asarray(command.base_velocity_in_base, dtype=np.float64), tool_in_base.position)
    return Action(
        sequence=observation.sequence,
        valid_from_s=observation.time_s,
        expires_s=observation.time_s + CHUNK_ROWS * TICK_S,
        tool_twist_in_base=np.array([twist] * CHUNK_ROWS),
        grip_mode=command.grip_mode,
        grip=float(command.grip),
        base_velocity_in_base=np.array(command.base_velocity_in_base, dtype=np.float64),
        lift_rate_m_s=float(command.lift_rate_m_s),
        head_rate_rad_s=np.array(command.head_rate_rad_s, dtype=np.float64),
    )
