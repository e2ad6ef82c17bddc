"""The fast loop: the whole agent in one screen."""

from collections.abc import Callable

from agent.agenda import Agenda
from agent.belief.belief import Belief
from agent.errand import ErrandAgenda
from agent.messages import Step
from agent.mind import Mind
from agent.robot import Robot

Record = Callable[[Step], None]
Until = Callable[[Step], bool]


def run(robot: Robot, belief: Belief, agenda: Agenda | ErrandAgenda, mind: Mind, record: Record, until: Until) -> None:
    """Observe, believe, act, think on, record, once a tick, until `until` says so. The robot is closed in any case."""
    try:
        while True:
            observation = robot.observe()
            belief.update(observation)
            subgoal = agenda.due(belief)
            action = mind.act(belief, observation, subgoal)
            robot.act(action)
            mind.think(belief)
            step = Step(
                observation=observation, subgoal=subgoal, action=action, estimate=mind.estimate, acting=mind.acting
            )
            record(step)
            if until(step):
                return
    finally:
        robot.close()
