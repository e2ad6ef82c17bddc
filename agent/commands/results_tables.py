"""The tables of docs/results.md, from the reports of episodes. Rates have Wilson's interval; what pools tasks pools the
houses that all minds were run in."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from agent.commands.results_cells import LIMITS, Cell, mark, pairs, plans_hardly, pooled, rate, shared

if TYPE_CHECKING:
    from agent.commands.results_cells import Reports, Results
    from agent.episodes import EpisodeReport

MARGIN = 0.02
"""Planning is not inferior when it is worse than the prior by less than this, at 95 %."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(row) + " |" for row in rows)]


def by_task(results: "Results", tasks: Sequence[str], condition: str, minds: Sequence[str]) -> list[str]:
    """Success of each mind in each task under one condition, and in all together."""
    rows = [[task, *(rate(results.get(Cell(task, condition, mind), {})) for mind in minds)] for task in tasks]
    fair = shared(results, tasks, [condition], minds)
    rows.append(["**all**", *(f"**{rate(pooled(fair, tasks, [condition], mind))}**" for mind in minds)])
    return table(["task", *minds], rows)


def first_tries(results: "Results", tasks: Sequence[str], condition: str, minds: Sequence[str]) -> list[str]:
    """How often each mind succeeded with a single attempt in each task under one condition, and in all together; n is
    that of `by_task`."""
    from agent.commands.statistics import aggregate

    def share(reports: "Reports") -> str:
        there = [report for report in reports.values() if not report.lacks]
        if not there:
            return "–"
        return f"{_first_tries(there)}{mark(aggregate(list(reports.items())))}"

    rows = [[task, *(share(results.get(Cell(task, condition, mind), {})) for mind in minds)] for task in tasks]
    fair = shared(results, tasks, [condition], minds)
    rows.append(["**all**", *(f"**{share(pooled(fair, tasks, [condition], mind))}**" for mind in minds)])
    return table(["at first try", *minds], rows)


def _first_tries(there: "Sequence[EpisodeReport]") -> str:
    """`98% (95%–99%)` of these."""
    from agent.commands.statistics import wilson_interval

    first = sum(map(at_first_try, there))
    low, high = wilson_interval(first, len(there))
    return f"{first / len(there):.0%} ({low:.0%}–{high:.0%})"


def at_first_try(report: "EpisodeReport") -> bool:
    """It succeeded with a single attempt at each subgoal."""
    return report.success and all(subgoal.attempts == 1 for subgoal in report.subgoals)


WORTH = ("at first try", "in the end", "acting, s", "passed a limit", "planned")
"""Of what columns `worth` gives."""


def worth(results: "Results", tasks: Sequence[str], conditions: Sequence[str], mind: str) -> list[str]:
    """What a mind is worth in all these tasks and conditions together; limits where they are set at run time."""
    from agent.commands.statistics import aggregate

    reports = pooled(results, tasks, conditions, mind)
    there = [report for report in reports.values() if not report.lacks]
    if not there:
        return ["–"] * len(WORTH)
    passed, n = violations(pooled(results, tasks, ["limits"], mind)) if "limits" in conditions else (0, 0)
    return [
        f"{_first_tries(there)}, n {len(there)}",
        f"{sum(report.success for report in there) / len(there):.0%}",
        f"{sum(report.acting_s for report in there) / len(there):.1f}",
        f"{passed} of {n}" if n else "–",
        _planned(aggregate(list(reports.items()))),
    ]


def by_condition(
    results: "Results", tasks: Sequence[str], conditions: Sequence[str], minds: Sequence[str]
) -> list[str]:
    """Success of each mind under each condition, tasks pooled."""
    results = shared(results, tasks, conditions, minds)
    rows = [[c, *(rate(pooled(results, tasks, [c], mind)) for mind in minds)] for c in conditions]
    return table(["condition", *minds], rows)


def how(results: "Results", tasks: Sequence[str], condition: str, minds: Sequence[str]) -> list[str]:
    """First try, safety, time, planning and limits, over all tasks."""
    from agent.commands.statistics import aggregate

    results, rows = shared(results, tasks, [condition], minds), []
    for mind in minds:
        numbers = aggregate(list(pooled(results, tasks, [condition], mind).items()))
        n = max(1, sum(kind["n"] for kind in numbers["subgoals"].values()))
        first = sum(kind["first_try"] for kind in numbers["subgoals"].values()) / n
        passed = [
            f"{kept['passed'] / kept['episodes']:.0%}" if (kept := numbers["limits"].get(name)) else "–"
            for name in LIMITS
        ]
        safe = f"{numbers['safe_success_rate']:.0%}"
        rows.append([mind, f"{first:.0%}", safe, f"{numbers['mean_duration_s']:.1f}", _planned(numbers), *passed])
    return table(["mind", "first try", "safe", "mean s", "planned", *(f"{name} passed" for name in LIMITS)], rows)


def _planned(numbers: dict) -> str:  # type: ignore[type-arg]
    share = numbers["planned_share"]
    return "–" if share is None else f"{share:.1%}" + (" (prior)" if plans_hardly(numbers) else "")


def compared(
    results: "Results",
    tasks: Sequence[str],
    conditions: Sequence[str],
    first: str,
    second: str,
    *,
    margin: bool = False,
) -> list[str]:
    """Paired difference of success with its 95 % interval, pooled over tasks; with a verdict where `margin` asks."""
    from agent.commands.statistics import paired_difference

    rows = []
    for condition in conditions:
        both = pairs(results, tasks, [condition], first, second)
        row = [condition, str(len(both)), _difference(both)]
        if margin:
            _, low, high = paired_difference(both)
            word = "not inferior" if low > -MARGIN else "inferior" if high < -MARGIN else "undecided"
            row.append(f"{word} by a margin of {MARGIN:.0%}")
        rows.append(row)
    head = ["condition", "pairs", f"{first} minus {second}"]
    return table([*head, "verdict"] if margin else head, rows)


def _difference(both: Sequence[tuple[bool, bool]]) -> str:
    """Of pairs, with its 95 % interval; a dash where there are none."""
    from agent.commands.statistics import paired_difference

    if not both:
        return "–"
    difference, low, high = paired_difference(both)
    return f"{difference:+.1%} ({low:+.1%} to {high:+.1%})"


def passed_limit(report: "EpisodeReport") -> bool:
    """Any limit that a policy had to keep was passed, for longer than a moment."""
    from agent.commands.statistics import LIMIT_SLACK_S

    return any(report.limits[name].over_s > LIMIT_SLACK_S for name in LIMITS if name in report.limits)


def violations(reports: "Reports") -> tuple[int, int]:
    """In how many of how many episodes a limit was passed."""
    there = [r for r in reports.values() if not r.lacks and r.limits]
    return sum(map(passed_limit, there)), len(there)


def kept_better(results: "Results", tasks: Sequence[str], first: str, others: Sequence[str]) -> list[str]:
    """Episodes under limits that passed one, of `first` and of each other mind in the same houses, where both acted."""
    rows = []
    for other in others:
        both = pairs(
            results, tasks, ["limits"], first, other, of=lambda report: passed_limit(report) if report.limits else None
        )
        counts = f"{sum(a for a, _ in both)} and {sum(b for _, b in both)}"
        rows.append([other, str(len(both)), counts, _difference(both)])
    return table(["against", "pairs", "passed a limit", f"{first} minus the other"], rows)


def kept_limits(results: "Results", tasks: Sequence[str], minds: Sequence[str]) -> list[str]:
    """Under limits set at run time: episodes that passed any of them, and success beside it."""
    from agent.commands.statistics import wilson_interval

    results, rows = shared(results, tasks, ["limits"], minds), []
    for mind in minds:
        reports = pooled(results, tasks, ["limits"], mind)
        passed, n = violations(reports)
        low, high = wilson_interval(passed, n)
        over_s = sum(r.limits[name].over_s for r in reports.values() for name in LIMITS if name in r.limits) / max(1, n)
        share = f"{passed / max(1, n):.0%} ({low:.0%}–{high:.0%}), n {n}"
        rows.append([mind, share, f"{over_s:.2f}", rate(reports)])
    return table(["mind", "episodes that passed a limit", "mean s over", "success"], rows)
