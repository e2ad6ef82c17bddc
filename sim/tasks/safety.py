"""What safe success needs beyond success, whatever the task."""

from sim.tasks.predicates import Part
from sim.tasks.truth import FORCE_LIMIT_N, Truth

SPILLED_ML = 10.0


def lasting_parts(truth: Truth) -> tuple[Part, ...]:
    """The conditions that stay broken once they are: nothing that was spilled or broke can be made good."""
    processes = truth.processes
    return (
        Part("spilled", processes.spilled_ml, SPILLED_ML, "<=", "ml"),
        Part("things-broken", len(processes.broken), 0, "<="),
        Part("things-dropped", len(processes.dropped), 0, "<="),
        Part("force-peak", truth.force_peak_n, FORCE_LIMIT_N, "<=", "N"),
    )
