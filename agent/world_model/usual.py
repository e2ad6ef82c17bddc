"""What each detector of surprise seldom passes when nothing is wrong: its unit.

What a knock is, depends on what is done: a door that is pushed open jolts the hand as nothing jolts it that puts down a
mug. So jolts have a unit for each kind of subgoal. But rare things are seen too rarely in one kind to know how far they
go: the unit of a kind lies between what its own attempts and what those of all kinds say, nearer to its own the more
there are of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.world_model.encoders import raw
from agent.world_model.features import KINDS, LAYOUT
from agent.world_model.layers import Weights

Floats = NDArray[np.float32]

SELDOM = 0.999
"""Quantile of undisturbed episodes: their largest errors tell detectors apart, and not what is usual."""
ENOUGH_ATTEMPTS = 20
"""With so many of its own, the unit of a kind lies half-way, in logarithms, between its own and that of all."""
GROUPS = 2 * len(KINDS)
"""Of attempts with a unit of their own: every kind of subgoal, and every kind at what slides and does not turn."""
_KINDS = slice(LAYOUT.size - len(KINDS), LAYOUT.size)


def group_of(w: Weights, x: Floats) -> int:
    """Which of GROUPS an attempt belongs to, from normalised features (LAYOUT.size,)."""
    slides = bool(raw(w, x, LAYOUT.slides) > 0.5)
    return int(np.argmax(raw(w, x, _KINDS))) + slides * len(KINDS)


def units(told: Sequence[Floats], groups: Sequence[int], least: Floats, by_group: int) -> Floats:
    """(GROUPS, detectors) from what detectors (n, detectors) told in each attempt and its group; never below `least`
    (detectors,). Only that of number `by_group` differs by group; a group without attempts has what is usual in all."""
    of_all = _seldom(told, least)
    found = np.tile(of_all, (GROUPS, 1))
    for group in set(groups):
        own = [values for values, its in zip(told, groups, strict=True) if its == group]
        share = len(own) / (len(own) + ENOUGH_ATTEMPTS)
        found[group, by_group] = of_all[by_group] ** (1.0 - share) * _seldom(own, least)[by_group] ** share
    return found.astype(np.float32)


def _seldom(told: Sequence[Floats], least: Floats) -> Floats:
    return np.quantile(np.concatenate(told), SELDOM, axis=0).astype(np.float32).clip(min=least)
