"""A two-dimensional world of boxes for the tests of motion and map: ray-cast scans and a base whose odometry drifts."""

import math
from dataclasses import dataclass

import numpy as np

from agent.messages import Scan
from controllers.motion import se2

TICK_S = 0.01
RAYS = 240


class Leaf:
    """A door leaf that swings both ways about its hinge and yields to whoever drives into it."""

    def __init__(self, hinge_xy, shut_yaw, width_m, angle, most_rad=1.62):
        self.hinge, self.shut_yaw, self.width, self.angle = np.array(hinge_xy), shut_yaw, width_m, angle
        self.most = most_rad

    def box(self, angle=None):
        """(5,) centre, yaw, half length, half thickness."""
        yaw = self.shut_yaw + (self.angle if angle is None else angle)
        x, y = self.hinge + 0.5 * self.width * np.array((math.cos(yaw), math.sin(yaw)))
        return np.array((x, y, yaw, 0.5 * self.width - 0.01, 0.02))

    def yield_to(self, xy, radius_m):
        """Turn until a disc has room."""
        for step in range(200):
            options = [self.angle + sign * 0.01 * step for sign in (1, -1)]
            for angle in options:
                if abs(angle) <= self.most and box_distance(self.box(angle)[None], xy)[0] >= radius_m:
                    self.angle = angle
                    return


def box_distance(boxes, xy):
    """(m,) distance of a point from boxes (m, 5): centre, yaw, half sizes."""
    local = _turned(xy - boxes[:, :2], boxes[:, 2])
    return np.hypot(*np.maximum(0.0, np.abs(local) - boxes[:, 3:]).T)


def _turned(vectors, yaws):
    c, s = np.cos(yaws), np.sin(yaws)
    return np.stack((c * vectors[..., 0] + s * vectors[..., 1], c * vectors[..., 1] - s * vectors[..., 0]), axis=-1)


class FlatWorld:
    """Solid upright boxes (m, 5): centre, yaw, half sizes; and door leaves."""

    def __init__(self, boxes, leaves=()):
        self.fixed = np.asarray(boxes, dtype=np.float64)
        self.leaves = list(leaves)

    @property
    def boxes(self):
        return np.concatenate((self.fixed, *(leaf.box()[None] for leaf in self.leaves)))

    def ranges(self, pose, most_m=6.0):
        """(RAYS,) distance to the nearest box all around, infinity beyond `most_m`."""
        boxes = self.boxes
        angles = pose[2] - math.pi + 2 * math.pi / RAYS * np.arange(RAYS)
        origin = _turned(pose[:2] - boxes[:, :2], boxes[:, 2])
        near, far = np.zeros((RAYS, len(boxes))), np.full((RAYS, len(boxes)), np.inf)
        for axis in (0, 1):
            turn = angles[:, None] - boxes[:, 2]
            slope = np.cos(turn) if axis == 0 else np.sin(turn)
            slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
            a = (-boxes[:, 3 + axis] - origin[:, axis]) / slope
            b = (boxes[:, 3 + axis] - origin[:, axis]) / slope
            near, far = np.maximum(near, np.minimum(a, b)), np.minimum(far, np.maximum(a, b))
        hit = np.where(near <= far, near, np.inf).min(axis=1)
        return np.where(hit <= most_m, hit, np.inf)

    def clearance(self, xy):
        """Distance from a point to the nearest thing that does not yield."""
        return float(box_distance(self.fixed, np.asarray(xy)).min())


@dataclass
class FlatBase:
    """Kinematic base: velocity with a lag, odometry with scale errors and noise, scans at 10 Hz, 40 ms late."""

    world: FlatWorld
    pose: np.ndarray
    seed: int = 0
    drift_per_m: float = 0.005
    drift_rad_per_rad: float = math.radians(0.3)
    scan_std_m: float = 0.01

    def __post_init__(self):
        self.rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, 77])))
        self.pose = np.array(self.pose, dtype=np.float64)
        self.start = self.pose.copy()
        self.odom = np.array((3.0, -1.0, 0.7))  # an odometry frame is nobody's frame
        self.velocity = np.zeros(3)
        self.ticks = 0
        self.least_clearance = np.inf
        self._scans = []

    @property
    def time_s(self):
        return self.ticks * TICK_S

    def tick(self, command):
        """Advance 10 ms. Returns a Scan when one was delivered."""
        self.ticks += 1
        self.velocity += (np.asarray(command) - self.velocity) * (TICK_S / 0.06)
        move = self.velocity * TICK_S
        self.pose = se2.compose(self.pose, move)
        yaw_error = self.drift_rad_per_rad * move[2] + self.drift_per_m * 0.2 * math.hypot(move[0], move[1])
        self.odom = se2.compose(self.odom, move * (1 + self.drift_per_m) + (0, 0, yaw_error))
        for leaf in self.world.leaves if self.ticks % 4 == 0 else ():
            if np.hypot(*(leaf.hinge - self.pose[:2])) < leaf.width + 0.5:
                leaf.yield_to(self.pose[:2], 0.272)
        if self.ticks % 4 == 0:
            self.least_clearance = min(self.least_clearance, self.world.clearance(self.pose[:2]))
        if self.ticks % 10 == 1:
            ranges = self.world.ranges(self.pose) + self.rng.normal(0, self.scan_std_m, RAYS)
            ranges[self.rng.random(RAYS) < 0.01] = np.inf
            self._scans.append(
                Scan(
                    time_s=self.time_s,
                    first_angle_rad=-math.pi,
                    step_rad=2 * math.pi / RAYS,
                    ranges_m=ranges.astype(np.float32),
                )
            )
        if self._scans and self.time_s - self._scans[0].time_s > 0.035:
            return self._scans.pop(0)
        return None

    def true_in_map(self):
        """(3,) true pose in the frame of the start: what a perfect estimate says."""
        return se2.between(self.start, self.pose)


def walls_with_gaps(x0, y0, x1, y1, gaps, thickness=0.1):
    """Corners of the pieces of an axis-aligned wall from (x0, y0) to (x1, y1), open at `gaps`: (from, to) along it."""
    along = 0 if abs(x1 - x0) > abs(y1 - y0) else 1
    edges = [(x0, y0)[along], *[edge for gap in sorted(gaps) for edge in gap], (x1, y1)[along]]
    half, boxes = 0.5 * thickness, []
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        box = [a, y0 - half, b, y0 + half] if along == 0 else [x0 - half, a, x0 + half, b]
        boxes.append(box)
    return boxes


def random_house(seed, doorway_m=0.9):
    """Five rooms of a 10 × 8 m house with furniture on legs and blocks, and a start pose. Every room can be reached."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 5])))
    boxes = []
    for wall in ((0, 0, 10, 0), (0, 8, 10, 8), (0, 0, 0, 8), (10, 0, 10, 8)):
        boxes += walls_with_gaps(*wall, [])

    def gap(low, high):
        a = rng.uniform(low + 0.3, high - 0.3 - doorway_m)
        return (a, a + doorway_m)

    split, left, right = rng.uniform(3.6, 4.4), rng.uniform(4.2, 5.5), rng.uniform(3.0, 4.0)
    gaps = [gap(0, left), gap(left, 10)]
    boxes += walls_with_gaps(0, split, 10, split, gaps)
    boxes += walls_with_gaps(left, 0, left, split, [gap(0, split)])
    boxes += walls_with_gaps(right, split, right, 8, [gap(split, 8)])
    boxes += walls_with_gaps(right + 3.2, split, right + 3.2, 8, [gap(split, 8)])
    start = np.array((0.7, 0.7, rng.uniform(-3, 3)))
    doorways = [(0.5 * (a + b), split) for a, b in gaps]
    for box in list(boxes):
        if box[2] - box[0] < 0.2 and box[3] < 7.9 and box[1] > 0.0:
            doorways += [(box[0], box[3] + 0.5 * doorway_m), (box[0], box[1] - 0.5 * doorway_m)]
    for _ in range(14):
        x, y = rng.uniform(0.3, 9.7), rng.uniform(0.3, 7.7)
        w, d = rng.uniform(0.3, 1.2, 2)
        if min(math.hypot(x - a, y - b) for a, b in [*doorways, start[:2].tolist()]) < 1.7:
            continue
        if rng.random() < 0.5:
            boxes.append([x - w / 2, y - d / 2, x + w / 2, y + d / 2])
        else:
            boxes += [
                [x + i * w / 2 - 0.02, y + j * d / 2 - 0.02, x + i * w / 2 + 0.02, y + j * d / 2 + 0.02]
                for i in (-1, 1)
                for j in (-1, 1)
            ]
    return FlatWorld(boxes_of_corners(boxes)), start


def boxes_of_corners(corners):
    """(m, 5) boxes from (m, 4) corners x0, y0, x1, y1."""
    a = np.asarray(corners, dtype=np.float64)
    middle, half = 0.5 * (a[:, :2] + a[:, 2:]), 0.5 * (a[:, 2:] - a[:, :2])
    return np.column_stack((middle, np.zeros(len(a)), half))


def flat_house(house):
    """The footprint of a generated House between floor and chest, with its doors, and its start pose."""
    boxes = boxes_of_corners(house.walls)
    low = [f for f in house.fixtures if f.z - f.size[2] / 2 < 1.3 and f.class_name != "rug"]
    rows = [(f.x, f.y, f.yaw, f.size[0] / 2, f.size[1] / 2) for f in low]
    leaves = []
    for door in house.doorways:
        if door.door_joint is not None:
            hinge = np.array((door.x, door.y)) + 0.5 * door.width * np.array((-math.sin(door.yaw), math.cos(door.yaw)))
            leaves.append(Leaf(hinge, door.yaw - math.pi / 2, door.width - 0.02, door.initial_angle))
    return FlatWorld(np.concatenate((boxes, np.array(rows).reshape(-1, 5))), leaves), np.array(house.start)
