"""A task as a Gymnasium environment: the same robot side, senses and judge that the agent meets."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from agent.messages import STEPS_PER_TICK, TICK_S, Observation
from controllers.plant import PlantCommand, Sensed
from controllers.virtual_robot import VirtualRobot
from sim.envs.spaces import Encoder, action_space, observation_space, to_action
from sim.house.schema import MAX_INDEX, SPLITS
from sim.tasks.goals import TaskGoal, make_task_goal
from sim.tasks.registry import find_task
from sim.tasks.stage import NoStartError
from sim.tasks.start import begin_task
from sim.tasks.truth import Truth

FRAMES_PER_S = 100
PICTURE_PX = (640, 480)


class TaskEnv(gymnasium.Env[Any, Any]):
    """One task in houses of one split; one step is one tick of 10 ms.

    `reset(seed=…)` draws the house from `np_random`; `reset(options={"index": 7})` names it. The reward is 1 in the
    step in which the task is done, else 0. `terminated` says that it is done, `truncated` that time is up. `info`
    holds `index`, `initial_state_hash`, `success`, `safe_success`, and `parts`: each number that success and safety
    are judged by. What `info` says is the simulator's truth: an agent that reads it cheats.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FRAMES_PER_S}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, task: str, split: str = "train", render_mode: str | None = None) -> None:
        """Raises sim.tasks.registry.UnknownTaskError, and ValueError for an unknown split or render mode."""
        if split not in SPLITS:
            raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render mode {render_mode!r}; known: {', '.join(self.metadata['render_modes'])}")
        self.task = find_task(task)
        self.split = split
        self.render_mode = render_mode
        self.action_space = action_space()
        self.observation_space = observation_space()
        self.index = -1
        self._robot: VirtualRobot | None = None
        self._film = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
        """Begin an episode. Option `index` names the house (0 to 2³¹−1); one that does not have what the task needs
        raises NoStartError, while of drawn ones the next is taken."""
        super().reset(seed=seed)
        unknown = sorted(set(options or {}) - {"index"})
        if unknown:
            raise ValueError(f"unknown reset options {', '.join(unknown)}; known: index")
        self._put_away()
        named = None if options is None else options.get("index")
        if named is not None:
            self._begin(int(named))
        else:
            while True:
                try:
                    self._begin(int(self.np_random.integers(MAX_INDEX)))
                    break
                except NoStartError:
                    continue
        assert self._robot is not None
        self._observation = self._robot.observe()
        return self._encoder.encode(self._observation), self._info()

    def _begin(self, index: int) -> None:
        self._plant = begin_task(self.task.name, self.split, index)
        self.index = index
        self._hash = self._plant.state_hash()
        plant = self._plant
        self._truth = Truth(plant.model, plant.data, plant.house, plant.processes)
        self._goal: TaskGoal = make_task_goal(self.task, self._truth)
        self._encoder = Encoder(self.task)
        self._steps = 0
        self._robot = VirtualRobot(plant, on_step=self._on_step)

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[dict[str, NDArray[np.float32]], float, bool, bool, dict[str, Any]]:
        """One tick of 10 ms. Raises ValueError for an action of another shape or with numbers that are not finite."""
        if self._robot is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        done_before = self._goal.success
        self._robot.act(to_action(action, self._observation))
        self._observation: Observation = self._robot.observe()
        done = self._goal.success
        out_of_time = self._observation.time_s >= self.task.time_limit_s - TICK_S / 2
        reward = 1.0 if done and not done_before else 0.0
        return self._encoder.encode(self._observation), reward, done, out_of_time and not done, self._info()

    def render(self) -> NDArray[np.uint8] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(480, 640, 3) of the scene from behind the robot; None without a render mode. Raises
        sim.render.GraphicsError where there is no OpenGL."""
        if self.render_mode is None or self._robot is None:
            return None
        from sim.render import Film

        if self._film is None:
            self._film = Film(self._plant.model, *PICTURE_PX)
        return self._film.frame(self._plant.data)

    def close(self) -> None:
        self._put_away()

    def _put_away(self) -> None:
        if self._film is not None:
            self._film.close()
            self._film = None
        if self._robot is not None:
            self._robot.close()
            self._robot = None

    def _on_step(self, began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        self._steps += 1
        self._truth.feel()
        if self._steps % STEPS_PER_TICK == 0:
            self._truth.refresh()
            self._goal.update()

    def _info(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "initial_state_hash": self._hash,
            "success": self._goal.success,
            "safe_success": self._goal.safe_success,
            "parts": {name: part.value for name, part in self._goal.report().items()},
        }
