"""Free objects: mugs, pods and clutter, of primitives only.

Every body has a free joint `<name>_free`; its frame's origin is the centre of its **underside**, z up, so
`Item.z` is the height of what it stands on. Site `<name>_centre` is the middle. Standing upright makes four
contacts: one foot box reaches the ground, all other parts end a little above.
"""

import itertools
from dataclasses import replace

import mujoco

from agent.messages.classes import OBJECT_CLASSES
from sim.house.schema import Item
from sim.objects import shapes
from sim.objects.mug import add_mug
from sim.objects.shapes import Rgba, Surface

_BOX, _CYLINDER, _ELLIPSOID = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_ELLIPSOID
_CENTRE_OF_MASS = {"bottle": 0.42, "bowl": 0.40}
"""Height of the centre of mass over total height, where it is not 0.5."""


def add_item(spec: mujoco.MjSpec, item: Item) -> None:
    """Adds the body `item.name` with free joint `<name>_free` at the item's pose.

    Raises ValueError for an unknown class or a friction above 1.2.
    """
    if item.params["friction"] > 1.2:
        raise ValueError(f"friction of {item.name} is {item.params['friction']}; at most 1.2 is allowed")
    body = spec.worldbody.add_body(name=item.name, pos=[item.x, item.y, item.z], quat=shapes.quat_z(item.yaw))
    body.add_freejoint(name=f"{item.name}_free")
    if item.class_name == "mug":
        add_mug(spec, body, item)
        return
    builders = {
        "pod": _pod,
        "bowl": _bowl,
        "plate": _plate,
        "loose_lid": _loose_lid,
        "bottle": _bottle,
        "box": _cuboid,
        "book": _cuboid,
        "fruit": _fruit,
    }
    builder = builders.get(item.class_name)
    if builder is None:
        raise ValueError(f"unknown class {item.class_name!r} of {item.name}; known: {', '.join(OBJECT_CLASSES)}")
    builder(spec, body, item)
    p = item.params
    height = p["height"]
    centre = _CENTRE_OF_MASS.get(item.class_name, 0.5) * height
    body.add_site(name=f"{item.name}_centre", pos=[0.0, 0.0, height / 2], size=[0.003, 0.003, 0.003], group=5)
    shapes.inertial(body, p["mass"], (0.0, 0.0, centre), shapes.cylinder_inertia(p["mass"], p["radius"], height))


def _pod(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    p = item.params
    radius, height = p["radius"], p["height"]
    shapes.solid_prism(body, radius, height, Surface(p["friction"]), squares=3, name=item.name)
    shell = shapes.hsv(p.get("hue", 0.1), 0.55, 0.45)
    foil = (0.83, 0.80, 0.72, 1.0)
    plastic, metal = shapes.plastic(spec), shapes.metal(spec)
    shapes.visual(body, _CYLINDER, (radius * 0.95, height / 2 - 0.0015), (0, 0, height / 2 - 0.001), shell, plastic)
    shapes.visual(body, _CYLINDER, (radius * 0.99, 0.0012), (0, 0, height - 0.0022), foil, metal)
    shapes.visual(body, _CYLINDER, (radius * 0.55, 0.0004), (0, 0, height - 0.0007), shell, plastic)


def _bowl(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    p = item.params
    mouth, height = p["radius"], p["height"]
    foot = mouth * {"deep": 0.72, "wide": 0.45}.get(item.style, 0.58)
    surface, glaze = Surface(p["friction"]), shapes.ceramic(spec)
    half = 0.70 * foot
    shapes.solid_box(body, (half, half, 0.005), (0, 0, 0.005), surface)
    for size, pos, quat in shapes.ring(8, foot, mouth, 0.004, height, 0.008):
        shapes.solid_box(body, size, pos, surface, quat)
    outside, inside = shapes.hsv(p.get("hue", 0.5), 0.18, 0.86), (0.95, 0.94, 0.90, 1.0)
    # Three bands approximate a rounded profile.
    profile = ((0.0, foot), (0.28, foot + 0.52 * (mouth - foot)), (0.62, foot + 0.86 * (mouth - foot)), (1.0, mouth))
    for (low, r0), (high, r1) in itertools.pairwise(profile):
        for size, pos, quat in shapes.ring(20, r0, r1, 0.003 + low * (height - 0.003), high * height, 0.005):
            shapes.visual(body, _BOX, size, pos, outside, glaze, quat)
    shapes.visual(body, _CYLINDER, (foot, 0.004), (0, 0, 0.005), inside, glaze)


def _plate(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    p = item.params
    radius, height = p["radius"], p["height"]
    shapes.solid_prism(body, radius, height * 0.8, Surface(p["friction"]), squares=2)
    glaze = shapes.ceramic(spec)
    white, accent = (0.95, 0.94, 0.91, 1.0), shapes.hsv(p.get("hue", 0.6), 0.35, 0.62)
    rim = accent if item.style == "rimmed" else white
    shapes.visual(body, _CYLINDER, (radius * 0.66, height * 0.25), (0, 0, height * 0.25), white, glaze)
    for size, pos, quat in shapes.ring(28, radius * 0.64, radius, height * 0.3, height, 0.0045):
        shapes.visual(body, _BOX, size, pos, rim, glaze, quat)


def _loose_lid(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    p = item.params
    radius, height = p["radius"], p["height"]
    disc = 0.4 * height
    surface = Surface(p["friction"])
    shapes.solid_prism(body, radius, disc, surface, squares=2)
    colour, metal = shapes.hsv(p.get("hue", 0.0), 0.12, 0.42), shapes.metal(spec)
    shapes.visual(body, _CYLINDER, (radius, disc / 2), (0, 0, disc / 2), colour, metal)
    shapes.visual(body, _CYLINDER, (radius * 0.8, 0.0015), (0, 0, disc + 0.001), colour, metal)
    grip = (radius * (0.55 if item.style == "bar" else 0.2), radius * 0.2, (height - disc) / 2)
    knob = ((0.12, 0.11, 0.10, 1.0), shapes.plastic(spec))
    shapes.solid_box(body, grip, (0, 0, (height + disc) / 2), surface, seen=knob)


def _bottle(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    p = item.params
    radius, height = p["radius"], p["height"]
    shoulder = height * {"squat": 0.55, "slim": 0.68}.get(item.style, 0.62)
    neck = radius * 0.38
    surface, glass = Surface(p["friction"]), shapes.ceramic(spec)
    shapes.solid_prism(body, radius, shoulder, surface, squares=2)
    shapes.solid_box(body, (neck * 0.8, neck * 0.8, (height - shoulder) / 2), (0, 0, (height + shoulder) / 2), surface)
    colour = shapes.hsv(p.get("hue", 0.3), 0.62, 0.38)
    shapes.visual(body, _CYLINDER, (radius, shoulder / 2), (0, 0, shoulder / 2), colour, glass)
    shapes.visual(body, _ELLIPSOID, (radius, radius, radius * 0.9), (0, 0, shoulder), colour, glass)
    shapes.visual(body, _CYLINDER, (neck, (height - shoulder) / 2), (0, 0, (height + shoulder) / 2), colour, glass)
    cap = (0.13, 0.12, 0.12, 1.0)
    shapes.visual(body, _CYLINDER, (neck * 1.2, 0.009), (0, 0, height - 0.009), cap, shapes.plastic(spec))
    label = (0.93, 0.90, 0.82, 1.0)
    shapes.visual(body, _CYLINDER, (radius * 1.01, shoulder * 0.24), (0, 0, shoulder * 0.5), label, shapes.matt(spec))


def _cuboid(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    p = item.params
    half = (p["depth"] / 2, p["width"] / 2, p["height"] / 2)
    middle = (0, 0, p["height"] / 2)
    book = item.class_name == "book"
    colour: Rgba = shapes.hsv(p.get("hue", 0.0), 0.5 if book else 0.42, 0.5 if book else 0.72)
    tin = item.style == "tin"
    finish = shapes.metal(spec) if tin else shapes.matt(spec)
    shapes.solid_box(body, half, middle, Surface(p["friction"]))
    if not book:
        shapes.visual(body, _BOX, half, middle, colour, finish)
        band = (half[0] + 0.0004, half[1] + 0.0004, half[2] * 0.32)
        shapes.visual(body, _BOX, band, (0, 0, p["height"] * 0.62), (0.95, 0.93, 0.86, 1.0), finish)
        lid = (half[0] * 0.98, half[1] * 0.98, 0.001)
        shapes.visual(body, _BOX, lid, (0, 0, p["height"]), shapes.hsv(p.get("hue", 0.0), 0.35, 0.55), finish)
        return
    cover = 0.0018
    for z in (cover, p["height"] - cover):
        shapes.visual(body, _BOX, (half[0], half[1], cover), (0, 0, z), colour, finish)
    shapes.visual(body, _BOX, (half[0], cover, half[2]), (0, -half[1] + cover, half[2]), colour, finish)
    pages = (half[0] - 0.003, half[1] - 0.003, half[2] - 2 * cover)
    shapes.visual(body, _BOX, pages, middle, (0.93, 0.90, 0.82, 1.0), finish)


def _fruit(spec: mujoco.MjSpec, body: mujoco.MjsBody, item: Item) -> None:
    p = item.params
    radius, height = p["radius"], p["height"]
    # A flat foot and edges: an apple stays where it is put, and does not roll for minutes.
    surface = replace(Surface(p["friction"]), condim=4)
    half = 0.62 * radius
    shapes.solid_box(body, (half * 0.7, half * 0.7, height / 2), (0, 0, height / 2), surface)
    for angle in (0.0, 0.7854):
        size = (half * 1.15, half * 1.15, height * 0.30)
        shapes.solid_box(body, size, (0, 0, height / 2), surface, shapes.quat_z(angle))
    hue, value = {"apple": (0.98, 0.66), "orange": (0.075, 0.92)}.get(item.style, (0.145, 0.92))
    colour, skin = shapes.hsv(hue + 0.03 * (p.get("hue", 0.5) - 0.5), 0.85, value), shapes.plastic(spec)
    stretch = 1.15 if item.style == "lemon" else 1.0
    shapes.visual(body, _ELLIPSOID, (radius * stretch, radius, height / 2), (0, 0, height / 2), colour, skin)
    stalk = (0.28, 0.20, 0.10, 1.0)
    shapes.visual(body, _CYLINDER, (0.0016, 0.006), (0, 0, height + 0.001), stalk, shapes.matt(spec))
