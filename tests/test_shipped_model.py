"""The weights that come with the code: they load, say where they are from, and act in houses not trained on."""

import json
from pathlib import Path

import pytest

from agent.commands.arguments import DEFAULT_POLICY
from agent.episodes import Episode
from agent.episodes.shadow import policy_only
from agent.messages import Limits
from agent.policies.catalogue import make_policy
from agent.session import RunConfig, run_episode
from agent.world_model.checkpoint import identity, load, shipped_checkpoint

MAX_BYTES = 20e6


def test_the_shipped_weights_fit_this_code_and_their_card() -> None:
    path = shipped_checkpoint()
    assert path.stat().st_size < MAX_BYTES
    model = load(path)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["identity"] == identity(model)
    assert card["data"]["split"] == "train"
    assert card["data"]["held_out_attempts"] > 0
    assert {"training", "results", "code", "command", "cpu", "limits_of_use"} <= card.keys()
    assert card["code"]["commit"]
    assert not [word for word in card["command"] if word.startswith("/")], "a path of the machine that trained it"


def test_who_acts_by_default_is_learned() -> None:
    assert DEFAULT_POLICY == "world-model"
    assert make_policy(DEFAULT_POLICY, None) is not None


@pytest.mark.parametrize("task", ["press-button", "pick-mug", "open-cabinet"])
def test_it_acts_in_houses_it_was_not_trained_on(task: str, tmp_path: Path) -> None:
    """Two of three: what it must show is measured by `doppio results`, this only notices weights that do not act."""
    reports = [
        run_episode(RunConfig(task=task, split="dev", index=index, policy="world-model", record=tmp_path))
        for index in range(3)
    ]
    assert all(report.acting_s > 0.0 for report in reports)
    assert sum(report.success for report in reports) >= 2


def test_a_mind_that_plans_thinks_the_same_again(tmp_path: Path) -> None:
    config = RunConfig(
        task="open-drawer",
        split="dev",
        index=3,
        policy="world-model",
        limits=Limits(force_n=14.0, time_s=30.0),
        record=tmp_path,
    )
    episode = Episode.open(run_episode(config).episode)
    assert sum(bool(step.estimate.planned) for step in episode.steps()) > 10
    assert policy_only(episode, make_policy("world-model", None))["same"]
