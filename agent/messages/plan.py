"""What planner and mind exchange about plans."""

import msgspec

from agent.messages.subgoal import Report, Subgoal


class Fact(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One believed atom, e.g. `on(mug-1, counter-2)`: predicate and arguments by entity id."""

    predicate: str
    arguments: tuple[str, ...] = ()


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True, tag="plan-request"):
    id: int
    task: str
    time_s: float
    facts: list[Fact]
    reports: list[Report] = []
    """Since the last request."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, tag="plan"):
    request_id: int
    subgoals: list[Subgoal]
    """In order; empty when the goal holds already or no plan exists."""
    goal_reached: bool = False
    cost: float = 0.0
    explanation: str = ""
    error: str = ""
    """Why there is no plan."""
    prompt: str = ""
    reply: str = ""
    """What a language model was asked and said, for the record."""
