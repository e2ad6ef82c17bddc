"""Laws of living through an episode again: nothing changed gives the same, what is changed counts from its step on."""

import math
from dataclasses import replace
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import pytest
from recorded_run import INDEX, SPLIT, TASK, recorded_episode, recorded_run

from agent.cli import main
from agent.commands.changes import parse_change
from agent.commands.fork import Fork, conclude, run_fork, sweep_steps
from agent.commands.outcome import CommandError, Exit
from agent.commands.rebuild import rebuild_world
from agent.commands.simulation import errand_of, start_simulation
from agent.commands.weights import chosen_policy, recorded_policy
from agent.episodes import Episode, EpisodeError, EpisodeReport, Kind
from agent.episodes.following import Following
from agent.episodes.performance import perform
from agent.episodes.shadow import gate_only, policy_only
from agent.episodes.verify import verify
from agent.messages import encode
from agent.policies.catalogue import make_policy
from agent.session import RunConfig, run_episode
from agent.world_model.checkpoint import save
from agent.world_model.config import ModelConfig
from agent.world_model.features import LAYOUT
from agent.world_model.model import fresh
from controllers.virtual_robot import VirtualRobot

STEP = 480
"""The fingers are at the mug."""


def forked(step: int, root: Path, *changes: str) -> tuple[Fork, EpisodeReport, Episode]:
    episode = recorded_episode()
    header = episode.header
    fork = Fork(episode, step, header.policy, header.planner, [parse_change(text) for text in changes])
    report = run_fork(fork, root)
    return fork, report, Episode.open(report.episode)


def test_recording_changes_nothing() -> None:
    """The same run without a record goes the same way, subgoal by subgoal."""
    silent = run_episode(RunConfig(task=TASK, split=SPLIT, index=INDEX))
    recorded = msgspec.convert(recorded_episode().summary, EpisodeReport)
    assert (silent.duration_s, silent.success, silent.spilled_ml) == (
        recorded.duration_s,
        recorded.success,
        recorded.spilled_ml,
    )
    assert silent.subgoals == recorded.subgoals
    assert silent.limits == recorded.limits, "forces and speeds are the same to the last bit"


def test_a_fork_with_nothing_changed_is_its_parent(tmp_path: Path) -> None:
    parent = recorded_episode()
    fork, _, child = forked(STEP, tmp_path)
    assert [encode(s) for s in child.steps()] == [encode(s) for s in parent.steps()]
    assert fork.following.thought_otherwise_at is None
    assert (child.header.parent, child.header.forked_at_step) == (parent.directory.name, STEP)


def test_what_is_changed_counts_from_its_step_on_and_replays(tmp_path: Path) -> None:
    parent = recorded_episode()
    _, _, child = forked(STEP, tmp_path, "mug.mass=3")
    before = [encode(s.observation) for s in islice(child.steps(), STEP + 1)]
    assert before == [encode(s.observation) for s in islice(parent.steps(), STEP + 1)]
    later = min(len(parent), len(child)) - 1
    assert encode(child.step(later)) != encode(parent.step(later))
    assert child.header.changes == {"mug.mass": "3"}
    assert verify(child, rebuild_world(child.header)).difference is None


def test_a_beginning_that_does_not_come_again_is_told(tmp_path: Path) -> None:
    """Another house senses something else in the very first tick."""
    other = start_simulation(TASK, SPLIT, INDEX + 1)
    robot = Following(recorded_episode(), 50).robot(VirtualRobot(other.plant), lambda: None)
    with pytest.raises(EpisodeError, match=r"at step 0 .* is not what was recorded"):
        robot.observe()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mug.mass=heavy", "'heavy' is no number"),
        ("mug.colour=3", "mug.mass (kg)"),
        ("mug.mass=-1", "must be above 0"),
        ("world.mass=1", "world.friction"),
    ],
)
def test_wrong_changes_name_what_can_be_changed(text: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_change(text)
    assert words in str(caught.value)


def test_the_same_mind_thinks_the_same_again() -> None:
    found = policy_only(recorded_episode(), make_policy("scripted"))
    assert found["same"]
    assert found["steps"] == len(recorded_episode())


@pytest.mark.parametrize("task", ["insert-pod", "pick-coffee"])
def test_a_mind_that_was_told_something_is_told_it_again(task: str, tmp_path: Path) -> None:
    """What is in the hand from the start, and that a mug is full, no camera says."""
    config = RunConfig(task=task, split="train", index=0, policy="scripted", record=tmp_path, time_limit_s=10.0)
    episode = Episode.open(run_episode(config).episode)
    assert sum(step.acting is not None for step in episode.steps()) > 50
    assert policy_only(episode, make_policy("scripted"), errand_of(task))["same"]
    assert not policy_only(episode, make_policy("scripted"))["same"]


def test_the_gate_lets_through_what_it_let_through() -> None:
    found = gate_only(recorded_episode())
    assert found["agreeing_share"] > 0.99
    for limit in found["limits"].values():
        assert math.isclose(limit["ticks_now"], limit["ticks_recorded"], abs_tol=2)


def test_an_episode_is_played_on_a_second_simulator() -> None:
    """In the same house it goes to its end; in another it stops, and says where."""
    same = perform(recorded_episode(), VirtualRobot(start_simulation(TASK, SPLIT, INDEX).plant))
    assert (same.steps, same.stopped) == (len(recorded_episode()), "")
    assert same.tool_apart_m < 0.002
    other = perform(recorded_episode(), VirtualRobot(start_simulation("open-lid", SPLIT, 103).plant))
    assert other.stopped
    assert other.steps < other.of


def test_one_changed_bit_is_found_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray((recorded_run() / "log-000.dop").read_bytes())
    rng = np.random.default_rng(3)
    place = recorded_episode().all_of(Kind.STEP)[333]
    data[place.offset + 20 + int(rng.integers(1000))] ^= 1 << int(rng.integers(8))
    (tmp_path / "log-000.dop").write_bytes(data)
    assert main(["replay", str(tmp_path)]) == Exit.OK
    said = capsys.readouterr().out
    assert f"offset {place.offset}" in said
    assert "checksum" in said


def test_a_sweep_finds_when_it_was_decided() -> None:
    episode = recorded_episode()
    assert sweep_steps(episode, 5)[0] == 0
    assert sweep_steps(episode, 5)[-1] == len(episode) - 2
    good = EpisodeReport(success=True, safe=True, parts={}, duration_s=1.0, wall_s=1.0)
    bad = EpisodeReport(success=False, safe=False, parts={}, duration_s=1.0, wall_s=1.0)
    assert "between 4.0 s and 6.0 s" in conclude(episode, [(2.0, bad), (4.0, bad), (6.0, good), (8.0, good)])
    assert "makes no difference" in conclude(episode, [(2.0, good), (4.0, good)])
    assert "even at the last" in conclude(episode, [(2.0, bad), (4.0, bad)])


def test_weights_are_known_by_what_they_are(tmp_path: Path) -> None:
    """A fork of a learned mind needs the very weights; another checkpoint can be asked what it would have done."""
    places = [tmp_path / name / "model.safetensors" for name in ("one", "other")]
    for seed, place in enumerate(places):
        place.parent.mkdir()
        save(place, fresh(ModelConfig(), ("advance",), np.zeros(LAYOUT.size), np.ones(LAYOUT.size), seed=seed))
    config = RunConfig(
        task="press-button",
        split="train",
        index=0,
        policy="prior",
        checkpoint=places[0],
        record=tmp_path,
        time_limit_s=9.0,
    )
    episode = Episode.open(run_episode(config).episode)
    header = episode.header
    assert any(step.acting is not None for step in episode.steps())
    assert policy_only(episode, chosen_policy(header, "prior", None))["same"]
    assert not policy_only(episode, chosen_policy(header, "prior", places[1]))["same"]
    fork = Fork(episode, 700, "prior", header.planner)
    child = Episode.open(run_episode(replace(config, fork=fork, record=tmp_path / "forks")).episode)
    assert [encode(s) for s in child.steps()] == [encode(s) for s in episode.steps()]
    places[0].rename(places[0].with_name("moved.safetensors"))
    places[0].with_suffix(".json").rename(places[0].with_name("moved.json"))
    with pytest.raises(CommandError, match=f"weights {header.checkpoint}, which are not at"):
        recorded_policy(header)
    assert recorded_policy(header, places[0].with_name("moved.safetensors"))
