"""What presses on the arm is told from the joints it holds back; what presses on the hand is not taken for it."""

import mujoco
import numpy as np
import pytest
from tiny_world import empty_house, tiny_spec

from controllers.ik import Kinematics
from controllers.link_force import force_on_wrist_n
from controllers.plant import ARM, LIFT
from controllers.virtual_robot import VirtualRobot
from sim.plant import MujocoPlant

PUSHES = [(40.0, 0.0, 0.0), (0.0, -40.0, 0.0), (0.0, 0.0, 40.0), (-25.0, 25.0, -25.0)]


@pytest.fixture(scope="module")
def bare_model():
    spec = tiny_spec((0.0, 0.0, 0.0))
    return spec.compile()


def told_n(model: mujoco.MjModel, body: str, push_n: tuple[float, float, float]) -> float:
    """The estimate after a second of a steady push on a body's origin."""
    plant = MujocoPlant(empty_house((0.0, 0.0, 0.0)), 1, model=model)
    robot = VirtualRobot(plant)
    observation = robot.observe()
    plant.data.xfrc_applied[plant.model.body(body).id, :3] = push_n
    for _ in range(100):
        observation = robot.observe()
    position = observation.joint_position
    at = Kinematics.of(position[ARM], float(position[LIFT]))
    return force_on_wrist_n(at, observation.command_lag[ARM], observation.wrist_wrench_in_tool)


@pytest.mark.parametrize("push_n", PUSHES)
def test_a_push_on_the_wrist_is_told(bare_model, push_n):
    assert told_n(bare_model, "arm_6", push_n) == pytest.approx(np.linalg.norm(push_n), rel=0.2)


@pytest.mark.parametrize("push_n", PUSHES)
def test_a_push_on_the_hand_is_the_wrist_sensors_business(bare_model, push_n):
    assert told_n(bare_model, "hand", push_n) < 8.0
