"""A simulated robot that records what its actuators are told and judges the task by the simulator's truth."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from agent.commands.recording import model_bytes, record_simulation
from agent.commands.simulation import start_simulation
from agent.episodes import EpisodeReport, EpisodeWriter, Event, new_episode_directory, new_header
from agent.episodes.allowance import allowance_left
from agent.episodes.recorder import model_identity
from agent.messages import STEPS_PER_TICK, Action, Observation
from controllers.plant import PlantCommand, Sensed
from controllers.realtime_robot import RealtimeRobot
from controllers.server import SEND_QUEUE
from controllers.virtual_robot import VirtualRobot


class ServedRobot:
    """The Robot seam for controllers.server: an episode from its initial state until `close`."""

    def __init__(
        self,
        task: str,
        split: str,
        index: int,
        *,
        realtime: bool,
        record: Path,
        on_end: Callable[["ServedRobot"], None],
    ) -> None:
        self._began = perf_counter()
        self._simulation = start_simulation(task, split, index)
        self._on_end = on_end
        self._ended = False
        self._steps = 0
        self.mode = "stop"
        """Of the last observation: ok, hold, ramp, stop, fault."""
        plant = self._simulation.plant
        model = model_bytes(plant.model)
        self.initial_state_hash = self._simulation.initial_state_hash
        header = new_header(
            task=task,
            split=split,
            index=index,
            policy="remote",
            planner="remote",
            realtime=realtime,
            initial_state_hash=self.initial_state_hash,
            model=model_identity(model),
        )
        self._writer = EpisodeWriter(
            new_episode_directory(record, task, split, index), header, allowance_bytes=allowance_left(record)
        )
        self._record = record_simulation(self._writer, self._simulation, model)
        self._robot = (
            RealtimeRobot(plant, on_step=self._on_step, waiting=SEND_QUEUE)
            if realtime
            else VirtualRobot(plant, on_step=self._on_step)
        )

    @property
    def success(self) -> bool:
        """The task's predicate has held."""
        return self._simulation.goal.success

    def observe(self) -> Observation:
        """As controllers.robot.Robot."""
        observation = self._robot.observe()
        mode = observation.applied.mode
        if mode != self.mode:
            self.mode = mode
            self._writer.event(observation.time_s, Event(source="robot", name=f"mode-{mode}"))
        return observation

    def act(self, action: Action) -> None:
        """As controllers.robot.Robot."""
        self._robot.act(action)

    def close(self) -> None:
        """Close the plant and finish the episode."""
        self._robot.close()
        if not self._ended:
            self._ended = True
            self._writer.finish(self._report(), float(self._simulation.plant.data.time))
            self._on_end(self)

    def _report(self) -> EpisodeReport:
        plant, goal = self._simulation.plant, self._simulation.goal
        return EpisodeReport(
            success=goal.success,
            safe=goal.safe_success,
            parts={part.name: part.holds for part in goal.parts()},
            reason="" if goal.success else "robot-fault" if self.mode == "fault" else "the agent left",
            spilled_ml=float(plant.processes.spilled_ml),
            broken=list(plant.processes.broken),
            dropped=list(plant.processes.dropped),
            duration_s=float(plant.data.time),
            wall_s=perf_counter() - self._began,
            initial_state_hash=self.initial_state_hash,
            episode=str(self._writer.directory),
        )

    def verdict(self) -> str:
        """How the task stands, in words."""
        head = "the task is done" if self.success else "the task is not done"
        if self.mode == "fault":
            head += "; the robot stopped and latched a fault: no valid action came in time"
        lines = [f"  {part}" for part in self._simulation.goal.report().values()]
        time_s = self._simulation.plant.data.time
        return "\n".join([f"after {time_s:.1f} s {head}; episode {self._writer.directory}", *lines])

    def _on_step(self, began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        self._record(began_s, command, sensed)
        self._steps += 1
        if self._steps % STEPS_PER_TICK == 0:
            self._writer.tick_done()
