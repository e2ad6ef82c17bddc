"""The report of a run: the summary record of its episode, and what `run` and `eval` print."""

import msgspec


class SubgoalOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One subgoal as the mind worked on it."""

    kind: str
    target: str = ""
    start_s: float
    duration_s: float
    attempts: int = 1
    """Tries inside the skill, 1 when the first one worked."""
    succeeded: bool
    reason: str = ""
    """Why it failed, kebab-case."""


class EpisodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an episode went: judged by the simulator's predicates where there are any."""

    success: bool
    safe: bool
    """Success with nothing spilled, broken or dropped, no force limit passed, the machine closed."""
    parts: dict[str, bool]
    """Each condition of success."""
    safety: dict[str, bool] = {}
    """Each further condition of safe success."""
    reason: str = ""
    """Why it failed, kebab-case; empty on success."""
    failed_subgoal: str = ""
    """Kind of the subgoal it failed in."""
    spilled_ml: float = 0.0
    broken: list[str] = []
    """Names of what broke."""
    dropped: list[str] = []
    duration_s: float
    """Simulated (or, on a robot, real) time."""
    wall_s: float
    """With reset, planner, sensing and recording."""
    reset_s: float = 0.0
    initial_state_hash: str = ""
    subgoals: list[SubgoalOutcome] = []
    lacks: str = ""
    """What the house lacks for the task; such an episode did not take place and counts nowhere."""
    episode: str = ""
    """Folder of the episode; empty when it was not recorded."""

    @property
    def realtime_factor(self) -> float:
        """Simulated over wall time."""
        return self.duration_s / self.wall_s if self.wall_s > 0 else 0.0
