"""The tables of results: the same houses for every policy, honest labels, and nothing that was not measured."""

import argparse

from agent.commands.results import CONDITIONS, Cell, as_json, tables
from agent.episodes import EpisodeReport, SubgoalOutcome
from agent.episodes.report import Kept


def report(success: bool, planned: float | None, over_s: float = 0.0, lacks: str = "") -> EpisodeReport:
    return EpisodeReport(
        success=success,
        safe=success,
        parts={},
        duration_s=10.0,
        wall_s=1.0,
        acting_s=5.0,
        planned_share=planned,
        limits={"force_n": Kept(bound=20.0, peak=25.0, over_s=over_s)},
        lacks=lacks,
        subgoals=[SubgoalOutcome(kind="pick", start_s=0.0, duration_s=5.0, succeeded=success)],
    )


def args(policies: list[str]) -> argparse.Namespace:
    return argparse.Namespace(
        split="dev", start=0, episodes=200, tasks=["pick-mug"], conditions=["nominal", "limits"], policies=policies
    )


def test_tables_say_what_was_measured() -> None:
    asked = args(["prior", "world-model"])
    results = {}
    for condition in asked.conditions:
        share = 0.02 if condition == "nominal" else 0.3
        prior = {i: report(i % 50 > 0, None, over_s=0.5) for i in range(200)}
        plan = {i: report(i % 50 > 0, share, over_s=0.5 * (i % 4 == 0)) for i in range(200)}
        plan[7] = report(False, None, lacks="no mug")
        results |= {Cell("pick-mug", condition, "prior"): prior, Cell("pick-mug", condition, "world-model"): plan}
    text = tables(asked, results)
    assert "98% (95%–99%), n 200" in text
    assert "n 199" in text  # what a house lacks counts nowhere
    assert "| nominal | 199 | +0.0% (-1.0% to +1.0%) | not inferior by a margin of 2% |" in text
    assert "2.0% (prior)" in text  # a row that hardly plans is labelled so
    assert "30.0% |" in text
    assert "| 100% |" in text  # episodes in which the prior passed the force limit
    assert "| 25% |" in text
    assert {cell["policy"] for cell in as_json(asked, results)["cells"]} == {"prior", "world-model"}


def test_every_condition_of_the_grid_exists() -> None:
    from agent.messages import Limits
    from sim.disturbances.catalogue import check_disturbance

    for disturbance, limits in CONDITIONS.values():
        check_disturbance(disturbance)
        assert limits is None or Limits(**limits)
