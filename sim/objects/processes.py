"""What happens in a house besides rigid bodies: machines brew, coffee flows and spills, things break and fall.

The plant calls `after_step` after every mj_step. The work is done once in STEPS_PER_TICK steps; nothing is
missed in between: impulses are differences of momentum, volumes are rates times time, joints move slower.
All state that MuJoCo does not hold is in `state_vector`.
"""

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.messages import STEPS_PER_TICK
from sim.house.schema import House
from sim.objects.breakage import Breakage
from sim.objects.falls import Falls
from sim.objects.liquid import Liquid
from sim.objects.machine_state import MachineState, MachineStates

_FLOOR_EVERY = 10
"""Ticks between looks at the floor."""


class Processes:
    """Machines, liquid, breakage and falls of one house, with the truth about them."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, house: House) -> None:
        """`model` must be compiled from this house; its masses are edited as mugs fill, `reset` restores them."""
        self._data = data
        self._items = list(house.items)
        self._body = np.array([model.body(item.name).id for item in self._items], dtype=np.intp)
        self._tick_s = float(model.opt.timestep) * STEPS_PER_TICK
        self.machines = MachineStates(model, data, house.machines, house.items)
        self.liquid = Liquid(model, data, house.items)
        self.breakage = Breakage(model, self._items, self._tick_s)
        self.falls = Falls(model, data, self._items)
        self._steps = 0

    def reset(self) -> None:
        """Call after mj_resetData (and mj_forward where things start moving) and before the first step."""
        self._steps = 0
        self.machines.reset()
        self.liquid.reset()
        self.breakage.reset(self._data.cvel[self._body, 3:6])
        self.falls.reset()

    def after_step(self) -> None:
        """Call after every mj_step."""
        self._steps += 1
        if self._steps % STEPS_PER_TICK:
            return
        # cvel is taken at the tree's centre of mass: for a free body, its own.
        velocity = self._data.cvel[self._body, 3:6]
        self.breakage.update(velocity)
        self.falls.update(velocity)
        if self._steps % (STEPS_PER_TICK * _FLOOR_EVERY) == 0:
            self.falls.check_floor()
        self.liquid.update(self._tick_s, self.machines.update(self._tick_s), self.breakage.broken)

    def mug_ml(self, name: str) -> float:
        """Coffee in a mug, ml."""
        return self.liquid.amount_ml(name)

    @property
    def spilled_ml(self) -> float:
        return self.liquid.spilled_ml

    @property
    def broken(self) -> tuple[str, ...]:
        return tuple(sorted(self.breakage.broken))

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(sorted(self.falls.dropped))

    @property
    def machine_states(self) -> dict[str, MachineState]:
        return {state.name: state for state in self.machines.states}

    def state_vector(self) -> NDArray[np.float64]:
        """Everything here that MuJoCo's own state does not hold, for hashes and snapshots."""
        parts = (self.machines, self.liquid, self.breakage, self.falls)
        return np.array([float(self._steps), *(x for part in parts for x in part.vector())], dtype=np.float64)

    def set_state_vector(self, vector: NDArray[np.float64]) -> None:
        """Restores what `state_vector` gave, masses included. Raises ValueError for a vector of another house."""
        expected = self.state_vector().shape
        if vector.shape != expected:
            raise ValueError(f"a state vector of this house has shape {expected}, not {vector.shape}")
        numbers = vector.tolist()
        self._steps = round(numbers[0])
        rest = numbers[1:]
        for part in (self.machines, self.liquid, self.breakage, self.falls):
            rest = part.set_vector(rest)
