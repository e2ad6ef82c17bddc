"""A small honest plant without MuJoCo: masses on springs, for tests and for trying a link without a simulator.

The lift and the fingers are masses that forces move (with a floor under the lift and a thing between the fingers,
both springs); the arm's joints are dampers drawn by springs, without mass; the head follows its set points at once
and the base integrates its velocity.
"""

from dataclasses import dataclass
from math import copysign, cos, sin

import numpy as np

from agent.messages import JOINT_NAMES, PAD_SHAPE, PLANT_STEP_S, Look, Scan
from controllers.arm_model import (
    ARM_DAMPING_NMS,
    ARM_STIFFNESS_NM,
    FINGER_WIDTH_RANGE_M,
    HOME_JOINTS,
    HOME_LIFT_M,
    tool_in_base,
)
from controllers.plant import ARM, FINGER_WIDTH, HEAD, LIFT, PlantCommand, Sensed, TouchFrame


@dataclass(slots=True)
class Slider:
    """A mass on a line: m a = force − damping · v, stepped by semi-implicit Euler."""

    mass_kg: float
    damping_n_s_m: float
    position_m: float
    velocity_m_s: float = 0.0

    def step(self, force_n: float) -> None:
        # Damping is implicit: stable for any value.
        slowed = 1.0 + PLANT_STEP_S * self.damping_n_s_m / self.mass_kg
        self.velocity_m_s = (self.velocity_m_s + PLANT_STEP_S * force_n / self.mass_kg) / slowed
        self.position_m += PLANT_STEP_S * self.velocity_m_s


@dataclass(frozen=True, slots=True)
class FakeWorld:
    """What the masses meet."""

    floor_lift_m: float = 0.0
    """Lift position below which the hand presses on a floor."""
    floor_stiffness_n_m: float = 5_000.0
    thing_width_m: float = 0.05
    """Of the thing between the fingers; 0 for none."""
    thing_stiffness_n_m: float = 20_000.0
    thing_load_n: float = 0.0
    """Weight that pulls the thing down between the pads, along −x of the tool."""
    thing_mass_kg: float = 0.3
    friction: float = 0.6


LIFT_STIFFNESS_N_M = 20_000.0
LIFT_DAMPING_N_S_M = 1_100.0
LIFT_MASS_KG = 25.0
_ARM_SHARE = 1.0 - np.exp(-PLANT_STEP_S * ARM_STIFFNESS_NM / ARM_DAMPING_NMS)


class FakePlant:
    """A Plant in virtual time: each `apply` advances PLANT_STEP_S. Change `world` at any time."""

    def __init__(self, world: FakeWorld | None = None) -> None:
        self.world = world if world is not None else FakeWorld()
        self.reset()

    def reset(self) -> None:
        self.steps = 0
        self.closed = False
        self._lift = Slider(LIFT_MASS_KG, LIFT_DAMPING_N_S_M, HOME_LIFT_M)
        self._fingers = Slider(0.3, 30.0, FINGER_WIDTH_RANGE_M[1])
        self.thing_slid_m = 0.0
        """How far the thing has slid down between the pads; it hangs where it was while friction holds it."""
        self._thing_velocity_m_s = 0.0
        self._shear_n = 0.0
        self._pad_normal_n: list[float] = []
        self._pad_shear_n: list[float] = []
        joints = len(JOINT_NAMES)
        self._sensed = Sensed(
            0.0,
            np.zeros(joints),
            np.zeros(joints),
            np.zeros(joints),
            np.zeros(3),
            np.zeros(3),
            np.zeros(6),
            np.zeros(2),
            np.zeros((2, 2)),
        )
        self._sensed.joint_position[ARM] = HOME_JOINTS
        self._measure(0.0, 0.0, 0.0)

    def sense(self) -> Sensed:
        return self._sensed

    def apply(self, command: PlantCommand) -> None:
        """Raises RuntimeError after `close`."""
        if self.closed:
            raise RuntimeError("this FakePlant is closed; call reset() to start again")
        self._move_freely(command)
        lift, world = self._lift, self.world
        floor_n = max(0.0, world.floor_stiffness_n_m * (world.floor_lift_m - lift.position_m))
        servo_n = LIFT_STIFFNESS_N_M * (command.lift_position_m - lift.position_m)
        lift.step(servo_n + floor_n)
        squeeze_n = max(0.0, world.thing_stiffness_n_m * (world.thing_width_m - self._fingers.position_m))
        self._fingers.step(squeeze_n - command.grip_force_n)
        lower, upper = FINGER_WIDTH_RANGE_M
        if not lower <= self._fingers.position_m <= upper:
            self._fingers.position_m = min(max(self._fingers.position_m, lower), upper)
            self._fingers.velocity_m_s = 0.0
        self._slide(squeeze_n)
        self.steps += 1
        self._measure(floor_n, squeeze_n, servo_n)
        self._sensed.joint_torque[FINGER_WIDTH] = command.grip_force_n

    def _slide(self, squeeze_n: float) -> None:
        """Coulomb friction of two pads against the load."""
        world = self.world
        holds_n = 2.0 * world.friction * squeeze_n
        free = world.thing_load_n + world.thing_mass_kg * self._thing_velocity_m_s / PLANT_STEP_S
        # The friction that would stop the thing within this step, if the pads can give as much.
        self._shear_n = copysign(min(abs(free), holds_n), free)
        if holds_n == 0.0:
            return
        self._thing_velocity_m_s += PLANT_STEP_S * (world.thing_load_n - self._shear_n) / world.thing_mass_kg
        self.thing_slid_m += PLANT_STEP_S * self._thing_velocity_m_s

    def _move_freely(self, command: PlantCommand) -> None:
        position, velocity = self._sensed.joint_position, self._sensed.joint_velocity
        velocity[ARM] = (command.arm_position_rad - position[ARM]) * _ARM_SHARE / PLANT_STEP_S
        velocity[HEAD] = (command.head_position_rad - position[HEAD]) / PLANT_STEP_S
        position[ARM] += velocity[ARM] * PLANT_STEP_S
        position[HEAD] = command.head_position_rad
        pose = self._sensed.base_pose_in_odom
        x, y, yaw = command.base_velocity_in_base.tolist()
        c, s = cos(pose[2]), sin(pose[2])
        pose += PLANT_STEP_S * np.array((c * x - s * y, s * x + c * y, yaw))
        self._sensed.base_velocity_in_base[:] = command.base_velocity_in_base

    def _measure(self, floor_n: float, squeeze_n: float, servo_n: float) -> None:
        sensed = self._sensed
        sensed.time_s = self.steps * PLANT_STEP_S
        for joint, slider in ((LIFT, self._lift), (FINGER_WIDTH, self._fingers)):
            sensed.joint_position[joint] = slider.position_m
            sensed.joint_velocity[joint] = slider.velocity_m_s
        sensed.joint_torque[LIFT] = servo_n
        sensed.wrist_wrench_in_tool[:] = 0.0
        if floor_n > 0.0:
            _, rotation = tool_in_base(sensed.joint_position[ARM], self._lift.position_m)
            sensed.wrist_wrench_in_tool[:3] = floor_n * rotation[2]
        sensed.pad_normal_n[:] = squeeze_n
        sensed.pad_shear_n[:, 0] = -0.5 * self._shear_n
        self._pad_normal_n.append(squeeze_n)
        self._pad_shear_n.append(-0.5 * self._shear_n)

    def touch(self) -> TouchFrame:
        frame = TouchFrame()
        taxels = PAD_SHAPE[0] * PAD_SHAPE[1]
        for channel, history in ((0, self._pad_normal_n), (1, self._pad_shear_n)):
            if history:
                mean, largest = sum(history) / len(history), max(history, key=abs)
                for pooled, value in enumerate((mean, largest, history[-1] - history[0])):
                    frame.pads_n[:, pooled, channel] = value / taxels
        self._pad_normal_n.clear()
        self._pad_shear_n.clear()
        return frame

    def look(self) -> tuple[Look | None, Scan | None]:
        """This plant is blind."""
        return None, None

    def close(self) -> None:
        self.closed = True
