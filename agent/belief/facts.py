"""The belief in the planner's words (agent/planner/vocabulary.py)."""

import numpy as np

from agent.belief.belief import Belief
from agent.belief.classes import FRONTS, OBJECTS, SURFACES
from agent.belief.crowding import crowds
from agent.belief.entities import Entity
from agent.belief.exploring import doors_to_unseen, next_view
from agent.belief.places import front_directions, is_open, is_shut, place_of
from agent.messages import Fact
from agent.planner.vocabulary import SEARCHABLE
from controllers.motion.paths import Path, Travel

STEEP_RAD = 0.65
TRAY_M, UNDER_M = 0.08, 0.04
"""From the middle of the tray: what stands on it, and what the spout pours into."""
KITCHEN_M = 3.5
KITCHEN_CLASSES = ("coffee_machine", "sink", "fridge_hinge_left", "fridge_hinge_right")
PUT_DOWN = ("counter", "table", "side_table")
CARRIED_M = 1.3
LID_OPEN, LID_SHUT, LIGHT_ON, HOLDER_FULL = 0.6, 0.06, 0.5, 0.5
"""A lid that a pod holds up by 7°, LID_SHUT of its travel, lets nothing brew."""
DRIVE_M_S = 0.45
NEAR_M = 1.1


def facts_of(belief: Belief) -> tuple[list[Fact], dict[str, float]]:
    """Everything the planner is told, and seconds to drive to each entity. About 20 ms: not for every tick."""
    writer = _Writer(belief)
    writer.things()
    writer.places()
    writer.crowding()
    writer.machines()
    writer.hand()
    travel_s = writer.ways()
    return sorted(writer.facts), travel_s


class _Writer:
    def __init__(self, belief: Belief) -> None:
        self.belief = belief
        self.facts: set[Fact] = set()

    def say(self, predicate: str, *arguments: str) -> None:
        self.facts.add(Fact(predicate=predicate, arguments=arguments))

    def things(self) -> None:
        belief = self.belief
        held = "" if belief.hand.held is None else belief.hand.held.entity_id
        for entity in belief.entities.all():
            if entity.class_name not in OBJECTS or entity.id in belief.gone:
                continue
            self.say(entity.class_name if entity.class_name in ("mug", "pod") else "thing", entity.id)
            if entity.id in belief.full_mugs:
                self.say("full", entity.id)
            if entity.id == held or self._on_a_tray(entity):
                continue
            place = place_of(entity, belief.entities)
            if place is not None:
                self.say("at", entity.id, place.id)

    def _on_a_tray(self, entity: Entity) -> bool:
        for tray in self.belief.entities.of_class("drip_tray"):
            gap = entity.position - tray.position
            aside = float(np.hypot(gap[0], gap[1]))
            if tray.parent and aside < TRAY_M and abs(float(gap[2])) < 0.15:
                self.say("under-spout", entity.id, tray.parent)
                if aside > UNDER_M:
                    self.say("askew", entity.id)
                self.say("tray-occupied", tray.parent)
                return True
        return False

    def places(self) -> None:
        belief = self.belief
        kitchen = [e.position for e in belief.entities.of_class(*KITCHEN_CLASSES)]
        for entity in belief.entities.all():
            name = entity.class_name
            if name == "table":
                self.say("table", entity.id)
            if name in SURFACES or name in FRONTS:
                self.say("place", entity.id)
                self.say("kind", entity.id, name)
                near = any(float(np.hypot(*(p - entity.position)[:2])) < KITCHEN_M for p in kitchen)
                if near:
                    self.say("in-kitchen", entity.id)
                for item in SEARCHABLE:
                    if belief.coverage.is_searched(entity.id) or (entity.id, item) in belief.searched:
                        self.say("searched", entity.id, item)
            if name in PUT_DOWN:
                self.say("surface", entity.id)
            if name in FRONTS:
                self.say("front", entity.id)
                self.say("opens", entity.id, entity.id)
                self.say("open" if is_open(entity) else "closed", entity.id)
                if not is_shut(entity):
                    self.say("ajar", entity.id)

    def crowding(self) -> None:
        """Before what there is not enough room while a front is open."""
        belief = self.belief
        fronts = [e for e in belief.entities.of_class(*sorted(FRONTS)) if e.size is not None]
        for entity in belief.entities.all():
            name, place = entity.class_name, None
            if name in OBJECTS and entity.id not in belief.gone:
                place = place_of(entity, belief.entities)
            if name == "coffee_machine" or name in FRONTS:
                directions = [entity.yaw]
            elif place is not None and place.class_name in SURFACES:
                directions = front_directions(place)
            else:
                continue
            for front in fronts:
                # Where there are several sides, one that is free is enough.
                if front is not entity and all(crowds(front, entity.position, yaw) for yaw in directions):
                    self.say("crowds", front.id, entity.id)

    def machines(self) -> None:
        belief = self.belief
        for machine in belief.entities.of_class("coffee_machine"):
            self.say("machine", machine.id)
            power = belief.machine_part(machine.id, "power_light")
            if power is not None and power.state is not None:
                self.say("lit" if power.state > LIGHT_ON else "unpowered", machine.id)
            lid = belief.machine_part(machine.id, "machine_lid")
            opening = 0.0 if lid is None else lid.state or 0.0
            ajar = opening > LID_SHUT or machine.id in belief.pressed_in_vain
            self.say("lid-open" if opening > LID_OPEN else "lid-ajar" if ajar else "lid-closed", machine.id)
            holder = belief.machine_part(machine.id, "pod_holder")
            if holder is not None and (holder.state or 0.0) > HOLDER_FULL:
                self.say("pod-in", machine.id)
            if machine.id in belief.brewed:
                self.say("brewed", machine.id)

    def hand(self) -> None:
        belief = self.belief
        held = belief.hand.held
        if held is None:
            self.say("hand-empty")
            return
        self.say("holding", held.entity_id)
        if held.pitch_down_rad > STEEP_RAD or held.askew:
            self.say("awkward-grasp", held.entity_id)
        if held.entity_id in belief.full_mugs:
            for table in belief.entities.of_class("table"):
                if table.size is None:
                    continue
                ahead, left, _ = table.in_own_frame(np.array([belief.base_pose[0], belief.base_pose[1], 0.0]))
                outside = np.hypot(
                    max(0.0, abs(ahead) - 0.5 * float(table.size[0])), max(0.0, abs(left) - 0.5 * float(table.size[1]))
                )
                if float(outside) < CARRIED_M:
                    self.say("carried", held.entity_id, table.id)

    def ways(self) -> dict[str, float]:
        """Doors in the way, ends of the map, and driving times."""
        belief = self.belief
        start = belief.base_pose[:2]
        travel = Travel(belief.map.costs(), start)
        pushing = Travel(belief.map.costs(push_doors=True), start)
        shut = doors_to_unseen(belief, travel, pushing)
        times: dict[str, float] = {}
        for entity in belief.entities.all():
            cost = float(travel.cost_near(entity.position[:2], NEAR_M))
            if not np.isfinite(cost):
                path = pushing.path_to(entity.position[:2], NEAR_M)
                if not isinstance(path, Path):
                    self.say("no-way", entity.id)
                    continue
                cost = path.cost
                for door in path.doors:
                    shut.add(door)
                    if door != entity.id:
                        self.say("behind-door", entity.id, door)
            times[entity.id] = round(cost / DRIVE_M_S, 2)
        for door in sorted(shut):
            self.say("door", door)
            self.say("door-shut", door)
        if next_view(belief, travel) is not None:
            self.say("frontier-left")
        return times
