"""Pictures of a running simulation, rendered off the screen: over the robot's shoulder, from its head, from above.

Nothing here touches the simulation: a Film keeps its own copy of the model, in which it fades walls and furniture that
stand between camera and robot. Shadows and multisampling are off, for they cost 300 ms a frame where OpenGL runs on
the processor.
"""

import os
import platform
from collections.abc import Callable
from math import cos, degrees, pi, radians, sin
from typing import Any, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.sight.rays import Rays

View = Literal["follow", "head", "above"]
VIEWS: tuple[View, ...] = ("follow", "head", "above")

Array = NDArray[np.float64]

_MAX_GEOMS = 12_000
_FIELD_OF_VIEW_DEG = 45.0
_SLICES = (18, 8)
"""Facets around and along round things; MuJoCo's 28 and 16 take a third longer."""
_FOLLOW_DISTANCE_M = 2.7
_FOLLOW_ELEVATION_DEG = -33.0
_ABOVE_DISTANCE_M = 6.0
_ABOVE_ELEVATION_DEG = -62.0
_SIDE_RAD = radians(42.0)
"""The camera looks past the robot's right shoulder, at this angle to where the robot faces: the mast is on its left."""
_ANGLES = 16
_TURN_RAD_S = 0.9
_LOOK_AT_RATE_HZ = 2.5
_WORTH_TURNING = 0.30
_PASSES = 4
"""Layers of things in front of the robot that are faded."""
_BEFORE_M = 0.35
_FADED_ALPHA = 0.10
_FADE_PER_S = 4.0
_ATTACHED_M = 0.12
"""What lies this near to a faded wall, a picture or a skirting, fades with it."""

# Groups in the Film's own model. MuJoCo's rays and drawing both select geoms by group.
_SCENE, _FADED, _ROBOT, _HIDDEN = 0, 1, 2, 5


def opengl_status() -> tuple[bool, str]:
    """Whether pictures can be rendered here, and by what, or why not."""
    try:
        context, name = _open_context(64, 64)
    except GraphicsError as error:
        return False, str(error)
    context.free()
    return True, name


class GraphicsError(RuntimeError):
    """No OpenGL here; the message says why."""


class Film:
    """Renders frames of one model, whose geoms may change colour, place and size meanwhile.

    Raises GraphicsError where there is no OpenGL. Close it, or use it in `with`.
    """

    def __init__(self, model: mujoco.MjModel, width: int = 640, height: int = 480) -> None:
        self.width, self.height = width, height
        self._rays = Rays(model)
        self._source, self._model = model, self._rays.model
        own = self._model
        own.vis.global_.offwidth, own.vis.global_.offheight = width, height
        own.vis.global_.fovy = _FIELD_OF_VIEW_DEG
        own.vis.quality.shadowsize = own.vis.quality.offsamples = 0
        own.vis.quality.numslices, own.vis.quality.numstacks = _SLICES
        self._context, _ = _open_context(width, height)
        self._context.make_current()
        self._renderer = mujoco.MjrContext(own, int(mujoco.mjtFontScale.mjFONTSCALE_100))
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._renderer)
        self._scene = mujoco.MjvScene(own, maxgeom=_MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 1
        self._option.geomgroup[_HIDDEN] = 0
        self._option.sitegroup[:] = 0
        self._viewpoint = _Viewpoint(self._rays)
        self._faded = _Fading(self._rays)
        self._last: tuple[float, View | None] = 0.0, None

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the graphics memory back; the Film cannot be used afterwards."""
        self._renderer.free()
        self._context.free()

    def frame(self, data: mujoco.MjData, view: View = "follow") -> NDArray[np.uint8]:
        """(height, width, 3) picture of `data` as it is now; frames follow each other in time."""
        if view not in VIEWS:
            raise ValueError(f"unknown view {view!r}; known: {', '.join(VIEWS)}")
        own, source = self._model, self._source
        time_s, last_view = self._last
        passed_s = data.time - time_s if view == last_view else None
        if passed_s is not None and not 0.0 <= passed_s < 1.0:
            passed_s = None  # a jump in time: no smoothing across it
        self._last = data.time, view
        own.geom_pos[:], own.geom_size[:] = source.geom_pos, source.geom_size
        colours = np.where(self._faded.plain[:, None], own.mat_rgba[own.geom_matid], source.geom_rgba)
        camera = mujoco.MjvCamera()
        if view == "head":
            camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, own.camera("head_camera").id
        else:
            self._viewpoint.place(camera, data, passed_s, view == "above")
            targets = self._viewpoint.targets(data)
            colours[:, 3] *= self._faded.update(data, camera, targets, passed_s)
        own.geom_rgba[:] = colours
        self._context.make_current()
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(own, data, self._option, None, camera, everything, self._scene)
        if view == "head":
            self._faded.show_all()
        area = mujoco.MjrRect(0, 0, self.width, self.height)
        mujoco.mjr_render(area, self._scene, self._renderer)
        picture = np.empty((self.height, self.width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, area, self._renderer)
        return picture[::-1].copy()


class _Viewpoint:
    """Where the third-person camera is: past the robot's shoulder, from the side with the freest view."""

    def __init__(self, rays: Rays) -> None:
        self._rays, model = rays, rays.model
        self._base = int(model.jnt_bodyid[model.joint("base_yaw").id])
        self._points = [model.body(name).id for name in ("robot", "hand", "head_tilt", "arm_4")]
        self._groups = np.zeros(6, dtype=np.uint8)
        self._groups[[_SCENE, _FADED]] = 1
        self._look_at: Array | None = None
        self._azimuth = self._goal = 0.0

    def place(self, camera: mujoco.MjvCamera, data: mujoco.MjData, passed_s: float | None, above: bool) -> None:
        turn, at = data.xmat[self._base].reshape(3, 3), data.xpos[self._base]
        look_at = at + turn @ np.array([0.35, 0.0, 0.85])
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        if above:
            camera.lookat[:] = look_at
            camera.distance, camera.elevation, camera.azimuth = _ABOVE_DISTANCE_M, _ABOVE_ELEVATION_DEG, 90.0
            return
        scores = self._scores(data, look_at, float(np.arctan2(turn[1, 0], turn[0, 0])))
        best = 2.0 * pi / _ANGLES * int(np.argmax(scores))
        now = round(self._goal / (2.0 * pi / _ANGLES)) % _ANGLES
        if self._look_at is None or passed_s is None:
            self._look_at, self._azimuth, self._goal = look_at, best, best
        else:
            if scores.max() > scores[now] + _WORTH_TURNING:
                self._goal = best
            self._look_at += (1.0 - np.exp(-passed_s * _LOOK_AT_RATE_HZ)) * (look_at - self._look_at)
            off = (self._goal - self._azimuth + pi) % (2.0 * pi) - pi
            self._azimuth += float(np.clip(off * passed_s * 2.0, -_TURN_RAD_S * passed_s, _TURN_RAD_S * passed_s))
        camera.lookat[:] = self._look_at
        camera.distance, camera.elevation = _FOLLOW_DISTANCE_M, _FOLLOW_ELEVATION_DEG
        camera.azimuth = degrees(self._azimuth)

    def _scores(self, data: mujoco.MjData, look_at: Array, yaw: float) -> Array:
        """(_ANGLES,) of each azimuth: how far one sees from the robot toward the camera, and whether the hand shows."""
        azimuths = 2.0 * pi / _ANGLES * np.arange(_ANGLES)
        toward = -np.stack([_direction(a, radians(_FOLLOW_ELEVATION_DEG)) for a in azimuths])
        far = _FOLLOW_DISTANCE_M
        hit, reach = self._rays.cast(data, look_at, toward, far, groups=self._groups)
        free = np.where(hit < 0, 1.0, np.clip(reach / far, 0.0, 1.0))
        return free + 0.8 * np.cos(azimuths - yaw - _SIDE_RAD)

    def targets(self, data: mujoco.MjData) -> Array:
        """(n, 3) points of and around the robot that should be seen."""
        turn, at = data.xmat[self._base].reshape(3, 3), data.xpos[self._base]
        body = data.xpos[self._points] + np.array([0.0, 0.0, 0.05])
        return np.concatenate([body, at + _AROUND @ turn.T])


class _Fading:
    """Fades what stands between the camera and the robot."""

    def __init__(self, rays: Rays) -> None:
        self._rays, self._model = rays, rays.model
        model = rays.model
        drawn = model.geom_group < 3
        robot = model.body_rootid[model.geom_bodyid] == model.body_rootid[model.body("robot").id]
        self._groups = np.where(~drawn, _HIDDEN, np.where(robot, _ROBOT, _SCENE))
        model.geom_group[:] = self._groups
        self.plain = (model.geom_matid >= 0) & (model.geom_rgba == np.array([0.5, 0.5, 0.5, 1.0], np.float32)).all(1)
        """Geoms whose colour is their material's."""
        free = np.zeros(model.nbody, dtype=bool)
        free[model.jnt_bodyid[model.jnt_type == mujoco.mjtJoint.mjJNT_FREE]] = True
        self._stays = free[model.body_rootid[model.geom_bodyid]] | robot
        self._stays |= model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
        self._alpha = np.ones(model.ngeom)
        self._ray_groups = np.zeros(6, dtype=np.uint8)
        self._ray_groups[_SCENE] = 1
        self._together: dict[int, NDArray[np.intp]] = {}

    def show_all(self) -> None:
        self._model.geom_group[:] = self._groups

    def update(self, data: mujoco.MjData, camera: mujoco.MjvCamera, targets: Array, passed_s: float | None) -> Array:
        """(ngeom,) factor of each geom's alpha."""
        model = self._model
        forward = _direction(radians(camera.azimuth), radians(camera.elevation))
        eye = np.array(camera.lookat) - camera.distance * forward
        model.geom_group[:] = self._groups
        rays = targets - eye
        length = np.linalg.norm(rays, axis=1)
        direction = rays / length[:, None]
        # Only what is nearer to the camera than the robot is in the way: not the counter it works at.
        limit = np.minimum(length, (camera.distance - _BEFORE_M) / (direction @ forward))
        for _ in range(_PASSES):
            hit, reach = self._rays.cast(data, eye, direction, float(length.max()), groups=self._ray_groups)
            blocking = np.unique(hit[(hit >= 0) & (reach < limit)])
            blocking = blocking[~self._stays[blocking]]
            if not len(blocking):
                break
            for geom in blocking.tolist():
                model.geom_group[self._goes_with(data, geom)] = _FADED
        goal = np.where(model.geom_group == _FADED, _FADED_ALPHA, 1.0)
        step = 1.0 if passed_s is None else _FADE_PER_S * passed_s
        self._alpha += np.clip(goal - self._alpha, -step, step)
        return self._alpha

    def _goes_with(self, data: mujoco.MjData, geom: int) -> NDArray[np.intp]:
        """The geoms that fade together with this one: its piece of furniture, or what hangs on its wall."""
        if geom not in self._together:
            model = self._model
            body = int(model.geom_bodyid[geom])
            turn = data.geom_xmat[geom].reshape(3, 3)
            if body != 0 and 2.0 * float(np.abs(turn[2]) @ model.geom_aabb[geom, 3:]) < 1.9:
                group = np.flatnonzero(model.body_rootid[model.geom_bodyid] == model.body_rootid[body])
            else:
                offset = np.abs((data.geom_xpos - data.geom_xpos[geom]) @ turn)
                near = (offset <= model.geom_aabb[geom, 3:] + _ATTACHED_M).all(1)
                group = np.flatnonzero(near & (model.body_weldid[model.geom_bodyid] == 0))
                group = np.union1d(group, [geom])
            self._together[geom] = group[(self._groups[group] == _SCENE) & ~self._stays[group]]
        return self._together[geom]


_AROUND = np.array(
    [(x, y, z) for z in (0.35, 1.0) for x, y in ((0.8, 0.0), (0.5, 0.5), (0.5, -0.5), (-0.3, 0.4), (-0.3, -0.4))]
)
"""Points of the robot's base frame that the film should show."""


def _direction(azimuth_rad: float, elevation_rad: float) -> Array:
    """Where a free camera of MuJoCo looks."""
    flat = cos(elevation_rad)
    return np.array([flat * cos(azimuth_rad), flat * sin(azimuth_rad), sin(elevation_rad)])


def _open_context(width: int, height: int) -> tuple[Any, str]:
    """An OpenGL context without a window and the name of its kind. Raises GraphicsError with the reasons.

    MUJOCO_GL chooses the kind; without it EGL comes first on Linux, for it needs no display.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower()
    if asked in {"disable", "disabled", "off", "false", "0"}:
        raise GraphicsError(f"MUJOCO_GL={asked} switches rendering off")
    reasons = []
    for name in [asked] if asked in _MAKERS else _DEFAULTS.get(platform.system(), ("glfw",)):
        try:
            context = _MAKERS[name](width, height)
            context.make_current()
        except Exception as error:  # drivers and loaders fail in many ways, all of them mean: not this kind
            reasons.append(f"{name}: {error or type(error).__name__}")
        else:
            if name == "egl" and "DISPLAY" not in os.environ:
                # For child processes, and only where it works: without EGL `import mujoco` would fail there.
                os.environ.setdefault("MUJOCO_GL", "egl")
            return context, name
    raise GraphicsError(
        f"no OpenGL context ({'; '.join(reasons)}); on Debian `apt install libegl1 libopengl0` provides EGL"
    )


def _egl(width: int, height: int) -> Any:
    from mujoco.egl import GLContext

    return GLContext(width, height)


def _glfw(width: int, height: int) -> Any:
    # GLFW itself only warns, and seems to work until something is drawn.
    if platform.system() == "Linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        raise GraphicsError("there is no display")
    from mujoco.glfw import GLContext

    return GLContext(width, height)


def _osmesa(width: int, height: int) -> Any:
    from mujoco.osmesa import GLContext

    return GLContext(width, height)


def _cgl(width: int, height: int) -> Any:
    from mujoco.cgl import GLContext

    return GLContext(width, height)


_MAKERS: dict[str, Callable[[int, int], Any]] = {"egl": _egl, "glfw": _glfw, "osmesa": _osmesa, "cgl": _cgl}
_DEFAULTS = {"Linux": ("egl", "glfw"), "Darwin": ("cgl", "glfw")}
