"""A household in symbols: what is true, what has been seen, and what subgoals do. Coffee with nothing but logic."""

import numpy as np

from agent.messages import Fact, Subgoal, SubgoalKind

K = SubgoalKind


class ImpossibleError(Exception):
    """A subgoal that the world does not allow: a planner that asks for it is wrong."""


class Household:
    """Rooms appear one by one by exploring; things only where one has looked."""

    def __init__(self, seed: int, places: int = 12) -> None:
        draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed])))
        kinds = ["counter", "shelf", "side_table", "drawer", "cabinet_hinge_left", "fridge_hinge_right"]
        self.kind = {f"place-{i}": kinds[int(draw.integers(len(kinds)))] for i in range(places)}
        self.kind |= {"counter-0": "counter", "table-0": "table"}
        self.closed = {p for p, k in self.kind.items() if k in kinds[3:]}
        self.opened: set[str] = set()
        names = list(self.kind)
        things = ["mug-0", "mug-1", "pod-0", "pod-1", "bowl-0"]
        self.at = {thing: names[int(draw.integers(len(names)))] for thing in things}
        self.tray: dict[str, str] = {}
        if draw.random() < 0.3:
            del self.at["bowl-0"]
            self.tray["machine-0"] = "bowl-0"
        self.machines = {"machine-0": True, "machine-1": False}
        """Machine → has power."""
        self.power_seen: set[str] = set() if draw.random() < 0.5 else set(self.machines)
        self.lid_open = {"machine-0": draw.random() < 0.3, "machine-1": False}
        self.pod_in: dict[str, str] = {}
        self.spent: set[str] = set()
        self.full: set[str] = set()
        self.held: str | None = None
        self.steep = False
        self.carried_to: str | None = None
        # What comes into view with each exploration; before the last one a door is to be pushed.
        order = [*names, *self.machines]
        draw.shuffle(order)
        self.unseen_parts = [order[: len(order) // 2], order[len(order) // 2 :]]
        self.door_shut = draw.random() < 0.5
        self.seen: set[str] = set()
        self.seen_things: set[str] = set()
        self.searched: set[tuple[str, str]] = set()

    def facts(self) -> list[Fact]:
        rows: list[tuple[str, ...]] = []
        for place in sorted(self.seen & set(self.kind)):
            rows += [("place", place), ("kind", place, self.kind[place])]
            rows += [("table", place)] if self.kind[place] == "table" else []
            if place in self.closed:
                rows += [("front", place), ("opens", place, place)]
                rows += [("open", place), ("ajar", place)] if place in self.opened else [("closed", place)]
                rows += [("crowds", place, machine) for machine in self.machines]
            else:
                rows.append(("surface", place))
        for machine in sorted(self.seen & set(self.machines)):
            rows.append(("machine", machine))
            if machine in self.power_seen:
                rows.append(("lit" if self.machines[machine] else "unpowered", machine))
            rows.append(("lid-open" if self.lid_open[machine] else "lid-closed", machine))
            if machine in self.pod_in:
                rows.append(("pod-in", machine))
            if self.pod_in.get(machine) in self.spent:
                rows.append(("brewed", machine))
            if machine in self.tray:
                rows.append(("tray-occupied", machine))
                rows.append(("under-spout", self.tray[machine], machine))
                rows.append((_sort(self.tray[machine]), self.tray[machine]))
        for thing in sorted(self.seen_things):
            rows.append((_sort(thing), thing))
            rows += [("at", thing, self.at[thing])] if thing in self.at else []
            rows += [("used", thing)] if thing in self.spent else []
            rows += [("full", thing)] if thing in self.full else []
        rows += [("searched", *pair) for pair in sorted(self.searched)]
        rows.append(("hand-empty",) if self.held is None else ("holding", self.held))
        rows += [("awkward-grasp", self.held)] if self.held and self.steep else []
        rows += [("carried", self.held, self.carried_to)] if self.held and self.carried_to else []
        if self.unseen_parts:
            blocked = self.door_shut and len(self.unseen_parts) == 1
            rows += [("door", "door-0"), ("door-shut", "door-0")] if blocked else [("frontier-left",)]
        return [Fact(predicate=row[0], arguments=row[1:]) for row in dict.fromkeys(rows)]

    @property
    def served(self) -> bool:
        on_tables = [thing for thing in self.full if self.kind.get(self.at.get(thing, "")) == "table"]
        return bool(on_tables) and not self.lid_open["machine-0"]

    def do(self, subgoal: Subgoal) -> bool:
        """Does it. False if it had no effect for reasons that nobody could know. Raises ImpossibleError."""
        kind, target = subgoal.kind, subgoal.target
        match kind:
            case K.EXPLORE:
                self._must(bool(self.unseen_parts), "nothing to explore")
                self.seen |= set(self.unseen_parts.pop(0))
            case K.PUSH_DOOR:
                self.door_shut = False
            case K.OPEN:
                self._must(self.held is None and target in self.closed, "cannot open")
                self.opened.add(target)
            case K.CLOSE:
                self._must(self.held is None and target in self.opened, "cannot close")
                self.opened.remove(target)
            case K.LOOK_FOR:
                self._must(target in self.seen and (target not in self.closed or target in self.opened), "cannot see")
                self.seen_things |= {thing for thing, place in self.at.items() if place == target}
                self.searched |= {(target, "mug"), (target, "pod")}
            case K.PICK:
                self._pick(target)
            case K.PLACE:
                self._must(self.held is not None and target in self.kind and target not in self.closed, "cannot place")
                self._let_go(target)
            case K.OPEN_LID | K.CLOSE_LID:
                self._must(self.held is None and self.lid_open[target] is (kind is K.CLOSE_LID), "lid")
                self.lid_open[target] = kind is K.OPEN_LID
            case K.INSERT_POD:
                pod = self.held
                fits = pod is not None and _sort(pod) == "pod" and self.lid_open[target] and target not in self.pod_in
                self._must(fits, "pod does not go in")
                assert pod is not None
                self.pod_in[target], self.held = pod, None
            case K.PLACE_UNDER_SPOUT:
                mug = self.held
                fits = mug is not None and _sort(mug) == "mug" and target not in self.tray and not self.steep
                self._must(fits, "mug does not fit")
                assert mug is not None
                self.tray[target], self.held = mug, None
            case K.PRESS:
                self._must(self.held is None and not self.lid_open[target] and target in self.pod_in, "cannot press")
                self.power_seen.add(target)
                if not self.machines[target]:
                    return False
                self.spent.add(self.pod_in[target])
                self.full.add(self.tray[target])
            case K.CARRY:
                self._must(self.held in self.full, "nothing to carry")
                self.carried_to = target
            case K.SERVE:
                self._must(self.held in self.full and self.carried_to == target, "not before the table")
                self._let_go(target)
            case _:
                raise ImpossibleError(kind)
        return True

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            raise ImpossibleError(what)

    def _pick(self, thing: str) -> None:
        self._must(self.held is None, "the hand is full")
        if thing in self.at:
            place = self.at.pop(thing)
            self._must(place not in self.closed or place in self.opened, "it is shut away")
            self.steep = self.kind[place] == "drawer"
        else:
            machine = next(machine for machine, other in self.tray.items() if other == thing)
            del self.tray[machine]
            self.steep = False
        self.held = thing
        self.seen_things.add(thing)

    def _let_go(self, place: str) -> None:
        assert self.held is not None
        self.at[self.held] = place
        self.held, self.carried_to, self.steep = None, None, False


def _sort(thing: str) -> str:
    sort = thing.partition("-")[0]
    return "thing" if sort == "bowl" else sort
