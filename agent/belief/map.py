"""Where the floor is free: an occupancy grid from scans, with doors laid over it.

The map frame is the base's frame where the episode began. Cells are 5 cm.
"""

from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agent.messages import Scan
from controllers.motion import se2
from controllers.motion.doors import PASSABLE_OPENING, SHUT_BELOW, Doorway, find_doorway
from controllers.motion.grid import Array, Mask, Raster, rectangle_cells
from controllers.motion.paths import FOOTPRINT_RADIUS_M, CostGrid, cost_grid

_HIT, _MISS = np.float32(0.9), np.float32(-0.3)
_LOWEST, _HIGHEST = np.float32(-2.0), np.float32(3.6)
"""Log-odds. A wall seen for half a second is opened again by 1.3 s of rays through it."""
_FREE, _OCCUPIED = -0.25, 0.8
_ANCHOR_HITS = np.float32(20.0)
"""Hits after which a cell's mean point stays where it is: a mean that went on would follow the drift of the pose."""


LOOK_RANGE_M = 4.0
"""Floor farther from the camera than this does not count as looked at: things there are easily missed."""
_LOOKS_NEEDED, _LOOK_CELLS = 4, 2
"""Looks are counted in blocks of 2 × 2 cells: the rays of a scan are 10 cm apart at LOOK_RANGE_M."""
_LEAF_DEPTH_M, _LEAF_SLACK_M = 0.24, 0.14
"""A leaf's thickness, a cell of the raster and the bias of a look, to both sides."""

_CLEAR_FIT = 0.3
"""A doorway that fits so much better than the next is settled: how its leaf swings later leaves it where it is."""


@dataclass(frozen=True, slots=True)
class _SeenDoor:
    leaf_xy_m: tuple[float, float]
    yaw_rad: float
    width_m: float
    opening: float


class OccupancyMap:
    """Log-odds of 5 cm cells in a square of `side_m` around the start. Deterministic, no time of its own."""

    def __init__(self, side_m: float = 40.0, cell_m: float = 0.05, clear_range_m: float = 5.0) -> None:
        """`clear_range_m`: how far a ray that hit nothing, or something farther, clears the floor."""
        n = round(side_m / cell_m)
        self.raster = Raster(-0.5 * n * cell_m, -0.5 * n * cell_m, cell_m, n, n)
        self.log_odds = np.zeros((n, n), np.float32)
        self.anchors = np.zeros((n, n, 2), np.float32)
        """Mean hit point of each cell relative to the raster's corner; what scans are matched with."""
        self.anchor_weights = np.zeros((n, n), np.float32)
        self._doors: dict[str, _SeenDoor] = {}
        self._doorway_xy_m: dict[str, tuple[float, float]] = {}
        self._overhangs = np.zeros((0, 2))
        self._dismissed = np.zeros((n, n), np.bool_)
        self._looks = np.zeros((-(-n // _LOOK_CELLS),) * 2, np.uint8)
        self._latest: tuple[Array, Array, Array] | None = None
        """Origin, unit directions and ranges of the latest scan's rays in the map frame."""
        self._bounds = [n, 0, n, 0]
        self._clear_range_m = clear_range_m
        self._offsets = np.arange(1, int(clear_range_m / cell_m) + 1, dtype=np.float32)
        self._angles: tuple[int, float, float] | None = None
        self._directions = np.zeros((0, 2))

    # --- what is seen

    def update(self, base_pose_in_map: ArrayLike, scan: Scan) -> None:
        """Take in one scan, given the base's pose when it was taken (≤ 1 ms for 360 rays)."""
        pose = np.asarray(base_pose_in_map, dtype=np.float64)
        ranges = np.asarray(scan.ranges_m, dtype=np.float64)
        usable = ranges > 0.5 * FOOTPRINT_RADIUS_M  # nearer is the robot itself; NaN drops out too
        ranges, unit = ranges[usable], se2.rotate(pose[2], self._ray_directions(scan))[usable]
        hit = np.isfinite(ranges)
        rows, columns = self.raster.cells(pose[:2] + ranges[hit, None] * unit[hit])
        inside = self.raster.inside(rows, columns)
        rows, columns = rows[inside], columns[inside]
        flat = self.log_odds.ravel()
        hits = rows * self.raster.columns + columns
        before = flat[hits]
        self._latest = (pose[:2], unit, ranges)
        self._clear(pose, unit, ranges)
        flat[hits] = np.minimum(before + _HIT, _HIGHEST)
        self._anchor(hits, (pose[:2] + ranges[hit, None] * unit[hit])[inside])
        row, column = disc_cells(self.raster, pose[:2], FOOTPRINT_RADIUS_M - 0.05)
        self.log_odds[row, column] = _LOWEST  # here the robot stands
        self._grow_bounds(rows, columns)
        self._grow_bounds(row, column)

    def _ray_directions(self, scan: Scan) -> Array:
        layout = (scan.ranges_m.size, scan.first_angle_rad, scan.step_rad)
        if layout != self._angles:
            angles = scan.first_angle_rad + scan.step_rad * np.arange(scan.ranges_m.size)
            self._angles, self._directions = layout, np.stack((np.cos(angles), np.sin(angles)), axis=-1)
        return self._directions

    def _clear(self, pose: Array, unit: Array, ranges: Array) -> None:
        cell = self.raster.cell_m
        # One sample per cell length, up to one cell before the hit, so that a wall is not eaten by rays that graze it.
        silent = np.isinf(ranges)
        lone = silent & ~(np.roll(silent, 1) & np.roll(silent, -1))
        reach = np.where(lone, 0.0, np.minimum(ranges, self._clear_range_m))  # one ray without echo is a fault
        samples = (reach / cell - 1.0).astype(np.float32)
        unit32 = unit.astype(np.float32)
        x = (np.float32((pose[0] - self.raster.x0_m) / cell) + unit32[:, :1] * self._offsets).astype(np.int32)
        y = (np.float32((pose[1] - self.raster.y0_m) / cell) + unit32[:, 1:] * self._offsets).astype(np.int32)
        cells = (y * np.int32(self.raster.columns) + x)[self._offsets <= samples[:, None]]
        reach = self._clear_range_m + cell
        if np.any(np.abs(pose[:2]) + reach > 0.5 * self.raster.columns * cell):
            raise ValueError(
                f"the base is at {pose[:2].round(2).tolist()} m, less than {reach:.1f} m from the edge of a map of "
                f"±{0.5 * self.raster.columns * cell:.0f} m; build OccupancyMap with a larger side_m"
            )
        flat = self.log_odds.ravel()
        flat[cells] = np.maximum(flat[cells] + _MISS, _LOWEST)

    def _anchor(self, cells: NDArray[np.intp], points: Array) -> None:
        relative = (points - (self.raster.x0_m, self.raster.y0_m)).astype(np.float32)
        anchors, weights = self.anchors.reshape(-1, 2), self.anchor_weights.ravel()
        weight = weights[cells]
        stale = self.log_odds.ravel()[cells] <= _HIT  # cleared since: the old points say nothing about the new
        weight = np.where(stale, np.float32(0.0), weight)
        young = weight < _ANCHOR_HITS
        cells, weight, relative = cells[young], weight[young] + np.float32(1.0), relative[young]
        anchors[cells] += (relative - anchors[cells]) / weight[:, None]
        weights[cells] = weight

    def _grow_bounds(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
        if rows.size:
            b = self._bounds
            self._bounds = [
                min(b[0], int(rows.min())),
                max(b[1], int(rows.max()) + 1),
                min(b[2], int(columns.min())),
                max(b[3], int(columns.max()) + 1),
            ]

    # --- what is told

    def mark_door(
        self, name: str, leaf_position_in_map_m: ArrayLike, yaw_in_map_rad: float, width_m: float, opening: float
    ) -> None:
        """Tell, or tell anew, how a door was seen: its leaf's centre now, its normal *when shut*, its opening."""
        x, y = np.asarray(leaf_position_in_map_m, dtype=np.float64)[:2].tolist()
        self._doors[name] = _SeenDoor((x, y), float(yaw_in_map_rad), float(width_m), float(opening))
        if opening < SHUT_BELOW:
            self._doorway_xy_m[name] = (x, y)

    def mark_overhangs(self, points_in_map_m: list[Array]) -> None:
        """What stands out above the plane of the scan (arrays (n, 2)), in place of what was marked before."""
        self._overhangs = np.concatenate([np.zeros((0, 2)), *points_in_map_m])

    def overhang_within(self, position_in_map_m: Array, radius_m: float) -> bool:
        """Whether something marked by `mark_overhangs` is that near to a point (2,)."""
        return bool(np.any(np.linalg.norm(self._overhangs - position_in_map_m, axis=1) < radius_m))

    def mark_opened(self, name: str, opening: float) -> None:
        """A door is known to be open this far, though nobody saw it: its leaf is an obstacle like any other."""
        if name in self._doors:
            self._doors[name] = replace(self._doors[name], opening=opening)

    def dismiss_frontier(self, position_in_map_m: ArrayLike, radius_m: float = 0.6) -> None:
        """Never offer the floor around this point again: it was looked at and stays unseen."""
        self._dismissed[disc_cells(self.raster, position_in_map_m, radius_m)] = True

    def look_again(self) -> None:
        """Forget what was dismissed and looked at; walls and floor stay."""
        self._dismissed[:] = False
        self._looks[:] = 0

    def mark_looked(self, heading_rad: float, half_angle_rad: float) -> None:
        """A camera on the base had this heading (map frame) and half horizontal field of view: the floor between the
        base and what the latest scan hit was looked at, up to LOOK_RANGE_M."""
        if self._latest is None:
            return
        origin, unit, ranges = self._latest
        ahead = unit @ (np.cos(heading_rad), np.sin(heading_rad)) > np.cos(half_angle_rad)
        cell = _LOOK_CELLS * self.raster.cell_m
        offsets = np.arange(1, int(LOOK_RANGE_M / cell) + 1)
        reach = np.minimum(ranges[ahead], LOOK_RANGE_M) / cell
        row0, column0 = (origin[1] - self.raster.y0_m) / cell, (origin[0] - self.raster.x0_m) / cell
        rows = (row0 + unit[ahead, 1:] * offsets).astype(np.intp)
        columns = (column0 + unit[ahead, :1] * offsets).astype(np.intp)
        near = offsets <= reach[:, None]
        cells = np.unique(rows[near] * self._looks.shape[1] + columns[near])
        looks = self._looks.ravel()
        looks[cells] = np.minimum(looks[cells] + 1, _LOOKS_NEEDED)
        row, column = disc_cells(self.raster, origin, FOOTPRINT_RADIUS_M + 0.15)
        self._looks[row // _LOOK_CELLS, column // _LOOK_CELLS] = _LOOKS_NEEDED  # nothing to find where the base stands

    # --- what is asked

    def state_at(self, position_in_map_m: ArrayLike) -> str:
        """`free`, `occupied` or `unknown`."""
        row, column = self.raster.cells(position_in_map_m)
        if not self.raster.inside(row, column):
            return "unknown"
        value = float(self.log_odds[row, column])
        if value > _OCCUPIED:
            return "occupied"
        return "free" if value < _FREE else "unknown"

    def occupied_at(self, points_in_map_m: ArrayLike) -> Mask:
        """(...,) whether something stands at (..., 2) points."""
        row, column = self.raster.cells(points_in_map_m)
        inside = self.raster.inside(row, column)
        return inside & (self.log_odds[np.where(inside, row, 0), np.where(inside, column, 0)] > _OCCUPIED)

    def doorways(self) -> dict[str, Doorway]:
        """The doors that were marked, by name in alphabetical order, fitted to what the scans saw around them.

        An ajar or open one is missing while too little of its surroundings is known to say where its hinge is.
        """
        found = {}
        for name, seen in sorted(self._doors.items()):
            known = self._doorway_xy_m.get(name)
            door = find_doorway(seen.leaf_xy_m, seen.yaw_rad, seen.width_m, seen.opening, self.occupied_at, known)
            if door is not None:
                found[name] = door
                if door.margin > _CLEAR_FIT:
                    self._doorway_xy_m.setdefault(name, door.position_in_map_m)
        return found

    def costs(self, push_doors: bool = False, margin_m: float = 0.5) -> CostGrid:
        """What paths are planned on: the known part of the map at 10 cm (about 3 ms).

        With `push_doors` the cells of door leaves cost extra instead of blocking, and a path through them names the
        doors it pushes.
        """
        rows, columns = self._window(margin_m)
        view = (rows, columns)
        raster = self.raster.window(rows.start, rows.stop, columns.start, columns.stop)
        log_odds = self.log_odds[view]
        occupied: Mask = log_odds > _OCCUPIED
        row, column = raster.cells(self._overhangs)
        inside = raster.inside(row, column)
        occupied[row[inside], column[inside]] = True
        doors = []
        for name, door in self.doorways().items() if push_doors else ():
            if door.opening >= PASSABLE_OPENING:
                continue
            size = (_LEAF_DEPTH_M, door.width_m + _LEAF_SLACK_M)
            leaf = rectangle_cells(raster, door.leaf_position_in_map_m, door.leaf_yaw_in_map_rad, size)
            doors.append((name, leaf))
        return cost_grid(
            raster,
            occupied=occupied,
            unknown=(log_odds >= _FREE) & ~occupied,
            dismissed=self._dismissed[view],
            unlooked=(log_odds < _FREE) & ~occupied & self._not_looked(rows, columns),
            doors=doors,
            push_doors=push_doors,
        )

    def _not_looked(self, rows: slice, columns: slice) -> Mask:
        k = _LOOK_CELLS
        few = self._looks[rows.start // k : rows.stop // k, columns.start // k : columns.stop // k] < _LOOKS_NEEDED
        return few.repeat(k, axis=0).repeat(k, axis=1)

    def _window(self, margin_m: float) -> tuple[slice, slice]:
        pad = int(np.ceil(margin_m / self.raster.cell_m))
        row0, row1, column0, column1 = self._bounds
        n = self.raster.rows
        rows = slice(max(0, row0 - pad) & ~1, min(n, row1 + pad + 1) & ~1)
        columns = slice(max(0, column0 - pad) & ~1, min(n, column1 + pad + 1) & ~1)
        if rows.stop <= rows.start or columns.stop <= columns.start:
            raise ValueError("the map is empty: update it with a scan before planning on it")
        return rows, columns


def disc_cells(raster: Raster, centre_m: ArrayLike, radius_m: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells whose centre lies within `radius_m`; at least the centre's own cell."""
    cx, cy = np.asarray(centre_m, dtype=np.float64)[:2].tolist()
    radius, cell = max(radius_m, 0.71 * raster.cell_m), raster.cell_m
    low_x, low_y = (cx - raster.x0_m) / cell - 0.5, (cy - raster.y0_m) / cell - 0.5
    reach = radius / cell
    rows = np.arange(max(ceil(low_y - reach), 0), min(floor(low_y + reach) + 1, raster.rows))
    columns = np.arange(max(ceil(low_x - reach), 0), min(floor(low_x + reach) + 1, raster.columns))
    near = (rows - low_y)[:, None] ** 2 + (columns - low_x) ** 2 <= reach * reach
    row, column = np.nonzero(near)
    return rows[row], columns[column]
