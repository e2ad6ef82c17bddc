"""Write an episode in another program's format, with clear words where its package is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.outcome import CommandError, Exit

if TYPE_CHECKING:
    from rich.console import Console

    from agent.episodes import Episode

FORMATS = ("lerobot", "mcap", "npz", "rerun")
SUFFIXES = {"mcap": ".mcap", "npz": ".npz", "rerun": ".rrd"}


def export(episodes: "Sequence[Episode]", kind: str, out: Path, console: "Console") -> str:
    """Write `episodes` (more than one only as lerobot) to `out`; returns what was written, in words.

    Raises CommandError for a path or package that does not do, EpisodeError for an episode without steps.
    """
    suffix = SUFFIXES.get(kind)
    if suffix is not None and out.suffix != suffix:
        found = repr(out.suffix) if out.suffix else "a name without suffix"
        raise CommandError(f"--export {kind} writes {suffix} files, not {found}: {out}")
    if suffix is not None and len(episodes) > 1:
        raise CommandError(f"a {suffix} file holds one episode; of {len(episodes)} only a lerobot dataset can be made")
    try:
        return _write(episodes, kind, out, console)
    except ModuleNotFoundError as error:
        raise CommandError(
            f"--export {kind} needs the package {error.name}: in the checkout, pip install -e '.[{kind}]'", Exit.MISSING
        ) from error
    except OSError as error:
        raise CommandError(f"cannot write {out}: {error.strerror or error}") from error


def _write(episodes: "Sequence[Episode]", kind: str, out: Path, console: "Console") -> str:
    if kind == "lerobot":
        from agent.export.lerobot_dataset import export_lerobot

        return export_lerobot(episodes, out)
    (episode,) = episodes
    if kind == "npz":
        from agent.export.npz_file import export_npz

        return export_npz(episode, out)
    if kind == "rerun":
        from agent.export.rerun_file import export_rerun

        return export_rerun(episode, out)
    from rich.progress import Progress

    from agent.export.mcap_file import export_mcap

    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("writing MCAP")
        return export_mcap(episode, out, lambda done, total: progress.update(bar, completed=done, total=total))
