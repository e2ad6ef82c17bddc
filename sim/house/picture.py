"""Pictures of a house: a cut-away bird's-eye view, and close-ups."""

import copy
from math import cos, degrees, hypot, radians, sin, tan

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.plane import offset
from sim.house.schema import House

_CUT_HEIGHT_M = 0.95
_SHADOW_PIXELS = 4096
_SAMPLES = 4
_FIELD_OF_VIEW_DEG = 32.0
_ROOM_FIELD_OF_VIEW_DEG = 56.0
_EYE_LEVEL = 0.26
_SUN_DISTANCE_M = 11.0
_SUN_GAIN = 1.05


def render_house(
    house: House,
    model: mujoco.MjModel,
    data: mujoco.MjData,
    width: int,
    height: int,
    azimuth_deg: float = 68.0,
    elevation_deg: float = -52.0,
) -> NDArray[np.uint8]:
    """(height, width, 3) picture from above; walls in front of rooms are cut low. `model` is left as it is.

    Needs an OpenGL context (MUJOCO_GL=egl without a screen); raises what mujoco.Renderer raises without one.
    """
    model = _for_pictures(model, azimuth_deg)
    cut_walls(house, model, azimuth_deg)
    x0, y0 = min(w[0] for w in house.walls), min(w[1] for w in house.walls)
    x1, y1 = max(w[2] for w in house.walls), max(w[3] for w in house.walls)
    camera = mujoco.MjvCamera()
    camera.azimuth, camera.elevation = azimuth_deg, elevation_deg
    camera.lookat[:] = [(x0 + x1) / 2, (y0 + y1) / 2, 0.4]
    corners = np.array([[x, y, z] for x in (x0, x1) for y in (y0, y1) for z in (0.0, 1.6)])
    camera.distance = _distance_to_see(corners, camera, width / height)
    return _render(model, data, camera, width, height)


def render_kitchen(
    house: House, model: mujoco.MjModel, data: mujoco.MjData, width: int, height: int
) -> NDArray[np.uint8]:
    """(height, width, 3) picture of the working coffee machine's counter as seen from inside the kitchen."""
    machine = next(m for m in house.machines if m.has_mains)
    counters = [f for f in house.fixtures if f.class_name == "counter" and f.yaw == machine.yaw]
    counter = min(counters, key=lambda f: hypot(f.x - machine.x, f.y - machine.y))
    room = next(r for r in house.rooms if r.name == counter.room)
    best: tuple[float, float] = (1.2, 0.0)
    for distance in (3.4, 3.0, 2.6, 2.2, 1.9, 1.6):
        for turn in (0.45, -0.45, 0.25, -0.25, 0.0):
            x, y = offset(counter.x, counter.y, counter.yaw + turn, distance * cos(_EYE_LEVEL))
            if room.x0 + 0.15 < x < room.x1 - 0.15 and room.y0 + 0.15 < y < room.y1 - 0.15 and distance > best[0]:
                best = (distance, turn)
    azimuth_deg = degrees(counter.yaw + best[1]) + 180.0
    model = _for_pictures(model, azimuth_deg)
    cut_walls(house, model, azimuth_deg)  # behind the camera: they would keep the sun out
    model.vis.global_.fovy = _ROOM_FIELD_OF_VIEW_DEG
    camera = mujoco.MjvCamera()
    camera.azimuth, camera.elevation, camera.distance = azimuth_deg, -degrees(_EYE_LEVEL), best[0]
    camera.lookat[:] = (counter.x, counter.y, 1.0)
    return _render(model, data, camera, width, height)


def cut_walls(house: House, model: mujoco.MjModel, azimuth_deg: float) -> None:
    """Lower, in `model`, every wall that hides a room from a camera looking along `azimuth_deg`."""
    look = cos(radians(azimuth_deg)), sin(radians(azimuth_deg))
    for i, (x0, y0, x1, y1) in enumerate(house.walls):
        along_x = x1 - x0 > y1 - y0
        ahead = (0.0, np.sign(look[1]) * 0.4) if along_x else (np.sign(look[0]) * 0.4, 0.0)
        hides = any(
            room.x0 < x + ahead[0] < room.x1 and room.y0 < y + ahead[1] < room.y1
            for room in house.rooms
            for x, y in _points_along(x0, y0, x1, y1)
        )
        if hides:
            geom = model.geom(f"wall_{i}").id
            model.geom_size[geom, 2] = _CUT_HEIGHT_M / 2
            model.geom_pos[geom, 2] = _CUT_HEIGHT_M / 2
    for door in house.doorways:
        geom = model.geom(f"{door.name}_lintel").id
        model.geom_size[geom], model.geom_pos[geom, 2] = 0.001, -1.0  # made transparent it would still cast a shadow


def _points_along(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0 + (x1 - x0) * s, y0 + (y1 - y0) * s) for s in (0.1, 0.3, 0.5, 0.7, 0.9)]


def _for_pictures(model: mujoco.MjModel, azimuth_deg: float) -> mujoco.MjModel:
    """A copy with shadows, smooth edges and the sun behind the viewer: too slow at 10 Hz, right for a page."""
    model = copy.copy(model)
    model.vis.quality.shadowsize = _SHADOW_PIXELS
    model.vis.quality.offsamples = _SAMPLES
    model.vis.global_.fovy = _FIELD_OF_VIEW_DEG
    # MuJoCo's shadows of a directional light speckle where its frustum ends; a far spot light has clean ones.
    sun = model.light("sun").id
    far = _SUN_DISTANCE_M + model.stat.extent
    toward = radians(azimuth_deg - 24.0)
    model.light_dir[sun] = np.array([cos(toward), sin(toward), -1.6]) / hypot(1.0, 1.6)
    model.light_type[sun] = mujoco.mjtLightType.mjLIGHT_SPOT
    model.light_pos[sun] = model.stat.center - model.light_dir[sun] * far
    model.light_cutoff[sun], model.light_exponent[sun] = 40.0, 0.0
    model.light_diffuse[sun] *= _SUN_GAIN
    return model


def _distance_to_see(corners: NDArray[np.float64], camera: mujoco.MjvCamera, aspect: float) -> float:
    """The shortest distance at which all corners (n, 3) are in the picture."""
    a, e = radians(camera.azimuth), radians(camera.elevation)
    forward = np.array([cos(e) * cos(a), cos(e) * sin(a), sin(e)])
    right = np.array([sin(a), -cos(a), 0.0])
    up = np.cross(right, forward)
    offsets = corners - np.asarray(camera.lookat)
    slope = tan(radians(_FIELD_OF_VIEW_DEG) / 2) * 0.97
    needed = np.maximum(np.abs(offsets @ up) / slope, np.abs(offsets @ right) / (slope * aspect)) - offsets @ forward
    return float(needed.max())


def _render(
    model: mujoco.MjModel, data: mujoco.MjData, camera: mujoco.MjvCamera, width: int, height: int
) -> NDArray[np.uint8]:
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    shown = mujoco.MjData(model)
    shown.qpos[:] = data.qpos
    mujoco.mj_forward(model, shown)
    option = mujoco.MjvOption()
    option.geomgroup[:] = [1, 1, 1, 0, 0, 0]
    option.sitegroup[:] = 0
    with mujoco.Renderer(model, height=height, width=width) as renderer:
        renderer.update_scene(shown, camera, option)
        return renderer.render().copy()
