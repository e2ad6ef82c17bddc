"""Laws of planar motion: poses, distances, paths, following, doors, frontiers."""

import heapq
import math

import numpy as np
import pytest
from flat_robot import FlatRobot
from flat_world import FlatBase, FlatWorld, Leaf, boxes_of_corners, random_house, walls_with_gaps
from hypothesis import given
from hypothesis import strategies as st

from controllers.motion import se2
from controllers.motion.doors import find_doorway, is_passable, plan_push, push_along, push_from, without_leaf
from controllers.motion.explore import choose_frontier, frontiers
from controllers.motion.follow import FULL_MUG, BaseLimits, arrived, follow, keep_clear, stop
from controllers.motion.grid import Raster, distance_to, travel_costs
from controllers.motion.paths import (
    FOOTPRINT_RADIUS_M,
    NoPath,
    Path,
    Travel,
    cost_grid,
    is_blocked,
    plan_path,
    polyline_samples,
    reachable_mask,
)

finite = st.floats(-50, 50)
poses = st.tuples(finite, finite, st.floats(-3.1, 3.1))


def generator(*seed):
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))


def grid_of(world, x0=-0.5, y0=-0.5, x1=10.5, y1=8.5, unknown_right_of=np.inf, **how):
    """What a perfect map of a FlatWorld would give."""
    raster = Raster(x0, y0, 0.05, 2 * round((y1 - y0) / 0.1), 2 * round((x1 - x0) / 0.1))
    rows, columns = np.meshgrid(np.arange(raster.rows), np.arange(raster.columns), indexing="ij")
    centres = raster.centres(rows, columns)
    occupied = np.zeros(rows.shape, np.bool_)
    for x, y, yaw, hx, hy in world.boxes:
        local = se2.rotate(-yaw, centres - (x, y))
        # A cell is occupied when any of it is, as a scan would have it.
        occupied |= (np.abs(local[..., 0]) <= hx + 0.025) & (np.abs(local[..., 1]) <= hy + 0.025)
    unknown = (centres[..., 0] > unknown_right_of) & ~occupied
    return cost_grid(raster, occupied=occupied, unknown=unknown, dismissed=np.zeros_like(unknown), **how)


@given(poses, poses, st.tuples(finite, finite))
def test_poses_form_a_group_that_acts_on_points(a, b, point):
    np.testing.assert_allclose(se2.compose(a, se2.inverse(a)), 0.0, atol=1e-9)
    np.testing.assert_allclose(se2.transform_points(a, se2.transform_points(b, point)), apply(a, b, point), atol=1e-9)
    back = se2.compose(a, se2.between(a, b)) - b
    np.testing.assert_allclose((*back[:2], se2.wrap(back[2])), 0.0, atol=1e-9)


def apply(a, b, point):
    return se2.transform_points(se2.compose(a, b), point)


@pytest.mark.parametrize("seed", range(5))
def test_distance_and_travel_cost_equal_their_slow_definitions(seed):
    rng = generator(seed)
    obstacles = rng.random((31, 44)) < 0.08
    rows, columns = np.nonzero(obstacles)
    r, c = np.meshgrid(np.arange(31), np.arange(44), indexing="ij")
    slow = 0.1 * np.sqrt(((r[..., None] - rows) ** 2 + (c[..., None] - columns) ** 2).min(axis=-1))
    np.testing.assert_allclose(distance_to(obstacles, 0.1, 0.8), np.minimum(slow, 0.8), atol=1e-5)

    cost = np.where(obstacles, np.inf, rng.uniform(1.0, 6.0, obstacles.shape)).astype(np.float32)
    free = np.argwhere(~obstacles)
    row, column = free[rng.integers(len(free))].tolist()
    start = (row, column)
    np.testing.assert_allclose(travel_costs(cost, 0.1, start), dijkstra(cost, 0.1, start), rtol=1e-4)


def dijkstra(cost, cell_m, start):
    total, queue = np.full(cost.shape, np.inf), [(0.0, start)]
    total[start] = 0.0
    while queue:
        so_far, (r, c) = heapq.heappop(queue)
        if so_far > total[r, c]:
            continue
        for v, w in [(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]:
            if 0 <= v < cost.shape[0] and 0 <= w < cost.shape[1] and np.isfinite(cost[v, w]):
                offer = so_far + 0.5 * cell_m * (cost[r, c] + cost[v, w]) * math.hypot(v - r, w - c)
                if offer < total[v, w]:
                    total[v, w] = offer
                    heapq.heappush(queue, (offer, (v, w)))
    return total


@pytest.mark.parametrize("seed", range(20))
def test_paths_lead_to_their_goal_with_room_for_the_base(seed):
    world, start = random_house(seed)
    grid, rng = grid_of(world), generator(seed, 1)
    travel, found = Travel(grid, start[:2]), 0
    for goal in rng.uniform((0.2, 0.2), (9.8, 7.8), (12, 2)):
        path = travel.path_to(goal)
        if isinstance(path, Path):
            found += 1
            samples = polyline_samples(path.points_m, 0.02)
            clearance = np.array([world.clearance(p) for p in samples])
            docking = np.hypot(*(samples - path.points_m[-1]).T) < 0.3
            assert clearance[~docking].min(initial=1.0) >= FOOTPRINT_RADIUS_M
            assert clearance.min() >= 0.25, "at an exact goal the raster may err by a cell; `follow` stops before"
            np.testing.assert_allclose(path.points_m[0], start[:2])
            assert np.hypot(*(path.points_m[-1] - goal)) == pytest.approx(path.goal_offset_m, abs=1e-9)
            assert np.isfinite(travel.costs_to(goal)) or path.goal_offset_m > 0.0
        else:
            assert world.clearance(goal) < 0.4, f"{path.reason} at {goal}"
    assert found >= 4


def test_a_missing_path_says_why_and_tolerance_snaps_to_the_nearest_free_floor():
    wall = walls_with_gaps(5, 0, 5, 8, [])
    block = (2.0, 4.0, 3.0, 5.0)
    outer = [*walls_with_gaps(0, 0, 10, 0, []), *walls_with_gaps(0, 8, 10, 8, []), *walls_with_gaps(0, 0, 0, 8, [])]
    world = FlatWorld(boxes_of_corners([*wall, *outer, *walls_with_gaps(10, 0, 10, 8, []), block]))
    grid = grid_of(world, unknown_right_of=8.0)
    reasons = {
        name: plan_path(grid, (1, 1), goal)
        for name, goal in {
            "cut-off": (6.5, 4),
            "goal-blocked": (2.5, 4.5),
            "goal-unknown": (9, 4),
            "goal-outside": (30, 0),
        }.items()
    }
    for reason, path in reasons.items():
        assert path == NoPath(reason)
    assert plan_path(grid, (-9, -9), (1, 1)) == NoPath("start-outside")
    snapped = plan_path(grid, (1, 1), (1.9, 4.5), tolerance_m=0.4)
    assert isinstance(snapped, Path)
    assert 0.0 < snapped.goal_offset_m <= 0.4
    reached = reachable_mask(grid, (1, 1))
    assert reached[grid.coarse.cells((4, 7))]
    assert not reached[grid.coarse.cells((6.5, 4))]


def test_a_path_is_blocked_by_what_comes_to_stand_in_it_and_by_nothing_else():
    outer = [*walls_with_gaps(0, 0, 10, 0, []), *walls_with_gaps(0, 4, 10, 4, [])]
    path = plan_path(grid_of(FlatWorld(boxes_of_corners(outer))), (1, 2), (9, 2))
    assert isinstance(path, Path)
    beside, within = (4.0, 2.7, 4.4, 3.1), (3.0, 1.9, 3.2, 2.2)
    for box, blocked in ((beside, False), (within, True)):
        assert is_blocked(grid_of(FlatWorld(boxes_of_corners([*outer, box]))), path, (1.5, 2.0)) is blocked
    passed = grid_of(FlatWorld(boxes_of_corners([*outer, within])))
    assert not is_blocked(passed, path, (4.0, 2.0))


def simulate(path, pose, limits, final_yaw, seconds, obstacles=None):
    """Poses and commands of a perfect base that follows a path."""
    pose, command, poses, commands = np.array(pose, dtype=float), np.zeros(3), [], []
    for _ in range(int(seconds / 0.01)):
        points = None if obstacles is None else se2.transform_points(se2.inverse(pose), obstacles)
        command = follow(path, pose, command, limits=limits, final_yaw_rad=final_yaw, obstacles_in_base_m=points)
        pose = se2.compose(pose, command * 0.01)
        poses.append(pose)
        commands.append(command)
    return np.array(poses), np.array(commands)


@pytest.mark.parametrize("limits", [BaseLimits(), FULL_MUG])
def test_following_docks_exactly_within_its_limits_and_does_not_swing(limits):
    path = Path(np.array(((0.0, 0.0), (1.5, 0.0), (1.5, 1.2), (3.0, 2.0))), 4.4, 1.0)
    poses, commands = simulate(path, (0, 0, 2.0), limits, -1.0, 25.0)
    error = se2.between((3.0, 2.0, -1.0), poses[-1])
    assert np.hypot(error[0], error[1]) < 0.002
    assert abs(error[2]) < math.radians(0.2)
    assert arrived(path, poses[-1], -1.0)
    speed = np.hypot(commands[:, 0], commands[:, 1])
    assert speed.max() == pytest.approx(limits.speed_m_s, rel=0.02)
    # Acceleration in the room, not in turning base axes.
    world = np.array([se2.rotate(p[2], c[:2]) for p, c in zip(poses, commands, strict=True)])
    assert np.hypot(*np.diff(world, axis=0).T).max() <= 0.01 * limits.acceleration_m_s2 * 1.05 + 2e-4
    assert np.abs(np.diff(commands[:, 2])).max() <= 0.01 * limits.yaw_acceleration_rad_s2 + 1e-9
    near = np.hypot(*(poses[:, :2] - (3.0, 2.0)).T)
    assert np.diff(near)[np.argmax(near < 0.3) :].max() < 1e-5, "it comes nearer to the goal all the time"


def test_the_base_stops_before_what_its_path_does_not_know():
    path = Path(np.array(((0.0, 0.0), (4.0, 0.0))), 4.0, 1.0)
    wall = np.stack((np.full(81, 2.0), np.linspace(-2, 2, 81)), axis=-1)
    poses, commands = simulate(path, (0, 0, 0), BaseLimits(), 0.0, 10.0, wall)
    assert 2.0 - poses[:, 0].max() >= FOOTPRINT_RADIUS_M
    assert np.abs(commands[-1]).max() < 0.01
    assert np.abs(stop(np.array((0.5, 0.0, 0.0)))).max() < 0.5


@given(st.tuples(st.floats(-0.56, 0.56), st.floats(-0.56, 0.56)), st.integers(0, 1000))
def test_keeping_clear_never_speeds_up_towards_anything(velocity, seed):
    points = generator(seed).uniform(-1, 1, (12, 2))
    points *= np.maximum(1.0, 0.3 / np.hypot(*points.T))[:, None]
    out = keep_clear(np.array(velocity), points, BaseLimits())
    distance = np.hypot(*points.T)
    towards = (points / distance[:, None]) @ out
    assert np.all(towards <= np.sqrt(0.8 * np.maximum(0.0, distance - 0.28)) + 0.031)
    assert np.hypot(*out) <= np.hypot(*velocity) + 1e-9


@pytest.mark.parametrize("angle", [-1.2, -0.5, 0.0, 0.6, 1.3])
@pytest.mark.parametrize("hinge", [-1, 1])
def test_the_doorway_of_a_leaf_is_found_from_its_posts(angle, hinge):
    walls = boxes_of_corners(walls_with_gaps(3, 0, 3, 4, [(1.5, 2.4)]))
    leaf = Leaf((3, 1.95 + hinge * 0.45), -hinge * math.pi / 2, 0.9, angle)
    boxes = np.concatenate((walls, leaf.box()[None]))
    world = FlatWorld(boxes)

    def occupied_at(points):
        return np.array([world.clearance(p) < 0.02 for p in points.reshape(-1, 2)]).reshape(points.shape[:-1])

    door = find_doorway(leaf.box()[:2], math.pi, 0.9, abs(angle) / 1.62, occupied_at)
    assert door is not None
    np.testing.assert_allclose(door.position_in_map_m, (3, 1.95), atol=0.06)
    normal = abs(math.cos(door.leaf_yaw_in_map_rad - leaf.box()[2]))
    assert normal < 0.1, "the leaf's normal is across the leaf"
    push = plan_push(door, (1.0, 2.2))
    np.testing.assert_allclose(push.approach_pose_in_map, (2.25, 1.95, 0.0), atol=0.07)
    np.testing.assert_allclose(push.end_pose_in_map, (3.75, 1.95, 0.0), atol=0.07)
    there_and_back = plan_push(door, (5.0, 1.0))
    np.testing.assert_allclose(there_and_back.approach_pose_in_map[:2], push.end_pose_in_map[:2])
    aside = push_from(door, (2.3, 1.4))
    assert aside is not None
    np.testing.assert_allclose(aside.approach_pose_in_map[:2], (2.3, 1.4), atol=1e-9)
    np.testing.assert_allclose(aside.end_pose_in_map, push.end_pose_in_map)
    assert push_from(door, (2.9, 1.0)) is None, "along the wall"
    assert push_from(door, (1.0, 1.95)) is None, "too far off"


def test_a_doorway_is_settled_once_its_posts_were_seen_and_not_before():
    posts = boxes_of_corners(walls_with_gaps(3, 0, 3, 4, [(1.5, 2.4)]))
    leaf = Leaf((3, 2.4), -math.pi / 2, 0.9, 0.6)

    def seen_with(boxes):
        world = FlatWorld(boxes)

        def occupied_at(points):
            return np.array([world.clearance(p) < 0.02 for p in points.reshape(-1, 2)]).reshape(points.shape[:-1])

        return find_doorway(leaf.box()[:2], math.pi, 0.9, 0.6 / 1.62, occupied_at)

    clear = seen_with(np.concatenate((posts, leaf.box()[None])))
    assert clear is not None
    assert clear.margin > 0.3
    everywhere = seen_with(boxes_of_corners([(x, 0.0, x + 0.02, 4.0) for x in np.arange(2.0, 4.0, 0.05)]))
    assert everywhere is not None
    assert everywhere.margin < 0.3


def test_a_shut_door_is_a_frontier_costs_extra_and_is_pushed_through():
    outer = [*walls_with_gaps(0, 0, 6, 0, []), *walls_with_gaps(0, 4, 6, 4, [])]
    outer += [*walls_with_gaps(0, 0, 0, 4, []), *walls_with_gaps(6, 0, 6, 4, [])]
    boxes = boxes_of_corners([*outer, *walls_with_gaps(3, 0, 3, 4, [(1.5, 2.4)])])
    leaf = Leaf((3, 2.4), -math.pi / 2, 0.9, 0.0)
    start = np.array((1.0, 1.0, 0.2))
    robot = FlatRobot(FlatBase(FlatWorld(boxes, [leaf]), start))
    robot.look_around()
    there = se2.between(start, (4.5, 2.0, 0.0))
    assert isinstance(plan_path(robot.map.costs(), robot.pose.now[:2], there[:2]), NoPath)
    doors, grid = robot.map.doorways(), robot.map.costs(push_doors=True)
    view = choose_frontier(frontiers(grid, doors), Travel(grid, robot.pose.now[:2]), robot.pose.now, doors)
    assert view is not None
    assert view.push is not None
    assert view.door == "door-0"
    before = se2.transform_points(robot.pose.now, robot.obstacles())
    assert not is_passable(before, doors["door-0"])
    assert robot.push(view.push, view.door)
    assert robot.base.pose[0] > 3.6
    assert robot.base.least_clearance >= 0.26
    # Seen from behind, the leaf stands open: its sweep is not an obstacle, the posts still are.
    kept = without_leaf(se2.transform_points(robot.pose.now, robot.obstacles()), doors["door-0"])
    assert len(kept) > 0
    robot.look_around()
    grid = robot.map.costs(push_doors=True)
    back = plan_path(grid, robot.pose.now[:2], se2.between(start, (1.0, 1.0, 0.0))[:2])
    assert isinstance(back, Path)
    if back.doors:
        assert (
            push_along(back, robot.map.doorways()["door-0"]).approach_pose_in_map[0]
            > view.push.end_pose_in_map[0] - 0.2
        )


def test_frontiers_lie_between_free_and_unknown_and_the_kept_one_is_kept():
    outer = [*walls_with_gaps(0, 0, 10, 0, []), *walls_with_gaps(0, 4, 10, 4, []), *walls_with_gaps(0, 0, 0, 4, [])]
    grid = grid_of(FlatWorld(boxes_of_corners(outer)), y1=4.5, unknown_right_of=6.0)
    inside = [f for f in frontiers(grid) if 0 < f.y_m < 4 and f.x_m > 0]
    assert [round(f.x_m, 1) for f in inside] == [6.0]
    assert inside[0].size_m == pytest.approx(3.9, abs=0.4)
    travel = Travel(grid, (2, 2))
    view = choose_frontier(inside, travel, (2, 2, 0))
    assert view is not None
    assert view.pose_in_map[2] == pytest.approx(0.0, abs=0.3)
    kept = choose_frontier(inside, travel, (2, 2, 0), keep_xy=(inside[0].x_m, inside[0].y_m))
    assert kept is not None
    assert kept.score < view.score
    assert choose_frontier([], travel, (2, 2, 0)) is None


def test_the_hand_is_not_turned_into_what_stands_beside_it():
    wall = np.stack((np.linspace(-2, 2, 161), np.full(161, 0.4)), axis=-1)
    here = Path(np.array(((0.0, 0.0), (0.0, 0.0))), 0.0, 1.0)
    for reach_m in (0.0, 0.48):
        pose, command = np.zeros(3), np.zeros(3)
        for _ in range(500):
            points = se2.transform_points(se2.inverse(pose), wall)
            command = follow(here, pose, command, final_yaw_rad=1.5, obstacles_in_base_m=points, front_reach_m=reach_m)
            pose = se2.compose(pose, (0.0, 0.0, command[2] * 0.01))
        corner = se2.transform_points(pose, (reach_m, 0.09))
        assert (corner[1] < 0.4) if reach_m else (abs(pose[2] - 1.5) < 0.02)
