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
from agent.skills.groping import Groping

Array = NDArray[np.float64]

FRONT_PITCH_RAD = np.deg2rad(6.0)
TOP_PITCH_RAD = np.deg2rad(62.0)
NO_BREWING_S = 2.5
LONGEST_BREW_S = 25.0
PRESSES = 2
"""Pressed so often in vain, a machine lacks something that pressing does not bring."""
SOFT_N, GIVES_M = 4.0, 0.0012
"""A button gives way so far at least between a light push and a hard one; the machine around it does not."""
NO_BUTTON = "no-button"
ASIDE_M = 0.024
ASIDES_IN_FRONT: list[tuple[float, float]] = [(0.0, 1.0), (0.0, -1.0)]
ASIDES_ON_TOP = [*ASIDES_IN_FRONT, (1.0, 0.0), (-1.0, 0.0), (0.8, 0.8), (0.8, -0.8), (-0.8, 0.8), (-0.8, -0.8)]
"""Where a button is felt for that is not where it is seen, in ASIDE_M: so much farther from the robot, to its left."""
ASIDES_BEYOND = [(1.0, 0.0), (1.0, 1.0), (1.0, -1.0)]
"""The same where a push from the front met nothing at all."""
FILLED_M = 0.06
"""From the middle of the tray: a mug that stands farther off has got nothing."""


class Press(Groping):
    """Target: the button's face. What gives way under the hand is the button."""

    act_timeout_s = 15.0
    ready_width_m = 0.0
    verify_s = LONGEST_BREW_S

    def button(self, belief: Belief) -> Entity | None:
        return belief.machine_part(self.subgoal.target, "brew_button")

    def on_top(self, belief: Belief) -> bool:
        button = self.button(belief)
        return button is not None and button.class_name == "brew_button_top"

    def light(self, belief: Belief) -> float:
        part = belief.machine_part(self.subgoal.target, "brew_light")
        return 0.0 if part is None or part.state is None else part.state

    def target_point(self, belief: Belief) -> Array | None:
        button = self.button(belief)
        return None if button is None else button.position

    def approaches(self, belief: Belief) -> list[Approach]:
        yaw = belief.entities[self.subgoal.target].yaw + pi
        if self.on_top(belief):
            return at_standoffs(yaw, TOP_PITCH_RAD, 0.62, 0.5 * pi)
        return at_standoffs(yaw, FRONT_PITCH_RAD, 0.70)

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        rotation = tool_rotation(approach.pitch_down_rad, approach.roll_rad)
        return Goal(Pose(-rotation[:, 2] * (TIP_M + 0.004), rotation), approach_m=0.08)

    _lit_s: float | None = None
    _met_m: float | None = None
    """How deep the hand was when something began to hold it back."""
    _in_vain = 0
    """How often the button gave way and nothing came of it."""
    _around: Array | None = None
    """From where the button is seen to where it was sought first, (3,) m in the map frame, once it was not there."""

    def felt_thing(self, belief: Belief) -> str:
        button = self.button(belief)
        return "" if button is None else button.id

    def before_acting(self, belief: Belief) -> None:
        self._felt, self._met, self._gave_way = False, False, False
        self._lit_s, self._met_m = None, None

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
            if push < SOFT_N or self._met_m is None:
                self._met_m = depth
            hard = push > self._hard_n(belief)
            self._met = self._met or hard
            self._gave_way = self._gave_way or (hard and depth - self._met_m > GIVES_M)
            if hard or depth > 0.03:
                self._felt = True
        if not motion.finished:
            return ""
        if self._gave_way or self.light(belief) > 0.5:
            return "done"
        return "not-pressed" if self._met_m is None else NO_BUTTON

    def _stop_short(self, belief: Belief, reason: str) -> Command:
        point = self.target_point(belief)
        if reason != NO_BUTTON or point is None:
            return super()._stop_short(belief, reason)
        return self._feel_elsewhere(belief, point)

    def _feel_elsewhere(self, belief: Belief, point: Array) -> Command:
        """The hand met what does not give way, or nothing: the button is beside or behind that. Without drawing back
        far, press there."""
        assert self._aim is not None
        button, turn = self.felt_thing(belief), self._aim.target_in_map.rotation
        if self._around is None:
            self._around = self.sought_off(belief)
            in_front = ASIDES_IN_FRONT if self._met else ASIDES_BEYOND
            self._asides = ASIDES_ON_TOP if self.on_top(belief) else in_front
        if not self._asides:
            belief.felt_off.pop(button, None)
            return super()._stop_short(belief, NO_BUTTON)
        (ahead, left), *self._asides = self._asides
        belief.felt_off[button] = self._around + ASIDE_M * (turn @ np.array([ahead, left, 0.0]))
        self.attempt += 1
        return self._set_up(belief, point)

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
        if reason == NO_BUTTON:
            return self.fail(reason)
        if reason != "no-brewing":
            return super()._try_again(belief, reason)
        self._in_vain += 1
        if self._in_vain >= PRESSES:
            belief.pressed_in_vain.add(self.subgoal.target)
            return self.fail(reason)
        self.attempt += 1
        self._enter("choose", belief)
        return Command()

    def _brewed(self, belief: Belief) -> Command:
        tray = belief.machine_part(self.subgoal.target, "drip_tray")
        if tray is not None:
            for mug in belief.entities.of_class("mug"):
                gap = mug.position - tray.position
                if float(np.hypot(gap[0], gap[1])) < FILLED_M:
                    belief.full_mugs.add(mug.id)
        return self.succeed()
