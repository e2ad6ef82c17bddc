"""Everything a page needs of one episode, as one block of bytes."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import mujoco
import numpy as np

from agent.episodes import Episode, EpisodeError, Kind
from agent.viewer.arrays import Arrays
from agent.viewer.curves import Track, describe_rows
from agent.viewer.motion import METRES_PER_STEP, Motion, motion_of, robot_motion
from agent.viewer.scene import describe_scene, load_model
from agent.viewer.sight import Sight
from agent.viewer.story import events_of, outcome_of, phases_of, planning_of, subgoals_of

FORMAT = 1
CACHE_NAME = "view.bin.gz"

Watch = Callable[[int, int], None]


def bundle(
    episode: Episode,
    why: list[dict[str, Any]],
    robot_alone: Callable[[], mujoco.MjModel] | None = None,
    on_step: Watch = lambda done, total: None,
) -> bytes:
    """The page's data of `episode`, gzipped.

    `why` is the explanation to show. `robot_alone` builds a model of the robot for an episode without a simulator:
    its joints are known, the house is not. Raises EpisodeError where there is nothing to show.
    """
    if not len(episode):
        raise EpisodeError(
            f"{episode.directory} holds no steps of a mind to show; a robot's side records what its actuators were told"
        )
    arrays = Arrays()
    track, sight = Track(len(episode)), Sight()
    phases, times = [], []
    total = len(episode)
    for number, step in enumerate(episode.steps()):
        track.take(step)
        sight.take(step)
        phases.append(step.estimate.phase)
        times.append(step.observation.time_s)
        on_step(number, total)
    track.finish(episode, arrays)
    scene, motion = _scene(episode, robot_alone)
    arrays.add("picture_time", motion.time_s)
    arrays.add("position", motion.position, differences=True, scale=METRES_PER_STEP)
    arrays.add("turn", motion.turn, differences=True)
    arrays.add("base", motion.base)
    names = sight.finish(episode, motion, arrays)
    end_s = times[-1]
    about = {
        "format": FORMAT,
        "name": episode.directory.name,
        "header": msgspec.to_builtins(episode.header),
        "outcome": outcome_of(episode),
        "duration": end_s,
        "scene": scene,
        "subgoals": subgoals_of(episode, end_s),
        "planning": planning_of(episode),
        "events": events_of(episode),
        "phases": phases_of(times, phases),
        "clamps": [[a, b, name, asked, bound] for a, b, name, asked, bound in track.clamps],
        "rows": describe_rows(),
        "looks": _looks(episode),
        "why": why,
        "damage": [str(damage) for damage in episode.damage],
        **names,
    }
    return gzip.compress(arrays.encode(about), 6, mtime=0)


def _scene(episode: Episode, robot_alone: Callable[[], mujoco.MjModel] | None) -> tuple[dict[str, Any], Motion]:
    data = episode.model_bytes()
    if data is not None and len(episode.all_of(Kind.POSES)):
        model = load_model(data)
        scene, bodies = describe_scene(model)
        return {**scene, "truth": True}, motion_of(episode, model, bodies)
    if robot_alone is not None:
        model = robot_alone()
        scene, bodies = describe_scene(model)
        return {**scene, "truth": False}, robot_motion(episode, model, bodies)
    nothing = np.zeros((0, 0, 3), np.int16), np.zeros((0, 0, 4), np.int16)
    return {"groups": [], "bodies": [], "truth": False}, Motion(
        np.zeros(0, np.float32), *nothing, np.zeros((0, 3), np.float32)
    )


def _looks(episode: Episode) -> list[list[Any]]:
    """Changes of colour, place and size: [time, geom, rgba, position, size]."""
    changes: list[list[Any]] = []
    for place, looks in episode.records(Kind.APPEARANCE):
        for row, geom in enumerate(looks.geom.tolist()):
            parts = (looks.rgba[row], looks.position_m[row], looks.size_m[row])
            changes.append([place.time_s, geom, *([round(float(v), 4) for v in part] for part in parts)])
    return changes


def cached_bundle(episode: Episode, make: Callable[[], bytes]) -> bytes:
    """The bundle kept beside the log, made if it is missing or older than the log or this program."""
    path = episode.directory / CACHE_NAME
    newest = max(file.stat().st_mtime for file in episode.directory.glob("log-*.dop"))
    agent = Path(__file__).parents[1]
    programs = (*agent.glob("viewer/*.py"), *agent.glob("episodes/*.py"))
    newest = max(newest, *(file.stat().st_mtime for file in programs))
    if path.exists() and path.stat().st_mtime > newest:
        return path.read_bytes()
    data = make()
    part = path.with_suffix(".part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)  # a folder that cannot be written is only slower
    return data
