"""An episode alone is enough: every act of a policy can be repeated from it, and learned from."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.commands.collect import CollectJob, conditions
from agent.episodes import Episode, EpisodeReport, Kind
from agent.episodes.places import Place
from agent.episodes.records import Event
from agent.messages import Step, encode
from agent.policies.limits import LimitWatch, clamped
from agent.policies.recorded import situation_of
from agent.policies.scripted import ScriptedPolicy
from agent.policies.teacher import SLOWEST
from agent.world_model.actions import SCALE, to_motion, to_vector
from agent.world_model.data import CALIBRATED_ON, DataError, find_episodes, gather, read
from agent.world_model.features import FORCE_UNIT_N, LAYOUT, Featurizer
from sim.disturbances.catalogue import NONE

INDEX = 0


@pytest.fixture(scope="module", params=("open-lid", "push-door", "carry-mug"))
def taught(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EpisodeReport:
    """One collected episode."""
    folder = tmp_path_factory.mktemp("data")
    return CollectJob((request.param,), "train", "teacher", None, folder)(INDEX)


@pytest.fixture(scope="module")
def steps(taught: EpisodeReport) -> list[Step]:
    return [step for _, step in Episode.open(taught.episode).records(Kind.STEP)]


def test_what_the_teacher_taught_follows_from_the_record(steps: list[Step]) -> None:
    """The expert, asked again with what was recorded, says the same bit for bit."""
    expert, noisy = ScriptedPolicy(), 0
    assert len(steps) > 50
    for step in steps:
        situation, acting = situation_of(step), step.acting
        assert acting is not None
        assert acting.advice is not None
        again = clamped(situation, expert.act(situation))
        assert np.array_equal(again.twist_in_target, acting.advice.twist_in_target)
        assert (again.phase, again.grip_mode, again.grip) == (
            acting.advice.phase,
            acting.advice.grip_mode,
            acting.advice.grip,
        )
        noisy += not _slower(np.array(acting.did.twist_in_target), np.array(acting.advice.twist_in_target))
    assert 0 < noisy < 0.6 * len(steps)


def _slower(did: np.ndarray, advice: np.ndarray) -> bool:
    """What was done is the advice at its own pace or a slower one that teachers go at."""
    pace = float(did @ advice) / max(float(advice @ advice), 1e-12)
    return (SLOWEST - 1e-9 <= pace <= 1.0 + 1e-9 or not advice.any()) and bool(
        np.allclose(did, pace * advice, rtol=0.0, atol=1e-9)
    )


def test_the_record_of_acting_is_small(steps: list[Step]) -> None:
    assert max(len(encode(step.acting)) for step in steps if step.acting is not None) < 1000


def test_what_was_read_is_kept_and_the_same(taught: EpisodeReport) -> None:
    path = Path(taught.episode)
    first, again = read(path), read(path)
    assert len(list(path.glob("features-*.npz"))) == 1
    assert all(np.array_equal(first[name], again[name]) for name in first)
    data = gather([first, again])
    assert len(data) == 2 * len(first["start"])
    assert data.end[-1] == len(data.x) == 2 * len(first["x"])
    assert data.success.any() == taught.success
    assert find_episodes([path.parent]) == [path]


def test_two_may_read_at_once(taught: EpisodeReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "episode"
    shutil.copytree(taught.episode, path, ignore=shutil.ignore_patterns("features-*"))
    save, both = np.savez, []

    def interrupted(file: Path, **arrays: Any) -> None:
        monkeypatch.setattr(np, "savez", save)
        save(file, **arrays)
        both.append(read(path))

    monkeypatch.setattr(np, "savez", interrupted)
    both.append(read(path))
    assert all(np.array_equal(both[0][name], both[1][name]) for name in both[0])
    assert not list(path.glob("*.part.npz"))


def test_forces_are_labelled_as_limits_are_judged(taught: EpisodeReport) -> None:
    path = Path(taught.episode)
    watch = LimitWatch()
    for _, step in Episode.open(path).records(Kind.STEP):
        watch.update(step)
    judged = watch.report()["force_n"].peak
    assert read(path)["force_n"].max() == pytest.approx(judged, rel=1e-5)
    assert judged > 0.0


def test_features_are_finite_and_relative(steps: list[Step]) -> None:
    featurizer = Featurizer()
    x = np.array([featurizer(situation_of(step)) for step in steps])
    assert x.shape == (len(steps), LAYOUT.size)
    assert np.isfinite(x).all()
    assert np.abs(x).max() < 40.0
    forces = np.array([situation_of(step).force_in_target_n for step in steps])
    assert np.allclose(FORCE_UNIT_N * np.sinh(x[:, LAYOUT.force]), forces, atol=1e-3)
    assert (x[:, LAYOUT.slides] == float(situation_of(steps[0]).goal.axis == "slide")).all()


def test_actions_survive_being_a_vector(steps: list[Step]) -> None:
    for step in steps[::10]:
        assert step.acting is not None
        did = step.acting.did
        again = to_motion(to_vector(did), did.phase, did.finished)
        assert np.allclose(again.twist_in_target, did.twist_in_target, atol=1e-6)
        assert again.grip_mode == did.grip_mode
        assert again.grip == pytest.approx(did.grip, abs=1e-5)
    assert len(SCALE) == 12


def test_harm_is_known_two_seconds_ahead(taught: EpisodeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels come from what the world's truth says happened, and only from that."""
    path = Path(taught.episode)
    steps = [step for _, step in Episode.open(path).records(Kind.STEP)]
    at_s = steps[len(steps) // 2].observation.time_s
    told = Event(source="world", name="spilled", value=12.0)
    monkeypatch.setattr("agent.world_model.data._schema_digest", lambda: "spilled")
    records = Episode.records

    def with_mishap(self: Episode, kind: Kind):  # type: ignore[no-untyped-def]
        if kind is Kind.EVENT:
            return iter([(Place(Kind.EVENT, at_s, 0, 0), told)])
        return records(self, kind)

    monkeypatch.setattr(Episode, "records", with_mishap)
    soon = read(path)["spill"]
    times_s = np.array([step.observation.time_s for step in steps])
    assert np.array_equal(soon, (times_s <= at_s) & (times_s > at_s - 2.0))
    assert 0 < soon.sum() <= 200


def test_only_the_training_split_is_trained_on(taught: EpisodeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    path = Path(taught.episode)
    episode = Episode.open(path)
    monkeypatch.setattr(Episode, "open", classmethod(lambda cls, path: episode))
    for split, calibrates in (("heldout", False), ("dev", True)):
        episode.header = msgspec.structs.replace(episode.header, split=split)
        monkeypatch.setattr("agent.world_model.data._schema_digest", lambda of=split: of)
        for _ in ("fresh", "kept beside its log"):
            with pytest.raises(DataError, match=f"'{split}'"):
                read(path)
        if calibrates:
            assert set(read(path, CALIBRATED_ON)["split"]) == {split}
        else:
            with pytest.raises(DataError, match=f"'{split}'"):
                read(path, CALIBRATED_ON)


def test_conditions_depend_on_task_and_house_alone() -> None:
    drawn = [conditions("pick-mug", index) for index in range(60)]
    assert drawn == [conditions("pick-mug", index) for index in range(60)]
    assert drawn != [conditions("open-lid", index) for index in range(60)]
    names, limits = {name for name, _ in drawn}, [given for _, given in drawn if given is not None]
    assert {"none", "combined"} <= names
    assert 10 < len(limits) < 50
    assert len({given.force_n for given in limits}) == len(limits)


def test_undisturbed_episodes_show_what_is_usual(tmp_path: Path) -> None:
    index = next(index for index in range(60) if NONE not in (drawn := conditions("press-button", index)) and drawn[1])
    report = CollectJob(("press-button",), "train", "prior", None, tmp_path, undisturbed=True)(index)
    header = Episode.open(Path(report.episode)).header
    assert header.disturbance == NONE
    assert header.limits is None
