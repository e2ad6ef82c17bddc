"""Pictures of a house: a cut-away bird's-eye view, and close-ups."""

import copy
from math import cos, degrees, hypot, radians, sin, tan

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.ornaments import WALL_HUNG_DECOR
from sim.house.plane import offset
from sim.house.schema import House
from sim.objects.shapes import LOOK

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
    camera = mujoco.MjvCamera()
    camera.azimuth, camera.elevation = azimuth_deg, elevation_deg
    corners = [(x, y, z) for x0, y0, x1, y1 in house.walls for x in (x0, x1) for y in (y0, y1) for z in (0.0, 2.2)]
    _frame(np.array(corners), camera, width / height)
    return _render(model, data, camera, width, height)


def render_kitchen(
    house: House, model: mujoco.MjModel, data: mujoco.MjData, width: int, height: int
) -> NDArray[np.uint8]:
    """(height, width, 3) picture of the working coffee machine's counter as seen from inside the kitchen."""
    machine = next(m for m in house.machines if m.has_mains)
    counters = [f for f in house.fixtures if f.class_name == "counter" and f.yaw == machine.yaw]
    counter = min(counters, key=lambda f: hypot(f.x - machine.x, f.y - machine.y))
    room = next(r for r in house.rooms if r.name == counter.room)
    aims = [(counter.x, counter.y, 1.0), (machine.x, machine.y, machine.z + 0.2)]
    best: tuple[float, float] = (1.2, 0.0)
    for distance in (3.4, 3.0, 2.6, 2.2, 1.9, 1.6):
        for turn in (0.45, -0.45, 0.25, -0.25, 0.0):
            x, y = offset(counter.x, counter.y, counter.yaw + turn, distance * cos(_EYE_LEVEL))
            within = room.x0 + 0.15 < x < room.x1 - 0.15 and room.y0 + 0.15 < y < room.y1 - 0.15
            eye = np.array([x, y, 1.0 + distance * sin(_EYE_LEVEL)])
            if within and distance > best[0] and all(_sees(model, data, eye, np.array(aim)) for aim in aims):
                best = (distance, turn)
    azimuth_deg = degrees(counter.yaw + best[1]) + 180.0
    model = _for_pictures(model, azimuth_deg)
    model.vis.global_.fovy = _ROOM_FIELD_OF_VIEW_DEG
    camera = mujoco.MjvCamera()
    camera.azimuth, camera.elevation, camera.distance = azimuth_deg, -degrees(_EYE_LEVEL), best[0]
    camera.lookat[:] = (counter.x, counter.y, 1.0)
    eye = offset(counter.x, counter.y, counter.yaw + best[1], best[0] * cos(_EYE_LEVEL))
    _cut_walls_behind(house, model, camera, eye)
    return _render(model, data, camera, width, height)


def _sees(model: mujoco.MjModel, data: mujoco.MjData, eye: NDArray[np.float64], aim: NDArray[np.float64]) -> bool:
    """Whether nothing stands between, but within half a metre of what is aimed at."""
    way = aim - eye
    distance = float(np.linalg.norm(way))
    hit = mujoco.mj_ray(model, data, eye, way / distance, None, 1, -1, np.zeros(1, np.int32))
    return hit < 0.0 or hit > distance - 0.5


def cut_walls(house: House, model: mujoco.MjModel, azimuth_deg: float) -> None:
    """Lower, in `model`, every wall that hides a room from a camera looking along `azimuth_deg` from above."""
    look = cos(radians(azimuth_deg)), sin(radians(azimuth_deg))
    cut = []
    for i, (x0, y0, x1, y1) in enumerate(house.walls):
        along_x = x1 - x0 > y1 - y0
        ahead = (0.0, np.sign(look[1]) * 0.4) if along_x else (np.sign(look[0]) * 0.4, 0.0)
        hides = any(
            room.x0 < x + ahead[0] < room.x1 and room.y0 < y + ahead[1] < room.y1
            for room in house.rooms
            for x, y in _points_along(x0, y0, x1, y1)
        )
        if hides:
            cut.append(i)
    _lower(house, model, cut)
    for door in house.doorways:
        _bury(model, model.geom(f"{door.name}_lintel").id)


def _cut_walls_behind(house: House, model: mujoco.MjModel, camera: mujoco.MjvCamera, eye: tuple[float, float]) -> None:
    """Lower the walls behind a camera within a room: they would keep the sun out."""
    look = cos(radians(camera.azimuth)), sin(radians(camera.azimuth))
    behind = [
        i
        for i, (x0, y0, x1, y1) in enumerate(house.walls)
        if all((x - eye[0]) * look[0] + (y - eye[1]) * look[1] < 0.0 for x in (x0, x1) for y in (y0, y1))
    ]
    _lower(house, model, behind)


def _lower(house: House, model: mujoco.MjModel, walls: list[int]) -> None:
    """Cut walls to _CUT_HEIGHT_M and take down what hangs on them above that."""
    for i in walls:
        geom = model.geom(f"wall_{i}").id
        model.geom_size[geom, 2] = _CUT_HEIGHT_M / 2
        model.geom_pos[geom, 2] = _CUT_HEIGHT_M / 2
    for k, decor in enumerate(house.decor):
        x, y = offset(decor.x, decor.y, decor.yaw, -0.05)
        hung = decor.kind in WALL_HUNG_DECOR
        if hung and any(w[0] <= x <= w[2] and w[1] <= y <= w[3] for w in (house.walls[i] for i in walls)):
            body = model.body(f"decor_{k}_{decor.kind}{LOOK}")
            for geom in range(body.geomadr[0], body.geomadr[0] + body.geomnum[0]):
                _bury(model, geom)


def _bury(model: mujoco.MjModel, geom: int) -> None:
    # Made transparent it would still cast a shadow.
    model.geom_size[geom], model.geom_pos[geom, 2] = 0.001, -1.0


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
    model.light_cutoff[sun], model.light_exponent[sun] = 55.0, 0.0
    model.light_diffuse[sun] *= _SUN_GAIN
    return model


def _frame(corners: NDArray[np.float64], camera: mujoco.MjvCamera, aspect: float) -> None:
    """Aim the camera and step back until the corners (n, 3) fill the picture."""
    a, e = radians(camera.azimuth), radians(camera.elevation)
    forward = np.array([cos(e) * cos(a), cos(e) * sin(a), sin(e)])
    right = np.array([sin(a), -cos(a), 0.0])
    up = np.cross(right, forward)
    slope = tan(radians(_FIELD_OF_VIEW_DEG) / 2) * 0.96
    aim, distance = corners.mean(axis=0), 20.0
    for _ in range(6):  # centre what is seen, then fit it; perspective needs a few rounds
        away = corners - aim
        depth = distance + away @ forward
        for axis in (right, up):
            seen = (away @ axis) / depth
            aim = aim + axis * (seen.max() + seen.min()) / 2 * distance
        away = corners - aim
        fit = np.maximum(np.abs(away @ up) / slope, np.abs(away @ right) / (slope * aspect))
        distance = float((fit - away @ forward).max())
    camera.lookat[:], camera.distance = aim, distance


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
