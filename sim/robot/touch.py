"""Touch: contact forces of MuJoCo's native sensors as taxels of the finger pads and patches of skin.

Raw sensor data are copied at every physics step and binned once a tick, for all steps at once.

Pad channels are what the world does to the pad: normal (pressure, positive), shear along tool x and along tool z.
Taxel rows run from palm to tip (tool z), columns along tool x. Pad 0 is the left finger (tool −y).
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.messages import PAD_SHAPE, SKIN_PATCHES, STEPS_PER_TICK, TICK_S
from controllers.plant import TouchFrame
from sim.robot.hand import PAD_HALF_X_M, PAD_HALF_Z_M
from sim.robot.sensors import FRAMES, PAD_SLOTS, SKIN_SLOTS, SKIN_SOURCES, SensorLayout, sensor_layout
from sim.robot.skin import SECTIONS, SkinMap

Array = NDArray[np.float64]

_SPREAD_M = 0.003
"""Standard deviation of the pad's rubber spreading a point force."""
_KERNEL_STEPS = 420
"""Positions per pad length at which the spread is tabulated: 0.1 mm along z."""
_TAXELS = 2 * 3 * PAD_SHAPE[0] * PAD_SHAPE[1]
_CELLS = _TAXELS + SKIN_PATCHES
_NOISE_TICKS = 50
"""Noise is drawn for so many ticks at once; the drift moves on between them."""
_DRIFT_TIME_S = 60.0
_LEVELS_PER_N = 1024.0
"""Steps of the converter, about a millinewton: finer digits of a reading whose noise is four would be noise, and an
episode would be twice as large. Up to 2 N float16 holds them exactly."""
_CHANNEL_AXES = [1, 0, 2]
"""Tool axes in the order of the channels: normal, shear along x, shear along z."""
_TO_READING = np.array([[1.0, -1.0], [-1.0, -1.0], [-1.0, -1.0]]).repeat(PAD_SLOTS, axis=1)
"""(3, 2 · PAD_SLOTS) signs from what a pad does to the world to what it reads: shear is what the world does to the
pad, pressure is positive on both (the left one is pressed towards tool −y)."""


@dataclass(frozen=True)
class TouchNoise:
    """Imperfections of the taxels; NO_NOISE has none."""

    noise_n: float = 0.004
    """Standard deviation of a taxel in one tick."""
    drift_n: float = 0.004
    """Standard deviation of its slowly wandering offset (time constant 60 s)."""
    gain: float = 0.03
    """Relative standard deviation of its sensitivity."""
    dead_fraction: float = 0.0
    """Share of taxels and patches that always read 0."""


NO_NOISE = TouchNoise(0.0, 0.0, 0.0, 0.0)


def _kernel(half_m: float, cells: int) -> Array:
    """(_KERNEL_STEPS + 1, cells): share of a point force that each cell takes, by position from −half to half."""
    position = np.linspace(-half_m, half_m, _KERNEL_STEPS + 1)[:, None]
    centre = (np.arange(cells) + 0.5) / cells * 2.0 * half_m - half_m
    weight = np.exp(-0.5 * ((position - centre) / _SPREAD_M) ** 2)
    return weight / weight.sum(axis=1, keepdims=True)


_ROWS, _COLUMNS = _kernel(PAD_HALF_Z_M, PAD_SHAPE[0]), _kernel(PAD_HALF_X_M, PAD_SHAPE[1])
_HALF_XZ_M = np.array([[PAD_HALF_X_M], [PAD_HALF_Z_M]])
_KERNEL_PER_M = _KERNEL_STEPS / (2.0 * _HALF_XZ_M)
_KERNEL_OFFSET = _KERNEL_STEPS / 2.0 + 0.5


def _cross_matrix() -> Array:
    """(3, 9): this times n ⊗ t, flattened, is n × t. Negative, for the channels' order of axes is left-handed."""
    levi_civita = np.zeros((3, 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        levi_civita[i, j, k], levi_civita[j, i, k] = -1.0, 1.0
    return levi_civita.reshape(9, 3).T.copy()


_CROSS = _cross_matrix()


def _read(force_n: NDArray[np.floating]) -> NDArray[np.float16]:
    """As the converter gives it. Overwrites `force_n`."""
    force_n *= _LEVELS_PER_N
    np.rint(force_n, out=force_n)
    force_n *= 1.0 / _LEVELS_PER_N
    return force_n.astype(np.float16)


class Touch:
    """Collects contact at every step and gives a TouchFrame per tick."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, seed: int, noise: TouchNoise | None = None) -> None:
        self._layout: SensorLayout = sensor_layout(model)
        self._source: Array = data.sensordata[self._layout.start : self._layout.start + self._layout.size]
        self._noise = noise or TouchNoise()
        self._seed = seed
        self._skin_map = SkinMap()
        self._section_frame = np.array([s.frame for s in SECTIONS])
        self._raw = np.zeros((STEPS_PER_TICK, self._layout.size))
        self._cells = np.zeros((STEPS_PER_TICK, _CELLS))
        self.reset()

    def reset(self) -> None:
        """Forget the past; gains, dead taxels and offsets are drawn again from the seed."""
        self._count = 0
        self._last, self._last_felt = np.zeros(_CELLS), False
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, 0x70C4])))
        drawn = self._random.standard_normal((2, _CELLS))
        dead = self._random.random(_CELLS) < self._noise.dead_fraction
        self._gain = np.where(dead, 0.0, 1.0 + self._noise.gain * drawn[0])
        self._alive = ~dead
        self._drift_scale = np.where(dead, 0.0, self._noise.drift_n)
        self._drift = self._drift_scale * drawn[1]
        self._draw_bank()
        self._draw_noise()

    def after_step(self) -> None:
        """Keep this step's contacts. Without a `read`, the latest tick's steps are kept."""
        self._raw[self._count % STEPS_PER_TICK] = self._source
        self._count += 1

    def read(self) -> TouchFrame:
        """Touch pooled over the steps since the last call; without any, of the present state."""
        if self._count == 0:
            self.after_step()
        raw = self._raw[: min(self._count, STEPS_PER_TICK)]
        latest = (self._count - 1) % STEPS_PER_TICK
        self._count = 0
        self._cells.fill(0.0)
        cells = self._cells[: len(raw)]
        felt = self._bin_pads(raw, cells)
        felt = self._bin_skin(raw, cells) or felt

        if self._noise_row == _NOISE_TICKS:
            self._draw_noise()
        row = self._noise_row
        self._noise_row += 1
        offset, change = self._offset[row], self._change[row]
        if felt or self._last_felt:
            stats = np.empty((3, _CELLS))
            np.add.reduce(cells, axis=0, out=stats[0])
            stats[0] /= len(cells)
            high, low = cells.max(axis=0), cells.min(axis=0)
            # The extreme value with its sign: shear has both.
            stats[1] = np.where(high + low >= 0.0, high, low)
            np.subtract(cells[latest], self._last, out=stats[2])
            self._last[:] = cells[latest]
            stats *= self._gain
            stats[:2] += offset
            stats[2] += change
            pooled = _read(stats)
        else:
            pooled = np.empty((3, _CELLS), np.float16)
            pooled[:2] = offset
            pooled[2] = change
        self._last_felt = felt
        pads = pooled[:, :_TAXELS].reshape(3, 2, 3, *PAD_SHAPE).swapaxes(0, 1)
        return TouchFrame(np.ascontiguousarray(pads), pooled[:, _TAXELS:].copy())

    def _draw_bank(self) -> None:
        """The noise of a run. A block takes it from a random cell on, cyclically, so that a taxel meets the same
        row of numbers again only after minutes; drawing and rounding anew would take as long as the contacts."""
        noise = self._random.standard_normal((_NOISE_TICKS + 1, _CELLS), np.float32) * np.float32(self._noise.noise_n)
        self._bank = np.concatenate([noise, noise], axis=1)
        self._change_bank = _read(np.diff(self._bank, axis=0))

    def _draw_noise(self) -> None:
        """For the next _NOISE_TICKS ticks: the offsets (ticks, cells) of mean and maximum, and those of the change."""
        keep = float(np.exp(-_NOISE_TICKS * TICK_S / _DRIFT_TIME_S))
        wander = np.sqrt(1.0 - keep**2) * self._drift_scale * self._random.standard_normal(_CELLS)
        self._drift = keep * self._drift + wander
        first = int(self._random.integers(_CELLS))
        noise, change = self._bank[1:, first : first + _CELLS], self._change_bank[:, first : first + _CELLS]
        self._offset = _read(noise * self._alive + self._drift.astype(np.float32))
        self._change = change if self._alive.all() else np.where(self._alive, change, np.float16(0.0))
        self._noise_row = 0

    def _bin_pads(self, raw: Array, cells: Array) -> bool:
        """Adds the pads' taxels to `cells` (steps, _CELLS) in N; whether anything touches them."""
        steps, start = len(raw), self._layout.pads
        contacts = raw[:, start : start + 2 * PAD_SLOTS * 12].reshape(steps, 2 * PAD_SLOTS, 4, 3)
        if not contacts[:, :, 0, 0].any():
            return False
        tool = raw[:, :12].reshape(steps, 4, 3)
        # Slots come last from here on: numpy is slow on innermost axes of length 3.
        parts = contacts.transpose(0, 3, 2, 1).copy()  # (steps, xyz, part, slot)
        parts[:, :, 1] -= tool[:, 0, :, None]
        axes = tool[:, 1:].take(_CHANNEL_AXES, axis=1)
        local = (axes @ parts[:, :, 1:].reshape(steps, 3, -1)).reshape(steps, 3, 3, -1)
        position, normal, tangent = local[:, :, 0], local[:, :, 1], local[:, :, 2]
        binormal = _CROSS @ (normal[:, :, None] * tangent[:, None]).reshape(steps, 9, -1)
        channels = parts[:, 0:1, 0] * normal
        channels += parts[:, 1:2, 0] * tangent
        channels += parts[:, 2:3, 0] * binormal
        channels *= _TO_READING
        at = (position[:, 1:] * _KERNEL_PER_M + _KERNEL_OFFSET).astype(np.intp)
        columns = _COLUMNS.take(at[:, 0], axis=0, mode="clip").reshape(steps, 2, PAD_SLOTS, PAD_SHAPE[1])
        rows = _ROWS.take(at[:, 1], axis=0, mode="clip").reshape(steps, 2, 1, PAD_SLOTS, PAD_SHAPE[0]).swapaxes(3, 4)
        weighted = channels.reshape(steps, 3, 2, 1, PAD_SLOTS).swapaxes(1, 2) * rows
        cells[:, :_TAXELS] = (weighted.reshape(steps, 2, -1, PAD_SLOTS) @ columns).reshape(steps, _TAXELS)
        return True

    def _bin_skin(self, raw: Array, cells: Array) -> bool:
        """Adds the skin's patches, N of normal force, to `cells`; whether anything touches arm and hand."""
        steps, start = len(raw), self._layout.skin
        contacts = raw[:, start:].reshape(steps, len(SKIN_SOURCES), SKIN_SLOTS, 6)
        force = contacts[..., 0]
        if not force.any():
            return False
        frames = raw[:, : 12 * len(FRAMES)].reshape(steps, len(FRAMES), 4, 3)[:, self._section_frame]
        origin = frames[:, :, 0].copy()
        origin[:, -2:] = raw[:, self._layout.fingers : self._layout.fingers + 6].reshape(steps, 2, 3)
        local = (contacts[..., 3:] - origin[:, :, None]) @ frames[:, :, 1:].transpose(0, 1, 3, 2)
        cells[:, _TAXELS:] = self._skin_map.spread(local, force)
        return True
