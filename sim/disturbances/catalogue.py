"""Every disturbance by name: the single list that command line, evaluation and documentation share."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.disturbances.disturbance import Disturbance, Together
from sim.disturbances.dynamics import Delay, OtherStiffness, SlipperyAndHeavy
from sim.disturbances.events import (
    DeadRow,
    ExtraDelay,
    FrictionHalved,
    FrontStuck,
    MassDoubled,
    ObjectRemoved,
    ObjectShifted,
    Push,
)
from sim.disturbances.impossible import MOMENTS
from sim.disturbances.pushes import Pushes
from sim.disturbances.scene import Scene
from sim.disturbances.sight import PoseBias, SightLost
from sim.house.schema import SPLITS

if TYPE_CHECKING:
    from sim.plant import MujocoPlant

NONE: Final = "none"
_SALT = 77041

_LASTING: Final[dict[str, tuple[str, Callable[[], Disturbance]]]] = {
    "pushes": ("pushes on the hand and on what is held or about to be taken, every few seconds", Pushes),
    "bias-1.5cm": ("all detections off by 1.5 cm in one horizontal direction", lambda: PoseBias(0.015)),
    "bias-3cm": ("all detections off by 3 cm in one horizontal direction", lambda: PoseBias(0.03)),
    "slippery-heavy": ("friction × 0.5, mass of small things × 2", lambda: SlipperyAndHeavy(0.5, 2.0)),
    "sight-lost": ("nothing within 10 cm of the tool is detected", lambda: SightLost(0.10)),
    "delay": ("set points reach the drives 60 ms late", lambda: Delay(0.06)),
    "stiffness": (
        "stiffness of each joint of the arm × 0.6 to 1.4, damping × 0.6 to 1.6",
        lambda: OtherStiffness((0.6, 1.4), (0.6, 1.6)),
    ),
    "combined": (
        "pushes, bias-1.5cm and slippery-heavy at once",
        lambda: Together(Pushes(), PoseBias(0.015), SlipperyAndHeavy(0.5, 2.0)),
    ),
}
_EVENTS: Final[dict[str, tuple[str, Callable[[], Disturbance]]]] = {
    "object-removed": ("once held for a while, the thing is gone", ObjectRemoved),
    "mass-doubled": ("once lifted for a while, the thing weighs twice as much", MassDoubled),
    "friction-halved": ("once something is between the pads, all friction is halved", FrictionHalved),
    "front-stuck": ("the drawer or door that is being opened sticks", FrontStuck),
    "object-shifted": ("the thing at the hand is suddenly 3 to 5 cm aside", ObjectShifted),
    "push": ("one strong push on the hand in contact", Push),
    "dead-row": ("a row of taxels dies while something is held", DeadRow),
    "extra-delay": ("set points reach the drives 50 ms late from some contact on", ExtraDelay),
}
_MOMENTS: Final[dict[str, tuple[str, Callable[[], Disturbance]]]] = {
    name: (" ".join((kind.__doc__ or "").split()).rstrip("."), kind) for name, kind in MOMENTS.items()
}
LASTING: Final = tuple(_LASTING)
"""Hold for a whole episode."""
EVENTS: Final = tuple(_EVENTS)
"""Happen once, in contact: what surprise is tested with. Never in training data."""
DISTURBANCES: Final[dict[str, str]] = {NONE: "nothing"} | {
    name: about for name, (about, _) in (_LASTING | _EVENTS | _MOMENTS).items()
}
"""What each does, for people."""


class UnknownDisturbanceError(ValueError):
    """No disturbance has this name."""


def check_disturbance(name: str) -> str:
    """`name` if there is such a disturbance. Raises UnknownDisturbanceError with the nearest and all names."""
    if name in DISTURBANCES:
        return name
    near = get_close_matches(name, DISTURBANCES, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownDisturbanceError(f"there is no disturbance {name!r}; {hint}known: {', '.join(DISTURBANCES)}")


def disturb(plant: "MujocoPlant", name: str) -> Scene | None:
    """Let a plant in its initial state be disturbed from now on: a pure function of the name and the plant's house.

    Returns what will be known of it; None for `none`. Raises UnknownDisturbanceError.
    """
    if check_disturbance(name) == NONE:
        return None
    house = plant.house
    seed = [_SALT, list(DISTURBANCES).index(name), SPLITS.index(house.split), house.index]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    disturbance = (_LASTING | _EVENTS | _MOMENTS)[name][1]()
    scene = Scene(plant)
    disturbance.begin(scene, rng)
    plant.disturbance = disturbance
    return scene
