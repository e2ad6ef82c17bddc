"""The gripper at 500 Hz: to a width, or with a force, and the reflex that squeezes harder when something slips."""

from math import exp, hypot, isfinite
from typing import Final, Literal

from agent.messages import PLANT_STEP_S
from controllers.arm_model import GRIP_MAX_N

WIDTH_STIFFNESS_N_M: Final = 1500.0
WIDTH_DAMPING_N_S_M: Final = 40.0
WIDTH_FORCE_LIMIT_N: Final = 20.0
"""Width mode squeezes no harder than this, whatever is between the pads."""

CLOSING_DAMPING_N_S_M: Final = 80.0
APPROACH_M_S: Final = 0.12
APPROACH_GAIN_N_S_M: Final = 80.0
"""Before contact the fingers close at about this speed, whatever the force: fast fingers bounce what they touch."""
SQUEEZE_START_N: Final = 4.0
SQUEEZE_RATE_N_S: Final = 300.0
"""From contact on the force grows this fast to what is asked; the reflex multiplies it at once."""
CONTACT_N: Final = 1.0
"""Sum over both pads from which on something is held."""
LOST_STEPS: Final = 25
"""Contact that is gone for this long is over; what is gone for less is a knock."""
STALLED_M_S: Final = 0.003
STALLED_STEPS: Final = 20
"""Fingers that stand this long have closed on something the pads do not feel, e.g. a bar between the knuckles."""

HELD_STEPS: Final = 50
"""Steps of contact after which a grasp counts as settled, and the pads' motion as slip."""
RATIO_LIMIT: Final = 0.45
"""Shear over normal force above which the grasp is too loose: below the friction of anything at home."""
RATIO_CALM: Final = 0.36
"""The raised force is only given back below this ratio."""
RATIO_ALERT: Final = 0.15
SHEAR_RATE_LIMIT_N_S: Final = 80.0
"""Shear that grows faster than this, with a ratio above RATIO_ALERT, is a load that runs away.
Lifting a full mug in 0.1 s stays at half of it."""
WIDTH_RATE_LIMIT_M_S: Final = 0.02
"""A settled grasp whose width changes faster is losing what it holds."""
EVENT_STEPS: Final = 2
"""A sign must last this many steps: one noisy sample is no slip."""
REFRACTORY_STEPS: Final = 10
RAISE: Final = 1.35
RAISE_MAX: Final = 4.0
CALM_TIME_S: Final = 1.0
"""Time constant with which a raised force returns to what was asked."""

_SHEAR_SMOOTHING: Final = 0.4
_FORGET: Final = exp(-PLANT_STEP_S / CALM_TIME_S)


class GripController:
    """From width, pad forces and what is asked to the force of the finger motor, every PLANT_STEP_S."""

    def __init__(self, max_force_n: float = GRIP_MAX_N) -> None:
        self.max_force_n = max_force_n
        self.mode: Literal["width", "force"] = "force"
        self.setpoint = 0.0
        """Width in m or closing force in N, by `mode`."""
        self.raise_factor = 1.0
        """What the reflex multiplies the asked force with at present."""
        self.slipped = False
        """Whether the reflex acted since this was last set to False."""
        self._force_n = 0.0
        self._squeeze_n = 0.0
        self._held_steps = 0
        self._lost_steps = 0
        self._stalled_steps = 0
        self._sign_steps = 0
        self._refractory_steps = 0
        self._shear_n = 0.0

    def ask(self, mode: Literal["width", "force"], setpoint: float) -> None:
        """What to do from the next step on: a width in m, or a closing force in N (negative opens)."""
        if mode != self.mode or (mode == "force" and setpoint <= 0.0):
            self.raise_factor = 1.0
            self._stalled_steps = 0
        self.mode, self.setpoint = mode, setpoint

    def step(
        self,
        width_m: float,
        width_rate_m_s: float,
        normal_n: list[float],
        shear_n: list[list[float]],
    ) -> float:
        """Force of the finger motor in N, positive closes, at most `max_force_n` either way.

        `normal_n` (2,) and `shear_n` (2, 2) are the sums over left and right pad, shear along tool x and z.
        """
        normal = normal_n[0] + normal_n[1]
        (left_x, left_z), (right_x, right_z) = shear_n
        shear = hypot(left_x, left_z) + hypot(right_x, right_z)
        if not isfinite(shear):
            shear = self._shear_n  # a blind sample says nothing, and must not blind the reflex for ever
        smooth = self._shear_n + _SHEAR_SMOOTHING * (shear - self._shear_n)
        shear_rate = (smooth - self._shear_n) / PLANT_STEP_S
        self._shear_n = smooth
        if normal > CONTACT_N:
            self._held_steps += 1
            self._lost_steps = 0
        elif self._held_steps:
            self._lost_steps += 1
            if self._lost_steps > LOST_STEPS:
                self._held_steps = 0
        if self.mode == "width":
            force = WIDTH_STIFFNESS_N_M * (width_m - self.setpoint) + WIDTH_DAMPING_N_S_M * width_rate_m_s
            return self._bounded(force, min(WIDTH_FORCE_LIMIT_N, self.max_force_n))
        if self.setpoint > 0.0:
            self._watch_for_slip(normal, smooth, shear_rate, width_rate_m_s)
        self._stalled_steps = self._stalled_steps + 1 if abs(width_rate_m_s) < STALLED_M_S else 0
        if self.setpoint > 0.0 and not self._held_steps and self._stalled_steps < STALLED_STEPS:
            self._squeeze_n = min(self.setpoint, SQUEEZE_START_N)
            force = min(self.setpoint, APPROACH_GAIN_N_S_M * (APPROACH_M_S + width_rate_m_s))
        else:
            self._squeeze_n = min(self.setpoint, self._squeeze_n + SQUEEZE_RATE_N_S * PLANT_STEP_S)
            force = min(self._squeeze_n * self.raise_factor, self.max_force_n)
            force += CLOSING_DAMPING_N_S_M * width_rate_m_s
        return self._bounded(force, self.max_force_n)

    def _bounded(self, force: float, bound: float) -> float:
        if isfinite(force):
            self._force_n = min(max(force, -bound), bound)
        # A sensor that went blind must not drop what is held: the last force stays.
        return self._force_n

    def _watch_for_slip(self, normal: float, shear: float, shear_rate: float, width_rate: float) -> None:
        if self._refractory_steps:
            self._refractory_steps -= 1
        if not self._held_steps:
            self._sign_steps = 0
            self.raise_factor = 1.0
            return
        ratio = shear / max(normal, CONTACT_N)
        sign = ratio > RATIO_LIMIT or (ratio > RATIO_ALERT and shear_rate > SHEAR_RATE_LIMIT_N_S)
        if self._held_steps > HELD_STEPS:
            sign = sign or abs(width_rate) > WIDTH_RATE_LIMIT_M_S
        self._sign_steps = self._sign_steps + 1 if sign else 0
        if self._sign_steps >= EVENT_STEPS and not self._refractory_steps:
            if self.setpoint * self.raise_factor < self.max_force_n and self.raise_factor < RAISE_MAX:
                self.raise_factor = min(self.raise_factor * RAISE, RAISE_MAX)
                self.slipped = True
            self._refractory_steps = REFRACTORY_STEPS
        elif ratio < RATIO_CALM:
            self.raise_factor = 1.0 + (self.raise_factor - 1.0) * _FORGET
