"""What is written over a film: time, subgoal and phase, and what the finger pads feel."""

from collections import deque
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agent.messages import PAD_SHAPE, Step

Picture = NDArray[np.uint8]

_FULL_SCALE_N = 4.0
"""Pressure of a taxel that is drawn brightest: a firm grip of 30 N spread over some ten of them."""
_NOISE_N = 0.03
"""Below this a taxel is drawn dark."""
_TAXEL_PX = 6
_MARGIN_PX = 12
_SHADE = (10, 12, 18, 110)
_TEXT = (245, 245, 240, 255)
_DIM = (190, 195, 205, 255)
_TRACE_POINTS, _TRACE_STEP_PX, _TRACE_HEIGHT_PX, _TRACES_WIDTH_PX = 60, 3, 24, 260
_FELT, _OTHER, _EXPECTED, _EVENT = (244, 162, 89), (240, 210, 100), (88, 196, 232), (240, 210, 100)
"""Colours as on the page."""
_COLOUR_STOPS = np.array([[18, 22, 48], [66, 42, 120], [190, 62, 90], [245, 150, 60], [252, 245, 170]], np.float64)


@cache
def _colours() -> Picture:
    """(256, 3) from dark over red to light yellow."""
    where = np.linspace(0, len(_COLOUR_STOPS) - 1, 256)
    stops = np.arange(len(_COLOUR_STOPS))
    return np.stack([np.interp(where, stops, channel) for channel in _COLOUR_STOPS.T], axis=1).astype(np.uint8)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def heat_map(pressure_n: NDArray[np.floating]) -> Picture:
    """(12, 8) newtons to an RGB picture of (12, 8) blocks. The root shows faint touch beside strong."""
    felt = np.nan_to_num(pressure_n.astype(np.float64)) - _NOISE_N
    level = np.sqrt(np.clip(felt / _FULL_SCALE_N, 0.0, 1.0))
    coloured = _colours()[(level * 255).astype(np.uint8)]
    return coloured.repeat(_TAXEL_PX, axis=0).repeat(_TAXEL_PX, axis=1)


def describe_subgoal(step: Step) -> str:
    """The subgoal in words."""
    subgoal = step.subgoal
    if subgoal is None:
        return "waiting for a plan"
    words = [subgoal.kind.value.replace("-", " "), subgoal.item]
    name = " ".join(word for word in words if word)
    return f"{name}: {subgoal.target}" if subgoal.target else name


class Trace(NamedTuple):
    """One curve of the last seconds."""

    label: str
    values: list[float | None]
    """The newest last; None where there was none."""
    full: float
    """Drawn at the top."""
    colour: tuple[int, int, int]


class Recent:
    """The last seconds of an episode, for the curves of a film."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=_TRACE_POINTS)

    def add(self, step: Step) -> None:
        """The step of the next picture."""
        self._steps.append(step)

    def traces(self) -> list[Trace]:
        """What was felt, and what surprised if a model expected anything."""
        steps = self._steps
        force = [float(np.linalg.norm(s.observation.wrist_wrench_in_tool[:3])) for s in steps]
        grip = [max(0.0, s.observation.grip_force_n) for s in steps]
        traces = [Trace("grip", list(grip), 60.0, _FELT), Trace("force", list(force), 60.0, _OTHER)]
        if any(s.estimate.surprise is not None for s in steps):
            traces.append(Trace("surprise", [s.estimate.surprise for s in steps], 2.0, _EXPECTED))
        return traces


def _draw_traces(draw: ImageDraw.ImageDraw, traces: list[Trace], left: int, top: int) -> None:
    for number, trace in enumerate(traces):
        y = top + number * (_TRACE_HEIGHT_PX + 4)
        points = [
            (left + i * _TRACE_STEP_PX, y + _TRACE_HEIGHT_PX * (1.0 - min(1.0, value / trace.full)))
            for i, value in enumerate(trace.values)
            if value is not None
        ]
        wide = _TRACE_POINTS * _TRACE_STEP_PX
        draw.line((left, y + _TRACE_HEIGHT_PX, left + wide, y + _TRACE_HEIGHT_PX), fill=(255, 255, 255, 40))
        if len(points) > 1:
            draw.line(points, fill=(*trace.colour, 255), width=2)
        draw.text((left + wide + 6, y + _TRACE_HEIGHT_PX - 15), trace.label, fill=(*trace.colour, 255), font=_font(13))


def draw_overlay(
    picture: Picture, step: Step, speed: float, traces: list[Trace] | None = None, event: str = ""
) -> Picture:
    """A copy of an (h, w, 3) picture with the state of `step` written over its lower edge.

    `traces` are curves of the last seconds, `event` is what has just happened, in words.
    """
    height, width = picture.shape[:2]
    rows, columns = PAD_SHAPE
    pads_width = 2 * columns * _TAXEL_PX + _MARGIN_PX
    band = rows * _TAXEL_PX + 2 * _MARGIN_PX + 16
    image = Image.fromarray(picture).convert("RGBA")
    shade = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(shade)
    top = height - band
    draw.rectangle((0, top, width, height), fill=_SHADE)
    observation = step.observation
    minutes, seconds = divmod(observation.time_s, 60)
    left, line = _MARGIN_PX, top + _MARGIN_PX
    draw.text((left, line), describe_subgoal(step), fill=_TEXT, font=_font(26))
    phase = step.estimate.phase.replace("-", " ")
    draw.text((left, line + 33), phase, fill=_DIM, font=_font(18))
    clock = f"{int(minutes)}:{seconds:04.1f}" + (f"   {speed:g}x speed" if speed != 1 else "")
    draw.text((left, line + 58), clock, fill=_DIM, font=_font(18))
    if event:
        draw.text((left, top - 30), event, fill=(*_EVENT, 255), font=_font(18))
    _draw_traces(draw, traces or [], width - pads_width - _MARGIN_PX - _TRACES_WIDTH_PX, line)
    x = width - pads_width - _MARGIN_PX
    label = f"touch   {max(0.0, observation.grip_force_n):.1f} N"
    draw.text((x, line - 6), label, fill=_DIM, font=_font(13))
    image.alpha_composite(shade)
    for pad in range(2):
        blocks = Image.fromarray(heat_map(observation.pad_touch_n[pad, 0, 0]))
        image.paste(blocks, (x + pad * (columns * _TAXEL_PX + _MARGIN_PX), line + 14))
    return np.asarray(image.convert("RGB"))
