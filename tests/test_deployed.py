"""Nothing privileged reaches the mind: on a robot served by another process it does the same to the last bit.

And what becomes of a robot, an agent and their records when the other one is killed.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import pytest
from stalls import while_undisturbed

from agent.cli import main
from agent.commands.outcome import Exit
from agent.episodes import Episode, EpisodeReport, Kind
from agent.messages import Advance, Observation, decode_from_agent, decode_from_robot, encode
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
    header = Episode.open(there.episode).header
    assert (header.split, header.house_split) == ("remote", Episode.open(here.episode).header.split)
    # Every message is recorded as the bytes it went as.
    wire = payloads(there, Kind.WIRE)
    heard = [decode_from_robot(data[1:]) for data in wire if data[0] == 0 and len(data) > 1]
    assert [encode(m) for m in heard if isinstance(m, Observation)] == [
        encode(step.observation) for step in Episode.open(there.episode).steps()
    ]
    assert isinstance(decode_from_agent(wire[0][1:]), Advance)
    # What the actuators were told is recorded where they are: beside the simulator.
    assert here.initial_state_hash in said
    (beside_robot,) = (tmp_path / "robot").iterdir()
    judged = Episode.open(beside_robot)
    told = [judged.payload(place) for place in judged.places if place.kind == Kind.CONTROL]
    assert told == payloads(here, Kind.CONTROL)
    assert judged.summary is not None
    assert judged.summary["success"] is False


def doppio(*arguments: str, before: str = "") -> "subprocess.Popen[str]":
    """A `doppio` process; `before` is Python that it runs first."""
    program = f"{before}\nimport sys; from agent.cli import main; sys.exit(main({list(arguments)!r}))"
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def until(condition: Callable[[], bool], within_s: float = 180.0) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {within_s} s"
        time.sleep(0.02)


def planners_of(process: int) -> list[int]:
    """Its children that plan and are alive."""
    found = []
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"agent.planner.process" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def recorded(root: Path) -> int:
    """Bytes of the only episode below `root` so far."""
    return sum(path.stat().st_size for path in root.glob("*/log-000.dop"))


def test_a_robot_whose_agent_is_killed_holds_ramps_stops_and_faults(tmp_path: Path) -> None:
    def kill_an_agent() -> None:
        folder = Path(mkdtemp(dir=tmp_path))
        with robot_elsewhere(folder / "robot", "--realtime") as (address, robot):
            record = folder / "agent"
            with doppio("deploy", "coffee", "--robot", address, "--record", str(record)) as agent:
                until(lambda: recorded(record) > 1_000_000)
                agent.kill()
            said, _ = robot.communicate(timeout=30)  # it notices by itself, and --once ends it
        assert robot.returncode == Exit.FAILED
        assert "latched a fault" in said
        episode = Episode.open(next((folder / "robot").iterdir()))
        events = [(place.time_s, record.name) for place, record in episode.records(Kind.EVENT)]
        times, names = zip(*events, strict=True)
        assert names[-4:] == ("mode-hold", "mode-ramp", "mode-stop", "mode-fault")
        assert times[-1] - times[-4] == pytest.approx(0.5, abs=0.02)
        assert episode.summary is not None
        assert episode.summary["reason"] == "robot-fault"
        last = [record for _, record in episode.records(Kind.CONTROL)][-1]
        assert not last.ctrl[-1][:3].any(), "the base is told to stand"
        killed = Episode.open(next(record.iterdir()))
        assert len(killed) > 50
        assert killed.summary is None

    while_undisturbed(kill_an_agent)


def test_a_killed_run_leaves_an_episode_that_replays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with doppio("run", "coffee", "--split", SPLIT, "--index", str(INDEX), "--record", str(tmp_path)) as run:
        until(lambda: recorded(tmp_path) > 1_000_000)
        run.kill()
    (folder,) = tmp_path.iterdir()
    assert main(["replay", str(folder), "--verify"]) == Exit.OK
    said = capsys.readouterr().out
    assert "ended before it was finished" in said
    assert "to the last bit" in said


def test_an_interrupted_run_closes_its_episode_and_says_so(tmp_path: Path) -> None:
    for sent in (signal.SIGINT, signal.SIGTERM):
        record = tmp_path / sent.name
        with doppio("run", "coffee", "--realtime", "--record", str(record)) as run:
            until(lambda record=record: recorded(record) > 500_000)
            run.send_signal(sent)
            _, said = run.communicate(timeout=20)
        assert run.returncode == 130
        assert said == "doppio run: interrupted\n"
        assert not Episode.open(next(record.iterdir())).damage


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")
@pytest.mark.parametrize("realtime", [False, True], ids=["virtual", "realtime"])
def test_a_planner_that_keeps_dying_ends_the_run_with_its_reason(tmp_path: Path, realtime: bool) -> None:
    options = ["--realtime"] if realtime else []
    began = time.monotonic()
    with doppio("run", "coffee", "--split", SPLIT, "--index", str(INDEX), "--record", str(tmp_path), *options) as run:
        killed = 0
        while run.poll() is None:
            assert time.monotonic() - began < 90
            for planner in planners_of(run.pid):
                os.kill(planner, signal.SIGKILL)
                killed += 1
            time.sleep(0.05)
        said, _ = run.communicate()
    assert killed >= 2  # it was started again once
    assert run.returncode == Exit.FAILED
    assert re.search(r"the planner's process died again \(exit status -9\)", said)
    assert Episode.open(next(tmp_path.iterdir())).summary is not None


def test_a_full_disk_is_told_and_keeps_what_was_written(tmp_path: Path) -> None:
    bound = 1_000_000
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({bound}, {bound}))"
    with doppio(
        "run", "pick-mug", "--policy", "scripted", "--index", "100", "--record", str(tmp_path), before=full
    ) as run:
        _, said = run.communicate(timeout=60)
    assert run.returncode == Exit.OK, "a robot does not stop for want of a record"
    assert "NOT RECORDED" in said
    assert "File too large" in said
    episode = Episode.open(next(tmp_path.iterdir()))
    assert len(episode) > 50
    assert not episode.damage
    assert [step.observation.sequence for step in episode.steps()] == list(range(len(episode)))
