"""A bench for the tests of objects: a counter, a dining table, items, machines and two force-driven pads for a robot.

The counter ends and the table begins at x = TABLE_EDGE_M; both tops are at TABLE_M.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from sim.house.schema import Fixture, House, Item, Machine, Place, Split
from sim.objects.draw import draw_machine, draw_mug, draw_pod
from sim.objects.items import add_item
from sim.objects.machine import add_machine
from sim.objects.processes import Processes

TABLE_M = 0.9
TABLE_EDGE_M = -0.2
PAD_START_M = 0.06
"""The pads' faces, from the middle."""


@dataclass
class Bench:
    model: mujoco.MjModel
    data: mujoco.MjData
    house: House
    processes: Processes

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / self.model.opt.timestep)):
            mujoco.mj_step(self.model, self.data)
            self.processes.after_step()

    def reset(self) -> None:
        mujoco.mj_resetData(self.model, self.data)
        self.processes.reset()

    def put(self, name: str, position: tuple[float, float, float], quat: tuple[float, ...] = (1, 0, 0, 0)) -> None:
        """Places a free body, at rest."""
        joint = self.data.joint(f"{name}_free")
        joint.qpos[:] = (*position, *quat)
        joint.qvel[:] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def push(self, joint: str, force: float) -> None:
        """Generalised force on a joint, until changed."""
        self.data.qfrc_applied[self.model.joint(joint).dofadr[0]] = force

    def set_joint(self, joint: str, position: float) -> None:
        self.data.joint(joint).qpos[0] = position
        self.data.joint(joint).qvel[0] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def deepest_contact_m(self, body: str) -> float:
        """Deepest penetration of any contact of a body."""
        wanted = self.model.body(body).id
        depths = [-c.dist for c in self.data.contact if wanted in self.model.geom_bodyid[list(c.geom)]]
        return max(depths, default=0.0)


def add_gripper(spec: mujoco.MjSpec, height_m: float) -> None:
    """A hand on a position-driven mount (x, y, z slides and a pitch), with two pads driven by force along y."""
    mount = spec.worldbody.add_body(name="robot", pos=[0, 0, height_m])
    free = {"base_x": [1, 0, 0], "mount_y": [0, 1, 0], "mount_z": [0, 0, 1]}
    for name, axis in free.items():
        mount.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
        drive = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        drive.set_to_position(kp=20000, dampratio=1.0)
    mount.add_joint(name="mount_pitch", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 1, 0])
    drive = spec.add_actuator(name="mount_pitch", target="mount_pitch", trntype=mujoco.mjtTrn.mjTRN_JOINT)
    drive.set_to_position(kp=300, dampratio=1.0)
    mount.gravcomp = 1
    mount.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.02, 0.02, 0.02], pos=[-0.2, 0, 0], mass=1.5, contype=0, conaffinity=0
    )
    for name, side in (("left", -1.0), ("right", 1.0)):
        finger = mount.add_body(name=f"finger_{name}", gravcomp=1, pos=[0, side * PAD_START_M, 0])
        finger.add_joint(
            name=f"finger_{name}",
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=[0, -side, 0],
            armature=0.3,
            damping=[30, 0, 0],
        )
        finger.add_geom(
            name=f"pad_{name}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[0.021, 0.004, 0.012],
            pos=[0, side * 0.004, 0],
            mass=0.05,
            condim=4,
            friction=[1.1, 0.01, 0.0002],
            solref=[0.005, 1],
            priority=1,
        )
        motor = spec.add_actuator(name=f"finger_{name}", target=f"finger_{name}", trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_motor()
    spec.add_equality(
        name="fingers",
        type=mujoco.mjtEq.mjEQ_JOINT,
        objtype=mujoco.mjtObj.mjOBJ_JOINT,
        name1="finger_left",
        name2="finger_right",
        data=[0.0, 1.0, *[0.0] * 10],
        solref=[0.004, 1.0],
    )


def build(items: tuple[Item, ...], machines: tuple[Machine, ...] = (), gripper_at_m: float | None = None) -> Bench:
    """A house of a counter and a table with the physics options of every house."""
    spec = mujoco.MjSpec()
    spec.option.timestep = 0.002
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    spec.option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    half = TABLE_M / 2
    for name, x in (("counter", TABLE_EDGE_M - 1), ("table", TABLE_EDGE_M + 1)):
        spec.worldbody.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_BOX, size=[1, 1, half], pos=[x, 0, half])
    spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[10, 10, 1])
    for machine in machines:
        add_machine(spec, machine)
    for item in items:
        add_item(spec, item)
    if gripper_at_m is not None:
        add_gripper(spec, gripper_at_m)
    model = spec.compile()
    data = mujoco.MjData(model)
    fixtures = tuple(
        Fixture(name, name, TABLE_EDGE_M + side, 0.0, half, 0.0, (2.0, 2.0, TABLE_M), "kitchen")
        for name, side in (("counter", -1.0), ("table", 1.0))
    )
    places = tuple(
        Place(f"place_{f.name}", kind, f.x, f.y, TABLE_M, 0.0, 1.0, 1.0, 1.0, None, f.name, "kitchen")
        for f, kind in zip(fixtures, ("counter", "dining_table"), strict=True)
    )
    house = House("train", 0, (), (), fixtures, (), places, items, machines, (0.0, 0.0, 0.0), ())
    bench = Bench(model, data, house, Processes(model, data, house))
    bench.reset()
    return bench


def close_gripper(bench: Bench, force_n: float) -> None:
    for name in ("left", "right"):
        bench.data.ctrl[bench.model.actuator(f"finger_{name}").id] = force_n


def move_gripper(bench: Bench, seconds: float, **targets: float) -> None:
    """Moves the mount's set points (base_x, mount_y, mount_z, mount_pitch) along a minimum-jerk path."""
    ids = {name: bench.model.actuator(name).id for name in targets}
    start = {name: float(bench.data.ctrl[i]) for name, i in ids.items()}
    step_s = bench.model.opt.timestep
    steps = max(1, round(seconds / step_s))
    for k in range(1, steps + 1):
        s = k / steps
        blend = s**3 * (10 - 15 * s + 6 * s * s)
        for name, i in ids.items():
            bench.data.ctrl[i] = start[name] + blend * (targets[name] - start[name])
        bench.run(step_s)


def rotation_y(angle_rad: float) -> tuple[float, float, float, float]:
    return float(np.cos(angle_rad / 2)), 0.0, float(np.sin(angle_rad / 2)), 0.0


def a_machine(
    split: Split = "train",
    seed: int = 0,
    lid_hinge: str | None = None,
    button_place: str | None = None,
    mains: bool = True,
) -> Machine:
    """A drawn machine `m` on the counter, facing the table, of the wanted kind if one is wanted."""
    for attempt in range(seed, seed + 1000):
        drawn = draw_machine(np.random.default_rng(attempt), split)
        if lid_hinge in (None, drawn["lid_hinge"]) and button_place in (None, drawn["button_place"]):
            return Machine("m", -0.6, 0.0, TABLE_M, 0.0, mains, **drawn)
    raise ValueError(f"{split} draws no machine with lid {lid_hinge} and button {button_place}")


def a_mug(
    x: float = 0.1, y: float = 0.0, z: float = TABLE_M, seed: int = 0, split: Split = "train", name: str = "mug"
) -> Item:
    params, style = draw_mug(np.random.default_rng(seed), split)
    return Item(name, "mug", x, y, z, 1.0, "", True, params, style)


def a_pod(
    x: float = 0.1, y: float = 0.4, z: float = TABLE_M, seed: int = 0, split: Split = "train", name: str = "pod"
) -> Item:
    return Item(name, "pod", x, y, z, 0.0, "", False, draw_pod(np.random.default_rng(seed), split))
