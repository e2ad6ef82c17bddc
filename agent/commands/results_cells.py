"""The cells of the tables of results: one task under one condition with one mind, evaluated in the same houses.

A mind is a policy, or a policy with other weights: `prior@seed-1` (see results_variants). Each episode is kept as
`doppio eval` keeps it, so no cell is ever run twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.outcome import CommandError

if TYPE_CHECKING:
    from agent.episodes import EpisodeReport

    Reports = dict[int, EpisodeReport]
    Results = dict["Cell", Reports]

TASKS = (
    *("open-cabinet", "open-drawer", "open-fridge", "pick-mug", "pick-pod", "pick-coffee", "place-mug", "serve-coffee"),
    *("place-under-spout", "insert-pod", "press-button", "open-lid", "close-lid", "push-door", "carry-mug"),
    *("close-drawer", "close-cabinet"),
)
LIMITS = {"force_n": 20.0, "tilt_rad": 0.175, "time_s": 40.0}
"""Half the force, half the tilt and a third less time than usual. No demonstration was asked to keep such force or tilt
(agent.commands.collect); the time is shorter than what most skills give an attempt anyway only in carrying."""
HEADLINE = ("nominal", "combined", "limits")
GRID = ("pushes", "bias-1.5cm", "bias-3cm", "slippery-heavy", "sight-lost", "delay", "stiffness")
CONDITIONS: dict[str, tuple[str, dict[str, float] | None]] = {
    "nominal": ("none", None),
    "combined": ("combined", None),
    "limits": ("none", LIMITS),
    **{name: (name, None) for name in GRID},
}
PLANS_HARDLY = 0.05
"""Where plans replace the prior in a smaller share of acting, numbers are marked as the prior's."""
MARK = "†"
TRUE_PHYSICS = "true-physics"
"""Not a policy but a baseline: agent.commands.true_physics."""
UNLEARNED = ("scripted",)


@dataclass(frozen=True)
class Cell:
    """One number of a table."""

    task: str
    condition: str
    mind: str


@dataclass(frozen=True)
class Asked:
    """What all cells share."""

    split: str
    start: int
    episodes: int
    workers: int


Weights = Callable[[str], "Path | None"]
"""The weights by the name behind a mind's @; `` is the model itself."""


def evaluate(asked: Asked, cells: Iterable[Cell], weights: Weights, results: "Results", console: Any) -> int:
    """Fill `results`, which keeps what it has; how many episodes failed by errors in the program."""
    crashes = 0
    for cell in cells:
        if cell not in results:
            results[cell], failed = _evaluate(asked, cell, weights, console)
            crashes += failed
            console.print(f"{cell.task:18} {cell.condition:14} {cell.mind:28} {rate(results[cell])}", markup=False)
    return crashes


def _evaluate(asked: Asked, cell: Cell, weights: Weights, console: Any) -> "tuple[Reports, int]":
    import argparse

    from agent.commands.arguments import check_weights
    from agent.commands.eval import EpisodeJob, crashed, journal_of
    from agent.commands.true_physics import TruePhysicsJob
    from agent.commands.workers import run_jobs
    from agent.episodes import episodes_root
    from agent.messages import Limits

    root = episodes_root()
    indices = range(asked.start, asked.start + asked.episodes)
    disturbance, limits = CONDITIONS[cell.condition]
    policy, _, name = cell.mind.partition("@")
    checkpoint = None if policy in UNLEARNED else weights(name)
    acting = "prior" if policy == TRUE_PHYSICS else policy
    identity = check_weights(argparse.Namespace(policy=acting, checkpoint=checkpoint))
    journal = journal_of(root, cell.task, asked.split, policy, identity, "symbolic", disturbance, limits)
    # What was measured beyond these houses counts, too: one condition may be known better than another.
    reports = {index: report for index, report in journal.read().items() if index >= asked.start}
    given = None if limits is None else Limits(**limits)
    make = TruePhysicsJob if policy == TRUE_PHYSICS else EpisodeJob
    job = make(cell.task, asked.split, acting, "symbolic", root, False, disturbance, given, checkpoint)
    failed = 0
    for done in run_jobs(job, [index for index in indices if index not in reports], asked.workers):
        if done.error:
            console.print(f"{cell.task}, house {done.job}: {done.error}", markup=False)
            reports[done.job] = crashed(done.error)
            failed += 1
        else:
            reports[done.job] = done.result
            journal.add(done.job, done.result)
    return reports, failed


def rate(reports: "Reports") -> str:
    """`98% (95%–99%), n 200`, with a mark where hardly anything was planned."""
    from agent.commands.statistics import aggregate

    numbers = aggregate(list(reports.items()))
    if not numbers["episodes"]:
        return "–"
    low, high = numbers["success_ci95"]
    return f"{numbers['success_rate']:.0%} ({low:.0%}–{high:.0%}), n {numbers['episodes']}{mark(numbers)}"


def mark(numbers: dict[str, Any]) -> str:
    """MARK behind the numbers of who could plan and hardly did; of `statistics.aggregate`."""
    return f" {MARK}" if plans_hardly(numbers) else ""


def plans_hardly(numbers: dict[str, Any]) -> bool:
    """Who could plan did so in less than PLANS_HARDLY of acting."""
    share = numbers["planned_share"]
    return share is not None and share < PLANS_HARDLY


def pooled(results: "Results", tasks: Iterable[str], conditions: Iterable[str], mind: str) -> "Reports":
    """The reports of several cells under numbers of their own."""
    conditions = tuple(conditions)
    found = (results.get(Cell(task, condition, mind), {}) for task in tasks for condition in conditions)
    return dict(enumerate(report for reports in found for report in reports.values()))


def shared(results: "Results", tasks: Iterable[str], conditions: Iterable[str], minds: Iterable[str]) -> "Results":
    """Only the houses of each task and condition that all these minds were run in, those left out that were not."""
    tasks, conditions, minds = tuple(tasks), tuple(conditions), tuple(minds)
    found: Results = {}
    for task in tasks:
        for condition in conditions:
            there = {Cell(task, condition, mind): results.get(Cell(task, condition, mind)) for mind in minds}
            known = {cell: reports for cell, reports in there.items() if reports}
            common = set.intersection(*(set(reports) for reports in known.values())) if known else set()
            found |= {cell: {i: reports[i] for i in sorted(common)} for cell, reports in known.items()}
    return found


def pairs(
    results: "Results",
    tasks: Iterable[str],
    conditions: Iterable[str],
    first: str,
    second: str,
    of: "Callable[[EpisodeReport], bool | None]" = attrgetter("success"),
) -> list[tuple[bool, bool]]:
    """Success, or something else, of two minds in the same houses; without those of which `of` says None."""
    conditions, found = tuple(conditions), []
    for task in tasks:
        for condition in conditions:
            one, two = (results.get(Cell(task, condition, mind), {}) for mind in (first, second))
            both = [i for i in one if i in two and not one[i].lacks and not two[i].lacks]
            told = [(of(one[i]), of(two[i])) for i in both]
            found += [(a, b) for a, b in told if a is not None and b is not None]
    return found


def check_known(kind: str, given: Iterable[str], known: Iterable[str]) -> list[str]:
    """`given` in the order of `known`. Raises CommandError for a name that is not."""
    from agent.commands.arguments import choose

    known = list(known)
    asked = {choose(kind, name, known) for name in given}
    if not asked:
        raise CommandError(f"no {kind} is asked for; known: {', '.join(known)}")
    return [name for name in known if name in asked]
