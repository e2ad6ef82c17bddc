"""The seam between a plant and what disturbs it: hooks that do nothing unless a disturbance overrides them."""

from typing import TYPE_CHECKING

import numpy as np

from agent.messages import Look
from controllers.plant import PlantCommand, TouchFrame

if TYPE_CHECKING:
    from sim.disturbances.scene import Scene


class Disturbance:
    """One thing that goes wrong. `begin` is called once, in the initial state; all else follows from the generator
    given there and from the simulation's state, so that a replay of the actuators' commands meets the same."""

    def begin(self, scene: "Scene", rng: np.random.Generator) -> None:
        """Bind to a plant in its initial state; may change its model."""
        self.scene, self.rng = scene, rng

    def before_step(self) -> None:
        """Before each physics step: forces and changes of the world."""

    def command(self, command: PlantCommand) -> PlantCommand:
        """What reaches the actuators in place of `command`, once a step."""
        return command

    def touch(self, frame: TouchFrame) -> TouchFrame:
        """What the pads and the skin say in place of `frame`, once a tick; changed in place."""
        return frame

    def look(self, look: Look) -> Look:
        """The same for a camera frame."""
        return look


class Together(Disturbance):
    """Several at once, in order."""

    def __init__(self, *parts: Disturbance) -> None:
        self.parts = parts

    def begin(self, scene: "Scene", rng: np.random.Generator) -> None:
        for part in self.parts:
            part.begin(scene, rng)

    def before_step(self) -> None:
        for part in self.parts:
            part.before_step()

    def command(self, command: PlantCommand) -> PlantCommand:
        for part in self.parts:
            command = part.command(command)
        return command

    def touch(self, frame: TouchFrame) -> TouchFrame:
        for part in self.parts:
            frame = part.touch(frame)
        return frame

    def look(self, look: Look) -> Look:
        for part in self.parts:
            look = part.look(look)
        return look
