"""Where the hinge of a front is believed to be, from how its handle stands; and a lid that is not quite shut."""

from math import cos, hypot, pi, sin

import numpy as np
import pytest
from detections import seen

from agent.belief.belief import Belief
from agent.belief.classes import HINGE_TRAVEL_RAD
from agent.belief.entities import hinge_offset
from agent.belief.facts import LID_SHUT, _Writer
from agent.belief.swing import Swing
from agent.frames import Pose, planar
from agent.messages import Subgoal, SubgoalKind
from agent.policies.catalogue import make_policy
from agent.skills.approach import Approach
from agent.skills.closing import BEHIND_HANDLE_M, Close
from agent.skills.press import Press

HERE = planar(0.0, 0.0, 0.0)


@pytest.mark.parametrize("opening", [0.2, 0.5, 0.95])
@pytest.mark.parametrize(
    ("name", "side"), [("cabinet_hinge_left", 1), ("cabinet_hinge_right", -1), ("fridge_hinge_left", 1)]
)
def test_a_leaf_is_pushed_about_its_hinge_which_lies_behind_its_handle(name: str, side: int, opening: float) -> None:
    size = (0.02, 0.55, 0.7)
    radius, behind = hinge_offset(name, np.array(size)), BEHIND_HANDLE_M[name.split("_", maxsplit=1)[0]]
    # The robot looks along x at a front that faces it; y is to the left of who looks.
    hinge, angle = np.array([1.0 + behind, side * radius, 0.8]), opening * HINGE_TRAVEL_RAD
    out = np.array(
        [-radius * sin(angle) - behind * cos(angle), side * (behind * sin(angle) - radius * cos(angle)), 0.0]
    )
    belief = Belief()
    front = belief.entities.remember(seen(name, tuple(hinge + out), pi, size, opening), HERE, 0.0)
    skill = Close(Subgoal(id=1, kind=SubgoalKind.CLOSE, target=front.id), make_policy("scripted"))
    target = skill.target_point(belief)
    assert target is not None
    goal = skill.goal(belief, Approach(0.0, 0.1), Pose(target, np.eye(3)))
    assert goal is not None
    assert target + np.array(goal.hinge_in_target) == pytest.approx(hinge, abs=1e-6)
    reach = target + goal.tool_in_target.position - hinge
    assert hypot(reach[0], reach[1]) == pytest.approx(hypot(radius, behind), abs=0.03)
    beside = goal.tool_in_target.position + target - (hinge + out)
    outward = np.array([-cos(angle), side * sin(angle), 0.0])
    assert float(beside @ outward) == pytest.approx(0.065, abs=0.012), "on the outside, and not touching yet"
    along_leaf = np.array([sin(angle), side * cos(angle), 0.0])
    assert 0.01 < float(beside @ along_leaf) < 0.04, "nearer to the hinge, away from the leaf's free edge"


@pytest.mark.parametrize("error", [(0.1, 0.0), (-0.03, -0.1), (0.06, 0.07)])
def test_a_hinge_is_found_from_how_the_handle_swings(error: tuple[float, float]) -> None:
    hinge, radius = np.array([1.2, -0.4]), 0.5
    swing = Swing(hinge + np.array(error), radius)
    rng = np.random.default_rng(5)
    for angle in np.linspace(1.6, 0.2, 70):
        swing.see(hinge + radius * np.array([-sin(angle), cos(angle)]) + rng.normal(0.0, 0.01, 2))
    assert np.linalg.norm(swing.hinge - hinge) < 0.02


def test_a_handle_that_stands_still_tells_nothing_across() -> None:
    hinge, radius = np.array([1.2, -0.4]), 0.5
    swing = Swing(hinge + np.array([0.1, 0.0]), radius)
    for _ in range(50):
        swing.see(hinge + np.array([0.0, radius]))
    # Along the leaf the hinge is where it has to be; across it nothing was learned.
    assert np.linalg.norm(swing.hinge - hinge - np.array([0.0, radius])) == pytest.approx(radius, abs=0.002)
    assert swing.hinge[0] - hinge[0] == pytest.approx(0.1, abs=0.02)


def machine_with_lid(state: float) -> tuple[Belief, str]:
    belief = Belief()
    machine = belief.entities.remember(seen("coffee_machine", (1.0, 0.0, 1.0), pi, (0.26, 0.28, 0.3)), HERE, 0.0)
    lid = belief.entities.remember(seen("machine_lid_hinge_back", (1.0, 0.0, 1.12), pi, state=state), HERE, 0.0)
    machine.sightings = lid.sightings = 20
    lid.parent = machine.id
    return belief, machine.id


def told(belief: Belief) -> set[str]:
    writer = _Writer(belief)
    writer.machines()
    return {fact.predicate for fact in writer.facts if fact.predicate.startswith("lid-")}


@pytest.mark.parametrize(("state", "word"), [(0.0, "lid-closed"), (LID_SHUT + 0.02, "lid-ajar"), (0.9, "lid-open")])
def test_a_lid_is_open_ajar_or_shut(state: float, word: str) -> None:
    belief, _ = machine_with_lid(state)
    assert told(belief) == {word}


def test_a_lid_under_which_a_button_was_pressed_in_vain_is_not_taken_for_shut() -> None:
    belief, machine = machine_with_lid(0.0)
    press = Press(Subgoal(id=1, kind=SubgoalKind.PRESS, target=machine), make_policy("scripted"))
    press._try_again(belief, "no-brewing")
    assert press.status == "running", "once more"
    press._try_again(belief, "no-brewing")
    assert (press.status, press.reason) == ("failed", "no-brewing")
    assert told(belief) == {"lid-ajar"}
