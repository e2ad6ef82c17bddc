"""What a generated house is made of: plain data, truth of the simulator, never shown to the agent.

World frame: metres, radians, z up. `yaw` of a piece of furniture is the direction its front faces.
Names are the names of MuJoCo bodies unless said otherwise.
"""

from dataclasses import dataclass, field
from typing import Literal

Split = Literal["train", "dev", "heldout"]
SPLITS: tuple[Split, ...] = ("train", "dev", "heldout")
MAX_INDEX = 2**31


@dataclass(frozen=True)
class Room:
    name: str
    kind: str
    """kitchen, dining, living, bedroom, bathroom, study, hall."""
    x0: float
    y0: float
    x1: float
    y1: float
    floor: str = "planks"
    """planks, tiles, carpet."""


@dataclass(frozen=True)
class Doorway:
    name: str
    x: float
    y: float
    yaw: float
    """Direction through the doorway."""
    width: float
    rooms: tuple[str, str]
    door_joint: str | None
    """Hinge of the door leaf (it swings both ways), None for an open passage."""
    initial: Literal["passage", "open", "ajar", "shut"]
    initial_angle: float
    params: dict[str, float] = field(default_factory=dict)
    """Of a leaf: hinge_side (+1 or -1: left or right of `yaw`), breakaway_n at the free edge, damping_nms, mass."""


@dataclass(frozen=True)
class Fixture:
    """Furniture that does not move."""

    name: str
    class_name: str
    """counter, table (dining), side_table, shelf, sink, fridge, sofa, bed, chair, plant, …"""
    x: float
    y: float
    z: float
    """Of the centre of its bounding box."""
    yaw: float
    size: tuple[float, float, float]
    """Depth (along yaw), width, height of the bounding box."""
    room: str
    style: str = ""
    """Which variant of its class the builder makes."""
    params: dict[str, float] = field(default_factory=dict)
    """The builder's further numbers."""


@dataclass(frozen=True)
class Front:
    """Something with a handle that opens: door of a cabinet or fridge, drawer."""

    name: str
    class_name: str
    """drawer, cabinet_hinge_left, cabinet_hinge_right, fridge_hinge_left, fridge_hinge_right
    (the side as seen by someone who stands in front of it)."""
    joint: str
    """0 when closed, positive opens."""
    open_joint: float
    """Joint position at its far stop: rad or m."""
    handle_geoms: tuple[str, ...]
    handle_x: float
    """Handle's centre when closed."""
    handle_y: float
    handle_z: float
    handle_axis: Literal["vertical", "horizontal"]
    yaw: float
    """Direction the closed front faces."""
    size: tuple[float, float, float]
    """Thickness, width, height of the front panel."""
    fixture: str
    style: str = ""
    """Panel and handle, e.g. `shaker/rod`."""
    params: dict[str, float] = field(default_factory=dict)
    """mass, force_n (to start it at the handle), damping_n_s_m (at the handle), depth of a drawer."""


@dataclass(frozen=True)
class Place:
    """A region where small things can stand."""

    name: str
    kind: str
    """counter, shelf, dining_table, side_table, dish_rack (open); upper_cabinet, lower_cabinet,
    drawer, fridge (closed)."""
    x: float
    y: float
    z: float
    """Centre of the supporting surface (of a drawer: when closed)."""
    yaw: float
    """Direction from which it is reached: outward normal of its front."""
    half_depth: float
    half_width: float
    headroom: float
    front: str | None
    """Name of the Front that closes it."""
    fixture: str
    room: str


@dataclass(frozen=True)
class Item:
    """A free object. `params` are the builder's numbers: radius, height, mass, …"""

    name: str
    class_name: str
    """mug, pod, bowl, plate, loose_lid, bottle, box, fruit, book, …"""
    x: float
    y: float
    z: float
    yaw: float
    place: str
    breakable: bool
    params: dict[str, float] = field(default_factory=dict)
    style: str = ""
    """E.g. the mug's handle shape."""
    text: str = ""
    """Printed words on it, which the camera can read from near."""


@dataclass(frozen=True)
class Machine:
    """A coffee machine; joints, sites and geoms of its MJCF are named `<name>_lid`, … as listed in
    sim/objects/machine.py."""

    name: str
    x: float
    y: float
    z: float
    """Centre of its foot on the counter."""
    yaw: float
    """Direction its front faces."""
    has_mains: bool
    """A machine without mains never brews and its light stays off."""
    params: dict[str, float] = field(default_factory=dict)
    lid_hinge: str = "back"
    """back, left, right."""
    button_place: str = "front"
    """front, top."""


@dataclass(frozen=True)
class Decor:
    """Something only to look at: it collides with nothing and is never detected."""

    kind: str
    """rug, picture, window, pendant, books, curtain, …"""
    x: float
    y: float
    z: float
    """Of the centre of its bounding box."""
    yaw: float
    size: tuple[float, float, float]
    """Depth (along yaw), width, height."""
    color: tuple[float, float, float]


@dataclass(frozen=True)
class House:
    split: Split
    index: int
    rooms: tuple[Room, ...]
    doorways: tuple[Doorway, ...]
    fixtures: tuple[Fixture, ...]
    fronts: tuple[Front, ...]
    places: tuple[Place, ...]
    items: tuple[Item, ...]
    machines: tuple[Machine, ...]
    """The working one is the one with mains."""
    start: tuple[float, float, float]
    """Robot base x, y, yaw."""
    walls: tuple[tuple[float, float, float, float], ...]
    """Axis-aligned wall boxes: x0, y0, x1, y1."""
    axes: dict[str, str | float] = field(default_factory=dict)
    """The drawn value of each axis of variation, for histograms and tables."""
    decor: tuple[Decor, ...] = ()
    palette: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Colours by part: wall, front, upper, worktop, wood, fabric, …"""
