"""The machine is a mechanism: brewing needs power, water, a closed lid, an unused pod and a fresh press."""

import mujoco
import numpy as np
import pytest
from object_bench import TABLE_M, Bench, a_machine, a_mug, a_pod, build, rotation_y

from sim.house.schema import SPLITS, Machine, Split
from sim.objects.draw import MACHINE_KINDS, POD_RANGES
from sim.objects.machine import add_machine
from sim.objects.machine_geometry import LID_CLOSED_RAD, machine_geometry

KINDS = sorted({kind[:2] for split in SPLITS for kind in MACHINE_KINDS[split]})


def split_with(kind: tuple[str, str]) -> Split:
    return next(s for s in SPLITS if kind in {k[:2] for k in MACHINE_KINDS[s]})


def spot(machine: Machine, z: float, dx: float = 0.0, dy: float = 0.0) -> tuple[float, float, float]:
    """A point above or below the spout; z in the machine's frame."""
    return machine.x + machine_geometry(machine).spout_x + dx, machine.y + dy, machine.z + z


def ready(machine: Machine, pod: bool = True, mug: bool = True) -> Bench:
    """Pod in the well, mug on the tray, lid closed."""
    bench = build((a_mug(), a_pod()), (machine,))
    g = machine_geometry(machine)
    if pod:
        bench.put("pod", spot(machine, g.well_floor_z + 0.0005))
    if mug:
        bench.put("mug", spot(machine, g.tray_z + 0.0005))
    bench.run(0.3)
    return bench


def press(bench: Bench, seconds: float = 0.3, force: float = 14.0) -> None:
    bench.push("m_button", force)
    bench.run(seconds)
    bench.push("m_button", 0.0)
    bench.run(0.2)


def brews(bench: Bench) -> int:
    return bench.processes.machine_states["m"].brews


@pytest.mark.parametrize("kind", KINDS)
def test_right_order_brews_what_it_promises_into_the_mug(kind: tuple[str, str]) -> None:
    machine = a_machine(split_with(kind), lid_hinge=kind[0], button_place=kind[1])
    bench = ready(machine)
    assert bench.processes.machines.pod_in_holder("m") == "pod"
    press(bench)
    state = bench.processes.machine_states["m"]
    assert state.brewing
    seconds = machine.params["brew_ml"] / machine.params["brew_rate_ml_s"]
    bench.run(seconds - 0.6)
    assert state.brewing
    bench.run(0.4)
    assert not state.brewing
    assert bench.processes.mug_ml("mug") == pytest.approx(machine.params["brew_ml"])
    assert bench.processes.spilled_ml == 0.0
    assert state.tank_ml == pytest.approx(machine.params["tank_ml"] - machine.params["brew_ml"])


def test_every_missing_condition_means_no_brew() -> None:
    machine = a_machine()
    no_mains = a_machine(mains=False)

    def lid_open(bench: Bench) -> None:
        bench.set_joint("m_lid", 1.7)

    def lid_ajar(bench: Bench) -> None:
        bench.push("m_lid", 0.5)
        bench.set_joint("m_lid", LID_CLOSED_RAD + 0.05)

    def switched_off(bench: Bench) -> None:
        bench.set_joint("m_power", 0.0)

    def dry(bench: Bench) -> None:
        bench.processes.machine_states["m"].tank_ml = 100.0

    for spoil in (lid_open, lid_ajar, switched_off, dry):
        bench = ready(machine)
        spoil(bench)
        press(bench)
        assert brews(bench) == 0, spoil.__name__
        assert bench.processes.machine_states["m"].presses == 1
    for bench in (ready(machine, pod=False), ready(no_mains)):
        press(bench)
        assert brews(bench) == 0
    assert not bench.processes.machine_states["m"].power_lit


def test_a_button_held_down_from_before_starts_nothing() -> None:
    machine = a_machine()
    bench = ready(machine, pod=False)
    bench.push("m_button", 14.0)
    bench.run(0.3)
    bench.put("pod", spot(machine, machine_geometry(machine).well_floor_z + 0.0005))
    bench.run(1.0)
    assert brews(bench) == 0
    bench.push("m_button", 0.0)
    bench.run(0.3)
    press(bench)
    assert brews(bench) == 1


def test_a_button_held_down_since_the_reset_starts_nothing() -> None:
    machine = a_machine()
    bench = ready(machine)
    bench.set_joint("m_button", machine.params["button_stroke"])
    bench.push("m_button", 14.0)
    bench.processes.reset()
    bench.run(1.0)
    assert brews(bench) == 0


@pytest.mark.parametrize("split", SPLITS)
def test_a_press_needs_its_force_and_its_travel(split: Split) -> None:
    for seed in range(3):
        machine = a_machine(split, seed)
        bench = ready(machine, mug=False)
        press(bench, force=0.45 * machine.params["button_press_n"])
        assert brews(bench) == 0
        press(bench, force=machine.params["button_press_n"])
        assert brews(bench) == 1
        assert machine_geometry(machine).press_threshold_m >= 0.003


def test_a_pod_is_used_up_and_so_is_a_second_press() -> None:
    bench = ready(a_machine())
    press(bench)
    press(bench)
    assert brews(bench) == 1, "a press while brewing changes nothing"
    bench.run(14.0)
    press(bench)
    assert brews(bench) == 1
    assert bench.processes.machines.is_pod_used("pod")


def test_opening_the_lid_or_switching_off_ends_the_brew() -> None:
    for joint, position in (("m_lid", 1.5), ("m_power", 0.0)):
        bench = ready(a_machine())
        press(bench)
        bench.run(1.0)
        bench.set_joint(joint, position)
        bench.run(0.1)
        poured = bench.processes.mug_ml("mug")
        bench.run(1.0)
        assert 5.0 < poured < 60.0
        assert bench.processes.mug_ml("mug") == poured


@pytest.mark.parametrize("split", SPLITS)
def test_the_well_takes_a_pod_dropped_off_centre_and_tilted(split: Split) -> None:
    for seed in range(6):
        machine, rng = a_machine(split, seed), np.random.default_rng(seed)
        bench = build((a_pod(seed=seed, split=split),), (machine,))
        bench.set_joint("m_lid", 1.6)
        room = machine.params["well_radius"] - bench.house.items[0].params["radius"] - 0.002
        angle, tilt = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
        z = machine_geometry(machine).well_rim_z + 0.008
        place = spot(machine, z, room * np.cos(angle), room * np.sin(angle))
        bench.put("pod", place, (np.cos(tilt / 2), 0, np.sin(tilt / 2), 0))
        bench.run(0.8)
        assert bench.processes.machines.pod_in_holder("m") == "pod", f"seed {seed}"
        assert not bench.processes.dropped


def test_a_pod_on_the_rim_or_on_the_lid_is_not_in_the_holder() -> None:
    machine = a_machine("train", lid_hinge="back")
    g = machine_geometry(machine)
    bench = build((a_pod(),), (machine,))
    bench.set_joint("m_lid", 1.6)
    # Leaning on the rim, half out: the lid cannot close on it.
    bench.put("pod", spot(machine, g.well_rim_z + 0.012, 0.036), (np.cos(0.35), 0, np.sin(0.35), 0))
    bench.run(0.02)
    assert bench.processes.machines.pod_in_holder("m") is None
    bench.set_joint("m_lid", 0.0)
    bench.put("pod", (spot(machine, 0)[0], 0.0, TABLE_M + machine.params["height"] + 0.001))
    bench.run(0.4)
    assert bench.processes.machines.pod_in_holder("m") is None


def test_a_closed_lid_fits_over_every_pod() -> None:
    for split in SPLITS:
        for seed in range(5):
            machine = a_machine(split, seed)
            bench = build((a_pod(seed=seed, split=split),), (machine,))
            bench.put("pod", spot(machine, machine_geometry(machine).well_floor_z + 0.0005))
            bench.run(0.3)
            assert abs(bench.data.joint("m_lid").qpos[0]) < 0.01
            assert bench.processes.machines.pod_in_holder("m") == "pod"


@pytest.mark.parametrize("kind", KINDS)
def test_the_lid_stays_where_hands_expect_it(kind: tuple[str, str]) -> None:
    machine = a_machine(split_with(kind), lid_hinge=kind[0], button_place=kind[1])
    bench = build((), (machine,))
    for start in (1.4, machine.params["lid_stop"]):
        bench.set_joint("m_lid", start)
        bench.run(2.0)
        assert bench.data.joint("m_lid").qpos[0] > 1.3, "stays open"
    bench.set_joint("m_lid", 0.9)
    bench.run(2.0)
    assert bench.data.joint("m_lid").qpos[0] < 0.02, "falls shut"
    assert bench.data.ntree_awake == 0
    # A fingertip under the tab: the force that lifts the lid, at the tab.
    g = machine_geometry(machine)
    tab_n = machine.params["lid_mass"] * 9.81 * (g.lid_length / 2) / (g.lid_length + machine.params["tab_length"] / 2)
    assert tab_n * 1.5 < 3.0


@pytest.mark.parametrize("kind", KINDS)
def test_fingers_beside_a_pod_pass_well_and_open_lid(kind: tuple[str, str]) -> None:
    """Two fingers of 19 mm, opened by 8 mm around the widest pod whose middle is 25 mm above the rim."""
    machine = a_machine(split_with(kind), lid_hinge=kind[0], button_place=kind[1])
    g = machine_geometry(machine)
    finger_y = POD_RANGES["heldout"]["radius"][1] + 0.004 + 0.0095
    x, y, z = spot(machine, g.well_rim_z + 0.025)
    spec = mujoco.MjSpec()
    add_machine(spec, machine)
    for side in (-1, 1):
        finger = spec.worldbody.add_body(name=f"finger_{side}", pos=[x, y + side * finger_y, z], quat=rotation_y(0.4))
        finger.add_freejoint()
        finger.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.021, 0.0095, 0.012])
    model = spec.compile()
    data = mujoco.MjData(model)
    data.joint("m_lid").qpos[0] = machine.params["lid_stop"]
    mujoco.mj_forward(model, data)
    assert data.ncon == 0
