"""How commands end."""

import json
from enum import IntEnum
from pathlib import Path
from typing import Any


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    FAILED = 1
    """The task failed, or a check found something."""
    USAGE = 2
    """Wrong arguments or unreadable input."""
    MISSING = 3
    """This machine lacks something the command needs."""


class CommandError(Exception):
    """Ends a command with a message for people. The message names the value, the bound and the alternatives."""

    def __init__(self, message: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.code = code


def write_json(path: Path | None, content: dict[str, Any]) -> None:
    """Write `content` to `path` (`-` is standard output); nothing when path is None. Raises CommandError."""
    if path is None:
        return
    text = json.dumps(content, indent=2) + "\n"
    if str(path) == "-":
        print(text, end="")
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
