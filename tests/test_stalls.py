"""Tests in real time are judged in a quiet moment, and only there."""

import os
import signal
import time
from pathlib import Path

import pytest
import stalls


def ran(monkeypatch: pytest.MonkeyPatch, failures: int, stood_still_s: list[float]) -> int:
    """How often a check ran that fails so many times, while the machine stands still in its first runs."""
    told = iter(stood_still_s)
    runs = 0

    def check() -> None:
        nonlocal runs
        runs += 1
        assert runs > failures, f"run {runs}"

    asked = 0

    def stalls_s() -> list[float]:
        nonlocal asked
        asked += 1
        return [stall] if asked % 2 == 0 and (stall := next(told, 0.0)) else []

    monkeypatch.setattr(stalls, "TOLD_WITHIN_S", 0.0)
    monkeypatch.setattr(stalls, "_stalls_s", stalls_s)
    monkeypatch.setattr(stalls.Patience, "left_s", 10.0)
    stalls.while_undisturbed(check)
    return runs


def test_what_fails_while_the_machine_stands_still_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(monkeypatch, failures=2, stood_still_s=[0.05, 0.4]) == 3


def test_what_fails_in_a_quiet_moment_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="run 2"):
        ran(monkeypatch, failures=2, stood_still_s=[0.05])


def test_without_a_quiet_moment_it_is_skipped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def stalled() -> list[float]:
        stalls.Patience.left_s = -1.0
        return [0.25]

    monkeypatch.setattr(stalls.Patience, "left_s", 1.0)
    monkeypatch.setattr(stalls, "_stalls_s", stalled)
    with pytest.raises(pytest.skip.Exception, match=r"stood still for 0\.25 s"):
        stalls.while_undisturbed(lambda: 1 / 0)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")
def test_a_processor_that_stands_still_is_noticed() -> None:
    stalls._stalls_s()
    children = [int(child) for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    watches = [child for child in children if b"last_s" in Path(f"/proc/{child}/cmdline").read_bytes()]
    assert watches
    for watch in watches:
        os.kill(watch, signal.SIGSTOP)
        time.sleep(0.1)
        os.kill(watch, signal.SIGCONT)
    until_s = time.monotonic() + 5.0
    told: list[float] = []
    while len(told) < len(watches) and time.monotonic() < until_s:
        told += stalls._stalls_s()
        time.sleep(0.01)
    assert len([stall_s for stall_s in told if stall_s >= 0.1]) >= len(watches)
