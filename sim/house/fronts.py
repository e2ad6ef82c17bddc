"""Doors and drawers of furniture as data."""

from sim.house.draft import Draft
from sim.house.plane import offset
from sim.house.schema import Fixture, Front

FRONT_THICKNESS_M = 0.018
HANDLE_CLEARANCE_M = 0.042
"""Between panel and bar: a finger of 0.02 m passes behind it."""
HANDLE_THICKNESS_M = 0.014
_GAP_M = 0.003


def add_hinged(
    draft: Draft,
    fixture: Fixture,
    stem: str,
    side: str,
    style: str,
    height: float,
    z: float,
    handle_z: float,
    thickness: float = FRONT_THICKNESS_M,
) -> Front:
    """A hinged door over the whole width of the fixture's front face. `z` is the panel's middle,
    `side` the hinge's, seen from in front."""
    width = fixture.size[1] - 2 * _GAP_M
    handle_left = (width / 2 - 0.045) * (1 if side == "left" else -1)  # left of the outward normal is right as seen
    name = draft.name(stem)
    front = _front(
        draft, fixture, name, f"{stem}_hinge_{side}", style, thickness, width, height, z, handle_left, handle_z
    )
    draft.fronts.append(front)
    return front


def add_drawer(draft: Draft, fixture: Fixture, style: str, height: float, z: float) -> Front:
    """A drawer over the whole width of the fixture's front face."""
    name = draft.name("drawer")
    width = fixture.size[1] - 2 * _GAP_M
    front = _front(
        draft, fixture, name, "drawer", style, FRONT_THICKNESS_M, width, height, z, 0.0, z + height / 2 - 0.055
    )
    draft.fronts.append(front)
    return front


def _front(
    draft: Draft,
    fixture: Fixture,
    name: str,
    class_name: str,
    style: str,
    thickness: float,
    width: float,
    height: float,
    z: float,
    handle_left: float,
    handle_z: float,
) -> Front:
    axes = draft.axes
    drawer = class_name == "drawer"
    bar = fixture.size[0] / 2 + thickness + HANDLE_CLEARANCE_M + HANDLE_THICKNESS_M / 2
    hx, hy = offset(fixture.x, fixture.y, fixture.yaw, bar, handle_left)
    open_joint = draft.uniform((0.31, 0.36)) if drawer else draft.uniform((1.66, 1.75))
    return Front(
        name=name,
        class_name=class_name,
        joint=f"{name}_joint",
        open_joint=open_joint,
        handle_geoms=(f"{name}_handle",),
        handle_x=round(hx, 4),
        handle_y=round(hy, 4),
        handle_z=round(handle_z, 4),
        handle_axis="horizontal" if drawer else "vertical",
        yaw=fixture.yaw,
        size=(thickness, round(width, 4), round(height, 4)),
        fixture=fixture.name,
        style=style,
        params={
            "z": round(z, 4),
            "mass": draft.uniform(axes.front_mass_kg) * (2.5 if "fridge" in class_name else 1.0),
            "force_n": draft.uniform(axes.front_force_n),
            "damping_n_s_m": draft.uniform(axes.front_damping_n_s_m),
            "handle_length": draft.uniform((0.12, 0.20)) if "fridge" not in class_name else 0.32,
            "friction": draft.uniform(axes.friction),
        },
    )
