"""What is recorded of one tick."""

import msgspec

from agent.messages.acting import Acting
from agent.messages.action import Action
from agent.messages.observation import Observation
from agent.messages.subgoal import Subgoal


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What the mind thought of itself in this tick; None where the policy does not say."""

    phase: str = ""
    surprise: float | None = None
    """Above 1 something is not as it should be."""
    success_probability: float | None = None
    """Of this attempt."""
    time_to_go_s: float | None = None
    """Until the policy is done, if it succeeds."""
    contact_probability: float | None = None
    slip_probability: float | None = None
    """In this step of 40 ms."""
    force_n: float | None = None
    """At the wrist within 0.36 s after the planning horizon, not passed with a chance of 80 % if the prior is followed;
    None where nothing plans."""
    disagreement: float | None = None
    """Of the ensemble's members on what comes next, in standard deviations of what usually comes."""
    planned: bool | None = None
    """A plan replaced the prior's proposal."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    observation: Observation
    subgoal: Subgoal | None
    action: Action
    estimate: Estimate = Estimate()
    acting: Acting | None = None
    """Only while a policy acts inside a skill."""
