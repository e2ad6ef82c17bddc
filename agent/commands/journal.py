"""Results of an evaluation as they come, so that the same command goes on where it was stopped."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent.commands.outcome import CommandError
from agent.episodes import EpisodeReport


class _Line(msgspec.Struct, frozen=True):
    index: int
    report: EpisodeReport


class Journal:
    """One JSON line per finished episode. The file's name holds all that the results depend on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def for_evaluation(cls, root: Path, parts: Iterable[str]) -> "Journal":
        """The journal below `root` of what is described by `parts`: task, policy, weights, code, whatever counts."""
        return cls(root / ("-".join(parts) + ".jsonl"))

    def read(self) -> dict[int, EpisodeReport]:
        """Results by house index. A last line without an end is what a kill leaves, and is ignored.

        Raises CommandError for any other line that cannot be read.
        """
        return self.parse(self.path.read_bytes(), self.path) if self.path.exists() else {}

    @staticmethod
    def parse(data: bytes, path: Path) -> dict[int, EpisodeReport]:
        """The same of a journal's bytes, which came from `path`."""
        results = {}
        for number, line in enumerate(data.splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):
                continue
            try:
                entry = msgspec.json.decode(line, type=_Line)
            except msgspec.DecodeError as error:
                raise CommandError(f"{path}, line {number}: {error}; mend or remove it") from error
            results[entry.index] = entry.report
        return results

    @staticmethod
    def line(index: int, report: EpisodeReport) -> bytes:
        """What a journal says of one result."""
        return json.dumps(msgspec.to_builtins(_Line(index, report))).encode() + b"\n"

    def add(self, index: int, report: EpisodeReport) -> None:
        """Append one result. Raises CommandError where the disk refuses it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                # After a torn line, begin a new one: the torn one then reads as damaged, so cut it off.
                self._cut_torn_line(file.fileno())
                file.write(self.line(index, report))
        except OSError as error:
            raise CommandError(f"cannot write {self.path}: {error.strerror}") from error

    def clear(self) -> None:
        """Forget all results."""
        self.path.unlink(missing_ok=True)

    def _cut_torn_line(self, file: int) -> None:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            whole = self.path.read_bytes().rfind(b"\n") + 1
            os.ftruncate(file, whole)
