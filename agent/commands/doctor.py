"""Say what this machine has, what it lacks, and what follows.

example: doppio doctor
"""

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from agent.commands.arguments import add_json
from agent.commands.outcome import Exit, write_json

SUMMARY = "what this machine has and lacks, and what follows"

_MIN_FREE_GB = 5.0
_MIN_PYTHON = (3, 11)
_MARK = {"good": "[green]✓[/]", "limited": "[yellow]![/]", "bad": "[red]✗[/]"}


class Finding(NamedTuple):
    """One thing looked at."""

    name: str
    status: Literal["good", "limited", "bad"]
    found: str
    consequence: str = ""
    """What follows and what to do; empty when all is well."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    findings = [
        check_python(),
        *check_packages(),
        check_processors(),
        check_graphics(),
        check_video(),
        check_realtime(),
        check_disk(),
    ]
    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "found", "what follows"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        table.add_row(_MARK[finding.status], finding.name, finding.found, finding.consequence)
    console = Console(stderr=str(args.json) == "-")
    console.print(table)
    bad = [f.name for f in findings if f.status == "bad"]
    limited = [f.name for f in findings if f.status == "limited"]
    if bad:
        console.print(f"\n[red]Doppio cannot run before this is mended: {', '.join(bad)}.[/]")
    elif limited:
        console.print(f"\nDoppio runs here, with limits: {', '.join(limited)}.")
    else:
        console.print("\nEverything is there.")
    write_json(args.json, {"usable": not bad, "findings": [f._asdict() for f in findings]})
    return Exit.MISSING if bad else Exit.OK


def check_python() -> Finding:
    """The interpreter's version."""
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < _MIN_PYTHON:
        return Finding("python", "bad", found, "3.11 or newer is needed")
    return Finding("python", "good", found)


def check_packages() -> list[Finding]:
    """Required packages; episodes replay bit-exactly only with the same MuJoCo and numpy."""
    from agent.episodes import package_versions

    versions = package_versions()
    required = {name: v for name, v in versions.items() if name not in {"python", "doppio"}}
    missing = sorted(name for name, v in required.items() if v == "missing")
    found = ", ".join(f"{name} {v}" for name, v in required.items() if v != "missing")
    findings = [Finding("packages", "good", found)]
    if missing:
        consequence = f"missing: {', '.join(missing)}; `make install` adds them"
        findings = [Finding("packages", "bad", found, consequence)]
    if versions["doppio"] == "missing":
        findings.append(Finding("doppio", "limited", "not installed", "works from the checkout's folder only"))
    return findings


def check_processors() -> Finding:
    """Processors this process may use."""
    from agent.episodes import cpu_name

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = f"{usable} × {cpu_name()}"
    if usable < 2:
        return Finding("processors", "limited", found, "real time needs two; virtual time is only slower")
    return Finding("processors", "good", found)


def check_graphics() -> Finding:
    """Off-screen OpenGL."""
    try:
        from sim.render import opengl_status
    except Exception as error:  # MuJoCo loads the OpenGL it is told to use at once, and an incomplete one fails so
        kind = os.environ.get("MUJOCO_GL", "")
        consequence = "no simulation either while MUJOCO_GL asks for it: unset it, or install libegl1 and libopengl0"
        return Finding("OpenGL", "bad", f"MUJOCO_GL={kind} does not load: {error}", consequence)

    usable, found = opengl_status()
    if not usable:
        return Finding("OpenGL", "limited", found, "no videos and pictures; everything else works")
    return Finding("OpenGL", "good", found)


def check_video() -> Finding:
    """An H.264 encoder in PyAV."""
    try:
        import av

        av.CodecContext.create("libx264", "w")
    except Exception as error:
        return Finding("video", "limited", f"{type(error).__name__}: {error}", "no MP4; reinstall `av`")
    return Finding("video", "good", f"libx264 in PyAV {av.__version__}")


def check_realtime() -> Finding:
    """Permission to use the SCHED_FIFO scheduler."""
    if not hasattr(os, "sched_setscheduler"):
        return Finding(
            "real time", "limited", f"no SCHED_FIFO on {sys.platform}", "--realtime may miss ticks under load"
        )
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, policy, param)
    except PermissionError:
        return Finding(
            "real time",
            "limited",
            "SCHED_FIFO refused",
            "--realtime may miss ticks under load; allow it with `ulimit -r 50` or an rtprio line in limits.conf",
        )
    return Finding("real time", "good", "SCHED_FIFO allowed")


def check_disk() -> Finding:
    """Space where episodes go."""
    from agent.episodes import episodes_root
    from agent.episodes.allowance import VARIABLE, bound_bytes, used_bytes

    root = place = episodes_root().absolute()
    while not place.exists():
        place = place.parent
    finding = _judge_disk(place, shutil.disk_usage(place).free / 1e9, os.access(place, os.W_OK))
    bound = bound_bytes()
    limit = f"bound {bound / 1e9:.0f} GB" if bound is not None else f"no bound, see ${VARIABLE}"
    return finding._replace(found=f"{finding.found}; episodes take {used_bytes(root) / 1e9:.1f} GB ({limit})")


def _judge_disk(place: Path, free_gb: float, writable: bool) -> Finding:
    found = f"{free_gb:.0f} GB free at {place}"
    if not writable:
        return Finding("disk", "bad", f"{place} is not writable", "set $DOPPIO_EPISODES to a folder that is")
    if free_gb < _MIN_FREE_GB:
        return Finding("disk", "limited", found, "a coffee episode takes about 0.2 GB; set $DOPPIO_EPISODES elsewhere")
    return Finding("disk", "good", found)
