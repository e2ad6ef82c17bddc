"""The agent's side: run a task on a robot that `doppio robot` serves.

example: doppio deploy coffee --robot tcp://127.0.0.1:5570
"""

import argparse

from agent.commands.arguments import add_json, add_minds, add_recording, add_task, loopback_address

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
    add_recording(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    raise NotImplementedError
