"""A floor, a table and a small box: enough world for the robot's tests, without a generated house."""

import mujoco
import numpy as np

from controllers.arm_model import HOME_JOINTS, HOME_LIFT_M, tool_in_base
from sim.house.schema import House
from sim.robot import add_robot

POSE = (0.4, -0.3, 0.6)
"""Of the base in the world."""


def empty_house(pose=POSE):
    return House("train", 0, (), (), (), (), (), (), (), pose, ())


def tiny_spec(pose=POSE):
    """Robot at `pose`, a floor, a table 1 m ahead of it; options as in houses."""
    spec = mujoco.MjSpec()
    option = spec.option
    option.timestep, option.impratio = 0.002, 10.0
    option.integrator, option.cone = mujoco.mjtIntegrator.mjINT_IMPLICITFAST, mujoco.mjtCone.mjCONE_ELLIPTIC
    option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 0.1])
    x, y, yaw = pose
    spec.worldbody.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[0.3, 0.5, 0.35],
        pos=[x + 1.0 * np.cos(yaw), y + 1.0 * np.sin(yaw), 0.35],
        quat=[np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)],
    )
    add_robot(spec, pose)
    return spec


def add_held_box(spec, mass_kg, pose=POSE, half_m=(0.02, 0.025, 0.03)):
    """A free box `held` between the open fingers of the home posture, aligned with the tool."""
    position, rotation = tool_in_world(pose)
    body = spec.worldbody.add_body(name="held", pos=position, quat=_quaternion(rotation))
    body.add_freejoint()
    body.add_geom(
        name="held", type=mujoco.mjtGeom.mjGEOM_BOX, size=list(half_m), mass=mass_kg, friction=[0.8, 0.01, 0.0001]
    )


def tool_in_world(pose=POSE, joints=HOME_JOINTS, lift=HOME_LIFT_M):
    """Position (3,) and rotation (3, 3) of the tool in the world."""
    x, y, yaw = pose
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1.0]])
    position, rotation = tool_in_base(joints, lift)
    return turn @ position + np.array([x, y, 0.0]), turn @ rotation


def _quaternion(rotation):
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, rotation.ravel())
    return quat
