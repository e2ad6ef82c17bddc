"""Gymnasium environments around the robot's side: the ids of all tasks."""

import gymnasium

from sim.tasks.registry import TASKS

ENTRY_POINT = "sim.envs.task_env:TaskEnv"


def register_all() -> None:
    """Register every task with Gymnasium; may be called again."""
    for task in TASKS.values():
        if task.gymnasium_id not in gymnasium.registry:
            gymnasium.register(task.gymnasium_id, ENTRY_POINT, kwargs={"task": task.name})
