"""Paths for the base over a raster of free, occupied and unknown floor.

`CostGrid` says what a metre costs where, `Travel` the least cost from one start to everywhere (one field serves
many goals), `Path` a polyline to follow. Planning runs at 10 cm on clearances measured at 5 cm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

import numpy as np
from numpy.typing import ArrayLike, NDArray

from controllers.motion.grid import Array, Field, Mask, Raster, distance_to, travel_costs

FOOTPRINT_RADIUS_M = 0.27
HARD_CLEARANCE_M = FOOTPRINT_RADIUS_M + 0.045
"""Paths keep this clear. The margin is for the raster: faces lie up to 3.5 cm before their cell's centre."""
SQUEEZE_CLEARANCE_M, SQUEEZE_COST = FOOTPRINT_RADIUS_M + 0.02, 10.0
"""Where there is no other way a path may come this near, at this cost per metre: the faces may be better than feared,
and whoever follows it keeps clear of what the scan shows."""
SOFT_CLEARANCE_M = 0.60
"""Nearer than this costs extra, up to CLOSE_COST per metre."""
CLOSE_COST = 2.5
DOCK_CLEARANCE_M = FOOTPRINT_RADIUS_M + 0.03
"""The last stretch to an exact goal may come this near."""
DOOR_COST = 6.0
"""Per metre within reach of a door leaf that has to be pushed: a door costs about as much as 4 m of way."""

_FACTOR = 2
_REACH_M = 0.8
_DOCKS = 8
"""Cells from which the last stretch to an exact goal is tried."""


@dataclass(frozen=True, slots=True)
class CostGrid:
    """What planning needs of a map at one moment. Fine arrays have the cells of `raster`, coarse ones 2 × 2 of them."""

    raster: Raster
    clearance_m: Field
    """Fine: distance to the nearest obstacle, at most 0.8 m. Unknown floor is no obstacle."""
    unknown: Mask
    """Fine."""
    dismissed: Mask
    """Fine: floor nobody will look at again."""
    unlooked: Mask
    """Fine: free floor that the scan knows and the camera has not looked at."""
    door: NDArray[np.int8]
    """Fine: 1 + index into `door_names` where the footprint would touch that door's leaf, else 0."""
    door_names: tuple[str, ...]
    push_doors: bool
    coarse: Raster
    cost_per_m: Field
    """Coarse: infinite where the base's centre must not be."""

    def costs_at(self, points_in_map_m: ArrayLike) -> Array:
        """(...,) cost per metre at (..., 2) points, from the fine clearance; infinite where blocked or outside."""
        row, column = self.raster.cells(points_in_map_m)
        inside = self.raster.inside(row, column)
        row, column = np.where(inside, row, 0), np.where(inside, column, 0)
        blocked = ~inside | self.unknown[row, column]
        clearance = np.where(blocked, 0.0, self.clearance_m[row, column])
        return _cost(clearance, self.door[row, column] > 0 if self.push_doors else None)

    def clearances_at(self, points_in_map_m: ArrayLike) -> Array:
        """(...,) metres to the nearest obstacle, 0 outside and over unknown floor."""
        row, column = self.raster.cells(points_in_map_m)
        inside = self.raster.inside(row, column)
        row, column = np.where(inside, row, 0), np.where(inside, column, 0)
        return np.where(inside & ~self.unknown[row, column], self.clearance_m[row, column], 0.0).astype(np.float64)

    def is_free_between(self, a_in_map_m: ArrayLike, b_in_map_m: ArrayLike, clearance_m: float) -> bool:
        """Whether the straight way from one point to another is known and keeps the clearance."""
        samples = polyline_samples(np.array((a_in_map_m, b_in_map_m), dtype=np.float64), 0.5 * self.raster.cell_m)
        return bool(self.clearances_at(samples).min() >= clearance_m)


@dataclass(frozen=True, slots=True)
class Path:
    """A polyline in the map frame."""

    points_m: Array
    """(n, 2), n ≥ 2; the first is the start."""
    cost: float
    min_clearance_m: float
    doors: tuple[str, ...] = ()
    """Names of doors that have to be pushed on the way, in order."""
    goal_offset_m: float = 0.0
    """Distance of the last point from the goal that was asked for."""

    @property
    def length_m(self) -> float:
        return float(np.hypot(*np.diff(self.points_m, axis=0).T).sum())


@dataclass(frozen=True, slots=True)
class NoPath:
    """Why there is no path: `start-outside`, `goal-outside`, `goal-unknown`, `goal-blocked` or `cut-off`."""

    reason: str


def cost_grid(
    raster: Raster,
    *,
    occupied: Mask,
    unknown: Mask,
    dismissed: Mask,
    doors: Sequence[tuple[str, tuple[NDArray[np.intp], NDArray[np.intp]]]] = (),
    push_doors: bool = False,
    unlooked: Mask | None = None,
) -> CostGrid:
    """Clearances and costs of a raster with an even number of rows and columns.

    `doors` names the cells of each door leaf: with `push_doors` they are no obstacles, but the floor within reach of
    them costs DOOR_COST per metre.
    """
    if raster.rows % _FACTOR or raster.columns % _FACTOR:
        raise ValueError(f"rows and columns must be even, got {raster.rows} × {raster.columns}")
    door = np.zeros(occupied.shape, np.int8)
    obstacles, open_floor = occupied, unknown
    if push_doors and doors:
        obstacles, open_floor = occupied.copy(), unknown.copy()
        for number, (_, cells) in enumerate(doors, start=1):
            leaf = np.zeros(occupied.shape, np.bool_)
            leaf[cells] = occupied[cells]
            door[distance_to(leaf, raster.cell_m, HARD_CLEARANCE_M + raster.cell_m) < HARD_CLEARANCE_M] = number
            obstacles[cells] = False
            open_floor[cells] = False
    clearance = distance_to(obstacles, raster.cell_m, _REACH_M)
    coarse = Raster(
        raster.x0_m, raster.y0_m, _FACTOR * raster.cell_m, raster.rows // _FACTOR, raster.columns // _FACTOR
    )
    mean_clearance = _blocks(clearance).mean(axis=(1, 3))
    known = _blocks(open_floor).sum(axis=(1, 3)) <= 2
    pushed = np.any(_blocks(door > 0), axis=(1, 3)) if push_doors else None
    cost = _cost(np.where(known, mean_clearance, 0.0), pushed).astype(np.float32)
    names = tuple(name for name, _ in doors)
    if unlooked is None:
        unlooked = np.zeros(occupied.shape, np.bool_)
    return CostGrid(raster, clearance, open_floor, dismissed, unlooked, door, names, push_doors, coarse, cost)


class Travel:
    """Least costs from one start to everywhere (about 5 ms for a house, 15 ms for 200 × 200 cells of free floor)."""

    def __init__(self, grid: CostGrid, start_in_map_m: ArrayLike) -> None:
        self.grid = grid
        self.start_m = np.array(np.asarray(start_in_map_m, dtype=np.float64)[:2])
        row, column = grid.coarse.cells(self.start_m)
        self.start_inside = bool(grid.coarse.inside(row, column))
        if self.start_inside:
            self._cost_per_m = self._let_out(int(row), int(column))
            self.total: Field = travel_costs(self._cost_per_m, grid.coarse.cell_m, (int(row), int(column)))
        else:
            self._cost_per_m = grid.cost_per_m
            self.total = np.full((grid.coarse.rows, grid.coarse.columns), np.inf, np.float32)

    def _let_out(self, row: int, column: int) -> Field:
        """Costs in which a start nearer to something than HARD_CLEARANCE_M can get out again, but not nearer."""
        grid = self.grid
        if np.isfinite(grid.cost_per_m[row, column]):
            return grid.cost_per_m
        cost = grid.cost_per_m.copy()
        reach = round(0.5 / grid.coarse.cell_m)
        near = (slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1))
        clearance = _blocks(grid.clearance_m).mean(axis=(1, 3))
        known = _blocks(grid.unknown).sum(axis=(1, 3)) <= 2
        least = float(clearance[row, column]) - 0.02
        leave = (clearance[near] >= least) & known[near] & ~np.isfinite(cost[near])
        cost[near] = np.where(leave, np.float32(3.0 + CLOSE_COST), cost[near])
        cost[row, column] = min(float(cost[row, column]), 3.0 + CLOSE_COST)
        return cost

    @property
    def reachable(self) -> Mask:
        """Coarse cells where the base's centre can get to."""
        return np.isfinite(self.total)

    def costs_to(self, points_in_map_m: ArrayLike) -> Array:
        """(...,) travel cost to (..., 2) points, infinite where the base cannot stand or get to.

        For choosing among base placements: a point counts if its clearance allows docking and the floor beside it
        is reachable.
        """
        points = np.asarray(points_in_map_m, dtype=np.float64)
        row, column = self.grid.coarse.cells(points)
        best = np.full(row.shape, np.inf)
        for dr in (-1, 0, 1):
            for dc in (-1, 0, 1):
                r, c = row + dr, column + dc
                inside = self.grid.coarse.inside(r, c)
                there = self.total[np.where(inside, r, 0), np.where(inside, c, 0)]
                best = np.minimum(best, np.where(inside, there, np.inf) + self.grid.coarse.cell_m * hypot(dr, dc))
        return np.where(self.grid.clearances_at(points) >= DOCK_CLEARANCE_M, best, np.inf)

    def cost_near(self, point_in_map_m: ArrayLike, within_m: float) -> float:
        """Travel cost to the nearest reachable cell within a distance of a point, infinite if there is none."""
        ends = self._nearest_reached(np.asarray(point_in_map_m, dtype=np.float64), within_m)
        return float(self.total[ends[0]]) if ends else float("inf")

    def path_to(self, goal_in_map_m: ArrayLike, tolerance_m: float = 0.0) -> Path | NoPath:
        """A path to the goal, or to the nearest point within `tolerance_m` of it where the base can get to."""
        grid, goal = self.grid, np.array(np.asarray(goal_in_map_m, dtype=np.float64)[:2])
        if not self.start_inside:
            return NoPath("start-outside")
        if not grid.coarse.inside(*grid.coarse.cells(goal)):
            return NoPath("goal-outside")
        ends = self._nearest_reached(goal, max(tolerance_m, 3.0 * grid.coarse.cell_m))
        if not ends:
            return NoPath(self._reason(goal))
        exact = next((e for e in ends if grid.is_free_between(grid.coarse.centres(*e), goal, DOCK_CLEARANCE_M)), None)
        end = exact or ends[0]
        offset = 0.0 if exact else float(np.hypot(*(grid.coarse.centres(*end) - goal)))
        if offset > max(tolerance_m, 0.5 * grid.coarse.cell_m):
            return NoPath(self._reason(goal))
        cells = self._descend(end)
        points = np.concatenate((self.start_m[None], grid.coarse.centres(*cells[-max(1, len(cells) - 1) :].T)))
        points = self._straighten(points)
        if exact:
            points = self._end_at(points, goal)
        samples = polyline_samples(points, grid.raster.cell_m)
        row, column = grid.raster.cells(samples)
        numbers = grid.door[row, column]
        doors = tuple(dict.fromkeys(grid.door_names[n - 1] for n in numbers[numbers > 0]))
        return Path(points, float(self.total[end]), float(grid.clearance_m[row, column].min()), doors, offset)

    def _nearest_reached(self, goal: Array, within_m: float) -> list[tuple[int, int]]:
        """Up to _DOCKS cells near a goal that the base can get to, the nearest first."""
        coarse = self.grid.coarse
        reach = int(np.ceil(within_m / coarse.cell_m))
        row, column = (int(v) for v in coarse.cells(goal))
        row0, column0 = max(0, row - reach), max(0, column - reach)
        total = self.total[row0 : max(0, row + reach + 1), column0 : max(0, column + reach + 1)]
        rows, columns = np.nonzero(np.isfinite(total))
        if rows.size == 0:
            return []
        distance = np.hypot(*(coarse.centres(rows + row0, columns + column0) - goal).T)
        order = np.lexsort((total[rows, columns], distance.round(3)))[:_DOCKS]
        order = order[distance[order] <= within_m + 0.5 * coarse.cell_m]
        return [(int(rows[k]) + row0, int(columns[k]) + column0) for k in order]

    def _reason(self, goal: Array) -> str:
        row, column = self.grid.raster.cells(goal)
        if self.grid.unknown[row, column]:
            return "goal-unknown"
        return "cut-off" if self.grid.clearance_m[row, column] >= HARD_CLEARANCE_M else "goal-blocked"

    def _descend(self, end: tuple[int, int]) -> NDArray[np.intp]:
        """(n, 2) cells from start to `end` along the steepest fall of the total cost."""
        total = np.pad(self.total, 1, constant_values=np.inf)
        cost = np.pad(self._cost_per_m, 1, constant_values=np.inf)
        row, column = end[0] + 1, end[1] + 1
        cells = [(row - 1, column - 1)]
        step = 0.5 * self.grid.coarse.cell_m * np.array(((2**0.5, 1, 2**0.5), (1, np.inf, 1), (2**0.5, 1, 2**0.5)))
        while total[row, column] > 0.0:
            around = (slice(row - 1, row + 2), slice(column - 1, column + 2))
            k = int(np.argmin(total[around] + (cost[around] + cost[row, column]) * step))
            row, column = row + k // 3 - 1, column + k % 3 - 1
            cells.append((row - 1, column - 1))
        return np.array(cells[::-1], dtype=np.intp)

    def _straighten(self, points: Array) -> Array:
        """Drop the points whose detour is not worth it: straight stretches as long as they cost no more."""
        step = np.hypot(*np.diff(points, axis=0).T)
        cost = self.grid.costs_at(0.5 * (points[1:] + points[:-1]))
        finite = np.where(np.isfinite(cost), cost, 3.0 + CLOSE_COST)
        along = np.concatenate(((0.0,), np.cumsum(step * finite)))
        kept, i, last = [0], 0, len(points) - 1
        while i < last:
            good, stride = i + 1, 1
            while stride and good < last:
                j = min(good + stride, last)
                if self._straight_cost(points[i], points[j]) <= 1.02 * (along[j] - along[i]) + 0.02:
                    good, stride = j, 2 * stride
                else:
                    stride //= 2
            kept.append(good)
            i = good
        return points[kept]

    def _straight_cost(self, a: Array, b: Array) -> float:
        samples = polyline_samples(np.stack((a, b)), self.grid.raster.cell_m)
        length = float(np.hypot(*(b - a)))
        return length * float(self.grid.costs_at(samples).mean()) if length > 0.0 else 0.0

    def _end_at(self, points: Array, goal: Array) -> Array:
        """The exact goal instead of the last cell's centre, or after it if the shorter way is not free."""
        if self._straight_cost(points[-2], goal) < np.inf:
            return np.concatenate((points[:-1], goal[None]))
        return np.concatenate((points, goal[None]))


def plan_path(
    grid: CostGrid, start_in_map_m: ArrayLike, goal_in_map_m: ArrayLike, tolerance_m: float = 0.0
) -> Path | NoPath:
    """A path for one goal; use `Travel` when several goals are to be compared."""
    return Travel(grid, start_in_map_m).path_to(goal_in_map_m, tolerance_m)


def reachable_mask(grid: CostGrid, start_in_map_m: ArrayLike) -> Mask:
    """Coarse cells (`grid.coarse`) the base's centre can get to from the start."""
    return Travel(grid, start_in_map_m).reachable


def is_blocked(grid: CostGrid, path: Path, base_xy_in_map_m: ArrayLike, ahead_m: float = 2.5) -> bool:
    """Whether something now stands in the next `ahead_m` of a path: time to plan anew.

    A path may come as near as it was planned to; unknown floor does not block.
    """
    samples = polyline_samples(path.points_m, grid.raster.cell_m)
    base = np.asarray(base_xy_in_map_m, dtype=np.float64)[:2]
    first = int(np.argmin(np.hypot(*(samples - base).T)))
    samples = samples[first : first + int(ahead_m / grid.raster.cell_m)]
    row, column = grid.raster.cells(samples)
    inside = grid.raster.inside(row, column)
    clearance = grid.clearance_m[row[inside], column[inside]]
    return bool(np.any(clearance < min(FOOTPRINT_RADIUS_M, path.min_clearance_m) - 0.02))


def _cost(clearance_m: NDArray[np.floating], pushed: NDArray[np.bool_] | np.bool_ | None) -> Array:
    close = np.clip((SOFT_CLEARANCE_M - clearance_m) / (SOFT_CLEARANCE_M - HARD_CLEARANCE_M), 0.0, 1.0)
    cost = 1.0 + CLOSE_COST * close * close
    if pushed is not None:
        cost = cost + DOOR_COST * pushed
    cost = np.where(clearance_m < HARD_CLEARANCE_M, cost + SQUEEZE_COST, cost)
    return np.where(clearance_m < SQUEEZE_CLEARANCE_M, np.inf, cost).astype(np.float64)


def _blocks(fine: NDArray[np.generic]) -> NDArray[np.generic]:
    rows, columns = fine.shape
    return fine.reshape(rows // _FACTOR, _FACTOR, columns // _FACTOR, _FACTOR)


def polyline_samples(points: Array, spacing_m: float) -> Array:
    """Points along a polyline, at most `spacing_m` apart, with all its corners."""
    pieces = [points[:1]]
    for a, b in pairwise(points):
        n = max(1, int(np.ceil(np.hypot(*(b - a)) / spacing_m)))
        pieces.append(a + (b - a) * (np.arange(1, n + 1) / n)[:, None])
    return np.concatenate(pieces)
