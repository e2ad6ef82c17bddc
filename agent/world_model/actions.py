"""What is asked for, as a vector: twist in the target frame, grip, base velocity. 12 numbers of about unit size."""

import numpy as np
from numpy.typing import NDArray

from agent.messages import Move
from agent.policies.interface import Motion

Vector = NDArray[np.float32]

ACTION_SIZE = 12
TWIST, GRIP_IS_FORCE, GRIP_WIDTH, GRIP_FORCE, BASE = slice(0, 6), 6, 7, 8, slice(9, 12)
SCALE = np.array([*[0.2] * 3, *[1.0] * 3, 1.0, 0.05, 20.0, *[0.2] * 3], dtype=np.float32)
"""What one unit of each number is: m/s, rad/s, –, m, N, m/s, rad/s."""
OPEN_M = 0.108


def to_vector(move: Move | Motion) -> Vector:
    """(12,). The grip that is not asked for, width or force, is written as what usually goes with the other."""
    force = move.grip_mode == "force"
    width, newtons = (0.0, move.grip) if force else (move.grip, 0.0)
    values = np.array([*move.twist_in_target, float(force), width, newtons, *move.base_velocity_in_base])
    return (values / SCALE).astype(np.float32)


def to_motion(vector: Vector, phase: str, finished: bool) -> Motion:
    """The Motion nearest to a vector (12,)."""
    values = vector.astype(np.float64) * SCALE
    force = values[GRIP_IS_FORCE] > 0.5
    grip = float(values[GRIP_FORCE]) if force else float(np.clip(values[GRIP_WIDTH], 0.0, OPEN_M))
    return Motion(
        twist_in_target=values[TWIST],
        grip_mode="force" if force else "width",
        grip=grip,
        base_velocity_in_base=values[BASE],
        phase=phase,
        finished=finished,
    )
