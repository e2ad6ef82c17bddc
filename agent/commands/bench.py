"""Measure where the time of a running episode goes (sim), how fast the mind answers in real time (loop) and computes on
numpy and on torch (backends), what recording costs (record), what is left of runs that are killed (crash), whether
recorded episodes come out the same (replay), or what a learned mind knows of itself (knowing) and of the world
(physics).

`sim` runs an episode in this process with everything switched on.

Each part is charged its own time only, not that of the parts it calls; `everything else` is what no named part took.
On a machine that does other things too, compare processor time, and shares. docs/speed.md explains the parts.

`loop` runs the mind against a simulated robot in another process, in real time; its policy thinks in every tick.

`backends` times --times calls of the model's two parts of a tick, on numpy, on torch eager, traced and compiled.

`knowing` runs --times houses undisturbed and in every way disturbed: what surprise notices, how honest odds are.

`physics` runs pairs of possible and impossible events in --times houses: which one is the more surprising?

`replay` records --times short episodes of several tasks, in this process and on robots in another one, and simulates
each again; --policy names one policy (default world-model and teacher). In a copy of each log one bit is changed.

`record` measures messages a second, what recording costs an episode, and the opening of a long one. `crash` kills runs
at random moments (drawn from --index) of recording, finishing and exporting, and looks for what was lost.

example: doppio bench sim --seconds 20
"""

import argparse
import os
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import (
    DEFAULT_POLICY,
    add_checkpoint,
    add_house,
    add_json,
    add_minds,
    check_task,
    check_weights,
    number_between,
    one_of,
)
from agent.commands.outcome import Exit, write_json

if TYPE_CHECKING:
    from sim.bench import Stopwatch

SUMMARY = "measure where the time goes"

WHAT = ("sim", "loop", "backends", "knowing", "physics", "record", "crash", "replay")
_CRASH_TICKS = 800
TICKS_OF_A_CYCLE = 10
"""Camera and scanner come at a tenth of the ticks' rate."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", type=one_of("benchmark", WHAT), help=" or ".join(WHAT))
    parser.add_argument(
        "--seconds",
        type=number_between(1, 3600),
        default=20,
        metavar="N",
        help="simulated time to measure (default 20)",
    )
    parser.add_argument(
        "--task", default="coffee", metavar="TASK", help="whose episode (default coffee; of loop and knowing pick-mug)"
    )
    parser.add_argument(
        "--times",
        type=number_between(1, 100_000),
        default=20,
        metavar="N",
        help="kills of `crash`, houses of `knowing` and `physics`, calls of `backends` (default 20)",
    )
    add_house(parser)
    add_minds(parser)
    add_checkpoint(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    check_task(args.task)
    check_weights(args)
    if args.what in _OTHERS:
        return _OTHERS[args.what](args)
    result = measure(args)
    _print(result, to_stderr=str(args.json) == "-")
    write_json(args.json, result)
    return Exit.OK


def _run_loop(args: argparse.Namespace) -> int:
    from rich.console import Console

    from agent.commands.bench_loop import measure_loop
    from agent.policies.catalogue import make_policy

    task = "pick-mug" if args.task == "coffee" else args.task
    policy = make_policy(args.policy, args.checkpoint)
    result = measure_loop(task, args.split, args.index, policy, float(args.seconds))
    console = Console(stderr=str(args.json) == "-", highlight=False)
    console.print(
        f"{result['ticks']} ticks of 10 ms in real time, the policy {result['policy']} thinking in each: answer after "
        f"{result['p50_ms']:.2f} ms (median), {result['p99_ms']:.2f} (p99), {result['p999_ms']:.2f} (p99.9), "
        f"{result['worst_ms']:.2f} (worst), with planning {result['tick_p99_ms']:.2f} (p99); "
        f"{result['missed']} missed, {result['plan_hz']:.0f} plans a second"
    )
    write_json(args.json, result)
    return Exit.OK


def _run_backends(args: argparse.Namespace) -> int:
    from agent.commands.bench_backends import run_backends

    return run_backends(args)


def _run_knowing(args: argparse.Namespace) -> int:
    from agent.commands.bench_knowing import run_knowing

    return run_knowing(args)


def _run_physics(args: argparse.Namespace) -> int:
    from agent.commands.bench_physics import run_physics

    return run_physics(args)


def _run_record(args: argparse.Namespace) -> int:
    from rich.console import Console

    from agent.commands.bench_overhead import measure_overhead
    from agent.commands.bench_record import measure_recording
    from agent.episodes import cpu_name

    overhead = measure_overhead(args.task, args.split, args.index, args.policy, float(args.seconds))
    result = {**measure_recording(), "overhead": overhead, "cpu": cpu_name(), "load": os.getloadavg()[0]}
    messages, opening = result["messages"], result["open"]
    low, high = overhead["extra_us_ci95"]
    low_share, high_share = overhead["share_of_virtual_tick_ci95"]
    Console(stderr=str(args.json) == "-", highlight=False).print(
        f"{messages['n']} messages of {messages['bytes']} bytes: {messages['per_s_handed_over']:,.0f} a second handed "
        f"over, {messages['per_s_on_disk']:,.0f} until they are on the disk\n"
        f"all that is recorded of a tick costs the loop {overhead['extra_us']:.0f} µs (95 %: {low:.0f} to {high:.0f}; "
        f"{overhead['pairs']} pairs of {overhead['block_ticks']} ticks): {overhead['share_of_real_tick']:.2%} of 10 ms "
        f"in real time, {overhead['share_of_virtual_tick']:.1%} ({low_share:.1%} to {high_share:.1%}) of the "
        f"{overhead['tick_us'] / 1e3:.2f} ms that a tick takes in virtual time\n"
        f"any moment of {opening['episode_s']:.0f} s ({opening['episode_mb']:.0f} MB) opens in "
        f"{opening['median_ms']:.0f} ms (median of {opening['n']}; worst {opening['worst_ms']:.0f}), "
        f"with all checksums compared in {opening['with_all_checksums_ms']:.0f} ms"
    )
    write_json(args.json, result)
    return Exit.OK


def _run_crash(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from agent.commands.bench_crash import measure_crashes

    console = Console(stderr=str(args.json) == "-", highlight=False)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("killing")

        def watch(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        result = measure_crashes(args.times, _CRASH_TICKS, args.index, watch)
    phases = ", ".join(f"{n} while {phase}" for phase, n in result["phases"].items())
    console.print(
        f"{result['kills']} kills ({phases}): {result['unreadable']} unreadable episodes, "
        f"{result['steps_lost_older_than_1_s']} steps lost that were older than 1 s, {result['steps_lost']} of "
        f"{result['steps_finished']} at all"
    )
    for problem in result["problems"]:
        console.print(f"  [red]{problem}[/]")
    write_json(args.json, result)
    return Exit.OK if result["same"] else Exit.FAILED


def _run_replay(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from agent.commands.bench_replay import measure_replays

    console = Console(stderr=str(args.json) == "-", highlight=False)
    policies = [args.policy] if args.policy != DEFAULT_POLICY else [DEFAULT_POLICY, "teacher"]
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("recording and simulating again")
        result = measure_replays(
            args.times,
            policies,
            args.split,
            args.checkpoint,
            lambda done, total: progress.update(bar, completed=done, total=total),
        )
    console.print(
        f"{result['the_same']} of {result['episodes']} episodes of {len(result['kinds'])} kinds come out the same, to "
        f"the last bit ({result['ticks']} ticks); {result['bits_noticed']} of {result['bits_changed']} changed bits "
        "are named"
    )
    for problem in (*result["different"], *result["unnoticed"]):
        console.print(f"  {problem}", style="red", markup=False)
    write_json(args.json, result)
    return Exit.OK if result["same"] else Exit.FAILED


_OTHERS = {
    "loop": _run_loop,
    "backends": _run_backends,
    "knowing": _run_knowing,
    "physics": _run_physics,
    "record": _run_record,
    "crash": _run_crash,
    "replay": _run_replay,
}


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Run the first seconds of an episode under a stopwatch."""
    from agent.episodes import cpu_name
    from agent.session import RunConfig, run_episode
    from sim.bench import Stopwatch, watch_simulation

    watch = Stopwatch()
    watch_simulation(watch)
    _watch_agent(watch)
    try:
        with tempfile.TemporaryDirectory(prefix="doppio-bench-") as folder:
            config = RunConfig(
                task=args.task,
                split=args.split,
                index=args.index,
                policy=args.policy,
                planner=args.planner,
                record=Path(folder),
                checkpoint=args.checkpoint,
                time_limit_s=float(args.seconds),
            )
            load = os.getloadavg()[0]
            began, began_cpu = perf_counter(), process_time()
            report = run_episode(config)
            wall_s, cpu_s = perf_counter() - began, process_time() - began_cpu
    finally:
        watch.restore()
    ticks = max(watch.calls["controllers"], 1)
    quiet_s = watch.quiet_s(TICKS_OF_A_CYCLE)
    running_s = wall_s - report.reset_s
    parts = {part: seconds for part, seconds in watch.seconds.items() if watch.calls[part]}
    parts["everything else"] = max(0.0, running_s - sum(parts.values()))
    return {
        "task": args.task,
        "split": args.split,
        "index": args.index,
        "policy": args.policy,
        "planner": args.planner,
        "cpu": cpu_name(),
        "simulated_s": report.duration_s,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "load_before": load,
        "reset_s": report.reset_s,
        "realtime_factor": report.duration_s / wall_s,
        "cpu_realtime_factor": report.duration_s / cpu_s,
        "realtime_factor_without_reset": report.duration_s / running_s,
        "ms_per_tick": 1e3 * running_s / ticks,
        "quiet_ms_per_tick": None if quiet_s is None else 1e3 * quiet_s,
        "parts": {
            part: {"seconds": seconds, "share": seconds / running_s, "ms_per_tick": 1e3 * seconds / ticks}
            for part, seconds in sorted(parts.items(), key=lambda item: -item[1])
        },
    }


def _watch_agent(watch: "Stopwatch") -> None:
    from agent.agenda import Agenda
    from agent.belief.belief import Belief
    from agent.commands.recording import LooksRecorder, WorldWatcher
    from agent.episodes import EpisodeWriter
    from agent.episodes.recorder import ControlRecorder
    from agent.episodes.watcher import StepRecorder
    from agent.mind import Mind

    watch.wrap(Belief, "update", "belief")
    watch.wrap(Mind, "act", "skills and policy")
    watch.wrap(Agenda, "due", "agenda and facts")
    for owner, name in (
        (LooksRecorder, "look"),
        (WorldWatcher, "look"),
        (StepRecorder, "record"),
        (EpisodeWriter, "message"),
    ):
        watch.wrap(owner, name, "recording")
    watch.wrap_made(ControlRecorder, "hook", "recording")
    watch.wrap(EpisodeWriter, "step", "recording", mark=True)


def _print(result: dict[str, Any], *, to_stderr: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=to_stderr, highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("part")
    for column in ("ms per tick", "share"):
        table.add_column(column, justify="right")
    for part, numbers in result["parts"].items():
        table.add_row(part, f"{numbers['ms_per_tick']:.3f}", f"{numbers['share']:.1%}")
    table.add_section()
    table.add_row("a tick of 10 ms", f"{result['ms_per_tick']:.3f}", "100.0%")
    console.print(table)
    console.print(
        f"\n{result['simulated_s']:.1f} s simulated in {result['wall_s']:.1f} s: {result['realtime_factor']:.1f}× real "
        f"time, {result['realtime_factor_without_reset']:.1f}× without the reset of {result['reset_s']:.2f} s"
    )
    quiet = result["quiet_ms_per_tick"]
    if quiet is not None:
        console.print(f"{quiet:.2f} ms per tick while nothing disturbed it: {10.0 / quiet:.1f}× real time")
    console.print(
        f"{result['cpu_s']:.1f} s of processor time: {result['cpu_realtime_factor']:.1f}× on a core of its own\n"
        f"load before: {result['load_before']:.1f}, {result['cpu']}"
    )
