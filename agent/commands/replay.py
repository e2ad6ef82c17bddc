"""Look into a recorded episode: what happened, why, whether it comes out the same, what would have happened if.

A replay builds the recorded house again and applies the recorded actuator commands, step by step. --view and --report
show what was recorded and simulate nothing.

examples: doppio replay latest
          doppio replay latest --why
          doppio replay latest --view
          doppio replay EPISODE --verify
          doppio replay EPISODE --report out.html --with OTHER
          doppio replay EPISODE --fork 4200 --set mug.mass=0.6
          doppio replay EPISODE --export lerobot --out dataset/
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import PLANNERS, POLICIES, add_json, loopback_address, number_between, one_of
from agent.commands.exporting import FORMATS
from agent.commands.outcome import CommandError, Exit, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from agent.commands.fork import Fork
    from agent.episodes import Episode, EpisodeReport

SUMMARY = "look into a recorded episode: see, verify, explain, fork, export"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("episode", metavar="EPISODE", help="folder of an episode, or `latest`")
    parser.add_argument(
        "--verify", action="store_true", help="simulate it again and report the first difference, if any"
    )
    parser.add_argument("--why", action="store_true", help="say in plain words why it went as it did")
    see = parser.add_argument_group("see it")
    see.add_argument("--view", action="store_true", help="show it in the browser")
    see.add_argument("--report", type=Path, metavar="OUT.html", help="the same page as one file that needs no network")
    see.add_argument(
        "--with", dest="other", metavar="EPISODE", help="another episode beside it, in --view and --report"
    )
    see.add_argument("--at", type=float, metavar="SECONDS", help="where --view and --verify begin")
    see.add_argument("--port", type=number_between(0, 65535), default=0, help="of --view (default: a free one)")
    see.add_argument("--no-browser", action="store_true", help="only serve the page and print its address")
    see.add_argument("--video", type=Path, metavar="OUT.mp4", help="render it")
    see.add_argument(
        "--speed",
        type=number_between(1, 64),
        default=4,
        metavar="N",
        help="how many times faster the video runs (default 4)",
    )
    ask = parser.add_argument_group("what if")
    ask.add_argument(
        "--fork", type=number_between(0, 10**9), metavar="STEP", help="go on from this step as a new episode"
    )
    ask.add_argument(
        "--fork-sweep",
        type=number_between(2, 1000),
        metavar="N",
        help="fork at N moments and find from which one on the outcome was decided",
    )
    ask.add_argument("--policy", type=one_of("policy", POLICIES), help="of the fork (default: the recorded one)")
    ask.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="weights of that policy (default: the recorded ones)"
    )
    ask.add_argument("--planner", type=one_of("planner", PLANNERS), help="of the fork (default: the recorded one)")
    ask.add_argument(
        "--set",
        dest="changes",
        action="append",
        default=[],
        metavar="THING.PROPERTY=VALUE",
        help="change the world of the fork, for example mug.mass=0.6; may be repeated",
    )
    ask.add_argument(
        "--policy-only",
        action="store_true",
        help="feed what was observed to the mind (with --policy, another one) and compare its actions; nothing moves",
    )
    ask.add_argument("--gate", action="store_true", help="feed what was asked to the safety gate and compare")
    ask.add_argument(
        "--to", type=loopback_address, metavar="ADDRESS", help="play it on a robot or another simulator, with care"
    )
    take = parser.add_argument_group("take it elsewhere")
    take.add_argument("--export", type=one_of("format", FORMATS), help=", ".join(FORMATS))
    take.add_argument("--out", type=Path, metavar="PATH", help="where the export goes")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    _check(args)
    from rich.console import Console

    from agent.commands.report import describe_episode
    from agent.episodes import Episode, episodes_root, find_episode

    console = Console(stderr=str(args.json) == "-")
    # What is only looked at need not be read whole first.
    quick = not args.verify and bool(args.view or args.report or args.why)
    episode = Episode.open(find_episode(args.episode, episodes_root()), quick=quick)
    result = describe_episode(console, episode)
    for name, act in _ACTIONS.items():
        if getattr(args, name) not in (None, False):
            result[name] = act(episode, args, console)
    write_json(args.json, result)
    failed = any(isinstance(found, dict) and found.get("same") is False for found in result.values())
    return Exit.FAILED if failed else Exit.OK


def _check(args: argparse.Namespace) -> None:
    for name, suffix in (("video", ".mp4"), ("report", ".html")):
        path = getattr(args, name)
        if path and path.suffix != suffix:
            raise CommandError(
                f"--{name} writes {suffix} files, not {path.suffix or 'a name without suffix'!r}: {path}"
            )
    if args.other and not (args.view or args.report):
        raise CommandError("--with puts an episode beside another in --view or --report; say which of them")
    if args.export and not args.out:
        raise CommandError(f"--export {args.export} needs --out PATH")
    if args.checkpoint and args.fork is None and args.fork_sweep is None and not args.policy_only:
        raise CommandError("--checkpoint is for --policy-only, --fork STEP and --fork-sweep N; say which of them")
    if args.changes and args.fork is None and args.fork_sweep is None:
        raise CommandError("--set changes the world of a fork; say where with --fork STEP or --fork-sweep N")


def _why(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from agent.episodes.why import explain, why_as_json

    reasons = explain(episode)
    console.print()
    for reason in reasons:
        console.print(f"  {reason}", highlight=False, markup=False, soft_wrap=True)
    return why_as_json(reasons)


def _together(episode: "Episode", args: argparse.Namespace) -> list["Episode"]:
    if not args.other:
        return [episode]
    from agent.episodes import Episode, episodes_root, find_episode

    return [episode, Episode.open(find_episode(args.other, episodes_root()), quick=True)]


def _report(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from agent.commands.viewing import write_report

    size = write_report(_together(episode, args), args.report, console)
    console.print(f"report {args.report}: {size / 1e6:.1f} MB, needs no network", soft_wrap=True, highlight=False)
    return {"file": str(args.report), "bytes": size}


def _view(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from agent.commands.viewing import view
    from agent.episodes.why import decisive_moment

    at_s = args.at if args.at is not None else decisive_moment(episode)
    view(_together(episode, args), console, args.port, at_s, not args.no_browser)
    return True


def _video(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from rich.progress import Progress

    from agent.commands.rebuild import rebuild_world
    from agent.commands.video import render_video
    from sim.render import opengl_status

    usable, reason = opengl_status()
    if not usable:
        raise CommandError(f"no video: {reason}; everything else works without", Exit.MISSING)
    out: Path = args.video
    world = rebuild_world(episode.header)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("filming")
        frames = render_video(
            episode, world, out, args.speed, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    console.print(f"video {out}: {frames} frames, {args.speed} times as fast", soft_wrap=True, highlight=False)
    return {"file": str(out), "frames": frames, "speed": args.speed}


def _verify(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from rich.progress import Progress

    from agent.commands.rebuild import rebuild_world
    from agent.episodes.verify import verdict_as_json, verify

    world = rebuild_world(episode.header)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("simulating again")
        verdict = verify(
            episode, world, lambda done, total: progress.update(bar, completed=done, total=total), args.at or 0.0
        )
    if verdict.difference is None:
        console.print(f"[green]the same[/]: {verdict.ticks} ticks, {verdict.steps} physics steps, to the last bit")
        if verdict.missing:
            console.print(f"[red]but the log lacks {verdict.missing} ticks in between[/]", highlight=False)
    else:
        console.print(f"[red]not the same[/]: {verdict.difference}", highlight=False)
    for damage in episode.losses:
        console.print(f"[red]damaged[/]: {damage}", highlight=False, soft_wrap=True)
    found = verdict_as_json(verdict)
    return {**found, "same": found["same"] and not episode.losses, "damage": [str(d) for d in episode.losses]}


def _fork(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from agent.commands.fork import describe_run
    from agent.commands.report import print_next_steps, print_report

    fork = _forked(episode, args.fork, args)
    report = _run_fork(fork, console)
    print_report(console, report)
    otherwise = fork.following.thought_otherwise_at
    if otherwise is not None:
        console.print(f"  [yellow]the mind of this code would have acted otherwise from step {otherwise} on[/]")
    print_next_steps(console, report)
    console.print(
        f"  doppio replay {report.episode} --view --with {episode.directory}", soft_wrap=True, highlight=False
    )
    return describe_run(fork, report)


def _forked(episode: "Episode", step: int, args: argparse.Namespace) -> "Fork":
    from agent.commands.changes import parse_change
    from agent.commands.fork import Fork

    header = episode.header
    changes = [parse_change(text) for text in args.changes]
    return Fork(episode, step, args.policy or header.policy, args.planner or header.planner, changes, args.checkpoint)


def _run_fork(fork: "Fork", console: "Console") -> "EpisodeReport":
    from agent.commands.fork import run_fork
    from agent.commands.progress import watch_run
    from agent.episodes import episodes_root

    header = fork.episode.header
    with watch_run(console, f"{header.task}, {header.split} {header.index}, forked at {fork.time_s:.1f} s") as watch:
        return run_fork(fork, episodes_root(), watch)


def _fork_sweep(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from agent.commands.fork import check_sweep, conclude, describe_run, sweep_steps

    forks = [_forked(episode, step, args) for step in sweep_steps(episode, args.fork_sweep)]
    check_sweep(forks[0])
    runs, described = [], []
    for fork in forks:
        report = _run_fork(fork, console)
        word = "[green]success[/]" if report.success else f"[red]failed[/]: {report.reason}"
        console.print(f"  forked at {fork.time_s:7.1f} s  {word}", highlight=False)
        runs.append((fork.time_s, report))
        described.append(describe_run(fork, report))
    said = conclude(episode, runs)
    console.print(f"\n{said}", highlight=False)
    return {"runs": described, "conclusion": said}


def _policy_only(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from rich.progress import Progress
    from rich.table import Table

    from agent.commands.simulation import errand_of
    from agent.commands.weights import chosen_policy
    from agent.episodes.shadow import policy_only

    name = args.policy or episode.header.policy
    policy = chosen_policy(episode.header, name, args.checkpoint)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("thinking along")
        found = policy_only(
            episode,
            policy,
            errand_of(episode.header.task),
            lambda done, total: progress.update(bar, completed=done, total=total),
        )
    first = found["first_difference"]
    if first is None:
        console.print(f"[green]the same[/]: {name} asks for what was asked in all {found['steps']} steps")
        return found
    console.print(f"{name} first asks for something else at {first['time_s']:.2f} s, in {first['subgoal']}")
    table = Table(box=None, pad_edge=False)
    table.add_column("subgoal")
    for column in ("steps", "other action", "tool mm/s, mean", "95 %", "base mm/s", "other grip mode"):
        table.add_column(column, justify="right")
    for kind, row in found["subgoals"].items():
        table.add_row(
            kind,
            str(row["steps"]),
            f"{row['differing_share']:.0%}",
            f"{1e3 * row['tool_m_s_mean']:.1f}",
            f"{1e3 * row['tool_m_s_p95']:.1f}",
            f"{1e3 * row['base_m_s_mean']:.1f}",
            f"{row['other_grip_mode_share']:.0%}",
        )
    console.print(table)
    return {**found, "policy": name, "same": None}


def _gate(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from rich.progress import Progress
    from rich.table import Table

    from agent.episodes.shadow import gate_only

    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("through the gate")
        found = gate_only(episode, lambda done, total: progress.update(bar, completed=done, total=total))
    console.print(f"the gate agrees with the record in {found['agreeing_share']:.1%} of {found['steps']} ticks")
    table = Table(box=None, pad_edge=False)
    table.add_column("limit")
    for column in ("ticks now", "recorded", "worst asked", "bound", "at"):
        table.add_column(column, justify="right")
    for name, row in found["limits"].items():
        asked = "" if row["worst_asked"] is None else f"{row['worst_asked']:.3g}"
        bound = "" if row["bound"] is None else f"{row['bound']:.3g}"
        at = "" if row["at_s"] is None else f"{row['at_s']:.1f} s"
        table.add_row(name, str(row["ticks_now"]), str(row["ticks_recorded"]), asked, bound, at)
    console.print(table)
    return found


def _to(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from agent.episodes import package_versions
    from agent.episodes.performance import perform
    from agent.links.remote_robot import RemoteRobot, RobotLostError

    try:
        with RemoteRobot(args.to, version=package_versions()["doppio"]) as robot:
            played = perform(episode, robot)
    except RobotLostError as error:
        raise CommandError(str(error), Exit.FAILED) from error
    end = f"[yellow]stopped[/]: {played.stopped}" if played.stopped else "[green]played to its end[/]"
    console.print(f"{played.steps} of {played.of} steps, to {played.time_s:.1f} s: {end}", highlight=False)
    console.print(f"  the tool was {1e3 * played.tool_apart_m:.1f} mm off at most", highlight=False)
    return {"steps": played.steps, "of": played.of, "stopped": played.stopped, "same": not played.stopped}


def _export(episode: "Episode", args: argparse.Namespace, console: "Console") -> Any:
    from agent.commands.exporting import export

    written = export([episode], args.export, args.out, console)
    console.print(f"{args.export} {args.out}: {written}", soft_wrap=True, highlight=False)
    return {"format": args.export, "path": str(args.out), "what": written}


_ACTIONS = {
    "verify": _verify,
    "why": _why,
    "report": _report,
    "video": _video,
    "policy_only": _policy_only,
    "gate": _gate,
    "fork": _fork,
    "fork_sweep": _fork_sweep,
    "to": _to,
    "export": _export,
    "view": _view,
}
"""By the argument that asks for it, in the order in which they are done."""
