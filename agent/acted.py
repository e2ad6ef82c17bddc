"""What the ticks in which a policy acted say together, for the report of an episode."""

import msgspec

from agent.episodes.report import EpisodeReport
from agent.messages import TICK_S, Step
from agent.policies.limits import LimitWatch


class Acted:
    """Give it every Step."""

    def __init__(self) -> None:
        self._limits = LimitWatch()
        self._ticks = self._choices = self._planned = 0

    def update(self, step: Step) -> None:
        self._limits.update(step)
        if step.acting is not None:
            self._ticks += 1
            self._choices += step.estimate.planned is not None
            self._planned += step.estimate.planned is True

    def complete(self, report: EpisodeReport, checkpoint: str) -> EpisodeReport:
        """The report with limits, acting time and the share of it that was planned."""
        return msgspec.structs.replace(
            report,
            limits=self._limits.report(),
            acting_s=self._ticks * TICK_S,
            planned_share=self._planned / self._choices if self._choices else None,
            checkpoint=checkpoint,
        )
