"""Base, mast, lift and head of the robot.

The mast stands beside the arm's plane, on the left: the elbow, which leans back for near targets, passes beside
it, and the camera on its top looks past the elbow.
"""

from math import cos, sin

import mujoco
import numpy as np

from controllers.arm_model import (
    BASE_RADIUS_M,
    HEAD_LOWER_RAD,
    HEAD_UPPER_RAD,
    HEAD_Z_M,
    LIFT_DAMPING_N_S_M,
    LIFT_RANGE_M,
    LIFT_STIFFNESS_N_M,
    MAST_IN_BASE_M,
    MAST_RADIUS_M,
    MAST_TOP_M,
    MOUNT_IN_BASE_M,
)
from sim.robot.shapes import DARK, GLOW, GRAPHITE, STRUCTURE_BITS, WHITE, angle_unit, capsule, solid, visual, visual_rod

BOX, CYLINDER = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER
CAPSULE, ELLIPSOID, SPHERE = (
    mujoco.mjtGeom.mjGEOM_CAPSULE,
    mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    mujoco.mjtGeom.mjGEOM_SPHERE,
)
SLIDE, HINGE = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE

MAST_X_M, MAST_Y_M = MAST_IN_BASE_M
_BASE_BOTTOM_M, _BASE_TOP_M = 0.02, 0.20
_BASE_VELOCITY_GAIN = (2.0e4, 2.0e4, 2.0e3)
"""N s/m and Nm s/rad. The drive gives way by 2 mm/s under a reaction of 40 N."""
_BASE_FORCE_LIMIT = (85.0, 85.0, 60.0)
"""N and Nm, where the wheels slip. The axes are the world's: both together give 120 N in a diagonal. 85 kg still gain
1 m/s²."""
HEAD_STIFFNESS_NM, HEAD_DAMPING_NMS = 40.0, 2.5


def add_base(spec: mujoco.MjSpec, pose: tuple[float, float, float], name: str) -> mujoco.MjsBody:
    """The holonomic base at `pose` (x, y, yaw in the world), with mast; its joints read world x, y and yaw."""
    x, y, yaw = pose
    base = spec.worldbody.add_body(name=name, pos=[x, y, 0.0], quat=[cos(yaw / 2), 0.0, 0.0, sin(yaw / 2)])
    # The slides keep the world's axes: they are turned back by the initial yaw, and `ref` makes them read the pose.
    base.add_joint(name="base_x", type=SLIDE, axis=[cos(yaw), -sin(yaw), 0.0], ref=x)
    base.add_joint(name="base_y", type=SLIDE, axis=[sin(yaw), cos(yaw), 0.0], ref=y)
    base.add_joint(name="base_yaw", type=HINGE, axis=[0.0, 0.0, 1.0], ref=yaw * angle_unit(spec))
    for joint, gain, limit in zip(
        ("base_x", "base_y", "base_yaw"), _BASE_VELOCITY_GAIN, _BASE_FORCE_LIMIT, strict=True
    ):
        drive = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        drive.set_to_velocity(gain)
        drive.forcerange, drive.forcelimited = [-limit, limit], True

    middle, half = (_BASE_TOP_M + _BASE_BOTTOM_M) / 2, (_BASE_TOP_M - _BASE_BOTTOM_M) / 2
    solid(
        base,
        CYLINDER,
        (BASE_RADIUS_M, half),
        WHITE,
        bits=STRUCTURE_BITS,
        mass_kg=55.0,
        name="base_body",
        pos=(0, 0, middle),
    )
    visual(base, CYLINDER, (BASE_RADIUS_M - 0.02, 0.012), GRAPHITE, pos=(0, 0, _BASE_BOTTOM_M))
    visual(base, CYLINDER, (BASE_RADIUS_M + 0.001, 0.006), GLOW, pos=(0, 0, 0.155))
    visual(base, CYLINDER, (BASE_RADIUS_M + 0.002, 0.02), GRAPHITE, pos=(0, 0, 0.075))
    visual(base, ELLIPSOID, (BASE_RADIUS_M - 0.005, BASE_RADIUS_M - 0.005, 0.035), WHITE, pos=(0, 0, _BASE_TOP_M))
    visual(base, CYLINDER, (0.085, 0.012), GRAPHITE, pos=(MOUNT_IN_BASE_M[0], 0, _BASE_TOP_M + 0.033))

    foot, top = (MAST_X_M, MAST_Y_M, _BASE_TOP_M), (MAST_X_M, MAST_Y_M, MAST_TOP_M)
    capsule(base, (foot, top), MAST_RADIUS_M, WHITE, bits=STRUCTURE_BITS, mass_kg=9.0, name="mast")
    rail_x = MAST_X_M + 0.038
    visual(base, BOX, (0.008, 0.014, 0.52), GRAPHITE, pos=(rail_x, MAST_Y_M, 0.76))
    return base


def add_lift(spec: mujoco.MjSpec, base: mujoco.MjsBody) -> mujoco.MjsBody:
    """The carriage on the mast; its frame is the arm's mount."""
    mx, my, mz = MOUNT_IN_BASE_M
    lift = base.add_body(name="lift", pos=[mx, my, mz], gravcomp=1.0)
    low, high = LIFT_RANGE_M
    lift.add_joint(name="lift", type=SLIDE, axis=[0, 0, 1], range=[low, high], limited=True, armature=5.0)
    drive = spec.add_actuator(name="lift", target="lift", trntype=mujoco.mjtTrn.mjTRN_JOINT)
    drive.set_to_position(LIFT_STIFFNESS_N_M, LIFT_DAMPING_N_S_M)
    drive.ctrlrange, drive.ctrllimited = [low, high], True
    drive.forcerange, drive.forcelimited = [-800.0, 800.0], True

    to_mast = (MAST_X_M - mx, MAST_Y_M - my, -0.03)
    capsule(lift, ((0, 0, -0.03), to_mast), 0.045, GRAPHITE, bits=STRUCTURE_BITS, mass_kg=4.0, name="lift_shelf")
    solid(lift, CYLINDER, (0.068, 0.065), WHITE, bits=STRUCTURE_BITS, mass_kg=3.0, name="arm_0_body", pos=(0, 0, 0.035))
    visual(lift, CYLINDER, (0.056, 0.07), GRAPHITE, pos=(to_mast[0], to_mast[1], 0.0))
    visual(lift, CYLINDER, (0.070, 0.005), GLOW, pos=(0, 0, 0.075))
    return lift


def add_head(spec: mujoco.MjSpec, base: mujoco.MjsBody) -> None:
    """The pan-tilt head with `head_camera`, on top of the mast."""
    pan = base.add_body(name="head_pan", pos=[MAST_X_M, MAST_Y_M, HEAD_Z_M], gravcomp=1.0)
    unit = angle_unit(spec)
    tilt = pan.add_body(name="head_tilt", gravcomp=1.0)
    for body, name, axis, low, high in (
        (pan, "head_pan", [0, 0, 1], HEAD_LOWER_RAD[0], HEAD_UPPER_RAD[0]),
        (tilt, "head_tilt", [0, 1, 0], HEAD_LOWER_RAD[1], HEAD_UPPER_RAD[1]),
    ):
        body.add_joint(name=name, type=HINGE, axis=axis, range=[low * unit, high * unit], limited=True, armature=0.03)
        drive = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        drive.set_to_position(HEAD_STIFFNESS_NM, HEAD_DAMPING_NMS)
        drive.ctrlrange, drive.ctrllimited = [low, high], True
        drive.forcerange, drive.forcelimited = [-10.0, 10.0], True

    solid(pan, CYLINDER, (0.03, 0.03), GRAPHITE, bits=(0, 0), mass_kg=0.3, pos=(0, 0, -0.05))
    # A wide, soft head with a dark visor and two round eyes; the camera sits between them.
    # Small enough to stay within the clearance that paths keep, whichever way it looks.
    capsule(tilt, ((0, -0.020, 0), (0, 0.020, 0)), 0.056, WHITE, bits=STRUCTURE_BITS, mass_kg=1.0, name="head_body")
    visual(tilt, ELLIPSOID, (0.026, 0.058, 0.036), DARK, pos=(0.037, 0, 0.003))
    for y in (-0.026, 0.026):
        visual(tilt, SPHERE, (0.012,), GLOW, pos=(0.052, y, 0.007))
        visual_rod(tilt, CYLINDER, ((0, 2.5 * y, 0), (0, 3.0 * y, 0)), 0.032, GRAPHITE)
        visual_rod(tilt, CYLINDER, ((0, 3.0 * y, 0), (0, 3.04 * y, 0)), 0.022, GLOW)
    tilt.add_camera(
        name="head_camera",
        pos=[0.064, 0.0, 0.0],
        quat=np.array([0.5, 0.5, -0.5, -0.5]),  # looks along x, up is z
        fovy=60.0,
    )
