"""The numbers that make a model and a training run; both are saved beside the weights."""

from dataclasses import dataclass
from typing import Literal

STEP_TICKS = 4
"""Ticks of 10 ms in one step of memory and predictor: 25 Hz. Encoder and prior run every tick."""
STEP_S = 0.01 * STEP_TICKS


@dataclass(frozen=True)
class ModelConfig:
    """Sizes."""

    latent: int = 96
    memory: int = 96
    group: int = 48
    """What each encoder says of its group."""
    hidden: int = 192
    horizon: int = 8
    """Steps that are proposed and foretold at once: 0.32 s."""
    members: int = 3
    """Of the predictor's ensemble."""
    prefix: int = 48
    """Width of an action prefix inside the predictor."""

    def __post_init__(self) -> None:
        if not 64 <= self.latent <= 192:
            raise ValueError(f"latent = {self.latent} is outside 64 to 192")


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained. Every weight of a loss can be set to 0 for an ablation."""

    seed: int = 0
    minutes: float = 30.0
    """Of wall time; the learning rate falls to nothing at its end."""
    steps: int = 0
    """If not 0: train so many batches instead of by the clock; then a run is reproducible bit for bit."""
    batch: int = 24
    window: int = 64
    """Steps of a training window: 2.56 s."""
    burn_in: int = 6
    """Steps at the beginning of a window cut from the middle, in which the memory warms up and nothing is asked."""
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-4
    clip: float = 1.0
    holdout: float = 0.1
    """Share of episodes that is never trained on, for curves, probes and calibration."""
    predict_share: float = 0.3
    """Share of steps from which a future is foretold in a batch."""
    drop_touch: float = 0.15
    drop_sight: float = 0.05
    """Probability that a window misses a group of inputs."""
    noise: float = 0.02
    """Standard deviation of noise on inputs, in their own standard deviations."""
    use_touch: bool = True
    """False trains a model without the touch group."""
    use_memory: bool = True
    """False trains a model whose recurrent state stays empty."""
    regulariser: Literal["vicreg", "sigreg", "none"] = "vicreg"
    w_predict: float = 1.0
    w_regularise: float = 1.0
    w_inverse: float = 0.3
    w_imitate: float = 3.0
    w_feel: float = 0.3
    w_outcome: float = 0.2
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def __post_init__(self) -> None:
        if self.window <= self.burn_in + 1:
            raise ValueError(f"window = {self.window} must be longer than burn_in = {self.burn_in} by 2 at least")


@dataclass(frozen=True)
class PlanningConfig:
    """How hard to search and what counts. Costs are in seconds."""

    candidates: int = 64
    elites: int = 6
    knots: int = 3
    noise_m_s: float = 0.06
    noise_rad_s: float = 0.25
    paces: tuple[float, ...] = (0.0, 0.35, 0.5, 0.65, 0.8, 0.9, 1.15, 1.3)
    """The prior's motion times these."""
    failure_s: float = 2.0
    """What certain failure costs."""
    violation_s: float = 8.0
    """What passing a limit by all of it costs."""
    margin: float = 0.15
    """Share of the limit of tilt that is kept free for what the model does not know; of force it foretells a bound."""
    disagreement_s: float = 1.0
    surer: float = 1.5
    """How many times as unsure of a plan as of the prior's proposal the ensemble may be."""
    unanimous: bool = True
    """Every member of the ensemble must foretell the gain; else their mean has to."""
    stray_s: float = 0.15
    """What one unit of mean squared deviation from the prior costs."""
    gain_s: float = 0.4
    """The least gain for which a plan replaces the prior where no limit is at stake."""
    violation_gain: float = 0.05
    """The least gain in violation for which it does."""
    patience_steps: int = 25
    """So long plans may replace the prior without getting on; then the prior acts for as long. Standing still violates
    nothing."""
    headway_s: float = 0.25
    """By how much time to go must have fallen meanwhile."""
