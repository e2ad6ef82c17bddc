"""Wheel odometry that drifts as real wheels do: scale errors, a yaw error per radian turned, a random walk."""

from collections.abc import Sequence
from math import cos, sin, sqrt

import numpy as np
from numpy.typing import NDArray

SCALE_ERROR = (0.003, 0.005)
"""Smallest and largest relative error of the distance driven, per axis and run."""
YAW_ERROR_RAD_PER_RAD = 0.0052
"""0.3° of yaw for each radian turned; its sign is drawn once a run."""
WALK_M_PER_SQRT_M = 0.002
WALK_RAD_PER_SQRT_M = 0.002
WALK_RAD_PER_SQRT_RAD = 0.002
SPEED_NOISE_M_S = 0.004
YAW_RATE_NOISE_RAD_S = 0.004

_BLOCK = 3 * 2048
_STILL = 2e-6
"""Moves below this (m, rad) wait for the next update, so that a standing base does not wander."""


class Odometry:
    """Pose of the base in a frame that starts at (0, 0, 0) where the robot stood at the first update.

    `pose_in_odom` (3,) x, y, yaw (unwrapped) and `velocity_in_base` (3,) m/s, m/s, rad/s are written in place.
    """

    def __init__(self, seed: Sequence[int]) -> None:
        """`seed`: integers from which everything random follows."""
        self._seed = [int(part) for part in seed]
        self.pose_in_odom: NDArray[np.float64] = np.zeros(3)
        self.velocity_in_base: NDArray[np.float64] = np.zeros(3)
        self.reset()

    def reset(self) -> None:
        """Back to the first update, with the same errors again."""
        self._rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._seed)))
        signs = self._rng.choice((-1.0, 1.0), 3).tolist()
        x_error, y_error = self._rng.uniform(*SCALE_ERROR, 2).tolist()
        self._x_scale, self._y_scale = 1.0 + signs[0] * x_error, 1.0 + signs[1] * y_error
        self._yaw_scale = 1.0 + signs[2] * YAW_ERROR_RAD_PER_RAD
        self._normals: list[float] = []
        self._last: tuple[float, float, float] | None = None
        self._x = self._y = self._yaw = 0.0
        self.pose_in_odom[:] = 0.0
        self.velocity_in_base[:] = 0.0

    def update(self, true_pose: Sequence[float], dt: float) -> None:
        """Advance by one period of `dt` s after which the base really is at `true_pose` (x, y, yaw in the world).

        The yaw must be continuous (a joint position), not wrapped. Plain floats are fastest.
        """
        x, y, yaw = float(true_pose[0]), float(true_pose[1]), float(true_pose[2])
        if self._last is None:
            self._last = (x, y, yaw)
        last_x, last_y, last_yaw = self._last
        normals = self._normals
        if len(normals) < 6:
            normals = self._normals = self._rng.standard_normal(_BLOCK).tolist()
        turned = yaw - last_yaw
        moved_x, moved_y = x - last_x, y - last_y
        # Increments are taken at the middle heading, which is exact to second order in the turn.
        c, s = cos(last_yaw + 0.5 * turned), sin(last_yaw + 0.5 * turned)
        forward = (c * moved_x + s * moved_y) * self._x_scale
        left = (c * moved_y - s * moved_x) * self._y_scale
        turned *= self._yaw_scale
        rate = 1.0 / dt
        velocity = self.velocity_in_base
        velocity[0] = forward * rate + SPEED_NOISE_M_S * normals.pop()
        velocity[1] = left * rate + SPEED_NOISE_M_S * normals.pop()
        velocity[2] = turned * rate + YAW_RATE_NOISE_RAD_S * normals.pop()
        path = sqrt(forward * forward + left * left)
        turn = abs(turned)
        if path < _STILL and turn < _STILL:
            return
        self._last = (x, y, yaw)
        spread = WALK_M_PER_SQRT_M * sqrt(path)
        forward += spread * normals.pop()
        left += spread * normals.pop()
        # Variances add, so that the walk does not depend on how often it is updated.
        yaw_variance = WALK_RAD_PER_SQRT_M**2 * path + WALK_RAD_PER_SQRT_RAD**2 * turn
        turned += sqrt(yaw_variance) * normals.pop()
        c, s = cos(self._yaw + 0.5 * turned), sin(self._yaw + 0.5 * turned)
        self._x += c * forward - s * left
        self._y += s * forward + c * left
        self._yaw += turned
        pose = self.pose_in_odom
        pose[0], pose[1], pose[2] = self._x, self._y, self._yaw
