"""Find, describe, compare and tidy up recorded episodes.

examples: doppio episodes list --task coffee --outcome failed
          doppio episodes show latest
          doppio episodes stats --task coffee --since 2026-01-31
          doppio episodes verify --limit 100
          doppio episodes gc --to-gb 20
          doppio episodes export --task pick-mug --outcome success --out dataset/
"""

import argparse
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.arguments import add_json, number_between, one_of
from agent.commands.outcome import CommandError, Exit, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from agent.episodes.index import Entry, EpisodeIndex

SUMMARY = "find, compare and tidy up recorded episodes"

OUTCOMES = ("success", "unsafe", "failed", "cut", "running", "unreadable")
KEEP = "keep"
"""A file of this name in an episode's folder protects it from gc."""
_COLOUR = {"success": "green", "unsafe": "yellow", "failed": "red", "cut": "yellow"}
_SURPRISED = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", type=one_of("action", _ACTIONS), help=", ".join(_ACTIONS))
    parser.add_argument("episode", metavar="EPISODE", nargs="?", default="latest", help="for show (default latest)")
    parser.add_argument("--root", type=Path, metavar="DIR", help="where episodes are (default $DOPPIO_EPISODES)")
    which = parser.add_argument_group("which episodes")
    which.add_argument("--task", help="of this task")
    which.add_argument("--split", help="of this split")
    which.add_argument("--index", type=int, dest="house", metavar="N", help="of this house")
    which.add_argument("--policy", help="of this policy")
    which.add_argument("--outcome", type=one_of("outcome", OUTCOMES), action="append", help=", ".join(OUTCOMES))
    which.add_argument("--subgoal", metavar="KIND", help="that failed in a subgoal of this kind, e.g. pick")
    which.add_argument("--since", metavar="DATE", help="begun on this day or later, e.g. 2026-01-31")
    which.add_argument("--until", metavar="DATE", help="begun before this day")
    which.add_argument("--limit", type=number_between(1, 10**9), default=50, help="of list and verify (default 50)")
    tidy = parser.add_argument_group("gc and export")
    tidy.add_argument("--to-gb", type=float, metavar="N", help="of gc: how much may remain")
    tidy.add_argument("--yes", action="store_true", help="of gc: do it, do not only say what would be removed")
    tidy.add_argument("--out", type=Path, metavar="DIR", help="of export: the LeRobot dataset")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from agent.episodes import episodes_root
    from agent.episodes.index import EpisodeIndex

    console = Console(stderr=str(args.json) == "-", highlight=False)
    index = EpisodeIndex(args.root or episodes_root())
    try:
        with console.status("looking for new episodes"):
            index.refresh()
        result = _ACTIONS[args.what](index, args, console)
    finally:
        index.close()
    write_json(args.json, result)
    return Exit.FAILED if result.get("different") else Exit.OK


def conditions(args: argparse.Namespace) -> dict[str, Any]:
    """The wanted values by column."""
    names = ("task", "split", "house", "policy", "outcome", "subgoal", "since", "until")
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _list(index: "EpisodeIndex", args: argparse.Namespace, console: "Console") -> dict[str, Any]:
    from rich.table import Table

    entries = index.find(conditions(args), limit=args.limit)
    table = Table(box=None, pad_edge=False)
    for column in ("episode", "outcome", "why", "in"):
        table.add_column(column, overflow="fold")
    for column in ("took", "MB"):
        table.add_column(column, justify="right")
    for entry in entries:
        colour = _COLOUR.get(entry.outcome, "dim")
        table.add_row(
            entry.name + (f" ⑂ {entry.parent}" if entry.parent else ""),
            f"[{colour}]{entry.outcome}[/]",
            entry.reason,
            entry.subgoal,
            f"{entry.duration_s:.0f} s",
            f"{entry.size_bytes / 1e6:.0f}",
        )
    console.print(table)
    if len(entries) == args.limit:
        console.print(f"the newest {args.limit}; more with --limit")
    return {"episodes": [vars(entry) for entry in entries]}


def _show(index: "EpisodeIndex", args: argparse.Namespace, console: "Console") -> dict[str, Any]:
    from agent.commands.report import describe_episode
    from agent.episodes import Episode, find_episode
    from agent.episodes.why import explain, why_as_json

    episode = Episode.open(find_episode(args.episode, index.root), quick=True)
    described = describe_episode(console, episode)
    console.print()
    reasons = explain(episode)
    for reason in reasons:
        console.print(f"  {reason}", markup=False, soft_wrap=True)
    forks = index.find({"parent": episode.directory.name})
    for fork in forks:
        console.print(f"  fork {fork.name}: {fork.outcome}", markup=False)
    return {**described, "why": why_as_json(reasons), "forks": [fork.name for fork in forks]}


def _stats(index: "EpisodeIndex", args: argparse.Namespace, console: "Console") -> dict[str, Any]:
    from agent.commands.statistics import LEAD_IN_S, wilson_interval

    entries = [e for e in index.find(conditions(args)) if e.outcome not in ("running", "unreadable")]
    counts = Counter(e.outcome for e in entries)
    good = counts["success"] + counts["unsafe"]
    low, high = wilson_interval(good, len(entries))
    console.print(f"{len(entries)} episodes, {sum(e.size_bytes for e in entries) / 1e9:.2f} GB", end="")
    console.print(f": {good} succeeded ({counts['unsafe']} of them not safely), {counts['failed']} failed, ", end="")
    console.print(f"{counts['cut']} cut off; {100 * low:.0f} to {100 * high:.0f} % succeed (95 %)")
    clusters = cluster(entries)
    for found in clusters:
        console.print(
            f"\n  {found['n']} × failed in {found['subgoal'] or 'no subgoal'}, last felt: {found['contact'] or '–'}, "
            f"surprise: {found['surprise']}; {', '.join(found['reasons'])}",
            markup=False,
            soft_wrap=True,
        )
        at_s = max(0.0, found["at_s"] - LEAD_IN_S)
        console.print(
            f"      doppio replay {index.root / found['example']} --view --at {at_s:.1f}", markup=False, soft_wrap=True
        )
    return {"episodes": len(entries), "outcomes": dict(counts), "ci95": [low, high], "clusters": clusters}


def cluster(entries: "list[Entry]") -> list[dict[str, Any]]:
    """Failures alike in subgoal, last contact and surprise, the most frequent first, each with its newest example."""
    groups: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.outcome in ("failed", "cut"):
            surprised = "not predicted" if entry.surprise < 0 else "yes" if entry.surprise > _SURPRISED else "no"
            groups[entry.subgoal, entry.contact, surprised].append(entry)
    found = []
    for (subgoal, contact, surprise), members in groups.items():
        newest = max(members, key=lambda e: e.started)
        reasons = Counter(e.reason for e in members)
        found.append(
            {
                "n": len(members),
                "subgoal": subgoal,
                "contact": contact,
                "surprise": surprise,
                "reasons": dict(reasons.most_common(3)),
                "example": newest.name,
                "at_s": newest.decided_s,
                "houses": sorted({e.house for e in members}),
            }
        )
    return sorted(found, key=lambda f: (-f["n"], f["subgoal"], f["contact"]))


def _verify(index: "EpisodeIndex", args: argparse.Namespace, console: "Console") -> dict[str, Any]:
    from agent.commands.rebuild import rebuild_world
    from agent.episodes import Episode, EpisodeError, Kind
    from agent.episodes.verify import verify

    entries = index.find(conditions(args), limit=args.limit)
    same, different, impossible = 0, [], []
    for entry in entries:
        try:
            episode = Episode.open(index.root / entry.name)
            if not len(episode.all_of(Kind.CONTROL)):
                impossible.append(entry.name)  # the robot's side has what can be simulated
                continue
            verdict = verify(episode, rebuild_world(episode.header))
            difference = verdict.difference or (str(episode.losses[0]) if episode.losses else None)
            if verdict.missing and difference is None:
                difference = f"the commands of {verdict.missing} ticks are missing"
        except EpisodeError as error:
            difference = str(error)
        same += difference is None
        if difference is not None:
            different.append({"episode": entry.name, "difference": str(difference)})
            console.print(f"  {entry.name}: {difference}", markup=False)
    console.print(f"{same} of {len(entries) - len(impossible)} episodes come out the same, to the last bit", end="")
    console.print(f"; {len(impossible)} hold no commands to simulate" if impossible else "")
    return {"same_episodes": same, "different": different, "without_commands": impossible}


def _gc(index: "EpisodeIndex", args: argparse.Namespace, console: "Console") -> dict[str, Any]:
    if args.to_gb is None or args.to_gb < 0:
        raise CommandError("gc needs --to-gb N: how many gigabytes of episodes may remain, 0 or more")
    everything = index.find({}, oldest_first=True)
    used = sum(e.size_bytes for e in everything)
    removed = choose_to_remove(
        everything, used - int(args.to_gb * 1e9), lambda e: (index.root / e.name / KEEP).exists()
    )
    freed = sum(e.size_bytes for e in removed)
    word = "removed" if args.yes else "would be removed (do it with --yes)"
    for entry in removed:
        console.print(f"  {entry.name}  {entry.outcome}  {entry.size_bytes / 1e6:.0f} MB", markup=False)
        if args.yes:
            shutil.rmtree(index.root / entry.name)
            index.forget(entry.name)
    console.print(f"{len(removed)} episodes, {freed / 1e9:.2f} GB {word}; {(used - freed) / 1e9:.2f} GB remain")
    if used - freed > args.to_gb * 1e9:
        console.print(f"more cannot go: the rest is running or has a file {KEEP!r} in its folder")
    return {"removed": [e.name for e in removed], "freed_bytes": freed, "remain_bytes": used - freed, "done": args.yes}


def choose_to_remove(entries: "list[Entry]", excess: int, is_kept: Any) -> "list[Entry]":
    """Enough of `entries` (oldest first) to free `excess` bytes: successes first, never what runs or is kept."""
    chosen, freed = [], 0
    for outcomes in (("success",), ("unsafe", "cut", "unreadable"), ("failed",)):
        for entry in entries:
            if freed >= excess:
                return chosen
            if entry.outcome in outcomes and not is_kept(entry):
                chosen.append(entry)
                freed += entry.size_bytes
    return chosen


def _export(index: "EpisodeIndex", args: argparse.Namespace, console: "Console") -> dict[str, Any]:
    from agent.commands.exporting import export
    from agent.episodes import Episode

    if args.out is None:
        raise CommandError("export needs --out DIR: the folder of the LeRobot dataset")
    entries = [
        e for e in index.find(conditions(args), oldest_first=True) if e.outcome in ("success", "unsafe", "failed")
    ]
    if not entries:
        raise CommandError("no finished episode is like that; see `doppio episodes list` with the same options")
    episodes = [Episode.open(index.root / entry.name, quick=True) for entry in entries]
    written = export([e for e in episodes if len(e)], "lerobot", args.out, console)
    console.print(f"{args.out}: {written}", soft_wrap=True)
    return {"path": str(args.out), "what": written, "episodes": [e.name for e in entries]}


_ACTIONS = {"list": _list, "show": _show, "stats": _stats, "verify": _verify, "gc": _gc, "export": _export}
