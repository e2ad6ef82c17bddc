"""What is seen of the thing in question: it is followed, lost things stay where they were, others are not it."""

from types import SimpleNamespace

import numpy as np
import pytest

from agent.frames import Pose, planar
from agent.messages import SubgoalKind
from agent.world_model.seen import LONGEST_S, Seen

TARGET = planar(0.7, 0.1, 0.4, 0.9)
DOWN_FROM_ABOVE = {
    "camera_pose_in_base": np.array([0.7, 0.1, 1.9, 1.0, 0.0, 0.0, 0.0]),
    "field_of_view_rad": (1.2, 0.9),
}
HIDING, ASIDE = (0.0, 0.0, 0.3), (-0.3, 0.0, 0.0)
"""Tools in the target frame: between camera and target, and not."""


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
        observation=SimpleNamespace(
            time_s=time_s, look=None if things is None else SimpleNamespace(detections=seen, **DOWN_FROM_ABOVE)
        ),
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


def let_go_of(seen: Seen) -> None:
    """A mug was held at the target, unseen, beside a pod."""
    seen(situation(0.0, {"pod": (0.0, 0.2, 0.0)}, holding=True))  # type: ignore[arg-type]


def test_a_neighbour_is_not_taken_for_what_the_hand_hides() -> None:
    seen = Seen()
    let_go_of(seen)
    for k in range(3):
        at, age_s = seen(situation(0.1 + 0.1 * k, {"pod": (0.0, 0.2, 0.0)}, tool=HIDING))  # type: ignore[arg-type]
        assert at == pytest.approx(np.zeros(3))
        assert age_s == LONGEST_S, "neither while it was held nor afterwards"
    at, _ = seen(situation(0.4, {"pod": (0.0, 0.2, 0.0), "mug": (0.02, 0.0, -0.1)}, tool=ASIDE))  # type: ignore[arg-type]
    assert at == pytest.approx([0.02, 0.0, -0.1]), "it fell"


def test_what_was_left_in_clear_view_and_is_not_seen_is_missing() -> None:
    seen = Seen()
    let_go_of(seen)
    for k, (tool, missing) in enumerate([(HIDING, 0), (ASIDE, 1), (HIDING, 1), (ASIDE, 2)]):
        seen(situation(0.1 + 0.1 * k, {"pod": (0.0, 0.2, 0.0)}, tool=tool))  # type: ignore[arg-type]
        seen(situation(0.15 + 0.1 * k, None, tool=tool))  # type: ignore[arg-type]
        assert seen.missing == missing
    seen(situation(0.6, {"mug": (0.0, 0.0, 0.0)}, tool=ASIDE))  # type: ignore[arg-type]
    assert seen.missing == 0
    for k in range(2):
        seen(situation(0.7 + 0.1 * k, {}, tool=ASIDE))  # type: ignore[arg-type]
        assert seen.missing == k + 1, "what was seen there is missed as well"


def test_nothing_is_missed_that_was_never_there_or_that_is_out_of_view() -> None:
    seen = Seen()
    seen(situation(0.0, {}, tool=ASIDE))  # type: ignore[arg-type]
    assert seen.missing == 0
    seen(situation(0.1, None, holding=True, tool=(1.5, 0.0, 0.0)))  # type: ignore[arg-type]
    seen(situation(0.2, {}, tool=ASIDE))  # type: ignore[arg-type]
    assert seen.missing == 0
