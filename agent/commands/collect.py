"""Collect training data: episodes in which a teacher acts, disturbed and under changing limits.

The teacher is the scripted policy inside the skills: it sees what the learner will see. Bursts of noise push it off its
path; what is learned is what it then wants. Failures are kept: a model must know what they look like. With --policy
prior or world-model the learner itself acts, and the teacher says in every tick what it would have done: an on-policy
round. Houses are those of the split `train`; what comes from `dev` may calibrate a model (`doppio train --minutes 0`)
and is refused for training. --undisturbed leaves out disturbances and unusual limits: what is usual, to calibrate with.
The same command goes on where it was stopped.

example: doppio collect press-button pick-mug --episodes 300
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import (
    MAX_INDEX,
    add_checkpoint,
    add_json,
    check_task,
    check_weights,
    house_index,
    number_between,
    one_of,
)
from agent.commands.outcome import CommandError, Exit, write_json

if TYPE_CHECKING:
    from agent.episodes import EpisodeReport
    from agent.messages import Limits

SUMMARY = "collect training episodes of tasks"
DATA = Path("runs/data")
SPLITS = ("train", "dev")
COLLECTORS = ("teacher", "prior", "world-model")
DISTURBED_SHARE, LIMITED_SHARE = 0.5, 0.5
FORCE_N, SPEED_M_S, TILT_RAD, TIME_S = (26.0, 48.0), (0.22, 0.6), (0.2, 0.5), (25.0, 60.0)
"""Ranges of limits in training. What is asked at run time may lie outside."""
_SALT = 30817


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tasks", nargs="+", metavar="TASK", help="for example press-button pick-mug")
    parser.add_argument("--split", default="train", help="train, or dev to calibrate on (default train)")
    parser.add_argument("--start", type=house_index, default=0, metavar="N", help="first house (default 0)")
    parser.add_argument(
        "--episodes", type=number_between(1, 1_000_000), default=300, metavar="N", help="of each task (default 300)"
    )
    processors = os.cpu_count() or 1
    parser.add_argument(
        "--workers",
        type=number_between(1, 256),
        default=processors,
        metavar="N",
        help=f"processes (default {processors}, one per processor)",
    )
    parser.add_argument(
        "--policy",
        type=one_of("collecting policy", COLLECTORS),
        default="teacher",
        help=f"who acts: {', '.join(COLLECTORS)} (default teacher)",
    )
    parser.add_argument("--undisturbed", action="store_true", help="no disturbances, and the ordinary limits")
    add_checkpoint(parser)
    parser.add_argument(
        "--minutes",
        type=float,
        default=float("inf"),
        metavar="N",
        help="begin no episode after so long; what earlier calls took counts (default: go on until all are there)",
    )
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help=f"where episodes go (default {DATA})")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    from agent.commands.journal import Journal
    from agent.commands.workers import run_jobs

    tasks = [_task_with_acting(name) for name in args.tasks]
    if args.split not in SPLITS:
        raise CommandError(f"data come from the splits {' and '.join(SPLITS)} alone, not from {args.split!r}")
    if args.start + args.episodes > MAX_INDEX:
        raise CommandError(f"--start {args.start} --episodes {args.episodes} ends above house {MAX_INDEX - 1}")
    weights = [] if args.policy == "teacher" else [check_weights(args)]
    # Other weights act otherwise: what they have done so far is another journal.
    how = [args.policy, *weights, *(["undisturbed"] if args.undisturbed else [])]
    journals = {task: Journal.for_evaluation(args.data, (task, args.split, *how)) for task in tasks}
    indices = range(args.start, args.start + args.episodes)
    done = {task: {i: r for i, r in journals[task].read().items() if i in indices} for task in tasks}
    # Round and round the tasks, so that what is there so far is always balanced.
    waiting = [
        job_number(index, k, len(tasks)) for index in indices for k, task in enumerate(tasks) if index not in done[task]
    ]
    work = CollectJob(tuple(tasks), args.split, args.policy, args.checkpoint, args.data, args.undisturbed)
    started, errors = time.monotonic(), 0
    spent_s = sum(r.wall_s for of_task in done.values() for r in of_task.values()) / args.workers
    in_time = within(waiting, started + 60.0 * args.minutes - spent_s)
    with Display(
        args, len(tasks) * len(indices), [r for of_task in done.values() for r in of_task.values()]
    ) as display:
        for job, report, error in run_jobs(work, in_time, args.workers):
            index, k = divmod(job, len(tasks))
            if error:
                display.note(f"{tasks[k]}, house {index}: {error}")
                errors += 1
                continue
            done[tasks[k]][index] = report
            journals[tasks[k]].add(index, report)
            display.add(report)
        result = describe(args, done, time.monotonic() - started)
        display.conclude(result)
    write_json(args.json, result)
    return Exit.FAILED if errors else Exit.OK


def _task_with_acting(name: str) -> str:
    """The task, if it is one subgoal in which a policy acts."""
    from agent.world_model.features import KINDS
    from sim.tasks.registry import TASKS

    check_task(name)
    if TASKS[name].subgoal not in KINDS:
        useful = ", ".join(task for task in TASKS if TASKS[task].subgoal in KINDS)
        raise CommandError(f"in {name!r} there is nothing to learn from one subgoal; collect {useful}")
    return name


def within(jobs: list[int], until_s: float) -> Iterator[int]:
    """The jobs, until the monotonic clock says `until_s`."""
    for job in jobs:
        if time.monotonic() >= until_s:
            return
        yield job


def job_number(index: int, task: int, tasks: int) -> int:
    """House and task as one number."""
    return index * tasks + task


@dataclass(frozen=True)
class CollectJob:
    """One episode; picklable, called in a worker."""

    tasks: tuple[str, ...]
    split: str
    policy: str
    checkpoint: Path | None
    data: Path
    undisturbed: bool = False

    def __call__(self, job: int) -> "EpisodeReport":
        from agent.episodes import EpisodeReport
        from agent.policies.catalogue import ADVISED, TEACHER
        from agent.session import RunConfig, run_episode
        from sim.disturbances.catalogue import NONE
        from sim.tasks.stage import NoStartError

        index, k = divmod(job, len(self.tasks))
        task = self.tasks[k]
        disturbance, limits = (NONE, None) if self.undisturbed else conditions(task, index)
        config = RunConfig(
            task=task,
            split=self.split,
            index=index,
            policy=TEACHER if self.policy == "teacher" else ADVISED + self.policy,
            disturbance=disturbance,
            record=self.data / self.policy,
            limits=limits,
            checkpoint=self.checkpoint,
            acting_only=True,
        )
        try:
            return run_episode(config)
        except NoStartError as error:
            return EpisodeReport(success=False, safe=False, parts={}, lacks=str(error), duration_s=0.0, wall_s=0.0)


def conditions(task: str, index: int) -> "tuple[str, Limits | None]":
    """What disturbs an episode and which limits it must keep (None: the ordinary ones)."""
    import numpy as np

    from agent.messages import Limits
    from sim.disturbances.catalogue import LASTING, NONE
    from sim.tasks.registry import TASKS

    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_SALT, list(TASKS).index(task), index])))
    disturbance = LASTING[int(rng.integers(len(LASTING)))] if rng.random() < DISTURBED_SHARE else NONE
    if rng.random() >= LIMITED_SHARE:
        return disturbance, None
    force, speed, tilt, seconds = (float(rng.uniform(*span)) for span in (FORCE_N, SPEED_M_S, TILT_RAD, TIME_S))
    return disturbance, Limits(force_n=force, speed_m_s=speed, tilt_rad=tilt, time_s=seconds)


def describe(args: argparse.Namespace, done: "dict[str, dict[int, EpisodeReport]]", wall_s: float) -> dict[str, Any]:
    """Counts by task."""
    tasks = {}
    for task, reports in done.items():
        there = [r for r in reports.values() if not r.lacks]
        tasks[task] = {
            "episodes": len(there),
            "successes": sum(r.success for r in there),
            "acting_s": sum(r.acting_s for r in there),
        }
    return {"policy": args.policy, "split": args.split, "tasks": tasks, "wall_s": wall_s, "data": str(args.data)}


class Display:
    """Live progress: episodes, their success and the seconds of acting collected."""

    def __init__(self, args: argparse.Namespace, total: int, done: "list[EpisodeReport]") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=str(args.json) == "-", highlight=False)
        self._there = [r for r in done if not r.lacks]
        self._progress = Progress(
            TextColumn("collecting"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[so_far]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._bar = self._progress.add_task("", total=total, completed=len(done), so_far=self._so_far())
        if done:
            self._console.print(f"{len(done)} of {total} episodes are there already")

    def _so_far(self) -> str:
        if not self._there:
            return ""
        share = sum(r.success for r in self._there) / len(self._there)
        return f"{share:.0%} success, {sum(r.acting_s for r in self._there) / 60:.0f} min of acting"

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        self._console.print(text, markup=False)

    def add(self, report: "EpisodeReport") -> None:
        if not report.lacks:
            self._there.append(report)
        self._progress.update(self._bar, advance=1, so_far=self._so_far())

    def conclude(self, result: dict[str, Any]) -> None:
        for task, counts in result["tasks"].items():
            self.note(
                f"{task}: {counts['successes']} of {counts['episodes']} succeeded, {counts['acting_s']:.0f} s of acting"
            )
