"""Measure recording: messages a second, and how fast any moment of a long episode opens."""

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from agent.commands.bench_crash import step_like
from agent.messages import TICK_S

MESSAGES, MESSAGE_BYTES = 20_000, 4096
LONG_TICKS = 60_000
"""Ten minutes."""
_TEMPLATES = 50


def measure_recording() -> dict[str, Any]:
    """All of it, in a temporary folder; about half a minute."""
    with tempfile.TemporaryDirectory(prefix="doppio-bench-") as folder:
        root = Path(folder)
        return {
            "messages": _messages(root / "messages"),
            "open": _opening(root / "long"),
        }


def _writer(directory: Path) -> Any:
    from agent.episodes import EpisodeWriter, new_header

    directory.mkdir()
    return EpisodeWriter(
        directory, new_header(task="coffee", split="train", index=0, policy="scripted", planner="symbolic")
    )


def _messages(directory: Path) -> dict[str, float]:
    from agent.episodes import Episode, Kind

    noise = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (16, MESSAGE_BYTES), np.uint8)
    payloads = [row.tobytes() for row in noise]
    writer = _writer(directory)
    began = perf_counter()
    for number in range(MESSAGES):
        writer.write(Kind.WIRE, number * 1e-3, payloads[number % 16])
        if number % 2:
            writer.flush()
    handed_s = perf_counter() - began
    writer.close()
    done_s = perf_counter() - began
    found = len(Episode.open(directory).all_of(Kind.WIRE))
    return {
        "n": MESSAGES,
        "bytes": MESSAGE_BYTES,
        "per_s_handed_over": MESSAGES / handed_s,
        "per_s_on_disk": MESSAGES / done_s,
        "found": found,
    }


def _opening(directory: Path) -> dict[str, float]:
    import msgspec

    from agent.episodes import Episode

    steps = [step_like(tick) for tick in range(_TEMPLATES)]
    writer = _writer(directory)
    for tick in range(LONG_TICKS):
        step = steps[tick % _TEMPLATES]
        observation = msgspec.structs.replace(step.observation, sequence=tick, time_s=tick * TICK_S)
        writer.step(msgspec.structs.replace(step, observation=observation))
    writer.close()
    moments = np.random.Generator(np.random.PCG64(2)).uniform(0.0, LONG_TICKS * TICK_S, 20)
    took = []
    for moment in moments:
        began = perf_counter()
        episode = Episode.open(directory, quick=True)
        step = episode.step(episode.step_at(float(moment)))
        took.append(perf_counter() - began)
        assert abs(step.observation.time_s - moment) <= TICK_S
    began = perf_counter()
    Episode.open(directory)
    return {
        "n": len(took),
        "episode_s": LONG_TICKS * TICK_S,
        "episode_mb": sum(path.stat().st_size for path in directory.glob("log-*.dop")) / 1e6,
        "median_ms": 1e3 * float(np.median(took)),
        "worst_ms": 1e3 * float(np.max(took)),
        "with_all_checksums_ms": 1e3 * (perf_counter() - began),
    }
