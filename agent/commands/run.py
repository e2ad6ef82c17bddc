"""Run one task in one house and report how it went.

example: doppio run coffee --split dev --index 0
"""

import argparse
from pathlib import Path

from agent.commands.arguments import (
    add_checkpoint,
    add_conditions,
    add_house,
    add_json,
    add_minds,
    add_recording,
    add_task,
    check_conditions,
    check_task,
    check_weights,
)
from agent.commands.outcome import Exit, write_json

SUMMARY = "run one task in one house, with a report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task(parser)
    add_house(parser)
    add_minds(parser)
    add_checkpoint(parser)
    add_conditions(parser)
    parser.add_argument("--realtime", action="store_true", help="keep the wall clock's time instead of virtual time")
    parser.add_argument("--view", action="store_true", help="show the episode in the browser when it is over")
    add_recording(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    import msgspec
    from rich.console import Console

    from agent.commands.progress import watch_run
    from agent.commands.report import print_next_steps, print_report
    from agent.episodes import episodes_root
    from agent.export.finish import finalise_later
    from agent.session import RunConfig, run_episode

    task = check_task(args.task)
    check_weights(args)
    disturbance, limits = check_conditions(args)
    config = RunConfig(
        task=task,
        split=args.split,
        index=args.index,
        policy=args.policy,
        planner=args.planner,
        realtime=args.realtime,
        record=args.record or episodes_root(),
        disturbance=disturbance,
        limits=limits,
        checkpoint=args.checkpoint,
    )
    console = Console(stderr=str(args.json) == "-")
    with watch_run(console, f"{args.task}, {args.split} {args.index}") as on_progress:
        report = run_episode(config, on_progress)
    finalise_later(Path(report.episode))
    print_report(console, report)
    print_next_steps(console, report)
    result = {
        "task": args.task,
        "split": args.split,
        "index": args.index,
        "policy": args.policy,
        "planner": args.planner,
        "disturb": disturbance,
    }
    write_json(args.json, {**result, **msgspec.to_builtins(report), "realtime_factor": report.realtime_factor})
    if args.view:
        from agent.commands.viewing import view
        from agent.episodes import Episode

        view([Episode.open(Path(report.episode))], console, port=0, at_s=None, open_browser=True)
    return Exit.OK if report.success else Exit.FAILED
