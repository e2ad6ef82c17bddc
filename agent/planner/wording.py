"""The planner's words for people. Nothing reads them back."""

from collections.abc import Iterable

from agent.messages import SubgoalKind
from agent.planner.coffee_domain import SERVED, UNSEEN
from agent.planner.scene import Scene
from agent.planner.strips import Atom, Operator

K = SubgoalKind

_MAX_STEPS_TOLD = 30


def reason(step: Operator, scene: Scene) -> str:
    """Why a subgoal is done, in a few words."""
    kind, target, item, *others = step.label
    other = others[0] if others else ""
    match kind:
        case K.EXPLORE:
            missing = [name for name in UNSEEN if ("found", name) in step.adds]
            return f"to find {_listed(missing or ['a way'])}, see what lies beyond the known map"
        case K.PUSH_DOOR:
            return f"{target} is in the way"
        case K.OPEN:
            return f"to reach what is behind {target}"
        case K.CLOSE:
            return f"{target} would stand in the way"
        case K.LOOK_FOR:
            return f"a {item} may be at {target} ({scene.kind_of.get(target, 'place')}), which was not searched yet"
        case K.PICK:
            return f"take {target} from {other}"
        case K.PLACE:
            if scene.holds("awkward-grasp", other):
                return f"put {other} down on {target} to grasp it better"
            return f"put {other} down on {target}"
        case K.OPEN_LID:
            return f"{target} needs a pod"
        case K.CLOSE_LID:
            return f"{target} brews only with its lid shut"
        case K.INSERT_POD:
            return f"put {other} into {target}"
        case K.PLACE_UNDER_SPOUT:
            return f"put {other} where the coffee of {target} runs out"
        case K.PRESS:
            return f"brew with {target} into {other}"
        case K.CARRY:
            return f"bring {other} to {target} without spilling"
        case K.SERVE:
            return f"serve {other} on {target}"
        case _:
            return ""


def summary(steps: Iterable[Operator], *, kept: bool) -> str:
    """The whole plan in one line, with what is only hoped for."""
    words = [" ".join(part for part in step.label[:3] if part) for step in steps]
    told = ", ".join(words[:_MAX_STEPS_TOLD]) + (" …" if len(words) > _MAX_STEPS_TOLD else "")
    return f"{'goes on' if kept else 'new plan'} ({len(words)} steps): {told}"


def dead_end(scene: Scene, refused: tuple[str, ...], unreached: frozenset[Atom]) -> str:
    """Why there is no plan. `unreached`: goals out of reach even if everything were tried again."""
    if SERVED not in unreached and refused:
        return f"gave up: {'; '.join(refused)}"
    machines = [k for k in scene.all("machine") if not scene.holds("unpowered", k)]
    missing: list[str] = []
    if not machines:
        unpowered = len(scene.all("unpowered"))
        missing.append("no coffee machine" + (f" with power ({unpowered} without)" if unpowered else ""))
    if not [m for m in scene.all("mug") if not scene.holds("broken", m)]:
        missing.append("no mug that is whole")
    if not scene.all("pod") and not scene.all("pod-in"):
        missing.append("no pod")
    if not scene.all("table"):
        missing.append("no dining table")
    if missing:
        tail = f"; {'; '.join(refused)}" if refused else ""
        return f"found {_listed(missing)}, and nothing is left to search or explore{tail}"
    causes = [f"the pod in {k} is spent" for k in machines if scene.holds("brewed", k)]
    causes += [f"the tray of {k} is blocked" for k in machines if not scene.tray_free(k)]
    causes += list(refused)
    return f"no way to serve coffee from here: {'; '.join(causes) or 'the search found no plan'}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
