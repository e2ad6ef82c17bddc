"""Other physics from the start: slippery and heavy, soft or stiff, late."""

from collections import deque

import numpy as np

from agent.messages import PLANT_STEP_S
from controllers.plant import PlantCommand
from sim.disturbances.disturbance import Disturbance
from sim.disturbances.scene import Scene


class SlipperyAndHeavy(Disturbance):
    """Friction of everything and masses of small things, scaled."""

    def __init__(self, friction: float, mass: float) -> None:
        self.friction, self.mass = friction, mass

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        scene.scale_friction(self.friction)
        for item in scene.items:
            scene.scale_mass(item, self.mass)


class OtherStiffness(Disturbance):
    """Stiffness and damping of the arm's drives, and damping of what opens, each scaled by its own drawn factor."""

    def __init__(self, stiffness: tuple[float, float], damping: tuple[float, float]) -> None:
        self.stiffness, self.damping = stiffness, damping

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        model = scene.model
        for i in range(1, 8):
            drive = int(model.actuator(f"arm_{i}").id)
            k = float(rng.uniform(*self.stiffness))
            model.actuator_gainprm[drive, 0] *= k
            model.actuator_biasprm[drive, 1] *= k
            model.actuator_biasprm[drive, 2] *= float(rng.uniform(*self.damping))
        for front in scene.plant.house.fronts:
            dof = int(model.joint(front.joint).dofadr[0])
            model.dof_damping[dof] *= float(rng.uniform(*self.damping)) ** 2


class Delay(Disturbance):
    """Commands reach the actuators late."""

    def __init__(self, delay_s: float) -> None:
        self.steps = round(delay_s / PLANT_STEP_S)

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._under_way: deque[PlantCommand] = deque()

    def command(self, command: PlantCommand) -> PlantCommand:
        self._under_way.append(command.copy())
        return self._under_way.popleft() if len(self._under_way) > self.steps else self._under_way[0]
