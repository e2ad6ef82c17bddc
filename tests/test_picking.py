"""Picking up a mug: what the pads must feel, and what the place leaves room for."""

from math import pi

import numpy as np
import pytest
from detections import seen

from agent.belief.belief import Belief
from agent.belief.facts import facts_of
from agent.frames import Pose, planar, tool_rotation
from agent.messages import Scan, Subgoal, SubgoalKind
from agent.policies.catalogue import make_policy
from agent.policies.interface import Motion
from agent.skills.approach import Approach
from agent.skills.manipulation import Aim
from agent.skills.pick import ONE_SIDED_TICKS, Pick
from agent.skills.putting import PlaceUnderSpout

HERE = planar(0.0, 0.0, 0.0)
PITCH_RAD = 0.35
MUG_AT = (0.7, 0.0, 0.9)


def begun(in_machine=False):
    """Belief and a skill that is about to act on a mug before the robot."""
    belief = Belief()
    mug = belief.entities.remember(seen("mug", MUG_AT, 0.0), HERE, 0.0)
    if in_machine:
        machine = belief.entities.remember(seen("coffee_machine", (0.7, 0.0, 1.0), pi, (0.26, 0.28, 0.3)), HERE, 0.0)
        tray = belief.entities.remember(seen("drip_tray", (0.7, 0.0, 0.87), pi), HERE, 0.0)
        tray.parent = machine.id
    skill = Pick(Subgoal(id=1, kind=SubgoalKind.PICK, target=mug.id), make_policy("scripted"))
    approach = Approach(0.0, PITCH_RAD)
    frame = approach.target_frame(mug.position)
    goal = skill.goal(belief, approach, frame)
    assert goal is not None
    skill._aim = Aim(approach, frame, goal, 0.5, 0.01)
    skill.before_acting(belief)
    return belief, skill


def feel(belief, both):
    belief.hand.width_m, belief.hand.force_n, belief.hand.pads_touch = 0.082, 30.0, both


def test_what_only_one_pad_feels_is_let_go_of():
    belief, skill = begun()
    feel(belief, both=False)
    said = [skill.judge(belief, Motion(np.zeros(6), phase="close")) for _ in range(ONE_SIDED_TICKS)]
    assert said[:-1] == [""] * (ONE_SIDED_TICKS - 1)
    assert said[-1] == "one-sided"
    assert belief.hand.held is None
    assert skill.approaches(belief)[0].penalty >= 2.0, "another side comes first"


def test_a_pad_that_touches_a_little_later_does_no_harm():
    belief, skill = begun()
    feel(belief, both=False)
    for _ in range(5):
        assert skill.judge(belief, Motion(np.zeros(6), phase="close")) == ""
    feel(belief, both=True)
    for _ in range(60):
        assert skill.judge(belief, Motion(np.zeros(6), phase="close")) == ""
    assert belief.hand.held is not None


@pytest.mark.parametrize(
    ("in_machine", "lifted_m", "drawn_back_m", "allowed"),
    [(True, 0.0, 0.0, True), (True, 0.03, 0.0, False), (True, 0.03, 0.15, True), (False, 0.03, 0.0, True)],
)
def test_a_mug_is_not_lifted_against_the_head_of_a_machine(in_machine, lifted_m, drawn_back_m, allowed):
    belief, skill = begun(in_machine)
    assert skill._aim is not None
    start = skill._aim.goal.tool_in_target
    belief.hand.tool_in_base = skill._aim.target_in_map @ Pose(
        start.position + np.array([-drawn_back_m, 0.0, lifted_m]), tool_rotation(PITCH_RAD)
    )
    belief.hand.grasp(skill.subgoal.target, skill._aim.target_in_map, PITCH_RAD)
    up = np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.0])
    twist = skill.as_place_allows(belief, Motion(up)).twist_in_target
    assert (twist[2] == 0.05) == allowed
    assert allowed or twist[2] < 0.0, "it is lowered again"
    assert up[2] == 0.05, "what the policy asked for stays as it was"


@pytest.mark.parametrize(("reason", "askew"), [("blocked", True), ("target-lost", False)])
def test_a_mug_that_never_fits_under_the_spout_is_grasped_anew(reason, askew):
    belief, _ = begun(in_machine=True)
    mug = next(iter(belief.entities.of_class("mug")))
    belief.hand.grasp(mug.id, HERE, PITCH_RAD)
    skill = PlaceUnderSpout(
        Subgoal(id=2, kind=SubgoalKind.PLACE_UNDER_SPOUT, target="coffee_machine-1"), make_policy("scripted")
    )
    skill.before_acting(belief)
    skill.fail(reason)
    ranges = np.full(360, 2.0, np.float32)
    scan = Scan(time_s=0.0, first_angle_rad=-np.pi, step_rad=2 * np.pi / 360, ranges_m=ranges)
    belief.map.update((0.0, 0.0, 0.0), scan)
    assert any(fact.predicate == "awkward-grasp" for fact in facts_of(belief)[0]) == askew
