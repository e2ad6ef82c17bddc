"""The mug: a hollow of boxes with a handle.

Body frame: origin at the centre of the underside, z up, handle toward +x. Sites: `<name>_mouth` at the centre
of the mouth, `<name>_centre` half-way up. Visual geom `<name>_liquid` is the coffee's surface (alpha 0 when
empty); sim/objects/liquid.py moves it. Boxes rather than a mesh: box-box contacts are stable, and walls of
8 mm keep pads from sinking through.
"""

import itertools
from math import cos, pi, sin

import mujoco

from sim.house.schema import Item
from sim.objects import shapes
from sim.objects.draw import MUG_FLOOR_M, MUG_WALL_M
from sim.objects.shapes import Rgba, Surface, Vec3

WALLS = 12
"""Colliding wall boxes: a pad always meets a face of about 2 cm or two edges."""
_SEEN_WALLS = 32
_SEEN_WALL_M = 0.0045
COFFEE: Rgba = (0.17, 0.085, 0.04, 1.0)

Rod = tuple[Vec3, Vec3]


def add_mug(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    """Geoms, sites and inertia of a mug with the params of sim.objects.draw.draw_mug."""
    p = item.params
    mouth, height = p["radius"], p["height"]
    foot = mouth - p["taper"] * height
    surface = Surface(p["friction"])
    colour, inside = _colours(p.get("hue", 0.0))
    glaze = shapes.ceramic(spec)

    half = 0.70 * (foot - 0.001)
    shapes.solid_box(
        body, (half, half, MUG_FLOOR_M / 2), (0.0, 0.0, MUG_FLOOR_M / 2), surface, name=f"{item.name}_foot"
    )
    for i, (size, pos, quat) in enumerate(shapes.ring(WALLS, foot, mouth, 0.0015, height, MUG_WALL_M)):
        shapes.solid_box(body, size, pos, surface, quat, name=f"{item.name}_wall_{i}")

    for size, pos, quat in shapes.ring(_SEEN_WALLS, foot, mouth, 0.002, height - 0.001, _SEEN_WALL_M):
        shapes.visual(body, mujoco.mjtGeom.mjGEOM_BOX, size, pos, colour, glaze, quat)
    if inside != colour:
        # A second, thinner wall shows the inside glaze.
        for size, pos, quat in shapes.ring(
            _SEEN_WALLS, foot - _SEEN_WALL_M + 0.0004, mouth - _SEEN_WALL_M + 0.0004, 0.006, height - 0.003, 0.0012
        ):
            shapes.visual(body, mujoco.mjtGeom.mjGEOM_BOX, size, pos, inside, glaze, quat)
    rim_radius = mouth - _SEEN_WALL_M / 2
    corners = [
        (rim_radius * cos(a), rim_radius * sin(a), height - 0.0015)
        for a in (2 * pi * (i + 0.5) / _SEEN_WALLS for i in range(_SEEN_WALLS + 1))
    ]
    for start, end in itertools.pairwise(corners):
        shapes.visual_rod(body, start, end, _SEEN_WALL_M / 2, colour, glaze)
    cylinder = mujoco.mjtGeom.mjGEOM_CYLINDER
    shapes.visual(body, cylinder, (foot - 0.003, 0.003), (0.0, 0.0, 0.0035), inside, glaze)
    shapes.visual(body, cylinder, (foot * 0.8, 0.001), (0.0, 0.0, 0.001), (0.85, 0.82, 0.76, 1.0), shapes.matt(spec))
    shapes.visual(
        body,
        cylinder,
        (mouth - MUG_WALL_M + 0.003, 0.001),
        (0.0, 0.0, MUG_FLOOR_M),
        (*COFFEE[:3], 0.0),
        shapes.plastic(spec),
        name=f"{item.name}_liquid",
    )

    thickness = 0.0055
    for start, end in handle_rods(item.style, foot, mouth, height, p["handle_reach"]):
        shapes.visual_rod(body, start, end, thickness * 0.95, colour, glaze)
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            fromto=[*start, *end],
            size=[thickness, 0.0, 0.0],
            group=shapes.COLLISION_GROUP,
            friction=[surface.friction, surface.torsion_m, surface.roll_m],
            condim=surface.condim,
            priority=surface.priority,
            solref=list(shapes.SOLREF),
            solimp=list(shapes.SOLIMP),
            mass=0.0,
        )

    body.add_site(name=f"{item.name}_mouth", pos=[0.0, 0.0, height], size=[0.003, 0.003, 0.003], group=5)
    body.add_site(name=f"{item.name}_centre", pos=[0.0, 0.0, height / 2], size=[0.003, 0.003, 0.003], group=5)
    outer = (foot + mouth) / 2
    # The handle moves the centre of mass a few millimetres; the mass of the floor lowers it.
    shapes.inertial(
        body, p["mass"], (0.003, 0.0, 0.45 * height), shapes.tube_inertia(p["mass"], outer, outer - 0.006, height)
    )


def handle_rods(style: str, foot: float, mouth: float, height: float, reach: float) -> list[Rod]:
    """Centre lines of a handle's rods, handle toward +x, by style.

    loop: a rounded D; square: three straight rods; ear: a small loop at the upper half; high: a triangle that
    narrows downward; wing: an open hook without a lower joint; low: a loop at the lower half.
    """

    def wall_x(z: float) -> float:
        return foot + (mouth - foot) * z / height + 0.0006

    def path(low: float, high: float, shape: tuple[tuple[float, float], ...], joined: bool = True) -> list[Rod]:
        """Rods from the wall at `high` through points (share of reach, share of low to high), back to the wall."""
        z0, z1 = low * height, high * height
        points: list[Vec3] = [(wall_x(z1), 0.0, z1)]
        points += [(wall_x(z1) + reach * out, 0.0, z0 + (z1 - z0) * up) for out, up in shape]
        if joined:
            points.append((wall_x(z0), 0.0, z0))
        return list(itertools.pairwise(points))

    rounded = ((0.75, 1.0), (1.0, 0.72), (1.0, 0.28), (0.72, 0.0))
    match style:
        case "loop":
            return path(0.22, 0.82, rounded)
        case "square":
            return path(0.2, 0.84, ((1.0, 1.0), (1.0, 0.0)))
        case "ear":
            return path(0.46, 0.84, rounded)
        case "high":
            return path(0.25, 0.86, ((1.0, 1.0), (0.95, 0.75)))
        case "wing":
            return path(0.3, 0.86, ((0.8, 1.0), (1.0, 0.7), (0.95, 0.2)), joined=False)
        case "low":
            return path(0.16, 0.56, rounded)
    raise ValueError(f"unknown handle style {style!r}; known: loop, square, ear, high, wing, low")


def _colours(hue: float) -> tuple[Rgba, Rgba]:
    """Outside and inside glaze: muted stoneware colours, every other one cream inside."""
    palette = (
        (0.06, 0.10, 0.93),  # cream
        (0.57, 0.35, 0.52),  # slate blue
        (0.38, 0.22, 0.58),  # sage
        (0.03, 0.55, 0.66),  # terracotta
        (0.12, 0.48, 0.82),  # mustard
        (0.60, 0.10, 0.28),  # charcoal
        (0.97, 0.28, 0.75),  # dusty rose
        (0.50, 0.25, 0.62),  # teal
    )
    slot = int(hue * len(palette)) % len(palette)
    tone, wobble = palette[slot], (hue * len(palette)) % 1.0 - 0.5
    outside = shapes.hsv(tone[0] + 0.02 * wobble, tone[1], tone[2] * (1 + 0.08 * wobble))
    return outside, (0.94, 0.92, 0.87, 1.0) if slot % 2 else outside
