"""The words a detector has for what it sees: `Detection.class_name`."""

OBJECT_CLASSES = ("mug", "pod", "bowl", "plate", "bottle", "box", "fruit", "book", "loose_lid")
"""Small free things."""
FURNITURE_CLASSES = (
    "counter",
    "table",
    "side_table",
    "shelf",
    "sink",
    "dish_rack",
    "chair",
    "sofa",
    "bed",
    "plant",
)
FRONT_CLASSES = ("drawer", "cabinet_hinge_left", "cabinet_hinge_right", "fridge_hinge_left", "fridge_hinge_right")
"""Fronts with a handle that close a container; the hinge as seen by someone who faces the front."""
LID_CLASSES = ("machine_lid_hinge_back", "machine_lid_hinge_left", "machine_lid_hinge_right")
MACHINE_PART_CLASSES = (
    *LID_CLASSES,
    "pod_holder",
    "drip_tray",
    "brew_button_front",
    "brew_button_top",
    "power_light",
    "brew_light",
)
CLASSES = (*OBJECT_CLASSES, *FURNITURE_CLASSES, *FRONT_CLASSES, "coffee_machine", *MACHINE_PART_CLASSES, "door")
"""All of them. Gymnasium's spaces count along this list: append only."""
