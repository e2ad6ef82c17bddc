"""Laws of the arm's kinematics and IK: true derivatives, limits that hold, and no collision with itself."""

import mujoco
import numpy as np
import pytest
from costs import calls_of, quickest_s
from tiny_world import tiny_spec

from agent.messages import TICK_S
from controllers.arm_model import (
    ARM_LOWER_RAD,
    ARM_MAX_VELOCITY_RAD_S,
    ARM_UPPER_RAD,
    HOME_JOINTS,
    HOME_LIFT_M,
    LIFT_RANGE_M,
    comfortable_lift,
    tool_in_base,
)
from controllers.ik import ArmIk, Kinematics
from controllers.reach import reachable, solve_pose
from controllers.self_collision import MARGIN_M, Body, near_pairs
from controllers.tool_target import ToolTarget, quaternion


def random(seed):
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed])))


def random_arm(rng):
    return rng.uniform(ARM_LOWER_RAD + 0.05, ARM_UPPER_RAD - 0.05)


def pose(x, y, z, pitch_down_rad, yaw_rad=0.0):
    """Tool pose (7,) at a place in the base frame, pitched down, turned about the vertical."""
    c, s = np.cos(pitch_down_rad), np.sin(pitch_down_rad)
    ahead = np.array([np.cos(yaw_rad), np.sin(yaw_rad), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    tool_z, tool_x = c * ahead - s * up, s * ahead + c * up
    axes = Kinematics([], [], (x, y, z), tuple(tool_x), tuple(np.cross(tool_z, tool_x)), tuple(tool_z))
    return np.array([x, y, z, *quaternion(axes)])


def test_jacobian_is_the_finite_difference():
    rng, h = random(1), 1e-6
    for _ in range(20):
        arm, lift = random_arm(rng), rng.uniform(*LIFT_RANGE_M)
        at = Kinematics.of(arm, lift)
        linear = np.array(at.columns())
        for joint in range(7):
            step = np.zeros(7)
            step[joint] = h
            before, after = Kinematics.of(arm - step, lift), Kinematics.of(arm + step, lift)
            moved = (np.array(after.tool) - before.tool) / (2 * h)
            turned = np.array(before.turn_to(after.x, after.y, after.z)) / (2 * h)
            np.testing.assert_allclose(linear[joint], moved, atol=1e-8)
            np.testing.assert_allclose(at.axes[joint], turned, atol=1e-8)


def test_kinematics_are_those_of_the_simulated_arm():
    model = tiny_spec((0.0, 0.0, 0.0)).compile()
    data = mujoco.MjData(model)
    rng = random(2)
    for _ in range(20):
        arm, lift = random_arm(rng), rng.uniform(*LIFT_RANGE_M)
        data.qpos[model.joint("lift").qposadr[0]] = lift
        for i in range(7):
            data.qpos[model.joint(f"arm_{i + 1}").qposadr[0]] = arm[i]
        mujoco.mj_kinematics(model, data)
        at = Kinematics.of(arm, lift)
        np.testing.assert_allclose(at.tool, data.site("tool").xpos, atol=1e-9)
        np.testing.assert_allclose(np.array([at.x, at.y, at.z]).T.ravel(), data.site("tool").xmat, atol=1e-9)
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, np.array(quaternion(at)))
        np.testing.assert_allclose(rotation, data.site("tool").xmat, atol=1e-9)
        for i in range(7):
            np.testing.assert_allclose(at.origins[i], data.body(f"arm_{i + 1}").xpos, atol=1e-9)


def test_a_step_keeps_every_limit_whatever_is_wanted():
    rng, ik = random(3), ArmIk()
    acted = set()
    for _ in range(300):
        arm = rng.uniform(ARM_LOWER_RAD, ARM_UPPER_RAD)
        wanted = (rng.normal(size=6) * 10 ** rng.uniform(-4, 0)).tolist()
        at = Kinematics.of(arm, 0.3)
        step = ik.step(arm, at, 0.3, wanted)
        change = np.array(step.change_rad)
        after = arm + change
        assert np.all(np.abs(change) <= ARM_MAX_VELOCITY_RAD_S * TICK_S + 1e-9)
        assert np.all((after >= ARM_LOWER_RAD - 1e-9) & (after <= ARM_UPPER_RAD + 1e-9))
        jacobian = np.hstack([np.array(at.columns()), np.array(at.axes)]).T
        np.testing.assert_allclose(step.moved, jacobian @ change, atol=1e-9)
        acted |= {name for name, _, _ in step.limited}
    assert acted == {"joint_speed", "joint_limit", "self_collision"}


def test_a_free_arm_does_what_is_wanted_and_draws_its_elbow_home():
    ik, lift = ArmIk(), 0.3
    home = Kinematics.of(HOME_JOINTS, lift)
    swivelled = HOME_JOINTS + np.array([-0.5, 0.0, 0.7, 0.0, -0.4, 0.0, 0.2])
    arm = solve_pose(np.array([*home.tool, *quaternion(home)]), lift, seed=swivelled)
    assert arm is not None
    goal = ToolTarget(Kinematics.of(arm, lift))
    swivel = abs(arm[2])
    for _ in range(400):
        at = Kinematics.of(arm, lift)
        step = ik.step(arm, at, lift, goal.error(at))
        arm = arm + step.change_rad
        assert np.linalg.norm(goal.error(Kinematics.of(arm, lift))[:3]) < 2e-4
        assert step.limited == []
    assert abs(arm[2]) < 0.6 * swivel


def test_random_motion_never_makes_the_robot_touch_itself():
    model = tiny_spec((0.0, 0.0, 0.0)).compile()
    data = mujoco.MjData(model)
    ik, body, near = ArmIk(), Body(), 0
    robot = {b for b in range(model.nbody) if model.body_rootid[b] == model.body("robot").id}
    for seed in range(40):
        rng = random(100 + seed)
        arm, lift = HOME_JOINTS.copy(), HOME_LIFT_M
        twist, lift_rate = np.zeros(6), 0.0
        for tick in range(300):
            if tick % 60 == 0:
                # More often than not towards the robot itself.
                twist = rng.normal([-0.2, 0.0, 0.0, 0.0, 0.0, 0.0], [0.4, 0.4, 0.4, 1.0, 1.0, 1.0])
                lift_rate = rng.uniform(-0.2, 0.2)
            at = Kinematics.of(arm, lift)
            rise = float(np.clip(lift + lift_rate * TICK_S, *LIFT_RANGE_M)) - lift
            step = ik.step(arm, at, lift, (twist * TICK_S).tolist(), rise)
            arm, lift = arm + step.change_rad, lift + step.lift_change_m
            if tick % 30 != 29:
                continue
            at = Kinematics.of(arm, lift)
            pairs = near_pairs(at.origins, at.axes[4], at.tool, at.y, at.z, lift, body)
            near += any(pair.distance_m < 2 * MARGIN_M for pair in pairs)
            assert all(pair.distance_m > 0.0 for pair in pairs), (seed, pairs)
            data.qpos[model.joint("lift").qposadr[0]] = lift
            for i in range(7):
                data.qpos[model.joint(f"arm_{i + 1}").qposadr[0]] = arm[i]
            mujoco.mj_forward(model, data)
            for contact in data.contact:
                bodies = {int(model.geom_bodyid[g]) for g in contact.geom}
                assert not bodies <= robot, (seed, tick, [model.body(b).name for b in bodies], arm)
    assert near > 20, f"only {near} postures came near the robot's own body: this tested nothing"


@pytest.mark.parametrize("pitch_deg", [0, 20, 45, 65])
@pytest.mark.parametrize("height_m", [0.5, 0.8, 1.1, 1.4])
def test_poses_in_front_are_reached_exactly(pitch_deg, height_m):
    pitch = np.deg2rad(pitch_deg)
    lift = comfortable_lift(height_m, pitch)
    for x, y, yaw in ((0.60, 0.0, 0.0), (0.65, 0.15, 0.2), (0.65, -0.15, -0.2), (0.70, 0.0, 0.0)):
        asked = pose(x, y, height_m, pitch, yaw)
        arm = solve_pose(asked, lift)
        assert arm is not None, (x, y)
        assert np.all((arm >= ARM_LOWER_RAD) & (arm <= ARM_UPPER_RAD))
        position, rotation = tool_in_base(arm, lift)
        wanted = np.zeros(9)
        mujoco.mju_quat2Mat(wanted, asked[3:])
        assert np.linalg.norm(position - asked[:3]) < 0.002
        assert np.arccos(np.clip((np.trace(rotation @ wanted.reshape(3, 3).T) - 1) / 2, -1, 1)) < 0.011
        again = solve_pose(asked, lift, seed=arm)
        np.testing.assert_array_equal(again, arm)


def test_what_is_out_of_reach_is_said_to_be():
    assert reachable(pose(0.65, 0.0, 0.9, 0.4), 0.2)
    assert not reachable(pose(1.4, 0.0, 0.9, 0.4), 0.2)
    assert not reachable(pose(0.0, 0.0, 0.1, 0.4), 0.2)
    assert not reachable(pose(0.65, 0.0, 2.3, 0.4), 0.2)
    with pytest.raises(ValueError, match=r"lift_m = 0\.9 is out of range \[0\.0, 0\.75\]"):
        solve_pose(pose(0.65, 0.0, 0.9, 0.4), 0.9)
    with pytest.raises(ValueError, match="unit quaternion"):
        solve_pose(np.zeros(7), 0.2)


def test_a_step_stays_within_its_budget():
    ik, arm = ArmIk(), HOME_JOINTS.copy()

    def step() -> None:
        at = Kinematics.of(arm, HOME_LIFT_M)
        ik.step(arm, at, HOME_LIFT_M, [1e-3, 0.0, 1e-3, 0.0, 0.0, 1e-3])

    assert calls_of(step) <= 140
    assert quickest_s(step, 150e-6) < 150e-6
