"""The kitchen: counters with their worktop zones, base modules, upper cabinets and the fridge."""

from sim.house.counters import (
    FRIDGE_DEPTH_M,
    FRIDGE_WIDTH_M,
    SIDE_CLEARANCE_M,
    WORKTOP_DEPTH_M,
    Run,
    base_slots,
    draw_runs,
)
from sim.house.draft import Draft, MachineSpot
from sim.house.fronts import add_drawer, add_hinged
from sim.house.schema import Decor, Fixture, Place, Room

WORKTOP_THICKNESS_M = 0.035
CARCASS_DEPTH_M = 0.58
UPPER_DEPTH_M = 0.34
UPPER_HEIGHT_M = 0.66
HAND_ROOM_M = 0.08
"""Between a cabinet and what stands out beside it: for the hand at a handle near the edge."""
NARROWEST_M = 0.34
"""Of a lower cabinet, so that a hand with a mug gets in."""
FRIDGE_HEIGHT_M = 1.74
TOE_KICK_M = 0.10
DRAWER_HEIGHT_M = 0.19
DRAWER_FLOOR_M = 0.022
"""Of the drawer's floor above the lower edge of its front."""
STRIP_M = 0.24
"""Small things stand on the front strip of a deep surface."""
RACK_DEPTH_M, RACK_WIDTH_M, RACK_HEIGHT_M = 0.34, 0.50, 0.024


def furnish_kitchen(draft: Draft, cell: int, room: Room, shape: str) -> bool:
    """Build the kitchen's fixtures, fronts, places and machine spots; False where they do not fit."""
    space = draft.spaces[cell]
    runs = next((r for r in (draw_runs(draft, space, shape) for _ in range(16)) if r is not None), None)
    if runs is None:
        return False
    slots = [base_slots(run) for run in runs]
    kinds = _draw_module_kinds(draft, sum(len(modules) for modules, _ in slots))
    if kinds is None:
        return False
    for run in runs:
        for solid in run.solids():
            space.add(solid)
        space.zones.append(run.zone())
    height = draft.uniform(draft.axes.counter_height_m)
    panel, handle = draft.choice(draft.axes.front_styles), draft.choice(draft.axes.handle_shapes)
    style = f"{panel}/{handle}"
    draft.drawn |= {"counter_height_m": height, "front_style": panel, "handle": handle}
    for run, (modules, others) in zip(runs, slots, strict=True):
        _add_counter(draft, run, room, height)
        for kind, u0, u1 in [*((kinds.pop(), *span) for span in modules), *others]:
            _add_module(draft, run, room, kind, u0, u1, height, style)
        _add_uppers(draft, cell, run, room, height, style)
        if run.fridge:
            _add_fridge(draft, run, room, style)
    made = {place.kind for place in draft.places}
    return {"counter", "dish_rack", "drawer", "lower_cabinet", "upper_cabinet", "fridge"} <= made


def _draw_module_kinds(draft: Draft, slots: int) -> list[str] | None:
    """One drawer, one cabinet, and whatever else there is room for, in any order."""
    if slots < 2:
        return None
    extras = ["oven", "dishwasher", "panel", "panel", draft.choice(("drawer", "lower"))]
    order = [extras[int(i)] for i in draft.rng.permutation(len(extras))]
    kinds = ["drawer", "lower", *(order * 2)[: slots - 2]]
    return [kinds[int(i)] for i in draft.rng.permutation(len(kinds))]


def _fixture(
    draft: Draft,
    run: Run,
    room: Room,
    stem: str,
    u0: float,
    u1: float,
    depth: float,
    z0: float,
    z1: float,
    style: str = "",
    **params: float,
) -> Fixture:
    x, y = run.wall.at((u0 + u1) / 2, depth / 2)
    fixture = Fixture(
        name=draft.name(stem),
        class_name=stem,
        x=round(x, 4),
        y=round(y, 4),
        z=round((z0 + z1) / 2, 4),
        yaw=run.wall.yaw,
        size=(round(depth, 4), round(u1 - u0, 4), round(z1 - z0, 4)),
        room=room.name,
        style=style,
        params=params,
    )
    draft.fixtures.append(fixture)
    return fixture


def _add_place(
    draft: Draft,
    run: Run,
    fixture: Fixture,
    kind: str,
    u: float,
    front: float,
    z: float,
    depth: float,
    width: float,
    headroom: float,
    door: str | None,
) -> None:
    """A place whose front edge lies `front` from the wall."""
    x, y = run.wall.at(u, front - depth / 2)
    place = Place(
        name=draft.name(f"place_{kind}"),
        kind=kind,
        x=round(x, 4),
        y=round(y, 4),
        z=round(z, 4),
        yaw=run.wall.yaw,
        half_depth=round(depth / 2, 4),
        half_width=round(width / 2, 4),
        headroom=round(headroom, 4),
        front=door,
        fixture=fixture.name,
        room=fixture.room,
    )
    draft.places.append(place)


def _add_counter(draft: Draft, run: Run, room: Room, height: float) -> None:
    low, high = run.counter
    friction = draft.uniform(draft.axes.friction)
    sink = next(((a, b) for zone, a, b in run.spans if zone == "sink"), None)
    counter = _fixture(draft, run, room, "counter", low, high, WORKTOP_DEPTH_M, 0.0, height, friction=friction)
    if sink is not None:  # the builder cuts it out of the worktop, at a distance from the counter's middle
        counter.params.update(sink_at=(sink[0] + sink[1] - low - high) / 2, sink_width=sink[1] - sink[0])
    for zone, u0, u1 in run.spans:
        u = (u0 + u1) / 2
        if zone == "sink":
            _fixture(
                draft, run, room, "sink", u0 + 0.05, u1 - 0.05, WORKTOP_DEPTH_M, height - 0.20, height, style="single"
            )
        elif zone == "rack":
            x, y = run.wall.at(u, WORKTOP_DEPTH_M - 0.02 - RACK_DEPTH_M / 2)
            z = height + RACK_HEIGHT_M / 2
            rack = Fixture(
                draft.name("dish_rack"),
                "dish_rack",
                x,
                y,
                z,
                run.wall.yaw,
                (RACK_DEPTH_M, RACK_WIDTH_M, RACK_HEIGHT_M),
                room.name,
            )
            draft.fixtures.append(rack)
            _add_place(
                draft,
                run,
                rack,
                "dish_rack",
                u,
                WORKTOP_DEPTH_M - 0.02,
                height + RACK_HEIGHT_M,
                STRIP_M,
                RACK_WIDTH_M - 0.04,
                0.45,
                None,
            )
        elif zone == "counter":
            _add_place(draft, run, counter, "counter", u, WORKTOP_DEPTH_M, height, STRIP_M, u1 - u0, 0.45, None)
        else:
            x, y = run.wall.at(u, WORKTOP_DEPTH_M)
            draft.machine_spots.append(MachineSpot(x, y, height, run.wall.yaw, counter.name, room.name, 2.4 - height))


def _neighbours(run: Run) -> tuple[float, float]:
    """Where on either side something begins that stands out farther than cabinets: a fridge, a wall, another run."""
    low, high = run.counter
    length = run.wall.length
    left = low if run.fridge == "start" else WORKTOP_DEPTH_M if run.dead_start else 0.0
    right = high if run.fridge == "end" else length - WORKTOP_DEPTH_M if run.dead_end else length
    return left, right


def _room_beside(run: Run, u0: float, u1: float) -> dict[str, float]:
    """Metres free beside a front, left and right of whoever stands before it."""
    left_limit, right_limit = _neighbours(run)
    # Whoever stands in front looks against the wall's normal: small u is on their left.
    return {"left": u0 - left_limit, "right": right_limit - u1}


def _hinge_side(draft: Draft, run: Run, u0: float, u1: float) -> str | None:
    """A side on which the door has room to open past a right angle; None where neither has."""
    free = _room_beside(run, u0, u1)
    wanted = "left" if draft.chance(draft.axes.left_hinge_share) else "right"
    other = "right" if wanted == "left" else "left"
    return next((side for side in (wanted, other) if free[side] >= SIDE_CLEARANCE_M - 1e-6), None)


def _add_module(draft: Draft, run: Run, room: Room, kind: str, u0: float, u1: float, height: float, style: str) -> None:
    top, u, width = height - WORKTOP_THICKNESS_M, (u0 + u1) / 2, u1 - u0
    side = _hinge_side(draft, run, u0, u1) if kind == "lower" else None
    if side is not None:
        # A strip of panel between wall and cabinet, so that there is room for a hand at the handle.
        handle = "right" if side == "left" else "left"
        lacking = max(0.0, HAND_ROOM_M - _room_beside(run, u0, u1)[handle])
        if width - lacking < NARROWEST_M:
            side = None
        elif lacking > 0.0:
            strip = (u0, u0 + lacking) if handle == "left" else (u1 - lacking, u1)
            _fixture(draft, run, room, "base", *strip, CARCASS_DEPTH_M, TOE_KICK_M, top, f"filler/{style}")
            u0, u1 = (strip[1], u1) if handle == "left" else (u0, strip[0])
            u, width = (u0 + u1) / 2, u1 - u0
    if kind == "lower" and side is None:
        kind = "panel"
    shelf = draft.uniform((0.34, 0.44))
    base = _fixture(
        draft, run, room, "base", u0, u1, CARCASS_DEPTH_M, TOE_KICK_M, top, style=f"{kind}/{style}", shelf=shelf
    )
    if kind == "lower" and side is not None:
        door = add_hinged(
            draft, base, "cabinet", side, style, top - TOE_KICK_M - 0.006, (top + TOE_KICK_M) / 2, top - 0.16
        )
        _add_place(
            draft,
            run,
            base,
            "lower_cabinet",
            u,
            CARCASS_DEPTH_M - 0.01,
            shelf,
            STRIP_M,
            width - 0.04,
            top - 0.02 - shelf,
            door.name,
        )
    elif kind == "drawer":
        drawer = add_drawer(draft, base, style, DRAWER_HEIGHT_M, top - 0.003 - DRAWER_HEIGHT_M / 2)
        floor = top - 0.003 - DRAWER_HEIGHT_M + DRAWER_FLOOR_M
        _add_place(
            draft,
            run,
            base,
            "drawer",
            u,
            CARCASS_DEPTH_M - 0.012,
            floor,
            STRIP_M,
            width - 0.07,
            top - floor,
            drawer.name,
        )


def _add_uppers(draft: Draft, cell: int, run: Run, room: Room, height: float, style: str) -> None:
    """Cabinets on the wall over everything but machines and, where there is a window, the sink."""
    bottom = height + draft.uniform((0.47, 0.51))
    stretches: list[tuple[float, float]] = []
    for zone, u0, u1 in run.spans:
        u = (u0 + u1) / 2
        if zone == "sink" and draft.is_exterior(cell, run.wall, u):
            x, y = run.wall.at(u, 0.0)
            draft.decor.append(
                Decor(
                    "window",
                    round(x, 4),
                    round(y, 4),
                    height + 0.68,
                    run.wall.yaw,
                    (0.04, 0.86, 0.90),
                    (0.74, 0.86, 0.93),
                )
            )
        elif zone in ("rack", "counter"):
            if stretches and abs(stretches[-1][1] - u0) < 1e-6:
                stretches[-1] = (stretches[-1][0], u1)
            else:
                stretches.append((u0, u1))
    made = 0
    left_limit, right_limit = _neighbours(run)
    for begin, end in stretches:
        low, high = max(begin, left_limit + HAND_ROOM_M), min(end, right_limit - HAND_ROOM_M)
        count = min(max(1, round((high - low) / 0.52)), 3 - made)
        if count < 1 or high - low < 0.40:
            continue
        width = min((high - low) / count, 0.60)
        start = (low + high - width * count) / 2
        for i in range(count):
            u0, u1 = start + i * width, start + (i + 1) * width
            side = _hinge_side(draft, run, u0, u1)
            if side is None:
                continue
            made += 1
            top = bottom + UPPER_HEIGHT_M
            cabinet = _fixture(
                draft, run, room, "upper_cabinet", u0, u1, UPPER_DEPTH_M, bottom, top, style=style, shelf=bottom + 0.34
            )
            door = add_hinged(
                draft, cabinet, "cabinet", side, style, UPPER_HEIGHT_M - 0.004, (bottom + top) / 2, bottom + 0.14
            )
            _add_place(
                draft,
                run,
                cabinet,
                "upper_cabinet",
                (u0 + u1) / 2,
                UPPER_DEPTH_M - 0.01,
                bottom + 0.018,
                STRIP_M,
                width - 0.04,
                0.32,
                door.name,
            )


def _add_fridge(draft: Draft, run: Run, room: Room, style: str) -> None:
    u0, u1 = run.fridge_span
    shelf = draft.uniform((0.84, 1.08))
    fridge = _fixture(draft, run, room, "fridge", u0, u1, FRIDGE_DEPTH_M - 0.05, 0.0, FRIDGE_HEIGHT_M, shelf=shelf)
    side = "left" if draft.chance(draft.axes.left_hinge_share) else "right"
    door = add_hinged(
        draft, fridge, "fridge", side, style, FRIDGE_HEIGHT_M - 0.12, FRIDGE_HEIGHT_M / 2 + 0.05, 1.02, thickness=0.05
    )
    _add_place(
        draft,
        run,
        fridge,
        "fridge",
        (u0 + u1) / 2,
        FRIDGE_DEPTH_M - 0.07,
        shelf,
        STRIP_M,
        FRIDGE_WIDTH_M - 0.10,
        0.34,
        door.name,
    )
