"""Training from episodes: the only file that runs torch. A run's folder holds all that is needed to go on with it."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import cos, isfinite, pi
from pathlib import Path
from typing import Any

import numpy as np

from agent.world_model import encoders
from agent.world_model.batches import Index, Sampler
from agent.world_model.calibration import auc, calibrate, fit_success, latents_of
from agent.world_model.checkpoint import CheckpointError, load_arrays, save, save_arrays
from agent.world_model.collapse import Health, health
from agent.world_model.config import STEP_TICKS, ModelConfig, TrainingConfig
from agent.world_model.data import Data
from agent.world_model.features import LAYOUT
from agent.world_model.losses import losses
from agent.world_model.model import Model, fixed, fresh

LOOK_EVERY_S, SAVE_EVERY_S = 20.0, 60.0
LOOK_EVERY_STEPS = 200
"""The same where training goes by steps and not by the clock."""
HEALTHY_AFTER = 0.1
"""Share of the training from which collapse stops it."""
WARM_UP = 0.02
PROBED_ATTEMPTS = 40


@dataclass(frozen=True)
class Progress:
    """What a live display shows."""

    step: int
    share: float
    """Of the whole training, 0 to 1."""
    seconds_left: float
    steps_per_s: float
    parts: dict[str, float]
    looked: dict[str, float]
    """The last look at episodes that are not trained on."""


def split_attempts(data: Data, share: float) -> tuple[Index, Index]:
    """Attempts to train on, and those of every so many-th house that are not."""
    every = max(2, round(1.0 / share))
    held = data.house % every == 0
    if held.all() or not held.any():
        held = np.arange(len(data)) % every == 0
    return np.flatnonzero(~held), np.flatnonzero(held)


def train(
    data: Data,
    run: Path,
    model_config: ModelConfig,
    config: TrainingConfig,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    start_from: Model | None = None,
) -> Model:
    """Train on `data`, going on with what lies in the folder `run` if anything does.

    `start_from`: weights to begin a new run with; a policy's phases must be those of the data. Raises CollapsedError,
    CheckpointError for a folder of a run with another configuration.
    """
    import torch

    device = _device(torch, config)
    taught, held = split_attempts(data, config.holdout)
    model = _begin(data, taught, model_config, config, start_from)
    _write_config(run, model, config)
    weights = {name: torch.from_numpy(value.copy()).to(device) for name, value in model.weights.items()}
    learned = {
        name: tensor.requires_grad_()
        for name, tensor in weights.items()
        if not fixed(name) and (config.use_memory or not name.startswith("memory."))
    }
    optimizer = torch.optim.AdamW(learned.values(), lr=config.learning_rate, weight_decay=config.weight_decay)
    state = _resume(torch, run, learned, optimizer)
    sampler = Sampler(data, taught, model_config, config)
    looked: dict[str, float] = {}
    sums: dict[str, float] = {}
    counted = 0
    session, before_s = time.perf_counter(), state["seconds"]
    last_look, last_save = -1e9, time.perf_counter()
    first = state["step"]
    while True:
        seconds = before_s + time.perf_counter() - session
        share = state["step"] / config.steps if config.steps else seconds / (60.0 * config.minutes)
        due = state["step"] % LOOK_EVERY_STEPS == 0 if config.steps else seconds - last_look > LOOK_EVERY_S
        if due or share >= 1.0:
            last_look = seconds
            looked = look(_numpy(weights), model, data, held)
            if share > HEALTHY_AFTER:
                Health(**{name: looked[name] for name in _HEALTH}, worst_reading="").check()
            means = {name: value / max(1, counted) for name, value in sums.items()}
            _log(run, {"step": state["step"], "seconds": round(seconds, 1), **means, **looked})
            rate = (state["step"] - first) / max(1e-6, seconds - before_s)
            left = (seconds / share - seconds) if share > 0 else 60.0 * config.minutes
            on_progress(Progress(state["step"], min(1.0, share), left, rate, means, looked))
            sums, counted = {}, 0
        if share >= 1.0:
            break
        _set_rate(optimizer, config, share)
        batch = sampler.batch(state["step"]).to(torch, device)
        generator = torch.Generator(device=device).manual_seed(config.seed * 1_000_003 + state["step"])
        total, parts = losses(torch, weights, batch, config, generator)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(learned.values(), config.clip)
        optimizer.step()
        state["step"] += 1
        counted += 1
        for name, part in parts.items():
            sums[name] = sums.get(name, 0.0) + float(part.detach())
        if time.perf_counter() - last_save > SAVE_EVERY_S:
            last_save = time.perf_counter()
            state["seconds"] = before_s + time.perf_counter() - session
            _keep(run, state, learned, optimizer)
    state["seconds"] = before_s + time.perf_counter() - session
    _keep(run, state, learned, optimizer)
    return _finish(run, replace(model, weights=_numpy(weights)), data, taught, held, config, state, looked)


_HEALTH = ("std_median", "std_least", "effective_rank", "probe_r2")


def look(weights: dict[str, np.ndarray], model: Model, data: Data, held: Index) -> dict[str, float]:
    """How good a model is on attempts that are not trained on."""
    from agent.world_model import heads, prior

    attempts = held[:: max(1, len(held) // PROBED_ATTEMPTS)]
    zs, feels, right, errors, middles, ended = [], [], [], [], [], []
    for attempt in attempts.tolist():
        ticks, z, h, x = latents_of(weights, model.config, data, attempt)
        here = np.ones((len(x), 1), np.float32)
        masked = encoders.mask(x, here, here)
        hidden = prior.think(weights, z, h, masked)
        phase = prior.phase_logits(weights, hidden).argmax(axis=-1)
        one_hot = np.eye(len(model.phases), dtype=np.float32)[phase]
        chunk, _ = prior.propose(weights, hidden, one_hot)
        lesson = data.taught[ticks]
        right.append((phase == data.phase[ticks])[lesson])
        errors.append(np.abs(chunk[:, :6] - data.advice[ticks, :6]).mean(axis=1)[lesson])
        zs.append(z)
        feels.append(x[:, LAYOUT.feel])
        middles.append(float(heads.read(weights, z[len(z) // 2], h[len(z) // 2]).success))
        ended.append(bool(data.success[attempt]))
    good = np.array(ended)
    middle = np.array(middles)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([0])))
    shuffled = rng.permutation(sum(map(len, zs)))
    found = health(np.concatenate(zs)[shuffled].astype(np.float64), np.concatenate(feels)[shuffled].astype(np.float64))
    numbers = {name: float(getattr(found, name)) for name in _HEALTH}
    area = auc(middle[good], middle[~good])
    return numbers | {
        "phase_accuracy": float(np.concatenate(right).mean()),
        "action_error": float(np.concatenate(errors).mean()),
        "success_auc": float("nan") if area is None else area,
    }


def _log(run: Path, row: dict[str, float]) -> None:
    with (run / "metrics.jsonl").open("a") as log:
        log.write(json.dumps(row) + "\n")


def _device(torch: Any, config: TrainingConfig) -> str:
    if config.device != "auto":
        return config.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _begin(data: Data, taught: Index, c: ModelConfig, config: TrainingConfig, start_from: Model | None) -> Model:
    if start_from is not None:
        if start_from.phases != data.phases or start_from.config != c:
            raise CheckpointError(
                f"the weights to start from have {start_from.config} and phases {', '.join(start_from.phases)}; "
                f"the run has {c}, the data {', '.join(data.phases)}"
            )
        return start_from
    ticks = np.concatenate([np.arange(int(data.start[a]), int(data.end[a]), STEP_TICKS) for a in taught])
    x = data.x[ticks]
    model = fresh(c, data.phases, x.mean(axis=0), x.std(axis=0), config.seed)
    if config.use_memory:
        return model
    empty = {name: 0.0 * value for name, value in model.weights.items() if name.startswith("memory.")}
    return replace(model, weights=model.weights | empty)


def _write_config(run: Path, model: Model, config: TrainingConfig) -> None:
    run.mkdir(parents=True, exist_ok=True)
    path = run / "config.json"
    now = json.loads(json.dumps({"model": asdict(model.config), "training": asdict(config), "phases": model.phases}))
    if path.exists():
        there = json.loads(path.read_text())
        different = [
            f"{part}.{name}: {there[part].get(name)!r} there, {value!r} now"
            for part in ("model", "training")
            for name, value in now[part].items()
            if there[part].get(name) != value and name != "minutes"
        ]
        if there["phases"] != now["phases"]:
            different.append(f"phases: {there['phases']} there, {now['phases']} now")
        if different:
            raise CheckpointError(f"{run} is a run of another kind ({'; '.join(different)}); choose another --run")
    path.write_text(json.dumps(now, indent=1) + "\n")


def _set_rate(optimizer: Any, config: TrainingConfig, share: float) -> None:
    """Warm up, then fall along a cosine."""
    rate = config.learning_rate * min(1.0, share / WARM_UP + 0.01) * (0.5 + 0.5 * cos(pi * min(1.0, share)))
    for group in optimizer.param_groups:
        group["lr"] = max(rate, 1e-6)


def _numpy(weights: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in weights.items()}


def _keep(run: Path, state: dict[str, Any], learned: dict[str, Any], optimizer: Any) -> None:
    """All that `_resume` needs, in one file."""
    arrays = _numpy(learned)
    for name, tensor in learned.items():
        moments = optimizer.state.get(tensor)
        if moments:
            arrays[f"adam.mean/{name}"] = moments["exp_avg"].cpu().numpy()
            arrays[f"adam.square/{name}"] = moments["exp_avg_sq"].cpu().numpy()
    arrays["state"] = np.array([state["step"], state["seconds"]], np.float64)
    save_arrays(run / "state.safetensors", arrays)


def _resume(torch: Any, run: Path, learned: dict[str, Any], optimizer: Any) -> dict[str, Any]:
    path = run / "state.safetensors"
    if not path.exists():
        return {"step": 0, "seconds": 0.0}
    arrays = load_arrays(path)
    step, seconds = arrays["state"].tolist()
    with torch.no_grad():
        for name, tensor in learned.items():
            tensor.copy_(torch.from_numpy(arrays[name]))
            if f"adam.mean/{name}" in arrays:
                optimizer.state[tensor] = {
                    "step": torch.tensor(float(step)),
                    "exp_avg": torch.from_numpy(arrays[f"adam.mean/{name}"]).to(tensor.device),
                    "exp_avg_sq": torch.from_numpy(arrays[f"adam.square/{name}"]).to(tensor.device),
                }
    return {"step": int(step), "seconds": float(seconds)}


def _finish(
    run: Path,
    model: Model,
    data: Data,
    taught: Index,
    held: Index,
    config: TrainingConfig,
    state: dict[str, Any],
    looked: dict[str, float],
) -> Model:
    weights = model.weights | fit_success(model.weights, model.config, data, taught)
    calibration, constants, results = calibrate(weights, model.config, data, held)
    card = {
        "training": asdict(config),
        "steps": state["step"],
        "minutes": round(state["seconds"] / 60.0, 1),
        "data": _described(data) | {"held_out_attempts": len(held)},
        "results": _finite(looked | results),
        **_origin(),
        "limits_of_use": "simulation only; knows no other kinds of subgoal and phases than its data had",
    }
    model = replace(model, weights=weights | constants, calibration=calibration, card=card)
    save(run / "model.safetensors", model)
    return model


def recalibrate(data: Data, model: Model) -> Model:
    """The model with what it says of itself set anew on these episodes, which it was not trained on: surprise and odds.

    Nothing is learned, and nothing that acts is changed: the unit of the ensemble's disagreement stays.
    """
    every = np.arange(len(data))
    calibration, constants, results = calibrate(model.weights, model.config, data, every)
    calibration = replace(calibration, latent_std=model.calibration.latent_std)
    noted = {"data": _described(data), "results": _finite(results), **_origin()}
    return replace(
        model,
        weights=model.weights | constants,
        calibration=calibration,
        card=model.card | {"calibrated_anew": noted},
    )


def _described(data: Data) -> dict[str, Any]:
    return {
        "attempts": len(data),
        "minutes": round(data.minutes, 1),
        "successes": int(data.success.sum()),
        "split": " and ".join(sorted(set(data.split.tolist()))),
        "houses": [int(data.house.min()), int(data.house.max())],
    }


def _finite(results: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in results.items() if value is not None and isfinite(value)}


def _origin() -> dict[str, Any]:
    from agent.episodes import code_identity, command_line, cpu_name

    code = code_identity()
    return {"code": {"sources": code.sources, "commit": code.commit}, "command": command_line(), "cpu": cpu_name()}
