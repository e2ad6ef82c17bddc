"""What the names of detected classes mean to the belief."""

from agent.messages.classes import FRONT_CLASSES, MACHINE_PART_CLASSES, OBJECT_CLASSES

OBJECTS = frozenset(OBJECT_CLASSES)
"""A detector confuses them with each other at a distance."""

SURFACES = frozenset({"counter", "table", "side_table", "shelf", "dish_rack"})
"""Furniture with a top that things stand on."""

FRONTS = frozenset(FRONT_CLASSES)
MACHINE_PARTS = frozenset(MACHINE_PART_CLASSES)

DRAWER_TRAVEL_M = 0.34
HINGE_TRAVEL_RAD = 1.75
"""Typical full opening; detections give the opening as a fraction of it."""

PRIOR_DEPTH_M = {"drawer": 0.45, "cabinet": 0.34, "fridge": 0.5}
"""How far a container reaches behind its front, by the first word of its class."""


def hinge_side(class_name: str) -> int:
    """+1 when the hinge is on the left of someone who faces the front, −1 on the right, 0 for a drawer."""
    if class_name.endswith("_left"):
        return 1
    return -1 if class_name.endswith("_right") else 0
