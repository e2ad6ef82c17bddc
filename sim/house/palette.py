"""Colours of a house: a few hand-picked schemes, jittered a little per house."""

import numpy as np

Rgb = tuple[float, float, float]

_COMMON: dict[str, Rgb] = {
    "wall": (0.89, 0.86, 0.80),
    "frame": (0.96, 0.95, 0.92),
    "door": (0.90, 0.87, 0.80),
    "wood": (0.74, 0.56, 0.38),
    "dark_wood": (0.45, 0.31, 0.21),
    "floor": (0.78, 0.63, 0.46),
    "tiles": (0.86, 0.85, 0.82),
    "carpet": (0.72, 0.67, 0.60),
    "worktop": (0.80, 0.66, 0.48),
    "steel": (0.72, 0.73, 0.74),
    "handle": (0.35, 0.33, 0.31),
    "fridge": (0.90, 0.90, 0.88),
    "carcass": (0.92, 0.90, 0.86),
    "fabric": (0.55, 0.60, 0.62),
    "accent": (0.80, 0.55, 0.35),
    "linen": (0.93, 0.91, 0.87),
    "leaf": (0.33, 0.50, 0.30),
    "pot": (0.76, 0.48, 0.36),
}

_SCHEMES: dict[str, dict[str, Rgb]] = {
    "sage": {
        "wall": (0.88, 0.88, 0.82),
        "front": (0.60, 0.68, 0.57),
        "upper": (0.95, 0.93, 0.88),
        "fabric": (0.78, 0.60, 0.42),
    },
    "oat": {
        "front": (0.82, 0.74, 0.62),
        "upper": (0.82, 0.74, 0.62),
        "worktop": (0.50, 0.37, 0.27),
        "accent": (0.42, 0.55, 0.52),
    },
    "navy": {
        "wall": (0.85, 0.87, 0.89),
        "front": (0.25, 0.34, 0.46),
        "upper": (0.95, 0.94, 0.91),
        "handle": (0.78, 0.64, 0.38),
        "fabric": (0.70, 0.45, 0.36),
    },
    "terracotta": {
        "front": (0.77, 0.49, 0.37),
        "upper": (0.95, 0.92, 0.87),
        "fabric": (0.45, 0.52, 0.45),
        "accent": (0.85, 0.68, 0.42),
    },
    "mint": {
        "wall": (0.90, 0.87, 0.83),
        "front": (0.66, 0.80, 0.74),
        "upper": (0.97, 0.96, 0.93),
        "fabric": (0.85, 0.66, 0.55),
        "tiles": (0.80, 0.82, 0.81),
    },
    "plum": {
        "wall": (0.88, 0.85, 0.85),
        "front": (0.48, 0.33, 0.40),
        "upper": (0.92, 0.89, 0.86),
        "handle": (0.80, 0.70, 0.52),
        "fabric": (0.55, 0.50, 0.60),
    },
    "ochre": {
        "front": (0.83, 0.66, 0.34),
        "upper": (0.95, 0.92, 0.85),
        "fabric": (0.36, 0.47, 0.52),
        "worktop": (0.84, 0.82, 0.78),
    },
    "slate": {
        "wall": (0.86, 0.86, 0.85),
        "front": (0.38, 0.43, 0.47),
        "upper": (0.72, 0.56, 0.39),
        "worktop": (0.84, 0.83, 0.81),
        "fabric": (0.72, 0.56, 0.44),
    },
    "blush": {
        "wall": (0.90, 0.86, 0.83),
        "front": (0.85, 0.68, 0.62),
        "upper": (0.96, 0.93, 0.90),
        "handle": (0.72, 0.58, 0.40),
        "fabric": (0.50, 0.57, 0.50),
    },
    "forest": {
        "wall": (0.87, 0.86, 0.80),
        "front": (0.25, 0.38, 0.32),
        "upper": (0.25, 0.38, 0.32),
        "handle": (0.76, 0.62, 0.38),
        "fabric": (0.80, 0.66, 0.50),
    },
}


def draw_palette(rng: np.random.Generator, scheme: str) -> dict[str, Rgb]:
    """Colours by part of the house, each channel within ±3 % of the scheme's."""
    colors = _COMMON | _SCHEMES[scheme]
    return {part: _jitter(rng, colors[part]) for part in sorted(colors)}


def _jitter(rng: np.random.Generator, color: Rgb) -> Rgb:
    shade = rng.uniform(-0.02, 0.02)
    r, g, b = (float(np.clip(round(c + shade + rng.uniform(-0.012, 0.012), 4), 0.0, 1.0)) for c in color)
    return r, g, b
