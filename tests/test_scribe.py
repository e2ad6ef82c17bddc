"""Laws of the writer's process: what was synced survives a power cut, a bound is kept, a failure is told."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_episodes import HEADER, make_step, write_ticks

from agent.episodes import Episode, EpisodeWriter, Kind
from agent.episodes.frame import pack_frame
from agent.messages import encode
from agent.scribe.__main__ import Scribe
from agent.scribe.block import Block
from agent.scribe.layout import FILE_HEADER, segment_name
from agent.scribe.segments import Segments, SegmentsError, whole_frames

ROOT = Path(__file__).resolve().parents[1]


class LossyDisk:
    """A disk that keeps what was synced, and of the rest what a power cut happens to leave."""

    def __init__(self, full_at: int | None = None) -> None:
        self.files: dict[str, bytearray] = {}
        self.safe: dict[str, int] = {}
        """Length that was synced."""
        self.named: set[str] = set()
        """Files whose names were synced."""
        self._open: list[str] = []
        self._left = full_at

    def create(self, path: Path) -> int:
        if path.name in self.files:
            raise FileExistsError(path)
        self.files[path.name], self.safe[path.name] = bytearray(), 0
        self._open.append(path.name)
        return len(self._open) - 1

    def write(self, file: int, data: memoryview) -> int:
        if self._left is not None:
            if self._left <= 0:
                raise OSError(28, "No space left on device")
            data = data[: self._left]
            self._left -= len(data)
        self.files[self._open[file]] += data
        return len(data)

    def truncate(self, file: int, size: int) -> None:
        del self.files[self._open[file]][size:]

    def sync(self, file: int) -> None:
        self.safe[self._open[file]] = len(self.files[self._open[file]])

    def sync_folder(self, folder: Path) -> None:
        self.named = set(self.files)

    def close(self, file: int) -> None: ...

    def remove(self, path: Path) -> None:
        del self.files[path.name]
        self.safe.pop(path.name)

    def make_room(self) -> None:
        self._left = None

    def free_bytes(self, folder: Path) -> int:
        return 1 << 40

    def cut_power(self, folder: Path, keep: float, garbage: bool) -> None:
        """Leave in `folder` what is left: of unsynced bytes a share, or pages of zeros in their place."""
        for name in self.named:
            data, safe = bytes(self.files[name]), self.safe[name]
            rest = data[safe : safe + int(keep * (len(data) - safe))]
            (folder / name).write_bytes(data[:safe] + (bytes(len(rest)) if garbage else rest))


def frames_of(first: int, count: int) -> bytes:
    return b"".join(pack_frame(Kind.STEP, n * 0.01, encode(make_step(n))) for n in range(first, first + count))


def block_of(frames: bytes) -> Block:
    block = Block()
    block.add(memoryview(frames))
    return block


def append_many(segments: Segments) -> None:
    for n in range(100):
        segments.append(block_of(frames_of(n, 1)))


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.integers(1, 6), st.just("sync")), min_size=1, max_size=25),
    st.floats(0.0, 1.0),
    st.booleans(),
)
def test_what_was_synced_survives_a_power_cut(
    tmp_path_factory: pytest.TempPathFactory, plan: list[int | str], keep: float, garbage: bool
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    disk = LossyDisk()
    segments = Segments(folder, disk, segment_bytes=30_000)
    segments.append(block_of(pack_frame(Kind.HEADER, 0.0, encode(HEADER))))
    segments.sync()
    written = synced = 0
    for act in plan:
        if isinstance(act, int):
            segments.append(block_of(frames_of(written, act)))
            written += act
        else:
            segments.sync()
            synced = written
    disk.cut_power(folder, keep, garbage)
    episode = Episode.open(folder)
    found = [step.observation.sequence for step in episode.steps()]
    assert found == list(range(len(found)))
    assert synced <= len(found) <= written
    assert all(damage.at_end for damage in episode.damage)


def test_a_bound_is_kept_and_told(tmp_path: Path) -> None:
    segments = Segments(tmp_path, LossyDisk(), allowance_bytes=50_000)
    with pytest.raises(SegmentsError, match=r"bound of 0\.00 GB"):
        append_many(segments)
    assert 40_000 < segments.written <= 50_000


def test_a_full_disk_leaves_whole_frames(tmp_path: Path) -> None:
    disk = LossyDisk(full_at=30_000)
    segments = Segments(tmp_path, disk)
    with pytest.raises(SegmentsError, match="No space left"):
        append_many(segments)
    data = memoryview(bytes(disk.files[segment_name(0)]))[16:]
    assert whole_frames(data, len(data)) == len(data) > 20_000


def test_a_disk_that_is_full_when_a_segment_begins_costs_no_more_than_what_did_not_fit(tmp_path: Path) -> None:
    header = block_of(pack_frame(Kind.HEADER, 0.0, encode(HEADER)))
    first = block_of(frames_of(0, 20))
    disk = LossyDisk(full_at=FILE_HEADER.size + len(header.packed()) + FILE_HEADER.size // 2)
    segments = Segments(tmp_path, disk, segment_bytes=1)
    segments.append(header)
    with pytest.raises(SegmentsError, match="No space left"):
        segments.append(first)
    disk.make_room()
    segments.append(block_of(frames_of(20, 20)))
    segments.sync()
    disk.cut_power(tmp_path, 0.0, garbage=False)
    assert [step.observation.sequence for step in Episode.open(tmp_path).steps()] == list(range(20, 40))


def test_a_log_that_can_be_found_can_be_read(tmp_path: Path) -> None:
    """Whenever the disk confirms anything, or waits with it, the header is there."""

    class SlowDisk(LossyDisk):
        def sync(self, file: int) -> None:
            super().sync(file)
            self.cut_power(tmp_path, 1.0, garbage=False)
            if self.named:
                assert Episode.open(tmp_path).header == HEADER

        def sync_folder(self, folder: Path) -> None:
            super().sync_folder(folder)
            self.cut_power(tmp_path, 1.0, garbage=False)
            assert Episode.open(tmp_path).header == HEADER

    segments = Segments(tmp_path, SlowDisk(), segment_bytes=2000)
    segments.append(block_of(pack_frame(Kind.HEADER, 0.0, encode(HEADER))))
    append_many(segments)
    assert len(list(tmp_path.glob("log-*.dop"))) > 2


def test_what_fails_is_said(tmp_path: Path) -> None:
    """The process keeps reading, says why it does not write, and ends with its input."""
    command = [sys.executable, "-m", "agent.scribe", str(tmp_path), "--allowance-bytes", "20000"]
    process = subprocess.run(
        command,
        input=pack_frame(Kind.HEADER, 0.0, encode(HEADER)) + frames_of(0, 50),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        timeout=20,
        check=True,
    )
    said = [json.loads(line) for line in process.stdout.splitlines()]
    assert said[0]["event"] == "trouble"
    assert "bound" in said[0]["what"]
    assert said[-1]["event"] == "done"
    assert said[-1]["lost"] > 0


def scribe_told(source: int, segments: Segments, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What a scribe says that reads all of `source`."""
    told: list[dict[str, object]] = []
    monkeypatch.setattr("agent.scribe.__main__.say", lambda event, **fields: told.append({"event": event, **fields}))
    Scribe(segments).run(source)
    return told


class FullForAWhile(LossyDisk):
    """Takes 30,000 bytes, then nothing for as many attempts."""

    def __init__(self, attempts: int) -> None:
        super().__init__(full_at=30_000)
        self._attempts = attempts

    def write(self, file: int, data: memoryview) -> int:
        try:
            return super().write(file, data)
        except OSError:
            self._attempts -= 1
            if not self._attempts:
                self.make_room()
            raise


@pytest.mark.parametrize("attempts", [1, 3, 1000])
def test_what_a_full_disk_refuses_waits_and_leaves_no_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    """Also not when what comes at last is small enough for the room that is left."""
    monkeypatch.setattr("agent.scribe.__main__.BLOCK_PERIOD_S", 0.0)
    monkeypatch.setattr("agent.scribe.__main__.TRY_AGAIN_S", 0.0)
    reading, writing = os.pipe()
    disk = FullForAWhile(attempts)

    def send() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(pack_frame(Kind.HEADER, 0.0, encode(HEADER)))
            for first, count in ((0, 40), (40, 400), (440, 1)):
                pipe.write(frames_of(first, count))
                pipe.flush()
                time.sleep(0.1)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        told = scribe_told(reading, Segments(tmp_path, disk), monkeypatch)
    finally:
        sender.join()
        os.close(reading)
    disk.cut_power(tmp_path, 0.0, garbage=False)
    found = [step.observation.sequence for step in Episode.open(tmp_path).steps()]
    assert found == list(range(len(found)))
    assert told[0]["event"] == "trouble"
    recovers = attempts < 1000
    assert (len(found) == 441) == recovers == any(line["event"] == "again" for line in told)
    assert (told[-1]["lost"] == 0) == recovers


def wait_for_log(folder: Path) -> None:
    """Until the scribe has begun and what it got so far is written, which it is about once a second."""
    until = time.monotonic() + 20
    while not list(folder.glob("log-*.dop")) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(1.3)


def test_a_killed_scribe_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with EpisodeWriter(tmp_path, HEADER) as writer:
        write_ticks(writer, 50)
        wait_for_log(tmp_path)
        os.kill(writer.pipe.process_id, signal.SIGKILL)
        time.sleep(0.2)
        write_ticks(writer, 50, first=50)
        writer.finish({"success": True})
        assert "started again" in writer.trouble
    episode = Episode.open(tmp_path)
    steps = [step.observation.sequence for step in episode.steps()]
    assert steps[:50] == list(range(50)), "what was written is kept"
    assert steps[-1] == 99, "and recording goes on"
    assert episode.summary is not None
    assert "NOT RECORDED" in caplog.text


def test_a_scribe_killed_while_frames_wait_for_it_is_replaced(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, HEADER) as writer:
        write_ticks(writer, 20)
        writer.flush()
        wait_for_log(tmp_path)
        os.kill(writer.pipe.process_id, signal.SIGSTOP)
        for first in range(20, 620, 20):  # together more than the pipe takes
            write_ticks(writer, 20, first)
            writer.flush()
        os.kill(writer.pipe.process_id, signal.SIGKILL)
        time.sleep(0.2)
        write_ticks(writer, 30, first=620)
        writer.finish({"success": True})
        assert "started again" in writer.trouble
    steps = [step.observation.sequence for step in Episode.open(tmp_path).steps()]
    assert steps[:20] == list(range(20))
    assert steps[-30:] == list(range(620, 650))
    assert len(steps) > 100, "what waited is not lost"
    assert steps == sorted(set(steps))


def test_a_log_opens_by_its_index_as_by_reading_it(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path, HEADER, segment_bytes=60_000) as writer:
        write_ticks(writer, 60)
    read, quick = Episode.open(tmp_path), Episode.open(tmp_path, quick=True)
    assert (tmp_path / "log.idx").exists()
    assert list(quick.places) == list(read.places)
    assert encode(quick.step(-1)) == encode(read.step(-1))
    with sorted(tmp_path.glob("log-*.dop"))[-1].open("ab") as file:
        file.write(frames_of(60, 1))
    assert len(Episode.open(tmp_path, quick=True)) == 61, "an index that is too short is not used"
