"""Press the brew button and wait until the machine is done."""

from math import pi

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.entities import Entity
from agent.frames import Pose, tool_rotation
from agent.messages import Observation
from agent.policies.interface import Goal, Motion
from agent.skills.approach import Approach, at_standoffs
from agent.skills.command import Command
from agent.skills.gaze import look_at_map_point
from agent.skills.grasping import TIP_M
from agent.skills.manipulation import Manipulation

Array = NDArray[np.float64]

FRONT_PITCH_RAD = np.deg2rad(6.0)
TOP_PITCH_RAD = np.deg2rad(62.0)
NO_BREWING_S = 2.5
LONGEST_BREW_S = 25.0
PRESSES = 2
"""Pressed so often in vain, a machine lacks something that pressing does not bring."""
FILLED_M = 0.06
"""From the middle of the tray: a mug that stands farther off has got nothing."""


class Press(Manipulation):
    """Target: the button's face."""

    act_timeout_s = 15.0
    ready_width_m = 0.0
    verify_s = LONGEST_BREW_S

    def precondition(self, belief: Belief) -> str:
        return "hand-not-empty" if belief.hand.held is not None else ""

    def anchor(self, belief: Belief) -> Entity | None:
        return belief.entities.get(self.subgoal.target)

    def button(self, belief: Belief) -> Entity | None:
        return belief.machine_part(self.subgoal.target, "brew_button")

    def light(self, belief: Belief) -> float:
        part = belief.machine_part(self.subgoal.target, "brew_light")
        return 0.0 if part is None or part.state is None else part.state

    def target_point(self, belief: Belief) -> Array | None:
        button = self.button(belief)
        return None if button is None else button.position

    def approaches(self, belief: Belief) -> list[Approach]:
        button = self.button(belief)
        yaw = belief.entities[self.subgoal.target].yaw + pi
        if button is not None and button.class_name == "brew_button_top":
            return at_standoffs(yaw, TOP_PITCH_RAD, 0.62, 0.5 * pi)
        return at_standoffs(yaw, FRONT_PITCH_RAD, 0.70)

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        rotation = tool_rotation(approach.pitch_down_rad, approach.roll_rad)
        return Goal(Pose(-rotation[:, 2] * (TIP_M + 0.004), rotation), approach_m=0.08)

    _lit_s: float | None = None

    def before_acting(self, belief: Belief) -> None:
        self._felt = False
        self._lit_s = None

    def opening(self, belief: Belief) -> float | None:
        """1 once the press was felt or the brew light went on."""
        return 1.0 if self._felt or self.light(belief) > 0.5 else 0.0

    def judge(self, belief: Belief, motion: Motion) -> str:
        assert self._aim is not None
        if motion.phase == "push":
            along = self._aim.goal.tool_in_target.rotation[:, 2]
            tool = self._aim.target_in_map.inverse() @ belief.tool_in_map
            depth = float(along @ (tool.position - self._aim.goal.tool_in_target.position))
            push = -float(along @ (self._aim.target_in_map.rotation.T @ belief.base_in_map.rotation @ self._force))
            # A spring gives way for a few millimetres and then stands like a wall.
            if push > self._hard_n(belief) or depth > 0.03:
                self._felt = True
        return "done" if motion.finished else ""

    def _hard_n(self, belief: Belief) -> float:
        return min(22.0, 0.6 * self.subgoal.limits.force_n)

    def _tick_stow(self, belief: Belief, observation: Observation) -> Command:
        self._watch(belief)
        return super()._tick_stow(belief, observation)

    def _watch(self, belief: Belief) -> None:
        if self.light(belief) > 0.5 and self._lit_s is None:
            self._lit_s = belief.time_s
            belief.brewed.add(self.subgoal.target)
        if self._lit_s is not None:
            self._outcome = ""  # however the press ended, it brews: wait for that

    def _tick_verify(self, belief: Belief, observation: Observation) -> Command:
        """Watch the light: on while it brews."""
        self._watch(belief)
        part = belief.machine_part(self.subgoal.target, "brew_light")
        point = self.target_point(belief) if part is None else part.position
        if self._lit_s is None:
            if belief.time_s - self._since_s > NO_BREWING_S:
                return self._try_again(belief, "no-brewing")
        elif self.light(belief) < 0.3 or belief.time_s - self._lit_s > LONGEST_BREW_S:
            return self._brewed(belief)
        if point is None:
            return self.fail("target-lost")
        return Command(head_rate_rad_s=look_at_map_point(point, belief.base_in_map, observation))

    def _try_again(self, belief: Belief, reason: str) -> Command:
        if reason == "no-brewing" and self.attempt >= PRESSES:
            belief.pressed_in_vain.add(self.subgoal.target)
            return self.fail(reason)
        return super()._try_again(belief, reason)

    def _brewed(self, belief: Belief) -> Command:
        tray = belief.machine_part(self.subgoal.target, "drip_tray")
        if tray is not None:
            for mug in belief.entities.of_class("mug"):
                gap = mug.position - tray.position
                if float(np.hypot(gap[0], gap[1])) < FILLED_M:
                    belief.full_mugs.add(mug.id)
        return self.succeed()
