"""A push is told while it lasts; what is foretold, or over at once, is not."""

import numpy as np
import pytest

from agent.world_model.jolt import OVER_STEPS, jolts

CALM, PUSHED = (0.0, 0.0), (3.0, -4.0)


def told(*errors: tuple[float, float]) -> list[float]:
    return jolts(np.array(errors, np.float32)).tolist()


def test_a_push_is_told_while_it_lasts_and_as_large_as_it_is() -> None:
    said = told(*[CALM] * 4, *[PUSHED] * OVER_STEPS, *[CALM] * OVER_STEPS)
    assert max(said[:4]) == 0.0
    assert max(said) == said[3 + OVER_STEPS] == pytest.approx(5.0)
    assert said[-1] == 0.0


def test_a_knock_and_what_fluctuates_count_less() -> None:
    push = max(told(*[PUSHED] * OVER_STEPS))
    assert max(told(PUSHED, *[CALM] * OVER_STEPS)) == pytest.approx(push / OVER_STEPS)
    assert max(told(*[PUSHED, (-3.0, 4.0)] * OVER_STEPS)) == pytest.approx(push / OVER_STEPS)
