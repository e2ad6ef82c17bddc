"""An agenda of one subgoal, given from outside instead of by the planner: what a subgoal task asks for.

The errand names its target by class alone; the robot starts turned to what is meant. So the mind first looks about,
then takes of the things it believes in the one that lies nearest ahead of where it started. It tries again, with a
fresh choice, when a skill gives up or the belief shows afterwards that nothing came of it.
"""

from dataclasses import dataclass
from math import asin, atan2, hypot

import numpy as np
from numpy.typing import NDArray

from agent.agenda import Listener
from agent.belief.belief import Belief
from agent.belief.entities import Entity
from agent.belief.facts import facts_of
from agent.belief.places import is_open, is_shut
from agent.frames import planar
from agent.messages import Detection, Limits, Observation, Report, Subgoal, SubgoalKind
from agent.skills.gaze import nod
from agent.skills.grasping import HALF_HEIGHT_M, lowest_tool_height
from controllers.motion.doors import PASSABLE_OPENING

LOOK_S = 2.5
"""Standing and looking about before anything is done."""
LONGEST_LOOK_S = 8.0
CHECK_S = 1.5
"""Looking at what came of it."""
LINGER_S = 3.0
"""From believing that it is done to giving up waiting for it to be true."""
ISSUES = 3
"""How often the subgoal is given at most."""
OFF_AHEAD = 1.5
"""How much farther a thing counts for each radian it lies off the direction of the start."""

_DONE_FACTS = {
    SubgoalKind.OPEN: "open",
    SubgoalKind.OPEN_LID: "lid-open",
    SubgoalKind.CLOSE_LID: "lid-closed",
    SubgoalKind.INSERT_POD: "pod-in",
    SubgoalKind.PLACE_UNDER_SPOUT: "tray-occupied",
    SubgoalKind.PRESS: "brewed",
}
"""What the belief must say of the target afterwards, in the planner's words."""


@dataclass(frozen=True)
class Errand:
    """What to do, in words that need no simulator."""

    kind: SubgoalKind
    classes: tuple[str, ...]
    """Classes of the target, as detections name them."""
    item: str = ""
    """The class looked for."""
    holding: str = ""
    """Class of what is in the hand from the start: the hand feels it, what it is is told."""
    full: bool = False
    """Whether the mug concerned is full of coffee."""

    def take_in_hand(self, belief: Belief) -> None:
        """At the start: believe in what the fingers feel."""
        hand, name = belief.hand, self.holding
        if not name or not hand.pads_touch:
            return
        tool = hand.tool_in_base
        pitch = asin(float(np.clip(-tool.rotation[2, 2], -1.0, 1.0)))
        above = max(0.0, lowest_tool_height(pitch) - HALF_HEIGHT_M[name])
        in_tool = tool.rotation.T @ np.array([0.0, 0.0, -above])
        if hand.contact_depth_m is not None:
            in_tool[2] = hand.contact_depth_m
        x, y, z = (float(v) for v in tool.point(in_tool))
        felt = Detection(
            class_name=name,
            score=1.0,
            position_in_base_m=(x, y, z),
            position_std_m=0.01,
            yaw_in_base_rad=0.0,
            yaw_std_rad=1.0,
        )
        entity = belief.entities.remember(felt, belief.base_in_map, belief.time_s)
        hand.grasp(entity.id, planar(x, y, 0.0, z), pitch)
        if self.full:
            belief.full_mugs.add(entity.id)

    def tell_of(self, target: str, belief: Belief) -> None:
        """When the subgoal is given: what no look at its target shows."""
        if self.full and self.kind is SubgoalKind.PICK:
            belief.full_mugs.add(target)


class ErrandAgenda:
    """The same interface as `agent.agenda.Agenda`, without a planner."""

    def __init__(self, errand: Errand, on_message: Listener, limits: Limits | None = None) -> None:
        """`limits`: to keep in place of the ordinary ones."""
        self.errand = errand
        self._limits = limits or Limits()
        self._on_message = on_message
        self._issues = 0
        self._look_until_s = LOOK_S
        self._check_at_s: float | None = None
        self._done_s: float | None = None
        self._begun = False
        self._last_reason = ""
        self.current: Subgoal | None = None
        self.goal_reached = False
        self.hopeless = ""
        self.started_s: float | None = None
        """When the subgoal was first given."""
        self.attempts = 0
        """Of all skills that have ended."""
        self._target = ""

    def gaze(self, observation: Observation) -> NDArray[np.float64]:
        """Head rates (2,) while nothing is under way."""
        return nod(observation)

    def due(self, belief: Belief) -> Subgoal | None:
        """The subgoal in force now."""
        now = belief.time_s
        if not self._begun:
            self._begun = True
            self.errand.take_in_hand(belief)
        if self.current is not None:
            return self.current
        if self._done_s is not None:
            if now - self._done_s > LINGER_S:
                self.hopeless = "not-achieved"
        elif self._check_at_s is not None:
            if now >= self._check_at_s:
                self._check(belief)
        elif now >= self._look_until_s:
            self._issue(belief)
        return self.current

    def _issue(self, belief: Belief) -> None:
        target = self._choose(belief)
        now = belief.time_s
        if target is None:
            if now > self._look_until_s - LOOK_S + LONGEST_LOOK_S:
                self.hopeless = self._last_reason or "target-not-seen"
            return
        self.errand.tell_of(target.id, belief)
        self._issues += 1
        self.started_s = now if self.started_s is None else self.started_s
        self._target = target.id
        self.current = Subgoal(
            id=self._issues,
            kind=self.errand.kind,
            target=target.id,
            item=self.errand.item,
            limits=self._limits,
            valid_from_s=now,
        )
        self._on_message(now, self.current)

    def _choose(self, belief: Belief) -> Entity | None:
        held = "" if belief.hand.held is None else belief.hand.held.entity_id
        found = [e for e in belief.entities.of_class(*self.errand.classes) if e.id != held and e.id not in belief.gone]
        if self.errand.kind is SubgoalKind.OPEN:
            found = [e for e in found if not is_open(e)]
        elif self.errand.kind is SubgoalKind.CLOSE:
            found = [e for e in found if is_open(e)] or [e for e in found if not is_shut(e)]
        elif self.errand.kind is SubgoalKind.PUSH_DOOR:
            found = [e for e in found if (e.state or 0.0) < PASSABLE_OPENING]
        return min(found, key=_ahead, default=None)

    def finished(
        self, belief: Belief, status: str, reason: str = "", attempt: int = 1, success_probability: float | None = None
    ) -> None:
        """The current subgoal ended; the mind thought to have succeeded with this probability."""
        subgoal = self.current
        assert subgoal is not None
        report = Report(
            subgoal_id=subgoal.id,
            time_s=belief.time_s,
            status=status,  # type: ignore[arg-type]
            reason=reason,
            attempt=attempt,
            success_probability=success_probability,
        )
        self._on_message(belief.time_s, report)
        self.current = None
        self.attempts += attempt
        self._last_reason = reason
        if status == "succeeded":
            self._check_at_s = belief.time_s + CHECK_S
        else:
            self._again(belief, reason)

    def _check(self, belief: Belief) -> None:
        self._check_at_s = None
        if self._believed_done(belief):
            self.goal_reached = True
            self._done_s = belief.time_s
        else:
            self._again(belief, "not-achieved")

    def _again(self, belief: Belief, reason: str) -> None:
        if self._issues >= ISSUES:
            self.hopeless = reason or "failed"
        self._look_until_s = belief.time_s + CHECK_S

    def _believed_done(self, belief: Belief) -> bool:
        kind = self.errand.kind
        if kind in (SubgoalKind.PICK, SubgoalKind.CARRY):
            return belief.hand.held is not None
        if kind is SubgoalKind.CLOSE:
            front = belief.entities.get(self._target)
            return front is not None and is_shut(front)
        word = _DONE_FACTS.get(kind)
        if word is None:
            return True
        return any(fact.predicate == word and fact.arguments[0] == self._target for fact in facts_of(belief)[0])


def _ahead(entity: Entity) -> float:
    """How far, seen from where the robot started; things off its direction count as farther."""
    x, y = float(entity.position[0]), float(entity.position[1])
    return hypot(x, y) * (1.0 + OFF_AHEAD * abs(atan2(y, x)))
