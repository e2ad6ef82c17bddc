"""A learned policy in an episode: deterministic, repeatable from the record, quick, and honest in reports."""

from dataclasses import replace
from itertools import pairwise
from time import process_time

import msgspec
import numpy as np
import pytest

from agent.commands import bench_backends
from agent.commands.outcome import CommandError
from agent.commands.rebuild import rebuild_world
from agent.episodes import Episode, EpisodeReport, Kind
from agent.episodes.verify import verify
from agent.messages import Limits, Step
from agent.policies.interface import Situation
from agent.policies.learned import LearnedPolicy
from agent.policies.recorded import situation_of
from agent.session import RunConfig, run_episode
from agent.world_model.checkpoint import save
from agent.world_model.config import STEP_TICKS, ModelConfig, PlanningConfig
from agent.world_model.features import LAYOUT, Featurizer
from agent.world_model.model import Model, fresh
from agent.world_model.planning import Planner
from agent.world_model.surprise import Surprise

PHASES = ("advance", "draw-back", "line-up", "push")
FORCE_N = 21.0


@pytest.fixture(scope="module")
def model() -> Model:
    """Untrained, of the size that is shipped; it never says that it has finished."""
    model = fresh(ModelConfig(), PHASES, np.zeros(LAYOUT.size), np.ones(LAYOUT.size), seed=7)
    model.weights["prior.act.2.b"][-1] = -20.0
    return model


@pytest.fixture(scope="module")
def report(model: Model, tmp_path_factory: pytest.TempPathFactory) -> EpisodeReport:
    folder = tmp_path_factory.mktemp("learned")
    save(folder / "model.safetensors", model)
    config = RunConfig(
        task="press-button",
        split="train",
        index=0,
        policy="world-model",
        checkpoint=folder / "model.safetensors",
        record=folder,
        limits=Limits(force_n=FORCE_N),
        disturbance="pushes",
        time_limit_s=9.0,
    )
    return run_episode(config)


@pytest.fixture(scope="module")
def steps(report: EpisodeReport) -> list[Step]:
    every = [step for _, step in Episode.open(report.episode).records(Kind.STEP)]
    return [step for step in every if step.acting is not None]


def test_every_act_can_be_repeated_from_the_record(model: Model, steps: list[Step]) -> None:
    """Plans too: searching has a budget of candidates, not of time."""
    policy = LearnedPolicy("world-model", model)
    assert len(steps) > 100
    searches, phase, at, hurried = 0, None, 0, False
    for step in steps:
        acting = step.acting
        assert acting is not None
        if acting.begins:
            policy.reset()
            phase, at, hurried = None, 0, False
        # Once a step, and for one new phase within it.
        is_step, is_new = at % STEP_TICKS == 0, phase not in (None, acting.did.phase)
        hurried = hurried and not is_step
        searches += is_step or (is_new and not hurried)
        hurried = hurried or is_new
        phase, at = acting.did.phase, at + 1
        motion = policy.act(situation_of(step))
        assert np.array_equal(motion.twist_in_target, acting.did.twist_in_target)
        assert (motion.phase, motion.grip) == (acting.did.phase, acting.did.grip)
        assert motion.estimate.surprise == step.estimate.surprise
        policy.think()
    assert policy.plans == searches


def test_every_step_says_what_the_mind_thinks_of_itself(steps: list[Step]) -> None:
    first, later = steps[1].estimate, steps[40].estimate
    assert first.surprise is None
    assert steps[0].estimate.planned is None, "a plan is searched for once the first action has left"
    for estimate in (first, later):
        assert estimate.planned is not None
        assert estimate.success_probability is not None
        assert 0.0 <= estimate.success_probability <= 1.0
        assert estimate.time_to_go_s is not None
        assert estimate.force_n is not None
    assert later.surprise is not None


def test_what_is_missing_is_told_to_surprise(model: Model, steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(Surprise, "update", lambda self, action, z, x, missing: told.append(missing))
    monkeypatch.setattr(Featurizer, "missing", property(lambda self: 7))
    policy = LearnedPolicy("world-model", model)
    policy.act(situation_of(steps[0]))
    while policy.think():
        pass
    assert told == [7]


def test_reports_say_who_acted_and_how_limits_were_kept(model: Model, report: EpisodeReport, steps: list[Step]) -> None:
    header = Episode.open(report.episode).header
    assert report.checkpoint == header.checkpoint == LearnedPolicy("prior", model).checkpoint
    assert header.disturbance == "pushes"
    assert report.acting_s == pytest.approx(len(steps) * 0.01)
    planned = sum(step.estimate.planned is True for step in steps)
    assert report.planned_share == pytest.approx(planned / len(steps))
    assert report.limits["force_n"].bound == FORCE_N
    assert report.limits["force_n"].peak > 0.0
    assert report.limits["time_s"].peak == steps[-1].acting.elapsed_s  # type: ignore[union-attr]


def test_a_disturbed_episode_replays_bit_for_bit(report: EpisodeReport) -> None:
    episode = Episode.open(report.episode)
    verdict = verify(episode, rebuild_world(episode.header))
    assert verdict.ticks > 500
    assert verdict.difference is None, str(verdict.difference)


def test_without_touch_touch_changes_nothing(model: Model, steps: list[Step]) -> None:
    blind, feeling = LearnedPolicy("prior-blind", model), LearnedPolicy("prior", model)
    situation = situation_of(steps[30])
    pressed = situation_of(steps[30])
    loud = situation.observation.pad_touch_n + np.float16(1.0)
    pressed.observation = msgspec.structs.replace(pressed.observation, pad_touch_n=loud)
    one, two = blind.act(situation), LearnedPolicy("prior-blind", model).act(pressed)
    assert np.array_equal(one.twist_in_target, two.twist_in_target)
    three, four = feeling.act(situation), LearnedPolicy("prior", model).act(pressed)
    assert not np.array_equal(three.twist_in_target, four.twist_in_target)


def too_fast(model: Model, steps: list[Step]) -> tuple[Planner, Situation, np.ndarray, np.ndarray, np.ndarray]:
    """What to search for a plan, and with what: the prior goes at 0.2 m/s where 0.02 are allowed."""
    planner = Planner(replace(model, planning=PlanningConfig(violation_s=1000.0, stray_s=0.0)))
    situation = situation_of(steps[30])
    situation.limits = Limits(speed_m_s=0.02)
    prior = np.zeros((model.config.horizon, 12), np.float32)
    prior[:, 0] = 1.0
    config = model.config
    return planner, situation, np.zeros(config.latent, np.float32), np.zeros(config.memory, np.float32), prior


def test_under_a_speed_limit_slower_candidates_win(model: Model, steps: list[Step]) -> None:
    planner, situation, z, h, prior = too_fast(model, steps)
    plan = planner.search(situation, z, h, prior)
    assert plan.replaces
    assert abs(plan.actions[0, 0]) * 0.2 < 0.15


def test_plans_that_do_not_get_on_lose_their_turn(model: Model, steps: list[Step]) -> None:
    planner = Planner(model)
    may = [planner._may(True, 5.0) for _ in range(200)]
    patience = planner.config.patience_steps
    assert may[:patience] == [True] * patience
    assert may[patience : 2 * patience] == [False] * patience
    assert 0.4 < sum(may) / len(may) < 0.6
    planner.reset()
    assert all(planner._may(True, 20.0 - 0.05 * k) for k in range(200))


def test_a_search_between_steps_moves_nothing_on(model: Model, steps: list[Step]) -> None:
    planner, situation, z, h, prior = too_fast(model, steps)
    first = planner.search(situation, z, h, prior).actions
    assert np.array_equal(planner.candidates(prior)[1 + len(planner.config.paces)], first)
    between = planner.search(situation, z, h, prior, between=True).actions
    for _ in range(3 * planner.config.patience_steps):
        assert planner.search(situation, z, h, prior, between=True).replaces
    planner._last = between
    planner._move_on()
    assert np.array_equal(planner.candidates(prior)[1 + len(planner.config.paces), 0], between[1])


def test_a_new_phase_does_not_wait_for_its_plan(model: Model, steps: list[Step]) -> None:
    policy = LearnedPolicy("world-model", model)
    phases = [policy.act(situation_of(step)).phase for step in steps]  # it is never told to think
    changes = [tick for tick, (before, after) in enumerate(pairwise(phases), start=1) if before != after]
    assert changes
    assert policy.plans == len({tick // STEP_TICKS for tick in changes}), "at most one a step"


def test_a_tick_is_quick(model: Model, steps: list[Step]) -> None:
    """Far below the 5 ms it may take: processor time, the best of several runs, for machines are busy."""
    policy = LearnedPolicy("prior", model)
    situations = [situation_of(step) for step in steps[:60]]
    best = np.inf
    for _ in range(5):
        policy.reset()
        began = process_time()
        for situation in situations:
            policy.act(situation)
        best = min(best, (process_time() - began) / len(situations))
    assert best < 1.5e-3


def test_backends_compute_the_same_or_say_that_they_do_not(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_backends, "BACKENDS", ("numpy", "torch eager"))  # compiling takes a minute
    found = bench_backends.measure_backends(model, 5)
    assert list(found) == ["numpy", "torch eager"]
    assert all(
        not row["missing"] and 0.0 < row["p50_ms"] <= row["p99_ms"] for of in found.values() for row in of.values()
    )
    monkeypatch.setattr(bench_backends, "CLOSE", -1.0)
    with pytest.raises(CommandError, match="torch eager computes something else"):
        bench_backends.measure_backends(model, 1)
