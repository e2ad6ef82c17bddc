"""Distances between the arm and the robot's own body, as linear limits for the IK.

The arm is a few spheres; the body is a mast with the head on it, the
shoulder that rides on the lift, and the base.
"""

from dataclasses import dataclass
from math import hypot, sqrt
from typing import Final

from controllers.arm_model import BASE_RADIUS_M, MOUNT_IN_BASE_M

Vector = tuple[float, float, float]

SHOULDER, UPPER_ARM, ELBOW, FOREARM, WRIST, LAST = 1, 2, 3, 4, 5, 6
"""Indices of joint frames; LAST carries the hand too."""

MARGIN_M: Final = 0.015
ALERT_M: Final = 0.10
"""Pairs farther apart than this above the margin are not limited."""
APPROACH_SHARE: Final = 0.15
"""Of the distance left, an approach may use up this share in one tick."""


@dataclass(frozen=True, slots=True)
class Body:
    """The robot's own obstacles in the base frame: mast, head and base stand, the shoulder rides on the lift."""

    mast_xy_m: tuple[float, float] = (-0.095, 0.185)
    mast_radius_m: float = 0.045
    mast_top_m: float = 1.42
    head_z_m: float = 1.50
    """The head sits on the mast."""
    head_radius_m: float = 0.12
    shoulder_radius_m: float = 0.07
    shoulder_height_m: float = 0.36
    base_height_m: float = 0.22


@dataclass(slots=True)
class Near:
    """One pair that is close: how far, and the direction that leads away. Not frozen: that would make it four times as
    dear to build, and a handful are built in every tick."""

    part: str
    joint: int
    """The sphere is carried by this joint's frame."""
    centre_in_base_m: Vector
    distance_m: float
    away: Vector
    rides: bool = False
    """The body's side of the pair rides on the lift, as the arm does."""


def near_pairs(
    origins: list[Vector], forearm_axis: Vector, tool: Vector, tool_y: Vector, tool_z: Vector, lift_m: float, body: Body
) -> list[Near]:
    """Pairs of arm and body closer than ALERT_M + MARGIN_M, from joint origins, axis of joint 5 and tool frame."""
    tx, ty, tz = tool
    yx, yy, yz = tool_y
    zx, zy, zz = tool_z
    ex, ey, ez = origins[ELBOW]
    wx, wy, wz = origins[WRIST]
    fx, fy, fz = forearm_axis
    kx, ky, kz = tx - 0.12 * zx, ty - 0.12 * zy, tz - 0.12 * zz
    sx, sy, sz = origins[SHOULDER]
    ux, uy, uz = origins[UPPER_ARM]
    spheres = (
        ("upper arm", UPPER_ARM, 0.55 * sx + 0.45 * ux, 0.55 * sy + 0.45 * uy, 0.55 * sz + 0.45 * uz, 0.06),
        ("upper arm", UPPER_ARM, 0.2 * sx + 0.8 * ux, 0.2 * sy + 0.8 * uy, 0.2 * sz + 0.8 * uz, 0.06),
        ("elbow", ELBOW, ex, ey, ez, 0.09),
        ("forearm", FOREARM, wx - 0.31 * fx, wy - 0.31 * fy, wz - 0.31 * fz, 0.058),
        ("forearm", FOREARM, wx - 0.22 * fx, wy - 0.22 * fy, wz - 0.22 * fz, 0.058),
        ("forearm", FOREARM, wx - 0.12 * fx, wy - 0.12 * fy, wz - 0.12 * fz, 0.058),
        ("wrist", WRIST, wx, wy, wz, 0.075),
        ("flange", LAST, *origins[LAST], 0.065),
        ("hand", LAST, kx + 0.05 * yx, ky + 0.05 * yy, kz + 0.05 * yz, 0.055),
        ("hand", LAST, kx - 0.05 * yx, ky - 0.05 * yy, kz - 0.05 * yz, 0.055),
        ("fingers", LAST, tx, ty, tz, 0.035),
    )
    near: list[Near] = []
    reach = ALERT_M + MARGIN_M
    mast_x, mast_y = body.mast_xy_m
    shoulder_x, shoulder_z = MOUNT_IN_BASE_M[0], MOUNT_IN_BASE_M[2] + lift_m
    shoulder_top = shoulder_z + body.shoulder_height_m
    mast_reach, head_reach, shoulder_reach = (
        body.mast_radius_m + reach,
        body.head_radius_m + reach,
        body.shoulder_radius_m + reach,
    )
    for part, joint, x, y, z, radius in spheres:
        if z - radius < body.base_height_m + reach and hypot(x, y) < BASE_RADIUS_M + radius + reach:
            distance, away = _from_base(x, y, z, body)
            if distance - radius < reach:
                near.append(Near(part, joint, (x, y, z), distance - radius, away))
        # Everything else is near the axis: most spheres of a reaching arm end here.
        if x > 0.40 or x < -0.45 or y > 0.50 or y < -0.35:
            continue
        mx, my = x - mast_x, y - mast_y
        across = mx * mx + my * my
        gap = max(0.0, z - body.mast_top_m)
        if across + gap * gap < (radius + mast_reach) ** 2:
            _add(near, part, joint, (x, y, z), radius + body.mast_radius_m, (mx, my, gap))
        gap = z - body.head_z_m
        if across + gap * gap < (radius + head_reach) ** 2:
            _add(near, part, joint, (x, y, z), radius + body.head_radius_m, (mx, my, gap))
        if joint >= WRIST:
            gap = max(0.0, z - shoulder_top) + min(0.0, z - shoulder_z)
            sx = x - shoulder_x
            if sx * sx + y * y + gap * gap < (radius + shoulder_reach) ** 2:
                _add(near, part, joint, (x, y, z), radius + body.shoulder_radius_m, (sx, y, gap), rides=True)
    return near


def _add(
    near: list[Near], part: str, joint: int, centre: Vector, radii: float, gap: Vector, rides: bool = False
) -> None:
    gx, gy, gz = gap
    length = sqrt(gx * gx + gy * gy + gz * gz)
    if length > 1e-9:
        near.append(Near(part, joint, centre, length - radii, (gx / length, gy / length, gz / length), rides))


def _from_base(x: float, y: float, z: float, body: Body) -> tuple[float, Vector]:
    """Distance from the base's cylinder and the direction away from it."""
    radius = hypot(x, y)
    out, up = radius - BASE_RADIUS_M, z - body.base_height_m
    ux, uy = (x / radius, y / radius) if radius > 1e-9 else (1.0, 0.0)
    if out > 0.0 and up > 0.0:
        length = hypot(out, up)
        return length, (ux * out / length, uy * out / length, up / length)
    if up >= out:
        return up, (0.0, 0.0, 1.0)
    return out, (ux, uy, 0.0)
