"""What one would do here: a phase, then the actions of the next steps in that phase, and whether all is done.

Phases make the proposal sharp: averaging "advance" and "close" would do neither. They are those of the teacher, and the
skills read them. The prior sees the latent, the memory and, for millimetres, the target group itself.
"""

from typing import Any

from agent.world_model.actions import ACTION_SIZE
from agent.world_model.config import ModelConfig
from agent.world_model.features import LAYOUT
from agent.world_model.layers import Shapes, Weights, join, linear, linear_shapes, mlp, mlp_shapes, relu

_TARGET = LAYOUT.target.stop - LAYOUT.target.start + 1


def shapes(c: ModelConfig, phases: int) -> Shapes:
    found = linear_shapes("prior.in", c.latent + c.memory + _TARGET, 2 * c.hidden)
    found |= linear_shapes("prior.mid", 2 * c.hidden, c.hidden)
    found |= linear_shapes("prior.phase", c.hidden, phases)
    return found | mlp_shapes("prior.act", c.hidden + phases, c.hidden, c.horizon * ACTION_SIZE + 1)


def think(w: Weights, z: Any, h: Any, masked: Any) -> Any:
    """Hidden (…, hidden) from latent, memory and masked features."""
    x = relu(linear(w, "prior.in", join(z, h, masked[..., -_TARGET:])))
    return relu(linear(w, "prior.mid", x))


def phase_logits(w: Weights, hidden: Any) -> Any:
    """(…, phases)"""
    return linear(w, "prior.phase", hidden)


def propose(w: Weights, hidden: Any, phase_one_hot: Any) -> tuple[Any, Any]:
    """Actions (…, horizon · ACTION_SIZE) of the next steps in a phase, and the logit of having finished (…,)."""
    out = mlp(w, "prior.act", join(hidden, phase_one_hot))
    return out[..., :-1], out[..., -1]
