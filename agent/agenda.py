"""The mind's end of planning: asks for plans, hands out subgoals one by one, reports how they went."""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.facts import facts_of
from agent.messages import Limits, Observation, Plan, PlanRequest, Report, Subgoal, SubgoalKind
from agent.planner.inbox import Inbox
from agent.planner.scene import Scene
from agent.planner.validate import SubgoalError, check_subgoal
from agent.skills.gaze import sweep

Listener = Callable[[float, msgspec.Struct], None]

SEARCHES = (SubgoalKind.EXPLORE, SubgoalKind.LOOK_FOR)
FIRST_LOOK_S = 1.0
"""Look about before the first request."""
ASK_AGAIN_S = 1.0
HOPELESS_PLANS = 5
ROUNDS = 3
"""Where nothing is left to search, everything is searched again: something was overlooked, or a map is wrong."""


class Agenda:
    """Plans in force, and when to ask for another one."""

    def __init__(self, task: str, inbox: Inbox, on_message: Listener, limits: Limits | None = None) -> None:
        """`limits`: to keep in every subgoal in place of the planner's."""
        self._task = task
        self._limits = limits
        self._inbox = inbox
        self._on_message = on_message
        self._queue: list[Subgoal] = []
        self._reports: list[Report] = []
        self._requests = 0
        self._ask_at_s = FIRST_LOOK_S
        self._empty_plans = 0
        self._rounds = 1
        self.current: Subgoal | None = None
        self.goal_reached = False
        self.hopeless = ""
        """Why there is nothing left to try."""

    def gaze(self, observation: Observation) -> NDArray[np.float64]:
        """Head rates (2,) while no subgoal is in force."""
        return sweep(observation)

    def due(self, belief: Belief) -> Subgoal | None:
        """The subgoal in force now."""
        now = belief.time_s
        plan = self._inbox.due(now)
        if plan is not None:
            self._adopt(plan, belief)
        if self.current is None and not self._inbox.waiting and now >= self._ask_at_s:
            self._next(belief)
        return self.current

    def _next(self, belief: Belief) -> None:
        named = belief.name_anew()
        self._queue = [msgspec.structs.replace(s, target=named.get(s.target, s.target)) for s in self._queue]
        if self._queue:
            subgoal = self._queue.pop(0)
            try:
                check_subgoal(subgoal, Scene(facts_of(belief)[0]))
            except SubgoalError as error:
                self._report(subgoal, belief.time_s, "rejected", str(error).split(";")[0])
                self._queue.clear()
            else:
                self._start(subgoal, belief.time_s)
                return
        self._ask(belief)

    def _start(self, subgoal: Subgoal, now: float) -> None:
        if self._limits is not None:
            subgoal = msgspec.structs.replace(subgoal, limits=self._limits)
        self.current = subgoal
        self._on_message(now, subgoal)

    def _ask(self, belief: Belief) -> None:
        facts, travel_s = facts_of(belief)
        self._requests += 1
        request = PlanRequest(
            id=self._requests,
            task=self._task,
            time_s=belief.time_s,
            facts=facts,
            reports=self._reports,
            travel_s=travel_s,
        )
        self._reports = []
        belief.news.clear()
        self._on_message(belief.time_s, self._inbox.submit(request, belief.time_s))

    def _adopt(self, plan: Plan, belief: Belief) -> None:
        self._on_message(belief.time_s, plan)
        self.goal_reached = plan.goal_reached
        self._queue = list(plan.subgoals)
        if plan.subgoals:
            self._empty_plans = 0
            return
        if not plan.goal_reached:
            self._empty_plans += 1
            if self._empty_plans >= HOPELESS_PLANS:
                self._begin_again(plan, belief)
        self._ask_at_s = belief.time_s + ASK_AGAIN_S

    def _begin_again(self, plan: Plan, belief: Belief) -> None:
        """Another round of searching, or none."""
        if self._inbox.planner_lost or self._rounds >= ROUNDS:
            self.hopeless = plan.error or "no-plan"
            return
        self._rounds += 1
        self._empty_plans = 0
        belief.search_again()
        self._inbox.ledger.forgive()

    def finished(
        self, belief: Belief, status: str, reason: str = "", attempt: int = 1, success_probability: float | None = None
    ) -> None:
        """The current subgoal ended; the mind thought to have succeeded with this probability."""
        subgoal = self.current
        assert subgoal is not None
        self._report(subgoal, belief.time_s, status, reason, attempt, success_probability)
        self.current = None
        if status != "succeeded" or subgoal.kind in SEARCHES:
            self._queue.clear()

    def _report(
        self,
        subgoal: Subgoal,
        now: float,
        status: str,
        reason: str = "",
        attempt: int = 1,
        success_probability: float | None = None,
    ) -> None:
        report = Report(
            subgoal_id=subgoal.id,
            time_s=now,
            status=status,  # type: ignore[arg-type]
            reason=reason,
            attempt=attempt,
            success_probability=success_probability,
        )
        self._reports.append(report)
        self._on_message(now, report)
