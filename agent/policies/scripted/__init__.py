"""Scripted acting: stateless, closed-loop, and given nothing that other policies are not given."""

from agent.messages import SubgoalKind
from agent.policies.interface import Motion, Situation
from agent.policies.scripted import carrying, closing, lid, opening, pick, place, pressing, pushing

_ACTS = {
    SubgoalKind.OPEN: opening.act,
    SubgoalKind.CLOSE: closing.act,
    SubgoalKind.PICK: pick.act,
    SubgoalKind.PLACE: place.act,
    SubgoalKind.SERVE: place.act,
    SubgoalKind.PLACE_UNDER_SPOUT: place.act,
    SubgoalKind.INSERT_POD: place.act,
    SubgoalKind.PRESS: pressing.act,
    SubgoalKind.OPEN_LID: lid.open_lid,
    SubgoalKind.CLOSE_LID: lid.close_lid,
    SubgoalKind.PUSH_DOOR: pushing.act,
    SubgoalKind.CARRY: carrying.act,
}


class ScriptedPolicy:
    """Teacher and baseline: one hand-written expert for each kind of subgoal."""

    name = "scripted"

    def reset(self) -> None:
        """Nothing to forget."""

    def act(self, situation: Situation) -> Motion:
        """Raises KeyError for a kind of subgoal that needs no touching."""
        return _ACTS[situation.kind](situation)

    def think(self) -> bool:
        """Nothing to think over."""
        return False
