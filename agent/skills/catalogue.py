"""Which skill carries out which kind of subgoal."""

from agent.messages import Subgoal, SubgoalKind
from agent.policies.interface import Policy
from agent.skills.closing import Close
from agent.skills.door import PushDoor
from agent.skills.going import Carry, Explore, GoTo, LookFor
from agent.skills.lid import CloseLid, OpenLid
from agent.skills.opening import Open
from agent.skills.pick import Pick
from agent.skills.press import Press
from agent.skills.putting import InsertPod, Place, PlaceUnderSpout, Serve
from agent.skills.skill import Skill

SKILLS: dict[SubgoalKind, type[Skill]] = {
    SubgoalKind.EXPLORE: Explore,
    SubgoalKind.GO_TO: GoTo,
    SubgoalKind.PUSH_DOOR: PushDoor,
    SubgoalKind.OPEN: Open,
    SubgoalKind.CLOSE: Close,
    SubgoalKind.LOOK_FOR: LookFor,
    SubgoalKind.PICK: Pick,
    SubgoalKind.PLACE: Place,
    SubgoalKind.OPEN_LID: OpenLid,
    SubgoalKind.CLOSE_LID: CloseLid,
    SubgoalKind.INSERT_POD: InsertPod,
    SubgoalKind.PLACE_UNDER_SPOUT: PlaceUnderSpout,
    SubgoalKind.PRESS: Press,
    SubgoalKind.CARRY: Carry,
    SubgoalKind.SERVE: Serve,
}


def begin(subgoal: Subgoal, policy: Policy) -> Skill:
    """A fresh skill for a subgoal."""
    return SKILLS[subgoal.kind](subgoal, policy)
