"""Where to stand to look at something."""

from math import cos, pi, sin

import numpy as np

from agent.belief.belief import Belief
from agent.belief.entities import Entity
from agent.belief.places import front_directions
from agent.skills.drive import BasePose
from controllers.motion.paths import Travel

VIEW_DISTANCES_M = (0.95, 1.25)
VIEW_TURNS_RAD = (0.0, 0.2, -0.2, 0.5, -0.5, 0.9, -0.9)


def standing_before(entity: Entity, belief: Belief, distance_m: float) -> BasePose | None:
    """The nearest free base pose that faces a side of an entity from this far off its edge."""
    travel = Travel(belief.map.costs(), belief.base_pose[:2])
    poses = []
    for direction in front_directions(entity):
        turned = abs(np.sin(direction - entity.yaw)) > 0.7
        depth, width = (0.0, 0.0) if entity.size is None else (float(entity.size[0]), float(entity.size[1]))
        along, across = (depth, width) if turned else (width, depth)
        for aside in (0.0, 0.3, -0.3, 0.6, -0.6):
            if abs(aside) > 0.5 * along + 0.2:
                continue
            for extra in (0.0, 0.2, -0.2):
                out = 0.5 * across + distance_m + extra
                x = float(entity.position[0]) + cos(direction) * out - sin(direction) * aside
                y = float(entity.position[1]) + sin(direction) * out + cos(direction) * aside
                poses.append(BasePose(x, y, direction + pi))
    costs = travel.costs_to(np.array([(p.x, p.y) for p in poses]))
    best = int(np.argmin(costs))
    return poses[best] if np.isfinite(costs[best]) else None


def views_of(entity: Entity, belief: Belief) -> dict[str, BasePose]:
    """Reachable base poses that look at an entity from different sides of its front, the straightest first."""
    poses = {
        f"{turn:+.1f} rad {distance_m} m": BasePose(
            float(entity.position[0]) + distance_m * cos(entity.yaw + turn),
            float(entity.position[1]) + distance_m * sin(entity.yaw + turn),
            entity.yaw + turn + pi,
        )
        for turn in VIEW_TURNS_RAD
        for distance_m in VIEW_DISTANCES_M
    }
    travel = Travel(belief.map.costs(), belief.base_pose[:2])
    costs = travel.costs_to(np.array([(p.x, p.y) for p in poses.values()]))
    return {name: pose for (name, pose), cost in zip(poses.items(), costs, strict=True) if np.isfinite(cost)}
