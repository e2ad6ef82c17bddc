"""The belief: everything the mind holds to be so, from observations alone."""

from collections import Counter
from math import atan2

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import FRONTS
from agent.belief.coverage import Coverage
from agent.belief.crowding import standing_out
from agent.belief.entities import Entity, EntityTracker
from agent.belief.eye import EyeError
from agent.belief.hand import Hand
from agent.belief.map import OccupancyMap
from agent.belief.places import is_shut
from agent.belief.pose import PoseEstimate, scan_points
from agent.belief.tidying import Ghosts, merge_doubles
from agent.frames import Pose, from_quaternion, planar
from agent.messages import Look, Observation, Scan, SubgoalKind
from controllers.motion import se2
from controllers.motion.paths import FOOTPRINT_RADIUS_M

Array = NDArray[np.float64]

CORRECT_EVERY_SCANS = 6
OBSTACLE_RANGE_M, ON_BOARD_M = 1.2, FOOTPRINT_RADIUS_M - 0.05
"""What the scan sees nearer than the second lies on the base itself."""
ARM_IN_VIEW_M = 0.40
"""A hand farther ahead than this may hide what the camera should see."""
LEVEL_LOOK = 0.64
"""Sine of the steepest look down in which doors and furniture are still in view."""


class Belief:
    """Entities, map, own pose, hand. `update` takes in one tick, `reflect` what can wait; the rest only reads."""

    def __init__(self) -> None:
        self.entities = EntityTracker()
        self.map = OccupancyMap()
        self.pose = PoseEstimate()
        self.hand = Hand()
        self.eye = EyeError()
        self.coverage = Coverage()
        self.observation: Observation | None = None
        self.base_pose: Array = np.zeros(3)
        """(3,) x, y, yaw of the base in the map frame."""
        self.base_in_map = planar(0.0, 0.0, 0.0)
        self.news: list[str] = []
        """Ids of entities first believed since someone emptied this list."""
        self.full_mugs: set[str] = set()
        self.failures: Counter[tuple[SubgoalKind, str]] = Counter()
        """Of each kind of subgoal with each target, since one succeeded; those of the running skill are left out."""
        self.brewed: set[str] = set()
        """Machines that brewed with the pod that is in them."""
        self.pressed_in_vain: set[str] = set()
        """Machines that did not brew, and whose lid was not moved since: it may be less shut than it looks."""
        self.felt_off: dict[str, Array] = {}
        """By id of what stands fast: from where it is seen to where the hand found it, (3,) m in the map frame."""
        self.searched: set[tuple[str, str]] = set()
        """(place, class) pairs that a search has settled."""
        self.gone: set[str] = set()
        """Things that no longer exist as free things, e.g. a pod in its holder."""
        self._scans = 0
        self._new_scans: list[Scan] = []
        self._new_looks: list[tuple[Look, Pose]] = []
        """Not reflected on yet; a look with the pose of the base in the map at its time."""
        self._scan_points: tuple[float, Array] | None = None
        self._obstacles: Array | None = None
        self._announced: set[str] = set()
        self._ghosts = Ghosts()

    @property
    def time_s(self) -> float:
        return 0.0 if self.observation is None else self.observation.time_s

    @property
    def holds_full_mug(self) -> bool:
        return self.hand.held is not None and self.hand.held.entity_id in self.full_mugs

    @property
    def tool_in_map(self) -> Pose:
        return self.base_in_map @ self.hand.tool_in_base

    @property
    def obstacles_in_base(self) -> Array | None:
        """(n, 2) points of the latest scan, in the base's present frame."""
        if self._obstacles is None and self._scan_points is not None:
            time_s, points = self._scan_points
            self._obstacles = se2.transform_points(self.pose.moved_since(time_s), points)
        return self._obstacles

    def update(self, observation: Observation) -> None:
        """Take in one tick: where the base is, what the hand feels, what is seen and where."""
        self.observation = observation
        self.pose.update(observation.time_s, observation.base_pose_in_odom)
        self.base_pose = self.pose.now
        self.base_in_map = planar(*self.base_pose.tolist())
        self.hand.update(observation)
        held_in_base = None if self.hand.held is None else self.hand.held_in_base()
        self.eye.feel(observation.time_s, None if held_in_base is None else held_in_base.position)
        scan = observation.scan
        if scan is not None:
            self._scan_points = (scan.time_s, scan_points(scan, OBSTACLE_RANGE_M, ON_BOARD_M))
            self._new_scans.append(scan)
        if observation.look is not None:
            self._update_entities(observation.look)
        if held_in_base is not None:
            self._carry_held(self.base_in_map @ held_in_base)
        self._obstacles = None

    def reflect(self) -> None:
        """Take in what can wait some ticks: the map, and what of it was looked at. It takes as long as all the rest."""
        for scan in self._new_scans:
            self._scans += 1
            if self._scans > 5 and self._scans % CORRECT_EVERY_SCANS == 0:
                self.pose.correct(scan, self.map)
            self.map.update(self.pose.at(scan.time_s), scan)
        for look, base_in_map in self._new_looks:
            self._look_about(look, base_in_map)
        self._new_scans.clear()
        self._new_looks.clear()

    def _update_entities(self, look: Look) -> None:
        x, y, yaw = (float(v) for v in self.pose.at(look.time_s))
        base_in_map = planar(x, y, yaw)
        self.eye.see(look, base_in_map)
        self.entities.update(look, base_in_map, self._held_ids)
        merge_doubles(self.entities, self._held_ids)
        for entity in self.entities.all():
            if entity.id not in self._announced:
                self._announced.add(entity.id)
                self.news.append(entity.id)
        self._new_looks.append((look, base_in_map))

    def _look_about(self, look: Look, base_in_map: Pose) -> None:
        if float(self.hand.tool_in_base.position[0]) < ARM_IN_VIEW_M:
            self._ghosts.update(look, base_in_map, self.entities, {*self._held_ids, *self.gone})
        self.coverage.update(look, base_in_map, self.entities)
        x, y, z = (-from_quaternion(look.camera_pose_in_base[:3], look.camera_pose_in_base[3:]).rotation[:, 2]).tolist()
        if abs(z) < LEVEL_LOOK:
            self.map.mark_looked(base_in_map.yaw + atan2(y, x), 0.5 * look.field_of_view_rad[0])
        self._tell_map()

    def _tell_map(self) -> None:
        ajar = [e for e in self.entities.of_class(*sorted(FRONTS)) if e.size is not None and not is_shut(e)]
        self.map.mark_overhangs([standing_out(front) for front in ajar])
        for door in self.entities.of_class("door"):
            if door.size is not None:
                self.map.mark_door(door.id, door.position[:2], door.yaw, float(door.size[1]), door.state or 0.0)

    def _carry_held(self, held_in_map: Pose) -> None:
        for name in self._held_ids:
            entity = self.entities.get(name)
            if entity is not None:
                entity.position = held_in_map.position
                entity.variance = 0.012**2
                entity.last_seen_s = self.time_s

    @property
    def _held_ids(self) -> tuple[str, ...]:
        return () if self.hand.held is None else (self.hand.held.entity_id,)

    def search_again(self) -> None:
        """What was searched and looked at counts no longer; what was found stays known."""
        self.coverage = Coverage()
        self.searched.clear()
        self.map.look_again()

    def name_anew(self) -> dict[str, str]:
        """Things that turned out to be others than they seemed get the name of what they are; old id → new id. What is
        held, or full, or gone keeps its own."""
        held = set() if self.hand.held is None else {self.hand.held.entity_id}
        named = self.entities.name_anew(held | self.full_mugs | self.gone)
        self._announced.update(named.values())
        return named

    def let_go(self) -> None:
        """The hand was opened on purpose: the thing stays where it was, a little less certain."""
        held = self.hand.held
        self.hand.release()
        if held is not None:
            entity = self.entities.get(held.entity_id)
            if entity is not None:
                entity.variance = max(entity.variance, 0.02**2)

    def machine_part(self, machine_id: str, prefix: str) -> Entity | None:
        """The lid, holder, tray, button or light of a machine that was seen most often."""
        parts = self.entities.parts_of(machine_id, prefix)
        return max(parts, key=lambda e: e.sightings) if parts else None
