"""The mirror: the arm's kinematics agree with it, the teacher acts alike in it, and twice is once."""

from pathlib import Path

import numpy as np
import pytest

from agent.commands.collect import CollectJob
from agent.episodes import Episode, Kind
from agent.frames import wrap
from agent.policies.interface import Situation
from agent.policies.recorded import situation_of
from agent.policies.scripted import ScriptedPolicy
from agent.session import RunConfig, run_episode
from agent.world_model.features import LAYOUT, Featurizer
from agent.world_model.mirror import _JOINTS, _WRIST, mirrored, mirrored_motion, needs_mirror
from controllers.arm_model import tool_jacobian_in_base
from controllers.plant import ARM


@pytest.fixture(scope="module", params=["open-lid", "open-cabinet"])
def situations(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Situation]:
    folder: Path = tmp_path_factory.mktemp("data")
    report = CollectJob((request.param,), "train", "teacher", None, folder)(1)
    return [situation_of(step) for _, step in Episode.open(report.episode).records(Kind.STEP)][::7]


def test_the_arm_is_its_own_mirror_image() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    for _ in range(20):
        arm = rng.uniform(-1.0, 1.0, 7) + np.array([0.0, 0.0, 0.0, -1.5, 0.0, 1.5, 0.0])
        position, rotation, _ = tool_jacobian_in_base(arm, 0.3)
        seen, turned, _ = tool_jacobian_in_base(arm * _JOINTS[ARM], 0.3)
        flip = np.array([1.0, -1.0, 1.0])
        assert np.allclose(seen, position * flip, atol=1e-9)
        assert np.allclose(turned, rotation * np.outer(flip, flip), atol=1e-9)


def test_the_teacher_acts_alike_in_the_mirror(situations: list[Situation]) -> None:
    expert = ScriptedPolicy()
    assert len(situations) > 10
    for s in situations:
        direct, seen = expert.act(s), mirrored_motion(expert.act(mirrored(s)))
        assert direct.phase == seen.phase
        assert np.allclose(direct.twist_in_target, seen.twist_in_target, atol=1e-6)
        assert np.allclose(direct.base_velocity_in_base, seen.base_velocity_in_base, atol=1e-6)


def test_twice_is_once(situations: list[Situation]) -> None:
    one, two = Featurizer(), Featurizer()
    for s in situations:
        again = mirrored(mirrored(s))
        x, y = one(s), two(again)
        # The wrist's angle is known up to whole turns.
        assert np.allclose(x[LAYOUT.touch], y[LAYOUT.touch], atol=1e-5)
        assert np.allclose(x[LAYOUT.target], y[LAYOUT.target], atol=1e-5)
        assert np.allclose(x[LAYOUT.feel], y[LAYOUT.feel], atol=1e-5)


@pytest.mark.parametrize("task", ["open-lid", "close-lid"])
def test_in_the_mirror_a_lid_is_met_as_one_that_is_hinged_on_the_left(task: str, tmp_path: Path) -> None:
    """Houses to train in have none on the right: what is not as they show it, nobody has learned."""
    right, left = (_first(task, index, tmp_path) for index in (1000, 1001))
    assert needs_mirror(right)
    assert not needs_mirror(left)
    seen = mirrored(right)
    assert np.allclose(seen.goal.tool_in_target.rotation, left.goal.tool_in_target.rotation, atol=0.2)
    assert abs(wrap(seen.observation.joint_position[_WRIST] - left.observation.joint_position[_WRIST])) < 1.0


def _first(task: str, index: int, folder: Path) -> Situation:
    """Of acting in a `dev` house."""
    config = RunConfig(task=task, split="dev", index=index, policy="scripted", time_limit_s=15.0, record=folder)
    steps = (step for _, step in Episode.open(run_episode(config).episode).records(Kind.STEP))
    return next(situation_of(step) for step in steps if step.acting is not None)
