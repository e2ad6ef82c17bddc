"""A house while it is being drawn."""

from dataclasses import dataclass, field

import numpy as np

from sim.house.layout import Layout
from sim.house.plane import Space, Wall
from sim.house.schema import Decor, Fixture, Front, Place, Room, Split
from sim.house.split import Range, SplitAxes

Rgb = tuple[float, float, float]


@dataclass
class Draft:
    split: Split
    rng: np.random.Generator
    axes: SplitAxes
    layout: Layout
    palette: dict[str, Rgb]
    rooms: list[Room] = field(default_factory=list)
    spaces: list[Space] = field(default_factory=list)
    fixtures: list[Fixture] = field(default_factory=list)
    fronts: list[Front] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    decor: list[Decor] = field(default_factory=list)
    machine_spots: list["MachineSpot"] = field(default_factory=list)
    drawn: dict[str, str | float] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    def name(self, stem: str) -> str:
        self._names[stem] = self._names.get(stem, 0) + 1
        return f"{stem}_{self._names[stem]}"

    def uniform(self, bounds: Range) -> float:
        return round(float(self.rng.uniform(*bounds)), 4)

    def choice(self, options: tuple[str, ...] | list[str]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return float(self.rng.random()) < share

    def tint(self, color: Rgb, amount: float = 0.06) -> Rgb:
        r, g, b = (float(np.clip(round(c + self.rng.uniform(-amount, amount), 3), 0.02, 0.98)) for c in color)
        return r, g, b

    def is_exterior(self, cell: int, wall: Wall, u: float) -> bool:
        """Whether nothing but the garden lies behind the wall at `u`."""
        x, y = wall.at(u, -0.4)
        return not any(c.x0 < x < c.x1 and c.y0 < y < c.y1 for i, c in enumerate(self.layout.cells) if i != cell)


@dataclass(frozen=True)
class MachineSpot:
    """Where on a worktop a coffee machine can stand: on the front edge, facing out."""

    x: float
    y: float
    z: float
    yaw: float
    """Of the front edge's middle, and its outward normal."""
    fixture: str
    room: str
    above_free: float
    """Free height above the worktop, m."""
