"""Where the time goes: self time of named parts of a running program."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np


@dataclass
class Stopwatch:
    """Wraps functions and adds up their self time: what they took, less what wrapped functions they called took.

    A wrapped call costs about half a microsecond, which is charged to its caller.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    ends: list[float] = field(default_factory=list)
    """When the calls ended that `wrap` was told to mark."""
    _inner: list[float] = field(default_factory=lambda: [0.0])
    _undo: list[Callable[[], None]] = field(default_factory=list)

    def wrap(self, owner: type | ModuleType, name: str, part: str, *, mark: bool = False) -> None:
        """Charge calls of `owner.name` to `part` until `restore`; with `mark`, keep when they end.

        Raises AttributeError where there is no such function.
        """
        self._replace(owner, name, self._timed(getattr(owner, name), part, mark))

    def wrap_made(self, owner: type, name: str, part: str) -> None:
        """The same for the function that `owner.name` makes and returns."""
        make = getattr(owner, name)

        @functools.wraps(make)
        def made(*args: Any, **kwargs: Any) -> Any:
            return self._timed(make(*args, **kwargs), part)

        self._replace(owner, name, made)

    def _timed(self, function: Callable[..., Any], part: str, mark: bool = False) -> Callable[..., Any]:
        seconds, calls, inner, ends = self.seconds, self.calls, self._inner, self.ends
        seconds.setdefault(part, 0.0)
        calls.setdefault(part, 0)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            inner.append(0.0)
            began = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                end = perf_counter()
                took = end - began
                seconds[part] += took - inner.pop()
                calls[part] += 1
                inner[-1] += took
                if mark:
                    ends.append(end)

        return timed

    def _replace(self, owner: type | ModuleType, name: str, function: Callable[..., Any]) -> None:
        own, before = owner.__dict__.get(name), getattr(owner, name)
        setattr(owner, name, function)
        self._undo.append(
            functools.partial(setattr, owner, name, before) if own else functools.partial(delattr, owner, name)
        )

    def quiet_s(self, period: int) -> float | None:
        """What lies between two marks when nothing else disturbs the machine: the mean, over the `period` calls of a
        cycle, of the tenth percentile of each. None for less than ten cycles."""
        spans = np.diff(self.ends)
        cycles = len(spans) // period
        if cycles < 10:
            return None
        return float(np.percentile(spans[: cycles * period].reshape(cycles, period), 10, axis=0).mean())

    def restore(self) -> None:
        """Put all functions back."""
        while self._undo:
            self._undo.pop()()


def watch_simulation(watch: Stopwatch) -> None:
    """Charge the parts of the simulated robot: reset, physics, processes, touch, sight, odometry, controllers."""
    import mujoco

    from controllers.robot_side import RobotSide
    from sim.objects.processes import Processes
    from sim.plant import MujocoPlant
    from sim.robot.touch import Touch
    from sim.sight.odometry import Odometry
    from sim.sight.senses import Senses

    watch.wrap(mujoco, "mj_step", "physics")
    watch.wrap(Processes, "after_step", "processes")
    for name in ("after_step", "read"):
        watch.wrap(Touch, name, "touch")
    for name in ("after_tick", "take"):
        watch.wrap(Senses, name, "sight")
    watch.wrap(Odometry, "update", "odometry")
    for name in ("apply", "sense"):
        watch.wrap(MujocoPlant, name, "plant")
    watch.wrap(RobotSide, "tick", "controllers")
