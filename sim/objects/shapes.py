"""Small builders on mujoco.MjSpec: boxes, prisms and rings of boxes, materials and colours.

Colliding geoms are in group 3, which viewers hide; what one sees is in group 2 and collides with nothing.
"""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, cos, degrees, pi, sin, tan

import mujoco

Vec3 = Sequence[float]
Rgba = tuple[float, float, float, float]

VISUAL_GROUP = 2
COLLISION_GROUP = 3
LOOK = "_look"
"""What the names of bodies end in that only show another one."""

SOLREF = (0.006, 1.0)
SOLIMP = (0.98, 0.99, 0.001, 0.5, 2.0)


@dataclass(frozen=True)
class Surface:
    """Contact parameters of an object. Priority 2: they win over those of furniture and fingers, so that a
    slippery mug is slippery in any hand (equal priorities would take the larger friction)."""

    friction: float
    condim: int = 4
    torsion_m: float = 0.008
    roll_m: float = 0.0005
    priority: int = 2


def quat_z(angle_rad: float) -> list[float]:
    return [cos(angle_rad / 2), 0.0, 0.0, sin(angle_rad / 2)]


def quat_z_then_y(angle_z_rad: float, angle_y_rad: float) -> list[float]:
    """Rotation by `angle_y` about y, followed by `angle_z` about z."""
    cz, sz, cy, sy = cos(angle_z_rad / 2), sin(angle_z_rad / 2), cos(angle_y_rad / 2), sin(angle_y_rad / 2)
    return [cz * cy, -sz * sy, cz * sy, sz * cy]


def hinge_angle(spec: mujoco.MjSpec, angle_rad: float) -> float:
    """An angle in the unit this spec is compiled with."""
    return degrees(angle_rad) if spec.compiler.degree else angle_rad


def hsv(hue: float, saturation: float, value: float) -> Rgba:
    return (*colorsys.hsv_to_rgb(hue % 1.0, saturation, value), 1.0)


def material(
    spec: mujoco.MjSpec,
    name: str,
    *,
    specular: float,
    shininess: float,
    reflectance: float = 0.0,
    emission: float = 0.0,
) -> str:
    """Adds the material once and returns its name; geoms give the colour."""
    if spec.material(name) is None:
        spec.add_material(name=name, specular=specular, shininess=shininess, reflectance=reflectance, emission=emission)
    return name


def ceramic(spec: mujoco.MjSpec) -> str:
    return material(spec, "ceramic", specular=0.55, shininess=0.75)


def plastic(spec: mujoco.MjSpec) -> str:
    return material(spec, "plastic", specular=0.3, shininess=0.5)


def metal(spec: mujoco.MjSpec) -> str:
    return material(spec, "brushed_metal", specular=0.8, shininess=0.6, reflectance=0.05)


def matt(spec: mujoco.MjSpec) -> str:
    return material(spec, "matt", specular=0.08, shininess=0.1)


def glow(spec: mujoco.MjSpec) -> str:
    return material(spec, "glow", specular=0.2, shininess=0.5, emission=0.9)


def look(body: mujoco.MjsBody) -> mujoco.MjsBody:
    """The body that carries what is seen of `body` and never touched, added once.

    MuJoCo's broad phase walks over all geoms of every body that collides, a fifth of a physics step for the hundreds
    that only show; bodies without colliding geoms it leaves out.
    """
    name = f"{body.name}{LOOK}"
    for child in body.bodies:
        if child.name == name:
            return child
    return body.add_body(name=name)


def visual(
    body: mujoco.MjsBody,
    kind: mujoco.mjtGeom,
    size: Vec3,
    pos: Vec3,
    rgba: Rgba,
    material_name: str,
    quat: Vec3 = (1.0, 0.0, 0.0, 0.0),
    name: str = "",
) -> None:
    """A geom that is seen and never touched."""
    look(body).add_geom(
        name=name,
        type=kind,
        size=[*size, *([0.0] * (3 - len(size)))],
        pos=list(pos),
        quat=list(quat),
        rgba=list(rgba),
        material=material_name,
        group=VISUAL_GROUP,
        contype=0,
        conaffinity=0,
        mass=0.0,
    )


def visual_rod(
    body: mujoco.MjsBody, start: Vec3, end: Vec3, radius: float, rgba: Rgba, material_name: str, name: str = ""
) -> None:
    """A capsule from `start` to `end` that is seen and never touched."""
    look(body).add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=[*start, *end],
        size=[radius, 0.0, 0.0],
        rgba=list(rgba),
        material=material_name,
        group=VISUAL_GROUP,
        contype=0,
        conaffinity=0,
        mass=0.0,
    )


def solid_box(
    body: mujoco.MjsBody,
    half: Vec3,
    pos: Vec3,
    surface: Surface,
    quat: Vec3 = (1.0, 0.0, 0.0, 0.0),
    name: str = "",
    seen: tuple[Rgba, str] | None = None,
) -> None:
    """A colliding box; `seen` (colour, material) also shows it."""
    rgba, material_name = seen if seen is not None else ((0.5, 0.5, 0.5, 1.0), "")
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=list(half),
        pos=list(pos),
        quat=list(quat),
        rgba=list(rgba),
        material=material_name,
        group=COLLISION_GROUP if seen is None else VISUAL_GROUP,
        friction=[surface.friction, surface.torsion_m, surface.roll_m],
        condim=surface.condim,
        priority=surface.priority,
        solref=list(SOLREF),
        solimp=list(SOLIMP),
        mass=0.0,
    )


def solid_prism(
    body: mujoco.MjsBody,
    radius: float,
    height: float,
    surface: Surface,
    squares: int,
    foot_step: float = 0.0006,
    name: str = "",
) -> None:
    """A prism with 4 × `squares` edges on the circle of `radius`, standing on z = 0, of crossed boxes.

    Only the first box reaches the ends, so that standing makes four contacts.
    """
    half = radius / 2**0.5
    for i in range(squares):
        inset = foot_step if i else 0.0
        solid_box(
            body,
            (half, half, height / 2 - inset),
            (0.0, 0.0, height / 2),
            surface,
            quat_z(i * pi / 2 / squares),
            f"{name}_{i}" if name else "",
        )


def ring(
    count: int, foot_radius: float, mouth_radius: float, z0: float, z1: float, wall: float, phase_rad: float = 0.0
) -> list[tuple[list[float], list[float], list[float]]]:
    """Half sizes, positions and quaternions of `count` wall boxes whose outer faces touch the cone through
    `foot_radius` at z0 and `mouth_radius` at z1."""
    lean = atan((mouth_radius - foot_radius) / (z1 - z0))
    half = [wall / 2, max(foot_radius, mouth_radius) * tan(pi / count), (z1 - z0) / cos(lean) / 2]
    # The centre lies half a wall inside the outer face, along the face's normal.
    out = (foot_radius + mouth_radius) / 2 - wall / 2 * cos(lean)
    up = (z0 + z1) / 2 + wall / 2 * sin(lean)
    angles = [2 * pi * i / count + phase_rad for i in range(count)]
    return [(half, [out * cos(a), out * sin(a), up], quat_z_then_y(a, lean)) for a in angles]


def inertial(body: mujoco.MjsBody, mass: float, centre: Vec3, diagonal: Vec3) -> None:
    """Mass, centre of mass and principal inertia given by hand, not by the geoms."""
    body.explicitinertial = True
    body.mass = mass
    body.ipos = list(centre)
    body.iquat = [1.0, 0.0, 0.0, 0.0]
    body.inertia = list(diagonal)


def cylinder_inertia(mass: float, radius: float, height: float) -> tuple[float, float, float]:
    """Principal moments of a solid cylinder about its centre, axis z."""
    across = mass * (3 * radius * radius + height * height) / 12
    return across, across, mass * radius * radius / 2


def tube_inertia(mass: float, outer: float, inner: float, height: float) -> tuple[float, float, float]:
    """Principal moments of a thick tube about its centre, axis z."""
    square = outer * outer + inner * inner
    across = mass * (3 * square + height * height) / 12
    return across, across, mass * square / 2
