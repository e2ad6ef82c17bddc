"""The coffee machine's body: a C of boxes with a lid, a spring button and a power rocker.

Frame: origin at the centre of the foot on the counter, x out of the front, z up. Names of a machine `m`:

=============  ==================  ===========================================================
kind           name                meaning
=============  ==================  ===========================================================
body           m, m_lid_body, …    the static body and its three moving parts
joint          m_lid               hinge, 0 closed, positive opens, stop at `lid_stop` rad
joint          m_button            slide, 0 released, positive pressed, stop at `button_stroke`
joint          m_power             rocker, on above POWER_ON_RAD
site           m_spout             tip of the spout
site           m_tray              where a mug's foot centre should stand; x is the machine's front
site           m_holder            centre of the floor of the pod well
site           m_lid_tab           underside of the lid's tab
site           m_button_face       centre of the button's face; z points out of the button
site           m_power_light, m_brew_light
geom           m_lid_tab, m_button_face, m_tray, m_well_floor, m_power_light, m_brew_light, m_stream
=============  ==================  ===========================================================
"""

from itertools import pairwise
from math import pi

import mujoco

from sim.house.schema import Machine
from sim.objects import shapes
from sim.objects.machine_geometry import (
    LID_HEIGHT_M,
    NOZZLE_M,
    POWER_STOP_RAD,
    WELL_DEPTH_M,
    WELL_FLOOR_RADIUS_M,
    MachineGeometry,
    machine_geometry,
)
from sim.objects.shapes import Rgba, Surface, Vec3

__all__ = ["WELL_DEPTH_M", "MachineGeometry", "add_machine", "machine_geometry"]

_SURFACE = Surface(0.6, priority=0)
_LID_WALL_M = 0.006
LIGHT_OFF: Rgba = (0.10, 0.11, 0.11, 1.0)
POWER_LIGHT_ON: Rgba = (0.35, 0.95, 0.45, 1.0)
BREW_LIGHT_ON: Rgba = (1.0, 0.62, 0.12, 1.0)


def add_machine(spec: mujoco.MjSpec, machine: Machine) -> None:
    """Adds the machine `machine.name`, standing at its pose, lid closed."""
    g = machine_geometry(machine)
    body = spec.worldbody.add_body(
        name=machine.name, pos=[machine.x, machine.y, machine.z], quat=shapes.quat_z(machine.yaw)
    )
    shell, trim = _colours(machine.params.get("hue", 0.0))
    _add_frame(spec, body, machine, g, shell, trim)
    _add_head(spec, body, machine, g, shell)
    _add_lid(spec, body, machine, g, shell)
    _add_button(spec, body, machine, g)
    _add_power(spec, body, machine, g)
    _add_lights_and_stream(spec, body, machine, g)


def _add_frame(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, machine: Machine, g: MachineGeometry, shell: Rgba, trim: Rgba
) -> None:
    """Base with drip tray, and the column with the water tank."""
    p, name = machine.params, machine.name
    half_width = p["width"] / 2
    plastic, metal = shapes.plastic(spec), shapes.metal(spec)
    depth, column = p["depth"], p["column_depth"]
    base_z = (g.tray_z - 0.006) / 2
    shapes.solid_box(body, (depth / 2, half_width, base_z), (0, 0, base_z), _SURFACE, seen=(shell, plastic))
    tray_half = (g.front_x - (g.back_x + column)) / 2 - 0.006
    tray_x = (g.front_x + g.back_x + column) / 2
    shapes.solid_box(
        body,
        (tray_half, half_width - 0.008, 0.004),
        (tray_x, 0, g.tray_z - 0.004),
        _SURFACE,
        name=f"{name}_tray",
        seen=((0.60, 0.61, 0.62, 1.0), metal),
    )
    for i in range(9):
        y = (i - 4) / 4 * (half_width - 0.020)
        slot = (tray_half - 0.012, 0.0016, 0.0003)
        shapes.visual(body, mujoco.mjtGeom.mjGEOM_BOX, slot, (tray_x, y, g.tray_z), trim, plastic)
    half = (column / 2, half_width, (g.head_top_z - g.tray_z + 0.006) / 2)
    middle = (g.back_x + column / 2, 0, (g.head_top_z + g.tray_z - 0.006) / 2)
    shapes.solid_box(body, half, middle, _SURFACE, name=f"{name}_column", seen=(shell, plastic))
    # A water window on the column's side and a dark panel behind the mug: seen only.
    splash = (0.001, half_width - 0.012, (g.spout_z - g.tray_z) / 2 - 0.012)
    splash_at = (g.back_x + column, 0, (g.spout_z + g.tray_z) / 2)
    shapes.visual(body, mujoco.mjtGeom.mjGEOM_BOX, splash, splash_at, trim, plastic)
    for side in (-1, 1):
        window = (column * 0.22, 0.001, 0.055)
        at = (g.back_x + column * 0.45, side * half_width, g.tray_z + 0.085)
        shapes.visual(body, mujoco.mjtGeom.mjGEOM_BOX, window, at, (0.55, 0.72, 0.80, 1.0), shapes.ceramic(spec))
    body.add_site(name=f"{name}_tray", pos=[g.spout_x, 0, g.tray_z], size=[0.003] * 3, group=5)


def _add_head(spec: mujoco.MjSpec, body: mujoco.MjsBody, machine: Machine, g: MachineGeometry, shell: Rgba) -> None:
    """The overhanging head with the funnel of the pod well, and the spout."""
    p, name = machine.params, machine.name
    half_width = p["width"] / 2
    plastic, metal = shapes.plastic(spec), shapes.metal(spec)
    column_front = g.back_x + p["column_depth"]
    well = p["well_radius"] + 0.002
    floor_top = g.well_floor_z
    seen = (shell, plastic)

    def block(x0: float, x1: float, y0: float, y1: float, z0: float, z1: float, part: str = "") -> None:
        shapes.solid_box(
            body,
            ((x1 - x0) / 2, (y1 - y0) / 2, (z1 - z0) / 2),
            ((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2),
            _SURFACE,
            name=f"{name}_{part}" if part else "",
            seen=seen,
        )

    x, front = g.spout_x, g.head_front_x
    block(column_front, front, -half_width, half_width, g.head_bottom_z, floor_top - 0.002, "head")
    block(column_front, x - well, -half_width, half_width, floor_top - 0.002, g.head_top_z)
    block(x + well, front, -half_width, half_width, floor_top - 0.002, g.head_top_z)
    block(x - well, x + well, -half_width, -well, floor_top - 0.002, g.head_top_z)
    block(x - well, x + well, well, half_width, floor_top - 0.002, g.head_top_z)
    dark = ((0.16, 0.16, 0.17, 1.0), plastic)
    shapes.solid_box(
        body, (well, well, 0.002), (x, 0, floor_top - 0.002), _SURFACE, name=f"{name}_well_floor", seen=dark
    )
    # The funnel's slope of 72 degrees is far steeper than any pod's friction angle.
    steel = ((0.45, 0.46, 0.47, 1.0), metal)
    for i, (size, pos, quat) in enumerate(_funnel(p["well_radius"], g.well_floor_z, g.well_rim_z)):
        shapes.solid_box(
            body, size, (pos[0] + x, pos[1], pos[2]), _SURFACE, quat, name=f"{name}_funnel_{i}", seen=steel
        )
    # A steel band along the head's lower edge, and a rail for warm cups on top of the column: seen only.
    steel_band = (0.70, 0.70, 0.69, 1.0)
    band_z = g.head_bottom_z + 0.003
    for size, pos in (
        ((0.0012, half_width + 0.0012, 0.003), (front, 0, band_z)),
        (((front - column_front) / 2, half_width + 0.0012, 0.003), ((front + column_front) / 2, 0, band_z)),
    ):
        shapes.visual(body, mujoco.mjtGeom.mjGEOM_BOX, size, pos, steel_band, metal)
    _add_rail(spec, body, g, p["column_depth"], half_width)
    nozzle = (0.010, NOZZLE_M / 2)
    shapes.visual(body, mujoco.mjtGeom.mjGEOM_CYLINDER, nozzle, (x, 0, g.spout_z + NOZZLE_M / 2), steel[0], metal)
    shapes.solid_box(body, (0.008, 0.008, NOZZLE_M / 2), (x, 0, g.spout_z + NOZZLE_M / 2), _SURFACE)
    body.add_site(name=f"{name}_spout", pos=[x, 0, g.spout_z], size=[0.003] * 3, group=5)
    body.add_site(name=f"{name}_holder", pos=[x, 0, g.well_floor_z], size=[0.003] * 3, group=5)


def _add_rail(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, g: MachineGeometry, column_depth: float, half_width: float
) -> None:
    """A low rail around the top of the column."""
    rail, metal, z = (0.72, 0.72, 0.71, 1.0), shapes.metal(spec), g.head_top_z + 0.014
    x0, x1, y = g.back_x + 0.008, g.back_x + column_depth - 0.022, half_width - 0.008
    corners = ((x1, -y), (x0, -y), (x0, y), (x1, y))
    for (ax, ay), (bx, by) in pairwise(corners):
        shapes.visual_rod(body, (ax, ay, z), (bx, by, z), 0.0022, rail, metal)
    for x, side in corners:
        shapes.visual_rod(body, (x, side, g.head_top_z), (x, side, z), 0.0022, rail, metal)


def _funnel(well_radius: float, z0: float, z1: float) -> list[tuple[list[float], list[float], list[float]]]:
    """Eight slanted walls whose inner faces go from WELL_FLOOR_RADIUS_M at z0 to `well_radius` at z1."""
    wall = 0.003
    return shapes.ring(8, WELL_FLOOR_RADIUS_M + wall, well_radius + wall, z0, z1, wall)


def _add_lid(spec: mujoco.MjSpec, body: mujoco.MjsBody, machine: Machine, g: MachineGeometry, shell: Rgba) -> None:
    """A dome over the well, high enough for a pod that stands out of it, with a tab over the head's edge."""
    p, name = machine.params, machine.name
    lid = body.add_body(name=f"{name}_lid_body", pos=list(g.lid_hinge_xyz), quat=shapes.quat_z(g.lid_yaw))
    length, half_width, height = g.lid_length, g.lid_half_width, LID_HEIGHT_M - 0.002
    mass = p["lid_mass"]
    lever = length / 2
    lid.add_joint(
        name=f"{name}_lid",
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0, -1, 0],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        range=[0.0, shapes.hinge_angle(spec, p["lid_stop"])],
        damping=[p["lid_damping"], 0, 0],
        # A quarter of gravity's torque: the lid stays where it is beyond about 75 degrees, and falls shut below.
        frictionloss=0.25 * mass * 9.81 * lever,
        armature=2e-4,
        solref_limit=[0.008, 1.0],
    )
    tint: Rgba = (shell[0] * 0.82, shell[1] * 0.82, shell[2] * 0.82, 1.0)
    seen = (tint, shapes.plastic(spec))
    wall = _LID_WALL_M / 2
    solid = Surface(0.6, priority=0)
    top = (length / 2, half_width, wall)
    shapes.solid_box(lid, top, (length / 2, 0, height - wall), solid, name=f"{name}_lid_top", seen=seen)
    skirt = (height - 2 * wall) / 2
    shapes.solid_box(lid, (wall, half_width, skirt), (wall, 0, skirt), solid, seen=seen)
    shapes.solid_box(lid, (wall, half_width, skirt), (length - wall, 0, skirt), solid, seen=seen)
    for side in (-1, 1):
        shapes.solid_box(
            lid, (length / 2, wall, skirt), (length / 2, side * (half_width - wall), skirt), solid, seen=seen
        )
    tab = (p["tab_length"] / 2 + 0.003, 0.024, 0.0035)
    tab_x = length + p["tab_length"] / 2 - 0.003
    accent = ((0.12, 0.12, 0.13, 1.0), shapes.plastic(spec))
    shapes.solid_box(lid, tab, (tab_x, 0, tab[2]), Surface(0.8, priority=0), name=f"{name}_lid_tab", seen=accent)
    lid.add_site(name=f"{name}_lid_tab", pos=[length + p["tab_length"] / 2, 0, 0], size=[0.003] * 3, group=5)
    box = (length * length / 12 + height * height / 12, half_width * half_width / 3 + length * length / 12)
    shapes.inertial(lid, mass, (lever, 0, height * 0.6), (mass * box[0], mass * box[0], mass * box[1]))
    # The hinge's stop, not contact, closes the lid: no standing contacts, and it sleeps.
    spec.add_exclude(bodyname1=name, bodyname2=f"{name}_lid_body")


def _add_button(spec: mujoco.MjSpec, body: mujoco.MjsBody, machine: Machine, g: MachineGeometry) -> None:
    """A button on a spring; its frame's z axis points out of the machine."""
    p, name = machine.params, machine.name
    front = machine.button_place == "front"
    stroke, radius = p["button_stroke"], p["button_radius"]
    quat = shapes.quat_z_then_y(0.0, pi / 2) if front else [1.0, 0.0, 0.0, 0.0]
    button = body.add_body(name=f"{name}_button_body", pos=list(g.button_xyz), quat=quat)
    button.add_joint(
        name=f"{name}_button",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0, 0, -1],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        range=[0.0, stroke],
        stiffness=[p["button_stiffness"], 0, 0],
        springref=-p["button_preload_n"] / p["button_stiffness"],
        damping=[3.0, 0, 0],
        armature=0.02,
        solref_limit=[0.005, 1.0],
    )
    # Square where it is touched: a pad on a box makes steady contacts.
    half = radius * 0.90
    shapes.solid_box(button, (half, half, 0.004), (0, 0, -0.004), Surface(0.8, priority=0), name=f"{name}_button_face")
    steel = (0.74, 0.74, 0.73, 1.0)
    shapes.visual(button, mujoco.mjtGeom.mjGEOM_CYLINDER, (radius, 0.004), (0, 0, -0.004), steel, shapes.metal(spec))
    cup = (0.05, 0.05, 0.055, 1.0)
    shapes.visual(button, mujoco.mjtGeom.mjGEOM_CYLINDER, (radius * 0.35, 0.0003), (0, 0, 0), cup, shapes.plastic(spec))
    button.add_site(name=f"{name}_button_face", pos=[0, 0, 0], size=[0.003] * 3, group=5)
    shapes.inertial(button, 0.02, (0, 0, -0.004), shapes.cylinder_inertia(0.02, radius, 0.008))
    spec.add_exclude(bodyname1=name, bodyname2=f"{name}_button_body")
    ring_depth = (0.008 if front else 0.018) / 2
    x, y, z = g.button_xyz
    at = (g.head_front_x + ring_depth, y, z) if front else (x, y, g.head_top_z + ring_depth)
    collar = (0.11, 0.11, 0.12, 1.0)
    shapes.visual(
        body, mujoco.mjtGeom.mjGEOM_CYLINDER, (radius * 1.22, ring_depth), at, collar, shapes.plastic(spec), quat
    )
    if not front:
        shapes.solid_box(body, (half, half, ring_depth - 0.001), at, _SURFACE)


def _add_power(spec: mujoco.MjSpec, body: mujoco.MjsBody, machine: Machine, g: MachineGeometry) -> None:
    """A rocker low on the right side, out of the way; modelled in the posture it starts in."""
    p, name = machine.params, machine.name
    on = p.get("power_on", 1.0) > 0.5
    at = [g.back_x + p["column_depth"] * 0.5, p["width"] / 2 + 0.001, 0.016 + 0.006]
    rocker = body.add_body(name=f"{name}_power_body", pos=at)
    rocker.add_joint(
        name=f"{name}_power",
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0, 0, 1],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        range=[0.0, shapes.hinge_angle(spec, POWER_STOP_RAD)],
        ref=shapes.hinge_angle(spec, POWER_STOP_RAD) if on else 0.0,
        frictionloss=0.02,
        damping=[0.002, 0, 0],
        armature=1e-4,
    )
    tilt = shapes.quat_z(POWER_STOP_RAD / 2 * (1 if on else -1))
    dark = ((0.09, 0.09, 0.10, 1.0), shapes.plastic(spec))
    shapes.solid_box(
        rocker, (0.010, 0.004, 0.006), (0, 0.002, 0), Surface(0.6, priority=0), tilt, f"{name}_power", dark
    )
    shapes.inertial(rocker, 0.01, (0, 0, 0), (4e-7, 4e-7, 4e-7))
    spec.add_exclude(bodyname1=name, bodyname2=f"{name}_power_body")


def _add_lights_and_stream(spec: mujoco.MjSpec, body: mujoco.MjsBody, machine: Machine, g: MachineGeometry) -> None:
    """Two lamps on the head's front and the stream of coffee, all seen only; MachineStates colours them."""
    name, half_width = machine.name, machine.params["width"] / 2
    cylinder = mujoco.mjtGeom.mjGEOM_CYLINDER
    facing = shapes.quat_z_then_y(0.0, pi / 2)
    z = g.head_bottom_z + 0.014
    for part, y in (("power_light", half_width - 0.022), ("brew_light", half_width - 0.040)):
        at = (g.head_front_x + 0.0005, y, z)
        shapes.visual(body, cylinder, (0.0048, 0.0015), at, LIGHT_OFF, shapes.glow(spec), facing, f"{name}_{part}")
        body.add_site(name=f"{name}_{part}", pos=list(at), size=[0.003] * 3, group=5)
    half = machine.params["spout_clearance"] / 2
    stream: Vec3 = (g.spout_x, 0, g.spout_z - half)
    shapes.visual(
        body, cylinder, (0.0022, half), stream, (0.25, 0.13, 0.06, 0.0), shapes.plastic(spec), name=f"{name}_stream"
    )


def _colours(hue: float) -> tuple[Rgba, Rgba]:
    """Shell and dark trim: enamel colours of kitchen machines."""
    tones = (
        (0.00, 0.00, 0.17),  # black
        (0.99, 0.75, 0.55),  # red
        (0.10, 0.07, 0.90),  # cream
        (0.45, 0.18, 0.62),  # mint
        (0.58, 0.35, 0.42),  # petrol
        (0.08, 0.02, 0.62),  # steel
    )
    tone = tones[int(hue * len(tones)) % len(tones)]
    return shapes.hsv(*tone), (0.10, 0.10, 0.11, 1.0)
