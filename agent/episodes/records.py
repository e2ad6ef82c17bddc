"""What an episode is made of, besides the messages themselves."""

import zlib
from enum import IntEnum
from typing import Any, Literal

import msgspec
import numpy as np

from agent.messages import Plan, PlanRequest, Report, Step, Subgoal
from agent.messages.arrays import F64


class Kind(IntEnum):
    """The number of each kind of record in the log. Never reuse one."""

    HEADER = 1
    STEP = 2
    CONTROL = 3
    KEYFRAME = 4
    PLAN_REQUEST = 5
    PLAN = 6
    REPORT = 7
    EVENT = 8
    SUMMARY = 9
    SUBGOAL = 10


class EpisodeError(ValueError):
    """An episode that cannot be read, written or replayed; the text says what and where."""


class CodeIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Which program made an episode."""

    sources: str
    """SHA-256 over the Python files of agent, sim and controllers and over the assets, first 16 digits."""
    commit: str = ""
    """Git commit, with `+changes` where the working tree differed; empty outside a checkout."""


class EpisodeHeader(msgspec.Struct, frozen=True, kw_only=True):
    """All that an episode is a function of, and where it was made."""

    task: str
    split: str
    index: int
    policy: str
    planner: str
    disturbance: str = "none"
    seed: int = 0
    checkpoint: str = ""
    """Identity of the policy's weights; empty for a policy without any."""
    realtime: bool = False
    robot: str = "in-process"
    """Address of the robot, or `in-process`."""
    initial_state_hash: str = ""
    code: CodeIdentity
    versions: dict[str, str]
    cpu: str
    command: list[str]
    started: str
    """Wall clock, ISO 8601 with time zone. Nothing depends on it."""


class Control(msgspec.Struct, frozen=True, array_like=True):
    """What the simulator's actuators were told in one tick, exactly, and what came of it."""

    tick: int
    ctrl: F64
    """(steps, actuators) `mjData.ctrl` of each physics step."""
    position_crc: int
    """CRC-32 of `mjData.qpos` after the tick."""
    velocity_crc: int
    """CRC-32 of `mjData.qvel` after the tick."""


class Keyframe(msgspec.Struct, frozen=True, array_like=True):
    """The whole state once a second, so that a replay that differs can say where and by how much."""

    tick: int
    qpos: F64
    qvel: F64


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people will look for later: a clamp, a fault, a spill, a break."""

    source: Literal["robot", "mind", "planner", "world", "loop"]
    name: str
    """Kebab-case, e.g. `clamp-tool-speed`, `planner-lost`, `broke`."""
    detail: str = ""
    value: float | None = None
    bound: float | None = None


KIND_OF_TYPE: dict[type[msgspec.Struct], Kind] = {
    EpisodeHeader: Kind.HEADER,
    Step: Kind.STEP,
    Control: Kind.CONTROL,
    Keyframe: Kind.KEYFRAME,
    PlanRequest: Kind.PLAN_REQUEST,
    Plan: Kind.PLAN,
    Report: Kind.REPORT,
    Event: Kind.EVENT,
    Subgoal: Kind.SUBGOAL,
}
TYPE_OF_KIND: dict[Kind, Any] = {kind: type_ for type_, kind in KIND_OF_TYPE.items()}


def state_crc(values: F64) -> int:
    """CRC-32 of the bytes of a state vector."""
    return zlib.crc32(np.ascontiguousarray(values).data)
