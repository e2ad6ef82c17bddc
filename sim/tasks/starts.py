"""The states that tasks start from: those in which coffee episodes give the subgoal.

A start is built in the house of (split, index): the robot before its target with the arm tucked in, fronts, lid, pod,
mug and coffee as they are at that moment. It is a pure function of (task, split, index). Things that an episode would
have moved (the pod into the holder, the mug under the spout) are those of the house.
"""

from collections.abc import Callable, Iterable, Sequence
from math import pi

import numpy as np

from sim.house.plane import offset
from sim.house.schema import SPLITS, Front, Item, Machine, Place
from sim.objects.draw import mug_capacity_ml
from sim.plant import MujocoPlant
from sim.tasks.goals import make_goal
from sim.tasks.predicates import DOOR_OPEN_RAD
from sim.tasks.registry import SURFACES, TASKS, Task
from sim.tasks.stage import NoStartError, Stage

_SALT = 90127
ATTEMPTS, FIRST_CHOICE = 80, 25
"""Draws in all, and those before a start may be further from what is common."""
MUG_PITCH_RAD, POD_PITCH_RAD = float(np.deg2rad(22.0)), float(np.deg2rad(40.0))
POD_BELOW_TOOL_M = 0.011
"""How mugs and pods are held after they were picked up from a flat place."""
DEEPER_M = (0.0, 0.010)
"""How far past the middle of what is picked the tool goes."""
HANDLE_TURN_RAD = 0.6
"""A handle points along the hand or against it: a finger cannot be where the handle is."""
BEFORE_M = (0.9, 1.6)
INTO_DRAWER_M = (0.58, 0.72)
OVER_CHAIRS_M = 0.35
OPEN_KINDS = ("counter", "dining_table", "side_table")
OPENED_SHARE = (0.88, 1.0)


def start_task(task: Task, plant: MujocoPlant) -> None:
    """Bring a plant that was just reset into the start of a task; a pure function of the task and the plant's house.

    Raises NoStartError.
    """
    house = plant.house
    begin, stage = STARTS[task.name], Stage(plant)
    for attempt in range(ATTEMPTS):
        seed = [_SALT, list(TASKS).index(task.name), SPLITS.index(house.split), house.index, attempt]
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
        stage.clear(rng, relaxed=attempt >= FIRST_CHOICE)
        if begin(stage):
            stage.finish()
            if not make_goal(task, stage.truth).holds_now:
                return
    raise NoStartError(f"house {house.split} {house.index} gave no start of {task.name!r} in {ATTEMPTS} draws")


Begin = Callable[[Stage], bool]
"""Sets the stage; False when this draw came to nothing."""


def _any(stage: Stage, things: Sequence, what: str):  # type: ignore[no-untyped-def]
    if not things:
        raise NoStartError(f"house {stage.house.split} {stage.house.index} has no {what}")
    return things[int(stage.rng.integers(len(things)))]


def _settled(stage: Stage) -> bool:
    stage.settle()
    return stage.touches_nothing()


# --- fronts, doors, furniture


def _before_front(classes: Iterable[str]) -> Begin:
    wanted = frozenset(classes)

    def begin(stage: Stage) -> bool:
        front: Front = _any(stage, [f for f in stage.house.fronts if f.class_name in wanted], " or ".join(wanted))
        there = stage.stand_before(front.handle_x, front.handle_y, front.yaw, (0.9, 1.8))
        return there and _settled(stage)

    return begin


def _before_open_front(classes: Iterable[str]) -> Begin:
    wanted = frozenset(classes)

    def begin(stage: Stage) -> bool:
        front: Front = _any(stage, [f for f in stage.house.fronts if f.class_name in wanted], " or ".join(wanted))
        stage.open_front(front, stage.uniform(OPENED_SHARE))
        there = stage.stand_before(front.handle_x, front.handle_y, front.yaw, (0.9, 1.8), 0.9)
        if not there or not _settled(stage):
            return False
        handle = stage.data.geom(f"{front.name}_handle").xpos
        return stage.sees(handle, 0.05)

    return begin


def _push_door(stage: Stage) -> bool:
    doors = [d for d in stage.house.doorways if d.door_joint is not None]
    shut = [d for d in doors if abs(d.initial_angle) < DOOR_OPEN_RAD]
    door = _any(stage, shut or doors, "room door")
    if not shut:
        stage.set_joint(door.door_joint, 0.0)
    side = pi if stage.chance(0.5) else 0.0
    there = stage.stand_before(door.x, door.y, door.yaw + side, (1.1, 2.2), 0.4)
    return there and _settled(stage)


def _table_ahead(stage: Stage, distance_m: tuple[float, float], jitter_rad: float) -> bool:
    """Before a side of the dining table; distances are from its edge."""
    table = stage.truth.dining_table()
    turns = int(stage.rng.integers(4))
    reach = table.size[turns % 2] / 2
    yaw = table.yaw + turns * pi / 2
    low, high = distance_m
    low -= 0.2 if stage.relaxed else 0.0
    if not stage.stand_before(table.x, table.y, yaw, (low + reach, high + reach), 0.9, jitter_rad):
        return False
    x, y, _ = stage.base
    return low <= stage.truth.distance_m(x, y, table) <= high


def _go_to(stage: Stage) -> bool:
    return _table_ahead(stage, (1.7, 4.5), 0.5) and _settled(stage) and _sees_table(stage)


def _sees_table(stage: Stage) -> bool:
    """Over the chairs, and no door in between."""
    table = stage.truth.dining_table()
    reach = max(table.size[:2]) / 2
    above = np.array([table.x, table.y, table.z + table.size[2] / 2 + OVER_CHAIRS_M])
    return stage.sees(above, 0.3) and stage.way_is_clear(table.x, table.y, reach)


def _look_for_mug(stage: Stage) -> bool:
    fixtures = {f.name: f for f in stage.house.fixtures}
    places = {p.name: p for p in stage.house.places}
    on_surface = [
        i
        for i in stage.house.items
        if i.class_name == "mug"
        and fixtures[places[i.place].fixture].class_name in SURFACES
        and places[i.place].front is None
    ]
    if on_surface and not stage.relaxed:
        mug = _any(stage, on_surface, "mug")
        place = places[mug.place]
    else:
        mug = _any(stage, _of_class(stage, "mug"), "mug")
        place = _any(stage, [p for p in stage.house.places if p.kind in OPEN_KINDS], "open place")
        x, y = offset(place.x, place.y, place.yaw, place.half_depth - 0.1)
        stage.put(mug.name, np.array([x, y, place.z + 0.001]), place.yaw)
    there = stage.stand_before(place.x, place.y, place.yaw, (2.5, 3.5), 1.2 if stage.relaxed else 0.6)
    if not there or not _settled(stage):
        return False
    above = np.array([place.x, place.y, place.z + 0.1])
    return stage.sees(above, 0.2) and stage.way_is_clear(place.x, place.y, 0.5)


# --- picking


def _of_class(stage: Stage, class_name: str) -> list[Item]:
    return [item for item in stage.house.items if item.class_name == class_name]


def _pick(class_name: str) -> Begin:
    def begin(stage: Stage) -> bool:
        item: Item = _any(stage, _of_class(stage, class_name), class_name)
        place = stage.truth.place(item.place)
        x, y, distance, spread = item.x, item.y, BEFORE_M, 0.5
        if place.front is not None:
            front = stage.truth.front(place.front)
            share = stage.uniform(OPENED_SHARE)
            stage.open_front(front, share)
            spread = 0.35
            if front.class_name == "drawer":
                x, y = offset(x, y, front.yaw, share * front.open_joint)
                distance = INTO_DRAWER_M
        if not stage.stand_before(x, y, place.yaw, distance, spread):
            return False
        if not _settled(stage):
            return False
        top = stage.truth.position(item.name) + np.array([0.0, 0.0, 0.95 * item.params["height"]])
        return stage.relaxed or stage.sees(top, item.params["radius"] + 0.01)

    return begin


# --- the machine


def _lid(stage: Stage, machine: Machine, is_open: bool) -> None:
    angle = machine.params["lid_stop"] if is_open else 0.0
    stage.set_joint(f"{machine.name}_lid", angle)


def _pod_in(stage: Stage, machine: Machine) -> str:
    pod: Item = _any(stage, _of_class(stage, "pod"), "pod")
    holder = stage.data.site(f"{machine.name}_holder").xpos
    stage.put(pod.name, holder + np.array([0.0, 0.0, 0.001]), stage.uniform((-pi, pi)))
    return pod.name


def _mug_under(stage: Stage, machine: Machine, full: bool) -> str:
    mug: Item = _any(stage, _of_class(stage, "mug"), "mug")
    tray = stage.data.site(f"{machine.name}_tray").xpos
    aside = stage.rng.normal(0.0, 0.005, 2)
    turn = stage.uniform((-HANDLE_TURN_RAD, HANDLE_TURN_RAD)) + (pi if stage.chance(0.5) else 0.0)
    stage.put(mug.name, tray + np.array([*np.clip(aside, -0.01, 0.01), 0.001]), machine.yaw + turn)
    if full:
        stage.full_ml[mug.name] = _serving_ml(stage, mug, machine)
    return mug.name


def _serving_ml(stage: Stage, mug: Item, machine: Machine) -> float:
    """What one brew gives; a mug too small for it is full to 90 %."""
    return min(machine.params["brew_ml"], 0.9 * mug_capacity_ml(mug.params))


def _before_machine(stage: Stage, machine: Machine) -> bool:
    return stage.stand_before(machine.x, machine.y, machine.yaw, BEFORE_M)


def _at_machine(lid_open: bool, pod: bool = False, mug: bool = False, full: bool = False) -> Begin:
    def begin(stage: Stage) -> bool:
        machine = stage.truth.working_machine()
        _lid(stage, machine, lid_open)
        in_holder = _pod_in(stage, machine) if pod else ""
        under = _mug_under(stage, machine, full) if mug else ""
        if not _before_machine(stage, machine) or not _settled(stage):
            return False
        if in_holder and stage.plant.processes.machines.pod_in_holder(machine.name) != in_holder:
            return False
        spout = stage.data.site(f"{machine.name}_spout").xpos
        return not under or stage.plant.processes.liquid.under_spout(under, spout)

    return begin


# --- with something in the hand


def _holding_mug(stage: Stage, full: bool = False) -> bool:
    mug: Item = _any(stage, _of_class(stage, "mug"), "mug")
    turn = stage.uniform((-HANDLE_TURN_RAD, HANDLE_TURN_RAD)) + (pi if stage.chance(0.3) else 0.0)
    above, deeper = stage.uniform((-0.008, 0.008)), stage.uniform(DEEPER_M)
    if full:
        stage.full_ml[mug.name] = _serving_ml(stage, mug, stage.truth.working_machine())
    return stage.hold(mug, MUG_PITCH_RAD, above, deeper, turn)


def _place_mug(stage: Stage) -> bool:
    place: Place = _any(stage, [p for p in stage.house.places if p.kind == "counter"], "counter")
    if not stage.stand_before(place.x, place.y, place.yaw, (0.9, 1.8)) or not _settled(stage):
        return False
    return _holding_mug(stage)


def _insert_pod(stage: Stage) -> bool:
    machine = stage.truth.working_machine()
    _lid(stage, machine, True)
    if not _before_machine(stage, machine) or not _settled(stage):
        return False
    pod: Item = _any(stage, _of_class(stage, "pod"), "pod")
    above = POD_BELOW_TOOL_M + stage.uniform((-0.003, 0.003))
    deeper = stage.uniform(DEEPER_M)
    return stage.hold(pod, POD_PITCH_RAD, above, deeper, stage.uniform((-pi, pi)))


def _place_under_spout(stage: Stage) -> bool:
    machine = stage.truth.working_machine()
    _pod_in(stage, machine)
    if not _before_machine(stage, machine) or not _settled(stage):
        return False
    return _holding_mug(stage)


def _with_coffee(distance_m: tuple[float, float], jitter_rad: float) -> Begin:
    def begin(stage: Stage) -> bool:
        if not _table_ahead(stage, distance_m, jitter_rad) or not _settled(stage) or not _sees_table(stage):
            return False
        return _holding_mug(stage, full=True)

    return begin


STARTS: dict[str, Begin] = {
    "go-to": _go_to,
    "push-door": _push_door,
    "open-cabinet": _before_front(TASKS["open-cabinet"].target_classes),
    "open-drawer": _before_front(TASKS["open-drawer"].target_classes),
    "open-fridge": _before_front(TASKS["open-fridge"].target_classes),
    "close-drawer": _before_open_front(TASKS["close-drawer"].target_classes),
    "close-cabinet": _before_open_front(TASKS["close-cabinet"].target_classes),
    "look-for-mug": _look_for_mug,
    "pick-mug": _pick("mug"),
    "pick-pod": _pick("pod"),
    "place-mug": _place_mug,
    "open-lid": _at_machine(lid_open=False),
    "close-lid": _at_machine(lid_open=True, pod=True),
    "insert-pod": _insert_pod,
    "place-under-spout": _place_under_spout,
    "press-button": _at_machine(lid_open=False, pod=True, mug=True),
    "pick-coffee": _at_machine(lid_open=False, pod=True, mug=True, full=True),
    "carry-mug": _with_coffee((1.6, 4.5), 0.4),
    "serve-coffee": _with_coffee((0.7, 1.0), 0.2),
}
