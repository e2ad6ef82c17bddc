"""Live through a recorded beginning once more: body, belief and mind as they were, then go on freely.

The body does what was recorded, the mind thinks along on what the body senses, and the planner says what it said. At
the step of the fork the recording lets go. Nothing is restored from a snapshot, so nothing can be forgotten in one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from agent.episodes.reader import Episode
from agent.episodes.records import EpisodeError, Kind
from agent.messages import Action, Observation, Plan, PlanRequest, Step, encode

if TYPE_CHECKING:
    from agent.planner.client import PlannerClient
    from agent.policies.interface import Motion, Policy, Situation
    from agent.robot import Robot


class Following:
    """The recorded part of a fork: everything up to step `until`."""

    def __init__(self, episode: Episode, until: int) -> None:
        """Raises EpisodeError for a step that does not exist or an episode that cannot be lived through again."""
        if not 0 <= until < len(episode):
            raise EpisodeError(
                f"step {until} does not exist; {episode.directory.name} has steps 0 to {len(episode) - 1}"
            )
        if episode.header.realtime or episode.header.robot != "in-process":
            raise EpisodeError(
                f"{episode.directory.name} was recorded in real time or on a robot elsewhere: what it sensed cannot be "
                "had again; --policy-only and --gate work on what was recorded"
            )
        self.episode = episode
        self.until = until
        self.thought_otherwise_at: int | None = None
        """First step at which the mind of this code would have acted otherwise."""

    def robot(self, robot: "Robot", at_fork: Callable[[], None]) -> "FollowingRobot":
        """`robot` as the recording moves it until the fork; then `at_fork` is called, and it is the mind's."""
        return FollowingRobot(self, robot, at_fork)

    def corrected(self, step: Step) -> Step:
        """The step as it took place: until the fork the recorded action was what counted."""
        number = step.observation.sequence
        if number >= self.until:
            return step
        recorded = self.episode.step(number)
        if self.thought_otherwise_at is None and encode(recorded.action) != encode(step.action):
            self.thought_otherwise_at = number
        return msgspec.structs.replace(step, action=recorded.action)


class FollowingRobot:
    """A Robot that does what was recorded, and checks that it senses what was recorded."""

    def __init__(self, following: Following, robot: "Robot", at_fork: Callable[[], None]) -> None:
        self._following, self._robot, self._at_fork = following, robot, at_fork

    def observe(self) -> Observation:
        observation = self._robot.observe()
        number, following = observation.sequence, self._following
        if number <= following.until:
            recorded = following.episode.step(number).observation
            if encode(recorded) != encode(observation):
                episode, what = following.episode, _first_difference(recorded, observation)
                raise EpisodeError(
                    f"{episode.directory.name} cannot be forked with this code: at step {number} "
                    f"({observation.time_s:.2f} s) {what} is not what was recorded; it was recorded by code "
                    f"{episode.header.code.sources}"
                )
        if number == following.until:
            self._at_fork()
        return observation

    def act(self, action: Action) -> None:
        number = action.sequence
        if number < self._following.until:
            action = self._following.episode.step(number).action
        self._robot.act(action)

    def close(self) -> None:
        self._robot.close()


def _first_difference(recorded: Observation, found: Observation) -> str:
    for name in Observation.__struct_fields__:
        a, b = (msgspec.structs.replace(recorded, **{name: getattr(o, name)}) for o in (recorded, found))
        if encode(a) != encode(b):
            return name
    return "something"


class SwitchedPolicy:
    """The recorded policy until `switch`, another one from then on."""

    def __init__(self, recorded: "Policy", other: "Policy") -> None:
        self._now, self._other = recorded, other
        self.name = other.name
        self.checkpoint = getattr(other, "checkpoint", "")

    def switch(self) -> None:
        if self._now is not self._other:
            self._now = self._other
            self._now.reset()

    def reset(self) -> None:
        self._now.reset()

    def act(self, situation: "Situation") -> "Motion":
        return self._now.act(situation)

    def think(self) -> bool:
        return self._now.think()


class LoggedPlanner:
    """A PlannerClient that answers what was answered, and asks the real one for what was never asked."""

    def __init__(self, episode: Episode, until_s: float, start_real: Callable[[], "PlannerClient"]) -> None:
        self._answers = {plan.request_id: plan for place, plan in episode.records(Kind.PLAN) if place.time_s <= until_s}
        self._asked: PlanRequest | None = None
        self._start_real = start_real
        self._real: PlannerClient | None = None

    def request(self, request: PlanRequest) -> None:
        """As agent.planner.client.PlannerClient."""
        self._asked = request
        if request.id not in self._answers:
            if self._real is None:
                self._real = self._start_real()
            self._real.request(request)

    def poll(self) -> Plan | None:
        """As agent.planner.client.PlannerClient."""
        if self._asked is None:
            return None
        plan = self._answers.get(self._asked.id)
        if plan is None:
            assert self._real is not None
            plan = self._real.poll()
        if plan is not None:
            self._asked = None
        return plan

    def wait(self, timeout_s: float) -> Plan:
        """As agent.planner.client.PlannerClient."""
        assert self._asked is not None
        plan = self._answers.get(self._asked.id)
        if plan is None:
            assert self._real is not None
            plan = self._real.wait(timeout_s)
        self._asked = None
        return plan

    def close(self) -> None:
        """Ends the real planner's process, if there is one."""
        if self._real is not None:
            self._real.close()
