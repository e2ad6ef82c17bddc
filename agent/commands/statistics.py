"""What many episodes say together."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import msgspec

from agent.episodes import EpisodeReport

LEAD_IN_S = 3.0
"""How long before a failure one begins to look."""
Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


LIMIT_SLACK_S = 0.05
"""A limit passed for less was kept."""


def _acting(reports: Sequence[EpisodeReport]) -> dict[str, Any]:
    """How much was planned, and how limits were kept."""
    planned = [(r.planned_share, r.acting_s) for r in reports if r.planned_share is not None]
    acting_s = sum(seconds for _, seconds in planned)
    names = sorted({name for r in reports for name in r.limits})
    over = {name: [r.limits[name].over_s for r in reports if name in r.limits] for name in names}
    return {
        "planned_share": sum(share * seconds for share, seconds in planned) / acting_s if acting_s else None,
        "limits": {
            name: {
                "episodes": len(seconds),
                "passed": sum(s > LIMIT_SLACK_S for s in seconds),
                "mean_over_s": sum(seconds) / len(seconds),
            }
            for name, seconds in over.items()
        },
    }


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a proportion by Wilson's score method; (0, 1) without trials."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    if trials == 0:
        return 0.0, 1.0
    share, z2 = successes / trials, Z_95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def auc_interval(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """95 % confidence interval of an area under a ROC curve; (0, 1) where one side is empty.

    The score method of Newcombe (2006, Statistics in Medicine 25:559, method 5): it does not shrink to a point at 1.
    """
    if not 0.0 <= area <= 1.0:
        raise ValueError(f"an area of {area}; it lies between 0 and 1")
    if positives == 0 or negatives == 0:
        return 0.0, 1.0
    pairs, half = positives * negatives, (positives + negatives) / 2 - 1

    def within(true: float) -> bool:
        spread = 1 + half * (1 - true) / (2 - true) + half * true / (1 + true)
        return abs(area - true) <= Z_95 * sqrt(true * (1 - true) * spread / pairs)

    def farthest(end: float) -> float:
        inside, outside = area, end
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if within(middle) else (inside, middle)
        return inside

    return farthest(0.0), farthest(1.0)


def look_command(report: EpisodeReport) -> str:
    """What shows a failed or unsafe episode at the moment to look at first; empty where nothing was recorded."""
    if not report.episode:
        return ""
    first = min((unsafe.time_s for unsafe in report.unsafe), default=None) if report.success else report.failed_at_s
    at = "" if first is None else f" --at {max(0.0, first - LEAD_IN_S):.1f}"
    return f"doppio replay {report.episode} --view{at}"


def unsafe_words(report: EpisodeReport) -> str:
    """What was not safe, in which subgoal: `force-peak in push-door`."""
    known = {u.part: f"{u.part} in {u.subgoal}" for u in report.unsafe if u.subgoal}
    return ", ".join(known.get(name, name) for name, holds in report.safety.items() if not holds)


def paired_difference(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float, float]:
    """Mean of first minus second over pairs, with its 95 % interval (Agresti & Min 2005: half a pair is added to each
    of the four cells); (0, −1, 1) without pairs."""
    n = len(pairs)
    if n == 0:
        return 0.0, -1.0, 1.0
    gained = sum(first and not second for first, second in pairs)
    lost = sum(second and not first for first, second in pairs)
    b, c, m = gained + 0.5, lost + 0.5, n + 2.0
    middle = (b - c) / m
    half = Z_95 * sqrt((b + c) - (b - c) ** 2 / m) / m
    return (gained - lost) / n, middle - half, middle + half


def aggregate(reports: Sequence[tuple[int, EpisodeReport]]) -> dict[str, Any]:
    """The numbers of `doppio eval --json` from (index, report) pairs, whatever their order.

    `mean_duration_s` is over all episodes, failed ones too. `realtime_factor` is simulated over wall seconds of one
    worker. `first_try` and `after_retries` count subgoals that succeeded at once, and that succeeded in the end. Houses
    that lack what the task needs are `left_out` and count nowhere else. `planned_share` is of the time in which a
    policy acted (None without planning); `unsafe` are the episodes that succeeded but not safely. `limits` says for
    each limit in how many episodes it was passed for more than LIMIT_SLACK_S, and for how long on average.
    """
    everything = sorted(reports, key=lambda pair: pair[0])
    reports = [(index, report) for index, report in everything if not report.lacks]
    n = len(reports)
    successes = sum(report.success for _, report in reports)
    safe = sum(report.success and report.safe is True for _, report in reports)
    simulated, wall = sum(r.duration_s for _, r in reports), sum(r.wall_s for _, r in reports)
    kinds: dict[str, dict[str, int]] = {}
    for _, report in reports:
        for subgoal in report.subgoals:
            counts = kinds.setdefault(subgoal.kind, {"n": 0, "first_try": 0, "after_retries": 0})
            counts["n"] += 1
            counts["first_try"] += subgoal.succeeded and subgoal.attempts == 1
            counts["after_retries"] += subgoal.succeeded
    return {
        "episodes": n,
        "successes": successes,
        "success_rate": successes / n if n else 0.0,
        "success_ci95": list(wilson_interval(successes, n)),
        "safe_successes": safe,
        "safe_success_rate": safe / n if n else 0.0,
        "mean_duration_s": simulated / n if n else 0.0,
        "realtime_factor": simulated / wall if wall > 0 else 0.0,
        **_acting([report for _, report in reports]),
        "failures": [
            {
                "index": index,
                "reason": r.reason,
                "subgoal": r.failed_subgoal,
                "episode": r.episode,
                "at_s": r.failed_at_s,
                "look": look_command(r),
            }
            for index, r in reports
            if not r.success
        ],
        "unsafe": [
            {
                "index": index,
                "parts": [name for name, holds in r.safety.items() if not holds],
                "first": [msgspec.to_builtins(u) for u in r.unsafe],
                "episode": r.episode,
                "look": look_command(r),
            }
            for index, r in reports
            if r.success and r.safe is False
        ],
        "subgoals": dict(sorted(kinds.items())),
        "left_out": [{"index": index, "reason": report.lacks} for index, report in everything if report.lacks],
    }
