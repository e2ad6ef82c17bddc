"""What a page of results was counted from goes along with it, and measuring goes on from there elsewhere."""

import io
import tarfile
from pathlib import Path

import pytest

from agent.commands.journal import Journal
from agent.commands.outcome import CommandError
from agent.commands.results_archive import archive_of, restore, store
from agent.episodes import EpisodeReport

CODE = "c0de"
NAME = f"pick-mug-dev-prior-{CODE}.jsonl"


def report(success: bool, episode: str = "") -> EpisodeReport:
    return EpisodeReport(success=success, safe=True, parts={}, duration_s=3.0, wall_s=1.0, episode=episode)


def stored(tmp_path: Path) -> Path:
    """The archive of two episodes and one other measurement, beside results of another split and of other code."""
    kept = tmp_path / "here"
    journal = Journal(kept / NAME)
    journal.add(7, report(True, episode="/somewhere/here"))
    journal.add(3, report(False))
    Journal(kept / f"pick-mug-heldout-prior-{CODE}.jsonl").add(1, report(True))
    Journal(kept / "pick-mug-dev-prior-01d.jsonl").add(1, report(True))
    (kept / f"physics-4-dev-0-{CODE}.json").write_text("[1]")
    archive = archive_of(tmp_path / "results.md")
    store(archive, kept, "dev", CODE)
    return archive


def test_elsewhere_all_of_it_is_there_again(tmp_path: Path) -> None:
    there = tmp_path / "there"
    restore(stored(tmp_path), there)
    assert sorted(path.name for path in there.iterdir()) == [f"physics-4-dev-0-{CODE}.json", NAME]
    assert Journal(there / NAME).read() == {3: report(False), 7: report(True)}
    assert (there / f"physics-4-dev-0-{CODE}.json").read_text() == "[1]"


def test_what_was_measured_elsewhere_since_stays_and_joins_it(tmp_path: Path) -> None:
    archive, there = stored(tmp_path), tmp_path / "there"
    Journal(there / NAME).add(9, report(True))
    Journal(there / NAME).add(3, report(True))
    restore(archive, there)
    restore(archive, there)
    known = Journal(there / NAME).read()
    assert sorted(known) == [3, 7, 9]
    assert known[3].success
    assert (there / NAME).read_bytes().count(b"\n") == 3
    store(archive, there, "dev", CODE)
    restore(archive, tmp_path / "third")
    assert sorted(Journal(tmp_path / "third" / NAME).read()) == [3, 7, 9]


def test_the_same_results_make_the_same_file(tmp_path: Path) -> None:
    archive = stored(tmp_path)
    before = archive.read_bytes()
    restore(archive, tmp_path / "there")
    store(archive, tmp_path / "there", "dev", CODE)
    assert archive.read_bytes() == before


def test_without_an_archive_nothing_happens(tmp_path: Path) -> None:
    restore(tmp_path / "none.tar.xz", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_damaged_or_foreign_archive_is_refused_by_name(tmp_path: Path) -> None:
    archive = stored(tmp_path)
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(CommandError, match=r"results-episodes\.tar\.xz cannot be read"):
        restore(archive, tmp_path / "there")
    with tarfile.open(archive, "w:xz") as tar:
        entry = tarfile.TarInfo("../outside.jsonl")
        entry.size = 2
        tar.addfile(entry, io.BytesIO(b"{}"))
    with pytest.raises(CommandError, match=r"'\.\./outside\.jsonl' is no evaluation"):
        restore(archive, tmp_path / "there")
    assert not (tmp_path / "outside.jsonl").exists()
