"""Is a house solvable in principle? Free floor, reach, doors that swing free, nothing inside anything else."""

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from sim.house.plane import Rect, offset, rect_at
from sim.house.schema import Fixture, Front, House

CELL_M = 0.05
WALK_RADIUS_M = 0.40
"""Half of the narrowest way between rooms and to work places; the robot's own radius is 0.27."""
LEAF_M = 0.04
SHARE_ENTERED = 0.7
"""Of a room's free floor that must be got to with all leaves standing open."""
STAND_RADIUS_M = 0.29
"""Free radius where the robot stands and works."""
PASS_RADIUS_M = 0.31
"""Free radius beside the open leaf of a door that the robot has pushed."""
STAND_DISTANCES_M = tuple(float(d) for d in np.arange(0.55, 0.801, 0.05))
_STAND_ANGLES_RAD = (0.0, -0.2, 0.2, -0.4, 0.4)
_WALL_HUNG = ("upper_cabinet", "sink", "dish_rack", "base")
"""Not on the floor, or part of a counter that is."""

Grid = NDArray[np.bool_]


def problems(house: House) -> list[str]:
    """What makes the house unsolvable, in words; empty when nothing does."""
    found = [*_overlaps(house), *_blocked_fronts(house)]
    return found or _unreachable(house)


def floor_rects(house: House) -> list[Rect]:
    """Bounding rectangles of everything that takes up floor; tables and shelves count as solid."""
    return [_rect(f) for f in house.fixtures if f.class_name not in _WALL_HUNG]


def _rect(fixture: Fixture) -> Rect:
    return rect_at(fixture.x, fixture.y, fixture.yaw, fixture.size[0], fixture.size[1])


def _open_leaves(house: House) -> list[Rect]:
    leaves = []
    for door in house.doorways:
        if door.params:
            side = door.params["hinge_side"]
            for way in (-1.0, 1.0):
                x, y = offset(door.x, door.y, door.yaw, way * door.width / 2, side * door.width / 2)
                leaves.append(rect_at(x, y, door.yaw, door.width, LEAF_M))
    return leaves


def _overlaps(house: House) -> list[str]:
    solids = [(f, _rect(f)) for f in house.fixtures if f.class_name not in _WALL_HUNG]
    walls = [Rect(*w) for w in house.walls]
    found = []
    for i, (fixture, rect) in enumerate(solids):
        for other, other_rect in solids[i + 1 :]:
            if {fixture.class_name, other.class_name} == {"table", "chair"}:
                continue
            if rect.overlaps(other_rect, 0.011):
                found.append(f"{fixture.name} overlaps {other.name}")
        if any(rect.overlaps(w, 0.011) for w in walls):
            found.append(f"{fixture.name} stands in a wall")
    return found


def swing_points(front: Front, fixture: Fixture) -> NDArray[np.float64]:
    """(n, 2) points of the front with its handle over its whole travel, from half closed on, in the world."""
    thickness, width, _ = front.size
    face = fixture.size[0] / 2
    reach = thickness + 0.065
    if front.class_name == "drawer":
        outs, sides = np.linspace(0.0, front.open_joint, 6), np.linspace(-width / 2, width / 2, 5)
        local = np.array([(face + out + reach, side) for out in outs for side in sides])
    else:
        hinge = width / 2 * (-1.0 if front.class_name.endswith("left") else 1.0)
        local = []
        for angle in np.linspace(0.2, front.open_joint, 8):
            for along in np.linspace(0.3, 1.0, 4) * width:
                for out in (0.0, reach if along > 0.8 * width else thickness):
                    x = along * sin(angle) + out * cos(angle)
                    y = along * cos(angle) - out * sin(angle)
                    local.append((face + x, hinge - y * np.sign(hinge)))
        local = np.array(local)
    c, s = cos(front.yaw), sin(front.yaw)
    return np.stack((fixture.x + local[:, 0] * c - local[:, 1] * s, fixture.y + local[:, 0] * s + local[:, 1] * c), 1)


def _blocked_fronts(house: House) -> list[str]:
    by_name = {f.name: f for f in house.fixtures}
    boxes = [(f, _rect(f), f.z - f.size[2] / 2, f.z + f.size[2] / 2) for f in house.fixtures]
    walls = [(f"wall {i}", Rect(*w), 0.0, 2.5) for i, w in enumerate(house.walls)]
    found = []
    for front in house.fronts:
        own = by_name[front.fixture]
        points = swing_points(front, own)
        low, high = front.params["z"] - front.size[2] / 2, front.params["z"] + front.size[2] / 2
        # The worktop juts out a little over the doors below it: a counter that faces the same way is the front's own.
        others = [
            (f.name, rect, z0, z1)
            for f, rect, z0, z1 in boxes
            if f is not own and not (f.class_name == "counter" and f.yaw == front.yaw)
        ]
        for name, rect, z0, z1 in [*others, *walls]:
            if z1 <= low + 0.01 or high <= z0 + 0.01:
                continue
            r = rect.grown(-0.005)
            inside = (points[:, 0] > r.x0) & (points[:, 0] < r.x1) & (points[:, 1] > r.y0) & (points[:, 1] < r.y1)
            if inside.any():
                found.append(f"{front.name} swings into {name}")
                break
    return found


class FloorGrid:
    """Free floor on a grid of CELL_M, doors counted as pushed open."""

    def __init__(self, house: House, leaves: bool = False) -> None:
        """With `leaves` those of all doors stand open into both of their rooms."""
        rects = [Rect(*w) for w in house.walls]
        self.x0, self.y0 = min(r.x0 for r in rects), min(r.y0 for r in rects)
        nx = int(np.ceil((max(r.x1 for r in rects) - self.x0) / CELL_M))
        ny = int(np.ceil((max(r.y1 for r in rects) - self.y0) / CELL_M))
        self._xs = self.x0 + (np.arange(nx) + 0.5) * CELL_M
        self._ys = self.y0 + (np.arange(ny) + 0.5) * CELL_M
        self._rects = [*rects, *floor_rects(house), *(_open_leaves(house) if leaves else ())]
        self._inside = np.zeros((nx, ny), bool)
        for room in house.rooms:
            self._inside[self._slice(Rect(room.x0, room.y0, room.x1, room.y1).grown(0.13))] = True

    def _slice(self, r: Rect) -> tuple[slice, slice]:
        return (
            slice(*np.searchsorted(self._xs, (r.x0, r.x1))),
            slice(*np.searchsorted(self._ys, (r.y0, r.y1))),
        )

    def room(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
        """The cells of a rectangle of the floor."""
        return self._slice(Rect(x0, y0, x1, y1))

    def free(self, radius: float) -> Grid:
        """(nx, ny) cells where a disc of `radius` meets no wall and no furniture. Doorways are as wide as they are."""
        free = self._inside.copy()
        for r in self._rects:
            grown = r.grown(radius)
            ix, iy = self._slice(grown)
            # A disc against a rectangle: the corners are round.
            dx = np.maximum(np.maximum(r.x0 - self._xs[ix], self._xs[ix] - r.x1), 0.0)
            dy = np.maximum(np.maximum(r.y0 - self._ys[iy], self._ys[iy] - r.y1), 0.0)
            free[ix, iy] &= dx[:, None] ** 2 + dy[None, :] ** 2 >= radius * radius
        return free

    def cell(self, x: float, y: float) -> tuple[int, int]:
        return int((x - self.x0) / CELL_M), int((y - self.y0) / CELL_M)

    def at(self, grid: Grid, x: float, y: float) -> bool:
        i, j = self.cell(x, y)
        return 0 <= i < grid.shape[0] and 0 <= j < grid.shape[1] and bool(grid[i, j])


def flood(free: Grid, seeds: Grid) -> Grid:
    """Cells of `free` connected (4-neighbours) with `seeds`."""
    reached = seeds & free
    frontier = reached
    while frontier.any():
        grown = np.zeros_like(frontier)
        grown[1:] |= frontier[:-1]
        grown[:-1] |= frontier[1:]
        grown[:, 1:] |= frontier[:, :-1]
        grown[:, :-1] |= frontier[:, 1:]
        frontier = grown & free & ~reached
        reached = reached | frontier
    return reached


def standing_spot(grid: FloorGrid, reached: Grid, x: float, y: float, yaw: float) -> tuple[float, float] | None:
    """A reached spot 0.55 to 0.80 m in front of (x, y) on the side of `yaw`."""
    for angle in _STAND_ANGLES_RAD:
        for distance in STAND_DISTANCES_M:
            spot = offset(x, y, yaw + angle, distance)
            if grid.at(reached, *spot):
                return spot
    return None


def reachable_floor(house: House) -> tuple[FloorGrid, Grid]:
    """The grid, and the cells where the robot can stand that it gets to from its start."""
    grid = FloorGrid(house)
    walk = grid.free(WALK_RADIUS_M)
    seeds = np.zeros_like(walk)
    i, j = grid.cell(house.start[0], house.start[1])
    seeds[i, j] = True
    main = flood(walk, seeds)
    return grid, flood(grid.free(STAND_RADIUS_M), main)


def work_targets(house: House) -> list[tuple[str, float, float, float]]:
    """Everything the robot must be able to stand in front of: what, x, y, direction from which it is worked on."""
    place_of = {place.name: place for place in house.places}
    front_of = {front.name: front for front in house.fronts}
    targets = [(place.name, place.x, place.y, place.yaw) for place in house.places]
    for front in house.fronts:
        targets.append((front.name, front.handle_x, front.handle_y, front.yaw))
        if front.class_name == "drawer":
            pulled = offset(front.handle_x, front.handle_y, front.yaw, front.open_joint)
            targets.append((f"{front.name} when it is open", *pulled, front.yaw))
    for item in house.items:
        if item.class_name in ("mug", "pod"):
            place = place_of[item.place]
            front = front_of.get(place.front or "")
            out = 0.95 * front.open_joint if front is not None and front.class_name == "drawer" else 0.0
            targets.append((item.name, *offset(item.x, item.y, place.yaw, out), place.yaw))
    targets.extend((m.name, *offset(m.x, m.y, m.yaw, 0.05), m.yaw) for m in house.machines)
    return targets


def _unreachable(house: House) -> list[str]:
    grid, reached = reachable_floor(house)
    if not grid.at(reached, house.start[0], house.start[1]):
        return ["the robot starts without room to move"]
    return [
        *(
            f"no way to stand in front of {name}"
            for name, x, y, yaw in work_targets(house)
            if standing_spot(grid, reached, x, y, yaw) is None
        ),
        *(f"no way through {door.name}" for door in house.doorways if not grid.at(reached, door.x, door.y)),
        *_cut_off_by_leaves(house),
    ]


def _cut_off_by_leaves(house: House) -> list[str]:
    """Rooms that cannot be entered once their doors stand open."""
    grid = FloorGrid(house, leaves=True)
    seeds = np.zeros_like(grid.free(0.0))
    seeds[grid.cell(house.start[0], house.start[1])] = True
    passed = flood(grid.free(PASS_RADIUS_M), seeds)
    open_floor = FloorGrid(house).free(WALK_RADIUS_M)
    found = []
    for room in house.rooms:
        inside = grid.room(room.x0, room.y0, room.x1, room.y1)
        share = float(passed[inside].sum()) / max(1, int(open_floor[inside].sum()))
        if share < SHARE_ENTERED:
            found.append(f"open doors leave no way into {room.name}")
    return found
