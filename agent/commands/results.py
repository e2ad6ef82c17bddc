"""Evaluate every policy in every manipulation task under every condition, and write the tables of docs/results.md.

Every cell runs the same houses, so that policies are compared in pairs. Each episode is kept as `doppio eval` keeps it:
the same command goes on where it was stopped, and cells that `eval` has run already are not run again.

example: doppio results --split heldout --episodes 100 --to docs/results.md
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import (
    POLICIES,
    add_checkpoint,
    add_json,
    add_split,
    check_weights,
    choose,
    house_index,
    number_between,
)
from agent.commands.outcome import Exit, write_json

if TYPE_CHECKING:
    from agent.episodes import EpisodeReport

    Results = dict["Cell", dict[int, EpisodeReport]]

SUMMARY = "evaluate all policies under all conditions; write the tables"
TASKS = (
    *("open-cabinet", "open-drawer", "open-fridge", "pick-mug", "pick-pod", "pick-coffee", "place-mug", "serve-coffee"),
    *("place-under-spout", "insert-pod", "press-button", "open-lid", "close-lid", "push-door", "carry-mug"),
)
LIMITS = {"force_n": 20.0, "tilt_rad": 0.175, "time_s": 40.0}
"""Half the force, half the tilt and a third less time than usual: tighter than any demonstration kept."""
CONDITIONS: dict[str, tuple[str, dict[str, float] | None]] = {
    "nominal": ("none", None),
    "combined": ("combined", None),
    "limits": ("none", LIMITS),
}
MARGIN = 0.02
"""Planning is not inferior when it is worse than the prior by less than this, at 95 %."""


@dataclass(frozen=True)
class Cell:
    """One number of a table."""

    task: str
    condition: str
    policy: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_split(parser, "dev")
    parser.add_argument("--start", type=house_index, default=0, metavar="N", help="first house (default 0)")
    parser.add_argument("--episodes", type=number_between(1, 100_000), default=20, metavar="N", help="(default 20)")
    processors = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=number_between(1, 256), default=processors, metavar="N", help=f"(default {processors})"
    )
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK", help="(default all)")
    parser.add_argument(
        "--conditions",
        nargs="+",
        default=list(CONDITIONS),
        metavar="NAME",
        help=f"{', '.join(CONDITIONS)} (default all)",
    )
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), metavar="NAME", help="(default all)")
    add_checkpoint(parser)
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the tables there, as Markdown")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    console = Console(stderr=str(args.json) == "-", highlight=False)
    for kind, given, known in (
        ("task", args.tasks, TASKS),
        ("condition", args.conditions, CONDITIONS),
        ("policy", args.policies, POLICIES),
    ):
        for name in given:
            choose(kind, name, known)
    cells = [Cell(t, c, p) for c in args.conditions for t in args.tasks for p in args.policies]
    results: dict[Cell, Any] = {}
    crashes = 0
    for cell, reports, failed in _evaluate(args, cells, console):
        results[cell] = reports
        crashes += failed
        console.print(f"{cell.task:18} {cell.condition:9} {cell.policy:14} {_rate(reports)}", markup=False)
    text = tables(args, results)
    if args.to is not None:
        args.to.write_text(text)
        console.print(f"written {args.to}")
    else:
        console.print(text, markup=False)
    write_json(args.json, as_json(args, results))
    return Exit.FAILED if crashes else Exit.OK


def _evaluate(
    args: argparse.Namespace, cells: list[Cell], console: Any
) -> "Iterator[tuple[Cell, dict[int, EpisodeReport], int]]":
    """Each cell with its reports by house, and how many houses failed by errors in the program."""
    from agent.commands.eval import EpisodeJob, crashed, journal_of
    from agent.commands.workers import run_jobs
    from agent.episodes import episodes_root
    from agent.messages import Limits

    root = episodes_root()
    indices = range(args.start, args.start + args.episodes)
    for cell in cells:
        disturbance, limits = CONDITIONS[cell.condition]
        checkpoint = None if cell.policy == "scripted" else args.checkpoint
        weights = check_weights(argparse.Namespace(policy=cell.policy, checkpoint=checkpoint))
        journal = journal_of(root, cell.task, args.split, cell.policy, weights, "symbolic", disturbance, limits)
        reports = {index: report for index, report in journal.read().items() if index in indices}
        given = None if limits is None else Limits(**limits)
        job = EpisodeJob(cell.task, args.split, cell.policy, "symbolic", root, False, disturbance, given, checkpoint)
        failed = 0
        for done in run_jobs(job, [index for index in indices if index not in reports], args.workers):
            if done.error:
                console.print(f"{cell.task}, house {done.job}: {done.error}", markup=False)
                reports[done.job] = crashed(done.error)
                failed += 1
            else:
                reports[done.job] = done.result
                journal.add(done.job, done.result)
        yield cell, reports, failed


def _rate(reports: "dict[int, EpisodeReport]") -> str:
    from agent.commands.statistics import aggregate

    numbers = aggregate(list(reports.items()))
    low, high = numbers["success_ci95"]
    return f"{numbers['success_rate']:.0%} ({low:.0%}–{high:.0%}), n {numbers['episodes']}"


def tables(args: argparse.Namespace, results: "Results") -> str:
    """The whole page."""
    from agent.episodes import code_identity, cpu_name

    code = code_identity()
    lines = [
        "# Results",
        "",
        f"Split `{args.split}`, houses {args.start} to {args.start + args.episodes - 1}, the same for every policy. "
        "Success in %, with Wilson's 95 % interval; houses that lack what a task needs are left out. "
        f"Code {code.sources}, {cpu_name()}. `doppio results --help` says how to make this page again.",
        "",
        "`limits` are set at run time: " + ", ".join(f"{name} {value:g}" for name, value in LIMITS.items()) + ".",
    ]
    for condition in args.conditions:
        lines += ["", f"## {condition}", "", "| task | " + " | ".join(args.policies) + " |"]
        lines.append("|---" * (1 + len(args.policies)) + "|")
        for task in args.tasks:
            row = [_rate(results[Cell(task, condition, policy)]) for policy in args.policies]
            lines.append(f"| {task} | " + " | ".join(row) + " |")
        pooled = [_rate(_pooled(args, results, condition, policy)) for policy in args.policies]
        lines.append("| **all** | " + " | ".join(f"**{cell}**" for cell in pooled) + " |")
        lines += ["", *_how(args, results, condition)]
    if {"world-model", "prior"} <= set(args.policies):
        lines += ["", "## Planning against its prior", "", *_against_prior(args, results)]
    return "\n".join(lines) + "\n"


def _pooled(args: argparse.Namespace, results: "Results", condition: str, policy: str) -> "dict[int, EpisodeReport]":
    """All tasks' reports under numbers of their own."""
    every = [report for task in args.tasks for report in results[Cell(task, condition, policy)].values()]
    return dict(enumerate(every))


def _how(args: argparse.Namespace, results: "Results", condition: str) -> list[str]:
    """First try, safety, time, planning and limits, over all tasks."""
    from agent.commands.statistics import aggregate

    lines = ["| policy | first try | safe | mean s | planned | " + " | ".join(f"{n} passed" for n in LIMITS) + " |"]
    lines.append("|---" * (5 + len(LIMITS)) + "|")
    for policy in args.policies:
        numbers = aggregate(list(_pooled(args, results, condition, policy).items()))
        n = max(1, sum(kind["n"] for kind in numbers["subgoals"].values()))
        first = sum(kind["first_try"] for kind in numbers["subgoals"].values()) / n
        planned = numbers["planned_share"]
        share = "–" if planned is None else f"{planned:.1%}" + (" (prior)" if planned < 0.05 else "")
        passed = [
            f"{kept['passed'] / kept['episodes']:.0%}" if (kept := numbers["limits"].get(name)) else "–"
            for name in LIMITS
        ]
        safe = f"{numbers['safe_success_rate']:.0%}"
        cells = [policy, f"{first:.0%}", safe, f"{numbers['mean_duration_s']:.1f}", share, *passed]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _against_prior(args: argparse.Namespace, results: "Results") -> list[str]:
    """Paired difference of success, pooled over tasks, with its 95 % interval."""
    from agent.commands.statistics import paired_difference

    lines = ["| condition | pairs | difference of success | verdict |", "|---|---|---|---|"]
    for condition in args.conditions:
        pairs = []
        for task in args.tasks:
            plan, prior = (results[Cell(task, condition, policy)] for policy in ("world-model", "prior"))
            both = [i for i in plan if i in prior and not plan[i].lacks and not prior[i].lacks]
            pairs += [(plan[i].success, prior[i].success) for i in both]
        difference, low, high = paired_difference(pairs)
        verdict = "not inferior" if low > -MARGIN else "inferior" if high < -MARGIN else "undecided"
        verdict += f" by a margin of {MARGIN:.0%}"
        lines.append(f"| {condition} | {len(pairs)} | {difference:+.1%} ({low:+.1%} to {high:+.1%}) | {verdict} |")
    return lines


def as_json(args: argparse.Namespace, results: "Results") -> dict[str, Any]:
    """Every cell's numbers."""
    from agent.commands.statistics import aggregate

    return {
        "split": args.split,
        "start": args.start,
        "cells": [{**vars(cell), **aggregate(list(reports.items()))} for cell, reports in results.items()],
    }
