"""Where the kitchen's counters run: one wall, two neighbouring walls, or two facing walls."""

from dataclasses import dataclass, field

from sim.house.draft import Draft
from sim.house.plane import Rect, Space, Wall, walls_of

WORKTOP_DEPTH_M = 0.62
FRIDGE_DEPTH_M, FRIDGE_WIDTH_M = 0.66, 0.62
FREE_IN_FRONT_M = 1.2
WORK_M = 0.85
"""Of it, what the robot stands on at work: no room door swings there."""
SIDE_CLEARANCE_M = 0.20
"""A hinged door needs this much beside its hinge to open past a right angle."""

MIN_MODULE_M = 0.42

_ZONE_WIDTHS = {"machine": 0.56, "sink": 0.66, "rack": 0.54, "counter": 0.56, "spare": 0.50}
_ZONE_SHARES = {"machine": 1.0, "sink": 0.2, "rack": 0.4, "counter": 3.0, "spare": 1.0}
_COLD_M = FRIDGE_WIDTH_M + SIDE_CLEARANCE_M


@dataclass
class Run:
    """One straight counter, u0 … u1 along a wall, with the fridge at one end or not."""

    wall: Wall
    u0: float
    u1: float
    zones: list[str]
    fridge: str = ""
    """'start', 'end' or none."""
    dead_start: float = 0.0
    """Length at the start that lies in a corner of two runs."""
    dead_end: float = 0.0
    spans: list[tuple[str, float, float]] = field(default_factory=list)
    """Worktop zones with their extents."""

    @property
    def counter(self) -> tuple[float, float]:
        return (
            self.u0 + (_COLD_M if self.fridge == "start" else 0.0),
            self.u1 - (_COLD_M if self.fridge == "end" else 0.0),
        )

    @property
    def useful(self) -> tuple[float, float]:
        low, high = self.counter
        return low + self.dead_start, high - self.dead_end

    @property
    def fridge_span(self) -> tuple[float, float]:
        """The fridge stands against the counter; its clearance is on the far side."""
        low, high = self.counter
        return (
            (low - FRIDGE_WIDTH_M - 0.005, low - 0.005)
            if self.fridge == "start"
            else (high + 0.005, high + 0.005 + FRIDGE_WIDTH_M)
        )

    def solids(self) -> list[Rect]:
        solids = [self.wall.rect(*self.counter, 0.0, WORKTOP_DEPTH_M)]
        if self.fridge:
            solids.append(self.wall.rect(*self.fridge_span, 0.0, FRIDGE_DEPTH_M + 0.05))
        return solids

    def zone(self, free: float = FREE_IN_FRONT_M) -> Rect:
        low = self.u0 if self.fridge == "start" else self.useful[0]
        high = self.u1 if self.fridge == "end" else self.useful[1]
        front = FRIDGE_DEPTH_M + 0.05 if self.fridge else WORKTOP_DEPTH_M
        return self.wall.rect(low, high, front, WORKTOP_DEPTH_M + free)

    def fits(self, space: Space) -> bool:
        return all(space.fits(solid, self.zone(), self.zone(WORK_M)) for solid in self.solids())


def draw_runs(draft: Draft, space: Space, shape: str) -> list[Run] | None:
    """The counters of a kitchen of this shape, with their zones laid out; None where they do not fit."""
    spare = ["spare"] if draft.chance(0.5) else []
    wet = ["sink", "rack"] if draft.chance(0.5) else ["rack", "sink"]
    walls = walls_of(space.room)
    first = int(draft.rng.integers(4))
    if shape == "line":
        groups = [["machine"], wet, ["counter", *spare]]
        zones = [z for i in draft.rng.permutation(3) for z in groups[int(i)]]
        runs = _straight(draft, space, [(walls[first], zones, draft.choice(("start", "end")))])
    elif shape == "galley":
        cold = int(draft.rng.integers(2))
        groups = [["machine", "counter"], [*wet, *spare]]
        ends = [draft.choice(("start", "end")) if i == cold else "" for i in range(2)]
        runs = _straight(draft, space, [(walls[(first + 2 * i) % 4], groups[i], ends[i]) for i in range(2)])
    else:
        runs = _corner(draft, space, walls[first], walls[(first + 1) % 4], wet, ["machine", "counter", *spare])
    if runs is None:
        return None
    for i, run in enumerate(runs):
        if not run.fits(space) or any(
            a.overlaps(b) for other in runs[:i] for a in run.solids() for b in [*other.solids(), other.zone()]
        ):
            return None
        _lay_out_zones(run)
    return runs


def _needed(zones: list[str], fridge: str) -> float:
    return sum(_ZONE_WIDTHS[z] for z in zones) + (_COLD_M if fridge else 0.0)


def _straight(draft: Draft, space: Space, wanted: list[tuple[Wall, list[str], str]]) -> list[Run] | None:
    """Each run somewhere along its own wall: in either corner of the room, or between."""
    runs = []
    for wall, zones, fridge in wanted:
        shortest = _needed(zones, fridge)
        slack = wall.length - shortest
        for _ in range(8 if slack >= 0 else 0):
            length = shortest + draft.uniform((0.0, min(slack, 1.3)))
            rest, spot = wall.length - length, float(draft.rng.random())
            u0 = 0.0 if spot < 0.4 else rest if spot < 0.8 else round(rest * (spot - 0.8) / 0.2, 3)
            run = Run(wall, u0, u0 + length, list(zones), fridge)
            if run.fits(space):
                runs.append(run)
                break
        else:
            return None
    return runs


def _corner(draft: Draft, space: Space, a: Wall, b: Wall, wet: list[str], dry: list[str]) -> list[Run] | None:
    """Two runs that meet where a begins and b ends; one of them owns the corner."""
    del space
    on_a, on_b = (wet, dry) if draft.chance(0.5) else (dry, wet)
    cold_on_a, a_owns = draft.chance(0.5), draft.chance(0.5)
    fridge_a, fridge_b = ("end", "") if cold_on_a else ("", "start")
    start_a, start_b = (0.0, WORKTOP_DEPTH_M) if a_owns else (WORKTOP_DEPTH_M, 0.0)
    dead_a = WORKTOP_DEPTH_M + SIDE_CLEARANCE_M - start_a
    dead_b = WORKTOP_DEPTH_M + SIDE_CLEARANCE_M - start_b
    length_a = _needed(on_a, fridge_a) + dead_a + draft.uniform((0.0, 0.8))
    length_b = _needed(on_b, fridge_b) + dead_b + draft.uniform((0.0, 0.8))
    if start_a + length_a > a.length or start_b + length_b > b.length:
        return None
    end_b = b.length - start_b
    return [
        Run(a, start_a, start_a + length_a, list(on_a), fridge_a, dead_start=dead_a),
        Run(b, end_b - length_b, end_b, list(on_b), fridge_b, dead_end=dead_b),
    ]


def _lay_out_zones(run: Run) -> None:
    """Give the zones their extents; spare length goes mostly to the open counter."""
    low, high = run.useful
    spare = (high - low) - sum(_ZONE_WIDTHS[z] for z in run.zones)
    total, u = sum(_ZONE_SHARES[z] for z in run.zones), low
    for zone in run.zones:
        width = _ZONE_WIDTHS[zone] + spare * _ZONE_SHARES[zone] / total
        run.spans.append((zone, round(u, 4), round(u + width, 4)))
        u += width


def base_slots(run: Run) -> tuple[list[tuple[float, float]], list[tuple[str, float, float]]]:
    """Extents of the base modules, and of what is not one: (`sink` or `filler`, u0, u1).

    The sink has its own base; the rest is divided evenly where it is wide enough for a door or drawer.
    """
    low, high = run.useful
    start, end = run.counter
    sink = next(((u0, u1) for zone, u0, u1 in run.spans if zone == "sink"), None)
    pieces = [(low, high)] if sink is None else [(low, sink[0]), (sink[1], high)]
    slots: list[tuple[float, float]] = []
    others = [("filler", start, low), ("filler", high, end), *([("sink", *sink)] if sink else [])]
    for a, b in pieces:
        if b - a < MIN_MODULE_M:
            others.append(("filler", a, b))
            continue
        count = max(1, round((b - a) / 0.52))
        step = (b - a) / count
        slots += [(round(a + i * step, 4), round(a + (i + 1) * step, 4)) for i in range(count)]
    return slots, [(kind, a, b) for kind, a, b in others if b - a > 0.01]
