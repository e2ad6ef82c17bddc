"""Sight that is wrong, and sight that is lost."""

import msgspec
import numpy as np

from agent.messages import Look
from sim.disturbances.disturbance import Disturbance
from sim.disturbances.scene import Scene


class PoseBias(Disturbance):
    """All detections of an episode are off by the same way: horizontal, of the given length, direction drawn.

    The direction is fixed in the house; so going round a thing does not help to see that it is elsewhere.
    """

    def __init__(self, length_m: float) -> None:
        self.length_m = length_m

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        angle = float(rng.uniform(0.0, 2.0 * np.pi))
        self._bias_in_world = self.length_m * np.array([np.cos(angle), np.sin(angle)])
        self._yaw = int(scene.model.joint("base_yaw").qposadr[0])

    def look(self, look: Look) -> Look:
        yaw = float(self.scene.data.qpos[self._yaw])
        c, s = np.cos(yaw), np.sin(yaw)
        wx, wy = self._bias_in_world
        bx, by = float(c * wx + s * wy), float(-s * wx + c * wy)
        moved = []
        for seen in look.detections:
            x, y, z = seen.position_in_base_m
            moved.append(msgspec.structs.replace(seen, position_in_base_m=(x + bx, y + by, z)))
        return msgspec.structs.replace(look, detections=moved)


class SightLost(Disturbance):
    """Nothing small is detected that is this near to the hand: the last centimetres are blind."""

    def __init__(self, within_m: float) -> None:
        self.within_m = within_m

    def look(self, look: Look) -> Look:
        scene = self.scene
        model, data = scene.model, scene.data
        base = int(model.jnt_bodyid[model.joint("base_yaw").id])
        tool = data.xmat[base].reshape(3, 3).T @ (scene.tool_in_world_m - data.xpos[base])
        away = [np.linalg.norm(np.array(seen.position_in_base_m) - tool) for seen in look.detections]
        kept = [seen for seen, m in zip(look.detections, away, strict=True) if m > self.within_m]
        return msgspec.structs.replace(look, detections=kept)
