"""Everything between Action and PlantCommand, on the robot's own machine: 100 Hz in, 500 Hz out.

A tick: the action's window → gate → target pose → IK, once; then STEPS_PER_TICK times set points, grip reflex and
force gate, plant. A mind that falls silent, or lies, cannot leave the arm uncontrolled.
"""

from collections.abc import Callable
from math import isfinite
from typing import Final

import numpy as np

from agent.messages import STEPS_PER_TICK, TICK_S, Action, Applied, Clamp, Observation
from controllers.action_window import ActionWindow, Mode, check_action
from controllers.arm_model import ARM_DAMPING_NMS, ARM_LEASH_RAD, ARM_STIFFNESS_NM, Array
from controllers.gate import ForceGate, Gate, GateLimits, Motion, Vector
from controllers.grip import GripController
from controllers.ik import ArmIk, Kinematics
from controllers.link_force import force_on_wrist_n
from controllers.plant import ARM, FINGER_WIDTH, HEAD, LIFT, Plant, PlantCommand, Sensed
from controllers.tool_target import (
    LEASH_M,
    LEASH_RAD,
    ToolTarget,
    quaternion,
)

StepHook = Callable[[float, PlantCommand, Sensed], None]
"""Called after each plant step with the time it began, the command and what was sensed after it. All three are
reused: copy what you keep."""

ARM_LAG_S: Final = ARM_DAMPING_NMS / ARM_STIFFNESS_NM
LIFT_LAG_S: Final = 0.055
"""A drive that damps absolute velocity lags its set point by this times the velocity: it is added ahead."""
LIFT_LEASH_M: Final = 0.003
"""How far the lift's set point, without what is added ahead, may lead the lift: 120 N. Moving freely takes 2 mm."""
LINK_FORCE_N: Final = 70.0
"""On a link before the hand, above which the arm stops and gives way. Moving freely is taken for 30 at most."""
GIVES_WAY: Final = 0.1
"""Share of the lead of set points that is given up a tick where something holds back what they lead."""
LIFT_GAIN_M_S: Final = 0.05
"""By how much a tick may ask for more speed than the lift has: one that something holds back does not press on."""


class RobotSide:
    """Turns Actions into PlantCommands over any Plant, and what it senses into Observations. Never reads a clock:
    time is the plant's."""

    def __init__(self, plant: Plant, limits: GateLimits | None = None, on_step: StepHook | None = None) -> None:
        self.plant = plant
        self.window = ActionWindow()
        self.gate = Gate(limits)
        self.grip = GripController()
        self.ik = ArmIk()
        self._force_gate = ForceGate(self.gate.limits.wrist_force_n)
        self._on_step = on_step
        self._held = Motion()
        self._sequence = -1
        self._start()
        self.grip.ask("width", float(self._sensed.joint_position[FINGER_WIDTH]))

    def _start(self) -> None:
        """Set points are where the robot is."""
        sensed = self.plant.sense()
        self._sensed = sensed
        self._arm: Array = sensed.joint_position[ARM].copy()
        self._lift_m = float(sensed.joint_position[LIFT])
        self._head_rad: list[float] = sensed.joint_position[HEAD].tolist()
        self._measured = Kinematics.of(self._arm, self._lift_m)
        self._reached = self._measured
        self._target = ToolTarget(self._measured)
        self._change = [0.0] * 7
        self._stopped = False
        self._strain = self._link_n = 0.0
        self._wrench_in_tool: Array = sensed.wrist_wrench_in_tool.copy()
        """Mean over the last tick: of a knock that is over in a step a sample would show all or nothing."""
        self._command = PlantCommand(self._arm.copy(), self._lift_m, np.array(self._head_rad), 0.0, np.zeros(3))

    def first(self) -> Observation:
        """What the robot senses before any action. Nothing moves and no time passes; call it once, before `tick`.

        Raises RuntimeError when called again.
        """
        if self._sequence >= 0:
            raise RuntimeError(f"first() comes before everything else; {self._sequence} ticks have passed: use tick()")
        return self._observe(Motion(), [], "ok")

    def clear_fault(self) -> None:
        """Ends a latched fault, for a person who has looked at the robot: it stands, with what it holds, until a new
        action comes."""
        self.window.clear_fault()
        self._start()
        self._held = self.gate.last = Motion()

    def close(self) -> None:
        self.plant.close()

    def tick(self, action: Action | None = None) -> Observation:
        """Runs one tick of TICK_S with a new action, or with what is left of the last, and says what came of it.

        Raises TypeError or ValueError for a malformed action, before anything moves.
        """
        now_s = self._sensed.time_s
        clamps: list[Clamp] = []
        if action is not None:
            check_action(action)
            refused = self.window.offer(action, now_s)
            if refused is not None:
                clamps.append(refused)
        mode, scale = self.window.mode(now_s)
        asked = self._asked(mode, now_s, clamps)
        force = self._force_in_base()
        tool = self._target.position_m
        motion = self.gate.limit(asked, scale, tool, self._lift_m, self._head_rad, force, clamps)
        if mode in ("ok", "hold"):
            self._held = motion
        change, applied = self._follow(motion, clamps)
        held_back = self._hold_back(change, applied, clamps)
        self._aim(applied)
        self._run(change, applied, clamps)
        self._stopped = self._stopped or held_back
        motion.base = applied.base
        return self._observe(applied, clamps, mode)

    def _asked(self, mode: Mode, now_s: float, clamps: list[Clamp]) -> Motion:
        action = self.window.action
        if mode == "ok" and action is not None:
            grip = self.gate.limit_grip(action.grip_mode, action.grip, clamps)
            self.grip.ask(action.grip_mode, grip)
            return Motion(
                self.window.twist(now_s).copy(),
                action.base_velocity_in_base.tolist(),
                action.lift_rate_m_s,
                action.head_rate_rad_s.tolist(),
            )
        if mode != "ok" and action is not None:
            clamps.append(Clamp(name="stale", asked=now_s, bound=action.expires_s))
        # What was let through last, and not what was asked: expiry must not make anything faster.
        held = self._held
        return Motion(held.twist.copy(), held.base.copy(), held.lift, held.head.copy())

    def _force_in_base(self) -> Vector:
        fx, fy, fz = self._sensed.wrist_wrench_in_tool.tolist()[:3]
        at = self._measured
        x, y, z = at.x, at.y, at.z
        return (
            x[0] * fx + y[0] * fy + z[0] * fz,
            x[1] * fx + y[1] * fy + z[1] * fz,
            x[2] * fx + y[2] * fy + z[2] * fz,
        )

    def _follow(self, motion: Motion, clamps: list[Clamp]) -> tuple[Array, Motion]:
        """Moves the target and finds the change (7,) of the set points that follows it, and the motion that gives."""
        moves = float(self._sensed.joint_velocity[LIFT])
        most, least = max(moves, 0.0) + LIFT_GAIN_M_S, min(moves, 0.0) - LIFT_GAIN_M_S
        lift_rate = min(max(motion.lift, least), most)
        if lift_rate != motion.lift:
            clamps.append(Clamp(name="lift_held", asked=motion.lift, bound=lift_rate))
        gap = self._lift_m - float(self._sensed.joint_position[LIFT])
        if abs(gap) > LIFT_LEASH_M and gap * lift_rate > 0.0:
            clamps.append(Clamp(name="lift_leash", asked=gap, bound=LIFT_LEASH_M))
            lift_rate = 0.0
        target = self._target
        stopped = target.move(motion.twist, self._reached)
        leashed = target.leash(self._measured, LEASH_M, LEASH_RAD)
        clamps.extend(clamp for clamp in (stopped, leashed) if clamp is not None)
        wanted = target.error(self._reached)
        step = self.ik.step(self._arm, self._reached, self._lift_m, wanted, lift_rate * TICK_S, before=self._change)
        self._change = step.change_rad
        for name, asked, bound in step.limited:
            clamps.append(Clamp(name=name, asked=asked, bound=bound))
        twist, lift_rate = [m / TICK_S for m in step.moved], step.lift_change_m / TICK_S
        return np.array(step.change_rad), Motion(twist, motion.base, lift_rate, motion.head)

    def _hold_back(self, change: Array, motion: Motion, clamps: list[Clamp]) -> bool:
        """Stops what would push harder with a joint that is held back already, and gives way where a link presses on
        something; whether the arm was stopped."""
        gap = self._arm - self._sensed.joint_position[ARM]
        share = np.abs(gap) / ARM_LEASH_RAD
        now_n = force_on_wrist_n(self._measured, gap, self._sensed.wrist_wrench_in_tool)
        # A knock against the hand shows in the joints for one tick.
        link_n, self._link_n = min(now_n, self._link_n), now_n
        strain, before = max(float(share.max()), link_n / LINK_FORCE_N), self._strain
        self._strain = strain
        if strain <= 1.0:
            return False
        joint = int(share.argmax())
        if share[joint] > 1.0:
            clamps.append(Clamp(name="joint_leash", asked=float(abs(gap[joint])), bound=float(ARM_LEASH_RAD[joint])))
        if link_n > LINK_FORCE_N:
            clamps.append(Clamp(name="link_force", asked=link_n, bound=LINK_FORCE_N))
        if strain > before:
            # Base and lift carry the whole arm: they may go on only while that does not strain it more.
            motion.base, motion.lift = [0.0] * 3, 0.0
        held = share > 1.0
        deeper = bool(np.any(held & (gap * change > 0.0)))
        if link_n > LINK_FORCE_N:
            deeper, held = True, np.ones(7, bool)
        if deeper:
            # Without giving way a wedged joint would stop the arm for ever: every way back may begin deeper in it.
            self._arm[held] -= GIVES_WAY * gap[held]
            change[:] = 0.0
            motion.twist = [0.0] * 6
        return deeper

    def _aim(self, motion: Motion) -> None:
        at = self._measured
        vx, vy, vz = motion.twist[:3]
        bx, by, turn = motion.base
        bx, by = bx - turn * at.tool[1], by + turn * at.tool[0]
        x, y, z = at.x, at.y, at.z
        self._force_gate.aim(
            (
                x[0] * vx + x[1] * vy + x[2] * vz,
                y[0] * vx + y[1] * vy + y[2] * vz,
                z[0] * vx + z[1] * vy + z[2] * vz,
            ),
            (x[0] * bx + x[1] * by, y[0] * bx + y[1] * by, z[0] * bx + z[1] * by),
        )

    def _run(self, change: Array, motion: Motion, clamps: list[Clamp]) -> None:
        """The 500 Hz part: STEPS_PER_TICK steps of the plant; `motion` becomes what the force gate let through."""
        plant, command, grip, allows, on_step = (
            self.plant,
            self._command,
            self.grip,
            self._force_gate.allows,
            self._on_step,
        )
        sensed = self._sensed
        arm, lift, head = self._arm, self._lift_m, self._head_rad
        lead = change * _LEAD
        share = change / STEPS_PER_TICK
        lift_share, lift_lead = motion.lift * TICK_S / STEPS_PER_TICK, motion.lift * LIFT_LAG_S
        pan_share, tilt_share = (rate * TICK_S / STEPS_PER_TICK for rate in motion.head)
        pan, tilt = head
        arm_steps = base_steps = STEPS_PER_TICK
        base = motion.base
        wrench = np.zeros(6)
        for _ in range(STEPS_PER_TICK):
            fx, fy, fz = sensed.wrist_wrench_in_tool.tolist()[:3]
            arm_may, base_may = allows(fx, fy, fz)
            if arm_may:
                arm += share
                lift += lift_share
                np.add(arm, lead, out=command.arm_position_rad)
                command.lift_position_m = lift + lift_lead
            else:
                arm_steps -= 1
                command.arm_position_rad[:] = arm
                command.lift_position_m = lift
            base_steps -= not base_may
            command.base_velocity_in_base[:] = base if base_may else _STILL
            pan += pan_share
            tilt += tilt_share
            command.head_position_rad[0] = pan
            command.head_position_rad[1] = tilt
            command.grip_force_n = grip.step(
                sensed.joint_position.item(FINGER_WIDTH),
                sensed.joint_velocity.item(FINGER_WIDTH),
                sensed.pad_normal_n.tolist(),
                sensed.pad_shear_n.tolist(),
            )
            began_s = sensed.time_s
            plant.apply(command)
            sensed = plant.sense()
            wrench += sensed.wrist_wrench_in_tool
            if on_step is not None:
                on_step(began_s, command, sensed)
        self._sensed, self._wrench_in_tool = sensed, wrench / STEPS_PER_TICK
        self._lift_m = lift
        head[0], head[1] = pan, tilt
        self._stopped = arm_steps < STEPS_PER_TICK
        if arm_steps < STEPS_PER_TICK or base_steps < STEPS_PER_TICK:
            fx, fy, fz = sensed.wrist_wrench_in_tool.tolist()[:3]
            felt = (fx * fx + fy * fy + fz * fz) ** 0.5
            clamps.append(Clamp(name="force", asked=felt, bound=self._force_gate.limit_n))
            motion.twist = [v * arm_steps / STEPS_PER_TICK for v in motion.twist]
            motion.lift *= arm_steps / STEPS_PER_TICK
            motion.base = [v * base_steps / STEPS_PER_TICK for v in motion.base]

    def _observe(self, motion: Motion, clamps: list[Clamp], mode: Mode) -> Observation:
        sensed, grip = self._sensed, self.grip
        position = sensed.joint_position.copy()
        lag = np.zeros_like(position)
        lag[ARM] = self._arm - position[ARM]
        lag[LIFT] = self._lift_m - position[LIFT]
        lag[HEAD] = self._head_rad - position[HEAD]
        if grip.mode == "width":
            lag[FINGER_WIDTH] = grip.setpoint - position[FINGER_WIDTH]
        if isfinite(sum(position.tolist()) + sum(self._wrench_in_tool.tolist())):
            self._measured = Kinematics.of(position[ARM], position.item(LIFT))
            self._reached = Kinematics.of(self._arm, self._lift_m)
            if self._stopped:
                # The way that force denied is not caught up with when the force is gone.
                self._target.put(self._reached)
                self._change = [0.0] * 7
        else:
            # A plant that does not know where it is: stand, and let a person look.
            self.window.latch_fault()
            clamps.append(Clamp(name="plant_not_finite", asked=0.0, bound=0.0))
        touch = self.plant.touch()
        look, scan = self.plant.look()
        self._sequence += 1
        slipped, grip.slipped = grip.slipped, False
        action = self.window.action
        return Observation(
            sequence=self._sequence,
            time_s=sensed.time_s,
            joint_position=position,
            joint_velocity=sensed.joint_velocity.copy(),
            joint_torque=sensed.joint_torque.copy(),
            command_lag=lag,
            tool_pose_in_base=np.array((*self._measured.tool, *quaternion(self._measured))),
            base_pose_in_odom=sensed.base_pose_in_odom.copy(),
            base_velocity_in_base=sensed.base_velocity_in_base.copy(),
            wrist_wrench_in_tool=self._wrench_in_tool,
            grip_force_n=0.5 * (sensed.pad_normal_n.item(0) + sensed.pad_normal_n.item(1)),
            pad_touch_n=touch.pads_n,
            skin_touch_n=touch.skin_n,
            applied=Applied(
                sequence=action.sequence if action is not None else -1,
                tool_twist_in_base=np.array(motion.twist),
                grip_mode=grip.mode,
                grip=grip.setpoint,
                base_velocity_in_base=np.array(motion.base),
                lift_rate_m_s=motion.lift,
                head_rate_rad_s=np.array(motion.head),
                clamps=clamps,
                slip_reflex=slipped,
                mode=mode,
            ),
            look=look,
            scan=scan,
        )


_LEAD: Final = ARM_LAG_S / TICK_S
_STILL: Final = (0.0, 0.0, 0.0)
