"""Units of detectors: what they seldom pass, of each kind of subgoal by itself as far as there is enough of it."""

import numpy as np
import pytest

from agent.world_model.usual import ENOUGH_ATTEMPTS, GROUPS, units

LEAST = np.array([1e-3, 0.5], np.float32)


def attempts(count: int, scale: float) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    spread = (scale, 0.0)  # the second detector never shows anything
    return [np.abs(random.normal(0.0, spread, (1000, 2))).astype(np.float32) for _ in range(count)]


def test_a_unit_is_what_its_detector_seldom_passes() -> None:
    calm = attempts(60, 0.1)
    found = units(calm, [0] * 60, LEAST, by_group=0)
    assert found.shape == (GROUPS, 2)
    assert found[0, 0] == pytest.approx(0.33, rel=0.05)
    assert found[:, 1] == pytest.approx(0.5), "and never less than it may always show"
    assert 0.0 < (np.concatenate(calm)[:, 0] > found[0, 0]).mean() < 0.002


def test_a_kind_of_subgoal_has_units_of_its_own_the_more_there_is_of_it() -> None:
    shaken = attempts(3 * ENOUGH_ATTEMPTS, 1.0)

    def of_calm(count: int) -> float:
        groups = [1] * len(shaken) + [0] * count
        return float(units([*shaken, *attempts(count, 0.01)], groups, LEAST, by_group=0)[0, 0])

    few, many = of_calm(1), of_calm(3 * ENOUGH_ATTEMPTS)
    assert 0.033 < many < 0.5 < few < 3.3
    others = units([*shaken, *attempts(5, 0.01)], [1] * len(shaken) + [0] * 5, LEAST, by_group=0)
    assert others[7, 0] == pytest.approx(3.3, rel=0.1), "one that never came has what is usual in all"
    alike = units([*shaken, *attempts(5, 0.01)], [1] * len(shaken) + [0] * 5, LEAST, by_group=1)
    assert alike[:, 0] == pytest.approx(others[7, 0]), "other detectors have one unit for all"
