"""A LeRobot dataset, format v3.0, of one or more episodes. Needs pyarrow only (`pip install -e '.[lerobot]'`).

All files are written into a folder beside the target, which takes its name when they are complete: a dataset is there
whole or not at all. The subgoals are LeRobot's subtasks.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.episodes import Episode, EpisodeError
from agent.export.table import Table, read_table
from agent.messages import TICK_S

VERSION = "v3.0"
_FILE = "chunk-000/file-000.parquet"
_CHUNK = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_INDICES = ("timestamp", "frame_index", "episode_index", "index", "task_index", "subtask_index")


def export_lerobot(episodes: Sequence[Episode], out: Path) -> str:
    """Write the dataset folder `out`; returns what is in it, in words.

    Raises EpisodeError for an episode without steps, FileExistsError where `out` is not empty, ModuleNotFoundError
    without pyarrow, OSError.
    """
    import pyarrow as pa  # pyright: ignore[reportMissingImports]
    import pyarrow.parquet as pq  # pyright: ignore[reportMissingImports]

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists and is not empty; choose another --out")
    tables = [read_table(episode) for episode in episodes]
    tasks = sorted({episode.header.task for episode in episodes})
    subtasks = sorted({subgoal for table in tables for subgoal in table.subgoals})
    rows, about = [], []
    first = 0
    for number, (episode, table) in enumerate(zip(episodes, tables, strict=True)):
        n = len(table.time_s)
        task = tasks.index(episode.header.task)
        rows.append(_rows(table, number, first, task, subtasks))
        about.append(_episode(number, episode, table, first, n))
        first += n
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    for folder in ("data/chunk-000", "meta/episodes/chunk-000"):
        (part / folder).mkdir(parents=True)
    widths = {name: column.values.shape[1] for name, column in tables[0].columns.items()}
    columns: dict[str, Any] = {
        name: pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate([r[name] for r in rows]).ravel()), width)
        for name, width in widths.items()
    }
    columns |= {name: pa.array(np.concatenate([r[name] for r in rows])) for name in _INDICES}
    pq.write_table(pa.table(columns), part / "data" / _FILE)
    pq.write_table(pa.Table.from_pylist(about), part / "meta" / "episodes" / _FILE)
    pq.write_table(_named(tasks, "task_index"), part / "meta" / "tasks.parquet")
    pq.write_table(_named(subtasks, "subtask_index"), part / "meta" / "subtasks.parquet")
    stats = {name: _statistics(np.concatenate([r[name] for r in rows])) for name in (*widths, *_INDICES)}
    _write_json(part / "meta" / "stats.json", stats)
    _write_json(part / "meta" / "info.json", _info(episodes, tables[0], first, len(tasks)))
    if out.exists():
        out.rmdir()
    part.replace(out)
    return f"{len(episodes)} episodes, {first} frames, {len(tasks)} tasks, {len(subtasks)} subtasks"


def _rows(table: Table, number: int, first: int, task: int, subtasks: list[str]) -> dict[str, NDArray[Any]]:
    n = len(table.time_s)
    names = {name: i for i, name in enumerate(subtasks)}
    return {
        **{name: column.values for name, column in table.columns.items()},
        # LeRobot wants times that follow from the frame's number.
        "timestamp": (np.arange(n) * TICK_S).astype(np.float32),
        "frame_index": np.arange(n, dtype=np.int64),
        "episode_index": np.full(n, number, np.int64),
        "index": np.arange(first, first + n, dtype=np.int64),
        "task_index": np.full(n, task, np.int64),
        "subtask_index": np.array([names[s] for s in table.subgoals], np.int64),
    }


def _episode(number: int, episode: Episode, table: Table, first: int, length: int) -> dict[str, Any]:
    step = np.diff(table.time_s)
    if len(step) and float(np.abs(step - TICK_S).max()) > TICK_S / 2:
        at = float(table.time_s[int(np.abs(step - TICK_S).argmax())])
        raise EpisodeError(
            f"{episode.directory.name} has a gap after {at:.2f} s; LeRobot's frames are evenly {TICK_S} s apart"
        )
    return {
        "episode_index": number,
        "tasks": [episode.header.task],
        "length": length,
        "data/chunk_index": 0,
        "data/file_index": 0,
        "dataset_from_index": first,
        "dataset_to_index": first + length,
        "meta/episodes/chunk_index": 0,
        "meta/episodes/file_index": 0,
        "doppio/episode": episode.directory.name,
        "doppio/success": bool((episode.summary or {}).get("success", False)),
    }


def _named(names: list[str], column: str) -> Any:
    """A table with `names` as its pandas index and their numbers as `column`, as LeRobot reads tasks."""
    import pyarrow as pa  # pyright: ignore[reportMissingImports]

    index = "__index_level_0__"
    pandas = {
        "index_columns": [index],
        "column_indexes": [],
        "columns": [
            _pandas_column(column, column, "int64", "int64"),
            _pandas_column(None, index, "unicode", "object"),
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table({column: pa.array(range(len(names)), pa.int64()), index: pa.array(names, pa.string())})
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _pandas_column(name: str | None, field: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "field_name": field,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": None,
    }


def _statistics(values: NDArray[Any]) -> dict[str, Any]:
    table = values.reshape(len(values), -1).astype(np.float64)
    found = {
        "min": table.min(axis=0),
        "max": table.max(axis=0),
        "mean": table.mean(axis=0),
        "std": table.std(axis=0),
        "count": np.array([len(table)]),
    }
    for name, share in (("q01", 0.01), ("q10", 0.1), ("q50", 0.5), ("q90", 0.9), ("q99", 0.99)):
        found[name] = np.quantile(table, share, axis=0)
    return {name: numbers.tolist() for name, numbers in found.items()}


def _info(episodes: Sequence[Episode], table: Table, frames: int, tasks: int) -> dict[str, Any]:
    features = {
        name: {"dtype": "float32", "shape": [column.values.shape[1]], "names": list(column.names) or None}
        for name, column in table.columns.items()
    }
    for name in _INDICES:
        features[name] = {"dtype": "float32" if name == "timestamp" else "int64", "shape": [1], "names": None}
    return {
        "codebase_version": VERSION,
        "robot_type": "doppio",
        "total_episodes": len(episodes),
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": round(1 / TICK_S),
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": f"data/{_CHUNK}",
        "video_path": None,
        "features": features,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
