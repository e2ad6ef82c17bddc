"""What recording costs a running episode in virtual time: switched on and off by turns within one run.

Whatever else the machine does disturbs both halves of a pair alike, and what remains is paired noise. Counted is the
processor time of the loop's thread, where everything but the scribe runs.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from agent.commands.outcome import CommandError
from agent.messages import TICK_S

BLOCK_TICKS = 50
_SKIP_TICKS = 200
"""At the start everything is cold."""
_RESAMPLES = 2000


def measure_overhead(task: str, split: str, index: int, policy: str, seconds: float) -> dict[str, Any]:
    """Run the first `seconds` of an episode. Raises ValueError where it ends before a few pairs of blocks were run."""
    from agent.commands.recording import LooksRecorder, WorldWatcher
    from agent.episodes.recorder import ControlRecorder
    from agent.episodes.watcher import StepRecorder
    from agent.session import RunConfig, run_episode

    turns = _Turns()
    with tempfile.TemporaryDirectory(prefix="doppio-bench-") as folder:
        try:
            turns.replace(ControlRecorder, "hook", lambda hook: lambda recorder: turns.by_turns(hook(recorder)))
            turns.replace(StepRecorder, "record", lambda record: turns.counted(turns.by_turns(record)))
            for owner in (LooksRecorder, WorldWatcher):
                turns.replace(owner, "look", turns.by_turns)
            config = RunConfig(
                task=task, split=split, index=index, policy=policy, record=Path(folder), time_limit_s=seconds
            )
            run_episode(config)
        finally:
            turns.restore()
    return turns.found()


class _Turns:
    """Lets recording happen in every second block of ticks."""

    def __init__(self) -> None:
        self._on = True
        self._ticks = 0
        self._cpu: list[float] = []
        self._wall: list[float] = []
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: type, name: str, by: Callable[[Any], Any]) -> None:
        """Let `owner.name` be what `by` makes of it, until `restore`."""
        function = owner.__dict__[name]
        setattr(owner, name, by(function))
        self._undo.append(lambda: setattr(owner, name, function))

    def by_turns(self, function: Any) -> Any:
        """`function`, doing nothing while recording is off."""

        def switched(*args: Any) -> None:
            if self._on:
                function(*args)

        return switched

    def counted(self, function: Any) -> Any:
        """`function`, each call of which ends a tick."""

        def counting(*args: Any) -> None:
            function(*args)
            self._tick()

        return counting

    def _tick(self) -> None:
        self._ticks += 1
        if self._ticks >= _SKIP_TICKS and self._ticks % BLOCK_TICKS == 0:
            self._cpu.append(thread_time())
            self._wall.append(perf_counter())
            self._on = len(self._cpu) % 2 == 0

    def restore(self) -> None:
        for undo in self._undo:
            undo()

    def found(self) -> dict[str, Any]:
        blocks = np.diff(self._cpu)[: (len(self._cpu) - 1) // 2 * 2].reshape(-1, 2) / BLOCK_TICKS
        if len(blocks) < 5:
            raise CommandError(f"{len(blocks)} pairs of {BLOCK_TICKS} ticks are too few; raise --seconds")
        off, extra = blocks[:, 0], blocks[:, 1] - blocks[:, 0]
        random = np.random.Generator(np.random.PCG64(0))
        medians = np.median(extra[random.integers(len(extra), size=(_RESAMPLES, len(extra)))], axis=1)
        low, high = np.quantile(medians, (0.025, 0.975))
        tick, cost = float(np.median(off)), float(np.median(extra))
        return {
            "pairs": len(blocks),
            "block_ticks": BLOCK_TICKS,
            "tick_us": 1e6 * tick,
            "extra_us": 1e6 * cost,
            "extra_us_ci95": [1e6 * float(low), 1e6 * float(high)],
            "share_of_virtual_tick": cost / tick,
            "share_of_virtual_tick_ci95": [float(low) / tick, float(high) / tick],
            "share_of_real_tick": cost / TICK_S,
        }
