"""Laws of the episode log: what was written is read, a finished step is never lost, damage is named."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.episodes import CodeIdentity, Control, Episode, EpisodeError, EpisodeHeader, EpisodeWriter, Event, Kind
from agent.episodes.frame import (
    FILE_HEADER,
    FRAME_OVERHEAD,
    pack_frame,
    put_back_zero_words,
    read_frame,
)
from agent.episodes.verify import controls_by_tick, verify
from agent.messages import (
    PAD_SHAPE,
    SKIN_PATCHES,
    Action,
    Applied,
    Observation,
    Plan,
    Report,
    Step,
    Subgoal,
    SubgoalKind,
    encode,
)
from agent.scribe.block import Block

HEADER = EpisodeHeader(
    task="coffee",
    split="dev",
    index=7,
    policy="scripted",
    planner="symbolic",
    code=CodeIdentity(sources="0123"),
    versions={"mujoco": "3.17.0"},
    cpu="test",
    command=["doppio", "run", "coffee"],
    started="2026-01-01T00:00:00+00:00",
)


def make_step(sequence: int) -> Step:
    rng = np.random.default_rng(sequence)
    touch = np.zeros((2, 3, 3, *PAD_SHAPE), np.float16)
    touch[:, :, :, 3:6, 2:5] = rng.normal(size=(2, 3, 3, 3, 3))
    observation = Observation(
        sequence=sequence,
        time_s=sequence * 0.01,
        joint_position=rng.normal(size=11),
        joint_velocity=rng.normal(size=11),
        joint_torque=rng.normal(size=11),
        command_lag=rng.normal(size=11),
        tool_pose_in_base=rng.normal(size=7),
        base_pose_in_odom=rng.normal(size=3),
        base_velocity_in_base=rng.normal(size=3),
        wrist_wrench_in_tool=rng.normal(size=6),
        grip_force_n=1.5,
        pad_touch_n=touch,
        skin_touch_n=np.zeros((3, SKIN_PATCHES), np.float16),
        applied=Applied(
            sequence=sequence - 1,
            tool_twist_in_base=np.zeros(6),
            grip_mode="force",
            grip=5.0,
            base_velocity_in_base=np.zeros(3),
            lift_rate_m_s=0.0,
            head_rate_rad_s=np.zeros(2),
        ),
    )
    action = Action(
        sequence=sequence,
        valid_from_s=sequence * 0.01,
        expires_s=sequence * 0.01 + 0.02,
        tool_twist_in_base=rng.normal(size=(1, 6)),
        grip_mode="force",
        grip=5.0,
        base_velocity_in_base=np.zeros(3),
        lift_rate_m_s=0.0,
        head_rate_rad_s=np.zeros(2),
    )
    return Step(observation=observation, subgoal=Subgoal(id=1, kind=SubgoalKind.PICK, target="mug-1"), action=action)


def write_ticks(writer: EpisodeWriter, count: int, first: int = 0) -> None:
    for tick in range(first, first + count):
        state = np.full(20, float(tick))
        writer.control(tick, tick * 0.01, np.full((5, 14), tick + 0.25), state, state)
        writer.step(make_step(tick))


def make_log(directory: Path, ticks: int = 20, together: int = 0) -> Path:
    """A log of ticks, of which each `together` are packed; 0 packs none."""
    directory.mkdir()
    data = FILE_HEADER.pack(b"DOPPIO-LOG", 2, 0) + pack_frame(Kind.HEADER, 0.0, encode(HEADER))
    block = Block()
    for tick in range(ticks):
        control = Control(tick, np.full((5, 14), tick + 0.25), 1, 2)
        frames = pack_frame(Kind.CONTROL, tick * 0.01, encode(control))
        frames += pack_frame(Kind.STEP, tick * 0.01, encode(make_step(tick)))
        block.add(memoryview(frames))
        if not together:
            data += frames
        elif tick % together == together - 1 or tick == ticks - 1:
            data += block.packed()
            block = Block()
    log = directory / "log-000.dop"
    log.write_bytes(data)
    return log


def test_what_was_written_is_read(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, HEADER) as writer:
        write_ticks(writer, 150)
        writer.message(1.5, Report(subgoal_id=1, time_s=1.5, status="failed", reason="lost-grip"))
        writer.message(1.5, Plan(request_id=3, subgoals=[]))
        writer.event(1.5, Event(source="world", name="spilled", value=12.0, bound=10.0))
        writer.finish({"success": False, "spilled_ml": 12.0})
    episode = Episode.open(tmp_path)
    assert episode.header == HEADER
    assert not episode.damage
    assert [encode(s) for s in episode.steps()] == [encode(make_step(i)) for i in range(150)]
    assert encode(episode.step(-1)) == encode(make_step(149))
    assert episode.step_at(0.455) == 46
    controls = list(episode.controls())
    assert [c.tick for c in controls] == list(range(150))
    assert controls[3].ctrl.dtype == np.float64
    np.testing.assert_array_equal(controls[3].ctrl, np.full((5, 14), 3.25))
    assert next(episode.reports()).reason == "lost-grip"
    assert next(episode.plans())[1].request_id == 3
    assert next(episode.events())[1].value == 12.0
    assert episode.summary == {"success": False, "spilled_ml": 12.0}
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes())
    assert report["header"]["index"] == 7
    assert report["summary"] == episode.summary


@given(st.binary(max_size=300), st.lists(st.integers(0, 30), max_size=10))
def test_zero_words_come_back(data: bytes, zero_runs: list[int]) -> None:
    payload = data + b"".join(bytes(n) + data[:9] for n in zero_runs)
    words = np.frombuffer(payload + bytes(-len(payload) % 8), np.uint64)
    kept = len(payload).to_bytes(4, "little") + np.packbits(words != 0).tobytes() + words[words != 0].tobytes()
    assert put_back_zero_words(kept) == payload


@given(st.integers(1, 255), st.floats(allow_nan=False), st.binary(max_size=3000))
def test_frames_come_back_and_no_truncation_passes(kind: int, time_s: float, payload: bytes) -> None:
    data = pack_frame(kind, time_s, payload)
    frame = read_frame(memoryview(data), 0)
    assert not isinstance(frame, str)
    assert (frame.kind, frame.time_s, frame.payload, frame.end) == (kind, time_s, payload, len(data))
    assert isinstance(read_frame(memoryview(data[:-1]), 0), str)


@given(st.data())
def test_no_flipped_bit_passes(data: st.DataObject) -> None:
    frame = bytearray(pack_frame(2, 1.0, bytes(range(256)) * 8))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    assert isinstance(read_frame(memoryview(bytes(frame)), 0), str)


@pytest.mark.parametrize("together", [0, 4])
def test_every_truncation_keeps_all_whole_steps(tmp_path: Path, together: int) -> None:
    log = make_log(tmp_path / "episode", together=together)
    data = log.read_bytes()
    places = Episode.open(log).places
    after = [place.offset for place in places[1:]] + [len(data)]
    ends = [
        next(end for end in after[i:] if end > place.offset)
        for i, place in enumerate(places)
        if place.kind == Kind.STEP
    ]
    first = places[1].offset
    checked = 0
    for size in np.linspace(first, len(data), 60, dtype=int):
        log.write_bytes(data[:size])
        episode = Episode.open(log.parent)
        assert len(episode) == sum(end <= size for end in ends)
        assert [s.observation.sequence for s in episode.steps()] == list(range(len(episode)))
        assert all(d.at_end for d in episode.damage)
        checked += len(episode.damage)
    assert checked > 20


@pytest.mark.parametrize("together", [0, 4])
def test_a_flipped_byte_costs_what_it_is_packed_with_and_is_named(tmp_path: Path, together: int) -> None:
    log = make_log(tmp_path / "episode", together=together)
    place = [p for p in Episode.open(log).places if p.kind == Kind.STEP][5]
    data = bytearray(log.read_bytes())
    data[place.offset + FRAME_OVERHEAD + 40] ^= 0x10
    log.write_bytes(data)
    episode = Episode.open(log.parent)
    lost = range(4, 8) if together else range(5, 6)
    assert [s.observation.sequence for s in episode.steps()] == [i for i in range(20) if i not in lost]
    (damage,) = episode.damage
    assert (damage.offset, damage.at_end) == (place.offset, False)
    assert f"offset {place.offset}" in str(damage)
    assert "checksum" in str(damage)


def test_a_damaged_beginning_is_made_good_by_the_report(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, HEADER) as writer:
        writer.flush()
        time.sleep(0.6)  # longer than the scribe collects
        write_ticks(writer, 20)
        writer.finish({"success": True})
    log = tmp_path / "log-000.dop"
    data = bytearray(log.read_bytes())
    data[FILE_HEADER.size + FRAME_OVERHEAD] ^= 1
    log.write_bytes(data)
    episode = Episode.open(tmp_path)
    assert episode.header == HEADER
    assert (len(episode), len(episode.damage)) == (20, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"DOPPIO", "needs 16 bytes"),
        (b"\x89HDF\r\n" + bytes(100), "is no episode log"),
        (FILE_HEADER.pack(b"DOPPIO-LOG", 9, 0), "format version 9; this program reads 1 to 2"),
        (FILE_HEADER.pack(b"DOPPIO-LOG", 1, 3), "says it is segment 3"),
        (FILE_HEADER.pack(b"DOPPIO-LOG", 1, 0), "no header record"),
    ],
)
def test_unreadable_files_say_what_and_where(tmp_path: Path, content: bytes, message: str) -> None:
    log = tmp_path / "log-000.dop"
    log.write_bytes(content)
    with pytest.raises(EpisodeError, match=message) as caught:
        Episode.open(tmp_path)
    assert str(log) in str(caught.value)


def test_missing_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(EpisodeError, match="there is no episode at"):
        Episode.open(tmp_path / "nowhere")
    with pytest.raises(EpisodeError, match="holds no log-000"):
        Episode.open(tmp_path)


def test_segments_are_one_episode(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, HEADER, segment_bytes=20_000) as writer:
        for first in range(0, 120, 40):
            write_ticks(writer, 40, first)
            writer.flush()
            time.sleep(0.5)  # longer than the scribe collects
    assert len(list(tmp_path.glob("log-*.dop"))) > 2
    assert [s.observation.sequence for s in Episode.open(tmp_path).steps()] == list(range(120))


def test_a_log_is_never_overwritten(tmp_path: Path) -> None:
    log = make_log(tmp_path / "episode")
    with pytest.raises(EpisodeError, match="none is overwritten"):
        EpisodeWriter(log.parent, HEADER)


def opened_when(directory: Path, enough: Callable[[Episode], bool]) -> Episode:
    """The episode, once the scribe of a killed process has written what it was handed."""
    until = time.monotonic() + 20.0
    while True:
        log = directory / "log-000.dop"
        episode = Episode.open(directory) if log.exists() and log.stat().st_size else None
        if episode is not None and (enough(episode) or time.monotonic() > until):
            return episode
        time.sleep(0.05)


def test_a_finished_step_survives_sigkill(tmp_path: Path) -> None:
    """A process in real time that is killed between two ticks leaves every step it has finished."""
    program = textwrap.dedent(
        f"""
        import sys
        sys.path[:0] = [{str(Path(__file__).parent)!r}]
        from pathlib import Path
        from test_episodes import HEADER, EpisodeWriter, msgspec, write_ticks
        writer = EpisodeWriter(Path({str(tmp_path)!r}), msgspec.structs.replace(HEADER, realtime=True))
        for tick in range(10**6):
            write_ticks(writer, 1, tick)
            print(tick, flush=True)
        """
    )
    root = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 50:
            pass
        process.send_signal(signal.SIGKILL)
        said = [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    finished = max([50, *said])
    episode = opened_when(tmp_path, lambda episode: len(episode) > finished)
    assert episode.summary is None
    assert len(episode) in {finished + 1, finished + 2}
    assert [s.observation.sequence for s in episode.steps()] == list(range(len(episode)))
    assert all(damage.at_end for damage in episode.damage)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of driving about in a generated house."""
    from agent.commands.simulation import start_simulation
    from agent.episodes.recorder import ControlRecorder
    from controllers.virtual_robot import VirtualRobot

    directory = tmp_path_factory.mktemp("recorded")
    simulation = start_simulation("coffee", "train", 0)
    header = msgspec.structs.replace(HEADER, split="train", index=0, initial_state_hash=simulation.initial_state_hash)
    with EpisodeWriter(directory, header) as writer:
        recorder = ControlRecorder(writer, simulation.plant.data, snapshot=simulation.plant.snapshot)
        robot = VirtualRobot(simulation.plant, on_step=recorder.hook())
        for _ in range(200):
            observation = robot.observe()
            action = msgspec.structs.replace(
                make_step(observation.sequence).action,
                valid_from_s=observation.time_s,
                expires_s=observation.time_s + 0.1,
                base_velocity_in_base=np.array([0.2, 0.1, 0.5]),
            )
            robot.act(action)
            writer.step(Step(observation=observation, subgoal=None, action=action))
    return directory


def test_a_replay_is_the_recording_to_the_last_bit(recorded: Path) -> None:
    from agent.commands.rebuild import rebuild_world

    episode = Episode.open(recorded)
    verdict = verify(episode, rebuild_world(episode.header))
    assert verdict.difference is None
    assert (verdict.ticks, verdict.steps) == (199, 995)


def test_a_replay_begins_in_the_middle_and_goes_on_behind_a_gap(recorded: Path, tmp_path: Path) -> None:
    from agent.commands.rebuild import rebuild_world

    episode = Episode.open(recorded)
    verdict = verify(episode, rebuild_world(episode.header), start_s=1.5)
    assert (verdict.difference, verdict.ticks, verdict.missing) == (None, 98, 0), "from the keyframe after tick 100"
    lost = episode.all_of(Kind.CONTROL)[50]
    frames = [pack_frame(p.kind, p.time_s, episode.payload(p)) for p in episode.places if p != lost]
    (tmp_path / "log-000.dop").write_bytes(FILE_HEADER.pack(b"DOPPIO-LOG", 2, 0) + b"".join(frames))
    verdict = verify(Episode.open(tmp_path), rebuild_world(episode.header))
    assert (verdict.difference, verdict.ticks, verdict.missing) == (None, 50 + 98, 51)
    with pytest.raises(EpisodeError, match="commands of tick 50 are missing"):
        controls_by_tick(Episode.open(tmp_path))


def test_a_replay_names_the_first_difference(recorded: Path) -> None:
    """One command altered by the least possible amount is found in the tick where it acts."""
    from agent.commands.rebuild import RebuiltWorld, rebuild_world

    class Disturbed(RebuiltWorld):
        steps = 0

        def apply_raw(self, ctrl: np.ndarray) -> None:
            self.steps += 1
            if self.steps == 5 * 42 + 3:
                ctrl = ctrl.copy()
                ctrl[0] = np.nextafter(ctrl[0], 9.0)
            super().apply_raw(ctrl)

    episode = Episode.open(recorded)
    difference = verify(episode, Disturbed(rebuild_world(episode.header).plant)).difference
    assert difference is not None
    assert (difference.tick, difference.field) == (42, "qpos")
    assert difference.whole_state_tick == 100
    assert 0 < abs(difference.recorded - difference.replayed) < 1e-3
    assert difference.where in str(difference)


def test_a_video_has_the_frames_it_should(recorded: Path, tmp_path: Path) -> None:
    import av

    from agent.commands.rebuild import rebuild_world
    from agent.commands.video import HEIGHT_PX, WIDTH_PX, render_video
    from sim.render import opengl_status

    usable, reason = opengl_status()
    if not usable:
        pytest.skip(f"no OpenGL: {reason}")
    episode = Episode.open(recorded)
    out = tmp_path / "new" / "out.mp4"
    assert (
        render_video(episode, rebuild_world(episode.header), out, speed=16) == 5
    )  # ticks 0, 64, 128, 192 and the last
    with av.open(str(out)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(HEIGHT_PX, WIDTH_PX, 3)] * 5
    assert all(frame.std() > 10 for frame in frames)
