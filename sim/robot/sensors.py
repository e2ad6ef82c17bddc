"""The robot's native MuJoCo sensors and where they lie in `sensordata`.

All of them form one contiguous block, so that one slice holds a whole step.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from sim.robot.hand import HAND_BODY, PAD_GEOMS, TOOL_SITE

PAD_SLOTS = 12
SKIN_SLOTS = 8

# Bits of mjtConDataField and values of the reduction, as MJCF's contact sensor encodes them. The default reduction
# keeps whichever contacts come first; the strongest ones are a deterministic choice.
_FORCE, _POSITION, _NORMAL, _TANGENT = 1 << 1, 1 << 4, 1 << 5, 1 << 6
_MAX_FORCE, _NET_FORCE = 2, 3

FRAMES = (HAND_BODY, "arm_3", "arm_5")
"""Bodies whose position and axes are sensed."""
FINGER_BODIES = ("finger_left", "finger_right")
SKIN_SOURCES = (
    ("arm_3", mujoco.mjtObj.mjOBJ_BODY),
    ("arm_5", mujoco.mjtObj.mjOBJ_BODY),
    (HAND_BODY, mujoco.mjtObj.mjOBJ_BODY),
    ("finger_left_back", mujoco.mjtObj.mjOBJ_GEOM),
    ("finger_right_back", mujoco.mjtObj.mjOBJ_GEOM),
)
_PREFIX = "robot_"
_FIRST, _LAST = f"{_PREFIX}{HAND_BODY}_position", f"{_PREFIX}{SKIN_SOURCES[-1][0]}_contacts"


@dataclass(frozen=True)
class SensorLayout:
    """Offsets within the robot's block of `sensordata`."""

    start: int
    """Of the block in sensordata."""
    size: int
    wrench: int = 3 * 12
    """(6,) force and torque between hand and arm, in the tool frame."""
    net: int = 3 * 12 + 6
    """(2, 3) net contact force of the pads, world axes."""
    fast: int = 3 * 12 + 6 + 6
    """Length of the part that is read at every step; frames (3, 4, 3) come first in it."""
    fingers: int = 3 * 12 + 6 + 6
    """(2, 3) positions of the fingers."""
    pads: int = 3 * 12 + 6 + 6 + 6
    """(2, PAD_SLOTS, 12) force in the contact frame, position, normal, tangent."""
    skin: int = 3 * 12 + 6 + 6 + 6 + 2 * PAD_SLOTS * 12
    """(5, SKIN_SLOTS, 6) force in the contact frame, position."""


def sensor_layout(model: mujoco.MjModel) -> SensorLayout:
    """Where the robot's sensors lie in the `sensordata` of `model`."""
    start = int(model.sensor(_FIRST).adr[0])
    last = model.sensor(_LAST)
    size = int(last.adr[0]) + int(last.dim[0]) - start
    layout = SensorLayout(start, size)
    expected = layout.skin + len(SKIN_SOURCES) * SKIN_SLOTS * 6
    if size != expected:
        raise ValueError(f"the robot's sensors take {size} numbers in this model, expected {expected} in one block")
    return layout


def _contact(spec: mujoco.MjSpec, source: str, kind: mujoco.mjtObj, suffix: str, how: tuple[int, int, int]) -> None:
    spec.add_sensor(
        name=f"{_PREFIX}{source}_{suffix}",
        type=mujoco.mjtSensor.mjSENS_CONTACT,
        objtype=kind,
        objname=source,
        reftype=mujoco.mjtObj.mjOBJ_UNKNOWN,
        intprm=np.array(how, dtype=np.int32),
    )


def add_sensors(spec: mujoco.MjSpec) -> None:
    """Add the robot's sensors, in the order of SensorLayout."""
    sensor = mujoco.mjtSensor
    frame_axes = (
        ("x", sensor.mjSENS_FRAMEXAXIS),
        ("y", sensor.mjSENS_FRAMEYAXIS),
        ("z", sensor.mjSENS_FRAMEZAXIS),
    )
    # XBODY: the body's frame; BODY would be its inertial frame.
    frame = mujoco.mjtObj.mjOBJ_XBODY
    for body in FRAMES:
        spec.add_sensor(name=f"{_PREFIX}{body}_position", type=sensor.mjSENS_FRAMEPOS, objtype=frame, objname=body)
        for axis, kind in frame_axes:
            spec.add_sensor(name=f"{_PREFIX}{body}_{axis}", type=kind, objtype=frame, objname=body)
    for name, kind in (("force", sensor.mjSENS_FORCE), ("torque", sensor.mjSENS_TORQUE)):
        spec.add_sensor(name=f"{_PREFIX}wrist_{name}", type=kind, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=TOOL_SITE)
    for pad in PAD_GEOMS:
        _contact(spec, pad, mujoco.mjtObj.mjOBJ_GEOM, "net", (_FORCE, _NET_FORCE, 1))
    for finger in FINGER_BODIES:
        spec.add_sensor(name=f"{_PREFIX}{finger}_position", type=sensor.mjSENS_FRAMEPOS, objtype=frame, objname=finger)
    for pad in PAD_GEOMS:
        how = (_FORCE | _POSITION | _NORMAL | _TANGENT, _MAX_FORCE, PAD_SLOTS)
        _contact(spec, pad, mujoco.mjtObj.mjOBJ_GEOM, "contacts", how)
    for source, kind in SKIN_SOURCES:
        _contact(spec, source, kind, "contacts", (_FORCE | _POSITION, _MAX_FORCE, SKIN_SLOTS))
