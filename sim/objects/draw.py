"""Draws the parameters of free objects and coffee machines; each split has its own shapes and ranges.

All lengths in m, masses in kg, forces in N, volumes in ml. Nothing here touches MuJoCo. Which kinds
belong to which split is written as data, so that the page of axes can be made from it.
"""

from math import pi
from typing import TypedDict

import numpy as np

from sim.house.schema import Split
from sim.objects.machine_geometry import LID_HEIGHT_M, NOZZLE_M

Range = tuple[float, float]

MUG_WALL_M = 0.008
MUG_FLOOR_M = 0.008
MUG_MIN_CAPACITY_ML = 235.0
"""A brew of at most 210 ml leaves headroom to carry it."""
MUG_MAX_HEIGHT_M = 0.105
MUG_MAX_RADIUS_M = 0.042

MUG_STYLES: dict[Split, tuple[str, ...]] = {
    "train": ("loop", "square", "ear"),
    "dev": ("loop", "high"),
    "heldout": ("square", "wing", "low"),
}
"""Handle shapes, see sim/objects/mug.py."""

MUG_RANGES: dict[Split, dict[str, Range]] = {
    "train": {
        "radius": (0.0365, 0.0410),
        "height": (0.086, 0.102),
        "taper": (0.0, 0.05),
        "mass": (0.24, 0.34),
        "friction": (0.60, 0.90),
        "handle_reach": (0.022, 0.030),
    },
    "dev": {
        "radius": (0.0380, 0.0420),
        "height": (0.084, 0.096),
        "taper": (0.04, 0.09),
        "mass": (0.22, 0.36),
        "friction": (0.55, 0.95),
        "handle_reach": (0.024, 0.032),
    },
    "heldout": {
        "radius": (0.0365, 0.0420),
        "height": (0.082, 0.105),
        "taper": (-0.03, 0.09),
        "mass": (0.20, 0.40),
        "friction": (0.50, 1.00),
        "handle_reach": (0.020, 0.032),
    },
}
"""`taper` is tan of the wall's outward slope: positive is wider at the mouth, negative bulges at the foot."""

POD_RANGES: dict[Split, dict[str, Range]] = {
    "train": {"radius": (0.0235, 0.0265), "height": (0.028, 0.034), "mass": (0.022, 0.034), "friction": (0.55, 0.85)},
    "dev": {"radius": (0.0245, 0.0275), "height": (0.027, 0.031), "mass": (0.020, 0.036), "friction": (0.50, 0.90)},
    "heldout": {"radius": (0.0220, 0.0280), "height": (0.026, 0.036), "mass": (0.020, 0.040), "friction": (0.50, 0.95)},
}

LidHinge = str
ButtonPlace = str

MACHINE_KINDS: dict[Split, tuple[tuple[LidHinge, ButtonPlace, float], ...]] = {
    "train": (("back", "front", 0.4), ("left", "front", 0.3), ("back", "top", 0.3)),
    "dev": (("right", "front", 0.3), ("left", "top", 0.4), ("back", "top", 0.3)),
    "heldout": (("left", "top", 0.3), ("right", "top", 0.3), ("back", "front", 0.4)),
}
"""Lid hinge, button place, share."""

MACHINE_RANGES: dict[Split, dict[str, Range]] = {
    "train": {
        "spout_clearance": (0.128, 0.138),
        "column_depth": (0.080, 0.100),
        "head_height": (0.078, 0.090),
        "button_stroke": (0.0042, 0.0054),
        "button_press_n": (4.5, 8.5),
        "lid_damping": (0.010, 0.022),
        "brew_ml": (175.0, 205.0),
        "brew_rate_ml_s": (18.0, 26.0),
    },
    "dev": {
        "spout_clearance": (0.132, 0.142),
        "column_depth": (0.085, 0.110),
        "head_height": (0.080, 0.094),
        "button_stroke": (0.0040, 0.0050),
        "button_press_n": (5.0, 10.0),
        "lid_damping": (0.014, 0.028),
        "brew_ml": (172.0, 208.0),
        "brew_rate_ml_s": (16.0, 28.0),
    },
    "heldout": {
        "spout_clearance": (0.126, 0.145),
        "column_depth": (0.075, 0.110),
        "head_height": (0.076, 0.096),
        "button_stroke": (0.0040, 0.0060),
        "button_press_n": (4.0, 12.0),
        "lid_damping": (0.008, 0.030),
        "brew_ml": (170.0, 210.0),
        "brew_rate_ml_s": (15.0, 30.0),
    },
}

CLUTTER: dict[Split, tuple[tuple[str, float], ...]] = {
    "train": (
        ("bowl", 0.22),
        ("plate", 0.18),
        ("loose_lid", 0.08),
        ("bottle", 0.16),
        ("box", 0.14),
        ("fruit", 0.14),
        ("book", 0.08),
    ),
    "dev": (
        ("bowl", 0.2),
        ("plate", 0.16),
        ("loose_lid", 0.14),
        ("bottle", 0.14),
        ("box", 0.12),
        ("fruit", 0.1),
        ("book", 0.14),
    ),
    "heldout": (
        ("bowl", 0.2),
        ("plate", 0.14),
        ("loose_lid", 0.16),
        ("bottle", 0.18),
        ("box", 0.16),
        ("fruit", 0.08),
        ("book", 0.08),
    ),
}
"""Class and share."""

CLUTTER_STYLES: dict[str, dict[Split, tuple[str, ...]]] = {
    "bowl": {"train": ("round",), "dev": ("wide",), "heldout": ("deep", "wide")},
    "plate": {"train": ("flat",), "dev": ("rimmed",), "heldout": ("rimmed", "flat")},
    "loose_lid": {"train": ("knob",), "dev": ("bar",), "heldout": ("knob", "bar")},
    "bottle": {"train": ("tall", "squat"), "dev": ("tall",), "heldout": ("squat", "slim")},
    "box": {"train": ("carton",), "dev": ("tin",), "heldout": ("carton", "tin")},
    "fruit": {"train": ("apple", "orange"), "dev": ("lemon", "apple"), "heldout": ("orange", "lemon")},
    "book": {"train": ("flat",), "dev": ("flat",), "heldout": ("thick",)},
}

_CLUTTER_SIZES: dict[str, tuple[Range, Range, Range]] = {
    "bowl": ((0.055, 0.075), (0.045, 0.065), (0.20, 0.40)),
    "plate": ((0.085, 0.115), (0.016, 0.024), (0.25, 0.50)),
    "loose_lid": ((0.038, 0.050), (0.020, 0.030), (0.05, 0.12)),
    "bottle": ((0.026, 0.038), (0.18, 0.27), (0.25, 0.70)),
    "box": ((0.030, 0.060), (0.08, 0.20), (0.10, 0.50)),
    "fruit": ((0.032, 0.042), (0.060, 0.078), (0.12, 0.24)),
    "book": ((0.065, 0.090), (0.015, 0.040), (0.20, 0.60)),
}
"""Radius (half width of box and book), height, mass."""

_BREAKABLE = ("bowl", "plate", "mug")
_BREAK_SPEED_M_S = (1.75, 2.1)
"""Change of speed that breaks ceramic: a fall from 16 to 22 cm."""


class DrawnMachine(TypedDict):
    params: dict[str, float]
    lid_hinge: LidHinge
    button_place: ButtonPlace


def mug_inner_radius_m(params: dict[str, float], height_m: float) -> float:
    """Inside radius of a mug at `height_m` above its underside."""
    return params["radius"] - MUG_WALL_M - params["taper"] * (params["height"] - height_m)


def mug_capacity_ml(params: dict[str, float]) -> float:
    """Volume up to the rim: a frustum between the inside floor and the mouth."""
    top, bottom = mug_inner_radius_m(params, params["height"]), mug_inner_radius_m(params, MUG_FLOOR_M)
    depth = params["height"] - MUG_FLOOR_M
    return pi * depth * (top * top + top * bottom + bottom * bottom) / 3 * 1e6


def draw_mug(rng: np.random.Generator, split: Split) -> tuple[dict[str, float], str]:
    """Params and handle style of a mug. Its capacity is at least MUG_MIN_CAPACITY_ML.

    `radius` is the outside radius at the mouth; the foot's is `radius - taper * height`.
    """
    params = _draw(rng, MUG_RANGES[split])
    style = str(rng.choice(MUG_STYLES[split]))
    while mug_capacity_ml(params) < MUG_MIN_CAPACITY_ML:
        # Grow within the gripper's limits, then straighten the wall.
        if params["height"] < MUG_MAX_HEIGHT_M:
            params["height"] = min(params["height"] + 0.002, MUG_MAX_HEIGHT_M)
        elif params["radius"] < MUG_MAX_RADIUS_M:
            params["radius"] = min(params["radius"] + 0.0005, MUG_MAX_RADIUS_M)
        else:
            params["taper"] *= 0.8
    # A foot wider than the mouth must fit the gripper too; the radius left over is given to the mouth.
    if params["taper"] < 0 and params["radius"] - params["taper"] * params["height"] > MUG_MAX_RADIUS_M:
        params["radius"], params["taper"] = MUG_MAX_RADIUS_M, 0.0
    params["capacity_ml"] = mug_capacity_ml(params)
    params["break_speed"] = rng.uniform(*_BREAK_SPEED_M_S)
    params["hue"] = rng.uniform()
    return _floats(params), style


def draw_pod(rng: np.random.Generator, split: Split) -> dict[str, float]:
    """Params of a coffee pod: a puck."""
    return _floats(_draw(rng, POD_RANGES[split]) | {"hue": rng.uniform()})


def draw_clutter(rng: np.random.Generator, split: Split) -> tuple[str, dict[str, float], str, bool]:
    """Class, params, style and whether it breaks. Box and book also have `depth` and `width`."""
    classes = CLUTTER[split]
    class_name = str(rng.choice([name for name, _ in classes], p=[share for _, share in classes]))
    return draw_clutter_of(rng, split, class_name)


def draw_clutter_of(rng: np.random.Generator, split: Split, class_name: str) -> tuple[str, dict[str, float], str, bool]:
    """As draw_clutter, for one class. Raises KeyError for a class that is no clutter."""
    if class_name not in _CLUTTER_SIZES:
        raise KeyError(f"{class_name!r} is no clutter; known: {', '.join(_CLUTTER_SIZES)}")
    radius, height, mass = (rng.uniform(*bounds) for bounds in _CLUTTER_SIZES[class_name])
    params = {"radius": radius, "height": height, "mass": mass, "friction": rng.uniform(0.5, 0.9)}
    style = str(rng.choice(CLUTTER_STYLES[class_name][split]))
    if class_name == "fruit":
        params["height"] = 2 * radius * 0.92
    if class_name in ("box", "book"):
        params["depth"], params["width"] = 2 * radius, 2 * radius * rng.uniform(0.65, 1.0)
        params["radius"] = float(np.hypot(params["depth"], params["width"]) / 2)
    breakable = class_name in _BREAKABLE
    if breakable:
        params["break_speed"] = rng.uniform(*_BREAK_SPEED_M_S)
    params["hue"] = rng.uniform()
    return class_name, _floats(params), style, breakable


def draw_machine(rng: np.random.Generator, split: Split) -> DrawnMachine:
    """Params, lid hinge and button place of a coffee machine. Any mug of any split fits under its spout."""
    kinds = MACHINE_KINDS[split]
    lid_hinge, button_place, _ = kinds[int(rng.choice(len(kinds), p=[share for *_, share in kinds]))]
    params = _draw(rng, MACHINE_RANGES[split])
    # A button on top stands beside the lid, which needs a wider head; more so where the open lid leans over it.
    narrowest = 0.160 if button_place == "front" else 0.200 if lid_hinge == "back" else 0.274
    params["width"] = narrowest + rng.uniform(0.0, 0.016)
    params["tray_height"] = rng.uniform(0.026, 0.034)
    params["depth"] = params["column_depth"] + rng.uniform(0.155, 0.165)
    params["height"] = (
        params["tray_height"] + params["spout_clearance"] + NOZZLE_M + params["head_height"] + LID_HEIGHT_M
    )
    preload = 0.25 * params["button_press_n"]
    params["button_preload_n"] = preload
    params["button_stiffness"] = (params["button_press_n"] - preload) / params["button_stroke"]
    params["button_radius"] = rng.uniform(0.0125, 0.0160)
    params["tab_length"] = rng.uniform(0.027, 0.033)
    params["lid_stop"] = rng.uniform(1.75 if lid_hinge == "back" else 1.84, 1.92)
    params["lid_mass"] = rng.uniform(0.10, 0.16)
    params["well_radius"] = rng.uniform(0.0365, 0.0395)
    params["tank_ml"] = rng.uniform(600.0, 1200.0)
    params["hue"] = rng.uniform()
    return DrawnMachine(params=_floats(params), lid_hinge=lid_hinge, button_place=button_place)


def _draw(rng: np.random.Generator, ranges: dict[str, Range]) -> dict[str, float]:
    return {name: rng.uniform(*bounds) for name, bounds in ranges.items()}


def _floats(params: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in params.items()}
