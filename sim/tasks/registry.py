"""Every task by name: the single list that command line, evaluation, Gymnasium and documentation share.

Plain data: importing this loads no MuJoCo. How a task starts is in `sim.tasks.starts`, what it means to have done it
in `sim.tasks.goals`, both under the task's name.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from agent.messages import SubgoalKind

K = SubgoalKind

SURFACES: Final = ("counter", "table", "side_table", "shelf", "dish_rack")
CABINETS: Final = ("cabinet_hinge_left", "cabinet_hinge_right")
FRIDGES: Final = ("fridge_hinge_left", "fridge_hinge_right")
MACHINE: Final = ("coffee_machine",)


class UnknownTaskError(KeyError):
    """No task has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Task:
    """One task. `subgoal` is what the mind is given; None leaves it to the planner."""

    name: str
    about: str
    """One line for people."""
    start: str
    """The state of the world at the start, for people."""
    success: str
    """What must be true for a second, for people."""
    time_limit_s: float
    subgoal: SubgoalKind | None = None
    target_classes: tuple[str, ...] = ()
    """Classes, as detections name them, of what the subgoal is done to. The robot starts turned to what is meant."""
    item: str = ""
    """What is looked for."""
    holding: Literal["", "mug", "pod"] = ""
    """What is in the hand at the start."""
    full: bool = False
    """Whether the mug in the hand, or under the spout, is full of coffee."""

    @property
    def gymnasium_id(self) -> str:
        """E.g. `doppio/PickMug-v0`."""
        return f"doppio/{''.join(word.capitalize() for word in self.name.split('-'))}-v0"


_ALL: Final = (
    Task(
        "coffee",
        "make a cup of coffee in a house never seen and serve it",
        "in some room other than the kitchen",
        "150 ml of coffee in one unbroken upright mug that stands on the dining table, let go",
        900.0,
    ),
    Task(
        "go-to",
        "drive to the dining table",
        "1.7 to 4.5 m from its edge, no wall in between",
        "the base stands still within 1.4 m of the table and faces it",
        40.0,
        K.GO_TO,
        ("table",),
    ),
    Task(
        "push-door",
        "push a room door open and pass",
        "1.1 to 2.2 m before a door that is shut or ajar, on either side of it",
        "the base has gone between the door's posts and is past them by 0.2 m",
        60.0,
        K.PUSH_DOOR,
        ("door",),
    ),
    Task(
        "open-cabinet",
        "open an upper or lower cabinet",
        "0.9 to 1.8 m before a closed cabinet",
        "a cabinet that was closed is open by 70 % of its travel, let go",
        90.0,
        K.OPEN,
        CABINETS,
    ),
    Task(
        "open-drawer",
        "open a drawer",
        "0.9 to 1.8 m before a closed drawer",
        "a drawer that was closed is open by 70 % of its travel, let go",
        90.0,
        K.OPEN,
        ("drawer",),
    ),
    Task(
        "open-fridge",
        "open a fridge",
        "0.9 to 1.8 m before a closed fridge",
        "a fridge that was closed is open by 70 % of its travel, let go",
        90.0,
        K.OPEN,
        FRIDGES,
    ),
    Task(
        "look-for-mug",
        "find a mug on an open surface",
        "2.5 to 3.5 m before a surface with a mug",
        "a mug within 2.3 m is in the head camera's view, nothing in between",
        60.0,
        K.LOOK_FOR,
        SURFACES,
        item="mug",
    ),
    Task(
        "pick-mug",
        "pick up a mug",
        "0.9 to 1.6 m before a mug, what closes its place opened (0.58 to 0.72 m before an open drawer)",
        "an unbroken mug is held by both pads and nothing else, 5 cm away from where it stood",
        90.0,
        K.PICK,
        ("mug",),
    ),
    Task(
        "pick-pod",
        "pick up a coffee pod",
        "as pick-mug, before a pod",
        "a pod is held by both pads and nothing else, 5 cm away from where it lay",
        90.0,
        K.PICK,
        ("pod",),
    ),
    Task(
        "place-mug",
        "put a mug down on a counter",
        "an empty mug in the hand, 0.9 to 1.8 m before a counter",
        "the mug stands upright, still and unbroken on a counter, let go",
        90.0,
        K.PLACE,
        ("counter",),
        holding="mug",
    ),
    Task(
        "open-lid",
        "open the lid of the coffee machine",
        "0.9 to 1.6 m before the machine, lid closed",
        "the lid stays open by 75° or more, let go",
        90.0,
        K.OPEN_LID,
        MACHINE,
    ),
    Task(
        "close-lid",
        "close the lid of the coffee machine",
        "0.9 to 1.6 m before the machine, lid open, a pod in the holder",
        "the lid is closed, let go, and the pod is still in the holder",
        90.0,
        K.CLOSE_LID,
        MACHINE,
    ),
    Task(
        "insert-pod",
        "put a pod into the coffee machine",
        "a pod in the hand, 0.9 to 1.6 m before the machine, lid open",
        "an unused pod lies flat in the holder, let go",
        90.0,
        K.INSERT_POD,
        MACHINE,
        holding="pod",
    ),
    Task(
        "place-under-spout",
        "put a mug under the spout of the coffee machine",
        "an empty mug in the hand, 0.9 to 1.6 m before the machine, lid closed, a pod in the holder",
        "the mug stands on the drip tray with its mouth under the spout, let go",
        90.0,
        K.PLACE_UNDER_SPOUT,
        MACHINE,
        holding="mug",
    ),
    Task(
        "press-button",
        "start the coffee machine and wait for it",
        "0.9 to 1.6 m before the machine, lid closed, a pod in the holder, a mug under the spout",
        "a brew was started and has run to its end, into the mug",
        90.0,
        K.PRESS,
        MACHINE,
    ),
    Task(
        "pick-coffee",
        "take the full mug from the coffee machine",
        "0.9 to 1.6 m before the machine, a full mug under the spout",
        "as pick-mug, with 95 % of its coffee",
        90.0,
        K.PICK,
        ("mug",),
        full=True,
    ),
    Task(
        "carry-mug",
        "carry a full mug to the dining table",
        "a full mug in the hand, 1.6 to 4.5 m from the table's edge, no wall in between",
        "the mug is held with 95 % of its coffee, the base within 1.3 m of the table",
        60.0,
        K.CARRY,
        ("table",),
        holding="mug",
        full=True,
    ),
    Task(
        "serve-coffee",
        "put a full mug on the dining table",
        "a full mug in the hand, 0.7 to 1 m from the table",
        "the mug stands upright, still and unbroken on the table with 95 % of its coffee, let go",
        90.0,
        K.SERVE,
        ("table",),
        holding="mug",
        full=True,
    ),
    Task(
        "close-drawer",
        "close a drawer",
        "0.9 to 1.8 m before an open drawer",
        "a drawer that was open is closed to 10 % of its travel, let go",
        90.0,
        K.CLOSE,
        ("drawer",),
    ),
    Task(
        "close-cabinet",
        "close an upper or lower cabinet",
        "0.9 to 1.8 m before an open cabinet whose handle can be seen",
        "a cabinet that was open is closed to 10 % of its travel, let go",
        90.0,
        K.CLOSE,
        CABINETS,
    ),
)

TASKS: Final[dict[str, Task]] = {task.name: task for task in _ALL}


def find_task(name: str) -> Task:
    """The task of this name. Raises UnknownTaskError with the nearest names."""
    if name in TASKS:
        return TASKS[name]
    near = get_close_matches(name, TASKS, n=3)
    hint = f"did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
    raise UnknownTaskError(f"there is no task {name!r}; {hint}known: {', '.join(TASKS)}")
