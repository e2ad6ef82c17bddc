"""Why an episode went as it did, in plain words, by rules over the record. No model is asked: every sentence has its
number and its moment in the log."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episodes.reader import Episode
from agent.episodes.records import Kind
from agent.messages import Step, Subgoal

_CONTACT_N = 0.25
_BEFORE_S = 6.0
"""How far back from a failure its causes are looked for."""
_FAR_OFF_M = 0.04
_SURPRISED = 1.0

ADVICE = {
    "target-not-seen": "a look from another side, or more exploring, before this subgoal is given",
    "lost-grip": "a firmer or deeper grasp, or slower motion while carrying",
    "unreachable": "another place to stand, or the way cleared",
    "timeout": "more time, or noticing earlier that no progress is made",
    "time-limit": "fewer retries and shorter ways: see where the time went",
    "blocked": "another way round, or the obstacle seen and cleared",
    "not-achieved": "a check of the postcondition that agrees with what is really so",
    "robot-fault": "an agent whose actions arrive in time",
}


@dataclass(frozen=True)
class Reason:
    """One sentence, and the moment it speaks of."""

    text: str
    time_s: float | None = None

    def __str__(self) -> str:
        return self.text if self.time_s is None else f"{_clock(self.time_s)}  {self.text}"


@dataclass(frozen=True)
class _Attempt:
    """One subgoal as it went."""

    subgoal: Subgoal
    start_s: float
    end_s: float
    status: str
    reason: str

    @property
    def words(self) -> str:
        return f"{self.subgoal.kind.value} {self.subgoal.target or self.subgoal.item}".strip()


def explain(episode: Episode) -> list[Reason]:
    """From what decided the outcome to what would have been needed."""
    if not len(episode):
        return [Reason("nothing of a mind is recorded here: this is a robot's side, or was cut off at its start")]
    end_s = episode.step(-1).observation.time_s
    attempts = _attempts(episode, end_s)
    summary = episode.summary
    if summary is None:
        return [
            Reason(f"the run was cut off after {end_s:.1f} s, before anything was decided", end_s),
            *_last(attempts),
        ]
    if summary.get("success"):
        return [*_success(summary, attempts, end_s), *_worries(episode, attempts)]
    return [
        *_failure(episode, summary, attempts, end_s),
        *_where_time_went(attempts, end_s),
        *_needed(summary, attempts),
    ]


def decisive_moment(episode: Episode) -> float | None:
    """The time a person should look at first in a failed episode; None for one that succeeded."""
    if not len(episode) or (episode.summary or {}).get("success"):
        return None
    end_s = episode.step(-1).observation.time_s
    bad = _world_events(episode)
    if bad:
        return bad[0][0]
    failed = [a for a in _attempts(episode, end_s) if a.status in ("failed", "rejected")]
    return failed[-1].end_s if failed else end_s


def contact_facts(episode: Episode) -> dict[str, str | float]:
    """For clustering failures: the subgoal it failed in, the last thing felt before that, the largest surprise."""
    facts: dict[str, str | float] = {"contact": "", "surprise": -1.0, "decided_s": -1.0, "subgoal": ""}
    moment = decisive_moment(episode)
    if moment is None:
        return facts
    attempts = [a for a in _attempts(episode, moment) if a.start_s <= moment]
    first, last = episode.step_at(max(0.0, moment - _BEFORE_S)), episode.step_at(moment)
    steps = [episode.step(n) for n in range(first, last + 1)]
    felt = [*_contact(steps), *_forces(steps)]
    timed = [r for r in felt if r.time_s is not None]
    if timed:
        last_felt = max(timed, key=lambda r: r.time_s or 0.0).text
    else:
        last_felt = felt[0].text if felt else "touching all the time"
    known = [s.estimate.surprise for s in steps if s.estimate.surprise is not None]
    facts["decided_s"] = moment
    facts["contact"] = _kind_of_contact(last_felt)
    facts["surprise"] = max(known) if known else -1.0
    facts["subgoal"] = attempts[-1].subgoal.kind.value if attempts else ""
    return facts


def _kind_of_contact(text: str) -> str:
    """A sentence without its numbers, so that like comes to like."""
    for words, kind in (
        ("touched nothing", "nothing touched"),
        ("contact was lost", "grip lost"),
        ("let go", "let go"),
        ("slipped", "slipped"),
        ("was pushed", "pushed too hard"),
        ("touched something", "touched"),
    ):
        if words in text:
            return kind
    return text


def why_as_json(reasons: list[Reason]) -> list[dict[str, Any]]:
    """For pages and machines."""
    return [{"text": reason.text, "time": reason.time_s} for reason in reasons]


def _attempts(episode: Episode, end_s: float) -> list[_Attempt]:
    started = [(place.time_s, subgoal) for place, subgoal in episode.records(Kind.SUBGOAL)]
    reports = list(episode.reports())
    result = []
    for number, (start_s, subgoal) in enumerate(started):
        limit_s = started[number + 1][0] if number + 1 < len(started) else end_s
        ended = [
            r
            for r in reports
            if r.subgoal_id == subgoal.id and start_s <= r.time_s <= limit_s + 1e-6 and r.status != "running"
        ]
        status, reason = (ended[0].status, ended[0].reason) if ended else ("running", "")
        result.append(_Attempt(subgoal, start_s, ended[0].time_s if ended else limit_s, status, reason))
    return result


def _success(summary: dict[str, Any], attempts: list[_Attempt], end_s: float) -> list[Reason]:
    retried = [a for a in attempts if a.status == "failed"]
    text = f"the task was done after {end_s:.1f} s and {len(attempts)} subgoal" + ("" if len(attempts) == 1 else "s")
    tries = f", {len(retried)} of which failed first" if retried else ", each at the first try"
    reasons = [Reason(text + (", at the first try" if len(attempts) == 1 and not retried else tries))]
    if not summary.get("safe", True):
        broken = [name.replace("-", " ") for name, holds in (summary.get("safety") or {}).items() if not holds]
        first = min((unsafe["time_s"] for unsafe in summary.get("unsafe") or []), default=None)
        reasons.append(Reason(f"but not safely: not kept were {', '.join(broken) or 'the limits'}", first))
    reasons += [Reason(f"{a.words} failed ({_plain(a.reason)}) and was made up for", a.end_s) for a in retried[:4]]
    return reasons


def _failure(episode: Episode, summary: dict[str, Any], attempts: list[_Attempt], end_s: float) -> list[Reason]:
    reason = summary.get("reason") or "no reason given"
    reasons = [Reason(f"it failed after {end_s:.1f} s: {_plain(reason)}", end_s)]
    lacking = [name.replace("-", " ") for name, holds in (summary.get("parts") or {}).items() if not holds]
    if lacking:
        reasons.append(Reason(f"what was missing at the end: {', '.join(lacking)}"))
    reasons += [Reason(words, time_s) for time_s, words in _world_events(episode)[:4]]
    failed = [a for a in attempts if a.status in ("failed", "rejected")]
    if not attempts:
        reasons.append(Reason("no subgoal was ever given"))
    for attempt in _worst(failed):
        count = sum(a.words == attempt.words for a in failed)
        times = f", {count} times in all" if count > 1 else ""
        reasons.append(Reason(f"{attempt.words} failed: {_plain(attempt.reason)}{times}", attempt.end_s))
        reasons += _causes(episode, attempt)
    running = attempts[-1] if attempts and attempts[-1].status == "running" else None
    if running is not None:
        held_s = running.end_s - running.start_s
        reasons.append(Reason(f"at the end it had been busy with {running.words} for {held_s:.1f} s", running.start_s))
        reasons += _causes(episode, running)
    return reasons


def _worst(failed: list[_Attempt]) -> list[_Attempt]:
    """The last failure of the subgoal that failed most often, and the last of all."""
    if not failed:
        return []
    often, _ = Counter(a.words for a in failed).most_common(1)[0]
    chosen = [[a for a in failed if a.words == often][-1]]
    if failed[-1].words != often:
        chosen.append(failed[-1])
    return chosen


def _causes(episode: Episode, attempt: _Attempt) -> list[Reason]:
    """What the last seconds of an attempt say."""
    since = max(attempt.start_s, attempt.end_s - _BEFORE_S)
    first, last = episode.step_at(since), episode.step_at(attempt.end_s)
    steps = [episode.step(n) for n in range(first, last + 1)]
    if not steps:
        return []
    return [
        *_phase(steps),
        *_contact(steps),
        *_forces(steps),
        *_clamps(steps),
        *_expected(steps),
        *_belief_off(episode, attempt),
    ]


def _phase(steps: list[Step]) -> list[Reason]:
    acting = [s.estimate.phase for s in steps if s.estimate.phase not in ("", "failed", "idle")]
    phase = acting[-1] if acting else ""
    began = next((s.observation.time_s for s in steps if s.estimate.phase == phase), steps[-1].observation.time_s)
    return [Reason(f"its last phase was `{phase}`", began)] if phase else []


def _grip(steps: list[Step]) -> NDArray[np.float64]:
    return np.array([s.observation.grip_force_n for s in steps])


def _contact(steps: list[Step]) -> list[Reason]:
    grip = np.convolve(_grip(steps), np.ones(5) / 5, mode="same") if len(steps) > 5 else _grip(steps)
    touching = grip > _CONTACT_N
    if not touching.any():
        return [Reason(f"the pads touched nothing in the last {_span(steps):.1f} s")]
    lost = np.flatnonzero(touching[:-1] & ~touching[1:])
    made = np.flatnonzero(~touching[:-1] & touching[1:])
    reasons = []
    if len(made):
        reasons.append(Reason("the pads touched something", steps[int(made[-1]) + 1].observation.time_s))
    if len(lost) and not touching[-1]:
        at = int(lost[-1]) + 1
        asked = steps[at].action.grip_mode == "force" and steps[at].action.grip > 0
        words = "contact was lost while it was to grip" if asked else "the pads let go"
        reasons.append(Reason(words, steps[at].observation.time_s))
    slips = [s.observation.time_s for s in steps if s.observation.applied.slip_reflex]
    if slips:
        reasons.append(Reason(f"the grip slipped in {len(slips)} ticks and was tightened", slips[-1]))
    return reasons


def _forces(steps: list[Step]) -> list[Reason]:
    force = np.array([np.linalg.norm(s.observation.wrist_wrench_in_tool[:3]) for s in steps])
    worst = int(force.argmax())
    subgoal = steps[worst].subgoal
    limit = None if subgoal is None else subgoal.limits.force_n
    if limit is not None and force[worst] > limit:
        text = f"the hand was pushed with {force[worst]:.0f} N where {limit:.0f} N were allowed"
        return [Reason(text, steps[worst].observation.time_s)]
    return []


def _clamps(steps: list[Step]) -> list[Reason]:
    counts = Counter(clamp.name for s in steps for clamp in s.observation.applied.clamps)
    if not counts:
        return []
    name, count = counts.most_common(1)[0]
    share = count / len(steps)
    if share < 0.25:
        return []
    words = (
        f"the limit `{name.replace('_', ' ')}` changed what was asked in {share:.0%} of the last {_span(steps):.1f} s"
    )
    return [Reason(words)]


def _expected(steps: list[Step]) -> list[Reason]:
    surprise = [(s.estimate.surprise, s.observation.time_s) for s in steps if s.estimate.surprise is not None]
    hopes = [(s.estimate.success_probability, s.observation.time_s) for s in steps]
    known = [(p, t) for p, t in hopes if p is not None]
    if not surprise and not known:
        return [Reason("what was expected is not known: this policy predicts nothing")]
    reasons = []
    if surprise:
        value, time_s = max(surprise)
        words = "it was surprised" if value > _SURPRISED else "nothing surprised it"
        reasons.append(Reason(f"{words}: surprise rose to {value:.2f}, where above 1 something is wrong", time_s))
    if known:
        best, at = max(known)
        reasons.append(Reason(f"it held success to be {best:.0%} probable, and {known[-1][0]:.0%} at the end", at))
    return reasons


def _belief_off(episode: Episode, attempt: _Attempt) -> list[Reason]:
    """Whether the target was still where it had been believed when the subgoal began."""
    target = attempt.subgoal.target
    if not target or not len(episode.all_of(Kind.BELIEF)):
        return []
    seen: list[tuple[float, Any]] = []
    for place in episode.all_of(Kind.BELIEF):
        if attempt.start_s - 1.0 <= place.time_s <= attempt.end_s + 0.5:
            seen += [(place.time_s, t) for t in episode.record(place).things if t.id == target]
    if not seen:
        return [Reason(f"nothing called {target} was in the belief while this was tried")]
    (_, before), (_, after) = seen[0], seen[-1]
    moved = float(np.hypot(*(np.array(after.position_in_map_m[:2]) - np.array(before.position_in_map_m[:2]))))
    reasons = []
    if moved > _FAR_OFF_M:
        reasons.append(Reason(f"meanwhile the belief moved {target} by {100 * moved:.0f} cm", seen[-1][0]))
    age = attempt.end_s - after.last_seen_s
    if age > _BEFORE_S:
        reasons.append(Reason(f"{target} had last been seen {age:.0f} s earlier", after.last_seen_s))
    return reasons


def _world_events(episode: Episode) -> list[tuple[float, str]]:
    words = {
        "broke": "{} broke",
        "dropped": "{} was dropped",
        "spilled": "coffee was spilled",
        "mode-fault": "the robot stopped for good",
    }
    return [(t, words[e.name].format(e.detail or "something")) for t, e in episode.events() if e.name in words]


def _worries(episode: Episode, attempts: list[_Attempt]) -> list[Reason]:
    reasons = [Reason(words, time_s) for time_s, words in _world_events(episode)[:3]]
    slips = [t for t, e in episode.events() if e.name == "slip"]
    if len(slips) > 2:
        reasons.append(Reason(f"the grip slipped on {len(slips)} occasions", slips[0]))
    forces = [(e.value or 0.0, t) for t, e in episode.events() if e.name == "clamp-force"]
    if forces:
        worst, at = max(forces)
        reasons.append(Reason(f"it pushed harder than allowed on {len(forces)} occasions, {worst:.0f} N at most", at))
    if attempts:
        longest = max(attempts, key=lambda a: a.end_s - a.start_s)
        took = longest.end_s - longest.start_s
        reasons.append(Reason(f"the longest subgoal was {longest.words}: {took:.0f} s", longest.start_s))
    return reasons


def _where_time_went(attempts: list[_Attempt], end_s: float) -> list[Reason]:
    spent: Counter[str] = Counter()
    for attempt in attempts:
        spent[attempt.subgoal.kind.value] += round(attempt.end_s - attempt.start_s)
    busy = [f"{kind} {seconds} s" for kind, seconds in spent.most_common(3) if seconds > 0.15 * end_s]
    return [Reason(f"most of the {end_s:.0f} s went into {', '.join(busy)}")] if busy else []


def _needed(summary: dict[str, Any], attempts: list[_Attempt]) -> list[Reason]:
    failed = [a for a in attempts if a.status in ("failed", "rejected")]
    for reason in (summary.get("reason") or "", *(a.reason for a in _worst(failed))):
        for key, words in ADVICE.items():
            if key in reason:
                return [Reason(f"it would have taken {words}")]
    return []


def _last(attempts: list[_Attempt]) -> list[Reason]:
    return [Reason(f"it was busy with {attempts[-1].words}", attempts[-1].start_s)] if attempts else []


def _span(steps: list[Step]) -> float:
    return steps[-1].observation.time_s - steps[0].observation.time_s


def _plain(reason: str) -> str:
    return reason.replace("-", " ") or "no reason given"


def _clock(time_s: float) -> str:
    return f"{int(time_s // 60)}:{time_s % 60:05.2f}"
