"""The tables of results: the same houses for every policy, honest labels, and nothing that was not measured."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from agent.commands.bench_knowing import Attempt, Seen, area_words, calm_seconds, calm_words, largest_after, summarise
from agent.commands.results_archive import archive_of, restore
from agent.commands.results_cells import CONDITIONS, GRID, HEADLINE, Cell
from agent.commands.results_tables import (
    WORTH,
    by_task,
    compared,
    first_tries,
    how,
    kept_better,
    kept_limits,
    worth,
)
from agent.commands.results_variants import SAFEGUARDS, TRAINED
from agent.episodes import EpisodeReport, SubgoalOutcome
from agent.episodes.report import Kept
from agent.world_model.config import PlanningConfig, TrainingConfig


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


def test_tables_say_what_was_measured() -> None:
    results = {}
    for condition in ("nominal", "limits"):
        share = 0.02 if condition == "nominal" else 0.3
        prior = {i: report(i % 50 > 0, None, over_s=0.5) for i in range(200)}
        plan = {i: report(i % 50 > 0, share, over_s=0.5 * (i % 4 == 0)) for i in range(200)}
        plan[7] = report(False, None, lacks="no mug")
        results |= {Cell("pick-mug", condition, "prior"): prior, Cell("pick-mug", condition, "world-model"): plan}
    tasks, minds = ["pick-mug", "open-lid"], ["prior", "world-model"]
    text = "\n".join(by_task(results, tasks, "nominal", minds))
    assert "| pick-mug | 98% (95%–99%), n 200 | 98% (95%–99%), n 199 † |" in text  # what a house lacks counts nowhere
    assert "†" not in "\n".join(by_task(results, tasks, "limits", minds)), "there it plans"
    assert "| open-lid | – | – |" in text  # nor what was not run
    text = "\n".join(first_tries(results, tasks, "nominal", minds))
    assert "| pick-mug | 98% (95%–99%) | 98% (95%–99%) † |" in text
    text = "\n".join(compared(results, tasks, ["nominal"], "world-model", "prior", margin=True))
    assert "| nominal | 199 | +0.0% (-1.0% to +1.0%) | not inferior by a margin of 2% |" in text
    text = "\n".join(compared(results, tasks, ["combined"], "world-model", "prior", margin=True))
    assert "| combined | 0 | – | undecided by a margin of 2% |" in text
    assert "2.0% (prior)" in "\n".join(how(results, tasks, "nominal", minds))  # a row that hardly plans says so
    assert "30.0% |" in "\n".join(how(results, tasks, "limits", minds))
    text = "\n".join(kept_limits(results, tasks, minds))
    assert "| prior | 100% (98%–100%), n 200 | 0.50 |" in text  # episodes in which it passed the force limit
    assert "| world-model | 25% (20%–32%), n 199 |" in text
    text = "\n".join(kept_better(results, tasks, "world-model", ["prior"]))
    assert "| prior | 199 | 50 and 199 | -74.9% (-80.3% to -68.0%) |" in text
    both = ["nominal", "limits"]
    assert worth(results, tasks, both, "prior") == ["98% (96%–99%), n 400", "98%", "5.0", "200 of 200", "–"]
    assert worth(results, tasks, both, "world-model")[3:] == ["50 of 199", "16.0%"], (
        "half of the time at 2 %, half at 30 %"
    )
    assert worth(results, tasks, ["nominal"], "world-model")[3:] == ["–", "2.0% (prior)"]
    assert worth(results, tasks, ["combined"], "prior") == ["–"] * len(WORTH)
    again = SubgoalOutcome(kind="pick", start_s=0.0, duration_s=5.0, succeeded=True, attempts=2)
    results[Cell("pick-mug", "combined", "prior")] = {0: plan[1], 1: structs.replace(plan[1], subgoals=[again])}
    assert worth(results, tasks, ["combined"], "prior")[:2] == ["50% (9%–91%), n 2", "100%"]
    never_acted = structs.replace(plan[0], limits={})
    results[Cell("pick-mug", "limits", "world-model")] = {**plan, 0: never_acted}
    assert "| prior | 198 |" in "\n".join(kept_better(results, tasks, "world-model", ["prior"]))


def test_every_condition_of_the_grid_exists() -> None:
    from agent.messages import Limits
    from sim.disturbances.catalogue import check_disturbance

    assert set(HEADLINE) | set(GRID) == set(CONDITIONS)
    for disturbance, limits in CONDITIONS.values():
        check_disturbance(disturbance)
        assert limits is None or Limits(**limits)


def test_every_variant_is_another_model_of_settings_that_exist() -> None:
    for variant in TRAINED.values():
        TrainingConfig(**variant.training)
    for _, changed in SAFEGUARDS.values():
        assert PlanningConfig(**changed) != PlanningConfig()
    assert not set(TRAINED) & set(SAFEGUARDS)


def test_a_page_is_written_section_by_section_and_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without training data or weights the page says so, and is a page all the same."""
    from agent.cli import main

    monkeypatch.setenv("DOPPIO_EPISODES", str(tmp_path / "episodes"))
    page = tmp_path / "docs" / "results.md"
    told = ["--to", str(page), "--data", str(tmp_path / "none"), "--variants", str(tmp_path / "variants")]
    asked = ["--sections", "headline", "seeds", "--policies", "scripted", "--tasks", "press-button"]
    ran = main(["results", *asked, "--conditions", "nominal", "--episodes", "1", "--workers", "1", *told])
    text = page.read_text()
    assert ran == 0
    assert "| press-button | 100% (21%–100%), n 1 |" in text
    assert "![success by condition](images/results-success.png)" in text
    assert (page.parent / "images" / "results-success.png").stat().st_size > 5000
    restore(archive_of(page), tmp_path / "elsewhere")
    (journal,) = (tmp_path / "elsewhere").iterdir()
    assert journal.read_bytes() == (tmp_path / "episodes" / "evaluations" / journal.name).read_bytes()
    assert "## Three training seeds\n\nEach trained once, 3000 batches" in text
    assert "trained for longer, in stages.\n\nNot measured: seed-0 cannot be trained: no episodes" in text


def test_an_event_counts_only_for_who_had_felt_before_it() -> None:
    at, score = np.arange(0.0, 4.0, 0.01), np.zeros(400)
    score[250:260] = 3.0
    attempts = [(0, 100), (150, 400)]
    assert largest_after(2.0, at, score, attempts) == 3.0
    assert largest_after(1.0 - 0.02, at, score, attempts) == 0.0, "what comes later than a second is another matter"
    assert largest_after(1.2, at, score, attempts) is None, "nobody acted"
    assert largest_after(1.6, at, score, attempts) is None, "acting had just begun"
    assert largest_after(3.95, at, score, attempts) is None, "hardly anything came after"


def test_calm_seconds_are_seconds_in_contact_of_one_attempt() -> None:
    at, score, contact = np.arange(0.0, 6.0, 0.01), np.zeros(600), np.zeros(600, bool)
    contact[50:260] = True
    contact[420:550] = True
    score[120], score[255], score[450], score[560] = 1.0, 2.0, 3.0, 4.0
    one = [(0, 600)]
    assert calm_seconds(at, score, contact, one, 9.0) == (1.0, 0.0, 3.0), "none in which little is touched"
    assert calm_seconds(at, score, contact, one, 4.0) == (1.0, 0.0)
    assert calm_seconds(at, score, contact, [(0, 140), (140, 600)], 9.0) == (0.0, 3.0)


def test_what_a_mind_knows_is_summed_up_with_what_it_rests_on() -> None:
    def seen(disturbance: str, **said: Any) -> Seen:
        blank = {"success": True, "after": None, "calm": (), "alarms": 0, "minutes": 0.5, "attempts": ()}
        return Seen("pick-mug", disturbance, **(blank | said))

    said = (Attempt((0.5, 0.9, 0.9), True), Attempt((0.5, 0.4, 0.4, 0.2, 0.1), False), Attempt((0.5, 0.8), True))

    found = summarise(
        [
            seen("none", calm=(0.2, 0.3, 0.9), alarms=1),
            seen("none", calm=(0.1,)),
            seen("none", calm=(2.0, 3.0), alarms=2, success=False),
            seen("none", calm=(9.9,), missing="no mug"),
            seen("push", after=1.4),
            seen("push", after=0.5),
            seen("push"),
            seen("combined", attempts=said),
        ]
    )
    calm = {"episodes": 3, "minutes": 1.5, "seconds_in_contact": 6, "false_alarms_per_minute": 2.0}
    assert found["undisturbed"] == calm
    calm = {"episodes": 2, "minutes": 1.0, "seconds_in_contact": 4, "false_alarms_per_minute": 1.0}
    assert found["undisturbed_succeeded"] == calm
    assert calm_words(calm) == "1 a minute in 2 episodes (1.0 minutes, 4 seconds in contact)"
    push = found["events"]["push"]
    assert (push["n"], push["auc"], push["noticed"]) == (2, 7 / 12, 0.5)
    assert push["auc_ci95"][0] < 7 / 12 < push["auc_ci95"][1]
    assert push["against_succeeded"]["auc"] == 7 / 8
    assert found["odds"]["n"] == 3
    assert found["odds"]["auc"] == 1.0
    assert found["success_ece"] == pytest.approx(0.7 / 3)
    late = found["odds_at_one_time"]
    assert (late["n"], late["auc"]) == (3, 1.0)
    nothing = summarise([seen("none")])
    assert nothing["odds"]["n"] == 0
    assert area_words(nothing["odds"]) == "–"
    assert nothing["success_ece"] is None
