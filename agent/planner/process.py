"""The planner's process: one request in, one plan out, over ZeroMQ.

Run by `doppio planner`, or as a child of the agent (`PlannerClient.spawn`), which it follows into death.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import msgspec
import zmq

from agent.messages import Plan, PlanRequest, decode, encode
from agent.planner.coffee_domain import UnknownTaskError
from agent.planner.scene import FactError
from agent.planner.symbolic import SymbolicPlanner
from agent.planner.validate import SubgoalError, check_plan
from controllers.loopback import check_loopback
from controllers.sockets import keep_alive

log = logging.getLogger(__name__)

READY = "planner ready at "
"""First words of the line on standard output that tells where it listens."""
LOOK_UP_MS = 500
"""A signal that comes just before waiting begins does not end the waiting."""


class Backend(Protocol):
    """Something that plans. It may remember nothing between requests."""

    name: str

    def plan(self, request: PlanRequest) -> Plan:
        """Raises ValueError for a request it cannot understand."""
        ...


BACKENDS: dict[str, Callable[[], Backend]] = {SymbolicPlanner.name: SymbolicPlanner}


def make_backend(name: str) -> Backend:
    """Raises ValueError for an unknown name, listing the known ones."""
    if name not in BACKENDS:
        raise ValueError(f"unknown planner backend {name!r}; known are {', '.join(BACKENDS)}")
    return BACKENDS[name]()


def answer(backend: Backend, data: bytes) -> Plan:
    """The plan for an encoded PlanRequest; whatever is wrong with it comes back as `Plan.error`.

    Every plan is checked before it leaves: known kinds, known entities, preconditions of its first step.
    """
    try:
        request = decode(data, PlanRequest)
    except msgspec.DecodeError as error:
        log.warning("malformed plan request: %s", error)
        return Plan(request_id=-1, subgoals=[], error=f"malformed request: {error}")
    try:
        plan = backend.plan(request)
        check_plan(plan, request.facts)
    except (FactError, SubgoalError, UnknownTaskError) as error:
        log.warning("request %d: %s", request.id, error)
        return Plan(request_id=request.id, subgoals=[], error=str(error))
    return plan


def serve(bind: str, backend: Backend, *, parent_pipe: int | None = None) -> None:
    """Answers requests until interrupted, or until the other end of `parent_pipe` (a file descriptor) closes.

    Raises ValueError for an address that is not local, zmq.ZMQError for one that is taken.
    """
    check_loopback(bind)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        keep_alive(socket, bind)
        socket.bind(bind)
        print(f"{READY}{socket.getsockopt_string(zmq.LAST_ENDPOINT)} ({backend.name})", flush=True)
        poller = zmq.Poller()
        poller.register(socket, zmq.POLLIN)
        if parent_pipe is not None:
            poller.register(parent_pipe, zmq.POLLIN)
        while True:
            ready = dict(poller.poll(LOOK_UP_MS))
            if parent_pipe is not None and parent_pipe in ready and not os.read(parent_pipe, 64):
                return
            if socket in ready:
                _answer_one(socket, backend)


def _answer_one(socket: zmq.Socket[bytes], backend: Backend) -> None:
    frames = socket.recv_multipart()
    if len(frames) != 2:
        log.warning("a request has 1 frame, got %d: ignored", len(frames) - 1)
        return
    sender, data = frames
    try:
        socket.send_multipart([sender, encode(answer(backend, data))], flags=zmq.DONTWAIT)
    except zmq.Again:
        log.warning("the asker does not read its plans: one dropped")


def run(arguments: argparse.Namespace) -> int:
    """`doppio planner` with the options `bind` and `backend`: serves until interrupted. Returns the exit status."""
    try:
        serve(arguments.bind, make_backend(arguments.backend))
    except KeyboardInterrupt:
        return 0
    except (ValueError, zmq.ZMQError) as error:
        print(f"doppio planner: cannot listen on {arguments.bind}: {error}", file=sys.stderr)
        return 2
    return 0


def _child() -> int:
    parser = argparse.ArgumentParser(prog="python -m agent.planner.process", description=__doc__)
    parser.add_argument("--bind", required=True)
    parser.add_argument("--backend", choices=sorted(BACKENDS), required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="planner: %(message)s")
    with suppress(KeyboardInterrupt):
        serve(arguments.bind, make_backend(arguments.backend), parent_pipe=sys.stdin.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(_child())
