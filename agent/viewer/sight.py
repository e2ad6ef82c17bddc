"""What the camera and the scanner saw, put into the world so that it can be laid over the truth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episodes import Episode, Kind
from agent.messages import Look, Scan, Step
from agent.viewer.arrays import Arrays
from agent.viewer.motion import Motion, base_at

_SCAN_EVERY = 2
"""Of the rays."""
_FAR_M = 12.0


class Sight:
    """Takes in the steps of an episode one by one and keeps what was seen."""

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._scans: list[Scan] = []

    def take(self, step: Step) -> None:
        """The next step."""
        if step.observation.look is not None:
            self._looks.append(step.observation.look)
        if step.observation.scan is not None:
            self._scans.append(step.observation.scan)

    def finish(self, episode: Episode, motion: Motion, arrays: Arrays) -> dict[str, Any]:
        """Add everything to the page's arrays; returns the names of classes and of believed things."""
        classes = self._add_looks(motion, arrays)
        self._add_scans(motion, arrays)
        return {"classes": classes, "believed": _add_beliefs(episode, motion, arrays)}

    def _add_looks(self, motion: Motion, arrays: Arrays) -> list[str]:
        times = np.array([look.time_s for look in self._looks])
        bases = base_at(motion, times)
        classes: dict[str, int] = {}
        numbers, first = [], [0]
        camera = np.zeros((len(times), 9), np.float32)
        for row, look in enumerate(self._looks):
            for seen in look.detections:
                x, y = _in_world(bases[row], seen.position_in_base_m)
                number = classes.setdefault(seen.class_name, len(classes))
                state = -1.0 if seen.state is None else seen.state
                numbers.append((x, y, seen.position_in_base_m[2], seen.position_std_m, number, seen.score, state))
            first.append(len(numbers))
            x, y = _in_world(bases[row], look.camera_pose_in_base[:3].tolist())
            turn = _turned(bases[row, 2], look.camera_pose_in_base[3:])
            camera[row] = (x, y, look.camera_pose_in_base[2], *turn, *look.field_of_view_rad)
        arrays.add("look_time", times.astype(np.float32))
        arrays.add("look_first", np.array(first, np.int32))
        arrays.add("look_camera", camera)
        arrays.add("seen", np.array(numbers, np.float32).reshape(-1, 7))
        return list(classes)

    def _add_scans(self, motion: Motion, arrays: Arrays) -> None:
        if not self._scans:
            return
        times = np.array([scan.time_s for scan in self._scans])
        rays = len(self._scans[0].ranges_m[::_SCAN_EVERY])
        ranges = np.zeros((len(times), rays), np.uint16)
        for row, scan in enumerate(self._scans):
            metres = np.nan_to_num(scan.ranges_m[::_SCAN_EVERY], posinf=0.0)
            ranges[row, : len(metres)] = (1e3 * np.clip(metres, 0.0, _FAR_M)).astype(np.uint16)
        first = self._scans[0]
        arrays.add("scan_time", times.astype(np.float32))
        arrays.add("scan_base", base_at(motion, times).astype(np.float32))
        arrays.add("scan_mm", ranges, first_rad=first.first_angle_rad, step_rad=first.step_rad * _SCAN_EVERY)


def _in_world(base: NDArray[np.float64], point: Any) -> tuple[float, float]:
    x, y, yaw = base.tolist()
    c, s = np.cos(yaw), np.sin(yaw)
    return x + c * point[0] - s * point[1], y + s * point[0] + c * point[1]


def _turned(yaw: float, quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """A quaternion wxyz of the base frame in the world's."""
    c, s = np.cos(yaw / 2), np.sin(yaw / 2)
    w, x, y, z = quaternion.tolist()
    return np.array([c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w])


def _add_beliefs(episode: Episode, motion: Motion, arrays: Arrays) -> list[dict[str, str]]:
    """Believed things in the world's frame; the map's frame is where the base was at the start."""
    start = motion.base[0].astype(np.float64) if len(motion.base) else np.zeros(3)
    names: dict[str, int] = {}
    about: list[dict[str, str]] = []
    times, first, rows, bases, held = [], [0], [], [], []
    for place, view in episode.records(Kind.BELIEF):
        times.append(place.time_s)
        x, y = _in_world(start, view.base_pose_in_map)
        bases.append((x, y, start[2] + view.base_pose_in_map[2]))
        for thing in view.things:
            if thing.id not in names:
                names[thing.id] = len(names)
                about.append({"id": thing.id, "class": thing.class_name})
            x, y = _in_world(start, thing.position_in_map_m)
            state = -1.0 if thing.state is None else thing.state
            size = thing.size_m or (0.0, 0.0, 0.0)
            yaw = start[2] + thing.yaw_rad
            rows.append((x, y, thing.position_in_map_m[2], thing.std_m, names[thing.id], state, yaw, *size))
        first.append(len(rows))
        held.append(names.get(view.held, -1))
    arrays.add("belief_time", np.array(times, np.float32))
    arrays.add("belief_first", np.array(first, np.int32))
    arrays.add("belief_base", np.array(bases, np.float32).reshape(-1, 3))
    arrays.add("belief_held", np.array(held, np.int32))
    arrays.add("believed", np.array(rows, np.float32).reshape(-1, 10))
    return about
