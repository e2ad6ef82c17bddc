"""The robot's side: plant, controllers and safety gate behind a ZeroMQ address. An agent connects with `doppio deploy`.

Only addresses of this machine are accepted until links have keys.

example: doppio robot --split heldout --index 7 --bind tcp://127.0.0.1:5570
"""

import argparse

from agent.commands.arguments import add_house, check_task, loopback_address, one_of

SUMMARY = "serve a simulated robot over ZeroMQ"

DEFAULT_ADDRESS = "tcp://127.0.0.1:5570"
PLANTS = ("mujoco",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plant", type=one_of("plant", PLANTS), default="mujoco", help="what is controlled (default mujoco)"
    )
    parser.add_argument("--task", default="coffee", metavar="TASK", help="whose initial state (default coffee)")
    add_house(parser)
    parser.add_argument(
        "--bind",
        type=loopback_address,
        default=DEFAULT_ADDRESS,
        metavar="ADDRESS",
        help=f"where to listen, on this machine only (default {DEFAULT_ADDRESS})",
    )
    parser.add_argument("--realtime", action="store_true", help="keep the wall clock's time instead of virtual time")


def run(args: argparse.Namespace) -> int:
    check_task(args.task)
    raise NotImplementedError
