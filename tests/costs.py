"""What work costs: how many calls, the same on every machine, and how long at a moment when nothing disturbs it."""

import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
STALL_S = 0.03


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


def while_undisturbed(measure: Callable[[], Found], within_s: float = 90.0) -> Found:
    """What `measure` finds in real time while the machine does not stop: a thread that wants to run every millisecond
    must never have waited for STALL_S. Otherwise it measures again, also where measuring failed; what it finds after
    `within_s` counts."""
    until_s = time.monotonic() + within_s
    while True:
        done, longest_s = threading.Event(), 0.0

        def watch(done: threading.Event = done) -> None:
            nonlocal longest_s
            last_s = time.monotonic()
            while not done.wait(0.001):
                now_s = time.monotonic()
                longest_s, last_s = max(longest_s, now_s - last_s), now_s

        watcher = threading.Thread(target=watch)
        watcher.start()
        found: list[Found] = []
        failure: Exception | None = None
        try:
            found.append(measure())
        except Exception as error:
            failure = error
        finally:
            done.set()
            watcher.join()
        if longest_s >= STALL_S and time.monotonic() < until_s:
            continue
        if failure is not None:
            raise failure
        return found[0]
