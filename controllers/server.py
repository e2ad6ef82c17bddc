"""The robot's end of the link: serves a Robot over ZeroMQ, to one agent at a time.

A ROUTER socket; the agent connects a DEALER. In virtual time the two run in lock-step: each Advance is answered with
one Observation. In real time the first Advance starts the clock, observations are sent as they come, and of the actions
that have arrived the newest acts.
Nothing that arrives can stop the robot's own tick: malformed messages are counted and dropped, and a silent agent meets
the validity window of its last action (hold, ramp, stop, fault). One whose connection is gone loses its session.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import msgspec
import zmq

from agent.messages import (
    PROTOCOL,
    TICK_S,
    Action,
    Advance,
    Farewell,
    FromAgent,
    FromRobot,
    Hello,
    Observation,
    Refusal,
    Welcome,
    decode_from_agent,
    encode,
)
from controllers.loopback import check_loopback
from controllers.robot import Robot
from controllers.sockets import keep_alive

log = logging.getLogger(__name__)

SEND_QUEUE = 200
"""Observations kept for an agent that does not read: two seconds. Later ones are dropped and counted."""
_LOOK_EVERY_MS = 100
_PROBE_EVERY_S = 0.5
LEFT_S = 3.0
"""An agent that cannot be reached for so long has left, as if it had said so; its robot stopped long before."""
_LOGGED_EACH = 20
"""Malformed messages that are logged one by one; later ones are only counted."""


@dataclass
class Counts:
    """What arrived and was not acted on, and what could not be sent."""

    malformed: int = 0
    strangers: int = 0
    """Messages of agents whose session this is not."""
    refused_actions: int = 0
    """Well-formed messages whose action the robot refused."""
    superseded: int = 0
    """Actions that arrived together with a newer one."""
    unsent: int = 0


@dataclass
class _Session:
    number: int
    agent: bytes
    robot: Robot
    count: int = -1
    """Of the last Advance that was carried out."""
    reply: bytes = b""
    """What was answered to it."""
    probed_s: float = 0.0
    reached_s: float = field(default_factory=monotonic)
    """When it was last asked whether the agent is there, and when it was."""


class RobotServer:
    """Serves the robots that `make_robot` gives: a new one for each session."""

    def __init__(
        self,
        make_robot: Callable[[], Robot],
        bind: str,
        *,
        virtual_time: bool,
        description: str = "",
        version: str = "",
        on_action: Callable[[Action, bool], None] | None = None,
    ) -> None:
        """Binds; raises NotLocalError for an address others could reach, zmq.ZMQError for one that is taken.

        `on_action` gets every action that arrived, in order, and whether it was handed to the robot.
        """
        check_loopback(bind)
        self.counts = Counts()
        self._make_robot = make_robot
        self._virtual_time = virtual_time
        self._description = description
        self._version = version
        self._on_action = on_action
        self._session: _Session | None = None
        self._sessions = 0
        self._pump: _Pump | None = None
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        keep_alive(self._socket, bind)
        self._socket.setsockopt(zmq.SNDHWM, SEND_QUEUE)
        # A send to an agent that is gone must fail and not vanish: that is how its end is noticed.
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        try:
            self._socket.bind(bind)
        except zmq.ZMQError:
            self.close()
            raise
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def serve(self, stop: threading.Event | None = None) -> None:
        """Serves until `stop` is set, or for ever. What a plant raises comes out of here."""
        while stop is None or not stop.is_set():
            self.serve_once(_LOOK_EVERY_MS)

    def serve_once(self, wait_ms: int) -> None:
        """Waits at most `wait_ms` for something to do, and does it."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        if self._pump is not None:
            poller.register(self._pump.outlet, zmq.POLLIN)
        ready = dict(poller.poll(wait_ms))
        if self._pump is not None and self._pump.outlet in ready:
            self._send_observations(self._pump)
        if self._socket in ready:
            self._receive()
        if self._session is not None:
            self._look_after(self._session)

    def close(self) -> None:
        """Tells the agent, closes its robot and the socket. May be called twice."""
        if self._session is not None:
            self._send(self._session.agent, Farewell(reason="the robot's server ends"))
            self._end_session()
        self._socket.close(linger=200)
        self._context.term()

    def _receive(self) -> None:
        """Everything that has arrived; of several actions of the session the newest acts."""
        newest: Action | None = None
        for _ in range(SEND_QUEUE):  # bounded: a flood must not keep observations from going out
            try:
                frames = self._socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                break
            message = self._decoded(frames)
            if message is None:
                continue
            if isinstance(message, Action):
                if self._session is None or frames[0] != self._session.agent or self._virtual_time:
                    self.counts.strangers += 1
                    continue
                older, newest = newest, message
                if older is not None and older.sequence > message.sequence:
                    older, newest = message, older
                if older is not None:
                    self.counts.superseded += 1
                    self._record(older, False)
            else:
                self._handle(frames[0], message)
        if newest is not None and self._session is not None:
            self._act(self._session, newest)

    def _decoded(self, frames: list[bytes]) -> FromAgent | None:
        problem = f"{len(frames) - 1} frames instead of 1"
        if len(frames) == 2:
            try:
                return decode_from_agent(frames[1])
            except msgspec.DecodeError as error:
                problem = str(error)
        self.counts.malformed += 1
        if self.counts.malformed <= _LOGGED_EACH:
            log.warning("malformed message dropped: %s", problem)
        return None

    def _handle(self, agent: bytes, message: Hello | Advance | Farewell) -> None:
        session = self._session
        if isinstance(message, Hello):
            self._begin(agent, message)
        elif session is None or agent != session.agent:
            self.counts.strangers += 1
            self._send(agent, Refusal(reason="there is no session with you: the robot was started again, or is taken"))
        elif isinstance(message, Farewell):
            self._end_session()
        else:
            self._advance(session, message)

    def _begin(self, agent: bytes, hello: Hello) -> None:
        session = self._session
        if hello.protocol != PROTOCOL:
            self._send(
                agent,
                Refusal(
                    reason=f"the robot ({self._version or 'unknown version'}) speaks protocol {PROTOCOL}, "
                    f"the agent ({hello.version or 'unknown version'}) {hello.protocol}: install the same version"
                ),
            )
            return
        if session is not None and agent == session.agent and session.count < 0 and self._virtual_time:
            self._welcome(session)  # asked twice
            return
        if session is not None and agent != session.agent and self._is_there(session.agent):
            self._send(agent, Refusal(reason="another agent has this robot"))
            return
        self._end_session()
        self._sessions += 1
        self._session = _Session(self._sessions, agent, self._make_robot())
        self._welcome(self._session)

    def _look_after(self, session: _Session) -> None:
        now = monotonic()
        if now - session.probed_s < _PROBE_EVERY_S:
            return
        session.probed_s = now
        if self._is_there(session.agent):
            session.reached_s = now
        elif now - session.reached_s >= LEFT_S:
            log.warning("the agent is gone without a farewell: its session ends")
            self._end_session()

    def _is_there(self, agent: bytes) -> bool:
        # An empty message costs the agent nothing: it ignores what it cannot read.
        try:
            self._socket.send_multipart([agent, b""], zmq.DONTWAIT)
        except zmq.ZMQError as error:
            return error.errno != zmq.EHOSTUNREACH
        return True

    def _welcome(self, session: _Session) -> None:
        self._send(
            session.agent,
            Welcome(
                session=session.number,
                version=self._version,
                robot=self._description,
                virtual_time=self._virtual_time,
                tick_s=TICK_S,
            ),
        )

    def _advance(self, session: _Session, advance: Advance) -> None:
        if advance.session != session.number:
            self._send(session.agent, Refusal(reason=f"session {advance.session} is over; {session.number} has begun"))
            return
        if not self._virtual_time:
            if self._pump is None:
                self._pump = _Pump(self._context, session.robot)
            return
        if advance.count == session.count:
            self._send_bytes(session.agent, session.reply)
            return
        if advance.count != session.count + 1:
            reason = f"tick {advance.count} asked after tick {session.count}: the link lost one"
            self._send(session.agent, Refusal(reason=reason))
            return
        if advance.action is not None:
            try:
                session.robot.act(advance.action)
            except (TypeError, ValueError) as error:
                self.counts.refused_actions += 1
                self._record(advance.action, False)
                self._send(session.agent, Refusal(reason=str(error)))
                return
            self._record(advance.action, True)
        session.reply = encode(session.robot.observe())
        session.count = advance.count
        self._send_bytes(session.agent, session.reply)

    def _act(self, session: _Session, action: Action) -> None:
        try:
            session.robot.act(action)
        except (TypeError, ValueError) as error:
            self.counts.refused_actions += 1
            if self.counts.refused_actions <= _LOGGED_EACH:
                log.warning("action %d refused: %s", action.sequence, error)
            self._record(action, False)
        else:
            self._record(action, True)

    def _record(self, action: Action, acted: bool) -> None:
        if self._on_action is not None:
            self._on_action(action, acted)

    def _send_observations(self, pump: "_Pump") -> None:
        while True:
            try:
                data = pump.outlet.recv(zmq.DONTWAIT)
            except zmq.Again:
                return
            if not data:
                raise pump.failure or RuntimeError("the robot stopped observing")
            if self._session is not None:
                self._send_bytes(self._session.agent, data)

    def _send(self, agent: bytes, message: FromRobot) -> None:
        self._send_bytes(agent, encode(message))

    def _send_bytes(self, agent: bytes, data: bytes) -> None:
        try:
            self._socket.send_multipart([agent, data], zmq.DONTWAIT)
        except zmq.Again:
            self.counts.unsent += 1
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self.counts.unsent += 1

    def _end_session(self) -> None:
        if self._pump is not None:
            self._pump.close()
            self._pump = None
        if self._session is not None:
            self._session.robot.close()
            self._session = None


class _Pump:
    """Observes in a thread of its own, for a ZeroMQ socket belongs to one thread and `observe` blocks."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", robot: Robot) -> None:
        self.failure: BaseException | None = None
        self._robot = robot
        self._stop = threading.Event()
        self.outlet = context.socket(zmq.PAIR)
        self._inlet = context.socket(zmq.PAIR)
        address = f"inproc://observations-{id(self)}"
        self.outlet.bind(address)
        self._inlet.connect(address)
        self._thread = threading.Thread(target=self._run, name="observations", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                observation: Observation = self._robot.observe()
                with suppress(zmq.Again):  # nobody reads: the next one is as good
                    self._inlet.send(encode(observation), zmq.DONTWAIT)
        except Exception as error:
            self.failure = error
            with suppress(zmq.ZMQError):  # the process may be ending, and its sockets with it
                self._inlet.send(b"", zmq.DONTWAIT)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.outlet.close(linger=0)
        self._inlet.close(linger=0)
