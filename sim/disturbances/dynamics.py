"""Other physics from the start: slippery and heavy, soft or stiff, late."""

from collections import deque
from dataclasses import replace

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


class Late:
    """Set points on their way to the drives. A drive's own loop is closed at the drive: positions of arm, lift and head
    and the base's velocity are set points of such loops; the grip's force comes out of one, so it is not late."""

    def __init__(self, delay_s: float) -> None:
        self._under_way: deque[PlantCommand] = deque(maxlen=round(delay_s / PLANT_STEP_S) + 1)

    def __call__(self, command: PlantCommand) -> PlantCommand:
        """What arrives in the step in which `command` is sent; until the first arrives, the first."""
        self._under_way.append(command.copy())
        return replace(self._under_way[0], grip_force_n=command.grip_force_n)


class Delay(Disturbance):
    """Set points reach the drives late."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._late = Late(self.delay_s)

    def command(self, command: PlantCommand) -> PlantCommand:
        return self._late(command)
