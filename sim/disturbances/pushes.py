"""Pushes at random times: on what the hand holds or is about to take, and on the hand itself."""

import numpy as np

from agent.messages import PLANT_STEP_S
from sim.disturbances.disturbance import Disturbance
from sim.disturbances.scene import Scene

EVERY_S = (1.5, 4.0)
"""From the end of one push to the next."""
LASTS_S = (0.08, 0.20)
OBJECT_N = (0.8, 2.5)
"""On a mug that stands this slides it by centimetres; it seldom tips it."""
HAND_N = (8.0, 22.0)


class Pushes(Disturbance):
    """Horizontal forces of a moment. Alternates at random between hand and object; an object is pushed only near
    the hand, so that nothing happens elsewhere in the house."""

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._body = 0
        self._wait()

    def _wait(self) -> None:
        self._from_s = self.scene.time_s + float(self.rng.uniform(*EVERY_S))
        self._until_s = self._from_s + float(self.rng.uniform(*LASTS_S))
        angle = float(self.rng.uniform(0.0, 2.0 * np.pi))
        self._direction = np.array([np.cos(angle), np.sin(angle), 0.0])
        self._on_hand = bool(self.rng.random() < 0.5)
        self._share = float(self.rng.random())

    def before_step(self) -> None:
        scene, forces = self.scene, self.scene.data.xfrc_applied
        now = scene.time_s
        if now < self._from_s:
            return
        if self._body == 0:
            item = None if self._on_hand else scene.nearest_item()
            self._body = scene.hand if item is None else scene.body(item)
            low, high = HAND_N if item is None else OBJECT_N
            forces[self._body, :3] = (low + self._share * (high - low)) * self._direction
            scene.note("push")
        elif now >= self._until_s - 0.5 * PLANT_STEP_S:
            forces[self._body, :3] = 0.0
            self._body = 0
            self._wait()
