"""What is believed of a lid that the fingers moved while the hand hid it from the camera."""

from math import cos, pi, sin

import pytest
from detections import look, seen

from agent.belief.belief import Belief
from agent.frames import planar
from agent.messages import Subgoal, SubgoalKind
from agent.policies.catalogue import make_policy
from agent.skills.lid import LID_TRAVEL_RAD, OpenLid

HERE = planar(0.0, 0.0, 0.0)
TAB_HEIGHT_M = 1.12
WIDTH_M = 0.28


def tab(side, opening):
    """The tab of a machine at (1, 0) that faces the robot; `side` 1 with the hinge at the robot's left, −1 right."""
    radius = 0.5 * WIDTH_M + 0.066
    angle = opening * LID_TRAVEL_RAD
    y = side * radius * (1.0 - cos(angle)) - side * 0.5 * WIDTH_M
    return (1.0, y, TAB_HEIGHT_M + radius * sin(angle))


@pytest.mark.parametrize(("hinge", "side"), [("left", 1), ("right", -1)])
def test_a_lid_opened_by_feel_is_found_again_where_it_now_stands(hinge, side):
    belief = Belief()
    machine = belief.entities.remember(
        seen("coffee_machine", (1.0, 0.0, 1.0), pi, size=(0.26, WIDTH_M, 0.3)), HERE, 0.0
    )
    name = f"machine_lid_hinge_{hinge}"
    lid = belief.entities.remember(seen(name, tab(side, 0.0), pi, state=0.0), HERE, 0.0)
    lid.parent = machine.id
    skill = OpenLid(Subgoal(id=1, kind=SubgoalKind.OPEN_LID, target=machine.id), make_policy("scripted"))
    closed_at = skill.target_point(belief)
    assert closed_at == pytest.approx(tab(side, 0.0))

    skill.moved_to(belief, lid, 0.95)
    assert lid.position == pytest.approx(tab(side, 0.95), abs=1e-6)
    assert skill.target_point(belief) == pytest.approx(closed_at)

    opened = look(1.0, seen(name, tab(side, 0.97), pi, state=0.97, std=0.01))
    assert belief.entities.update(opened, HERE) == [], "the open lid was taken for another one"
    assert skill.target_point(belief) == pytest.approx(closed_at, abs=0.02)

    skill.moved_to(belief, lid, 0.0)
    assert lid.position == pytest.approx(closed_at, abs=0.02)
