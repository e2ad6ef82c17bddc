"""Show an episode in a browser: served from this machine, or as one file that needs nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.outcome import CommandError
from agent.episodes import Episode

if TYPE_CHECKING:
    import mujoco
    from rich.console import Console

    from agent.viewer.server import PageServer


def page_data(episode: Episode, console: "Console") -> bytes:
    """What a page shows of this episode, kept beside its log. Raises EpisodeError where there is nothing to show."""
    from rich.progress import Progress

    from agent.episodes.why import explain, why_as_json
    from agent.viewer.bundle import bundle, cached_bundle

    def make() -> bytes:
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("reading the episode")
            alone = robot_alone if episode.header.robot != "in-process" else None
            return bundle(
                episode,
                why_as_json(explain(episode)),
                alone,
                lambda done, total: progress.update(bar, completed=done, total=total),
            )

    return cached_bundle(episode, make)


def robot_alone() -> "mujoco.MjModel":
    """The robot on an empty floor: for an episode of a robot elsewhere, whose house is not known."""
    import mujoco

    from sim.robot import add_robot

    spec = mujoco.MjSpec()
    add_robot(spec, (0.0, 0.0, 0.0))
    return spec.compile()


def write_report(episodes: list[Episode], out: Path, console: "Console") -> int:
    """One HTML file with everything in it; returns its bytes. Raises CommandError where it cannot be written."""
    from agent.viewer.page import render_page

    page = render_page(_title(episodes), [page_data(episode, console) for episode in episodes])
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise CommandError(f"cannot write {out}: {error.strerror}") from error
    return out.stat().st_size


def serve(episodes: list[Episode], console: "Console", port: int = 0) -> "PageServer":
    """A server of the page, on this machine only. Raises CommandError for a port that is taken."""
    from agent.viewer.page import render_page
    from agent.viewer.server import BINARY, HTML, PageServer

    urls = [f"/data/{number}" for number in range(len(episodes))]
    contents = {"/": (HTML, render_page(_title(episodes), urls=urls).encode())}
    for url, episode in zip(urls, episodes, strict=True):
        contents[url] = BINARY, page_data(episode, console)
    try:
        return PageServer(contents, port)
    except OSError as error:
        raise CommandError(f"cannot serve at port {port}: {error.strerror}; choose another with --port") from error


def view(episodes: list[Episode], console: "Console", port: int, at_s: float | None, open_browser: bool) -> None:
    """Serve the page until interrupted."""
    import webbrowser

    with serve(episodes, console, port) as server:
        moment = "" if at_s is None else f"#t={at_s:.2f}"
        console.print(f"showing it at {server.address}{moment}   (Ctrl-C ends it)", highlight=False)
        if open_browser:
            webbrowser.open(server.address + moment)
        try:
            server.wait()
        except KeyboardInterrupt:
            console.print("no longer shown")


def _title(episodes: list[Episode]) -> str:
    first = episodes[0].header
    return f"{first.task} {first.split} {first.index}" + (" · two episodes" if len(episodes) > 1 else "")
