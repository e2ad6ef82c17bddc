"""Until there are keys, nothing listens or connects beyond this machine."""

import re
from typing import Final

_LOCAL: Final = re.compile(r"tcp://(127(\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5}|\*)|ipc://\S+")


class NotLocalError(ValueError):
    """An address that others on the network could reach."""


def check_loopback(address: str) -> None:
    """Raises NotLocalError unless the ZeroMQ address stays on this machine."""
    if _LOCAL.fullmatch(address) is None:
        raise NotLocalError(
            f"{address!r} is not local: links are not encrypted yet, so use tcp://127.0.0.1:PORT, "
            "tcp://localhost:PORT, tcp://[::1]:PORT or ipc://PATH"
        )
