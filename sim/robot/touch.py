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
_DRIFT_PERIOD_TICKS = 100
_DRIFT_TIME_S = 60.0
_PRESSURE_SIGN = np.array([-1.0, 1.0])[None, :, None]
"""The left pad is pressed towards tool −y, the right one towards +y."""


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


def _extreme(steps: Array) -> Array:
    """Over the first axis the value farthest from 0, with its sign."""
    high, low = steps.max(axis=0), steps.min(axis=0)
    return np.where(high >= -low, high, low)


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
        self.reset()

    def reset(self) -> None:
        """Forget the past; gains, dead taxels and offsets are drawn again from the seed."""
        self._count = 0
        self._ticks = 0
        self._last_pads = np.zeros((2, 3, *PAD_SHAPE))
        self._last_skin = np.zeros(SKIN_PATCHES)
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, 0x70C4])))
        size = _TAXELS + SKIN_PATCHES
        drawn = self._random.standard_normal((2, size))
        dead = self._random.random(size) < self._noise.dead_fraction
        self._gain = np.where(dead, 0.0, 1.0 + self._noise.gain * drawn[0])
        self._noise_scale = np.where(dead, 0.0, self._noise.noise_n)
        self._drift_scale = np.where(dead, 0.0, self._noise.drift_n)
        self._drift = self._drift_scale * drawn[1]
        self._last_noise = np.zeros(size)
        self._pad_gain = self._gain[:_TAXELS].reshape(2, 3, *PAD_SHAPE)
        self._skin_gain = self._gain[_TAXELS:]

    def after_step(self) -> None:
        """Keep this step's contacts. Steps beyond a tick without a `read` replace the latest one."""
        self._raw[min(self._count, STEPS_PER_TICK - 1)] = self._source
        self._count += 1

    def read(self) -> TouchFrame:
        """Touch pooled over the steps since the last call; without any, of the present state."""
        if self._count == 0:
            self.after_step()
        raw = self._raw[: min(self._count, STEPS_PER_TICK)]
        self._count = 0
        noise = self._draw_noise()
        pad_noise, skin_noise = noise[:, :_TAXELS].reshape(2, 2, 3, *PAD_SHAPE), noise[:, _TAXELS:]

        pads = np.empty((2, 3, 3, *PAD_SHAPE))  # pad, statistic, channel, taxel
        steps = self._pads(raw)
        if steps is None:
            steps = np.zeros((1, 2, 3, *PAD_SHAPE))
        pads[:, 0] = steps.mean(axis=0) * self._pad_gain + pad_noise[0]
        pads[:, 1] = _extreme(steps) * self._pad_gain + pad_noise[0]
        pads[:, 2] = (steps[-1] - self._last_pads) * self._pad_gain + pad_noise[1]
        self._last_pads = steps[-1]

        skin = np.empty((3, SKIN_PATCHES))
        patches = self._skin(raw)
        if patches is None:
            patches = np.zeros((1, SKIN_PATCHES))
        skin[0] = patches.mean(axis=0) * self._skin_gain + skin_noise[0]
        skin[1] = patches.max(axis=0) * self._skin_gain + skin_noise[0]
        skin[2] = (patches[-1] - self._last_skin) * self._skin_gain + skin_noise[1]
        self._last_skin = patches[-1]
        return TouchFrame(pads.astype(np.float16), skin.astype(np.float16))

    def _draw_noise(self) -> Array:
        """(2, taxels + patches): offset of this tick's values, and of their change."""
        size = len(self._gain)
        self._ticks += 1
        if self._ticks % _DRIFT_PERIOD_TICKS == 0:
            keep = float(np.exp(-_DRIFT_PERIOD_TICKS * TICK_S / _DRIFT_TIME_S))
            step = self._random.standard_normal(size)
            self._drift = keep * self._drift + np.sqrt(1.0 - keep**2) * self._drift_scale * step
        now = self._noise_scale * self._random.standard_normal(size, dtype=np.float32)
        noise = np.stack([now + self._drift, now - self._last_noise])
        self._last_noise = now
        return noise

    def _pads(self, raw: Array) -> Array | None:
        """(steps, 2, 3, 12, 8) N, or None when nothing touches the pads."""
        steps = len(raw)
        start = self._layout.pads
        contacts = raw[:, start : start + 2 * PAD_SLOTS * 12].reshape(steps, 2 * PAD_SLOTS, 4, 3)
        force = contacts[:, :, 0]
        if not force[:, :, 0].any():
            return None
        tool = raw[:, :12].reshape(steps, 4, 3)
        vectors = contacts[:, :, 1:].copy()
        vectors[:, :, 0] -= tool[:, None, 0]
        local = (vectors.reshape(steps, -1, 3) @ tool[:, 1:].transpose(0, 2, 1)).reshape(steps, -1, 3, 3)
        position, n, t = local[:, :, 0], local[:, :, 1], local[:, :, 2]
        bx = n[..., 1] * t[..., 2] - n[..., 2] * t[..., 1]
        by = n[..., 2] * t[..., 0] - n[..., 0] * t[..., 2]
        bz = n[..., 0] * t[..., 1] - n[..., 1] * t[..., 0]
        # The sensor gives what the pad does to the world, hence the minus signs.
        channels = np.empty((steps, 2, PAD_SLOTS, 3))
        flat = channels.reshape(steps, 2 * PAD_SLOTS, 3)
        flat[..., 0] = -(force[..., 0] * n[..., 1] + force[..., 1] * t[..., 1] + force[..., 2] * by)
        flat[..., 1] = -(force[..., 0] * n[..., 0] + force[..., 1] * t[..., 0] + force[..., 2] * bx)
        flat[..., 2] = -(force[..., 0] * n[..., 2] + force[..., 1] * t[..., 2] + force[..., 2] * bz)
        channels[..., 0] *= _PRESSURE_SIGN
        row = ((position[..., 2] + PAD_HALF_Z_M) * (_KERNEL_STEPS / (2 * PAD_HALF_Z_M)) + 0.5).astype(np.int64)
        column = ((position[..., 0] + PAD_HALF_X_M) * (_KERNEL_STEPS / (2 * PAD_HALF_X_M)) + 0.5).astype(np.int64)
        rows = _ROWS.take(row, axis=0, mode="clip").reshape(steps, 2, PAD_SLOTS, 1, PAD_SHAPE[0])
        columns = _COLUMNS.take(column, axis=0, mode="clip").reshape(steps, 2, PAD_SLOTS, PAD_SHAPE[1])
        weighted = (channels[..., None] * rows).reshape(steps, 2, PAD_SLOTS, 3 * PAD_SHAPE[0])
        return (weighted.transpose(0, 1, 3, 2) @ columns).reshape(steps, 2, 3, *PAD_SHAPE)

    def _skin(self, raw: Array) -> Array | None:
        """(steps, 96) N of normal force, or None when nothing touches arm and hand."""
        steps = len(raw)
        start = self._layout.skin
        contacts = raw[:, start:].reshape(steps, len(SKIN_SOURCES), SKIN_SLOTS, 6)
        force = contacts[..., 0]
        if not force.any():
            return None
        frames = raw[:, : 12 * len(FRAMES)].reshape(steps, len(FRAMES), 4, 3)[:, self._section_frame]
        origin = frames[:, :, 0].copy()
        origin[:, -2:] = raw[:, self._layout.fingers : self._layout.fingers + 6].reshape(steps, 2, 3)
        local = (contacts[..., 3:] - origin[:, :, None]) @ frames[:, :, 1:].transpose(0, 1, 3, 2)
        return self._skin_map.spread(local, force)
