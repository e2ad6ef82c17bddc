"""Which items were dropped: fell freely by more than 0.1 m, or came to touch the floor of the house.

A hand never lowers anything faster than a fall of 0.1 m ends with, 1.4 m/s, so downward speed tells a fall.
"""

from math import sqrt

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.schema import Item

Array = NDArray[np.float64]

FALL_M = 0.1
FALL_SPEED_M_S = sqrt(2 * 9.81 * FALL_M)
FLOOR_M = 0.03
"""A lowest point below this height is on the floor; every place to stand is higher."""


class Falls:
    """Latched names of dropped items."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, items: list[Item]) -> None:
        self._data = data
        self._items = items
        self._body = np.array([model.body(item.name).id for item in items], dtype=np.intp)
        self._half_height = np.array([item.params["height"] / 2 for item in items])
        self._radius = np.array([item.params["radius"] for item in items])
        self._from_floor = np.array([item.z < FLOOR_M for item in items], dtype=bool)
        """Things that start on the floor cannot be dropped on it."""
        self._latched = np.zeros(len(items), dtype=bool)
        self.dropped: frozenset[str] = frozenset()

    def reset(self) -> None:
        self._latched[:] = False
        self.dropped = frozenset()

    def update(self, velocity_m_s: Array) -> None:
        """`velocity_m_s` (n, 3): of the items' centres of mass in the world."""
        self._latch(velocity_m_s[:, 2] < -FALL_SPEED_M_S)

    def check_floor(self) -> None:
        """Latches what lies on the floor: the lowest point of its bounding cylinder."""
        up = self._data.xmat[self._body, 8]
        centre = self._data.xpos[self._body, 2] + up * self._half_height
        across = np.sqrt(np.maximum(0.0, 1.0 - up * up))
        lowest = centre - np.abs(up) * self._half_height - across * self._radius
        self._latch((lowest < FLOOR_M) & ~self._from_floor)

    def _latch(self, now: NDArray[np.bool_]) -> None:
        if (now & ~self._latched).any():
            self._latched |= now
            self.dropped = frozenset(i.name for i, down in zip(self._items, self._latched, strict=True) if down)

    def vector(self) -> list[float]:
        """Everything here that MuJoCo's state does not hold."""
        return self._latched.astype(float).tolist()

    def set_vector(self, numbers: list[float]) -> list[float]:
        """Takes what `vector` gave from the front and returns the rest."""
        n = len(self._items)
        self._latched[:] = False
        self.dropped = frozenset()
        self._latch(np.array(numbers[:n]) > 0.5)
        return numbers[n:]
