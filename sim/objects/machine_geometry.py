"""Where the parts of a coffee machine are, and the thresholds of its mechanism. Lengths in m, angles in rad."""

from dataclasses import dataclass
from math import pi

from sim.house.schema import Machine

LID_CLOSED_RAD = 0.12
PRESS_MIN_M = 0.003
PRESS_SHARE = 0.6
POWER_ON_RAD = 0.17
POWER_STOP_RAD = 0.34

NOZZLE_M = 0.012
LID_HEIGHT_M = 0.034
"""Outside height of the lid above the top of the head."""
SPOUT_TO_HEAD_FRONT_M = 0.046
SPOUT_TO_COLUMN_M = 0.088
"""A mug's radius plus a handle that points backward."""
WELL_DEPTH_M = 0.022
WELL_RIM_M = 0.008
"""Of which this much stands above the head."""
WELL_FLOOR_RADIUS_M = 0.031


@dataclass(frozen=True)
class MachineGeometry:
    """Derived lengths in the machine's frame, m."""

    spout_x: float
    tray_z: float
    spout_z: float
    head_bottom_z: float
    head_top_z: float
    head_front_x: float
    front_x: float
    back_x: float
    well_floor_z: float
    well_rim_z: float
    lid_hinge_xyz: tuple[float, float, float]
    lid_yaw: float
    """The lid's own x axis points from the hinge to the tab."""
    lid_length: float
    lid_half_width: float
    button_xyz: tuple[float, float, float]
    """Centre of the button's face when released."""
    press_threshold_m: float


def machine_geometry(machine: Machine) -> MachineGeometry:
    """Where the parts of a machine are. Raises ValueError for an unknown hinge or button place."""
    p = machine.params
    back = -p["depth"] / 2
    spout_x = back + p["column_depth"] + SPOUT_TO_COLUMN_M
    head_front = spout_x + SPOUT_TO_HEAD_FRONT_M
    tray_z = p["tray_height"]
    spout_z = tray_z + p["spout_clearance"]
    head_bottom = spout_z + NOZZLE_M
    head_top = head_bottom + p["head_height"]
    half_width = p["width"] / 2
    behind = p["well_radius"] + 0.014
    if machine.lid_hinge == "back":
        hinge, yaw, length = (spout_x - behind, 0.0, head_top), 0.0, behind + SPOUT_TO_HEAD_FRONT_M
    elif machine.lid_hinge in ("left", "right"):
        # As seen by someone in front of the machine, whose left is the machine's −y.
        side = -1.0 if machine.lid_hinge == "left" else 1.0
        # A finger beside the pod must pass the open lid.
        behind = p["well_radius"] + 0.020
        hinge, yaw, length = (spout_x, side * behind, head_top), -side * pi / 2, behind + half_width
    else:
        raise ValueError(f"lid_hinge of {machine.name} is {machine.lid_hinge!r}; known: back, left, right")
    radius = p["button_radius"]
    if machine.button_place == "front":
        button = (head_front + 0.008 + p["button_stroke"], 0.0, head_top - 0.048)
    elif machine.button_place == "top":
        # Beside the lid; on the hinge's side when the hinge is at a side, clear of the open lid.
        side = 1.0 if machine.lid_hinge == "right" else -1.0
        button = (spout_x + 0.012, side * (half_width - radius - 0.004), head_top + 0.018 + p["button_stroke"])
    else:
        raise ValueError(f"button_place of {machine.name} is {machine.button_place!r}; known: front, top")
    return MachineGeometry(
        spout_x=spout_x,
        tray_z=tray_z,
        spout_z=spout_z,
        head_bottom_z=head_bottom,
        head_top_z=head_top,
        head_front_x=head_front,
        front_x=p["depth"] / 2,
        back_x=back,
        well_floor_z=head_top + WELL_RIM_M - WELL_DEPTH_M,
        well_rim_z=head_top + WELL_RIM_M,
        lid_hinge_xyz=(hinge[0], hinge[1], head_top + 0.002),
        lid_yaw=yaw,
        lid_length=length,
        lid_half_width=min(p["well_radius"] + 0.008, SPOUT_TO_HEAD_FRONT_M),
        button_xyz=button,
        press_threshold_m=max(PRESS_MIN_M, PRESS_SHARE * p["button_stroke"]),
    )
