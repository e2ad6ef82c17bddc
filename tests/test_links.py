"""Laws of the wire: the same bits as in-process, nothing malformed matters, and each side notices the other's end."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zmq
from robot_service import served
from stalls import while_undisturbed

from agent.links.remote_robot import RemoteRobot, RobotLostError
from agent.messages import (
    PROTOCOL,
    Action,
    Advance,
    FromRobot,
    Hello,
    Observation,
    Refusal,
    Welcome,
    decode_from_robot,
    encode,
)
from agent.planner.client import PlannerClient
from agent.planner.process import serve
from agent.planner.symbolic import SymbolicPlanner
from controllers.fake_plant import FakePlant
from controllers.loopback import NotLocalError
from controllers.realtime_robot import RealtimeRobot
from controllers.robot import Robot
from controllers.server import SEND_QUEUE, RobotServer
from controllers.virtual_robot import VirtualRobot


def policy(seen: Observation, expires_in_s: float = 0.05) -> Action:
    """Moves everything, as a deterministic function of what is observed."""
    swing = np.sin(np.arange(6.0) + 0.07 * seen.sequence)
    return Action(
        sequence=seen.sequence,
        valid_from_s=seen.time_s,
        expires_s=seen.time_s + expires_in_s,
        tool_twist_in_base=np.array([0.05 * swing + 0.01 * seen.tool_pose_in_base[:6]]),
        grip_mode="force" if seen.sequence % 40 > 20 else "width",
        grip=5.0 if seen.sequence % 40 > 20 else 0.04,
        base_velocity_in_base=np.array([0.1, 0.02, 0.2]) * swing[:3],
        lift_rate_m_s=0.02,
        head_rate_rad_s=0.3 * swing[:2],
    )


def virtual_robot() -> Robot:
    return VirtualRobot(FakePlant())


def realtime_robot() -> Robot:
    return RealtimeRobot(FakePlant(), waiting=SEND_QUEUE)


@contextmanager
def elsewhere(mode: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A robot served by another process: its address and the process."""
    script = str(Path(__file__).with_name("fake_robot_process.py"))
    with subprocess.Popen(
        [sys.executable, script, mode, "tcp://127.0.0.1:*"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


@contextmanager
def tunnel_to(address: str) -> Iterator[str]:
    """The address of another port here whose bytes go to and come from `address`, as `ssh -L` gives one."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with source, suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)

    def connect() -> None:
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
        back = threading.Thread(target=pump, args=(far, near))
        back.start()
        pump(near, far)
        back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20.0)
        thread = threading.Thread(target=connect)
        thread.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


class RawAgent:
    """Sends whatever it is told to."""

    def __init__(self, address: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(address)

    def send(self, *frames: bytes) -> None:
        self._socket.send_multipart(list(frames))

    def ask(self, message: msgspec.Struct) -> FromRobot:
        self.send(encode(message))
        while True:
            assert self._socket.poll(5000), "no answer"
            if data := self._socket.recv():  # empty: the robot looks whether anyone is there
                return decode_from_robot(data)

    def __enter__(self) -> "RawAgent":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()


# Virtual time.


def test_through_a_tunnel_come_the_same_bits() -> None:
    here = virtual_robot()
    with elsewhere("virtual") as (address, _), tunnel_to(address) as near_end, RemoteRobot(near_end) as there:
        for _ in range(50):
            near, far = here.observe(), there.observe()
            assert encode(near) == encode(far)
            here.act(policy(near))
            there.act(policy(far))
    here.close()


def test_in_virtual_time_another_process_gives_the_same_bits() -> None:
    here = virtual_robot()
    with elsewhere("virtual") as (address, _), RemoteRobot(address) as there:
        assert there.virtual_time
        for tick in range(300):
            near, far = here.observe(), there.observe()
            assert near.sequence == tick
            assert encode(near) == encode(far)
            # Now and then the mind says nothing, then several things at once.
            for _ in range((1, 1, 0, 2)[tick % 4]):
                ours, theirs = policy(near), policy(far)
                assert encode(ours) == encode(theirs)
                here.act(ours)
                there.act(theirs)
    here.close()


def test_every_session_begins_in_the_initial_state_and_one_agent_has_the_robot() -> None:
    with served(virtual_robot, virtual=True) as server:
        first = RemoteRobot(server.address)
        before = [encode(first.observe()) for _ in range(3)]
        with pytest.raises(RobotLostError, match="another agent has this robot"):
            RemoteRobot(server.address)
        assert first.observe().sequence == 3  # it noticed nothing
        first.close()
        with RemoteRobot(server.address) as second:
            assert [encode(second.observe()) for _ in range(3)] == before


def test_a_dead_agent_does_not_keep_the_robot() -> None:
    with served(virtual_robot, virtual=True) as server:
        with RawAgent(server.address) as dying:
            assert isinstance(dying.ask(Hello()), Welcome)
        time.sleep(0.05)  # gone without a farewell
        with RemoteRobot(server.address) as heir:
            assert heir.observe().sequence == 0


def test_a_tick_asked_twice_runs_once_and_a_lost_one_is_not_passed_over() -> None:
    with served(virtual_robot, virtual=True) as server, RawAgent(server.address) as agent:
        welcome = agent.ask(Hello())
        assert isinstance(welcome, Welcome)
        first = agent.ask(Advance(session=welcome.session, count=0))
        assert isinstance(first, Observation)
        assert encode(agent.ask(Advance(session=welcome.session, count=0))) == encode(first)
        skipped = agent.ask(Advance(session=welcome.session, count=2))
        assert isinstance(skipped, Refusal)
        after = agent.ask(Advance(session=welcome.session, count=1))
        assert isinstance(after, Observation)
        assert after.sequence == first.sequence + 1
        assert isinstance(agent.ask(Advance(session=welcome.session + 1, count=2)), Refusal)


def test_another_protocol_is_refused_with_both_versions() -> None:
    with served(virtual_robot, virtual=True) as server, RawAgent(server.address) as agent:
        answer = agent.ask(Hello(protocol=PROTOCOL + 1, version="9.9"))
        assert isinstance(answer, Refusal)
        assert f"protocol {PROTOCOL}" in answer.reason
        assert "9.9" in answer.reason


# What must not matter.


@pytest.mark.parametrize("virtual", [True, False], ids=["virtual", "realtime"])
def test_malformed_messages_are_counted_and_change_nothing(virtual: bool) -> None:
    make = virtual_robot if virtual else realtime_robot
    with served(make, virtual=virtual) as server:
        with RemoteRobot(server.address) as robot, RawAgent(server.address) as stranger:
            seen = robot.observe()
            action = encode(policy(seen))
            garbage = [b"", b"\xc1", b"\x00" * 4000, action[:-3], action.replace(b"width", b"wydth")]
            for frame in garbage:
                stranger.send(frame)
            stranger.send(action, action)
            stranger.send(action)  # well-formed, but the robot is not this agent's
            deadline = time.monotonic() + 5.0
            while server.counts.malformed < len(garbage) + 1 or server.counts.strangers < 1:
                assert time.monotonic() < deadline, server.counts
                time.sleep(0.002)
            robot.act(policy(seen))
            later = robot.observe()
            assert later.sequence > seen.sequence
            with pytest.raises(ValueError, match="tool_twist_in_base"):
                robot.act(msgspec.structs.replace(policy(seen), tool_twist_in_base=np.zeros((1, 5))))
        assert server.counts.malformed == len(garbage) + 1


def test_an_action_of_wrong_shape_is_refused_by_the_robot_too() -> None:
    with served(virtual_robot, virtual=True) as server, RawAgent(server.address) as agent:
        welcome = agent.ask(Hello())
        assert isinstance(welcome, Welcome)
        first = agent.ask(Advance(session=welcome.session, count=0))
        assert isinstance(first, Observation)
        bad = msgspec.structs.replace(policy(first), base_velocity_in_base=np.zeros(2))
        refused = agent.ask(Advance(session=welcome.session, count=1, action=bad))
        assert isinstance(refused, Refusal)
        assert "base_velocity_in_base" in refused.reason
        assert server.counts.refused_actions == 1
        assert isinstance(agent.ask(Advance(session=welcome.session, count=1)), Observation)


@pytest.mark.parametrize(
    "address",
    ["tcp://0.0.0.0:5570", "tcp://*:5570", "tcp://192.168.1.7:5570", "tcp://[::]:5570", "tcp://robot.lan:1", "udp://x"],
)
def test_only_this_machine_is_served_and_spoken_to(address: str) -> None:
    with pytest.raises(NotLocalError, match="127"):
        RobotServer(virtual_robot, address, virtual_time=True)
    with pytest.raises(NotLocalError, match="127"):
        RemoteRobot(address)
    with pytest.raises(NotLocalError, match="127"):
        serve(address, SymbolicPlanner())
    with pytest.raises(NotLocalError, match="127"):
        PlannerClient(address)


# Real time.


def test_a_silent_agent_meets_the_robots_own_clock_and_what_was_observed_arrives() -> None:
    def fall_silent() -> None:
        seen: list[Observation] = []
        with (
            served(realtime_robot, virtual=False) as server,
            RemoteRobot(server.address, on_skipped=seen.append) as robot,
        ):
            while len(seen) < 20:
                seen.append(robot.observe())
                robot.act(policy(seen[-1]))
            time.sleep(0.9)  # as if hung
            seen.append(robot.observe())
        numbers = [observation.sequence for observation in seen]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == numbers[-1] + 1 > 89
        modes = [observation.applied.mode for observation in seen]
        changes = [mode for mode, before in zip(modes, [None, *modes], strict=False) if mode != before]
        assert changes[-5:] == ["ok", "hold", "ramp", "stop", "fault"]
        assert np.all(seen[-1].applied.base_velocity_in_base == 0.0)

    while_undisturbed(fall_silent)


def test_of_a_burst_the_newest_acts_and_all_are_recorded() -> None:
    arrived: list[tuple[int, bool]] = []

    def note(action: Action, acted: bool) -> None:
        arrived.append((action.sequence, acted))

    with served(realtime_robot, virtual=False, on_action=note) as server, RemoteRobot(server.address) as robot:
        seen = robot.observe()
        for number in range(30):
            robot.act(msgspec.structs.replace(policy(seen, 1.0), sequence=100 + number))
        deadline = time.monotonic() + 5.0
        while robot.observe().applied.sequence != 129:
            assert time.monotonic() < deadline
    assert [sequence for sequence, _ in arrived] == list(range(100, 130))
    assert arrived[-1] == (129, True)
    assert server.counts.superseded == sum(not acted for _, acted in arrived)


# The other side's end.


@pytest.mark.parametrize(("mode", "within_s"), [("virtual", 6.0), ("realtime", 2.0)])
def test_a_killed_robot_is_a_clear_error(mode: str, within_s: float) -> None:
    with elsewhere(mode) as (address, process), RemoteRobot(address) as robot:
        robot.observe()
        process.kill()
        process.wait()
        began = time.monotonic()
        with pytest.raises(RobotLostError, match=r"gone|down"):
            _observe_on(robot)
        assert time.monotonic() - began < within_s


def _observe_on(robot: RemoteRobot) -> None:
    while True:
        robot.observe()


def test_a_robot_that_ends_says_farewell_and_nobody_there_is_a_clear_error() -> None:
    with served(virtual_robot, virtual=True) as server:
        robot = RemoteRobot(server.address)
        robot.observe()
    with pytest.raises(RobotLostError, match="farewell"):
        robot.observe()
    robot.close()
    with pytest.raises(RuntimeError, match="close"):
        robot.observe()
    with pytest.raises(RobotLostError, match="doppio robot --bind"):
        RemoteRobot(server.address, connect_within_s=0.2)
