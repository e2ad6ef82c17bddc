"""How far off sight is as a whole, told by what the hand holds: felt where it is, and seen where it seems to be.

Errors of single things average out over glances. What all of them share, of a camera that is mounted or calibrated a
little wrong, does not: whoever goes round a thing sees it in the same wrong place.
"""

from collections import deque
from math import exp

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import OBJECTS
from agent.frames import Pose
from agent.messages import TICK_S, Look

Array = NDArray[np.float64]

WELL_M, OFF_M, OFF_CHANCE = 0.002, 0.02, 0.1
"""How far off a camera is that was calibrated well, and one that was not, standard deviations along each axis; and how
often it was not. Most are well: what some noisy looks say is not worth more than that."""
DRIFT_M2_PER_S = 0.0005**2
WITHIN_M = 0.05
"""What is seen farther from what is held is something else."""
ANOTHER_LOOK_M, ANOTHER_LOOK_S = 0.03, 2.0
"""A detector errs alike while nothing moves: only what was carried on so far, or is seen so much later, is evidence."""
LATENCY_TICKS = 30
"""An older look is not compared: where the hand was then is forgotten."""


class EyeError:
    """The error that all detections share, horizontal, in the map frame: two numbers in a Kalman filter, taken for what
    they are worth."""

    def __init__(self) -> None:
        self._seen_off, self._variance = np.zeros(2), OFF_M**2
        """Mean of seen minus true, m, and its variance along each axis, if the camera is off."""
        self._felt: deque[tuple[float, Array]] = deque(maxlen=LATENCY_TICKS)
        self._at, self._time_s = np.full(3, np.inf), -np.inf
        """Where and when what is held was compared last."""

    @property
    def in_map(self) -> Array:
        """(3,) seen minus true, m; the last is 0: heights are known from what things stand on."""
        if self._variance >= OFF_M**2:
            return np.zeros(3)
        looks = 1.0 / (1.0 / self._variance - 1.0 / OFF_M**2)
        said = self._seen_off * looks / self._variance
        means, weights = [], []
        for chance, usual in ((OFF_CHANCE, OFF_M), (1.0 - OFF_CHANCE, WELL_M)):
            spread = usual**2 + looks
            weights.append(chance / spread * exp(-0.5 * float(said @ said) / spread))
            means.append(said * usual**2 / spread)
        share = weights[0] / sum(weights)
        return np.array([*(share * means[0] + (1.0 - share) * means[1]), 0.0])

    def feel(self, time_s: float, held_in_base: Array | None) -> None:
        """A tick: where the middle (3,) of what is held is; None with empty fingers."""
        if held_in_base is None:
            self._felt.clear()
            return
        if not self._felt:
            # It may be held a little otherwise than it feels; so each hold tells anew.
            self._seen_off, self._variance = np.zeros(2), OFF_M**2
        self._felt.append((time_s, held_in_base))

    def see(self, look: Look, base_in_map: Pose) -> None:
        """A frame, with the base at its time."""
        felt = next((at for time_s, at in self._felt if abs(time_s - look.time_s) < 0.6 * TICK_S), None)
        if felt is None:
            return
        held = base_in_map.point(felt)
        new = float(np.linalg.norm(held - self._at)) > ANOTHER_LOOK_M
        if not new and look.time_s - self._time_s < ANOTHER_LOOK_S:
            return
        found = [
            (base_in_map.point(np.array(d.position_in_base_m)) - held, d.position_std_m)
            for d in look.detections
            if d.class_name in OBJECTS
        ]
        found = [(off, std_m) for off, std_m in found if float(np.linalg.norm(off)) < WITHIN_M]
        if not found:
            return
        off, std_m = min(found, key=lambda pair: float(np.linalg.norm(pair[0])))
        self._variance = min(OFF_M**2, self._variance + DRIFT_M2_PER_S * (look.time_s - self._time_s))
        gain = self._variance / (self._variance + std_m**2)
        self._seen_off = self._seen_off + gain * (off[:2] - self._seen_off)
        self._variance *= 1.0 - gain
        self._at, self._time_s = held, look.time_s
