"""What every Robot must do, run over every implementation.

To add one, enter a context manager in ROBOTS that gives a fresh robot over a FakePlant and closes what it opened.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager

import msgspec
import numpy as np
import pytest
from robot_service import served
from stalls import while_undisturbed
from test_robot_side import action

from agent.links.remote_robot import RemoteRobot
from agent.messages import TICK_S, Clamp, decode, encode
from agent.messages.observation import Observation
from controllers.fake_plant import FakePlant
from controllers.missed import with_missed
from controllers.realtime_robot import RealtimeRobot
from controllers.robot import Robot
from controllers.virtual_robot import VirtualRobot


@contextmanager
def in_virtual_time():
    robot = VirtualRobot(FakePlant())
    try:
        yield robot
    finally:
        robot.close()


@contextmanager
def in_real_time():
    robot = RealtimeRobot(FakePlant())
    try:
        yield robot
    finally:
        robot.close()


@contextmanager
def remote_in_virtual_time():
    with served(lambda: VirtualRobot(FakePlant()), virtual=True) as server, RemoteRobot(server.address) as robot:
        yield robot


@contextmanager
def remote_in_real_time():
    with served(lambda: RealtimeRobot(FakePlant()), virtual=False) as server, RemoteRobot(server.address) as robot:
        yield robot


ROBOTS: dict[str, Callable[[], AbstractContextManager[Robot]]] = {
    "virtual": in_virtual_time,
    "realtime": in_real_time,
    "remote virtual": remote_in_virtual_time,
    "remote realtime": remote_in_real_time,
}
REAL_TIME = {"realtime", "remote realtime"}


def over_every_robot(check):
    """A test that gives `check` a fresh one of each; in real time again while the machine stands still."""

    @pytest.mark.parametrize("name", ROBOTS)
    def test(name):
        def once():
            with ROBOTS[name]() as robot:
                check(robot)

        if name in REAL_TIME:
            while_undisturbed(once)
        else:
            once()

    return test


def patient(observation, **asked):
    """An action that outlives the hiccups of a busy machine."""
    return action(observation, **asked, lasts_s=0.25)


@over_every_robot
def test_the_first_observation_comes_before_anything_moved(robot):
    first = robot.observe()
    assert first.sequence == 0
    assert first.time_s == 0.0
    assert first.applied.sequence == -1
    assert first.applied.clamps == []


@over_every_robot
def test_time_and_sequence_go_on_together(robot):
    observation = robot.observe()
    for _ in range(20):
        robot.act(patient(observation))
        before, observation = observation, robot.observe()
        ticks = observation.sequence - before.sequence
        assert ticks >= 1
        assert observation.time_s - before.time_s == pytest.approx(ticks * TICK_S)


@over_every_robot
def test_observing_without_acting_goes_on_too(robot):
    times = [robot.observe().time_s for _ in range(10)]
    assert times == sorted(set(times))


@over_every_robot
def test_an_action_shows_in_what_was_applied_and_in_the_body(robot):
    first = observation = robot.observe()
    for _ in range(40):
        robot.act(patient(observation, twist=(0.05, 0, 0, 0, 0, 0), head=(0.5, 0.0)))
        observation = robot.observe()
    applied = observation.applied
    assert applied.mode == "ok"
    assert first.sequence <= applied.sequence < observation.sequence
    np.testing.assert_allclose(applied.tool_twist_in_base, (0.05, 0, 0, 0, 0, 0), atol=1e-3)
    moved = observation.tool_pose_in_base[:3] - first.tool_pose_in_base[:3]
    np.testing.assert_allclose(moved, (0.05 * observation.time_s, 0.0, 0.0), atol=0.005)


@over_every_robot
def test_shapes_and_size_are_those_of_the_message(robot):
    observation = robot.observe()
    data = encode(observation)
    assert len(data) < 8_000
    again = decode(data, Observation)
    assert again.joint_position.shape == again.command_lag.shape == (11,)
    assert again.pad_touch_n.shape == (2, 3, 3, 12, 8)
    assert again.skin_touch_n.shape == (3, 96)
    assert encode(again) == data


@over_every_robot
def test_what_was_returned_does_not_change_afterwards(robot):
    observation = robot.observe()
    kept = encode(observation)
    for _ in range(5):
        robot.act(patient(observation, twist=(0.1, 0, 0, 0, 0, 0), base=(0.1, 0, 0)))
        robot.observe()
    assert encode(observation) == kept


@over_every_robot
def test_acting_returns_at_once(robot):
    observation = robot.observe()
    asked = patient(observation)
    begin = time.perf_counter()
    for _ in range(20):
        robot.act(asked)
    assert time.perf_counter() - begin < 20 * TICK_S / 2


@over_every_robot
def test_a_limit_that_acted_is_reported(robot):
    observation = robot.observe()
    for _ in range(30):
        robot.act(patient(observation, base=(5.0, 0, 0)))
        observation = robot.observe()
    clamps = {clamp.name: clamp for clamp in observation.applied.clamps}
    assert clamps["base_speed"].asked == 5.0
    assert clamps["base_speed"].bound == 0.8
    assert observation.applied.base_velocity_in_base[0] <= 0.8


@over_every_robot
def test_numbers_that_are_none_stop_it_and_malformed_actions_are_refused(robot):
    observation = robot.observe()
    for _ in range(4):
        robot.act(patient(observation, twist=(np.nan,) * 6))
        observation = robot.observe()
    assert np.isfinite(observation.joint_position).all()
    assert observation.applied.mode != "ok"


@over_every_robot
def test_silence_ends_in_a_fault(robot):
    observation = robot.observe()
    robot.act(action(observation, twist=(0.1, 0, 0, 0, 0, 0), base=(0.2, 0, 0), lasts_s=0.02))
    modes = []
    while len(modes) < 200 and (not modes or modes[-1] != "fault"):
        observation = robot.observe()
        modes.append(observation.applied.mode)
    assert modes[-1] == "fault"
    order = [mode for i, mode in enumerate(modes) if i == 0 or modes[i - 1] != mode]
    assert order == [mode for mode in ("ok", "hold", "ramp", "stop", "fault") if mode in order]
    np.testing.assert_array_equal(observation.applied.base_velocity_in_base, 0.0)


@over_every_robot
def test_closing_twice_is_fine_and_nothing_works_after(robot):
    observation = robot.observe()
    robot.close()
    robot.close()
    with pytest.raises(RuntimeError):
        robot.observe()
    with pytest.raises(RuntimeError):
        robot.act(action(observation))


@pytest.mark.parametrize("name", sorted(REAL_TIME))
def test_real_time_is_the_clocks(name):
    def compare() -> None:
        with ROBOTS[name]() as robot:
            first = last = robot.observe()
            begin = time.monotonic()
            for _ in range(30):
                last = robot.observe()
            assert time.monotonic() - begin == pytest.approx(last.time_s - first.time_s, abs=0.05)

    while_undisturbed(compare)


def test_a_missed_camera_frame_comes_with_the_next_observation():
    plant = FakePlant()
    frames = iter([None, "frame", None, None, None])
    plant.look = lambda: (next(frames, None), None)  # type: ignore[method-assign]
    robot = RealtimeRobot(plant)
    robot.observe()
    time.sleep(4 * TICK_S)
    assert robot.observe().look == "frame"
    robot.close()


def test_observations_wait_in_order_and_only_what_finds_no_room_comes_as_one():
    plant = FakePlant()
    looks = [None, None, None, "lost", None, None, None]
    plant.look = lambda: (looks.pop(0) if looks else None, None)  # type: ignore[method-assign]
    robot = RealtimeRobot(plant, waiting=3)
    first = robot.observe()
    for _ in range(500):
        time.sleep(TICK_S)
        if not looks:
            break
    seen = [robot.observe() for _ in range(3)]
    robot.close()
    assert [observation.sequence for observation in seen[:2]] == [first.sequence + 1, first.sequence + 2]
    assert seen[2].sequence > first.sequence + 3
    assert [observation.look for observation in seen] == [None, None, "lost"]


def test_what_the_plant_raises_comes_out_of_observe_after_what_was_observed():
    plant = FakePlant()
    robot = RealtimeRobot(plant)
    first = robot.observe()
    time.sleep(4 * TICK_S)
    plant.close()
    time.sleep(5 * TICK_S)
    assert robot.observe().sequence > first.sequence
    with pytest.raises(RuntimeError, match="this FakePlant is closed"):
        robot.observe()
    robot.close()
    assert robot.scheduling.startswith(("SCHED_FIFO", "ordinary"))


def test_what_happened_in_a_tick_that_nobody_took_comes_with_the_next():
    robot = VirtualRobot(FakePlant())
    missed, newest = robot.observe(), robot.observe()
    robot.close()
    clamp = Clamp(name="force", asked=70.0, bound=60.0)
    pads = missed.pad_touch_n.copy()
    pads[0, 1, 1, 3, 4], pads[:, 2] = -7.0, 1.5
    applied = msgspec.structs.replace(missed.applied, slip_reflex=True, clamps=[clamp])
    missed = msgspec.structs.replace(missed, pad_touch_n=pads, applied=applied)
    both = with_missed(newest, missed)
    assert both.sequence == newest.sequence
    assert both.applied.slip_reflex
    assert clamp in both.applied.clamps
    assert both.pad_touch_n[0, 1, 1, 3, 4] == -7.0
    assert np.allclose(both.pad_touch_n[:, 2], newest.pad_touch_n[:, 2] + np.float16(1.5), atol=0.01)
    assert np.array_equal(both.pad_touch_n[:, 0], newest.pad_touch_n[:, 0])
    assert with_missed(missed, missed).applied.clamps == [clamp], "what goes on for minutes does not pile up"
