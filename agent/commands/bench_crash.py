"""Kill a recorded run at random moments and look at what is left: nothing that was finished may be lost.

The victim records ticks as a run does, finishes, and exports. What is killed by SIGKILL, by turns: the run, the process
that writes its log, both at once; and when: at any moment, while the log is closed, while exports are written.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.commands.outcome import CommandError
from agent.export.finish import NAME

if TYPE_CHECKING:
    from agent.messages import Step

VICTIMS = ("run", "scribe", "both")
PHASES = ("starting", "running", "finishing", "exporting")
AIMS = (("", 0.0), ("finish", 0.03), ("export", 0.5), ("step", 0.8))
"""What the victim has said when the kill becomes due, and within how many seconds of it; at first at any moment."""
TICK_PERIOD_S = 0.001
WRITTEN_WITHIN_S = 10.0
LOSS_ALLOWED_S = 1.0


class Outcome(NamedTuple):
    """One kill."""

    victim: str
    phase: str
    """`starting`, `running`, `finishing` or `exporting`."""
    steps_said: int
    """That were finished, by what the run had said."""
    steps_due: int
    """Those finished more than a second before."""
    steps_found: int
    problems: tuple[str, ...]


def measure_crashes(times: int, ticks: int, seed: int, on_kill: Any = lambda done, total: None) -> dict[str, Any]:
    """Kill `times` runs of `ticks` ticks; the moments follow from `seed`. Raises CommandError where none starts."""
    chance = random.Random(seed)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="doppio-crash-") as folder:
        root = Path(folder)
        whole_s = _run_whole(root / "earlier", ticks)
        earlier = _digest(root / "earlier")
        for number in range(times):
            victim = VICTIMS[number % len(VICTIMS)]
            said, within_s = AIMS[number // len(VICTIMS) % len(AIMS)]
            after_s = chance.uniform(0.0, within_s or whole_s)
            outcomes.append(_kill_one(root / f"{number}", ticks, said, after_s, victim))
            if _digest(root / "earlier") != earlier:
                outcomes[-1] = outcomes[-1]._replace(problems=(*outcomes[-1].problems, "an earlier episode changed"))
            on_kill(number + 1, times)
    bad = [outcome for outcome in outcomes if outcome.problems]
    phases = {phase: sum(o.phase == phase for o in outcomes) for phase in PHASES}
    return {
        "kills": times,
        "ticks": ticks,
        "seed": seed,
        "phases": phases,
        "unreadable": sum("unreadable" in problem for o in outcomes for problem in o.problems),
        "steps_finished": sum(o.steps_said for o in outcomes),
        "steps_lost_older_than_1_s": sum(max(0, o.steps_due - o.steps_found) for o in outcomes),
        "steps_lost": sum(max(0, o.steps_said - o.steps_found) for o in outcomes),
        "same": not bad,
        "problems": [o._asdict() for o in bad],
    }


def _start(directory: Path, ticks: int) -> "subprocess.Popen[str]":
    directory.mkdir()
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, "-m", "agent.commands.bench_crash", str(directory), str(ticks)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
    )


def _run_whole(directory: Path, ticks: int) -> float:
    """Seconds from the start to the end of an undisturbed run."""
    began = time.monotonic()
    with _start(directory, ticks) as process:
        process.communicate(timeout=120)
    if process.returncode:
        raise CommandError(f"the run to be killed fails by itself, with status {process.returncode}")
    return time.monotonic() - began


def _kill_one(directory: Path, ticks: int, aim: str, after_s: float, victim: str) -> Outcome:
    with _start(directory, ticks) as process:
        assert process.stdout is not None
        said: list[str] = []
        while aim and (not said or not said[-1].startswith(aim)):
            said.append(process.stdout.readline())
            if not said[-1]:
                raise CommandError(f"the run to be killed ended before it said {aim!r}")
        time.sleep(after_s)
        killed_at = time.monotonic()
        scribe = _scribe_of(process.pid)
        if victim in ("scribe", "both") and scribe is not None:
            _kill(scribe)
        if victim in ("run", "both") or scribe is None:
            _kill(process.pid)
        said.extend(process.stdout)
    return _judge(directory, said, killed_at, victim)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):  # it was done
        os.kill(process, signal.SIGKILL)


def _scribe_of(process: int) -> int | None:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return None
    for child in children:
        try:
            if b"agent.scribe" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        except OSError:
            continue
    return None


def _judge(directory: Path, said: list[str], killed_at: float, victim: str) -> Outcome:
    """What is left, against what the run had said of itself before it was killed."""
    from agent.episodes import Episode, EpisodeError

    lines = [line.split() for line in said if line.endswith("\n")]
    finished = [float(line[1]) for line in lines if line[0] == "step"]
    phase = {"": "starting", "step": "running", "finish": "finishing", "export": "exporting", "done": "exporting"}[
        lines[-1][0] if lines else ""
    ]
    due = sum(at < killed_at - LOSS_ALLOWED_S for at in finished)
    if not finished and not any(directory.glob("log-*.dop")):
        return Outcome(victim, phase, 0, 0, 0, ())
    problems: list[str] = []
    found = 0
    until = time.monotonic() + WRITTEN_WITHIN_S
    wanted = len(finished) if victim == "run" else due
    while True:
        try:
            episode = Episode.open(directory)
            found = len(episode)
            problems = [str(d) for d in episode.damage if not d.at_end]
            if [s.observation.sequence for s in episode.steps()] != _without_gap(episode):
                problems.append("steps are out of order")
        except EpisodeError as error:
            problems = [f"unreadable: {error}"] if due else []
        if found >= wanted or time.monotonic() > until:
            break
        time.sleep(0.05)
    if found < due:
        problems.append(f"{due - found} steps older than {LOSS_ALLOWED_S:g} s are lost")
    problems += _exports(directory)
    return Outcome(victim, phase, len(finished), due, found, tuple(problems))


def _without_gap(episode: Any) -> list[int]:
    """Numbers of the steps in ascending order: a scribe that was killed may have left a gap, never a mess."""
    return sorted(step.observation.sequence for step in episode.steps())


def _exports(directory: Path) -> list[str]:
    """An export is there whole or not at all."""
    import numpy as np
    from mcap.reader import make_reader

    problems = []
    try:
        if (directory / "export.npz").exists():
            with np.load(directory / "export.npz") as arrays:
                if not len(arrays["time_s"]):
                    problems.append("the export is empty")
        if (directory / NAME).exists():
            with (directory / NAME).open("rb") as file:
                reader = make_reader(file, validate_crcs=True)
                summary = reader.get_summary()
                count = sum(1 for _ in reader.iter_messages())
                if summary is None or summary.statistics is None or summary.statistics.message_count != count:
                    problems.append(f"{NAME} has {count} messages, and says something else")
    except Exception as error:  # whatever a reader of damaged files raises
        problems.append(f"an export is unreadable: {error}")
    return problems


def _digest(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(directory.glob("log-*.dop")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _victim(directory: Path, ticks: int) -> None:
    """The process that is killed."""
    from agent.episodes import Episode, EpisodeWriter, new_header
    from agent.export.finish import finalise
    from agent.export.npz_file import export_npz

    header = new_header(task="pick-mug", split="train", index=0, policy="scripted", planner="symbolic")
    writer = EpisodeWriter(directory, header)
    for tick in range(ticks):
        writer.step(step_like(tick))
        _say("step")
        time.sleep(TICK_PERIOD_S)
    _say("finish")
    writer.finish({"success": True})
    _say("export")
    export_npz(Episode.open(directory), directory / "export.npz")
    finalise(directory)
    _say("done")


def _say(what: str) -> None:
    print(what, time.monotonic(), flush=True)


def step_like(tick: int) -> "Step":
    """A step of the size of a real one: noise on every taxel."""
    import numpy as np

    from agent.messages import PAD_SHAPE, SKIN_PATCHES, TICK_S, Action, Applied, Observation, Step, Subgoal, SubgoalKind

    random = np.random.Generator(np.random.PCG64(tick))
    still = np.zeros(3)
    observation = Observation(
        sequence=tick,
        time_s=tick * TICK_S,
        joint_position=random.normal(size=11),
        joint_velocity=random.normal(size=11),
        joint_torque=random.normal(size=11),
        command_lag=random.normal(size=11),
        tool_pose_in_base=np.array([0.5, 0.0, 0.8, 1.0, 0.0, 0.0, 0.0]),
        base_pose_in_odom=random.normal(size=3),
        base_velocity_in_base=still,
        wrist_wrench_in_tool=random.normal(size=6),
        grip_force_n=1.0,
        pad_touch_n=random.standard_normal((2, 3, 3, *PAD_SHAPE), np.float32).astype(np.float16),
        skin_touch_n=random.standard_normal((3, SKIN_PATCHES), np.float32).astype(np.float16),
        applied=Applied(
            sequence=tick - 1,
            tool_twist_in_base=np.zeros(6),
            grip_mode="force",
            grip=5.0,
            base_velocity_in_base=still,
            lift_rate_m_s=0.0,
            head_rate_rad_s=np.zeros(2),
        ),
    )
    action = Action(
        sequence=tick,
        valid_from_s=tick * TICK_S,
        expires_s=(tick + 5) * TICK_S,
        tool_twist_in_base=random.normal(size=(1, 6)),
        grip_mode="force",
        grip=5.0,
        base_velocity_in_base=still,
        lift_rate_m_s=0.0,
        head_rate_rad_s=np.zeros(2),
    )
    return Step(observation=observation, subgoal=Subgoal(id=1, kind=SubgoalKind.PICK, target="mug-1"), action=action)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("ticks", type=int)
    arguments = parser.parse_args()
    _victim(arguments.directory, arguments.ticks)
