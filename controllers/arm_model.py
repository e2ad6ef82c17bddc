"""Kinematic constants and closed-form kinematics of the robot, free of any simulator.

Frames: `base` is on the floor under the robot, x ahead, z up; `mount` is the arm's first frame (link 0), it rides
on the lift; `flange` is the arm's last frame; `tool` lies between the two finger pads, z out of the hand
(approach), y the direction in which the fingers close, x completes it (up when the tool points ahead).
"""

from math import cos, pi, sin, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Franka Panda, modified (Craig) Denavit-Hartenberg parameters, as published by Franka Emika.
DH_A_M: Final = (0.0, 0.0, 0.0, 0.0825, -0.0825, 0.0, 0.088)
DH_D_M: Final = (0.333, 0.0, 0.316, 0.0, 0.384, 0.0, 0.0)
DH_ALPHA_RAD: Final = (0.0, -pi / 2, pi / 2, pi / 2, -pi / 2, pi / 2, pi / 2)
FLANGE_M: Final = 0.107
"""From the frame of joint 7 along its axis to the flange."""

ARM_LOWER_RAD: Final = np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973])
ARM_UPPER_RAD: Final = np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973])
ARM_MAX_VELOCITY_RAD_S: Final = np.array([2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61])
ARM_MAX_TORQUE_NM: Final = np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0])
ARM_STIFFNESS_NM: Final = np.array([1500.0, 1500.0, 1200.0, 1200.0, 600.0, 500.0, 300.0])
"""Joint stiffness (Nm/rad) of the arm's own impedance control around the commanded position."""
ARM_DAMPING_NMS: Final = np.array([90.0, 90.0, 65.0, 60.0, 20.0, 16.0, 9.0])
"""Its damping (Nm s/rad): near critical for the inertias at the home posture. While a joint moves, it lags its set
point by damping / stiffness × velocity; adding that to the set point removes the lag."""

ARM_LEASH_RAD: Final = np.array([40.0, 50.0, 40.0, 40.0, 12.0, 12.0, 12.0]) / ARM_STIFFNESS_NM
"""How far set points may lead joints that something holds back, from the torque (Nm) this takes: moving freely takes 5,
pressing a lid shut 30. The wrist's force sensor feels the hand alone; what holds back a link shows here."""

MOUNT_IN_BASE_M: Final = (0.07, 0.0, 0.30)
"""Origin of link 0 with the lift at 0."""
MAST_IN_BASE_M: Final = (-0.095, 0.185)
"""x and y of the mast, which stands left of the arm's plane."""
MAST_RADIUS_M: Final = 0.042
MAST_TOP_M: Final = 1.42
HEAD_Z_M: Final = 1.50
"""Crossing of the head's pan and tilt axes, above the mast."""
LIFT_RANGE_M: Final = (0.0, 0.75)
LIFT_STIFFNESS_N_M: Final = 4.0e4
LIFT_DAMPING_N_S_M: Final = 2.2e3
LIFT_MAX_VELOCITY_M_S: Final = 0.25
HEAD_LOWER_RAD: Final = np.array([-1.6, -0.6])
HEAD_UPPER_RAD: Final = np.array([1.6, 1.2])
"""Pan (positive left) and tilt (positive down)."""
HEAD_MAX_VELOCITY_RAD_S: Final = 1.5
FINGER_WIDTH_RANGE_M: Final = (0.0, 0.11)
GRIP_MAX_N: Final = 60.0
BASE_RADIUS_M: Final = 0.27
BASE_MAX_VELOCITY: Final = np.array([0.8, 0.8, 1.5])
"""x and y in m/s, yaw rate in rad/s."""

HAND_TILT_RAD: Final = np.deg2rad(60.0)
"""The hand leans by this angle from the flange's axis towards the flange's x (up and ahead). Found by searching
0…90° for tool pitches 0…65° down, targets 0.50–0.85 m ahead and 0.30–1.55 m high: see docs/robot.md."""
WRIST_M: Final = 0.03
"""From the flange along its axis to the hinge line of the hand's bracket."""
HAND_TO_TOOL_M: Final = 0.16
"""From that line along the tool's z to the tool frame."""

HOME_JOINTS: Final = np.array([0.0, -1.0517, 0.0, -2.4832, 0.0, 1.5188, 0.0])
"""Travel posture: tool 0.45 m ahead of the base's centre, pitched 25° down, so that a held mug stays upright."""
HOME_LIFT_M: Final = 0.10
"""The tool is then 0.90 m above the floor."""

_ARM_LIFT_PITCH_RAD: Final = np.deg2rad([0.0, 30.0, 60.0, 65.0])
_ARM_LIFT_HEIGHT_M: Final = np.array([0.62, 0.40, 0.00, 0.02])


def comfortable_lift(target_height_in_base_m: float, pitch_down_rad: float) -> float:
    """Lift (m) at which a target of this height, reached with the tool pitched down so far, is farthest from joint
    limits and singularities for targets 0.55–0.80 m ahead of the base's centre.

    The rule holds the tool at its best height above the mount, which depends on the pitch alone; at the ends of
    the lift's travel the arm makes up for the rest.
    """
    tool_above_mount_m = float(np.interp(pitch_down_rad, _ARM_LIFT_PITCH_RAD, _ARM_LIFT_HEIGHT_M))
    lift = target_height_in_base_m - MOUNT_IN_BASE_M[2] - tool_above_mount_m
    return min(max(lift, LIFT_RANGE_M[0]), LIFT_RANGE_M[1])


Vector = tuple[float, float, float]

_LINKS: Final = tuple(zip(DH_A_M, DH_D_M, DH_ALPHA_RAD, strict=True))
_HAND_TURN: Final = (cos(HAND_TILT_RAD), sin(HAND_TILT_RAD))


def _chain(arm_position_rad: Array, lift_m: float) -> tuple[list[Vector], list[Vector], Vector, Vector, Vector, Vector]:
    """Origins and axes of the seven joints, then origin and the three axes of the tool, all in the base frame.

    Scalars and not matrices: for one posture this is several times faster than numpy.
    """
    px, py, pz = MOUNT_IN_BASE_M[0], MOUNT_IN_BASE_M[1], MOUNT_IN_BASE_M[2] + lift_m
    xx, xy, xz = 1.0, 0.0, 0.0
    yx, yy, yz = 0.0, 1.0, 0.0
    zx, zy, zz = 0.0, 0.0, 1.0
    origins: list[Vector] = []
    axes: list[Vector] = []
    for (a, d, alpha), q in zip(_LINKS, arm_position_rad.tolist(), strict=True):
        if a:
            px, py, pz = px + a * xx, py + a * xy, pz + a * xz
        # All twists are 0 or ±90°, so a rotation about x only exchanges the other two axes.
        if alpha > 0.0:
            yx, yy, yz, zx, zy, zz = zx, zy, zz, -yx, -yy, -yz
        elif alpha < 0.0:
            yx, yy, yz, zx, zy, zz = -zx, -zy, -zz, yx, yy, yz
        if d:
            px, py, pz = px + d * zx, py + d * zy, pz + d * zz
        c, s = cos(q), sin(q)
        xx, xy, xz, yx, yy, yz = (
            c * xx + s * yx,
            c * xy + s * yy,
            c * xz + s * yz,
            c * yx - s * xx,
            c * yy - s * xy,
            c * yz - s * xz,
        )
        origins.append((px, py, pz))
        axes.append((zx, zy, zz))
    along = FLANGE_M + WRIST_M
    px, py, pz = px + along * zx, py + along * zy, pz + along * zz
    c, s = _HAND_TURN
    xx, xy, xz, zx, zy, zz = (
        c * xx - s * zx,
        c * xy - s * zy,
        c * xz - s * zz,
        s * xx + c * zx,
        s * xy + c * zy,
        s * xz + c * zz,
    )
    origin = (px + HAND_TO_TOOL_M * zx, py + HAND_TO_TOOL_M * zy, pz + HAND_TO_TOOL_M * zz)
    return origins, axes, origin, (xx, xy, xz), (yx, yy, yz), (zx, zy, zz)


def tool_in_base(arm_position_rad: Array, lift_m: float) -> tuple[Array, Array]:
    """Position (3,) in m and rotation (3, 3) of the tool in the base frame, for arm joints (7,) and lift."""
    _, _, origin, x, y, z = _chain(arm_position_rad, lift_m)
    return np.array(origin), np.array((x, y, z)).T


def tool_jacobian_in_base(arm_position_rad: Array, lift_m: float) -> tuple[Array, Array, Array]:
    """Position (3,), rotation (3, 3) and geometric Jacobian (6, 8) of the tool in the base frame.

    Rows are linear then angular velocity in base axes; columns are the lift, then the seven arm joints.
    """
    origins, axes, (px, py, pz), x, y, z = _chain(arm_position_rad, lift_m)
    columns = [(0.0, 0.0, 1.0, 0.0, 0.0, 0.0)]
    for (ox, oy, oz), (ax, ay, az) in zip(origins, axes, strict=True):
        rx, ry, rz = px - ox, py - oy, pz - oz
        columns.append((ay * rz - az * ry, az * rx - ax * rz, ax * ry - ay * rx, ax, ay, az))
    return np.array((px, py, pz)), np.array((x, y, z)).T, np.array(columns).T


def quaternion_from_rotation(rotation: Array) -> Array:
    """Unit quaternion (4,) wxyz with w >= 0 of a rotation matrix (3, 3), by the largest diagonal (Shepperd)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    if a + e + i > 0.0:
        s = sqrt(a + e + i + 1.0) * 2.0
        q = (s / 4.0, (h - f) / s, (c - g) / s, (d - b) / s)
    elif a > e and a > i:
        s = sqrt(1.0 + a - e - i) * 2.0
        q = ((h - f) / s, s / 4.0, (b + d) / s, (c + g) / s)
    elif e > i:
        s = sqrt(1.0 + e - a - i) * 2.0
        q = ((c - g) / s, (b + d) / s, s / 4.0, (f + h) / s)
    else:
        s = sqrt(1.0 + i - a - e) * 2.0
        q = ((d - b) / s, (c + g) / s, (f + h) / s, s / 4.0)
    return np.array(q) if q[0] >= 0.0 else -np.array(q)
