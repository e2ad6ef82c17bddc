"""Laws of the world model: the same on numpy and torch, causal, deterministic, watched, and never lost."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agent.policies.limits import FORCE_TICKS
from agent.world_model import encoders, heads, memory, predictor, prior
from agent.world_model.actions import ACTION_SIZE
from agent.world_model.batches import Sampler
from agent.world_model.calibration import (
    auc,
    calibrate,
    ece,
    ece_if_honest,
    fit_success,
    foretelling_errors,
    latents_of,
    platt,
    quiet_threshold,
    smoothed,
    told,
)
from agent.world_model.checkpoint import CheckpointError, identity, load, load_arrays, save
from agent.world_model.collapse import CollapsedError, health
from agent.world_model.config import STEP_TICKS, ModelConfig, PlanningConfig, TrainingConfig
from agent.world_model.data import Data
from agent.world_model.features import KINDS, LAYOUT
from agent.world_model.heads import FEEL, FORCE_AHEAD
from agent.world_model.layers import sigmoid
from agent.world_model.model import Calibration, Model, fresh, schema
from agent.world_model.surprise import RESIDUAL, UNITS, Surprise, lags
from agent.world_model.training import recalibrate, train
from agent.world_model.usual import group_of

SMALL = ModelConfig(latent=64, memory=32, group=16, hidden=32, prefix=8, members=2, horizon=4)
HIDDEN = 12
PHASES = ("advance", "close", "draw-back")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed])))


@pytest.fixture(scope="module")
def model() -> Model:
    return fresh(SMALL, PHASES, np.zeros(LAYOUT.size), np.ones(LAYOUT.size), seed=3)


def toy(attempts: int = 24, ticks: int = 120) -> Data:
    """A world of some hidden numbers, six of which can be pushed, seen through a fixed random mixture."""
    random = rng(5)
    mixture = random.standard_normal((HIDDEN, LAYOUT.size)).astype(np.float32)
    x, did, advice = [], [], []
    for _ in range(attempts):
        state = 2.0 * random.standard_normal(HIDDEN)
        for _ in range(ticks):
            push = np.tanh(-state[:6])
            x.append(state @ mixture)
            did.append(np.concatenate([push, np.zeros(6)]))
            advice.append(did[-1])
            state[:6] += 0.05 * push
            state += 0.1 * random.standard_normal(HIDDEN)
    n = attempts * ticks
    start = np.arange(attempts) * ticks
    seen = np.array(x, np.float32)
    seen[:, LAYOUT.slides] = seen[:, LAYOUT.size - len(KINDS) :] = 0.0  # what an attempt is about does not change
    return Data(
        x=seen,
        missing=np.maximum(0, np.arange(n) % ticks - ticks + 9),
        did=np.array(did, np.float32),
        advice=np.array(advice, np.float32),
        taught=np.ones(n, bool),
        phase=(np.array(x)[:, 0] > 0).astype(np.int64),
        finished=np.zeros(n, bool),
        slip=np.zeros(n, bool),
        tilt=np.zeros(n, np.float32),
        force_n=np.zeros(n, np.float32),
        spill=np.zeros(n, bool),
        start=start,
        end=start + ticks,
        over=start + ticks,
        success=np.arange(attempts) % 3 > 0,
        calm=np.ones(attempts, bool),
        split=np.full(attempts, "train"),
        house=np.arange(attempts),
        failures=np.zeros(attempts, np.int64),
        kind=np.zeros(attempts, np.int64),
        phases=PHASES[:2],
    )


def test_numpy_and_torch_compute_the_same(model: Model) -> None:
    """One code for acting and training: what was trained is what acts."""
    random = rng()
    raw = random.standard_normal((2, 7, LAYOUT.size)).astype(np.float32)
    here = np.ones((2, 7, 1), np.float32)
    w, t = model.weights, {name: torch.from_numpy(value) for name, value in model.weights.items()}
    z = encoders.encode(w, encoders.mask(encoders.normalise(w, raw), here, here))
    masked = encoders.mask(encoders.normalise(t, torch.from_numpy(raw)), torch.from_numpy(here), torch.from_numpy(here))
    z_torch = encoders.encode(t, masked)
    assert np.allclose(z, z_torch.numpy(), atol=1e-4)
    h, states = np.zeros((2, SMALL.memory), np.float32), []
    for k in range(7):
        h = memory.step(w, z[:, k], h)
        states.append(h)
    h_torch = memory.unroll(t, z_torch)
    assert np.allclose(np.stack(states, 1), h_torch.numpy(), atol=1e-4)
    actions = random.standard_normal((2, SMALL.horizon, ACTION_SIZE)).astype(np.float32)
    ours = predictor.predict(w, z[:, -1], h, actions)
    theirs = predictor.predict(t, z_torch[:, -1], h_torch[:, -1], torch.from_numpy(actions))
    assert np.allclose(ours, theirs.numpy(), atol=1e-3)
    assert np.allclose(heads.read(w, z[:, -1], h).feel, heads.read(t, z_torch[:, -1], h_torch[:, -1]).feel, atol=1e-3)
    assert np.allclose(
        prior.think(w, z[:, -1], h, masked[:, -1].numpy()),
        prior.think(t, z_torch[:, -1], h_torch[:, -1], masked[:, -1]).numpy(),
        atol=1e-3,
    )


def test_planning_reads_what_everyone_reads(model: Model) -> None:
    random = rng()
    z, h = random.standard_normal((3, 5, 4, 64)).astype(np.float32), random.standard_normal(32).astype(np.float32)
    prospect = heads.foresee(model.weights, z, h)
    meaning = heads.read(model.weights, z, np.broadcast_to(h, (3, 5, 4, 32)))
    for name in ("log_force", "log_time", "success"):
        assert np.allclose(getattr(prospect, name), getattr(meaning, name), atol=1e-4), name


def test_a_knock_is_foretold_for_a_while_before_it_comes() -> None:
    data = toy(attempts=2)
    data.force_n[60 : 60 + FORCE_TICKS] = 20.0
    steps = STEP_TICKS * np.arange(30)[None]
    sampler = Sampler(data, np.arange(2), SMALL, TrainingConfig())
    force = sampler.windows(np.array([0]), steps, np.array([False]), np.zeros_like(steps)).force[0]
    assert force == pytest.approx([0.0] * 7 + [20.0] * (FORCE_AHEAD + 2) + [0.0] * 13, abs=1e-4)
    other = sampler.windows(np.array([1]), 120 + steps, np.array([False]), np.zeros_like(steps)).force
    assert not other.any()


def test_the_predictor_sees_no_later_action(model: Model) -> None:
    random = rng()
    z, h = random.standard_normal((1, 64)).astype(np.float32), random.standard_normal((1, 32)).astype(np.float32)
    actions = random.standard_normal((1, SMALL.horizon, ACTION_SIZE)).astype(np.float32)
    before = predictor.predict(model.weights, z, h, actions)
    for j in range(SMALL.horizon):
        changed = actions.copy()
        changed[:, j] += 1.0
        after = predictor.predict(model.weights, z, h, changed)
        assert np.array_equal(before[:, :, :j], after[:, :, :j])
        assert not np.allclose(before[:, :, j], after[:, :, j])


def test_a_missing_group_hides_its_features(model: Model) -> None:
    x = rng().standard_normal((1, LAYOUT.size)).astype(np.float32)
    other = x.copy()
    other[:, LAYOUT.touch] += 1.0
    one, none = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    w = model.weights
    assert np.array_equal(
        encoders.encode(w, encoders.mask(x, none, one)), encoders.encode(w, encoders.mask(other, none, one))
    )
    assert not np.allclose(
        encoders.encode(w, encoders.mask(x, one, one)), encoders.encode(w, encoders.mask(other, one, one))
    )


def test_a_checkpoint_comes_back_the_same(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save(path, model)
    again = load(path)
    assert identity(again) == identity(model)
    bold = replace(model, planning=PlanningConfig(gain_s=0.0))
    save(path, bold)
    assert load(path).planning == bold.planning
    assert identity(bold) != identity(model)
    assert again.phases == model.phases
    assert identity(replace(model, weights=model.weights | {"encode.all.b": np.ones(64, np.float32)})) != identity(
        model
    )


def test_a_checkpoint_of_another_schema_names_what_differs(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    save(path, model)
    monkeypatch.setattr("agent.world_model.checkpoint.schema", lambda: schema() | {"touch": 999})
    with pytest.raises(CheckpointError, match="touch: 134 there, 999 here"):
        load(path)


def test_damaged_weights_are_refused(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save(path, model)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r"no safetensors file|does not fit"):
        load(path)
    with pytest.raises(CheckpointError, match="doppio train"):
        load(tmp_path / "nothing.safetensors")


def test_collapse_is_seen_and_said() -> None:
    random = rng()
    feel = random.standard_normal((400, FEEL))
    sound = feel @ random.standard_normal((FEEL, 64)) + 0.3 * random.standard_normal((400, 64))
    health(sound, feel).check()
    with pytest.raises(CollapsedError, match="effective rank"):
        health(np.outer(sound[:, 0], np.ones(64)), feel).check()
    with pytest.raises(CollapsedError, match="deviation"):
        health(0.001 * sound, feel).check()


def test_training_learns_and_repeats(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    data = toy()
    config = TrainingConfig(steps=260, batch=8, window=16, burn_in=2, holdout=0.2)
    whole = train(data, tmp_path / "whole", SMALL, config)
    rows = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["action_error"] < 0.85 * rows[0]["action_error"]
    assert identity(train(data, tmp_path / "again", SMALL, config)) == identity(whole)
    assert identity(load(tmp_path / "whole" / "model.safetensors")) == identity(whole)
    with pytest.raises(CheckpointError, match=r"training\.batch: 8 there, 9 now"):
        train(data, tmp_path / "whole", SMALL, replace(config, batch=9))


def test_a_stopped_training_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    data = toy()
    config = TrainingConfig(steps=60, batch=4, window=12, burn_in=2, holdout=0.2)
    whole = train(data, tmp_path / "whole", SMALL, config)
    monkeypatch.setattr("agent.world_model.training.SAVE_EVERY_S", 0.0)
    draw, calls = Sampler.batch, 0

    def killed(self: Sampler, number: int):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        if calls == 30:
            raise KeyboardInterrupt
        return draw(self, number)

    monkeypatch.setattr(Sampler, "batch", killed)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "killed", SMALL, config)
    assert load_arrays(tmp_path / "killed" / "state.safetensors")["state"][0] == 29
    resumed = train(data, tmp_path / "killed", SMALL, config)
    for name, value in whole.weights.items():
        assert np.allclose(resumed.weights[name], value, atol=1e-5), name


def test_what_is_calibrated_is_what_is_published(model: Model) -> None:
    """Surprise while acting is the score that its threshold was set on: few alarms when nothing is wrong."""
    data = toy(attempts=10)
    for attempt in range(0, 10, 2):  # of another kind
        data.x[data.start[attempt] : data.end[attempt], LAYOUT.size - len(KINDS) + 3] = 1.0
    calibration, constants, results = calibrate(model.weights, SMALL, data, np.arange(10))
    assert results["surprise_threshold"] == calibration.surprise_threshold
    calibrated = replace(model, calibration=calibration, weights=model.weights | constants)
    threshold = calibration.surprise_threshold
    alarms = 0
    for attempt in range(10):
        states = ticks, z, h, x = latents_of(model.weights, SMALL, data, attempt)
        surprise, scores, said = Surprise(calibrated), [], []
        for k in range(len(z)):
            done = data.did[ticks[k - 1] : ticks[k - 1] + 4].mean(axis=0) if k else np.zeros(12, np.float32)
            surprise.update(done, z[k], x[k], int(data.missing[ticks[k]]))
            surprise.remember(z[k], h[k])
            scores.append(surprise.score())
            said.append(surprise._told())
        assert scores[0] is None
        of_lags = [foretelling_errors(model.weights, SMALL, data, attempt, lag, states) for lag in lags(SMALL.horizon)]
        detected = told(model.weights, data, of_lags, states, constants[RESIDUAL])
        in_units = detected / constants[UNITS][3 if attempt % 2 == 0 else 0]
        assert np.allclose(said[1:], in_units, rtol=1e-3, atol=1e-3), "every detector, jolts among them"
        assert scores[1:] == pytest.approx(in_units.max(axis=1) / threshold, rel=1e-3)
        alarms += max(scores[1:]) > 1.0
        for _ in range(12):  # half a second, over which errors are smoothed
            surprise.update(np.zeros(12, np.float32), z[-1] + 5.0, x[-1] + 5.0, 0)
        shifted, sight = surprise.score(), surprise.of_sight()
        assert shifted is not None
        assert shifted > max(scores[-3:])
        surprise.update(np.zeros(12, np.float32), z[-1] + 5.0, x[-1] + 5.0, missing := round(1000.0 * shifted))
        unit_there = constants[UNITS][group_of(model.weights, x[-1] + 5.0)][-1]
        assert surprise.score() == pytest.approx(missing / unit_there / threshold)
        assert surprise.of_sight() > max(sight, missing / unit_there)
    assert constants[UNITS][0][-1] == pytest.approx(5.0), "how many frames these attempts miss by their last step"
    assert alarms == 0


def test_units_come_from_houses_of_the_trained_kind_and_the_threshold_from_others(model: Model) -> None:
    """Strange attempts in other houses are to be alarms, not to widen what is usual."""
    data = toy(attempts=20)
    assert data.success[13]
    shaken = data.x.copy()
    shaken[data.start[13] : data.end[13]] += 40.0 * rng().standard_normal((120, LAYOUT.size)).astype(np.float32)
    shaken[:, LAYOUT.slides] = shaken[:, LAYOUT.size - len(KINDS) :] = 0.0
    split = np.array(["train"] * 10 + ["dev"] * 10)
    every = np.arange(20)
    _, of_train, _ = calibrate(model.weights, SMALL, data, np.arange(10))

    def measured(x: np.ndarray, split: np.ndarray, kind: np.ndarray = data.kind) -> tuple[np.ndarray, float, int]:
        changed = replace(data, x=x, split=split, kind=kind)
        calibration, constants, results = calibrate(model.weights, SMALL, changed, every)
        return constants[UNITS], calibration.surprise_threshold, results["attempts"]

    units, threshold, attempts = measured(shaken, split)
    assert np.array_equal(units, of_train[UNITS])
    assert attempts == 10, "odds, too, are of the others"
    assert threshold > measured(data.x, split)[1]
    assert not np.array_equal(measured(shaken, np.full(20, "dev"))[0], units), "without the former, from all"
    other = np.where(every < 10, 0, 1)
    assert measured(shaken, split, other)[2] == 20, "they must have shown every kind of subgoal"
    assert measured(shaken, np.where(every < 10, "robot", "dev"))[2] == 20, "a robot's are not only to be usual"


def test_calibrating_anew_changes_nothing_that_acts(model: Model) -> None:
    again = recalibrate(toy(attempts=10), model)
    for name, value in model.weights.items():
        assert np.array_equal(again.weights[name], value) != (name in (RESIDUAL, UNITS)), name
    assert again.calibration.latent_std == model.calibration.latent_std
    assert again.calibration.surprise_threshold != model.calibration.surprise_threshold
    assert again.card["calibrated_anew"]["data"]["attempts"] == 10
    assert {**again.card, "calibrated_anew": None} == {**model.card, "calibrated_anew": None}


def test_the_card_of_weights_that_were_loaded_and_changed_has_their_new_identity(model: Model, tmp_path: Path) -> None:
    save(tmp_path / "old.safetensors", model)
    changed = replace(load(tmp_path / "old.safetensors"), calibration=Calibration(surprise_threshold=7.0))
    save(tmp_path / "new.safetensors", changed)
    card = json.loads((tmp_path / "new.json").read_text())
    assert card["identity"] == identity(changed) != identity(model)


def test_what_only_fluctuates_surprises_less_than_what_stays() -> None:
    rng = np.random.default_rng(2)
    size = rng.uniform(0.5, 1.5, (200, 3)).astype(np.float32)
    fluctuates, stays = smoothed(size * rng.choice([-1.0, 1.0], size.shape).astype(np.float32)), smoothed(size)
    assert np.abs(fluctuates[50:]).max() < 0.7 * np.abs(stays[50:]).min()


def test_the_readout_of_success_finds_what_tells_how_attempts_end(model: Model) -> None:
    data = toy(attempts=40)
    ended = np.array([data.x[a : a + 120, 0].mean() > np.median(data.x[:, 0]) for a in data.start])
    told = replace(data, success=ended)
    taught, others = np.arange(0, 30), np.arange(30, 40)
    w = model.weights | fit_success(model.weights, SMALL, told, taught)
    odds = np.array([heads.read(w, *latents_of(w, SMALL, told, a)[1:3]).success.mean() for a in range(40)])
    for some, least in ((taught, 0.95), (others, 0.7)):
        area = auc(odds[some][ended[some]], odds[some][~ended[some]])
        assert area is not None
        assert area > least


def test_statistics_of_estimates() -> None:
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert auc(np.array([1.0, 1.0]), np.array([1.0])) == 0.5
    assert auc(np.array([]), np.array([1.0])) is None
    random = rng()
    p = random.random(20_000)
    happened = random.random(20_000) < p
    assert ece(p, happened) < 0.02
    assert ece_if_honest(p, draws=5) < 0.02
    few = p[:60]
    assert 0.05 < ece_if_honest(few) < 0.2
    assert ece(np.full(60, 0.99), np.arange(60) % 2 == 0) > ece_if_honest(np.full(60, 0.99)) + 0.4
    overconfident = 3.0 * np.log(p / (1 - p)) + 1.0
    slope, offset, nothing = platt(overconfident, happened, np.zeros(len(p)))
    assert ece(sigmoid(slope * overconfident + offset), happened) < 0.02
    assert nothing == 0.0
    failures = random.integers(5, size=len(p))
    less = 1.0 / (1.0 + np.exp(failures.clip(max=3)) * (1 - p) / p)
    happened = random.random(len(p)) < less
    slope, offset, per_failure = platt(overconfident, happened, failures.clip(max=3))
    assert per_failure == pytest.approx(-1.0, abs=0.1)
    said = Calibration(success_slope=slope, success_offset=offset, success_per_failure=per_failure)
    assert ece(said.odds(overconfident, failures), happened) < 0.02
    # A few failures that looked good do not make the readout worthless; many would.
    looked = np.r_[random.normal(3.7, 1.5, 242), np.full(7, 4.0)]
    few, many = (platt(np.tile(looked, n), np.tile(np.arange(249) < 242, n), np.zeros(249 * n))[0] for n in (1, 100))
    assert few > 0.3
    assert many < 0.15
    score = np.zeros(3000, np.float32)
    score[[100, 2000]] = 5.0, 3.0
    assert 3.0 <= quiet_threshold([score]) <= 5.0


def test_learned_policies_never_load_scripted_acting_or_torch(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save(path, model)
    program = (
        "import sys; from pathlib import Path; from agent.policies.catalogue import make_policy; import agent.session;"
        "names = ('world-model', 'prior', 'prior-blind', 'prior-clamped');"
        f"[make_policy(name, Path({str(path)!r})) for name in names];"
        # Whole subgoals: whatever a skill loads late, and doors and carrying are under the policy too.
        "from agent.session import RunConfig, run_episode;"
        f"asked = dict(split='train', policy='world-model', checkpoint=Path({str(path)!r}), time_limit_s=9.0);"
        "run = lambda task: run_episode(RunConfig(task=task, **asked));"
        "acted = [run(task).acting_s for task in ('push-door', 'carry-mug', 'press-button')];"
        "print([m for m in sys.modules if m.startswith('agent.policies.scripted') or m == 'torch'], min(acted) > 0.0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"
