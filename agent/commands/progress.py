"""A live line about a running episode: subgoal, simulated time, real-time factor."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from agent.session import Progress

_REDRAW_PERIOD_S = 0.2


@contextmanager
def watch_run(console: Console, title: str) -> "Iterator[Callable[[Progress], None]]":
    """Yield a callback for `run_episode`. Not at a terminal, it prints one line per subgoal instead."""
    if not console.is_terminal:
        yield _line_per_subgoal(console, title)
        return
    console.print(f"[bold]{title}[/]")
    started, last_drawn = time.monotonic(), 0.0
    seen: int | None = None
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def show(progress: "Progress") -> None:
            nonlocal last_drawn, seen
            now = time.monotonic()
            subgoal = progress.subgoal
            if subgoal is not None and subgoal.id != seen:
                seen = subgoal.id
                console.print(f"[dim]{progress.time_s:7.1f} s[/]  {subgoal.kind} {subgoal.target or subgoal.item}")
            if now - last_drawn < _REDRAW_PERIOD_S:
                return
            last_drawn = now
            rate = progress.time_s / max(now - started, 1e-6)
            name = f"{subgoal.kind} {subgoal.target or subgoal.item}" if subgoal else "waiting for a plan"
            live.update(
                Text(f"{progress.time_s:7.1f} s  {name}  {progress.phase}  {rate:.1f}× real time"), refresh=True
            )

        yield show


def _line_per_subgoal(console: Console, title: str) -> "Callable[[Progress], None]":
    seen: int | None = None
    console.print(title)

    def show(progress: "Progress") -> None:
        nonlocal seen
        subgoal = progress.subgoal
        if subgoal is not None and subgoal.id != seen:
            seen = subgoal.id
            console.print(f"{progress.time_s:7.1f} s  {subgoal.kind} {subgoal.target or subgoal.item}")

    return show
