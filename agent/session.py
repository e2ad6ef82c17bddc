"""One episode from start to report: wires robot, mind, planner and recorder."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.agenda import Agenda
from agent.belief.belief import Belief
from agent.episodes.report import EpisodeReport, SubgoalOutcome
from agent.messages import Step, Subgoal
from agent.mind import Mind
from agent.skills.skill import Skill

if TYPE_CHECKING:
    from agent.robot import Robot

TIME_LIMIT_S = 900.0
PROGRESS_EVERY_TICKS = 25


@dataclass(frozen=True)
class RunConfig:
    """Everything an episode is a function of, and where it is recorded."""

    task: str = "coffee"
    split: str = "dev"
    index: int = 0
    policy: str = "scripted"
    planner: str = "symbolic"
    disturbance: str = "none"
    realtime: bool = False
    record: Path | None = None
    """Root folder of episodes; None records nothing."""
    robot: str = ""
    """Address of a remote robot; empty runs the simulator in this process."""
    time_limit_s: float = TIME_LIMIT_S


@dataclass(frozen=True)
class Progress:
    """What a live display shows."""

    time_s: float
    subgoal: Subgoal | None
    phase: str


class Outcomes:
    """Collects how each subgoal went."""

    def __init__(self) -> None:
        self.subgoals: list[SubgoalOutcome] = []

    def ended(self, subgoal: Subgoal, skill: Skill, start_s: float, end_s: float) -> None:
        self.subgoals.append(
            SubgoalOutcome(
                kind=subgoal.kind.value,
                target=subgoal.target or subgoal.item,
                start_s=start_s,
                duration_s=end_s - start_s,
                attempts=skill.attempt,
                succeeded=skill.status == "succeeded",
                reason=skill.reason,
            )
        )
