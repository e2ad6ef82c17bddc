"""The mind's end of planning, with a planner that finds nothing."""

import numpy as np

from agent.agenda import ASK_AGAIN_S, HOPELESS_PLANS, ROUNDS, Agenda
from agent.belief.belief import Belief
from agent.messages import Plan, Scan
from agent.planner.inbox import Inbox
from agent.planner.ledger import Ledger


class NothingFound(Inbox):
    """An inbox whose planner never finds a plan, or is `lost`."""

    def __init__(self, lost):
        self.ledger = Ledger()
        self.planner_lost = lost
        self.asked = []
        self.answered = 0

    @property
    def waiting(self):
        return False

    def submit(self, request, now_s):
        self.asked.append(request)
        return request

    def due(self, now_s):
        if self.answered == len(self.asked):
            return None
        self.answered = len(self.asked)
        return Plan(request_id=self.answered, subgoals=[], error="no mug anywhere")


class Clock(Belief):
    """A belief in which only time passes."""

    now = 0.0

    @property
    def time_s(self):
        return self.now


def run(lost):
    belief, inbox = Clock(), NothingFound(lost)
    ranges = np.full(360, 2.0, np.float32)
    scan = Scan(time_s=0.0, first_angle_rad=-np.pi, step_rad=2 * np.pi / 360, ranges_m=ranges)
    belief.map.update((0.0, 0.0, 0.0), scan)
    rounds = []
    agenda = Agenda("coffee", inbox, lambda *_: None)
    while not agenda.hopeless and belief.now < 1000.0:
        belief.searched.add(("shelf-1", "mug"))
        before = len(inbox.asked)
        agenda.due(belief)
        if not belief.searched:
            rounds.append(before)
        belief.now += ASK_AGAIN_S
    return agenda, inbox, rounds


def test_where_nothing_is_left_to_search_everything_is_searched_again_before_giving_up():
    agenda, inbox, rounds = run(lost=False)
    assert agenda.hopeless == "no mug anywhere"
    assert len(rounds) == ROUNDS - 1
    assert len(inbox.asked) == ROUNDS * HOPELESS_PLANS


def test_without_a_planner_nothing_is_searched_again():
    agenda, _, rounds = run(lost=True)
    assert agenda.hopeless
    assert not rounds
