"""A metric raster and the two vectorised field computations planning needs: distance and travel cost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Raster:
    """Where the cells of an array (rows along y, columns along x) lie in the map frame."""

    x0_m: float
    """Left edge of column 0."""
    y0_m: float
    """Lower edge of row 0."""
    cell_m: float
    rows: int
    columns: int

    def cells(self, points_in_map_m: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Row and column of (..., 2) points; they may lie outside."""
        points = np.asarray(points_in_map_m, dtype=np.float64)
        column = np.floor((points[..., 0] - self.x0_m) / self.cell_m).astype(np.intp)
        row = np.floor((points[..., 1] - self.y0_m) / self.cell_m).astype(np.intp)
        return row, column

    def centres(self, row: ArrayLike, column: ArrayLike) -> Array:
        """(..., 2) centres of cells in the map frame."""
        x = self.x0_m + (np.asarray(column, dtype=np.float64) + 0.5) * self.cell_m
        y = self.y0_m + (np.asarray(row, dtype=np.float64) + 0.5) * self.cell_m
        return np.stack((x, y), axis=-1)

    def inside(self, row: ArrayLike, column: ArrayLike) -> Mask:
        row, column = np.asarray(row), np.asarray(column)
        return (row >= 0) & (row < self.rows) & (column >= 0) & (column < self.columns)

    def window(self, row0: int, row1: int, column0: int, column1: int) -> "Raster":
        """The raster of rows [row0, row1) and columns [column0, column1)."""
        return Raster(
            self.x0_m + column0 * self.cell_m,
            self.y0_m + row0 * self.cell_m,
            self.cell_m,
            row1 - row0,
            column1 - column0,
        )


def rectangle_cells(
    raster: Raster, centre_m: ArrayLike, yaw_rad: float, size_m: tuple[float, float]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells whose centre lies in a rectangle of `size_m` (along yaw, across yaw)."""
    cx, cy = np.asarray(centre_m, dtype=np.float64)[:2]
    reach = 0.5 * float(np.hypot(*size_m)) + raster.cell_m
    (row0, row1), (column0, column1) = raster.cells(((cx - reach, cy - reach), (cx + reach, cy + reach)))
    rows = np.arange(max(row0, 0), min(row1 + 1, raster.rows))
    columns = np.arange(max(column0, 0), min(column1 + 1, raster.columns))
    row, column = (a.ravel() for a in np.meshgrid(rows, columns, indexing="ij"))
    offset = raster.centres(row, column) - (cx, cy)
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    along, across = offset @ (c, s), offset @ (-s, c)
    keep = (np.abs(along) <= 0.5 * size_m[0]) & (np.abs(across) <= 0.5 * size_m[1])
    return row[keep], column[keep]


def distance_to(obstacles: Mask, cell_m: float, reach_m: float) -> Field:
    """Distance in m from each cell's centre to the nearest obstacle cell's centre, at most `reach_m`.

    Exact Euclidean: distances along x by two running maxima, then the lower envelope along y by shifts.
    """
    rows, columns = obstacles.shape
    reach = int(np.ceil(reach_m / cell_m))
    far = np.int32(reach + 1)
    index = np.arange(columns, dtype=np.int32)
    last = np.maximum.accumulate(np.where(obstacles, index, -far), axis=1)
    following = np.minimum.accumulate(np.where(obstacles, index, columns + far)[:, ::-1], axis=1)[:, ::-1]
    along_x = np.minimum(np.minimum(index - last, following - index), far).astype(np.float32)
    squared = along_x * along_x
    best = squared.copy()
    shifted = np.empty_like(squared)
    for k in range(1, min(reach, rows - 1) + 1):
        np.add(squared, np.float32(k * k), out=shifted)
        np.minimum(best[k:], shifted[:-k], out=best[k:])
        np.minimum(best[:-k], shifted[k:], out=best[:-k])
    return np.minimum(np.sqrt(best) * np.float32(cell_m), np.float32(reach_m))


def travel_costs(cost_per_m: Field, cell_m: float, start: tuple[int, int]) -> Field:
    """(rows, columns) least cost from `start` over the 8-connected grid; infinity where it cannot get.

    `cost_per_m` is infinite where the way is blocked; a step costs its length times the mean of its two cells.
    A label-correcting wavefront: all cells that improved and lie near the front are relaxed together.
    """
    rows, columns = cost_per_m.shape
    width = columns + 2
    cost = np.full((rows + 2, width), np.inf, np.float32)
    cost[1:-1, 1:-1] = cost_per_m * np.float32(0.5 * cell_m)
    cost = cost.ravel()
    steps = np.array((1, -1, width, -width, width + 1, width - 1, -width + 1, -width - 1), dtype=np.intp)[:, None]
    lengths = np.array((1, 1, 1, 1, *[np.sqrt(2.0)] * 4), dtype=np.float32)[:, None]
    total = np.full(cost.size, np.inf, np.float32)
    source = (start[0] + 1) * width + start[1] + 1
    total[source] = 0.0
    band = np.float32(3.0 * cell_m)  # the cheapest of 1 to 20 cells in a house: little is relaxed twice
    place = np.zeros(cost.size, np.intp)
    active = np.array((source,), dtype=np.intp)
    while active.size:
        reached = total[active]
        near = reached <= reached.min() + band
        now = active[near]
        neighbours = now + steps
        offered = (cost[now] + cost[neighbours]) * lengths + reached[near]
        better = offered < total[neighbours]
        cells = neighbours[better]
        np.minimum.at(total, cells, offered[better])
        active = np.concatenate((active[~near], cells))
        order = np.arange(active.size)
        place[active] = order  # the last of equal cells wins: each stays once
        active = active[place[active] == order]
    return total.reshape(rows + 2, width)[1:-1, 1:-1]
