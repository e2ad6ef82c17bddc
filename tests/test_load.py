"""What is held does not become heavier by itself."""

from collections.abc import Iterable

import pytest

from agent.world_model.load import HEAVIER_STEPS, STEADY_STEPS, Load


def heavier(loads_n: Iterable[float], holding: bool = True) -> list[float]:
    load = Load()
    return [load(load_n, holding) for load_n in loads_n]


def test_what_weighs_more_than_it_did_is_told_once_it_lasts() -> None:
    told = heavier([4.0] * STEADY_STEPS + [8.0] * HEAVIER_STEPS)
    assert told[:-1] == [0.0] * (len(told) - 1)
    assert told[-1] == pytest.approx(1.0)
    light = heavier([2.0] * STEADY_STEPS + [3.5] * HEAVIER_STEPS)
    assert light[-1] == pytest.approx(0.5), "to a pod every touch is a large share"


def test_a_knock_a_lift_and_what_is_poured_in_are_no_new_weight() -> None:
    knock = [9.0] * (HEAVIER_STEPS - 1)
    assert max(heavier([3.0] * 5 + knock + [3.0] * 5)) == 0.0
    assert max(heavier([0.0] * 5 + [1.3] * 5 + [3.0] * 9)) == 0.0, "it stood on something, and was lifted"
    assert max(heavier(3.0 + 0.02 * step for step in range(200))) < 0.05


def test_nothing_held_has_no_weight_and_the_next_thing_has_another() -> None:
    assert max(heavier([3.0] * 5 + [6.0] * 5, holding=False)) == 0.0
    load = Load()
    for _ in range(5):
        load(3.0, True)
    load(0.0, False)
    assert max(load(6.0, True) for _ in range(9)) == 0.0
