"""The table of episodes: complete, quick with thousands, and nothing is removed that should stay."""

import json
import time
from pathlib import Path

import msgspec
import pytest
from recorded_run import recorded_run
from test_episodes import HEADER, write_ticks

from agent.cli import main
from agent.commands.episodes import choose_to_remove, cluster
from agent.commands.outcome import Exit
from agent.commands.statistics import look_command
from agent.episodes import Episode, EpisodeReport, EpisodeWriter, Event
from agent.episodes.allowance import allowance_left
from agent.episodes.index import Entry, EpisodeIndex
from agent.episodes.records import EpisodeError
from agent.episodes.why import decisive_moment, explain
from agent.messages import Report, Subgoal, SubgoalKind


def fake_episode(root: Path, number: int, *, success: bool = True) -> Path:
    """A folder as a finished run leaves it, with a log too short to hold steps."""
    folder = root / f"2026{number:06d}-episode"
    folder.mkdir(parents=True)
    (folder / "log-000.dop").write_bytes(b"")
    header = {**msgspec.to_builtins(HEADER), "index": number, "started": f"2026-01-01T{number // 3600:02d}:00:00"}
    summary = {"success": success, "safe": True, "duration_s": 5.0, "reason": "" if success else "lost-grip"}
    (folder / "report.json").write_text(json.dumps({"header": header, "summary": summary}))
    return folder


def failed_episode(folder: Path) -> Path:
    """A pick that touches nothing and gives up after two seconds."""
    folder.mkdir(parents=True)
    with EpisodeWriter(folder, HEADER) as writer:
        writer.message(0.0, Subgoal(id=1, kind=SubgoalKind.PICK, target="mug-1"))
        write_ticks(writer, 200)
        writer.message(1.9, Report(subgoal_id=1, time_s=1.9, status="failed", reason="lost-grip"))
        writer.event(1.95, Event(source="world", name="dropped", detail="mug_1"))
        report = EpisodeReport(
            success=False, safe=False, parts={"held": False}, reason="lost-grip", failed_subgoal="pick", duration_s=2.0,
            wall_s=1.0, episode=str(folder),
        )  # fmt: skip
        writer.finish(report)
    return folder


def test_thousands_stay_quick(tmp_path: Path) -> None:
    for number in range(3000):
        fake_episode(tmp_path, number)
    index = EpisodeIndex(tmp_path)
    assert index.refresh() == 3000
    began = time.perf_counter()
    assert index.refresh() == 0, "what has not changed is not read again"
    found = index.find({"task": "coffee", "house": 1234})
    newest = index.find({}, limit=20)
    took_s = time.perf_counter() - began
    index.close()
    assert [entry.house for entry in found] == [1234]
    assert len(newest) == 20
    assert took_s < 2.0


def test_the_table_follows_the_folders(tmp_path: Path) -> None:
    first, second = fake_episode(tmp_path, 1), fake_episode(tmp_path, 2)
    index = EpisodeIndex(tmp_path)
    index.refresh()
    report = json.loads((first / "report.json").read_text())
    report["summary"]["success"] = False
    time.sleep(0.02)
    (first / "report.json").write_text(json.dumps(report))
    (second / "report.json").unlink()
    (second / "log-000.dop").unlink()
    index.refresh()
    (entry,) = index.find({})
    index.close()
    assert (entry.name, entry.outcome) == (first.name, "unreadable"), "a failure is looked into, and this log is empty"


def test_failures_of_one_kind_are_one_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        failed_episode(tmp_path / name)
    assert main(["episodes", "stats", "--root", str(tmp_path), "--json", str(tmp_path / "stats.json")]) == Exit.OK
    stats = json.loads((tmp_path / "stats.json").read_text())
    (found,) = stats["clusters"]
    assert (found["n"], found["subgoal"], found["surprise"]) == (2, "pick", "not predicted")
    assert stats["outcomes"] == {"failed": 2}
    assert "--view --at" in capsys.readouterr().out.replace("\n", "")


def test_a_failure_is_explained_from_the_record(tmp_path: Path) -> None:
    episode = Episode.open(failed_episode(tmp_path / "episode"))
    said = [reason.text for reason in explain(episode)]
    assert "lost grip" in said[0]
    assert any("mug_1 was dropped" in text for text in said)
    assert any("pick mug-1 failed" in text for text in said)
    assert any("policy predicts nothing" in text for text in said)
    assert decisive_moment(episode) == pytest.approx(1.95)
    assert decisive_moment(Episode.open(recorded_run())) is None


def test_a_failed_report_leads_to_its_moment() -> None:
    report = EpisodeReport(
        success=False, safe=False, parts={}, duration_s=9.0, wall_s=1.0, episode="episodes/e", failed_at_s=8.0
    )
    assert look_command(report) == "doppio replay episodes/e --view --at 5.0"
    assert look_command(msgspec.structs.replace(report, episode="")) == ""


def test_successes_go_first_and_what_runs_or_is_kept_stays() -> None:
    entries = [
        Entry(name, outcome=outcome, size_bytes=10)
        for name, outcome in (("a", "failed"), ("b", "success"), ("c", "running"), ("d", "success"), ("e", "cut"))
    ]
    kept = {"b"}
    for excess, names in ((1, "d"), (15, "de"), (1000, "dea"), (0, "")):
        assert "".join(e.name for e in choose_to_remove(entries, excess, lambda e: e.name in kept)) == names
    assert cluster([]) == []


def test_gc_says_before_it_does(tmp_path: Path) -> None:
    folders = [fake_episode(tmp_path, n) for n in range(4)]
    (folders[1] / "keep").touch()
    main(["episodes", "gc", "--root", str(tmp_path), "--to-gb", "0"])
    assert all(folder.exists() for folder in folders)
    main(["episodes", "gc", "--root", str(tmp_path), "--to-gb", "0", "--yes"])
    assert [folder.exists() for folder in folders] == [False, True, False, False]


def test_a_bound_for_all_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "log-000.dop").write_bytes(bytes(300_000))
    assert allowance_left(tmp_path) is None
    monkeypatch.setenv("DOPPIO_EPISODES_GB", "0.001")
    assert allowance_left(tmp_path) == 700_000
    monkeypatch.setenv("DOPPIO_EPISODES_GB", "lots")
    with pytest.raises(EpisodeError, match="'lots'; it must be a number"):
        allowance_left(tmp_path)
