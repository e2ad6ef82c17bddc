"""The closed vocabulary between planner and mind."""

from enum import StrEnum
from typing import Literal

import msgspec


class SubgoalKind(StrEnum):
    EXPLORE = "explore"
    """Drive to where the map ends and look around."""
    GO_TO = "go-to"
    PUSH_DOOR = "push-door"
    OPEN = "open"
    """A cabinet, drawer or fridge."""
    CLOSE = "close"
    """The same, where it stands in the way."""
    LOOK_FOR = "look-for"
    """Look into or over `target` for things of class `item`."""
    PICK = "pick"
    PLACE = "place"
    """Put what is held on `target`."""
    OPEN_LID = "open-lid"
    CLOSE_LID = "close-lid"
    INSERT_POD = "insert-pod"
    PLACE_UNDER_SPOUT = "place-under-spout"
    PRESS = "press"
    """Press the brew button of machine `target` and wait until brewing is over."""
    CARRY = "carry"
    """Drive the full mug that is held to `target` without spilling."""
    SERVE = "serve"
    """Put the full mug that is held on table `target` and let go."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Run-time limits a subgoal must keep."""

    force_n: float = 40.0
    speed_m_s: float = 0.6
    tilt_rad: float = 0.35
    """Of a held mug against upright."""
    time_s: float = 60.0


class Subgoal(msgspec.Struct, frozen=True, kw_only=True, tag="subgoal"):
    id: int
    kind: SubgoalKind
    target: str = ""
    """Id of an entity of the belief, e.g. `mug-2`; empty for explore."""
    item: str = ""
    """For look-for: the class searched, e.g. `mug`."""
    limits: Limits = Limits()
    valid_from_s: float = 0.0
    reason: str = ""
    """The planner's words for people; never interpreted."""


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report"):
    """The mind's word on a subgoal."""

    subgoal_id: int
    time_s: float
    status: Literal["running", "succeeded", "failed", "rejected"]
    attempt: int = 1
    reason: str = ""
    """A short kebab-case cause, e.g. `lost-grip`, `target-not-seen`, `timeout`, `unreachable`."""
    success_probability: float | None = None
