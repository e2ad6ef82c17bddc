"""What is drawn over time: rows of curves that say what was felt, what was expected, asked and allowed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episodes import Episode, Kind
from agent.messages import PAD_SHAPE, SKIN_PATCHES, Step
from agent.viewer.arrays import Arrays

TOUCH_EVERY = 4
"""Steps from one picture of the pads to the next."""
FULL_SCALE_N = 4.0
"""Pressure of a taxel that is drawn brightest: a firm grip spread over some ten of them."""
_NOISE_N = 0.03
_LOOKS_LIKE_CONTACT_N = 0.25
_NAN = float("nan")


@dataclass(frozen=True)
class Curve:
    """One line in a row."""

    name: str
    label: str
    role: str
    """Which colour: `felt`, `expected`, `asked`, `applied`, `limit`, `other`."""


@dataclass(frozen=True)
class Row:
    """Curves that share an axis."""

    title: str
    unit: str
    about: str
    """A sentence for somebody who sees this for the first time."""
    curves: tuple[Curve, ...]
    low: float | None = None
    high: float | None = None
    absent: str = ""
    """What to say where the expected curve was not recorded."""


_NO_MODEL = "this policy predicts nothing: the world model draws a curve here"

ROWS = (
    Row(
        "grip",
        "N",
        "How hard the two finger pads press on what is between them, and what the controllers were asked for.",
        (
            Curve("pad_left", "left pad", "felt"),
            Curve("pad_right", "right pad", "other"),
            Curve("grip_asked", "asked", "asked"),
        ),
        low=0.0,
    ),
    Row(
        "force on the hand",
        "N",
        "What the world exerts on the wrist, what the model expected soon, and the limit of the subgoal.",
        (
            Curve("wrist", "felt", "felt"),
            Curve("expected_force", "expected", "expected"),
            Curve("force_limit", "limit", "limit"),
        ),
        low=0.0,
        absent=_NO_MODEL,
    ),
    Row(
        "contact",
        "",
        "Whether a pad touches something, and how probable the model held it to be.",
        (Curve("contact", "felt", "felt"), Curve("contact_probability", "expected", "expected")),
        low=0.0,
        high=1.0,
        absent=_NO_MODEL,
    ),
    Row(
        "surprise",
        "",
        "How far what came was from what the model expected; above 1 something is not as it should be.",
        (Curve("surprise", "surprise", "expected"),),
        low=0.0,
        absent=_NO_MODEL,
    ),
    Row(
        "success",
        "",
        "How probable the policy holds the success of this attempt to be.",
        (Curve("success_probability", "expected", "expected"),),
        low=0.0,
        high=1.0,
        absent=_NO_MODEL,
    ),
    Row(
        "time to go",
        "s",
        "How long the policy thinks it still needs.",
        (Curve("time_to_go", "expected", "expected"),),
        low=0.0,
        absent=_NO_MODEL,
    ),
    Row(
        "uncertainty",
        "σ",
        "How much the members of the model's ensemble disagree on what comes next.",
        (Curve("disagreement", "disagreement", "expected"),),
        low=0.0,
        absent=_NO_MODEL,
    ),
    Row(
        "slip",
        "",
        "Ticks in which the grip reflex tightened, and how probable the model held slipping to be.",
        (Curve("slip", "felt", "felt"), Curve("slip_probability", "expected", "expected")),
        low=0.0,
        high=1.0,
        absent=_NO_MODEL,
    ),
    Row(
        "fingers",
        "mm",
        "Opening between the pads.",
        (Curve("width", "measured", "felt"), Curve("width_asked", "asked", "asked")),
        low=0.0,
    ),
    Row(
        "tool speed",
        "m/s",
        "What the mind asked of the hand and what the safety gate and the arm made of it.",
        (Curve("tool_asked", "asked", "asked"), Curve("tool_applied", "applied", "applied")),
        low=0.0,
    ),
    Row(
        "base speed",
        "m/s",
        "What the mind asked of the wheels and what was let through.",
        (Curve("base_asked", "asked", "asked"), Curve("base_applied", "applied", "applied")),
        low=0.0,
    ),
    Row(
        "clamps",
        "",
        "How many limits changed the action in each tick.",
        (Curve("clamps", "limits that acted", "limit"),),
        low=0.0,
    ),
    Row(
        "latency",
        "ms",
        "From observation to action, on the machine that ran this. A tick is 10 ms.",
        (Curve("latency", "mind", "felt"),),
        low=0.0,
    ),
)


def _length(values: NDArray[np.float64], count: int) -> float:
    x = values[:count]
    return float(np.sqrt(x @ x))


def _or_nan(value: float | None) -> float:
    return _NAN if value is None else float(value)


_OF_STEP: dict[str, Callable[[Step], float]] = {
    "width": lambda s: 1e3 * float(s.observation.joint_position[8]),
    "width_asked": lambda s: 1e3 * s.action.grip if s.action.grip_mode == "width" else _NAN,
    "grip_asked": lambda s: s.action.grip if s.action.grip_mode == "force" else _NAN,
    "wrist": lambda s: _length(s.observation.wrist_wrench_in_tool, 3),
    "force_limit": lambda s: _NAN if s.subgoal is None else s.subgoal.limits.force_n,
    "expected_force": lambda s: _or_nan(s.estimate.force_n),
    "contact_probability": lambda s: _or_nan(s.estimate.contact_probability),
    "slip_probability": lambda s: _or_nan(s.estimate.slip_probability),
    "surprise": lambda s: _or_nan(s.estimate.surprise),
    "disagreement": lambda s: _or_nan(s.estimate.disagreement),
    "time_to_go": lambda s: _or_nan(s.estimate.time_to_go_s),
    "success_probability": lambda s: _or_nan(s.estimate.success_probability),
    "slip": lambda s: float(s.observation.applied.slip_reflex),
    "tool_asked": lambda s: _length(s.action.tool_twist_in_base[0], 3),
    "tool_applied": lambda s: _length(s.observation.applied.tool_twist_in_base, 3),
    "base_asked": lambda s: _length(s.action.base_velocity_in_base, 2),
    "base_applied": lambda s: _length(s.observation.applied.base_velocity_in_base, 2),
    "clamps": lambda s: float(len(s.observation.applied.clamps)),
}


class Track:
    """Takes in the steps of an episode one by one and keeps what is drawn of them."""

    def __init__(self, count: int) -> None:
        self.time_s = np.zeros(count, np.float32)
        self._curves = {name: np.full(count, np.nan) for name in _OF_STEP}
        pictures = -(-count // TOUCH_EVERY)
        rows, columns = PAD_SHAPE
        self._pads = np.zeros((pictures, 2, rows, columns), np.uint8)
        self._skin = np.zeros((pictures, SKIN_PATCHES), np.uint8)
        self.clamps: list[tuple[float, float, str, float, float]] = []
        """From, until, name, largest value asked, its bound."""
        self._open: dict[str, list[Any]] = {}
        self._row = 0

    def take(self, step: Step) -> None:
        """The next step."""
        row = self._row
        self._row += 1
        observation = step.observation
        self.time_s[row] = observation.time_s
        for name, of in _OF_STEP.items():
            self._curves[name][row] = of(step)
        if row % TOUCH_EVERY == 0:
            picture = row // TOUCH_EVERY
            self._pads[picture] = _brightness(observation.pad_touch_n[:, 0, 0])
            self._skin[picture] = _brightness(observation.skin_touch_n[0])
        self._take_clamps(step, observation.time_s)

    def _take_clamps(self, step: Step, now: float) -> None:
        for clamp in step.observation.applied.clamps:
            running = self._open.get(clamp.name)
            if running is None or now - running[1] > 0.1:
                if running is not None:
                    self.clamps.append((running[0], running[1], clamp.name, running[2], running[3]))
                self._open[clamp.name] = [now, now, clamp.asked, clamp.bound]
            else:
                running[1] = now
                if abs(clamp.asked) > abs(running[2]):
                    running[2], running[3] = clamp.asked, clamp.bound

    def finish(self, episode: Episode, arrays: Arrays) -> None:
        """Add everything to the page's arrays."""
        for name, running in self._open.items():
            self.clamps.append((running[0], running[1], name, running[2], running[3]))
        self._open.clear()
        self.clamps.sort()
        arrays.add("step_time", self.time_s)
        self._curves.update(_pads_of(episode, self.time_s, self._pads))
        self._curves["latency"] = _latency_of(episode, len(self.time_s))
        self._curves["contact"] = _contact(self._curves)
        for name, values in self._curves.items():
            arrays.add_curve(f"curve_{name}", values)
        arrays.add("pads", self._pads, differences=True, every=TOUCH_EVERY, full_scale_n=FULL_SCALE_N)
        arrays.add("skin", self._skin, differences=True, every=TOUCH_EVERY)


def _brightness(felt_n: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Newtons to 0…255; the root shows faint touch beside strong."""
    above = np.nan_to_num(felt_n.astype(np.float64)) - _NOISE_N
    return (255.0 * np.sqrt(np.clip(above / FULL_SCALE_N, 0.0, 1.0))).astype(np.uint8)


def _pads_of(episode: Episode, time_s: NDArray[np.float32], pads: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """Force of each pad: from the 500 Hz record of the robot's side, else the sum over the taxels."""
    places = episode.all_of(Kind.TOUCH)
    if not len(places):
        total = FULL_SCALE_N * ((pads / 255.0) ** 2).sum(axis=(2, 3))
        wide = np.repeat(total, TOUCH_EVERY, axis=0)[: len(time_s)]
        return {"pad_left": wide[:, 0], "pad_right": wide[:, 1]}
    felt = np.array([touch.felt[:, :2].mean(axis=0) for _, touch in episode.records(Kind.TOUCH)], np.float64)
    row = np.clip(np.searchsorted(places.times_s, time_s - 1e-4), 0, len(felt) - 1)
    return {"pad_left": felt[row, 0], "pad_right": felt[row, 1]}


def _latency_of(episode: Episode, count: int) -> NDArray[np.float64]:
    latency = [timing.latency_ms for _, timing in episode.records(Kind.TIMING)]
    values = np.full(count, np.nan)
    if latency:
        known = np.concatenate(latency)[:count]
        values[: len(known)] = known
    return values


def _contact(curves: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    touched = np.maximum(curves["pad_left"], curves["pad_right"])
    smooth = np.convolve(np.nan_to_num(touched), np.ones(5) / 5, mode="same")
    return (smooth > _LOOKS_LIKE_CONTACT_N).astype(np.float64)


def describe_rows() -> list[dict[str, Any]]:
    """For the page."""
    return [
        {
            "title": row.title,
            "unit": row.unit,
            "about": row.about,
            "low": row.low,
            "high": row.high,
            "absent": row.absent,
            "curves": [{"name": c.name, "label": c.label, "role": c.role} for c in row.curves],
        }
        for row in ROWS
    ]
