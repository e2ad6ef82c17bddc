"""Record many short episodes, in this process and on robots in another one, and demand that each comes out the same.

Besides, one random bit of each log is changed in a copy, and must be found and named.
"""

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.commands.outcome import CommandError

if TYPE_CHECKING:
    from agent.episodes import Episode

TASKS = ("press-button", "pick-mug", "open-drawer", "open-lid", "insert-pod")
REMOTE_EVERY = 4
"""One of so many episodes is that of a robot in another process; no divisor of the tasks, so that each has its turn."""
_LIMIT_S = 8.0
_READY = "robot ready at "


def measure_replays(
    times: int, policies: list[str], split: str, checkpoint: Path | None, on_done: Callable[[int, int], None]
) -> dict[str, Any]:
    """Record and verify `times` episodes of TASKS under `policies`, by turns. Raises CommandError where none starts."""
    from agent.episodes import Episode, EpisodeError

    chance = random.Random(0)
    kinds: dict[str, int] = {}
    different, unnoticed, ticks = [], [], 0
    with tempfile.TemporaryDirectory(prefix="doppio-replays-") as folder:
        for number in range(times):
            task, policy = TASKS[number % len(TASKS)], policies[number // len(TASKS) % len(policies)]
            remote = number % REMOTE_EVERY == REMOTE_EVERY - 1
            root = Path(folder) / f"{number}"
            directory = _record(root, task, split, number, policy, checkpoint, remote)
            kind = f"{task}, {policy}, {'robot elsewhere' if remote else 'in process'}"
            kinds[kind] = kinds.get(kind, 0) + 1
            try:
                found, compared = _difference(Episode.open(directory))
            except EpisodeError as error:
                found, compared = str(error), 0
            ticks += compared
            if found:
                different.append({"episode": kind, "index": number, "difference": found})
            if not _flip_is_noticed(directory, chance):
                unnoticed.append({"episode": kind, "index": number})
            shutil.rmtree(root)
            on_done(number + 1, times)
    return {
        "episodes": times,
        "the_same": times - len(different),
        "ticks": ticks,
        "different": different,
        "bits_changed": times,
        "bits_noticed": times - len(unnoticed),
        "unnoticed": unnoticed,
        "kinds": kinds,
        "same": not different and not unnoticed,
    }


def _difference(episode: "Episode") -> tuple[str, int]:
    """In words what is not the same, and how many ticks were compared."""
    from agent.commands.rebuild import rebuild_world
    from agent.episodes.verify import verify

    verdict = verify(episode, rebuild_world(episode.header))
    found = [str(verdict.difference)] if verdict.difference else []
    found += [f"{verdict.missing} ticks are missing"] if verdict.missing else []
    return "; ".join([*found, *map(str, episode.damage)]), verdict.ticks


def _record(root: Path, task: str, split: str, index: int, policy: str, checkpoint: Path | None, remote: bool) -> Path:
    """The folder that holds what the actuators were told."""
    from agent.session import RunConfig, run_episode

    config = RunConfig(
        task=task,
        split=split,
        index=index,
        policy=policy,
        checkpoint=checkpoint,
        record=root / "agent",
        time_limit_s=_LIMIT_S,
    )
    if not remote:
        return Path(run_episode(config).episode)
    command = [sys.executable, "-m", "agent.cli", "robot", "--task", task, "--split", split, "--index", str(index)]
    with subprocess.Popen(
        [*command, "--bind", "tcp://127.0.0.1:*", "--once", "--record", str(root / "robot")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said.startswith(_READY):
            raise CommandError(f"the robot's side does not start: {said.strip() or 'it says nothing'}")
        run_episode(replace(config, split="remote", index=0, robot=said.split()[3], record=None))
        process.stdout.read()
    (directory,) = (root / "robot").iterdir()
    return directory


def _flip_is_noticed(directory: Path, chance: random.Random) -> bool:
    """Whether a copy of the log in which one bit is changed says so, with the name of the file."""
    from agent.episodes import Episode, EpisodeError

    copy = directory.with_name("flipped")
    shutil.copytree(directory, copy)
    log = copy / "log-000.dop"
    data = bytearray(log.read_bytes())
    bit = chance.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    log.write_bytes(data)
    try:
        said = [str(loss) for loss in Episode.open(copy).losses]
    except EpisodeError as error:
        said = [str(error)]
    shutil.rmtree(copy)
    return any(str(log) in words for words in said)
