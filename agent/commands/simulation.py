"""The simulated body of an episode and its judge: the one place where agent and simulator are wired together."""

from typing import TYPE_CHECKING

from agent.errand import Errand
from agent.messages import STEPS_PER_TICK
from controllers.plant import PlantCommand, Sensed

if TYPE_CHECKING:
    from sim.plant import MujocoPlant
    from sim.tasks.registry import Task


class Simulation:
    """An episode's world, from its initial state on. Give `on_step` to the robot's side."""

    def __init__(self, plant: "MujocoPlant", task: "Task", disturbance: str = "none") -> None:
        from sim.disturbances.catalogue import disturb
        from sim.tasks.goals import make_task_goal
        from sim.tasks.safety import lasting_parts
        from sim.tasks.truth import Truth

        self.plant = plant
        self.task = task
        self.errand = errand_of(task.name)
        """What the mind is asked to do; None where that is the planner's."""
        self.initial_state_hash = plant.state_hash()
        self.truth = Truth(plant.model, plant.data, plant.house, plant.processes)
        self.goal = make_task_goal(task, self.truth)
        self._lasting_parts = lasting_parts
        self._scene = disturb(plant, disturbance)
        self._told = 0
        self._steps = 0
        self.broke: dict[str, tuple[float, str]] = {}
        """When each condition that cannot be made good was first broken, and the number that broke it."""

    def news(self) -> list[tuple[float, str]]:
        """(time, name) of what disturbances have done since the last call; for records only."""
        if self._scene is None:
            return []
        told, self._told = self._told, len(self._scene.happened)
        return self._scene.happened[told:]

    def on_step(self, began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        """Judge where the plant is stepped: nowhere else is its state at rest in real time."""
        self._steps += 1
        self.truth.feel()
        if self._steps % STEPS_PER_TICK == 0:
            self.truth.refresh()
            self.goal.update()
            for part in self._lasting_parts(self.truth):
                if not part.holds and part.name not in self.broke:
                    self.broke[part.name] = (self.truth.time_s, f"{part.value:.3g} {part.unit}".strip())


def start_simulation(task: str, split: str, index: int, disturbance: str = "none") -> Simulation:
    """The initial state of this task in this house, and what will disturb it: a pure function of the four.

    Raises sim.disturbances.catalogue.UnknownDisturbanceError, and what sim.tasks.start.begin_task raises.
    """
    from sim.disturbances.catalogue import check_disturbance
    from sim.tasks.registry import find_task
    from sim.tasks.start import begin_task

    check_disturbance(disturbance)
    return Simulation(begin_task(task, split, index), find_task(task), disturbance)


def errand_of(task: str) -> Errand | None:
    """What a task asks of the mind; None for one that is planned. Loads no simulator."""
    from sim.tasks.registry import find_task

    found = find_task(task)
    if found.subgoal is None:
        return None
    return Errand(found.subgoal, found.target_classes, found.item, found.holding, found.full)


def time_limit_of(task: str) -> float:
    """Seconds after which an episode of this task ends. Loads no simulator."""
    from sim.tasks.registry import find_task

    return find_task(task).time_limit_s
