"""Read an episode, also one whose process died or whose bytes were damaged."""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from agent.episodes.places import ENTRY, Place, Places, read_index
from agent.episodes.records import TYPE_OF_KIND, Control, EpisodeError, EpisodeHeader, Event, Keyframe, Kind
from agent.episodes.segment import Damage, Found, Segment
from agent.messages import Plan, Report, Step, decode
from agent.scribe.layout import INDEX_NAME

T = TypeVar("T", bound=msgspec.Struct)


class Episode:
    """An episode on disk with an index of its records; records are read when asked for."""

    def __init__(self, directory: Path, segments: list[Path], *, quick: bool = False) -> None:
        self.directory = directory
        self.damage: list[Damage] = []
        """What could not be read, in order; empty for a sound episode."""
        self._segments = [Segment(path, number) for number, path in enumerate(segments)]
        index = read_index(directory, [len(data) for data in self._segments]) if quick else None
        if index is not None and not self._segments[-1].ends_with(index[-1]):
            index = None  # something was appended later
        self.places: Places = self._scan() if index is None else index
        """All readable records, in order."""
        self.header: EpisodeHeader = self._header()
        self.summary: dict[str, Any] | None = self._summary()
        """The report of the run; None where it was killed before its end."""

    @classmethod
    def open(cls, path: Path | str, *, quick: bool = False) -> "Episode":
        """The episode in the folder `path` (or the folder of the log file `path`).

        Everything is read and its checksums compared, unless `quick` is set and the log has an index: then a record is
        checked when it is read, and raises EpisodeError if it is damaged. A torn tail and damaged records are left out
        and listed in `damage`. Raises EpisodeError where there is no log, or none with a readable header.
        """
        directory = Path(path)
        if directory.is_file():
            directory = directory.parent
        if not directory.is_dir():
            raise EpisodeError(f"there is no episode at {directory}")
        segments = sorted(directory.glob("log-[0-9][0-9][0-9].dop"))
        if not segments:
            raise EpisodeError(f"{directory} is no episode: it holds no log-000.dop")
        for number, segment in enumerate(segments):
            if segment.name != f"log-{number:03d}.dop":
                raise EpisodeError(f"{directory} lacks log-{number:03d}.dop; the next one there is {segment.name}")
        return cls(directory, segments, quick=quick)

    def __len__(self) -> int:
        """The number of steps."""
        return len(self.all_of(Kind.STEP))

    def __repr__(self) -> str:
        return f"<Episode {self.directory.name}: {len(self)} steps, {len(self.places)} records>"

    @property
    def duration_s(self) -> float:
        """Simulated or real time from the first to the last step."""
        steps = self.all_of(Kind.STEP)
        return steps[-1].time_s - steps[0].time_s if steps else 0.0

    @property
    def losses(self) -> list[Damage]:
        """The damage that is not just the end of a run that was killed."""
        closed = (self.directory / INDEX_NAME).exists()
        return [damage for damage in self.damage if closed or not damage.at_end]

    def payload(self, place: Place) -> bytes:
        """The bytes of one record. Raises EpisodeError where they changed since the episode was opened."""
        frame = self._segments[place.segment].frame(place)
        if isinstance(frame, str):
            raise EpisodeError(f"{self.directory}/log-{place.segment:03d}.dop, offset {place.offset}: {frame}")
        return frame.payload

    def record(self, place: Place) -> Any:
        """The decoded record at `place`: a message, a dict for JSON, the bytes of a model or of a wire's message."""
        if place.kind in (Kind.SUMMARY, Kind.SOURCE):
            return json.loads(self.payload(place))
        if place.kind in (Kind.MODEL, Kind.WIRE):
            return self.payload(place)
        try:
            type_ = TYPE_OF_KIND[Kind(place.kind)]
        except (ValueError, KeyError) as error:
            known = ", ".join(f"{k.value} ({k.name.lower()})" for k in Kind)
            raise EpisodeError(f"{self.directory}: unknown record kind {place.kind}; known are {known}") from error
        return self._read(place, type_)

    def records(self, *kinds: Kind) -> Iterator[tuple[Place, Any]]:
        """All records of these kinds (of all known kinds when none is given), in order."""
        return ((place, self.record(place)) for place in self.places.of_kinds(kinds or tuple(Kind)))

    def step(self, number: int) -> Step:
        """The step with this number, counted from 0; negative counts from the end."""
        steps = self.all_of(Kind.STEP)
        if not -len(steps) <= number < len(steps):
            raise EpisodeError(f"step {number} does not exist; {self.directory.name} has steps 0 to {len(steps) - 1}")
        return self._read(steps[number], Step)

    def step_at(self, time_s: float) -> int:
        """Number of the first step at or after `time_s`; the last one if there is none."""
        steps = self.all_of(Kind.STEP)
        return min(int(np.searchsorted(steps.times_s, time_s)), len(steps) - 1)

    def steps(self) -> Iterator[Step]:
        """All steps in order."""
        return (self._read(place, Step) for place in self.all_of(Kind.STEP))

    def controls(self) -> Iterator[Control]:
        """The actuator commands of each tick in order."""
        return (self._read(place, Control) for place in self.all_of(Kind.CONTROL))

    def keyframes(self) -> Iterator[Keyframe]:
        """The whole states, once a second, in order."""
        return (self._read(place, Keyframe) for place in self.all_of(Kind.KEYFRAME))

    def plans(self) -> Iterator[tuple[float, Plan]]:
        """Plans in order, each with its time."""
        return ((place.time_s, self._read(place, Plan)) for place in self.all_of(Kind.PLAN))

    def reports(self) -> Iterator[Report]:
        """The mind's reports on its subgoals in order."""
        return (self._read(place, Report) for place in self.all_of(Kind.REPORT))

    def events(self) -> Iterator[tuple[float, Event]]:
        """Events in order, each with its time."""
        return ((place.time_s, self._read(place, Event)) for place in self.all_of(Kind.EVENT))

    def all_of(self, kind: Kind) -> Places:
        """Where the records of this kind lie, in order."""
        return self.places.of_kind(kind)

    def model_bytes(self) -> bytes | None:
        """The compiled model (MJB) that was simulated; None where there was none, or it is damaged."""
        places = self.all_of(Kind.MODEL)
        return zlib.decompress(self.payload(places[0])) if places else None

    def _read(self, place: Place, type_: type[T]) -> T:
        try:
            return decode(self.payload(place), type_)
        except msgspec.DecodeError as error:
            where = f"{self.directory}/log-{place.segment:03d}.dop, offset {place.offset}"
            raise EpisodeError(f"{where}: not a {type_.__name__}: {error}") from error

    def _header(self) -> EpisodeHeader:
        """From the log; where that part of it is damaged, from the report beside it."""
        headers = self.places.of_kind(Kind.HEADER)
        if headers:
            return self._read(headers[0], EpisodeHeader)
        try:
            if not len(self.places):
                raise ValueError("nothing is left of the log")
            return msgspec.convert(self._report()["header"], EpisodeHeader)
        except (OSError, ValueError, KeyError, msgspec.ValidationError) as error:
            detail = f"; {self.damage[0]}" if self.damage else ""
            first = self._segments[0].path
            raise EpisodeError(f"{first} has no header record, so its task and house are unknown{detail}") from error

    def _summary(self) -> dict[str, Any] | None:
        """From the log; where a full disk cut that short, from the report beside it."""
        summaries = self.places.of_kind(Kind.SUMMARY)
        if summaries:
            return json.loads(self.payload(summaries[-1]))
        try:
            return self._report()["summary"]
        except (OSError, ValueError, KeyError):
            return None

    def _report(self) -> dict[str, Any]:
        return json.loads((self.directory / "report.json").read_bytes())

    def _scan(self) -> Places:
        found: list[Found] = []
        for segment in self._segments:
            segment.scan(found, self.damage)
        return Places(np.array(found, dtype=ENTRY))


def find_episode(name: str, root: Path) -> Path:
    """The folder of the episode called `name`: a path, a folder's name below `root`, or `latest`.

    Raises EpisodeError, naming the newest ones there are.
    """
    known = sorted((path.parent for path in root.glob("*/log-000.dop")), key=lambda path: path.name)
    if name == "latest":
        if not known:
            raise EpisodeError(
                f"there are no episodes below {root.absolute()}; set $DOPPIO_EPISODES if they lie elsewhere"
            )
        return max(known, key=lambda path: (path / "log-000.dop").stat().st_mtime_ns)
    for path in (Path(name), root / name):
        if path.exists():
            return path
    newest = ", ".join(path.name for path in known[-3:]) or "none"
    raise EpisodeError(f"there is no episode {name}; the newest below {root.absolute()}: {newest}")
