"""Skills: what carries out a subgoal."""

from abc import ABC, abstractmethod
from typing import Literal

from agent.belief.belief import Belief
from agent.messages import Estimate, Observation, Subgoal
from agent.policies.interface import Policy
from agent.skills.command import Command

Status = Literal["running", "succeeded", "failed"]


class Skill(ABC):
    """Carries out one subgoal. Ends by setting `status`; `reason` says why it failed."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        self.subgoal = subgoal
        self.policy = policy
        self.status: Status = "running"
        self.reason = ""
        self.attempt = 1
        self.estimate = Estimate()

    def failures(self, belief: Belief) -> int:
        """Earlier attempts at this that failed, in this skill and in those before it."""
        return belief.failures[self.subgoal.kind, self.subgoal.target] + self.attempt - 1

    @abstractmethod
    def tick(self, belief: Belief, observation: Observation) -> Command:
        """What the body should do for the next tick."""

    def succeed(self) -> Command:
        self.status = "succeeded"
        return Command(phase="done")

    def fail(self, reason: str) -> Command:
        self.status = "failed"
        self.reason = reason
        return Command(phase="failed")
