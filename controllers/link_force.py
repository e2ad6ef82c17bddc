"""How hard something presses on the arm before the hand, from what holds its joints back.

The wrist's sensor feels the hand alone, and the skin covers neither elbow nor wrist. What the joints' springs bear and
the hand does not explain is taken for one force at the wrist's centre; an elbow, half as far out, may feel twice
as much.
"""

from typing import Final

import numpy as np

from controllers.arm_model import ARM_STIFFNESS_NM, Array
from controllers.ik import Kinematics

_WRIST: Final = 5
"""Joint 6, where the axes of the last three nearly meet."""
_JOINTS: Final = 4
"""Those that carry the wrist."""
_STIFFNESS_NM: Final = ARM_STIFFNESS_NM[:_JOINTS]
_SHORT_M: Final = 0.1
"""Levers much shorter than this tell nothing of a force."""
_DAMPING: Final = _SHORT_M**2 * np.eye(3)


def force_on_wrist_n(at: Kinematics, lag_rad: Array, wrench_in_tool: Array) -> float:
    """Size of the world's force, from the set points' lead over the joints (7,) and the wrench (6,) on the hand."""
    turn = np.array((at.x, at.y, at.z)).T
    force, torque = turn @ wrench_in_tool[:3], turn @ wrench_in_tool[3:]
    by_hand = np.array(at.axes[:_JOINTS]) @ torque + np.array(at.columns()[:_JOINTS]) @ force
    unexplained = -(_STIFFNESS_NM * lag_rad[:_JOINTS]) - by_hand
    of_wrist = np.array(at.columns(at.origins[_WRIST])[:_JOINTS])
    found = np.linalg.solve(of_wrist.T @ of_wrist + _DAMPING, of_wrist.T @ unexplained)
    return float(np.sqrt(found @ found))
