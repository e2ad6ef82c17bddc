"""What the belief should no longer hold: doubles of one thing, and things that are not where they were believed."""

from collections.abc import Collection

import numpy as np

from agent.belief.classes import FRONTS, OBJECTS
from agent.belief.entities import Entity, EntityTracker
from agent.belief.places import is_on
from agent.frames import Pose
from agent.messages import Look
from agent.view import View

SAME_M = 0.05
"""Two small things cannot stand nearer than this to each other, measured between their middles."""
GHOST_LOOKS = 10
CLEAR_WITHIN_M = 2.0
HIDING_M, HIDING_LARGE_M = 0.12, 0.40
"""A small thing, or a machine, a rack or an open front, this near to the line of sight may hide what is behind it."""
LARGE = ("coffee_machine", "dish_rack", *sorted(FRONTS))
AJAR = 0.2
OPEN_TOPS = ("counter", "table", "side_table")


def merge_doubles(entities: EntityTracker, held: Collection[str] = ()) -> None:
    """Make one of two small things that are believed in the same spot: what is held, or was seen more often, stays."""
    things = [e for e in entities.all() if e.class_name in OBJECTS]
    if len(things) < 2:
        return
    position = np.array([e.position for e in things])
    gap = np.linalg.norm(position[:, None] - position[None], axis=2)
    for i, j in np.argwhere(np.triu(gap < SAME_M, 1)).tolist():
        drop, keep = sorted((things[j], things[i]), key=lambda e: (e.id in held, e.sightings))
        if entities.get(keep.id) is None or entities.get(drop.id) is None:
            continue
        for name, votes in drop.votes.items():
            keep.votes[name] = keep.votes.get(name, 0.0) + votes
        keep.last_seen_s = max(keep.last_seen_s, drop.last_seen_s)
        entities.forget(drop.id)


class Ghosts:
    """Forgets small things on open tops that are not seen where nothing hides them."""

    def __init__(self) -> None:
        self._missed: dict[str, int] = {}

    def update(self, look: Look, base_in_map: Pose, entities: EntityTracker, spared: set[str]) -> list[str]:
        """Take in one look, after the entities did, from a robot whose arm is out of its view.

        Returns what was forgotten. Things in `spared` are left alone.
        """
        view = View(look, base_in_map)
        things = [e for e in entities.all() if e.class_name in OBJECTS]
        large = [e for e in entities.of_class(*LARGE) if e.class_name not in FRONTS or (e.state or 0.0) > AJAR]
        hiding = [(e, HIDING_M) for e in things] + [(e, HIDING_LARGE_M) for e in large]
        gone = []
        for entity in things:
            if entity.last_seen_s >= look.time_s:
                self._missed.pop(entity.id, None)
            elif (
                entity.id not in spared
                and self._in_clear_view(entity, view, hiding)
                and any(is_on(top, entity.position) for top in entities.of_class(*OPEN_TOPS))
            ):
                self._missed[entity.id] = self._missed.get(entity.id, 0) + 1
                if self._missed[entity.id] >= GHOST_LOOKS:
                    self._missed.pop(entity.id)
                    entities.forget(entity.id)
                    gone.append(entity.id)
        return gone

    @staticmethod
    def _in_clear_view(entity: Entity, view: View, hiding: list[tuple[Entity, float]]) -> bool:
        if not view.looks_at(entity.position, CLEAR_WITHIN_M):
            return False
        others = [(other.position, reach_m) for other, reach_m in hiding if other is not entity]
        if not others:
            return True
        position, reach = zip(*others, strict=True)
        return bool((view.beside(np.array(position), entity.position) >= reach).all())
