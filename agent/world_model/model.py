"""The whole model: its parts' weights in one dictionary, what it was made for, and what it knows about itself."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agent.messages import ACTING_VERSION
from agent.world_model import encoders, heads, memory, predictor, prior, surprise
from agent.world_model.actions import ACTION_SIZE
from agent.world_model.config import STEP_TICKS, ModelConfig, PlanningConfig
from agent.world_model.features import FEATURES_VERSION, FEEL_NAMES, KINDS, LAYOUT
from agent.world_model.layers import Shapes, initial, mlp_shapes, sigmoid


def shapes(c: ModelConfig, phases: int) -> Shapes:
    """Of all learned weights. The inverse model only serves training."""
    found = encoders.shapes(c) | memory.shapes(c) | predictor.shapes(c) | heads.shapes(c) | prior.shapes(c, phases)
    return found | mlp_shapes("inverse", 2 * c.latent, c.hidden, ACTION_SIZE)


def schema() -> dict[str, Any]:
    """What the code feeds a model and takes from it; a checkpoint of another schema cannot be used."""
    parts = {name: part.stop - part.start for name, part in encoders.GROUPS.items()}
    return {
        "acting_version": ACTING_VERSION,
        "features_version": FEATURES_VERSION,
        **parts,
        "feel": list(FEEL_NAMES),
        "kinds": [kind.value for kind in KINDS],
        "action": ACTION_SIZE,
        "step_ticks": STEP_TICKS,
        "layout": LAYOUT.size,
    }


MOST_FAILURES = 3
"""More of them say no more."""


@dataclass(frozen=True)
class Calibration:
    """What was measured on episodes that were not trained on."""

    latent_std: float = 1.0
    """Mean standard deviation of a latent's numbers."""
    surprise_threshold: float = 1.0
    """Of the score in units of what is usual; the units are among the weights (agent.world_model.surprise)."""
    success_slope: float = 1.0
    success_offset: float = 0.0
    """Platt scaling of the success logit."""
    success_per_failure: float = 0.0
    """What each earlier failure at the same adds to it, up to MOST_FAILURES: no attempt remembers those before it."""

    def odds(self, logit: Any, failures: Any) -> Any:
        """The chance of success, from logits (…,) of the head and earlier failures (…,)."""
        failed = np.minimum(failures, MOST_FAILURES)
        return sigmoid(self.success_slope * logit + self.success_offset + self.success_per_failure * failed)


@dataclass(frozen=True)
class Model:
    """Everything needed to act."""

    config: ModelConfig
    phases: tuple[str, ...]
    weights: dict[str, np.ndarray]
    calibration: Calibration = Calibration()
    planning: PlanningConfig = field(default_factory=PlanningConfig)
    card: dict[str, Any] = field(default_factory=dict)
    """Where it came from: data, seeds, code, command, results, limits of its use."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        learned = shapes(self.config, len(self.phases))
        return sum(int(np.prod(shape)) for shape in learned.values())


def fresh(config: ModelConfig, phases: tuple[str, ...], mean: np.ndarray, std: np.ndarray, seed: int) -> Model:
    """An untrained model for data with this mean and deviation of features (LAYOUT.size,)."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 1])))
    weights = initial(shapes(config, len(phases)), rng)
    weights |= encoders.statistics(mean, std) | surprise.unset(config)
    weights["predict.causal"] = predictor.causal(config)
    return Model(config, phases, weights)


def fixed(name: str) -> bool:
    """Whether a weight is given and not learned."""
    return name.startswith(("normal.", "surprise.")) or name == "predict.causal"
