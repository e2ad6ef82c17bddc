"""Socket options every link shares."""

from typing import Final

import zmq

HEARTBEAT_MS: Final = 50
HEARTBEAT_TIMEOUT_MS: Final = 200
"""A peer that answers no heartbeat for this long (stopped, unplugged) is disconnected."""
MAX_MESSAGE_BYTES: Final = 1 << 20
"""Larger messages are nobody's of ours: the peer that sends one is disconnected."""


def keep_alive(socket: "zmq.Socket[bytes]", address: str) -> None:
    """Heartbeats, bounded messages, no waiting at close. Call before bind or connect to `address`."""
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.IPV6, int("[" in address))  # or IPv4 endpoints are told as ::ffff:127.0.0.1
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
