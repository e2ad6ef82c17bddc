"""What is recorded of one tick."""

import msgspec

from agent.messages.action import Action
from agent.messages.observation import Observation
from agent.messages.subgoal import Subgoal


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What the mind thought of itself in this tick; None where the policy does not say."""

    phase: str = ""
    surprise: float | None = None
    success_probability: float | None = None
    time_to_go_s: float | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    observation: Observation
    subgoal: Subgoal | None
    action: Action
    estimate: Estimate = Estimate()
