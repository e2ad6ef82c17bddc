"""What keeps coffee in a mug while the lift moves."""

import numpy as np
import pytest

from agent.messages import TICK_S
from agent.skills.command import FULL_MUG_LIFT_M_S2, Command, lift_gently
from controllers.fake_plant import FakePlant
from controllers.virtual_robot import VirtualRobot


@pytest.mark.parametrize("asked", [0.25, -0.25, 0.004])
def test_a_lift_with_a_full_mug_gains_speed_slowly_and_the_tool_rides_along(asked):
    observation = VirtualRobot(FakePlant()).observe()
    command = Command(np.array([0.0, 0.0, 0.1 + asked, 0.0, 0.0, 0.0]), True, lift_rate_m_s=asked)
    lift_gently(command, observation)
    assert abs(command.lift_rate_m_s) == pytest.approx(min(abs(asked), FULL_MUG_LIFT_M_S2 * TICK_S))
    assert command.tool_twist_in_base[2] - command.lift_rate_m_s == pytest.approx(0.1)
