"""The safety gate: every motion passes it, and every limit that changes one is reported as a Clamp.

`Gate.limit` runs once a tick, on what is asked; `ForceGate.allows` runs at 500 Hz, on what was felt.
Plain floats instead of arrays: for three numbers they are several times faster.
"""

from dataclasses import dataclass, field
from math import hypot, sqrt

from agent.messages import TICK_S, Clamp
from controllers.arm_model import (
    BASE_MAX_VELOCITY,
    FINGER_WIDTH_RANGE_M,
    GRIP_MAX_N,
    HEAD_LOWER_RAD,
    HEAD_MAX_VELOCITY_RAD_S,
    HEAD_UPPER_RAD,
    LIFT_MAX_VELOCITY_M_S,
    LIFT_RANGE_M,
)

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What the gate lets through. Speeds and accelerations bound the Euclidean length of the vector."""

    tool_speed_m_s: float = 0.8
    tool_acceleration_m_s2: float = 8.0
    tool_turn_rad_s: float = 2.5
    tool_turn_acceleration_rad_s2: float = 30.0
    base_speed_m_s: float = float(BASE_MAX_VELOCITY[0])
    base_acceleration_m_s2: float = 2.0
    base_turn_rad_s: float = float(BASE_MAX_VELOCITY[2])
    base_turn_acceleration_rad_s2: float = 5.0
    lift_rate_m_s: float = LIFT_MAX_VELOCITY_M_S
    head_rate_rad_s: float = HEAD_MAX_VELOCITY_RAD_S
    wrist_force_n: float = 60.0
    """Above it, motion into the force is stopped and the arm gives way; away from it or across it is free."""
    wrist_force_alert: float = 0.7
    """Share of that force from which on motion into it is slowed, to meet the limit without a knock."""
    force_approach_m_s_n: float = 0.002
    """Speed per newton that is left up to the limit: a stiff arm against a wall gains about 10 N/mm. As fast the
    arm gives way per newton above it, or a hand that a turning base has jammed would stay so."""
    give_way_m_s: float = 0.1
    tool_lower_in_base_m: Vector = (-0.40, -0.95, 0.03)
    tool_upper_in_base_m: Vector = (1.10, 0.95, 2.10)
    """The box the tool's centre stays in."""
    column_radius_m: float = 0.22
    """The tool's centre stays farther than this from the column's axis (that of the base)."""
    braking_time_s: float = 0.1
    """Speed towards a wall of the box is at most the distance to it over this time."""


@dataclass(slots=True)
class Motion:
    """Velocities of everything that moves, in the units of Action, as plain floats."""

    twist: list[float] = field(default_factory=lambda: [0.0] * 6)
    """Of the tool in the base frame, relative to the base: linear, angular."""
    base: list[float] = field(default_factory=lambda: [0.0] * 3)
    lift: float = 0.0
    head: list[float] = field(default_factory=lambda: [0.0] * 2)


class Gate:
    """Limits what is asked, knowing what was let through in the tick before. Malformed input was refused earlier."""

    def __init__(self, limits: GateLimits | None = None) -> None:
        self.limits = limits if limits is not None else GateLimits()
        self.last = Motion()
        """What was let through in the last tick."""

    def limit(
        self,
        asked: Motion,
        scale: float,
        tool_in_base_m: Vector,
        lift_m: float,
        head_rad: list[float],
        force_in_base_n: Vector,
        clamps: list[Clamp],
    ) -> Motion:
        """The motion nearest to `asked` (changed in place and returned) that keeps every limit.

        `scale` in [0, 1] is what validity leaves of the motion: 0 and values between bring the robot to a stop on
        time, whatever the limits of acceleration. `tool_in_base_m`, `lift_m` and `head_rad` are the set points the
        motion starts from, `force_in_base_n` is what the world exerts on the hand. Appends a Clamp for each limit
        that acted.
        """
        limits, last, twist, base = self.limits, self.last, asked.twist, asked.base
        _limit_vector(twist, 0, 3, limits.tool_speed_m_s, "tool_speed", clamps)
        _limit_vector(twist, 3, 3, limits.tool_turn_rad_s, "tool_turn", clamps)
        _limit_vector(base, 0, 2, limits.base_speed_m_s, "base_speed", clamps)
        _limit_vector(base, 2, 1, limits.base_turn_rad_s, "base_turn", clamps)
        asked.lift = _limit_scalar(asked.lift, limits.lift_rate_m_s, "lift_rate", clamps)
        head = asked.head
        head[0] = _limit_scalar(head[0], limits.head_rate_rad_s, "head_rate", clamps)
        head[1] = _limit_scalar(head[1], limits.head_rate_rad_s, "head_rate", clamps)
        if scale < 1.0:
            for values in (twist, base, head):
                for i in range(len(values)):
                    values[i] *= scale
            asked.lift *= scale
        else:
            turn = limits.tool_turn_acceleration_rad_s2
            _limit_change(twist, last.twist, 0, 3, limits.tool_acceleration_m_s2, "tool_acceleration", clamps)
            _limit_change(twist, last.twist, 3, 3, turn, "tool_turn_acceleration", clamps)
            turn = limits.base_turn_acceleration_rad_s2
            _limit_change(base, last.base, 0, 2, limits.base_acceleration_m_s2, "base_acceleration", clamps)
            _limit_change(base, last.base, 2, 1, turn, "base_turn_acceleration", clamps)
        self._keep_in_workspace(twist, tool_in_base_m, clamps)
        self._stop_at_force(twist, base, tool_in_base_m, force_in_base_n, clamps, may_move=scale > 0.0)
        asked.lift = _limit_travel(asked.lift, lift_m, *LIFT_RANGE_M, "lift_range", clamps)
        head[0] = _limit_travel(head[0], head_rad[0], _PAN[0], _PAN[1], "head_range", clamps)
        head[1] = _limit_travel(head[1], head_rad[1], _TILT[0], _TILT[1], "head_range", clamps)
        self.last = asked
        return asked

    def _keep_in_workspace(self, twist: list[float], tool_in_base_m: Vector, clamps: list[Clamp]) -> None:
        limits = self.limits
        for axis in (0, 1, 2):
            # Never a motion nobody asked for: from outside the box the way in is free, and the way out is shut.
            speed, at = twist[axis], tool_in_base_m[axis]
            fastest = max(0.0, (limits.tool_upper_in_base_m[axis] - at) / limits.braking_time_s)
            slowest = min(0.0, (limits.tool_lower_in_base_m[axis] - at) / limits.braking_time_s)
            if speed > fastest:
                twist[axis] = fastest
                clamps.append(Clamp(name="workspace", asked=speed, bound=fastest))
            elif speed < slowest:
                twist[axis] = slowest
                clamps.append(Clamp(name="workspace", asked=speed, bound=slowest))
        x, y, _ = tool_in_base_m
        radius = hypot(x, y)
        if radius < 1e-6:
            return
        outward_x, outward_y = x / radius, y / radius
        inward = -(twist[0] * outward_x + twist[1] * outward_y)
        bound = max(0.0, (radius - limits.column_radius_m) / limits.braking_time_s)
        if inward > bound:
            twist[0] += (inward - bound) * outward_x
            twist[1] += (inward - bound) * outward_y
            clamps.append(Clamp(name="column", asked=inward, bound=bound))

    def _stop_at_force(
        self,
        twist: list[float],
        base: list[float],
        tool_in_base_m: Vector,
        force: Vector,
        clamps: list[Clamp],
        may_move: bool,
    ) -> None:
        """`may_move`: a robot that nobody commands gives way no more, or a wrong reading would drive it."""
        fx, fy, fz = force
        size = sqrt(fx * fx + fy * fy + fz * fz)
        limits = self.limits
        if not size > limits.wrist_force_alert * limits.wrist_force_n:
            return
        away = (size - limits.wrist_force_n) * limits.force_approach_m_s_n
        least, slowest = min(away, limits.give_way_m_s if may_move else 0.0), min(0.0, away)
        fx, fy, fz = fx / size, fy / size, fz / size
        acted = False
        along = twist[0] * fx + twist[1] * fy + twist[2] * fz - least
        if along < 0.0:
            twist[0] -= along * fx
            twist[1] -= along * fy
            twist[2] -= along * fz
            acted = True
        # The base's velocity at the tool is (vx − ω y, vy + ω x): take out the nearest (vx, vy, ω) that pushes.
        lever = tool_in_base_m[0] * fy - tool_in_base_m[1] * fx
        along = base[0] * fx + base[1] * fy + base[2] * lever - slowest
        if along < 0.0:
            share = along / max(fx * fx + fy * fy + lever * lever, 1e-9)
            base[0] -= share * fx
            base[1] -= share * fy
            base[2] -= share * lever
            acted = True
        if acted:
            clamps.append(Clamp(name="force", asked=size, bound=limits.wrist_force_n))

    def limit_grip(self, mode: str, grip: float, clamps: list[Clamp]) -> float:
        """Width in m or force in N as the fingers can do it."""
        if mode == "width":
            lower, upper = FINGER_WIDTH_RANGE_M
        else:
            lower, upper = -GRIP_MAX_N, GRIP_MAX_N
        bounded = min(max(grip, lower), upper)
        if bounded != grip:
            clamps.append(Clamp(name=f"grip_{mode}", asked=grip, bound=bounded))
        return bounded


_PAN = (float(HEAD_LOWER_RAD[0]), float(HEAD_UPPER_RAD[0]))
_TILT = (float(HEAD_LOWER_RAD[1]), float(HEAD_UPPER_RAD[1]))


class ForceGate:
    """The part of the gate that runs at 500 Hz: motion into a force above the limit stops within one step."""

    def __init__(self, limit_n: float) -> None:
        self.limit_n = limit_n
        self._limit_squared = limit_n * limit_n
        self._arm: Vector = (0.0, 0.0, 0.0)
        self._base: Vector = (0.0, 0.0, 0.0)

    def aim(self, arm_velocity_in_tool: Vector, base_velocity_at_tool: Vector) -> None:
        """Where this tick's motion of arm and base carries the tool, both in the tool's axes."""
        self._arm, self._base = arm_velocity_in_tool, base_velocity_at_tool

    def allows(self, fx: float, fy: float, fz: float) -> tuple[bool, bool]:
        """Whether arm and base may go on against this force (N, tool axes) the world exerts on the hand."""
        if fx * fx + fy * fy + fz * fz <= self._limit_squared:
            return True, True
        (ax, ay, az), (bx, by, bz) = self._arm, self._base
        return fx * ax + fy * ay + fz * az >= 0.0, fx * bx + fy * by + fz * bz >= 0.0


def _limit_vector(values: list[float], start: int, size: int, bound: float, name: str, clamps: list[Clamp]) -> None:
    """Shortens values[start : start + size] to length `bound`."""
    if size == 1:
        values[start] = _limit_scalar(values[start], bound, name, clamps)
        return
    length = hypot(*values[start : start + size])
    if length > bound:
        for i in range(start, start + size):
            values[i] *= bound / length
        clamps.append(Clamp(name=name, asked=length, bound=bound))


def _limit_scalar(value: float, bound: float, name: str, clamps: list[Clamp]) -> float:
    if -bound <= value <= bound:
        return value
    clamps.append(Clamp(name=name, asked=value, bound=bound))
    return bound if value > 0.0 else -bound


def _limit_change(
    values: list[float], last: list[float], start: int, size: int, bound: float, name: str, clamps: list[Clamp]
) -> None:
    """Brings values[start : start + size] to within `bound` per second of what they were a tick ago."""
    square = 0.0
    for i in range(start, start + size):
        change = values[i] - last[i]
        square += change * change
    largest = bound * TICK_S
    if square <= largest * largest:
        return
    change = sqrt(square)
    for i in range(start, start + size):
        values[i] = last[i] + (values[i] - last[i]) * (largest / change)
    clamps.append(Clamp(name=name, asked=change / TICK_S, bound=bound))


def _limit_travel(rate: float, at: float, lower: float, upper: float, name: str, clamps: list[Clamp]) -> float:
    """The rate that does not carry a set point past its range within this tick."""
    after = at + rate * TICK_S
    if after > upper and rate > 0.0:
        clamps.append(Clamp(name=name, asked=after, bound=upper))
        return max(0.0, (upper - at) / TICK_S)
    if after < lower and rate < 0.0:
        clamps.append(Clamp(name=name, asked=after, bound=lower))
        return min(0.0, (lower - at) / TICK_S)
    return rate
