"""What lies in the image of a camera, and what is beside its line of sight."""

import numpy as np
import pytest

from agent.frames import planar
from agent.messages import Look
from agent.view import View

# At 1 m of height, looking along x of the base with z up; 90° wide and half as much (by its tangent) high.
AHEAD = Look(
    time_s=0.0,
    detections=[],
    camera_pose_in_base=np.array([0.0, 0.0, 1.0, 0.5, 0.5, -0.5, -0.5]),
    field_of_view_rad=(np.pi / 2, 2.0 * float(np.arctan(0.5))),
    max_range_m=5.0,
)


def shown(*points: tuple[float, float, float], share: float = 1.0) -> list[bool]:
    return View(AHEAD).shows(np.array(points), 0.3, 2.0, share).tolist()


def test_the_image_has_edges_and_a_range() -> None:
    assert shown((1.0, 0.0, 1.0), (1.0, 0.98, 1.0), (1.0, 0.0, 1.48)) == [True] * 3
    assert shown((1.0, 1.02, 1.0), (1.0, 0.0, 1.52), (-1.0, 0.0, 1.0)) == [False] * 3
    assert shown((0.2, 0.0, 1.0), (2.1, 0.0, 1.0)) == [False] * 2, "too near, and too far"
    assert shown((1.0, 0.98, 1.0), (1.0, 0.84, 1.0), share=0.85) == [False, True]


def test_a_line_of_sight_ends_where_it_looks_and_begins_at_the_camera() -> None:
    points = np.array([(1.0, 0.2, 1.0), (3.0, 0.0, 1.0), (-0.1, 0.0, 1.0)])
    assert View(AHEAD).beside(points, np.array([2.0, 0.0, 1.0])) == pytest.approx([0.2, 1.0, np.inf])


def test_a_view_is_seen_from_where_its_base_is() -> None:
    turned = View(AHEAD, planar(5.0, 0.0, np.pi / 2))
    assert turned.position == pytest.approx([5.0, 0.0, 1.0])
    assert turned.shows(np.array([[5.0, 1.0, 1.0], [6.0, 0.0, 1.0]]), 0.3, 2.0).tolist() == [True, False]
