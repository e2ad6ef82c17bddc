"""The bound of the disk that episodes may take."""

import os
from pathlib import Path

from agent.episodes.records import EpisodeError

VARIABLE = "DOPPIO_EPISODES_GB"


def bound_bytes() -> int | None:
    """$DOPPIO_EPISODES_GB in bytes; None where it is not set. Raises EpisodeError for one that is no number above 0."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return None
    try:
        bound = float(text)
    except ValueError:
        bound = 0.0
    if not bound > 0.0:
        raise EpisodeError(f"${VARIABLE} is {text!r}; it must be a number of gigabytes above 0, or not be set")
    return int(bound * 1e9)


def used_bytes(root: Path) -> int:
    """What all logs and exports below `root` take."""
    total = 0
    for entry in os.scandir(root) if root.is_dir() else ():
        if entry.is_dir(follow_symlinks=False):
            for file in os.scandir(entry.path):
                if file.is_file(follow_symlinks=False):
                    total += file.stat(follow_symlinks=False).st_size
    return total


def allowance_left(root: Path | None) -> int | None:
    """Bytes that a new episode below `root` may take; None where only the disk is a bound."""
    bound = bound_bytes()
    if bound is None or root is None:
        return None
    return max(0, bound - used_bytes(root))
