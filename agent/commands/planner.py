"""Serve plans over ZeroMQ in a process of their own.

example: doppio planner --bind tcp://127.0.0.1:5571
"""

import argparse

from agent.commands.arguments import PLANNERS, loopback_address, one_of

SUMMARY = "serve plans to agents over ZeroMQ"

DEFAULT_BIND = "tcp://127.0.0.1:5571"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bind",
        type=loopback_address,
        default=DEFAULT_BIND,
        metavar="ADDRESS",
        help=f"where to listen, on this machine only (default {DEFAULT_BIND})",
    )
    parser.add_argument(
        "--backend",
        type=one_of("planner backend", PLANNERS),
        default="symbolic",
        help=f"what plans: {', '.join(PLANNERS)} (default symbolic)",
    )


def run(args: argparse.Namespace) -> int:
    from agent.planner import process

    return process.run(args)
