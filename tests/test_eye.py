"""The hand calibrates the eye: what all detections are off by is told from what is held and seen at once."""

import numpy as np
import pytest
from detections import look, seen

from agent.belief.belief import Belief
from agent.belief.eye import ANOTHER_LOOK_S, EyeError
from agent.frames import Pose, planar
from agent.messages import TICK_S, Subgoal, SubgoalKind
from agent.policies.catalogue import make_policy
from agent.policies.interface import Goal
from agent.skills.approach import Approach
from agent.skills.manipulation import Aim
from agent.skills.putting import InsertPod

HERE = planar(0.0, 0.0, 0.0)
LATENCY_S = 0.08
STD_M = 0.009


def carry(eye, path, error_in_map, noise_m=0.0, base_in_map=HERE, seconds=3.0, random=None):
    """Carry a pod along `path(time_s)`, (3,) in the base frame, seen at 10 Hz, late and with an error in the map."""
    random = random or np.random.default_rng(1)
    error = base_in_map.rotation.T @ np.array([*error_in_map, 0.0])
    for tick in range(int(seconds / TICK_S)):
        now = tick * TICK_S
        eye.feel(now, path(now))
        if tick % 10 == 9:
            at = path(now - LATENCY_S) + error + noise_m * random.standard_normal(3)
            eye.see(look(now - LATENCY_S, seen("pod", tuple(at), std=STD_M)), base_in_map)


def along(time_s):
    return np.array([0.4 + 0.1 * time_s, 0.05 * np.sin(2.0 * time_s), 1.0])


@pytest.mark.parametrize("yaw", [0.0, 2.0])
@pytest.mark.parametrize(("error", "left_m"), [((0.0, 0.0), 0.002), ((0.015, 0.0), 0.006), ((-0.02, 0.02), 0.006)])
def test_what_all_detections_are_off_by_is_found_and_a_good_camera_is_trusted(error, left_m, yaw):
    left = []
    for seed in range(40):
        eye = EyeError()
        random = np.random.default_rng(seed)
        carry(eye, along, error, noise_m=STD_M, base_in_map=planar(3.0, -1.0, yaw), random=random)
        left.append(np.linalg.norm(eye.in_map[:2] - np.array(error)))
        assert eye.in_map[2] == 0.0
    assert np.mean(left) < left_m, "a single look is off by 11 mm in the plane"


def test_a_hand_that_moved_since_the_frame_is_no_error_of_sight():
    eye = EyeError()
    carry(eye, lambda t: np.array([0.3 + 0.45 * t, 0.0, 1.0]), (0.0, 0.0), seconds=2.0)
    assert np.linalg.norm(eye.in_map) < 1e-9


def test_a_detector_that_errs_alike_is_heard_once():
    still = np.array([0.5, 0.0, 1.0])
    once, often = EyeError(), EyeError()
    carry(once, lambda _: still, (0.02, 0.0), seconds=0.1)
    carry(often, lambda _: still, (0.02, 0.0), seconds=0.9 * ANOTHER_LOOK_S)
    assert once.in_map[0] > 0.001
    assert often.in_map == pytest.approx(once.in_map)


def test_something_held_askew_is_forgotten_with_the_next_hold():
    eye = EyeError()
    carry(eye, along, (0.03, 0.0), seconds=6.0)
    assert eye.in_map[0] > 0.025
    eye.feel(6.0, None)
    carry(eye, along, (0.0, 0.0), seconds=6.0)
    assert abs(eye.in_map[0]) < 0.003


@pytest.mark.parametrize(("class_name", "aside_m"), [("pod", 0.06), ("counter", 0.0)])
def test_other_things_and_empty_hands_tell_nothing(class_name, aside_m):
    eye = EyeError()
    eye.feel(0.0, np.array([0.5, 0.0, 1.0]))
    eye.see(look(0.0, seen(class_name, (0.5 + aside_m, 0.0, 1.0))), HERE)
    eye.feel(0.1, None)
    eye.see(look(0.1, seen("pod", (0.51, 0.0, 1.0))), HERE)
    eye.see(look(0.0, seen("pod", (0.51, 0.0, 1.0))), HERE)
    assert not eye.in_map.any()


def test_a_pod_goes_where_the_well_is_and_not_where_it_is_seen():
    belief = Belief()
    skill = InsertPod(Subgoal(id=1, kind=SubgoalKind.INSERT_POD, target="machine-1"), make_policy("scripted"))
    well = planar(2.0, 1.0, 0.5, 1.1)
    skill._aim = Aim(Approach(0.5, 0.35), well, Goal(Pose(np.zeros(3), np.eye(3))), 0.5, 0.01)
    assert skill.target_now(belief).position == pytest.approx([2.0, 1.0, 1.1])
    carry(belief.eye, along, (0.015, -0.01), seconds=6.0)
    assert skill.target_now(belief).position == pytest.approx([1.985, 1.01, 1.1], abs=0.002)
    assert skill.target_now(belief).rotation == pytest.approx(well.rotation)
