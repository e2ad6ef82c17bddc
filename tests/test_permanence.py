"""What the camera looks at past the arm is in clear view, and nothing else is."""

import numpy as np
import pytest

from agent.frames import Pose, from_quaternion, tool_rotation
from agent.messages import Look
from agent.world_model.permanence import FOREARM_M, HIDES_M, in_clear_view

AT = np.array([0.7, 0.1, 0.9])
FAR_AWAY = Pose(np.array([0.0, -2.0, 0.5]), np.eye(3))


def looking(position: tuple[float, float, float], quaternion: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)) -> Look:
    """A wide camera there; without being turned it looks straight down, its right to +x."""
    return Look(
        time_s=0.0,
        detections=[],
        camera_pose_in_base=np.array([*position, *quaternion]),
        field_of_view_rad=(1.2, 0.8),
        max_range_m=5.0,
    )


def test_a_camera_sees_where_it_looks_and_not_beside_that() -> None:
    down = looking((0.7, 0.1, 1.9))
    assert in_clear_view(AT, down, FAR_AWAY)
    wide, beyond = 0.5, 0.7  # its half width is 0.68 m at this distance, its half height 0.42
    assert in_clear_view(AT + np.array([wide, 0.0, 0.0]), down, FAR_AWAY)
    assert not in_clear_view(AT + np.array([0.0, wide, 0.0]), down, FAR_AWAY)
    assert not in_clear_view(AT + np.array([beyond, 0.0, 0.0]), down, FAR_AWAY)
    assert not in_clear_view(np.array([0.7, 0.1, 2.9]), down, FAR_AWAY), "behind it"
    assert not in_clear_view(np.array([0.7, 0.1, 1.8]), down, FAR_AWAY), "too near"


def test_a_camera_that_is_turned_looks_elsewhere() -> None:
    """Turned by a quarter about y it looks along -x."""
    ahead = looking((1.5, 0.1, 0.9), (np.cos(np.pi / 4), 0.0, np.sin(np.pi / 4), 0.0))
    rotation = from_quaternion(np.zeros(3), ahead.camera_pose_in_base[3:]).rotation
    assert -rotation[:, 2] == pytest.approx([-1.0, 0.0, 0.0])
    assert in_clear_view(AT, ahead, FAR_AWAY)
    assert not in_clear_view(np.array([2.3, 0.1, 0.9]), ahead, FAR_AWAY)


def test_hand_and_forearm_hide_what_is_behind_them() -> None:
    down = looking((0.7, 0.1, 1.9))
    above = AT + np.array([0.0, 0.0, 0.4])
    # The hand reaches ahead: the forearm lies behind the tool, towards -x.
    reaching = tool_rotation(0.0)
    assert reaching[:, 2] == pytest.approx([1.0, 0.0, 0.0])
    assert not in_clear_view(AT, down, Pose(above, reaching))
    over_the_forearm = above + np.array([FOREARM_M[-1], 0.0, 0.0])
    assert not in_clear_view(AT, down, Pose(over_the_forearm, reaching))
    short_of_it = above - np.array([HIDES_M + 0.02, 0.0, 0.0])
    assert in_clear_view(AT, down, Pose(short_of_it, reaching))
    below = AT - np.array([0.0, 0.0, HIDES_M + 0.02])
    assert in_clear_view(AT, down, Pose(below, reaching)), "what is behind it hides nothing"
