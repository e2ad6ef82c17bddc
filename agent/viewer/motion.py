"""Where everything was: the poses of all moving bodies, from what an episode recorded of the simulation's state."""

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.episodes import Episode, Kind
from agent.messages import TICK_S

METRES_PER_STEP = 0.0005
_QUATERNION_STEPS = 32_767


@dataclass
class Motion:
    """Poses of bodies over time."""

    time_s: NDArray[np.float32]
    """(f,)"""
    position: NDArray[np.int16]
    """(f, b, 3) in steps of METRES_PER_STEP."""
    turn: NDArray[np.int16]
    """(f, b, 4) quaternion wxyz in steps of 1/32767."""
    base: NDArray[np.float32]
    """(f, 3) true pose of the robot's base in the world: x, y in m, yaw in rad."""


def states(episode: Episode, model: mujoco.MjModel) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Time and qpos of each recorded picture, in order; the array is reused.

    After damage nothing is shown until the next whole one.
    """
    qpos = model.qpos0.copy()
    last, complete = None, False
    for place, poses in episode.records(Kind.POSES):
        if poses.whole:
            complete = True
        elif last is not None and poses.tick - last > _period(last):
            complete = False
        last = poses.tick
        if complete:
            qpos[poses.index] = poses.value
            yield (0.0 if poses.tick < 0 else place.time_s), qpos


def _period(last: int) -> int:
    return 4 if last >= 0 else 1


def motion_of(episode: Episode, model: mujoco.MjModel, bodies: list[int]) -> Motion:
    """The poses of `bodies` at every recorded picture."""
    return _motion(model, bodies, list(_copied(states(episode, model))))


def _copied(pictures: Iterator[tuple[float, NDArray[np.float64]]]) -> Iterator[tuple[float, NDArray[np.float64]]]:
    for time_s, qpos in pictures:
        yield time_s, qpos.copy()


def robot_motion(episode: Episode, model: mujoco.MjModel, bodies: list[int]) -> Motion:
    """As `motion_of` for a robot elsewhere: from joints and wheel odometry of every fourth step."""
    from agent.messages import JOINT_NAMES

    address = {name: int(model.joint(name).qposadr[0]) for name in JOINT_NAMES if name != "finger_width"}
    fingers = [int(model.joint(name).qposadr[0]) for name in ("finger_left", "finger_right")]
    base = [int(model.joint(name).qposadr[0]) for name in ("base_x", "base_y", "base_yaw")]
    pictures = []
    for number in range(0, len(episode), 4):
        observation = episode.step(number).observation
        qpos = model.qpos0.copy()
        qpos[base] = observation.base_pose_in_odom
        for name, value in zip(JOINT_NAMES, observation.joint_position.tolist(), strict=True):
            if name == "finger_width":
                qpos[fingers] = value / 2.0
            else:
                qpos[address[name]] = value
        pictures.append((observation.time_s, qpos))
    return _motion(model, bodies, pictures)


def _motion(model: mujoco.MjModel, bodies: list[int], pictures: list[tuple[float, NDArray[np.float64]]]) -> Motion:
    model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)  # poses of all, also of what sleeps
    data = mujoco.MjData(model)
    n, index = len(pictures), np.array(bodies, dtype=np.intp)
    times = np.zeros(n, np.float32)
    position = np.zeros((n, len(bodies), 3))
    turn = np.zeros((n, len(bodies), 4))
    base = np.zeros((n, 3), np.float32)
    robot = model.body("robot").id
    for row, (time_s, qpos) in enumerate(pictures):
        data.qpos[:] = qpos
        mujoco.mj_kinematics(model, data)
        times[row] = time_s
        position[row], turn[row] = data.xpos[index], data.xquat[index]
        x, y, _ = data.xpos[robot]
        turned = data.xmat[robot]
        base[row] = x, y, np.arctan2(turned[3], turned[0])
    flips = np.sign((turn[1:] * turn[:-1]).sum(axis=2))
    turn[1:] *= np.cumprod(np.where(flips < 0, -1.0, 1.0), axis=0)[:, :, None]  # no jumps between q and −q
    steps = np.clip(np.round(position / METRES_PER_STEP), -32_768, 32_767)
    return Motion(
        times, steps.astype(np.int16), np.round(turn * _QUATERNION_STEPS).clip(-32_767, 32_767).astype(np.int16), base
    )


def base_at(motion: Motion, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) true pose of the base at these times; the nearest picture before."""
    if not len(motion.time_s):
        return np.zeros((len(times_s), 3))
    row = np.searchsorted(motion.time_s, times_s + TICK_S / 2) - 1
    return motion.base[np.clip(row, 0, len(motion.base) - 1)].astype(np.float64)
