"""When an action counts: checks at the seam, chunks, and what happens after it expired.

Stale is wrong: after `expires_s` the last motion is held for up to 20 ms, ramped to zero by 100 ms,
stopped from there, and after 500 ms the robot latches a fault that only `clear_fault` ends.
"""

from math import inf, isfinite
from typing import Literal

import numpy as np

from agent.messages import TICK_S, Action, Clamp

Mode = Literal["ok", "hold", "ramp", "stop", "fault"]

HOLD_S = 0.020
RAMP_END_S = 0.100
FAULT_S = 0.500
"""Ages of an expired action at which holding ends, the ramp reaches zero, and the fault latches."""

MAX_ROWS = 128
MAX_VALID_S = MAX_ROWS * TICK_S
"""What is valid for longer than a chunk can be is refused: it would outlive the mind that sent it."""
_EPSILON_S = 1e-6
"""Far below a tick, far above the rounding of a sum of ticks."""
_ZERO_TWIST = [0.0] * 6


def check_action(action: Action) -> None:
    """Raises TypeError or ValueError naming the field for an action that is malformed, whatever its values."""
    for name, value, shape in (
        ("tool_twist_in_base", action.tool_twist_in_base, (None, 6)),
        ("base_velocity_in_base", action.base_velocity_in_base, (3,)),
        ("head_rate_rad_s", action.head_rate_rad_s, (2,)),
    ):
        if not isinstance(value, np.ndarray):
            raise TypeError(f"action.{name} must be a float64 array, got {type(value).__name__}")
        if value.dtype != np.float64:
            raise TypeError(f"action.{name} must be float64, got {value.dtype}")
        if value.ndim != len(shape) or value.shape[-1] != shape[-1]:
            wanted = "(n, 6)" if len(shape) == 2 else str(shape)
            raise ValueError(f"action.{name} must have shape {wanted}, got {value.shape}")
    rows = len(action.tool_twist_in_base)
    if not 1 <= rows <= MAX_ROWS:
        raise ValueError(f"action.tool_twist_in_base must have 1 to {MAX_ROWS} rows, one per tick; got {rows}")
    if action.grip_mode not in ("width", "force"):
        raise ValueError(f"action.grip_mode must be 'width' or 'force', got {action.grip_mode!r}")
    if action.expires_s <= action.valid_from_s:
        raise ValueError(
            f"action.expires_s = {action.expires_s} must be later than valid_from_s = {action.valid_from_s}"
        )


def is_finite(action: Action) -> bool:
    """Whether every number in a well-formed action is finite (sums of them too)."""
    total = (
        sum(map(sum, action.tool_twist_in_base.tolist()))
        + sum(action.base_velocity_in_base.tolist())
        + sum(action.head_rate_rad_s.tolist())
    )
    return isfinite(total + action.grip + action.lift_rate_m_s + action.valid_from_s + action.expires_s)


class ActionWindow:
    """Holds the action in force and the one to come, and says how much of it counts now."""

    def __init__(self) -> None:
        self.action: Action | None = None
        """In force, or the last one that was."""
        self._rows: list[list[float]] = [_ZERO_TWIST]
        self._expires_s = inf
        self._next: Action | None = None
        self._faulted = False

    def offer(self, action: Action, now_s: float) -> Clamp | None:
        """Takes a well-formed action (see `check_action`), or returns the Clamp that refused it.

        One with a value that is not finite also ends the one in force: a mind that sends NaN is not trusted.
        """
        if not is_finite(action):
            self._next = None
            self._expires_s = min(self._expires_s, now_s)
            return Clamp(name="not_finite", asked=0.0, bound=0.0)
        if self._faulted:
            return Clamp(name="fault", asked=1.0, bound=0.0)
        if action.expires_s <= now_s + _EPSILON_S:
            return Clamp(name="stale", asked=action.expires_s, bound=now_s)
        if action.expires_s > now_s + MAX_VALID_S + _EPSILON_S:
            return Clamp(name="too_long", asked=action.expires_s - now_s, bound=MAX_VALID_S)
        newest = max((a.sequence for a in (self.action, self._next) if a is not None), default=action.sequence)
        if action.sequence < newest:
            return Clamp(name="stale", asked=float(action.sequence), bound=float(newest))
        if action.valid_from_s > now_s + TICK_S / 2:
            self._next = action
        else:
            self._take(action)
        return None

    def _take(self, action: Action) -> None:
        self.action = action
        self._rows = action.tool_twist_in_base.tolist()
        self._expires_s = action.expires_s
        self._next = None

    def mode(self, now_s: float) -> tuple[Mode, float]:
        """The mode of the tick that begins now, and the share of the last motion that is left, in [0, 1]."""
        if self._next is not None and self._next.valid_from_s <= now_s + TICK_S / 2 and not self._faulted:
            self._take(self._next)
        if self._faulted:
            return "fault", 0.0
        if self.action is None:
            return "stop", 0.0
        age_s = now_s - self._expires_s + _EPSILON_S
        if age_s < 0.0:
            return "ok", 1.0
        if age_s < HOLD_S:
            return "hold", 1.0
        if age_s < RAMP_END_S:
            return "ramp", (RAMP_END_S - age_s) / (RAMP_END_S - HOLD_S)
        if age_s < FAULT_S:
            return "stop", 0.0
        self._faulted = True
        return "fault", 0.0

    def twist(self, now_s: float) -> list[float]:
        """The row of the chunk for the tick that begins now, by time since `valid_from_s`; after its end the last."""
        if self.action is None:
            return _ZERO_TWIST
        now_s = min(now_s, self._expires_s - TICK_S)
        row = int((now_s - self.action.valid_from_s) / TICK_S + 0.5)
        return self._rows[max(0, min(row, len(self._rows) - 1))]

    def latch_fault(self) -> None:
        self._faulted = True

    def clear_fault(self) -> None:
        """Forgets fault and action: the robot stands until a new action comes."""
        self._faulted = False
        self.action = self._next = None
        self._expires_s = inf
