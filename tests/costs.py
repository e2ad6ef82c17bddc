"""What work costs: how many calls, the same on every machine, and how long at a moment when nothing disturbs it."""

import sys
import time
from collections.abc import Callable


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
    `enough_s`, for a machine's neighbours are quiet only now and then."""
    until_s = time.perf_counter() + 10.0
    least_s, done = float("inf"), 0
    while done < 200 or (least_s >= enough_s and time.perf_counter() < until_s):
        prepare()
        begin_s = time.perf_counter()
        work()
        least_s = min(least_s, time.perf_counter() - begin_s)
        done += 1
    return least_s
