"""How hard something presses on the arm before the hand, from what holds its joints back.

The wrist's sensor feels the hand alone, and the skin covers neither elbow nor wrist. What the joints' springs bear and
the hand does not explain is taken for one force at the wrist's centre; an elbow, half as far out, may feel twice
as much.
"""

from math import sqrt
from typing import Final

from controllers.arm_model import ARM_STIFFNESS_NM, Array
from controllers.ik import Kinematics

_WRIST: Final = 5
"""Joint 6, where the axes of the last three nearly meet."""
_STIFFNESS_NM: Final = tuple(ARM_STIFFNESS_NM[:4].tolist())
"""Of the joints that carry the wrist."""
_SHORT_M: Final = 0.1
"""Levers much shorter than this tell nothing of a force."""


def force_on_wrist_n(at: Kinematics, lag_rad: Array, wrench_in_tool: Array) -> float:
    """Size of the world's force, from the set points' lead over the joints (7,) and the wrench (6,) on the hand.

    Damped least squares over the torques of four joints, in plain floats: several times faster than numpy here.
    """
    fx, fy, fz, mx, my, mz = wrench_in_tool.tolist()
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = at.x, at.y, at.z
    fx, fy, fz = ax * fx + bx * fy + cx * fz, ay * fx + by * fy + cy * fz, az * fx + bz * fy + cz * fz
    mx, my, mz = ax * mx + bx * my + cx * mz, ay * mx + by * my + cy * mz, az * mx + bz * my + cz * mz
    tx, ty, tz = at.tool
    wx, wy, wz = at.origins[_WRIST]
    xx = yy = zz = _SHORT_M**2
    xy = xz = yz = x = y = z = 0.0
    joints = zip(_STIFFNESS_NM, lag_rad.tolist(), at.origins, at.axes, strict=False)
    for stiffness, lag, (ox, oy, oz), (ax, ay, az) in joints:
        rx, ry, rz = tx - ox, ty - oy, tz - oz
        by_hand = ax * (mx + ry * fz - rz * fy) + ay * (my + rz * fx - rx * fz) + az * (mz + rx * fy - ry * fx)
        unexplained = -stiffness * lag - by_hand
        rx, ry, rz = wx - ox, wy - oy, wz - oz
        lx, ly, lz = ay * rz - az * ry, az * rx - ax * rz, ax * ry - ay * rx
        xx, yy, zz = xx + lx * lx, yy + ly * ly, zz + lz * lz
        xy, xz, yz = xy + lx * ly, xz + lx * lz, yz + ly * lz
        x, y, z = x + lx * unexplained, y + ly * unexplained, z + lz * unexplained
    # Cramer's rule: the matrix is symmetric, and the damping keeps it well away from singular.
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    fx, fy, fz = a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z
    return sqrt(fx * fx + fy * fy + fz * fz) / (xx * a + xy * b + xz * c)
