"""One tick of a policy at work: what it saw besides the Observation, and what it answered.

With it an episode alone is training data, and `act` can be repeated without simulating anything: what is in the
Observation (tool pose, width, forces) or in the Subgoal (kind, limits) is not written twice.
Field names are left out; one is about 0.6 kB.
"""

from typing import Literal

import msgspec

from agent.messages.arrays import F64

ACTING_VERSION = 3
"""Raised with every change of what a field means: data of another version is refused by name."""

Vector = tuple[float, float, float]


class GoalSeen(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """agent.policies.interface.Goal; fixed while a skill acts."""

    tool_in_target: F64
    """(12,) position m, then the rotation matrix row by row."""
    approach_m: float
    above_m: float
    let_go_at_m: float
    axis: Literal["none", "slide", "hinge"]
    hinge_in_target: Vector
    hinge_direction_in_target: Vector
    travel: float


class Move(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """agent.policies.interface.Motion: what a policy wants."""

    twist_in_target: F64
    """(6,) m/s, rad/s over ground; relative to the base where the target rides on it."""
    grip_mode: Literal["width", "force"]
    grip: float
    base_velocity_in_base: Vector
    phase: str
    finished: bool = False


class Acting(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Present in the Steps in which a policy acted."""

    version: int = ACTING_VERSION
    begins: bool
    """The policy was reset before this tick."""
    goal: GoalSeen
    target_in_base: F64
    """(12,) position m, then the rotation matrix row by row."""
    target_std_m: float
    pads_touch: bool
    holding: bool
    supported: bool
    force_in_target_n: F64
    """(3,) low-passed."""
    opening: float | None
    elapsed_s: float
    failures: int
    """Earlier attempts at the same that failed, as far as the mind knows."""
    did: Move
    """What the policy asked for, before any reflex."""
    advice: Move | None = None
    """What a teacher would have done in its place: where noise was added, or where a learner acted."""
