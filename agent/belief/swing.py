"""Where the hinge of a moving leaf is, found from where its handle is seen on the way.

How far a front is open and its yaw are seen with errors of some hundredths of a radian each, so that the hinge of an
open leaf is known to 5 or 10 cm at first. But its handle keeps its distance from it.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HINGE_STD_M = 0.05
SEEN_STD_M = 0.05
"""Of the distance from a hinge to a handle in one look; more than the camera's error, for looks from one place err
alike."""


class Swing:
    """An extended Kalman filter over the hinge (2,), in the plane in which the leaf turns; the distance is given."""

    def __init__(self, hinge: Array, radius_m: float) -> None:
        self.hinge = np.array(hinge, dtype=np.float64)
        self._radius_m = radius_m
        self._covariance = HINGE_STD_M**2 * np.eye(2)

    def see(self, handle: Array) -> None:
        """The handle was seen at (2,)."""
        arm = handle - self.hinge
        distance_m = float(np.linalg.norm(arm))
        slope = -arm / max(1e-6, distance_m)
        gain = self._covariance @ slope
        gain /= float(slope @ gain) + SEEN_STD_M**2
        self.hinge += gain * (self._radius_m - distance_m)
        self._covariance -= np.outer(gain, slope @ self._covariance)
