"""Axis-aligned rectangles and wall frames: the plane geometry of furnishing."""

from dataclasses import dataclass, field
from math import cos, pi, sin
from typing import NamedTuple

QUARTER = pi / 2


class Rect(NamedTuple):
    x0: float
    y0: float
    x1: float
    y1: float

    def overlaps(self, other: "Rect", slack: float = 1e-6) -> bool:
        """Whether the interiors meet by more than `slack` (m)."""
        return (
            self.x0 < other.x1 - slack
            and other.x0 < self.x1 - slack
            and self.y0 < other.y1 - slack
            and other.y0 < self.y1 - slack
        )

    def inside(self, other: "Rect", slack: float = 1e-6) -> bool:
        return (
            self.x0 >= other.x0 - slack
            and self.y0 >= other.y0 - slack
            and self.x1 <= other.x1 + slack
            and self.y1 <= other.y1 + slack
        )

    def grown(self, by: float) -> "Rect":
        return Rect(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return self.width * self.height


def rect_at(x: float, y: float, yaw: float, depth: float, width: float) -> Rect:
    """Bounding rectangle of a piece centred at (x, y); `yaw` is a multiple of a quarter turn."""
    c, s = abs(cos(yaw)), abs(sin(yaw))
    half_x, half_y = (c * depth + s * width) / 2, (s * depth + c * width) / 2
    return Rect(x - half_x, y - half_y, x + half_x, y + half_y)


def offset(x: float, y: float, yaw: float, forward: float, left: float = 0.0) -> tuple[float, float]:
    """The point `forward` along yaw and `left` of it."""
    return x + forward * cos(yaw) - left * sin(yaw), y + forward * sin(yaw) + left * cos(yaw)


class Wall(NamedTuple):
    """One wall of a room as seen from inside it: u runs along it, to the left of the inward normal `yaw`."""

    x: float
    y: float
    yaw: float
    length: float
    side: str

    def at(self, u: float, depth: float) -> tuple[float, float]:
        return offset(self.x, self.y, self.yaw, depth, u)

    def rect(self, u0: float, u1: float, depth0: float, depth1: float) -> Rect:
        (xa, ya), (xb, yb) = self.at(u0, depth0), self.at(u1, depth1)
        return Rect(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))


def walls_of(room: Rect) -> tuple[Wall, Wall, Wall, Wall]:
    """South, east, north, west."""
    return (
        Wall(room.x1, room.y0, QUARTER, room.width, "south"),
        Wall(room.x1, room.y1, 2 * QUARTER, room.height, "east"),
        Wall(room.x0, room.y1, 3 * QUARTER, room.width, "north"),
        Wall(room.x0, room.y0, 0.0, room.height, "west"),
    )


@dataclass
class Space:
    """What stands in a room, and what has to stay free."""

    room: Rect
    solids: list[Rect] = field(default_factory=list)
    zones: list[Rect] = field(default_factory=list)
    swings: list[Rect] = field(default_factory=list)
    """Where door leaves swing: free of furniture, and of robots at work."""

    def fits(self, solid: Rect, zone: Rect | None = None, work: Rect | None = None) -> bool:
        """Whether a solid fits, with its free floor `zone` and, within that, the floor `work` the robot stands on."""
        return (
            solid.inside(self.room)
            and not any(solid.overlaps(r) for r in self.solids)
            and not any(solid.overlaps(r) for r in [*self.zones, *self.swings])
            and (work is None or not any(work.overlaps(r) for r in self.swings))
            and (zone is None or (zone.inside(self.room) and not any(zone.overlaps(r) for r in self.solids)))
        )

    def add(self, solid: Rect, zone: Rect | None = None) -> None:
        self.solids.append(solid)
        if zone is not None:
            self.zones.append(zone)
