"""Laws of generated houses: pure functions of (split, index), solvable, at rest, with fronts and doors that move."""

from dataclasses import replace
from functools import cache

import mujoco
import numpy as np
import pytest

from agent.commands.statistics import wilson_interval
from sim.house import generate
from sim.house.build import build_house
from sim.house.check import problems, reachable_floor, standing_spot, swing_points, work_targets
from sim.house.contents import CLOSED_KINDS, PLACE_KINDS
from sim.house.generate import generate_house
from sim.house.histograms import feature_shares
from sim.house.ornaments import WALL_HUNG_DECOR
from sim.house.picture import cut_walls
from sim.house.plane import Rect, offset, rect_at
from sim.house.schema import MAX_INDEX, SPLITS, Fixture, House, Split
from sim.house.split import AXES
from sim.robot import ROBOT_BODY, set_home

SAMPLE = 10
house_of = cache(generate_house)


@cache
def model_of(split: Split, index: int) -> mujoco.MjModel:
    return build_house(house_of(split, index)).compile()


def fresh(split: Split, index: int) -> tuple[House, mujoco.MjModel, mujoco.MjData]:
    house, model = house_of(split, index), model_of(split, index)
    data = mujoco.MjData(model)
    set_home(model, data)
    mujoco.mj_forward(model, data)
    return house, model, data


@pytest.mark.parametrize("index", [-1, MAX_INDEX, 1.5, "3", True])
def test_refuses_a_bad_index(index):
    with pytest.raises(ValueError, match="index"):
        generate_house("train", index)


def test_refuses_an_unknown_split():
    with pytest.raises(ValueError, match="train, dev, heldout"):
        generate_house("test", 0)  # type: ignore[arg-type]


def test_a_house_is_a_function_of_split_and_index():
    forwards = [generate_house("dev", i) for i in range(4)]
    backwards = [generate_house("dev", i) for i in reversed(range(4))][::-1]
    assert forwards == backwards
    assert len({house.start for house in forwards}) == 4
    assert generate_house("train", 2) != generate_house("heldout", 2)
    assert generate_house("train", MAX_INDEX - 1) == generate_house("train", MAX_INDEX - 1)


def test_the_same_house_compiles_to_the_same_state():
    states = []
    for _ in range(2):
        model = build_house(generate_house("heldout", 3)).compile()
        data = mujoco.MjData(model)
        for _ in range(50):
            mujoco.mj_step(model, data)
        states.append(data.qpos.tobytes() + model.geom_size.tobytes() + model.geom_pos.tobytes())
    assert states[0] == states[1]


@pytest.mark.parametrize("split", SPLITS)
def test_every_house_has_what_coffee_needs(split: Split):
    for index in range(SAMPLE):
        house = house_of(split, index)
        assert problems(house) == []
        assert 3 <= len(house.rooms) <= 6
        assert {place.kind for place in house.places} == set(PLACE_KINDS)
        assert all((place.front is not None) == (place.kind in CLOSED_KINDS) for place in house.places)
        classes = [item.class_name for item in house.items]
        assert 1 <= classes.count("mug") <= 3
        assert 1 <= classes.count("pod") <= 3
        assert [machine.has_mains for machine in house.machines].count(True) == 1
        start_room = [r for r in house.rooms if r.x0 < house.start[0] < r.x1 and r.y0 < house.start[1] < r.y1]
        assert [room.kind == "kitchen" for room in start_room] == [False]


@pytest.mark.parametrize("split", SPLITS)
def test_no_feature_is_rarer_than_a_quarter_of_the_houses(split: Split):
    """Of 1,000 houses none is (docs/house.md); what so few show must not contradict it."""
    n = 60
    for name, share in feature_shares([house_of(split, index) for index in range(n)]).items():
        assert wilson_interval(round(share * n), n)[1] > 0.25, name


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("index", range(3))
def test_what_is_set_swinging_loses_energy_and_enters_nothing(split: Split, index: int):
    house, model, data = fresh(split, index)
    joints = [front.joint for front in house.fronts] + [d.door_joint for d in house.doorways if d.door_joint]
    for joint in joints:
        data.joint(joint).qvel[0] = 0.5
    flags = int(model.opt.enableflags)
    model.opt.enableflags = flags | int(mujoco.mjtEnableBit.mjENBL_ENERGY)
    mujoco.mj_forward(model, data)
    began = lowest = float(data.energy.sum())
    for _ in range(1000):
        mujoco.mj_step(model, data)
        energy = float(data.energy.sum())
        assert energy < lowest + 2e-3
        lowest = min(lowest, energy)
        assert min((contact.dist for contact in data.contact), default=0.0) > -1e-3
    model.opt.enableflags = flags
    assert lowest < began - 0.1


@pytest.mark.parametrize("split", SPLITS)
def test_graspable_things_leave_room_for_fingers(split: Split):
    for index in range(SAMPLE):
        house = house_of(split, index)
        places = {place.name: place for place in house.places}
        for item in house.items:
            if item.class_name not in ("mug", "pod"):
                continue
            place = places[item.place]
            assert place.headroom >= (0.26 if place.kind != "drawer" else 0.14)
            behind, left = _in_place(item.x, item.y, place)
            assert 0.05 <= behind <= (0.35 if place.kind == "dining_table" else 0.16)
            assert abs(left) + item.params["radius"] <= place.half_width
            for other in house.items:
                if other.place == item.place and other.name != item.name:
                    other_behind, other_left = _in_place(other.x, other.y, place)
                    gap = abs(other_left - left) - other.params["radius"] - item.params["radius"]
                    assert gap >= 0.089 or other_behind >= behind + 0.099


@pytest.mark.parametrize("split", SPLITS)
def test_there_is_room_for_a_hand_at_every_cabinet_s_handle(split: Split):
    for index in range(SAMPLE):
        house = house_of(split, index)
        walls = [Rect(*wall) for wall in house.walls]
        for front in house.fronts:
            if not front.class_name.startswith("cabinet"):
                continue
            for aside in (-0.1, 0.1):
                x = front.handle_x + 0.03 * np.cos(front.yaw) - aside * np.sin(front.yaw)
                y = front.handle_y + 0.03 * np.sin(front.yaw) + aside * np.cos(front.yaw)
                blocked = [w for w in walls if w.x0 < x < w.x1 and w.y0 < y < w.y1]
                assert not blocked, f"{split} {index} {front.name}"


def _in_place(x: float, y: float, place) -> tuple[float, float]:
    forward = np.array([np.cos(place.yaw), np.sin(place.yaw)])
    away = np.array([x - place.x, y - place.y])
    return place.half_depth - float(away @ forward), float(forward[0] * away[1] - forward[1] * away[0])


@pytest.mark.parametrize("split", SPLITS)
def test_nothing_hangs_over_a_working_machine(split: Split):
    for index in range(SAMPLE):
        house = house_of(split, index)
        machine = next(m for m in house.machines if m.has_mains)
        foot = rect_at(machine.x, machine.y, machine.yaw, machine.params["depth"], machine.params["width"] + 0.2)
        for fixture in house.fixtures:
            if fixture.z - fixture.size[2] / 2 > machine.z and fixture.z - fixture.size[2] / 2 < machine.z + 0.65:
                assert not foot.overlaps(rect_at(fixture.x, fixture.y, fixture.yaw, *fixture.size[:2])), fixture.name


def test_splits_differ_in_kind():
    families = {split: set(AXES[split].families) for split in SPLITS}
    for split, own in families.items():
        others = set().union(*(families[s] for s in SPLITS if s != split))
        assert own - others, f"{split} has no layout family of its own"
    for split in SPLITS:
        for index in range(SAMPLE):
            axes = house_of(split, index).axes
            assert axes["family"] in AXES[split].families
            assert axes["handle"] in AXES[split].handle_shapes
            assert axes["rooms"] in AXES[split].room_counts


def test_the_check_sees_what_is_wrong():
    house = house_of("train", 0)
    room = next(r for r in house.rooms if r.kind != "kitchen")
    x, y = (room.x0 + room.x1) / 2, (room.y0 + room.y1) / 2
    wide = Fixture("blockade", "wardrobe", x, y, 1.0, 0.0, (room.x1 - room.x0, room.y1 - room.y0, 2.0), room.name)
    assert any("overlaps" in p for p in problems(replace(house, fixtures=(*house.fixtures, wide))))
    door = house.doorways[0]
    plug = Fixture("plug", "plant", door.x, door.y, 0.5, 0.0, (0.1, 0.1, 1.0), room.name)
    assert any("no way" in p for p in problems(replace(house, fixtures=(*house.fixtures, plug))))
    fixture = {f.name: f for f in house.fixtures}
    front = next(f for f in house.fronts if f.class_name != "drawer")
    post_x, post_y = swing_points(front, fixture[front.fixture])[-1]
    post = Fixture("post", "plant", float(post_x), float(post_y), 1.0, 0.0, (0.1, 0.1, 2.0), room.name)
    assert any("swings into post" in p for p in problems(replace(house, fixtures=(*house.fixtures, post))))


def test_gives_up_after_bounded_redraws(monkeypatch):
    monkeypatch.setattr(generate, "problems", lambda house: ["never good enough"])
    monkeypatch.setattr(generate, "_MAX_REDRAWS", 3)
    with pytest.raises(RuntimeError, match="split 'dev', index 5 within 3"):
        generate_house("dev", 5)


@pytest.mark.parametrize(("split", "index"), [("train", 0), ("dev", 1), ("heldout", 2)])
def test_a_house_is_at_rest(split: Split, index: int):
    house, model, data = fresh(split, index)
    deepest = min((contact.dist for contact in data.contact), default=0.0)
    assert deepest > -1e-3
    before = {item.name: data.body(item.name).xpos.copy() for item in house.items}
    joints = [front.joint for front in house.fronts] + [d.door_joint for d in house.doorways if d.door_joint]
    angles = {name: float(data.joint(name).qpos[0]) for name in joints}
    mujoco.mj_step(model, data, 500)
    assert before
    for name, position in before.items():
        assert np.abs(data.body(name).xpos - position).max() < 1.5e-3, name
    for name, angle in angles.items():
        assert abs(float(data.joint(name).qpos[0]) - angle) < 1e-3, name
    awake = {model.body(model.body_rootid[b]).name for b in range(1, model.nbody) if data.body_awake[b] == 1}
    assert awake == {ROBOT_BODY}


@pytest.mark.parametrize("split", SPLITS)
def test_doors_stand_as_drawn_after_a_reset(split: Split):
    house, model, data = fresh(split, 0)
    mujoco.mj_resetData(model, data)
    mujoco.mj_forward(model, data)
    doors = [door for door in house.doorways if door.door_joint]
    assert doors
    for door in doors:
        assert data.joint(door.door_joint).qpos[0] == pytest.approx(door.initial_angle)
        # Positive angles swing along the doorway's direction.
        panel = data.geom(f"{door.name}_panel").xpos[:2] - np.array([door.x, door.y])
        along = float(panel @ [np.cos(door.yaw), np.sin(door.yaw)])
        assert along == pytest.approx(np.sin(door.initial_angle) * (door.width - 0.02) / 2, abs=5e-3)


def _force_along(model, data, body: str, point, direction, newtons: float, seconds: float) -> None:
    """Pull at a point that moves with the body, in a direction that turns with it."""
    body_id = model.body(body).id
    local = data.body(body).xmat.reshape(3, 3).T @ (np.asarray(point) - data.body(body).xpos)
    turned = data.body(body).xmat.reshape(3, 3).T @ np.asarray(direction)
    for _ in range(int(seconds / model.opt.timestep)):
        rotation = data.body(body).xmat.reshape(3, 3)
        data.qfrc_applied[:] = 0
        mujoco.mj_applyFT(
            model,
            data,
            rotation @ turned * newtons,
            np.zeros(3),
            data.body(body).xpos + rotation @ local,
            body_id,
            data.qfrc_applied,
        )
        mujoco.mj_step(model, data)
    data.qfrc_applied[:] = 0


@pytest.mark.parametrize("split", SPLITS)
def test_fronts_open_by_their_handles_and_stay(split: Split):
    house, model, data = fresh(split, 1)
    for front in house.fronts:
        handle = (front.handle_x, front.handle_y, front.handle_z)
        assert np.allclose(data.geom(front.handle_geoms[0]).xpos, handle, atol=2e-3)
        outward = (np.cos(front.yaw), np.sin(front.yaw), 0.0)
        mujoco.mj_resetData(model, data)
        mujoco.mj_forward(model, data)
        _force_along(model, data, front.name, handle, outward, 3.0, 0.3)
        assert abs(data.joint(front.joint).qpos[0]) < 0.01 * front.open_joint + 2e-3
        _force_along(model, data, front.name, handle, outward, 15.0, 5.0)
        assert data.joint(front.joint).qpos[0] > 0.9 * front.open_joint, front.name
        mujoco.mj_step(model, data, 250)
        rested = float(data.joint(front.joint).qpos[0])
        mujoco.mj_step(model, data, 100)
        assert data.joint(front.joint).qpos[0] == pytest.approx(rested, abs=1e-3)


@pytest.mark.parametrize("split", SPLITS)
def test_doors_give_way_to_a_push_of_8_to_25_newtons_both_ways(split: Split):
    house, model, data = fresh(split, 2)
    doors = [door for door in house.doorways if door.door_joint]
    for door in doors:
        for sign in (1.0, -1.0):
            mujoco.mj_resetData(model, data)
            data.joint(door.door_joint).qpos[0] = 0.0
            mujoco.mj_forward(model, data)
            leaf = f"{door.name}_leaf"
            hinge, middle = data.body(leaf).xpos, data.geom(f"{door.name}_panel").xpos
            edge = np.array([*(hinge + 2 * (middle - hinge))[:2], 1.0])
            push = (sign * np.cos(door.yaw), sign * np.sin(door.yaw), 0.0)
            _force_along(model, data, leaf, edge, push, 7.0, 0.2)
            assert abs(data.joint(door.door_joint).qpos[0]) < 0.01
            _force_along(model, data, leaf, edge, push, 25.0, 4.0)
            assert sign * data.joint(door.door_joint).qpos[0] > 1.2, door.name


@pytest.mark.parametrize(("split", "index"), [("train", 1), ("dev", 0), ("heldout", 4)])
def test_the_robot_really_fits_where_the_check_says(split: Split, index: int):
    house, model, data = fresh(split, index)
    grid, reached = reachable_floor(house)
    robot = model.body(ROBOT_BODY).id
    for name, x, y, yaw in work_targets(house):
        spot = standing_spot(grid, reached, x, y, yaw)
        assert spot is not None
        data.joint("base_x").qpos[0], data.joint("base_y").qpos[0] = spot
        data.joint("base_yaw").qpos[0] = yaw + np.pi
        mujoco.mj_forward(model, data)
        touching = [
            model.body(model.geom_bodyid[g]).name for c in data.contact for g in c.geom if _side(model, c, robot)
        ]
        assert touching == [], name


def _side(model: mujoco.MjModel, contact, robot: int) -> bool:
    """Whether the contact is between the robot's base itself and something else."""
    bodies = {int(model.geom_bodyid[g]) for g in contact.geom}
    return robot in bodies and len({int(model.body_rootid[b]) for b in bodies}) > 1


def test_what_hangs_on_a_wall_is_taken_down_with_it():
    """Else windows float in the air of every picture."""
    house = generate_house("dev", 6)
    model = build_house(house).compile()
    whole = model.geom_size.copy()
    cut_walls(house, model, azimuth_deg=68.0)
    shrunk = set(np.flatnonzero(np.any(model.geom_size != whole, axis=1)).tolist())
    low = [wall for i, wall in enumerate(house.walls) if model.geom(f"wall_{i}").id in shrunk]
    assert low
    for k, decor in enumerate(house.decor):
        if decor.kind in WALL_HUNG_DECOR:
            x, y = offset(decor.x, decor.y, decor.yaw, -0.05)
            hung_low = any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in low)
            body = model.body(f"decor_{k}_{decor.kind}_look").id
            geoms = set(np.flatnonzero(model.geom_bodyid == body).tolist())
            assert geoms
            assert geoms <= shrunk if hung_low else not geoms & shrunk
