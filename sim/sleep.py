"""Which trees of bodies sleep in MuJoCo: the part of a simulation's state that `mjSTATE_INTEGRATION` leaves out."""

import mujoco
import numpy as np
from numpy.typing import NDArray

_STATIC, _ASLEEP, _AWAKE = -1, 0, 1
"""As mjtSleepState."""


def put_to_sleep(model: mujoco.MjModel, data: mujoco.MjData, asleep: NDArray[np.int32]) -> None:
    """Let the same trees sleep as when `data.tree_asleep` was `asleep` (trees,).

    Everything else must have been computed with all of them awake: no step computes the pose of what sleeps. What
    follows from `tree_asleep` is set too (engine_sleep.c, mj_updateSleep): a step takes it as it finds it.
    """
    data.tree_asleep[:] = asleep
    awake = asleep < 0
    data.tree_awake[:] = awake
    tree = model.body_treeid
    moves = tree >= 0
    body = np.where(moves, np.where(awake[np.where(moves, tree, 0)], _AWAKE, _ASLEEP), _STATIC)
    body[model.body_mocapid[model.body_rootid] >= 0] = _AWAKE
    data.body_awake[:] = body
    bodies = np.flatnonzero(body != _ASLEEP)
    children = 1 + np.flatnonzero(body[model.body_parentid[1:]] != _ASLEEP)
    dofs = np.flatnonzero(awake[model.dof_treeid])
    data.ntree_awake, data.nbody_awake = int(awake.sum()), len(bodies)
    data.nparent_awake, data.nv_awake = len(children), len(dofs)
    data.body_awake_ind[: len(bodies)] = bodies
    data.parent_awake_ind[: len(children)] = children
    data.dof_awake_ind[: len(dofs)] = dofs
