"""Episodes as training data: every tick in which a policy acted, its labels, and how its attempt ended.

Episodes alone are enough. What is read from one is kept beside its log and read again only when features or
labels change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episodes import Episode, Kind
from agent.messages import Step
from agent.policies.limits import JudgedForce, tilt_rad
from agent.policies.recorded import ActingVersionError, situation_of
from agent.world_model.actions import to_vector
from agent.world_model.features import FORCE_IN_FEEL, FORCE_UNIT_N, KINDS, LAYOUT, Featurizer
from agent.world_model.mirror import mirrored, mirrored_move, needs_mirror
from agent.world_model.model import schema

Floats = NDArray[np.float32]
TEACHING = ("scripted", "teacher")
"""Policies whose own actions may be imitated; of others only advice is."""
PAD_CONTACT_N, CONTACT_N = 0.5, 3.0
LAST_TICKS = 6
"""So long before a policy said that it had finished saying so is right too: one tick is too few to learn from."""
SPILL_WITHIN_S = 2.0
"""How far ahead it is known that something will be spilled, broken or dropped."""
MISHAPS = ("spilled", "broke", "dropped")
"""Events of the simulated world, by which harm is labelled."""
LABELS_VERSION = 5
"""Raised with every change of how anything below is labelled: what was read before is then read again."""
_OF_STEPS = ("x", "missing", "did", "advice", "taught", "phase", "finished", "slip", "tilt", "force_n")
_COLUMNS = (*_OF_STEPS, "spill")
_RANGES = ("start", "end", "over")
_OF_ATTEMPTS = ("success", "calm", "split", "house", "kind", "failures")
TRAINED_ON = ("train", "robot")
"""Houses made for it, and the real world."""
CALIBRATED_ON = (*TRAINED_ON, "dev")
"""Houses of another kind too: in a house of its own kind a model is wrong less often than it will be."""


class DataError(ValueError):
    """An episode that must not, or cannot, be trained on."""


@dataclass(frozen=True)
class Data:
    """All ticks of all attempts, one after the other, and the attempts as ranges of ticks."""

    x: Floats
    """(n, LAYOUT.size) raw features."""
    missing: NDArray[np.int64]
    """(n,) frames that should have shown the thing in question and did not, since it was seen or held last."""
    did: Floats
    """(n, ACTION_SIZE) what the policy asked for, before reflexes."""
    advice: Floats
    """(n, ACTION_SIZE) what the teacher would have done."""
    taught: NDArray[np.bool_]
    """(n,) advice is the teacher's."""
    phase: NDArray[np.int64]
    """(n,) of the advice, as a number in `phases`."""
    finished: NDArray[np.bool_]
    slip: NDArray[np.bool_]
    tilt: Floats
    """(n,) of what is held, rad; 0 when nothing is."""
    force_n: Floats
    """(n,) at the wrist as limits are judged (JudgedForce), up to then."""
    spill: NDArray[np.bool_]
    """(n,) within SPILL_WITHIN_S something is spilled, broken or dropped."""
    start: NDArray[np.int64]
    """(attempts,) first tick."""
    end: NDArray[np.int64]
    """(attempts,) one past the last tick."""
    over: NDArray[np.int64]
    """(attempts,) one past the last tick of what went on from it at once, with another goal; mostly `end`."""
    success: NDArray[np.bool_]
    """(attempts,) it did, or what went on from it."""
    calm: NDArray[np.bool_]
    """(attempts,) nothing disturbed it but noise of its own actions."""
    split: NDArray[np.str_]
    """(attempts,) of the houses, "robot" for the real world."""
    house: NDArray[np.int64]
    kind: NDArray[np.int64]
    """(attempts,) as a number in KINDS."""
    failures: NDArray[np.int64]
    """(attempts,) those at the same before it, as far as the mind knew."""
    phases: tuple[str, ...]

    def __len__(self) -> int:
        """The number of attempts."""
        return len(self.start)

    @property
    def minutes(self) -> float:
        return len(self.x) / 6000.0

    def contact(self, ticks: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Something touches the pads, or pushes against the hand, at these ticks."""
        pads = FORCE_UNIT_N * np.sinh(self.x[ticks[..., None], LAYOUT.feel[:2]])
        force = FORCE_UNIT_N * np.sinh(self.x[ticks[..., None], LAYOUT.feel[FORCE_IN_FEEL]])
        return (pads.max(-1) > PAD_CONTACT_N) | (np.linalg.norm(force, axis=-1) > CONTACT_N)


def find_episodes(folders: Iterable[Path]) -> list[Path]:
    """All episodes below these folders, in order of their names. Raises DataError where there are none."""
    folders = list(folders)
    found = sorted({log.parent for folder in folders for log in folder.rglob("log-000.dop")}, key=lambda p: p.name)
    if not found:
        raise DataError(f"no episodes below {', '.join(map(str, folders))}; `doppio collect` makes them")
    return found


def read(path: Path, splits: tuple[str, ...] = TRAINED_ON) -> dict[str, np.ndarray]:
    """What an episode teaches, from beside its log if it was read before.

    Raises DataError for an episode in a house of none of these splits, or of another version.
    """
    cache = path / f"features-{_schema_digest()}.npz"
    if cache.exists():
        with np.load(cache, allow_pickle=False) as saved:
            arrays = dict(saved)
    else:
        arrays = _extract(Episode.open(path))
        part = path / f"features-{token_hex(4)}.part.npz"  # several may read at once
        try:
            np.savez(part, allow_pickle=False, **arrays)
            part.replace(cache)
        finally:
            part.unlink(missing_ok=True)
    other = set(arrays["split"].tolist()) - set(splits)
    if other:
        raise DataError(f"{path} is of the split {other.pop()!r}; only {' and '.join(splits)} may be used for this")
    return arrays


def gather(episodes: Sequence[dict[str, np.ndarray]]) -> Data:
    """One Data from what `read` gave of each. Raises DataError where nothing acted in any of them."""
    episodes = [e for e in episodes if len(e["start"])]
    if not episodes:
        raise DataError("in none of the episodes did a policy act")
    phases = tuple(sorted({str(name) for e in episodes for name in e["phases"]}))
    columns: dict[str, list[np.ndarray]] = {name: [] for name in (*_COLUMNS, *_RANGES)}
    rows = 0
    for e in episodes:
        for name in _COLUMNS:
            columns[name].append(e[name])
        number = np.array([phases.index(str(name)) for name in e["phases"]], np.int64)
        columns["phase"][-1] = number[e["phase"]]
        for name in _RANGES:
            columns[name].append(e[name] + rows)
        rows += len(e["x"])
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    of_attempts = {name: np.concatenate([e[name] for e in episodes]) for name in _OF_ATTEMPTS}
    return Data(**joined, **of_attempts, phases=phases)


def _schema_digest() -> str:
    return blake2b(
        repr((schema(), LABELS_VERSION, _OF_ATTEMPTS, _COLUMNS, _RANGES)).encode(), digest_size=4
    ).hexdigest()


def _extract(episode: Episode) -> dict[str, np.ndarray]:
    header, summary = episode.header, episode.summary or {}
    featurizer = Featurizer()
    names: list[str] = []
    rows: dict[str, list[Any]] = {name: [] for name in _OF_STEPS}
    starts: list[int] = []
    times_s: list[float] = []
    kinds: list[int] = []
    failures: list[int] = []
    goes_on: list[bool] = []
    judged = JudgedForce()
    last = -1
    for _, step in episode.records(Kind.STEP):
        force_n = judged(step.observation.wrist_wrench_in_tool)
        acting, subgoal = step.acting, step.subgoal
        if acting is None or subgoal is None:
            continue
        if acting.begins or step.observation.sequence != last + 1:
            featurizer.reset()
            starts.append(len(rows["x"]))
            kinds.append(KINDS.index(subgoal.kind))
            failures.append(acting.failures)
            goes_on.append(step.observation.sequence == last + 1)
        last = step.observation.sequence
        times_s.append(step.observation.time_s)
        rows["force_n"].append(force_n)
        _append(rows, step, featurizer, names, header.policy in TEACHING)
    mishaps_s = [place.time_s for place, event in episode.records(Kind.EVENT) if event.name in MISHAPS]
    arrays = {
        "x": np.array(rows["x"], np.float32).reshape(-1, LAYOUT.size),
        "missing": np.array(rows["missing"], np.int64),
        "did": np.array(rows["did"], np.float32),
        "advice": np.array(rows["advice"], np.float32),
        "taught": np.array(rows["taught"], bool),
        "phase": np.array(rows["phase"], np.int64),
        "finished": np.array(rows["finished"], bool),
        "slip": np.array(rows["slip"], bool),
        "tilt": np.array(rows["tilt"], np.float32),
        "force_n": np.array(rows["force_n"], np.float32),
        "spill": _soon(np.array(times_s), mishaps_s),
        "phases": np.array(names, dtype=np.str_),
        "start": np.array(starts, np.int64),
        "end": np.array([*starts[1:], len(rows["x"])][: len(starts)], np.int64),
        "kind": np.array(kinds, np.int64),
        "failures": np.array(failures, np.int64),
        "split": np.full(len(starts), header.house_split),
        "house": np.full(len(starts), header.index, np.int64),
        "calm": np.full(len(starts), header.disturbance == "none", bool),
    }
    for end in arrays["end"].tolist():
        if end and arrays["finished"][end - 1]:
            arrays["finished"][max(0, end - LAST_TICKS) : end] = True
    success = _successes([times_s[start] for start in starts], summary)
    arrays["success"], arrays["over"] = followed(success, arrays["end"], goes_on)
    return arrays


def _append(rows: dict[str, list[Any]], step: Step, featurizer: Featurizer, names: list[str], teaching: bool) -> None:
    acting = step.acting
    assert acting is not None
    try:
        situation = situation_of(step)
    except ActingVersionError as error:
        raise DataError(str(error)) from error
    lesson = acting.advice if acting.advice is not None else acting.did
    if lesson.phase not in names:
        names.append(lesson.phase)
    did = acting.did
    if needs_mirror(situation):
        situation, did, lesson = mirrored(situation), mirrored_move(did), mirrored_move(lesson)
    rows["x"].append(featurizer(situation))
    rows["missing"].append(featurizer.missing)
    rows["did"].append(to_vector(did))
    rows["advice"].append(to_vector(lesson))
    rows["taught"].append(acting.advice is not None or teaching)
    rows["phase"].append(names.index(lesson.phase))
    rows["finished"].append(lesson.finished)
    rows["slip"].append(step.observation.applied.slip_reflex)
    upright = situation.goal.tool_in_target.rotation
    rows["tilt"].append(tilt_rad(situation.tool_in_target.rotation, upright) if situation.holding else 0.0)


def _soon(times_s: NDArray[np.float64], events_s: Iterable[float]) -> NDArray[np.bool_]:
    """(n,) whether one of the events comes within SPILL_WITHIN_S of these times."""
    soon = np.zeros(len(times_s), bool)
    for event_s in events_s:
        soon |= (times_s <= event_s) & (times_s > event_s - SPILL_WITHIN_S)
    return soon


def followed(
    success: NDArray[np.bool_], end: NDArray[np.int64], goes_on: Sequence[bool]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """How attempts (n,) ended, and one past the last tick of each, where some go on at once from the one before with
    another goal: a door that is pushed on when its hinge is seen was not given up."""
    success, over = success.copy(), end.copy()
    for k in reversed(range(len(success) - 1)):
        if goes_on[k + 1]:
            success[k], over[k] = success[k + 1], over[k + 1]
    return success, over


def _successes(started_s: list[float], summary: dict[str, Any]) -> np.ndarray:
    """Which attempts succeeded: the last one of each subgoal that did. Truth, and only for labels."""
    success = np.zeros(len(started_s), bool)
    for subgoal in summary.get("subgoals", []):
        begin, end = subgoal["start_s"] - 1e-6, subgoal["start_s"] + subgoal["duration_s"] + 1e-6
        within = [i for i, time_s in enumerate(started_s) if begin <= time_s <= end]
        if within and subgoal["succeeded"]:
            success[within[-1]] = True
    return success
