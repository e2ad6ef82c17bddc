"""A house from (split, index): drawn, checked, and redrawn until it is solvable."""

from math import hypot, pi
from typing import Literal

import numpy as np

from sim.house.check import problems
from sim.house.contents import add_items, add_machines, draw_kinds
from sim.house.draft import Draft
from sim.house.furnish import furnish_rooms
from sim.house.kitchen import furnish_kitchen
from sim.house.layout import draw_layout, wall_boxes
from sim.house.palette import draw_palette
from sim.house.plane import Rect, Space, offset, rect_at
from sim.house.schema import MAX_INDEX, SPLITS, Doorway, House, Room, Split
from sim.house.split import AXES

_MAX_REDRAWS = 400
_SALT = 20771
DOOR_STOP_RAD = 1.62
LEAF_CLEARANCE_M = 0.9
"""From the middle of an open leaf to the middle of another doorway: nearer, it may stand in the way there."""
_ARM_REACH_M = 0.62
"""How far the arm stands out in its travel posture."""


def generate_house(split: Split, index: int) -> House:
    """The house of this split and index: a pure function of both.

    Raises ValueError for an unknown split or an index outside [0, MAX_INDEX), RuntimeError if no solvable
    house was found within the bounded number of redraws.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    if isinstance(index, bool) or not isinstance(index, (int, np.integer)):
        raise ValueError(f"index must be an integer, got {index!r}")
    if not 0 <= index < MAX_INDEX:
        raise ValueError(f"index {index} is out of range; 0 <= index < {MAX_INDEX}")
    return _generate(split, int(index))


def _generate(split: Split, index: int) -> House:
    # Family, kitchen shape and where mugs and pods are: drawn once, as redraws would favour what fits most easily.
    axes = AXES[split]
    wish = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_SALT, SPLITS.index(split), index])))
    family = axes.families[int(wish.integers(len(axes.families)))]
    shape = axes.kitchens[int(wish.integers(len(axes.kitchens)))]
    kinds_of = draw_kinds(wish)
    for attempt in range(_MAX_REDRAWS):
        seed = np.random.SeedSequence([_SALT, SPLITS.index(split), index, attempt + 1])
        house = _draw(split, index, family, shape, kinds_of, np.random.Generator(np.random.PCG64(seed)))
        if house is not None and not problems(house):
            house.axes["redraws"] = attempt
            return house
    raise RuntimeError(f"no solvable house for split {split!r}, index {index} within {_MAX_REDRAWS} redraws")


def _draw(
    split: Split,
    index: int,
    family: str,
    shape: str,
    kinds_of: dict[str, tuple[str, ...]],
    rng: np.random.Generator,
) -> House | None:
    axes = AXES[split]
    layout = draw_layout(rng, family, axes.room_counts, axes.door_width_m)
    if layout is None:
        return None
    scheme = axes.palettes[int(rng.integers(len(axes.palettes)))]
    draft = Draft(split, rng, axes, layout, draw_palette(rng, scheme))
    draft.drawn |= {"family": family, "kitchen": shape, "palette": scheme, "rooms": len(layout.cells)}
    kitchen = _draw_rooms(draft)
    doorways = tuple(_draw_doorway(draft, i) for i in range(len(layout.edges)))
    if not furnish_kitchen(draft, kitchen, draft.rooms[kitchen], shape) or not furnish_rooms(draft, kitchen):
        return None
    machines = add_machines(draft)
    items = add_items(draft, kinds_of)
    start = _draw_start(draft, kitchen)
    if items is None or start is None:
        return None
    for state in ("shut", "ajar", "open", "passage"):
        draft.drawn[f"doors_{state}"] = sum(d.initial == state for d in doorways)
    draft.drawn["fronts"] = len(draft.fronts)
    return House(
        split=split,
        index=index,
        rooms=tuple(draft.rooms),
        doorways=doorways,
        fixtures=tuple(draft.fixtures),
        fronts=tuple(draft.fronts),
        places=tuple(draft.places),
        items=tuple(items),
        machines=tuple(machines),
        start=start,
        walls=wall_boxes(layout),
        axes=draft.drawn,
        decor=tuple(draft.decor),
        palette=draft.palette,
    )


def _draw_rooms(draft: Draft) -> int:
    """Give every cell a kind; returns the kitchen's cell."""
    layout, rng = draft.layout, draft.rng
    cells = range(len(layout.cells))
    candidates = list(layout.together) or [i for i in cells if i != layout.hall]
    kitchen = candidates[int(rng.integers(len(candidates)))]
    rest = [i for i in cells if i not in (kitchen, layout.hall)]
    rest.sort(key=lambda i: -layout.cells[i].area)
    partner = next((i for i in layout.together if i != kitchen), None)
    if partner is not None:
        rest.remove(partner)
        rest.insert(0, partner)
    extra = ["dining", "study", "bathroom"]
    order = [extra[int(i)] for i in rng.permutation(3)]
    kinds = ["living", "bedroom", *order]
    if "bathroom" in kinds[: len(rest)]:  # the smallest room
        kinds.remove("bathroom")
        kinds.insert(len(rest) - 1, "bathroom")
    by_cell = {kitchen: "kitchen"} | dict(zip(rest, kinds, strict=False))
    if layout.hall is not None:
        by_cell[layout.hall] = "hall"
    floors = {
        "kitchen": draft.choice(("tiles", "planks")),
        "bathroom": "tiles",
        "bedroom": draft.choice(("carpet", "planks")),
    }
    for i in cells:
        inner = layout.interior(i)
        kind = by_cell[i]
        draft.rooms.append(
            Room(draft.name(kind), kind, *(round(v, 4) for v in inner), floor=floors.get(kind, "planks"))
        )
        draft.spaces.append(Space(inner))
    return kitchen


def _draw_doorway(draft: Draft, index: int) -> Doorway:
    edge = draft.layout.edges[index]
    for cell, forward in ((edge.a, -1.0), (edge.b, 1.0)):
        depth = 0.75 if edge.passage else edge.width + 0.14
        x, y = offset(edge.x, edge.y, edge.yaw, forward * depth / 2)
        space = draft.spaces[cell]
        (space.zones if edge.passage else space.swings).append(rect_at(x, y, edge.yaw, depth, edge.width + 0.10))
    name = draft.name("doorway")
    rooms = (draft.rooms[edge.a].name, draft.rooms[edge.b].name)
    where = (round(edge.x, 4), round(edge.y, 4), edge.yaw, edge.width)
    if edge.passage:
        return Doorway(name, *where, rooms, None, "passage", 0.0)
    states: tuple[Literal["shut", "ajar", "open"], ...] = ("shut", "ajar", "open")
    state = states[int(draft.rng.integers(3))]
    # An open leaf stands in the larger room, never across a hall.
    a, b = draft.layout.cells[edge.a], draft.layout.cells[edge.b]
    into_b = edge.a == draft.layout.hall or (edge.b != draft.layout.hall and b.area > a.area)
    size = {"shut": 0.0, "ajar": draft.uniform((0.25, 0.75)), "open": draft.uniform((1.35, 1.6))}[state]
    params = {
        "hinge_side": _hinge_side(draft, index, 1.0 if draft.chance(0.5) else -1.0),
        "breakaway_n": draft.uniform(draft.axes.door_breakaway_n),
        "damping_nms": draft.uniform(draft.axes.door_damping_nms),
        "mass": draft.uniform((9.0, 15.0)),
        "stop_rad": DOOR_STOP_RAD,
    }
    joint = f"{name}_hinge"
    return Doorway(name, *where, rooms, joint, state, size if into_b else -size, params)


def _hinge_side(draft: Draft, i: int, drawn: float) -> float:
    """The drawn side, unless the open leaf would then stand before another doorway and would not on the other side."""
    edge = draft.layout.edges[i]
    others = [other for k, other in enumerate(draft.layout.edges) if k != i]

    def clearance_m(side: float) -> float:
        middles = [offset(edge.x, edge.y, edge.yaw, way * edge.width / 2, side * edge.width / 2) for way in (-1.0, 1.0)]
        return min((hypot(x - o.x, y - o.y) for x, y in middles for o in others), default=LEAF_CLEARANCE_M)

    if clearance_m(drawn) >= LEAF_CLEARANCE_M or clearance_m(-drawn) <= clearance_m(drawn):
        return drawn
    return -drawn


def _draw_start(draft: Draft, kitchen: int) -> tuple[float, float, float] | None:
    """Somewhere with room to turn and, for the arm, room in front; in any room but the kitchen."""
    rooms = [i for i in range(len(draft.rooms)) if i != kitchen]
    for _ in range(200):
        cell = rooms[int(draft.rng.integers(len(rooms)))]
        space = draft.spaces[cell]
        inner = space.room.grown(-0.45)
        x, y = draft.uniform((inner.x0, inner.x1)), draft.uniform((inner.y0, inner.y1))
        yaw = draft.uniform((-pi, pi))
        tip_x, tip_y = offset(x, y, yaw, _ARM_REACH_M)
        spots = (Rect(x, y, x, y).grown(0.42), Rect(tip_x, tip_y, tip_x, tip_y).grown(0.2))
        if all(
            spot.inside(space.room) and not any(spot.overlaps(r) for r in [*space.solids, *space.swings])
            for spot in spots
        ):
            draft.drawn["start_room"] = draft.rooms[cell].kind
            return x, y, yaw
    return None
