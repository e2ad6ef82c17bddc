"""The robot's body in MuJoCo: geometry, actuators, touch."""

from sim.robot.model import ROBOT_BODY, add_robot, set_home

__all__ = ["ROBOT_BODY", "add_robot", "set_home"]
