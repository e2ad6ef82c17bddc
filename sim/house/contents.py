"""Machines, mugs, pods, dinnerware and clutter: what stands where."""

from dataclasses import dataclass, field, replace
from math import cos, pi

import numpy as np

from sim.house.draft import Draft, MachineSpot
from sim.house.kitchen import STRIP_M
from sim.house.plane import offset
from sim.house.schema import Item, Machine, Place
from sim.objects.draw import draw_clutter, draw_clutter_of, draw_machine, draw_mug, draw_pod

PLACE_KINDS = (
    "counter", "shelf", "dining_table", "side_table", "dish_rack", "upper_cabinet", "lower_cabinet", "drawer", "fridge",
)  # fmt: skip
CLOSED_KINDS = ("upper_cabinet", "lower_cabinet", "drawer", "fridge")
FINGER_ROOM_M = 0.09
"""Beside a thing that is to be grasped from the front."""
_HANDLE_THICKNESS_M = 0.012
_COUNTS, _COUNT_SHARES = (1, 2, 3), (0.08, 0.20, 0.72)
"""Of mugs and of pods. 2.64 on average, so that each of nine kinds of place has one in 29 % of houses."""


@dataclass
class Stock:
    """What stands on the places so far, by place: (left of its middle, behind its front edge, radius, graspable)."""

    taken: dict[str, list[tuple[float, float, float, bool]]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)


def add_machines(draft: Draft) -> list[Machine]:
    """The working machine on one spot, often a dead one elsewhere; spots left over become places of the counter."""
    spots = [draft.machine_spots[int(i)] for i in draft.rng.permutation(len(draft.machine_spots))]
    machines = [_machine(draft, "coffee_machine_1", spots.pop(0), True)]
    second = draft.chance(0.45)
    if second and not spots:
        tables = [p for p in draft.places if p.kind == "side_table" and p.half_width > 0.4]
        if tables:
            table = tables[int(draft.rng.integers(len(tables)))]
            x, y = offset(table.x, table.y, table.yaw, table.half_depth - 0.03, table.half_width - 0.20)
            spots.append(MachineSpot(x, y, table.z, table.yaw, table.fixture, table.room, 1.2))
            draft.places[draft.places.index(table)] = _narrowed(table)
    if second and spots:
        machines.append(_machine(draft, "coffee_machine_2", spots.pop(0), False))
    for spot in spots:
        x, y = offset(spot.x, spot.y, spot.yaw, -STRIP_M / 2)
        draft.places.append(
            Place(
                name=draft.name("place_counter"),
                kind="counter",
                x=round(x, 4),
                y=round(y, 4),
                z=spot.z,
                yaw=spot.yaw,
                half_depth=STRIP_M / 2,
                half_width=0.24,
                headroom=spot.above_free,
                front=None,
                fixture=spot.fixture,
                room=spot.room,
            )
        )
    draft.drawn["second_machine"] = len(machines) - 1
    draft.drawn["lid_hinge"], draft.drawn["button"] = machines[0].lid_hinge, machines[0].button_place
    return machines


def _narrowed(table: Place) -> Place:
    """The part of a table that a machine at its left end leaves free."""
    taken = 0.42
    x, y = offset(table.x, table.y, table.yaw, 0.0, -taken / 2)
    return replace(table, x=round(x, 4), y=round(y, 4), half_width=round(table.half_width - taken / 2, 4))


def _machine(draft: Draft, name: str, spot: MachineSpot, has_mains: bool) -> Machine:
    drawn = draw_machine(draft.rng, draft.split)
    params = dict(drawn["params"])
    inset = draft.uniform((0.09, 0.13)) if has_mains or spot.above_free > 1.3 else 0.02
    x, y = offset(spot.x, spot.y, spot.yaw, -(inset + params["depth"] / 2))
    return Machine(
        name, round(x, 4), round(y, 4), spot.z, spot.yaw, has_mains, params, drawn["lid_hinge"], drawn["button_place"]
    )


def draw_kinds(rng: np.random.Generator) -> dict[str, tuple[str, ...]]:
    """Distinct, equally likely kinds of place for the mugs and for the pods of a house."""
    kinds = {}
    for class_name in ("mug", "pod"):
        count = int(rng.choice(_COUNTS, p=_COUNT_SHARES))
        kinds[class_name] = tuple(PLACE_KINDS[int(i)] for i in rng.permutation(len(PLACE_KINDS))[:count])
    return kinds


def add_items(draft: Draft, kinds_of: dict[str, tuple[str, ...]]) -> list[Item] | None:
    """Mugs and pods in places of the given kinds, then what distracts. None when one found no room."""
    stock = Stock()
    for class_name, kinds in kinds_of.items():
        draft.drawn[f"{class_name}s"] = len(kinds)
        for kind in PLACE_KINDS:
            draft.drawn[f"{class_name}_in_{kind}"] = int(kind in kinds)
        for kind in kinds:
            if class_name == "mug":
                params, style = draw_mug(draft.rng, draft.split)
            else:
                params, style = draw_pod(draft.rng, draft.split), ""
            if not _put(draft, stock, kind, class_name, params, style, class_name == "mug", graspable=True):
                return None
    wanted = [c for c, share in (("bowl", 0.55), ("loose_lid", 0.45)) if draft.chance(share)]
    for class_name in wanted:
        _put_clutter(draft, stock, draw_clutter_of(draft.rng, draft.split, class_name))
    for _ in range(int(draft.rng.integers(3, 8))):
        _put_clutter(draft, stock, draw_clutter(draft.rng, draft.split))
    classes = [item.class_name for item in stock.items]
    draft.drawn |= {"bowl": int("bowl" in classes), "loose_lid": int("loose_lid" in classes)}
    draft.drawn["clutter"] = sum(c not in ("mug", "pod") for c in classes)
    draft.drawn["only_closed_mugs"] = int(
        not any(draft.drawn[f"mug_in_{k}"] for k in PLACE_KINDS if k not in CLOSED_KINDS)
    )
    return stock.items


def _put_clutter(draft: Draft, stock: Stock, drawn: tuple[str, dict[str, float], str, bool]) -> None:
    class_name, params, style, breakable = drawn
    for kind in (draft.choice(PLACE_KINDS), draft.choice(PLACE_KINDS[:5]), "counter", "dining_table"):
        if _put(draft, stock, kind, class_name, params, style, breakable, graspable=False):
            return


def _put(
    draft: Draft,
    stock: Stock,
    kind: str,
    class_name: str,
    params: dict[str, float],
    style: str,
    breakable: bool,
    graspable: bool,
) -> bool:
    places = [p for p in draft.places if p.kind == kind]
    radius, height = params["radius"], params["height"]
    for _ in range(16):
        place = places[int(draft.rng.integers(len(places)))]
        if height > place.headroom - (0.12 if graspable and kind != "drawer" else 0.02):
            continue
        walled = kind in CLOSED_KINDS or kind in ("dish_rack", "shelf")
        side = radius + (FINGER_ROOM_M if graspable else 0.02)
        back = not graspable and kind in ("counter", "dining_table") and draft.chance(0.6)
        turn = _handle_turn(draft, walled) if class_name == "mug" else draft.uniform((-pi, pi))
        near = max(radius + 0.012, 0.055 if kind != "drawer" else 0.075)
        if class_name == "mug" and place.front is not None:  # the handle must not touch the closed front
            near = max(near, (radius + params["handle_reach"] + _HANDLE_THICKNESS_M) * cos(turn) + 0.008)
        far = 0.155 if kind != "dining_table" else 0.28
        low, high = (0.36, 0.44) if back else (near, max(far, near))
        if side > place.half_width or (not back and high + radius > 2 * place.half_depth + 0.04):
            continue
        left = round(float(draft.rng.uniform(-(place.half_width - side), place.half_width - side)), 4)
        behind = round(float(draft.rng.uniform(low, high)), 4)
        taken = stock.taken.setdefault(place.name, [])
        if any(_collides(left, behind, radius, graspable, other) for other in taken):
            continue
        taken.append((left, behind, radius, graspable))
        x, y = offset(place.x, place.y, place.yaw, place.half_depth - behind, left)
        yaw = round((place.yaw + turn + pi) % (2 * pi) - pi, 4)
        name = draft.name(class_name)
        stock.items.append(
            Item(name, class_name, round(x, 4), round(y, 4), place.z, yaw, place.name, breakable, dict(params), style)
        )
        return True
    return False


def _collides(
    left: float, behind: float, radius: float, graspable: bool, other: tuple[float, float, float, bool]
) -> bool:
    other_left, other_behind, other_radius, other_graspable = other
    sideways, touching = abs(left - other_left), radius + other_radius
    if (graspable and other_behind < behind + 0.10) or (other_graspable and behind < other_behind + 0.10):
        return sideways < touching + FINGER_ROOM_M  # nothing beside or in front of what is to be grasped
    return sideways**2 + (behind - other_behind) ** 2 < (touching + 0.02) ** 2


def _handle_turn(draft: Draft, walled: bool) -> float:
    """Handle's direction against the place's: any; between walls not to a side, where no gripper gets past it."""
    while True:
        turn = draft.uniform((-pi, pi))
        if not walled or abs(abs(turn) - pi / 2) > 0.65:
            return turn
