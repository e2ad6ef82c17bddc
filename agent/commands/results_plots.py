"""Pictures of results: success with its interval, and limits kept against success."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.results_cells import pooled, shared
from agent.commands.results_tables import violations

if TYPE_CHECKING:
    from agent.commands.results_cells import Reports, Results

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888", "#222222")
"""Paul Tol's bright scheme: told apart by colour-blind people too."""


def draw_success(
    results: "Results", tasks: Sequence[str], conditions: Sequence[str], minds: Sequence[str], picture: Path
) -> bool:
    """A point with its interval for each condition and mind, tasks pooled; False without matplotlib or results."""
    results = shared(results, tasks, conditions, minds)
    points = {mind: [_share(pooled(results, tasks, [c], mind)) for c in conditions] for mind in minds}
    points = {mind: of_mind for mind, of_mind in points.items() if any(n for *_, n in of_mind)}
    figure = _figure(max(7.0, 1.6 * len(conditions)), 3.6) if points else None
    if figure is None:
        return False
    axes = figure.subplots()
    width = 0.8 / len(points)
    for k, (mind, of_mind) in enumerate(points.items()):
        there = [(i, share, low, high) for i, (share, low, high, n) in enumerate(of_mind) if n]
        at = [i + (k - (len(points) - 1) / 2) * width for i, *_ in there]
        height = [100.0 * share for _, share, _, _ in there]
        error = [
            [100.0 * max(0.0, share - low) for _, share, low, _ in there],
            [100.0 * max(0.0, high - share) for _, share, _, high in there],
        ]
        colour = COLOURS[k % len(COLOURS)]
        # Points and not points: the axis need not begin at nothing.
        axes.errorbar(at, height, yerr=error, label=mind, color=colour, fmt="o", ms=5, lw=1.4)
    least = min(share for of_mind in points.values() for share, _, _, n in of_mind if n)
    axes.set_ylim(max(0.0, 100.0 * least - 25.0) if least > 0.5 else 0.0, 101.5)
    for i in range(1, len(conditions)):
        axes.axvline(i - 0.5, color="#dddddd", lw=0.8)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_ylabel("success, %")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=8, ncols=min(4, len(points)), loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return _save(figure, picture)


def draw_limits(results: "Results", tasks: Sequence[str], minds: Sequence[str], picture: Path) -> bool:
    """Share of episodes that passed a limit against success; False without matplotlib or results."""
    results = shared(results, tasks, ["limits"], minds)
    found = [(mind, pooled(results, tasks, ["limits"], mind)) for mind in minds]
    points = [(mind, reports) for mind, reports in found if violations(reports)[1]]
    figure = _figure(5.2, 4.0) if points else None
    if figure is None:
        return False
    from agent.commands.statistics import wilson_interval

    axes = figure.subplots()
    for k, (mind, reports) in enumerate(points):
        passed, n = violations(reports)
        x, (left, right) = passed / n, wilson_interval(passed, n)
        y, low, high, _ = _share(reports)
        spans = ((x, left, right), (y, low, high))
        across, along = ([[max(0.0, 100.0 * (at - a))], [max(0.0, 100.0 * (b - at))]] for at, a, b in spans)
        axes.errorbar(
            100 * x, 100 * y, xerr=across, yerr=along, fmt="o", color=COLOURS[k % len(COLOURS)], label=mind, lw=0.8
        )
    axes.set_xlabel("episodes that passed a limit, %")
    axes.set_ylabel("success, %")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return _save(figure, picture)


def _share(reports: "Reports") -> tuple[float, float, float, int]:
    """Success, its interval, n."""
    from agent.commands.statistics import aggregate

    numbers = aggregate(list(reports.items()))
    return numbers["success_rate"], *numbers["success_ci95"], numbers["episodes"]


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, picture: Path) -> bool:
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120)
    return True
