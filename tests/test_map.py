"""Laws of map and pose: what was seen is where it is, drift stays bounded, and a house never seen is explored."""

import math

import numpy as np
import pytest
from flat_robot import FlatRobot
from flat_world import RAYS, FlatBase, FlatWorld, boxes_of_corners, flat_house, random_house

from agent.belief.map import OccupancyMap
from agent.belief.pose import PoseEstimate
from agent.messages import Scan
from controllers.motion import se2
from sim.house.generate import generate_house

ROOM = [(-3, -2, -2.9, 2), (2.9, -2, 3, 2), (-3, -2, 3, -1.9), (-3, 1.9, 3, 2)]


def scan_of(world, pose, time_s=0.0):
    return Scan(
        time_s=time_s,
        first_angle_rad=-math.pi,
        step_rad=2 * math.pi / RAYS,
        ranges_m=world.ranges(pose).astype(np.float32),
    )


def test_a_room_is_free_inside_occupied_at_its_walls_and_unknown_behind():
    world, occupancy = FlatWorld(boxes_of_corners(ROOM)), OccupancyMap()
    for k in range(12):
        pose = np.array((0.3, 0.2, 0.1 * k))
        occupancy.update(pose, scan_of(world, pose))
    states = {name: occupancy.state_at(at) for name, at in {"in": (-2, 1), "wall": (0, 1.91), "out": (0, 3)}.items()}
    assert states == {"in": "free", "wall": "occupied", "out": "unknown"}


def test_what_moves_away_is_forgotten_and_a_single_ray_without_echo_clears_nothing():
    box = (1.0, -0.3, 1.3, 0.3)
    full, empty = FlatWorld(boxes_of_corners([*ROOM, box])), FlatWorld(boxes_of_corners(ROOM))
    occupancy, pose = OccupancyMap(), np.zeros(3)
    for _ in range(10):
        occupancy.update(pose, scan_of(full, pose))
    faulty = scan_of(full, pose)
    faulty.ranges_m[RAYS // 2] = np.inf
    for _ in range(20):
        occupancy.update(pose, faulty)
    assert occupancy.state_at((1.02, 0.02)) == "occupied"
    for _ in range(20):
        occupancy.update(pose, scan_of(empty, pose))
    assert occupancy.state_at((1.02, 0.02)) == "free"


def test_the_map_says_where_it_ends():
    occupancy, pose = OccupancyMap(side_m=12.0), np.array((3.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="edge of a map"):
        occupancy.update(pose, scan_of(FlatWorld(boxes_of_corners(ROOM)), pose))
    with pytest.raises(ValueError, match="empty"):
        OccupancyMap().costs()


def test_history_places_the_past_with_the_pose_of_that_time():
    pose = PoseEstimate()
    for k in range(200):
        pose.update(0.01 * k, (5.0 + 0.005 * k, 0.0, 0.02 * k))
    start = np.array((5.0, 0.0, 0.0))
    for time_s, k in ((1.99, 199), (1.905, 190.5), (1.90, 190)):
        expected = se2.between(start, (5.0 + 0.005 * k, 0.0, se2.wrap(0.02 * k)))
        np.testing.assert_allclose(pose.at(time_s), expected, atol=1e-9)
        np.testing.assert_allclose(se2.compose(pose.now, pose.moved_since(time_s)), pose.at(time_s), atol=1e-9)
    with pytest.raises(ValueError, match="came after"):
        pose.update(1.0, (0, 0, 0))


def test_a_scan_that_does_not_fit_changes_nothing():
    world, occupancy, pose = FlatWorld(boxes_of_corners(ROOM)), OccupancyMap(), PoseEstimate()
    pose.update(0.0, (0.0, 0.0, 0.0))
    for _ in range(10):
        occupancy.update(pose.now, scan_of(world, np.zeros(3)))
    strange = Scan(
        time_s=0.0,
        first_angle_rad=-math.pi,
        step_rad=2 * math.pi / RAYS,
        ranges_m=np.linspace(0.5, 2.5, RAYS).astype(np.float32),
    )
    before = pose.now
    assert not pose.correct(strange, occupancy)
    assert pose.last_match in {"poor-fit", "too-little-known", "too-far"}
    np.testing.assert_array_equal(pose.now, before)


def test_five_minutes_of_drift_stay_below_ten_centimetres():
    world, start = random_house(3)
    robot = FlatRobot(FlatBase(world, start, seed=3))
    assert robot.explore()
    rng = np.random.Generator(np.random.PCG64(3))
    drift_m = 0.0
    while robot.base.time_s < 300.0:
        goal = free_pose(world, rng)
        assert robot.go_to(se2.between(start, goal))
        raw = se2.compose(se2.inverse((3.0, -1.0, 0.7)), robot.base.odom) - robot.base.true_in_map()
        drift_m = max(drift_m, float(np.hypot(raw[0], raw[1])))
    assert drift_m > 0.3, "odometry alone must have drifted, or this shows nothing"
    assert robot.worst_error_m < 0.10
    assert robot.worst_jump_m <= 0.10


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_houses_never_seen_are_explored_and_goals_reached_without_touching_anything(seed):
    world, start = random_house(seed)
    robot = FlatRobot(FlatBase(world, start, seed=seed))
    assert robot.explore()
    rng = np.random.Generator(np.random.PCG64(seed))
    for _ in range(2):
        goal = free_pose(world, rng)
        assert robot.go_to(se2.between(start, goal)), f"{goal} at {robot.base.time_s:.0f} s"
        error = se2.between(goal, robot.base.pose)
        assert np.hypot(error[0], error[1]) < 0.10
    assert robot.base.least_clearance >= 0.26


@pytest.mark.parametrize("index", [1, 2])
def test_generated_houses_are_explored_through_their_doors(index):
    house = generate_house("train", index)
    world, start = flat_house(house)
    robot = FlatRobot(FlatBase(world, start, seed=index))
    assert robot.explore()
    assert robot.base.least_clearance >= 0.26
    seen = [robot.map.state_at(se2.between(start, ((r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2, 0))[:2]) for r in house.rooms]
    assert "unknown" not in seen


def test_the_same_run_twice_is_the_same():
    def run():
        world, start = random_house(1)
        robot = FlatRobot(FlatBase(world, start, seed=1))
        robot.explore(limit_s=8.0)
        return robot.pose.now, robot.map.log_odds, np.array(robot.commands)

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


def free_pose(world, rng):
    while True:
        xy = rng.uniform((0.4, 0.4), (9.6, 7.6))
        if world.clearance(xy) > 0.4:
            return np.array((*xy, rng.uniform(-math.pi, math.pi)))
