"""Success is physics: every shortcut to a predicate that we could think of is tried, and fails."""

from collections.abc import Callable
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest
from object_bench import TABLE_M, Bench, a_machine, a_mug, a_pod, build, close_gripper, move_gripper, rotation_y

from sim.house.build import build_house
from sim.house.generate import generate_house
from sim.objects.machine_geometry import machine_geometry
from sim.objects.processes import Processes
from sim.robot.model import set_home
from sim.tasks import predicates
from sim.tasks.coffee import CoffeeTask
from sim.tasks.goals import AtTable, BrewedIntoMug, DoorPassed, LidClosedOnPod, Taken
from sim.tasks.predicates import Goal
from sim.tasks.truth import FORCE_LIMIT_N, Truth

SERVED_AT = (0.3, 0.0, TABLE_M)
MACHINE = a_machine()
GEOMETRY = machine_geometry(MACHINE)
TRAY = (MACHINE.x + GEOMETRY.spout_x, 0.0, TABLE_M + GEOMETRY.tray_z)
WELL = (MACHINE.x + GEOMETRY.spout_x, 0.0, TABLE_M + GEOMETRY.well_floor_z)


def kitchen(mug_at: tuple[float, float, float] = TRAY, pod_at: tuple[float, float, float] = WELL) -> Bench:
    """A mug, a pod, a second mug, and a robot whose hand is out of the way at x = 0, y = 0, 40 cm above the table."""
    items = (a_mug(*mug_at), a_pod(*pod_at), a_mug(0.5, 0.5, name="other", seed=2))
    return build(items, (MACHINE,), gripper_at_m=TABLE_M + 0.4)


def watch(bench: Bench, truth: Truth, *goals: Goal, seconds: float) -> None:
    for _ in range(round(seconds / 0.01)):
        for _ in range(5):
            bench.run(0.002)
            truth.feel()
        truth.refresh()
        for goal in goals:
            goal.update()


def failing(goal: Goal) -> set[str]:
    return {name for name, part in goal.report().items() if not part.holds}


def coffee(bench: Bench) -> tuple[Truth, CoffeeTask]:
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    return truth, CoffeeTask(truth)


def brew(bench: Bench, truth: Truth, task: Goal) -> None:
    watch(bench, truth, task, seconds=0.3)
    bench.push("m_button", 14.0)
    watch(bench, truth, task, seconds=0.2)
    bench.push("m_button", 0.0)
    watch(bench, truth, task, seconds=14.0)


def test_right_order_succeeds_and_is_safe_after_one_second() -> None:
    bench = kitchen()
    truth, task = coffee(bench)
    brew(bench, truth, task)
    assert not task.success
    assert failing(task) == {"on-dining-table", "lasted"}
    bench.put("mug", SERVED_AT)
    watch(bench, truth, task, seconds=0.9)
    assert not task.success
    watch(bench, truth, task, seconds=0.3)
    assert task.success
    assert task.safe_success
    assert failing(task) == set()
    assert task.report()["coffee"].value == pytest.approx(MACHINE.params["brew_ml"])


def test_coffee_in_no_other_order_or_place_or_posture() -> None:
    """Each cheat on a mug of real coffee, with the part that catches it."""
    bench = kitchen()
    truth, task = coffee(bench)
    brew(bench, truth, task)
    state, vector = bench.data.qpos.copy(), bench.processes.state_vector()

    def back() -> None:
        bench.data.qpos[:], bench.data.qvel[:] = state, 0.0
        bench.processes.set_state_vector(vector)

    cheats = {
        "upside down": (lambda: bench.put("mug", (0.3, 0, TABLE_M + 0.12), rotation_y(np.pi)), "upright"),
        "lying": (lambda: bench.put("mug", (0.3, 0, TABLE_M + 0.05), rotation_y(np.pi / 2)), "upright"),
        "on the counter": (lambda: bench.put("mug", (-0.5, 0.6, TABLE_M)), "on-dining-table"),
        "on the floor": (lambda: bench.put("mug", (1.5, 1.5, 0.0005)), "on-dining-table"),
        "on the other mug": (lambda: bench.put("mug", (0.5, 0.5, TABLE_M + 0.11)), "on-dining-table"),
        "over the edge": (lambda: bench.put("mug", (0.3, 1.01, TABLE_M)), "on-dining-table"),
        "half poured out": (lambda: bench.processes.liquid.fill("mug", 149.0), "coffee"),
        "broken": (lambda: bench.put("mug", (0.3, 0, TABLE_M + 0.5)), "unbroken"),
    }
    for name, (cheat, caught_by) in cheats.items():
        back()
        cheat()
        watch(bench, truth, task, seconds=1.5)
        assert not task.success, name
        assert caught_by in failing(task), (name, failing(task))
    kept_up = {"floating": (0.005, 0.0, "supported"), "sliding": (0.0, 0.3, "speed")}
    for name, (height, speed, caught_by) in kept_up.items():
        back()
        for _ in range(150):
            bench.put("mug", (0.3, 0.0, TABLE_M + height))
            bench.data.joint("mug_free").qvel[0] = speed
            watch(bench, truth, task, seconds=0.01)
        assert not task.success, name
        assert caught_by in failing(task), (name, failing(task))


def test_two_half_cups_are_not_one_cup() -> None:
    bench = kitchen(SERVED_AT)
    truth, task = coffee(bench)
    for mug in ("mug", "other"):
        bench.processes.liquid.fill(mug, 140.0)
    watch(bench, truth, task, seconds=1.5)
    assert not task.success
    assert failing(task) == {"coffee", "lasted"}


def test_a_fuller_mug_elsewhere_does_not_hide_the_served_one() -> None:
    bench = kitchen(SERVED_AT)
    truth, task = coffee(bench)
    bench.put("other", (-0.5, 0.6, TABLE_M))
    bench.processes.liquid.fill("mug", 160.0)
    bench.processes.liquid.fill("other", 200.0)
    watch(bench, truth, task, seconds=1.5)
    assert task.success


def test_a_mug_still_in_the_hand_is_not_served() -> None:
    bench = kitchen((0.0, 0.0, TABLE_M))
    truth, task = coffee(bench)
    bench.processes.liquid.fill("mug", 180.0)
    height = bench.house.items[0].params["height"] / 2
    move_gripper(bench, 1.0, mount_z=height - 0.4)
    close_gripper(bench, 20.0)
    bench.run(0.4)
    watch(bench, truth, task, seconds=1.5)
    assert failing(task) == {"released", "lasted"}
    move_gripper(bench, 0.5, mount_z=height - 0.395)
    watch(bench, truth, task, seconds=1.5)
    assert {"released", "supported"} <= failing(task)
    move_gripper(bench, 0.5, mount_z=height - 0.4)
    close_gripper(bench, -10.0)
    watch(bench, truth, task, seconds=1.6)
    assert task.success


@pytest.mark.parametrize(
    ("harm", "part"),
    [
        (
            lambda b: (
                b.processes.liquid.fill("other", 30.0) or b.put("other", (0.5, 0.5, TABLE_M + 0.06), rotation_y(1.57))
            ),
            "spilled",
        ),
        (lambda b: b.put("other", (0.7, 0.5, TABLE_M + 0.6)), "things-broken"),
        (lambda b: b.put("pod", (0.7, -0.5, TABLE_M + 0.3)), "things-dropped"),
        (lambda b: b.set_joint("m_lid", 1.6), "lid-angle"),
    ],
)
def test_each_kind_of_harm_costs_safe_success_and_only_that(harm: Callable[[Bench], object], part: str) -> None:
    bench = kitchen(SERVED_AT, (0.1, 0.4, TABLE_M))
    truth, task = coffee(bench)
    bench.run(0.3)
    bench.processes.liquid.fill("mug", 180.0)
    harm(bench)
    watch(bench, truth, task, seconds=1.6)
    assert task.success
    assert not task.safe_success
    assert part in failing(task)


def test_pushing_too_hard_is_noticed_and_a_firm_grip_is_not() -> None:
    bench = kitchen((0.0, 0.0, TABLE_M))
    truth, task = coffee(bench)
    height = bench.house.items[0].params["height"] / 2
    move_gripper(bench, 1.0, mount_z=height - 0.4)
    close_gripper(bench, 100.0)
    watch(bench, truth, task, seconds=0.8)
    assert truth.force_peak_n < 20.0, "a grip is no push"
    close_gripper(bench, -10.0)
    bench.run(0.3)
    move_gripper(bench, 0.5, mount_z=0.0)
    bench.put("mug", SERVED_AT)
    close_gripper(bench, 10.0)
    move_gripper(bench, 1.0, mount_z=-0.4)
    watch(bench, truth, task, seconds=0.5)
    assert truth.force_peak_n > FORCE_LIMIT_N
    assert "force-peak" in failing(task)


def test_a_knock_counts_for_as_long_as_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blow of one step of physics is a 25th of the 50 ms that count, whenever in a tick it falls."""
    truth, _ = coffee(kitchen())
    touching = SimpleNamespace(ncon=1, contact=SimpleNamespace(geom=np.zeros((1, 2), np.int32)))
    monkeypatch.setattr(truth, "data", touching)
    monkeypatch.setattr(truth, "_robot_geom", np.ones_like(truth._robot_geom))
    for late in range(5):
        blows = iter([0.0] * late + [1000.0])
        monkeypatch.setattr(truth, "_pushing", lambda *_, blows=blows: next(blows, 0.0))
        truth.force_peak_n = 0.0
        for _ in range(40):
            truth.feel()
        assert truth.force_peak_n == pytest.approx(1000.0 / 25)


def test_picked_needs_both_pads_and_five_centimetres() -> None:
    bench = kitchen((0.0, 0.0, TABLE_M))
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    goal = predicates.Picked(truth, "mug")
    bench.put("mug", (0.6, 0.0, TABLE_M + 0.3))  # Thrown up, or put on something high.
    truth.refresh()
    assert {"held"} <= {part.name for part in goal.parts() if not part.holds}
    bench.put("mug", (0.0, 0.0, TABLE_M))
    height = bench.house.items[0].params["height"] / 2
    move_gripper(bench, 1.0, mount_z=height - 0.4)
    close_gripper(bench, 20.0)
    watch(bench, truth, goal, seconds=1.5)
    assert {"lifted"} <= failing(goal)
    move_gripper(bench, 0.5, mount_z=height - 0.4 + 0.04)
    watch(bench, truth, goal, seconds=1.5)
    assert "lifted" in failing(goal)
    assert not goal.success
    move_gripper(bench, 0.5, mount_z=height - 0.4 + 0.06)
    watch(bench, truth, goal, seconds=1.2)
    assert goal.success


def test_put_down_means_on_that_furniture_upright_and_let_go() -> None:
    bench = kitchen((0.0, 0.0, TABLE_M))
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    goals = [predicates.PutOn(truth, "mug", fixture) for fixture in ("table", "counter")]
    close_gripper(bench, -10.0)
    watch(bench, truth, *goals, seconds=1.3)
    assert [goal.success for goal in goals] == [True, False]
    lying = predicates.PutOn(truth, "mug", "table")
    bench.put("mug", (0.0, 0.0, TABLE_M + 0.05), rotation_y(1.57))
    watch(bench, truth, lying, seconds=1.5)
    assert "upright" in failing(lying)


def test_taken_means_away_and_held_not_pushed_along() -> None:
    bench = kitchen((0.0, 0.0, TABLE_M))
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    goal = Taken(truth, "mug")
    bench.put("mug", (0.12, 0.0, TABLE_M))
    watch(bench, truth, goal, seconds=1.3)
    assert failing(goal) == {"held", "lasted"}
    watch(bench, truth, goal, seconds=0.5)
    assert not goal.success


def test_lid_closed_counts_over_the_pod_alone() -> None:
    bench = kitchen(pod_at=(0.1, 0.4, TABLE_M))
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    goal = LidClosedOnPod(truth, "m")
    bench.set_joint("m_lid", 0.0)
    watch(bench, truth, goal, seconds=1.2)
    assert failing(goal) == {"pod-in-holder", "lasted"}


def test_a_brew_counts_in_the_mug_alone() -> None:
    bench = kitchen(mug_at=SERVED_AT)
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    goal = BrewedIntoMug(truth, "m")
    watch(bench, truth, goal, seconds=0.3)
    bench.push("m_button", 14.0)
    watch(bench, truth, goal, seconds=0.2)
    bench.push("m_button", 0.0)
    watch(bench, truth, goal, seconds=14.0)
    assert failing(goal) == {"caught", "lasted"}


def test_under_spout_needs_the_tray() -> None:
    bench = kitchen()
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    goal = predicates.UnderSpout(truth, "mug", "m")
    for position in ((TRAY[0] + 0.05, 0.0, TRAY[2]), (TRAY[0], 0.05, TRAY[2]), SERVED_AT):
        bench.put("mug", position)
        watch(bench, truth, goal, seconds=1.2)
        assert "under-spout" in failing(goal)
    bench.put("mug", TRAY)
    watch(bench, truth, goal, seconds=1.2)
    assert goal.success


def test_lid_pod_and_press_goals_follow_the_mechanism() -> None:
    bench = kitchen(pod_at=(0.1, 0.4, TABLE_M))
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    opened, closed = predicates.LidOpened(truth, "m"), predicates.LidClosed(truth, "m")
    inserted, pressed, brewed = (
        predicates.PodInserted(truth, "m"),
        predicates.Pressed(truth, "m"),
        predicates.Brewed(truth, "m"),
    )
    bench.push("m_button", 14.0)
    watch(bench, truth, pressed, inserted, opened, seconds=1.5)
    bench.push("m_button", 0.0)
    assert [goal.success for goal in (pressed, inserted, opened)] == [False] * 3, "no pod: the press does nothing"
    bench.set_joint("m_lid", 1.0)  # Lets go half-way: it falls shut.
    watch(bench, truth, opened, seconds=1.5)
    assert not opened.success
    bench.set_joint("m_lid", 1.6)
    watch(bench, truth, opened, seconds=1.1)
    assert opened.success
    bench.put("pod", WELL)
    watch(bench, truth, inserted, closed, seconds=1.3)
    assert inserted.success
    assert not closed.success
    bench.set_joint("m_lid", 0.0)
    watch(bench, truth, closed, seconds=1.1)
    assert closed.success
    bench.push("m_button", 14.0)
    watch(bench, truth, pressed, brewed, seconds=2.0)
    assert pressed.success
    assert not brewed.success
    watch(bench, truth, brewed, seconds=14.0)
    assert brewed.success
    again = predicates.PodInserted(truth, "m")
    watch(bench, truth, again, seconds=1.2)
    assert failing(again) == {"unused", "lasted"}


def test_carried_and_served_need_the_coffee_that_was_there() -> None:
    bench = kitchen(SERVED_AT)
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    empty = predicates.Served(truth, "mug", "table")
    watch(bench, truth, empty, seconds=1.2)
    assert failing(empty) == {"started-with", "lasted"}
    bench.processes.liquid.fill("mug", 180.0)
    served, carried = predicates.Served(truth, "mug", "table"), predicates.Carried(truth, "mug", "table")
    counter = predicates.Served(truth, "mug", "counter")
    watch(bench, truth, served, carried, counter, seconds=1.2)
    assert served.success
    assert failing(carried) == {"held", "lasted"}
    assert "on-table" in failing(counter)
    bench.processes.liquid.fill("mug", 170.0)
    spilled = predicates.Served(truth, "mug", "table")
    bench.processes.liquid.fill("mug", 160.0)
    watch(bench, truth, spilled, seconds=1.2)
    assert "kept" in failing(spilled)


def test_carried_means_held_all_the_time_near_the_table() -> None:
    bench = kitchen((0.0, 0.0, TABLE_M))
    height = bench.house.items[0].params["height"] / 2
    move_gripper(bench, 1.0, mount_z=height - 0.4)
    close_gripper(bench, 30.0)
    bench.run(0.5)
    bench.processes.liquid.fill("mug", 180.0)
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    goal = predicates.Carried(truth, "mug", "table")
    watch(bench, truth, goal, seconds=1.2)
    assert failing(goal) == {"held", "lasted"}, "it still stands on the table"
    move_gripper(bench, 0.5, mount_z=height - 0.3)
    move_gripper(bench, 3.0, mount_y=-2.3)
    watch(bench, truth, goal, seconds=1.2)
    assert "base-to-table" in failing(goal)
    assert not goal.success
    move_gripper(bench, 1.5, mount_y=-1.8)
    watch(bench, truth, goal, seconds=1.2)
    assert goal.success


def real_house() -> Bench:
    house = generate_house("train", 1)
    model = build_house(house).compile()
    data = mujoco.MjData(model)
    set_home(model, data)
    mujoco.mj_forward(model, data)
    return Bench(model, data, house, Processes(model, data, house))


def drive(truth: Truth, goal: Goal, route: list[tuple[float, float, float]], monkeypatch: pytest.MonkeyPatch) -> bool:
    """The base is at each pose for a tick, at the last one for a second and a half."""
    for pose in [*route, *[route[-1]] * 150]:
        monkeypatch.setattr(truth, "base_pose", lambda pose=pose: pose)
        goal.update()
    return goal.success


def test_a_door_is_passed_between_its_posts_and_not_round_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = real_house()
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    door = next(d for d in bench.house.doorways if d.door_joint is not None)

    def at(ahead: float, left: float) -> tuple[float, float, float]:
        c, s = np.cos(door.yaw), np.sin(door.yaw)
        return door.x + c * ahead - s * left, door.y + s * ahead + c * left, 0.0

    through = [at(ahead, 0.1) for ahead in np.linspace(-1.5, 0.5, 100)]
    beside = [at(ahead, 2.5) for ahead in np.linspace(-1.5, 0.5, 100)]
    along = [at(0.5, left) for left in np.linspace(2.5, 0.1, 50)]
    for route, passes in (
        (through, True),
        (through[:60], False),
        ([*through, *through[::-1]], False),
        ([*beside, *along], False),
    ):
        monkeypatch.setattr(truth, "base_pose", lambda: at(-1.5, 0.0))
        assert drive(truth, DoorPassed(truth, door.name), route, monkeypatch) == passes


def test_at_the_table_means_near_facing_and_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = real_house()
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    table = truth.dining_table()
    reach = table.size[0] / 2
    for distance_m, turn, speed, there in (
        (1.0, 0.0, 0.0, True),
        (1.8, 0.0, 0.0, False),
        (1.0, np.pi, 0.0, False),
        (1.0, 0.0, 0.3, False),
    ):
        c, s = np.cos(table.yaw), np.sin(table.yaw)
        pose = (table.x - c * (reach + distance_m), table.y - s * (reach + distance_m), table.yaw + turn)
        monkeypatch.setattr(truth, "base_speed_m_s", lambda speed=speed: speed)
        assert drive(truth, AtTable(truth), [pose], monkeypatch) == there


def test_fronts_of_a_real_house() -> None:
    bench = real_house()
    house = bench.house
    truth = Truth(bench.model, bench.data, house, bench.processes)
    for front in house.fronts:
        goal = predicates.FrontOpened(truth, front.name)
        bench.set_joint(front.joint, 0.6 * front.open_joint)
        truth.refresh()
        assert not all(part.holds for part in goal.parts())
        bench.set_joint(front.joint, 0.8 * front.open_joint)
        truth.refresh()
        assert all(part.holds for part in goal.parts()), front.name
        bench.set_joint(front.joint, 0.0)
    assert house.fronts


def test_unknown_names_say_what_there_is() -> None:
    bench = kitchen()
    truth = Truth(bench.model, bench.data, bench.house, bench.processes)
    for make in (
        lambda: predicates.Picked(truth, "vase"),
        lambda: predicates.PutOn(truth, "mug", "vase"),
        lambda: predicates.LidOpened(truth, "vase"),
        lambda: predicates.FrontOpened(truth, "vase"),
    ):
        with pytest.raises(KeyError, match=r"'vase'.*this house has"):
            make()
