"""The simulated robot as a Plant: MuJoCo in virtual time, sensing only what a real robot's sensors would give."""

from hashlib import blake2b
from math import cos, sin

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.messages import JOINT_NAMES, PLANT_STEP_S, STEPS_PER_TICK, TICK_S, Look, Scan
from controllers.plant import FINGER_WIDTH, PlantCommand, Sensed, TouchFrame
from sim.disturbances.disturbance import Disturbance
from sim.house.schema import House
from sim.robot.hand import HAND_BODY
from sim.robot.model import set_home
from sim.robot.sensors import sensor_layout
from sim.robot.touch import Touch, TouchNoise
from sim.sleep import put_to_sleep

Array = NDArray[np.float64]

SETTLE_STEPS = 200
"""Steps after which everything that was put down a hair above its support lies still."""

_UNSTABLE = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)
"""After the first two MuJoCo goes on from its default state, so that only this tells."""
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
_JOINTS = 15
"""Of the robot in qpos: three of the base, lift, seven of the arm, two fingers, two of the head."""
_ACTUATORS = 14
_SECOND_FINGER = 12
_BASE_JOINTS = 3
_UP_TO_FINGER = _SECOND_FINGER - _BASE_JOINTS
"""Joints sensed before the second finger, which has no place of its own."""
_GRAVITY_M_S2 = 9.81

# Standard deviations per step: six of the wrist wrench (N, Nm), two pad normals, four pad shears (N). Of the size
# that data sheets of wrist sensors and of tactile pads give.
_FELT_NOISE = np.array([0.10] * 3 + [0.006] * 3 + [0.03] * 2 + [0.03] * 4)
_NOISE_BLOCK = 1000

# What the pads do to the world, in the tool frame, to what the readings mean: pressure is positive on both.
_NORMAL_SIGN = np.array([1.0, -1.0])


def _compile(house: House) -> mujoco.MjModel:
    from sim.house.build import build_house

    return build_house(house).compile()


class MujocoPlant:
    """A Plant around one compiled house. `apply` makes one physics step; nothing happens between calls.

    `seed` drives the errors of all sensors. `model` replaces building the house anew (it must be this house's).
    `model`, `data`, `house` and `processes` are the simulator's truth: for recorders, predicates and plots only.
    """

    def __init__(
        self,
        house: House,
        seed: int,
        *,
        model: mujoco.MjModel | None = None,
        touch_noise: TouchNoise | None = None,
    ) -> None:
        from sim.objects.processes import Processes
        from sim.sight.odometry import Odometry
        from sim.sight.senses import Senses

        self.house = house
        self.model: mujoco.MjModel = _compile(house) if model is None else model
        if abs(self.model.opt.timestep - PLANT_STEP_S) > 1e-12:
            raise ValueError(f"the model's timestep is {self.model.opt.timestep} s; a Plant steps by {PLANT_STEP_S} s")
        self.data = mujoco.MjData(self.model)
        self.processes: Processes = Processes(self.model, self.data, house)
        self._senses: Senses = Senses(self.model, self.data, house, [seed, 1])
        self._odometry: Odometry = Odometry([seed, 2])
        self._touch = Touch(self.model, self.data, seed, touch_noise)
        self._seed = seed
        self._closed = False
        self.disturbance: Disturbance | None = None
        """What goes wrong on purpose (sim.disturbances); set in the initial state."""
        self._bind()
        self.reset()

    def _bind(self) -> None:
        """Views into MuJoCo's arrays and the reused output; they stay valid as long as `data` lives."""
        model, data = self.model, self.data
        q = int(model.joint("base_x").qposadr[0])
        v = int(model.joint("base_x").dofadr[0])
        a = int(model.actuator("base_x").id)
        last = (
            int(model.joint("head_tilt").qposadr[0]) - q,
            int(model.joint("head_tilt").dofadr[0]) - v,
            int(model.actuator("head_tilt").id) - a,
        )
        if last != (_JOINTS - 1, _JOINTS - 1, _ACTUATORS - 1):
            raise ValueError(f"the robot's joints and actuators are not contiguous in this model: {last}")
        self._position, self._velocity = data.qpos[q : q + _JOINTS], data.qvel[v : v + _JOINTS]
        self._effort, self._control = data.actuator_force[a : a + _ACTUATORS], data.ctrl[a : a + _ACTUATORS]
        layout = sensor_layout(model)
        fast = data.sensordata[layout.start : layout.start + layout.fast]
        self._tool_axes = fast[3:12].reshape(3, 3)
        self._tool_up = self._tool_axes[:, 2]
        self._wrist = fast[layout.wrench : layout.wrench + 6]
        self._net = fast[layout.net : layout.net + 6]

        joints = len(JOINT_NAMES)
        self._felt = np.zeros(12)
        self._felt_wrench = self._felt[:6]
        self._sensed = Sensed(
            time_s=0.0,
            joint_position=np.zeros(joints),
            joint_velocity=np.zeros(joints),
            joint_torque=np.zeros(joints),
            base_pose_in_odom=self._odometry.pose_in_odom,
            base_velocity_in_base=self._odometry.velocity_in_base,
            wrist_wrench_in_tool=self._felt[:6],
            pad_normal_n=self._felt[6:8],
            pad_shear_n=self._felt[8:12].reshape(2, 2),
        )
        out = self._sensed
        self._copied = (
            (out.joint_position[:_UP_TO_FINGER], self._position[_BASE_JOINTS:_SECOND_FINGER]),
            (out.joint_position[_UP_TO_FINGER:], self._position[_SECOND_FINGER + 1 :]),
            (out.joint_velocity[:_UP_TO_FINGER], self._velocity[_BASE_JOINTS:_SECOND_FINGER]),
            (out.joint_velocity[_UP_TO_FINGER:], self._velocity[_SECOND_FINGER + 1 :]),
            (out.joint_torque, self._effort[_BASE_JOINTS:]),
        )
        """What `sense` copies from MuJoCo's arrays, and where to."""

    def reset(self) -> None:
        """Back to the initial state: the robot in its travel posture, everything at rest, time 0."""
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        self.processes.reset()  # before settling, for it restores masses
        set_home(model, data)
        mujoco.mj_forward(model, data)
        for _ in range(SETTLE_STEPS):
            mujoco.mj_step(model, data)
        data.time = 0.0
        self.processes.reset()  # and after it, for settling breaks nothing
        self.refresh()

    def refresh(self) -> None:
        """Take the present `data` as the start of a run: sensors forget the past, odometry starts here.

        Call it after changing `data` from outside.
        """
        model, data = self.model, self.data
        mujoco.mj_forward(model, data)
        self._weigh_hand()
        self._touch.reset()
        self._senses.reset()
        self._odometry.reset()
        self._odometry.update(self._position[:3].tolist(), TICK_S)
        self._steps = 0
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, 3])))
        self._noise_row = _NOISE_BLOCK
        self._next_noise()

    def _weigh_hand(self) -> None:
        """The wrench of the hand's own weight as a linear map of the world's up in the tool frame."""
        model, data = self.model, self.data
        hand = model.body(HAND_BODY).id
        weight = float(model.body_subtreemass[hand]) * _GRAVITY_M_S2
        x, y, z = self._tool_axes @ (data.subtree_com[hand] - data.xpos[hand])
        lever = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        self._hand_weight = weight * np.vstack([np.eye(3), lever])  # (6, 3)

    def sense(self) -> Sensed:
        """What the sensors say now; odometry comes once a tick. The same object with the same arrays every time: copy
        what you keep."""
        sensed, copy = self._sensed, np.copyto
        sensed.time_s = self.data.time
        for target, source in self._copied:
            copy(target, source)
        sensed.joint_position[FINGER_WIDTH] += self._position.item(_SECOND_FINGER)
        sensed.joint_velocity[FINGER_WIDTH] += self._velocity.item(_SECOND_FINGER)
        felt, wrench = self._felt, self._felt_wrench
        # At rest the arm's force on the hand, the hand's weight and the world's force on it add up to zero.
        np.dot(self._hand_weight, self._tool_up, out=wrench)
        np.subtract(wrench, self._wrist, out=wrench)
        if any(self._net.tolist()):
            on_world = self._net.reshape(2, 3) @ self._tool_axes.T
            felt[6:8] = on_world[:, 1] * _NORMAL_SIGN
            felt[8:12] = -on_world[:, ::2].ravel()
        else:
            felt[6:12] = 0.0
        np.add(felt, self._noise[self._noise_row - 1], out=felt)
        return sensed

    def touch(self) -> TouchFrame:
        """Touch pooled over the steps since the last call; called once a tick.

        Raises RuntimeError when the simulation has become unstable.
        """
        for kind in _UNSTABLE:
            warning = self.data.warning[kind]
            if warning.number:
                raise RuntimeError(
                    f"the simulation of house {self.house.split}/{self.house.index} became unstable before "
                    f"{self.data.time:.3f} s (degree of freedom {warning.lastinfo})"
                )
        frame = self._touch.read()
        return frame if self.disturbance is None else self.disturbance.touch(frame)

    def look(self) -> tuple[Look | None, Scan | None]:
        """What camera and scanner delivered since the last call; called once a tick."""
        self._senses.after_tick(self.data.time)
        look, scan = self._senses.take()
        if look is not None and self.disturbance is not None:
            look = self.disturbance.look(look)
        return look, scan

    def apply(self, command: PlantCommand) -> None:
        """One physics step of PLANT_STEP_S under this command. Raises RuntimeError after `close`."""
        if self._closed:
            raise RuntimeError("this MujocoPlant is closed")
        if self.disturbance is not None:
            command = self.disturbance.command(command)
        control = self._control
        yaw = self._position.item(2)
        c, s = cos(yaw), sin(yaw)
        x, y, turn = command.base_velocity_in_base.tolist()
        control[0], control[1], control[2] = c * x - s * y, s * x + c * y, turn
        control[3] = command.lift_position_m
        control[4:11] = command.arm_position_rad
        control[11] = command.grip_force_n
        control[12:] = command.head_position_rad
        self.step_physics()
        self._touch.after_step()
        self._steps += 1
        if self._steps % STEPS_PER_TICK == 0:
            self._odometry.update(self._position[:3].tolist(), TICK_S)
        self._next_noise()

    def step_physics(self) -> None:
        """One physics step with the actuators as they are set, and all that comes with it besides sensing."""
        if self.disturbance is not None:
            self.disturbance.before_step()
        mujoco.mj_step(self.model, self.data)
        self.processes.after_step()

    def _next_noise(self) -> None:
        if self._noise_row == _NOISE_BLOCK:
            self._noise = self._random.standard_normal((_NOISE_BLOCK, len(_FELT_NOISE))) * _FELT_NOISE
            self._noise_row = 0
        self._noise_row += 1

    def _physical_state(self) -> Array:
        state = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, state, _STATE)
        return np.concatenate([state, self.processes.state_vector()])

    def snapshot(self) -> Array:
        """The whole physical state, for `resume` on a plant of the same house."""
        return np.concatenate([self._physical_state(), self.data.tree_asleep])

    def resume(self, snapshot: Array) -> None:
        """Go on from the state of a `snapshot` as if there had been no break, to the last bit; what the sensors
        remember is not in it, and begins anew.

        Raises ValueError for one of another house, and for a plant with a disturbance, which has a state of its own.
        """
        if self.disturbance is not None:
            raise ValueError("a disturbance has a state of its own, which no snapshot holds: begin at the start")
        model, data = self.model, self.data
        size, trees = mujoco.mj_stateSize(model, _STATE), model.ntree
        expected = size + len(self.processes.state_vector()) + trees
        if snapshot.shape != (expected,):
            raise ValueError(f"a snapshot of this house has shape ({expected},), not {snapshot.shape}")
        mujoco.mj_resetData(model, data)
        self.processes.set_state_vector(snapshot[size:-trees])
        mujoco.mj_setState(model, data, snapshot[:size], _STATE)
        self.refresh()
        mujoco.mj_setState(model, data, snapshot[:size], _STATE)
        put_to_sleep(model, data, snapshot[-trees:].astype(np.int32))

    def state_hash(self) -> str:
        """Hex digest of the whole physical state: equal for equal states, whatever came before."""
        return blake2b(self._physical_state().tobytes(), digest_size=16).hexdigest()

    def close(self) -> None:
        """No steps after this; `data` stays readable."""
        self._closed = True
