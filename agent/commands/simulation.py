"""The simulated body of an episode and its judge: the one place where agent and simulator are wired together."""

from typing import TYPE_CHECKING

from agent.messages import STEPS_PER_TICK
from controllers.plant import PlantCommand, Sensed

if TYPE_CHECKING:
    from sim.plant import MujocoPlant


class Simulation:
    """An episode's world, from its initial state on. Give `on_step` to the robot's side."""

    def __init__(self, plant: "MujocoPlant") -> None:
        from sim.tasks.coffee import CoffeeTask
        from sim.tasks.truth import Truth

        self.plant = plant
        self.initial_state_hash = plant.state_hash()
        self.truth = Truth(plant.model, plant.data, plant.house, plant.processes)
        self.goal = CoffeeTask(self.truth)
        self._steps = 0

    def on_step(self, began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        """Judge once a tick, where the plant is stepped: nowhere else is its state at rest in real time."""
        self._steps += 1
        if self._steps % STEPS_PER_TICK == 0:
            self.truth.refresh()
            self.goal.update()


def start_simulation(task: str, split: str, index: int) -> Simulation:
    """The initial state of this task in this house: a pure function of the three."""
    from sim.house.generate import generate_house
    from sim.plant import MujocoPlant

    return Simulation(MujocoPlant(generate_house(split, index), seed=index))  # pyright: ignore[reportArgumentType]
