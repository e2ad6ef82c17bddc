"""Which room may import which: read from the source, so nothing hides behind a condition or inside a function."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("agent", "controllers", "sim")

WIRING = ("agent/cli.py", "agent/commands/")
"""The only files of `agent` that may import `sim`, and only inside functions."""


def _files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(path: Path) -> list[tuple[str, bool, int]]:
    """(module, whether at the top level, line) of every import; relative ones made absolute."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found: list[tuple[str, bool, int]] = []
    tree = _tree(path)
    late = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(outer)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        top = id(node) not in late
        if isinstance(node, ast.Import):
            found += [(alias.name, top, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            # `from agent import messages` names agent.messages too.
            found += [(f"{module}.{alias.name}", top, node.lineno) for alias in node.names]
    return found


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _problem(file: str, module: str, top: bool) -> str:
    ours = _within(module, *ROOMS)
    if file.startswith("agent/messages/"):
        if ours and not _within(module, "agent.messages"):
            return "agent.messages imports nothing else of ours"
    elif file.startswith("controllers/"):
        if ours and not _within(module, "controllers", "agent.messages"):
            return "controllers import only agent.messages"
    elif file.startswith("sim/"):
        if ours and not _within(module, "sim", "controllers", "agent.messages"):
            return "sim imports only agent.messages and controllers"
    elif _within(module, "sim"):
        if not file.startswith(WIRING):
            return "agent never imports sim; only the command line does"
        if top:
            return "the command line imports sim inside functions only"
    return ""


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_they_may(room: str) -> None:
    files = _files(room)
    assert files
    problems = []
    for path in files:
        file = path.relative_to(ROOT).as_posix()
        for module, top, line in _imports(path):
            if problem := _problem(file, module, top):
                problems.append(f"{file}:{line} imports {module}: {problem}")
    assert not problems, "\n".join(problems)


def test_messages_import_only_msgspec_numpy_and_the_standard_library() -> None:
    allowed = {"agent", "msgspec", "numpy", *sys.stdlib_module_names}
    names = {module.partition(".")[0] for path in _files("agent/messages") for module, _, _ in _imports(path)}
    assert {"msgspec", "numpy"} <= names <= allowed


def test_nothing_is_ever_unpickled() -> None:
    """Neither pickle nor what uses it silently: pyobj sockets, joblib, shelve, dill."""
    banned = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
    problems = []
    for path in (path for room in ROOMS for path in _files(room)):
        for module, _, line in _imports(path):
            if _within(module, *banned):
                problems.append(f"{path}:{line} imports {module}")
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Attribute) and node.attr in ("send_pyobj", "recv_pyobj", "CONFLATE"):
                problems.append(f"{path}:{node.lineno} uses {node.attr}")
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and _truth(node.value) is not False:
                problems.append(f"{path}:{node.value.lineno} allows pickles")
    assert not problems, "\n".join(problems)


def _truth(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


@pytest.mark.parametrize(
    ("file", "module", "top", "wrong"),
    [
        ("agent/loop.py", "sim.robot", False, True),
        ("agent/commands/run.py", "sim.robot", True, True),
        ("agent/commands/run.py", "sim.robot", False, False),
        ("controllers/ik.py", "agent.skills.pick", True, True),
        ("controllers/ik.py", "agent.messages", True, False),
        ("sim/robot/model.py", "agent.belief", False, True),
        ("sim/robot/model.py", "controllers.plant", True, False),
        ("agent/messages/plan.py", "controllers.plant", True, True),
        ("agent/loop.py", "simple", True, False),
    ],
)
def test_the_rules_catch_what_they_should(file: str, module: str, top: bool, wrong: bool) -> None:
    assert bool(_problem(file, module, top)) is wrong


@pytest.mark.parametrize("module", ["agent.cli", "agent.planner.process", "agent.links.remote_robot"])
def test_what_starts_often_loads_nothing_heavy(module: str) -> None:
    """`doppio --help` and the planner's process are there at once."""
    code = f"import sys, {module}; print(sorted({{'torch', 'mujoco', 'mink', 'scipy'}} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
