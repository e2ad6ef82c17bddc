"""Pairs of what can and what cannot be: until the moment in question both run alike, bit for bit.

What surprise is asked about as infants are (violation of expectation, Baillargeon et al. 1985): which of the two is the
stranger one? None of this is ever in training data. Nothing is drawn: the moment follows from the world's state.
"""

import numpy as np

from controllers.plant import PlantCommand
from sim.disturbances.disturbance import Disturbance
from sim.disturbances.scene import Scene

LOOK_EVERY = 5
"""Steps between looks at the contacts."""
ABOVE_M, OPENS_S, OPENING_N = (0.012, 0.05), 0.6, -25.0
"""How high above what is below the hand lets go."""
NEAR_MUG_M, HIGH_M, HOP_M_S, GRAVITY_M_S2 = 0.105, 0.15, 1.3, 9.81
NEAR_HANDLE_M, MOVES_BY, MOVES_S = 0.10, 0.2, 0.5
SINK_M_S = 0.15


class Moment(Disturbance):
    """Something that begins once, when `due` says so."""

    name = "moment"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._steps = 0
        self._since_s: float | None = None
        """When it began."""

    def before_step(self) -> None:
        self._steps += 1
        if self._since_s is None:
            if self._steps % LOOK_EVERY or not self.scene.reaching() or not self.due():
                return
            self._since_s = self.scene.time_s
            self.scene.note(self.name)
        self.go_on(self.scene.time_s - self._since_s)

    def due(self) -> bool:
        """Whether it begins now, the arm being stretched out."""
        raise NotImplementedError

    def go_on(self, since_s: float) -> None:
        """Each step from then on."""


class SetDown(Moment):
    """What the hand has put down and let go of stands there: as it should be."""

    name = "set-down"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._put = ""

    def due(self) -> bool:
        self._put = self.scene.lifted_item() or self._put
        return bool(self._put) and self.scene.held_item() is None and self.scene.stands(self._put)


class Sinks(SetDown):
    """What the hand has put down and let go of sinks slowly through what it stands on."""

    name = "sinks"

    def go_on(self, since_s: float) -> None:
        pose = self.scene.pose(self._put).copy()
        if since_s == 0.0:
            self._from_m = float(pose[2])
        pose[2] = self._from_m - SINK_M_S * since_s
        self.scene.hold(self._put, pose)


class LetGo(Moment):
    """The hand opens in the air by mistake, and what it held falls."""

    name = "let-go"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self.held = ""

    def due(self) -> bool:
        held = self.scene.lifted_item()
        self.held = held or self.held
        return held is not None and ABOVE_M[0] < self.scene.room_below_m(held) < ABOVE_M[1]

    def command(self, command: PlantCommand) -> PlantCommand:
        if self._since_s is not None and self.scene.time_s - self._since_s < OPENS_S:
            command = command.copy()
            command.grip_force_n = OPENING_N
        return command


class Hovers(LetGo):
    """The hand opens in the air by mistake, and what it held stays there."""

    name = "hovers"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._stay = Stay(scene)

    def go_on(self, since_s: float) -> None:
        self._stay.keep(self.held)


class Nudged(Moment):
    """The mug gets a knock from below as the hand comes near, hops, and falls back."""

    name = "nudged"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self.mug = ""

    def due(self) -> bool:
        scene = self.scene
        for item in scene.plant.house.items:
            away = scene.data.xpos[scene.body(item.name)] - scene.tool_in_world_m
            if item.class_name == "mug" and float(np.hypot(away[0], away[1])) < NEAR_MUG_M and abs(away[2]) < HIGH_M:
                self.mug = item.name
                scene.knock(item.name, np.array([0.0, 0.0, HOP_M_S]))
                return True
        return False


class Floats(Nudged):
    """The mug gets a knock from below as the hand comes near, hops, and stays up in the air."""

    name = "floats"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._stay = Stay(scene)

    def go_on(self, since_s: float) -> None:
        if since_s > HOP_M_S / GRAVITY_M_S2:
            self._stay.keep(self.mug)


class DrawerWaits(Moment):
    """The hand is about to take the handle of a closed drawer: as it should be."""

    name = "drawer-waits"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self.joint = -1

    def due(self) -> bool:
        scene, tool = self.scene, self.scene.tool_in_world_m
        for front in scene.plant.house.fronts:
            if front.class_name != "drawer":
                continue
            joint = int(scene.model.joint(front.joint).qposadr[0])
            closed = abs(float(scene.data.qpos[joint])) < 0.01
            handle = np.array([front.handle_x, front.handle_y, front.handle_z])
            if closed and float(np.linalg.norm(handle - tool)) < NEAR_HANDLE_M:
                self.joint, self._full_m = joint, front.open_joint
                self._dof = int(scene.model.joint(front.joint).dofadr[0])
                return True
        return False


class DrawerMoves(DrawerWaits):
    """The drawer opens a little by itself before the hand is there."""

    name = "drawer-moves"

    def go_on(self, since_s: float) -> None:
        if since_s < MOVES_S:
            self.scene.data.qvel[self._dof] = MOVES_BY * self._full_m / MOVES_S


class Stay:
    """Keeps things in the air where they are."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._at: dict[str, np.ndarray] = {}

    def keep(self, item: str) -> None:
        """From the first step in which the hand does not hold it any more; called in every step."""
        scene = self._scene
        if item not in self._at:
            if scene.between_pads() == scene.body(item):
                return
            self._at[item] = scene.pose(item).copy()
        scene.hold(item, self._at[item])


MOMENTS = {kind.name: kind for kind in (SetDown, Sinks, LetGo, Hovers, Nudged, Floats, DrawerWaits, DrawerMoves)}
PAIRS = {
    "sinks": ("place-mug", SetDown.name, Sinks.name),
    "hovers": ("place-mug", LetGo.name, Hovers.name),
    "floats": ("pick-mug", Nudged.name, Floats.name),
    "drawer-moves": ("open-drawer", DrawerWaits.name, DrawerMoves.name),
}
"""Kind of pair: the task, what can be, what cannot."""
