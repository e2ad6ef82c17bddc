"""What may be done now: used on every plan before it leaves the planner, and again by the mind's executor.

A subgoal is decoded strictly, speaks of entities that the belief knows, and its preconditions hold.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from agent.messages import Fact, Plan, Subgoal, SubgoalKind, decode
from agent.planner.scene import Scene
from agent.planner.vocabulary import SEARCHABLE

K = SubgoalKind


class SubgoalError(ValueError):
    """A subgoal that must not be carried out; says what may be done instead."""


_TARGET_SORTS: Final[dict[SubgoalKind, tuple[str, ...]]] = {
    K.EXPLORE: (),
    K.GO_TO: ("mug", "pod", "thing", "machine", "place", "front", "door"),
    K.PUSH_DOOR: ("door",),
    K.OPEN: ("front",),
    K.CLOSE: ("front",),
    K.LOOK_FOR: ("place",),
    K.PICK: ("mug", "pod", "thing"),
    K.PLACE: ("surface",),
    K.OPEN_LID: ("machine",),
    K.CLOSE_LID: ("machine",),
    K.INSERT_POD: ("machine",),
    K.PLACE_UNDER_SPOUT: ("machine",),
    K.PRESS: ("machine",),
    K.CARRY: ("table",),
    K.SERVE: ("table",),
}
"""Predicates of which one must hold for the target; none where a subgoal has no target."""


def decode_subgoal(data: bytes) -> Subgoal:
    """A subgoal from the wire. Raises SubgoalError for malformed bytes, wrong types and unknown kinds."""
    try:
        return decode(data, Subgoal)
    except msgspec.DecodeError as error:  # ValidationError is one
        raise SubgoalError(f"malformed subgoal: {error}; kinds are {', '.join(kind.value for kind in K)}") from error


def check_subgoal(subgoal: Subgoal, scene: Scene) -> None:
    """Raises SubgoalError unless the subgoal may be carried out in this scene, naming what may."""
    problem = _entity_problem(subgoal.kind, subgoal.target, subgoal.item, scene) or _PRECONDITIONS[subgoal.kind](
        scene, subgoal.target
    )
    if problem:
        legal = [_words(*choice) for choice in legal_subgoals(scene)]
        words = _words(subgoal.kind, subgoal.target[:48], subgoal.item[:48])
        raise SubgoalError(f"{words}: {problem}; possible now: {', '.join(legal) or 'nothing'}")


def check_plan(plan: Plan, facts: Iterable[Fact]) -> None:
    """Raises SubgoalError unless the first subgoal may be carried out now and the others speak of known entities."""
    scene = Scene(facts)
    for index, subgoal in enumerate(plan.subgoals):
        if index == 0:
            check_subgoal(subgoal, scene)
        elif problem := _entity_problem(subgoal.kind, subgoal.target, subgoal.item, scene):
            raise SubgoalError(f"step {index + 1}, {_words(subgoal.kind, subgoal.target, subgoal.item)}: {problem}")


def legal_subgoals(scene: Scene) -> list[tuple[SubgoalKind, str, str]]:
    """Every (kind, target, item) that may be carried out now, `go-to` left out: it always may."""
    legal: list[tuple[SubgoalKind, str, str]] = []
    for kind, sorts in _TARGET_SORTS.items():
        if kind is K.GO_TO:
            continue
        targets = sorted({name for sort in sorts for name in scene.all(sort)}) if sorts else [""]
        for target in targets:
            if not _PRECONDITIONS[kind](scene, target):
                legal += [(kind, target, item) for item in (SEARCHABLE if kind is K.LOOK_FOR else ("",))]
    return legal


def _words(kind: SubgoalKind, target: str, item: str) -> str:
    return " ".join(word for word in (kind.value, target, item) if word)


def _entity_problem(kind: SubgoalKind, target: str, item: str, scene: Scene) -> str:
    sorts = _TARGET_SORTS[kind]
    if not sorts and target:
        return "takes no target"
    if sorts and not any(scene.holds(sort, target) for sort in sorts):
        known = sorted({name for sort in sorts for name in scene.all(sort)})
        return f"{target[:48]!r} is no known {' or '.join(sorts)}; known are {', '.join(known) or 'none'}"
    if kind is K.LOOK_FOR and item not in SEARCHABLE:
        return f"cannot look for {item[:48]!r}; use one of {', '.join(SEARCHABLE)}"
    if kind is not K.LOOK_FOR and item:
        return "takes no item"
    return ""


def _first(*problems: tuple[bool, str]) -> str:
    return next((words for wrong, words in problems if wrong), "")


def _hand_full(scene: Scene) -> tuple[bool, str]:
    return scene.held is not None, f"the hand holds {scene.held}"


def _shut_away(scene: Scene, place: str | None) -> tuple[bool, str]:
    front = scene.front_of.get(place or "")
    return front is not None and not scene.front_open(front), f"{front} is closed"


def _holding(scene: Scene, sort: str) -> tuple[bool, str]:
    return scene.held is None or not scene.holds(sort, scene.held), f"no {sort} is held"


def _explore(scene: Scene, _: str) -> str:
    return _first((not scene.holds("frontier-left"), "the map has no end left"))


def _go_to(_: Scene, __: str) -> str:
    return ""


def _push_door(scene: Scene, door: str) -> str:
    return _first((not scene.holds("door-shut", door), "the door is not shut"), _hand_full(scene))


def _open(scene: Scene, front: str) -> str:
    return _first((scene.front_open(front), "it is open"), _hand_full(scene))


def _close(scene: Scene, front: str) -> str:
    return _first((not scene.holds("ajar", front), "it is shut"), _hand_full(scene))


def _look_for(scene: Scene, place: str) -> str:
    return _first(_shut_away(scene, place))


def _pick(scene: Scene, thing: str) -> str:
    place = scene.place_of.get(thing)
    nowhere = place is None and thing not in scene.machine_over
    return _first(_hand_full(scene), (nowhere, "it is not known where it is"), _shut_away(scene, place))


def _place(scene: Scene, surface: str) -> str:
    return _first((scene.held is None, "nothing is held"), (scene.holds("no-room", surface), "there is no room"))


def _open_lid(scene: Scene, machine: str) -> str:
    return _first((scene.lid_open(machine), "the lid is open"), _hand_full(scene))


def _close_lid(scene: Scene, machine: str) -> str:
    return _first((not scene.lid_open(machine), "the lid is not open"), _hand_full(scene))


def _insert_pod(scene: Scene, machine: str) -> str:
    return _first(
        _holding(scene, "pod"),
        (scene.holds("used", scene.held or ""), "the pod is spent"),
        (not scene.lid_open(machine), "the lid is not open"),
        (scene.holds("pod-in", machine), "there is a pod in it"),
    )


def _place_under_spout(scene: Scene, machine: str) -> str:
    held = scene.held or ""
    return _first(
        _holding(scene, "mug"),
        (scene.holds("awkward-grasp", held), "the mug is held too steeply or askew: put it down and pick it again"),
        (scene.holds("full", held), "the mug is full"),
        (not scene.tray_free(machine), "something stands on the tray"),
    )


def _press(scene: Scene, machine: str) -> str:
    cups = [thing for thing, over in scene.machine_over.items() if over == machine and scene.holds("mug", thing)]
    return _first(
        _hand_full(scene),
        (not scene.lid_closed(machine), "the lid is not shut"),
        (not scene.holds("pod-in", machine), "there is no pod in it"),
        (scene.holds("brewed", machine), "its pod is spent"),
        (scene.holds("unpowered", machine), "it has no power"),
        (not cups, "no mug stands under the spout"),
        (all(scene.holds("full", cup) for cup in cups), "the mug under the spout is full"),
    )


def _bring(scene: Scene, _: str) -> str:
    return _first(_holding(scene, "mug"), (not scene.holds("full", scene.held or ""), "the mug is empty"))


_PRECONDITIONS: Final[dict[SubgoalKind, Callable[[Scene, str], str]]] = {
    K.EXPLORE: _explore,
    K.GO_TO: _go_to,
    K.PUSH_DOOR: _push_door,
    K.OPEN: _open,
    K.CLOSE: _close,
    K.LOOK_FOR: _look_for,
    K.PICK: _pick,
    K.PLACE: _place,
    K.OPEN_LID: _open_lid,
    K.CLOSE_LID: _close_lid,
    K.INSERT_POD: _insert_pod,
    K.PLACE_UNDER_SPOUT: _place_under_spout,
    K.PRESS: _press,
    K.CARRY: _bring,
    K.SERVE: _bring,
}
"""What is wrong with a subgoal of each kind now; empty if nothing is."""
