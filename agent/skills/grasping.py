"""From where, and how steeply, a thing is grasped at the place where it stands."""

from dataclasses import replace
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.classes import FRONTS, hinge_side
from agent.belief.entities import Entity
from agent.belief.places import front_directions, place_of
from agent.frames import wrap
from agent.skills.approach import Approach, at_standoffs, in_the_open

Array = NDArray[np.float64]

LEVEL_PITCH_RAD = np.deg2rad(22.0)
INSIDE_PITCH_RAD = np.deg2rad(14.0)
STEEP_PITCH_RAD = np.deg2rad(60.0)
POD_PITCH_RAD = np.deg2rad(40.0)
STEEPEST_FOR_SPOUT_RAD = np.deg2rad(35.0)
"""A mug held more steeply does not fit under a spout."""
TIP_M = 0.021
"""From the tool frame to the fingertips."""
PAD_HALF_M = 0.012
HALF_HEIGHT_M = {"mug": 0.046, "pod": 0.0155}
INSIDE_MACHINE_M = 0.12
"""From the middle of a machine to what stands on its tray, at most."""
HANDLE_SINE = 0.72
HANDLE_KNOWN_RAD = 0.45


def lowest_tool_height(pitch_down_rad: float) -> float:
    """How high the tool frame must be above a surface for the fingertips to clear it, m."""
    return TIP_M * sin(pitch_down_rad) + PAD_HALF_M * cos(pitch_down_rad) + 0.004


def approaches_to(entity: Entity, belief: Belief, place: Entity | None = None) -> list[Approach]:
    """All ways to grasp an entity where it stands."""
    place = place or place_of(entity, belief.entities)
    machine = machine_over(entity, belief)
    if machine is not None:
        return _fan(machine.yaw + pi, LEVEL_PITCH_RAD, (0.0,), 0.70, entity)
    if place is None:
        yaw = float(np.arctan2(*(entity.position[1::-1] - belief.base_pose[1::-1])))
        return _fan(yaw, LEVEL_PITCH_RAD, (0.0, 0.5, -0.5, 1.0, -1.0), 0.68, entity)
    if place.class_name in FRONTS:
        if place.class_name == "drawer":
            return _fan(place.yaw + pi, STEEP_PITCH_RAD, (0.0, 0.2, -0.2), 0.62, entity)
        # The open door stands on the hinge's side: rather keep to the other one.
        away = -hinge_side(place.class_name)
        ways = _fan(place.yaw + pi, INSIDE_PITCH_RAD, (0.0, 0.15, -0.15), 0.72, entity)
        return [replace(way, aside_m=0.06 * away) for way in ways]
    pitch = POD_PITCH_RAD if entity.class_name == "pod" else LEVEL_PITCH_RAD
    if place.class_name == "shelf":
        return _fan(place.yaw + pi, INSIDE_PITCH_RAD, (0.0, 0.25, -0.25), 0.70, entity)
    ways: list[Approach] = []
    for direction in front_directions(place):
        ways += _fan(direction + pi, pitch, (0.0, 0.35, -0.35, 0.7, -0.7), 0.68, entity)
    return in_the_open(belief, entity.position, ways, place)


def machine_over(entity: Entity, belief: Belief) -> Entity | None:
    """The machine on whose drip tray an entity stands. A mug may hide the tray: then it stands inside the machine."""
    for tray in belief.entities.of_class("drip_tray"):
        gap = entity.position - tray.position
        if float(np.hypot(gap[0], gap[1])) < 0.07 and -0.05 < float(gap[2]) < 0.15 and tray.parent:
            return belief.entities.get(tray.parent)
    for machine in belief.entities.of_class("coffee_machine"):
        gap = entity.position - machine.position
        hidden = belief.machine_part(machine.id, "drip_tray") is None
        if hidden and float(np.hypot(gap[0], gap[1])) < INSIDE_MACHINE_M and float(gap[2]) < 0.0:
            return machine
    return None


def _fan(yaw: float, pitch: float, turns: tuple[float, ...], best_standoff_m: float, entity: Entity) -> list[Approach]:
    ways = []
    for turn in turns:
        heading = wrap(yaw + turn)
        penalty = 0.8 * abs(turn)
        if entity.class_name == "mug" and entity.yaw_variance**0.5 < HANDLE_KNOWN_RAD:
            # A finger must not meet the handle: it should point along or against the approach.
            penalty += 3.0 if abs(sin(entity.yaw - heading)) > HANDLE_SINE else 0.0
        failures = entity.notes.get(f"missed-{round(heading * 4)}", 0.0)
        stands = at_standoffs(heading, pitch, best_standoff_m)
        ways += [replace(way, penalty=way.penalty + penalty + 2.0 * failures) for way in stands]
    return ways
