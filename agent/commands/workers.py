"""Run jobs in other processes, whatever happens to these."""

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

MAX_DEATHS = 3
"""A job whose worker died this often is given up."""

ONE_THREAD: dict[str, str] = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of workers: two workers whose libraries start threads of their own are slower than one."""


class Done(NamedTuple):
    """What became of one job."""

    job: int
    result: Any
    """What the function returned; None if it did not."""
    error: str
    """The exception's text and trace, or that the worker died; empty when all went well."""


class _Worker(NamedTuple):
    process: BaseProcess
    connection: Connection


def run_jobs(work: Callable[[int], Any], jobs: Iterable[int], workers: int) -> Iterator[Done]:
    """Call `work(job)` for each job in `workers` spawned processes; yield outcomes as they come.

    A job whose worker dies is run again, up to MAX_DEATHS times. Workers are stopped when the iteration ends, also
    when it is left early. Jobs are drawn one by one as workers get free. `work` must be picklable.
    """
    coming, deaths = iter(jobs), {}
    waiting = deque(islice(coming, workers))
    busy: dict[Connection, tuple[_Worker, int]] = {}
    idle = [_start(work) for _ in range(len(waiting))]
    try:
        while True:
            waiting.extend(islice(coming, max(0, len(idle) - len(waiting))))
            if not waiting and not busy:
                return
            while waiting and idle:
                worker, job = idle.pop(), waiting.popleft()
                busy[worker.connection] = (worker, job)
                _send(worker.connection, job)
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                worker, job = busy.pop(ready)
                try:
                    result, error = ready.recv()
                except (EOFError, OSError):
                    worker.process.join()
                    deaths[job] = deaths.get(job, 0) + 1
                    if deaths[job] < MAX_DEATHS:
                        waiting.appendleft(job)
                    else:
                        status = worker.process.exitcode
                        yield Done(job, None, f"the worker process died {MAX_DEATHS} times, last with status {status}")
                    waiting.extend(islice(coming, 1 - min(1, len(waiting))))
                    if waiting:
                        idle.append(_start(work))
                    continue
                idle.append(worker)
                yield Done(job, result, error)
    finally:
        for worker, _ in busy.values():
            worker.process.terminate()
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.connection.close()  # an idle worker reads the end and leaves
            worker.process.join()


def _send(connection: Connection, job: int) -> None:
    # A worker that died while idle: reading from it finds that, and the job is given to another.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send(job)


def _start(work: Callable[[int], Any]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work))
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        process.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    theirs.close()
    return _Worker(process, ours)


def _serve(connection: Connection, work: Callable[[int], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            connection.send((work(job), ""))
        except Exception:
            connection.send((None, traceback.format_exc()))
