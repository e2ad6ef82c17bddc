"""Find out whether pictures can be rendered here, before MuJoCo is asked to."""

import os
import subprocess
import sys
from functools import cache

from agent.commands.outcome import CommandError, Exit

_PROBE = "import mujoco; c = mujoco.GLContext(64, 64); c.make_current(); c.free()"


@cache
def probe_gl(backend: str) -> str:
    """Empty when an off-screen OpenGL context of this kind (egl, osmesa, glfw) can be made, else why not.

    Another process tries it: a broken driver may abort.
    """
    command = [sys.executable, "-W", "ignore", "-c", _PROBE]
    try:
        tried = subprocess.run(
            command,
            env={**os.environ, "MUJOCO_GL": backend},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "no answer within 60 s"
    if tried.returncode == 0:
        return ""
    lines = [line for line in tried.stderr.splitlines() if line and not line.startswith((" ", "Exception ignored"))]
    return lines[-1] if lines else f"the trial ended with status {tried.returncode}"


def use_gl() -> str:
    """Set MUJOCO_GL to a kind that works here and return it; call before anything imports mujoco.

    A MUJOCO_GL that is set already is kept. Raises CommandError (Exit.MISSING) when none works.
    """
    asked = os.environ.get("MUJOCO_GL")
    reasons = {}
    for backend in [asked] if asked else ["egl", "glfw"]:
        reasons[backend] = probe_gl(backend)
        if not reasons[backend]:
            os.environ["MUJOCO_GL"] = backend
            return backend
    tried = "; ".join(f"{backend}: {reason}" for backend, reason in reasons.items())
    raise CommandError(
        f"no picture: OpenGL is missing here ({tried}). On Debian and Ubuntu `apt install libegl1` adds it; "
        "everything else works without",
        Exit.MISSING,
    )
