"""Simulate an episode again from its recorded actuator commands and find the first difference."""

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from agent.episodes.reader import Episode
from agent.episodes.records import Control, EpisodeError, Keyframe, Kind, state_crc
from agent.messages.arrays import F64


class World(Protocol):
    """A simulation in its initial state, steered by raw actuator commands."""

    initial_state_hash: str

    def apply_raw(self, ctrl: F64) -> None:
        """Advance one physics step, with everything that is not physics too. ctrl: (actuators,)."""
        ...

    def resume(self, tick: int, state: F64) -> None:
        """Go on as if after `tick`, whose keyframe has this state. Raises EpisodeError where that is impossible."""
        ...

    def state(self) -> tuple[F64, F64]:
        """The present qpos and qvel."""
        ...

    def position_name(self, index: int) -> str:
        """What people call this number of qpos."""
        ...

    def velocity_name(self, index: int) -> str:
        """What people call this number of qvel."""
        ...


class Difference(NamedTuple):
    """The first place where a replay is not the recording."""

    tick: int
    time_s: float
    field: str
    """`initial state`, `qpos` or `qvel`."""
    where: str = ""
    """Name of the coordinate that differs most at the first whole state after that; empty when there is none."""
    recorded: float = 0.0
    replayed: float = 0.0
    whole_state_tick: int = 0
    """Tick of that whole state."""

    def __str__(self) -> str:
        text = f"first difference in {self.field} at tick {self.tick} ({self.time_s:.2f} s)"
        if self.where:
            size = abs(self.replayed - self.recorded)
            text += (
                f"; at tick {self.whole_state_tick} {self.where} is {self.replayed:.9g} instead of "
                f"{self.recorded:.9g}, off by {size:.3g}"
            )
        return text


class Verdict(NamedTuple):
    """What a verification found."""

    ticks: int
    """Ticks that were simulated and compared."""
    steps: int
    """Physics steps among them."""
    difference: Difference | None
    missing: int = 0
    """Ticks that could not be compared because their commands are not in the log, or damaged."""


def controls_by_tick(episode: Episode) -> list[tuple[float, Control]]:
    """Times and actuator commands of ticks 0, 1, 2 … Raises EpisodeError for none, and for a gap in the middle."""
    controls = [(place.time_s, control) for place, control in episode.records(Kind.CONTROL)]
    if not controls:
        raise EpisodeError(f"{episode.directory} holds no actuator commands, so it cannot be simulated again")
    first = controls[0][1].tick
    for number, (_, control) in enumerate(controls):
        if control.tick != first + number:
            detail = f"; {episode.damage[0]}" if episode.damage else ""
            raise EpisodeError(f"{episode.directory}: the commands of tick {first + number} are missing{detail}")
    return controls


def verify(
    episode: Episode,
    world: World,
    on_tick: Callable[[int, int], None] = lambda done, total: None,
    start_s: float = 0.0,
) -> Verdict:
    """Compare `world`, steered by the commands of `episode`, with the recorded state hashes, tick by tick.

    It begins at the last keyframe at or before `start_s`. After the first difference it goes on to the next keyframe,
    to name what differs there and how much. Where commands are missing it goes on from the next keyframe. Raises
    EpisodeError where there is nothing to compare, or where it would have to begin in the middle and cannot.
    """
    expected_start = episode.header.initial_state_hash
    if expected_start and world.initial_state_hash != expected_start:
        where = f"recorded {expected_start}, rebuilt {world.initial_state_hash}"
        return Verdict(0, 0, Difference(0, 0.0, f"the initial state ({where})"))
    controls = [(place.time_s, control) for place, control in episode.records(Kind.CONTROL)]
    if not controls:
        raise EpisodeError(f"{episode.directory} holds no actuator commands, so it cannot be simulated again")
    whole_states = {keyframe.tick: keyframe for keyframe in episode.keyframes()}
    next_tick, begun = _begin(world, whole_states, controls, start_s)
    ticks = steps = missing = 0
    difference: Difference | None = None
    for number in range(begun, len(controls)):
        time_s, control = controls[number]
        if control.tick < next_tick:
            continue  # until the keyframe from which it goes on
        if control.tick > next_tick:
            keyframe = next((k for tick, k in sorted(whole_states.items()) if tick >= control.tick - 1), None)
            resumed = controls[-1][1].tick + 1 if keyframe is None else keyframe.tick + 1
            missing += resumed - next_tick
            next_tick = resumed
            if keyframe is not None:
                _resume(world, keyframe)
            if control.tick < next_tick:
                continue
        for ctrl in control.ctrl:
            world.apply_raw(ctrl)
        next_tick += 1
        ticks, steps = ticks + 1, steps + len(control.ctrl)
        on_tick(number + 1 - begun, len(controls) - begun)
        qpos, qvel = world.state()
        if difference is None:
            if state_crc(qpos) != control.position_crc:
                difference = Difference(control.tick, time_s, "qpos")
            elif state_crc(qvel) != control.velocity_crc:
                difference = Difference(control.tick, time_s, "qvel")
        if difference is not None and control.tick in whole_states:
            return Verdict(ticks, steps, _locate(difference, whole_states[control.tick], world), missing)
    return Verdict(ticks, steps, difference, missing)


def _begin(
    world: World, whole_states: dict[int, Keyframe], controls: list[tuple[float, Control]], start_s: float
) -> tuple[int, int]:
    """Put the world where the comparison begins; the tick that comes next, and its number among the controls."""
    wanted = bisect_right([time_s for time_s, _ in controls], start_s) - 1
    if start_s <= 0.0 or wanted < 0:
        return 0, 0
    last_tick = controls[wanted][1].tick
    before = [tick for tick, keyframe in whole_states.items() if tick <= last_tick and keyframe.state is not None]
    if not before:
        return 0, 0
    _resume(world, whole_states[max(before)])
    ticks = [control.tick for _, control in controls]
    return max(before) + 1, bisect_right(ticks, max(before))


def _resume(world: World, keyframe: Keyframe) -> None:
    if keyframe.state is None:
        raise EpisodeError("the keyframes of this episode hold no whole state: it can be compared from its start only")
    world.resume(keyframe.tick, keyframe.state)


def _locate(difference: Difference, keyframe: Keyframe, world: World) -> Difference:
    qpos, qvel = world.state()
    for recorded, replayed, name in (
        (keyframe.qpos, qpos, world.position_name),
        (keyframe.qvel, qvel, world.velocity_name),
    ):
        if recorded.shape != replayed.shape:
            return difference._replace(where=f"the state has {replayed.size} numbers instead of {recorded.size}")
        off = np.abs(recorded - replayed)
        if off.max() > 0:
            worst = int(off.argmax())
            return difference._replace(
                where=name(worst),
                recorded=float(recorded[worst]),
                replayed=float(replayed[worst]),
                whole_state_tick=keyframe.tick,
            )
    return difference


def verdict_as_json(verdict: Verdict) -> dict[str, object]:
    """For machines."""
    difference = verdict.difference
    return {
        "same": difference is None and not verdict.missing,
        "ticks": verdict.ticks,
        "steps": verdict.steps,
        "missing": verdict.missing,
        "difference": None if difference is None else difference._asdict(),
    }
