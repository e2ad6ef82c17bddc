"""What a policy sees inside a skill, and what it answers. Scripted, prior and world-model policies share it.

Everything is relative to the *target frame*: upright, its origin at the target, its x axis the horizontal
direction in which the robot approaches. No ids, no names, no map.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose
from agent.messages import Estimate, Limits, Observation, SubgoalKind

Array = NDArray[np.float64]


@dataclass(slots=True)
class Goal:
    """What the skill wants of the tool, in the target frame. Fixed when the skill starts acting."""

    tool_in_target: Pose
    """The tool at the decisive moment: around the mug, at the button, at the spot to let go."""
    approach_m: float = 0.12
    """How far behind that, along the tool's z, free space begins."""
    above_m: float = 0.0
    """How far above, where the way in is from above."""
    let_go_at_m: float = -0.022
    """How high above `tool_in_target` the tool lets go of what it puts down even if nothing carries that."""
    axis: Literal["none", "slide", "hinge"] = "none"
    """How the thing under the fingers moves."""
    hinge_in_target: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """A point of the hinge axis; the axis is vertical for doors, horizontal for lids."""
    hinge_direction_in_target: tuple[float, float, float] = (0.0, 0.0, 1.0)
    """Unit vector about which the thing turns by the right-hand rule when it opens."""
    travel: float = 0.0
    """Full travel: m or rad."""


@dataclass(slots=True)
class Situation:
    """One tick as a policy sees it."""

    kind: SubgoalKind
    goal: Goal
    limits: Limits
    tool_in_target: Pose
    target_in_base: Pose
    target_std_m: float
    """Standard deviation of each coordinate of the target's position."""
    observation: Observation
    width_m: float
    grip_force_n: float
    pads_touch: bool
    holding: bool
    """The belief says that something is held."""
    supported: bool
    """What is held stands on something: its weight is off the hand."""
    force_in_target_n: Array
    """(3,) what the world exerts on the hand, low-passed."""
    opening: float | None = None
    """Believed opening in [0, 1] of what is opened, or state of a light."""
    elapsed_s: float = 0.0
    """Since acting began, for policies that predict arrival; scripted acting ignores it."""
    failures: int = 0
    """Earlier attempts at the same that failed: for the odds of this one, not for how to act."""


@dataclass(slots=True)
class Motion:
    """What a policy wants for this tick."""

    twist_in_target: Array
    """(6,) velocity of the tool over ground, linear m/s then angular rad/s; relative to the base where the target rides
    on that (carrying)."""
    grip_mode: Literal["width", "force"] = "width"
    grip: float = 0.10
    base_velocity_in_base: Array = field(default_factory=lambda: np.zeros(3))
    """m/s, m/s, rad/s. Where a path planner drives (doors, carrying) only the first counts: how fast it may."""
    phase: str = ""
    finished: bool = False
    """The policy has nothing more to do; the skill then checks its postcondition."""
    reflexes: bool = False
    """Before it is done the motion is to be held back to the limits (agent.policies.limits)."""
    estimate: Estimate = field(default_factory=Estimate)
    advice: "Motion | None" = None
    """What a teacher would have done instead; for training, nothing acts on it."""


class Policy(Protocol):
    """Fills in `act` inside the skills."""

    name: str

    def reset(self) -> None:
        """A skill begins to act."""
        ...

    def act(self, situation: Situation) -> Motion: ...

    def think(self) -> bool:
        """The action has left: time for what only later ones profit from. False where there was nothing to do."""
        ...


@runtime_checkable
class Checkpointed(Protocol):
    """A policy with weights."""

    checkpoint: str
    """Their identity."""
