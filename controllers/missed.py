"""Observations that a slow mind did not take: what happened in them comes with the next one."""

import msgspec
import numpy as np

from agent.messages import Observation
from agent.messages.arrays import F16


def with_missed(newest: Observation, missed: Observation) -> Observation:
    """The newest observation with what happened in the one before it, which nobody took: looks, scans, reflexes,
    clamps, and the largest touch of both.

    Of clamps that act in both the newer is kept: a mind that takes nothing for minutes must not make them pile up.
    """
    pads, skin = newest.pad_touch_n.copy(), newest.skin_touch_n.copy()
    pads[:, 1] = _larger(pads[:, 1], missed.pad_touch_n[:, 1])
    skin[1] = _larger(skin[1], missed.skin_touch_n[1])
    pads[:, 2] += missed.pad_touch_n[:, 2]
    skin[2] += missed.skin_touch_n[2]
    again = {clamp.name for clamp in newest.applied.clamps}
    earlier = [clamp for clamp in missed.applied.clamps if clamp.name not in again]
    return msgspec.structs.replace(
        newest,
        pad_touch_n=pads,
        skin_touch_n=skin,
        look=newest.look or missed.look,
        scan=newest.scan or missed.scan,
        applied=msgspec.structs.replace(
            newest.applied,
            slip_reflex=newest.applied.slip_reflex or missed.applied.slip_reflex,
            clamps=[*earlier, *newest.applied.clamps],
        ),
    )


def _larger(a: F16, b: F16) -> F16:
    """Element by element the one of greater size, with its sign."""
    return np.where(np.abs(a) >= np.abs(b), a, b)
