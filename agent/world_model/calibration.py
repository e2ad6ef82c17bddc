"""What is measured on episodes that were not trained on, once training is over: scales, thresholds, honesty."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.world_model import encoders, heads, memory
from agent.world_model.batches import Index
from agent.world_model.config import STEP_S, STEP_TICKS, ModelConfig
from agent.world_model.data import Data
from agent.world_model.features import LAYOUT
from agent.world_model.jolt import jolts
from agent.world_model.layers import Weights
from agent.world_model.load import heavier
from agent.world_model.model import MOST_FAILURES, Calibration
from agent.world_model.surprise import (
    JOLT,
    RESIDUAL,
    UNITS,
    Errors,
    detectors,
    errors,
    lags,
    least_units,
    smooth,
    unset,
)
from agent.world_model.usual import group_of, units

Floats = NDArray[np.float32]
ALARMS_PER_MINUTE = 0.5
SAME_ALARM_S = 1.0
OF_ATTEMPT, RIDGE = 16, 100.0
"""Steps of each attempt that the readout of success and the odds are fitted to; weight of the readout's squared
coefficients."""
SLOPE_FIRMNESS = 16.0
"""How firmly the readout is believed until attempts speak against it: its slope is 1 with a deviation of a quarter.
Without this, seven failures among 249 attempts made odds that heeded it no more."""
HOME = "train"
"""The split that models are trained in; episodes of robots, too, are measured on."""
FOLDS = 3
"""Where there are enough houses the threshold is set on those from which the units were not taken: units fit the
episodes they come from, and a threshold that was set on those same episodes was passed ten times as often in others."""


def latents_of(w: Weights, c: ModelConfig, data: Data, attempt: int) -> tuple[Index, Floats, Floats, Floats]:
    """Ticks (k,), latents, memories and normalised features at the steps of one attempt, as while acting."""
    ticks = np.arange(data.start[attempt], data.end[attempt], STEP_TICKS)
    x = encoders.normalise(w, data.x[ticks])
    here = np.ones((len(x), 1), np.float32)
    z = encoders.encode(w, encoders.mask(x, here, here))
    states = np.zeros((len(z), c.memory), np.float32)
    h = np.zeros(c.memory, np.float32)
    for k in range(len(z)):
        h = states[k] = memory.step(w, z[k], h)
    return ticks, z, states, x


def foretelling_errors(
    w: Weights, c: ModelConfig, data: Data, attempt: int, lag: int, states: tuple[Index, Floats, Floats, Floats]
) -> Errors:
    """`agent.world_model.surprise.errors` at every step of an attempt from step `lag` on; states: its `latents_of`."""
    ticks, z, h, x = states
    steps = len(z) - lag
    within = np.minimum(ticks[:, None] + np.arange(STEP_TICKS), data.end[attempt] - 1)
    done = data.did[within].mean(axis=1)
    actions = np.zeros((steps, c.horizon, done.shape[1]), np.float32)
    for j in range(lag):
        actions[:, j] = done[j : j + steps]
    return errors(w, z[:steps], h[:steps], actions, lag, z[lag:], x[lag:, LAYOUT.feel])


def calibrate(
    w: Weights, c: ModelConfig, data: Data, attempts: Index
) -> tuple[Calibration, dict[str, Floats], dict[str, Any]]:
    """Constants of the model, those among its weights, and what it is worth, on these attempts.

    Where nothing disturbed some of them in houses of the split `train`, and those are of all the kinds of subgoal that
    others were undisturbed at, what is usual is taken from them, and all else is measured on the others: in houses of
    another kind some few attempts are strange for long, which are to count as alarms, and not to make units larger.
    """
    used = [int(a) for a in attempts if data.end[a] - data.start[a] > STEP_TICKS * (c.horizon + 2)]
    calm = [a for a in used if data.calm[a]] or used
    away = [a for a in used if data.split[a] != HOME]
    at_home, calm_away = ([a for a in calm if (data.split[a] == HOME) == home] for home in (True, False))
    judged_apart = bool(calm_away) and set(data.kind[calm_away]) <= set(data.kind[at_home])
    # What failed undisturbed is to raise no more alarms than the rest, but shows not what is usual: one lost cup made a
    # unit of all picking five times as large.
    shown = at_home if judged_apart else calm
    usual = [a for a in shown if data.success[a]] or shown
    found = unset(c)
    states = {a: latents_of(w, c, data, a) for a in used}
    of_lags = {a: [foretelling_errors(w, c, data, a, lag, states[a]) for lag in lags(c.horizon)] for a in calm}
    for k in range(len(lags(c.horizon))):
        found[RESIDUAL][k] = np.maximum(np.concatenate([of_lags[a][k].latent for a in usual]).std(axis=0), 1e-3)
    detected = {a: told(w, data, of_lags[a], states[a], found[RESIDUAL]) for a in calm}
    group = {a: group_of(w, states[a][3][0]) for a in calm}

    def units_from(attempts: list[int]) -> Floats:
        return units([detected[a] for a in attempts], [group[a] for a in attempts], least_units(c), JOLT)

    def scored(attempts: list[int], units: Floats) -> list[Floats]:
        return [(detected[a] / units[group[a]]).max(axis=1) for a in attempts]

    found[UNITS] = units_from(usual)
    if judged_apart:
        used, scores = away, scored(calm_away, found[UNITS])
    else:
        scores = []
        for number in np.unique(data.house[calm] % FOLDS):
            of_others = units_from([a for a in usual if data.house[a] % FOLDS != number] or usual)
            scores += scored([a for a in calm if data.house[a] % FOLDS == number], of_others)
    threshold = quiet_threshold(scores)
    z = np.concatenate([states[a][1] for a in used])
    logits = np.array([heads.read(w, *states[a][1:3]).success[_spread(len(states[a][1]))] for a in used])
    ended, failures = data.success[used], data.failures[used]
    odds = fit_odds(logits, ended, failures)
    calibration = replace(odds, latent_std=float(z.std(axis=0).mean()), surprise_threshold=threshold)
    middle = logits[:, OF_ATTEMPT // 2]
    results = {
        "attempts": len(used),
        "success_auc_mid_attempt": auc(middle[ended], middle[~ended]),
        "success_ece_mid_attempt": ece(honest_odds(logits, ended, failures, data.house[used] % FOLDS), ended),
        "usual_minutes": sum(len(detected[a]) for a in usual) * STEP_S / 60.0,
        "calm_minutes": sum(len(s) for s in scores) * STEP_S / 60.0,
        "surprise_threshold": threshold,
    }
    return calibration, found, results


def _spread(steps: int) -> Index:
    """(OF_ATTEMPT,) steps of an attempt, evenly: each attempt has the same weight, however long it took."""
    return np.linspace(0, steps - 1, OF_ATTEMPT).astype(int)


def fit_odds(logits: NDArray[Any], success: NDArray[np.bool_], failures: NDArray[Any]) -> Calibration:
    """Only what `Calibration.odds` needs, by `platt`, from attempts: logits (attempts, OF_ATTEMPT), how each ended, and
    how many failed before it."""
    ended, failed = (np.repeat(of, OF_ATTEMPT) for of in (success, np.minimum(failures, MOST_FAILURES)))
    slope, offset, per_failure = platt(logits.ravel(), ended, failed, 1.0 / OF_ATTEMPT)
    return Calibration(success_slope=slope, success_offset=offset, success_per_failure=per_failure)


def honest_odds(
    logits: NDArray[Any], success: NDArray[np.bool_], failures: NDArray[Any], fold: NDArray[Any]
) -> NDArray[Any]:
    """(attempts,) odds half-way, of each fold by what `fit_odds` makes of the others."""
    odds = np.zeros(len(logits))
    for number in np.unique(fold):
        here = fold == number
        others = ~here if (~here).any() else here
        found = fit_odds(logits[others], success[others], failures[others])
        odds[here] = found.odds(logits[here, OF_ATTEMPT // 2], failures[here])
    return odds


def fit_success(w: Weights, c: ModelConfig, data: Data, attempts: Index) -> dict[str, Floats]:
    """The weights `heads.ends` with the readout of success fitted anew to these attempts: ridge logistic regression by
    Newton's method, each attempt of equal weight. Along with everything else it is learned too slowly, and by the
    longest attempts most. Leaves the weights as they are where all attempts ended alike."""
    steps = [latents_of(w, c, data, int(a))[1:3] for a in attempts]
    x = np.concatenate([np.concatenate([z, h], axis=1)[_spread(len(z))] for z, h in steps])
    ended = np.repeat(data.success[attempts], OF_ATTEMPT).astype(np.float64)
    found = {name: w[name].copy() for name in ("heads.ends.w", "heads.ends.b")}
    if ended.all() or not ended.any():
        return found
    mean, std = x.mean(axis=0), x.std(axis=0) + 1e-3
    design = np.column_stack([(x - mean) / std, np.ones(len(x))]).astype(np.float64)
    ridge = RIDGE * np.eye(design.shape[1])
    ridge[-1, -1] = 1e-6
    at = np.zeros(design.shape[1])
    for _ in range(12):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ at, -30.0, 30.0)))
        hessian = (design * (p * (1.0 - p))[:, None]).T @ design + ridge
        move = np.linalg.solve(hessian, design.T @ (p - ended) + ridge @ at)
        at -= move
        if np.abs(move).max() < 1e-4:
            break
    found["heads.ends.w"][:, 0] = at[:-1] / std
    found["heads.ends.b"][0] = at[-1] - float((at[:-1] / std) @ mean)
    return found


def told(
    w: Weights,
    data: Data,
    of_lags: list[Errors],
    states: tuple[Index, Floats, Floats, Floats],
    residual: Floats,
) -> Floats:
    """(n, detectors) of agent.world_model.surprise at the steps of an attempt, from its second on: its
    `foretelling_errors` for every lag, its `latents_of`."""
    ticks, _, _, x = states
    columns = []
    for k, of_lag in enumerate(of_lags):
        found = detectors(smoothed(of_lag.feel), smoothed(of_lag.latent / residual[k]))
        columns.append(np.pad(found, ((len(x) - 1 - len(found), 0), (0, 0))))
    others = (jolts(of_lags[0].force), heavier(w, x)[1:], data.missing[ticks[1:]])
    return np.concatenate([*columns, np.column_stack(others).astype(np.float32)], axis=1)


def smoothed(raw: Floats) -> Floats:
    """Errors (n, …) of the steps of an attempt as they are while acting."""
    out = np.zeros_like(raw)
    last = np.zeros_like(raw[0])
    for k in range(len(raw)):
        last = out[k] = smooth(raw[k], last)
    return out


def quiet_threshold(scores: list[Floats]) -> float:
    """The least threshold with at most ALARMS_PER_MINUTE alarms in these scores."""
    minutes = sum(len(s) for s in scores) * STEP_S / 60.0
    for threshold in np.quantile(np.concatenate(scores), np.linspace(0.9, 1.0, 201)):
        if sum(alarms(s, float(threshold)) for s in scores) <= ALARMS_PER_MINUTE * minutes:
            return float(threshold)
    return float(max(s.max() for s in scores))


def alarms(score: Floats, threshold: float) -> int:
    """How often the score goes above; within a second it is the same alarm."""
    above = np.flatnonzero(score > threshold)
    return int(len(above) > 0) + int((np.diff(above) * STEP_S > SAME_ALARM_S).sum())


def platt(
    logits: NDArray[Any], labels: NDArray[np.bool_], failures: NDArray[Any], weight: float = 1.0
) -> tuple[float, float, float]:
    """Slope, offset and what each failure before adds, so that sigmoid(slope · logit + offset + added · failures) is
    honest (Platt 1999, with one more input, and a prior on the slope), by Newton's method. Weight: of each label."""
    if labels.all() or not labels.any():
        return 1.0, 0.0, 0.0
    design = np.column_stack([logits, np.ones(len(logits)), failures]).astype(np.float64)
    prior, firmness = np.array([1.0, 0.0, 0.0]), np.array([SLOPE_FIRMNESS, 1e-3, 1e-3])
    at = np.zeros(3)  # from there Newton's method does not overshoot
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ at, -30.0, 30.0)))
        gradient = weight * design.T @ (p - labels) + firmness * (at - prior)
        hessian = weight * (design * (p * (1 - p))[:, None]).T @ design + np.diag(firmness)
        move = np.linalg.solve(hessian, gradient)
        at -= move
        if np.abs(move).max() < 1e-6:
            break
    return float(max(0.05, at[0])), float(at[1]), float(min(0.0, at[2]))


def auc(positive: NDArray[Any], negative: NDArray[Any]) -> float | None:
    """Area under the ROC curve: the chance that a positive scores higher; None without both."""
    if len(positive) == 0 or len(negative) == 0:
        return None
    both = np.concatenate([positive, negative])
    order = np.argsort(both, kind="stable")
    rank = np.empty(len(both))
    rank[order] = np.arange(1, len(both) + 1)
    for value in np.unique(both):
        same = both == value
        rank[same] = rank[same].mean()
    return float(
        (rank[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2) / len(positive) / len(negative)
    )


def ece(probability: NDArray[Any], labels: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: mean gap between what was said and how often it was so, over equal bins."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(probability[which == b].mean() - labels[which == b].mean()) * (which == b).mean() for b in set(which)]
    return float(sum(gaps))


def ece_if_honest(probability: NDArray[Any], draws: int = 200) -> float:
    """The `ece` that these odds would show on average if each came true as often as said: few examples never show 0."""
    rng = np.random.default_rng(0x0DD5)
    return float(np.mean([ece(probability, rng.random(len(probability)) < probability) for _ in range(draws)]))
