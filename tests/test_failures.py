"""No attempt remembers those before it, so they are counted: for the odds of the next."""

import numpy as np
import pytest

from agent.belief.belief import Belief
from agent.episodes.shadow import RecordedAgenda
from agent.messages import Limits, Subgoal, SubgoalKind
from agent.mind import Mind
from agent.policies.catalogue import make_policy
from agent.skills.catalogue import begin
from agent.world_model.data import followed
from agent.world_model.model import MOST_FAILURES, Calibration
from controllers.fake_plant import FakePlant
from controllers.virtual_robot import VirtualRobot


def test_what_goes_on_at_once_ends_as_that_does() -> None:
    success, end = np.array([False, False, True, False]), np.array([10, 25, 40, 50])
    same, over = followed(success, end, [False] * 4)
    assert (same.tolist(), over.tolist()) == (success.tolist(), end.tolist())
    same, over = followed(success, end, [False, True, True, False])
    assert (same.tolist(), over.tolist()) == ([True, True, True, False], [40, 40, 40, 50])


def test_a_mind_counts_what_failed_at_each_target() -> None:
    robot, belief, agenda = VirtualRobot(FakePlant()), Belief(), RecordedAgenda(None)
    mind = Mind(make_policy("scripted"), agenda, lambda *_: None)  # type: ignore[arg-type]
    for number, target in enumerate(("nowhere", "nowhere", "elsewhere")):
        subgoal = Subgoal(id=number, kind=SubgoalKind.PUSH_DOOR, target=target, limits=Limits())
        observation = robot.observe()
        belief.update(observation)
        mind.act(belief, observation, subgoal)
        robot.act(mind.act(belief, observation, None))
    robot.close()
    assert belief.failures[SubgoalKind.PUSH_DOOR, "nowhere"] == 2
    again = Subgoal(id=9, kind=SubgoalKind.PUSH_DOOR, target="elsewhere", limits=Limits())
    skill = begin(again, make_policy("scripted"))
    assert skill.failures(belief) == 1
    skill.attempt = 3
    assert skill.failures(belief) == 3


def test_odds_fall_with_failures_and_then_no_further() -> None:
    calibration = Calibration(success_per_failure=-1.0)
    odds = [float(calibration.odds(0.5, failures)) for failures in range(MOST_FAILURES + 3)]
    assert odds[0] == pytest.approx(1.0 / (1.0 + np.exp(-0.5)))
    assert odds[: MOST_FAILURES + 1] == sorted(set(odds), reverse=True)
    assert odds[MOST_FAILURES:] == [odds[-1]] * 3
