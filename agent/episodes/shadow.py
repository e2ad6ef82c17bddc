"""Feed what was observed to a mind, or what was asked to a gate, and compare. Nothing moves, nothing is simulated."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.episodes.reader import Episode
from agent.episodes.records import EpisodeError
from agent.frames import from_quaternion
from agent.messages import Clamp, Observation, Step, Subgoal
from controllers.gate import Gate, Motion

if TYPE_CHECKING:
    from agent.belief.belief import Belief
    from agent.errand import Errand
    from agent.policies.interface import Policy

Watch = Callable[[int, int], None]

_SAME = 1e-9
PREDICTIONS = ("surprise", "success_probability", "time_to_go_s", "contact_probability", "slip_probability", "force_n")


class RecordedAgenda:
    """Hands out the subgoals of an episode at their times, whatever the mind makes of them."""

    goal_reached = False
    hopeless = ""

    def __init__(self, errand: "Errand | None") -> None:
        self.current: Subgoal | None = None
        self._errand = errand
        self._begun = False

    def take(self, subgoal: Subgoal | None, belief: "Belief") -> Subgoal | None:
        """The recorded subgoal, the same object as long as it is the same subgoal: a new one starts a new skill.
        Belief is told what the errand told it then."""
        if self._errand is not None and not self._begun:
            self._errand.take_in_hand(belief)
        self._begun = True
        if subgoal is None or self.current is None or subgoal != self.current:
            self.current = subgoal
            if self._errand is not None and subgoal is not None:
                self._errand.tell_of(subgoal.target, belief)
        return self.current

    def gaze(self, observation: Observation) -> Any:
        """As agent.agenda.Agenda."""
        from agent.skills.gaze import sweep

        return sweep(observation)

    def finished(
        self,
        belief: "Belief",
        status: str,
        reason: str = "",
        attempt: int = 1,
        success_probability: float | None = None,
    ) -> None:
        """The skill holds that it is done; the recording says when the next one begins."""


def policy_only(
    episode: Episode, policy: "Policy", errand: "Errand | None" = None, on_step: Watch = lambda done, total: None
) -> dict[str, Any]:
    """What this policy would have asked for at each recorded step, against what was asked.

    Belief and skills think along on the recorded observations; `errand`: what the mind was told, for a task of one
    subgoal. Raises EpisodeError for an episode without steps.
    """
    from agent.belief.belief import Belief
    from agent.mind import Mind

    if not len(episode):
        raise EpisodeError(f"{episode.directory} holds no steps of a mind")
    agenda, belief = RecordedAgenda(errand), Belief()
    mind = Mind(policy, agenda, lambda *_: None)  # type: ignore[arg-type]
    by_kind: dict[str, list[tuple[float, float, float, bool]]] = {}
    predictions: dict[str, list[tuple[float, float]]] = {}
    first: dict[str, Any] | None = None
    total = len(episode)
    for number, step in enumerate(episode.steps()):
        belief.update(step.observation)
        action = mind.act(belief, step.observation, agenda.take(step.subgoal, belief))
        mind.think(belief)
        asked = step.action
        tool = float(np.linalg.norm(action.tool_twist_in_base[0, :3] - asked.tool_twist_in_base[0, :3]))
        base = float(np.linalg.norm(action.base_velocity_in_base - asked.base_velocity_in_base))
        mode = action.grip_mode != asked.grip_mode
        grip = 0.0 if mode else abs(action.grip - asked.grip)
        kind = "no subgoal" if step.subgoal is None else step.subgoal.kind.value
        by_kind.setdefault(kind, []).append((tool, base, grip, mode))
        if first is None and (tool > _SAME or base > _SAME or grip > _SAME or mode):
            first = {"step": number, "time_s": step.observation.time_s, "subgoal": kind, "tool_m_s": tool}
        for name in PREDICTIONS:
            ours, theirs = getattr(mind.estimate, name), getattr(step.estimate, name)
            if ours is not None and theirs is not None:
                predictions.setdefault(name, []).append((ours, theirs))
        on_step(number, total)
    return {
        "steps": total,
        "same": first is None,
        "first_difference": first,
        "subgoals": {kind: _spread(rows) for kind, rows in sorted(by_kind.items())},
        "predictions": {name: _agreement(pairs) for name, pairs in predictions.items()},
    }


def _spread(rows: list[tuple[float, float, float, bool]]) -> dict[str, float]:
    values, modes = np.array([row[:3] for row in rows]), np.array([row[3] for row in rows])
    return {
        "steps": len(rows),
        "tool_m_s_mean": float(values[:, 0].mean()),
        "tool_m_s_p95": float(np.quantile(values[:, 0], 0.95)),
        "base_m_s_mean": float(values[:, 1].mean()),
        "grip_mean": float(values[:, 2].mean()),
        "other_grip_mode_share": float(modes.mean()),
        "differing_share": float(np.mean((values > _SAME).any(axis=1) | modes)),
    }


def _agreement(pairs: list[tuple[float, float]]) -> dict[str, float]:
    values = np.array(pairs)
    return {"steps": len(pairs), "mean_difference": float(np.abs(values[:, 0] - values[:, 1]).mean())}


def gate_only(episode: Episode, on_step: Watch = lambda done, total: None) -> dict[str, Any]:
    """What the safety gate of this code makes of each recorded action, against the limits that acted then.

    It gets what was measured where the robot's side has its set points, so limits near their edge may differ in a tick
    or two; limits that IK and the arm add are not the gate's, and are left out.
    """
    if not len(episode):
        raise EpisodeError(f"{episode.directory} holds no steps of a mind")
    gate = Gate()
    now: Counter[str] = Counter()
    then: Counter[str] = Counter()
    worst: dict[str, tuple[float, float, float]] = {}
    differing = 0
    total, before = len(episode), None
    for number, step in enumerate(episode.steps()):
        if before is not None:
            clamps = _through(gate, before)
            names = {clamp.name for clamp in clamps}
            recorded = {clamp.name for clamp in step.observation.applied.clamps} & GATE_LIMITS
            now.update(names)
            then.update(recorded)
            differing += names != recorded
            for clamp in clamps:
                if abs(clamp.asked) > abs(worst.get(clamp.name, (0.0, 0.0, 0.0))[0]):
                    worst[clamp.name] = clamp.asked, clamp.bound, step.observation.time_s
        before = step
        on_step(number, total)
    return {
        "steps": total,
        "agreeing_share": 1.0 - differing / max(1, total - 1),
        "limits": {
            name: {
                "ticks_now": now[name],
                "ticks_recorded": then[name],
                "worst_asked": worst[name][0] if name in worst else None,
                "bound": worst[name][1] if name in worst else None,
                "at_s": worst[name][2] if name in worst else None,
            }
            for name in sorted(set(now) | set(then))
        },
    }


GATE_LIMITS = frozenset(
    {
        *("tool_speed", "tool_turn", "base_speed", "base_turn", "lift_rate", "head_rate", "tool_acceleration"),
        *("tool_turn_acceleration", "base_acceleration", "base_turn_acceleration", "workspace", "column", "force"),
        *("lift_range", "head_range", "grip_width", "grip_force"),
    }
)
"""Clamps that controllers.gate can make."""


def _through(gate: Gate, step: Step) -> list[Clamp]:
    observation, action = step.observation, step.action
    clamps: list[Clamp] = []
    asked = Motion(
        action.tool_twist_in_base[0].tolist(),
        action.base_velocity_in_base.tolist(),
        action.lift_rate_m_s,
        action.head_rate_rad_s.tolist(),
    )
    gate.limit_grip(action.grip_mode, action.grip, clamps)
    pose = observation.tool_pose_in_base
    x, y, z = pose[:3].tolist()
    fx, fy, fz = (from_quaternion(pose[:3], pose[3:]).rotation @ observation.wrist_wrench_in_tool[:3]).tolist()
    head = observation.joint_position[9:11].tolist()
    lift = float(observation.joint_position[0])
    gate.limit(asked, 1.0, (x, y, z), lift, head, (fx, fy, fz), clamps)
    return clamps
