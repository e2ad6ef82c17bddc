"""What a fork may change in the world: `mug.mass=0.6`, `mug_2.x=0.03`, `world.friction=0.5`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.commands.outcome import CommandError

if TYPE_CHECKING:
    from sim.plant import MujocoPlant

PROPERTIES = {
    "mass": "kg",
    "x": "m to the east, from where it is",
    "y": "m to the north, from where it is",
    "z": "m up, from where it is",
}
WORLD_PROPERTIES = {"friction": "a factor"}


@dataclass(frozen=True)
class Change:
    """One property of one thing, or of all things of a class."""

    thing: str
    """An item's name as in the house (`mug_2`), a class (`mug`), or `world`."""
    name: str
    value: float

    def __str__(self) -> str:
        return f"{self.thing}.{self.name}={self.value:g}"


def parse_change(text: str) -> Change:
    """A Change from `thing.property=value`. Raises CommandError with what is known."""
    left, _, right = text.partition("=")
    thing, _, name = left.partition(".")
    try:
        value = float(right)
    except ValueError:
        raise CommandError(f"--set {text}: {right!r} is no number; write for example mug.mass=0.6") from None
    known = WORLD_PROPERTIES if thing == "world" else PROPERTIES
    if not thing or name not in known:
        choices = ", ".join(f"{thing or 'mug'}.{key} ({unit})" for key, unit in known.items())
        raise CommandError(f"--set {text}: {name or 'nothing'!r} cannot be changed; known: {choices}")
    if name in ("mass", "friction") and not value > 0.0:
        raise CommandError(f"--set {text}: {name} must be above 0")
    return Change(thing, name, value)


def apply_changes(plant: "MujocoPlant", changes: list[Change]) -> None:
    """Change the simulated world now. Raises CommandError for a thing that is not in this house."""
    import numpy as np

    from sim.disturbances.scene import Scene

    scene = Scene(plant)
    for change in changes:
        if change.thing == "world":
            scene.scale_friction(change.value)
            continue
        items = [n for n in scene.items if n == change.thing or n.rsplit("_", 1)[0] == change.thing]
        if not items:
            raise CommandError(f"--set {change}: this house has no {change.thing}; it has {', '.join(scene.items)}")
        for item in items:
            if change.name == "mass":
                scene.scale_mass(item, change.value / float(scene.model.body_mass[scene.body(item)]))
            else:
                scene.move_item(item, change.value * np.eye(3)["xyz".index(change.name)])
