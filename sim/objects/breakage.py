"""Breaking by impulse: how much momentum contacts gave a thing within 50 ms.

The sum of all contact impulses on a body over a window is, by Newton's law, its change of momentum minus
gravity's share, exact and with every physics step in it: J = m (v(t) − v(t−T)) + m g T. So two velocities
per item replace a contact sensor. Subtracted is the static load, m g T: what standing still, or being carried,
takes. A grip's two forces cancel in J, so 40 N for seconds break nothing; a force against the robot is
the business of the force limit, not of this. Thresholds are impulses: the item's own mass (without coffee)
times its `break_speed`. Contact stiffness does not matter, unlike with a threshold on peak force.
"""

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.schema import Item

Array = NDArray[np.float64]

WINDOW_S = 0.05
GRAVITY = 9.81


class Breakage:
    """Which breakable items are broken, for good."""

    def __init__(self, model: mujoco.MjModel, items: list[Item], period_s: float) -> None:
        """`items` in the order of the rows that `update` gets; `period_s` between updates.

        Raises ValueError when the window is no whole number of periods.
        """
        slots = round(WINDOW_S / period_s)
        if abs(slots * period_s - WINDOW_S) > 1e-9:
            raise ValueError(f"a window of {WINDOW_S} s is no whole number of periods of {period_s} s")
        self._model = model
        self._items = items
        self._body = np.array([model.body(item.name).id for item in items], dtype=np.intp)
        unbreakable = np.inf
        self._limit = np.array(
            [i.params["mass"] * i.params["break_speed"] if i.breakable else unbreakable for i in items]
        )
        self._past = np.zeros((slots, len(items), 3))
        self._next = 0
        self._still = 0
        """Updates since something moved."""
        self._latched = np.zeros(len(items), dtype=bool)
        self.peak_ns = np.zeros(len(items))
        """(n,) Largest impulse so far, Ns."""
        self.broken: frozenset[str] = frozenset()

    def reset(self, velocity_m_s: Array) -> None:
        """Starts anew from things that move with `velocity_m_s` (n, 3)."""
        self._past[:] = velocity_m_s
        self._next = self._still = 0
        self._latched[:] = False
        self.peak_ns[:] = 0.0
        self.broken = frozenset()

    def update(self, velocity_m_s: Array) -> None:
        """`velocity_m_s` (n, 3): of the items' centres of mass in the world."""
        slots = len(self._past)
        self._still = 0 if velocity_m_s.any() else self._still + 1
        if self._still > slots:  # Nothing has moved throughout the window: no impulse.
            self._next = (self._next + 1) % slots
            return
        change = velocity_m_s - self._past[self._next]
        self._past[self._next] = velocity_m_s
        self._next = (self._next + 1) % slots
        change[:, 2] += GRAVITY * WINDOW_S
        speed = np.sqrt(np.einsum("ij,ij->i", change, change)) - GRAVITY * WINDOW_S
        impulse = speed * self._model.body_mass[self._body]
        np.maximum(self.peak_ns, impulse, out=self.peak_ns)
        if (self.peak_ns > self._limit).any():
            self._latch()

    def _latch(self) -> None:
        self._latched = self.peak_ns > self._limit
        self.broken = frozenset(i.name for i, gone in zip(self._items, self._latched, strict=True) if gone)

    def vector(self) -> list[float]:
        """Everything here that MuJoCo's state does not hold."""
        return [float(self._next), *self._past.ravel().tolist(), *self.peak_ns.tolist()]

    def set_vector(self, numbers: list[float]) -> list[float]:
        """Takes what `vector` gave from the front and returns the rest."""
        n, slots = len(self._items), len(self._past)
        self._next, self._still = round(numbers[0]), 0
        self._past[:] = np.reshape(numbers[1 : 1 + 3 * n * slots], (slots, n, 3))
        rest = numbers[1 + 3 * n * slots :]
        self.peak_ns[:] = rest[:n]
        self._latch()
        return rest[n:]
