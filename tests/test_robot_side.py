"""Laws of the robot's side: what is asked is done, what is not done is said, and silence ends in a stop."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import mujoco
import numpy as np
import pytest
from costs import calls_of, quickest_s
from test_ik import pose
from tiny_world import empty_house, tiny_spec

from agent.messages import PLANT_STEP_S, STEPS_PER_TICK, TICK_S, Action, decode, encode
from agent.messages.observation import Observation
from controllers.arm_model import ARM_LEASH_RAD, ARM_MAX_VELOCITY_RAD_S, HOME_LIFT_M, LIFT_RANGE_M, comfortable_lift
from controllers.fake_plant import FakePlant, FakeWorld
from controllers.gate import GateLimits
from controllers.plant import ARM, LIFT
from controllers.reach import solve_pose
from controllers.robot_side import RobotSide
from controllers.virtual_robot import VirtualRobot
from sim.plant import MujocoPlant

ORIGIN = (0.0, 0.0, 0.0)


def action(
    observation,
    twist=(0.0,) * 6,
    base=(0.0,) * 3,
    lift=0.0,
    head=(0.0, 0.0),
    grip=("width", 0.05),
    lasts_s=0.03,
):
    return Action(
        sequence=observation.sequence,
        valid_from_s=observation.time_s,
        expires_s=observation.time_s + lasts_s,
        tool_twist_in_base=np.array([twist], dtype=np.float64),
        grip_mode=grip[0],
        grip=grip[1],
        base_velocity_in_base=np.array(base, dtype=np.float64),
        lift_rate_m_s=lift,
        head_rate_rad_s=np.array(head, dtype=np.float64),
    )


def drive(robot, observation, ticks, **asked):
    """Repeats an action for some ticks; returns the last observation and the names of all clamps."""
    names = set()
    for _ in range(ticks):
        robot.act(action(observation, **asked))
        observation = robot.observe()
        names |= {clamp.name for clamp in observation.applied.clamps}
    return observation, names


@pytest.fixture(scope="module")
def bare_model():
    spec = tiny_spec(ORIGIN)
    spec.delete(spec.geom("table"))
    return spec.compile()


def simulated(model, arm, lift):
    """A robot in MuJoCo with the arm in a given posture."""
    plant = MujocoPlant(empty_house(ORIGIN), 1, model=model)
    plant.data.joint("lift").qpos[0] = plant.data.actuator("lift").ctrl[0] = lift
    for i in range(7):
        plant.data.joint(f"arm_{i + 1}").qpos[0] = plant.data.actuator(f"arm_{i + 1}").ctrl[0] = arm[i]
    plant.refresh()
    return plant, VirtualRobot(plant)


@pytest.mark.parametrize("pitch_deg", [0, 25, 45, 65])
@pytest.mark.parametrize("height_m", [0.4, 0.7, 1.0, 1.3, 1.5])
def test_the_tool_moves_as_asked_with_and_without_the_lift(bare_model, pitch_deg, height_m):
    pitch = np.deg2rad(pitch_deg)
    lift = comfortable_lift(height_m, pitch)
    # Towards the middle of the work space: limits of reach are other tests' matter.
    direction = np.array([0.0, 0.6, 0.8 if height_m < 0.9 else -0.8])
    moves = (
        [(0.65, direction)]
        if pitch_deg == 65 and height_m > 1.4
        else [(0.58, np.array([1.0, 0.0, 0.0])), (0.65, direction)]
    )
    tried = 0
    for ahead, way in moves:
        arm = solve_pose(pose(ahead, 0.0, height_m, pitch), lift)
        if arm is None:
            continue
        for rate in (0.0, 0.06 if lift < 0.4 else -0.06):
            assert LIFT_RANGE_M[0] <= lift + rate <= LIFT_RANGE_M[1]
            plant, robot = simulated(bare_model, arm, lift)
            observation, _ = drive(robot, robot.observe(), 10)
            before = plant.data.site("tool").xpos - plant.data.body("robot").xpos
            observation, names = drive(robot, observation, 100, twist=(*(0.1 * way), 0.0, 0.0, 0.0), lift=rate)
            moved = plant.data.site("tool").xpos - plant.data.body("robot").xpos - before
            np.testing.assert_allclose(moved, 0.1 * way, atol=0.005)
            if "self_collision" not in names:
                assert observation.joint_position[LIFT] == pytest.approx(lift + rate, abs=0.001)
            tried += 1
    assert tried >= 2


def test_what_was_applied_is_what_was_asked_when_nothing_is_in_the_way(bare_model):
    robot = VirtualRobot(MujocoPlant(empty_house(ORIGIN), 1, model=bare_model))
    asked = {"twist": (0.03, -0.02, 0.05, 0.1, 0.0, -0.1), "base": (0.01, 0.0, 0.02), "lift": 0.05, "head": (0.3, 0.2)}
    observation, names = drive(robot, robot.observe(), 50, **asked)
    applied = observation.applied
    assert names == set()
    assert applied.mode == "ok"
    assert applied.sequence == observation.sequence - 1
    np.testing.assert_allclose(applied.tool_twist_in_base, asked["twist"], atol=0.003)
    np.testing.assert_array_equal(applied.base_velocity_in_base, asked["base"])
    np.testing.assert_array_equal(applied.head_rate_rad_s, asked["head"])
    assert applied.lift_rate_m_s == pytest.approx(0.05)
    assert np.abs(observation.command_lag[:8]).max() < 0.005
    assert decode(encode(observation), Observation).applied.mode == "ok"


@pytest.mark.parametrize(
    ("into", "back"),
    [
        ({"twist": (0.05, 0, 0, 0, 0, 0)}, {"twist": (-0.05, 0, 0, 0, 0, 0)}),
        ({"base": (0.2, 0, 0)}, {"base": (-0.2, 0, 0)}),
        ({"base": (0.2, 0, 0), "twist": (0.1, 0.03, 0, 0, 0, 0)}, {"twist": (-0.1, 0, 0, 0, 0, 0)}),
    ],
    ids=["arm", "base", "both"],
)
def test_a_wall_ends_the_motion_and_the_way_back_is_free(into, back):
    spec = tiny_spec(ORIGIN)
    spec.geom("table").pos[:] = (0.5 + 0.3, 0.0, 0.9)
    robot = VirtualRobot(MujocoPlant(empty_house(ORIGIN), 1, model=spec.compile()))
    limit_n = GateLimits().wrist_force_n
    observation, names = drive(robot, robot.observe(), 300, **into, grip=("width", 0.0))
    assert "force" in names
    for _ in range(100):
        observation, _ = drive(robot, observation, 1, **into, grip=("width", 0.0))
        assert np.linalg.norm(observation.wrist_wrench_in_tool[:3]) < 1.1 * limit_n
    observation, _ = drive(robot, observation, 60, **back, grip=("width", 0.0))
    assert np.linalg.norm(observation.wrist_wrench_in_tool[:3]) < 2.0
    assert "force" not in {clamp.name for clamp in observation.applied.clamps}


def test_pressing_on_the_floor_does_not_wind_up():
    limits = GateLimits(wrist_force_n=1e6)
    robot = VirtualRobot(FakePlant(FakeWorld(floor_lift_m=HOME_LIFT_M - 0.01, floor_stiffness_n_m=2e5)), limits)
    observation, names = drive(robot, robot.observe(), 300, twist=(0, 0, -0.1, 0, 0, 0), lift=-0.1)
    assert {"lift_leash", "leash"} & names
    assert abs(observation.command_lag[LIFT]) < 0.04
    observation, _ = drive(robot, observation, 60, twist=(0, 0, 0.1, 0, 0, 0), lift=0.1)
    assert np.linalg.norm(observation.wrist_wrench_in_tool) == 0.0


def test_a_lift_whose_forearm_runs_onto_a_shelf_does_not_press_on(bare_model):
    """The wrist's sensor feels nothing of it."""
    pitch = np.deg2rad(25.0)
    lift = comfortable_lift(1.1, pitch) + 0.1
    arm = solve_pose(pose(0.62, 0.0, 1.1, pitch), lift)
    assert arm is not None
    free, _ = simulated(bare_model, arm, lift)
    x, y, z = free.data.geom("arm_5_0").xpos
    spec = tiny_spec(ORIGIN)
    spec.delete(spec.geom("table"))
    box = mujoco.mjtGeom.mjGEOM_BOX
    spec.worldbody.add_geom(name="shelf", type=box, size=[0.05, 0.2, 0.01], pos=[x, y, z - 0.15])
    plant, robot = simulated(spec.compile(), arm, lift)
    observation, names, pressing_n = robot.observe(), set(), []
    for _ in range(150):
        observation, clamps = drive(robot, observation, 1, lift=-0.25)
        names |= clamps
        pressing_n.append(plant.data.efc_force[: 3 * plant.data.ncon].max(initial=0.0))
    assert {"lift_held", "lift_leash"} <= names
    assert 50.0 < max(np.convolve(pressing_n, np.full(5, 0.2), "valid")) < 280.0
    assert pressing_n[-1] < 175.0


def test_silence_is_held_ramped_stopped_and_latched():
    robot = VirtualRobot(FakePlant())
    asked = {"twist": (0.1, 0, 0, 0, 0, 0), "base": (0.2, 0.0, 0.0)}
    observation, _ = drive(robot, robot.observe(), 50, **asked, lasts_s=0.01)
    speeds, modes = [], []
    for _ in range(60):
        observation = robot.observe()
        speeds.append(observation.applied.base_velocity_in_base[0])
        modes.append(observation.applied.mode)
    assert modes == ["hold"] * 2 + ["ramp"] * 8 + ["stop"] * 40 + ["fault"] * 10
    assert speeds[:2] == [0.2, 0.2]
    assert all(after <= before for before, after in pairwise(speeds))
    assert set(speeds[10:]) == {0.0}
    assert np.abs(observation.joint_velocity[:8]).max() < 1e-6
    observation, _ = drive(robot, observation, 5, **asked)
    assert observation.applied.mode == "fault"
    assert "fault" in {clamp.name for clamp in observation.applied.clamps}
    robot.side.clear_fault()
    observation, _ = drive(robot, observation, 30, **asked)
    assert observation.applied.mode == "ok"
    assert observation.applied.base_velocity_in_base[0] == 0.2


def test_what_is_held_stays_held_through_a_fault():
    plant = FakePlant(FakeWorld(thing_load_n=2.0))
    robot = VirtualRobot(plant)
    observation, _ = drive(robot, robot.observe(), 150, grip=("force", 15.0))
    for _ in range(80):
        observation = robot.observe()
    assert observation.applied.mode == "fault"
    robot.side.clear_fault()
    for _ in range(20):
        observation = robot.observe()
    assert observation.applied.mode == "stop"
    assert observation.grip_force_n == pytest.approx(15.0, rel=0.02)
    assert abs(plant.thing_slid_m) < 1e-3


def test_a_nan_action_holds_and_is_named():
    robot = VirtualRobot(FakePlant())
    observation, _ = drive(robot, robot.observe(), 20, twist=(0.1, 0, 0, 0, 0, 0))
    robot.act(action(observation, twist=(np.nan, 0, 0, 0, 0, 0)))
    observation = robot.observe()
    assert observation.applied.mode == "hold"
    assert "not_finite" in {clamp.name for clamp in observation.applied.clamps}
    assert np.isfinite(observation.joint_position).all()
    observation, _ = drive(robot, observation, 1, twist=(0.1, 0, 0, 0, 0, 0))
    assert observation.applied.mode == "ok"


def test_a_plant_that_lost_itself_latches_a_fault():
    plant = FakePlant()
    robot = VirtualRobot(plant)
    observation, _ = drive(robot, robot.observe(), 5)
    plant.sense().joint_position[3] = np.nan
    observation, names = drive(robot, observation, 2)
    assert "plant_not_finite" in names
    assert observation.applied.mode == "fault"
    assert np.isfinite(observation.tool_pose_in_base).all()


def test_the_reflex_is_reported():
    plant = FakePlant(FakeWorld(thing_load_n=2.0, friction=0.5))
    robot = VirtualRobot(plant)
    observation, _ = drive(robot, robot.observe(), 150, grip=("force", 6.0))
    assert not observation.applied.slip_reflex
    plant.world = replace(plant.world, thing_load_n=7.0)
    observation, _ = drive(robot, observation, 1, grip=("force", 6.0))
    assert observation.applied.slip_reflex


def test_the_record_hook_sees_every_step_and_replays_it():
    steps = []
    side = RobotSide(
        FakePlant(), on_step=lambda begin_s, command, sensed: steps.append((begin_s, command.copy(), sensed.time_s))
    )
    observation = side.first()
    for _ in range(20):
        observation = side.tick(action(observation, twist=(0.05, 0.0, 0.05, 0, 0, 0), base=(0.1, 0, 0), lift=0.02))
    assert [round(begin_s / PLANT_STEP_S) for begin_s, _, _ in steps] == list(range(20 * STEPS_PER_TICK))
    twin = FakePlant()
    for _, command, _ in steps:
        twin.apply(command)
    np.testing.assert_array_equal(twin.sense().joint_position, observation.joint_position)
    assert steps[-1][2] == observation.time_s == pytest.approx(20 * TICK_S)


def test_the_same_actions_give_the_same_observations_bit_for_bit(bare_model):
    def run():
        robot = VirtualRobot(MujocoPlant(empty_house(ORIGIN), 7, model=bare_model))
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([5])))
        observation, seen = robot.observe(), []
        for _ in range(30):
            twist, base = rng.normal(size=6) * 0.2, rng.normal(size=3) * 0.3
            observation, _ = drive(robot, observation, 1, twist=twist, base=base, grip=("force", 5.0))
            seen.append(encode(msgspec.structs.replace(observation)))
        return seen

    assert run() == run()


def test_a_tick_costs_little_beside_the_plant():
    plant = FakePlant()
    robot = VirtualRobot(plant)
    observation = robot.observe()
    frozen, touched = plant.sense(), plant.touch()
    plant.apply = lambda command: None
    plant.touch = lambda: touched

    asked = action(observation)

    def prepare() -> None:
        nonlocal asked
        frozen.time_s += TICK_S
        asked = action(observation, twist=(0.001, 0, 0, 0, 0, 0))

    def tick() -> None:
        nonlocal observation
        robot.act(asked)
        observation = robot.observe()

    assert quickest_s(tick, 250e-6, prepare) < 250e-6
    prepare()
    assert calls_of(tick) <= 420


def test_at_the_end_of_its_reach_the_tool_stands_and_comes_back(bare_model):
    plant = MujocoPlant(empty_house(ORIGIN), 1, model=bare_model)
    robot = VirtualRobot(plant)
    observation, names = drive(robot, robot.observe(), 300, twist=(0.2, 0, 0, 0, 0, 0))
    assert "reach" in names
    stands = observation.tool_pose_in_base
    observation, _ = drive(robot, observation, 100, twist=(0.2, 0, 0, 0, 0, 0))
    np.testing.assert_allclose(observation.tool_pose_in_base, stands, atol=0.002)
    assert abs(stands[2] - 0.9) < 0.01, "it slid along the limit"
    observation, _ = drive(robot, observation, 50, twist=(-0.2, 0, 0, 0, 0, 0))
    assert observation.tool_pose_in_base[0] < stands[0] - 0.05


def test_a_link_that_is_held_back_is_not_pushed_harder():
    """The wrist feels nothing of what holds an elbow: set points stop, and the way back is free at once."""

    class Held(FakePlant):
        def apply(self, command):
            arm = command.arm_position_rad
            arm[1] = min(float(arm[1]), self.most_rad)
            super().apply(command)

        most_rad = np.inf

    plant = Held()
    robot = VirtualRobot(plant)
    observation = robot.observe()
    plant.most_rad = float(observation.joint_position[ARM][1]) + 0.02
    ahead, names = drive(robot, observation, 200, twist=(0.15, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert "link_force" in names
    most = ARM_LEASH_RAD + 2.0 * ARM_MAX_VELOCITY_RAD_S * TICK_S
    assert np.all(np.abs(ahead.command_lag[ARM]) < most)
    back, _ = drive(robot, ahead, 60, twist=(-0.15, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert back.tool_pose_in_base[0] < ahead.tool_pose_in_base[0] - 0.04
