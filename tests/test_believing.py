"""Laws of what is believed of doors, doubles and ghosts, and of what counts as looked at. Pure Python."""

from math import cos, pi, sin

import msgspec
import numpy as np
import pytest
from detections import seen

from agent.belief.coverage import Coverage
from agent.belief.entities import Entity, EntityTracker
from agent.belief.hand import Hand
from agent.belief.map import OccupancyMap
from agent.belief.tidying import GHOST_LOOKS, Ghosts, merge_doubles
from agent.frames import planar
from agent.messages import Look, Scan
from controllers.fake_plant import FakePlant
from controllers.motion.doors import SWING_RAD, Doorway, hinge_seen, possible_middles, ram_aside_m
from controllers.motion.explore import look_frontiers
from controllers.virtual_robot import VirtualRobot

HERE = planar(0.0, 0.0, 0.0)
TILT = 0.45


def look(time_s, detections=(), tilt=TILT):
    """A camera 1.5 m above the base's centre that looks along its x axis and `tilt` down."""
    half = 0.5 * (pi / 2 - tilt)
    about_y = np.array([cos(half), 0.0, -sin(half), 0.0])
    about_z = np.array([cos(pi / 4), 0.0, 0.0, -sin(pi / 4)])
    w, x, y, z = about_y
    a, b, c, d = about_z
    turn = (w * a - x * b - y * c - z * d, w * b + x * a + y * d - z * c)
    turn += (w * c - x * d + y * a + z * b, w * d + x * c - y * b + z * a)
    return Look(
        time_s=time_s,
        detections=list(detections),
        camera_pose_in_base=np.array([0.0, 0.0, 1.5, *turn]),
        field_of_view_rad=(1.31, 1.05),
        max_range_m=5.0,
    )


def door(x, y, angle, hinge=1.0, width=0.94, yaw=0.0):
    """A leaf of a doorway at (x, y) with its hinge on the left or right of `yaw`, turned by `angle`."""
    along = np.array([-sin(yaw), cos(yaw)])
    turned = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]) @ (-hinge * along)
    leaf = np.array([x, y]) + 0.5 * width * (hinge * along + turned)
    return seen("door", (*leaf.tolist(), 1.0), yaw, (0.04, width, 2.0), abs(angle) / SWING_RAD, std=0.03)


@pytest.mark.parametrize("hinge", [1.0, -1.0])
@pytest.mark.parametrize("swing", [1.0, -1.0])
def test_a_leaf_stays_the_same_door_while_it_swings_and_its_neighbour_another(hinge, swing):
    entities = EntityTracker()
    for k in range(60):
        angle = swing * min(1.0, k / 50) * SWING_RAD
        entities.update(look(0.1 * k, [door(2.0, 0.0, angle, hinge), door(2.0, 1.4, 0.0, yaw=pi)]), HERE)
    doors = entities.of_class("door")
    assert len(doors) == 2
    assert doors[0].state is not None
    assert doors[0].state == pytest.approx(1.0, abs=0.05)
    assert doors[1].state == pytest.approx(0.0, abs=0.01)
    middles = possible_middles(doors[0].position, doors[0].yaw, 0.94, doors[0].state)
    assert np.linalg.norm(middles - (2.0, 0.0), axis=1).min() < 0.15


def test_a_door_seen_from_its_other_side_keeps_its_normal():
    entities = EntityTracker()
    for k in range(30):
        entities.update(look(0.1 * k, [door(2.0, 0.0, 0.0, yaw=0.02 if k < 15 else 0.02 - pi)]), HERE)
    (leaf,) = entities.of_class("door")
    assert abs(sin(leaf.yaw)) < 0.05


@pytest.mark.parametrize("hinge", [1, -1])
def test_the_scan_tells_the_hinge_of_a_leaf_that_moved_and_the_hand_goes_from_its_edge_to_its_hinge(hinge):
    doorway = Doorway((2.0, 0.0), 0.0, 0.9, 0.0, (2.0, 0.0), 0.0)
    along = np.linspace(0.05, 0.85, 20)
    for angle in (0.2, 0.5, 0.9):
        leaf = np.stack((2.0 + along * sin(angle), hinge * (0.45 - along * cos(angle))), axis=-1)
        assert hinge_seen(leaf, doorway, 0.0) == hinge
    shut = np.stack((np.full(20, 2.0), np.linspace(-0.4, 0.4, 20)), axis=-1)
    assert hinge_seen(shut, doorway, 0.0) == 0
    aside = [hinge * ram_aside_m(depth, hinge) for depth in np.linspace(0.0, 1.1, 12)]
    assert aside[0] < -0.15
    assert aside[-1] > 0.2
    assert np.all(np.diff(aside) >= 0.0)


def furnished():
    """A table with a mug on it, 1.2 m ahead."""
    entities = EntityTracker()
    table = seen("table", (1.3, 0.0, 0.375), pi, (0.8, 1.4, 0.75))
    for k in range(5):
        entities.update(look(0.1 * k, [table, seen("mug", (1.2, 0.1, 0.8))]), HERE)
    return entities


def test_what_is_not_seen_where_nothing_hides_it_is_forgotten_and_what_may_be_hidden_is_not():
    for hidden in (False, True):
        entities, ghosts = furnished(), Ghosts()
        (mug,) = entities.of_class("mug")
        if hidden:
            # A box stands where the line of sight passes.
            entities.remember(seen("box", (1.05, 0.09, 0.86)), HERE, 0.4)
        spared = {mug.id} if hidden else set()
        for k in range(GHOST_LOOKS + 2):
            ghosts.update(look(1.0 + 0.1 * k), HERE, entities, set())
        assert (entities.get(mug.id) is None) != hidden
        assert spared <= {e.id for e in entities.all()}


def test_a_thing_that_is_seen_again_in_time_stays():
    entities, ghosts = furnished(), Ghosts()
    for k in range(4 * GHOST_LOOKS):
        found = [seen("mug", (1.2, 0.1, 0.8))] if k % (GHOST_LOOKS - 1) == 0 else []
        entities.update(look(1.0 + 0.1 * k, found), HERE)
        ghosts.update(look(1.0 + 0.1 * k, found), HERE, entities, set())
    assert len(entities.of_class("mug")) == 1


def test_two_small_things_in_one_spot_become_the_one_seen_more_often():
    entities = furnished()
    (mug,) = entities.of_class("mug")
    double = entities.remember(seen("bowl", (1.22, 0.12, 0.81)), HERE, 0.5)
    apart = entities.remember(seen("bowl", (1.2, 0.3, 0.8)), HERE, 0.5)
    merge_doubles(entities)
    assert {e.id for e in entities.all()} >= {mug.id, apart.id}
    assert entities.get(double.id) is None
    assert mug.class_name == "mug"


def cabinet(state):
    return Entity(
        "cabinet-1",
        np.array([1.2, 0.2, 0.7]),
        1e-4,
        pi,
        1e-4,
        {"cabinet_hinge_left": 1.0},
        size=np.array([0.02, 0.55, 0.75]),
        state=state,
        sightings=9,
    )


def test_one_looks_into_a_cabinet_from_its_front_and_not_from_beyond_its_hinge():
    def fraction(y, state=0.9):
        entities, coverage = EntityTracker(), Coverage()
        entities._entities["cabinet-1"] = cabinet(state)
        for k in range(8):
            coverage.update(look(0.1 * k, tilt=0.75), planar(0.15, y, 0.0), entities)
        return coverage.fraction("cabinet-1")

    assert fraction(0.0) == 1.0
    assert fraction(0.0, state=0.0) == 0.0
    sides = {side: fraction(side * 0.75) for side in (1, -1)}
    assert min(sides.values()) == 0.0


def test_floor_that_the_scan_knows_is_left_to_look_at_until_the_camera_turned_to_it():
    occupancy = OccupancyMap()
    angles = np.linspace(-pi, pi, 240, endpoint=False)
    c, s = np.abs(np.cos(angles)), np.abs(np.sin(angles))
    ranges = np.minimum(2.0 / np.maximum(c, 1e-9), 2.0 / np.maximum(s, 1e-9)).astype(np.float32)
    for k in range(12):
        step = 2 * pi / 240
        scan = Scan(time_s=0.1 * k, first_angle_rad=-pi, step_rad=step, ranges_m=ranges)
        occupancy.update((0.0, 0.0, 0.0), scan)
        occupancy.mark_looked(0.0, 0.65)
    behind = look_frontiers(occupancy.costs(), (0.0, 0.0))
    assert behind
    assert all(abs(np.arctan2(f.y_m, f.x_m)) > 0.6 for f in behind)
    for heading in np.linspace(-pi, pi, 24):
        for _ in range(3):
            occupancy.mark_looked(float(heading), 0.65)
    assert look_frontiers(occupancy.costs(), (0.0, 0.0)) == []


def test_empty_fingers_hold_nothing_that_is_supported():
    robot = VirtualRobot(FakePlant())
    observation = robot.observe()
    robot.close()
    hand = Hand()
    hand.update(observation)
    hand.grasp("mug-1", hand.tool_in_base, 0.4)
    up_in_tool = 20.0 * hand.tool_in_base.rotation.T[:, 2]
    pads = np.zeros_like(observation.pad_touch_n)
    pads[:, 0, 0] = 1.0
    standing = msgspec.structs.replace(
        observation,
        wrist_wrench_in_tool=np.concatenate([up_in_tool, np.zeros(3)]),
        pad_touch_n=pads,
        grip_force_n=96.0,
    )
    for _ in range(40):
        hand.update(standing)
        if hand.supported:
            break
    assert hand.supported
    hand.release()
    hand.update(observation)
    assert not hand.supported
