"""Where things are put down: a spot is as good as the latest look at it."""

from math import pi

import pytest
from detections import seen

from agent.belief.belief import Belief
from agent.belief.places import free_spots
from agent.frames import planar
from agent.messages import Subgoal, SubgoalKind
from agent.policies.catalogue import make_policy
from agent.session import RunConfig, run_episode
from agent.skills.approach import Approach
from agent.skills.putting import Place

HERE = planar(0.0, 0.0, 0.0)
COUNTER_M, SINK_M = (0.62, 2.8, 0.86), (0.62, 0.56, 0.2)


def remember(belief, class_name, position, size):
    return belief.entities.remember(seen(class_name, position, pi, size), HERE, 0.0)


@pytest.mark.parametrize(("sink_y", "may"), [(0.05, False), (1.0, True)])
def test_nothing_is_put_where_a_sink_was_seen_on_the_way(sink_y, may):
    belief = Belief()
    counter = remember(belief, "counter", (1.5, 0.0, 0.43), COUNTER_M)
    mug = remember(belief, "mug", (0.6, 0.0, 1.1), None)
    belief.hand.grasp(mug.id, belief.hand.tool_in_base, 0.35)
    place = Place(Subgoal(id=1, kind=SubgoalKind.PLACE, target=counter.id), make_policy("scripted"))
    spot = free_spots(counter, belief.entities, counter.yaw, mug.id)[0]
    assert abs(spot[1]) < 0.03, "the middle of an empty counter comes first"
    remember(belief, "sink", (1.5, sink_y, 0.76), SINK_M)
    place._approach = Approach(0.0, 0.35)
    place._tried.append(place._approach)
    place._set_up(belief, spot)
    assert (place._aim is not None) == may
    assert place.attempt == 1, "nothing was tried yet"


@pytest.mark.parametrize("house", [1, 7])
def test_what_the_hand_feels_puts_a_mug_under_the_spout_though_all_is_seen_aside(house, tmp_path):
    task = {"task": "place-under-spout", "split": "train", "index": house}
    report = run_episode(RunConfig(**task, policy="scripted", disturbance="bias-3cm", record=tmp_path))
    assert report.parts["under-spout"], "where the tray was seen is 3 cm beside it"
