"""Small procedural textures, grey so that a material's colour tints them."""

from functools import cache

import mujoco
import numpy as np
from numpy.typing import NDArray

SIZE = 256


def _noise(rng: np.random.Generator, cells_x: int, cells_y: int) -> NDArray[np.float64]:
    """Smooth tiling noise in [0, 1], (SIZE, SIZE)."""
    coarse = rng.random((cells_y, cells_x))
    ys, xs = np.arange(SIZE) * cells_y / SIZE, np.arange(SIZE) * cells_x / SIZE
    iy, ix = ys.astype(int), xs.astype(int)
    fy, fx = ys - iy, xs - ix
    fy, fx = (fy * fy * (3 - 2 * fy))[:, None], (fx * fx * (3 - 2 * fx))[None, :]
    a, b = coarse[iy][:, ix], coarse[iy][:, (ix + 1) % cells_x]
    c, d = coarse[(iy + 1) % cells_y][:, ix], coarse[(iy + 1) % cells_y][:, (ix + 1) % cells_x]
    return (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy


@cache
def texture_bytes(kind: str) -> bytes:
    """(SIZE, SIZE, 3) bytes of `planks`, `tiles`, `grain`, `weave` or `plaster`."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([4711, len(kind), ord(kind[0])])))
    rows = np.arange(SIZE)
    if kind == "planks":
        gray = 0.80 + 0.10 * _noise(rng, 3, 64) + 0.05 * _noise(rng, 6, 128)
        height = SIZE // 8
        for i in range(8):
            shift = int(rng.integers(SIZE))
            gray[i * height : (i + 1) * height] *= 0.90 + 0.10 * rng.random()
            for joint, shade in ((shift, 0.0), ((shift + SIZE // 2) % SIZE, 0.05)):
                half = (np.arange(SIZE // 2) + joint) % SIZE
                gray[i * height : (i + 1) * height, half] *= 1.0 - shade
                gray[i * height : (i + 1) * height, joint] *= 0.72
            gray[i * height] *= 0.74
    elif kind == "tiles":
        gray = 0.92 + 0.05 * _noise(rng, 8, 8)
        step = SIZE // 4
        checks = (rows[:, None] // step + rows[None, :] // step) % 2
        gray -= 0.035 * checks
        gray[rows % step < 2] = 0.80
        gray[:, rows % step < 2] = 0.80
    elif kind == "grain":
        gray = 0.84 + 0.10 * _noise(rng, 2, 48) + 0.06 * _noise(rng, 4, 128)
    elif kind == "weave":
        gray = 0.86 + 0.06 * _noise(rng, 64, 64) + 0.05 * ((rows[:, None] // 4 + rows[None, :] // 4) % 2)
    else:
        gray = 0.95 + 0.04 * _noise(rng, 32, 32)
    pixels = np.clip(gray * 255, 0, 255).astype(np.uint8)
    return np.repeat(pixels[:, :, None], 3, axis=2).tobytes()


def add_texture(spec: mujoco.MjSpec, kind: str) -> str:
    """Add the texture once; its name."""
    name = f"house_{kind}"
    if all(t.name != name for t in spec.textures):
        texture = spec.add_texture(
            name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=SIZE, height=SIZE, nchannel=3, hflip=0, vflip=0
        )
        texture.data = texture_bytes(kind)
    return name
