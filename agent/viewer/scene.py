"""The shapes of a compiled model as a browser can draw them: groups of primitives that move, fade or stand together."""

import tempfile
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

_DRAWN_GROUPS = 3
"""Geoms of groups 0, 1, 2 are for eyes; the others are for contacts alone."""
_DEFAULT_RGBA = np.array([0.5, 0.5, 0.5, 1.0], np.float32)
_TALL_M = 1.9
_ATTACHED_M = 0.12
_SHAPES = {
    mujoco.mjtGeom.mjGEOM_PLANE: "plane",
    mujoco.mjtGeom.mjGEOM_SPHERE: "sphere",
    mujoco.mjtGeom.mjGEOM_CAPSULE: "capsule",
    mujoco.mjtGeom.mjGEOM_ELLIPSOID: "ellipsoid",
    mujoco.mjtGeom.mjGEOM_CYLINDER: "cylinder",
    mujoco.mjtGeom.mjGEOM_BOX: "box",
}


def load_model(data: bytes) -> mujoco.MjModel:
    """The model whose MJB this is."""
    with tempfile.TemporaryDirectory(prefix="doppio-") as folder:
        path = Path(folder) / "model.mjb"
        path.write_bytes(data)
        return mujoco.MjModel.from_binary_path(str(path))


def colours(model: mujoco.MjModel) -> NDArray[np.float32]:
    """(ngeom, 4) as they look: of the material where the geom has none of its own, the mean of a texture."""
    rgba = model.geom_rgba.copy()
    for geom in np.flatnonzero((rgba == _DEFAULT_RGBA).all(1) & (model.geom_matid >= 0)).tolist():
        material = int(model.geom_matid[geom])
        rgba[geom] = model.mat_rgba[material]
        texture = int(model.mat_texid[material].max())
        if texture >= 0:
            rgba[geom, :3] *= _mean_colour(model, texture)
    return rgba


def _mean_colour(model: mujoco.MjModel, texture: int) -> NDArray[np.float32]:
    start = int(model.tex_adr[texture])
    channels = int(model.tex_nchannel[texture])
    size = int(model.tex_height[texture] * model.tex_width[texture]) * channels
    pixels = model.tex_data[start : start + size].reshape(-1, channels)[:, :3]
    return (pixels.mean(axis=0) / 255.0).astype(np.float32)


def describe_scene(model: mujoco.MjModel) -> tuple[dict[str, Any], list[int]]:
    """Groups of shapes for the page, and the bodies that move, in the order in which their poses are wanted.

    A group that moves has its shapes in the body's frame; one that stands has them in the world's.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    rgba = colours(model)
    drawn = np.flatnonzero((model.geom_group < _DRAWN_GROUPS) & (rgba[:, 3] > 0.0)).tolist()
    robot = int(model.body("robot").id) if _has_body(model, "robot") else -1
    moving = sorted({int(model.geom_bodyid[g]) for g in drawn if model.body_weldid[model.geom_bodyid[g]]})
    walls = _walls(model, data, drawn)
    groups: dict[str, dict[str, Any]] = {}
    for geom in drawn:
        body = int(model.geom_bodyid[geom])
        kind = int(model.geom_type[geom])
        if kind not in _SHAPES:
            continue
        moves = bool(model.body_weldid[body])
        key, fades = _group_of(model, geom, body, walls, moves)
        group = groups.setdefault(
            key,
            {
                "name": key,
                "body": moving.index(body) if moves else -1,
                "fades": fades,
                "robot": robot >= 0 and int(model.body_rootid[body]) == robot,
                "shapes": [],
            },
        )
        if moves:
            at, turn = model.geom_pos[geom], model.geom_quat[geom]
        else:
            at, turn = data.geom_xpos[geom], np.empty(4)
            mujoco.mju_mat2Quat(turn, data.geom_xmat[geom])
        group["shapes"].append(
            {
                "geom": geom,
                "shape": _SHAPES[mujoco.mjtGeom(kind)],
                "size": _short(model.geom_size[geom]),
                "at": _short(at),
                "turn": _short(turn),
                "rgba": _short(rgba[geom], 3),
            }
        )
    names = [model.body(body).name.removesuffix("_look") for body in moving]
    return {"groups": list(groups.values()), "bodies": names}, moving


def _group_of(model: mujoco.MjModel, geom: int, body: int, walls: dict[int, int], moves: bool) -> tuple[str, bool]:
    """Name of the group a geom is drawn with, and whether it fades when it hides the robot."""
    if moves:
        return f"body {model.body(body).name or body}", False
    if body == 0 or geom in walls:
        return (f"wall {walls[geom]}", True) if geom in walls else ("floor", False)
    name = model.body(body).name.removesuffix("_look")
    return f"fixture {name}", True


def _walls(model: mujoco.MjModel, data: mujoco.MjData, drawn: list[int]) -> dict[int, int]:
    """Geom to number of its wall; with a wall go its skirting and what hangs on it."""
    found: dict[int, int] = {}
    middles: list[tuple[int, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = []
    plane = int(mujoco.mjtGeom.mjGEOM_PLANE)
    solid = [geom for geom in drawn if model.geom_type[geom] != plane]
    for geom in solid:
        turn = data.geom_xmat[geom].reshape(3, 3)
        tall = 2.0 * float(np.abs(turn[2]) @ model.geom_aabb[geom, 3:])
        if model.geom_bodyid[geom] == 0 and tall >= _TALL_M:
            middles.append((len(middles), data.geom_xpos[geom].copy(), turn.copy(), model.geom_aabb[geom, 3:].copy()))
            found[geom] = len(middles) - 1
    for geom in solid:
        body = int(model.geom_bodyid[geom])
        flat = body == 0 or model.body(body).name.startswith("decor")
        if geom in found or model.body_weldid[body] or not flat:
            continue
        for number, middle, turn, half in middles:
            if bool((np.abs((data.geom_xpos[geom] - middle) @ turn) <= half + _ATTACHED_M).all()):
                found[geom] = number
                break
    return found


def _has_body(model: mujoco.MjModel, name: str) -> bool:
    return mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name) >= 0


def _short(values: NDArray[Any], digits: int = 5) -> list[float]:
    return [round(float(v), digits) for v in values]
