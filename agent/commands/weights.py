"""The policies of recorded episodes: found again by the identity of their weights, wherever those lie now."""

from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.outcome import CommandError, Exit
from agent.episodes import EpisodeHeader

if TYPE_CHECKING:
    from agent.policies.interface import Policy


def recorded_policy(header: EpisodeHeader, checkpoint: Path | None = None) -> "Policy":
    """The policy that acted in an episode.

    Its weights may be at `checkpoint`, where they were, or those that are shipped. Raises CommandError where they are
    none of these.
    """
    if not header.checkpoint:
        return _make(header.policy, None, header.index)
    places = [checkpoint, Path(header.weights) if header.weights else None, None]
    for place in dict.fromkeys(places):
        try:
            policy = _make(header.policy, place, header.index)
        except CommandError:
            continue
        if getattr(policy, "checkpoint", "") == header.checkpoint:
            return policy
    raise CommandError(
        f"this episode was made with the weights {header.checkpoint}, which are not at "
        f"{header.weights or 'the place of the shipped ones'} any more; say with --checkpoint where they are",
        Exit.MISSING,
    )


def chosen_policy(header: EpisodeHeader, name: str, checkpoint: Path | None) -> "Policy":
    """The policy `name` with the weights at `checkpoint`; without one, with those of the episode or the shipped ones.

    Raises CommandError for weights that are missing or do not fit.
    """
    if checkpoint is None and name == header.policy:
        return recorded_policy(header)
    if checkpoint is None and header.weights and Path(header.weights).exists():
        checkpoint = Path(header.weights)
    return _make(name, checkpoint, header.index)


def _make(name: str, checkpoint: Path | None, seed: int) -> "Policy":
    from agent.policies.catalogue import make_policy
    from agent.world_model.checkpoint import CheckpointError

    try:
        return make_policy(name, checkpoint, seed)
    except CheckpointError as error:
        raise CommandError(f"the policy {name}: {error}", Exit.MISSING) from error
