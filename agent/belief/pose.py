"""Where the base is in the map frame: odometry, corrected by matching scans with the map.

History is kept in the odometry frame, so one correction moves all of it: what was seen 100 ms ago is still placed
with the pose of that moment.
"""

import math
from bisect import bisect_right
from collections import deque

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agent.belief.map import OccupancyMap
from agent.messages import Scan
from controllers.motion import se2
from controllers.motion.grid import Array

_HISTORY_TICKS = 128
_ODOMETRY_NOISE = (0.02, math.radians(1.0), 0.02)
"""Standard deviations that grow with way: m per √m, rad per √rad, rad per √m."""
_MATCH_EVERY_M, _MATCH_EVERY_RAD = 0.25, 0.3
_POINT_STD_M = 0.03
_SHARE_OF_INDEPENDENT_POINTS = 0.15
"""Neighbouring rays share their error (a wall's cell, the sensor's bias): only this share counts as information."""


class PoseEstimate:
    """Pose of the base in the map frame. The map frame is the base's frame at the first `update`."""

    def __init__(self) -> None:
        self._map_from_odom: Array | None = None
        self._times_s: deque[float] = deque(maxlen=_HISTORY_TICKS)
        self._odom: deque[Array] = deque(maxlen=_HISTORY_TICKS)
        self._matched_odom: Array | None = None
        self._grown_odom = np.zeros(3)
        self.covariance = np.zeros((3, 3))
        """(3, 3) of x, y in map axes and yaw, against the map."""
        self.last_match = ""
        """What became of the last scan given to `correct`: `matched` or why it was ignored."""

    def update(self, time_s: float, base_pose_in_odom: ArrayLike) -> None:
        """Take in one tick of odometry (5 µs). Raises ValueError where time does not go on."""
        pose = np.array(base_pose_in_odom, dtype=np.float64)
        if self._map_from_odom is None:
            self._map_from_odom = se2.inverse(pose)
            self._grown_odom = pose
        elif time_s <= self._times_s[-1]:
            raise ValueError(f"odometry at {time_s} s came after odometry at {self._times_s[-1]} s")
        self._times_s.append(time_s)
        self._odom.append(pose)
        if np.abs(pose - self._grown_odom).max() > 0.05:
            self._grow()

    def _grow(self) -> None:
        """Let the covariance grow with the way since it last grew."""
        motion = se2.between(self._grown_odom, self._odom[-1])
        self._grown_odom = self._odom[-1]
        way, turn = math.hypot(motion[0], motion[1]), abs(float(motion[2]))
        per_m, per_rad, yaw_per_m = _ODOMETRY_NOISE
        x, y = se2.rotate(self.now[2], motion[:2]).tolist()
        step = np.array(((1.0, 0.0, -y), (0.0, 1.0, x), (0.0, 0.0, 1.0)))
        self.covariance = step @ self.covariance @ step.T
        self.covariance[(0, 1, 2), (0, 1, 2)] += (
            per_m**2 * way,
            per_m**2 * way,
            per_rad**2 * turn + yaw_per_m**2 * way,
        )

    @property
    def now(self) -> Array:
        """(3,) pose of the base in the map at the last update."""
        return se2.compose(self.map_from_odom, self._odom[-1])

    @property
    def map_from_odom(self) -> Array:
        """(3,) pose of the odometry frame in the map."""
        if self._map_from_odom is None:
            raise ValueError("the pose is unknown before the first update with odometry")
        return self._map_from_odom

    def at(self, time_s: float) -> Array:
        """(3,) pose in the map at a moment in the last 1.28 s, interpolated; the nearest known one outside."""
        return se2.compose(self.map_from_odom, self._odom_at(time_s))

    def moved_since(self, time_s: float) -> Array:
        """(3,) pose of the base at `time_s` in the base's present frame: brings delayed points up to date."""
        return se2.between(self._odom[-1], self._odom_at(time_s))

    def _odom_at(self, time_s: float) -> Array:
        times = self._times_s
        if not times:
            raise ValueError("the pose is unknown before the first update with odometry")
        k = bisect_right(times, time_s)
        if k == 0:
            return self._odom[0]
        if k == len(times):
            return self._odom[-1]
        before, after = self._odom[k - 1], self._odom[k]
        share = (time_s - times[k - 1]) / (times[k] - times[k - 1])
        x, y = (before[:2] + share * (after[:2] - before[:2])).tolist()
        return np.array((x, y, se2.wrap(before[2] + share * se2.wrap(after[2] - before[2]))))

    def correct(self, scan: Scan, occupancy: OccupancyMap) -> bool:
        """Match a scan with the map as it was before that scan. Call it with every scan before the map's `update`.

        It works (about 1 ms) only when the base has moved enough since the last match for odometry to have drifted.
        A poor or ambiguous match changes nothing; one match moves the pose by at most 10 cm and 4°.
        """
        odom = self._odom_at(scan.time_s)
        if self._matched_odom is not None:
            x, y, turn = np.abs(se2.between(self._matched_odom, odom)).tolist()
            if math.hypot(x, y) / _MATCH_EVERY_M + turn / _MATCH_EVERY_RAD < 1.0:
                return False
        self._grow()
        prior = se2.compose(self.map_from_odom, odom)
        points = scan_points(scan, max_range_m=8.0)
        points = points[:: max(1, round(len(points) / 120))]
        pose, information, verdict = match(points, prior, self.covariance, occupancy)
        self.last_match = verdict
        if verdict != "matched":
            return False
        self._matched_odom = odom
        self._map_from_odom = se2.compose(pose, se2.inverse(odom))
        spread = np.linalg.inv(np.linalg.inv(self.covariance + _FLOOR) + information)
        self.covariance = 0.5 * (spread + spread.T)
        return True


_FLOOR = np.diag((1e-3, 1e-3, 1e-3)) ** 2


def scan_points(scan: Scan, max_range_m: float = np.inf, min_range_m: float = 0.1) -> Array:
    """(n, 2) hit points in the base frame at the scan's time."""
    ranges = np.asarray(scan.ranges_m, dtype=np.float64)
    good = np.flatnonzero((ranges > min_range_m) & (ranges < max_range_m) & np.isfinite(ranges))
    angles = scan.first_angle_rad + scan.step_rad * good
    return ranges[good, None] * np.stack((np.cos(angles), np.sin(angles)), axis=-1)


def match(
    points_in_base_m: Array, prior_in_map: Array, prior_covariance: Array, occupancy: OccupancyMap
) -> tuple[Array, Array, str]:
    """Pose (3,), information (3, 3) and verdict of matching points with the map's mean hit points.

    Point-to-line Gauss–Newton with the prior as one more measurement, so that directions the scan says nothing
    about (along a corridor) stay with odometry. Verdicts: `matched`, `too-little-known`, `poor-fit`, `too-far`.
    """
    pose = np.array(prior_in_map, dtype=np.float64)
    prior_information = np.linalg.inv(prior_covariance + _FLOOR)
    information = np.zeros((3, 3))
    known = inliers = 0
    residual_std_m = np.inf
    for step in range(6):
        world = se2.transform_points(pose, points_in_base_m)
        target, normal, near, straight = _lines(world, occupancy)
        known = int((near & straight).sum())
        if known < 30:
            return pose, information, "too-little-known"
        error = ((world - target) * normal).sum(axis=1)
        gate = 0.15 if step < 2 else 0.10
        good = near & straight & (np.abs(error) < gate)
        inliers = int(good.sum())
        if inliers < 25:
            return pose, information, "poor-fit"
        n, e = normal[good], error[good]
        arm = world[good] - pose[:2]
        jacobian = np.stack((n[:, 0], n[:, 1], n[:, 1] * arm[:, 0] - n[:, 0] * arm[:, 1]), axis=-1)
        weight = 1.0 / (1.0 + (e / _POINT_STD_M) ** 2)
        residual_std_m = float(np.sqrt((weight * e * e).sum() / weight.sum()))
        scale = _SHARE_OF_INDEPENDENT_POINTS / _POINT_STD_M**2
        information = scale * (jacobian * weight[:, None]).T @ jacobian
        from_prior = np.array((*(pose[:2] - prior_in_map[:2]), se2.wrap(pose[2] - prior_in_map[2])))
        pull = scale * jacobian.T @ (weight * e) + prior_information @ from_prior
        change = -np.linalg.solve(information + prior_information, pull)
        pose += change
        if np.abs(change).max() < 1e-4:
            break
    moved = np.array((*(pose[:2] - prior_in_map[:2]), se2.wrap(pose[2] - prior_in_map[2])))
    pose[2] = se2.wrap(pose[2])
    if inliers < 0.55 * known or residual_std_m > 0.04:
        return pose, information, "poor-fit"
    if math.hypot(moved[0], moved[1]) > 0.10 or abs(moved[2]) > math.radians(4.0):
        return pose, information, "too-far"
    return pose, information, "matched"


def _lines(world: Array, occupancy: OccupancyMap) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """For each point (n, 2): the mean of the map's hit points around it, their line's normal, whether the map knows
    something there, and whether that is straight enough to be a line."""
    raster = occupancy.raster
    row, column = raster.cells(world)
    inside = (row > 2) & (row < raster.rows - 3) & (column > 2) & (column < raster.columns - 3)
    row, column = np.where(inside, row, 3), np.where(inside, column, 3)
    cells = (row * raster.columns + column)[:, None] + _around(raster.columns)
    weight = occupancy.anchor_weights.ravel()[cells] * (occupancy.log_odds.ravel()[cells] > 0.8)
    points = occupancy.anchors.reshape(-1, 2)[cells].astype(np.float64) + np.array((raster.x0_m, raster.y0_m))
    offset = points - world[:, None]
    away = (offset**2).sum(axis=2)
    weight = weight * np.exp(-away / (2 * 0.07**2))
    total = weight.sum(axis=1)
    near = inside & (total > 0.5)
    share = weight / np.maximum(total, 1e-9)[:, None]
    mean = (share[..., None] * points).sum(axis=1)
    spread = points - mean[:, None]
    xx = (share * spread[..., 0] ** 2).sum(axis=1)
    yy = (share * spread[..., 1] ** 2).sum(axis=1)
    xy = (share * spread[..., 0] * spread[..., 1]).sum(axis=1)
    # Closed-form eigenvectors of the 2 × 2 covariance: the normal belongs to the smaller eigenvalue.
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy)
    root = np.sqrt(0.25 * (xx - yy) ** 2 + xy**2)
    larger, smaller = 0.5 * (xx + yy) + root, 0.5 * (xx + yy) - root
    normal = np.stack((-np.sin(angle), np.cos(angle)), axis=-1)
    return mean, normal, near, (larger > 4.0 * smaller) & (larger > 0.02**2)


def _around(columns: int) -> NDArray[np.intp]:
    k = np.arange(-2, 3)
    return (k[:, None] * columns + k).ravel()
