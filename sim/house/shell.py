"""Floors, walls, doorways with their frames and leaves."""

import mujoco

from sim.house.joinery import Joinery, quat_z, shade
from sim.house.layout import WALL_THICKNESS_M
from sim.house.schema import Doorway, House

WALL_HEIGHT_M = 2.5
DOOR_HEIGHT_M = 2.05
LEAF_THICKNESS_M = 0.036
_FLOOR_PART = {"planks": "floor", "tiles": "tiles", "carpet": "carpet"}


def add_floors(joinery: Joinery, house: House) -> None:
    """One solid plane at z = 0, and what one sees of each room's floor just above it."""
    world = joinery.spec.worldbody
    x0, y0 = min(w[0] for w in house.walls), min(w[1] for w in house.walls)
    x1, y1 = max(w[2] for w in house.walls), max(w[3] for w in house.walls)
    ground = world.add_geom(
        name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[40, 40, 0.1], rgba=[0.66, 0.70, 0.62, 1]
    )
    ground.contype, ground.conaffinity, ground.pos = 1, 0, [(x0 + x1) / 2, (y0 + y1) / 2, 0.0]
    ground.friction = [0.8, 0.008, 0.0005]
    for room in house.rooms:
        grow = WALL_THICKNESS_M / 2
        joinery.box(
            world,
            (room.x0 - grow, room.y0 - grow, -0.02),
            (room.x1 + grow, room.y1 + grow, 0.0015),
            _FLOOR_PART[room.floor],
            solid=False,
            name=f"floor_{room.name}",
        )


def add_walls(joinery: Joinery, house: House) -> None:
    """Walls with a skirting; above each doorway a lintel nobody can bump into."""
    world = joinery.spec.worldbody
    for i, (x0, y0, x1, y1) in enumerate(house.walls):
        joinery.box(world, (x0, y0, 0.0), (x1, y1, WALL_HEIGHT_M), "wall", name=f"wall_{i}")
        joinery.box(
            world,
            (x0 - 0.008, y0 - 0.008, 0.0),
            (x1 + 0.008, y1 + 0.008, 0.07),
            "frame",
            solid=False,
            name=f"skirting_{i}",
        )


def add_doorway(joinery: Joinery, door: Doorway) -> None:
    """Frame, lintel and, unless it is an open passage, a leaf on a double-acting hinge."""
    frame = joinery.fixed(f"{door.name}_frame", door.x, door.y, door.yaw)
    half, deep = door.width / 2, WALL_THICKNESS_M / 2
    joinery.box(
        frame,
        (-deep, -half, DOOR_HEIGHT_M),
        (deep, half, WALL_HEIGHT_M),
        "wall",
        solid=False,
        name=f"{door.name}_lintel",
    )
    if door.door_joint is None:
        return
    for side in (-1, 1):
        joinery.box(
            frame,
            (-deep - 0.012, side * half, 0.0),
            (deep + 0.012, side * (half + 0.06), DOOR_HEIGHT_M + 0.06),
            "frame",
            solid=False,
        )
    joinery.box(
        frame, (-deep - 0.012, -half, DOOR_HEIGHT_M), (deep + 0.012, half, DOOR_HEIGHT_M + 0.06), "frame", solid=False
    )
    _add_leaf(joinery, door)


def _add_leaf(joinery: Joinery, door: Doorway) -> None:
    side, width = door.params["hinge_side"], door.width - 0.02
    hinge = side * (door.width / 2 - 0.005)
    frame = joinery.spec.worldbody.add_frame(pos=[door.x, door.y, 0.0], quat=quat_z(door.yaw))
    leaf = joinery.spec.worldbody.add_body(
        name=f"{door.name}_leaf", pos=[0.0, hinge, 0.0], quat=quat_z(side * door.initial_angle)
    )
    leaf.set_frame(frame)
    leaf.add_joint(
        name=door.door_joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, 0.0, side],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        range=[-door.params["stop_rad"], door.params["stop_rad"]],
        ref=door.initial_angle,  # modelled as it stands after a reset; 0 is shut
        frictionloss=door.params["breakaway_n"] * width,
        damping=[door.params["damping_nms"], 0.0, 0.0],
        armature=0.05,
    )
    t, z0, z1 = LEAF_THICKNESS_M / 2, 0.012, DOOR_HEIGHT_M - 0.01
    far = -side * width
    # The leaf stands in the middle of the wall; its mass is the box's.
    joinery.box(leaf, (-t, 0.0, z0), (t, far, z1), "door", name=f"{door.name}_panel", mass=door.params["mass"])
    tint = shade(joinery.house.palette["door"], 0.93)
    for face in (-1, 1):
        for low, high in ((0.25, 0.95), (1.10, 1.85)):
            joinery.box(leaf, (face * t, far * 0.16, low), (face * (t + 0.004), far * 0.84, high), tint, solid=False)
        joinery.box(leaf, (face * t, far * 0.90, 0.88), (face * (t + 0.006), far * 0.975, 1.12), "steel", solid=False)
