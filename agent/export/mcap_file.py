"""MCAP, as Foxglove opens it: the scene, all poses, what was felt, asked and done, plans and events."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from agent.episodes import Episode, Kind
from agent.export import foxglove
from agent.messages import JOINT_NAMES, Step
from agent.viewer.curves import TOUCH_EVERY
from agent.viewer.motion import METRES_PER_STEP, motion_of
from agent.viewer.scene import describe_scene, load_model
from agent.viewer.story import event_in_words, in_words

if TYPE_CHECKING:
    from mcap.writer import Writer

_LEVEL = {"failed": foxglove.WARNING, "rejected": foxglove.WARNING}
_BAD = frozenset({"broke", "dropped", "spilled", "mode-fault", "deadline-missed"})


def export_mcap(episode: Episode, out: Path, on_step: Callable[[int, int], None] = lambda done, total: None) -> str:
    """Write `out`; returns what is in it, in words.

    Messages are JSON with schemas. Times are the episode's from the wall clock at its start on. Raises OSError, after
    which nothing is left of it.
    """
    from mcap.writer import Writer

    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            writer = Writer(file)
            writer.start(profile="", library="doppio")
            mill = _Mill(writer, int(datetime.fromisoformat(episode.header.started).timestamp() * foxglove.NANOSECONDS))
            about = {"header": msgspec.to_builtins(episode.header), "summary": episode.summary}
            writer.add_metadata("doppio", {key: json.dumps(value) for key, value in about.items()})
            mill.scene(episode)
            for number, step in enumerate(episode.steps()):
                mill.step(step, number)
                on_step(number, len(episode))
            mill.story(episode)
            writer.finish()
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.replace(out)
    return f"{mill.count} messages in {len(mill.topics)} topics"


class _Mill:
    """Puts messages of all topics into one writer."""

    def __init__(self, writer: "Writer", start_ns: int) -> None:
        self._writer, self._start_ns = writer, start_ns
        self.topics: dict[str, int] = {}
        self.count = 0

    def put(self, topic: str, time_s: float, content: dict[str, Any], schema: str = "") -> None:
        """One message; `schema` names a type of Foxglove's."""
        channel = self.topics.get(topic)
        if channel is None:
            known = foxglove.SCHEMAS.get(schema)
            name = schema if known is not None else f"doppio{topic.replace('/', '.')}"
            data = json.dumps(known if known is not None else foxglove.schema_of(content)).encode()
            schema_id = self._writer.register_schema(name=name, encoding="jsonschema", data=data)
            channel = self._writer.register_channel(topic=topic, message_encoding="json", schema_id=schema_id)
            self.topics[topic] = channel
        at = self.at(time_s)
        data = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
        self._writer.add_message(channel_id=channel, log_time=at, data=data, publish_time=at, sequence=self.count)
        self.count += 1

    def at(self, time_s: float) -> int:
        return self._start_ns + round(time_s * foxglove.NANOSECONDS)

    def stamp(self, time_s: float) -> dict[str, int]:
        return foxglove.stamp(self.at(time_s))

    def scene(self, episode: Episode) -> None:
        """The house once, and where everything moved."""
        data = episode.model_bytes()
        if data is None:
            return
        model = load_model(data)
        scene, bodies = describe_scene(model)
        names, now = scene["bodies"], self.stamp(0.0)
        entities = [
            foxglove.entity(group, "world" if group["body"] < 0 else names[group["body"]], now)
            for group in scene["groups"]
        ]
        self.put("/scene", 0.0, {"deletions": [], "entities": entities}, "foxglove.SceneUpdate")
        motion = motion_of(episode, model, bodies)
        position = motion.position * METRES_PER_STEP
        turn = motion.turn / 32_767.0
        for row, time_s in enumerate(motion.time_s.tolist()):
            changed = range(len(names)) if row % 25 == 0 else _moved(motion.position, motion.turn, row)
            stamp = self.stamp(time_s)
            transforms = [
                {
                    "timestamp": stamp,
                    "parent_frame_id": "world",
                    "child_frame_id": names[body],
                    "translation": foxglove.vector(position[row, body]),
                    "rotation": foxglove.quaternion(turn[row, body]),
                }
                for body in changed
            ]
            self.put("/tf", time_s, {"transforms": transforms}, "foxglove.FrameTransforms")

    def step(self, step: Step, number: int) -> None:
        """One tick."""
        observation, action, applied = step.observation, step.action, step.observation.applied
        now = observation.time_s
        content = {
            "joints": dict(zip(JOINT_NAMES, observation.joint_position.tolist(), strict=True)),
            "tool_in_base": foxglove.vector(observation.tool_pose_in_base[:3]),
            "wrist_force_n": foxglove.vector(observation.wrist_wrench_in_tool[:3]),
            "grip_force_n": observation.grip_force_n,
            "asked": _motion(action.tool_twist_in_base[0], action.base_velocity_in_base, action.grip),
            "applied": _motion(applied.tool_twist_in_base, applied.base_velocity_in_base, applied.grip),
            "clamps": [clamp.name for clamp in applied.clamps],
            "mode": applied.mode,
            "slip": applied.slip_reflex,
            "estimate": {k: v for k, v in msgspec.to_builtins(step.estimate).items() if v is not None},
        }
        self.put("/step", now, content)
        if number % TOUCH_EVERY == 0:
            self._touch(observation.pad_touch_n[:, 0, 0], now)
        if observation.look is not None:
            seen = [msgspec.to_builtins(d) for d in observation.look.detections]
            self.put("/seen", now, {"detections": seen})
        if observation.scan is not None:
            scan = observation.scan
            ranges = np.nan_to_num(scan.ranges_m, posinf=0.0).tolist()
            content = {
                "timestamp": self.stamp(now),
                "frame_id": "robot",
                "pose": foxglove.NOWHERE,
                "start_angle": scan.first_angle_rad,
                "end_angle": scan.first_angle_rad + scan.step_rad * (len(ranges) - 1),
                "ranges": ranges,
                "intensities": [],
            }
            self.put("/scan", now, content, "foxglove.LaserScan")

    def _touch(self, pads_n: Any, now: float) -> None:
        bright = (255 * np.sqrt(np.clip(pads_n.astype(np.float64) / 4.0, 0.0, 1.0))).astype(np.uint8)
        picture = np.concatenate([bright[0], np.zeros((bright.shape[1], 1), np.uint8), bright[1]], axis=1)
        content = {
            "timestamp": self.stamp(now),
            "frame_id": "hand",
            "width": picture.shape[1],
            "height": picture.shape[0],
            "encoding": "mono8",
            "step": picture.shape[1],
            "data": base64.b64encode(picture.tobytes()).decode(),
        }
        self.put("/touch", now, content, "foxglove.RawImage")

    def story(self, episode: Episode) -> None:
        """What has a time of its own: plans, subgoals, reports, beliefs, events."""
        kinds = {
            Kind.PLAN: "/plan",
            Kind.PLAN_REQUEST: "/plan_request",
            Kind.SUBGOAL: "/subgoal",
            Kind.REPORT: "/report",
        }
        for place, record in episode.records(*kinds):
            self.put(kinds[Kind(place.kind)], place.time_s, msgspec.to_builtins(record))
        for place, view in episode.records(Kind.BELIEF):
            things = [
                {"id": t.id, "class": t.class_name, "position": foxglove.vector(t.position_in_map_m), "std_m": t.std_m}
                for t in view.things
            ]
            self.put("/belief", place.time_s, {"held": view.held, "things": things})
        for place, subgoal in episode.records(Kind.SUBGOAL):
            words = in_words(subgoal.kind.value, subgoal.target, subgoal.item)
            self._log(place.time_s, foxglove.INFO, "subgoal", words)
        for report in episode.reports():
            level = _LEVEL.get(report.status, foxglove.INFO)
            self._log(report.time_s, level, "report", f"{report.status} {report.reason}".strip())
        for time_s, event in episode.events():
            level = foxglove.ERROR if event.name in _BAD else foxglove.INFO
            self._log(time_s, level, event.source, event_in_words(event.name, event.detail))

    def _log(self, time_s: float, level: int, name: str, message: str) -> None:
        content = {
            "timestamp": self.stamp(time_s),
            "level": level,
            "message": message,
            "name": name,
            "file": "",
            "line": 0,
        }
        self.put("/log", time_s, content, "foxglove.Log")


def _motion(twist: Any, base: Any, grip: float) -> dict[str, Any]:
    return {
        "tool_m_s": foxglove.vector(twist[:3]),
        "tool_rad_s": foxglove.vector(twist[3:]),
        "base": foxglove.vector(base),
        "grip": grip,
    }


def _moved(position: Any, turn: Any, row: int) -> list[int]:
    still = (position[row] == position[row - 1]).all(axis=1) & (turn[row] == turn[row - 1]).all(axis=1)
    return np.flatnonzero(~still).tolist()
