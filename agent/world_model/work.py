"""A force that turns in favour of the hand's motion: somebody pushes, or stops pushing against it.

Contacts are foretold with large errors, for nobody knows exactly when they come, and beside those a push is small. But
a contact that begins takes energy from the hand. Told is the work that the new part of the force does on it. Fronts
that break away, doors that swing on, do such work each time: every kind of subgoal, and what slides apart from what
turns, has a unit of its own. Vertical work is left out: gravity does it on whatever is held.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.world_model.config import STEP_S
from agent.world_model.features import FORCE_UNIT_N, KINDS, LAYOUT, SPEED_UNIT_M_S, VELOCITY_IN_FEEL
from agent.world_model.layers import Weights

Floats = NDArray[np.float32]

OVER_STEPS = 5
"""Of 40 ms, over which work is added up."""
FOLLOWING = 0.25
"""Share of a new step in the force that is usual by now: of a time constant of 0.16 s."""
LEAST_UNIT = 0.02
"""J: so much may always come."""
GROUPS = 2 * len(KINDS)
"""Of attempts with a unit of their own: every kind, and every kind of what slides."""
_FORCE, _VELOCITY = LAYOUT.force[:2], LAYOUT.feel[VELOCITY_IN_FEEL][:2]
_KINDS = slice(LAYOUT.size - len(KINDS), LAYOUT.size)


class Work:
    """What the world has done on the hand lately, over the steps of an attempt."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._latest: deque[float] = deque(maxlen=OVER_STEPS)
        self._usual_n: Floats | None = None

    def __call__(self, force_n: Floats, velocity_m_s: Floats) -> float:
        """J of horizontal work (never below 0) by what of the force (2,) is new, at the velocity (2,) of the hand."""
        usual = force_n if self._usual_n is None else self._usual_n
        self._latest.append(STEP_S * float((force_n - usual) @ velocity_m_s))
        self._usual_n = (usual + FOLLOWING * (force_n - usual)).astype(np.float32)
        return max(0.0, sum(self._latest))


def push_of(w: Weights, x: Floats) -> tuple[Floats, Floats]:
    """Horizontal force on the hand, N, and its velocity, m/s, in the target frame, (2,) each, from normalised features
    (LAYOUT.size,)."""
    force, velocity = _raw(w, x, _FORCE), _raw(w, x, _VELOCITY)
    return (FORCE_UNIT_N * np.sinh(force)).astype(np.float32), SPEED_UNIT_M_S * velocity


def group_of(w: Weights, x: Floats) -> int:
    """Which of GROUPS an attempt belongs to, from normalised features (LAYOUT.size,)."""
    slides = bool(_raw(w, x, slice(LAYOUT.slides, LAYOUT.slides + 1))[0] > 0.5)
    return int(np.argmax(_raw(w, x, _KINDS))) + slides * len(KINDS)


def works(w: Weights, x: Floats) -> Floats:
    """(n,) what Work says at the steps of an attempt with these normalised features (n, LAYOUT.size)."""
    work = Work()
    return np.array([work(*push_of(w, row)) for row in x], np.float32)


def work_units(told: Sequence[Floats], groups: Sequence[int], quantile: float) -> Floats:
    """(GROUPS,) what attempts seldom pass: this quantile of what was told of them, (n, …) each, by their groups. Of a
    group without attempts, the largest of all."""
    found = np.zeros(GROUPS, np.float32)
    for group in set(groups):
        of_group = [values.ravel() for values, its in zip(told, groups, strict=True) if its == group]
        found[group] = max(LEAST_UNIT, float(np.quantile(np.concatenate(of_group), quantile)))
    return np.where(found == 0.0, found.max(), found).astype(np.float32)


def _raw(w: Weights, x: Floats, at: slice | NDArray[np.intp]) -> Floats:
    return (x[at] / w["normal.scale"][at] + w["normal.mean"][at]).astype(np.float32)
