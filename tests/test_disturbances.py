"""Disturbances do what they say, are pure functions of the house, and leave the rest alone."""

import msgspec
import mujoco
import numpy as np
import pytest

from agent.messages import Detection, Look
from controllers.grip import GripController
from controllers.plant import FINGER_WIDTH, PlantCommand
from sim.disturbances.catalogue import DISTURBANCES, UnknownDisturbanceError, check_disturbance, disturb
from sim.disturbances.dynamics import Delay
from sim.disturbances.scene import Scene
from sim.plant import MujocoPlant
from sim.tasks.start import begin_task

TASK, INDEX = "place-mug", 3


@pytest.fixture(scope="module")
def start() -> np.ndarray:
    """A mug in the hand."""
    return begin_task(TASK, "train", INDEX).snapshot()


@pytest.fixture
def plant() -> MujocoPlant:
    return begin_task(TASK, "train", INDEX)


def still(plant: MujocoPlant) -> PlantCommand:
    data = plant.data
    arm = np.array([data.ctrl[plant.model.actuator(f"arm_{i}").id] for i in range(1, 8)])
    lift = float(data.ctrl[plant.model.actuator("lift").id])
    return PlantCommand(arm, lift, np.zeros(2), 30.0, np.zeros(3))


def run(plant: MujocoPlant, seconds: float) -> None:
    command = still(plant)
    for _ in range(round(seconds / 0.002)):
        plant.apply(command)


def a_look(plant: MujocoPlant) -> Look:
    tool = tuple(float(v) for v in np.array([0.3, -0.1, 1.0]))
    seen = Detection(
        class_name="mug",
        score=1.0,
        position_in_base_m=tool,  # type: ignore[arg-type]
        position_std_m=0.01,
        yaw_in_base_rad=0.0,
        yaw_std_rad=1.0,
    )
    return Look(
        time_s=0.0,
        detections=[seen, msgspec.structs.replace(seen, position_in_base_m=(3.0, 0.0, 1.0))],
        camera_pose_in_base=np.zeros(7),
        field_of_view_rad=(1.0, 1.0),
        max_range_m=4.0,
    )


def test_an_unknown_name_gets_the_alternatives() -> None:
    with pytest.raises(UnknownDisturbanceError, match=r"did you mean 'combined'.*object-removed"):
        check_disturbance("combind")


@pytest.mark.parametrize("name", ["pushes", "combined", "stiffness"])
def test_a_disturbance_is_a_pure_function_of_the_house(name: str) -> None:
    ends = []
    for _ in range(2):
        plant = begin_task(TASK, "train", INDEX)
        disturb(plant, name)
        run(plant, 2.5)
        ends.append(plant.data.qpos.copy())
    assert np.array_equal(*ends)
    calm = begin_task(TASK, "train", INDEX)
    run(calm, 2.5)
    assert not np.array_equal(ends[0], calm.data.qpos)


def test_none_leaves_the_plant_alone(plant: MujocoPlant) -> None:
    assert disturb(plant, "none") is None
    assert plant.disturbance is None


@pytest.mark.parametrize(("name", "length_m"), [("bias-1.5cm", 0.015), ("bias-3cm", 0.03)])
def test_bias_moves_everything_seen_alike(plant: MujocoPlant, name: str, length_m: float) -> None:
    disturb(plant, name)
    assert plant.disturbance is not None
    before = a_look(plant)
    after = plant.disturbance.look(before)
    shifts = [
        np.subtract(b.position_in_base_m, a.position_in_base_m)
        for a, b in zip(before.detections, after.detections, strict=True)
    ]
    assert np.allclose(shifts[0], shifts[1])
    assert np.linalg.norm(shifts[0]) == pytest.approx(length_m)
    assert shifts[0][2] == 0.0


def test_sight_is_lost_near_the_hand_only(plant: MujocoPlant) -> None:
    disturb(plant, "sight-lost")
    assert plant.disturbance is not None
    scene = Scene(plant)
    look = a_look(plant)
    model, data = plant.model, plant.data
    body = int(model.jnt_bodyid[model.joint("base_yaw").id])
    tool = data.xmat[body].reshape(3, 3).T @ (scene.tool_in_world_m - data.xpos[body])
    at_hand = msgspec.structs.replace(look.detections[0], position_in_base_m=tuple(tool.tolist()))
    kept = plant.disturbance.look(msgspec.structs.replace(look, detections=[at_hand, look.detections[1]])).detections
    assert [seen.position_in_base_m for seen in kept] == [(3.0, 0.0, 1.0)]


def test_what_stands_is_not_lifted(plant: MujocoPlant) -> None:
    scene = Scene(plant)
    run(plant, 0.3)
    held = scene.held_item()
    assert held is not None
    assert scene.lifted_item() == held
    other = next(name for name in scene.items if name != held)
    below = np.array([0.0, 0.0, -0.07])
    scene.move_item(other, plant.data.xpos[scene.body(held)] + below - plant.data.xpos[scene.body(other)])
    mujoco.mj_forward(plant.model, plant.data)
    assert scene.held_item() == held
    assert scene.lifted_item() is None


def test_mass_of_what_is_held_can_be_doubled_without_a_bang(plant: MujocoPlant) -> None:
    scene = Scene(plant)
    run(plant, 0.3)
    held = scene.held_item()
    assert held is not None
    before = plant.model.body_mass[scene.body(held)]
    scene.scale_mass(held, 2.0)
    assert plant.model.body_mass[scene.body(held)] == pytest.approx(2.0 * before)
    run(plant, 0.3)
    assert np.abs(plant.data.qvel).max() < 2.0
    assert scene.held_item() == held


@pytest.mark.parametrize("height_m", [0.0, 0.02, 0.08])
def test_room_below_is_down_to_what_is_no_part_of_the_item(plant: MujocoPlant, height_m: float) -> None:
    scene = Scene(plant)
    mugs = [name for name in scene.items if name.startswith("mug") and name != scene.held_item()]
    assert mugs
    for mug in mugs:
        scene.move_item(mug, np.array([0.0, 0.0, height_m]))
        mujoco.mj_forward(plant.model, plant.data)
        assert scene.room_below_m(mug) == pytest.approx(height_m, abs=0.004)


@pytest.mark.parametrize(
    "name", ["object-removed", "mass-doubled", "friction-halved", "push", "dead-row", "extra-delay"]
)
def test_events_happen_once_in_contact_at_work_and_are_noted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = begin_task(TASK, "train", INDEX)
    nothing = disturb(under_way, name)
    assert nothing is not None
    run(under_way, 2.0)
    assert nothing.happened == []  # the arm is tucked in
    monkeypatch.setattr(Scene, "reaching", lambda self: True)
    plant = begin_task(TASK, "train", INDEX)
    scene = disturb(plant, name)
    assert scene is not None
    held = scene.held_item()
    assert held is not None
    mass, friction = float(plant.model.body_mass[scene.body(held)]), plant.model.geom_friction.copy()
    run(plant, 2.5)
    assert [what for _, what in scene.happened] == [name]
    assert (scene.held_item() is None) == (name == "object-removed")
    assert plant.model.body_mass[scene.body(held)] == pytest.approx(mass * (2.0 if name == "mass-doubled" else 1.0))
    assert np.allclose(plant.model.geom_friction, friction * (0.5 if name == "friction-halved" else 1.0))
    silent = np.all(plant.touch().pads_n[:, 0, 0] == 0.0, axis=2).sum()
    assert silent == (1 if name == "dead-row" else 0)


def test_of_a_pair_one_falls_and_the_other_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scene, "reaching", lambda self: True)
    monkeypatch.setattr(Scene, "room_below_m", lambda self, item: 0.03)
    moments, heights = [], []
    for name in ("let-go", "hovers"):
        plant = begin_task(TASK, "train", INDEX)
        scene = disturb(plant, name)
        assert scene is not None
        held = scene.held_item()
        assert held is not None
        run(plant, 0.012)
        (moment,) = scene.happened
        moments.append((moment[0], plant.state_hash()))
        before = float(scene.pose(held)[2])
        run(plant, 0.5)
        assert scene.held_item() is None
        heights.append(float(scene.pose(held)[2]) - before)
    assert moments[0] == moments[1]  # alike, bit for bit, until then
    assert heights[0] < -0.1
    assert abs(heights[1]) < 0.03


def test_delayed_commands_arrive_in_order(plant: MujocoPlant) -> None:
    delay = Delay(0.06)
    delay.begin(Scene(plant), np.random.Generator(np.random.PCG64(0)))
    sent = []
    for k in range(100):
        command = still(plant)
        command.lift_position_m = float(k)
        sent.append(delay.command(command).lift_position_m)
    assert sent[:31] == [0.0] * 31
    assert sent[31:] == [float(k - 30) for k in range(31, 100)]


def test_a_delay_leaves_the_loop_of_the_grip_closed(plant: MujocoPlant) -> None:
    """At 1500 N/m it would swing without end if its force came 60 ms late."""
    disturb(plant, "delay")
    grip, command, widths = GripController(), still(plant), []
    grip.ask("width", 0.08)
    for _ in range(750):
        felt = plant.sense()
        width = felt.joint_position.item(FINGER_WIDTH)
        rate = felt.joint_velocity.item(FINGER_WIDTH)
        command.grip_force_n = grip.step(width, rate, felt.pad_normal_n.tolist(), felt.pad_shear_n.tolist())
        plant.apply(command)
        widths.append(width)
    np.testing.assert_allclose(widths[-250:], 0.08, atol=1e-3)


def test_every_disturbance_says_what_it_does() -> None:
    assert {
        "pushes",
        "bias-1.5cm",
        "bias-3cm",
        "slippery-heavy",
        "sight-lost",
        "delay",
        "stiffness",
        "combined",
    } <= set(DISTURBANCES)
    assert all(DISTURBANCES.values())
