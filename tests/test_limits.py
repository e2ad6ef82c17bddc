"""The reflex that keeps limits without foresight."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from agent.commands.collect import CollectJob
from agent.episodes import Episode, Kind
from agent.messages import TICK_S, Limits
from agent.policies.interface import Motion, Situation
from agent.policies.limits import BASE_M_S2, FRONT_KG, INERTIA_SHARE, REFLEX_MARGIN, clamped
from agent.policies.recorded import situation_of

LIMIT_N = 20.0


@pytest.fixture(scope="module")
def gripping(tmp_path_factory: pytest.TempPathFactory) -> Situation:
    """The hand has gripped a handle, and stands still."""
    folder = tmp_path_factory.mktemp("data")
    report = CollectJob(("open-drawer",), "train", "teacher", None, folder)(0)
    steps = [step for _, step in Episode.open(Path(report.episode)).records(Kind.STEP)]
    gripped = next(s for s in map(situation_of, (step for step in steps if step.acting is not None)) if s.pads_touch)
    applied = gripped.observation.applied
    still = msgspec.structs.replace(
        applied,
        tool_twist_in_base=np.zeros_like(applied.tool_twist_in_base),
        base_velocity_in_base=np.zeros_like(applied.base_velocity_in_base),
    )
    gripped.observation = msgspec.structs.replace(gripped.observation, applied=still)
    gripped.force_in_target_n = np.zeros(3)
    gripped.limits = Limits(force_n=LIMIT_N)
    return gripped


def _started(s: Situation) -> tuple[float, float]:
    """m/s within a tick, of the tool and of the base, where both are wanted at once."""
    wanted = Motion(
        np.array([0.2, 0.1, 0.0, 0.0, 0.0, 0.0]), "force", 10.0, base_velocity_in_base=np.array([0.2, 0, 0])
    )
    motion = clamped(s, wanted)
    return float(np.linalg.norm(motion.twist_in_target[:3])), float(np.linalg.norm(motion.base_velocity_in_base[:2]))


def test_a_front_starts_gently(gripping: Situation) -> None:
    tool, base = _started(gripping)
    assert tool == pytest.approx(INERTIA_SHARE * (1.0 - REFLEX_MARGIN) * LIMIT_N / FRONT_KG * TICK_S)
    assert base == pytest.approx(BASE_M_S2 * TICK_S)


def test_what_is_free_starts_at_once(gripping: Situation) -> None:
    gripping.pads_touch = False
    try:
        tool, base = _started(gripping)
    finally:
        gripping.pads_touch = True
    assert tool == pytest.approx(np.hypot(0.2, 0.1))
    assert base == pytest.approx(0.2)


def test_who_passes_the_limit_stops_at_once(gripping: Situation) -> None:
    """Gentleness is for what is foreseen; a knock is not."""
    applied = gripping.observation.applied
    moving = msgspec.structs.replace(applied, tool_twist_in_base=np.array([0.2, 0.0, 0.0, 0.0, 0.0, 0.0]))
    standing = gripping.observation
    gripping.observation = msgspec.structs.replace(standing, applied=moving)
    forward = gripping.target_in_base.rotation.T @ np.array([1.0, 0.0, 0.0])
    gripping.force_in_target_n = -1.5 * LIMIT_N * forward
    try:
        wanted = Motion(np.concatenate([0.2 * forward, np.zeros(3)]), "force", 10.0)
        motion = clamped(gripping, wanted)
    finally:
        gripping.observation, gripping.force_in_target_n = standing, np.zeros(3)
    assert float(motion.twist_in_target[:3] @ forward) < 0.0
