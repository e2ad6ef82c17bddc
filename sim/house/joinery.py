"""Puts boxes and cylinders of a house into a MuJoCo spec, in the frame of a piece of furniture.

Collision bits: house geoms are (1, 0). They meet everything that collides with a 1 (robot, items, machines) and
never each other, so that a door leaf grazing its frame costs nothing. Group 0 is seen and solid, VISUAL_GROUP
only seen, SOLID_GROUP only solid.
"""

from collections.abc import Sequence
from math import cos, sin

import mujoco

from sim.house.schema import House
from sim.house.textures import add_texture
from sim.objects.shapes import look

BOX, CYLINDER, CAPSULE = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_CAPSULE
ELLIPSOID, SPHERE = mujoco.mjtGeom.mjGEOM_ELLIPSOID, mujoco.mjtGeom.mjGEOM_SPHERE
SEEN_SOLID_GROUP, VISUAL_GROUP, SOLID_GROUP = 0, 2, 3
SOLREF = (0.006, 1.0)

Rgb = tuple[float, float, float]
Vec = Sequence[float]

_TEXTURED = {  # part of the palette: texture, its repeats per metre (or 0: per face), shininess
    "wood": ("grain", 0.0, 0.25),
    "dark_wood": ("grain", 0.0, 0.25),
    "worktop": ("grain", 0.0, 0.35),
    "floor": ("planks", 1.1, 0.15),
    "tiles": ("tiles", 1.3, 0.35),
    "carpet": ("weave", 3.0, 0.0),
    "fabric": ("weave", 2.0, 0.0),
}


def quat_z(yaw: float) -> list[float]:
    return [cos(yaw / 2), 0.0, 0.0, sin(yaw / 2)]


def shade(color: Rgb, by: float) -> Rgb:
    """The colour scaled by `by`, within [0, 1]."""
    r, g, b = (min(max(c * by, 0.0), 1.0) for c in color)
    return r, g, b


class Joinery:
    """Adds geoms with the materials of one house."""

    def __init__(self, spec: mujoco.MjSpec, house: House) -> None:
        self.spec = spec
        self.house = house
        for part, color in house.palette.items():
            texture, repeat, shine = _TEXTURED.get(part, ("", 0.0, 0.2))
            material = spec.add_material(
                name=f"house_{part}", rgba=[*color, 1.0], specular=0.25 * (shine > 0), shininess=shine
            )
            if part in ("steel", "handle"):
                material.specular, material.shininess, material.reflectance = 0.7, 0.6, 0.05
            if texture:
                material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = add_texture(spec, texture)
                if repeat:
                    material.texuniform = True
                    material.texrepeat = [repeat, repeat]

    def fixed(self, name: str, x: float, y: float, yaw: float) -> mujoco.MjsBody:
        """A body that never moves, its frame on the floor: x forward, z height above the floor."""
        return self.spec.worldbody.add_body(name=name, pos=[x, y, 0.0], quat=quat_z(yaw))

    def box(
        self,
        body: mujoco.MjsBody,
        low: Vec,
        high: Vec,
        paint: str | Rgb,
        *,
        solid: bool = True,
        seen: bool = True,
        name: str = "",
        friction: float = 0.7,
        mass: float = 0.0,
    ) -> mujoco.MjsGeom:
        """A box from corner `low` to corner `high`; `paint` is a part of the palette or a colour."""
        half = [abs(b - a) / 2 for a, b in zip(low, high, strict=True)]
        middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
        return self._geom(body, BOX, half, middle, paint, solid, seen, name, friction, mass)

    def round(
        self,
        body: mujoco.MjsBody,
        kind: mujoco.mjtGeom,
        size: Vec,
        at: Vec,
        paint: str | Rgb,
        *,
        solid: bool = False,
        quat: Vec = (1.0, 0.0, 0.0, 0.0),
        name: str = "",
        friction: float = 0.7,
        mass: float = 0.0,
    ) -> mujoco.MjsGeom:
        """A cylinder, capsule, sphere or ellipsoid with MuJoCo's sizes."""
        geom = self._geom(body, kind, [*size, *[0.0] * (3 - len(size))], at, paint, solid, True, name, friction, mass)
        geom.quat = list(quat)
        return geom

    def _geom(
        self,
        body: mujoco.MjsBody,
        kind: mujoco.mjtGeom,
        size: Vec,
        at: Vec,
        paint: str | Rgb,
        solid: bool,
        seen: bool,
        name: str,
        friction: float,
        mass: float,
    ) -> mujoco.MjsGeom:
        owner = body if solid or body.name == "world" else look(body)
        geom = owner.add_geom(name=name, type=kind, size=list(size), pos=list(at), mass=mass)
        if isinstance(paint, str):
            geom.material = f"house_{paint}"
        else:
            geom.rgba = [*paint, 1.0]
        geom.contype, geom.conaffinity = (1, 0) if solid else (0, 0)
        geom.group = SEEN_SOLID_GROUP if solid and seen else SOLID_GROUP if solid else VISUAL_GROUP
        geom.friction = [friction, 0.008, 0.0005]
        geom.solref = list(SOLREF)
        return geom
