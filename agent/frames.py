"""Poses in three dimensions: position (3,) in metres and rotation matrix (3, 3).

Names say which frame is seen from which: `tool_in_base` maps points of the tool frame into the base frame.
Plain numpy on tiny arrays; everything here runs many times a tick.
"""

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from controllers.motion.se2 import wrap

Array = NDArray[np.float64]

__all__ = ["Array", "Pose", "carried_twist", "from_quaternion", "planar", "rotation_vector", "tool_rotation", "wrap"]


@dataclass(frozen=True, slots=True)
class Pose:
    """A frame seen from another one."""

    position: Array
    """(3,) m"""
    rotation: Array
    """(3, 3) columns are the frame's axes."""

    def __matmul__(self, other: "Pose") -> "Pose":
        return Pose(self.position + self.rotation @ other.position, self.rotation @ other.rotation)

    def inverse(self) -> "Pose":
        transposed = self.rotation.T
        return Pose(-(transposed @ self.position), transposed)

    def point(self, point: Array) -> Array:
        """A point (3,) of this frame in the outer frame."""
        return self.position + self.rotation @ point

    @property
    def yaw(self) -> float:
        """Heading of the x axis."""
        return atan2(self.rotation[1, 0], self.rotation[0, 0])


def planar(x: float, y: float, yaw: float, z: float = 0.0) -> Pose:
    """An upright frame."""
    c, s = cos(yaw), sin(yaw)
    return Pose(np.array([x, y, z]), np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]))


def carried_twist(base_velocity_in_base: Array, point_in_base: Array) -> Array:
    """(6,) m/s and rad/s in base axes that a point (3,) of the base has over ground while the base drives by (3,)."""
    vx, vy, turn = base_velocity_in_base.tolist()
    x, y, _ = point_in_base.tolist()
    return np.array([vx - turn * y, vy + turn * x, 0.0, 0.0, 0.0, turn])


def from_quaternion(position: Array, quaternion_wxyz: Array) -> Pose:
    w, x, y, z = quaternion_wxyz.tolist()
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    return Pose(np.array(position, dtype=np.float64), rotation)


def rotation_vector(rotation: Array) -> Array:
    """Axis times angle (3,) of a rotation matrix, angle in [0, π]."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation.tolist()
    axis = np.array((zy - yz, xz - zx, yx - xy))
    sine = 0.5 * hypot(*axis.tolist())
    cosine = 0.5 * (xx + yy + zz - 1.0)
    angle = atan2(sine, cosine)
    if sine > 1e-6:
        return axis * (0.5 * angle / sine)
    if cosine > 0:
        return 0.5 * axis
    # Half a turn: the axis is the column of the largest diagonal entry of (R + 1) / 2.
    half = 0.5 * (rotation + np.eye(3))
    column = int(np.argmax(np.diag(half)))
    return half[:, column] / np.sqrt(half[column, column]) * pi


def tool_rotation(pitch_down_rad: float, roll_rad: float = 0.0, yaw_rad: float = 0.0) -> Array:
    """Rotation of the tool in an upright frame whose x axis points away from the robot.

    At zero the tool's z points along x (forward), its x up and its y (closing direction) to the right.
    Roll turns the closing direction about the tool's z.
    """
    c, s = cos(pitch_down_rad), sin(pitch_down_rad)
    pitched = np.array([[s, 0.0, c], [0.0, -1.0, 0.0], [c, 0.0, -s]])
    if roll_rad:
        cr, sr = cos(roll_rad), sin(roll_rad)
        pitched = pitched @ np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    if yaw_rad:
        cy, sy = cos(yaw_rad), sin(yaw_rad)
        pitched = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]]) @ pitched
    return pitched
