"""What is left to see, and which doors hide it: one answer for the planner's facts and for the skill that explores."""

from agent.belief.belief import Belief
from controllers.motion.explore import Frontier, View, choose_frontier, frontiers, look_frontiers
from controllers.motion.paths import CostGrid, Path, Travel

REACH_M = 0.8
"""How near to an end of the map the base has to get to look at it."""


def next_view(belief: Belief, travel: Travel, keep_xy: tuple[float, float] | None = None) -> View | None:
    """The end of the map, or the floor never looked at, to see next without pushing a door; None where nothing is left.

    `travel` starts at the base.
    """
    ends = _ends(belief, travel.grid)
    return choose_frontier(ends, travel, belief.base_pose, keep_xy=keep_xy)


def doors_to_unseen(belief: Belief, travel: Travel, pushing: Travel) -> set[str]:
    """Doors that have to be pushed to see what cannot be reached without.

    `travel` is on costs without, `pushing` on costs with `push_doors`, both from the base.
    """
    found = {f.door for f in frontiers(travel.grid, belief.map.doorways()) if f.door}
    for end in _ends(belief, pushing.grid):
        spot = (end.x_m, end.y_m)
        if travel.cost_near(spot, REACH_M) < float("inf"):
            continue
        path = pushing.path_to(spot, REACH_M)
        if isinstance(path, Path):
            found.update(path.doors[:1])
    return found


def _ends(belief: Belief, grid: CostGrid) -> list[Frontier]:
    known = [f for f in frontiers(grid) if not f.door]
    return [*known, *look_frontiers(grid, belief.base_pose[:2])]
