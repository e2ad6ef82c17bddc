"""A Robot somewhere else: the same seam over ZeroMQ."""

import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Final, Self

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from agent.messages import (
    PROTOCOL,
    Action,
    Advance,
    Farewell,
    FromAgent,
    FromRobot,
    Hello,
    Observation,
    Refusal,
    Welcome,
    check_observation,
    decode_from_robot,
    encode,
)
from controllers.action_window import check_action
from controllers.loopback import check_loopback
from controllers.missed import with_missed
from controllers.sockets import keep_alive

REALTIME_SILENCE_S: Final = 0.5
"""Real time: without an observation for so long the robot is lost; by then it has latched its own fault."""
_ASK_AGAIN_S: Final = 1.0
"""Virtual time: a reconnected link may have lost a message; asking again is harmless."""
_GONE_S: Final = 2.0
"""Virtual time: a robot whose connection is down for so long is not waited for."""


class RobotLostError(RuntimeError):
    """The robot cannot be reached, went away, or refused."""


class RemoteRobot:
    """The robot served at `address` by `doppio robot`; `virtual_time` says which kind of time it runs in."""

    def __init__(
        self,
        address: str,
        *,
        version: str = "",
        connect_within_s: float = 10.0,
        answer_within_s: float = 30.0,
        on_skipped: Callable[[Observation], None] | None = None,
        on_wire: Callable[[bool, bytes], None] | None = None,
    ) -> None:
        """Connects and waits for the robot's welcome.

        `answer_within_s` bounds a tick in virtual time. In real time `observe` returns the newest observation;
        `on_skipped` gets those that came with it and were not returned, for a record of all; `on_wire` gets every
        message as its bytes, with True for those sent. Both may be set later.

        Raises NotLocalError for an address that is not on this machine, RobotLostError if there is no robot, it is
        taken, or it speaks another protocol.
        """
        check_loopback(address)
        self.address = address
        self._answer_within_s = answer_within_s
        self.on_skipped = on_skipped
        self.on_wire = on_wire
        self._action: Action | None = None
        self._count = 0
        self._last_sequence = -1
        self._closed = False
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        keep_alive(self._socket, address)
        # The same name after a broken connection: the session goes on.
        self._socket.setsockopt(zmq.ROUTING_ID, b"agent-" + os.urandom(8))
        self._socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self._socket.setsockopt(zmq.RCVHWM, 0)
        self._watch = _LinkWatch(self._socket)
        self._socket.connect(address)
        try:
            self.welcome: Welcome = self._greet(version, connect_within_s)
        except BaseException:
            self._shut()
            raise

    @property
    def virtual_time(self) -> bool:
        return self.welcome.virtual_time

    def observe(self) -> Observation:
        """The next observation: in virtual time after one tick (but the first), in real time the newest, waited for.

        Raises RobotLostError if the robot does not answer or refuses, and RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("observe() after close()")
        observation = self._advance() if self.virtual_time else self._newest()
        self._last_sequence = observation.sequence
        return observation

    def act(self, action: Action) -> None:
        """Sets what the next tick does; returns at once.

        Raises TypeError or ValueError for a malformed action, and RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("act() after close()")
        check_action(action)
        if self.virtual_time:
            self._action = action
        else:
            self._send(action)

    def close(self) -> None:
        """Gives the robot free and closes the link; further calls do nothing."""
        if not self._closed:
            self._send(Farewell(reason="the agent ends"))
            self._shut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _shut(self) -> None:
        self._closed = True
        self._watch.close()
        self._socket.close(linger=200)  # ms: time for the farewell
        self._context.term()

    def _greet(self, version: str, within_s: float) -> Welcome:
        self._send(Hello(version=version))
        until = monotonic() + within_s
        while True:
            message = self._receive(until)
            if message is None:
                raise RobotLostError(
                    f"no robot answers at {self.address} within {within_s:g} s; "
                    f"is `doppio robot --bind {self.address}` running?"
                )
            if isinstance(message, Refusal):
                raise RobotLostError(f"the robot at {self.address} refuses: {message.reason}")
            if isinstance(message, Welcome):
                if message.protocol != PROTOCOL:
                    raise RobotLostError(f"the robot speaks protocol {message.protocol}, this agent {PROTOCOL}")
                return message

    def _advance(self) -> Observation:
        action, self._action = self._action, None
        advance = Advance(session=self.welcome.session, count=self._count, action=action)
        self._count += 1
        until = monotonic() + self._answer_within_s
        while monotonic() < until:
            self._send(advance)
            again = min(until, monotonic() + _ASK_AGAIN_S)
            while (message := self._receive(again)) is not None:
                observation = self._observation(message)
                if observation is not None:
                    return observation
            if (down_s := self._watch.down_s()) >= _GONE_S:
                raise RobotLostError(f"the robot at {self.address} is gone: no connection for {down_s:.1f} s")
        raise RobotLostError(f"the robot at {self.address} did not answer within {self._answer_within_s:g} s")

    def _newest(self) -> Observation:
        if self._last_sequence < 0:
            return self._advance()  # starts the robot's clock; its answer is what was sensed before anything moved
        newest: Observation | None = None
        until = monotonic() + REALTIME_SILENCE_S
        while (message := self._receive(until)) is not None:
            observation = self._observation(message)
            if observation is None:
                continue
            newest = observation if newest is None else self._skip(newest, observation)
            until = 0.0  # from here on only what is there already
        if newest is None:
            raise RobotLostError(
                f"no observation from {self.address} for {REALTIME_SILENCE_S:g} s: robot or link is down, "
                "and the robot has stopped by itself"
            )
        return newest

    def _skip(self, older: Observation, newer: Observation) -> Observation:
        if self.on_skipped is not None:
            self.on_skipped(older)
        return with_missed(newer, older)

    def _observation(self, message: FromRobot) -> Observation | None:
        """The message if it is a new observation. Raises RobotLostError for the robot's last words."""
        if isinstance(message, Refusal):
            raise RobotLostError(f"the robot at {self.address} refuses: {message.reason}")
        if isinstance(message, Farewell):
            raise RobotLostError(f"the robot at {self.address} said farewell: {message.reason}")
        if isinstance(message, Observation) and message.sequence > self._last_sequence:
            try:
                check_observation(message)
            except ValueError as error:
                raise RobotLostError(f"the robot at {self.address} does not fit this agent: {error}") from error
            return message
        return None

    def _send(self, message: FromAgent) -> None:
        # Again means that the link is down and its queue full: the silence is noticed where answers are awaited.
        data = encode(message)
        if self.on_wire is not None:
            self.on_wire(True, data)
        with suppress(zmq.Again):
            self._socket.send(data, zmq.DONTWAIT)

    def _receive(self, until_s: float) -> FromRobot | None:
        """The next readable message, or None at `until_s` (monotonic). What cannot be read is skipped."""
        while True:
            left_ms = max(0, round((until_s - monotonic()) * 1000))
            if not self._socket.poll(left_ms):
                return None
            data = self._socket.recv()
            if self.on_wire is not None:
                self.on_wire(False, data)
            try:
                return decode_from_robot(data)
            except msgspec.DecodeError:
                continue


class _LinkWatch:
    """Tells for how long a socket has had no peer."""

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self._socket = socket
        self._events = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        self._down_since_s: float | None = monotonic()

    def down_s(self) -> float:
        """Seconds since the connection was seen to be down; 0 while it is up."""
        while self._events.poll(0):
            up = recv_monitor_message(self._events)["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
            self._down_since_s = None if up else monotonic()
        return 0.0 if self._down_since_s is None else monotonic() - self._down_since_s

    def close(self) -> None:
        self._socket.disable_monitor()
        self._events.close(linger=0)
