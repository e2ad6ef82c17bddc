"""What is only looked at: rugs, pictures, windows, lamps, books."""

from math import cos, pi, sin

import mujoco

from sim.house.joinery import CYLINDER, ELLIPSOID, Joinery, shade
from sim.house.schema import Decor

WALL_HUNG_DECOR = ("picture", "mirror", "window", "screen")


def add_ornament(joinery: Joinery, name: str, decor: Decor) -> None:
    """Add one piece of decor; it collides with nothing."""
    body = joinery.fixed(name, decor.x, decor.y, decor.yaw)
    d, w, h = (v / 2 for v in decor.size)
    z = decor.z
    if decor.kind == "rug":
        joinery.box(body, (-d, -w, 0.0), (d, w, 0.006), shade(decor.color, 0.82), solid=False)
        joinery.box(body, (-d + 0.07, -w + 0.07, 0.0), (d - 0.07, w - 0.07, 0.0075), decor.color, solid=False)
        joinery.box(
            body, (-d + 0.17, -w + 0.17, 0.0), (d - 0.17, w - 0.17, 0.0085), shade(decor.color, 0.93), solid=False
        )
    elif decor.kind in WALL_HUNG_DECOR:
        _on_wall(joinery, body, decor)
    elif decor.kind == "pendant":
        joinery.round(body, CYLINDER, (0.006, (2.5 - z) / 2), (0, 0, (2.5 + z) / 2), (0.2, 0.2, 0.2))
        joinery.round(body, ELLIPSOID, (d, w, h), (0, 0, z), decor.color)
        joinery.round(body, ELLIPSOID, (d * 0.5, w * 0.5, h * 0.8), (0, 0, z - 0.05), (1.0, 0.95, 0.80))
    elif decor.kind == "lamp":
        joinery.round(body, CYLINDER, (0.05, 0.008), (0, 0, z - h + 0.008), "handle")
        joinery.round(body, CYLINDER, (0.008, h * 0.7), (0, 0, z - 0.3 * h), "handle")
        joinery.round(body, CYLINDER, (d, h * 0.42), (0, 0, z + h * 0.55), decor.color)
    elif decor.kind == "books":
        count = max(3, round(decor.size[1] / 0.05))
        for i in range(count):
            y0 = -w + i * decor.size[1] / count
            tall = decor.size[2] * (0.72 + 0.28 * ((i * 7 + count) % 5) / 4)
            tone = shade(decor.color, 0.65 + 0.13 * ((i * 5) % 6))
            mixed = (tone[0], tone[1] * (0.85 + 0.1 * (i % 3)), tone[2] * (0.8 + 0.15 * (i % 4)))
            joinery.box(
                body,
                (-d, y0, z),
                (d * (0.6 + 0.1 * (i % 4)), y0 + decor.size[1] / count - 0.003, z + tall),
                shade(mixed, 1.0),
                solid=False,
            )
    else:
        raise ValueError(
            f"unknown decor {decor.kind!r}; known: rug, pendant, lamp, books, {', '.join(WALL_HUNG_DECOR)}"
        )


def _on_wall(joinery: Joinery, body: mujoco.MjsBody, decor: Decor) -> None:
    d, w, h = (v / 2 for v in decor.size)
    z, deep = decor.z, 2 * d
    low, high = (0.0, -w, z - h), (deep, w, z + h)
    if decor.kind == "window":
        joinery.box(body, low, high, "frame", solid=False)
        for y0, y1 in ((-w + 0.05, -0.02), (0.02, w - 0.05)):
            joinery.box(body, (0.0, y0, z - h + 0.05), (deep + 0.004, y1, z + h - 0.05), decor.color, solid=False)
        joinery.box(body, (0.0, -w - 0.05, z - h - 0.03), (deep + 0.06, w + 0.05, z - h), "frame", solid=False)
        if decor.size[2] > 1.0:  # a living room's: with curtains
            rod = (cos(pi / 4), sin(pi / 4), 0.0, 0.0)
            joinery.round(body, CYLINDER, (0.01, w + 0.16), (deep + 0.04, 0.0, z + h + 0.06), "handle", quat=rod)
            for side in (-1, 1):
                for fold in range(3):
                    y = side * (w - 0.10 + 0.085 * fold)
                    joinery.box(
                        body,
                        (deep + 0.02 + 0.012 * (fold % 2), y - 0.04, z - h - 0.10),
                        (deep + 0.05 + 0.012 * (fold % 2), y + 0.04, z + h + 0.05),
                        shade(joinery.house.palette["linen"], 1.0 - 0.05 * (fold % 2)),
                        solid=False,
                    )
    elif decor.kind == "screen":
        joinery.box(body, low, high, decor.color, solid=False)
        joinery.box(
            body,
            (deep, -w + 0.02, z - h + 0.02),
            (deep + 0.002, w - 0.02, z + h - 0.02),
            (0.16, 0.20, 0.26),
            solid=False,
        )
    else:
        joinery.box(body, low, high, "dark_wood" if decor.kind == "picture" else "frame", solid=False)
        inner = ((deep, -w + 0.03, z - h + 0.03), (deep + 0.002, w - 0.03, z + h - 0.03))
        joinery.box(body, *inner, "linen" if decor.kind == "picture" else decor.color, solid=False)
        if decor.kind == "picture":  # an abstract landscape: hill, sun, field
            turn = (cos(pi / 4), 0.0, sin(pi / 4), 0.0)
            joinery.box(
                body,
                (deep + 0.002, -w + 0.09, z - h + 0.09),
                (deep + 0.003, w - 0.09, z - h * 0.1),
                decor.color,
                solid=False,
            )
            joinery.round(
                body,
                CYLINDER,
                (h * 0.26, 0.0015),
                (deep + 0.002, w * 0.3, z + h * 0.25),
                shade(decor.color, 1.3),
                quat=turn,
            )
            joinery.box(
                body,
                (deep + 0.003, -w + 0.09, z - h + 0.09),
                (deep + 0.004, w * 0.2, z - h * 0.45),
                shade(decor.color, 0.7),
                solid=False,
            )
