"""A Robot on the wall clock: a thread runs the robot's side at 100 Hz, whatever the mind does."""

import os
import threading
import time
from collections import deque
from contextlib import ExitStack
from typing import Final

from agent.messages import TICK_S, Action, Observation
from controllers.action_window import check_action
from controllers.gate import GateLimits
from controllers.heap import still_heap
from controllers.missed import with_missed
from controllers.plant import Plant
from controllers.robot_side import RobotSide, StepHook

PRIORITY: Final = 50
"""Of SCHED_FIFO, in the middle of its range: above ordinary threads, below the kernel's own."""
_OBSERVE_TIMEOUT_S: Final = 1.0


class RealtimeRobot:
    """The Robot seam over a Plant, in real time. `observe` blocks until the next observation, `act` returns at once.

    The thread sleeps between ticks (it never spins), tries to get SCHED_FIFO, and `scheduling` says what it got.
    A tick that comes more than a period late is not made up for: `late_ticks` counts them.
    """

    def __init__(
        self, plant: Plant, limits: GateLimits | None = None, on_step: StepHook | None = None, waiting: int = 1
    ) -> None:
        """`waiting` observations at most wait to be taken: 1 for a mind, which wants the newest, more for who hands
        each of them on. Those that find no room come as one with the next (controllers/missed.py)."""
        self.side = RobotSide(plant, limits, on_step)
        self.late_ticks = 0
        self.scheduling = "not started"
        self._news = threading.Condition()
        self._observations: deque[Observation] = deque()
        self._waiting = waiting
        # Append and pop are atomic and only the thread pops: act() never waits for a tick.
        self._inbox: deque[Action] = deque(maxlen=1)
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._heap = ExitStack()

    def observe(self) -> Observation:
        """The next observation that waits, or else the next that comes. Camera frames and scans of those that were
        missed come with it. The first call only senses and starts the clock.

        Raises RuntimeError after `close`, TimeoutError if the plant hangs, and whatever the plant raised, after what
        was observed before that.
        """
        if self._closed:
            raise RuntimeError("observe() after close()")
        if self._thread is None:
            first = self.side.first()
            self._heap.enter_context(still_heap())
            self._thread = threading.Thread(target=self._run, name="robot-side", daemon=True)
            self._thread.start()
            return first
        with self._news:
            self._news.wait_for(lambda: bool(self._observations) or self._failure is not None, _OBSERVE_TIMEOUT_S)
            if self._observations:
                return self._observations.popleft()
            if self._failure is not None:
                raise self._failure
            raise TimeoutError(
                f"no observation for {_OBSERVE_TIMEOUT_S} s, one is due every {TICK_S} s: does the plant hang?"
            )

    def act(self, action: Action) -> None:
        """Hands an action to the next tick; a newer one takes its place.

        Raises TypeError or ValueError for a malformed action, and RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("act() after close()")
        check_action(action)
        self._inbox.append(action)

    def close(self) -> None:
        """Stops the thread, then closes the plant; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._heap.close()
        self.side.close()

    def _run(self) -> None:
        self.scheduling = _ask_for_priority()
        due = time.monotonic() + TICK_S
        try:
            while not self._stop.is_set():
                ahead = due - time.monotonic()
                if ahead > 0.0:
                    time.sleep(ahead)
                elif ahead < -TICK_S:
                    self.late_ticks += 1
                    due -= ahead
                due += TICK_S
                self._publish(self.side.tick(self._inbox.pop() if self._inbox else None))
        except BaseException as error:
            with self._news:
                self._failure = error
                self._news.notify_all()

    def _publish(self, observation: Observation) -> None:
        with self._news:
            if len(self._observations) == self._waiting:
                observation = with_missed(observation, self._observations.pop())
            self._observations.append(observation)
            self._news.notify_all()


def _ask_for_priority() -> str:
    """Asks for SCHED_FIFO for the calling thread; says in words what it runs with."""
    if not hasattr(os, "sched_setscheduler"):
        return "ordinary: this system has no SCHED_FIFO"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        return "ordinary: SCHED_FIFO is not permitted (see `ulimit -r`)"
    return f"SCHED_FIFO {PRIORITY}"
