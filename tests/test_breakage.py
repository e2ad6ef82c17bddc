"""Ceramic breaks by impulse: falls do, grips, sets-down and small bumps do not. Falls are noticed."""

import mujoco
import numpy as np
import pytest
from object_bench import TABLE_M, Bench, a_mug, a_pod, build, close_gripper, move_gripper, rotation_y

from sim.house.schema import SPLITS, Split


def drop(bench: Bench, height: float, quat: tuple[float, ...] = (1, 0, 0, 0)) -> tuple[str, ...]:
    bench.reset()
    bench.put("mug", (0.3, 0.0, TABLE_M + height), quat)
    bench.run(1.2)
    return bench.processes.broken


@pytest.mark.parametrize("split", SPLITS)
def test_half_a_metre_breaks_and_three_centimetres_do_not(split: Split) -> None:
    for seed in range(4):
        bench = build((a_mug(seed=seed, split=split),))
        assert drop(bench, 0.5) == ("mug",)
        assert bench.processes.dropped == ("mug",)
        assert drop(bench, 0.03) == ()
        assert bench.processes.dropped == ()


def test_it_does_not_matter_which_side_lands() -> None:
    bench = build((a_mug(),))
    for angle in (0.5, 1.5708, 2.4):
        assert drop(bench, 0.55, rotation_y(angle)) == ("mug",)


def test_a_full_mug_survives_three_centimetres_too() -> None:
    bench = build((a_mug(),))
    bench.reset()
    bench.processes.liquid.fill("mug", 200.0)
    bench.put("mug", (0.3, 0.0, TABLE_M + 0.03))
    bench.run(0.5)
    assert bench.processes.broken == ()


def test_gripping_lifting_and_setting_down_breaks_nothing() -> None:
    mug = a_mug(0.0)
    bench = build((mug,), gripper_at_m=TABLE_M + mug.params["height"] / 2)
    close_gripper(bench, 40.0)
    bench.run(2.0)
    move_gripper(bench, 0.5, mount_z=0.1)
    move_gripper(bench, 0.6, mount_z=0.0)
    close_gripper(bench, -10.0)
    bench.run(0.5)
    assert bench.processes.broken == bench.processes.dropped == ()
    assert bench.processes.breakage.peak_ns[0] < 0.5 * mug.params["mass"] * mug.params["break_speed"]


def test_a_mug_thrown_sideways_breaks_on_impact_and_not_before() -> None:
    bench = build((a_mug(),))
    bench.put("mug", (-1.5, 1.2, 0.5))
    bench.data.joint("mug_free").qvel[:] = (0.0, -3.0, 0.0, 0, 0, 0)
    mujoco.mj_forward(bench.model, bench.data)
    bench.processes.reset()
    bench.run(0.04)
    assert bench.data.ncon == 0
    assert bench.processes.broken == ()
    bench.run(0.1)
    assert bench.processes.broken == ("mug",)


def test_the_impulse_is_the_momentum_the_contacts_gave() -> None:
    """Against the sum of contact forces over the window, at every step."""
    bench = build((a_mug(),))
    bench.put("mug", (0.3, 0.0, TABLE_M + 0.06))
    mass, step, forces, largest = bench.house.items[0].params["mass"], bench.model.opt.timestep, [], 0.0
    dof = int(bench.model.joint("mug_free").dofadr[0])
    for _ in range(200):
        bench.run(step)
        forces.append(bench.data.qfrc_constraint[dof : dof + 3].copy())
        impulse = np.linalg.norm(np.sum(forces[-25:], axis=0)) * step - mass * 9.81 * 0.05
        largest = max(largest, impulse)
    assert bench.processes.breakage.peak_ns[0] == pytest.approx(largest, rel=0.1)


def test_broken_is_for_good_and_lying_on_the_floor_is_dropped() -> None:
    bench = build((a_mug(), a_pod()))
    drop(bench, 0.5)
    bench.put("mug", (0.3, 0.0, TABLE_M + 0.0005))
    bench.run(0.5)
    assert bench.processes.broken == ("mug",)
    bench.reset()
    assert bench.processes.broken == ()
    bench.put("pod", (3.0, 0.0, 0.001))
    bench.run(0.3)
    assert bench.processes.dropped == ("pod",)
