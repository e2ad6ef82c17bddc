"""How wrong a detector is: the numbers behind every Look, documented in docs/sight.md.

Errors come in two parts. A *bias* stays the same while the camera and the thing stay where they are, so
averaging frames does not remove it; *jitter* is new in every frame.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BIAS_M = (0.010, 0.018)
"""Length of the bias of a position within 1 m, drawn uniformly; its direction is uniform too."""
BIAS_GROWTH_M_PER_M = 0.008
JITTER_M = 0.002
JITTER_GROWTH_PER_M = 0.0015
"""Jitter per axis is JITTER_M + JITTER_GROWTH_PER_M · range² …"""
JITTER_OFF_AXIS = 0.5
"""… times up to 1 + this at the edge of the image."""
FURNITURE_FACTOR = 2.0
"""Large things are located less well than small ones."""
HIDDEN_BIAS_M = 0.06
"""Added to the bias of furniture and fronts in proportion to the part that is hidden."""

OBJECT_YAW_BIAS_RAD = 0.175
OBJECT_YAW_GROWTH_RAD_PER_M = 0.017
OBJECT_YAW_JITTER_RAD = 0.07
FURNITURE_YAW_BIAS_RAD = 0.045
FURNITURE_YAW_GROWTH_RAD_PER_M = 0.008
FURNITURE_YAW_JITTER_RAD = 0.02
UNKNOWN_YAW_STD_RAD = float(np.pi / np.sqrt(3.0))
"""Of a round thing: uniform over the circle."""
HIDDEN_HANDLE_YAW_STD_RAD = 1.0
"""Of a mug whose handle is not seen: it probably points away."""

HIDDEN_HANDLE_GUESS_RAD = 0.5
"""Spread of that guess."""

MISSED = (0.05, 0.10)
"""Probability that a thing in full view is missed in one frame: next to the camera, at full range."""
MISSED_WHEN_HIDDEN = 0.15
"""Added when less than 60 % of it is seen."""

CONFUSED_FROM_M = 2.5
CONFUSED_AT_MOST = 0.15
CONFUSED_GROWTH_PER_M = 0.10
CONFUSED_WITH = {
    "mug": "bowl",
    "bowl": "mug",
    "pod": "loose_lid",
    "loose_lid": "pod",
    "bottle": "box",
    "box": "book",
    "book": "box",
    "fruit": "pod",
}
CONFUSED_SCORE_FACTOR = 0.6

SIZE_STD_M = 0.02
OPENING_STD = 0.02


def bias_length_m(uniform: Array, range_m: Array) -> Array:
    """Length of the position bias at a range, from a uniform number in [0, 1) that stays the same meanwhile."""
    near, far = BIAS_M
    return near + (far - near) * uniform + BIAS_GROWTH_M_PER_M * np.maximum(range_m - 1.0, 0.0)


def bias_variance_m2(range_m: Array, factor: Array, added_m: Array) -> Array:
    """Variance per axis, m², of a bias of `factor` times that length plus `added_m`, in a random direction."""
    near, far = BIAS_M
    mean = factor * (0.5 * (near + far) + BIAS_GROWTH_M_PER_M * np.maximum(range_m - 1.0, 0.0)) + added_m
    return (mean**2 + (factor * (far - near)) ** 2 / 12.0) / 3.0


def jitter_std_m(range_m: Array, off_axis: Array) -> Array:
    """Standard deviation per axis of the jitter; `off_axis` is 0 in the middle of the image and 1 at its edge."""
    return (JITTER_M + JITTER_GROWTH_PER_M * range_m**2) * (1.0 + JITTER_OFF_AXIS * off_axis)


def missed_probability(range_m: Array, max_range_m: Array, fraction_seen: Array) -> Array:
    near, far = MISSED
    clear = near + (far - near) * np.clip(range_m / max_range_m, 0.0, 1.0)
    return clear + MISSED_WHEN_HIDDEN * (fraction_seen < 0.6)


def confused_probability(range_m: Array) -> Array:
    return np.clip(CONFUSED_GROWTH_PER_M * (range_m - CONFUSED_FROM_M), 0.0, CONFUSED_AT_MOST)


def unit_vectors(normals: Array) -> Array:
    """(n, 3) directions from (n, 3) standard normals."""
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
