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
    """The server, while it serves."""
    server = RobotServer(make, "tcp://127.0.0.1:*", virtual_time=virtual, on_action=on_action)
    stop = threading.Event()
    thread = threading.Thread(target=server.serve, args=(stop,))
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        thread.join()
        server.close()
