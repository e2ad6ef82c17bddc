"""Render an episode: simulate it again and film it."""

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer

from agent.commands.outcome import CommandError
from agent.commands.overlay import Recent, draw_overlay
from agent.commands.rebuild import RebuiltWorld
from agent.episodes import Episode, Kind
from agent.episodes.verify import controls_by_tick
from agent.messages import Step
from agent.viewer.story import events_of

WIDTH_PX, HEIGHT_PX = 960, 540
FRAMES_PER_S = 25
EVENT_SHOWN_S = 1.2
"""Of the film's own time."""
_TICKS_PER_FRAME_AT_SPEED_1 = 4


def render_video(
    episode: Episode,
    world: RebuiltWorld,
    out: Path,
    speed: int,
    on_tick: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write an H.264 film of `episode` to `out`, `speed` times faster than it happened; return the number of frames.

    Raises agent.episodes.EpisodeError when the episode cannot be simulated again, sim.render.GraphicsError without
    OpenGL, CommandError where `out` cannot be written.
    """
    from sim.render import Film

    controls = controls_by_tick(episode)
    stride = _TICKS_PER_FRAME_AT_SPEED_1 * speed
    steps, recent = _StepsByTime(episode), Recent()
    events = [(event["time"], event["words"]) for event in reversed(events_of(episode))]
    frames = 0
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"cannot create {out.parent}: {error.strerror}") from error
    unfinished = out.with_name(f"{out.stem}.part{out.suffix}")  # without its end an MP4 cannot be read
    with Film(world.plant.model, WIDTH_PX, HEIGHT_PX) as film, _create(unfinished) as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(FRAMES_PER_S), options={"crf": "23", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for tick, (time_s, control) in enumerate(controls):
            for ctrl in control.ctrl:
                world.apply_raw(ctrl)
            on_tick(tick + 1, len(controls))
            if tick % stride and tick + 1 < len(controls):
                continue
            picture, step = film.frame(world.plant.data), steps.at(time_s)
            if step is not None:
                recent.add(step)
                event = next((words for at, words in events if 0.0 <= time_s - at < EVENT_SHOWN_S * speed), "")
                picture = draw_overlay(picture, step, speed, recent.traces(), event)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            frames += 1
        container.mux(stream.encode())
    unfinished.replace(out)
    return frames


def _create(path: Path) -> OutputContainer:
    try:
        return av.open(str(path), "w")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error


class _StepsByTime:
    """The step that was current at a time; None in an episode without any, as a robot's side records."""

    def __init__(self, episode: Episode) -> None:
        self._episode = episode
        self._times = [place.time_s for place in episode.places if place.kind == Kind.STEP]

    def at(self, time_s: float) -> Step | None:
        if not self._times:
            return None
        return self._episode.step(max(0, bisect_right(self._times, time_s + 1e-9) - 1))
