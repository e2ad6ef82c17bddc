"""Differential inverse kinematics of the arm: one small quadratic program a tick.

    minimise   ‖W (J Δq − e)‖² + Σ λ (Δqᵢ − gᵢ (qᵢ* − qᵢ))²
    subject to |Δqᵢ| ≤ speed limit, position limits, and self-collision: n·J_p Δq ≥ −share · (distance − margin)

e is how far the tool's set point shall go in this tick, and the second term keeps the solution small near
singularities and draws the spare joint towards a comfortable elbow. Why this and not mink: docs/controllers.md.
"""

from dataclasses import dataclass
from typing import Final

import daqp
import numpy as np

from agent.messages import TICK_S
from controllers.arm_model import ARM_LOWER_RAD, ARM_MAX_VELOCITY_RAD_S, ARM_UPPER_RAD, HOME_JOINTS, Array
from controllers.arm_model import _chain as chain
from controllers.self_collision import APPROACH_SHARE, FOREARM, MARGIN_M, Body, Near, Vector, near_pairs

TURN_WEIGHT_M: Final = 0.3
"""One radian of the tool weighs like this many metres."""
DAMPING: Final = 1e-4
"""λ, against squared singular values of the weighted Jacobian (0.01–0.5 in the work space)."""
POSTURE_SHARE: Final = np.array([0.01, 0.0, 0.02, 0.0, 0.02, 0.0, 0.002])
"""g: the share of the way to the comfortable posture a joint would go in one tick. Only the swivel of elbow and
forearm is drawn, by the joints it shows in (without the first, an elbow that swung out to turn the wrist stayed out,
and was wedged beside the mast): the other joints are given by where the tool is."""
ELBOW: Final = 3
STRETCHED_RAD: Final = -0.4
UNSTRETCH_SHARE: Final = 0.08
"""An elbow straighter than STRETCHED_RAD is drawn to bend by this share: a straight arm has no way straight back."""
LIMIT_SHARE: Final = 0.15
"""Of the way left to a joint limit, one tick may use up this share."""
ARM_MAX_ACCELERATION_RAD_S2: Final = 40.0
"""Of a set point. The ramp that stops a stale motion within 80 ms needs up to 33."""
LIMIT_MARGIN_RAD: Final = 0.01

_TIGHT: Final = 1e-9
_LOWER: Final = (ARM_LOWER_RAD + LIMIT_MARGIN_RAD).tolist()
_UPPER: Final = (ARM_UPPER_RAD - LIMIT_MARGIN_RAD).tolist()
_POSTURE: Final = HOME_JOINTS.tolist()
_SHARES: Final = POSTURE_SHARE.tolist()
_SPEEDS: Final = (ARM_MAX_VELOCITY_RAD_S * TICK_S).tolist()
_SPURT: Final = ARM_MAX_ACCELERATION_RAD_S2 * TICK_S * TICK_S
_STRIDES: Final = [0.3] * 7
_EMPTY: Final = np.zeros((0, 7))


@dataclass(slots=True)
class IkStep:
    """What one tick of IK came to."""

    change_rad: list[float]
    """(7,) to add to the set points."""
    moved: list[float]
    """(6,) linear and angular displacement of the tool that this gives, with the lift's part."""
    lift_change_m: float
    """What the lift may do in this tick: as asked, unless that carried the arm into the robot's own body."""
    limited: list[tuple[str, float, float]]
    """Limits that acted: `joint_speed`, `joint_acceleration` or `joint_limit` with the rate (rad/s) the joint would
    have without limits and the one allowed, `self_collision` with distance and margin."""


@dataclass(slots=True)
class Kinematics:
    """The arm at one posture: joint frames and tool in the base frame, as plain floats."""

    origins: list[Vector]
    axes: list[Vector]
    tool: Vector
    x: Vector
    y: Vector
    z: Vector

    @classmethod
    def of(cls, arm_position_rad: Array, lift_m: float) -> "Kinematics":
        return cls(*chain(arm_position_rad, lift_m))

    def columns(self) -> list[Vector]:
        """The linear part of the tool's Jacobian, axis × lever, as columns for the seven joints."""
        px, py, pz = self.tool
        return [
            (ay * (pz - oz) - az * (py - oy), az * (px - ox) - ax * (pz - oz), ax * (py - oy) - ay * (px - ox))
            for (ox, oy, oz), (ax, ay, az) in zip(self.origins, self.axes, strict=True)
        ]

    def turn_to(self, x: Vector, y: Vector, z: Vector) -> Vector:
        """The rotation vector (base axes, rad) that carries this tool's axes to these; exact to second order."""
        ax, ay, az = _cross(self.x, x)
        bx, by, bz = _cross(self.y, y)
        cx, cy, cz = _cross(self.z, z)
        return 0.5 * (ax + bx + cx), 0.5 * (ay + by + cy), 0.5 * (az + bz + cz)


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


class ArmIk:
    """Solves the quadratic program above. Holds buffers, no state: the same input gives the same output."""

    def __init__(self, body: Body | None = None) -> None:
        self.body = body if body is not None else Body()
        self._weights = np.array([1.0, 1.0, 1.0, TURN_WEIGHT_M, TURN_WEIGHT_M, TURN_WEIGHT_M])
        self._damping = DAMPING * np.eye(7)

    def step(
        self,
        arm: Array,
        at: Kinematics,
        lift_m: float,
        wanted: list[float],
        lift_change_m: float = 0.0,
        *,
        before: list[float] | None = None,
        fast: bool = False,
    ) -> IkStep:
        """The joint changes whose tool displacement is nearest to `wanted` (6,) (m, rad; base axes) within all limits.

        `arm` (7,) are the present set points and `at` the kinematics there. Displacements are relative to the base:
        what the lift carries in this tick (`lift_change_m`), the arm need not. `before` (7,) are the changes of the
        tick before: from them acceleration is limited, as long as no other limit needs a faster stop. `fast` is for
        solving a whole pose at once: strides of up to 0.3 rad and no slowing down ahead of limits.
        """
        origins, axes = at.origins, at.axes
        speed, limit_share, approach_share = (_STRIDES, 0.7, 0.7) if fast else (_SPEEDS, LIMIT_SHARE, APPROACH_SHARE)
        near = near_pairs(origins, axes[FOREARM], at.tool, at.y, at.z, lift_m, self.body)
        lift_change_m, slowed = _slow_lift(lift_change_m, near, approach_share)

        linear = at.columns()
        jacobian_t = np.array([(*v, *w) for v, w in zip(linear, axes, strict=True)])  # (7, 6)
        weighted_t = jacobian_t * self._weights
        q = arm.tolist()
        pull = [share * (goal - at_) for share, goal, at_ in zip(_SHARES, _POSTURE, q, strict=True)]
        if q[ELBOW] > STRETCHED_RAD:
            pull[ELBOW] = UNSTRETCH_SHARE * (STRETCHED_RAD - q[ELBOW])
        hessian = weighted_t @ weighted_t.T
        hessian += self._damping
        arms_part = [*wanted[:2], wanted[2] - lift_change_m, *wanted[3:]]
        gradient = -(weighted_t @ (self._weights * arms_part)) - DAMPING * np.array(pull)

        lower: list[float] = []
        upper: list[float] = []
        # Comparisons are several times faster here than min and max.
        for i, fastest in enumerate(speed):
            low, high = limit_share * (_LOWER[i] - q[i]), limit_share * (_UPPER[i] - q[i])
            low = 0.0 if low > 0.0 else -fastest if low < -fastest else low
            high = 0.0 if high < 0.0 else fastest if high > fastest else high
            if before is not None:
                down, up = before[i] - _SPURT, before[i] + _SPURT
                if down > low:
                    low = high if down > high else down
                if up < high:
                    high = low if up < low else up
            lower.append(low)
            upper.append(high)
        rows: list[list[float]] = []
        for pair in near:
            rows.append(_row(pair, origins, axes))
            carried = 0.0 if pair.rides else pair.away[2] * lift_change_m
            lower.append(min(0.0, approach_share * (MARGIN_M - pair.distance_m) - carried))
            upper.append(1e9)
        constraints = np.array(rows) if rows else _EMPTY
        change, _, flag, info = daqp.solve(hessian, gradient, constraints, np.array(upper), np.array(lower))
        if flag != 1 and before is not None:
            return self.step(arm, at, lift_m, wanted, lift_change_m)
        if flag != 1:
            # Zero is always feasible, so this is numerical trouble: stand still rather than guess.
            return IkStep([0.0] * 7, [0.0] * 6, 0.0, [("ik_failed", float(flag), 1.0)])
        moved = (change @ jacobian_t).tolist()
        moved[2] += lift_change_m
        limited = [] if slowed is None else [("self_collision", slowed.distance_m, MARGIN_M)]
        multipliers = info["lam"].tolist()
        if any(multipliers):
            free = np.linalg.solve(hessian, -gradient).tolist()
            limited += self._name_limits(multipliers, free, lower, upper, near, before)
        return IkStep(change.tolist(), moved, lift_change_m, limited)

    def _name_limits(
        self,
        multipliers: list[float],
        free: list[float],
        lower: list[float],
        upper: list[float],
        near: list[Near],
        before: list[float] | None,
    ) -> list[tuple[str, float, float]]:
        found: dict[str, tuple[str, float, float]] = {}
        for i, multiplier in enumerate(multipliers):
            if abs(multiplier) < _TIGHT:
                continue
            if i >= 7:
                pair = near[i - 7]
                found.setdefault("self_collision", ("self_collision", pair.distance_m, MARGIN_M))
                continue
            bound = upper[i] if multiplier > 0.0 else lower[i]
            name = "joint_speed" if abs(abs(bound) - _SPEEDS[i]) < 1e-12 else "joint_limit"
            if before is not None and abs(abs(bound - before[i]) - _SPURT) < 1e-12:
                name = "joint_acceleration"
            found.setdefault(name, (name, free[i] / TICK_S, bound / TICK_S))
        return list(found.values())


def _slow_lift(change_m: float, near: list[Near], approach_share: float) -> tuple[float, Near | None]:
    """The lift's change that brings no pair together too fast even if the arm stands still; the pair that slowed it."""
    slowed = None
    for pair in near:
        if pair.rides:
            continue
        up = pair.away[2]
        least = min(0.0, approach_share * (MARGIN_M - pair.distance_m))
        if up * change_m < least:
            change_m, slowed = least / up, pair
    return change_m, slowed


def _row(pair: Near, origins: list[Vector], axes: list[Vector]) -> list[float]:
    """How fast the pair parts, per rad/s of each joint (7,)."""
    px, py, pz = pair.centre_in_base_m
    nx, ny, nz = pair.away
    row = [0.0] * 7
    for j in range(pair.joint + 1):
        (ox, oy, oz), (ax, ay, az) = origins[j], axes[j]
        rx, ry, rz = px - ox, py - oy, pz - oz
        row[j] = nx * (ay * rz - az * ry) + ny * (az * rx - ax * rz) + nz * (ax * ry - ay * rx)
    return row
