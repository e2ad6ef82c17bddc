"""What a coffee machine does, driven by the travel of its joints alone.

A press is the button's way from below RELEASED_M to beyond the machine's threshold (60 % of its stroke and at
least 3 mm). At that moment brewing starts if mains and rocker are on, the lid is closed, an unused pod lies in
the holder and the tank holds a whole brew. Otherwise the press does nothing: no hot water without a pod, and no
brewing later while the button stays down. Opening the lid or switching off ends a brew; the pod stays used up.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.schema import Item, Machine
from sim.objects.machine import BREW_LIGHT_ON, LIGHT_OFF, POWER_LIGHT_ON
from sim.objects.machine_geometry import LID_CLOSED_RAD, POWER_ON_RAD, WELL_FLOOR_RADIUS_M, machine_geometry

RELEASED_M = 0.0012
LID_ABORT_RAD = 0.2
POD_MAX_TILT_COS = 0.94
"""20 degrees."""
POD_MAX_RISE_M = 0.004
"""How far above the floor of the well a pod's lowest point may hang."""


@dataclass(slots=True)
class MachineState:
    """One machine. Volumes in ml."""

    name: str
    tank_ml: float
    armed: bool = False
    """The button was seen released since the last press."""
    pressed: bool = False
    to_brew_ml: float = 0.0
    """Left of the running brew; 0 when idle."""
    brewed_ml: float = 0.0
    """Ever delivered through the spout."""
    presses: int = 0
    brews: int = 0
    """Brews started."""
    power_lit: bool = False

    @property
    def brewing(self) -> bool:
        return self.to_brew_ml > 0.0


class MachineStates:
    """All machines of a house and which pods are used up."""

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, machines: tuple[Machine, ...], items: tuple[Item, ...]
    ) -> None:
        self._model, self._data, self._machines = model, data, machines
        joints = [f"{m.name}_{part}" for m in machines for part in ("button", "lid", "power")]
        self._qpos_at = np.array([model.jnt_qposadr[model.joint(name).id] for name in joints], dtype=np.intp)
        self._geometry = [machine_geometry(m) for m in machines]
        self._holder_site = [model.site(f"{m.name}_holder").id for m in machines]
        self._spout_site = [model.site(f"{m.name}_spout").id for m in machines]
        self._lights = [
            [model.geom(f"{m.name}_{part}").id for part in ("power_light", "brew_light", "stream")] for m in machines
        ]
        self._pods = [item for item in items if item.class_name == "pod"]
        self._pod_body = [model.body(pod.name).id for pod in self._pods]
        self.states: list[MachineState] = []
        self.pod_used: list[bool] = []
        self.reset()

    def reset(self) -> None:
        self.states = [MachineState(m.name, m.params["tank_ml"]) for m in self._machines]
        self.pod_used = [False] * len(self._pods)
        self._show()

    def update(self, duration_s: float) -> list[tuple[NDArray[np.float64], float]]:
        """Advances all machines; returns (spout position in world, ml) of each stream."""
        if not self._machines:
            return []
        travel = self._data.qpos[self._qpos_at].tolist()
        streams: list[tuple[NDArray[np.float64], float]] = []
        changed = False
        for i, state in enumerate(self.states):
            machine = self._machines[i]
            button, lid, power = travel[3 * i : 3 * i + 3]
            lit = machine.has_mains and power > POWER_ON_RAD
            changed |= lit != state.power_lit
            state.power_lit = lit
            state.pressed = button >= self._geometry[i].press_threshold_m
            if state.pressed and state.armed:
                state.armed = False
                state.presses += 1
                changed |= self._try_to_brew(i, lid)
            elif button < RELEASED_M:
                state.armed = True
            if state.to_brew_ml > 0.0:
                if not lit or lid > LID_ABORT_RAD:
                    state.to_brew_ml = 0.0
                    changed = True
                    continue
                ml = min(machine.params["brew_rate_ml_s"] * duration_s, state.to_brew_ml)
                state.to_brew_ml = 0.0 if state.to_brew_ml - ml < 1e-9 else state.to_brew_ml - ml
                state.brewed_ml += ml
                state.tank_ml -= ml
                changed |= state.to_brew_ml == 0.0
                streams.append((self._data.site_xpos[self._spout_site[i]], ml))
        if changed:
            self._show()
        return streams

    def _try_to_brew(self, i: int, lid_rad: float) -> bool:
        state, machine = self.states[i], self._machines[i]
        brew_ml = machine.params["brew_ml"]
        if not state.power_lit or state.brewing or lid_rad >= LID_CLOSED_RAD or state.tank_ml < brew_ml:
            return False
        pod = self._pod_in_holder(i)
        if pod is None or self.pod_used[pod]:
            return False
        self.pod_used[pod] = True
        state.to_brew_ml = brew_ml
        state.brews += 1
        return True

    def _pod_in_holder(self, i: int) -> int | None:
        """Index of the pod that lies in the well: centred, flat, and down on its floor."""
        holder = self._data.site_xpos[self._holder_site[i]]
        for k, body in enumerate(self._pod_body):
            p = self._pods[k].params
            axis = self._data.xmat[body][6:9]
            up = float(self._data.xmat[body][8])
            underside = self._data.xpos[body]
            axis_in_world = self._data.xmat[body][[2, 5, 8]]
            centre = underside + axis_in_world * (p["height"] / 2)
            away = float(np.hypot(centre[0] - holder[0], centre[1] - holder[1]))
            lowest = float(centre[2]) - p["height"] / 2 * abs(up) - p["radius"] * float(np.hypot(axis[0], axis[1]))
            if (
                abs(up) > POD_MAX_TILT_COS
                and away < WELL_FLOOR_RADIUS_M + 0.004 - p["radius"] + 0.004
                and abs(lowest - float(holder[2])) < POD_MAX_RISE_M
            ):
                return k
        return None

    def index(self, machine_name: str) -> int:
        names = [m.name for m in self._machines]
        if machine_name not in names:
            raise KeyError(f"no machine {machine_name!r}; this house has {', '.join(names) or 'none'}")
        return names.index(machine_name)

    def pod_in_holder(self, machine_name: str) -> str | None:
        """Name of the pod in the machine's well, used or not."""
        k = self._pod_in_holder(self.index(machine_name))
        return None if k is None else self._pods[k].name

    def is_pod_used(self, pod_name: str) -> bool:
        return self.pod_used[[pod.name for pod in self._pods].index(pod_name)]

    def _show(self) -> None:
        """Colours lamps and stream; seen only, no part of the physics."""
        rgba = self._model.geom_rgba
        for state, (power, brew, stream) in zip(self.states, self._lights, strict=True):
            rgba[power] = POWER_LIGHT_ON if state.power_lit else LIGHT_OFF
            rgba[brew] = BREW_LIGHT_ON if state.brewing else LIGHT_OFF
            rgba[stream, 3] = 1.0 if state.brewing else 0.0

    def vector(self) -> list[float]:
        """Everything here that MuJoCo's state does not hold."""
        numbers = [float(used) for used in self.pod_used]
        for s in self.states:
            numbers += [
                s.tank_ml,
                float(s.armed),
                float(s.pressed),
                s.to_brew_ml,
                s.brewed_ml,
                float(s.presses),
                float(s.brews),
                float(s.power_lit),
            ]
        return numbers

    def set_vector(self, numbers: list[float]) -> list[float]:
        """Takes what `vector` gave from the front and returns the rest."""
        count = len(self._pods)
        self.pod_used, numbers = [x > 0.5 for x in numbers[:count]], numbers[count:]
        for s in self.states:
            (tank, armed, pressed, left, brewed, presses, brews, lit), numbers = numbers[:8], numbers[8:]
            s.tank_ml, s.to_brew_ml, s.brewed_ml = tank, left, brewed
            s.armed, s.pressed, s.power_lit = armed > 0.5, pressed > 0.5, lit > 0.5
            s.presses, s.brews = round(presses), round(brews)
        self._show()
        return numbers
