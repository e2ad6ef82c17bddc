"""The ledger of coffee: nothing is lost, spilling starts at atan(headroom / radius), and coffee has its mass."""

import itertools
from math import atan, pi

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from object_bench import TABLE_M, Bench, a_machine, a_mug, build, close_gripper, move_gripper, rotation_y

from sim.objects.draw import mug_capacity_ml, mug_inner_radius_m
from sim.objects.liquid import kept_ml, spill_angle_rad
from sim.objects.machine_geometry import machine_geometry

SPOUT = np.array([0.3, 0.0, TABLE_M + 0.13])


def pour(bench: Bench, ml: float) -> None:
    bench.processes.liquid.update(0.01, [(SPOUT, ml)], frozenset())


def test_a_mug_beside_under_or_tipped_below_the_spout_gets_nothing() -> None:
    mug = a_mug()
    bench = build((mug,))
    mouth = mug_inner_radius_m(mug.params, mug.params["height"])
    cases = {
        "centred": ((0.3, 0.0, TABLE_M), (1, 0, 0, 0), True),
        "near the rim": ((0.3 + mouth - 0.005, 0.0, TABLE_M), (1, 0, 0, 0), True),
        "beside": ((0.3 + mouth + 0.002, 0.0, TABLE_M), (1, 0, 0, 0), False),
        "above the spout": ((0.3, 0.0, TABLE_M + 0.1), (1, 0, 0, 0), False),
        "tilted by 20 degrees": ((0.29, 0.0, TABLE_M), rotation_y(0.35), False),
        "upside down": ((0.3, 0.0, TABLE_M + 0.1), rotation_y(pi), False),
    }
    for name, (position, quat, credited) in cases.items():
        bench.reset()
        bench.put("mug", position, quat)
        pour(bench, 3.0)
        assert (bench.processes.mug_ml("mug"), bench.processes.spilled_ml) == ((3, 0) if credited else (0, 3)), name


def test_a_broken_mug_holds_nothing_and_overflow_spills() -> None:
    mug = a_mug(x=0.3)
    bench = build((mug,))
    capacity = mug_capacity_ml(mug.params)
    bench.run(0.01)
    for _ in range(300):
        pour(bench, 1.0)
    assert bench.processes.mug_ml("mug") == pytest.approx(capacity, abs=0.5)
    assert bench.processes.mug_ml("mug") + bench.processes.spilled_ml == pytest.approx(300.0)
    for _ in range(200):
        bench.processes.liquid.update(0.01, [], frozenset(("mug",)))
    assert bench.processes.mug_ml("mug") == 0.0
    assert bench.processes.spilled_ml == pytest.approx(300.0)


@given(capacity=st.floats(200, 350), share=st.floats(0.05, 1.0), radius=st.floats(0.026, 0.036))
def test_what_a_tilted_cup_keeps_agrees_with_the_angle_of_spilling(
    capacity: float, share: float, radius: float
) -> None:
    ml = share * capacity
    angle = spill_angle_rad(capacity, ml, radius)
    assert angle == pytest.approx(atan((capacity - ml) * 1e-6 / (pi * radius**2) / radius))
    keeps = [kept_ml(capacity, tilt, radius) for tilt in np.linspace(0, pi, 50)]
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(keeps)), "more tilt never keeps more"
    assert keeps[0] == pytest.approx(capacity)
    assert keeps[-1] == 0.0
    height = capacity * 1e-6 / (pi * radius**2)
    if 2 * radius * np.tan(angle) <= height:
        assert kept_ml(capacity, angle, radius) == pytest.approx(ml)


def test_a_standing_mug_tilted_below_the_angle_keeps_all_and_above_it_spills() -> None:
    mug = a_mug()
    limit = spill_angle_rad(mug_capacity_ml(mug.params), 190.0, mug_inner_radius_m(mug.params, mug.params["height"]))
    for angle, spills in ((0.95 * limit, False), (1.05 * limit, True)):
        bench = build((mug,))
        bench.put("mug", (0.3, 0, TABLE_M + 0.2), rotation_y(angle))
        bench.processes.liquid.fill("mug", 190.0)
        for _ in range(100):
            bench.processes.liquid.update(0.01, [], frozenset())
        assert (bench.processes.spilled_ml > 0.0) == spills


def held_full_mug(ml: float) -> Bench:
    mug = a_mug(0.0)
    bench = build((mug,), gripper_at_m=TABLE_M + mug.params["height"] / 2)
    close_gripper(bench, 30.0)
    bench.run(0.5)
    bench.processes.liquid.fill("mug", ml)
    move_gripper(bench, 1.0, mount_z=0.1)
    return bench


def test_gentle_carrying_keeps_the_coffee_and_a_jerk_spills_it() -> None:
    bench = held_full_mug(190.0)
    move_gripper(bench, 2.0, base_x=0.4)
    assert bench.processes.mug_ml("mug") == 190.0
    move_gripper(bench, 0.5, base_x=0.0)
    assert 5.0 < bench.processes.spilled_ml < 150.0
    assert bench.processes.mug_ml("mug") + bench.processes.spilled_ml == pytest.approx(190.0)


def test_coffee_weighs_on_the_hand_and_a_mug_that_fills_while_held_stays_calm() -> None:
    bench = held_full_mug(0.0)
    dof = int(bench.model.joint("mug_free").dofadr[0])
    empty = bench.model.body("mug").mass[0]
    spout = bench.data.site("mug_mouth").xpos + np.array([0.0, 0.0, 0.01])
    fastest = 0.0
    for _ in range(200):
        bench.processes.liquid.update(0.01, [(spout, 1.0)], frozenset())
        bench.run(0.01)
        fastest = max(fastest, float(np.abs(bench.data.qvel[dof : dof + 3]).max()))
    assert fastest < 0.02
    assert bench.model.body("mug").mass[0] == pytest.approx(empty + 0.2)
    bench.run(1.0)
    assert bench.data.qfrc_constraint[dof + 2] == pytest.approx((empty + 0.2) * 9.81, rel=0.02)
    bench.reset()
    assert bench.model.body("mug").mass[0] == empty


def test_the_constants_of_a_full_mug_equal_those_of_mj_set_const() -> None:
    bench = build((a_mug(), a_mug(0.5, name="other")))
    bench.processes.liquid.fill("mug", 180.0)
    names = ("body_subtreemass", "body_invweight0", "dof_invweight0", "dof_M0")
    ours = {name: getattr(bench.model, name).copy() for name in names}
    mujoco.mj_setConst(bench.model, mujoco.MjData(bench.model))
    heavy = bench.model.body_mass > 0.0  # what only shows a mug never meets anything
    for name in names:
        rows = heavy if name.startswith("body") else slice(None)
        np.testing.assert_allclose(ours[name][rows], getattr(bench.model, name)[rows], rtol=1e-6, err_msg=name)
    assert bench.model.body("mug").iquat == pytest.approx([1, 0, 0, 0])


def test_coffee_moves_no_bounding_box() -> None:
    """MuJoCo keeps them relative to the centre of mass; where they move with it contacts are lost."""
    bench = build((a_mug(),))
    body = bench.model.body("mug").id
    first = int(bench.model.body_bvhadr[body])
    boxes = slice(first, first + int(bench.model.body_bvhnum[body]))
    empty = bench.model.bvh_aabb[boxes, :3] + bench.model.body_ipos[body]
    centre = bench.model.body_ipos[body].copy()
    bench.processes.liquid.fill("mug", 60.0)
    assert np.abs(bench.model.body_ipos[body] - centre).max() > 1e-3
    np.testing.assert_allclose(bench.model.bvh_aabb[boxes, :3] + bench.model.body_ipos[body], empty, atol=1e-12)


@pytest.mark.parametrize("ml", [30.0, 120.0, 200.0])
def test_a_filled_mug_stands_still(ml: float) -> None:
    bench = build((a_mug(),))
    bench.processes.liquid.fill("mug", ml)
    bench.run(1.0)
    speeds = []
    for _ in range(20):
        bench.run(0.002)
        speeds.append(np.abs(bench.data.qvel).max())
    assert max(speeds) < 1e-4


def brewing_bench() -> Bench:
    machine = a_machine()
    g = machine_geometry(machine)
    items = (a_mug(machine.x + g.spout_x, 0.0, TABLE_M + g.tray_z), a_mug(0.5, name="other", seed=4))
    return build(items, (machine,))


def states_after(bench: Bench, seconds: float) -> bytes:
    bench.run(seconds)
    return bench.data.qpos.tobytes() + bench.data.qvel.tobytes() + bench.processes.state_vector().tobytes()


def start_brew(bench: Bench) -> None:
    """A running brew, without a pod, to fill the mug while other things move."""
    bench.processes.machine_states["m"].to_brew_ml = 150.0
    bench.put("other", (0.5, 0.0, TABLE_M + 0.05), rotation_y(0.4))
    bench.processes.liquid.fill("other", 200.0)


def test_replay_and_snapshots_are_bit_exact_with_liquid() -> None:
    spec, runs = mujoco.mjtState.mjSTATE_INTEGRATION, []
    bench = brewing_bench()
    for _ in range(2):
        bench.reset()
        start_brew(bench)
        runs.append(states_after(bench, 1.0))
    assert runs[0] == runs[1]

    state = np.zeros(mujoco.mj_stateSize(bench.model, spec))
    mujoco.mj_getState(bench.model, bench.data, state, spec)
    vector = bench.processes.state_vector()
    # A snapshot resets the live data too: with sleep, warm starts of sleeping islands would differ (ANCHORS §2).
    for target in (bench, brewing_bench()):
        mujoco.mj_resetData(target.model, target.data)
        mujoco.mj_setState(target.model, target.data, state, spec)
        target.processes.set_state_vector(vector)
        runs.append(states_after(target, 1.0))
    assert runs[2] == runs[3]
    assert runs[2] != runs[0]


def test_a_vector_of_another_house_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        brewing_bench().processes.set_state_vector(np.zeros(3))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_no_coffee_is_lost_or_made(seed: int) -> None:
    """Whatever happens to a mug, what was poured is in mugs or spilled."""
    rng = np.random.default_rng(seed)
    bench = build((a_mug(),))
    bench.processes.liquid.fill("mug", 150.0)
    for _ in range(20):
        tilt = rng.uniform(-1.5, 1.5)
        bench.put("mug", tuple(rng.uniform((0.25, -0.02, TABLE_M), (0.35, 0.02, TABLE_M + 0.1))), rotation_y(tilt))
        pour(bench, 2.0)
    total = bench.processes.mug_ml("mug") + bench.processes.spilled_ml
    assert total == pytest.approx(190.0)
    assert 0.0 <= bench.processes.mug_ml("mug") <= mug_capacity_ml(bench.house.items[0].params)
