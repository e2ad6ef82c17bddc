"""What it means that a subgoal is reached: predicates on poses, joint travel, contacts and volumes.

Every Goal has the same interface: `update` once a tick (after `Truth.refresh`), `success` once all its parts have
held together for `hold_s`, `report` with each part by name and number. Success is latched; parts are not.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from agent.messages import TICK_S
from sim.objects.machine_geometry import LID_CLOSED_RAD
from sim.tasks.truth import STILL_M_S, UPRIGHT_COS, Truth

HOLD_S = 1.0
LID_OPEN_RAD = 1.3
"""75 degrees: from here a lid stays open."""
DOOR_OPEN_RAD = 1.1
FRONT_SHARE, CLOSED_SHARE = 0.7, 0.1
LIFT_M = 0.05
KEPT_SHARE = 0.95
NEAR_TABLE_M = 1.3
"""From here serving begins."""
POURED_ML = 1.0
FACING_RAD = 0.5
BASE_STILL_M_S = 0.05


@dataclass(frozen=True)
class Part:
    """One condition: `value` compared with `bound`; yes-or-no conditions are 1 or 0 against 1."""

    name: str
    value: float
    bound: float
    sense: Literal[">=", "<="] = ">="
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.value >= self.bound if self.sense == ">=" else self.value <= self.bound

    def __str__(self) -> str:
        mark, unit = "yes" if self.holds else "no", f" {self.unit}" if self.unit else ""
        return f"{self.name}: {mark} ({self.value:.4g} {self.sense} {self.bound:.4g}{unit})"


def yes(name: str, condition: bool) -> Part:
    """A yes-or-no condition as a Part."""
    return Part(name, float(condition), 1.0)


class Goal(ABC):
    """A predicate over the episode so far."""

    hold_s: ClassVar[float] = HOLD_S

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self._held_ticks = 0
        self.success = False

    @abstractmethod
    def parts(self) -> tuple[Part, ...]:
        """The conditions as they are now."""

    def update(self) -> None:
        """Once a tick, after `Truth.refresh`."""
        self._held_ticks = self._held_ticks + 1 if all(part.holds for part in self.parts()) else 0
        self.success = self.success or self._held_ticks * TICK_S >= self.hold_s - 1e-9

    @property
    def held_s(self) -> float:
        """How long all parts have held together."""
        return self._held_ticks * TICK_S

    def report(self) -> dict[str, Part]:
        """Each part by name, and how long they have held."""
        parts = {part.name: part for part in self.parts()}
        parts["lasted"] = Part("lasted", self.held_s, self.hold_s, unit="s")
        return parts


class FrontOpened(Goal):
    """A cabinet, drawer or fridge is open by 70 % of its travel and let go."""

    def __init__(self, truth: Truth, front: str) -> None:
        super().__init__(truth)
        self.front = truth.front(front)

    def parts(self) -> tuple[Part, ...]:
        share = self.truth.joint(self.front.joint) / self.front.open_joint
        released = not self.truth.robot_touches_joint(self.front.joint)
        return Part("open-share", share, FRONT_SHARE), yes("released", released)


class FrontClosed(Goal):
    """A cabinet, drawer or fridge is closed to a tenth of its travel and let go."""

    def __init__(self, truth: Truth, front: str) -> None:
        super().__init__(truth)
        self.front = truth.front(front)

    def parts(self) -> tuple[Part, ...]:
        share = self.truth.joint(self.front.joint) / self.front.open_joint
        released = not self.truth.robot_touches_joint(self.front.joint)
        return Part("open-share", share, CLOSED_SHARE, "<="), yes("released", released)


class Picked(Goal):
    """An item is lifted by 5 cm from where it was and held by both pads, by nothing else than the hand."""

    def __init__(self, truth: Truth, item: str) -> None:
        super().__init__(truth)
        self.item = item
        self.start_z = float(truth.position(item)[2])

    def parts(self) -> tuple[Part, ...]:
        truth, item = self.truth, self.item
        return (
            Part("lifted", float(truth.position(item)[2]) - self.start_z, LIFT_M, unit="m"),
            yes("held", truth.held(item)),
            yes("unbroken", item not in truth.processes.breakage.broken),
        )


class _Standing(Goal):
    """Shared by goals whose item must stand by itself."""

    def __init__(self, truth: Truth, item: str) -> None:
        super().__init__(truth)
        self.item = item
        truth.item(item)

    def _standing(self) -> tuple[Part, ...]:
        truth, item = self.truth, self.item
        return (
            Part("upright", truth.upright_cos(item), UPRIGHT_COS),
            Part("speed", truth.speed_m_s(item), STILL_M_S, "<=", "m/s"),
            yes("released", truth.released(item)),
            yes("unbroken", item not in truth.processes.breakage.broken),
        )


class PutOn(_Standing):
    """An item stands upright anywhere on top of a piece of furniture, let go."""

    def __init__(self, truth: Truth, item: str, fixture: str) -> None:
        super().__init__(truth, item)
        self.fixture = truth.fixture(fixture)

    def parts(self) -> tuple[Part, ...]:
        return yes("on-top", self.truth.on_top(self.item, self.fixture)), *self._standing()


class UnderSpout(_Standing):
    """A mug stands on the drip tray with its mouth under the spout, let go."""

    def __init__(self, truth: Truth, mug: str, machine: str) -> None:
        super().__init__(truth, mug)
        self.machine = truth.machine(machine)

    def parts(self) -> tuple[Part, ...]:
        truth, name = self.truth, self.machine.name
        spout = truth.data.site(f"{name}_spout").xpos
        above_tray = float(truth.position(self.item)[2] - truth.data.site(f"{name}_tray").xpos[2])
        return (
            yes("under-spout", truth.processes.liquid.under_spout(self.item, spout)),
            Part("above-tray", abs(above_tray), 0.01, "<=", "m"),
            *self._standing(),
        )


class LidOpened(Goal):
    """A machine's lid stays open by itself."""

    def __init__(self, truth: Truth, machine: str) -> None:
        super().__init__(truth)
        self.joint = f"{truth.machine(machine).name}_lid"

    def parts(self) -> tuple[Part, ...]:
        angle = Part("lid-angle", self.truth.joint(self.joint), LID_OPEN_RAD, unit="rad")
        return angle, yes("released", not self.truth.robot_touches_joint(self.joint))


class LidClosed(Goal):
    """A machine's lid is closed and let go."""

    def __init__(self, truth: Truth, machine: str) -> None:
        super().__init__(truth)
        self.joint = f"{truth.machine(machine).name}_lid"

    def parts(self) -> tuple[Part, ...]:
        angle = Part("lid-angle", self.truth.joint(self.joint), LID_CLOSED_RAD, "<=", "rad")
        return angle, yes("released", not self.truth.robot_touches_joint(self.joint))


class PodInserted(Goal):
    """An unused pod lies flat on the floor of a machine's well, let go."""

    def __init__(self, truth: Truth, machine: str) -> None:
        super().__init__(truth)
        self.machine = truth.machine(machine).name

    def parts(self) -> tuple[Part, ...]:
        pod = self.truth.processes.machines.pod_in_holder(self.machine)
        if pod is None:
            return yes("pod-in-holder", False), yes("unused", False), yes("released", False)
        unused = not self.truth.processes.machines.is_pod_used(pod)
        return yes("pod-in-holder", True), yes("unused", unused), yes("released", self.truth.released(pod))


class Pressed(Goal):
    """A press of the button started a brew, which has run for a second or is over."""

    def __init__(self, truth: Truth, machine: str) -> None:
        super().__init__(truth)
        self.index = truth.processes.machines.index(machine)
        self.start_brews = truth.processes.machines.states[self.index].brews
        self.start_ml = truth.processes.machines.states[self.index].brewed_ml

    def parts(self) -> tuple[Part, ...]:
        state = self.truth.processes.machines.states[self.index]
        return (
            Part("brews-started", state.brews - self.start_brews, 1),
            Part("brewed", state.brewed_ml - self.start_ml, POURED_ML, unit="ml"),
        )


class Brewed(Pressed):
    """A brew started since the beginning has run to its end."""

    def parts(self) -> tuple[Part, ...]:
        machine = self.truth.house.machines[self.index]
        state = self.truth.processes.machines.states[self.index]
        return (
            Part("brews-started", state.brews - self.start_brews, 1),
            Part("brewed", state.brewed_ml - self.start_ml, machine.params["brew_ml"] * (1 - 1e-6), unit="ml"),
        )


class _Full(_Standing):
    """Shared by goals with a mug that must keep its coffee."""

    def __init__(self, truth: Truth, mug: str, table: str) -> None:
        super().__init__(truth, mug)
        self.table = truth.fixture(table)
        self.start_ml = truth.processes.mug_ml(mug)

    def _kept(self) -> tuple[Part, ...]:
        """It held something at the start, and still holds 95 % of it."""
        now = self.truth.processes.mug_ml(self.item)
        return (
            Part("started-with", self.start_ml, POURED_ML, unit="ml"),
            Part("kept", now, KEPT_SHARE * self.start_ml, unit="ml"),
        )


class Carried(_Full):
    """A full mug was driven to a table: still held, still full, the base near it."""

    def parts(self) -> tuple[Part, ...]:
        truth = self.truth
        return (
            *self._kept(),
            yes("held", truth.held(self.item)),
            Part("base-to-table", truth.base_distance_m(self.table), NEAR_TABLE_M, "<=", "m"),
            yes("unbroken", self.item not in truth.processes.breakage.broken),
        )


class Served(_Full):
    """A full mug stands on a table, let go."""

    def parts(self) -> tuple[Part, ...]:
        return *self._kept(), yes("on-table", self.truth.on_top(self.item, self.table)), *self._standing()
