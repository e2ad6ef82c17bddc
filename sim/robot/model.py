"""Puts the robot into a MuJoCo world."""

import mujoco

from controllers.arm_model import FINGER_WIDTH_RANGE_M, HOME_JOINTS, HOME_LIFT_M
from sim.robot.arm import add_arm
from sim.robot.chassis import add_base, add_head, add_lift
from sim.robot.hand import FINGER_JOINTS, add_hand
from sim.robot.sensors import add_sensors
from sim.robot.shapes import add_materials

ROBOT_BODY = "robot"
"""Name of the base's body: all other bodies of the robot are below it."""


def add_robot(spec: mujoco.MjSpec, pose: tuple[float, float, float]) -> None:
    """Add the robot to `spec`, standing at `pose` (x, y in m, yaw in rad, in the world frame).

    Joints and actuators: `base_x`, `base_y`, `base_yaw` (velocity), `lift`, `arm_1` … `arm_7`, `head_pan`,
    `head_tilt` (position), and the finger motor `grip` (N, positive closes) on `finger_left` and `finger_right`.
    Its joints are contiguous in qpos. After `mj_resetData` call `set_home`: the arm's zero posture is straight up.
    """
    add_materials(spec)
    base = add_base(spec, pose, ROBOT_BODY)
    lift = add_lift(spec, base)
    add_hand(spec, add_arm(spec, lift))
    add_head(spec, base)
    add_sensors(spec)
    spec.add_exclude(bodyname1=ROBOT_BODY, bodyname2="head_tilt")


def set_home(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Arm and lift in the travel posture, fingers half open, head level; set points to match, nothing moving.

    The base stays where qpos has it. Call after `mj_resetData` and before `mj_forward`.
    """
    half_width = FINGER_WIDTH_RANGE_M[1] / 4
    targets = {"lift": HOME_LIFT_M, "head_pan": 0.0, "head_tilt": 0.0}
    targets.update({f"arm_{i + 1}": float(q) for i, q in enumerate(HOME_JOINTS)})
    for name, value in targets.items():
        data.qpos[model.joint(name).qposadr[0]] = value
        data.ctrl[model.actuator(name).id] = value
    for name in FINGER_JOINTS:
        data.qpos[model.joint(name).qposadr[0]] = half_width
    for name in ("base_x", "base_y", "base_yaw", "grip"):
        data.ctrl[model.actuator(name).id] = 0.0
