"""Finalise a recorded episode to `episode.mcap` beside its log: by a process of its own, for nobody to wait.

The log stays the truth: whatever happens here, it is not touched, and `episode.mcap` is there whole or not at all.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

NAME = "episode.mcap"
_ROOT = Path(__file__).resolve().parents[2]


def finalise_later(directory: Path) -> int:
    """Begin to write the MCAP file of a finished episode, at low priority; it goes on when this process ends.

    Returns the number of the process.
    """
    nowhere = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "agent.export.finish", str(directory.absolute())],
        {**os.environ, "PYTHONPATH": str(_ROOT)},
        file_actions=nowhere,
        setsid=True,
    )


def finalise(directory: Path) -> None:
    """Write it now. Raises EpisodeError for a log that cannot be read, OSError where it cannot be written, or for lack
    of room within the bound for episodes."""
    from agent.episodes import Episode, EpisodeError
    from agent.episodes.allowance import allowance_left
    from agent.export.mcap_file import export_mcap

    left = allowance_left(directory.parent)
    if left is not None and left <= 0:
        raise EpisodeError("the bound for episodes is reached; the log can be exported whenever there is room")
    export_mcap(Episode.open(directory, quick=True), directory / NAME)


if __name__ == "__main__":
    os.nice(19)
    with suppress(OSError, ValueError):  # nobody is there to be told, and nothing is lost
        finalise(Path(sys.argv[1]))
