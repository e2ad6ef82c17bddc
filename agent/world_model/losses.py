"""What training makes small. Each part has a weight in TrainingConfig and can be left out for an ablation.

predict    foretold latents are what is encoded when the time comes, over the whole horizon, for every member
regularise latents fill their space: VICReg (Bardes et al. 2022) or SIGReg (Balestriero & LeCun 2025)
inverse    two latents in a row tell what was asked for in between
imitate    the prior does what the teacher does
feel       readings, contact, slip, tilt, a quantile of force: of encoded and of foretold latents
outcome    time to go, success, spill: the same
"""

from typing import Any

from agent.world_model import encoders, heads, memory, predictor, prior
from agent.world_model.batches import Batch
from agent.world_model.config import TrainingConfig
from agent.world_model.features import LAYOUT
from agent.world_model.layers import Weights, join, mlp

COVARIANCE = 0.04
IN_CONTACT = 3.0
"""Weight of readings in contact, above 1."""
LATER = 0.5
"""Weight of the proposal's last step against its first, which is the one that is done."""


def losses(torch: Any, w: Weights, batch: Batch, t: TrainingConfig, generator: Any) -> tuple[Any, dict[str, Any]]:
    """The sum to make small, and its parts by name. `generator` is torch's, for noise and for what is foretold."""
    x, between = encoders.normalise(w, batch.x), encoders.normalise(w, batch.x_between)
    feel = x[..., LAYOUT.feel]
    noisy = x + t.noise * torch.randn(x.shape, generator=generator, device=x.device)
    noisy_between = between + t.noise * torch.randn(x.shape, generator=generator, device=x.device)
    z = encoders.encode(w, encoders.mask(noisy, batch.has_touch, batch.has_sight))
    h = memory.unroll(w, z)
    masked_between = encoders.mask(noisy_between, batch.has_touch, batch.has_sight)
    z_between = encoders.encode(w, masked_between)
    parts = {
        "regularise": regularise(torch, z[batch.valid], t.regulariser, generator),
        "inverse": inverse(w, z, batch),
        "imitate": imitate(torch, w, z_between, h, masked_between, batch),
    }
    parts["predict"], foretold = predict(torch, w, z, h, feel, batch, t, generator)
    now = heads.read(w, z, h)
    parts["feel"] = felt(torch, now, feel, batch, (slice(None), slice(None)), batch.valid) + foretold["feel"]
    # How an attempt ends is one bit for hundreds of steps: latents that were bent by it would learn it by heart.
    still = heads.read(w, z.detach(), h.detach())
    ends = outcome(torch, still, batch.log_time, batch.success, batch.spill, batch.valid)
    parts["outcome"] = ends + foretold["outcome"]
    total = sum(getattr(t, f"w_{name}") * part for name, part in parts.items())
    return total, parts


def predict(
    torch: Any, w: Weights, z: Any, h: Any, feel: Any, batch: Batch, t: TrainingConfig, generator: Any
) -> tuple[Any, dict[str, Any]]:
    """Error of foretold latents, and what the heads make of them, from some of the steps."""
    horizon = w["predict.when.b"].shape[1]
    steps = z.shape[1]
    asked = batch.valid & (torch.rand(batch.valid.shape, generator=generator, device=z.device) < t.predict_share)
    asked[:, -1] = False
    row, step = asked.nonzero(as_tuple=True)
    ahead = step[:, None] + torch.arange(horizon, device=z.device)
    # The action of step k leads from k to k + 1.
    inside = (ahead + 1 < steps) & batch.exists[row[:, None], (ahead + 1).clamp(max=steps - 1)]
    then = (ahead + 1).clamp(max=steps - 1)
    actions = batch.did[row[:, None], ahead.clamp(max=steps - 1)]
    foretold = predictor.predict(w, z[row, step], h[row, step], actions)
    target = z[row[:, None], then]
    error = ((foretold - target) ** 2).mean(-1)
    members = error.shape[0]
    # Each member learns from its own four fifths: what they all know they agree on.
    share = torch.rand((members, len(row), 1), generator=generator, device=z.device) < 0.8
    loss = _mean(error, inside[None] & share)
    mean = foretold.mean(0)
    before = h[row, step][:, None].expand(*mean.shape[:2], -1)
    meaning, still = heads.read(w, mean, before), heads.read(w, mean.detach(), before.detach())
    at = row[:, None], then
    named = {
        "feel": felt(torch, meaning, feel[at], batch, at, inside),
        "outcome": outcome(torch, still, batch.log_time[at], batch.success[at], batch.spill[at], inside),
    }
    return loss, named


def regularise(torch: Any, z: Any, kind: str, generator: Any) -> Any:
    """Keep latents (n, latent) from collapsing."""
    if kind == "none":
        return z.sum() * 0.0
    if kind == "sigreg":
        return _sigreg(torch, z, generator)
    centred = z - z.mean(0)
    std = (centred.square().mean(0) + 1e-4).sqrt()
    covariance = centred.T @ centred / max(1, len(z) - 1)
    off_diagonal = covariance.square().sum() - covariance.diagonal().square().sum()
    return (1.0 - std).relu().mean() + COVARIANCE * off_diagonal / z.shape[1] + 0.01 * z.mean(0).square().mean()


def _sigreg(torch: Any, z: Any, generator: Any) -> Any:
    """Distance of random projections of z from a standard normal by their characteristic functions (Epps–Pulley)."""
    directions = torch.randn((z.shape[1], 64), generator=generator, device=z.device)
    projected = z @ (directions / directions.norm(dim=0))
    at = torch.linspace(0.2, 4.0, 17, device=z.device)
    phase = projected[..., None] * at
    normal = torch.exp(-0.5 * at.square())
    error = (phase.cos().mean(0) - normal).square() + phase.sin().mean(0).square()
    return (error * normal).sum(-1).mean()


def inverse(w: Weights, z: Any, batch: Batch) -> Any:
    """What was asked for between two latents."""
    guess = mlp(w, "inverse", join(z[:, :-1], z[:, 1:]))
    error = (guess - batch.did[:, :-1]).square().clip(max=9.0).mean(-1)
    return _mean(error, batch.valid[:, :-1] & batch.exists[:, 1:])


def imitate(torch: Any, w: Weights, z: Any, h: Any, masked: Any, batch: Batch) -> Any:
    """The teacher's phase, actions in that phase, and whether it has finished."""
    functional = torch.nn.functional
    asked = batch.valid & batch.taught
    hidden = prior.think(w, z, h, masked)[asked]
    logits = prior.phase_logits(w, hidden)
    phase = batch.phase[asked]
    one_hot = functional.one_hot(phase, logits.shape[-1]).to(hidden.dtype)
    proposed, finished = prior.propose(w, hidden, one_hot)
    lesson, exists = batch.lesson[asked], batch.lesson_exists[asked]
    horizon = lesson.shape[1]
    later = torch.linspace(1.0, LATER, horizon, device=z.device) * (torch.arange(horizon, device=z.device) > 0)
    weight = later / max(1, horizon - 1) + (torch.arange(horizon, device=z.device) == 0)
    error = functional.smooth_l1_loss(proposed.reshape(lesson.shape), lesson, reduction="none", beta=0.1).mean(-1)
    act = (error * exists * weight).sum() / max(1, len(error))
    said = functional.binary_cross_entropy_with_logits(finished, batch.finished[asked])
    return act + 0.1 * functional.cross_entropy(logits, phase) + 0.1 * said


def felt(torch: Any, meaning: heads.Meaning, feel: Any, batch: Batch, at: Any, valid: Any) -> Any:
    """Readings with their own uncertainty (Laplace), contact, slip, tilt, and a quantile of force, at these steps."""
    contact, slip, tilt, force = batch.contact[at], batch.slip[at], batch.tilt[at], batch.force[at]
    likelihood = (feel - meaning.feel).abs() * torch.exp(-meaning.feel_log_scale) + meaning.feel_log_scale
    logits = torch.nn.functional.binary_cross_entropy_with_logits
    other = logits(meaning.contact, contact, reduction="none") + logits(meaning.slip, slip, reduction="none")
    # Contact is rare, and what matters most.
    felt = likelihood.mean(-1) * (1.0 + IN_CONTACT * contact)
    higher = torch.log1p(force) - meaning.log_force
    quantile = torch.maximum(heads.FORCE_QUANTILE * higher, (heads.FORCE_QUANTILE - 1.0) * higher)
    return _mean(felt + other + 10.0 * (meaning.tilt - tilt).square() + 3.0 * quantile, valid)


def outcome(torch: Any, meaning: heads.Meaning, log_time: Any, success: Any, spill: Any, valid: Any) -> Any:
    """How the attempt goes on and ends."""
    logits = torch.nn.functional.binary_cross_entropy_with_logits
    ends = logits(meaning.success, success, reduction="none") + logits(meaning.spill, spill, reduction="none")
    return _mean((meaning.log_time - log_time).abs() * success + ends, valid)


def _mean(values: Any, where: Any) -> Any:
    """Mean of the values where `where` (it may need broadcasting) says so."""
    where = where.expand(values.shape) if where.shape != values.shape else where
    return (values * where).sum() / where.sum().clamp(min=1)
