"""What a hand met, or did not, says where a thing is that is not where it is seen."""

from math import pi

import numpy as np
import pytest
from detections import seen

from agent.belief.belief import Belief
from agent.frames import Pose, planar, tool_rotation
from agent.messages import Subgoal, SubgoalKind
from agent.policies.catalogue import make_policy
from agent.policies.interface import Goal, Motion
from agent.skills.approach import Approach
from agent.skills.groping import FARTHER_M, FARTHEST_M, Groping
from agent.skills.lid import IN_M, OUT_M, OpenLid
from agent.skills.manipulation import Aim
from agent.skills.opening import PITCH_RAD, Open
from agent.skills.press import (
    ASIDE_M,
    ASIDES_BEYOND,
    ASIDES_IN_FRONT,
    ASIDES_ON_TOP,
    NO_BUTTON,
    TOP_PITCH_RAD,
    Press,
)

HERE = planar(0.0, 0.0, 0.0)
SEEN_AT = np.array([1.0, 0.2, 0.8])


def opening(roll: float = 0.0) -> tuple[Open, Belief]:
    """A hand about to take hold of a cabinet's handle that is seen straight ahead."""
    belief = Belief()
    front = belief.entities.remember(
        seen("cabinet_door_hinge_left", tuple(SEEN_AT), pi, size=(0.02, 0.4, 0.7), state=0.0), HERE, 0.0
    )
    skill = Open(Subgoal(id=1, kind=SubgoalKind.OPEN, target=front.id), make_policy("scripted"))
    skill._approach = Approach(0.0, PITCH_RAD, roll_rad=roll)
    skill._set_up(belief, SEEN_AT)
    skill._enter("act", belief)
    return skill, belief


def meets(skill: Groping, belief: Belief, short_m: float, aside_m: float) -> None:
    """The hand is pushed back with 40 N, so far before its goal, so far beside its middle."""
    assert skill._aim is not None
    goal = skill._aim.target_in_map @ skill._aim.goal.tool_in_target
    back = goal.rotation[:, 2]
    belief.hand.tool_in_base = Pose(goal.position - short_m * back, goal.rotation)
    belief.hand.force_in_base_n = -40.0 * back
    skill._force = belief.hand.force_in_base_n
    belief.hand._torque_in_tool_nm = np.array([-40.0 * aside_m, 0.0, 0.0])


def test_where_fingers_closed_on_nothing_the_handle_is_deeper() -> None:
    skill, belief = opening()
    skill._stop_short(belief, "missed")
    skill._set_up(belief, SEEN_AT)
    assert skill._aim is not None
    assert skill._aim.target_in_map.position - SEEN_AT == pytest.approx([FARTHER_M, 0.0, 0.0], abs=2e-4)


def test_a_front_that_was_met_too_soon_is_nearer() -> None:
    skill, belief = opening()
    meets(skill, belief, short_m=0.025, aside_m=0.002)
    skill._stop_short(belief, "blocked")
    assert belief.felt_off[skill.subgoal.target] == pytest.approx([-0.025, 0.0, 0.0], abs=1e-3)


@pytest.mark.parametrize("aside_m", [0.03, -0.03])
def test_a_handle_that_met_one_finger_is_on_its_side(aside_m: float) -> None:
    skill, belief = opening()
    meets(skill, belief, short_m=0.02, aside_m=aside_m)
    assert belief.hand.pushed_aside_m == pytest.approx(aside_m)
    skill._stop_short(belief, "blocked")
    assert skill._aim is not None
    left = float(skill._aim.goal.tool_in_target.rotation[1, 1]) * aside_m
    assert belief.felt_off[skill.subgoal.target] == pytest.approx([0.0, left, 0.0], abs=1e-3)


def test_fingers_one_above_the_other_tell_nothing_to_the_side() -> None:
    skill, belief = opening(roll=0.5 * pi)
    meets(skill, belief, short_m=0.02, aside_m=0.03)
    skill._stop_short(belief, "blocked")
    assert belief.felt_off[skill.subgoal.target] == pytest.approx([-0.02, 0.0, 0.0], abs=1e-3)


@pytest.mark.parametrize(("short_m", "reason"), [(0.002, "blocked"), (0.03, "slipped-off")])
def test_what_says_nothing_of_its_place_leaves_a_handle_where_it_is_seen(short_m: float, reason: str) -> None:
    skill, belief = opening()
    if reason == "blocked":
        meets(skill, belief, short_m, 0.0)
    skill._stop_short(belief, reason)
    assert belief.felt_off == {}


def test_what_was_felt_too_far_away_was_something_else() -> None:
    skill, belief = opening()
    for _ in range(1 + int(FARTHEST_M / FARTHER_M)):
        skill._enter("act", belief)
        skill._stop_short(belief, "missed")
    assert belief.felt_off[skill.subgoal.target].tolist() == [0.0, 0.0, 0.0]


def pressing(top: bool) -> tuple[Press, Belief]:
    belief = Belief()
    machine = belief.entities.remember(seen("coffee_machine", (1.0, 0.0, 1.0), pi, (0.26, 0.28, 0.3)), HERE, 0.0)
    name = "brew_button_top" if top else "brew_button_front"
    button = belief.entities.remember(seen(name, (0.9, 0.0, 1.1), pi), HERE, 0.0)
    button.parent = machine.id
    skill = Press(Subgoal(id=1, kind=SubgoalKind.PRESS, target=machine.id), make_policy("scripted"))
    pitch = TOP_PITCH_RAD if top else 0.1
    rotation = tool_rotation(pitch)
    goal = Goal(Pose(-0.02 * rotation[:, 2], rotation))
    skill._aim = Aim(Approach(0.0, pitch), planar(0.9, 0.0, 0.0, 1.1), goal, 0.3, 0.01)
    skill._approach = skill._aim.approach
    skill.before_acting(belief)
    return skill, belief


def push(skill: Press, belief: Belief, gives_m: float) -> str:
    """Push until it is hard; what the skill says when the hand has drawn back."""
    assert skill._aim is not None
    goal = skill._aim.target_in_map @ skill._aim.goal.tool_in_target
    along = goal.rotation[:, 2]
    for force_n, share in ((0.0, 0.0), (3.0, 0.2), (8.0, 0.7), (30.0, 1.0)):
        belief.hand.tool_in_base = Pose(goal.position + share * gives_m * along, goal.rotation)
        skill._force = -force_n * along
        assert skill.judge(belief, Motion(np.zeros(6), phase="push")) == ""
    assert skill.opening(belief) == 1.0, "the press was felt"
    return skill.judge(belief, Motion(np.zeros(6), phase="draw-back", finished=True))


def test_a_button_gives_way_and_a_machine_does_not() -> None:
    skill, belief = pressing(top=False)
    assert push(skill, belief, gives_m=0.004) == "done"
    skill.before_acting(belief)
    assert push(skill, belief, gives_m=0.0003) == NO_BUTTON
    skill.before_acting(belief)
    assert skill.judge(belief, Motion(np.zeros(6), phase="advance", finished=True)) == "not-pressed"


@pytest.mark.parametrize(
    ("top", "met", "places"),
    [(False, True, ASIDES_IN_FRONT), (False, False, ASIDES_BEYOND), (True, True, ASIDES_ON_TOP)],
)
def test_a_button_that_is_not_where_it_is_seen_is_felt_for_around_that(top: bool, met: bool, places: list) -> None:
    skill, belief = pressing(top)
    if met:
        push(skill, belief, gives_m=0.0)
    point = skill.target_point(belief)
    assert point is not None
    for attempt, (ahead, left) in enumerate(places, start=2):
        skill._stop_short(belief, NO_BUTTON)
        assert skill._aim is not None
        moved = skill._aim.target_in_map.position - point
        assert moved == pytest.approx([ASIDE_M * ahead, ASIDE_M * left, 0.0])
        assert (skill._phase, skill.attempt) == ("ready", attempt)
    skill._stop_short(belief, NO_BUTTON)
    assert (skill._phase, belief.felt_off) == ("stow", {})
    skill._try_again(belief, NO_BUTTON)
    assert (skill.status, skill.reason) == ("failed", NO_BUTTON)
    assert belief.pressed_in_vain == set(), "nothing was pressed"


@pytest.mark.parametrize(("hinge", "inwards"), [("left", 1.0), ("right", -1.0)])
def test_a_tab_beside_a_machine_is_farther_out_where_the_hand_ran_into_that_and_nearer_where_it_passed(
    hinge: str, inwards: float
) -> None:
    belief = Belief()
    machine = belief.entities.remember(seen("coffee_machine", (1.0, 0.0, 1.0), pi, (0.26, 0.28, 0.3)), HERE, 0.0)
    lid = belief.entities.remember(seen(f"machine_lid_hinge_{hinge}", (1.0, 0.0, 1.12), pi, state=0.0), HERE, 0.0)
    lid.parent = machine.id
    skill = OpenLid(Subgoal(id=1, kind=SubgoalKind.OPEN_LID, target=machine.id), make_policy("scripted"))
    skill._approach = skill.approaches(belief)[0]
    point = skill.target_point(belief)
    assert point is not None
    skill._set_up(belief, point)
    meets(skill, belief, short_m=0.04, aside_m=0.0)
    assert skill.felt_aside(belief, "blocked") == pytest.approx([0.0, -OUT_M * inwards, 0.0])
    assert skill.felt_aside(belief, "missed") == pytest.approx([0.0, IN_M * inwards, 0.0])
    skill.attempt = 2
    deeper = skill.felt_aside(belief, "missed")
    assert deeper[0] == pytest.approx(FARTHER_M, abs=3e-4)
    assert deeper[1] == pytest.approx(0.0, abs=1e-9)
    meets(skill, belief, short_m=0.001, aside_m=0.0)
    assert not skill.felt_aside(belief, "timeout").any(), "it was there, and nothing came of it"
