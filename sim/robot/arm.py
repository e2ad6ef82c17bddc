"""The seven-joint arm: published Franka Panda kinematics with capsules for links."""

from math import cos, sin

import mujoco

from controllers.arm_model import (
    ARM_DAMPING_NMS,
    ARM_LOWER_RAD,
    ARM_MAX_TORQUE_NM,
    ARM_STIFFNESS_NM,
    ARM_UPPER_RAD,
    DH_A_M,
    DH_ALPHA_RAD,
    DH_D_M,
)
from sim.robot.shapes import ARM_BITS, GLOW, GRAPHITE, WHITE, angle_unit, capsule, visual_rod

CYLINDER = mujoco.mjtGeom.mjGEOM_CYLINDER

ARM_ARMATURE_KG_M2 = (0.2, 0.2, 0.15, 0.15, 0.1, 0.08, 0.05)
"""Reflected rotor inertias, of the size identified on the real arm."""

# Per link: capsules as (start, end, radius, material, mass), in the link's frame. The masses add up to 15 kg and
# follow the real arm's (heavy shoulder, light wrist).
_Capsule = tuple[tuple[float, float, float], tuple[float, float, float], float, str, float]
_LINKS: tuple[tuple[_Capsule, ...], ...] = (
    (((0, 0, -0.20), (0, 0, -0.03), 0.058, WHITE, 3.2),),
    (((0, 0, -0.045), (0, 0, 0.045), 0.062, GRAPHITE, 1.6), ((0, -0.02, 0), (0, -0.10, 0), 0.056, WHITE, 1.4)),
    (((0, 0, -0.20), (0, 0, -0.09), 0.055, WHITE, 2.0), ((0, 0, -0.09), (0.0825, 0, 0), 0.050, WHITE, 1.0)),
    (((0, 0, -0.040), (0, 0, 0.040), 0.056, GRAPHITE, 1.2), ((0, 0, 0), (-0.0825, 0.075, 0), 0.048, WHITE, 0.8)),
    (((0, 0, -0.29), (0, 0, -0.06), 0.048, WHITE, 2.0),),
    (((0, 0, -0.025), (0, 0, 0.025), 0.050, GRAPHITE, 0.7), ((0, 0, 0), (0.07, 0, 0), 0.042, WHITE, 0.5)),
    (((0, 0, -0.02), (0, 0, 0.07), 0.040, WHITE, 0.6),),
)


def add_arm(spec: mujoco.MjSpec, mount: mujoco.MjsBody) -> mujoco.MjsBody:
    """Links `arm_1` to `arm_7` on `mount`, each with joint and position actuator of its name; returns the last."""
    body, unit = mount, angle_unit(spec)
    for i, capsules in enumerate(_LINKS):
        name, alpha, a, d = f"arm_{i + 1}", DH_ALPHA_RAD[i], DH_A_M[i], DH_D_M[i]
        body = body.add_body(
            name=name,
            pos=[a, -d * sin(alpha), d * cos(alpha)],
            quat=[cos(alpha / 2), sin(alpha / 2), 0.0, 0.0],
            gravcomp=1.0,
        )
        low, high, torque = float(ARM_LOWER_RAD[i]), float(ARM_UPPER_RAD[i]), float(ARM_MAX_TORQUE_NM[i])
        body.add_joint(
            name=name,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=[0, 0, 1],
            range=[low * unit, high * unit],
            limited=True,
            armature=ARM_ARMATURE_KG_M2[i],
        )
        drive = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        drive.set_to_position(float(ARM_STIFFNESS_NM[i]), float(ARM_DAMPING_NMS[i]))
        drive.ctrlrange, drive.ctrllimited = [low, high], True
        drive.forcerange, drive.forcelimited = [-torque, torque], True
        for k, (start, end, radius, material, mass_kg) in enumerate(capsules):
            capsule(body, (start, end), radius, material, bits=ARM_BITS, mass_kg=mass_kg, name=f"{name}_{k}")
        _decorate(body, i)
    return body


def _decorate(body: mujoco.MjsBody, i: int) -> None:
    """Rings at the joints, seen only."""
    if i == 2:
        visual_rod(body, CYLINDER, ((0, 0, -0.212), (0, 0, -0.200)), 0.0565, GRAPHITE)
    elif i == 4:
        visual_rod(body, CYLINDER, ((0, 0, -0.300), (0, 0, -0.288)), 0.0495, GLOW)
        visual_rod(body, CYLINDER, ((0, 0, -0.075), (0, 0, -0.060)), 0.0495, GRAPHITE)
    elif i == 6:
        visual_rod(body, CYLINDER, ((0, 0, 0.030), (0, 0, 0.036)), 0.0415, GLOW)
    if i in (1, 3, 5):
        half, radius = {1: (0.100, 0.046), 3: (0.088, 0.042), 5: (0.068, 0.038)}[i]
        visual_rod(body, CYLINDER, ((0, 0, -half), (0, 0, half)), radius, WHITE)
