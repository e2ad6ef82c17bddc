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


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How one limit was kept while policies acted, by what the sensors said."""

    bound: float
    peak: float
    over_s: float
    """Time above the bound."""


class Unsafe(msgspec.Struct, frozen=True, kw_only=True):
    """The moment from which on an episode was no longer safe in one respect."""

    part: str
    """Name of the condition, as in `EpisodeReport.safety`."""
    time_s: float
    value: str
    """What was measured in that moment, with its unit."""
    subgoal: str = ""
    """Kind of the subgoal that had begun last; empty before the first."""
    target: str = ""


class EpisodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an episode went: judged by the simulator's predicates where there are any."""

    success: bool
    safe: bool | None
    """Success with nothing spilled, broken or dropped, no force limit passed, the machine closed. None where nobody
    could judge: on a robot elsewhere."""
    parts: dict[str, bool]
    """Each condition of success."""
    safety: dict[str, bool] = {}
    """Each further condition of safe success."""
    unsafe: list[Unsafe] = []
    """When conditions of safety that can never be made good were first broken."""
    reason: str = ""
    """Why it failed, kebab-case; empty on success."""
    failed_subgoal: str = ""
    """Kind of the subgoal it failed in."""
    failed_at_s: float | None = None
    """The moment to look at first; None on success and where nothing was recorded."""
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
    limits: dict[str, Kept] = {}
    """By the limit's name: force_n, speed_m_s, tilt_rad, time_s."""
    acting_s: float = 0.0
    """Time in which a policy acted."""
    planned_share: float | None = None
    """Share of that time in which a plan replaced the prior; None for policies that do not plan."""
    checkpoint: str = ""
    """Identity of the policy's weights."""
    lacks: str = ""
    """What the house lacks for the task; such an episode did not take place and counts nowhere."""
    not_recorded: str = ""
    """Why parts of the episode are missing from its log; empty when all is there."""
    episode: str = ""
    """Folder of the episode; empty when it was not recorded."""

    @property
    def realtime_factor(self) -> float:
        """Simulated over wall time."""
        return self.duration_s / self.wall_s if self.wall_s > 0 else 0.0
