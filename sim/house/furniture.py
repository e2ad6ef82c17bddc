"""Tables, chairs, shelves, sofas, beds and other furniture that never moves."""

from math import cos, pi, sin

import mujoco

from sim.house.joinery import CAPSULE, CYLINDER, ELLIPSOID, SPHERE, Joinery, shade
from sim.house.schema import Fixture


def add_table(joinery: Joinery, f: Fixture) -> None:
    body, d, w, h = _start(joinery, f)
    joinery.box(body, (-d, -w, h - 0.035), (d, w, h), "wood", name=f"{f.name}_top", friction=f.params["friction"])
    if f.style == "pedestal":
        joinery.box(body, (-0.07, -w * 0.55, 0.0), (0.07, w * 0.55, h - 0.035), "dark_wood")
        joinery.box(body, (-d * 0.7, -w * 0.6, 0.0), (d * 0.7, w * 0.6, 0.04), "dark_wood")
        return
    joinery.box(
        body,
        (-d + 0.07, -w + 0.07, h - 0.11),
        (d - 0.07, w - 0.07, h - 0.035),
        shade(joinery.house.palette["wood"], 0.85),
    )
    thick = 0.035 if f.style == "legs" else 0.05
    inset = 0.04 if f.style == "legs" else 0.14
    for x in (-d + 0.05, d - 0.05 - 2 * thick):
        for y in (-w + inset, w - inset - 2 * thick):
            joinery.box(body, (x, y, 0.0), (x + 2 * thick, y + 2 * thick, h - 0.035), "wood")
    if f.style == "trestle":
        joinery.box(body, (-0.03, -w + inset + 0.02, 0.16), (0.03, w - inset - 0.02, 0.22), "wood", solid=False)


def add_chair(joinery: Joinery, f: Fixture) -> None:
    body, d, w, h = _start(joinery, f)
    seat = 0.46
    joinery.box(body, (-d, -w, seat - 0.03), (d, w, seat), "wood")
    joinery.box(body, (-d + 0.02, -w + 0.02, seat), (d - 0.02, w - 0.02, seat + 0.02), "fabric", solid=False)
    for x in (-d, d - 0.035):
        for y in (-w, w - 0.035):
            top = h if x < 0 else seat - 0.03
            joinery.box(body, (x, y, 0.0), (x + 0.035, y + 0.035, top), "wood")
    if f.style == "slat":
        for z in (0.60, 0.70, 0.79):
            joinery.box(body, (-d + 0.008, -w + 0.03, z), (-d + 0.026, w - 0.03, z + 0.05), "wood", solid=False)
    else:
        joinery.box(body, (-d + 0.005, -w + 0.03, 0.58), (-d + 0.03, w - 0.03, h), "wood", solid=False)


def add_shelf(joinery: Joinery, f: Fixture) -> None:
    """A floor-standing shelf on a closed base; `board` is the height of the shelf for dinnerware."""
    body, d, w, h = _start(joinery, f)
    board, friction = f.params["board"], f.params["friction"]
    base = board - 0.37
    joinery.box(body, (-d, -w, 0.0), (d, w, base - 0.28), "wood")
    for y in (0.0, -w + 0.01):
        joinery.box(body, (d, y + 0.005, 0.06), (d + 0.014, y + w - 0.015, base - 0.30), "front", solid=False)
    for z in (base, board, board + 0.37):
        joinery.box(
            body, (-d, -w, z - 0.022), (d, w, z), "wood", name=f"{f.name}_board_{round(z * 100)}", friction=friction
        )
    side = 0.022 if f.style == "sides" else 0.03
    for y in (-w, w - side):
        if f.style == "sides":
            joinery.box(body, (-d, y, base - 0.28), (d, y + side, h), "wood")
        else:
            for x in (-d, d - 0.03):
                joinery.box(body, (x, y, base - 0.28), (x + 0.03, y + side, h), "dark_wood")
    joinery.box(
        body, (-d, -w, base - 0.28), (-d + 0.008, w, h), shade(joinery.house.palette["wall"], 0.93), solid=False
    )


def add_side_table(joinery: Joinery, f: Fixture) -> None:
    body, d, w, h = _start(joinery, f)
    friction = f.params["friction"]
    if f.style == "drum":
        joinery.box(body, (-d, -w, h - 0.03), (d, w, h), "wood", friction=friction)
        joinery.box(body, (-d + 0.05, -w + 0.05, 0.0), (d - 0.05, w - 0.05, h - 0.03), "dark_wood")
    elif f.style == "nightstand":
        joinery.box(body, (-d, -w, 0.08), (d, w, h), "wood", friction=friction)
        joinery.box(body, (-d + 0.03, -w + 0.03, 0.0), (d - 0.03, w - 0.03, 0.08), "dark_wood")
        for z0, z1 in ((0.11, 0.08 + (h - 0.08) / 2 - 0.01), (0.08 + (h - 0.08) / 2 + 0.01, h - 0.03)):
            joinery.box(body, (d, -w + 0.02, z0), (d + 0.012, w - 0.02, z1), "front", solid=False)
            joinery.round(body, SPHERE, (0.012,), (d + 0.02, 0.0, (z0 + z1) / 2), "handle")
    else:
        joinery.box(body, (-d, -w, h - 0.03), (d, w, h), "wood", friction=friction)
        if f.style == "desk":
            joinery.box(body, (-d, w - 0.38, 0.05), (d - 0.05, w - 0.02, h - 0.03), "front")
            joinery.box(body, (-d, -w + 0.02, 0.0), (d - 0.05, -w + 0.06, h - 0.03), "wood")
            joinery.box(body, (-d, -w + 0.06, h - 0.33), (-d + 0.02, w - 0.38, h - 0.03), "wood", solid=False)
        else:
            joinery.box(body, (-d + 0.02, -w + 0.03, 0.14), (d - 0.02, w - 0.03, h - 0.03), "front")
            for y in (-w + 0.05, w - 0.09):
                joinery.box(body, (-d + 0.04, y, 0.0), (d - 0.04, y + 0.04, 0.14), "dark_wood")
            for y in (-w / 2, w / 2):
                joinery.box(
                    body,
                    (d - 0.02, y - w / 2 + 0.045, 0.16),
                    (d - 0.008, y + w / 2 - 0.045, h - 0.05),
                    "upper",
                    solid=False,
                )


def add_sofa(joinery: Joinery, f: Fixture) -> None:
    body, d, w, h = _start(joinery, f)
    cloth = joinery.house.palette["fabric"]
    joinery.box(body, (-d, -w, 0.08), (d, w, 0.32), "fabric")
    joinery.box(body, (-d, -w, 0.32), (-d + 0.20, w, h), "fabric")
    arm = 0.17
    for y in (-w, w - arm):
        joinery.box(body, (-d + 0.05, y, 0.32), (d, y + arm, 0.58), "fabric")
        if f.style == "round":
            joinery.round(
                body,
                CAPSULE,
                (arm / 2, d - 0.10),
                (0.02, y + arm / 2, 0.57),
                "fabric",
                quat=(cos(pi / 4), 0, sin(pi / 4), 0),
            )
    for side in (-1, 1):
        y0, y1 = sorted((side * 0.008, side * (w - arm - 0.01)))
        joinery.box(body, (-d + 0.20, y0, 0.32), (d + 0.01, y1, 0.45), shade(cloth, 1.08), solid=False)
        joinery.box(body, (-d + 0.16, y0, 0.45), (-d + 0.32, y1, h - 0.04), shade(cloth, 1.04), solid=False)
    cushion = joinery.house.palette["accent"]
    tilt = (cos(0.15), 0.0, -sin(0.15), 0.0)
    joinery.round(body, ELLIPSOID, (0.08, 0.2, 0.2), (-d + 0.40, w - arm - 0.22, 0.64), cushion, quat=tilt)
    joinery.round(
        body,
        ELLIPSOID,
        (0.08, 0.19, 0.19),
        (-d + 0.40, -w + arm + 0.24, 0.63),
        joinery.house.palette["linen"],
        quat=tilt,
    )
    for x in (-d + 0.08, d - 0.08):
        for y in (-w + 0.1, w - 0.1):
            joinery.round(body, CYLINDER, (0.02, 0.04), (x, y, 0.04), "dark_wood")


def add_bed(joinery: Joinery, f: Fixture) -> None:
    body, d, w, h = _start(joinery, f)
    joinery.box(body, (-d, -w, 0.10), (d, w, 0.28), "wood")
    joinery.box(body, (-d + 0.07, -w + 0.03, 0.28), (d - 0.02, w - 0.03, 0.48), "linen")
    joinery.box(body, (-d, -w, 0.0), (-d + 0.06, w, h), "wood" if f.style == "panel" else "fabric")
    cover = shade(joinery.house.palette["fabric"], 1.05)
    joinery.box(body, (-d + 0.75, -w + 0.015, 0.30), (d - 0.005, w - 0.015, 0.505), cover, solid=False)
    joinery.box(body, (-d + 0.62, -w + 0.01, 0.34), (-d + 0.86, w - 0.01, 0.515), "linen", solid=False)
    for side in (-1, 1):
        joinery.round(body, ELLIPSOID, (0.20, w * 0.40, 0.075), (-d + 0.33, side * w * 0.47, 0.53), "linen")
    joinery.round(body, ELLIPSOID, (0.13, 0.22, 0.07), (-d + 0.58, 0.0, 0.55), "accent")
    for x in (-d + 0.1, d - 0.1):
        for y in (-w + 0.1, w - 0.1):
            joinery.box(body, (x - 0.03, y - 0.03, 0.0), (x + 0.03, y + 0.03, 0.10), "dark_wood", solid=False)


def add_plant(joinery: Joinery, f: Fixture) -> None:
    body, d, _, h = _start(joinery, f)
    pot = d * 0.78
    joinery.round(body, CYLINDER, (pot, 0.16), (0, 0, 0.16), "pot", solid=True)
    joinery.round(body, CYLINDER, (pot * 1.08, 0.02), (0, 0, 0.31), shade(joinery.house.palette["pot"], 1.1))
    joinery.round(body, CYLINDER, (pot * 0.9, 0.004), (0, 0, 0.333), (0.25, 0.18, 0.13))
    leaf = joinery.house.palette["leaf"]
    if f.style == "fig":
        joinery.round(body, CYLINDER, (0.018, (h - 0.45) / 2), (0, 0, 0.32 + (h - 0.45) / 2), "dark_wood")
        for i, (x, y, z, r) in enumerate(
            ((0, 0, 0.0, 0.24), (0.11, 0.06, -0.16, 0.17), (-0.10, 0.08, -0.12, 0.18), (0.0, -0.12, -0.18, 0.16))
        ):
            joinery.round(body, ELLIPSOID, (r, r, r * 0.85), (x, y, h - 0.18 + z), shade(leaf, 0.9 + 0.1 * i))
    else:
        for i in range(9):
            turn, lean = 2 * pi * i / 9, 0.25 + 0.2 * (i % 3)
            length = min(h - 0.3, 0.62) * (0.50 - 0.06 * (i % 3))
            cz, sz, cy, sy = cos(turn / 2), sin(turn / 2), cos(lean / 2), sin(lean / 2)
            at = (sin(lean) * length * cos(turn), sin(lean) * length * sin(turn), 0.33 + cos(lean) * length)
            joinery.round(
                body,
                ELLIPSOID,
                (0.012, 0.055, length),
                at,
                shade(leaf, 0.85 + 0.12 * (i % 3)),
                quat=(cz * cy, -sz * sy, cz * sy, sz * cy),
            )


def add_block(joinery: Joinery, f: Fixture) -> None:
    """Wardrobes, benches, bathroom ceramics: one solid, and what makes it recognisable."""
    body, d, w, h = _start(joinery, f)
    white, steel = (0.96, 0.96, 0.95), "steel"
    if f.class_name == "wardrobe":
        joinery.box(body, (-d, -w, 0.0), (d, w, h), "wood")
        if f.style == "books":
            for row in range(5):
                z0 = 0.12 + row * (h - 0.2) / 5
                joinery.box(
                    body,
                    (d, -w + 0.04, z0),
                    (d + 0.002, w - 0.04, z0 + (h - 0.2) / 5 - 0.04),
                    shade(joinery.house.palette["dark_wood"], 0.6),
                    solid=False,
                )
                for i in range(7):
                    y = -w + 0.06 + i * (2 * w - 0.14) / 7
                    tone = shade(
                        joinery.house.palette[("accent", "fabric", "front", "linen")[(i * 3 + row) % 4]],
                        0.8 + 0.08 * (i % 3),
                    )
                    joinery.box(
                        body,
                        (d - 0.02, y, z0),
                        (d + 0.004, y + 0.08, z0 + 0.20 + 0.02 * ((i + row) % 3)),
                        tone,
                        solid=False,
                    )
        else:
            for y0, y1 in ((-w + 0.01, -0.003), (0.003, w - 0.01)):
                joinery.box(body, (d, y0, 0.08), (d + 0.012, y1, h - 0.02), "upper", solid=False)
            for y in (-0.04, 0.04):
                joinery.box(
                    body, (d + 0.012, y - 0.006, h * 0.45), (d + 0.03, y + 0.006, h * 0.55), "handle", solid=False
                )
    elif f.class_name == "media_bench":
        joinery.box(body, (-d, -w, 0.10), (d, w, h), "wood")
        for y0, y1 in ((-w + 0.02, -0.01), (0.01, w - 0.02)):
            joinery.box(body, (d, y0, 0.13), (d + 0.010, y1, h - 0.03), "upper", solid=False)
        joinery.box(body, (-d + 0.04, -w + 0.1, 0.0), (d - 0.04, w - 0.1, 0.10), "dark_wood", solid=False)
    elif f.class_name == "bathtub":
        joinery.box(body, (-d, -w, 0.0), (d, w, h), white)
        joinery.box(body, (-d + 0.07, -w + 0.09, h), (d - 0.07, w - 0.09, h + 0.002), (0.72, 0.82, 0.86), solid=False)
        joinery.round(body, CYLINDER, (0.015, 0.09), (0.0, w - 0.05, h + 0.09), steel)
    elif f.class_name == "vanity":
        joinery.box(body, (-d, -w, 0.12), (d, w, h - 0.04), "front")
        joinery.box(body, (-d, -w - 0.01, h - 0.04), (d + 0.01, w + 0.01, h), white)
        joinery.round(body, ELLIPSOID, (0.15, 0.22, 0.02), (0.02, 0.0, h), (0.85, 0.88, 0.90))
        joinery.round(body, CYLINDER, (0.012, 0.07), (-d + 0.06, 0.0, h + 0.07), steel)
    else:
        joinery.box(body, (-d, -w, 0.36), (-d + 0.18, w, h), white)
        joinery.box(body, (-d + 0.18, -w * 0.6, 0.0), (d - 0.12, w * 0.6, 0.38), white)
        joinery.round(body, ELLIPSOID, (0.24, 0.19, 0.05), (d - 0.25, 0.0, 0.40), white)


def _start(joinery: Joinery, f: Fixture) -> tuple[mujoco.MjsBody, float, float, float]:
    """The fixture's body, half its depth and width, and its height."""
    return joinery.fixed(f.name, f.x, f.y, f.yaw), f.size[0] / 2, f.size[1] / 2, f.size[2]
