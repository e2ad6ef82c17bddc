"""The hand: bracket, palm, two coupled fingers with touch pads, and the `tool` site.

Everything here is placed in the tool frame: z out of the hand, y the closing direction, x up when the tool points
ahead. Finger 0 is the left one as seen from behind the robot with x up (tool −y), finger 1 the right one.
"""

from math import cos, sin

import mujoco

from controllers.arm_model import (
    FINGER_WIDTH_RANGE_M,
    FLANGE_M,
    GRIP_MAX_N,
    HAND_TILT_RAD,
    HAND_TO_TOOL_M,
    WRIST_M,
)
from sim.robot.shapes import ARM_BITS, GLOW, GRAPHITE, PAD, WHITE, capsule, solid, visual

BOX, CYLINDER = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER

PAD_HALF_X_M, PAD_HALF_Z_M = 0.012, 0.021
_PAD_HALF_Y_M = 0.004
BACK_HALF_Y_M = 0.0055
"""A finger is 19 mm thick: pad 8 mm, back 11 mm."""
BACK_CENTRE_Y_M = 2 * _PAD_HALF_Y_M + BACK_HALF_Y_M
"""From the pad's face to the middle of the finger's back."""
PAD_GEOMS = ("pad_left", "pad_right")
FINGER_JOINTS = ("finger_left", "finger_right")
TOOL_SITE = "tool"
HAND_BODY = "hand"
PAD_FRICTION = (1.1, 0.01, 0.0002)
PALM_BACK_M, PALM_FRONT_M = -0.150, -0.080


def add_hand(spec: mujoco.MjSpec, last_link: mujoco.MjsBody) -> None:
    """The hand on the arm's last link; its body frame is the tool frame."""
    tilt = float(HAND_TILT_RAD)
    bracket_m = FLANGE_M + WRIST_M
    hand = last_link.add_body(
        name=HAND_BODY,
        pos=[sin(tilt) * HAND_TO_TOOL_M, 0.0, bracket_m + cos(tilt) * HAND_TO_TOOL_M],
        quat=[cos(tilt / 2), 0.0, sin(tilt / 2), 0.0],
        gravcomp=1.0,
    )
    hand.add_site(name=TOOL_SITE, size=[0.004, 0.004, 0.004], group=4)
    # The bracket ends where the hand's line meets the flange's axis.
    pivot = (0.0, 0.0, -HAND_TO_TOOL_M)
    flange = (sin(tilt) * WRIST_M, 0.0, -HAND_TO_TOOL_M - cos(tilt) * WRIST_M)
    capsule(hand, (flange, pivot), 0.034, GRAPHITE, bits=ARM_BITS, mass_kg=0.15, name="hand_bracket")
    middle, half = (PALM_FRONT_M + PALM_BACK_M) / 2, (PALM_FRONT_M - PALM_BACK_M) / 2
    solid(hand, BOX, (0.030, 0.080, half), WHITE, bits=ARM_BITS, mass_kg=0.55, name="hand_palm", pos=(0, 0, middle))
    for y in (-0.080, 0.080):
        visual(hand, CYLINDER, (0.030, half), WHITE, pos=(0, y * 0.87, middle))
    visual(hand, BOX, (0.022, 0.083, 0.006), GRAPHITE, pos=(0, 0, PALM_FRONT_M + 0.001))
    visual(hand, BOX, (0.0305, 0.030, 0.004), GLOW, pos=(0, 0, middle + 0.006))
    for name, side in zip(("left", "right"), (-1.0, 1.0), strict=True):
        _add_finger(hand, name, side)

    spec.add_equality(
        name="fingers",
        type=mujoco.mjtEq.mjEQ_JOINT,
        objtype=mujoco.mjtObj.mjOBJ_JOINT,
        name1=FINGER_JOINTS[0],
        name2=FINGER_JOINTS[1],
        data=[0.0, 1.0, *[0.0] * 10],
        solref=[0.004, 1.0],
    )
    tendon = spec.add_tendon(name="grip")
    for joint in FINGER_JOINTS:
        tendon.wrap_joint(joint, -1.0)
    motor = spec.add_actuator(name="grip", target="grip", trntype=mujoco.mjtTrn.mjTRN_TENDON)
    motor.set_to_motor()
    motor.ctrlrange, motor.ctrllimited = [-GRIP_MAX_N, GRIP_MAX_N], True


def _add_finger(hand: mujoco.MjsBody, name: str, side: float) -> None:
    finger = hand.add_body(name=f"finger_{name}", gravcomp=1.0)
    finger.add_joint(
        name=f"finger_{name}",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0.0, side, 0.0],
        range=[FINGER_WIDTH_RANGE_M[0] / 2, FINGER_WIDTH_RANGE_M[1] / 2],
        limited=True,
        armature=0.3,
        damping=30.0,
        solref_limit=[0.006, 1.0],
    )
    pad_y, back_y = side * _PAD_HALF_Y_M, side * BACK_CENTRE_Y_M
    pad = solid(
        finger,
        BOX,
        (PAD_HALF_X_M, _PAD_HALF_Y_M, PAD_HALF_Z_M),
        PAD,
        bits=ARM_BITS,
        mass_kg=0.015,
        name=f"pad_{name}",
        pos=(0, pad_y, 0),
    )
    pad.condim, pad.friction, pad.solref, pad.priority = 4, list(PAD_FRICTION), [0.005, 1.0], 1
    pad.solimp = [0.95, 0.99, 0.001, 0.5, 2.0]
    length = PAD_HALF_Z_M - PALM_FRONT_M - 0.002
    solid(
        finger,
        BOX,
        (PAD_HALF_X_M, BACK_HALF_Y_M, length / 2),
        GRAPHITE,
        bits=ARM_BITS,
        mass_kg=0.06,
        name=f"finger_{name}_back",
        pos=(0, back_y, PAD_HALF_Z_M - length / 2),
    )
    visual(finger, BOX, (PAD_HALF_X_M * 0.9, 0.0006, 0.016), GLOW, pos=(0, back_y + side * BACK_HALF_Y_M, -0.01))
