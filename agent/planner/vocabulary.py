"""Every predicate the planner understands, with its arguments and meaning.

The belief states facts in these words (`agent/belief/facts.py`); anything else is refused.
Arguments are entity ids of the belief (`mug-2`), except where a word is listed: those come from
the closed lists below. Text seen in the scene has no way in.
"""

import re
from typing import Final, NamedTuple

from agent.messages import SubgoalKind


class Predicate(NamedTuple):
    arguments: tuple[str, ...]
    """Sort of each argument."""
    meaning: str


SEARCHABLE: Final = ("mug", "pod", "coffee_machine", "table")
"""Classes `look-for` can search: the words of `item` and of `searched`."""

PLACE_KINDS: Final = (
    "counter",
    "shelf",
    "table",
    "side_table",
    "dish_rack",
    "sink",
    "drawer",
    "cabinet_hinge_left",
    "cabinet_hinge_right",
    "fridge_hinge_left",
    "fridge_hinge_right",
)
"""Detector classes of what a place is, or of the front that closes it: the words of `kind`."""

PREDICATES: Final[dict[str, Predicate]] = {
    # What there is.
    "mug": Predicate(("mug",), "a mug has been seen"),
    "pod": Predicate(("pod",), "a coffee pod has been seen"),
    "thing": Predicate(("thing",), "some other small thing that can be picked and put away (bowl, loose lid, box)"),
    "machine": Predicate(("machine",), "a coffee machine"),
    "table": Predicate(("table",), "the dining table, where coffee is served; state `place` and `surface` for it too"),
    "place": Predicate(("place",), "a region where small things can stand: a surface or the inside behind a front"),
    "surface": Predicate(("place",), "an open place where a held thing can be put down; state `place` for it as well"),
    "front": Predicate(("front",), "a cabinet or fridge door, or a drawer"),
    "door": Predicate(("door",), "the leaf of a room door"),
    "kind": Predicate(("place", "place-kind"), "what the place is, or the class of the front that closes it"),
    "opens": Predicate(("front", "place"), "opening the front gives access to the place; both may bear the same id"),
    "in-kitchen": Predicate(("place",), "the place is near a coffee machine, sink or fridge: searched first"),
    # Where things are and how they stand.
    "at": Predicate(("movable", "place"), "the thing stands at the place; one without `at` cannot be picked"),
    "open": Predicate(("front",), "open far enough to look and reach in"),
    "closed": Predicate(("front",), "not open far enough; assumed where neither is stated"),
    "ajar": Predicate(("front",), "not shut: it stands out, by much or little"),
    "crowds": Predicate(("front", "any"), "unless it is shut, the front is in the way of one who works at the entity"),
    "searched": Predicate(("place", "class"), "looked well enough: nothing of the class is there but what is stated"),
    "no-room": Predicate(("place",), "nothing more can be put down there"),
    "broken": Predicate(("movable",), "of no use any more"),
    "door-shut": Predicate(("door",), "the door blocks its doorway"),
    "behind-door": Predicate(("any", "door"), "the entity can be reached only once the door has been pushed"),
    "no-way": Predicate(("any",), "no way to the entity is known yet, pushing doors or not: explore first"),
    "frontier-left": Predicate((), "the map has a reachable end beyond which nothing was seen yet"),
    # The hand.
    "hand-empty": Predicate((), "nothing is held"),
    "holding": Predicate(("movable",), "the thing is held"),
    "awkward-grasp": Predicate(("movable",), "held too steeply or askew to fit under the spout: put down, pick again"),
    "carried": Predicate(("mug", "table"), "the full mug is held and the robot stands before the table"),
    # The coffee machine.
    "lit": Predicate(("machine",), "its power light was seen on"),
    "unpowered": Predicate(("machine",), "its power light was looked at and is off"),
    "lid-open": Predicate(("machine",), "the lid stands open"),
    "lid-ajar": Predicate(("machine",), "the lid stands neither open nor fully shut; said instead of either"),
    "lid-closed": Predicate(("machine",), "the lid is fully shut; assumed where neither is stated"),
    "pod-in": Predicate(("machine",), "a pod is in its holder"),
    "tray-occupied": Predicate(("machine",), "something stands on the drip tray"),
    "under-spout": Predicate(("movable", "machine"), "the thing stands on the drip tray; says nothing of `at`"),
    "askew": Predicate(("movable",), "it stands on the drip tray, but not where the spout pours"),
    "brewed": Predicate(("machine",), "it brewed with the pod that is in it: that pod is spent"),
    "full": Predicate(("mug",), "there is coffee in the mug"),
    "used": Predicate(("pod",), "the pod is spent"),
    "served": Predicate(("mug",), "a full mug stands on a table, let go; follows from `full` and `at` a table"),
    # What failed before.
    "unreachable": Predicate(("any",), "no way there was found lately: avoided while there is another choice"),
    "gave-up": Predicate(("subgoal-kind", "any"), "never to be tried again in this episode"),
}

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "class": SEARCHABLE,
    "place-kind": PLACE_KINDS,
    "subgoal-kind": tuple(kind.value for kind in SubgoalKind),
}
"""Argument sorts that are words instead of entity ids."""

ENTITY_ID: Final = re.compile(r"[a-z][a-z0-9_-]{0,47}")
"""What an entity id looks like; anything else is no id."""
