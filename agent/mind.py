"""The fast mind: turns the subgoal in force into an Action, every tick, through the skill for its kind."""

from collections.abc import Callable

import msgspec

from agent.agenda import Agenda
from agent.belief.belief import Belief
from agent.errand import ErrandAgenda
from agent.messages import Acting, Action, Estimate, Observation, Subgoal
from agent.policies.interface import Policy
from agent.policies.recorded import Recorded
from agent.skills.catalogue import begin
from agent.skills.command import Command, lift_gently, to_action
from agent.skills.manipulation import HOLD_N
from agent.skills.posture import tuck
from agent.skills.skill import Skill

Ended = Callable[[Subgoal, Skill, float, float], None]


class Mind:
    """Runs one skill at a time."""

    def __init__(self, policy: Policy, agenda: Agenda | ErrandAgenda, on_ended: Ended) -> None:
        self.policy = Recorded(policy)
        self.agenda = agenda
        self._on_ended = on_ended
        self._skill: Skill | None = None
        self._started_s = 0.0
        self.phase = ""
        self.estimate = Estimate()
        self.acting: Acting | None = None
        """What the policy saw and did in this tick; None while a skill does without it."""

    def act(self, belief: Belief, observation: Observation, subgoal: Subgoal | None) -> Action:
        """The Action for the next tick."""
        command = self._idle(belief, observation) if subgoal is None else self._work(belief, observation, subgoal)
        if belief.holds_full_mug:
            lift_gently(command, observation)
        self.phase = command.phase
        self.acting, estimate = self.policy.take()
        self.estimate = msgspec.structs.replace(estimate, phase=command.phase)
        return to_action(command, observation, belief.hand.tool_in_base)

    def think(self, belief: Belief) -> None:
        """Once the action has left: what only later ones profit from. A plan or the map: both would be too much."""
        if not self.policy.think():
            belief.reflect()

    def _work(self, belief: Belief, observation: Observation, subgoal: Subgoal) -> Command:
        skill = self._skill
        if skill is None or skill.subgoal is not subgoal:
            skill = self._skill = begin(subgoal, self.policy)
            belief.hand.lost = ""  # what was lost before is no failure of this skill
            self._started_s = belief.time_s
        command = skill.tick(belief, observation)
        if skill.status != "running":
            self._on_ended(subgoal, skill, self._started_s, belief.time_s)
            failures = 0 if skill.status == "succeeded" else skill.failures(belief) + 1
            belief.failures[subgoal.kind, subgoal.target] = failures
            chance = skill.estimate.success_probability
            self.agenda.finished(belief, skill.status, skill.reason, skill.attempt, chance)
            self._skill = None
            held = belief.hand.held
            if held is not None:
                command.grip_mode, command.grip = "force", HOLD_N
        return command

    @property
    def started_s(self) -> float | None:
        """When the running skill began; None while none runs."""
        return None if self._skill is None else self._started_s

    @property
    def attempt(self) -> int:
        """Which attempt of the running skill this is; 0 while none runs."""
        return 0 if self._skill is None else self._skill.attempt

    def _idle(self, belief: Belief, observation: Observation) -> Command:
        """Waiting for a plan: keep what is held, look about."""
        full = belief.holds_full_mug
        twist, rate, _, _ = tuck(belief.hand, observation, 0.2 if full else 0.4, full)
        command = Command(twist, True, lift_rate_m_s=rate, head_rate_rad_s=self.agenda.gaze(observation), phase="idle")
        if belief.hand.held is not None:
            command.grip_mode, command.grip = "force", HOLD_N
        return command
