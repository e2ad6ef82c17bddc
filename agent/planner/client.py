"""The agent's end of the link to the planner's process."""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Final, Self

import msgspec
import zmq

from agent.messages import Plan, PlanRequest, decode, encode
from controllers.loopback import check_loopback
from controllers.sockets import keep_alive

log = logging.getLogger(__name__)

_LONGEST_IPC_PATH = 100
"""Bytes a Unix socket's path may have, less a margin."""
_LOOK_EVERY_MS = 50
"""While waiting: how often to see whether the child still lives."""
_RESTARTS: Final = 1


class PlannerLostError(RuntimeError):
    """The planner's process is gone or does not answer."""


class PlannerClient:
    """Asks a planner for plans, one request at a time; a newer request replaces an older one.

    `PlannerClient(address)` talks to a `doppio planner` that runs already, `PlannerClient.spawn()` starts a process
    of its own, which is started again once if it dies and ends when this client closes or its process does.
    """

    def __init__(self, address: str, *, answer_within_s: float = 10.0) -> None:
        """Connects; raises NotLocalError for an address that is not on this machine."""
        check_loopback(address)
        self.address = address
        self._answer_within_s = answer_within_s
        self._child: _Child | None = None
        self._pending: PlanRequest | None = None
        self._sent_s = 0.0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        keep_alive(self._socket, address)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self._socket.connect(address)

    @classmethod
    def spawn(cls, backend: str = "symbolic", *, answer_within_s: float = 10.0) -> Self:
        """A client with a planner process of its own. Returns at once; a request waits for the process to be up."""
        child = _Child(backend)
        client = cls(child.address, answer_within_s=answer_within_s)
        client._child = child
        return client

    @property
    def process_id(self) -> int | None:
        """Of the spawned process; None if this client did not start one."""
        return None if self._child is None else self._child.process.pid

    @property
    def waiting(self) -> bool:
        """Whether a request has not been answered yet."""
        return self._pending is not None

    def request(self, request: PlanRequest) -> None:
        """Sends a request; an answer to an earlier one will be dropped. Never waits."""
        self._pending = request
        self._send()

    def poll(self) -> Plan | None:
        """The answer, if it is there. Never waits. Raises PlannerLostError when none can come any more."""
        return self._look(self._answer_within_s)

    def _look(self, within_s: float) -> Plan | None:
        while self._pending is not None:
            try:
                data = self._socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                self._check_alive(within_s)
                return None
            plan = self._accept(data)
            if plan is not None:
                return plan
        return None

    def wait(self, timeout_s: float) -> Plan:
        """The answer, waited for as long as the planner may take. Raises PlannerLostError if none came in time or
        none can come, and RuntimeError if nothing was asked."""
        if self._pending is None:
            raise RuntimeError("wait() without a request")
        self._sent_s = monotonic()
        while True:
            plan = self._look(timeout_s)
            if plan is not None:
                return plan
            self._socket.poll(_LOOK_EVERY_MS)

    def close(self) -> None:
        """Ends the link and the spawned process, if any. May be called twice."""
        self._pending = None
        self._socket.close(linger=0)
        self._context.term()
        if self._child is not None:
            self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _send(self) -> None:
        assert self._pending is not None
        self._sent_s = monotonic()
        try:
            self._socket.send(encode(self._pending), zmq.DONTWAIT)
        except zmq.Again:
            log.warning("the link to the planner at %s is full: request %d not sent", self.address, self._pending.id)

    def _accept(self, data: bytes) -> Plan | None:
        """The plan in `data` if it is the one asked for."""
        assert self._pending is not None
        try:
            plan = decode(data, Plan)
        except msgspec.DecodeError as error:
            log.warning("malformed plan ignored: %s", error)
            return None
        if plan.request_id not in (self._pending.id, -1):  # -1: the planner could not even read the request
            return None
        self._pending = None
        return plan

    def _check_alive(self, within_s: float) -> None:
        if self._child is not None and (status := self._child.process.poll()) is not None:
            if self._child.restarts >= _RESTARTS:
                self._pending = None
                raise PlannerLostError(f"the planner's process died again (exit status {status}); not started again")
            log.warning("the planner's process died (exit status %d): started again", status)
            self._child.restart()
            self._send()
        elif monotonic() - self._sent_s > within_s:
            self._pending = None
            hint = "" if self._child else f"; is `doppio planner --bind {self.address}` running?"
            raise PlannerLostError(f"no answer from {self.address} within {within_s:g} s{hint}")


class _Child:
    """A planner process that dies when its standard input closes, so with this process at the latest."""

    def __init__(self, backend: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="doppio-"))  # only this user can enter it
        if len(os.fsencode(self._folder)) > _LONGEST_IPC_PATH - len("/planner"):
            self._folder.rmdir()
            self._folder = Path(tempfile.mkdtemp(prefix="doppio-", dir="/tmp"))
        self.address = f"ipc://{self._folder}/planner"
        self._backend = backend
        self.restarts = 0
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)
        return subprocess.Popen(
            [sys.executable, "-m", "agent.planner.process", "--bind", self.address, "--backend", self._backend],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # an interrupt from the keyboard is for the agent alone
        )

    def restart(self) -> None:
        self._reap()
        self.restarts += 1
        self.process = self._start()

    def _reap(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        self._reap()
        shutil.rmtree(self._folder, ignore_errors=True)
