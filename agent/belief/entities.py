"""Entities: what the agent believes to exist, gathered from detections.

Poses are in the map frame. A front (door of a cabinet, drawer) is kept by its *closed* handle position, so
that opening it does not make it another thing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from math import acos, cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import (
    DRAWER_TRAVEL_M,
    FRONTS,
    HINGE_TRAVEL_RAD,
    MACHINE_PARTS,
    OBJECTS,
    hinge_side,
)
from agent.frames import Pose, from_quaternion, wrap
from agent.messages import Detection, Look
from controllers.motion.doors import SHUT_BELOW, possible_middles

Array = NDArray[np.float64]

VARIANCE_FLOOR = 0.003**2
PROCESS_VARIANCE = 0.002**2
NEW_GLANCE_M, NEW_GLANCE_RAD, NEW_GLANCE_S = 0.05, np.deg2rad(10.0), 2.0
"""A detector errs alike from one viewpoint: only a frame from elsewhere, or later, is independent evidence."""
SAME_GLANCE_FACTOR = 25.0
"""By how much less a further frame of the same glance counts, as a factor on its variance."""
HELD_WITHIN_M = 0.12
MOVED_SIGMAS = 4.5
"""A thing seen this far from where it was believed has been moved."""
SIGHTINGS_TO_BELIEVE = 3
MOVED_STATE = 0.12
DOORWAY_GATE_M = 0.4
"""Doors are told apart by the middle of their doorways, for their leaves move."""
NAMED_ANEW = 1.5
"""So many times the votes for what a thing was named after make it another thing in name, too."""
LEAF_GAIN = 0.3
"""The least weight of a new look at a leaf: it may have moved."""


@dataclass(slots=True)
class Entity:
    """One believed thing."""

    id: str
    position: Array
    """(3,) m in the map frame."""
    variance: float
    """Of each coordinate, m²."""
    yaw: float
    yaw_variance: float
    votes: dict[str, float]
    """Detector scores gathered for each class name."""
    size: Array | None = None
    """(3,) depth along yaw, width, height; furniture and fronts only."""
    state: float | None = None
    """Opening in [0, 1], light on or off."""
    seen_at: Array = field(default_factory=lambda: np.zeros(3))
    """(3,) in the map frame where it was when last seen: of a front that is open, its handle as it then stood."""
    last_seen_s: float = 0.0
    sightings: int = 0
    glance: int = 0
    """The last glance in which it was seen."""
    parent: str = ""
    """The machine a part belongs to."""
    notes: dict[str, float] = field(default_factory=dict)
    """Numbers that skills learned about it, e.g. how often grasping failed."""

    @property
    def class_name(self) -> str:
        votes = self.votes
        return next(iter(votes)) if len(votes) == 1 else max(votes, key=votes.__getitem__)

    @property
    def believed(self) -> bool:
        return self.sightings >= SIGHTINGS_TO_BELIEVE

    @property
    def top(self) -> float:
        """Height of the upper surface of furniture."""
        return float(self.position[2]) + (0.0 if self.size is None else 0.5 * float(self.size[2]))

    def in_own_frame(self, point: Array) -> tuple[float, float, float]:
        """A map point as (ahead of its front, to its left, above its centre), seen along its yaw."""
        dx, dy = float(point[0] - self.position[0]), float(point[1] - self.position[1])
        c, s = cos(self.yaw), sin(self.yaw)
        return c * dx + s * dy, -s * dx + c * dy, float(point[2] - self.position[2])

    def point_from_own_frame(self, ahead: float, left: float, above: float = 0.0) -> Array:
        c, s = cos(self.yaw), sin(self.yaw)
        return self.position + np.array([c * ahead - s * left, s * ahead + c * left, above])


@cache
def family(class_name: str) -> str:
    """Classes of one family may be the same thing seen differently."""
    if class_name in OBJECTS:
        return "object"
    if class_name.startswith("machine_lid"):
        return "machine_lid"
    if class_name.startswith("brew_button"):
        return "brew_button"
    return class_name


def hinge_offset(class_name: str, size: Array) -> float:
    """Distance from handle to hinge axis: handles sit about 5 cm inside the free edge."""
    return max(0.12, float(size[1]) - 0.05) if hinge_side(class_name) else 0.0


def closed_handle(class_name: str, position: Array, yaw: float, size: Array, opening: float) -> Array:
    """Where the handle is when the front is closed, from where it is now. `yaw` faces out of the closed front."""
    ahead = np.array([cos(yaw), sin(yaw), 0.0])
    side = hinge_side(class_name)
    if side == 0:
        return position - ahead * (opening * DRAWER_TRAVEL_M)
    radius = hinge_offset(class_name, size)
    angle = opening * HINGE_TRAVEL_RAD
    # Someone facing the front looks along −ahead; their left is (ahead rotated by −90°).
    left = np.array([sin(yaw), -cos(yaw), 0.0])
    # Closed: hinge + (−side · left) r.  Open: rotated towards `ahead`.
    return position - radius * (sin(angle) * ahead + (1 - cos(angle)) * side * left)


def handle_now(front: "Entity") -> Array:
    """Where the handle of a front with a size is, (3,), opened as far as it is believed to be: undoes
    `closed_handle`."""
    assert front.size is not None
    at_closed = closed_handle(front.class_name, np.zeros(3), front.yaw, front.size, front.state or 0.0)
    return front.position - at_closed


class EntityTracker:
    """Associates detections with entities and filters their poses."""

    def __init__(self) -> None:
        self._entities: dict[str, Entity] = {}
        self._counts: dict[str, int] = {}
        self._glance = 0
        self._glance_s = -np.inf
        self._glance_from = Pose(np.zeros(3), np.eye(3))

    def __getitem__(self, entity_id: str) -> Entity:
        entity = self._entities.get(entity_id)
        if entity is None:
            raise KeyError(f"no entity {entity_id!r}; known: {', '.join(self._entities) or 'none'}")
        return entity

    def get(self, entity_id: str) -> Entity | None:
        return self._entities.get(entity_id)

    def all(self) -> list[Entity]:
        """Every entity seen often enough to be believed, in order of first sight."""
        return [e for e in self._entities.values() if e.believed]

    def of_class(self, *names: str) -> list[Entity]:
        return [e for e in self.all() if e.class_name in names]

    def parts_of(self, machine_id: str, prefix: str) -> list[Entity]:
        return [e for e in self.all() if e.parent == machine_id and e.class_name.startswith(prefix)]

    def forget(self, entity_id: str) -> None:
        self._entities.pop(entity_id, None)

    def update(self, look: Look, base_in_map: Pose, held: Iterable[str] = ()) -> list[str]:
        """Fold one camera frame in. Returns the ids that were seen for the first time.

        `base_in_map` is the base at the time of the frame; entities in `held` are not moved by sight.
        """
        self._notice_glance(look, base_in_map)
        taken: set[str] = set(held)
        new: list[str] = []
        order = sorted(range(len(look.detections)), key=lambda i: (look.detections[i].position_std_m, i))
        for i in order:
            detection = look.detections[i]
            position, yaw = self._in_map(detection, base_in_map)
            if self._is_held(detection, position, held):
                continue
            entity = self._match(detection, position, yaw, taken)
            if entity is None:
                entity = self._add(detection, position, yaw, look.time_s)
                new.append(entity.id)
            else:
                self._fuse(entity, detection, position, yaw, look.time_s)
                entity.glance = self._glance
            entity.seen_at = base_in_map.point(np.array(detection.position_in_base_m))
            taken.add(entity.id)
        self._assign_parents()
        return new

    def _is_held(self, detection: Detection, position: Array, held: Iterable[str]) -> bool:
        """Whether what is seen is what the hand holds, which is felt better than seen."""
        if family(detection.class_name) != "object":
            return False
        known = (self._entities[name].position for name in held if name in self._entities)
        return any(float(np.linalg.norm(position - at)) < HELD_WITHIN_M for at in known)

    def _notice_glance(self, look: Look, base_in_map: Pose) -> None:
        """A new glance begins when the camera has moved or turned, or some time has passed."""
        camera = base_in_map @ from_quaternion(look.camera_pose_in_base[:3], look.camera_pose_in_base[3:])
        moved_m = float(np.linalg.norm(camera.position - self._glance_from.position))
        turned_rad = acos(min(1.0, max(-1.0, float(camera.rotation[:, 2] @ self._glance_from.rotation[:, 2]))))
        if moved_m > NEW_GLANCE_M or turned_rad > NEW_GLANCE_RAD or look.time_s - self._glance_s > NEW_GLANCE_S:
            self._glance += 1
            self._glance_s, self._glance_from = look.time_s, camera

    @staticmethod
    def _in_map(detection: Detection, base_in_map: Pose) -> tuple[Array, float]:
        position = base_in_map.point(np.array(detection.position_in_base_m))
        yaw = wrap(base_in_map.yaw + detection.yaw_in_base_rad)
        if detection.class_name in FRONTS and detection.size_m is not None:
            opening = detection.state or 0.0
            position = closed_handle(detection.class_name, position, yaw, np.array(detection.size_m), opening)
        return position, yaw

    def remember(self, detection: Detection, base_in_map: Pose, time_s: float) -> Entity:
        """Believe at once in what was not seen but felt, or told."""
        position, yaw = self._in_map(detection, base_in_map)
        entity = self._add(detection, position, yaw, time_s)
        entity.seen_at = base_in_map.point(np.array(detection.position_in_base_m))
        entity.sightings = SIGHTINGS_TO_BELIEVE
        return entity

    def _match(self, detection: Detection, position: Array, yaw: float, taken: set[str]) -> Entity | None:
        kind = family(detection.class_name)
        best: Entity | None = None
        best_distance = np.inf
        for entity in self._entities.values():
            if entity.id in taken or family(entity.class_name) != kind:
                continue
            if kind in FRONTS and entity.class_name != detection.class_name:
                continue
            if kind == "door":
                distance = _between_doorways(entity, detection, position, yaw)
            else:
                gap = position - entity.position
                distance = hypot(float(gap[0]), float(gap[1]), float(gap[2]))
            if distance < best_distance and distance < self._gate(entity, detection):
                best, best_distance = entity, distance
        return best

    @staticmethod
    def _gate(entity: Entity, detection: Detection) -> float:
        kind = family(detection.class_name)
        spread = 3.0 * (entity.variance**0.5 + detection.position_std_m)
        if kind == "object":
            return 0.05 + spread if entity.class_name == detection.class_name else 0.02 + spread
        if kind in FRONTS:
            return 0.12 + spread
        if kind in MACHINE_PARTS or kind in ("machine_lid", "brew_button"):
            return 0.25 + spread
        if kind == "door":
            return DOORWAY_GATE_M
        smallest = 0.4 if entity.size is None else float(min(entity.size[0], entity.size[1]))
        return max(0.25, 0.5 * smallest) + spread

    def name_anew(self, keep: Iterable[str]) -> dict[str, str]:
        """Name things anew that were taken for others from afar, a mug for a bowl. Returns new ids by old ones.

        For moments when no subgoal is about them. Those in `keep` stay as they are.
        """
        kept, found = set(keep), {}
        for entity in self.all():
            named = entity.id.rsplit("-", 1)[0].replace("-", "_")
            votes = entity.votes.get(entity.class_name, 0.0), entity.votes.get(named, 0.0)
            if entity.class_name in OBJECTS and entity.id not in kept and votes[0] > NAMED_ANEW * votes[1]:
                found[entity.id] = self._new_id(entity.class_name)
        for entity in self._entities.values():
            entity.id = found.get(entity.id, entity.id)
        self._entities = {entity.id: entity for entity in self._entities.values()}
        return found

    def _new_id(self, class_name: str) -> str:
        stem = family(class_name)
        if stem == "object":
            stem = class_name
        elif stem in FRONTS:
            stem = class_name.split("_", maxsplit=1)[0]
        stem = stem.replace("_", "-")
        self._counts[stem] = self._counts.get(stem, 0) + 1
        return f"{stem}-{self._counts[stem]}"

    def _add(self, detection: Detection, position: Array, yaw: float, time_s: float) -> Entity:
        entity = Entity(
            id=self._new_id(detection.class_name),
            position=position,
            variance=detection.position_std_m**2 + VARIANCE_FLOOR,
            yaw=yaw,
            yaw_variance=detection.yaw_std_rad**2,
            votes={detection.class_name: detection.score},
            size=None if detection.size_m is None else np.array(detection.size_m),
            state=detection.state,
            last_seen_s=time_s,
            sightings=1,
            glance=self._glance,
        )
        self._entities[entity.id] = entity
        return entity

    def _fuse(self, entity: Entity, detection: Detection, position: Array, yaw: float, time_s: float) -> None:
        variance, yaw_variance = detection.position_std_m**2, detection.yaw_std_rad**2
        again = entity.glance == self._glance
        prior = entity.variance + (0.0 if again else PROCESS_VARIANCE)
        gap = position - entity.position
        moved = detection.class_name not in FRONTS and (
            (
                detection.state is not None
                and entity.state is not None
                and abs(detection.state - entity.state) > MOVED_STATE
            )
            or float(gap @ gap) > MOVED_SIGMAS**2 * (prior + variance)
        )
        if again:
            variance, yaw_variance = SAME_GLANCE_FACTOR * variance, SAME_GLANCE_FACTOR * yaw_variance
        gain = 1.0 if moved else prior / (prior + variance)
        if detection.class_name == "door":
            gain = max(gain, LEAF_GAIN)
            # A leaf is seen from either side: its normal is the same up to π.
            yaw = yaw if abs(wrap(yaw - entity.yaw)) < 0.5 * pi else wrap(yaw + pi)
        entity.position = entity.position + gain * gap
        entity.variance = max(VARIANCE_FLOOR, detection.position_std_m**2 if moved else (1 - gain) * prior)
        yaw_gain = entity.yaw_variance / (entity.yaw_variance + yaw_variance)
        entity.yaw = wrap(entity.yaw + yaw_gain * wrap(yaw - entity.yaw))
        entity.yaw_variance = max(0.02**2, (1 - yaw_gain) * entity.yaw_variance)
        if detection.size_m is not None:
            size = np.array(detection.size_m)
            weight = 1.0 / min(10, entity.sightings + 1)
            entity.size = size if entity.size is None else entity.size + weight * (size - entity.size)
        if detection.state is not None:
            known = None if moved else entity.state
            entity.state = detection.state if known is None else 0.5 * (known + detection.state)
        entity.votes[detection.class_name] = entity.votes.get(detection.class_name, 0.0) + detection.score
        entity.last_seen_s = time_s
        entity.sightings += 1
        _note_doorway(entity)

    def _assign_parents(self) -> None:
        machines = [e for e in self._entities.values() if e.class_name == "coffee_machine"]
        for entity in self._entities.values():
            if entity.class_name not in MACHINE_PARTS or not machines:
                continue
            nearest = min(machines, key=lambda m: float(np.sum((m.position - entity.position) ** 2)))
            if float(np.linalg.norm(nearest.position - entity.position)) < 0.6:
                entity.parent = nearest.id


def _note_doorway(door: Entity) -> None:
    """Keep where the doorway is: known for certain while the leaf is shut."""
    if door.class_name == "door" and door.state is not None and door.state < SHUT_BELOW:
        door.notes["doorway_x"], door.notes["doorway_y"] = float(door.position[0]), float(door.position[1])


def _between_doorways(door: Entity, detection: Detection, position: Array, yaw: float) -> float:
    """Least distance in m between where the doorways of a known door and of a detected one may be."""
    width = float(detection.size_m[1]) if detection.size_m is not None else 0.9
    seen = possible_middles(position, yaw, width, detection.state or 0.0)
    if "doorway_x" in door.notes:
        known = np.array([[door.notes["doorway_x"], door.notes["doorway_y"]]])
    else:
        known = possible_middles(door.position, door.yaw, width, door.state or 0.0)
    return float(np.linalg.norm(known[:, None] - seen[None], axis=2).min())
