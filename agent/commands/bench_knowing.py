"""What a learned mind knows of itself: whether surprise notices what happens, whether its odds of success are honest.

Each house is run undisturbed, with each event that surprise should notice, and with each lasting disturbance. An
event's score is the largest surprise in the second after it; what it is compared with are seconds in contact of
undisturbed episodes: of all, and of those that succeeded, for who fumbles for a minute with what cannot be grasped is
not wrong to be surprised, and gives most of the seconds. An event counts where a policy had acted for FELT_BEFORE_S:
who never felt what a mug weighs cannot notice that it weighs more. The seconds of an episode are alike, so the
intervals of areas count episodes. The odds are those half-way through an attempt; how long an attempt takes tells how
it ends, so they are also given at one time for all attempts at a task: half of what those that succeeded took.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.commands.arguments import check_weights
from agent.commands.outcome import CommandError, Exit, write_json

AFTER_S = 1.0
FELT_BEFORE_S = 0.25
IN_CONTACT = 0.5
"""Share of its ticks in which something is touched in a second in contact."""
GRIP_N = 1.0
"""From here on the pads touch something; the hand from agent.world_model.data.CONTACT_N on."""
ODDS_EVERY_TICKS = 10


@dataclass(frozen=True)
class Attempt:
    """What was said of an attempt, and how it ended."""

    odds: tuple[float, ...]
    """Every ODDS_EVERY_TICKS."""
    success: bool


@dataclass(frozen=True)
class Seen:
    """What one episode showed."""

    task: str
    disturbance: str
    success: bool
    after: float | None
    """Largest surprise in the second after the event; None where it did not happen while a policy acted, or
    as soon as it began."""
    calm: tuple[float, ...]
    """Largest surprise in each second in contact, before any event."""
    alarms: int
    minutes: float
    attempts: tuple[Attempt, ...]
    missing: str = ""
    """Why there was no episode."""


@dataclass(frozen=True)
class KnowingJob:
    """One episode; picklable."""

    task: str
    split: str
    policy: str
    checkpoint: Path | None
    disturbances: tuple[str, ...]

    def __call__(self, job: int) -> Seen:
        from agent.session import RunConfig, run_episode
        from sim.tasks.stage import NoStartError

        index, k = divmod(job, len(self.disturbances))
        name = self.disturbances[k]
        with tempfile.TemporaryDirectory(prefix="doppio-bench-") as folder:
            config = RunConfig(
                task=self.task,
                split=self.split,
                index=index,
                policy=self.policy,
                checkpoint=self.checkpoint,
                disturbance=name,
                record=Path(folder),
                acting_only=True,
            )
            try:
                report = run_episode(config)
            except NoStartError as error:
                return Seen(self.task, name, False, None, (), 0, 0.0, (), str(error))
            return _seen(self.task, name, report.success, Path(report.episode))


def _seen(task: str, name: str, success: bool, folder: Path) -> Seen:
    from agent.episodes import Episode, Kind
    from agent.world_model.calibration import SAME_ALARM_S
    from agent.world_model.data import CONTACT_N

    episode = Episode.open(folder)
    event_s = next((place.time_s for place, event in episode.records(Kind.EVENT) if event.name == name), None)
    times, surprise, contact, odds, begins = [], [], [], [], []
    last: int | None = None
    for _, step in episode.records(Kind.STEP):
        if step.acting is None:
            continue
        sequence = step.observation.sequence
        if step.acting.begins and sequence - 1 != last:  # else it only goes on with another goal
            begins.append(len(times))
        last = sequence
        times.append(step.observation.time_s)
        surprise.append(step.estimate.surprise or 0.0)
        force_n = np.linalg.norm(step.acting.force_in_target_n)
        contact.append(step.observation.grip_force_n > GRIP_N or force_n > CONTACT_N)
        odds.append(step.estimate.success_probability or 0.0)
    if not times:
        return Seen(task, name, success, None, (), 0, 0.0, ())
    at, score = np.array(times), np.array(surprise)
    attempts = list(zip(begins, [*begins[1:], len(times)], strict=True))
    calm_until = at[-1] if event_s is None else event_s
    calm = calm_seconds(at, score, np.array(contact), attempts, calm_until)
    after = None if event_s is None else largest_after(event_s, at, score, attempts)
    above = np.flatnonzero((score > 1.0) & (at < calm_until))
    alarms = int(len(above) > 0) + int((np.diff(at[above]) > SAME_ALARM_S).sum())
    said = tuple(Attempt(tuple(odds[a:b:ODDS_EVERY_TICKS]), success and b == len(times)) for a, b in attempts)
    return Seen(task, name, success, after, calm, alarms, len(times) / 6000.0, said)


def calm_seconds(
    at_s: NDArray[Any],
    score: NDArray[Any],
    contact: NDArray[np.bool_],
    attempts: Sequence[tuple[int, int]],
    until_s: float,
) -> tuple[float, ...]:
    """The largest score in each second in contact before `until_s`; seconds begin with the first contact of each
    attempt (first and one past its last index), and none spans two."""
    found = []
    for a, b in attempts:
        if not contact[a:b].any():
            continue
        first, last = at_s[a + int(np.argmax(contact[a:b]))], min(at_s[b - 1], until_s)
        for start in np.arange(first, last - AFTER_S + 1e-6, AFTER_S):
            inside = slice(*np.searchsorted(at_s, (start - 1e-6, start + AFTER_S - 1e-6)))
            if contact[inside].mean() >= IN_CONTACT:
                found.append(float(score[inside].max()))
    return tuple(found)


def largest_after(
    event_s: float, at_s: NDArray[Any], score: NDArray[Any], attempts: Sequence[tuple[int, int]]
) -> float | None:
    """The largest score (n,) of times `at_s` (n,) in the second after an event; None where no attempt (first and one
    past its last index) had gone on for FELT_BEFORE_S, or hardly anything came after."""
    if not any(at_s[a] + FELT_BEFORE_S <= event_s <= at_s[b - 1] for a, b in attempts):
        return None
    inside = (at_s >= event_s) & (at_s <= event_s + AFTER_S)
    return float(score[inside].max()) if inside.sum() > 10 else None


def run_knowing(args: argparse.Namespace) -> int:
    """`doppio bench knowing`."""
    from rich.console import Console

    from agent.episodes import cpu_name
    from sim.disturbances.catalogue import EVENTS, LASTING, NONE

    weights = check_weights(args)
    if not weights:
        raise CommandError(f"--policy {args.policy} knows nothing of itself; choose world-model or prior")
    task = "pick-mug" if args.task == "coffee" else args.task
    job = KnowingJob(task, args.split, args.policy, args.checkpoint, (NONE, *EVENTS, *LASTING))
    console = Console(stderr=str(args.json) == "-", highlight=False)
    result = summarise(watch_episodes(job, args.index, args.times, os.cpu_count() or 1, console))
    for name, event in result["events"].items():
        words = f"{area_words(event):18}  against those that succeeded {area_words(event['against_succeeded']):18}"
        console.print(f"{name:16} n {event['n']:3}  AUC {words}  noticed {event['noticed']:.0%}")
    for name, at in (("odds", "half-way"), ("odds_at_one_time", "at one time")):
        console.print(f"{f'odds {at}':16} n {result[name]['n']:3}  AUC {area_words(result[name])}")
    console.print(f"false alarms {calm_words(result['undisturbed'])}")
    console.print(f"where it succeeded {calm_words(result['undisturbed_succeeded'])}")
    for name in ("success_ece", "success_ece_if_honest"):
        console.print(f"{name:26} {'–' if result[name] is None else f'{result[name]:.3g}'}")
    identity = {"task": task, "split": args.split, "start": args.index, "policy": args.policy, "cpu": cpu_name()}
    write_json(args.json, identity | {"houses": args.times, "checkpoint": weights} | result)
    return Exit.OK


def watch_episodes(job: KnowingJob, start: int, episodes: int, workers: int, console: Any) -> list[Seen]:
    """Every disturbance in each of `episodes` houses. Raises CommandError where a program error stopped one."""
    from rich.progress import track

    from agent.commands.workers import run_jobs

    count = len(job.disturbances)
    numbers = [index * count + k for index in range(start, start + episodes) for k in range(count)]
    seen: list[Seen] = []
    for done in track(run_jobs(job, numbers, workers), "episodes", total=len(numbers), console=console):
        if done.error:
            raise CommandError(done.error)
        seen.append(done.result)
    return seen


def summarise(seen: list[Seen]) -> dict[str, Any]:
    """Areas under ROC curves, alarms and honesty."""
    from agent.world_model.calibration import ece, ece_if_honest
    from sim.disturbances.catalogue import EVENTS, NONE

    undisturbed = [s for s in seen if s.disturbance == NONE and not s.missing]
    succeeded = [s for s in undisturbed if s.success]
    events = {}
    for name in EVENTS:
        after = np.array([s.after for s in seen if s.disturbance == name and s.after is not None])
        if len(after):
            noticed = {"n": len(after), "noticed": float((after > 1.0).mean())}
            events[name] = noticed | _against(after, undisturbed) | {"against_succeeded": _against(after, succeeded)}
    disturbed = [(s.task, a) for s in seen if s.disturbance not in (NONE, *EVENTS) for a in s.attempts]
    said = np.array([a.odds[len(a.odds) // 2] for _, a in disturbed])
    came = np.array([a.success for _, a in disturbed], bool)
    return {
        "undisturbed": _calm(undisturbed),
        "undisturbed_succeeded": _calm(succeeded),
        "events": events,
        "odds": _odds(said, came),
        "odds_at_one_time": _odds(*_at_one_time(disturbed)),
        "success_ece": ece(said, came) if disturbed else None,
        "success_ece_if_honest": ece_if_honest(said) if disturbed else None,
    }


def _at_one_time(attempts: Sequence[tuple[str, Attempt]]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Odds of the attempts at each task that still go on after half of what those that succeeded took (median), and
    whether they succeeded."""
    pairs = []
    for task in sorted({task for task, _ in attempts}):
        of_task = [a for name, a in attempts if name == task]
        took = [len(a.odds) for a in of_task if a.success]
        at = int(np.median(took)) // 2 if took else 0
        pairs += [(a.odds[at], a.success) for a in of_task if len(a.odds) > at]
    return np.array([said for said, _ in pairs]), np.array([came for _, came in pairs], bool)


def _calm(seen: list[Seen]) -> dict[str, Any]:
    """How much there was of undisturbed acting, and false alarms in it."""
    minutes = sum(s.minutes for s in seen)
    return {
        "episodes": len(seen),
        "minutes": minutes,
        "seconds_in_contact": sum(len(s.calm) for s in seen),
        "false_alarms_per_minute": sum(s.alarms for s in seen) / minutes if minutes else None,
    }


def calm_words(of: dict[str, Any]) -> str:
    """False alarms, as `summarise` gives them."""
    rate = of["false_alarms_per_minute"]
    return (
        f"{'–' if rate is None else f'{rate:.2g}'} a minute in {of['episodes']} episodes "
        f"({of['minutes']:.1f} minutes, {of['seconds_in_contact']} seconds in contact)"
    )


def _against(after: NDArray[Any], undisturbed: Sequence[Seen]) -> dict[str, Any]:
    calm = np.array([value for s in undisturbed for value in s.calm])
    return _area(after, calm, sum(bool(s.calm) for s in undisturbed))


def _odds(said: NDArray[Any], came: NDArray[np.bool_]) -> dict[str, Any]:
    return {"n": len(said)} | _area(said[came], said[~came], int((~came).sum()))


def _area(positive: NDArray[Any], negative: NDArray[Any], independent: int) -> dict[str, Any]:
    """`independent`: how many of the negatives do not depend on each other."""
    from agent.commands.statistics import auc_interval
    from agent.world_model.calibration import auc

    area = auc(positive, negative)
    return {"auc": area, "auc_ci95": None if area is None else list(auc_interval(area, len(positive), independent))}


def area_words(of: dict[str, Any]) -> str:
    """An area with its interval, as `summarise` gives it."""
    if of["auc"] is None:
        return "–"
    low, high = of["auc_ci95"]
    return f"{of['auc']:.2f} ({low:.2f}–{high:.2f})"
