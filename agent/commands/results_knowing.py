"""Sections of results on what the mind knows of itself, and how fast it answers. Each measurement is kept as a file."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from agent.commands.arguments import check_weights
from agent.commands.results_cells import Asked
from agent.commands.results_tables import table

KNOWING_TASKS = ("pick-mug", "open-drawer", "place-mug", "serve-coffee")
POLICY = "world-model"


def knowing_lines(args: argparse.Namespace, asked: Asked, console: Any) -> list[str]:
    """Surprise, odds of success and intuitive physics, over several tasks."""
    from agent.commands import bench_knowing, bench_physics
    from sim.disturbances.catalogue import EVENTS, LASTING, NONE

    houses = args.knowing_episodes
    seen: list[bench_knowing.Seen] = []
    for task in KNOWING_TASKS:
        job = bench_knowing.KnowingJob(task, asked.split, POLICY, args.checkpoint, (NONE, *EVENTS, *LASTING))

        def watch(job: bench_knowing.KnowingJob = job) -> list[bench_knowing.Seen]:
            return bench_knowing.watch_episodes(job, asked.start, houses, asked.workers, console)

        seen += _kept(args, asked, f"knowing-{task}-{houses}", list[bench_knowing.Seen], watch)
    known = bench_knowing.summarise(seen)
    lines = ["", "## Knowing", "", f"`{POLICY}`, {houses} houses of each of {', '.join(KNOWING_TASKS)}.", ""]
    rows = [
        [
            name,
            str(event["n"]),
            bench_knowing.area_words(event),
            bench_knowing.area_words(event["against_succeeded"]),
            f"{event['noticed']:.0%}",
        ]
        for name, event in known["events"].items()
    ]
    lines += table(["event", "n", "ROC AUC", "against those that succeeded", "noticed"], rows)
    error, honest = (
        "–" if known[name] is None else f"{known[name]:.2g}" for name in ("success_ece", "success_ece_if_honest")
    )
    lines += [
        "",
        f"An event's second is compared with seconds in contact of undisturbed episodes: of all, and of those that "
        f"succeeded. False alarms: {bench_knowing.calm_words(known['undisturbed'])}; where it succeeded "
        f"{bench_knowing.calm_words(known['undisturbed_succeeded'])}. "
        f"Odds of success half-way through {known['odds']['n']} disturbed attempts: "
        f"AUC {bench_knowing.area_words(known['odds'])}, ECE {error} "
        f"(odds that always come true as often as said would show {honest} in so few); at one time for all attempts at "
        f"a task, n {known['odds_at_one_time']['n']}: AUC {bench_knowing.area_words(known['odds_at_one_time'])}.",
    ]
    pair_job = bench_physics.PairJob(asked.split, POLICY, args.checkpoint)

    def compare() -> list[bench_physics.Pair]:
        return bench_physics.measure_pairs(pair_job, asked.start, houses, asked.workers, console)

    pairs = _kept(args, asked, f"physics-{houses}", list[bench_physics.Pair], compare)
    physics = bench_physics.summarise(pairs)
    rows = [[kind, str(row["n"]), str(row["right"])] for kind, row in physics["kinds"].items()]
    low, high = physics["ci95"]
    share = physics["right"] / max(1, physics["n"])
    rows.append(["**all**", str(physics["n"]), f"{physics['right']} = {share:.0%} ({low:.0%}–{high:.0%})"])
    return [*lines, "", "### Intuitive physics", "", *table(["pair", "n", "the impossible one surprises more"], rows)]


def loop_lines(args: argparse.Namespace, asked: Asked) -> list[str]:
    """The mind in real time, simulation in another process."""
    from agent.commands.bench_loop import measure_loop
    from agent.policies.catalogue import make_policy

    seconds, rows = args.loop_seconds, []
    for policy in (POLICY, "prior", "scripted"):
        checkpoint = None if policy == "scripted" else args.checkpoint

        def measure(policy: str = policy, checkpoint: Path | None = checkpoint) -> dict[str, Any]:
            made = make_policy(policy, checkpoint)
            return measure_loop("pick-mug", asked.split, asked.start, made, float(seconds))

        found = _kept(args, asked, f"loop-{policy}-{seconds}", dict[str, Any], measure)
        times = [f"{found[name]:.2f}" for name in ("p50_ms", "p99_ms", "p999_ms", "worst_ms", "tick_p99_ms")]
        rows.append([policy, *times, str(found["missed"]), str(found["ticks"]), f"{found['plan_hz']:.0f}"])
    said = "From observation to action, or until the plan is there too (`planned`). Simulation runs in another process."
    columns = ["policy", "median ms", "p99", "p99.9", "worst", "planned p99", "missed", "of ticks", "plans/s"]
    return ["", "## The loop in real time", "", said, "", *table(columns, rows)]


def _kept(args: argparse.Namespace, asked: Asked, name: str, kind: Any, measure: Callable[[], Any]) -> Any:
    """What was measured before with this code, these weights and these houses; else measured now and kept."""
    from agent.episodes import code_identity, episodes_root

    weights = check_weights(argparse.Namespace(policy=POLICY, checkpoint=args.checkpoint))
    parts = (name, asked.split, str(asked.start), weights, code_identity().sources)
    path = episodes_root() / "evaluations" / ("-".join(parts) + ".json")
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=kind)
    found = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(found))
    part.replace(path)
    return found
