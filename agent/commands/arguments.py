"""Arguments that several commands share, and their checks."""

import argparse
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

from agent.commands.outcome import CommandError

SPLITS = ("train", "dev", "heldout")
MAX_INDEX = 2**31
POLICIES = ("scripted",)
PLANNERS = ("symbolic",)


def choose(kind: str, value: str, known: Iterable[str]) -> str:
    """`value` if it is known. Raises CommandError with the nearest and all alternatives."""
    names = sorted(known)
    if value in names:
        return value
    near = get_close_matches(value, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise CommandError(f"there is no {kind} {value!r}; {hint}known: {', '.join(names)}")


def one_of(kind: str, known: Iterable[str]) -> Callable[[str], str]:
    """An argparse type like `choose`."""

    def parse(text: str) -> str:
        try:
            return choose(kind, text, known)
        except CommandError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    parse.__name__ = kind
    return parse


def number_between(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: a whole number in low…high."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number ({low} to {high})") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is outside {low} to {high}")
        return value

    return parse


house_index = number_between(0, MAX_INDEX - 1)


def loopback_address(text: str) -> str:
    """An argparse type: a ZeroMQ address of this machine. Others are refused until links have keys."""
    from controllers.loopback import NotLocalError, check_loopback

    try:
        check_loopback(text)
    except NotLocalError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def add_task(parser: argparse.ArgumentParser) -> None:
    """TASK."""
    parser.add_argument("task", metavar="TASK", help="for example coffee")


def add_house(parser: argparse.ArgumentParser, *, default_split: str = "dev") -> None:
    """--split and --index."""
    add_split(parser, default_split)
    parser.add_argument(
        "--index",
        type=house_index,
        default=0,
        metavar="N",
        help="which house of the split, 0 to 2³¹−1 (default 0)",
    )


def add_split(parser: argparse.ArgumentParser, default: str = "dev") -> None:
    """--split."""
    parser.add_argument(
        "--split",
        type=one_of("split", SPLITS),
        default=default,
        help=f"{', '.join(SPLITS)} (default {default})",
    )


def add_minds(parser: argparse.ArgumentParser) -> None:
    """--policy and --planner."""
    parser.add_argument(
        "--policy",
        type=one_of("policy", POLICIES),
        default="scripted",
        help=f"{', '.join(POLICIES)} (default scripted)",
    )
    parser.add_argument(
        "--planner",
        type=one_of("planner", PLANNERS),
        default="symbolic",
        help=f"{', '.join(PLANNERS)} (default symbolic)",
    )


def add_recording(parser: argparse.ArgumentParser) -> None:
    """--record."""
    parser.add_argument(
        "--record", type=Path, metavar="DIR", help="where the episode goes (default $DOPPIO_EPISODES, else episodes/)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the result for machines; - is standard output"
    )


def check_task(name: str) -> str:
    """`name` if agent and simulator have this task. Raises CommandError with the nearest and all alternatives."""
    from sim.tasks.registry import TASKS

    return choose("task", name, TASKS)
