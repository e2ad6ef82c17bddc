"""Where the known floor ends or was never looked at, and which of these places to look at next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from controllers.motion import se2
from controllers.motion.doors import PASSABLE_OPENING, STANDOFF_M, DoorPush, Doorway, plan_push, push_along
from controllers.motion.grid import Array
from controllers.motion.paths import CostGrid, Path, Travel

_SLIVER_CLEARANCE_M = 0.12
_VIEW_WITHIN_M = 0.8
_PUSH_COST = 4.0
_COST_PER_RAD = 0.3
_GAIN_PER_M = 1.2
_MOST_GAIN_M = 2.0
_KEEP_BONUS = 2.5
_LOOK_AREA_M2 = 0.4
"""Smaller patches of floor that the camera has not looked at are not worth a look of their own."""
_LOOK_FROM_M = 3.0


@dataclass(frozen=True, slots=True)
class Frontier:
    """A stretch of free floor beside unknown floor, or a shut door nobody looked behind."""

    x_m: float
    y_m: float
    size_m: float
    door: str = ""
    """Name of the door that has to be pushed to look behind it."""
    look: bool = False
    """Free floor that the scan knows and the camera has not looked at; (x_m, y_m) is its nearest cell."""


@dataclass(frozen=True, slots=True)
class View:
    """A frontier, and where to stand to look at it."""

    frontier: Frontier
    pose_in_map: Array
    """(3,) reachable; faces the frontier."""
    path: Path
    score: float
    """Lower is better: cost of the way less what may be gained."""
    door: str = ""
    """Name of the door to push before anything else: the first on the path, or the one to look behind."""
    push: DoorPush | None = None
    """How to push it: drive to its approach pose, then through."""


def frontiers(grid: CostGrid, doors: Mapping[str, Doorway] | None = None, min_size_m: float = 0.45) -> list[Frontier]:
    """All frontiers in a fixed order (by row, then column of their first cell). Reachability is not asked here.

    Leave doors that could not be pushed out of `doors`: dismissing does not remove them.
    Of `doors` (`OccupancyMap.doorways()`) those not yet passable, unknown on one side, count too.
    """
    unseen = grid.unknown & ~grid.dismissed
    beside = np.zeros_like(unseen)
    beside[1:] |= unseen[:-1]
    beside[:-1] |= unseen[1:]
    beside[:, 1:] |= unseen[:, :-1]
    beside[:, :-1] |= unseen[:, 1:]
    border = beside & ~grid.unknown & ~grid.dismissed & (grid.clearance_m > _SLIVER_CLEARANCE_M)
    cell = grid.raster.cell_m
    found = []
    for rows, columns in _clusters(border):
        if rows.size * cell < min_size_m:
            continue
        points = grid.raster.centres(rows, columns)
        middle = points[int(np.argmin(np.hypot(*(points - points.mean(axis=0)).T)))]
        found.append(Frontier(float(middle[0]), float(middle[1]), rows.size * cell))
    for name, door in sorted((doors or {}).items()):
        if door.opening < PASSABLE_OPENING and any(_unseen_at(grid, point) for point in door.sides(0.5)):
            found.append(Frontier(*door.position_in_map_m, door.width_m, name))
    return found


def look_frontiers(grid: CostGrid, base_xy_in_map: ArrayLike) -> list[Frontier]:
    """Patches of free floor that the camera has not looked at, in the order of their first cell.

    A scan sees all around, a camera does not: a room may be known to the scan and none of its furniture to the belief.
    """
    wanted = grid.unlooked & ~grid.dismissed & (grid.clearance_m > _SLIVER_CLEARANCE_M)
    rows, columns = grid.coarse.rows, grid.coarse.columns
    share = wanted.reshape(rows, wanted.shape[0] // rows, columns, wanted.shape[1] // columns).mean(axis=(1, 3))
    base = np.asarray(base_xy_in_map, dtype=np.float64)[:2]
    found = []
    for row, column in _clusters(share >= 0.5):
        area = row.size * grid.coarse.cell_m**2
        if area < _LOOK_AREA_M2:
            continue
        points = grid.coarse.centres(row, column)
        nearest = points[int(np.argmin(np.hypot(*(points - base).T).round(6)))]
        found.append(Frontier(float(nearest[0]), float(nearest[1]), area**0.5, look=True))
    return found


def choose_frontier(
    candidates: Sequence[Frontier],
    travel: Travel,
    base_pose_in_map: ArrayLike,
    doors: Mapping[str, Doorway] | None = None,
    keep_xy: ArrayLike | None = None,
) -> View | None:
    """The frontier with the best balance of way and gain, or None when none can be reached: everything was seen.

    Let `travel` be on costs with `push_doors`, so that what lies behind ajar doors can be reached.

    `keep_xy` is where the frontier chosen last was: it is kept unless another one is clearly better, so the base
    does not turn back and forth.
    """
    pose = np.asarray(base_pose_in_map, dtype=np.float64)
    views = []
    for frontier in candidates:
        there = np.array((frontier.x_m, frontier.y_m))
        if frontier.look and np.hypot(*(there - pose[:2])) < _LOOK_FROM_M and _sees(travel.grid, pose[:2], there):
            # It can be looked at from here: no way, only a turn.
            turn = abs(se2.wrap(se2.facing(pose[:2], there) - pose[2]))
            score = _COST_PER_RAD * turn - _GAIN_PER_M * min(frontier.size_m, _MOST_GAIN_M)
            views.append((score, frontier, pose[:2], 0.0))
            continue
        door = (doors or {}).get(frontier.door)
        spots = [there] if door is None else door.sides(STANDOFF_M)
        within = _VIEW_WITHIN_M if door is None else 0.25
        costs = [float(travel.cost_near(spot, within)) for spot in spots]
        k = int(np.argmin(costs))
        if not np.isfinite(costs[k]):
            continue
        turn = abs(se2.wrap(se2.facing(pose[:2], there) - pose[2]))
        score = costs[k] + _COST_PER_RAD * turn - _GAIN_PER_M * min(frontier.size_m, _MOST_GAIN_M)
        score += _PUSH_COST if frontier.door else 0.0
        if keep_xy is not None and np.hypot(*(there - np.asarray(keep_xy, dtype=np.float64)[:2])) < 0.8:
            score -= _KEEP_BONUS
        views.append((score, frontier, spots[k], within))
    for score, frontier, spot, within in sorted(views, key=lambda v: v[0]):
        path = travel.path_to(spot, within) if within else _here(spot)
        toward = np.array((frontier.x_m, frontier.y_m))
        if isinstance(path, Path) and (frontier.door or _sees(travel.grid, path.points_m[-1], toward)):
            end = path.points_m[-1]
            view = View(frontier, np.array((*end, se2.facing(end, toward))), path, score)
            if path.doors and path.doors[0] in (doors or {}):
                first = path.doors[0]
                return replace(view, door=first, push=push_along(path, (doors or {})[first]))
            if frontier.door:
                return replace(view, door=frontier.door, push=plan_push((doors or {})[frontier.door], end))
            return view
    return None


def _here(xy: Array) -> Path:
    return Path(np.stack((xy, xy)), 0.0, 0.0)


def _sees(grid: CostGrid, a: Array, b: Array) -> bool:
    """Whether nothing stands between two points: the frontier is not behind a wall of the place it is near to."""
    points = a + np.linspace(0.0, 1.0, 12)[:, None] * (b - a)
    row, column = grid.raster.cells(points)
    return bool(np.all(grid.clearance_m[row, column] > 0.5 * grid.raster.cell_m))


def _unseen_at(grid: CostGrid, point: Array) -> bool:
    row, column = (int(v) for v in grid.raster.cells(point))
    if not bool(grid.raster.inside(row, column)):
        return True
    return bool(grid.unknown[row, column])


def _clusters(border: NDArray[np.bool_]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """8-connected groups of cells."""
    columns = border.shape[1]
    cells = np.flatnonzero(border).tolist()
    waiting = dict.fromkeys(cells)
    steps = (1, -1, columns, -columns, columns + 1, columns - 1, -columns + 1, -columns - 1)
    groups = []
    for first in cells:
        if first not in waiting:
            continue
        del waiting[first]
        group, todo = [], [first]
        while todo:
            cell = todo.pop()
            group.append(cell)
            for step in steps:
                if cell + step in waiting:
                    del waiting[cell + step]
                    todo.append(cell + step)
        groups.append(np.divmod(np.array(sorted(group), dtype=np.intp), columns))
    return groups
