"""Train the world model from episodes, on a GPU if there is one.

Reads the episodes below the given folders (any that policies acted in, of the split `train` alone; `doppio collect`
makes them), keeps what it read beside each, trains, calibrates, and writes weights with their card. The same command
goes on where it was stopped. Curves are in the run's folder, as metrics.jsonl and curves.png. With --minutes 0 the
weights of --from are only calibrated anew, on all episodes given: episodes they were not trained on, of `dev` too.

example: doppio train --minutes 30 --run runs/first
"""

import argparse
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import add_json, number_between
from agent.commands.collect import DATA
from agent.commands.outcome import CommandError, Exit, write_json

if TYPE_CHECKING:
    from agent.world_model.config import TrainingConfig
    from agent.world_model.data import Data
    from agent.world_model.model import Model
    from agent.world_model.training import Progress

SUMMARY = "train the world model from episodes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", nargs="*", type=Path, default=[DATA], metavar="DIR", help=f"episodes (default {DATA})")
    parser.add_argument("--run", type=Path, default=Path("runs/train"), metavar="DIR", help="(default runs/train)")
    parser.add_argument(
        "--minutes", type=float, default=30.0, metavar="N", help="of training (default 30); 0 calibrates alone"
    )
    parser.add_argument("--from", dest="start_from", type=Path, metavar="FILE", help="weights to start from")
    parser.add_argument("--to", type=Path, metavar="FILE", help="also put the finished weights there")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another value of agent.world_model.config.TrainingConfig, e.g. w_inverse=0",
    )
    processors = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=number_between(1, 256), default=processors, metavar="N", help=f"(default {processors})"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    import torch
    from rich.console import Console

    from agent.world_model.checkpoint import CheckpointError, load, save
    from agent.world_model.collapse import CollapsedError
    from agent.world_model.config import ModelConfig
    from agent.world_model.curves import draw
    from agent.world_model.data import CALIBRATED_ON, TRAINED_ON, DataError
    from agent.world_model.training import recalibrate, train

    torch.set_num_threads(args.workers)
    console = Console(stderr=str(args.json) == "-", highlight=False)
    config = configure(args)
    try:
        data = read_all(args.data, args.workers, console, CALIBRATED_ON if config is None else TRAINED_ON)
        start_from = None if args.start_from is None else load(args.start_from)
        if config is None:
            assert start_from is not None
            model = recalibrate(data, start_from)
            save(args.to, model)
            return _conclude(args, console, model, model.card["calibrated_anew"]["results"])
        with Display(console, data) as display:
            model = train(data, args.run, ModelConfig(), config, display.show, start_from)
    except (DataError, CheckpointError) as error:
        raise CommandError(str(error)) from error
    except CollapsedError as error:
        raise CommandError(str(error), Exit.FAILED) from error
    if not draw(args.run / "metrics.jsonl", args.run / "curves.png"):
        console.print("no curves.png: matplotlib is not installed (it is among the dev dependencies)")
    if args.to is not None:
        save(args.to, model)
    return _conclude(args, console, model, model.card["results"])


def _conclude(args: argparse.Namespace, console: Any, model: "Model", results: dict[str, float]) -> int:
    console.print(f"weights {args.to or args.run / 'model.safetensors'}, {model.parameters} parameters")
    for name, value in results.items():
        console.print(f"  {name:24} {value:.4g}")
    write_json(args.json, model.card)
    return Exit.OK


def configure(args: argparse.Namespace) -> "TrainingConfig | None":
    """The configuration that --minutes and --set ask for; None to calibrate alone. Raises CommandError."""
    from agent.commands.arguments import choose
    from agent.world_model.config import TrainingConfig

    if args.minutes == 0:
        if args.start_from is None or args.to is None or args.set:
            raise CommandError("--minutes 0 calibrates what is there: it takes --from FILE and --to FILE, and no --set")
        return None
    if not args.minutes > 0:
        raise CommandError(f"--minutes {args.minutes} must be 0 (calibrate alone) or more")
    config = TrainingConfig(minutes=args.minutes)
    for text in args.set:
        name, _, value = text.partition("=")
        choose("training setting", name, (f.name for f in fields(config)))
        kind = type(getattr(config, name))
        try:
            config = replace(config, **{name: _yes_or_no(value) if kind is bool else kind(value)})
        except ValueError as error:
            raise CommandError(f"--set {text}: {error}") from error
    return config


def _yes_or_no(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError(f"{text!r} is none of {', '.join(known)}")
    return known[text.lower()]


@dataclass(frozen=True)
class ReadJob:
    """Read one episode in a worker; it stays beside its log."""

    episodes: tuple[Path, ...]
    splits: tuple[str, ...]

    def __call__(self, number: int) -> None:
        from agent.world_model.data import read

        read(self.episodes[number], self.splits)


def read_all(
    folders: list[Path],
    workers: int,
    console: Any,
    splits: tuple[str, ...],
    demonstrations: int | None = None,
) -> "Data":
    """All episodes below the folders, with progress; of houses below `demonstrations` alone if that is given, which
    collecting begins with. Raises DataError, also for episodes of other splits."""
    from rich.progress import track

    from agent.commands.workers import run_jobs
    from agent.world_model.data import DataError, find_episodes, gather, read

    episodes = tuple(find_episodes(folders))
    jobs = run_jobs(ReadJob(episodes, splits), range(len(episodes)), workers)
    for done in track(jobs, "reading", total=len(episodes), console=console):
        if done.error:
            raise DataError(done.error.strip().splitlines()[-1])
    data = [read(path, splits) for path in episodes]
    return gather([e for e in data if demonstrations is None or (e["house"] < demonstrations).all()])


class Display:
    """Live progress of training: share, rate, time left, losses and looks at what is not trained on."""

    def __init__(self, console: Any, data: "Data") -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        console.print(f"{len(data)} attempts, {data.minutes:.0f} min of acting, {data.success.mean():.0%} succeeded")
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %  {task.fields[rate]:.1f} batches/s  left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=1.0, rate=0.0)

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: "Progress") -> None:
        self._bar.update(self._task, completed=progress.share, rate=progress.steps_per_s)
        numbers = {**progress.parts, **progress.looked}
        text = "  ".join(f"{name} {value:.3g}" for name, value in numbers.items())
        self._console.print(f"{progress.step:6d}  {text}")
