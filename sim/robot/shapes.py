"""Materials of the robot and short ways to add its geoms."""

from collections.abc import Sequence
from math import pi

import mujoco

WHITE, GRAPHITE, DARK, GLOW, PAD = "robot_white", "robot_graphite", "robot_dark", "robot_glow", "robot_pad"

_MATERIALS = {
    WHITE: ((0.93, 0.93, 0.91, 1.0), 0.0, 0.5),
    GRAPHITE: ((0.22, 0.23, 0.25, 1.0), 0.0, 0.4),
    DARK: ((0.05, 0.055, 0.07, 1.0), 0.0, 0.9),
    GLOW: ((0.35, 0.85, 0.95, 1.0), 0.8, 0.2),
    PAD: ((0.12, 0.30, 0.36, 1.0), 0.0, 0.1),
}

# Collision bits: the world keeps MuJoCo's default (1, 1). Links of the arm never meet each other within their joint
# limits save in absurd postures, so they only collide with the world and with the robot's fixed structure.
ARM_BITS = (2, 1)
STRUCTURE_BITS = (1, 3)
_VISUAL_BITS = (0, 0)
VISUAL_GROUP = 2


def add_materials(spec: mujoco.MjSpec) -> None:
    """Add the robot's materials to `spec`."""
    for name, (rgba, emission, shininess) in _MATERIALS.items():
        spec.add_material(name=name, rgba=list(rgba), emission=emission, specular=0.4, shininess=shininess)


def angle_unit(spec: mujoco.MjSpec) -> float:
    """What a radian is in the angles of `spec`'s joints: worlds may be written in degrees or in radians."""
    return 180.0 / pi if spec.compiler.degree else 1.0


def solid(
    body: mujoco.MjsBody,
    kind: mujoco.mjtGeom,
    size: Sequence[float],
    material: str,
    *,
    bits: tuple[int, int],
    mass_kg: float,
    name: str = "",
    pos: Sequence[float] = (0, 0, 0),
    quat: Sequence[float] = (1, 0, 0, 0),
) -> mujoco.MjsGeom:
    """A geom that collides and is seen; sizes as in MuJoCo."""
    geom = body.add_geom(
        name=name,
        type=kind,
        size=[*size, *[0.0] * (3 - len(size))],
        pos=list(pos),
        quat=list(quat),
        material=material,
        mass=mass_kg,
    )
    geom.contype, geom.conaffinity = bits
    return geom


def capsule(
    body: mujoco.MjsBody,
    ends: tuple[Sequence[float], Sequence[float]],
    radius: float,
    material: str,
    *,
    bits: tuple[int, int],
    mass_kg: float,
    name: str = "",
) -> mujoco.MjsGeom:
    """A capsule between two points that collides and is seen."""
    geom = body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=[*ends[0], *ends[1]],
        size=[radius, 0, 0],
        material=material,
        mass=mass_kg,
    )
    geom.contype, geom.conaffinity = bits
    return geom


def visual(
    body: mujoco.MjsBody,
    kind: mujoco.mjtGeom,
    size: Sequence[float],
    material: str,
    *,
    pos: Sequence[float] = (0, 0, 0),
    quat: Sequence[float] = (1, 0, 0, 0),
) -> None:
    """A massless geom that is only seen."""
    geom = body.add_geom(
        type=kind, size=[*size, *[0.0] * (3 - len(size))], pos=list(pos), quat=list(quat), material=material
    )
    geom.contype, geom.conaffinity = _VISUAL_BITS
    geom.mass, geom.group = 0.0, VISUAL_GROUP


def visual_rod(
    body: mujoco.MjsBody,
    kind: mujoco.mjtGeom,
    ends: tuple[Sequence[float], Sequence[float]],
    radius: float,
    material: str,
) -> None:
    """A massless capsule or cylinder between two points that is only seen."""
    geom = body.add_geom(type=kind, fromto=[*ends[0], *ends[1]], size=[radius, 0, 0], material=material)
    geom.contype, geom.conaffinity = _VISUAL_BITS
    geom.mass, geom.group = 0.0, VISUAL_GROUP
