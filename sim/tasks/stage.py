"""Setting a scene: puts robot, fronts and things where an episode of a task begins, and lets physics settle it.

Everything is drawn from the generator given. What is held is held by contact alone: fingers close on it, and what
does not stay between them is no start.
"""

from math import atan2, cos, hypot, pi, sin

import mujoco
import numpy as np
from numpy.typing import NDArray

from controllers.arm_model import (
    FINGER_WIDTH_RANGE_M,
    HOME_JOINTS,
    MOUNT_IN_BASE_M,
    tool_jacobian_in_base,
)
from sim.house.check import reachable_floor
from sim.house.plane import offset
from sim.house.schema import Front, House, Item
from sim.plant import MujocoPlant
from sim.robot.hand import FINGER_JOINTS
from sim.robot.model import set_home
from sim.tasks.truth import Truth

Array = NDArray[np.float64]

TUCKED_IN_MOUNT_M = np.array([0.13, -0.14, 0.66])
"""Where the tool is while the robot drives."""
TUCKED_LIFT_M = 0.15
TUCKED_PITCH_RAD = float(np.deg2rad(25.0))
ROOM_TO_TURN_M = 0.36
EYES_M, KNEES_M, HALF_WAY_M, CHAIRS_M = 1.3, 0.25, 0.3, 0.7
DRAWS = 400
SETTLE_STEPS = 150
PIN_STEPS = 40
"""While the fingers close, a thing that will be held is kept in its place; then it is on its own."""
HOLD_STEPS = 250
HOLD_N = 30.0
SLIPPED_M = 0.006
STARTS_APART_M = 0.0015


class NoStartError(RuntimeError):
    """No state of this kind was found in this house within the bounded number of draws."""


class Stage:
    """Edits the state of a plant that was just reset: `clear`, place things, `settle`, perhaps `hold`, `finish`."""

    def __init__(self, plant: MujocoPlant) -> None:
        self.plant = plant
        self.house: House = plant.house
        self.model, self.data = plant.model, plant.data
        self.truth = Truth(plant.model, plant.data, plant.house, plant.processes)
        self._grid, self._reached = reachable_floor(self.house)
        self._roomy = self._grid.free(ROOM_TO_TURN_M) & self._reached
        self._tucked = joints_for(TUCKED_PITCH_RAD)
        self._at_rest: Array = self.data.qpos.copy()

    def clear(self, rng: np.random.Generator, relaxed: bool) -> None:
        """Begin another draw. `relaxed` says that the first choice of starts does not seem to exist in this house."""
        self.rng, self.relaxed = rng, relaxed
        self._qpos: Array = self._at_rest.copy()
        self._arm = self._tucked
        self._finger_m = FINGER_WIDTH_RANGE_M[1] / 4
        self._set_joint("lift", TUCKED_LIFT_M)
        self._pose_arm()
        self.full_ml: dict[str, float] = {}
        self.base = (0.0, 0.0, 0.0)

    # --- draws

    def uniform(self, bounds: tuple[float, float]) -> float:
        return float(self.rng.uniform(*bounds))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    # --- placing

    def stand_before(
        self,
        x: float,
        y: float,
        yaw: float,
        distance_m: tuple[float, float],
        spread_rad: float = 0.5,
        jitter_rad: float = 0.15,
    ) -> bool:
        """Put the base somewhere in front of (x, y), within `spread_rad` of the direction `yaw`, turned to the point
        up to `jitter_rad`. False when no free spot with a clear line to the point was found."""
        for floor in (self._roomy, self._reached):
            for _ in range(DRAWS):
                direction = yaw + self.uniform((-spread_rad, spread_rad))
                bx, by = offset(x, y, direction, self.uniform(distance_m))
                if self._grid.at(floor, bx, by) and self._clear_line(bx, by, x, y):
                    facing = atan2(y - by, x - bx) + self.uniform((-jitter_rad, jitter_rad))
                    self.base = (bx, by, (facing + pi) % (2 * pi) - pi)
                    for name, value in zip(("base_x", "base_y", "base_yaw"), self.base, strict=True):
                        self._set_joint(name, value)
                    return True
        return False

    def _clear_line(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        """No wall between two points, but for the last 0.25 m."""
        length = hypot(x1 - x0, y1 - y0)
        for along in np.arange(0.0, max(0.0, length - 0.25), 0.05):
            x, y = x0 + (x1 - x0) * along / length, y0 + (y1 - y0) * along / length
            if any(a <= x <= c and b <= y <= d for a, b, c, d in self.house.walls):
                return False
        return True

    def open_front(self, front: Front, share: float) -> None:
        """Open a front; what is in a drawer moves along."""
        travel = share * front.open_joint
        self._set_joint(front.joint, travel)
        if front.class_name != "drawer":
            return
        inside = {place.name for place in self.house.places if place.front == front.name}
        for item in self.house.items:
            if item.place in inside:
                at = self._free_joint(item.name)
                self._qpos[at] += travel * cos(front.yaw)
                self._qpos[at + 1] += travel * sin(front.yaw)

    def set_joint(self, name: str, value: float) -> None:
        """A joint of the house by name: a lid, a room door."""
        self._set_joint(name, value)

    def put(self, item: str, position_in_world_m: Array, yaw: float) -> None:
        """An item upright with the centre of its underside at a point."""
        at = self._free_joint(item)
        self._qpos[at : at + 3] = position_in_world_m
        self._qpos[at + 3 : at + 7] = (cos(yaw / 2), 0.0, 0.0, sin(yaw / 2))

    def pose_arm(self, pitch_down_rad: float) -> None:
        """Tucked, at another pitch of the tool."""
        self._arm = joints_for(pitch_down_rad)
        self._pose_arm()

    def hold(self, item: Item, pitch_down_rad: float, above_m: float, deeper_m: float, turn_rad: float) -> bool:
        """Close the fingers on an item, upright, and see whether it stays.

        The tool is `above_m` above the item's middle, then `deeper_m` further out along the hand; the item's yaw is
        `turn_rad` against the robot's. Settles the scene. False when it was not held by both pads, or slipped.
        """
        self.pose_arm(pitch_down_rad)
        half = item.params["radius"]
        self._finger_m = half + STARTS_APART_M
        self._pose_fingers()
        self._restart()
        site = self.data.site("tool")
        heading = self.base[2]
        place = site.xpos - deeper_m * site.xmat[2::3]
        place[2] -= above_m + item.params["height"] / 2
        self.put(item.name, place, heading + turn_rad)
        self._restart()
        at = self._free_joint(item.name)
        dof = int(self.model.jnt_dofadr[self.model.body_jntadr[self.model.body(item.name).id]])
        self.data.ctrl[self.model.actuator("grip").id] = HOLD_N
        for step in range(PIN_STEPS + HOLD_STEPS):
            if step < PIN_STEPS:
                self.data.qpos[at : at + 7] = self._qpos[at : at + 7]
                self.data.qvel[dof : dof + 6] = 0.0
            mujoco.mj_step(self.model, self.data)
        self.truth.refresh()
        offset_m = float(np.linalg.norm(self.truth.position(item.name) - self._qpos[at : at + 3]))
        return self.truth.held(item.name) and offset_m < SLIPPED_M and self.truth.upright_cos(item.name) > 0.98

    # --- physics

    def settle(self) -> None:
        """Let everything come to rest, the robot standing still with its hand open."""
        self._restart()
        for _ in range(SETTLE_STEPS):
            mujoco.mj_step(self.model, self.data)
        self._qpos[:] = self.data.qpos
        self.truth.refresh()

    def touches_nothing(self) -> bool:
        """No geom of the robot touches anything but the floor and itself."""
        return self.truth.robot_is_free()

    def sees(self, position_in_world_m: Array, within_m: float) -> bool:
        """Nothing but the robot's own arm is between its eye and a point, but for the last `within_m`."""
        eye = self.data.cam_xpos[self.model.camera("head_camera").id]
        return self._clear_ray(eye, position_in_world_m, within_m)

    def way_is_clear(self, x: float, y: float, within_m: float) -> bool:
        """Nothing stands in the straight way of the base to a point, but for the last `within_m`, and what is low may
        stand CHAIRS_M before that: where a person would say that the robot stands before it. Where the first choice of
        starts does not seem to exist, low things may stand anywhere."""
        bx, by, _ = self.base
        yaw = atan2(y - by, x - bx)
        rays = ((EYES_M, within_m), (KNEES_M, within_m + CHAIRS_M))
        for height, end_m in rays[:1] if self.relaxed else rays:
            for side in (-HALF_WAY_M, 0.0, HALF_WAY_M):
                start = np.array([*offset(bx, by, yaw, 0.0, side), height])
                if not self._clear_ray(start, np.array([*offset(x, y, yaw, 0.0, side), height]), end_m):
                    return False
        return True

    def _clear_ray(self, start_m: Array, end_m: Array, within_m: float) -> bool:
        gap = end_m - start_m
        distance = float(np.linalg.norm(gap))
        direction = gap / distance
        passed, geom = 0.0, np.zeros(1, np.int32)
        while passed < distance - within_m:
            hit = mujoco.mj_ray(self.model, self.data, start_m + passed * direction, direction, None, 1, -1, geom)
            if hit < 0.0 or passed + hit >= distance - within_m:
                return True
            if not self.truth.is_robot(int(geom[0])):
                return False
            passed += hit + 0.005
        return True

    def finish(self) -> None:
        """The present state becomes the start of a run."""
        self.data.time = 0.0
        self.plant.processes.reset()
        for mug, ml in self.full_ml.items():
            self.plant.processes.liquid.fill(mug, ml)
        self.plant.refresh()

    def _restart(self) -> None:
        """Everything at the drawn positions, at rest and awake, with nothing left of what was before."""
        model, data = self.model, self.data
        mujoco.mj_resetData(model, data)
        set_home(model, data)
        data.qpos[:] = self._qpos
        data.ctrl[model.actuator("lift").id] = TUCKED_LIFT_M
        for i, angle in enumerate(self._arm.tolist()):
            data.ctrl[model.actuator(f"arm_{i + 1}").id] = angle
        mujoco.mj_forward(model, data)

    def _pose_arm(self) -> None:
        for i, angle in enumerate(self._arm.tolist()):
            self._set_joint(f"arm_{i + 1}", angle)
        self._pose_fingers()

    def _pose_fingers(self) -> None:
        for name in FINGER_JOINTS:
            self._set_joint(name, self._finger_m)

    def _set_joint(self, name: str, value: float) -> None:
        self._qpos[int(self.model.joint(name).qposadr[0])] = value

    def _free_joint(self, item: str) -> int:
        return int(self.model.jnt_qposadr[self.model.body_jntadr[self.model.body(item).id]])


def joints_for(pitch_down_rad: float) -> Array:
    """Arm joints (7,) with the tool tucked above the base, pitched so far down: damped least squares from home."""
    goal = TUCKED_IN_MOUNT_M + MOUNT_IN_BASE_M + np.array([0.0, 0.0, TUCKED_LIFT_M])
    c, s = cos(pitch_down_rad), sin(pitch_down_rad)
    rotation = np.array([[s, 0.0, c], [0.0, -1.0, 0.0], [c, 0.0, -s]])
    joints = HOME_JOINTS.copy()
    for _ in range(400):
        position, now, jacobian = tool_jacobian_in_base(joints, TUCKED_LIFT_M)
        turn = 0.5 * sum(np.cross(now[:, k], rotation[:, k]) for k in range(3))
        error = np.concatenate([goal - position, turn])
        size = float(np.linalg.norm(error))
        if size < 1e-5:
            break
        error *= min(1.0, 0.1 / size)
        arm = jacobian[:, 1:]
        joints = joints + arm.T @ np.linalg.solve(arm @ arm.T + 1e-4 * np.eye(6), error)
    return joints
