"""Rerun: an .rrd with the scene, all poses and the curves. Needs the extra `rerun` (`pip install -e '.[rerun]'`)."""

from pathlib import Path
from typing import Any

import numpy as np

from agent.episodes import Episode, Kind
from agent.export.table import read_table
from agent.viewer.motion import METRES_PER_STEP, motion_of
from agent.viewer.scene import describe_scene, load_model
from agent.viewer.story import event_in_words, in_words

_CURVES = ("observation.wrench", "action", "applied")
_EXPECTED = (
    *("surprise", "success_probability", "time_to_go_s", "contact_probability", "slip_probability"),
    *("force_n", "disagreement"),
)
"""Of what the mind thought of itself."""


def export_rerun(episode: Episode, out: Path) -> str:
    """Write `out`; returns what is in it, in words. Raises ModuleNotFoundError without rerun-sdk, OSError."""
    import rerun as rr  # pyright: ignore[reportMissingImports]

    table = read_table(episode)
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    with rr.RecordingStream("doppio", recording_id=episode.directory.name) as stream:
        stream.save(str(part), default_blueprint=_layout())
        bodies = _log_scene(rr, stream, episode)
        for name in _CURVES:
            column = table.columns[name]
            for i, label in enumerate(column.names):
                stream.send_columns(
                    f"curves/{name}/{label}",
                    [rr.TimeColumn("time", duration=table.time_s)],
                    rr.Scalars.columns(scalars=column.values[:, i].astype(np.float64)),
                )
        _log_expected(rr, stream, episode)
        _log_story(rr, stream, episode)
        stream.flush()
    part.replace(out)
    return f"{len(table.time_s)} steps, {bodies} moving bodies"


def _layout() -> Any:
    """The scene at the left, curves and log at the right: left to itself, Rerun shows each curve alone."""
    import rerun.blueprint as rrb  # pyright: ignore[reportMissingImports]

    curves = [rrb.TimeSeriesView(origin=f"curves/{name}", name=name) for name in ("expected", *_CURVES)]
    side = rrb.Vertical(*curves, rrb.TextLogView(origin="log", name="log"))
    return rrb.Blueprint(rrb.Horizontal(rrb.Spatial3DView(origin="world", name="world"), side, column_shares=[3, 2]))


def _log_expected(rr: Any, stream: Any, episode: Episode) -> None:
    """Where the policy predicted something."""
    estimates = [(step.observation.time_s, step.estimate) for step in episode.steps()]
    for name in _EXPECTED:
        known = [(t, value) for t, estimate in estimates if (value := getattr(estimate, name)) is not None]
        if known:
            times_s, values = np.array(known).T
            times = [rr.TimeColumn("time", duration=times_s)]
            stream.send_columns(f"curves/expected/{name}", times, rr.Scalars.columns(scalars=values))


def _log_scene(rr: Any, stream: Any, episode: Episode) -> int:
    data = episode.model_bytes()
    if data is None:
        return 0
    model = load_model(data)
    scene, bodies = describe_scene(model)
    stream.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    for group in scene["groups"]:
        moves = group["body"] >= 0
        path = f"world/{scene['bodies'][group['body']]}" if moves else f"world/{group['name'].replace(' ', '_')}"
        _log_shapes(rr, stream, path, group["shapes"])
    motion = motion_of(episode, model, bodies)
    times = [rr.TimeColumn("time", duration=motion.time_s.astype(np.float64))]
    for number, name in enumerate(scene["bodies"]):
        wxyz = motion.turn[:, number] / 32_767.0
        columns = rr.Transform3D.columns(
            translation=motion.position[:, number] * METRES_PER_STEP, quaternion=wxyz[:, [1, 2, 3, 0]]
        )
        stream.send_columns(f"world/{name}", times, columns)
    return len(bodies)


def _log_shapes(rr: Any, stream: Any, path: str, shapes: list[dict[str, Any]]) -> None:
    """Boxes are boxes, what is round are ellipsoids and capsules of the same extent."""
    boxes = [s for s in shapes if s["shape"] == "box"]
    round_ = [s for s in shapes if s["shape"] in ("sphere", "ellipsoid")]
    long = [s for s in shapes if s["shape"] in ("cylinder", "capsule")]
    for name, chosen, make in (
        ("boxes", boxes, lambda c: rr.Boxes3D(half_sizes=[s["size"] for s in c], **_placed(c), fill_mode="solid")),
        (
            "round",
            round_,
            lambda c: rr.Ellipsoids3D(half_sizes=[_radii(s) for s in c], **_placed(c), fill_mode="solid"),
        ),
        (
            "long",
            long,
            lambda c: rr.Cylinders3D(
                lengths=[2 * s["size"][1] for s in c], radii=[s["size"][0] for s in c], **_placed(c), fill_mode="solid"
            ),
        ),
    ):
        if chosen:
            stream.log(f"{path}/{name}", make(chosen), static=True)


def _radii(shape: dict[str, Any]) -> list[float]:
    a, b, c = shape["size"]
    return [a, a, a] if shape["shape"] == "sphere" else [a, b, c]


def _placed(shapes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "centers": [s["at"] for s in shapes],
        "quaternions": [[*s["turn"][1:], s["turn"][0]] for s in shapes],
        "colors": [[round(255 * v) for v in s["rgba"]] for s in shapes],
    }


def _log_story(rr: Any, stream: Any, episode: Episode) -> None:
    for place, subgoal in episode.records(Kind.SUBGOAL):
        stream.set_time("time", duration=place.time_s)
        stream.log("log/subgoals", rr.TextLog(in_words(subgoal.kind.value, subgoal.target, subgoal.item)))
    for time_s, event in episode.events():
        stream.set_time("time", duration=time_s)
        stream.log("log/events", rr.TextLog(event_in_words(event.name, event.detail)))
