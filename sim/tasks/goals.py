"""What it means to have done a task, by its name: predicates of `sim.tasks.predicates` with the safety that goes along.

Where a task does not say which one is meant (a cabinet, a mug), any one counts that was not so at the start.
"""

from collections.abc import Callable
from math import atan2, cos, sin, tan
from typing import ClassVar

import mujoco
import numpy as np

from sim.tasks.coffee import CoffeeTask
from sim.tasks.predicates import (
    BASE_STILL_M_S,
    DOOR_OPEN_RAD,
    FACING_RAD,
    FRONT_SHARE,
    KEPT_SHARE,
    LIFT_M,
    Brewed,
    Carried,
    FrontClosed,
    FrontOpened,
    Goal,
    LidClosed,
    LidOpened,
    Part,
    Picked,
    PodInserted,
    PutOn,
    Served,
    UnderSpout,
    yes,
)
from sim.tasks.registry import Task
from sim.tasks.safety import lasting_parts
from sim.tasks.truth import Truth

NEAR_TABLE_M = 1.4
PAST_DOOR_M = 0.2
SEEN_WITHIN_M = 2.3
CAMERA_ASPECT = 4.0 / 3.0


class SubgoalDone:
    """A task is done once any one of `ways` is; what was unsafe by then is remembered."""

    def __init__(self, truth: Truth, ways: list[Goal]) -> None:
        if not ways:
            raise ValueError("a task needs at least one way of being done")
        self.truth = truth
        self.ways = ways
        self._safety: tuple[Part, ...] = ()

    @property
    def success(self) -> bool:
        return any(way.success for way in self.ways)

    @property
    def safe_success(self) -> bool:
        """Success, and everything safe at that moment."""
        return self.success and all(part.holds for part in self._safety)

    @property
    def holds_now(self) -> bool:
        """All conditions of some way are met in this moment."""
        return any(all(part.holds for part in way.parts()) for way in self.ways)

    def update(self) -> None:
        """Once a tick, after `Truth.refresh`."""
        if self.success:
            return
        for way in self.ways:
            way.update()
        if self.success:
            self._safety = self.safety_parts()

    def _best(self) -> Goal:
        return max(self.ways, key=lambda way: (way.success, sum(part.holds for part in way.parts())))

    def parts(self) -> tuple[Part, ...]:
        """The conditions of the way that is nearest to being done, as they are now."""
        return self._best().parts()

    def safety_parts(self) -> tuple[Part, ...]:
        """What safe success needs beyond success."""
        return self._safety or lasting_parts(self.truth)

    def report(self) -> dict[str, Part]:
        """Each part of success and of safety by name, with its number."""
        return self._best().report() | {part.name: part for part in self.safety_parts()}


TaskGoal = CoffeeTask | SubgoalDone


class AtTable(Goal):
    """The base stands still near the dining table and faces it."""

    def parts(self) -> tuple[Part, ...]:
        truth = self.truth
        table = truth.dining_table()
        x, y, yaw = truth.base_pose()
        dx, dy = table.x - x, table.y - y
        off = atan2(dy * cos(yaw) - dx * sin(yaw), dx * cos(yaw) + dy * sin(yaw))
        return (
            Part("base-to-table", truth.base_distance_m(table), NEAR_TABLE_M, "<=", "m"),
            Part("facing", abs(off), FACING_RAD, "<=", "rad"),
            Part("base-speed", truth.base_speed_m_s(), BASE_STILL_M_S, "<=", "m/s"),
        )


class DoorPassed(Goal):
    """The base has gone through a doorway whose leaf was in the way: between its posts, not round by another one."""

    def __init__(self, truth: Truth, doorway: str) -> None:
        super().__init__(truth)
        self._door = next(d for d in truth.house.doorways if d.name == doorway)
        self._from = 1.0 if self._ahead_aside_m()[0] > 0.0 else -1.0
        self._before_m = self._past_m()
        self._went_through = False

    def _ahead_aside_m(self) -> tuple[float, float]:
        x, y, _ = self.truth.base_pose()
        dx, dy = x - self._door.x, y - self._door.y
        c, s = cos(self._door.yaw), sin(self._door.yaw)
        return c * dx + s * dy, -s * dx + c * dy

    def _past_m(self) -> float:
        return -self._from * self._ahead_aside_m()[0]

    def update(self) -> None:
        past = self._past_m()
        if past > 0.0 >= self._before_m:
            self._went_through = abs(self._ahead_aside_m()[1]) < self._door.width / 2
        self._before_m = past
        super().update()

    def parts(self) -> tuple[Part, ...]:
        return (
            Part("past-doorway", self._past_m(), PAST_DOOR_M, unit="m"),
            yes("between-the-posts", self._went_through),
        )


class MugSeen(Goal):
    """A mug is in the head camera's view from near, and nothing hides its middle. A glance is enough: the robot looks
    about and does not stare."""

    hold_s: ClassVar[float] = 0.3

    def __init__(self, truth: Truth, mug: str) -> None:
        super().__init__(truth)
        self._mug = mug
        self._height_m = truth.item(mug).params["height"]
        self._body = truth.model.body(mug).id
        self._camera = truth.model.camera("head_camera").id

    def parts(self) -> tuple[Part, ...]:
        data, model = self.truth.data, self.truth.model
        eye = data.cam_xpos[self._camera]
        middle = self.truth.position(self._mug) + np.array([0.0, 0.0, self._height_m / 2])
        gap = middle - eye
        distance = float(np.linalg.norm(gap))
        near = Part("distance", distance, SEEN_WITHIN_M, "<=", "m")
        right, up, back = (float(v) for v in data.cam_xmat[self._camera].reshape(3, 3).T @ gap)
        half = tan(np.deg2rad(float(model.cam_fovy[self._camera])) / 2)
        in_view = back < 0.0 and abs(up) < -back * half and abs(right) < -back * half * CAMERA_ASPECT
        return near, yes("in-view", in_view), yes("not-hidden", near.holds and in_view and self._clear(eye, gap))

    def _clear(self, eye: np.ndarray, gap: np.ndarray) -> bool:
        """The ray to the mug's middle meets the mug first; the head itself is passed over."""
        distance = float(np.linalg.norm(gap))
        direction = gap / distance
        skip = 0.12
        geom = np.zeros(1, np.int32)
        mujoco.mj_ray(self.truth.model, self.truth.data, eye + skip * direction, direction, None, 1, -1, geom)
        model = self.truth.model
        return geom[0] >= 0 and int(model.body_rootid[model.geom_bodyid[geom[0]]]) == self._body


class Taken(Picked):
    """An item is taken 5 cm away from where it was, in whatever direction, held by both pads and nothing else.

    What stood on a high shelf is carried lower than it stood.
    """

    def __init__(self, truth: Truth, item: str) -> None:
        super().__init__(truth, item)
        self._start_m = truth.position(item).copy()

    def parts(self) -> tuple[Part, ...]:
        _, *rest = super().parts()
        away = float(np.linalg.norm(self.truth.position(self.item) - self._start_m))
        return Part("taken-away", away, LIFT_M, unit="m"), *rest


class CoffeePicked(Taken):
    """A full mug is picked without losing its coffee."""

    def __init__(self, truth: Truth, item: str) -> None:
        super().__init__(truth, item)
        self._start_ml = truth.processes.mug_ml(item)

    def parts(self) -> tuple[Part, ...]:
        kept = Part("kept", self.truth.processes.mug_ml(self.item), KEPT_SHARE * self._start_ml, unit="ml")
        return *super().parts(), kept


class LidClosedOnPod(LidClosed):
    """The lid is closed over the pod that was in the holder."""

    def __init__(self, truth: Truth, machine: str) -> None:
        super().__init__(truth, machine)
        self._machine = machine

    def parts(self) -> tuple[Part, ...]:
        pod = self.truth.processes.machines.pod_in_holder(self._machine)
        return *super().parts(), yes("pod-in-holder", pod is not None)


class BrewedIntoMug(Brewed):
    """A brew ran to its end, into a mug."""

    def parts(self) -> tuple[Part, ...]:
        caught = max(self.truth.processes.liquid.ml, default=0.0)
        brewed = self.truth.processes.machines.states[self.index].brewed_ml - self.start_ml
        return *super().parts(), Part("caught", caught, KEPT_SHARE * brewed, unit="ml")


def make_goal(task: Task, truth: Truth) -> SubgoalDone:
    """The judge of a subgoal's task from the state that `truth` shows now, which is taken for the start."""
    truth.refresh()
    return SubgoalDone(truth, WAYS[task.name](truth, task))


def make_task_goal(task: Task, truth: Truth) -> TaskGoal:
    """The judge of any task."""
    return CoffeeTask(truth) if task.subgoal is None else make_goal(task, truth)


def _mugs(truth: Truth, task: Task) -> list[str]:
    """The mugs that count: the full ones where the task is about coffee, else all that are in no one's hand."""
    if task.full:
        return [mug for mug in truth.mugs() if truth.processes.mug_ml(mug) > 0.0]
    return [mug for mug in truth.mugs() if not truth.held(mug)]


def _held_mug(truth: Truth) -> str:
    for mug in truth.mugs():
        if truth.held(mug):
            return mug
    raise ValueError("no mug is held at the start")


def _fronts(truth: Truth, task: Task) -> list[Goal]:
    closed = [f for f in truth.house.fronts if f.class_name in task.target_classes and truth.joint(f.joint) < 0.05]
    return [FrontOpened(truth, front.name) for front in closed]


def _open_fronts(truth: Truth, task: Task) -> list[Goal]:
    fronts = [f for f in truth.house.fronts if f.class_name in task.target_classes]
    return [FrontClosed(truth, f.name) for f in fronts if truth.joint(f.joint) > FRONT_SHARE * f.open_joint]


def _doors(truth: Truth, _: Task) -> list[Goal]:
    shut = [d.name for d in truth.house.doorways if d.door_joint and abs(truth.joint(d.door_joint)) < DOOR_OPEN_RAD]
    return [DoorPassed(truth, name) for name in shut]


def _placed(truth: Truth, _: Task) -> list[Goal]:
    mug = _held_mug(truth)
    return [PutOn(truth, mug, fixture.name) for fixture in truth.house.fixtures if fixture.class_name == "counter"]


WAYS: dict[str, Callable[[Truth, Task], list[Goal]]] = {
    "go-to": lambda truth, _: [AtTable(truth)],
    "push-door": _doors,
    "open-cabinet": _fronts,
    "open-drawer": _fronts,
    "open-fridge": _fronts,
    "close-drawer": _open_fronts,
    "close-cabinet": _open_fronts,
    "look-for-mug": lambda truth, _: [MugSeen(truth, mug) for mug in truth.mugs()],
    "pick-mug": lambda truth, task: [Taken(truth, mug) for mug in _mugs(truth, task)],
    "pick-pod": lambda truth, _: [Taken(truth, i.name) for i in truth.house.items if i.class_name == "pod"],
    "place-mug": _placed,
    "open-lid": lambda truth, _: [LidOpened(truth, truth.working_machine().name)],
    "close-lid": lambda truth, _: [LidClosedOnPod(truth, truth.working_machine().name)],
    "insert-pod": lambda truth, _: [PodInserted(truth, truth.working_machine().name)],
    "place-under-spout": lambda truth, _: [UnderSpout(truth, _held_mug(truth), truth.working_machine().name)],
    "press-button": lambda truth, _: [BrewedIntoMug(truth, truth.working_machine().name)],
    "pick-coffee": lambda truth, task: [CoffeePicked(truth, mug) for mug in _mugs(truth, task)],
    "carry-mug": lambda truth, _: [Carried(truth, _held_mug(truth), truth.dining_table().name)],
    "serve-coffee": lambda truth, _: [Served(truth, _held_mug(truth), truth.dining_table().name)],
}
