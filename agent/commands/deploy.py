"""The agent's side: run a task on a robot that `doppio robot` serves, in the robot's kind of time.

Success here is what the agent believes; a simulated robot says on its side what is true.

example: doppio deploy coffee --robot tcp://127.0.0.1:5570
"""

import argparse
from pathlib import Path

from agent.commands.arguments import (
    add_checkpoint,
    add_json,
    add_minds,
    add_recording,
    add_task,
    check_task,
    check_weights,
    loopback_address,
)
from agent.commands.outcome import CommandError, Exit, write_json

SUMMARY = "run a task on a robot over ZeroMQ"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task(parser)
    parser.add_argument(
        "--robot",
        type=loopback_address,
        required=True,
        metavar="ADDRESS",
        help="where the robot listens, for example tcp://127.0.0.1:5570",
    )
    add_minds(parser)
    add_checkpoint(parser)
    add_recording(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    import msgspec
    from rich.console import Console

    from agent.commands.progress import watch_run
    from agent.commands.report import print_report
    from agent.episodes import episodes_root
    from agent.export.finish import finalise_later
    from agent.links.remote_robot import RobotLostError
    from agent.session import RunConfig, run_episode

    task = check_task(args.task)
    check_weights(args)
    config = RunConfig(
        task=task,
        split="remote",
        policy=args.policy,
        planner=args.planner,
        robot=args.robot,
        checkpoint=args.checkpoint,
        record=args.record or episodes_root(),
    )
    console = Console(stderr=str(args.json) == "-")
    try:
        with watch_run(console, f"{args.task} on {args.robot}") as on_progress:
            report = run_episode(config, on_progress)
    except RobotLostError as error:
        raise CommandError(str(error), Exit.FAILED) from error
    finalise_later(Path(report.episode))
    print_report(console, report)
    result = {"task": args.task, "robot": args.robot, "policy": args.policy, "planner": args.planner}
    write_json(args.json, {**result, **msgspec.to_builtins(report), "realtime_factor": report.realtime_factor})
    return Exit.OK if report.success else Exit.FAILED
