"""What stands in the way of the hand does no work on it; who pushes does."""

from collections.abc import Iterable

import numpy as np
import pytest

from agent.world_model.work import OVER_STEPS, Work


def told(steps: Iterable[tuple[tuple[float, float], tuple[float, float]]]) -> list[float]:
    """What Work says of steps of (force N, velocity m/s)."""
    work = Work()
    return [work(np.array(force, np.float32), np.array(velocity, np.float32)) for force, velocity in steps]


def test_a_push_does_work() -> None:
    still, pushed = ((0.0, 0.0), (0.0, 0.0)), ((20.0, 0.0), (0.1, 0.0))
    said = told([still] * 5 + [pushed] * 5)
    assert max(said[:5]) == 0.0
    assert said[5] == pytest.approx(0.04 * 20.0 * 0.1)
    assert max(said) > 0.2


def test_walls_handles_and_what_was_there_before_do_none() -> None:
    free, wall = ((0.0, 0.0), (0.1, 0.0)), ((-20.0, 0.0), (0.02, 0.0))
    assert max(told([free] * 5 + [wall] * 20)) == 0.0, "it takes energy"
    assert max(told([free] * 5 + [((0.0, 20.0), (0.1, 0.0))] * 20)) == 0.0, "across the motion there is no work"
    assert max(told([((5.0, 0.0), (0.1, 0.0))] * 30)) == 0.0, "a force that is usual"


def test_a_push_is_over_some_time() -> None:
    pushed, after = ((20.0, 0.0), (0.1, 0.0)), ((0.0, 0.0), (0.0, 0.0))
    assert told([after, pushed] + [after] * (OVER_STEPS + 1))[-1] == 0.0
