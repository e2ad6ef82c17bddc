"""A twin of the simulated world runs ahead as the world itself then does, and leaves it alone."""

import numpy as np
import pytest

from agent.messages import Action, Observation
from controllers.virtual_robot import VirtualRobot
from sim.disturbances.scene import Scene
from sim.foresight import Twin
from sim.tasks.start import begin_task

TICKS = 20


def action(observation: Observation, k: int) -> Action:
    """Forward and up, holding fast."""
    twist = np.array([0.08, 0.02 * np.sin(0.3 * k), 0.05, 0.0, 0.0, 0.1])
    return Action(
        sequence=observation.sequence,
        valid_from_s=observation.time_s,
        expires_s=observation.time_s + 0.02,
        tool_twist_in_base=np.array([twist, twist]),
        grip_mode="force",
        grip=28.0,
        base_velocity_in_base=np.array([0.05, 0.0, 0.1]),
        lift_rate_m_s=0.02,
        head_rate_rad_s=np.zeros(2),
    )


@pytest.mark.parametrize("poured_ml", [0.0, 150.0])
def test_what_the_twin_foresees_happens(poured_ml: float) -> None:
    plant = begin_task("place-mug", "train", 3)
    robot = VirtualRobot(plant)
    observation = robot.observe()
    for k in range(10):
        robot.act(action(observation, k))
        observation = robot.observe()
    before = plant.state_hash()
    twin = Twin(plant)
    if poured_ml:
        held = Scene(plant).held_item()
        assert held is not None
        plant.processes.liquid.fill(held, poured_ml)
        before = plant.state_hash()
    side, foreseen = twin.follow(plant, robot.side), observation
    for k in range(TICKS):
        foreseen = side.tick(action(foreseen, k))
    assert plant.state_hash() == before
    for k in range(TICKS):
        robot.act(action(observation, k))
        observation = robot.observe()
    assert plant.state_hash() != before
    assert np.abs(twin.data.qpos - plant.data.qpos).max() < 1e-5
    assert np.allclose(foreseen.tool_pose_in_base, observation.tool_pose_in_base, atol=1e-5)
    assert foreseen.sequence == observation.sequence
