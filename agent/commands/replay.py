"""Replay an episode: describe it, render it as a video, or check that it comes out the same.

A replay builds the recorded house again and applies the recorded actuator commands, step by step.

examples: doppio replay latest
          doppio replay episodes/20260131-142233-coffee-dev-7-9f3a --verify
          doppio replay latest --video out.mp4
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import add_json, number_between
from agent.commands.outcome import CommandError, Exit, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from agent.episodes import Episode

SUMMARY = "describe, verify or render a recorded episode"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("episode", metavar="EPISODE", help="folder of an episode, or `latest`")
    parser.add_argument(
        "--verify", action="store_true", help="simulate it again and report the first difference, if any"
    )
    parser.add_argument("--video", type=Path, metavar="OUT.mp4", help="render it")
    parser.add_argument(
        "--speed",
        type=number_between(1, 64),
        default=4,
        metavar="N",
        help="how many times faster the video runs (default 4)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    if args.video and args.video.suffix != ".mp4":
        raise CommandError(
            f"--video writes .mp4 files, not {args.video.suffix or 'a name without suffix'!r}: {args.video}"
        )
    from rich.console import Console

    from agent.commands.report import describe_episode
    from agent.episodes import Episode, episodes_root, find_episode

    console = Console(stderr=str(args.json) == "-")
    episode = Episode.open(find_episode(args.episode, episodes_root()))
    result = describe_episode(console, episode)
    if args.verify:
        result["verify"] = _verify(episode, console)
    if args.video:
        result["video"] = _render(episode, args.video, args.speed, console)
    write_json(args.json, result)
    return Exit.FAILED if args.verify and not result["verify"]["same"] else Exit.OK


def _render(episode: "Episode", out: Path, speed: int, console: "Console") -> dict[str, Any]:
    from rich.progress import Progress

    from agent.commands.rebuild import rebuild_world
    from agent.commands.video import render_video
    from sim.render import opengl_status

    usable, reason = opengl_status()
    if not usable:
        raise CommandError(f"no video: {reason}; everything else works without", Exit.MISSING)
    world = rebuild_world(episode.header)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("filming")
        frames = render_video(
            episode, world, out, speed, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    console.print(f"video {out}: {frames} frames, {speed} times as fast", soft_wrap=True, highlight=False)
    return {"file": str(out), "frames": frames, "speed": speed}


def _verify(episode: "Episode", console: "Console") -> dict[str, Any]:
    from rich.progress import Progress

    from agent.commands.rebuild import rebuild_world
    from agent.episodes.verify import verdict_as_json, verify

    world = rebuild_world(episode.header)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("simulating again")
        verdict = verify(episode, world, lambda done, total: progress.update(bar, completed=done, total=total))
    if verdict.difference is None:
        console.print(f"[green]the same[/]: {verdict.ticks} ticks, {verdict.steps} physics steps, to the last bit")
    else:
        console.print(f"[red]not the same[/]: {verdict.difference}", highlight=False)
    return verdict_as_json(verdict)
