"""What an episode is made of, besides the messages themselves."""

import zlib
from enum import IntEnum
from typing import Any, Literal

import msgspec
import numpy as np

from agent.messages import Limits, Observation, Plan, PlanRequest, Report, Step, Subgoal
from agent.messages.arrays import F32, F64, I32


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
    MODEL = 11
    """The compiled MuJoCo model (MJB), deflated."""
    SOURCE = 12
    """What the model was built from, JSON."""
    POSES = 13
    TOUCH = 14
    BELIEF = 15
    TIMING = 16
    WIRE = 17
    """One message as it went over the wire: byte 0 is 1 if the agent sent it and 0 if the robot did."""
    APPEARANCE = 19
    SKIPPED = 18
    """An Observation that a newer one overtook before the mind looked."""


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
    weights: str = ""
    """Where they lay when it was made; `checkpoint` tells whether they still do."""
    realtime: bool = False
    robot: str = "in-process"
    """Address of the robot, or `in-process`."""
    body: str = ""
    """What a robot elsewhere said that it is: plant, and of a simulated one split and index of its house."""
    initial_state_hash: str = ""
    code: CodeIdentity
    versions: dict[str, str]
    cpu: str
    command: list[str]
    started: str
    """Wall clock, ISO 8601 with time zone. Nothing depends on it."""
    parent: str = ""
    """Folder's name of the episode this one was forked from."""
    forked_at_step: int = -1
    """Number of the first step that is not the parent's; -1 for an episode of its own."""
    changes: dict[str, str] = {}
    """What was changed in the fork, e.g. `mug.mass`: `0.6`."""
    limits: Limits | None = None
    """Set at run time for every subgoal; None where the planner's held."""
    model: str = ""
    """SHA-256 of the compiled model (MJB), first 16 digits; empty where the model is not known."""

    @property
    def house_split(self) -> str:
        """The split of the house it happened in, also behind a wire; `robot` where that is no simulated one."""
        if self.split != "remote" or not self.body:
            return self.split
        plant, *where = self.body.split()
        return where[0] if plant == "mujoco" and where else "robot"


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
    state: F64 | None = None
    """`mjSTATE_INTEGRATION`, what the simulation keeps beside MuJoCo, which trees sleep (`MujocoPlant.snapshot`): from
    it the physics go on to the last bit."""


class Poses(msgspec.Struct, frozen=True, array_like=True):
    """The coordinates that changed since the last Poses, for pictures; all of them every POSES_WHOLE_EVERY."""

    tick: int
    index: I32
    """(n,) into qpos."""
    value: F32
    """(n,)"""
    whole: bool = False


class Appearance(msgspec.Struct, frozen=True, array_like=True):
    """Geoms that changed their looks: lights, coffee in mugs, what broke. Poses do not tell of these."""

    tick: int
    geom: I32
    """(n,)"""
    rgba: F32
    """(n, 4)"""
    position_m: F32
    """(n, 3) in the body's frame."""
    size_m: F32
    """(n, 3) as MuJoCo's `geom_size`."""


class Touch(msgspec.Struct, frozen=True, array_like=True):
    """What the robot's side felt at each step of one tick, before it was pooled for the mind."""

    tick: int
    felt: F32
    """(steps, 12): pad normals left, right; shears left x, z, right x, z; wrist wrench (6) in the tool frame. N, Nm."""


class BelievedThing(msgspec.Struct, frozen=True, array_like=True):
    """One entity of the belief."""

    id: str
    class_name: str
    position_in_map_m: tuple[float, float, float]
    std_m: float
    yaw_rad: float
    size_m: tuple[float, float, float] | None = None
    state: float | None = None
    last_seen_s: float = 0.0


class BeliefView(msgspec.Struct, frozen=True, array_like=True):
    """What the mind holds to be so, about twice a second."""

    time_s: float
    base_pose_in_map: tuple[float, float, float]
    """x, y, yaw. The map's frame is the base's at the start."""
    held: str
    things: list[BelievedThing]


class Timing(msgspec.Struct, frozen=True, array_like=True):
    """Wall clock of a hundred ticks. Nothing depends on it, and no replay repeats it."""

    sequence: I32
    """(n,) of the observations."""
    observed_s: F64
    """(n,) when the observation came, on this machine's monotonic clock."""
    latency_ms: F32
    """(n,) from observation to action."""


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
    Poses: Kind.POSES,
    Touch: Kind.TOUCH,
    Appearance: Kind.APPEARANCE,
    BeliefView: Kind.BELIEF,
    Timing: Kind.TIMING,
    Observation: Kind.SKIPPED,
}
TYPE_OF_KIND: dict[Kind, Any] = {kind: type_ for type_, kind in KIND_OF_TYPE.items()}


def state_crc(values: F64) -> int:
    """CRC-32 of the bytes of a state vector."""
    return zlib.crc32(np.ascontiguousarray(values).data)
