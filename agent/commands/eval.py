"""Run one task in many houses and report success rates with their interval.

Finished episodes are kept in a journal: the same command goes on where it was stopped, and a range that overlaps an
earlier one computes only the rest. The journal belongs to the code that wrote it. Results do not depend on the number
of workers. Houses that lack what the task needs are left out and listed. Logs of failed and
of unsafe episodes are kept for `doppio replay`; those of others are removed unless --keep-all is given.

example: doppio eval coffee --split dev --episodes 20 --json out.json
"""

import argparse
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import (
    MAX_INDEX,
    add_checkpoint,
    add_conditions,
    add_json,
    add_minds,
    add_split,
    add_task,
    check_conditions,
    check_task,
    check_weights,
    house_index,
    number_between,
)
from agent.commands.outcome import CommandError, Exit, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.commands.journal import Journal
    from agent.commands.simulation import Simulation
    from agent.episodes import EpisodeReport
    from agent.messages import Limits
    from agent.policies.interface import Policy
    from agent.robot import Robot

SUMMARY = "run one task in many houses: rates, intervals, failures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task(parser)
    add_split(parser)
    parser.add_argument("--start", type=house_index, default=0, metavar="N", help="first house (default 0)")
    parser.add_argument(
        "--episodes", type=number_between(1, 1_000_000), default=20, metavar="N", help="how many (default 20)"
    )
    processors = os.cpu_count() or 1
    parser.add_argument(
        "--workers",
        type=number_between(1, 256),
        default=processors,
        metavar="N",
        help=f"processes (default {processors}, one per processor)",
    )
    add_minds(parser)
    add_checkpoint(parser)
    add_conditions(parser)
    parser.add_argument("--fresh", action="store_true", help="forget the journal and run every episode again")
    parser.add_argument("--keep-all", action="store_true", help="keep logs of safe successes too")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    from agent.commands.workers import run_jobs
    from agent.episodes import episodes_root

    check_task(args.task)
    if args.start + args.episodes > MAX_INDEX:
        last = args.start + args.episodes - 1
        raise CommandError(
            f"--start {args.start} --episodes {args.episodes} ends at house {last}, above {MAX_INDEX - 1}"
        )
    root = episodes_root()
    disturbance, limits = check_conditions(args)
    weights = check_weights(args)
    journal = journal_of(root, args.task, args.split, args.policy, weights, args.planner, disturbance, args.limits)
    if args.fresh:
        journal.clear()
    indices = range(args.start, args.start + args.episodes)
    results = {index: report for index, report in journal.read().items() if index in indices}
    waiting = [index for index in indices if index not in results]
    work = EpisodeJob(
        args.task, args.split, args.policy, args.planner, root, args.keep_all, disturbance, limits, args.checkpoint
    )
    started, crashes = time.monotonic(), 0
    with Display(args, done=results, total=len(indices)) as display:
        for job, result, error in run_jobs(work, waiting, args.workers):
            if error:
                display.note(f"house {job}: {error}")
                results[job] = crashed(error)
                crashes += 1
            else:
                results[job] = result
                journal.add(job, result)
            display.add(job, results[job])
    summary = describe(args, results, time.monotonic() - started, weights)
    display.conclude(summary, journal.path)
    write_json(args.json, summary)
    if crashes:
        display.note(f"{crashes} of these failed by errors in the program; the same command tries them again")
    return Exit.FAILED if crashes else Exit.OK


def journal_of(
    root: Path,
    task: str,
    split: str,
    policy: str,
    weights: str,
    planner: str,
    disturbance: str,
    limits: dict[str, float] | None,
) -> "Journal":
    """Where the results of an evaluation are kept, below the folder of episodes: they depend on all of this."""
    from agent.commands.journal import Journal
    from agent.episodes import code_identity

    asked = [f"{name}{value:g}" for name, value in (limits or {}).items()]
    named = [weights] if weights else []
    parts = (task, split, policy, *named, planner, disturbance, *asked, code_identity().sources)
    return Journal.for_evaluation(root / "evaluations", parts)


@dataclass(frozen=True)
class EpisodeJob:
    """One episode of an evaluation; picklable, called in a worker."""

    task: str
    split: str
    policy: str
    planner: str
    record: Path
    keep_all: bool
    disturbance: str
    limits: "Limits | None"
    checkpoint: Path | None

    def __call__(self, index: int) -> "EpisodeReport":
        from agent.episodes import EpisodeReport
        from agent.session import RunConfig, run_episode
        from sim.tasks.stage import NoStartError

        config = RunConfig(
            task=self.task,
            split=self.split,
            index=index,
            policy=self.policy,
            planner=self.planner,
            record=self.record,
            disturbance=self.disturbance,
            limits=self.limits,
            checkpoint=self.checkpoint,
        )
        try:
            report = run_episode(config, policy_in=self.policy_in())
        except NoStartError as error:
            return EpisodeReport(success=False, safe=False, parts={}, lacks=str(error), duration_s=0.0, wall_s=0.0)
        if report.success and report.safe is not False and not self.keep_all and report.episode:
            import msgspec

            shutil.rmtree(report.episode)
            report = msgspec.structs.replace(report, episode="")
        return report if report.success else _with_moment(report)

    def policy_in(self) -> "Callable[[Simulation, Robot], Policy] | None":
        """For baselines that need the simulator: see `agent.session.run_episode`."""
        return None


def _with_moment(report: "EpisodeReport") -> "EpisodeReport":
    """The report of a failed episode, with the moment to look at first."""
    import msgspec

    from agent.episodes import Episode
    from agent.episodes.why import decisive_moment

    if not report.episode:
        return report
    return msgspec.structs.replace(report, failed_at_s=decisive_moment(Episode.open(report.episode, quick=True)))


def crashed(error: str) -> "EpisodeReport":
    """The report of an episode that the program itself failed to run."""
    from agent.episodes import EpisodeReport

    last_line = error.strip().splitlines()[-1]
    return EpisodeReport(
        success=False, safe=False, parts={}, reason=f"program-error: {last_line}", duration_s=0.0, wall_s=0.0
    )


def describe(
    args: argparse.Namespace, results: "dict[int, EpisodeReport]", wall_s: float, weights: str
) -> dict[str, Any]:
    """The whole result, with the method: which houses, code, machine."""
    from agent.commands.statistics import aggregate
    from agent.episodes import code_identity, cpu_name

    code = code_identity()
    return {
        "task": args.task,
        "split": args.split,
        "policy": args.policy,
        "planner": args.planner,
        "disturb": args.disturb,
        "asked_limits": args.limits,
        "checkpoint": weights,
        **aggregate(list(results.items())),
        "start": args.start,
        "workers": args.workers,
        "wall_s": wall_s,
        "cpu": cpu_name(),
        "sources": code.sources,
        "commit": code.commit,
    }


class Display:
    """Progress with rate and remaining time, failures as they happen, a table at the end."""

    def __init__(self, args: argparse.Namespace, done: "dict[int, EpisodeReport]", total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = Console(stderr=str(args.json) == "-")
        self._successes = sum(report.success for report in done.values())
        self._safe = sum(report.success and report.safe is True for report in done.values())
        self._done = sum(not report.lacks for report in done.values())
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
        )
        title = f"{args.task} {args.split} {args.policy}"
        self._bar = self._progress.add_task(title, total=total, completed=len(done), rate=self._rate())
        if done:
            self._console.print(f"{len(done)} of {total} episodes are in the journal already")

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print something above the bar."""
        self._console.print(text, highlight=False, markup=False)

    def add(self, index: int, report: "EpisodeReport") -> None:
        """Count one finished episode."""
        from agent.commands.statistics import look_command, unsafe_words

        self._done += not report.lacks
        self._successes += report.success
        self._safe += report.success and report.safe is True
        if report.lacks:
            self.note(f"  house {index} left out: {report.lacks}")
        elif report.success and report.safe is False:
            self.note(f"  house {index} not safely: {unsafe_words(report)}")
        elif not report.success:
            where = f" in {report.failed_subgoal}" if report.failed_subgoal else ""
            self.note(f"  house {index} failed{where}: {report.reason}")
        if not (report.success and report.safe) and (look := look_command(report)):
            self.note(f"    {look}")
        self._progress.update(self._bar, advance=1, rate=self._rate())

    def conclude(self, summary: dict[str, Any], journal: Path) -> None:
        """Print the numbers."""
        from rich.table import Table

        low, high = summary["success_ci95"]
        self._console.print(
            f"\nsuccess {summary['successes']}/{summary['episodes']} = {summary['success_rate']:.1%} "
            f"(95 % {low:.1%} to {high:.1%}), safe {summary['safe_success_rate']:.1%}, "
            f"mean {summary['mean_duration_s']:.0f} s, {summary['realtime_factor']:.1f}× real time a worker",
            highlight=False,
        )
        if summary["left_out"]:
            self._console.print(f"{len(summary['left_out'])} houses lack what the task needs and were left out")
        if summary["planned_share"] is not None:
            name = "prior, nearly: plans" if summary["planned_share"] < 0.05 else "plans"
            self._console.print(
                f"{name} replaced the prior in {summary['planned_share']:.1%} of acting", highlight=False
            )
        if summary["subgoals"]:
            table = Table(box=None, pad_edge=False)
            table.add_column("subgoal")
            for column in ("n", "first try", "after retries"):
                table.add_column(column, justify="right")
            for kind, counts in summary["subgoals"].items():
                n = counts["n"]
                table.add_row(kind, str(n), f"{counts['first_try'] / n:.1%}", f"{counts['after_retries'] / n:.1%}")
            self._console.print(table)
        self._console.print(f"journal {journal}", soft_wrap=True, highlight=False)

    def _rate(self) -> str:
        if not self._done:
            return ""
        return f"{self._successes / self._done:.0%} success, {self._safe / self._done:.0%} safe"
