"""A baseline of planning: the true physics in place of the model's predictions, at equal processor time.

The candidates, what counts, and the gate are those of the world model's planning. What they lead to is not foretold
but tried, in a copy of the simulated world: no error, no unknown weight or friction. One trial of 0.16 s takes about
ten times as long as foretelling all candidates at once (docs/trials.md has the measurement), so in the same time
only two are tried every 0.72 s. No robot can do this; no policy of the agent does.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from agent.belief.hand import FINGER, FORCE_SMOOTHING, pads_touch
from agent.commands.eval import EpisodeJob
from agent.frames import Pose, from_quaternion, planar
from agent.messages import Observation
from agent.policies.interface import Situation
from agent.policies.learned import LearnedPolicy
from agent.policies.limits import JudgedForce, clamped, tilt_rad
from agent.skills.command import Command, to_action
from agent.world_model import encoders, heads, memory
from agent.world_model.actions import SCALE, to_motion
from agent.world_model.checkpoint import load, shipped_checkpoint
from agent.world_model.config import STEP_S, STEP_TICKS
from agent.world_model.features import Featurizer
from agent.world_model.layers import sigmoid
from agent.world_model.model import Model
from agent.world_model.planning import Plan, Planner

if TYPE_CHECKING:
    from agent.commands.simulation import Simulation
    from agent.policies.interface import Policy
    from agent.robot import Robot

HORIZON_STEPS = 4
"""0.16 s."""
EVERY_STEPS, TRIED = 18, 2
"""So many trials in so many steps cost what planning costs in them; the prior is one of them."""
_HERE = np.ones(1, np.float32)


class Trials:
    """Plans like agent.world_model.planning.Planner, by trying."""

    def __init__(self, model: Model, simulation: "Simulation", robot: "Robot") -> None:
        from controllers.virtual_robot import VirtualRobot
        from sim.foresight import Twin

        if not isinstance(robot, VirtualRobot):
            raise TypeError(f"the true physics of a {type(robot).__name__} cannot be copied")
        self._plant, self._side = simulation.plant, robot.side
        self._twin = Twin(simulation.plant)
        self._model, self._proposals = model, Planner(model)
        self.trials = 0
        self.reset()

    def reset(self) -> None:
        self._proposals.reset()
        self._steps = 0
        self._next = 1
        self._plan: np.ndarray | None = None
        self._at = 0
        """Steps that the plan is old."""

    def search(self, s: Situation, z: np.ndarray, h: np.ndarray, prior: np.ndarray, *, between: bool = False) -> Plan:
        """The better of the prior's proposal (horizon, ACTION_SIZE) and another candidate."""
        if between:
            return self._in_force(prior)  # equal processor time leaves none for another trial
        self._steps += 1
        self._at += 1
        if (self._steps - 1) % EVERY_STEPS:
            return self._in_force(prior)
        candidates = self._proposals.candidates(prior)
        others = [self._next + k for k in range(TRIED - 1)]
        self._next = 1 + (self._next - 1 + TRIED - 1) % (len(candidates) - 1)
        costs, violations = zip(*(self._try(s, h, candidates[k]) for k in (0, *others)), strict=True)
        best = int(np.argmin(costs))
        config = self._model.planning
        gain, saved = costs[0] - costs[best], violations[0] - violations[best]
        replaces = best > 0 and (gain > config.gain_s or saved > config.violation_gain)
        self._plan = candidates[(0, *others)[best]][:HORIZON_STEPS] if replaces else None
        self._at = 0
        return self._in_force(prior, gain)

    def _in_force(self, prior: np.ndarray, gain_s: float = 0.0) -> Plan:
        if self._plan is None or self._at >= len(self._plan):
            return Plan(prior, False, gain_s, 0.0, 0.0)
        return Plan(self._plan[self._at :], True, gain_s, 0.0, 0.0)

    def _try(self, s: Situation, h: np.ndarray, actions: np.ndarray) -> tuple[float, float]:
        """What doing these actions (…, ACTION_SIZE) really costs, s, and by how much it passes the limits."""
        w, config = self._model.weights, self._model.planning
        self.trials += 1
        side = self._twin.follow(self._plant, self._side)
        start = self._base_in_world()
        target_in_world = start @ s.target_in_base
        featurizer, z = Featurizer(), None
        over = 0.0
        judged = JudgedForce(float(np.linalg.norm(s.force_in_target_n)))
        ticks = HORIZON_STEPS * STEP_TICKS
        for tick in range(ticks):
            step = actions[tick // STEP_TICKS]
            motion = clamped(s, to_motion(step, "", False))
            turn = s.target_in_base.rotation
            twist = np.concatenate([turn @ motion.twist_in_target[:3], turn @ motion.twist_in_target[3:]])
            command = Command(twist, False, motion.grip_mode, motion.grip, motion.base_velocity_in_base)
            tool = from_quaternion(s.observation.tool_pose_in_base[:3], s.observation.tool_pose_in_base[3:])
            observation = side.tick(to_action(command, s.observation, tool))
            s = _after(s, observation, self._base_in_world().inverse() @ target_in_world)
            over += self._passed(s, step, judged(observation.wrist_wrench_in_tool)) / ticks
            x = featurizer(s)
            if tick % STEP_TICKS == STEP_TICKS - 1:
                z = encoders.encode(w, encoders.mask(encoders.normalise(w, x), _HERE, _HERE))
                h = memory.step(w, z, h)
        assert z is not None
        meaning = heads.read(w, z, h)
        to_go_s = float(np.expm1(meaning.log_time))
        late = max(0.0, (s.elapsed_s + to_go_s) / s.limits.time_s - 1.0)
        failure = 1.0 - float(sigmoid(meaning.success))
        cost = to_go_s + config.failure_s * failure + config.violation_s * (over + late)
        return cost, over + late

    def _passed(self, s: Situation, action: np.ndarray, force_n: float) -> float:
        """By how much of them the limits are passed in this tick, force as JudgedForce has it."""
        limits = s.limits
        over = max(0.0, force_n / limits.force_n - 1.0)
        over += max(0.0, float(np.linalg.norm(action[:3] * SCALE[:3])) / limits.speed_m_s - 1.0)
        if s.holding:
            tilt = tilt_rad(s.tool_in_target.rotation, s.goal.tool_in_target.rotation)
            over += max(0.0, tilt / limits.tilt_rad - 1.0)
        return over

    def _base_in_world(self) -> Pose:
        data, model = self._twin.data, self._twin.model
        x, y, yaw = (float(data.qpos[model.joint(name).qposadr[0]]) for name in ("base_x", "base_y", "base_yaw"))
        return planar(x, y, yaw)


def _after(s: Situation, observation: Observation, target_in_base: Pose) -> Situation:
    """The situation a tick later."""
    tool = from_quaternion(observation.tool_pose_in_base[:3], observation.tool_pose_in_base[3:])
    felt = target_in_base.rotation.T @ tool.rotation @ observation.wrist_wrench_in_tool[:3]
    return replace(
        s,
        observation=observation,
        target_in_base=target_in_base,
        tool_in_target=target_in_base.inverse() @ tool,
        width_m=float(observation.joint_position[FINGER]),
        pads_touch=pads_touch(observation),
        grip_force_n=observation.grip_force_n,
        force_in_target_n=s.force_in_target_n + FORCE_SMOOTHING * (felt - s.force_in_target_n),
        elapsed_s=s.elapsed_s + STEP_S / STEP_TICKS,
    )


class TruePhysicsJob(EpisodeJob):
    """An episode of the baseline; picklable."""

    def policy_in(self) -> "Callable[[Simulation, Robot], Policy]":
        def make(simulation: "Simulation", robot: "Robot") -> "Policy":
            model = load(self.checkpoint if self.checkpoint is not None else shipped_checkpoint())
            return LearnedPolicy("world-model", model, Trials(model, simulation, robot))

        return make
