"""What is seen of the thing in question: it is followed, lost things stay where they were, others are not it."""

from types import SimpleNamespace

import numpy as np
import pytest

from agent.frames import Pose, planar
from agent.messages import SubgoalKind
from agent.world_model.seen import LONGEST_S, Seen

TARGET = planar(0.7, 0.1, 0.4, 0.9)


def situation(
    time_s: float, things: dict[str, tuple[float, float, float]] | None, holding: bool = False, tool=(0, 0, 0)
):
    """A frame with these things, each given in the target frame; no frame for None."""
    seen = [
        SimpleNamespace(class_name=name, position_in_base_m=tuple(TARGET.point(np.array(at))))
        for name, at in (things or {}).items()
    ]
    return SimpleNamespace(
        kind=SubgoalKind.PICK,
        holding=holding,
        tool_in_target=Pose(np.array(tool, float), np.eye(3)),
        target_in_base=TARGET,
        observation=SimpleNamespace(time_s=time_s, look=None if things is None else SimpleNamespace(detections=seen)),
    )


def test_a_thing_is_followed_as_it_falls() -> None:
    seen = Seen()
    assert seen(situation(0.0, None)) == (pytest.approx(np.zeros(3)), LONGEST_S)  # type: ignore[arg-type]
    fallen = 0.0
    for k in range(4):
        fallen = -4.9 * (0.1 * k) ** 2
        at, age_s = seen(situation(0.1 * k, {"mug": (0.0, 0.0, fallen), "chair": (0.0, 0.0, 0.0)}))  # type: ignore[arg-type]
        assert at == pytest.approx([0.0, 0.0, fallen])
        assert age_s == 0.0
    at, age_s = seen(situation(0.8, {"mug": (0.5, 0.5, 0.0)}))  # type: ignore[arg-type]
    assert at == pytest.approx([0.0, 0.0, fallen])  # another one
    assert age_s == pytest.approx(0.5)


def test_what_is_held_is_looked_for_at_the_tool() -> None:
    seen = Seen()
    seen(situation(0.0, {"mug": (0.0, 0.0, 0.0)}))  # type: ignore[arg-type]
    both = {"bowl": (0.0, 0.0, 0.0), "mug": (-0.2, 0.0, 0.15)}
    at, _ = seen(situation(0.1, both, holding=True, tool=(-0.2, 0.0, 0.14)))  # type: ignore[arg-type]
    assert at == pytest.approx([-0.2, 0.0, 0.15])


def test_a_neighbour_is_not_taken_for_what_one_frame_missed() -> None:
    seen = Seen()
    it, neighbour = (0.0, 0.0, 0.0), (0.0, 0.0, 0.17)
    seen(situation(0.0, {"mug": it, "bowl": neighbour}))  # type: ignore[arg-type]
    at, age_s = seen(situation(0.1, {"bowl": neighbour}))  # type: ignore[arg-type]
    assert at == pytest.approx(it)
    assert age_s == pytest.approx(0.1)
    at, _ = seen(situation(0.2, {"mug": (0.0, 0.0, -0.12), "bowl": neighbour}))  # type: ignore[arg-type]
    assert at == pytest.approx([0.0, 0.0, -0.12]), "it moved, and nothing had been there"
