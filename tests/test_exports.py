"""What is exported is what was recorded, as the readers of each format find it; an export is whole or not there."""

import base64
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from recorded_run import recorded_episode, recorded_run

from agent.cli import main
from agent.commands.outcome import Exit
from agent.episodes import Kind
from agent.export.finish import finalise_later
from agent.export.lerobot_dataset import export_lerobot
from agent.export.mcap_file import export_mcap
from agent.export.npz_file import export_npz
from agent.viewer.motion import METRES_PER_STEP, motion_of
from agent.viewer.scene import describe_scene, load_model


def test_numpy_finds_the_steps(tmp_path: Path) -> None:
    episode = recorded_episode()
    export_npz(episode, tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as found:
        assert json.loads(str(found["about"]))["header"]["task"] == "pick-mug"
        names = found["names_observation_state"].tolist()
        for number in (0, 300, len(episode) - 1):
            observation = episode.step(number).observation
            row = found["observation_state"][number]
            np.testing.assert_array_equal(row[:11], observation.joint_position.astype(np.float32))
            assert row[names.index("tool.x")] == np.float32(observation.tool_pose_in_base[0])
            assert found["time_s"][number] == observation.time_s
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]


def test_mcap_is_read_back(tmp_path: Path) -> None:
    episode = recorded_episode()
    export_mcap(episode, tmp_path / "out.mcap")
    found: dict[str, list[dict]] = {}
    with (tmp_path / "out.mcap").open("rb") as file:
        opened = make_reader(file)
        for schema, channel, message in opened.iter_messages():
            found.setdefault(channel.topic, []).append(json.loads(message.data))
            assert schema is not None
            assert (schema.encoding, channel.message_encoding) == ("jsonschema", "json")
        summary = opened.get_summary()
        assert summary is not None
        schemas = {schema.name for schema in summary.schemas.values()}
    assert {"foxglove.SceneUpdate", "foxglove.FrameTransforms", "foxglove.Log", "foxglove.RawImage"} <= schemas
    assert len(found["/step"]) == len(episode)
    step = episode.step(400)
    assert found["/step"][400]["joints"]["lift"] == step.observation.joint_position[0]
    (scene,) = found["/scene"]
    frames = {t["child_frame_id"] for message in found["/tf"] for t in message["transforms"]}
    assert {entity["frame_id"] for entity in scene["entities"]} <= {"world", *frames}
    picture = found["/touch"][0]
    assert len(base64.b64decode(picture["data"])) == picture["width"] * picture["height"] == 17 * 12
    assert _last_hand(found["/tf"]) == pytest.approx(_true_hand(), abs=METRES_PER_STEP)


def test_a_run_is_finalised_when_nobody_waits(tmp_path: Path) -> None:
    """By a process of its own, beside the log; where that cannot be written, nothing is left."""
    shutil.copytree(recorded_run(), tmp_path / "sound")
    (tmp_path / "broken").mkdir()
    for name, expected in (("sound", True), ("broken", False)):
        log = tmp_path / name / "log-000.dop"
        before = log.read_bytes() if log.exists() else b""
        _, status = os.waitpid(finalise_later(tmp_path / name), 0)
        assert status == 0
        assert (tmp_path / name / "episode.mcap").exists() == expected
        assert not list(tmp_path.glob("*/*.part"))
        assert (log.read_bytes() if log.exists() else b"") == before


def _last_hand(messages: list[dict]) -> list[float]:
    moved = [t for message in messages for t in message["transforms"] if t["child_frame_id"] == "hand"]
    return list(moved[-1]["translation"].values())


def _true_hand() -> list[float]:
    episode = recorded_episode()
    data = episode.model_bytes()
    assert data is not None
    model = load_model(data)
    scene, bodies = describe_scene(model)
    motion = motion_of(episode, model, bodies)
    return (motion.position[-1, scene["bodies"].index("hand")] * METRES_PER_STEP).tolist()


def test_a_lerobot_dataset_has_all_frames(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra lerobot")
    episode = recorded_episode()
    export_lerobot([episode, episode], tmp_path / "set")
    info = json.loads((tmp_path / "set/meta/info.json").read_text())
    assert (info["codebase_version"], info["total_frames"]) == ("v3.0", 2 * len(episode))
    table = parquet.read_table(tmp_path / "set/data/chunk-000/file-000.parquet")
    assert table.column("index").to_pylist() == list(range(2 * len(episode)))
    row = np.array(table.column("action")[len(episode) + 400].as_py(), np.float32)
    np.testing.assert_array_equal(row[:6], episode.step(400).action.tool_twist_in_base[0].astype(np.float32))
    assert set(info["features"]) == set(table.column_names)
    with pytest.raises(FileExistsError, match="not empty"):
        export_lerobot([episode], tmp_path / "set")


def test_an_export_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", fail)
    out = tmp_path / "out.npz"
    assert main(["replay", str(recorded_run()), "--export", "npz", "--out", str(out)]) == Exit.USAGE
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--export", "npz"], "needs --out"),
        (["--export", "npz", "--out", "x.zip"], "writes .npz files, not '.zip'"),
        (["--export", "tar", "--out", "x"], "known: lerobot, mcap, npz, rerun"),
        (["--report", "x.pdf"], "writes .html files"),
        (["--with", "other"], "--view or --report"),
        (["--set", "mug.mass=1"], "--fork STEP"),
        (["--fork", "100000"], "has steps 0 to"),
        (["--fork-sweep", "3"], "comes out the same"),
    ],
)
def test_wrong_wishes_end_with_a_sentence(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["replay", str(recorded_run()), *options])
    except SystemExit as ended:  # argparse's own
        code = ended.code
    assert code == Exit.USAGE
    assert words in capsys.readouterr().err.replace("\n", " ")


def test_what_was_recorded_is_all_there() -> None:
    """Each kind of record a run in a simulator makes, at its rate."""
    episode = recorded_episode()
    ticks = len(episode) - 1
    assert len(episode.all_of(Kind.CONTROL)) == len(episode.all_of(Kind.TOUCH)) == ticks
    assert abs(len(episode.all_of(Kind.POSES)) - ticks / 4) < 3
    assert abs(len(episode.all_of(Kind.KEYFRAME)) - ticks / 100) < 2
    assert len(episode.all_of(Kind.MODEL)) == len(episode.all_of(Kind.SOURCE)) == 1
    assert len(episode.all_of(Kind.BELIEF)) > 5
    latencies = np.concatenate([t.latency_ms for _, t in episode.records(Kind.TIMING)])
    assert len(latencies) == len(episode)
    felt = next(touch for _, touch in episode.records(Kind.TOUCH)).felt
    assert felt.shape == (5, 12)
    keyframe = next(episode.keyframes())
    assert keyframe.state is not None
    assert len(keyframe.state) > 3 * len(keyframe.qpos)
    assert episode.header.model
