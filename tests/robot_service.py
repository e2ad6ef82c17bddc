"""A robot served over ZeroMQ by a thread of this process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.messages import Action
from controllers.robot import Robot
from controllers.server import RobotServer


@contextmanager
def served(
    make: Callable[[], Robot], *, virtual: bool, on_action: Callable[[Action, bool], None] | None = None
) -> Iterator[RobotServer]:
    """The server, while it serves. What ends its serving is raised at the end."""
    server = RobotServer(make, "tcp://127.0.0.1:*", virtual_time=virtual, on_action=on_action)
    stop = threading.Event()
    failures: list[Exception] = []

    def serve() -> None:
        try:
            server.serve(stop)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        thread.join()
        server.close()
        if failures:
            raise failures[0]  # that of the test, which follows from it, is its context
