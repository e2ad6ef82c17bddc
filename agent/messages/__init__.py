"""Typed wire messages. The type is the schema; only msgspec and numpy are imported here."""

from agent.messages.acting import ACTING_VERSION, Acting, GoalSeen, Move
from agent.messages.action import Action, Applied, Clamp
from agent.messages.arrays import decode, encode
from agent.messages.observation import (
    JOINT_NAMES,
    PAD_SHAPE,
    SKIN_PATCHES,
    Detection,
    Look,
    Observation,
    Scan,
    check_observation,
)
from agent.messages.plan import Fact, Plan, PlanRequest, Trial
from agent.messages.session import (
    PROTOCOL,
    Advance,
    Farewell,
    FromAgent,
    FromRobot,
    Hello,
    Refusal,
    Welcome,
    decode_from_agent,
    decode_from_robot,
)
from agent.messages.step import Estimate, Step
from agent.messages.subgoal import Limits, Report, Subgoal, SubgoalKind
from agent.messages.timing import PLANT_STEP_S, STEPS_PER_TICK, TICK_S

__all__ = [
    "ACTING_VERSION",
    "JOINT_NAMES",
    "PAD_SHAPE",
    "PLANT_STEP_S",
    "PROTOCOL",
    "SKIN_PATCHES",
    "STEPS_PER_TICK",
    "TICK_S",
    "Acting",
    "Action",
    "Advance",
    "Applied",
    "Clamp",
    "Detection",
    "Estimate",
    "Fact",
    "Farewell",
    "FromAgent",
    "FromRobot",
    "GoalSeen",
    "Hello",
    "Limits",
    "Look",
    "Move",
    "Observation",
    "Plan",
    "PlanRequest",
    "Refusal",
    "Report",
    "Scan",
    "Step",
    "Subgoal",
    "SubgoalKind",
    "Trial",
    "Welcome",
    "check_observation",
    "decode",
    "decode_from_agent",
    "decode_from_robot",
    "encode",
]
