"""The compiled robot against the published Panda, and the simulator-free kinematics against the compiled robot."""

import mujoco
import numpy as np
import pytest
from tiny_world import POSE, tiny_spec

from controllers import arm_model
from sim.robot import add_robot, set_home

PI = np.pi
# Franka Emika, "Robot and interface specifications" (Panda): a, d, alpha of Craig's convention; limits; torques.
PUBLISHED_DH = [
    (0.0, 0.333, 0.0),
    (0.0, 0.0, -PI / 2),
    (0.0, 0.316, PI / 2),
    (0.0825, 0.0, PI / 2),
    (-0.0825, 0.384, -PI / 2),
    (0.0, 0.0, PI / 2),
    (0.088, 0.0, PI / 2),
]
PUBLISHED_LOWER = [-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973]
PUBLISHED_UPPER = [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973]
PUBLISHED_TORQUE = [87, 87, 87, 87, 12, 12, 12]
ARM = [f"arm_{i}" for i in range(1, 8)]


@pytest.fixture(scope="module")
def model():
    return tiny_spec().compile()


@pytest.fixture
def data(model):
    data = mujoco.MjData(model)
    set_home(model, data)
    mujoco.mj_forward(model, data)
    return data


def random_postures(count):
    rng = np.random.default_rng(7)
    return rng.uniform(arm_model.ARM_LOWER_RAD, arm_model.ARM_UPPER_RAD, (count, 7)), rng.uniform(0, 0.75, count)


def put(model, data, joints, lift):
    data.qpos[model.joint("lift").qposadr[0]] = lift
    for name, q in zip(ARM, joints, strict=True):
        data.qpos[model.joint(name).qposadr[0]] = q
    mujoco.mj_kinematics(model, data)


def in_base(data, point):
    base = data.body("robot")
    return base.xmat.reshape(3, 3).T @ (point - base.xpos)


def published_chain(joints):
    """(7, 4, 4) frames of the joints in the arm's mount by homogeneous transforms."""
    frames, frame = [], np.eye(4)
    for (a, d, alpha), q in zip(PUBLISHED_DH, joints, strict=True):
        ca, sa, c, s = np.cos(alpha), np.sin(alpha), np.cos(q), np.sin(q)
        frame = frame @ np.array(
            [[c, -s, 0, a], [s * ca, c * ca, -sa, -d * sa], [s * sa, c * sa, ca, d * ca], [0, 0, 0, 1]]
        )
        frames.append(frame)
    return np.array(frames)


def test_compiled_kinematics_are_the_published_ones(model, data):
    for joints, lift in zip(*random_postures(20), strict=True):
        put(model, data, joints, lift)
        mount = data.body("lift")
        turn = mount.xmat.reshape(3, 3)
        for name, frame in zip(ARM, published_chain(joints), strict=True):
            body = data.body(name)
            np.testing.assert_allclose(turn.T @ (body.xpos - mount.xpos), frame[:3, 3], atol=1e-12)
            np.testing.assert_allclose(turn.T @ body.xmat.reshape(3, 3), frame[:3, :3], atol=1e-12)


def test_limits_are_the_published_ones(model):
    for i, name in enumerate(ARM):
        np.testing.assert_allclose(model.joint(name).range, [PUBLISHED_LOWER[i], PUBLISHED_UPPER[i]], atol=1e-9)
        np.testing.assert_allclose(model.actuator(name).forcerange, [-PUBLISHED_TORQUE[i], PUBLISHED_TORQUE[i]])
    np.testing.assert_allclose(model.joint("lift").range, arm_model.LIFT_RANGE_M)
    widths = 2 * model.joint("finger_left").range
    np.testing.assert_allclose(widths, arm_model.FINGER_WIDTH_RANGE_M)


def test_tool_and_its_jacobian_need_no_simulator(model, data):
    for joints, lift in zip(*random_postures(20), strict=True):
        put(model, data, joints, lift)
        position, rotation, jacobian = arm_model.tool_jacobian_in_base(joints, lift)
        tool = data.site("tool")
        base = data.body("robot").xmat.reshape(3, 3)
        np.testing.assert_allclose(position, in_base(data, tool.xpos), atol=1e-9)
        np.testing.assert_allclose(rotation, base.T @ tool.xmat.reshape(3, 3), atol=1e-9)
        step = 1e-6
        for column in range(8):
            moved = np.array([lift, *joints])
            moved[column] += step
            p, r = arm_model.tool_in_base(moved[1:], moved[0])
            turn = (r - rotation) @ rotation.T / step
            twist = [*(p - position) / step, turn[2, 1], turn[0, 2], turn[1, 0]]
            np.testing.assert_allclose(jacobian[:, column], twist, atol=1e-5)


def test_quaternion_is_mujocos(model, data):
    for joints, lift in zip(*random_postures(50), strict=True):
        _, rotation = arm_model.tool_in_base(joints, lift)
        expected = np.empty(4)
        mujoco.mju_mat2Quat(expected, rotation.ravel())
        quaternion = arm_model.quaternion_from_rotation(rotation)
        assert quaternion[0] >= 0
        assert abs(quaternion @ expected) == pytest.approx(1.0, abs=1e-9)


def test_home_holds_the_tool_as_promised(model, data):
    assert data.ncon == 0
    tool = data.site("tool")
    np.testing.assert_allclose(in_base(data, tool.xpos), [0.45, 0.0, 0.90], atol=1e-3)
    assert np.rad2deg(np.arcsin(-tool.xmat[8])) == pytest.approx(25.0, abs=0.1)
    before = data.qpos.copy()
    for _ in range(500):
        mujoco.mj_step(model, data)
    np.testing.assert_allclose(data.qpos, before, atol=1e-6)  # the arm carries itself


def test_joints_are_damped_near_critically(model, data):
    inertia = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, inertia)
    for name in [*ARM, "lift", "head_pan", "head_tilt"]:
        actuator = model.actuator(name)
        stiffness, damping = actuator.gainprm[0], -actuator.biasprm[2]
        dof = model.joint(name).dofadr[0]
        ratio = damping / (2 * np.sqrt(stiffness * inertia[dof, dof]))
        assert 0.8 < ratio < 1.7, name
    for i, name in enumerate(ARM):
        assert model.actuator(name).gainprm[0] == arm_model.ARM_STIFFNESS_NM[i]
        assert model.actuator(name).biasprm[2] == -arm_model.ARM_DAMPING_NMS[i]


def test_masses_are_a_robots(model):
    assert 70 < model.body("robot").subtreemass[0] < 130
    assert 13 < model.body("arm_1").subtreemass[0] < 19  # the real arm: 18 kg with its base
    assert 0.5 < model.body("hand").subtreemass[0] < 1.2
    inside = model.body_rootid == model.body("robot").id
    assert (model.body_inertia[inside & (model.body_mass > 0)] > 0).all()
    robot_geoms = inside[model.geom_bodyid]
    assert model.geom_friction[robot_geoms].max() <= 1.2


def test_base_joints_read_the_world_pose_in_any_angle_unit():
    for degree in (True, False):
        spec = mujoco.MjSpec()
        spec.compiler.degree = degree
        add_robot(spec, POSE)
        model = spec.compile()
        data = mujoco.MjData(model)
        data.qpos[:3] += [0.3, -0.2, 0.5]
        mujoco.mj_kinematics(model, data)
        base = data.body("robot")
        np.testing.assert_allclose(model.qpos0[:3], POSE)
        np.testing.assert_allclose(base.xpos[:2], [POSE[0] + 0.3, POSE[1] - 0.2], atol=1e-12)
        assert np.arctan2(base.xmat[3], base.xmat[0]) == pytest.approx(POSE[2] + 0.5)
        np.testing.assert_allclose(model.joint("arm_4").range, [PUBLISHED_LOWER[3], PUBLISHED_UPPER[3]], atol=1e-9)
        np.testing.assert_allclose(model.joint("head_tilt").range, [-0.6, 1.2], atol=1e-9)


def test_fingers_move_as_one(model, data):
    data.qfrc_applied[model.joint("finger_left").dofadr[0]] = 8.0
    data.ctrl[model.actuator("grip").id] = 4.0  # on each finger: together they hold the balance
    for _ in range(300):
        mujoco.mj_step(model, data)
    left, right = (data.qpos[model.joint(f"finger_{side}").qposadr[0]] for side in ("left", "right"))
    assert left == pytest.approx(right, abs=5e-4)
    assert left == pytest.approx(arm_model.FINGER_WIDTH_RANGE_M[1] / 4, abs=2e-3)


def test_base_stands_against_a_push_on_the_hand(model, data):
    start = data.qpos[:3].copy()
    hand = model.body("hand").id
    data.xfrc_applied[hand, :3] = [-30.0, 25.0, 0.0]
    for _ in range(500):
        mujoco.mj_step(model, data)
    assert np.linalg.norm(data.qpos[:2] - start[:2]) < 0.004
    assert abs(data.qpos[2] - start[2]) < 0.012


def test_arm_collides_with_the_mast(model, data):
    put(model, data, [-1.3, -1.2, 0, -2.4, 0, 1.5, 0], 0.3)
    mujoco.mj_forward(model, data)
    pairs = {tuple(sorted((model.geom(c.geom1).name, model.geom(c.geom2).name))) for c in data.contact}
    assert any("mast" in pair for pair in pairs), pairs


@pytest.mark.parametrize("pitch_deg", [0, 20, 25, 45, 60])
def test_recommended_lift_keeps_the_arm_comfortable(pitch_deg):
    pitch = np.deg2rad(pitch_deg)
    heights = [0.75, 0.95, 1.25] if pitch_deg < 45 else [0.5, 0.7, 0.9]
    for height in heights:
        lift = arm_model.comfortable_lift(height, pitch)
        assert 0.0 <= lift <= 0.75
        for ahead in (0.58, 0.68, 0.78):
            joints = reach(ahead, height, pitch, lift)
            margin = np.minimum(joints - arm_model.ARM_LOWER_RAD, arm_model.ARM_UPPER_RAD - joints).min()
            jacobian = arm_model.tool_jacobian_in_base(joints, lift)[2][:, 1:]
            jacobian[:3] /= 0.35  # metres to radians at arm's length
            assert margin > 0.2, (ahead, height, np.rad2deg(joints))
            assert np.linalg.svd(jacobian, compute_uv=False)[-1] > 0.15, (ahead, height, np.rad2deg(joints))


def reach(ahead, height, pitch, lift):
    """Joints in the arm's vertical plane that put the tool there, by damped Newton steps from home."""
    joints = arm_model.HOME_JOINTS.copy()
    for _ in range(80):
        position, rotation, jacobian = arm_model.tool_jacobian_in_base(joints, lift)
        error = np.array([ahead - position[0], height - position[2], pitch - np.arcsin(-rotation[2, 2])])
        if np.abs(error).max() < 1e-4:
            return joints
        planar = jacobian[[0, 2, 4]][:, [2, 4, 6]]
        joints[[1, 3, 5]] += np.clip(planar.T @ np.linalg.solve(planar @ planar.T + 1e-5 * np.eye(3), error), -0.2, 0.2)
        joints = np.clip(joints, arm_model.ARM_LOWER_RAD, arm_model.ARM_UPPER_RAD)
    raise AssertionError(f"no posture for {ahead} m ahead, {height} m high, {np.rad2deg(pitch):.0f}° down")
