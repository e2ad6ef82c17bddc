"""Print how an episode went."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from agent.episodes import Episode, EpisodeReport, code_identity


def print_report(console: Console, report: EpisodeReport) -> None:
    """Success and each part of it, what was spilled or broken, durations of subgoals."""
    console.print()
    if report.subgoals:
        console.print(_subgoal_table(report))
        console.print()
    if report.success:
        safe = {True: "safely", False: "but not safely", None: "as the mind believes: nobody judged it"}[report.safe]
        console.print(f"[bold green]success[/], {safe}")
    else:
        where = f" in {report.failed_subgoal}" if report.failed_subgoal else ""
        console.print(f"[bold red]failed[/]{where}: {report.reason or 'no reason given'}")
    _print_parts(console, "success", report.parts)
    _print_parts(console, "safety", report.safety)
    for unsafe in report.unsafe:
        where = f"at {unsafe.time_s:.1f} s" + (f" in {unsafe.subgoal} {unsafe.target}" if unsafe.subgoal else "")
        console.print(f"  [red]unsafe[/]   {unsafe.part} {unsafe.value} {where}", highlight=False)
    console.print(f"  spilled  {report.spilled_ml:.0f} ml")
    console.print(f"  broken   {', '.join(report.broken) or 'nothing'}")
    console.print(f"  dropped  {', '.join(report.dropped) or 'nothing'}")
    console.print(
        f"  took     {report.duration_s:.1f} s, computed in {report.wall_s:.1f} s "
        f"({report.realtime_factor:.1f}× real time, reset {report.reset_s:.2f} s)"
    )
    if report.initial_state_hash:
        console.print(f"  started from state {report.initial_state_hash}")


def print_next_steps(console: Console, report: EpisodeReport) -> None:
    """Where the episode is and what to do with it."""
    if report.episode:
        console.print(f"  episode  {report.episode}", soft_wrap=True, highlight=False)
        console.print(
            f"\nnext:\n  doppio replay {report.episode} --view\n  doppio replay {report.episode} --why\n"
            f"  doppio replay {report.episode} --video out.mp4\n  doppio replay {report.episode} --verify",
            soft_wrap=True,
            highlight=False,
        )


def describe_episode(console: Console, episode: Episode) -> dict[str, Any]:
    """Print what an episode is and how it went, with anything that is wrong with its files; the same for machines."""
    header, code = episode.header, code_identity()
    console.print(
        f"[bold]{header.task}[/], {header.split} {header.index}, {header.policy} with {header.planner} planner"
    )
    console.print(f"  recorded {header.started}, code {header.code.sources}, on {header.cpu}", highlight=False)
    if header.code.sources != code.sources:
        console.print(f"  [yellow]other code now ({code.sources}): it may come out differently[/]", highlight=False)
    console.print(f"  {len(episode)} steps, {episode.duration_s:.1f} s", highlight=False)
    for damage in episode.damage:
        console.print(f"  [yellow]{damage}[/]", soft_wrap=True, highlight=False)
    if episode.summary is None:
        console.print("  [yellow]no report: the run was ended before it was finished[/]")
        for subgoal_report in episode.reports():
            if subgoal_report.status != "running":
                console.print(
                    f"  {subgoal_report.time_s:7.1f} s  subgoal {subgoal_report.subgoal_id}: {subgoal_report.status}"
                )
    else:
        print_report(console, msgspec.convert(episode.summary, EpisodeReport))
    return {
        "episode": str(episode.directory),
        "header": msgspec.to_builtins(header),
        "steps": len(episode),
        "duration_s": episode.duration_s,
        "damage": [str(damage) for damage in episode.damage],
        "summary": episode.summary,
    }


def _print_parts(console: Console, name: str, parts: Mapping[str, bool]) -> None:
    if parts:
        words = "  ".join(f"[green]✓[/] {part}" if holds else f"[red]✗[/] {part}" for part, holds in parts.items())
        console.print(f"  {name:<8} {words}", soft_wrap=True)


def _subgoal_table(report: EpisodeReport) -> Table:
    table = Table(box=None, pad_edge=False)
    for column, justify in (
        ("from", "right"),
        ("took", "right"),
        ("subgoal", "left"),
        ("tries", "right"),
        ("", "left"),
    ):
        table.add_column(column, justify=justify)  # pyright: ignore[reportArgumentType]
    for subgoal in report.subgoals:
        table.add_row(
            f"{subgoal.start_s:.1f} s",
            f"{subgoal.duration_s:.1f} s",
            f"{subgoal.kind} {subgoal.target}",
            str(subgoal.attempts),
            "[green]done[/]" if subgoal.succeeded else f"[red]{subgoal.reason or 'failed'}[/]",
        )
    return table
