"""What is recorded of the mind's side of a tick besides the step itself: timing, gaps, faults, beliefs."""

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from agent.episodes.records import BeliefView, BelievedThing, Event, Kind, Timing
from agent.messages import TICK_S, Action, Observation, Step

if TYPE_CHECKING:
    from agent.belief.belief import Belief
    from agent.episodes.writer import EpisodeWriter
    from agent.links.remote_robot import RemoteRobot
    from agent.robot import Robot

TIMING_TICKS = 100
BELIEF_PERIOD_S = 0.5
_WORTH_AN_EVENT = frozenset({"force", "stale", "not_finite", "fault", "plant_not_finite"})
"""Clamps that people look for. All of them are in the steps."""
_QUIET_S = 0.5
"""A clamp that comes back within this is the same event."""


class TimedRobot:
    """A Robot that notes when each observation came and when it was answered."""

    def __init__(self, robot: "Robot") -> None:
        self._robot = robot
        self.observed_s = 0.0
        self.acted_s = 0.0

    def observe(self) -> Observation:
        observation = self._robot.observe()
        self.observed_s = perf_counter()
        return observation

    def act(self, action: Action) -> None:
        self._robot.act(action)
        self.acted_s = perf_counter()

    def close(self) -> None:
        self._robot.close()


class StepRecorder:
    """Records each step and derives from it the events that a person will look for."""

    def __init__(
        self, writer: "EpisodeWriter", robot: TimedRobot, belief: "Belief", *, realtime: bool, every_tick: bool = True
    ) -> None:
        """`every_tick`: each tick is recorded, so that one that is missing is a gap."""
        self._writer, self._robot, self._belief = writer, robot, belief
        self._realtime, self._every_tick = realtime, every_tick
        self._timing: list[tuple[int, float, float]] = []
        self._last_sequence = -1
        self._mode = "ok"
        self._last: dict[str, float] = {}
        self._belief_due_s = 0.0
        self._late_until_s = -1.0

    def record(self, step: Step) -> None:
        """Append a tick."""
        observation = step.observation
        now, writer = observation.time_s, self._writer
        if observation.look is not None and now >= self._belief_due_s:
            self._belief_due_s = now + BELIEF_PERIOD_S
            writer.message(now, view_of(self._belief))
        writer.step(step)
        self._time(step)
        self._watch(observation, now)

    def _time(self, step: Step) -> None:
        robot = self._robot
        latency_s = robot.acted_s - robot.observed_s
        self._timing.append((step.observation.sequence, robot.observed_s, latency_s))
        now = step.observation.time_s
        if self._realtime and latency_s > TICK_S and now > self._late_until_s:
            self._late_until_s = now + _QUIET_S
            self._event(now, "loop", "deadline-missed", "the action came after its tick", latency_s, TICK_S)
        if len(self._timing) == TIMING_TICKS:
            self.flush(now)

    def flush(self, now: float) -> None:
        """Write the timing of the last ticks."""
        if self._timing:
            sequence, observed_s, latency_s = zip(*self._timing, strict=True)
            self._timing.clear()
            latency_ms = (1e3 * np.array(latency_s)).astype(np.float32)
            self._writer.message(now, Timing(np.array(sequence, np.int32), np.array(observed_s), latency_ms))

    def _watch(self, observation: Observation, now: float) -> None:
        missed = observation.sequence - self._last_sequence - 1
        if missed and self._last_sequence >= 0 and self._every_tick:
            self._event(now, "loop", "gap", "observations that the mind did not see", float(missed), 0.0)
        self._last_sequence = observation.sequence
        applied = observation.applied
        if applied.mode != self._mode:
            self._mode = applied.mode
            if now > TICK_S:  # it stands until the first action
                self._event(now, "robot", f"mode-{applied.mode}", "")
        if applied.slip_reflex and self._is_new("slip", now):
            self._event(now, "robot", "slip", "the grip reflex tightened", observation.grip_force_n, None)
        for clamp in applied.clamps:
            if clamp.name in _WORTH_AN_EVENT and self._is_new(clamp.name, now):
                self._event(now, "robot", f"clamp-{clamp.name}", "", clamp.asked, clamp.bound)

    def _is_new(self, name: str, now: float) -> bool:
        """Whether this has not happened for a while."""
        new = now > self._last.get(name, -1.0)
        self._last[name] = now + _QUIET_S
        return new

    def _event(
        self, now: float, source: str, name: str, detail: str, value: float = 0.0, bound: float | None = None
    ) -> None:
        event = Event(source=source, name=name, detail=detail, value=value, bound=bound)  # type: ignore[arg-type]
        self._writer.event(now, event)


def view_of(belief: "Belief") -> BeliefView:
    """What the mind holds to be so now."""
    things = [
        BelievedThing(
            entity.id,
            entity.class_name,
            _three(entity.position),
            float(entity.variance) ** 0.5,
            float(entity.yaw),
            None if entity.size is None else _three(entity.size),
            None if entity.state is None else float(entity.state),
            entity.last_seen_s,
        )
        for entity in belief.entities.all()
        if entity.id not in belief.gone
    ]
    held = "" if belief.hand.held is None else belief.hand.held.entity_id
    return BeliefView(belief.time_s, _three(belief.base_pose), held, things)


def _three(values: "np.ndarray") -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z


def record_wire(writer: "EpisodeWriter", robot: "RemoteRobot") -> None:
    """Append every message to and from a robot elsewhere as its bytes, and the observations the mind did not see."""
    time_s = 0.0

    def wire(sent: bool, data: bytes) -> None:
        writer.write(Kind.WIRE, time_s, bytes((sent,)) + data)

    def skipped(observation: Observation) -> None:
        nonlocal time_s
        time_s = observation.time_s
        writer.message(time_s, observation)

    robot.on_wire, robot.on_skipped = wire, skipped
