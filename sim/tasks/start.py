"""The initial state of a task in a house."""

from sim.house.generate import generate_house
from sim.plant import MujocoPlant
from sim.tasks.registry import find_task
from sim.tasks.starts import start_task


def begin_task(task: str, split: str, index: int) -> MujocoPlant:
    """The plant at the start of a task.

    A pure function of the three. Raises sim.tasks.registry.UnknownTaskError, ValueError for a split or index that
    does not exist, sim.tasks.stage.NoStartError for a house that does not have what the task needs.
    """
    found = find_task(task)
    plant = MujocoPlant(generate_house(split, index), seed=index)  # pyright: ignore[reportArgumentType]
    if found.subgoal is not None:
        start_task(found, plant)
    return plant
