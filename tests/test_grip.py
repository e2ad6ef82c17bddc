"""Laws of the gripper: it gets to widths and forces, and squeezes harder within 10 ms when something slips."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_world import add_held_box, empty_house, tiny_spec

from agent.messages import PLANT_STEP_S
from controllers import grip as grip_module
from controllers.arm_model import GRIP_MAX_N, HOME_JOINTS, HOME_LIFT_M
from controllers.fake_plant import FakePlant, FakeWorld
from controllers.grip import WIDTH_FORCE_LIMIT_N, GripController
from controllers.plant import FINGER_WIDTH, PlantCommand
from sim.plant import MujocoPlant

REFLEX_S = 0.010


class Bench:
    """A gripper on a plant that otherwise keeps still; `forces` are the commands, one a step."""

    def __init__(self, plant):
        self.plant, self.grip, self.forces = plant, GripController(), []
        self._command = PlantCommand(HOME_JOINTS.copy(), HOME_LIFT_M, np.zeros(2), 0.0, np.zeros(3))

    def run(self, seconds):
        for _ in range(round(seconds / PLANT_STEP_S)):
            sensed = self.plant.sense()
            self._command.grip_force_n = self.grip.step(
                sensed.joint_position.item(FINGER_WIDTH),
                sensed.joint_velocity.item(FINGER_WIDTH),
                sensed.pad_normal_n.tolist(),
                sensed.pad_shear_n.tolist(),
            )
            self.forces.append(self._command.grip_force_n)
            self.plant.apply(self._command)

    @property
    def width_m(self):
        return self.plant.sense().joint_position.item(FINGER_WIDTH)


def fake_bench(**world):
    return Bench(FakePlant(FakeWorld(**world)))


@pytest.mark.parametrize("width_m", [0.0, 0.03, 0.08, 0.11])
def test_width_mode_gets_there(width_m):
    bench = fake_bench(thing_width_m=0.0)
    bench.grip.ask("width", width_m)
    bench.run(1.0)
    assert bench.width_m == pytest.approx(width_m, abs=5e-4)


def test_width_mode_squeezes_gently():
    bench = fake_bench()
    bench.grip.ask("width", 0.0)
    bench.run(1.0)
    assert max(bench.forces) <= WIDTH_FORCE_LIMIT_N
    assert bench.plant.sense().pad_normal_n[0] == pytest.approx(WIDTH_FORCE_LIMIT_N, rel=0.02)


@pytest.mark.parametrize("force_n", [5.0, 20.0, 50.0])
def test_force_mode_closes_slowly_and_then_holds_the_force(force_n):
    bench = fake_bench()
    bench.grip.ask("force", force_n)
    fastest, peak = 0.0, 0.0
    for _ in range(1000):
        bench.run(PLANT_STEP_S)
        sensed = bench.plant.sense()
        fastest = max(fastest, -sensed.joint_velocity.item(FINGER_WIDTH))
        peak = max(peak, sensed.pad_normal_n[0])
    assert fastest < 0.12
    assert peak < 1.05 * force_n + 5.0
    assert bench.plant.sense().pad_normal_n[0] == pytest.approx(force_n, rel=0.02)
    assert not bench.grip.slipped
    bench.grip.ask("force", -10.0)
    bench.run(1.0)
    assert bench.width_m == pytest.approx(0.11)


def test_what_slips_is_caught_within_ten_milliseconds():
    bench = fake_bench(thing_load_n=2.0, friction=0.5)
    bench.grip.ask("force", 6.0)
    bench.run(1.5)
    assert not bench.grip.slipped
    held_n = bench.forces[-1]
    slid_m = bench.plant.thing_slid_m
    bench.plant.world = replace(bench.plant.world, thing_load_n=7.0)  # 6 N is all that friction holds
    bench.forces.clear()
    bench.run(0.5)
    raised = next(i for i, force in enumerate(bench.forces) if force > 1.1 * held_n)
    assert raised * PLANT_STEP_S <= REFLEX_S
    assert bench.grip.slipped
    assert abs(bench.plant.thing_slid_m - slid_m) < 0.005
    assert max(bench.forces) <= GRIP_MAX_N


def test_the_raised_force_is_given_back_when_the_load_is_gone():
    bench = fake_bench(thing_load_n=2.0)
    bench.grip.ask("force", 6.0)
    bench.run(1.5)
    bench.plant.world = replace(bench.plant.world, thing_load_n=8.0)
    bench.run(0.5)
    raised_n = bench.forces[-1]
    assert raised_n > 8.0
    bench.plant.world = replace(bench.plant.world, thing_load_n=1.0)
    bench.run(5.0)
    assert bench.forces[-1] == pytest.approx(6.0, rel=0.03)


def test_the_reflex_is_bounded_by_the_motor():
    bench = fake_bench()
    bench.grip.ask("force", 40.0)
    bench.run(1.5)
    bench.plant.world = replace(bench.plant.world, thing_load_n=70.0)
    bench.run(1.0)
    assert max(bench.forces) == GRIP_MAX_N


def test_a_blind_sensor_does_not_drop_what_is_held():
    bench = fake_bench()
    bench.grip.ask("force", 10.0)
    bench.run(1.5)
    nothing = [float("nan")] * 2
    assert bench.grip.step(float("nan"), float("nan"), nothing, [nothing, nothing]) == pytest.approx(10.0, rel=0.02)
    for _ in range(100):
        bench.grip.step(0.05, 0.0, [5.0, 5.0], [[0.0, 1.0], [0.0, 1.0]])
    bench.grip.slipped = False
    for _ in range(20):
        bench.grip.step(0.05, 0.0, [5.0, 5.0], [[0.0, 4.0], [0.0, 4.0]])
    assert bench.grip.slipped, "the reflex is not blind for ever"


def held_box(mass_kg, force_n):
    """A box in the simulated gripper, closed on it in weightlessness; then it gets its weight."""
    spec = tiny_spec()
    add_held_box(spec, mass_kg)
    body = spec.body("held")
    body.geoms[0].friction, body.geoms[0].priority = [0.5, 0.005, 0.0001], 2
    spec.option.gravity = [0.0, 0.0, 0.0]
    model = spec.compile()
    bench = Bench(MujocoPlant(empty_house(), 1, model=model))
    bench.grip.ask("force", force_n)
    bench.run(0.8)
    model.opt.gravity[2] = -9.81
    bench.run(0.5)
    return bench


def slipped_m(bench, pull_n):
    """How far the box moves in the hand in half a second when it is suddenly pulled down."""
    data = bench.plant.data
    before = data.body("held").xpos - data.site("tool").xpos
    data.body("held").xfrc_applied[2] = -pull_n
    bench.forces.clear()
    bench.run(0.5)
    return float(np.linalg.norm(data.body("held").xpos - data.site("tool").xpos - before))


def test_the_reflex_catches_a_box_in_mujoco_that_falls_without_it(monkeypatch):
    bench = held_box(0.3, 6.0)
    calm_n = bench.forces[-1]
    assert slipped_m(bench, 4.0) < 0.002
    raised = next(i for i, force in enumerate(bench.forces) if force > 1.1 * calm_n)
    assert raised * PLANT_STEP_S <= REFLEX_S
    monkeypatch.setattr(grip_module, "RAISE", 1.0)
    assert slipped_m(held_box(0.3, 6.0), 4.0) > 0.02


def test_a_well_held_box_triggers_no_reflex():
    bench = held_box(0.3, 15.0)
    assert not bench.grip.slipped
    assert bench.forces[-1] == pytest.approx(15.0, rel=0.02)
