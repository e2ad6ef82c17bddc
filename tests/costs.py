"""What work costs: how many calls, the same on every machine, and how long at a moment when nothing disturbs it."""

import sys
import time
from collections.abc import Callable

ADDITIONS, ADDITIONS_S = 10_000, 1e-3
"""So many additions in a plain loop take so long on the machine that bounds in seconds are meant for."""


def calls_of(work: Callable[[], object]) -> int:
    """How many functions, Python's and C's, `work` calls."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def quickest_s(work: Callable[[], object], enough_s: float, prepare: Callable[[], object] = lambda: None) -> float:
    """The shortest time `work` takes, each time after `prepare`, in 200 times or more: for up to 10 s until it is below
    `enough_s`, for a machine's neighbours are quiet only now and then. On a machine that was slower all the while,
    what it would have taken on the one bounds are meant for."""
    until_s = time.perf_counter() + 10.0
    least_s, slowness, done = float("inf"), float("inf"), 0
    while done < 200 or (least_s / slowness >= enough_s and time.perf_counter() < until_s):
        if done % 20 == 0:
            slowness = min(slowness, max(1.0, _took_s(_add) / ADDITIONS_S))
        prepare()
        least_s = min(least_s, _took_s(work))
        done += 1
    return least_s / slowness


def _took_s(work: Callable[[], object]) -> float:
    begin_s = time.perf_counter()
    work()
    return time.perf_counter() - begin_s


def _add() -> None:
    total = 0
    for number in range(ADDITIONS):
        total += number
