"""A short real episode for tests that only look at one: recorded once a session."""

import tempfile
from functools import cache
from pathlib import Path

from agent.episodes import Episode
from agent.session import RunConfig, run_episode

TASK, SPLIT, INDEX = "pick-mug", "dev", 100


@cache
def recorded_run() -> Path:
    """The folder of a successful pick-mug episode of some nine seconds."""
    root = Path(tempfile.mkdtemp(prefix="doppio-recorded-"))
    report = run_episode(RunConfig(task=TASK, split=SPLIT, index=INDEX, record=root))
    return Path(report.episode)


def recorded_episode() -> Episode:
    """That episode, read anew."""
    return Episode.open(recorded_run())
