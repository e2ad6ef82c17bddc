"""Laws of the Gymnasium environments: Gymnasium's own check, seeding, time, honesty about bad actions."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv

import sim
from sim.envs.spaces import ACTION_LIMITS, ACTION_NAMES
from sim.envs.task_env import TaskEnv
from sim.tasks.registry import TASKS
from sim.tasks.start import begin_task

ROOT = Path(__file__).resolve().parents[1]
STILL = np.zeros(len(ACTION_NAMES), np.float32)


@pytest.fixture
def env() -> Iterator[TaskEnv]:
    made = TaskEnv("open-lid", "dev")
    yield made
    made.close()


def test_every_task_is_registered_and_importing_sim_loads_no_mujoco() -> None:
    assert sim.__doc__
    assert {task.gymnasium_id for task in TASKS.values()} <= set(gymnasium.registry)
    code = (
        "import sys, sim, gymnasium\n"
        "assert 'doppio/PickMug-v0' in gymnasium.registry\n"
        "print(sorted({'mujoco', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


@pytest.mark.parametrize("task", ["coffee", "pick-mug"])
def test_gymnasiums_own_check_passes_without_a_warning(task: str) -> None:
    made = gymnasium.make(TASKS[task].gymnasium_id, split="dev")
    check_env(made.unwrapped, skip_render_check=True)
    made.close()


def test_the_page_of_tasks_has_the_sizes_of_the_spaces(env: TaskEnv) -> None:
    page = (ROOT / "docs" / "tasks.md").read_text()
    assert isinstance(env.observation_space, gymnasium.spaces.Dict)
    spaces = env.observation_space.spaces
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d×]+) \|", page, re.MULTILINE))
    assert set(spaces) <= set(told)
    for name, space in spaces.items():
        assert space.shape is not None
        assert told[name] == "×".join(map(str, space.shape)), name


def test_houses_follow_from_the_seed_and_starts_from_the_house(env: TaskEnv) -> None:
    first = [env.reset(seed=5)[1], env.reset()[1]]
    env.reset(options={"index": 3})
    again = [env.reset(seed=5)[1], env.reset()[1]]
    for one, other in zip(first, again, strict=True):
        assert one["index"] == other["index"]
        assert one["initial_state_hash"] == other["initial_state_hash"]
    assert first[0]["index"] != first[1]["index"]
    _, info = env.reset(options={"index": 3})
    assert info["initial_state_hash"] == begin_task("open-lid", "dev", 3).state_hash()


def test_the_same_actions_give_the_same_observations(env: TaskEnv) -> None:
    draw = np.random.Generator(np.random.PCG64(7))
    actions = draw.uniform(-1.0, 1.0, (30, len(ACTION_NAMES))).astype(np.float32)
    runs = []
    for _ in range(2):
        env.reset(options={"index": 3})
        runs.append([env.step(action)[0] for action in actions])
    for one, other in zip(*runs, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)
    assert all(env.observation_space.contains(observation) for observation in runs[0])


def test_done_is_rewarded_once_and_ends_the_episode(env: TaskEnv) -> None:
    env.reset(options={"index": 3})
    joint = env._plant.data.joint(f"{env._truth.working_machine().name}_lid")
    joint.qpos[0] = 1.6
    steps = [env.step(STILL)[1:] for _ in range(150)]
    assert all(terminated == info["success"] and not truncated for _, terminated, truncated, info in steps)
    assert sum(reward for reward, *_ in steps) == 1.0
    assert steps[-1][3]["parts"]["lid-angle"] > 1.3


def test_time_is_up_at_the_limit(env: TaskEnv) -> None:
    env.task = replace(env.task, time_limit_s=0.05)
    env.reset(options={"index": 3})
    ends = [env.step(STILL)[2:4] for _ in range(5)]
    assert ends == [(False, False)] * 4 + [(False, True)]


def test_what_cannot_be_is_refused(env: TaskEnv) -> None:
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(STILL)
    with pytest.raises(ValueError, match="2147483648"):
        env.reset(options={"index": 2**31})
    with pytest.raises(ValueError, match="known: index"):
        env.reset(options={"house": 3})
    env.reset(options={"index": 3})
    with pytest.raises(ValueError, match=r"\(13,\)"):
        env.step(STILL[:6])
    broken = STILL.copy()
    broken[6] = np.nan
    with pytest.raises(ValueError, match="grip_n"):
        env.step(broken)
    with pytest.raises(ValueError, match="heldout"):
        TaskEnv("open-lid", "test")
    with pytest.raises(ValueError, match="rgb_array"):
        TaskEnv("open-lid", render_mode="human")


def test_actions_are_shares_of_the_gates_limits(env: TaskEnv) -> None:
    env.reset(options={"index": 3})
    lift = STILL.copy()
    lift[ACTION_NAMES.index("lift_m_s")] = 1.0
    heights = [float(env.step(lift)[0]["joint_position"][0]) for _ in range(60)]
    speed = (heights[-1] - heights[-21]) / 0.2
    assert speed == pytest.approx(ACTION_LIMITS[ACTION_NAMES.index("lift_m_s")], rel=0.1)


def test_several_run_beside_each_other() -> None:
    make = partial(gymnasium.make, "sim:doppio/PickMug-v0", split="dev")
    vector = AsyncVectorEnv([make, make], context="spawn")
    try:
        _, info = vector.reset(seed=[11, 12])
        alone = TaskEnv("pick-mug", "dev")
        assert info["initial_state_hash"][1] == alone.reset(seed=12)[1]["initial_state_hash"]
        alone.close()
        still = np.tile(STILL, (2, 1))
        observation, reward, *_ = [vector.step(still) for _ in range(5)][-1]
        assert observation["joint_position"].shape == (2, 11)
        assert reward.tolist() == [0.0, 0.0]
    finally:
        vector.close()
