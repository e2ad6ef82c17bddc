"""Where contacts on arm and hand fall among the skin's patches.

Each section of skin is wrapped around a body's z axis: patches around by along, numbered along within around.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.messages import SKIN_PATCHES
from sim.robot.hand import BACK_CENTRE_Y_M, BACK_HALF_Y_M, PAD_HALF_X_M, PAD_HALF_Z_M, PALM_BACK_M, PALM_FRONT_M

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """A piece of skin around the z axis of its frame."""

    name: str
    frame: int
    """Index in sim.robot.sensors.FRAMES of the frame that gives its axes."""
    half_x_m: float
    half_y_m: float
    """Half widths: they make the angle around a box run evenly."""
    centre_y_m: float
    low_z_m: float
    high_z_m: float
    around: int
    along: int


SECTIONS = (
    Section("upper arm", 1, 1.0, 1.0, 0.0, -0.25, 0.05, 8, 4),
    Section("forearm", 2, 1.0, 1.0, 0.0, -0.33, -0.02, 8, 4),
    Section("hand", 0, 0.03, 0.08, 0.0, PALM_BACK_M - 0.03, PALM_FRONT_M, 8, 2),
    Section("left finger", 0, PAD_HALF_X_M, BACK_HALF_Y_M, -BACK_CENTRE_Y_M, PALM_FRONT_M, PAD_HALF_Z_M, 4, 2),
    Section("right finger", 0, PAD_HALF_X_M, BACK_HALF_Y_M, BACK_CENTRE_Y_M, PALM_FRONT_M, PAD_HALF_Z_M, 4, 2),
)
"""In the order of sim.robot.sensors.SKIN_SOURCES."""
if sum(s.around * s.along for s in SECTIONS) != SKIN_PATCHES:
    raise AssertionError(f"the sections hold {sum(s.around * s.along for s in SECTIONS)} patches, not {SKIN_PATCHES}")


class SkinMap:
    """Spreads contact forces bilinearly over the patches of all sections at once."""

    def __init__(self) -> None:
        def column(values: list[float]) -> Array:
            return np.array(values)[None, :, None]

        self._scale_x = column([1.0 / s.half_x_m for s in SECTIONS])
        self._scale_y = column([1.0 / s.half_y_m for s in SECTIONS])
        self._centre_y = column([s.centre_y_m for s in SECTIONS])
        self._low_z = column([s.low_z_m for s in SECTIONS])
        self._around = np.array([s.around for s in SECTIONS])[None, :, None]
        self._along = np.array([s.along for s in SECTIONS])[None, :, None]
        self._per_m = column([s.along / (s.high_z_m - s.low_z_m) for s in SECTIONS])
        counts = [s.around * s.along for s in SECTIONS]
        self._first = np.cumsum([0, *counts[:-1]])[None, :, None]

    def spread(self, local_m: Array, force_n: Array) -> Array:
        """Patches (steps, 96) in N for contacts at `local_m` (steps, sections, slots, 3) in the sections' frames
        with normal forces `force_n` (steps, sections, slots)."""
        angle = np.arctan2((local_m[..., 1] - self._centre_y) * self._scale_y, local_m[..., 0] * self._scale_x)
        turn = (angle / (2.0 * np.pi)) % 1.0 * self._around - 0.5
        height = (local_m[..., 2] - self._low_z) * self._per_m - 0.5
        height = np.clip(height, 0.0, self._along - 1.0)
        turn_floor, height_floor = np.floor(turn), np.floor(height)
        turn_part, height_part = turn - turn_floor, height - height_floor
        turn_0 = turn_floor.astype(np.int64) % self._around
        turn_1 = (turn_0 + 1) % self._around
        height_0 = height_floor.astype(np.int64)
        height_1 = np.minimum(height_0 + 1, self._along - 1)
        steps = len(local_m)
        base = self._first + (np.arange(steps) * SKIN_PATCHES)[:, None, None]
        cells = np.stack(
            [base + t * self._along + h for t in (turn_0, turn_1) for h in (height_0, height_1)],
        )
        weights = np.stack(
            [force_n * t * h for t in (1.0 - turn_part, turn_part) for h in (1.0 - height_part, height_part)],
        )
        patches = np.bincount(cells.ravel(), weights.ravel(), minlength=steps * SKIN_PATCHES).astype(np.float64)
        return patches.reshape(steps, SKIN_PATCHES)
