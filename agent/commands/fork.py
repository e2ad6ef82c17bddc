"""Go on from a step of an episode with something changed, and see what comes of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.changes import Change, apply_changes
from agent.commands.outcome import CommandError
from agent.commands.weights import chosen_policy, recorded_policy
from agent.episodes import Episode, EpisodeReport
from agent.episodes.following import Following, LoggedPlanner, SwitchedPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.commands.simulation import Simulation
    from agent.planner.client import PlannerClient
    from agent.policies.interface import Policy
    from agent.robot import Robot
    from agent.session import Progress


@dataclass
class Fork:
    """What `agent.session.run_episode` needs to begin an episode in the middle of another one."""

    episode: Episode
    step: int
    policy_name: str
    planner_name: str
    changes: list[Change] = field(default_factory=list)
    checkpoint: Path | None = None
    """Weights of the policy; None takes those of the episode, or the shipped ones."""

    def __post_init__(self) -> None:
        self.following = Following(self.episode, self.step)
        self._switched: SwitchedPolicy | None = None

    @property
    def time_s(self) -> float:
        """Of the fork."""
        return self.episode.step(self.step).observation.time_s

    def policy(self) -> "Policy":
        """The recorded policy, which gives way to the chosen one at the fork. Raises CommandError without weights."""
        header = self.episode.header
        recorded = recorded_policy(header, self.checkpoint)
        other = recorded
        if self.policy_name != header.policy or self.checkpoint is not None:
            other = chosen_policy(header, self.policy_name, self.checkpoint)
            if other.name == recorded.name and _weights(other) == _weights(recorded):
                other = recorded
        self._switched = SwitchedPolicy(recorded, other)
        return self._switched

    def planner(self, spawn: "Callable[[], PlannerClient]") -> "PlannerClient":
        """One that says again what was said before the fork."""
        return LoggedPlanner(self.episode, self.time_s, spawn)  # type: ignore[return-value]

    def robot(self, robot: "Robot", simulation: "Simulation") -> "Robot":
        """One that does again what was done before the fork."""

        def at_fork() -> None:
            assert self._switched is not None
            self._switched.switch()
            apply_changes(simulation.plant, self.changes)

        return self.following.robot(robot, at_fork)

    def header(self) -> dict[str, Any]:
        """What the new episode's header says of its origin."""
        return {
            "parent": self.episode.directory.name,
            "forked_at_step": self.step,
            "changes": {f"{c.thing}.{c.name}": f"{c.value:g}" for c in self.changes},
        }


def _weights(policy: "Policy") -> str:
    return getattr(policy, "checkpoint", "")


def run_fork(fork: Fork, record: Path, on_progress: "Callable[[Progress], None] | None" = None) -> EpisodeReport:
    """Run a fork to its end as a new episode below `record`.

    Raises EpisodeError where the beginning does not come out as recorded, CommandError for a change the house refuses.
    """
    from agent.session import RunConfig, run_episode

    header = fork.episode.header
    config = RunConfig(
        task=header.task,
        split=header.split,
        index=header.index,
        policy=fork.policy_name,
        planner=fork.planner_name,
        disturbance=header.disturbance,
        limits=header.limits,
        checkpoint=fork.checkpoint or (Path(header.weights) if header.weights else None),
        record=record,
        fork=fork,
    )
    return run_episode(config, on_progress)


def sweep_steps(episode: Episode, count: int) -> list[int]:
    """`count` steps, evenly from the first to just before the last."""
    last = max(0, len(episode) - 2)
    return sorted({round(last * i / (count - 1)) for i in range(count)})


def conclude(episode: Episode, runs: list[tuple[float, EpisodeReport]]) -> str:
    """From which moment on the outcome no longer changed, in words. `runs`: time of the fork, how it went."""
    outcome = bool((episode.summary or {}).get("success"))
    differs = [(t, report.success != outcome) for t, report in runs]
    if not any(d for _, d in differs):
        return "the change makes no difference wherever it comes in: the outcome was decided by something else"
    if all(d for _, d in differs):
        return "the change turns the outcome wherever it comes in, even at the last moment tried"
    turns = [t for t, d in differs if d]
    latest = turns[-1]
    after = [t for t, _ in differs if t > latest]
    if not after:
        return f"the change still turns the outcome at {latest:.1f} s, the last moment tried"
    word = "saves it" if not outcome else "spoils it"
    return (
        f"decided between {latest:.1f} s and {after[0]:.1f} s: up to the first the change {word}, "
        "from the second on it no longer does"
    )


def describe_run(fork: Fork, report: EpisodeReport) -> dict[str, Any]:
    """For machines."""
    return {
        "step": fork.step,
        "time_s": fork.time_s,
        "success": report.success,
        "safe": report.safe,
        "reason": report.reason,
        "duration_s": report.duration_s,
        "episode": report.episode,
        "thought_otherwise_at": fork.following.thought_otherwise_at,
    }


def check_sweep(fork: Fork) -> None:
    """Raises CommandError for forks in which nothing is changed."""
    header = fork.episode.header
    same = fork.policy_name == header.policy and fork.planner_name == header.planner and fork.checkpoint is None
    if same and not fork.changes:
        raise CommandError(
            "a fork with nothing changed comes out the same; say what to change with --policy, --planner, "
            "--checkpoint or --set THING.PROPERTY=VALUE"
        )
