"""A policy under observation: what it saw and asked for in each tick becomes part of the Step, and back."""

from typing import Any

import numpy as np

from agent.belief.hand import FINGER
from agent.frames import Pose, from_quaternion
from agent.messages import ACTING_VERSION, Acting, Estimate, GoalSeen, Move, Step
from agent.policies.interface import Array, Goal, Motion, Policy, Situation
from agent.policies.limits import clamped


class ActingVersionError(ValueError):
    """An episode was recorded with another meaning of its fields."""


class Recorded:
    """Remembers the last tick of a policy, and adds the reflexes where it wants them: what is remembered is what the
    policy asked for. To those who learn from it the reflexes are a part of the world."""

    def __init__(self, policy: Policy) -> None:
        self.name = policy.name
        self._policy = policy
        self._begins = True
        self._acting: Acting | None = None
        self._estimate = Estimate()

    def reset(self) -> None:
        self._begins = True
        self._policy.reset()

    def act(self, situation: Situation) -> Motion:
        motion = self._policy.act(situation)
        self._acting = to_acting(situation, motion, self._begins)
        self._estimate = motion.estimate
        self._begins = False
        return clamped(situation, motion) if motion.reflexes else motion

    def think(self) -> bool:
        return self._policy.think()

    def take(self) -> tuple[Acting | None, Estimate]:
        """What happened since the last call: (None, an empty Estimate) where the policy was not asked."""
        acting, estimate = self._acting, self._estimate
        self._acting, self._estimate = None, Estimate()
        return acting, estimate


def to_acting(s: Situation, motion: Motion, begins: bool) -> Acting:
    """A tick as a message (about 10 µs)."""
    goal = s.goal
    return Acting(
        begins=begins,
        goal=GoalSeen(
            tool_in_target=_flat(goal.tool_in_target),
            approach_m=goal.approach_m,
            above_m=goal.above_m,
            let_go_at_m=goal.let_go_at_m,
            axis=goal.axis,
            hinge_in_target=goal.hinge_in_target,
            hinge_direction_in_target=goal.hinge_direction_in_target,
            travel=goal.travel,
        ),
        target_in_base=_flat(s.target_in_base),
        target_std_m=s.target_std_m,
        pads_touch=s.pads_touch,
        holding=s.holding,
        supported=s.supported,
        force_in_target_n=s.force_in_target_n,
        opening=s.opening,
        elapsed_s=s.elapsed_s,
        failures=s.failures,
        did=_move(motion),
        advice=None if motion.advice is None else _move(motion.advice),
    )


def situation_of(step: Step) -> Situation:
    """What the policy saw in a recorded Step, bit for bit.

    Raises ValueError for a Step in which no policy acted, ActingVersionError for another version of its meaning.
    """
    acting, subgoal, observation = step.acting, step.subgoal, step.observation
    if acting is None or subgoal is None:
        raise ValueError(f"no policy acted in the step at {observation.time_s:.2f} s")
    if acting.version != ACTING_VERSION:
        raise ActingVersionError(
            f"the episode records acting in version {acting.version}, this code reads {ACTING_VERSION}; record it anew"
        )
    seen = acting.goal
    target_in_base = _pose(acting.target_in_base)
    tool = from_quaternion(observation.tool_pose_in_base[:3], observation.tool_pose_in_base[3:])
    return Situation(
        kind=subgoal.kind,
        goal=Goal(
            tool_in_target=_pose(seen.tool_in_target),
            approach_m=seen.approach_m,
            above_m=seen.above_m,
            let_go_at_m=seen.let_go_at_m,
            axis=seen.axis,
            hinge_in_target=seen.hinge_in_target,
            hinge_direction_in_target=seen.hinge_direction_in_target,
            travel=seen.travel,
        ),
        limits=subgoal.limits,
        tool_in_target=target_in_base.inverse() @ tool,
        target_in_base=target_in_base,
        target_std_m=acting.target_std_m,
        observation=observation,
        width_m=float(observation.joint_position[FINGER]),
        grip_force_n=observation.grip_force_n,
        pads_touch=acting.pads_touch,
        holding=acting.holding,
        supported=acting.supported,
        force_in_target_n=acting.force_in_target_n,
        opening=acting.opening,
        elapsed_s=acting.elapsed_s,
        failures=acting.failures,
    )


def _move(motion: Motion) -> Move:
    x, y, turn = motion.base_velocity_in_base.tolist()
    return Move(
        twist_in_target=motion.twist_in_target,
        grip_mode=motion.grip_mode,
        grip=float(motion.grip),
        base_velocity_in_base=(x, y, turn),
        phase=motion.phase,
        finished=motion.finished,
    )


def _flat(pose: Pose) -> Array:
    return np.concatenate([pose.position, pose.rotation.ravel()])


def _pose(flat: Any) -> Pose:
    return Pose(np.array(flat[:3]), np.array(flat[3:]).reshape(3, 3))
