"""What planner and mind exchange about plans."""

import msgspec

from agent.messages.subgoal import Report, Subgoal, SubgoalKind


class Fact(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One believed atom, e.g. `at(mug-1, counter-2)`: predicate and arguments by entity id."""

    predicate: str
    arguments: tuple[str, ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How often one subgoal was tried in this episode, and how it went."""

    kind: SubgoalKind
    target: str = ""
    item: str = ""
    successes: int = 0
    failures: int = 0
    """Since its last success."""
    last_reason: str = ""


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True, tag="plan-request"):
    """All a planner may know: a symbolic plan is a pure function of this."""

    id: int
    task: str
    time_s: float
    facts: list[Fact]
    reports: list[Report] = []
    """Since the last request."""
    trials: list[Trial] = []
    """Of the whole episode; the inbox of the mind fills it in."""
    current: list[Subgoal] = []
    """What is left of the plan in force, the running subgoal first; the inbox fills it in."""
    travel_s: dict[str, float] = {}
    """Seconds to drive from where the robot stands to an entity."""


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
