"""Windows of attempts, drawn at random: what one batch of training sees.

A batch is a pure function of the data, the configuration and its number, so a run that was stopped goes on the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.world_model.config import STEP_S, STEP_TICKS, ModelConfig, TrainingConfig
from agent.world_model.data import Data
from agent.world_model.heads import FORCE_AHEAD, LONGEST_S

FROM_START, TO_END = 0.4, 0.25
"""Shares of windows at the beginning and at the end of an attempt; the others begin anywhere."""
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Windows (b) of steps (k). Arrays are numpy's, or torch's after `to`."""

    x: Any
    """(b, k, features) raw, at the steps."""
    x_between: Any
    """(b, k, features) raw, up to 3 ticks after each step: the prior acts there with the memory of the step."""
    valid: Any
    """(b, k) the step exists and the memory is warm."""
    exists: Any
    """(b, k) the step exists."""
    did: Any
    """(b, k, actions) mean over each step."""
    lesson: Any
    """(b, k, horizon, actions) what the teacher does from then on."""
    lesson_exists: Any
    """(b, k, horizon)"""
    taught: Any
    """(b, k)"""
    phase: Any
    """(b, k)"""
    finished: Any
    slip: Any
    tilt: Any
    contact: Any
    force: Any
    """(b, k) largest at the tool within the step and FORCE_AHEAD steps after it, N, as limits are judged."""
    log_time: Any
    success: Any
    spill: Any
    has_touch: Any
    """(b, k, 1)"""
    has_sight: Any

    def to(self, torch: Any, device: str) -> "Batch":
        return Batch(**{name: torch.from_numpy(value).to(device) for name, value in vars(self).items()})


class Sampler:
    """Draws batches from some attempts of a data set; kinds of subgoal are drawn equally often."""

    def __init__(self, data: Data, attempts: Index, model: ModelConfig, training: TrainingConfig) -> None:
        self.data, self.model, self.training = data, model, training
        self._attempts = attempts
        length = np.minimum(data.end[attempts] - data.start[attempts], 2000).astype(float)
        kinds = data.kind[attempts]
        weight = length / np.bincount(kinds, weights=length)[kinds]
        self._weight = weight / weight.sum()

    def batch(self, number: int) -> Batch:
        """The batch of this number."""
        t = self.training
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([t.seed, 2, number])))
        chosen = rng.choice(self._attempts, t.batch, p=self._weight)
        span = t.window * STEP_TICKS
        start, end = self.data.start[chosen], self.data.end[chosen]
        free = np.maximum(0, end - start - span)
        where = rng.random(t.batch)
        offset = (rng.random(t.batch) * (free + 1)).astype(np.int64)
        offset[where < FROM_START] = 0
        at_end = where > 1.0 - TO_END
        offset[at_end] = free[at_end]
        steps = (start + offset)[:, None] + STEP_TICKS * np.arange(t.window)
        batch = self.windows(chosen, steps, offset > 0, rng.integers(0, STEP_TICKS, steps.shape))
        batch.has_touch[rng.random(t.batch) < t.drop_touch] = 0.0
        blind = rng.random(t.batch) < t.drop_sight
        from_step = rng.integers(0, t.window, t.batch)
        batch.has_sight[blind[:, None] & (np.arange(t.window) >= from_step[:, None])] = 0.0
        if not t.use_touch:
            batch.has_touch[:] = 0.0
        return batch

    def windows(self, attempts: Index, steps: Index, cut: NDArray[np.bool_], between: Index) -> Batch:
        """The windows of `attempts` (b,) at ticks `steps` (b, k); `cut` (b,): they do not begin with the attempt."""
        data, horizon = self.data, self.model.horizon
        end = data.end[attempts][:, None]
        exists = steps < end
        warm = np.arange(steps.shape[1]) >= np.where(cut, self.training.burn_in, 0)[:, None]
        at = np.minimum(steps, end - 1)
        now = np.minimum(steps + between, end - 1)
        within = np.minimum(steps[..., None] + np.arange(STEP_TICKS), end[..., None] - 1)
        soon = np.minimum(steps[..., None] + np.arange(STEP_TICKS * (1 + FORCE_AHEAD)), end[..., None] - 1)
        ahead = now[..., None] + STEP_TICKS * np.arange(horizon)
        success = np.broadcast_to(data.success[attempts][:, None], at.shape)
        seconds = (data.over[attempts][:, None] - at) * (STEP_S / STEP_TICKS)
        touch = np.ones((*at.shape, 1), np.float32)
        return Batch(
            x=data.x[at],
            x_between=data.x[now],
            valid=exists & warm,
            exists=exists,
            did=data.did[within].mean(axis=2),
            lesson=data.advice[np.minimum(ahead, end[..., None] - 1)],
            lesson_exists=ahead < end[..., None],
            taught=data.taught[now],
            phase=data.phase[now],
            finished=data.finished[now].astype(np.float32),
            slip=data.slip[within].any(axis=2).astype(np.float32),
            tilt=data.tilt[at],
            contact=data.contact(at).astype(np.float32),
            force=data.force_n[soon].max(axis=2),
            log_time=np.log1p(np.minimum(seconds, LONGEST_S)).astype(np.float32),
            success=success.astype(np.float32),
            spill=data.spill[at].astype(np.float32),
            has_touch=touch,
            has_sight=touch.copy(),
        )
