"""Messages that Foxglove knows: names and JSON schemas of its own types, and how ours become them."""

from typing import Any

import numpy as np

NANOSECONDS = 1_000_000_000


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_NUMBER, _TEXT, _WHOLE = {"type": "number"}, {"type": "string"}, {"type": "integer"}
_TIME = _object(sec=_WHOLE, nsec=_WHOLE)
_VECTOR = _object(x=_NUMBER, y=_NUMBER, z=_NUMBER)
_QUATERNION = _object(x=_NUMBER, y=_NUMBER, z=_NUMBER, w=_NUMBER)
_POSE = _object(position=_VECTOR, orientation=_QUATERNION)
_COLOUR = _object(r=_NUMBER, g=_NUMBER, b=_NUMBER, a=_NUMBER)
_SHAPE = _object(pose=_POSE, size=_VECTOR, color=_COLOUR)
_CYLINDER = _object(pose=_POSE, size=_VECTOR, bottom_scale=_NUMBER, top_scale=_NUMBER, color=_COLOUR)

SCHEMAS: dict[str, dict[str, Any]] = {
    "foxglove.FrameTransforms": _object(
        transforms=_array(
            _object(
                timestamp=_TIME, parent_frame_id=_TEXT, child_frame_id=_TEXT, translation=_VECTOR, rotation=_QUATERNION
            )
        )
    ),
    "foxglove.SceneUpdate": _object(
        deletions=_array(_object(timestamp=_TIME, type=_WHOLE, id=_TEXT)),
        entities=_array(
            _object(
                timestamp=_TIME,
                frame_id=_TEXT,
                id=_TEXT,
                lifetime=_TIME,
                frame_locked={"type": "boolean"},
                cubes=_array(_SHAPE),
                spheres=_array(_SHAPE),
                cylinders=_array(_CYLINDER),
            )
        ),
    ),
    "foxglove.Log": _object(timestamp=_TIME, level=_WHOLE, message=_TEXT, name=_TEXT, file=_TEXT, line=_WHOLE),
    "foxglove.LaserScan": _object(
        timestamp=_TIME,
        frame_id=_TEXT,
        pose=_POSE,
        start_angle=_NUMBER,
        end_angle=_NUMBER,
        ranges=_array(_NUMBER),
        intensities=_array(_NUMBER),
    ),
    "foxglove.RawImage": _object(
        timestamp=_TIME,
        frame_id=_TEXT,
        width=_WHOLE,
        height=_WHOLE,
        encoding=_TEXT,
        step=_WHOLE,
        data={"type": "string", "contentEncoding": "base64"},
    ),
}
NOWHERE = {"position": {"x": 0.0, "y": 0.0, "z": 0.0}, "orientation": {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}}
INFO, WARNING, ERROR = 2, 3, 4


def stamp(nanoseconds: int) -> dict[str, int]:
    """A moment as Foxglove writes it."""
    return {"sec": nanoseconds // NANOSECONDS, "nsec": nanoseconds % NANOSECONDS}


def vector(values: Any) -> dict[str, float]:
    x, y, z = (float(v) for v in values)
    return {"x": x, "y": y, "z": z}


def quaternion(wxyz: Any) -> dict[str, float]:
    w, x, y, z = (float(v) for v in wxyz)
    return {"x": x, "y": y, "z": z, "w": w}


def entity(group: dict[str, Any], frame: str, now: dict[str, int]) -> dict[str, Any]:
    """A group of agent.viewer.scene as an entity. Planes become thin cubes, capsules cylinders."""
    cubes: list[Any] = []
    spheres: list[Any] = []
    cylinders: list[Any] = []
    for shape in group["shapes"]:
        a, b, c = shape["size"]
        r, g, blue, alpha = shape["rgba"]
        one = {
            "pose": {"position": vector(shape["at"]), "orientation": quaternion(shape["turn"])},
            "color": {"r": r, "g": g, "b": blue, "a": alpha},
        }
        kind = shape["shape"]
        if kind == "box":
            cubes.append({**one, "size": vector((2 * a, 2 * b, 2 * c))})
        elif kind == "plane":
            cubes.append({**one, "size": vector((2 * a or 40.0, 2 * b or 40.0, 0.002))})
        elif kind == "sphere":
            spheres.append({**one, "size": vector((2 * a, 2 * a, 2 * a))})
        elif kind == "ellipsoid":
            spheres.append({**one, "size": vector((2 * a, 2 * b, 2 * c))})
        else:
            high = 2 * b + (2 * a if kind == "capsule" else 0.0)
            cylinders.append({**one, "size": vector((2 * a, 2 * a, high)), "bottom_scale": 1.0, "top_scale": 1.0})
    return {
        "timestamp": now,
        "frame_id": frame,
        "id": group["name"],
        "lifetime": {"sec": 0, "nsec": 0},
        "frame_locked": True,
        "cubes": cubes,
        "spheres": spheres,
        "cylinders": cylinders,
        **{name: [] for name in ("metadata", "arrows", "lines", "triangles", "texts", "models")},
    }


def schema_of(value: Any) -> dict[str, Any]:
    """A JSON schema that a value fits, so that its numbers can be plotted."""
    if isinstance(value, dict):
        return _object(**{key: schema_of(v) for key, v in value.items()})
    if isinstance(value, list):
        return _array(schema_of(value[0]) if value else {})
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float | np.number):
        return _NUMBER
    return _TEXT
