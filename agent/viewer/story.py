"""The episode as a story: what the planner said, what the mind worked on, what happened, each with its time."""

from itertools import pairwise
from typing import Any

import msgspec

from agent.episodes import Episode, EpisodeReport, Kind
from agent.messages import Plan, PlanRequest, Subgoal

_EVENT_WORDS = {
    "slip": "the grip slipped and was tightened",
    "gap": "observations were missed",
    "deadline-missed": "the mind was too late for a tick",
    "mode-hold": "no valid action: the last one is held",
    "mode-ramp": "no valid action: slowing down",
    "mode-stop": "no valid action: stopped",
    "mode-fault": "the robot stopped for good: no action came for half a second",
    "mode-ok": "actions are valid again",
    "clamp-force": "pushed too hard: motion into the force was stopped",
    "clamp-stale": "an action had expired",
    "brewing": "coffee begins to flow",
    "broke": "something broke",
    "dropped": "something fell",
    "spilled": "coffee was spilled",
    "success": "the task is done",
}


def in_words(kind: str, target: str = "", item: str = "") -> str:
    """A subgoal for people, e.g. `look for a mug in cabinet-2`."""
    target = target.replace("_", " ")
    phrases = {
        "explore": "explore the house",
        "go-to": f"drive to {target}",
        "push-door": f"push {target} open",
        "open": f"open {target}",
        "close": f"close {target}",
        "look-for": f"look for a {item or 'thing'} in {target}",
        "pick": f"pick up {target}",
        "place": f"put what is held on {target}",
        "open-lid": f"open the lid of {target}",
        "close-lid": f"close the lid of {target}",
        "insert-pod": f"put the pod into {target}",
        "place-under-spout": f"put the mug under the spout of {target}",
        "press": f"press the button of {target} and wait",
        "carry": f"carry the full mug to {target}",
        "serve": f"serve the coffee on {target}",
    }
    return phrases.get(kind, f"{kind} {target}".strip())


def event_in_words(name: str, detail: str) -> str:
    """What an event means, for people."""
    words = _EVENT_WORDS.get(name, name.replace("-", " "))
    return f"{words}: {detail.replace('_', ' ')}" if detail and name not in ("slip", "gap") else words


def subgoals_of(episode: Episode, end_s: float) -> list[dict[str, Any]]:
    """Subgoals in order with their time, outcome and phases are left to the steps."""
    started: list[tuple[float, Subgoal]] = [(p.time_s, s) for p, s in episode.records(Kind.SUBGOAL)]
    reports = list(episode.reports())
    result = []
    for number, (start_s, subgoal) in enumerate(started):
        limit = started[number + 1][0] if number + 1 < len(started) else end_s
        ended = [r for r in reports if r.subgoal_id == subgoal.id and start_s <= r.time_s <= limit + 1e-6]
        final = next((r for r in ended if r.status in ("succeeded", "failed", "rejected")), None)
        result.append(
            {
                "id": subgoal.id,
                "kind": subgoal.kind.value,
                "target": subgoal.target,
                "words": in_words(subgoal.kind.value, subgoal.target, subgoal.item),
                "why": subgoal.reason,
                "from": start_s,
                "until": final.time_s if final is not None else limit,
                "status": final.status if final is not None else "running",
                "reason": final.reason if final is not None else "",
                "attempts": final.attempt if final is not None else 1,
                "limits": msgspec.to_builtins(subgoal.limits),
            }
        )
    last = result[-1] if result else None
    if last is not None and last["status"] == "running" and episode.summary is not None:
        # The subgoal that brings success ends with the episode, before its skill can say so.
        last["status"] = "succeeded" if episode.summary.get("success") else "ended"
    return result


def planning_of(episode: Episode) -> list[dict[str, Any]]:
    """Requests and plans: what the planner was asked, what it said, when it took effect."""
    requests: dict[int, tuple[float, PlanRequest]] = {}
    for place, request in episode.records(Kind.PLAN_REQUEST):
        requests[request.id] = place.time_s, request
    result = []
    for place, plan in episode.records(Kind.PLAN):
        asked = requests.get(plan.request_id)
        result.append(
            {
                "time": place.time_s,
                "asked": asked[0] if asked is not None else place.time_s,
                "facts": [_fact(f.predicate, f.arguments) for f in asked[1].facts] if asked is not None else [],
                "failed": [r.reason for r in asked[1].reports if r.status == "failed"] if asked is not None else [],
                "steps": [_planned(s) for s in plan.subgoals],
                **_said(plan),
            }
        )
    return result


def _said(plan: Plan) -> dict[str, Any]:
    return {
        "says": plan.explanation,
        "error": plan.error,
        "prompt": plan.prompt,
        "reply": plan.reply,
        "done": plan.goal_reached,
    }


def _planned(subgoal: Subgoal) -> dict[str, str]:
    return {"words": in_words(subgoal.kind.value, subgoal.target, subgoal.item), "why": subgoal.reason}


def _fact(predicate: str, arguments: tuple[str, ...]) -> str:
    return f"{predicate}({', '.join(arguments)})"


def events_of(episode: Episode) -> list[dict[str, Any]]:
    """Everything to jump to, in order."""
    events = [
        {
            "time": time_s,
            "source": event.source,
            "name": event.name,
            "words": event_in_words(event.name, event.detail),
            "value": event.value,
            "bound": event.bound,
        }
        for time_s, event in episode.events()
    ]
    for report in episode.reports():
        if report.status in ("failed", "rejected"):
            words = f"subgoal {report.status}: {report.reason.replace('-', ' ')}"
            events.append(
                {
                    "time": report.time_s,
                    "source": "mind",
                    "name": f"subgoal-{report.status}",
                    "words": words,
                    "value": None,
                    "bound": None,
                }
            )
    if (episode.summary or {}).get("success") and not any(e["name"] == "success" for e in events):
        events.append(
            {
                "time": episode.step(-1).observation.time_s,
                "source": "world",
                "name": "success",
                "words": event_in_words("success", ""),
                "value": None,
                "bound": None,
            }
        )
    return sorted(events, key=lambda e: e["time"])


def phases_of(times: list[float], phases: list[str]) -> list[list[Any]]:
    """[time, phase] at each change."""
    changes = [[times[0], phases[0]]] if phases else []
    for (_, before), (now, after) in pairwise(zip(times, phases, strict=True)):
        if after != before:
            changes.append([now, after])
    return changes


def outcome_of(episode: Episode) -> dict[str, Any]:
    """How it went, for the head of the page."""
    if episode.summary is None:
        return {"word": "cut off", "good": False, "words": "the run was ended before it was finished"}
    try:
        report = msgspec.convert(episode.summary, EpisodeReport)
    except msgspec.ValidationError:
        return {"word": "unknown", "good": False, "words": "the summary has another form"}
    if report.success:
        words = {
            True: "and nothing was broken or spilled",
            False: "but not safely",
            None: "as the mind believes; nobody judged what was spilled or broken",
        }[report.safe]
        return {"word": "success", "good": True, "words": words, "summary": episode.summary}
    where = f" while trying to {in_words(report.failed_subgoal)}" if report.failed_subgoal else ""
    words = f"{(report.reason or 'no reason given').replace('-', ' ')}{where}"
    return {"word": "failed", "good": False, "words": words.strip(), "summary": episode.summary}
