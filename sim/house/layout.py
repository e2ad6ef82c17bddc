"""Rooms, walls and doorways: the layout families."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.house.plane import QUARTER, Rect

WALL_THICKNESS_M = 0.12
_MIN_SHARED_M = 1.45
"""A wall that two rooms share needs this much length for a doorway."""

Generator = np.random.Generator


@dataclass(frozen=True)
class Edge:
    """A doorway's place in the plan: cells a and b, its centre, its direction and clear width."""

    a: int
    b: int
    x: float
    y: float
    yaw: float
    width: float
    passage: bool


@dataclass(frozen=True)
class Layout:
    family: str
    cells: tuple[Rect, ...]
    """Rooms by the middle lines of their walls."""
    edges: tuple[Edge, ...]
    hall: int | None
    """Cell that is only a way through."""
    together: tuple[int, ...] = ()
    """Cells of an open plan."""

    def interior(self, cell: int) -> Rect:
        return self.cells[cell].grown(-WALL_THICKNESS_M / 2)


@dataclass
class _Plan:
    cells: list[Rect]
    links: list[tuple[int, int, bool]]
    """Cells a, b and whether the opening is a wide passage."""
    hall: int | None = None
    together: tuple[int, ...] = ()


def _snap(value: float) -> float:
    return round(value * 20) / 20


def _draw(rng: Generator, low: float, high: float) -> float:
    return _snap(float(rng.uniform(low, high)))


def _split(rng: Generator, total: float, parts: int, shortest: float) -> list[float]:
    """Cut points 0 … total of `parts` pieces, each at least `shortest`."""
    spare = total - parts * shortest
    shares = rng.dirichlet(np.full(parts, 3.0)) * spare
    cuts = [0.0]
    for share in shares[:-1]:
        cuts.append(_snap(cuts[-1] + shortest + float(share)))
    return [*cuts, total]


def _row(rng: Generator, n: int) -> _Plan:
    height, x, cells = _draw(rng, 3.7, 4.6), 0.0, []
    for _ in range(n):
        width = _draw(rng, 3.2, 4.3)
        cells.append(Rect(x, 0.0, x + width, height))
        x += width
    return _Plan(cells, [(i, i + 1, False) for i in range(n - 1)])


def _grid(rng: Generator, n: int) -> _Plan:
    """Two by two in a ring, or three rooms with one as wide as two."""
    w1, w2, h1, h2 = (_draw(rng, 3.4, 4.4) for _ in range(4))
    lower = [Rect(0, 0, w1, h1), Rect(w1, 0, w1 + w2, h1)]
    if n == 3:
        return _Plan([*lower, Rect(0, h1, w1 + w2, h1 + h2)], [(0, 1, False), (0, 2, False), (1, 2, False)])
    cells = [*lower, Rect(w1, h1, w1 + w2, h1 + h2), Rect(0, h1, w1, h1 + h2)]
    links = [(0, 1, False), (1, 2, False), (2, 3, False), (3, 0, False)]
    if rng.random() < 0.5:
        links.pop(int(rng.integers(4)))
    return _Plan(cells, links)


def _hall(rng: Generator, n: int) -> _Plan:
    """A corridor with rooms on both sides."""
    rooms = n - 1
    above = (rooms + int(rng.integers(2))) // 2
    below = rooms - above
    longest = max(above, below)
    length = _draw(rng, max(3.4 * longest, 4.8), 4.1 * longest + 0.6)
    width, top, bottom = _draw(rng, 1.75, 2.05), _draw(rng, 3.4, 4.2), _draw(rng, 3.4, 4.2)
    cells, links = [Rect(0, 0, length, width)], []
    for count, y0, y1 in ((above, width, width + top), (below, -bottom, 0.0)):
        cuts = _split(rng, length, count, 3.0) if count else []
        for x0, x1 in pairwise(cuts):
            links.append((0, len(cells), False))
            cells.append(Rect(x0, y0, x1, y1))
    return _Plan(cells, links, hall=0)


def _open_plan(rng: Generator, n: int) -> _Plan:
    """Kitchen and living room flow into each other; other rooms behind doors."""
    height, w1, w2 = _draw(rng, 3.9, 4.8), _draw(rng, 3.4, 4.2), _draw(rng, 3.6, 4.6)
    cells = [Rect(0, 0, w1, height), Rect(w1, 0, w1 + w2, height)]
    links = [(0, 1, True)]
    others, depth = n - 2, _draw(rng, 3.2, 3.9)
    if others == 1 and rng.random() < 0.5:
        cells.append(Rect(w1 + w2, 0, w1 + w2 + depth, height))
        links.append((1, 2, False))
        return _Plan(cells, links, together=(0, 1))
    cuts = _split(rng, w1 + w2, min(others, 2), 3.0)
    for x0, x1 in pairwise(cuts):
        cell = Rect(x0, height, x1, height + depth)
        shared = [min(x1, c.x1) - max(x0, c.x0) for c in cells[:2]]
        links.append((int(np.argmax(shared)), len(cells), False))
        cells.append(cell)
    for _ in range(others - 2):
        y = _draw(rng, 0.0, height - 3.2)
        x0 = w1 + w2 if len(cells) == 4 else -depth
        links.append((1 if x0 > 0 else 0, len(cells), False))
        cells.append(Rect(x0, y, x0 + depth, y + _draw(rng, 3.2, max(3.2, height - y))))
    return _Plan(cells, links, together=(0, 1))


def _ell(rng: Generator, n: int) -> _Plan:
    """A row that turns a corner."""
    along = n - 1 if n == 3 else n - int(rng.integers(1, min(3, n - 2)))
    plan = _row(rng, along)
    corner = plan.cells[-1]
    y = corner.y1
    for i in range(along, n):
        height = _draw(rng, 3.3, 4.2)
        plan.cells.append(Rect(corner.x0, y, corner.x1, y + height))
        plan.links.append((i - 1, i, False))
        y += height
    return plan


def _tee(rng: Generator, n: int) -> _Plan:
    """A row of three with a stem from its middle."""
    plan = _row(rng, 3)
    middle = plan.cells[1]
    y = middle.y0
    for i in range(3, n):
        height = _draw(rng, 3.3, 4.2)
        plan.cells.append(Rect(middle.x0, y - height, middle.x1, y))
        plan.links.append((1 if i == 3 else i - 1, i, False))
        y -= height
    return plan


def _star(rng: Generator, n: int) -> _Plan:
    """A large middle room with the others around it."""
    w, h = _draw(rng, 4.4, 5.2), _draw(rng, 4.4, 5.2)
    cells, links = [Rect(0, 0, w, h)], []
    sides = [int(s) for s in rng.permutation(4)] + [int(rng.integers(4))]
    for i, side in enumerate(sides[: n - 1]):
        across, deep = _draw(rng, 3.4, 4.2), _draw(rng, 3.3, 4.0)
        span = w if side in (0, 2) else h
        if i == 4:  # the fifth room hangs on the first, away from the middle
            cells.append(_beyond(cells[1], sides[0], deep))
            links.append((1, 5, False))
            break
        start = _draw(rng, 0.0, span - across) if span > across else 0.0
        cells.append(
            (
                Rect(start, -deep, start + across, 0),
                Rect(w, start, w + deep, start + across),
                Rect(start, h, start + across, h + deep),
                Rect(-deep, start, 0, start + across),
            )[side]
        )
        links.append((0, i + 1, False))
    return _Plan(cells, links)


def _beyond(cell: Rect, side: int, deep: float) -> Rect:
    return (
        Rect(cell.x0, cell.y0 - deep, cell.x1, cell.y0),
        Rect(cell.x1, cell.y0, cell.x1 + deep, cell.y1),
        Rect(cell.x0, cell.y1, cell.x1, cell.y1 + deep),
        Rect(cell.x0 - deep, cell.y0, cell.x0, cell.y1),
    )[side]


def _court(rng: Generator, n: int) -> _Plan:
    """Two by three in a ring (or two over three), every room leading to the next."""
    length = _draw(rng, 10.6, 12.6)
    below, above = n // 2, n - n // 2
    h1, h2 = _draw(rng, 3.5, 4.2), _draw(rng, 3.5, 4.2)
    if n == 4:
        length = _draw(rng, 7.2, 8.8)
    cuts, tops = _split(rng, length, below, 3.3), _split(rng, length, above, 3.3)
    cells = [Rect(a, 0, b, h1) for a, b in pairwise(cuts)]
    cells += [Rect(a, h1, b, h1 + h2) for a, b in pairwise(tops)]
    links = [(i, i + 1, False) for i in range(below - 1)]
    links += [(below + i, below + i + 1, False) for i in range(above - 1)]
    links += [(0, below, False), (below - 1, n - 1, False)]
    return _Plan(cells, links)


_FAMILIES: dict[str, tuple[Callable[[Generator, int], _Plan], tuple[int, ...]]] = {
    "row": (_row, (3, 4)),
    "grid": (_grid, (3, 4)),
    "hall": (_hall, (4, 5, 6)),
    "open-plan": (_open_plan, (3, 4, 5)),
    "ell": (_ell, (3, 4, 5)),
    "tee": (_tee, (4, 5)),
    "star": (_star, (4, 5, 6)),
    "court": (_court, (4, 5, 6)),
}


def draw_layout(
    rng: Generator, family: str, room_counts: tuple[int, ...], door_width_m: tuple[float, float]
) -> Layout | None:
    """A layout of the family, turned and mirrored at random; None when a doorway found no room."""
    make, possible = _FAMILIES[family]
    counts = [n for n in possible if n in room_counts]
    plan = make(rng, counts[int(rng.integers(len(counts)))])
    turn = int(rng.integers(8))
    cells = tuple(_turned(cell, turn) for cell in plan.cells)
    left, low = min(c.x0 for c in cells), min(c.y0 for c in cells)
    cells = tuple(Rect(c.x0 - left, c.y0 - low, c.x1 - left, c.y1 - low) for c in cells)
    edges = []
    for a, b, passage in plan.links:
        edge = _doorway(rng, cells, a, b, passage, door_width_m)
        if edge is None:
            return None
        edges.append(edge)
    return Layout(family, cells, tuple(edges), plan.hall, plan.together)


def _turned(cell: Rect, turn: int) -> Rect:
    x0, y0, x1, y1 = cell
    if turn & 1:
        x0, x1 = -x1, -x0
    if turn & 2:
        y0, y1 = -y1, -y0
    return Rect(y0, x0, y1, x1) if turn & 4 else Rect(x0, y0, x1, y1)


def _doorway(
    rng: Generator, cells: tuple[Rect, ...], a: int, b: int, passage: bool, door_width_m: tuple[float, float]
) -> Edge | None:
    ca, cb = cells[a], cells[b]
    if abs(ca.x1 - cb.x0) < 1e-6 or abs(cb.x1 - ca.x0) < 1e-6:
        line = ca.x1 if abs(ca.x1 - cb.x0) < 1e-6 else ca.x0
        low, high, vertical = max(ca.y0, cb.y0), min(ca.y1, cb.y1), True
        yaw = 0.0 if line == ca.x1 else 2 * QUARTER
    else:
        line = ca.y1 if abs(ca.y1 - cb.y0) < 1e-6 else ca.y0
        low, high, vertical = max(ca.x0, cb.x0), min(ca.x1, cb.x1), False
        yaw = QUARTER if line == ca.y1 else 3 * QUARTER
    if high - low < _MIN_SHARED_M:
        return None
    width = float(rng.uniform(1.7, 2.4)) if passage else float(rng.uniform(*door_width_m))
    width = round(min(width, high - low - 0.36), 3)
    margin = WALL_THICKNESS_M / 2 + 0.10 + width / 2
    span = high - low - 2 * margin
    end = rng.random()
    share = 0.0 if end < 0.3 else 1.0 if end < 0.6 else float(rng.random())
    middle = low + margin + round(share * span, 2)
    x, y = (line, middle) if vertical else (middle, line)
    return Edge(a, b, x, y, yaw, width, passage)


def wall_boxes(layout: Layout) -> tuple[tuple[float, float, float, float], ...]:
    """Wall boxes (x0, y0, x1, y1) along all cell borders, cut open at the doorways."""
    half = WALL_THICKNESS_M / 2
    boxes: list[tuple[float, float, float, float]] = []
    for vertical in (True, False):
        lines: dict[float, list[tuple[float, float]]] = {}
        for c in layout.cells:
            low, high = (c.y0, c.y1) if vertical else (c.x0, c.x1)
            for line in (c.x0, c.x1) if vertical else (c.y0, c.y1):
                lines.setdefault(round(line, 4), []).append((low, high))
        gaps: dict[float, list[tuple[float, float]]] = {}
        for e in layout.edges:
            if (abs(np.cos(e.yaw)) > 0.5) == vertical:
                line, middle = (e.x, e.y) if vertical else (e.y, e.x)
                gaps.setdefault(round(line, 4), []).append((middle - e.width / 2, middle + e.width / 2))
        for line, spans in sorted(lines.items()):
            # Walls along x reach around the corner, walls along y end at it: no two boxes share a face.
            grow = -half if vertical else half
            for low, high in _minus(_union(spans), gaps.get(line, []), grow):
                boxes.append(
                    (line - half, low, line + half, high) if vertical else (low, line - half, high, line + half)
                )
    return tuple((round(a, 4), round(b, 4), round(c, 4), round(d, 4)) for a, b, c, d in boxes)


def _union(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1e-6:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _minus(spans: list[tuple[float, float]], gaps: list[tuple[float, float]], grow: float) -> list[tuple[float, float]]:
    left: list[tuple[float, float]] = []
    for low, high in spans:
        start = low - grow
        for gap_low, gap_high in sorted(gaps):
            if low < gap_low and gap_high < high:
                left.append((start, gap_low))
                start = gap_high
        left.append((start, high + grow))
    return [(a, b) for a, b in left if b - a > 1e-3]
