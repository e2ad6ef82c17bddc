"""Evaluate every policy in every manipulation task under every condition, and write tables and plots: docs/results.md.

Policies are compared in pairs, in the same houses. Each episode is kept as `doppio eval` keeps it:
the same command goes on where it was stopped, and cells that `eval` has run already are not run again. Sections that
compare with other weights (other seeds, 50 demonstrations, one loss left out) train those first, from --data; this too
goes on where it was stopped. Results belong to the code and the weights that made them. With --to, what was counted
lies beside the page as one file, from which another machine goes on.

example: doppio results --split heldout --episodes 100 --to docs/results.md
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import POLICIES, add_checkpoint, add_json, add_split, house_index, number_between
from agent.commands.collect import DATA
from agent.commands.outcome import CommandError, Exit, write_json
from agent.commands.results_archive import archive_of, restore, store
from agent.commands.results_cells import (
    GRID,
    HEADLINE,
    LIMITS,
    MARK,
    PLANS_HARDLY,
    TASKS,
    TRUE_PHYSICS,
    Asked,
    Cell,
    check_known,
    evaluate,
    rate,
)
from agent.commands.results_plots import draw_limits, draw_success
from agent.commands.results_tables import (
    WORTH,
    by_condition,
    by_task,
    compared,
    first_tries,
    how,
    kept_better,
    kept_limits,
    table,
    worth,
)
from agent.commands.results_variants import FEW, LOSSES, SAFEGUARDS, SEEDS, UNTOUCHED, Making, Variants, settings

if TYPE_CHECKING:
    from agent.commands.results_cells import Results

SUMMARY = "evaluate all policies under all conditions; write tables and plots"
GRID_TASKS = ("pick-mug", "place-mug", "carry-mug")
ABLATION_TASKS = ("pick-mug", "open-drawer", "serve-coffee")
ABLATION_CONDITIONS = (*HEADLINE, "sight-lost", "bias-3cm")
SIGHT_WRONG = ("sight-lost", "bias-1.5cm", "bias-3cm")
PLAN, PRIOR, BLIND, CLAMPED, SCRIPTED = "world-model", "prior", "prior-blind", "prior-clamped", "scripted"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_split(parser, "dev")
    parser.add_argument("--start", type=house_index, default=0, metavar="N", help="first house (default 0)")
    episodes = number_between(1, 100_000)
    parser.add_argument(
        "--episodes", type=episodes, default=20, metavar="N", help="houses of each cell, at least (default 20)"
    )
    parser.add_argument("--coffee-episodes", type=episodes, default=20, metavar="N", help="of `coffee` (default 20)")
    parser.add_argument("--knowing-episodes", type=episodes, default=10, metavar="N", help="houses (default 10)")
    parser.add_argument("--loop-seconds", type=episodes, default=60, metavar="N", help="of real time (default 60)")
    processors = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=number_between(1, 256), default=processors, metavar="N", help=f"(default {processors})"
    )
    for name, known in (("sections", SECTIONS), ("tasks", TASKS), ("conditions", HEADLINE), ("policies", POLICIES)):
        parser.add_argument(
            f"--{name}", nargs="+", default=list(known), metavar="NAME", help=f"{', '.join(known)} (default all)"
        )
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help=f"to train from (default {DATA})")
    variants = Path("runs/variants")
    parser.add_argument("--variants", type=Path, default=variants, metavar="DIR", help=f"(default {variants})")
    parser.add_argument("--batches", type=episodes, default=3000, metavar="N", help="of each training (default 3000)")
    add_checkpoint(parser)
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the page there, pictures to images/ beside it")
    add_json(parser)


@dataclass
class Page:
    """What is asked for, and what is known so far."""

    args: argparse.Namespace
    asked: Asked
    tasks: list[str]
    conditions: list[str]
    policies: list[str]
    variants: Variants
    console: Any
    results: "Results" = field(default_factory=dict)
    crashes: int = 0

    def run(self, tasks: "list[str] | tuple[str, ...]", conditions: Any, minds: Any) -> list[str]:
        """Evaluate these cells; the tasks that were asked for."""
        chosen = [task for task in tasks if task in self.tasks]
        cells = [Cell(task, condition, mind) for condition in conditions for task in chosen for mind in minds]
        self.crashes += evaluate(self.asked, cells, self.variants, self.results, self.console)
        return chosen

    def picture(self, name: str, draw: Callable[[Path], bool], about: str) -> list[str]:
        """Lines that show a picture, drawn beside the page."""
        if self.args.to is None or not draw(self.args.to.parent / "images" / name):
            return []
        return ["", f"![{about}](images/{name})"]


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    console = Console(stderr=str(args.json) == "-", highlight=False)
    sections = check_known("section", args.sections, SECTIONS)
    making = Making(args.data, args.variants, args.batches, args.workers)
    page = Page(
        args=args,
        asked=Asked(args.split, args.start, args.episodes, args.workers),
        tasks=check_known("task", args.tasks, TASKS),
        conditions=check_known("condition", args.conditions, HEADLINE),
        policies=check_known("policy", args.policies, POLICIES),
        variants=Variants(args.checkpoint, making, console),
        console=console,
    )
    from agent.episodes import code_identity, episodes_root

    kept = episodes_root() / "evaluations"
    if args.to is not None:
        restore(archive_of(args.to), kept)
    lines = _head(args)
    for name in sections:
        console.print(f"— {name}")
        try:
            found = SECTIONS[name](page)
        except CommandError as error:
            found = ["", f"## {name}", "", f"Not measured: {error}."]
        lines += found
        if args.to is not None:
            # After every section: what a day has measured is never lost with the last one.
            args.to.parent.mkdir(parents=True, exist_ok=True)
            args.to.write_text("\n".join(lines) + "\n")
            store(archive_of(args.to), kept, args.split, code_identity().sources)
    console.print(f"written {args.to}" if args.to is not None else "\n".join(lines), markup=False)
    write_json(args.json, as_json(page))
    return Exit.FAILED if page.crashes else Exit.OK


def _head(args: argparse.Namespace) -> list[str]:
    from agent.episodes import code_identity, cpu_name

    code = code_identity()
    beside = ""
    if args.to is not None:
        archive = archive_of(args.to).name
        beside = f", here or elsewhere: every episode's report is taken from [{archive}]({archive})"
    return [
        "# Results",
        "",
        f"Split `{args.split}`, houses from {args.start} on, the same for every policy; cells that were run in more "
        "houses say so by their n, and what is pooled or compared is of houses that all of them were run in. "
        "Success in %, with Wilson's 95 % interval; houses that lack what a task needs are left out. "
        f"Code {code.sources}{f' (commit {code.commit[:7]})' if code.commit else ''}, {cpu_name()}.",
        "",
        f"`{_command(args)}` makes this page again; what is measured already is not measured again{beside}.",
        "",
        "`limits` are set at run time: " + ", ".join(f"{name} {value:g}" for name, value in LIMITS.items()) + ". "
        "Demonstrations were asked to keep more force and tilt than that. Most skills give up an attempt sooner than "
        "after that time. An attempt that is given up at the limit has not passed it, but failed.",
        "",
        f"{MARK}: plans replaced the prior in less than {PLANS_HARDLY:.0%} of acting; the number is the prior's.",
    ]


def _command(args: argparse.Namespace) -> str:
    """What was asked for, with the numbers that everything here depends on."""
    numbers = ("split", "start", "episodes", "coffee_episodes", "knowing_episodes", "loop_seconds")
    options = [f"--{name.replace('_', '-')} {getattr(args, name)}" for name in numbers]
    lists = (("sections", SECTIONS), ("tasks", TASKS), ("conditions", HEADLINE), ("policies", POLICIES))
    chosen = [
        f"--{name} {' '.join(getattr(args, name))}" for name, known in lists if getattr(args, name) != list(known)
    ]
    paths = (("checkpoint", args.checkpoint), ("to", args.to))
    files = [f"--{name} {path}" for name, path in paths if path is not None]
    return " ".join(["doppio results", *options, *chosen, *files])


def headline(page: Page) -> list[str]:
    """Every task, condition and policy; clamping where limits are tight."""
    lines, tasks = [], page.tasks
    for condition in page.conditions:
        # Where limits are as usual there is hardly anything to clamp.
        minds = [policy for policy in page.policies if policy != CLAMPED or condition == "limits"]
        tasks = page.run(page.tasks, [condition], minds)
        lines += ["", f"## {condition}", "", *by_task(page.results, tasks, condition, minds)]
        lines += ["", *first_tries(page.results, tasks, condition, minds)]
        lines += ["", *how(page.results, tasks, condition, minds)]
    lines += page.picture(
        "results-success.png",
        lambda at: draw_success(page.results, tasks, page.conditions, page.policies, at),
        "success by condition",
    )
    has = set(page.policies)
    if {PLAN, PRIOR} <= has:
        lines += ["", "## Planning against its prior", ""]
        lines += compared(page.results, tasks, page.conditions, PLAN, PRIOR, margin=True)
        lines += ["", f"`{PLAN}` is `{PRIOR}` with plans and with a clamp as a reflex; `{CLAMPED}` has that clamp too."]
    if {PLAN, SCRIPTED} <= has:
        lines += ["", "## Against scripted acting", ""]
        lines += compared(page.results, tasks, page.conditions, PLAN, SCRIPTED)
    if "limits" in page.conditions:
        lines += ["", "## Limits set at run time", "", *kept_limits(page.results, tasks, page.policies)]
        if PLAN in has:
            others = [policy for policy in page.policies if policy != PLAN]
            lines += ["", *kept_better(page.results, tasks, PLAN, others)]
        lines += page.picture(
            "results-limits.png",
            lambda at: draw_limits(page.results, tasks, page.policies, at),
            "limits passed against success",
        )
    return lines


def grid(page: Page) -> list[str]:
    """Pick, place and carry under everything, with more baselines."""
    few, untouched = next(iter(FEW)), next(iter(UNTOUCHED))
    why = {name: page.variants.failed(name) for name in (few, untouched)}
    minds = [*page.policies, TRUE_PHYSICS]
    minds += [] if why[few] else [f"{PRIOR}@{few}", f"{PLAN}@{few}"]
    blind = [] if why[untouched] else [f"{BLIND}@{untouched}"]
    minds += blind
    tasks = page.run(GRID_TASKS, ["nominal", *GRID], minds)
    lines = ["", "## Pick, place and carry", "", *by_condition(page.results, tasks, ["nominal", *GRID], minds)]
    about = (
        f"`{TRUE_PHYSICS}` tries candidates in a copy of the simulator at equal processor time; of a delay, and of "
        f"pushes to come, the copy does not know. `{BLIND}` is the prior with its touch masked, `{BLIND}@{untouched}` "
        "one that was trained without touch."
    )
    lines += ["", about]
    for name, reason in why.items():
        lines += ["", f"No row of {name}: {reason}."] if reason else []
    lines += page.picture(
        "results-grid.png",
        lambda at: draw_success(page.results, tasks, ["nominal", *GRID], minds, at),
        "pick, place and carry under each disturbance",
    )
    for task in tasks:
        lines += ["", f"### {task}", "", *by_condition(page.results, [task], ["nominal", *GRID], minds)]
    lines += ["", "## What touch is worth where sight is lost or wrong", ""]
    for other in (BLIND, *blind):
        lines += [*compared(page.results, tasks, SIGHT_WRONG, PRIOR, other), ""]
    return lines


def seeds(page: Page) -> list[str]:
    """Three training seeds on the headline's cells."""
    chosen = [policy for policy in (PRIOR, PLAN) if policy in page.policies]
    minds = [f"{policy}{name}" for policy in chosen for name in ("", *(f"@{seed}" for seed in SEEDS))]
    lines = ["", "## Three training seeds", ""]
    about = (
        f"Each trained once, {page.args.batches} batches on all data, part of which the shipped weights made; the "
        "shipped weights were trained for longer, in stages."
    )
    lines += [about, ""]
    if why := next((why for seed in SEEDS if (why := page.variants.failed(seed))), ""):
        return [*lines, f"Not measured: {why}."]
    tasks = page.run(page.tasks, page.conditions, minds)
    return lines + by_condition(page.results, tasks, page.conditions, minds)


def ablations(page: Page) -> list[str]:
    """Each loss and each safeguard left out."""
    lines = ["", "## What each part earns", ""]
    about = (
        f"Tasks {', '.join(ABLATION_TASKS)}, each {', '.join(ABLATION_CONDITIONS)}; limits where they are set at run "
        f"time. Models of {page.args.batches} batches, with what they are worth on episodes held out of "
        "training (of demonstrations alone, only such)."
    )
    lines += [about]
    head = ["left out", "setting", "phases right", "action error", "odds AUC", "probe R²", *WORTH]
    rows = []
    for name, variant in LOSSES.items():
        why = page.variants.failed(name)
        if why:
            rows.append([variant.about, settings(name), why, *["–"] * (len(head) - 3)])
            continue
        results = page.variants.card(name)["results"]
        numbers = [f"{results.get(key, float('nan')):.3f}" for key in _CARD]
        rows.append([variant.about, settings(name), *numbers, *_worth(page, name)])
    lines += ["", *table(head, rows)]
    rows = [["nothing", "", *_worth(page, "")]]
    rows += [[about, settings(name), *_worth(page, name)] for name, (about, _) in SAFEGUARDS.items()]
    return [
        *lines,
        "",
        "Safeguards of planning; the model's own weights.",
        "",
        *table(["left out", "setting", *WORTH], rows),
    ]


_CARD = ("phase_accuracy", "action_error", "success_auc_mid_attempt", "probe_r2")


def _worth(page: Page, name: str) -> list[str]:
    mind = f"{PLAN}@{name}" if name else PLAN
    tasks = page.run(ABLATION_TASKS, ABLATION_CONDITIONS, [mind])
    return worth(page.results, tasks, ABLATION_CONDITIONS, mind)


def knowing(page: Page) -> list[str]:
    """Surprise, odds, and pairs of possible and impossible events."""
    from agent.commands.results_knowing import knowing_lines

    return knowing_lines(page.args, page.asked, page.console)


def loop(page: Page) -> list[str]:
    """How fast the mind answers."""
    from agent.commands.results_knowing import loop_lines

    return loop_lines(page.args, page.asked)


def coffee(page: Page) -> list[str]:
    """The whole task, with what went wrong."""
    minds = [mind for mind in (PLAN, SCRIPTED) if mind in page.policies]
    cells = [Cell("coffee", "nominal", mind) for mind in minds]
    asked = Asked(page.asked.split, page.asked.start, page.args.coffee_episodes, page.asked.workers)
    page.crashes += evaluate(asked, cells, page.variants, page.results, page.console)
    from agent.commands.statistics import aggregate, unsafe_words, wilson_interval

    lines, rows, failures = ["", "## Coffee", ""], [], []
    kinds: dict[str, dict[str, str]] = {}
    for cell in cells:
        numbers = aggregate(list(page.results[cell].items()))
        low, high = wilson_interval(numbers["safe_successes"], numbers["episodes"])
        safe = f"{numbers['safe_success_rate']:.0%} ({low:.0%}–{high:.0%})"
        rows.append([cell.mind, rate(page.results[cell]), safe, f"{numbers['mean_duration_s']:.0f}"])
        for kind, n in numbers["subgoals"].items():
            kinds.setdefault(kind, {})[cell.mind] = f"{n['first_try']}, {n['after_retries']} of {n['n']}"
        causes: dict[str, list[int]] = {}
        for failure in numbers["failures"]:
            causes.setdefault(f"{failure['subgoal'] or '–'}: {failure['reason']}", []).append(failure["index"])
        for unsafe in numbers["unsafe"]:
            words = unsafe_words(page.results[cell][unsafe["index"]])
            causes.setdefault(f"served, but {words}", []).append(unsafe["index"])
        failures += [[cell.mind, cause, str(len(i)), ", ".join(map(str, i))] for cause, i in sorted(causes.items())]
    lines += table(["mind", "success", "safe", "mean s"], rows)
    lines += [
        "",
        "Subgoals of these episodes, begun as the one before left things: done at first try, and in the end.",
    ]
    lines += ["", *table(["subgoal", *minds], [[kind, *(of.get(m, "–") for m in minds)] for kind, of in kinds.items()])]
    return [*lines, "", *table(["mind", "what went wrong", "n", "houses"], failures)] if failures else lines


SECTIONS: dict[str, Callable[[Page], list[str]]] = {
    "headline": headline,
    "grid": grid,
    "seeds": seeds,
    "ablations": ablations,
    "knowing": knowing,
    "loop": loop,
    "coffee": coffee,
}


def as_json(page: Page) -> dict[str, Any]:
    """Every cell's numbers."""
    from agent.commands.statistics import aggregate

    cells = [{**vars(cell), **aggregate(list(reports.items()))} for cell, reports in page.results.items()]
    return {"split": page.asked.split, "start": page.asked.start, "cells": cells}
