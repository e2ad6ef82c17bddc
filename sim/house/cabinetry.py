"""Counters, cabinets, drawers and fridges: carcasses and the fronts that open."""

from math import cos, pi, sin

import mujoco

from sim.house.fronts import HANDLE_CLEARANCE_M, HANDLE_THICKNESS_M
from sim.house.joinery import CAPSULE, CYLINDER, Joinery, quat_z, shade
from sim.house.kitchen import CARCASS_DEPTH_M, DRAWER_FLOOR_M, DRAWER_HEIGHT_M, TOE_KICK_M, WORKTOP_THICKNESS_M
from sim.house.schema import Fixture, Front

_BOARD = 0.016
_SINK_DEPTH_M = 0.17


def add_counter(joinery: Joinery, f: Fixture) -> None:
    """Worktop (with a hole for the sink), plinth, and a body behind the base modules."""
    body = joinery.fixed(f.name, f.x, f.y, f.yaw)
    depth, width, height = f.size
    d, w, low = depth / 2, width / 2, height - WORKTOP_THICKNESS_M
    friction = f.params["friction"]
    joinery.box(body, (-d, -w, 0.0), (d - 0.08, w, TOE_KICK_M), shade(joinery.house.palette["dark_wood"], 0.6))
    spans = [(-w, w)]
    if "sink_width" in f.params:
        middle, half = f.params["sink_at"], f.params["sink_width"] / 2 - 0.10
        spans = [(-w, middle - half), (middle + half, w)]
        for x0, x1 in ((-d, -0.17), (0.20, d)):
            joinery.box(body, (x0, middle - half, low), (x1, middle + half, height), "worktop", friction=friction)
        _add_basin(joinery, body, middle, half, height)
    for i, (y0, y1) in enumerate(spans):
        joinery.box(body, (-d, y0, low), (d, y1, height), "worktop", friction=friction, name=f"{f.name}_top_{i}")
    joinery.box(body, (-d, -w, height), (-d + 0.012, w, height + 0.10), "tiles", solid=False)


def _add_basin(joinery: Joinery, body: mujoco.MjsBody, middle: float, half: float, height: float) -> None:
    floor = height - _SINK_DEPTH_M
    joinery.box(body, (-0.17, middle - half, floor - 0.01), (0.20, middle + half, floor), "steel")
    for y in (middle - half, middle + half):
        joinery.box(body, (-0.17, y - 0.006, floor), (0.20, y + 0.006, height + 0.003), "steel", solid=False)
    for x in (-0.17, 0.20):
        joinery.box(
            body, (x - 0.006, middle - half, floor), (x + 0.006, middle + half, height + 0.003), "steel", solid=False
        )
    joinery.round(body, CYLINDER, (0.025, 0.003), (0.015, middle, floor + 0.002), (0.25, 0.25, 0.26))
    # Tap: a post, an arch of two rods, a lever.
    joinery.round(body, CYLINDER, (0.012, 0.14), (-0.215, middle, height + 0.14), "steel", solid=True)
    joinery.round(
        body, CAPSULE, (0.011, 0.09), (-0.125, middle, height + 0.275), "steel", quat=(cos(pi / 4), 0, sin(pi / 4), 0)
    )
    joinery.round(body, CAPSULE, (0.011, 0.03), (-0.035, middle, height + 0.245), "steel")
    joinery.round(
        body,
        CYLINDER,
        (0.006, 0.03),
        (-0.215, middle + 0.04, height + 0.06),
        "steel",
        quat=(cos(pi / 4), sin(pi / 4), 0, 0),
    )


def add_base(joinery: Joinery, f: Fixture) -> None:
    """The carcass below the worktop; what has no door of its own gets a fixed front."""
    kind, panel, _ = f.style.split("/")
    body = joinery.fixed(f.name, f.x, f.y, f.yaw)
    d, w, top = f.size[0] / 2, f.size[1] / 2, f.z + f.size[2] / 2
    z0 = TOE_KICK_M
    front = joinery.house.palette["front"]
    if kind == "lower":
        for y in (-w, w - _BOARD):
            joinery.box(body, (-d, y, z0), (d, y + _BOARD, top), "carcass")
        joinery.box(body, (-d, -w + _BOARD, z0), (d, w - _BOARD, z0 + _BOARD), "carcass")
        joinery.box(body, (-d, -w + _BOARD, z0), (-d + 0.01, w - _BOARD, top), "carcass", solid=False)
        shelf = f.params["shelf"]
        joinery.box(
            body, (-d, -w + _BOARD, shelf - 0.018), (d - 0.01, w - _BOARD, shelf), "carcass", name=f"{f.name}_shelf"
        )
        return
    solid_top = top - DRAWER_HEIGHT_M - 0.004 if kind == "drawer" else top
    back = -d if kind != "sink" else d - 0.05  # behind a sink's front hangs the basin
    joinery.box(body, (back, -w + 0.002, z0), (d, w - 0.002, solid_top), "carcass")
    if kind == "drawer":
        for y in (-w, w - 0.008):
            joinery.box(body, (-d, y, solid_top), (d, y + 0.008, top), "carcass")
    face, inner = (d, d + 0.018), (-w + 0.003, w - 0.003)
    if kind == "oven":
        joinery.box(
            body, (face[0], inner[0], z0 + 0.02), (face[1], inner[1], top - 0.003), (0.13, 0.13, 0.14), solid=False
        )
        joinery.box(
            body,
            (face[1], inner[0] + 0.05, z0 + 0.10),
            (face[1] + 0.003, inner[1] - 0.05, top - 0.24),
            (0.05, 0.05, 0.06),
            solid=False,
        )
        joinery.box(
            body,
            (face[1], inner[0] + 0.04, top - 0.19),
            (face[1] + 0.025, inner[1] - 0.04, top - 0.175),
            "steel",
            solid=False,
        )
        for i in range(4):
            y = inner[0] + (i + 1) * (inner[1] - inner[0]) / 5
            joinery.round(
                body,
                CYLINDER,
                (0.014, 0.008),
                (face[1] + 0.008, y, top - 0.07),
                "steel",
                quat=(cos(pi / 4), 0, sin(pi / 4), 0),
            )
    else:
        high = solid_top - 0.003
        joinery.box(
            body,
            (face[0], inner[0], z0 + 0.02),
            (face[1], inner[1], high),
            front if kind != "dishwasher" else (0.75, 0.75, 0.74),
            solid=False,
        )
        if kind == "dishwasher":
            joinery.box(
                body,
                (face[1], inner[0], high - 0.09),
                (face[1] + 0.002, inner[1], high),
                (0.16, 0.16, 0.17),
                solid=False,
            )
        elif kind != "filler" or f.size[1] > 0.3:
            halves = [inner] if kind != "sink" else [(inner[0], -0.002), (0.002, inner[1])]
            for half in halves:
                _decorate(joinery, body, panel, face[1], half, (z0 + 0.02, high), front)
            if kind == "sink":
                seam = shade(front, 0.6)
                joinery.box(body, (face[1], -0.002, z0 + 0.02), (face[1] + 0.001, 0.002, high), seam, solid=False)
                for y in (-0.045, 0.045):
                    joinery.box(
                        body,
                        (face[1], y - 0.006, high - 0.22),
                        (face[1] + 0.02, y + 0.006, high - 0.08),
                        "handle",
                        solid=False,
                    )


def _decorate(
    joinery: Joinery,
    body: mujoco.MjsBody,
    panel: str,
    x: float,
    ys: tuple[float, float],
    zs: tuple[float, float],
    color: tuple[float, float, float],
) -> None:
    """What tells the panel styles apart: frames, grooves, an inset."""
    (y0, y1), (z0, z1) = ys, zs
    width, height = y1 - y0, z1 - z0
    if panel == "shaker":
        rail = min(0.055, height * 0.28)
        light = shade(color, 1.05)
        for a, b, c, d in (
            (y0, y1, z0, z0 + rail),
            (y0, y1, z1 - rail, z1),
            (y0, y0 + rail, z0 + rail, z1 - rail),
            (y1 - rail, y1, z0 + rail, z1 - rail),
        ):
            joinery.box(body, (x, a, c), (x + 0.005, b, d), light, solid=False)
    elif panel == "groove":
        count = max(2, round(width / 0.09))
        for i in range(1, count):
            y = y0 + i * width / count
            joinery.box(
                body, (x, y - 0.003, z0 + 0.01), (x + 0.001, y + 0.003, z1 - 0.01), shade(color, 0.72), solid=False
            )
    elif panel == "inset":
        joinery.box(
            body,
            (x, y0 + 0.06, z0 + min(0.06, height * 0.3)),
            (x + 0.003, y1 - 0.06, z1 - min(0.06, height * 0.3)),
            shade(color, 0.86),
            solid=False,
        )


def add_upper(joinery: Joinery, f: Fixture) -> None:
    body = joinery.fixed(f.name, f.x, f.y, f.yaw)
    d, w = f.size[0] / 2, f.size[1] / 2
    z0, z1 = f.z - f.size[2] / 2, f.z + f.size[2] / 2
    for y in (-w, w - _BOARD):
        joinery.box(body, (-d, y, z0), (d, y + _BOARD, z1), "carcass")
    for z, thick in ((z0, 0.018), (f.params["shelf"], 0.016), (z1 - 0.016, 0.016)):
        joinery.box(body, (-d, -w + _BOARD, z), (d - 0.005, w - _BOARD, z + thick), "carcass")
    joinery.box(body, (-d, -w + _BOARD, z0), (-d + 0.008, w - _BOARD, z1), "carcass", solid=False)


def add_fridge(joinery: Joinery, f: Fixture) -> None:
    body = joinery.fixed(f.name, f.x, f.y, f.yaw)
    d, w, h = f.size[0] / 2, f.size[1] / 2, f.size[2]
    wall = 0.04
    for y in (-w, w - wall):
        joinery.box(body, (-d, y, 0.02), (d, y + wall, h), "fridge")
    joinery.box(body, (-d, -w + wall, h - wall), (d, w - wall, h), "fridge")
    joinery.box(body, (-d, -w + wall, 0.02), (d, w - wall, 0.16), "fridge")
    joinery.box(body, (-d, -w + wall, 0.1), (-d + wall, w - wall, h - wall), (0.95, 0.96, 0.97), solid=False)
    shelf = f.params["shelf"]
    for z in (shelf - 0.38, shelf, shelf + 0.36):
        joinery.box(
            body,
            (-d + 0.04, -w + wall, z - 0.012),
            (d - 0.015, w - wall, z),
            (0.86, 0.92, 0.93),
            name=f"{f.name}_shelf_{z:.2f}",
        )


def add_front(joinery: Joinery, front: Front, f: Fixture) -> None:
    """A door or drawer on its joint, with panel and handle; of a drawer the box too."""
    thickness, width, height = front.size
    d, w, z = f.size[0] / 2, width / 2, front.params["z"]
    frame = joinery.spec.worldbody.add_frame(pos=[f.x, f.y, 0.0], quat=quat_z(f.yaw))
    drawer = front.class_name == "drawer"
    side = 0.0 if drawer else -1.0 if front.class_name.endswith("left") else 1.0
    body = joinery.spec.worldbody.add_body(name=front.name, pos=[d, side * w, 0.0])
    body.set_frame(frame)
    lever = 1.0 if drawer else width - 0.045
    p = front.params
    body.add_joint(
        name=front.joint,
        type=mujoco.mjtJoint.mjJNT_SLIDE if drawer else mujoco.mjtJoint.mjJNT_HINGE,
        axis=[1.0, 0.0, 0.0] if drawer else [0.0, 0.0, side],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        range=[0.0, front.open_joint],
        frictionloss=p["force_n"] * lever,
        damping=[p["damping_n_s_m"] * lever * lever, 0.0, 0.0],
        armature=0.1 if drawer else 0.02,
    )
    far = -side * width
    ys = (-w, w) if drawer else (min(0.0, far), max(0.0, far))
    zs = (z - height / 2, z + height / 2)
    fridge, panel, handle = "fridge" in front.class_name, *front.style.split("/")
    part = "fridge" if fridge else "upper" if f.class_name == "upper_cabinet" else "front"
    joinery.box(body, (0.0, ys[0], zs[0]), (thickness, ys[1], zs[1]), part, name=f"{front.name}_panel", mass=p["mass"])
    if not fridge:
        _decorate(joinery, body, panel, thickness, ys, zs, joinery.house.palette[part])
    handle_y = 0.0 if drawer else far + side * 0.045
    _add_handle(joinery, body, front, handle, thickness, handle_y)
    if drawer:
        _add_drawer_box(joinery, body, front, w, zs[0])


def _add_handle(joinery: Joinery, body: mujoco.MjsBody, front: Front, shape: str, thickness: float, y: float) -> None:
    x = thickness + HANDLE_CLEARANCE_M + HANDLE_THICKNESS_M / 2
    half, z = front.params["handle_length"] / 2, front.handle_z
    t = HANDLE_THICKNESS_M / 2
    vertical = front.handle_axis == "vertical"
    paint, name = "handle", front.handle_geoms[0]

    def along(u: float) -> tuple[float, float]:
        return (y, z + u) if vertical else (y + u, z)

    if shape == "rod":
        turn = (1.0, 0.0, 0.0, 0.0) if vertical else (cos(pi / 4), sin(pi / 4), 0.0, 0.0)
        joinery.round(
            body, CAPSULE, (t, half), (x, y, z), paint, solid=True, quat=turn, name=name, friction=0.9, mass=0.1
        )
    else:
        thin = 0.006 if shape == "step" else t
        across = (thin, half) if vertical else (half, thin)
        joinery.box(
            body,
            (x - t, y - across[0], z - across[1]),
            (x + t, y + across[0], z + across[1]),
            paint,
            name=name,
            friction=0.9,
            mass=0.1,
        )
    post = 0.011 if shape == "bow" else 0.006
    ends = (-half + post, half - post) if shape in ("bow", "step") else (-half * 0.72, half * 0.72)
    for u in ends:
        py, pz = along(u)
        joinery.box(body, (thickness, py - post, pz - post), (x, py + post, pz + post), paint, friction=0.9)


def _add_drawer_box(joinery: Joinery, body: mujoco.MjsBody, front: Front, w: float, low: float) -> None:
    deep, inner, floor = CARCASS_DEPTH_M - 0.09, w - 0.022, low + DRAWER_FLOOR_M
    friction = front.params["friction"]
    joinery.box(
        body,
        (-deep, -inner, floor - 0.012),
        (0.0, inner, floor),
        "carcass",
        name=f"{front.name}_floor",
        friction=friction,
        mass=0.6,
    )
    top = floor + 0.10
    for y in (-inner, inner - 0.010):
        joinery.box(body, (-deep, y, floor), (0.0, y + 0.010, top), "carcass", mass=0.2)
    joinery.box(body, (-deep, -inner, floor), (-deep + 0.010, inner, top), "carcass", mass=0.2)


def add_dish_rack(joinery: Joinery, f: Fixture) -> None:
    """A slatted board with a low rim at the back and sides; the front is open."""
    body = joinery.fixed(f.name, f.x, f.y, f.yaw)
    d, w = f.size[0] / 2, f.size[1] / 2
    z0, z1 = f.z - f.size[2] / 2, f.z + f.size[2] / 2
    joinery.box(body, (-d, -w, z0), (d, w, z1), "wood", name=f"{f.name}_board", friction=0.8)
    for y in (-w, w - 0.012):
        joinery.box(body, (-d, y, z1), (d, y + 0.012, z1 + 0.035), "dark_wood")
    for i in range(9):
        y = -w + 0.03 + i * (2 * w - 0.06) / 8
        joinery.round(body, CYLINDER, (0.004, 0.05), (-d + 0.03, y, z1 + 0.05), "steel")
    joinery.round(
        body, CYLINDER, (0.004, w - 0.02), (-d + 0.03, 0.0, z1 + 0.10), "steel", quat=(cos(pi / 4), sin(pi / 4), 0, 0)
    )
