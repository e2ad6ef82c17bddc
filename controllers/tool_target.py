"""The pose the tool shall have: the twist asked for, integrated, and kept on a leash to where the tool really is."""

from math import cos, sin, sqrt
from typing import Final

from agent.messages import TICK_S, Clamp
from controllers.ik import Kinematics, Vector

LEASH_M: Final = 0.04
LEASH_RAD: Final = 0.20
"""Between target and measured tool: contact and weight do not wind up more than this."""
REACH_M: Final = 0.003
REACH_RAD: Final = 0.02
"""A target that is farther than this ahead of the set points goes no farther ahead: what a limit of the arm takes
away is not stored up. It is not pulled back either, or the tool would drift along the limit."""
_ACROSS: Final = 0.3
"""Cosine to the gap below which a velocity counts as across it."""
_BACKSTOP_M, _BACKSTOP_RAD = 0.02, 0.15
"""Farther ahead than this it is pulled back after all."""


class ToolTarget:
    """Position and axes of the target in the base frame."""

    def __init__(self, at: Kinematics) -> None:
        self.put(at)

    def put(self, at: Kinematics) -> None:
        """Starts anew from a posture of the arm."""
        self.position_m: Vector = at.tool
        self.x, self.y, self.z = at.x, at.y, at.z

    def move(self, twist: list[float], reached: Kinematics) -> Clamp | None:
        """Carries the target along a twist (6,) for one tick, unless it is too far ahead of what was reached already;
        the Clamp if it was."""
        self.leash(reached, _BACKSTOP_M, _BACKSTOP_RAD)
        ahead = self.error(reached)
        linear, lost = _not_farther(twist[:3], ahead[:3], REACH_M)
        angular, lost_turn = _not_farther(twist[3:], ahead[3:], REACH_RAD)
        (px, py, pz), (vx, vy, vz), (wx, wy, wz) = self.position_m, linear, angular
        self.position_m = (px + vx * TICK_S, py + vy * TICK_S, pz + vz * TICK_S)
        if wx or wy or wz:
            self._turn((wx * TICK_S, wy * TICK_S, wz * TICK_S))
        if lost > 0.0:
            return Clamp(name="reach", asked=lost, bound=0.0)
        if lost_turn > 0.0:
            return Clamp(name="reach_turn", asked=lost_turn, bound=0.0)
        return None

    def _turn(self, vector: Vector) -> None:
        self.x = rotated(self.x, vector)
        # Made orthonormal again each time: rounding must not add up over an episode.
        (xx, xy, xz), (yx, yy, yz) = self.x, rotated(self.y, vector)
        n = 1.0 / sqrt(xx * xx + xy * xy + xz * xz)
        xx, xy, xz = xx * n, xy * n, xz * n
        dot = xx * yx + xy * yy + xz * yz
        yx, yy, yz = yx - dot * xx, yy - dot * xy, yz - dot * xz
        n = 1.0 / sqrt(yx * yx + yy * yy + yz * yz)
        yx, yy, yz = yx * n, yy * n, yz * n
        self.x, self.y = (xx, xy, xz), (yx, yy, yz)
        self.z = (xy * yz - xz * yy, xz * yx - xx * yz, xx * yy - xy * yx)

    def leash(self, to: Kinematics, length_m: float, turn_rad: float) -> Clamp | None:
        """Pulls the target to within a length and an angle of a posture; the Clamp if it had to."""
        clamp = None
        (px, py, pz), (ax, ay, az) = self.position_m, to.tool
        dx, dy, dz = px - ax, py - ay, pz - az
        distance = sqrt(dx * dx + dy * dy + dz * dz)
        if distance > length_m:
            share = length_m / distance
            self.position_m = (ax + share * dx, ay + share * dy, az + share * dz)
            clamp = Clamp(name="leash", asked=distance, bound=length_m)
        rx, ry, rz = to.turn_to(self.x, self.y, self.z)
        angle = sqrt(rx * rx + ry * ry + rz * rz)
        if angle > turn_rad:
            share = turn_rad / angle - 1.0
            self._turn((share * rx, share * ry, share * rz))
            clamp = clamp or Clamp(name="leash_turn", asked=angle, bound=turn_rad)
        return clamp

    def error(self, at: Kinematics) -> list[float]:
        """(6,) displacement and rotation vector from a posture of the arm to the target."""
        (px, py, pz), (ax, ay, az) = self.position_m, at.tool
        return [px - ax, py - ay, pz - az, *at.turn_to(self.x, self.y, self.z)]


def _not_farther(velocity: list[float], ahead: list[float], most: float) -> tuple[list[float], float]:
    """Zero for a velocity that would add to being `ahead` by more than `most`, and the speed this takes.

    Zero, and not the part across: that would slide the tool along the limit, where nobody asked it to go.
    What goes mainly across the gap is let through.
    """
    x, y, z = ahead
    vx, vy, vz = velocity
    length = sqrt(x * x + y * y + z * z)
    along = vx * x + vy * y + vz * z
    if length <= most or along <= _ACROSS * length * sqrt(vx * vx + vy * vy + vz * vz):
        return velocity, 0.0
    return [0.0, 0.0, 0.0], along / length


def rotated(v: Vector, by: Vector) -> Vector:
    """A vector turned by a rotation vector (Rodrigues)."""
    bx, by_, bz = by
    angle = sqrt(bx * bx + by_ * by_ + bz * bz)
    if angle < 1e-12:
        return v
    kx, ky, kz = bx / angle, by_ / angle, bz / angle
    x, y, z = v
    c, s = cos(angle), sin(angle)
    dot = (kx * x + ky * y + kz * z) * (1.0 - c)
    return (
        c * x + s * (ky * z - kz * y) + dot * kx,
        c * y + s * (kz * x - kx * z) + dot * ky,
        c * z + s * (kx * y - ky * x) + dot * kz,
    )


def quaternion(at: Kinematics) -> tuple[float, float, float, float]:
    """Unit quaternion wxyz of the tool's axes, by the largest diagonal element (Shepperd).

    Of the two signs the one with x + z ≥ 0: a tool that points ahead has w = 0, and the usual w ≥ 0 would make the
    sign jump with every tremble.
    """
    (a, d, g), (b, e, h), (c, f, i) = at.x, at.y, at.z
    if a + e + i > 0.0:
        s = 2.0 * sqrt(a + e + i + 1.0)
        w, x, y, z = s / 4.0, (h - f) / s, (c - g) / s, (d - b) / s
    elif a > e and a > i:
        s = 2.0 * sqrt(1.0 + a - e - i)
        w, x, y, z = (h - f) / s, s / 4.0, (b + d) / s, (c + g) / s
    elif e > i:
        s = 2.0 * sqrt(1.0 + e - a - i)
        w, x, y, z = (c - g) / s, (b + d) / s, s / 4.0, (f + h) / s
    else:
        s = 2.0 * sqrt(1.0 + i - a - e)
        w, x, y, z = (d - b) / s, (c + g) / s, (f + h) / s, s / 4.0
    return (w, x, y, z) if x + z >= 0.0 else (-w, -x, -y, -z)
