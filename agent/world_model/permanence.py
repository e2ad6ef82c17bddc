"""Nothing just disappears: a thing that the arm does not hide is seen where it was, or where the hand left it.

Foretelling reaches a third of a second ahead, and when a thing comes out from behind the hand is known no better than
that; so to whom it only foretells, a cup that comes into sight is stranger than one that is gone. Object permanence is
told here instead, from where the thing was, the camera and the arm.
"""

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose
from agent.messages import Look
from agent.view import View

Array = NDArray[np.float64]

HIDES_M = 0.10
"""What is nearer than this to hand or forearm, as the camera sees it, may be hidden."""
FOREARM_M = (0.0, 0.08, 0.16, 0.24, 0.32)
"""Points of hand and forearm, behind the tool along its own z."""
LEAST_UNIT = 1.5
"""Frames: a detector misses so many now and then."""


def in_clear_view(at_in_base: Array, look: Look, tool_in_base: Pose) -> bool:
    """Whether the camera looks at this point (3,) and neither hand nor forearm is before it."""
    view = View(look)
    if not view.looks_at(at_in_base):
        return False
    arm = tool_in_base.position - np.outer(FOREARM_M, tool_in_base.rotation[:, 2])
    return bool(view.beside(arm, at_in_base).min() > HIDES_M)
