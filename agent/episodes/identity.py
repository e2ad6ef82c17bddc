"""Which code, on which machine: the part of an episode's header that is not its task."""

import hashlib
import platform
import subprocess
import sys
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agent.episodes.records import CodeIdentity, EpisodeHeader
from agent.messages import Limits

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("agent", "controllers", "sim")
_RECORDED_PACKAGES = ("mujoco", "numpy", "torch", "daqp", "msgspec", "pyzmq", "gymnasium")


@cache
def code_identity() -> CodeIdentity:
    """Identity of the running code, by content, and by git commit where there is one."""
    digest = hashlib.sha256()
    for folder in (*_PACKAGES, "assets"):
        for path in sorted((_ROOT / folder).rglob("*")):
            # Installed, the assets lie inside sim/; in a checkout beside it. Bytecode is no source.
            if path.is_file() and (path.suffix == ".py" or "assets" in path.parts):
                relative = path.relative_to(_ROOT).as_posix().removeprefix("sim/assets/").removeprefix("assets/")
                digest.update(relative.encode() + b"\0" + path.read_bytes() + b"\0")
    return CodeIdentity(sources=digest.hexdigest()[:16], commit=_git_commit())


def _git_commit() -> str:
    if not (_ROOT / ".git").exists():
        return ""
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *_PACKAGES, "assets")
    except (OSError, subprocess.SubprocessError):
        return ""
    return commit + ("+changes" if changed else "")


def _git(*arguments: str) -> str:
    # Without optional locks: a run that is killed here must not leave the repository locked.
    command = ["git", "--no-optional-locks", "-C", str(_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


@cache
def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on; `missing` where one is not installed."""
    versions = {"python": platform.python_version()}
    for name in ("doppio", *_RECORDED_PACKAGES):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "missing"
    return versions


@cache
def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def command_line() -> list[str]:
    """The arguments this process was started with."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def new_header(
    *,
    task: str,
    split: str,
    index: int,
    policy: str,
    planner: str,
    disturbance: str = "none",
    seed: int = 0,
    checkpoint: str = "",
    weights: str = "",
    realtime: bool = False,
    robot: str = "in-process",
    body: str = "",
    initial_state_hash: str = "",
    model: str = "",
    parent: str = "",
    forked_at_step: int = -1,
    changes: dict[str, str] | None = None,
    limits: Limits | None = None,
) -> EpisodeHeader:
    """The header of an episode that begins now, in this process."""
    return EpisodeHeader(
        task=task,
        split=split,
        index=index,
        policy=policy,
        planner=planner,
        disturbance=disturbance,
        seed=seed,
        checkpoint=checkpoint,
        weights=weights,
        realtime=realtime,
        robot=robot,
        body=body,
        initial_state_hash=initial_state_hash,
        model=model,
        parent=parent,
        forked_at_step=forked_at_step,
        changes=changes or {},
        limits=limits,
        code=code_identity(),
        versions=package_versions(),
        cpu=cpu_name(),
        command=command_line(),
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
    )
