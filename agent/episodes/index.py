"""All episodes below a folder, as a table that stays fast with thousands of them.

The table is a cache in `index.sqlite`: it is brought up to date before each use by looking at the folders that changed,
and may be deleted at any time.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from agent.episodes.reader import Episode
from agent.episodes.records import EpisodeError
from agent.episodes.why import contact_facts

NAME = "index.sqlite"
_VERSION = 2
STILL_WRITTEN_S = 60.0
"""A log without an end that changed this recently may still grow."""


@dataclass(frozen=True)
class Entry:
    """One episode, in a line."""

    name: str
    task: str = ""
    split: str = ""
    house: int = -1
    policy: str = ""
    planner: str = ""
    disturbance: str = ""
    started: str = ""
    outcome: str = ""
    """`success`, `unsafe` (success, but not safely), `failed`, `cut` (no report), `running`, `unreadable`."""
    reason: str = ""
    subgoal: str = ""
    """It failed in."""
    contact: str = ""
    """The last thing the pads or the hand felt before that."""
    surprise: float = -1.0
    """The largest before that; -1 where nothing was predicted."""
    decided_s: float = -1.0
    """When it failed; -1 for a success."""
    duration_s: float = 0.0
    size_bytes: int = 0
    parent: str = ""
    code: str = ""
    stamp: float = 0.0
    """Newest change of its files, to see what must be read again."""


_COLUMNS = [field.name for field in fields(Entry)]


class EpisodeIndex:
    """The table of all episodes below `root`."""

    def __init__(self, root: Path) -> None:
        """Opens or makes the table; in memory where the folder cannot be written."""
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(root / NAME, timeout=10.0)
            self._prepare()
            self._database.execute("BEGIN IMMEDIATE")  # fails where nothing can be written
            self._database.rollback()
        except (sqlite3.Error, OSError):
            self._database = sqlite3.connect(":memory:")
            self._prepare()

    def _prepare(self) -> None:
        database = self._database
        if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            database.execute("DROP TABLE IF EXISTS episodes")
            kinds = {"house": "INTEGER", "size_bytes": "INTEGER"}
            real = ("surprise", "decided_s", "duration_s", "stamp")
            columns = ", ".join(f"{c} {kinds.get(c, 'REAL' if c in real else 'TEXT')}" for c in _COLUMNS[1:])
            database.execute(f"CREATE TABLE episodes (name TEXT PRIMARY KEY, {columns})")
            database.execute("CREATE INDEX by_start ON episodes (started)")
            database.execute(f"PRAGMA user_version = {_VERSION}")
            database.commit()

    def refresh(self) -> int:
        """Take in what is new or changed, forget what is gone; returns how many were read."""
        rows = self._database.execute("SELECT name, stamp, outcome FROM episodes").fetchall()
        # What was being written may have been killed since, which changes no file: read anew.
        known = {name: None if outcome == "running" else stamp for name, stamp, outcome in rows}
        found: dict[str, float] = {}
        for directory in self._directories():
            found[directory.name] = _stamp(directory)
        changed = [name for name, stamp in found.items() if known.get(name) != stamp]
        for number, name in enumerate(changed, start=1):
            self._put(_read_entry(self.root / name, found[name]))
            if number % 50 == 0:
                self._database.commit()  # what was read stays read if this is stopped
        for name in known.keys() - found.keys():
            self._database.execute("DELETE FROM episodes WHERE name = ?", (name,))
        self._database.commit()
        return len(changed)

    def _directories(self) -> Iterator[Path]:
        if self.root.is_dir():
            for path in self.root.iterdir():
                if (path / "log-000.dop").exists():
                    yield path

    def _put(self, entry: Entry) -> None:
        marks = ", ".join("?" * len(_COLUMNS))
        values = [getattr(entry, column) for column in _COLUMNS]
        self._database.execute(f"INSERT OR REPLACE INTO episodes VALUES ({marks})", values)

    def find(self, conditions: dict[str, Any], *, limit: int | None = None, oldest_first: bool = False) -> list[Entry]:
        """Entries whose columns have these values, newest first.

        `since` and `until` bound the start (ISO 8601, as text), a list is any of its values. Raises ValueError for a
        column there is not.
        """
        where, values = ["1"], []
        for name, value in conditions.items():
            if name in ("since", "until"):
                where.append(f"started {'>=' if name == 'since' else '<'} ?")
                values.append(value)
            elif name not in _COLUMNS:
                raise ValueError(f"episodes have no {name!r}; they have {', '.join(_COLUMNS)}")
            elif isinstance(value, list | tuple):
                where.append(f"{name} IN ({', '.join('?' * len(value))})")
                values += value
            else:
                where.append(f"{name} = ?")
                values.append(value)
        order = "ASC" if oldest_first else "DESC"
        query = f"SELECT * FROM episodes WHERE {' AND '.join(where)} ORDER BY started {order}, name {order}"
        rows = self._database.execute(query + (f" LIMIT {limit}" if limit is not None else ""), values)
        return [Entry(*row) for row in rows]

    def forget(self, name: str) -> None:
        """Leave one out, whose folder was removed."""
        self._database.execute("DELETE FROM episodes WHERE name = ?", (name,))
        self._database.commit()

    def close(self) -> None:
        """Close the table."""
        self._database.close()


def _stamp(directory: Path) -> float:
    """Newest change of the log; a log still being written changes it."""
    report = directory / "report.json"
    if report.exists():
        return report.stat().st_mtime
    return max(path.stat().st_mtime for path in directory.glob("log-*.dop"))


def _read_entry(directory: Path, stamp: float) -> Entry:
    size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
    report = directory / "report.json"
    try:
        if report.exists():
            content = json.loads(report.read_text())
            header, summary = content["header"], content["summary"]
            episode = None
        else:
            episode = Episode.open(directory, quick=True)
            import msgspec

            header, summary = msgspec.to_builtins(episode.header), episode.summary
        return _entry(directory, header, summary, episode, size, stamp)
    except (EpisodeError, ValueError, KeyError, OSError) as error:
        return Entry(directory.name, outcome="unreadable", reason=str(error), size_bytes=size, stamp=stamp)


def _entry(
    directory: Path,
    header: dict[str, Any],
    summary: dict[str, Any] | None,
    episode: Episode | None,
    size: int,
    stamp: float,
) -> Entry:
    facts = {"contact": "", "surprise": -1.0, "decided_s": -1.0, "subgoal": ""}
    outcome, reason, duration_s = "cut", "", 0.0
    if summary is not None:
        good = bool(summary.get("success"))
        outcome = ("unsafe" if summary.get("safe") is False else "success") if good else "failed"
        reason, duration_s = summary.get("reason") or "", float(summary.get("duration_s") or 0.0)
    elif episode is not None:
        duration_s = episode.duration_s
        if time.time() - stamp < STILL_WRITTEN_S:
            outcome = "running"
    if outcome in ("failed", "cut"):
        facts = contact_facts(episode or Episode.open(directory, quick=True))
    return Entry(
        name=directory.name,
        task=header["task"],
        split=header["split"],
        house=header["index"],
        policy=header["policy"],
        planner=header["planner"],
        disturbance=header.get("disturbance", "none"),
        started=header["started"],
        outcome=outcome,
        reason=reason,
        subgoal=(summary or {}).get("failed_subgoal") or str(facts["subgoal"]),
        contact=str(facts["contact"]),
        surprise=float(facts["surprise"]),
        decided_s=float(facts["decided_s"]),
        duration_s=duration_s,
        size_bytes=size,
        parent=header.get("parent", ""),
        code=header["code"]["sources"],
        stamp=stamp,
    )
