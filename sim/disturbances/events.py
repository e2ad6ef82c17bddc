"""Single events, some time after the hand first touches something: what a mind should be surprised by."""

import numpy as np

from agent.messages import PAD_SHAPE, PLANT_STEP_S
from controllers.plant import PlantCommand, TouchFrame
from sim.disturbances.disturbance import Disturbance
from sim.disturbances.dynamics import Late
from sim.disturbances.scene import Scene

AFTER_CONTACT_S = (0.25, 1.5)
"""Time in contact, added up, before the event."""
FAR_AWAY_M = np.array([40.0, 40.0, 0.0])
SHIFT_M = (0.03, 0.05)
PUSH_N, PUSH_S = (18.0, 28.0), 0.20
STUCK_NS_M = 4000.0
LOOK_EVERY = 5
"""Steps between looks at the contacts."""


class Event(Disturbance):
    """Happens once, when the stretched-out hand has been in contact for a drawn time and the world is as the event
    needs it."""

    name = "event"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._contact_s = 0.0
        self._due_s = float(rng.uniform(*AFTER_CONTACT_S))
        self._steps = 0
        self.done = False

    def before_step(self) -> None:
        self._steps += 1
        if self.done or self._steps % LOOK_EVERY:
            return
        if self.scene.reaching() and self.in_contact():
            self._contact_s += LOOK_EVERY * PLANT_STEP_S
            if self._contact_s >= self._due_s and self.happen():
                self.done = True
                self.scene.note(self.name)

    def in_contact(self) -> bool:
        return self.scene.touching()

    def happen(self) -> bool:
        """Do it; False while the world does not allow it."""
        raise NotImplementedError


class ObjectRemoved(Event):
    """What is held is gone."""

    name = "object-removed"

    def in_contact(self) -> bool:
        return self.scene.held_item() is not None

    def happen(self) -> bool:
        item = self.scene.held_item()
        if item is None:
            return False
        self.scene.move_item(item, FAR_AWAY_M)
        return True


class MassDoubled(Event):
    """What is lifted weighs twice as much from now on. While it stands on something nobody could feel that."""

    name = "mass-doubled"

    def in_contact(self) -> bool:
        return self.scene.lifted_item() is not None

    def happen(self) -> bool:
        item = self.scene.lifted_item()
        if item is None:
            return False
        self.scene.scale_mass(item, 2.0)
        return True


class FrictionHalved(Event):
    """Everything is slippery from now on."""

    name = "friction-halved"

    def in_contact(self) -> bool:
        return self.scene.between_pads() is not None

    def happen(self) -> bool:
        self.scene.scale_friction(0.5)
        return True


class FrontStuck(Event):
    """The drawer or door that is being opened goes no further."""

    name = "front-stuck"

    def in_contact(self) -> bool:
        return self.scene.front_joint_in_hand() is not None

    def happen(self) -> bool:
        joint = self.scene.front_joint_in_hand()
        if joint is None:
            return False
        model = self.scene.model
        model.dof_damping[int(model.joint(joint).dofadr[0])] += STUCK_NS_M
        return True


class ObjectShifted(Event):
    """What the hand is at, or holds, is suddenly some centimetres aside."""

    name = "object-shifted"

    def in_contact(self) -> bool:
        return self.scene.nearest_item(0.12) is not None

    def happen(self) -> bool:
        item = self.scene.nearest_item(0.12)
        if item is None:
            return False
        angle, length = float(self.rng.uniform(0.0, 2.0 * np.pi)), float(self.rng.uniform(*SHIFT_M))
        self.scene.move_item(item, length * np.array([np.cos(angle), np.sin(angle), 0.0]))
        return True


class Push(Event):
    """One strong push on the hand."""

    name = "push"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._until_s = 0.0

    def happen(self) -> bool:
        angle = float(self.rng.uniform(0.0, 2.0 * np.pi))
        force = float(self.rng.uniform(*PUSH_N)) * np.array([np.cos(angle), np.sin(angle), 0.0])
        self.scene.data.xfrc_applied[self.scene.hand, :3] = force
        self._until_s = self.scene.time_s + PUSH_S
        return True

    def before_step(self) -> None:
        super().before_step()
        if self._until_s and self.scene.time_s >= self._until_s:
            self.scene.data.xfrc_applied[self.scene.hand, :3] = 0.0
            self._until_s = 0.0


class DeadRow(Event):
    """The row of taxels of one pad that is pressed most reads nothing any more."""

    name = "dead-row"

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._dead: tuple[int, int] | None = None
        self._pressed = np.zeros((2, PAD_SHAPE[0]))

    def in_contact(self) -> bool:
        return self.scene.between_pads() is not None

    def happen(self) -> bool:
        pad = int(self.rng.integers(2))
        row = int(np.argmax(self._pressed[pad]))
        self._dead = (pad, row)
        return True

    def touch(self, frame: TouchFrame) -> TouchFrame:
        if self._dead is None:
            self._pressed = frame.pads_n[:, 0, 0].sum(axis=2, dtype=np.float64)
        else:
            pad, row = self._dead
            frame.pads_n[pad, :, :, row] = 0.0
        return frame


class ExtraDelay(Event):
    """Set points reach the drives 50 ms late from now on."""

    name = "extra-delay"
    DELAY_S = 0.05

    def begin(self, scene: Scene, rng: np.random.Generator) -> None:
        super().begin(scene, rng)
        self._late = Late(self.DELAY_S)

    def happen(self) -> bool:
        return True

    def command(self, command: PlantCommand) -> PlantCommand:
        return self._late(command) if self.done else command
