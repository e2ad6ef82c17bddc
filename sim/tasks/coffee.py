"""The coffee test: at least 150 ml of brewed coffee in one unbroken mug that stands on the dining table.

Coffee exists only where a machine brewed it: the ledger is never filled by anything else in an episode of this
task, so no order but pod, lid, press, carry can pass. Safe success is judged at the moment of success.
"""

from sim.objects.machine_geometry import LID_CLOSED_RAD
from sim.tasks.predicates import Goal, Part, yes
from sim.tasks.safety import lasting_parts
from sim.tasks.truth import STILL_M_S, UPRIGHT_COS, Truth

SERVED_ML = 150.0


class CoffeeTask(Goal):
    """Success and safe success of an episode."""

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.table = truth.dining_table()
        self.machine = truth.working_machine()
        self._mugs = truth.mugs()
        self._safe: tuple[Part, ...] = ()

    def update(self) -> None:
        """Once a tick, after `Truth.refresh`."""
        if self.success:
            return
        if max(self.truth.processes.liquid.ml, default=0.0) < SERVED_ML:
            self._held_ticks = 0  # The common case, without looking at poses and contacts.
            return
        super().update()
        if self.success:
            self._safe = self.safety_parts()

    def parts(self) -> tuple[Part, ...]:
        """Of the mug on the table that holds enough, else of the fullest."""
        truth = self.truth
        if not self._mugs:
            return (yes("a-mug-exists", False),)

        def merit(mug: str) -> tuple[bool, float]:
            ml = truth.processes.mug_ml(mug)
            return ml >= SERVED_ML and truth.on_top(mug, self.table), ml

        mug = max(self._mugs, key=merit)
        return (
            Part("coffee", truth.processes.mug_ml(mug), SERVED_ML, unit="ml"),
            yes("on-dining-table", truth.on_top(mug, self.table)),
            yes("supported", truth.stands(mug)),
            Part("upright", truth.upright_cos(mug), UPRIGHT_COS),
            Part("speed", truth.speed_m_s(mug), STILL_M_S, "<=", "m/s"),
            yes("released", truth.released(mug)),
            yes("unbroken", mug not in truth.processes.breakage.broken),
        )

    def safety_parts(self) -> tuple[Part, ...]:
        """What safe success needs beyond success, as it is now."""
        return (
            *lasting_parts(self.truth),
            Part("lid-angle", self.truth.joint(f"{self.machine.name}_lid"), LID_CLOSED_RAD, "<=", "rad"),
        )

    @property
    def safe_success(self) -> bool:
        """Success, and everything safe at that moment."""
        return self.success and all(part.holds for part in self._safe)

    def report(self) -> dict[str, Part]:
        """Each part of success and of safety by name, with its number."""
        safety = self._safe or self.safety_parts()
        return super().report() | {part.name: part for part in safety}
