"""How much heavier what is held is than it was a moment ago: what foretelling cannot notice.

Memory follows what is felt within the third of a second that is foretold, so a cup that suddenly weighs twice as much
is a surprise for a moment, and a smaller one than every touch that comes a little early. But what is held does not
change its weight: here the load is known once it was steady, and what pulls harder from then on, for as long, is told.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from agent.world_model.encoders import raw
from agent.world_model.features import FORCE_IN_FEEL, FORCE_UNIT_N, LAYOUT
from agent.world_model.layers import Weights

Floats = NDArray[np.float32]

STEADY_STEPS, HEAVIER_STEPS = 4, 3
"""Of 40 ms, in which a load must be steady to be known, and for which it must be heavier."""
STEADY_N, LEAST_N = 1.2, 1.5
"""A load is steady while it changes by less. What pulls less than the other is still being lifted."""
SHARE_OF_N = 3.0
"""What is lighter counts as so heavy: to a pod every touch is a large share."""
FOLLOWING = 0.3
"""Share of a new steady load in the known one: what is poured in slowly surprises nobody."""
LEAST_UNIT = 0.2
"""Of a load: what is less may always come."""
_UP = int(LAYOUT.feel[FORCE_IN_FEEL][2])


class Load:
    """The load on the hand over the steps of an attempt."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._latest: deque[float] = deque(maxlen=STEADY_STEPS)
        self._known_n: float | None = None

    def __call__(self, load_n: float, holding: bool) -> float:
        """The share by which it has been heavier than known for HEAVIER_STEPS; 0 while nothing is held or the load is
        not known."""
        if not holding:
            self.reset()
            return 0.0
        self._latest.append(load_n)
        latest = list(self._latest)
        heavier_n = 0.0 if self._known_n is None else max(0.0, min(latest[-HEAVIER_STEPS:]) - self._known_n)
        share = heavier_n / max(SHARE_OF_N, self._known_n or 0.0)
        mean_n = sum(latest) / len(latest)
        if len(latest) == STEADY_STEPS and max(latest) - min(latest) < STEADY_N and mean_n > LEAST_N:
            self._known_n = mean_n if self._known_n is None else self._known_n + FOLLOWING * (mean_n - self._known_n)
        return share


def load_of(w: Weights, x: Floats) -> tuple[float, bool]:
    """What pulls the hand down, N, and whether something is held, from normalised features (LAYOUT.size,)."""
    up, held = float(raw(w, x, _UP)), float(raw(w, x, LAYOUT.holding))
    return -FORCE_UNIT_N * float(np.sinh(up)), held > 0.5


def heavier(w: Weights, x: Floats) -> Floats:
    """(n,) what Load says at the steps of an attempt with these normalised features (n, LAYOUT.size)."""
    load = Load()
    return np.array([load(*load_of(w, row)) for row in x], np.float32)
