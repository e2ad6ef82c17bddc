"""MujocoPlant: reproducible states, commands in the robot's frames, sensors that say what is there."""

import mujoco
import numpy as np
import pytest
from tiny_world import POSE, add_held_box, empty_house, tiny_spec

from agent.messages import JOINT_NAMES, PLANT_STEP_S
from controllers.arm_model import HOME_JOINTS, HOME_LIFT_M
from controllers.plant import PlantCommand
from sim.plant import MujocoPlant
from sim.tasks.start import begin_task

MASS_KG = 0.2


@pytest.fixture(scope="module")
def model():
    spec = tiny_spec()
    add_held_box(spec, MASS_KG)
    return spec.compile()


@pytest.fixture
def plant(model):
    return MujocoPlant(empty_house(), 3, model=model)


def command(grip_n=0.0, base=(0.0, 0.0, 0.0)):
    return PlantCommand(HOME_JOINTS.copy(), HOME_LIFT_M, np.zeros(2), grip_n, np.array(base))


def run(plant, command, steps):
    for _ in range(steps):
        plant.apply(command)
    return plant.sense()


def grasp(plant):
    """The box between the pads, the way a test may put it there."""
    data, model = plant.data, plant.model
    address = model.jnt_qposadr[model.body("held").jntadr[0]]
    tool = data.site("tool")
    data.qpos[address : address + 3] = tool.xpos
    mujoco.mju_mat2Quat(data.qpos[address + 3 : address + 7], tool.xmat)
    dof = model.jnt_dofadr[model.body("held").jntadr[0]]
    data.qvel[dof : dof + 6] = 0.0
    for side in ("left", "right"):
        data.qpos[model.joint(f"finger_{side}").qposadr[0]] = 0.0252
    plant.refresh()


def readings(sensed):
    fields = ("joint_position", "joint_velocity", "joint_torque", "base_pose_in_odom", "base_velocity_in_base")
    felt = ("wrist_wrench_in_tool", "pad_normal_n", "pad_shear_n")
    return np.concatenate([np.ravel(getattr(sensed, name)) for name in fields + felt])


def test_reset_gives_one_state_whatever_came_before(model, plant):
    first = plant.state_hash()
    run(plant, command(10.0, (0.3, 0.1, 0.5)), 150)
    assert plant.state_hash() != first
    plant.reset()
    assert plant.state_hash() == first
    assert MujocoPlant(empty_house(), 3, model=model).state_hash() == first
    assert plant.sense().time_s == 0.0


def test_the_same_seed_senses_the_same(model, plant):
    def course(plant):
        taken = [readings(plant.sense())]
        for _ in range(20):
            taken.append(readings(run(plant, command(12.0, (0.2, 0.0, 0.4)), 5)))
            frame = plant.touch()
            taken += [frame.pads_n.ravel().astype(float), frame.skin_n.ravel().astype(float)]
        return np.concatenate(taken)

    one = course(plant)
    plant.reset()
    np.testing.assert_array_equal(course(plant), one)
    np.testing.assert_array_equal(course(MujocoPlant(empty_house(), 3, model=model)), one)
    assert (course(MujocoPlant(empty_house(), 4, model=model)) != one).any()


def test_a_snapshot_goes_on_to_the_last_bit(model, plant):
    run(plant, command(10.0, (0.2, 0.0, 0.0)), 60)
    snapshot = plant.snapshot()
    other = MujocoPlant(empty_house(), 9, model=model)
    other.resume(snapshot)
    for each in (plant, other):
        run(each, command(10.0), 40)
    assert plant.state_hash() == other.state_hash()
    assert other.data.time == plant.data.time
    with pytest.raises(ValueError, match="has shape"):
        plant.resume(snapshot[:-1])


def test_what_sleeps_sleeps_on():
    """In a house full of things at rest, while one of them is held: all that MuJoCo derives is as it was."""
    plant, other = (begin_task("pick-mug", "train", 2) for _ in range(2))
    for push in (0.0, 0.3):
        run(plant, command(10.0, (push, 0.0, 0.3)), 150)
        other.resume(plant.snapshot())
        for name in ("tree_asleep", "tree_awake", "body_awake", "ntree_awake", "nbody_awake", "nv_awake"):
            np.testing.assert_array_equal(getattr(other.data, name), getattr(plant.data, name), name)
        for name, count in (("body", "nbody"), ("parent", "nparent"), ("dof", "nv")):
            n = getattr(plant.data, f"{count}_awake")
            ours, theirs = (getattr(p.data, f"{name}_awake_ind")[:n] for p in (other, plant))
            np.testing.assert_array_equal(ours, theirs, name)
        assert 0 < plant.data.ntree_awake < plant.model.ntree
        for each in (plant, other):
            run(each, command(10.0, (push, 0.1, 0.0)), 100)
        assert plant.state_hash() == other.state_hash()


def test_base_velocity_is_in_the_base_frame(plant):
    ahead = np.array([np.cos(POSE[2]), np.sin(POSE[2])])
    left = np.array([-ahead[1], ahead[0]])
    base = plant.data.body("robot")
    # Its force is limited: it takes a moment to gain speed.
    start = run(plant, command(base=(0.2, 0.1, 0.0)), 150).base_pose_in_odom[:2].copy()
    before = base.xpos[:2].copy()
    sensed = run(plant, command(base=(0.2, 0.1, 0.0)), 250)
    moved = base.xpos[:2] - before
    assert moved @ ahead == pytest.approx(0.2 * 0.5, rel=0.05)
    assert moved @ left == pytest.approx(0.1 * 0.5, rel=0.05)
    np.testing.assert_allclose(sensed.base_velocity_in_base, [0.2, 0.1, 0.0], atol=0.03)
    np.testing.assert_allclose(sensed.base_pose_in_odom[:2] - start, [0.1, 0.05], atol=0.01)


def test_turning_on_the_spot_stays_on_the_spot(plant):
    base = plant.data.body("robot")
    before = base.xpos[:2].copy()
    sensed = run(plant, command(base=(0.0, 0.0, 1.0)), 500)
    assert np.linalg.norm(base.xpos[:2] - before) < 0.005
    assert sensed.base_pose_in_odom[2] == pytest.approx(1.0, abs=0.03)


def test_joints_are_read_in_the_order_of_their_names(plant):
    target = command(-5.0)
    target.arm_position_rad += np.linspace(-0.1, 0.1, 7)
    target.lift_position_m += 0.05
    target.head_position_rad[:] = (0.3, 0.4)
    sensed = run(plant, target, 400)
    data, model = plant.data, plant.model

    def position(name):
        if name == "finger_width":
            return position("finger_left") + position("finger_right")
        return data.qpos[model.joint(name).qposadr[0]]

    np.testing.assert_allclose(sensed.joint_position, [position(name) for name in JOINT_NAMES], rtol=1e-12)
    np.testing.assert_allclose(sensed.joint_position[1:8], target.arm_position_rad, atol=5e-3)
    np.testing.assert_allclose(sensed.joint_position[[0, 9, 10]], [HOME_LIFT_M + 0.05, 0.3, 0.4], atol=5e-3)
    assert sensed.joint_position[8] == pytest.approx(0.11, abs=2e-3)
    assert sensed.joint_torque[8] == -5.0


def test_the_wrist_feels_the_world_and_not_the_hand(plant):
    empty = np.mean([run(plant, command(), 1).wrist_wrench_in_tool.copy() for _ in range(50)], axis=0)
    np.testing.assert_allclose(empty, 0.0, atol=0.06)
    grasp(plant)
    run(plant, command(15.0), 200)
    held = np.mean([run(plant, command(15.0), 1).wrist_wrench_in_tool.copy() for _ in range(50)], axis=0)
    tool = plant.data.site("tool").xmat.reshape(3, 3)
    np.testing.assert_allclose(tool @ held[:3], [0.0, 0.0, -MASS_KG * 9.81], atol=0.1)


def test_pads_feel_grip_and_weight(plant):
    grasp(plant)
    run(plant, command(15.0), 200)
    sums = [(s.pad_normal_n.copy(), s.pad_shear_n.copy()) for s in (run(plant, command(15.0), 1) for _ in range(50))]
    normal, shear = (np.mean(part, axis=0) for part in zip(*sums, strict=True))
    np.testing.assert_allclose(normal, 15.0, rtol=0.02)
    weight = plant.data.site("tool").xmat.reshape(3, 3).T @ [0.0, 0.0, -MASS_KG * 9.81]
    np.testing.assert_allclose(shear.sum(axis=0), weight[[0, 2]], atol=0.06)
    taxels = run(plant, command(15.0), 5)
    frame = plant.touch().pads_n[:, 0].astype(float).sum(axis=(2, 3))
    np.testing.assert_allclose(frame[:, 0], taxels.pad_normal_n, rtol=0.05)


def test_the_tool_is_where_the_joints_say(plant):
    from controllers.arm_model import tool_in_base

    run(plant, command(), 10)
    mujoco.mj_kinematics(plant.model, plant.data)
    sensed = plant.sense()
    position, _ = tool_in_base(sensed.joint_position[1:8], sensed.joint_position[0])
    base = plant.data.body("robot")
    true = base.xmat.reshape(3, 3).T @ (plant.data.site("tool").xpos - base.xpos)
    np.testing.assert_allclose(position, true, atol=1e-9)


def test_misuse_is_refused(plant):
    spec = tiny_spec()
    spec.option.timestep = 0.005
    with pytest.raises(ValueError, match=r"0\.005"):
        MujocoPlant(empty_house(), 0, model=spec.compile())
    plant.close()
    with pytest.raises(RuntimeError, match="closed"):
        plant.apply(command())


def test_each_apply_is_one_step(plant):
    run(plant, command(), 7)
    assert plant.sense().time_s == pytest.approx(7 * PLANT_STEP_S)


def test_a_house_starts_at_rest_and_the_same_each_time():
    from sim.house.generate import generate_house

    house = generate_house("train", 5)
    plant = MujocoPlant(house, 0)
    assert plant.state_hash() == MujocoPlant(generate_house("train", 5), 0).state_hash()
    assert np.abs(plant.data.qvel).max() < 0.05
    still = run(plant, command(), 10)
    assert still.base_pose_in_odom == pytest.approx([0.0, 0.0, 0.0])
    assert plant.processes.broken == ()
