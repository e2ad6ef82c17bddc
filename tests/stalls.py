"""Tests in real time, on machines that now and then stand still, as where a host takes processors away."""

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache

import pytest

STALL_S = 0.03
TOLD_WITHIN_S = 1.0
"""A stall is told when it is over."""


class Patience:
    """How long failed tries may take, those of all tests together."""

    left_s = 180.0


# A process beside the tests: neither their own work nor Python's lock must look like a machine that stands still.
_WATCH = """
import os, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [int(sys.argv[1])])
last_s = time.monotonic()
while os.getppid() == int(sys.argv[2]):
    time.sleep(0.001)
    now_s = time.monotonic()
    if now_s - last_s >= float(sys.argv[3]):
        print(now_s - last_s, flush=True)
    last_s = now_s
"""


def while_undisturbed(check: Callable[[], object]) -> None:
    """Runs `check`, which asserts something in real time. If it fails while one of the processors stands still for
    STALL_S, that says nothing: it runs again. Without a quiet moment until there is no Patience left it is skipped,
    which says so."""
    while True:
        _stalls_s()
        began_s = time.monotonic()
        try:
            check()
        except Exception as error:
            failure = error
            told_until_s = time.monotonic() + TOLD_WITHIN_S
            while not (stalls_s := _stalls_s()) and time.monotonic() < told_until_s:
                time.sleep(STALL_S)
            if not stalls_s:
                raise
        else:
            return
        Patience.left_s -= time.monotonic() - began_s
        if Patience.left_s < 0.0:
            stood = f"this machine stood still for {max(stalls_s):.2f} s while it came to {failure!r}"
            pytest.skip(f"real time cannot be judged: {stood}")


def _stalls_s() -> list[float]:
    """How long the processors stood still, since this was asked last."""
    told = b""
    for pipe in _watches():
        while part := _read(pipe):
            told += part
    return [float(line) for line in told.split()]


def _read(pipe: int) -> bytes:
    try:
        return os.read(pipe, 65536)
    except BlockingIOError:
        return b""


@cache
def _watches() -> list[int]:
    """Pipes from one watching process for each processor; they end with this process."""
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    pipes, watches = [], []
    for processor in processors:
        given = [str(processor), str(os.getpid()), str(STALL_S)]
        watch = subprocess.Popen([sys.executable, "-c", _WATCH, *given], stdout=subprocess.PIPE)
        assert watch.stdout is not None
        os.set_blocking(watch.stdout.fileno(), False)
        pipes.append(watch.stdout.fileno())
        watches.append(watch)
        atexit.register(_end, watch)
    time.sleep(0.5)  # until they watch
    assert all(watch.poll() is None for watch in watches), "they could not begin to watch"
    return pipes


def _end(watch: "subprocess.Popen[bytes]") -> None:
    watch.kill()
    watch.communicate()
