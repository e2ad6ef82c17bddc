"""Arguments that several commands share, and their checks."""

import argparse
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.outcome import CommandError, Exit

if TYPE_CHECKING:
    from agent.messages import Limits

SPLITS = ("train", "dev", "heldout")
MAX_INDEX = 2**31
POLICIES = ("world-model", "prior", "prior-blind", "prior-clamped", "scripted")
"""As in agent.policies.catalogue, which is not imported for a list of names."""
DEFAULT_POLICY = "world-model"
"""Who acts where nobody says who."""
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
        default=DEFAULT_POLICY,
        help=f"{', '.join(POLICIES)} (default {DEFAULT_POLICY})",
    )
    parser.add_argument(
        "--planner",
        type=one_of("planner", PLANNERS),
        default="symbolic",
        help=f"{', '.join(PLANNERS)} (default symbolic)",
    )


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """--checkpoint."""
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="weights of a learned policy (default the shipped ones)"
    )


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """--disturb and --limits."""
    parser.add_argument(
        "--disturb", default="none", metavar="NAME", help="what goes wrong on purpose (default none; see docs/tasks.md)"
    )
    parser.add_argument(
        "--limits",
        type=run_limits,
        metavar="NAME=VALUE,…",
        help="limits that every subgoal must keep: force_n, speed_m_s, tilt_rad, time_s",
    )


def check_weights(args: argparse.Namespace) -> str:
    """Identity of the weights of --policy and --checkpoint; empty for a policy without any. Raises CommandError."""
    from agent.policies.catalogue import make_policy
    from agent.policies.interface import Checkpointed
    from agent.world_model.checkpoint import CheckpointError

    try:
        policy = make_policy(args.policy, args.checkpoint)
    except CheckpointError as error:
        raise CommandError(f"--policy {args.policy}: {error}, or choose --policy scripted", Exit.MISSING) from error
    if isinstance(policy, Checkpointed):
        return policy.checkpoint
    if args.checkpoint is not None:
        raise CommandError(f"--policy {args.policy} has no weights, so --checkpoint {args.checkpoint} means nothing")
    return ""


def run_limits(text: str) -> dict[str, float]:
    """An argparse type: `force_n=20,speed_m_s=0.2` as a dict."""
    known = ("force_n", "speed_m_s", "tilt_rad", "time_s")
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            name = choose("limit", name.strip(), known)
            limits[name] = float(value)
        except CommandError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name}={value!r} is no number; say for example force_n=20") from None
        if not 0.0 < limits[name] < float("inf"):
            raise argparse.ArgumentTypeError(f"{name}={value} must be positive and finite")
    return limits


def check_conditions(args: argparse.Namespace) -> "tuple[str, Limits | None]":
    """Disturbance and limits of `add_conditions`. Raises CommandError for an unknown disturbance."""
    from agent.messages import Limits
    from sim.disturbances.catalogue import DISTURBANCES

    return choose("disturbance", args.disturb, DISTURBANCES), None if args.limits is None else Limits(**args.limits)


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
