"""Laws of tasks: each can be started, none is done at the start, and a start is a function of its name and house."""

import subprocess
import sys
from functools import cache

import pytest

from agent.commands.arguments import check_task
from agent.commands.outcome import CommandError
from agent.session import RunConfig, run_episode
from sim.tasks.goals import WAYS, make_goal
from sim.tasks.registry import TASKS, Task, UnknownTaskError, find_task
from sim.tasks.start import begin_task
from sim.tasks.starts import STARTS
from sim.tasks.truth import Truth

SUBGOALS = [task for task in TASKS.values() if task.subgoal is not None]
HOUSES = (3, 104)


@cache
def start_hash(task: str, index: int) -> str:
    return begin_task(task, "dev", index).state_hash()


def test_every_task_has_a_start_a_goal_and_what_the_mind_needs() -> None:
    names = {task.name for task in SUBGOALS}
    assert names == set(STARTS) == set(WAYS)
    assert all(task.target_classes and task.time_limit_s > 0 for task in SUBGOALS)
    assert len({task.gymnasium_id for task in TASKS.values()}) == len(TASKS)


@pytest.mark.parametrize("index", HOUSES)
@pytest.mark.parametrize("task", SUBGOALS, ids=lambda task: task.name)
def test_no_task_is_done_when_it_starts(task: Task, index: int) -> None:
    plant = begin_task(task.name, "dev", index)
    truth = Truth(plant.model, plant.data, plant.house, plant.processes)
    goal = make_goal(task, truth)
    assert goal.ways
    assert not goal.holds_now
    held = [item.name for item in plant.house.items if truth.held(item.name)]
    assert [truth.item(name).class_name for name in held] == ([task.holding] if task.holding else [])
    assert truth.robot_is_free() is not bool(held)
    ml = [truth.processes.mug_ml(mug) for mug in truth.mugs()]
    assert (max(ml) >= 100.0) is task.full
    assert truth.processes.spilled_ml == 0.0
    assert plant.data.time == 0.0


def test_starts_are_the_same_in_any_order_and_process() -> None:
    names = list(TASKS)
    here = {name: start_hash(name, HOUSES[0]) for name in names}
    assert len(set(here.values())) == len(names)
    code = (
        "from sim.tasks.start import begin_task\n"
        f"for name in {names[::-1]}: print(name, begin_task(name, 'dev', {HOUSES[0]}).state_hash())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert dict(line.split() for line in out.splitlines()) == here


def test_what_is_held_is_held_by_contact_alone() -> None:
    """Open the fingers and it falls."""
    plant = begin_task("place-mug", "dev", HOUSES[0])
    truth = Truth(plant.model, plant.data, plant.house, plant.processes)
    truth.refresh()
    mug = next(mug for mug in truth.mugs() if truth.held(mug))
    height = float(truth.position(mug)[2])
    command = plant.data.ctrl.copy()
    command[plant.model.actuator("grip").id] = -20.0
    import mujoco

    for _ in range(150):
        plant.data.ctrl[:] = command
        mujoco.mj_step(plant.model, plant.data)
    assert float(truth.position(mug)[2]) < height - 0.1


def test_an_errand_is_judged_by_truth_and_counted_by_attempts() -> None:
    report = run_episode(RunConfig(task="open-lid", split="dev", index=4))
    assert report.success
    assert [(s.kind, s.succeeded) for s in report.subgoals] == [("open-lid", True)]
    assert report.subgoals[0].attempts >= 1
    assert report.initial_state_hash == start_hash("open-lid", 4)
    assert report.duration_s <= find_task("open-lid").time_limit_s


def test_unknown_tasks_name_their_neighbours() -> None:
    with pytest.raises(UnknownTaskError, match="pick-mug"):
        find_task("pick-mugs")
    with pytest.raises(CommandError, match="open-drawer"):
        check_task("open-drawers")
