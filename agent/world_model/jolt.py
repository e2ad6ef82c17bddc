"""A sudden force on the hand that was not foretold a moment before: somebody pushes, or lets go.

A push of a fifth of a second is over before errors smoothed over half a second have followed, and at a drawer that is
gripped it hardly moves anything. Told is the mean error of the horizontal force over just that time, foretold one step
ahead. Knocks are shorter, and a force that stays is foretold from the next step on.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

OVER_STEPS = 5
"""Of 40 ms, over which errors are averaged."""
SOFTENING = 0.15
"""Added to the expected error of a normalised reading before its error is divided by that: an error alone makes much of
every knock, and one in units of what is expected makes much of next to nothing where nothing is expected."""
LEAST_UNIT = 0.1
"""So much may always come."""


class Jolt:
    """How far the horizontal force has lately been from what was foretold, over the steps of an attempt."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._latest: deque[Floats] = deque(maxlen=OVER_STEPS)

    def __call__(self, error: Floats) -> float:
        """The length of the mean of the latest errors (2,), softened."""
        self._latest.append(error)
        return float(np.linalg.norm(sum(self._latest) / OVER_STEPS))


def jolts(errors: Floats) -> Floats:
    """(n,) what Jolt says of these errors (n, 2)."""
    jolt = Jolt()
    return np.array([jolt(error) for error in errors], np.float32)
