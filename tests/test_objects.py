"""Free objects: they stand, sleep, can be held by friction, and stay within what hands and machines are made for."""

from itertools import product

import mujoco
import numpy as np
import pytest
from object_bench import PAD_START_M, TABLE_M, a_mug, a_pod, build, close_gripper, move_gripper

from agent.messages.classes import OBJECT_CLASSES
from sim.house.schema import SPLITS, Item, Split
from sim.objects import draw
from sim.objects.draw import draw_clutter_of, draw_machine, draw_mug, draw_pod
from sim.objects.items import add_item


@pytest.mark.parametrize("split", SPLITS)
def test_drawn_objects_fit_hand_and_machine(split: Split) -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        mug, _ = draw_mug(rng, split)
        pod, machine = draw_pod(rng, split), draw_machine(rng, split)["params"]
        foot = mug["radius"] - mug["taper"] * mug["height"]
        assert 0.033 <= mug["radius"] <= 0.042
        assert 0.028 <= foot <= 0.0421
        assert 0.080 <= mug["height"] <= 0.1051
        assert mug["capacity_ml"] >= draw.MUG_MIN_CAPACITY_ML - 1e-9 > machine["brew_ml"]
        assert mug["height"] + 0.02 <= machine["spout_clearance"] + 1e-9
        assert 2 * pod["radius"] + 0.012 < 2 * machine["well_radius"]
        assert max(mug["friction"], pod["friction"]) <= 1.2
        assert 0.004 <= machine["button_stroke"] <= 0.006
        assert 4.0 <= machine["button_press_n"] <= 12.0


def test_splits_differ_in_kind() -> None:
    for kinds in (draw.MUG_STYLES, {s: tuple(k[:2] for k in draw.MACHINE_KINDS[s]) for s in SPLITS}):
        for split in SPLITS:
            others = {kind for other in SPLITS if other != split for kind in kinds[other]}
            assert set(kinds[split]) - others, f"{split} has no kind of its own among {kinds}"


def test_drawing_is_a_pure_function_of_the_generator() -> None:
    one, two = (draw_mug(np.random.default_rng(3), "dev") for _ in range(2))
    assert one == two


def drawn(class_name: str, split: Split, rng: np.random.Generator) -> tuple[dict[str, float], str]:
    if class_name == "mug":
        return draw_mug(rng, split)
    return (draw_pod(rng, split), "") if class_name == "pod" else draw_clutter_of(rng, split, class_name)[1:3]


def test_every_class_stands_still_and_falls_asleep_within_a_second() -> None:
    items = []
    for k, (class_name, split) in enumerate(product(OBJECT_CLASSES, SPLITS)):
        params, style = drawn(class_name, split, np.random.default_rng(k))
        x, y = 0.3 * (k % 4), 0.3 * (k // 4) - 0.9
        items.append(Item(f"item_{k}", class_name, x, y, TABLE_M + 0.0005, 0.3 * k, "", False, params, style))
    bench = build(tuple(items))
    start = [bench.data.body(i.name).xpos.copy() for i in items]
    bench.run(0.05)
    assert bench.data.ncon <= 4 * len(items), "standing makes four contacts"
    bench.run(0.95)
    assert bench.data.ntree_awake == 0, "everything sleeps"
    for item, position in zip(items, start, strict=True):
        moved = np.linalg.norm(bench.data.body(item.name).xpos - position)
        assert moved < 0.0015, f"{item.class_name} moved by {moved * 1e3:.1f} mm"
        assert bench.data.body(item.name).xmat[8] > 0.9999
    assert bench.processes.broken == bench.processes.dropped == ()


@pytest.mark.parametrize("split", SPLITS)
def test_friction_alone_holds_a_mug(split: Split) -> None:
    """20 N for 3 s, then shaken at 2.6 m/s² along two axes: no creep beyond 2 mm, no penetration beyond 1 mm."""
    mug = a_mug(0.0, seed=1, split=split)
    bench = build((mug,), gripper_at_m=TABLE_M + mug.params["height"] / 2)

    def place_in_hand() -> np.ndarray:
        hand = bench.data.body("robot")
        return hand.xmat.reshape(3, 3).T @ (bench.data.body("mug").xpos - hand.xpos)

    close_gripper(bench, 20.0)
    bench.run(0.5)
    move_gripper(bench, 0.8, mount_z=0.1)
    bench.run(0.2)
    before = place_in_hand()
    bench.run(3.0)
    held = place_in_hand()
    assert np.linalg.norm(held - before) < 0.001
    assert 0.0 < bench.deepest_contact_m("mug") < 0.001
    for k in range(4):
        move_gripper(bench, 0.3, base_x=0.02 * (-1) ** k, mount_z=0.1 + 0.02 * (-1) ** k)
    assert np.linalg.norm(place_in_hand() - held) < 0.002
    assert bench.data.body("mug").xpos[2] > TABLE_M + 0.05
    close_gripper(bench, -5.0)
    bench.run(0.5)
    assert bench.data.body("mug").xpos[2] < TABLE_M + 0.05, "nothing but contact holds it"


def test_a_slippery_mug_slips_where_a_rough_one_holds() -> None:
    """The object's own friction counts, whatever the pads are made of."""
    fell = []
    for friction in (0.02, 0.9):
        mug = a_mug(0.0)
        mug.params["friction"] = friction
        bench = build((mug,), gripper_at_m=TABLE_M + mug.params["height"] / 2)
        close_gripper(bench, 10.0)
        bench.run(0.5)
        move_gripper(bench, 0.6, mount_z=0.08)
        fell.append(bool(bench.data.body("mug").xpos[2] < TABLE_M + 0.04))
    assert fell == [True, False]
    assert PAD_START_M > 0.042


def test_friction_above_the_bound_and_unknown_classes_are_refused() -> None:
    mug = a_mug()
    mug.params["friction"] = 1.3
    with pytest.raises(ValueError, match=r"1\.3.*1\.2"):
        add_item(mujoco.MjSpec(), mug)
    with pytest.raises(ValueError, match=r"teapot.*mug"):
        add_item(mujoco.MjSpec(), Item("t", "teapot", 0, 0, 0, 0, "", False, {"friction": 0.5}))


@pytest.mark.parametrize("split", SPLITS)
def test_friction_alone_holds_a_pod_and_lets_it_go_where_it_was(split: Split) -> None:
    for seed in range(3):
        pod = a_pod(0.0, 0.0, seed=seed, split=split)
        bench = build((pod,), gripper_at_m=TABLE_M + 0.02)
        close_gripper(bench, 10.0)
        bench.run(0.5)
        move_gripper(bench, 0.5, mount_z=0.08)
        bench.run(0.2)
        height = bench.data.body("pod").xpos[2]
        bench.run(2.0)
        assert height > TABLE_M + 0.07
        assert abs(bench.data.body("pod").xpos[2] - height) < 0.001
        move_gripper(bench, 0.5, mount_z=0.004)
        close_gripper(bench, -10.0)
        bench.run(0.6)
        assert np.linalg.norm(bench.data.body("pod").xpos[:2]) < 0.005
        assert bench.data.body("pod").xmat[8] > 0.999
