"""When the simulated robot sees what: camera and scanner at 10 Hz, each delivered after its latency."""

from collections import deque
from collections.abc import Sequence

import mujoco
import numpy as np

from agent.messages import Look, Scan
from sim.house.schema import House
from sim.sight.camera import Camera
from sim.sight.scanner import Scanner

PERIOD_S = 0.1
CAMERA_LATENCY_S = (0.06, 0.10)
"""Drawn uniformly for each frame."""
SCAN_LATENCY_S = 0.03
SCAN_PHASE_S = 0.05
"""Scans are taken between camera frames, so that no tick pays for both."""
_EARLY_S = 1e-6


class Senses:
    """Camera and scanner over one compiled house.

    The plant calls `after_tick` once per tick after physics, then `take`.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, house: House, seed: Sequence[int]) -> None:
        """`seed`: integers from which all noise follows. Raises ValueError where model and house disagree."""
        parts = [int(part) for part in seed]
        self._seed = parts
        self._camera = Camera(model, data, house, [*parts, 1])
        self._scanner = Scanner(model, data, [*parts, 2])
        self.reset()

    def reset(self) -> None:
        """Forget everything under way: the next frames are those of a new run with the same seed."""
        self._camera.reset()
        self._scanner.reset()
        self._latency = np.random.Generator(np.random.PCG64(np.random.SeedSequence([*self._seed, 3])))
        self._frames = self._scans = 0
        self._looks_under_way: deque[tuple[float, Look]] = deque()
        self._scans_under_way: deque[tuple[float, Scan]] = deque()
        self._look: Look | None = None
        self._scan: Scan | None = None

    def after_tick(self, time_s: float) -> None:
        """Capture what is due at `time_s` and deliver what has arrived by then. Needs up-to-date kinematics."""
        now = time_s + _EARLY_S
        if now >= self._frames * PERIOD_S:
            self._frames = int(now / PERIOD_S) + 1
            latency = float(self._latency.uniform(*CAMERA_LATENCY_S))
            self._looks_under_way.append((time_s + latency, self._camera.capture(time_s)))
        if now >= self._scans * PERIOD_S + SCAN_PHASE_S:
            self._scans = int((now - SCAN_PHASE_S) / PERIOD_S) + 1
            self._scans_under_way.append((time_s + SCAN_LATENCY_S, self._scanner.capture(time_s)))
        while self._looks_under_way and self._looks_under_way[0][0] <= now:
            self._look = self._looks_under_way.popleft()[1]
        while self._scans_under_way and self._scans_under_way[0][0] <= now:
            self._scan = self._scans_under_way.popleft()[1]

    def take(self) -> tuple[Look | None, Scan | None]:
        """What was delivered since the last call; None where nothing new was."""
        look, scan = self._look, self._scan
        self._look = self._scan = None
        return look, scan
