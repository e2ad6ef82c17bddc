"""What happens when something holds the arm, lies on the base, or is not where it was put."""

import msgspec
import numpy as np
import pytest
from detections import seen

from agent.belief.belief import Belief
from agent.errand import Errand, ErrandAgenda
from agent.frames import planar
from agent.messages import TICK_S, Subgoal, SubgoalKind
from agent.policies.catalogue import make_policy
from agent.skills.drive import CAUGHT_S, BasePose, Drive
from agent.skills.gaze import TILT, nod
from agent.skills.grasping import machine_over
from agent.skills.manipulation import BLOCKED_N
from agent.skills.pick import Pick
from agent.skills.posture import RETREAT_X_M, tuck
from agent.skills.putting import PlaceUnderSpout
from controllers.fake_plant import FakePlant
from controllers.plant import ARM
from controllers.virtual_robot import VirtualRobot

HERE = planar(0.0, 0.0, 0.0)


def test_the_base_backs_off_from_what_holds_the_arm_and_gives_up_in_the_end():
    drive, belief, observation = Drive(BasePose(1.0, 0.0, 0.0)), Belief(), VirtualRobot(FakePlant()).observe()
    speeds = []
    while not drive.failed:
        speeds.append(float(drive.wait(belief, observation)[0]))
        assert len(speeds) * TICK_S < 2.0 * CAUGHT_S, "it never gave up"
    assert drive.failed == "arm-caught"
    assert speeds[0] == 0.0, "tucking in takes its time"
    assert min(speeds) < 0.0
    assert max(speeds) == 0.0


def test_the_base_does_not_back_into_what_the_scan_sees_behind_it():
    drive, belief = Drive(BasePose(1.0, 0.0, 0.0)), Belief()
    observation = VirtualRobot(FakePlant()).observe()
    belief.update(observation)
    belief._scan_points = (0.0, np.array([[-0.3, 0.0]]))
    least = 0.0
    while not drive.failed:
        least = min(least, float(drive.wait(belief, observation)[0]))
    assert least == pytest.approx(0.0)


def test_an_arm_that_gets_nowhere_goes_out_before_the_base_first_and_one_that_moves_does_not():
    drive, belief, observation = Drive(BasePose(1.0, 0.0, 0.0)), Belief(), VirtualRobot(FakePlant()).observe()
    belief.update(observation)
    for k in range(200):
        observation.joint_position[ARM] += 0.001
        drive.wait(belief, observation)
        assert not drive.wedged, k
    while not drive.wedged:
        drive.wait(belief, observation)
    out, _, may_drive, _ = tuck(belief.hand, observation, wedged=True)
    tucking, *_ = tuck(belief.hand, observation)
    assert not may_drive
    assert out[0] > tucking[0]


def test_a_hand_climbs_over_what_holds_it_back_on_its_way_out():
    belief, observation = Belief(), VirtualRobot(FakePlant()).observe()
    belief.update(observation)
    belief.hand.tool_in_base = planar(RETREAT_X_M + 0.1, 0.0, 0.0, 0.8)
    free, *_ = tuck(belief.hand, observation)
    belief.hand.force_in_base_n = np.array([9.0, 0.0, -3.0])  # the inside of a drawer's front, with friction
    held_back, *_ = tuck(belief.hand, observation)
    assert free[0] < 0.0
    assert held_back[2] > free[2] + 0.05
    assert held_back[0] > -0.02, "it does not press on"


def test_a_mug_that_hides_the_tray_stands_in_the_machine_all_the_same():
    belief = Belief()
    machine = belief.entities.remember(seen("coffee_machine", (1.0, 0.0, 1.1)), HERE, 0.0)
    inside = belief.entities.remember(seen("mug", (0.95, 0.02, 0.95)), HERE, 0.0)
    beside = belief.entities.remember(seen("mug", (1.0, 0.3, 0.95)), HERE, 0.0)
    assert machine_over(inside, belief) is machine
    assert machine_over(beside, belief) is None


def test_a_hand_that_gets_on_is_not_blocked_however_hard_it_goes():
    pick = Pick(Subgoal(id=1, kind=SubgoalKind.PICK, target="mug-1"), make_policy("scripted"))
    belief = Belief()
    pick._force = np.array([BLOCKED_N + 5.0, 0.0, 0.0])
    pick._pace_m_s = np.array([0.1, 0.0, 0.0])
    assert not any(pick._blocked(belief) for _ in range(400))
    pick._pace_m_s = np.zeros(3)
    assert any(pick._blocked(belief) for _ in range(400))


def test_looking_about_meets_the_sides_at_every_height():
    """A leaf that stands open beside the robot is seen at the level of the eyes, too."""
    ahead = VirtualRobot(FakePlant()).observe()
    ahead.joint_position[TILT] = 0.0
    rates = np.array([nod(msgspec.structs.replace(ahead, time_s=k * TICK_S)) for k in range(1600)])
    level = rates[rates[:, 1] < 0.6, 0]
    assert level.max() > 1.0
    assert level.min() < -1.0


@pytest.mark.parametrize(("aside_m", "says"), [(0.01, "done"), (0.055, "not-under-spout")])
def test_a_mug_that_stands_beside_the_spout_is_no_success(aside_m, says):
    belief = Belief()
    machine = belief.entities.remember(seen("coffee_machine", (1.0, 0.0, 1.0)), HERE, 0.0)
    tray = belief.entities.remember(seen("drip_tray", (0.9, 0.0, 0.9)), HERE, 0.0)
    tray.parent = machine.id
    mug = belief.entities.remember(seen("mug", (0.9, aside_m, 0.95)), HERE, 0.0)
    skill = PlaceUnderSpout(
        Subgoal(id=1, kind=SubgoalKind.PLACE_UNDER_SPOUT, target=machine.id), make_policy("scripted")
    )
    skill._mug, skill._let_go_s = mug.id, 0.0
    assert skill.verdict(belief) == "", "nobody has looked since"
    mug.last_seen_s = 1.0
    assert skill.verdict(belief) == says


def test_what_a_pick_holds_after_all_is_a_success_at_the_second_attempt():
    belief = Belief()
    mug = belief.entities.remember(seen("mug", (0.6, 0.0, 1.0)), HERE, 0.0)
    belief.hand.grasp(mug.id, belief.hand.tool_in_base, 0.35)
    pick = Pick(Subgoal(id=1, kind=SubgoalKind.PICK, target=mug.id), make_policy("scripted"))
    assert pick.precondition(belief) == "hand-not-empty"
    pick.attempt = 2
    assert pick.precondition(belief) == ""
    assert pick.achieved(belief)


def test_a_front_that_stands_ajar_is_closed_too_but_one_that_stands_open_first():
    belief = Belief()
    ajar = belief.entities.remember(seen("drawer", (1.0, 0.0, 0.7), state=0.3), HERE, 0.0)
    agenda = ErrandAgenda(Errand(SubgoalKind.CLOSE, ("drawer",)), lambda now, message: None)
    chosen = agenda._choose(belief)
    assert chosen is not None
    assert chosen.id == ajar.id
    wide = belief.entities.remember(seen("drawer", (1.6, 0.8, 0.7), state=0.9), HERE, 0.0)
    chosen = agenda._choose(belief)
    assert chosen is not None
    assert chosen.id == wide.id


def test_a_mug_that_was_taken_for_a_bowl_from_afar_is_called_a_mug_between_subgoals():
    belief = Belief()
    bowl = belief.entities.remember(seen("bowl", (1.0, 0.0, 0.9)), HERE, 0.0)
    other = belief.entities.remember(seen("bowl", (1.5, 0.0, 0.9)), HERE, 0.0)
    held = belief.entities.remember(seen("bowl", (0.5, 0.0, 0.9)), HERE, 0.0)
    belief.hand.grasp(held.id, belief.hand.tool_in_base, 0.35)
    assert belief.name_anew() == {}
    for entity in (bowl, held):
        entity.votes["mug"] = 5.0
    assert belief.name_anew() == {"bowl-1": "mug-1"}
    assert belief.entities["mug-1"] is bowl
    assert bowl.id == "mug-1"
    assert belief.entities.get("bowl-1") is None
    assert belief.entities["bowl-2"] is other
    assert belief.hand.held is not None
    assert belief.entities[belief.hand.held.entity_id] is held
