"""How to stand and hold the tool before a target."""

from dataclasses import dataclass, replace
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.classes import FRONTS
from agent.belief.crowding import standing_out
from agent.belief.entities import Entity
from agent.belief.places import is_shut
from agent.frames import Pose, planar
from agent.skills.drive import BasePose
from controllers.motion.paths import Travel
from controllers.motion.se2 import wrap

Array = NDArray[np.float64]


ASIDES_M, ASIDE_PENALTY = (0.0, 0.08, -0.08, 0.16, -0.16, 0.24, -0.24, 0.32, -0.32), 5.0
STANDOFF_SLACK_M = 0.15
CROWDED_PENALTY, ARM_ROOM_M, BODY_ROOM_M, IN_REACH_M = 3.0, 0.17, 0.37, 0.06
"""Where the arm would reach past an open leaf. What is as near as IN_REACH_M to the target is its own."""
SAMPLE_M, EDGE_UNSURE_M = 0.04, 0.08
SAME_ANGLE_RAD, SAME_PLACE_M = 0.1, 0.02
STANDOFFS_M = (0.50, 0.54, 0.58, 0.62, 0.66, 0.70, 0.74, 0.78, 0.82)


@dataclass(frozen=True, slots=True)
class Approach:
    """One way to get at a target."""

    yaw: float
    """Direction from robot to target, in the map frame."""
    pitch_down_rad: float
    standoff_m: float = 0.70
    """From the base's centre to the target, along `yaw`."""
    aside_m: float = 0.0
    """How far the base stands to the left of the line to the target."""
    roll_rad: float = 0.0
    penalty: float = 0.0
    """What this approach costs over a straight one, in metres of way."""

    def target_frame(self, point_in_map: Array) -> Pose:
        """The target frame of policies: upright at the point, x away from the robot."""
        x, y, z = (float(v) for v in point_in_map)
        return planar(x, y, self.yaw, z)

    def base_pose(self, point_in_map: Array) -> BasePose:
        c, s = cos(self.yaw), sin(self.yaw)
        x = float(point_in_map[0]) - self.standoff_m * c - self.aside_m * s
        y = float(point_in_map[1]) - self.standoff_m * s + self.aside_m * c
        return BasePose(x, y, self.yaw)


def at_standoffs(
    yaw: float, pitch_down_rad: float, best_m: float, roll_rad: float = 0.0, aside_m: float = 0.0
) -> list[Approach]:
    """The same approach from several distances, the best one cheapest."""
    return [
        Approach(yaw, pitch_down_rad, standoff, aside_m, roll_rad, penalty=4.0 * abs(standoff - best_m))
        for standoff in STANDOFFS_M
        if abs(standoff - best_m) < STANDOFF_SLACK_M
    ]


def alike(a: Approach, b: Approach) -> bool:
    """Whether two approaches are one and the same, after another look at the target turned it a little."""
    return (
        abs(wrap(a.yaw - b.yaw)) < SAME_ANGLE_RAD
        and abs(a.pitch_down_rad - b.pitch_down_rad) < SAME_ANGLE_RAD
        and abs(a.roll_rad - b.roll_rad) < SAME_ANGLE_RAD
        and abs(a.standoff_m - b.standoff_m) < SAME_PLACE_M
        and abs(a.aside_m - b.aside_m) < SAME_PLACE_M
    )


def ranked(
    belief: Belief, point_in_map: Array, approaches: list[Approach], travel: Travel | None = None
) -> list[Approach]:
    """Approaches that the base can get to, cheapest first; in corners the base stands aside of the straight line.

    `travel` starts at the base; who asks several times at once makes it once.
    """
    if not approaches:
        return []
    approaches = [
        replace(a, aside_m=a.aside_m + aside, penalty=a.penalty + ASIDE_PENALTY * abs(aside))
        for a in approaches
        for aside in ASIDES_M
    ]
    travel = travel or Travel(belief.map.costs(), belief.base_pose[:2])
    bases = [a.base_pose(point_in_map) for a in approaches]
    costs = travel.costs_to(np.array([(b.x, b.y) for b in bases]))
    crowded = CROWDED_PENALTY * _beside_open_fronts(belief, point_in_map, approaches)
    scored = [
        (float(c) + a.penalty + float(crowded[k]), k) for k, (c, a) in enumerate(zip(costs, approaches, strict=True))
    ]
    return [approaches[k] for cost, k in sorted(scored) if np.isfinite(cost)]


def _beside_open_fronts(belief: Belief, point_in_map: Array, approaches: list[Approach]) -> Array:
    """(n,) how far open fronts stand into the arm's way from the base to the target: 0 not at all, 1 across it."""
    fronts = [e for e in belief.entities.of_class(*sorted(FRONTS)) if e.size is not None and not is_shut(e)]
    if not fronts:
        return np.zeros(len(approaches))
    edges = np.concatenate([standing_out(front) for front in fronts])
    bases = np.array([(b.x, b.y) for b in (a.base_pose(point_in_map) for a in approaches)])
    way = np.asarray(point_in_map)[:2] - bases
    length = np.linalg.norm(way, axis=1)[:, None]
    gap = edges[None] - bases[:, None]
    along = np.einsum("nmk,nk->nm", gap, way) / length
    aside = np.abs(gap[..., 0] * way[:, None, 1] - gap[..., 1] * way[:, None, 0]) / length
    in_the_way = np.where((along > 0.0) & (along < length - IN_REACH_M), 1.0 - aside / ARM_ROOM_M, 0.0)
    too_near = 0.5 * np.any(np.linalg.norm(gap, axis=2) < BODY_ROOM_M, axis=1)
    return np.clip(np.max(in_the_way, axis=1) + too_near, 0.0, 1.0)


def in_the_open(belief: Belief, point_in_map: Array, approaches: list[Approach], surface: Entity) -> list[Approach]:
    """Those approaches to a point on a surface that have no wall, and no chair, between base and surface."""
    if surface.size is None or not approaches:
        return approaches
    bases = [a.base_pose(point_in_map) for a in approaches]
    start = np.array([(b.x, b.y) for b in bases])
    share = np.arange(0.0, 1.0, SAMPLE_M)[:, None, None]
    points = start + share * (np.asarray(point_in_map)[:2] - start)
    gap = points - surface.position[:2]
    c, s = cos(surface.yaw), sin(surface.yaw)
    ahead = np.abs(gap @ np.array([c, s])) - 0.5 * float(surface.size[0])
    left = np.abs(gap @ np.array([-s, c])) - 0.5 * float(surface.size[1])
    in_the_way = (np.maximum(ahead, left) > EDGE_UNSURE_M) & belief.map.occupied_at(points)
    return [a for a, blocked in zip(approaches, np.any(in_the_way, axis=0), strict=True) if not blocked]
