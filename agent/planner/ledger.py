"""What became of the plans: trials of the episode and what is left of the plan in force.

The planner remembers nothing, so the mind's side keeps this and sends it along with each request.
"""

from collections.abc import Iterable

import msgspec

from agent.messages import Plan, PlanRequest, Report, Subgoal, SubgoalKind, Trial

_Key = tuple[SubgoalKind, str, str]


class Ledger:
    """Counts reports by what the subgoal was."""

    def __init__(self) -> None:
        self._issued: dict[int, Subgoal] = {}
        self._trials: dict[_Key, Trial] = {}
        self._current: list[Subgoal] = []

    @property
    def trials(self) -> list[Trial]:
        """In the order of first trial."""
        return list(self._trials.values())

    @property
    def current(self) -> list[Subgoal]:
        """What is left of the plan in force, the running subgoal first."""
        return list(self._current)

    def adopt(self, plan: Plan) -> None:
        """This plan is in force now."""
        self._issued.update((subgoal.id, subgoal) for subgoal in plan.subgoals)
        self._current = list(plan.subgoals)

    def note(self, reports: Iterable[Report]) -> None:
        """Counts what was reported. Reports on subgoals never issued are ignored: another planner's."""
        for report in reports:
            subgoal = self._issued.get(report.subgoal_id)
            if subgoal is None or report.status == "running":
                continue
            if report.status == "rejected":
                # Never begun: what was believed changed meanwhile. That ends the plan but speaks against nothing.
                self._current = []
                continue
            key = (subgoal.kind, subgoal.target, subgoal.item)
            trial = self._trials.get(key, Trial(kind=subgoal.kind, target=subgoal.target, item=subgoal.item))
            if report.status == "succeeded":
                changed = msgspec.structs.replace(trial, successes=trial.successes + 1, failures=0, last_reason="")
                self._current = [left for left in self._current if left.id != subgoal.id]
            else:
                # A plan one of whose steps failed is no longer in force.
                changed = msgspec.structs.replace(trial, failures=trial.failures + 1, last_reason=report.reason)
                self._current = []
            self._trials[key] = changed

    def forgive(self) -> None:
        """What failed, and what was done often, may be tried as if for the first time."""
        self._trials.clear()

    def complete(self, request: PlanRequest) -> PlanRequest:
        """The request with its reports counted and the ledger's state filled in."""
        self.note(request.reports)
        return msgspec.structs.replace(request, trials=self.trials, current=self.current)
