"""Measure where the time of a running episode goes.

The named parts are timed from inside the whole stack; `mind` is belief, skills and policy; `rest` is the loop itself.

example: doppio bench sim --seconds 20
"""

import argparse

from agent.commands.arguments import add_house, add_json, add_minds, check_task, number_between, one_of
from agent.commands.outcome import Exit, write_json

SUMMARY = "measure where the time goes"

WHAT = ("sim",)


class _EnoughError(Exception):
    """Ends the measured episode."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", type=one_of("benchmark", WHAT), help=" or ".join(WHAT))
    parser.add_argument(
        "--seconds",
        type=number_between(1, 3600),
        default=20,
        metavar="N",
        help="simulated time to measure (default 20)",
    )
    parser.add_argument("--task", default="coffee", metavar="TASK", help="(default coffee)")
    add_house(parser)
    add_minds(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    check_task(args.task)
    result = measure(args)
    _print(Console(stderr=str(args.json) == "-"), result)
    write_json(args.json, result)
    return Exit.OK
