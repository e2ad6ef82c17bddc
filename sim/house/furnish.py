"""Furniture of the other rooms: against walls and in the middle, with free floor where the robot works."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.house.counters import WORK_M
from sim.house.draft import Draft, Rgb
from sim.house.plane import QUARTER, Rect, Wall, offset, rect_at, walls_of
from sim.house.schema import Decor, Fixture, Place, Room

APPROACH_M = 1.15
"""Free floor in front of furniture the robot takes things from."""
STRIP_M = 0.24
SHELF_DEPTH_M = 0.32


@dataclass(frozen=True)
class Piece:
    class_name: str
    depth: float
    width: float
    height: float
    free: float
    """Free floor wanted in front."""
    style: str = ""


def furnish_rooms(draft: Draft, kitchen: int) -> bool:
    """Furnish every room but the kitchen's counters; False where a needed piece found no room."""
    recipes: dict[str, Callable[[Draft, int, Room], bool]] = {
        "kitchen": _nothing,
        "hall": _hall,
        "living": _living,
        "dining": _dining,
        "bedroom": _bedroom,
        "study": _study,
        "bathroom": _bathroom,
    }
    if not _add_table(draft, kitchen) or not _add_shelf(draft, kitchen):
        return False
    for cell, room in enumerate(draft.rooms):
        recipes[room.kind](draft, cell, room)
        if room.kind != "kitchen":
            _windows(draft, cell)
    return all(any(p.kind == kind for p in draft.places) for kind in ("side_table", "shelf", "dining_table"))


def _nothing(draft: Draft, cell: int, room: Room) -> bool:
    del draft, cell, room
    return True


def against_wall(
    draft: Draft, cell: int, room: Room, piece: Piece, tries: int = 24
) -> tuple[Fixture, Wall, float] | None:
    """Stand a piece with its back to some wall of the room. Returns it, the wall and its middle along the wall."""
    space = draft.spaces[cell]
    walls = walls_of(space.room)
    for _ in range(tries):
        wall = walls[int(draft.rng.integers(4))]
        slack = wall.length - piece.width
        if slack < 0:
            continue
        spot = float(draft.rng.random())
        u = 0.03 if spot < 0.25 else slack - 0.03 if spot < 0.5 else slack * (spot - 0.5) / 0.5
        u = round(min(max(u, 0.0), slack), 2)
        solid = wall.rect(u, u + piece.width, 0.0, piece.depth + 0.01)
        zone = wall.rect(u, u + piece.width, piece.depth + 0.01, piece.depth + piece.free) if piece.free else None
        work = wall.rect(u, u + piece.width, piece.depth + 0.01, piece.depth + WORK_M) if piece.free > WORK_M else None
        if space.fits(solid, zone, work):
            space.add(solid, zone)
            x, y = wall.at(u + piece.width / 2, piece.depth / 2 + 0.01)
            return _stand(draft, room, piece, x, y, wall.yaw), wall, u + piece.width / 2
    return None


def _stand(draft: Draft, room: Room, piece: Piece, x: float, y: float, yaw: float) -> Fixture:
    fixture = Fixture(
        name=draft.name(piece.class_name),
        class_name=piece.class_name,
        x=round(x, 4),
        y=round(y, 4),
        z=round(piece.height / 2, 4),
        yaw=yaw,
        size=(round(piece.depth, 4), round(piece.width, 4), round(piece.height, 4)),
        room=room.name,
        style=piece.style,
        params={"friction": draft.uniform(draft.axes.friction)},
    )
    draft.fixtures.append(fixture)
    return fixture


def _place_on(
    draft: Draft, fixture: Fixture, kind: str, z: float, headroom: float, inset: float = 0.0, trim: float = 0.0
) -> None:
    """A place on the front strip of a fixture's surface at height z."""
    depth = min(STRIP_M, fixture.size[0] - inset)
    x, y = offset(fixture.x, fixture.y, fixture.yaw, fixture.size[0] / 2 - inset - depth / 2)
    draft.places.append(
        Place(
            name=draft.name(f"place_{kind}"),
            kind=kind,
            x=round(x, 4),
            y=round(y, 4),
            z=round(z, 4),
            yaw=fixture.yaw,
            half_depth=round(depth / 2, 4),
            half_width=round(fixture.size[1] / 2 - trim, 4),
            headroom=headroom,
            front=None,
            fixture=fixture.name,
            room=fixture.room,
        )
    )


def _add_table(draft: Draft, kitchen: int) -> bool:
    """The dining table: in the dining room, else where there is most room."""
    order = sorted(
        range(len(draft.rooms)),
        key=lambda i: (
            draft.rooms[i].kind != "dining",
            draft.rooms[i].kind not in ("kitchen", "living"),
            -draft.spaces[i].room.area + (6.0 if i == kitchen else 0.0),
        ),
    )
    for cell in order[:3]:
        if draft.rooms[cell].kind not in ("dining", "living", "kitchen"):
            continue
        for _ in range(30):
            if _try_table(draft, cell):
                return True
    return False


def _try_table(draft: Draft, cell: int) -> bool:
    rng, space, room = draft.rng, draft.spaces[cell], draft.rooms[cell]
    depth, width = draft.uniform((0.80, 0.90)), draft.uniform((1.25, 1.6))
    yaw = QUARTER * int(rng.integers(4))
    body = rect_at(0.0, 0.0, yaw, depth, width)
    margin = draft.choice(("wall", "free", "free"))
    # The front long edge stays free, chairs stand at the back; one short end may touch a wall.
    free = 0.95
    x0, x1 = space.room.x0 - body.x0, space.room.x1 - body.x1
    y0, y1 = space.room.y0 - body.y0, space.room.y1 - body.y1
    if x1 <= x0 or y1 <= y0:
        return False
    x, y = round(float(rng.uniform(x0, x1)), 2), round(float(rng.uniform(y0, y1)), 2)
    if margin == "wall":  # push the short end to the wall
        side = 1 if rng.random() < 0.5 else -1
        along_x = abs(body.width - width) < 1e-6
        if along_x:
            x = x1 - 0.01 if side > 0 else x0 + 0.01
        else:
            y = y1 - 0.01 if side > 0 else y0 + 0.01
    solid = rect_at(x, y, yaw, depth, width)
    chairs_x, chairs_y = offset(x, y, yaw, -(depth / 2 + 0.12))
    chairs = rect_at(chairs_x, chairs_y, yaw, 0.34, min(width, 1.2))
    whole = Rect(min(solid.x0, chairs.x0), min(solid.y0, chairs.y0), max(solid.x1, chairs.x1), max(solid.y1, chairs.y1))
    front_x, front_y = offset(x, y, yaw, depth / 2 + APPROACH_M / 2)
    zone = rect_at(front_x, front_y, yaw, APPROACH_M - 0.01, width)
    work_x, work_y = offset(x, y, yaw, (depth + WORK_M) / 2)
    if not space.fits(whole, zone, rect_at(work_x, work_y, yaw, WORK_M, width)):
        return False
    around = whole.grown(free)
    if any(around.overlaps(other) for other in space.solids):
        return False
    for wall_gap in (
        whole.x0 - space.room.x0,
        space.room.x1 - whole.x1,
        whole.y0 - space.room.y0,
        space.room.y1 - whole.y1,
    ):
        if 0.03 < wall_gap < 0.9:
            return False
    space.add(whole, zone)
    height = draft.uniform(draft.axes.table_height_m)
    draft.drawn["table_height_m"] = height
    style = draft.choice(("legs", "trestle", "pedestal"))
    table = _stand(draft, room, Piece("table", depth, width, height, 0.0, style), x, y, yaw)
    x_place, y_place = offset(x, y, yaw, depth / 2 - 0.17)
    draft.places.append(
        Place(
            name=draft.name("place_dining_table"),
            kind="dining_table",
            x=round(x_place, 4),
            y=round(y_place, 4),
            z=height,
            yaw=yaw,
            half_depth=0.17,
            half_width=round(width / 2, 4),
            headroom=1.2,
            front=None,
            fixture=table.name,
            room=room.name,
        )
    )
    style = draft.choice(("slat", "shell"))
    for side in (-0.28, 0.28):
        cx, cy = offset(x, y, yaw, -(depth / 2 + 0.06), side * width / 1.25)
        _stand(draft, room, Piece("chair", 0.42, 0.42, 0.84, 0.0, style), cx, cy, yaw)
    draft.decor.append(Decor("pendant", x, y, 1.95, yaw, (0.34, 0.34, 0.22), draft.palette["accent"]))
    if draft.chance(0.5):
        rug = rect_at(x, y, 0.0, whole.width + 0.7, whole.height + 0.7)
        _rug(draft, cell, rug)
    return True


def _add_shelf(draft: Draft, kitchen: int) -> bool:
    """The open shelf that may hold dinnerware: in the kitchen where it fits, else near by."""
    order = [kitchen] if draft.chance(0.5) else []
    others = [
        i for i, room in enumerate(draft.rooms) if room.kind in ("dining", "living", "hall", "study") and i != kitchen
    ]
    order += [others[int(i)] for i in draft.rng.permutation(len(others))]
    return any(_shelf_in(draft, cell, draft.rooms[cell]) for cell in order)


def _shelf_in(draft: Draft, cell: int, room: Room) -> bool:
    board = draft.uniform((0.90, 1.16))
    piece = Piece(
        "shelf",
        SHELF_DEPTH_M,
        draft.uniform((0.85, 1.1)),
        round(board + 0.62, 3),
        APPROACH_M,
        draft.choice(("frame", "sides")),
    )
    found = against_wall(draft, cell, room, piece)
    if found is None:
        return False
    fixture, wall, u = found
    fixture.params["board"] = board
    _place_on(draft, fixture, "shelf", board, 0.34, trim=0.04)
    x, y = wall.at(u, 0.12)
    for level, share in ((board - 0.36, 0.7), (board + 0.36, 0.5)):
        draft.decor.append(
            Decor(
                "books",
                x,
                y,
                round(level, 3),
                wall.yaw,
                (0.17, round(piece.width * share, 3), 0.22),
                draft.tint(draft.palette["accent"]),
            )
        )
    return True


def _side_table(draft: Draft, cell: int, room: Room, style: str) -> bool:
    sizes = {
        "drum": (0.45, 0.45, (0.50, 0.60)),
        "nightstand": (0.42, 0.48, (0.50, 0.62)),
        "console": (0.40, 1.0, (0.72, 0.84)),
        "desk": (0.62, 1.25, (0.72, 0.75)),
    }
    depth, width, height = sizes[style]
    z = draft.uniform(height)
    found = against_wall(draft, cell, room, Piece("side_table", depth, width, z, APPROACH_M, style))
    if found is None:
        return False
    _place_on(draft, found[0], "side_table", z, 1.0)
    if style in ("nightstand", "desk"):
        x, y = found[1].at(found[2] - width / 2 + 0.12, 0.13)
        draft.decor.append(Decor("lamp", x, y, z + 0.19, 0.0, (0.2, 0.2, 0.38), draft.palette["linen"]))
    return True


def _windows(draft: Draft, cell: int) -> None:
    """Up to one window in each outer wall, where no tall furniture stands before it."""
    tall = [rect_at(f.x, f.y, f.yaw, f.size[0], f.size[1]) for f in draft.fixtures if f.z + f.size[2] / 2 > 1.0]
    hung = [
        Rect(d.x, d.y, d.x, d.y).grown(0.9) for d in draft.decor if d.kind in ("picture", "mirror", "screen", "lamp")
    ]
    for wall in walls_of(draft.spaces[cell].room):
        if wall.length < 1.8 or not draft.chance(0.8):
            continue
        for _ in range(5):
            u = draft.uniform((0.75, wall.length - 0.75))
            pane = wall.rect(u - 0.6, u + 0.6, 0.0, 0.2)
            outside = all(draft.is_exterior(cell, wall, u + du) for du in (-0.6, 0.0, 0.6))
            if outside and not any(pane.overlaps(r) for r in [*tall, *hung]):
                x, y = wall.at(u, 0.0)
                color = (0.74, 0.86, 0.93)
                draft.decor.append(Decor("window", round(x, 4), round(y, 4), 1.5, wall.yaw, (0.04, 0.95, 1.15), color))
                break


def _plant(draft: Draft, cell: int, room: Room) -> None:
    size = draft.uniform((0.30, 0.38))
    against_wall(
        draft, cell, room, Piece("plant", size, size, draft.uniform((0.7, 1.3)), 0.0, draft.choice(("fig", "fern"))), 10
    )


def _rug(draft: Draft, cell: int, rect: Rect, color: Rgb | None = None) -> None:
    room = draft.spaces[cell].room.grown(-0.15)
    r = Rect(max(rect.x0, room.x0), max(rect.y0, room.y0), min(rect.x1, room.x1), min(rect.y1, room.y1))
    if r.width > 0.6 and r.height > 0.6:
        color = color or draft.tint(draft.palette["fabric"])
        draft.decor.append(
            Decor(
                "rug",
                (r.x0 + r.x1) / 2,
                (r.y0 + r.y1) / 2,
                0.004,
                0.0,
                (round(r.width, 3), round(r.height, 3), 0.008),
                color,
            )
        )


def _living(draft: Draft, cell: int, room: Room) -> bool:
    sofa = against_wall(
        draft, cell, room, Piece("sofa", 0.88, draft.uniform((1.7, 2.1)), 0.78, 0.8, draft.choice(("block", "round")))
    )
    if sofa is not None:
        fixture, wall, u = sofa
        _rug(draft, cell, wall.rect(u - 1.2, u + 1.2, 0.6, 2.2))
        x, y = wall.at(u, 0.0)
        draft.decor.append(
            Decor("picture", x, y, 1.55, wall.yaw, (0.03, 0.9, 0.6), draft.tint(draft.palette["accent"], 0.2))
        )
        del fixture
    _side_table(draft, cell, room, draft.choice(("drum", "console")))
    media = against_wall(draft, cell, room, Piece("media_bench", 0.40, 1.4, 0.46, 0.7, "tv"), 14)
    if media is not None:
        x, y = media[1].at(media[2], 0.10)
        draft.decor.append(Decor("screen", x, y, 0.86, media[1].yaw, (0.04, 1.1, 0.64), (0.10, 0.10, 0.11)))
    _plant(draft, cell, room)
    if draft.chance(0.5):
        _plant(draft, cell, room)
    return True


def _dining(draft: Draft, cell: int, room: Room) -> bool:
    _side_table(draft, cell, room, "console")
    _plant(draft, cell, room)
    return True


def _bedroom(draft: Draft, cell: int, room: Room) -> bool:
    bed = against_wall(
        draft, cell, room, Piece("bed", 2.0, draft.uniform((1.3, 1.6)), 0.95, 0.6, draft.choice(("panel", "soft")))
    )
    if bed is not None:
        _, wall, u = bed
        _rug(draft, cell, wall.rect(u - 1.2, u + 1.2, 1.0, 2.5))
    _side_table(draft, cell, room, "nightstand")
    against_wall(draft, cell, room, Piece("wardrobe", 0.58, draft.uniform((1.0, 1.5)), 1.95, 0.75, "doors"))
    _plant(draft, cell, room)
    return True


def _study(draft: Draft, cell: int, room: Room) -> bool:
    _side_table(draft, cell, room, "desk")
    if draft.chance(0.5):
        _shelf_in(draft, cell, room)
    else:
        against_wall(draft, cell, room, Piece("wardrobe", 0.40, 1.1, 1.95, 0.75, "books"))
    _plant(draft, cell, room)
    middle = draft.spaces[cell].room
    x, y = (middle.x0 + middle.x1) / 2, (middle.y0 + middle.y1) / 2
    _rug(draft, cell, rect_at(x, y, 0.0, 1.6, 1.6))
    return True


def _bathroom(draft: Draft, cell: int, room: Room) -> bool:
    against_wall(draft, cell, room, Piece("bathtub", 0.74, 1.6, 0.56, 0.6, "tub"))
    vanity = against_wall(draft, cell, room, Piece("vanity", 0.46, 0.8, 0.84, 0.7, "basin"))
    if vanity is not None:
        x, y = vanity[1].at(vanity[2], 0.0)
        draft.decor.append(Decor("mirror", x, y, 1.5, vanity[1].yaw, (0.03, 0.7, 0.8), (0.80, 0.88, 0.90)))
    against_wall(draft, cell, room, Piece("toilet", 0.62, 0.38, 0.78, 0.6, "wc"))
    _plant(draft, cell, room)
    return True


def _hall(draft: Draft, cell: int, room: Room) -> bool:
    inner = draft.spaces[cell].room
    x, y = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    runner = (inner.width * 0.8, 0.8) if inner.width > inner.height else (0.8, inner.height * 0.8)
    _rug(draft, cell, rect_at(x, y, 0.0, *runner))
    del room
    return True
