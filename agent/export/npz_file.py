"""NumPy: one .npz with every column, and what has a time of its own as JSON text."""

import json
from pathlib import Path

import msgspec
import numpy as np

from agent.episodes import Episode
from agent.export.table import read_table


def export_npz(episode: Episode, out: Path) -> str:
    """Write `out`; returns what is in it, in words. Raises EpisodeError for an episode without steps, OSError."""
    table = read_table(episode)
    arrays = {name.replace(".", "_"): column.values for name, column in table.columns.items()}
    named = {f"names_{n.replace('.', '_')}": np.array(c.names) for n, c in table.columns.items() if c.names}
    events = [{"time_s": t, **msgspec.to_builtins(e)} for t, e in episode.events()]
    about = {"header": msgspec.to_builtins(episode.header), "summary": episode.summary, "events": events}
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        np.savez_compressed(
            file,
            time_s=table.time_s,
            subgoal=np.array(table.subgoals),
            about=np.array(json.dumps(about)),
            **arrays,  # pyright: ignore[reportArgumentType]
            **named,  # pyright: ignore[reportArgumentType]
        )
    part.replace(out)
    return f"{len(table.time_s)} steps, {len(arrays)} columns"
