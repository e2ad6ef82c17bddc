"""Nothing privileged reaches the mind: on a robot served by another process it does the same to the last bit.

And what becomes of a robot, an agent and their records when the other one is killed.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.episodes import Episode, EpisodeReport, Kind
from agent.session import RunConfig, run_episode

ROOT = Path(__file__).resolve().parents[1]
SPLIT, INDEX = "dev", 3
LIMIT_S = 3.0
"""Time for looks, scans, the first plan and the first subgoals."""


@contextmanager
def robot_elsewhere(record: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address of a `doppio robot` in a process of its own, and the process."""
    command = [sys.executable, "-m", "agent.cli", "robot", "--split", SPLIT, "--index", str(INDEX), "--once"]
    command += ["--bind", "tcp://127.0.0.1:*", "--record", str(record), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[3], process
        finally:
            process.kill()


def payloads(report: EpisodeReport, *kinds: Kind) -> list[bytes]:
    episode = Episode.open(report.episode)
    assert not episode.damage
    return [episode.payload(place) for place in episode.places if place.kind in kinds]


def test_the_mind_does_the_same_on_a_robot_elsewhere(tmp_path: Path) -> None:
    here = run_episode(RunConfig(split=SPLIT, index=INDEX, record=tmp_path / "here", time_limit_s=LIMIT_S))
    with robot_elsewhere(tmp_path / "robot") as (address, process):
        config = RunConfig(split="remote", robot=address, record=tmp_path / "there", time_limit_s=LIMIT_S)
        there = run_episode(config)
        said, _ = process.communicate(timeout=30)
    ours, theirs = payloads(here, Kind.STEP), payloads(there, Kind.STEP)
    assert len(ours) >= 300
    assert len(ours) == len(theirs)
    for tick, (near, far) in enumerate(zip(ours, theirs, strict=True)):
        assert near == far, f"the first tick that differs is {tick}"
    thoughts = (Kind.PLAN, Kind.SUBGOAL, Kind.REPORT)
    assert payloads(here, Kind.SUBGOAL)
    assert payloads(here, *thoughts) == payloads(there, *thoughts)
    # What the actuators were told is recorded where they are: beside the simulator.
    assert here.initial_state_hash in said
    (beside_robot,) = (tmp_path / "robot").iterdir()
    judged = Episode.open(beside_robot)
    told = [judged.payload(place) for place in judged.places if place.kind == Kind.CONTROL]
    assert told == payloads(here, Kind.CONTROL)
    assert judged.summary is not None
    assert judged.summary["success"] is False
