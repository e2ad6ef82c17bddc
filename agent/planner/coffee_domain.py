"""The coffee task as STRIPS operators over what has been seen.

What has not been seen is stood for by `some-mug`, `some-pod`, `some-machine` and `some-table`: `look-for`
and `explore` are planned as if they found it. A plan is carried out only up to the first such search; what it
really showed goes into the next plan. Driving is part of every operator, never one of its own.

Conditions that never change within a plan (what a thing is, which place a front opens, whether a pod is spent)
are settled while the operators are built and are no atoms.
"""

from dataclasses import dataclass
from typing import Final

from agent.messages import SubgoalKind
from agent.planner.effort import UNKNOWN_POWER_S, UNSEEN_S, Effort, can_hold
from agent.planner.scene import Scene
from agent.planner.strips import Atom, Operator

K = SubgoalKind

UNSEEN: Final = {"mug": "some-mug", "pod": "some-pod", "coffee_machine": "some-machine", "table": "some-table"}
"""Class → what stands for one that has not been seen."""
SERVED: Final[Atom] = ("coffee-served",)
_PUT_DOWN_CHOICES = 4
"""Surfaces considered for putting something down: the nearest ones."""
_FINDS_WAYS: Final = (K.EXPLORE, K.PUSH_DOOR)
_CAREFUL = "careful"
_CAREFUL_S = 3.0
_CROWDED_S = 45.0
"""What working beside an open front costs: more than closing it."""


@dataclass(frozen=True)
class Domain:
    initial: frozenset[Atom]
    goal: frozenset[Atom]
    operators: tuple[Operator, ...]
    """Labels are (kind, target, item, further objects …)."""
    refused: tuple[str, ...]
    """Why operators were left out that failed too often."""


def coffee_domain(scene: Scene, effort: Effort, *, refuse: bool = True, heed_crowding: bool = True) -> Domain:
    """The task `coffee` in this scene. `refuse` leaves out subgoals that failed too often; without `heed_crowding`
    open fronts are in nobody's way."""
    return _Builder(scene, effort, refuse, scene.rows("crowds") if heed_crowding else []).domain()


class _Builder:
    def __init__(self, scene: Scene, effort: Effort, refuse: bool, crowding: list[tuple[str, ...]]) -> None:
        self.scene = scene
        self.effort = effort
        self.refuse = refuse
        self.operators: list[Operator] = []
        self.refused: list[str] = []
        good = [name for name in scene.movables if not scene.holds("broken", name)]
        self.mugs = [m for m in scene.all("mug") if m in good]
        self.pods = [p for p in scene.all("pod") if p in good and not scene.holds("used", p)]
        self.machines = [k for k in scene.all("machine") if not scene.holds("unpowered", k)]
        self.tables = scene.all("table")
        self.put_down = self._surfaces_nearby()
        can_find_ways = scene.holds("frontier-left") or scene.all("door-shut")
        self.no_way: set[str] = set(scene.all("no-way")) if can_find_ways else set()
        self.crowded_by: dict[str, list[str]] = {}
        for front, name in crowding:
            self.crowded_by.setdefault(name, []).append(front)
        # A search is offered where nothing of the class is known that promises well.
        promising = {
            "mug": [m for m in self.mugs if self._at_hand(m)],
            "pod": [p for p in self.pods if self._at_hand(p)],
            "coffee_machine": [k for k in self.machines if not effort.spoiled(K.PRESS, k)],
            "table": [t for t in self.tables if not effort.spoiled(K.SERVE, t)],
        }
        # A pod that is in the machine need not be found.
        if any(scene.holds("pod-in", k) and not scene.holds("brewed", k) for k in self.machines):
            del promising["pod"]
        self.unseen = [item for item, known in promising.items() if not known]

    def _at_hand(self, thing: str) -> bool:
        """Whether it is known where the thing is and nothing failed there yet."""
        if thing == self.scene.held or thing in self.scene.machine_over:
            return True
        place = self.scene.place_of.get(thing)
        front = self.scene.front_of.get(place or "")
        stuck = front is not None and not self.scene.front_open(front) and self.effort.spoiled(K.OPEN, front)
        return place is not None and not stuck and not self.effort.spoiled(K.PICK, thing)

    def _surfaces_nearby(self) -> list[str]:
        scene = self.scene
        free = [
            s for s in scene.all("surface") if not scene.holds("no-room", s) and not self.effort.forbidden(K.PLACE, s)
        ]
        return sorted(free, key=lambda s: (self.effort.cost(K.PLACE, s, at=s), s))[:_PUT_DOWN_CHOICES]

    def domain(self) -> Domain:
        self._searches()
        self._fronts_and_doors()
        self._picks_and_places()
        for machine in self._candidates("coffee_machine", self.machines):
            self._machine(machine)
        for table in self._candidates("table", self.tables):
            self._table(table)
        shut = {("lid-closed", k) for k in self.machines if self._can_be_shut(k)}
        return Domain(
            self._initial(), frozenset({SERVED} | shut), tuple(self.operators), tuple(dict.fromkeys(self.refused))
        )

    def _can_be_shut(self, machine: str) -> bool:
        """Whether nothing was given up that shutting its lid takes."""
        ajar = self._lid(machine) == "lid-ajar"
        needed = (K.OPEN_LID, K.CLOSE_LID) if ajar else (K.CLOSE_LID,)
        return not any(self.effort.forbidden(kind, machine) for kind in needed)

    def _candidates(self, item: str, known: list[str]) -> list[str]:
        return [*known, UNSEEN[item]] if item in self.unseen else known

    def _initial(self) -> frozenset[Atom]:
        scene = self.scene
        atoms: set[Atom] = {a for a in scene.atoms if a[0] in ("at", "holding", "under-spout", "frontier-left", "full")}
        if scene.held is None:
            atoms.add(("hand-empty",))
        elif not scene.holds("awkward-grasp", scene.held):
            atoms.add(("level", scene.held))
        for machine in self._candidates("coffee_machine", self.machines):
            atoms.add((self._lid(machine), machine))
            atoms.add(("pod-in" if scene.holds("pod-in", machine) else "holder-empty", machine))
            if scene.tray_free(machine):
                atoms.add(("tray-free", machine))
            if not scene.holds("brewed", machine):
                atoms.add(("fresh", machine))
        for front in scene.all("front"):
            atoms.add(("open" if scene.front_open(front) else "closed", front))
            if not scene.holds("ajar", front):
                atoms.add(("shut", front))
        for mug in self._candidates("mug", self.mugs):
            if not scene.holds("full", mug):
                atoms.add(("unfilled", mug))
            if not scene.holds("askew", mug):
                atoms.add(("centred", mug))
            place = scene.place_of.get(mug)
            stands_on_table = place is not None and scene.holds("table", place)
            if scene.holds("full", mug) and (stands_on_table or scene.holds("served", mug)):
                atoms.add(SERVED)
        atoms |= {("carried", *row) for row in scene.rows("carried")}
        atoms |= {("door-shut", door) for door in scene.all("door-shut")}
        return frozenset(atoms)

    def _add(
        self,
        kind: SubgoalKind,
        target: str,
        item: str = "",
        *others: str,
        needs: set[Atom],
        adds: set[Atom],
        deletes: set[Atom] | None = None,
        at: str = "",
        extra_s: float = 0.0,
    ) -> None:
        """`at`: where to drive, if that is a real entity and its distance matters."""
        if self.refuse and (why := self.effort.forbidden(kind, target, item)):
            self.refused.append(why)
            return
        objects = frozenset(name for name in (target, *others) if name and name != _CAREFUL)
        for item_class, name in UNSEEN.items():
            if name in objects:
                needs = needs | {("found", item_class)}
        doors = {
            door for name in sorted(objects | ({at} if at else set())) for door in self.scene.shut_doors_before(name)
        }
        needs = needs | {("way-free", door) for door in doors}
        if kind not in _FINDS_WAYS:
            needs = needs | {("way-known", name) for name in sorted(objects) if name in self.no_way}
        crowding = {front for name in objects for front in self.crowded_by.get(name, [])} - objects
        imagined = kind in (K.PICK, K.PRESS, K.SERVE) and not objects.isdisjoint(UNSEEN.values())
        cost = self.effort.cost(kind, target, item, at) + extra_s + (UNSEEN_S if imagined else 0.0)
        label = (kind.value, target, item, *others)
        shut: set[Atom] = {("shut", front) for front in crowding}
        # What failed there already may have failed for want of room.
        crowded_s = _CROWDED_S * (1 + self.effort.failures(kind, target, item))
        for more_needs, more_s in ((shut, 0.0), (set(), crowded_s)) if shut else ((shut, 0.0),):
            self.operators.append(
                Operator(
                    label,
                    objects,
                    frozenset(needs | more_needs),
                    frozenset(adds),
                    frozenset(deletes or ()),
                    cost + more_s,
                )
            )

    def _searches(self) -> None:
        scene = self.scene
        found: set[Atom] = {("found", item) for item in self.unseen}
        if self.unseen or self.no_way:
            self._add(K.EXPLORE, "", needs={("frontier-left",)}, adds=found | self._ways())
        for item in self.unseen:
            for place in scene.all("place"):
                if not scene.holds("searched", place, item) and can_hold(scene.kind_of.get(place, ""), item):
                    self._add(K.LOOK_FOR, place, item, needs=self._access(place), adds={("found", item)})

    def _ways(self) -> set[Atom]:
        """What exploring, or a look through a doorway, may bring."""
        return {("way-known", name) for name in self.no_way}

    def _access(self, place: str) -> set[Atom]:
        front = self.scene.front_of.get(place)
        return set() if front is None else {("open", front)}

    def _fronts_and_doors(self) -> None:
        for front in self.scene.all("front"):
            self._add(
                K.OPEN,
                front,
                needs={("closed", front), ("hand-empty",)},
                adds={("open", front)},
                deletes={("closed", front), ("shut", front)},
                at=front,
            )
            if self.crowded_by:
                self._add(
                    K.CLOSE,
                    front,
                    needs={("hand-empty",)},
                    adds={("closed", front), ("shut", front)},
                    deletes={("open", front)},
                    at=front,
                )
        for door in self.scene.all("door-shut"):
            self._add(
                K.PUSH_DOOR,
                door,
                needs={("door-shut", door), ("hand-empty",)},
                adds={("way-free", door), ("frontier-left",)},
                deletes={("door-shut", door)},
                at=door,
            )

    def _picks_and_places(self) -> None:
        scene = self.scene
        in_the_way = [*scene.machine_over, *([scene.held] if scene.held else [])]
        things = list(dict.fromkeys((*self.mugs, *self.pods, *in_the_way)))
        for thing in things:
            places = list(self.put_down)
            home = scene.place_of.get(thing)
            if home is not None and home not in places:
                places.append(home)
            for place in places:
                self._pick(thing, place)
            for surface in self.put_down:
                self._place(thing, surface)
            if (machine := scene.machine_over.get(thing)) is not None:
                self._take_from_tray(thing, machine)
        for item in ("mug", "pod"):
            if item in self.unseen:
                unseen = UNSEEN[item]
                self._add(
                    K.PICK,
                    unseen,
                    needs={("hand-empty",)},
                    adds={("holding", unseen), ("level", unseen)},
                    deletes={("hand-empty",)},
                )

    def _pick(self, thing: str, place: str) -> None:
        # Out of a drawer things come in a steep grasp; elsewhere they are taken from the front.
        steep = self.scene.kind_of.get(place) == "drawer"
        grasp: set[Atom] = {("level", thing)}
        self._add(
            K.PICK,
            thing,
            "",
            place,
            needs={("hand-empty",), ("at", thing, place), *self._access(place)},
            adds={("holding", thing), *(set() if steep else grasp)},
            deletes={("hand-empty",), ("at", thing, place), *(grasp if steep else set())},
            at=place,
        )

    def _place(self, thing: str, surface: str) -> None:
        if thing in self.mugs and self.scene.holds("full", thing) and surface in self.tables:
            return  # that would be `serve`
        self._add(
            K.PLACE,
            surface,
            "",
            thing,
            needs={("holding", thing)},
            adds={("at", thing, surface), ("hand-empty",)},
            deletes={("holding", thing), *(("carried", thing, table) for table in self.tables)},
            at=surface,
        )

    def _lid(self, machine: str) -> str:
        """How the lid stands now. No finger gets behind one that is ajar: it is opened before it is closed."""
        return next((name for name in ("lid-open", "lid-ajar") if self.scene.holds(name, machine)), "lid-closed")

    def _machine(self, machine: str) -> None:
        mugs = self._candidates("mug", self.mugs)
        pods = self._candidates("pod", self.pods)
        hand: Atom = ("hand-empty",)
        lid_open, lid_closed = ("lid-open", machine), ("lid-closed", machine)
        doubt = 0.0 if self.scene.holds("lit", machine) else UNKNOWN_POWER_S
        lid_now: Atom = (self._lid(machine), machine)
        for lid in sorted({lid_closed, lid_now} - {lid_open}):
            self._add(K.OPEN_LID, machine, needs={lid, hand}, adds={lid_open}, deletes={lid})
        self._add(K.CLOSE_LID, machine, needs={lid_open, hand}, adds={lid_closed}, deletes={lid_open})
        for pod in pods:
            held: Atom = ("holding", pod)
            for careful in (False, True):
                # Rather before a mug stands on the tray, where it can be knocked over.
                self._add(
                    K.INSERT_POD,
                    machine,
                    "",
                    pod,
                    *((_CAREFUL,) if careful else ()),
                    needs={held, lid_open, ("holder-empty", machine), *(() if careful else (("tray-free", machine),))},
                    adds={("pod-in", machine), hand},
                    deletes={held, ("holder-empty", machine)},
                    extra_s=_CAREFUL_S if careful else 0.0,
                )
        for mug in mugs:
            held, under = ("holding", mug), ("under-spout", mug, machine)
            self._add(
                K.PLACE_UNDER_SPOUT,
                machine,
                "",
                mug,
                needs={held, ("level", mug), ("tray-free", machine), ("unfilled", mug)},
                adds={under, ("centred", mug), hand},
                deletes={held, ("tray-free", machine)},
                at="" if machine in UNSEEN.values() else machine,
            )
            self._add(
                K.PRESS,
                machine,
                "",
                mug,
                needs={
                    *(under, ("centred", mug), ("pod-in", machine), lid_closed, hand),
                    *(("fresh", machine), ("unfilled", mug)),
                },
                adds={("full", mug)},
                deletes={("unfilled", mug), ("fresh", machine)},
                extra_s=doubt,
            )
            if self.scene.machine_over.get(mug) != machine:
                self._take_from_tray(mug, machine)

    def _take_from_tray(self, thing: str, machine: str) -> None:
        under: Atom = ("under-spout", thing, machine)
        self._add(
            K.PICK,
            thing,
            "",
            machine,
            needs={under, ("hand-empty",)},
            adds={("holding", thing), ("level", thing), ("tray-free", machine)},
            deletes={under, ("hand-empty",)},
        )

    def _table(self, table: str) -> None:
        for mug in self._candidates("mug", self.mugs):
            held, full, carried = ("holding", mug), ("full", mug), ("carried", mug, table)
            where = "" if table in UNSEEN.values() else table
            self._add(K.CARRY, table, "", mug, needs={held, full}, adds={carried}, at=where)
            self._add(
                K.SERVE,
                table,
                "",
                mug,
                needs={held, full, carried},
                adds={SERVED, ("hand-empty",)},
                deletes={held, carried},
            )


def is_search(operator: Operator) -> bool:
    """Whether what it shows can change the plan."""
    return operator.label[0] in (K.LOOK_FOR, K.EXPLORE)


def is_imagined(operator: Operator) -> bool:
    """Whether it speaks of something that has not been seen."""
    return not operator.objects.isdisjoint(UNSEEN.values())


class UnknownTaskError(ValueError):
    """There is no domain for this task."""


TASKS: Final = ("coffee",)


def check_task(task: str) -> None:
    """Raises UnknownTaskError for a task without a domain."""
    if task not in TASKS:
        raise UnknownTaskError(f"the planner knows no task {task[:40]!r}; known are {', '.join(TASKS)}")
