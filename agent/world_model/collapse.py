"""Whether latents still tell things apart: watched during training, which stops when they do not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.world_model.features import FEEL_NAMES

Array = NDArray[np.float64]

LEAST_STD, LEAST_RANK, LEAST_PROBE = 0.02, 3.0, 0.2


class CollapsedError(RuntimeError):
    """Latents have become the same for everything."""


@dataclass(frozen=True)
class Health:
    """Of latents on data that were not trained on."""

    std_median: float
    std_least: float
    effective_rank: float
    """exp of the entropy of the covariance's normalised eigenvalues (Roy & Vetterli 2007)."""
    probe_r2: float
    """Of a linear readout of all readings, mean."""
    worst_reading: str

    def check(self) -> None:
        """Raises CollapsedError in words that say what to do."""
        problems = []
        if self.std_median < LEAST_STD:
            problems.append(f"the median deviation of a latent number is {self.std_median:.3g}, below {LEAST_STD}")
        if self.effective_rank < LEAST_RANK:
            problems.append(f"the latents' effective rank is {self.effective_rank:.1f}, below {LEAST_RANK}")
        if self.probe_r2 < LEAST_PROBE:
            problems.append(f"a linear readout explains {self.probe_r2:.2f} of what is felt, below {LEAST_PROBE}")
        if problems:
            raise CollapsedError(
                f"the latents have collapsed: {'; '.join(problems)}. Raise w_regularise, w_inverse or w_feel, or "
                "choose the other regulariser (vicreg, sigreg)"
            )


def health(z: Array, feel: Array) -> Health:
    """Of latents (n, latent) and normalised readings (n, FEEL). Raises ValueError for fewer samples than latents."""
    if len(z) <= z.shape[1]:
        raise ValueError(f"{len(z)} samples are too few for {z.shape[1]} latents")
    std = z.std(axis=0)
    spectrum = np.maximum(np.linalg.eigvalsh(np.cov(z.T)), 0.0)
    share = spectrum / max(1e-12, float(spectrum.sum()))
    rank = float(np.exp(-(share * np.log(share + 1e-12)).sum()))
    inputs = np.column_stack([z, np.ones(len(z))])
    half = len(z) // 2
    ridge = 1e-3 * half * np.eye(inputs.shape[1])
    readout = np.linalg.solve(inputs[:half].T @ inputs[:half] + ridge, inputs[:half].T @ feel[:half])
    error = ((inputs[half:] @ readout - feel[half:]) ** 2).mean(axis=0)
    spread = feel[half:].var(axis=0)
    r2 = np.clip(1.0 - error / np.maximum(spread, 1e-6), -1.0, 1.0)
    moving = spread > 1e-4
    r2 = r2[moving] if moving.any() else r2
    names = [name for name, moves in zip(FEEL_NAMES, moving, strict=True) if moves] or list(FEEL_NAMES)
    return Health(float(np.median(std)), float(std.min()), rank, float(r2.mean()), names[int(np.argmin(r2))])
