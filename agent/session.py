"""One episode from start to report: wires robot, mind, planner and recorder."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import loop
from agent.acted import Acted
from agent.agenda import Agenda, Listener
from agent.belief.belief import Belief
from agent.episodes.records import Event
from agent.episodes.report import EpisodeReport, SubgoalOutcome, Unsafe
from agent.episodes.watcher import StepRecorder, TimedRobot
from agent.errand import Errand, ErrandAgenda
from agent.messages import Limits, Step, Subgoal
from agent.mind import Mind
from agent.policies.catalogue import make_policy
from agent.policies.interface import Checkpointed, Policy
from agent.skills.skill import Skill
from controllers.heap import still_heap

if TYPE_CHECKING:
    from agent.commands.fork import Fork
    from agent.commands.simulation import Simulation
    from agent.episodes.writer import EpisodeWriter
    from agent.robot import Robot

TIME_LIMIT_S = 900.0
PROGRESS_EVERY_TICKS = 25


@dataclass(frozen=True)
class RunConfig:
    """Everything an episode is a function of, and where it is recorded."""

    task: str = "coffee"
    split: str = "dev"
    index: int = 0
    policy: str = "scripted"
    planner: str = "symbolic"
    disturbance: str = "none"
    realtime: bool = False
    record: Path | None = None
    """Root folder of episodes; None records nothing."""
    robot: str = ""
    """Address of a remote robot; empty runs the simulator in this process."""
    time_limit_s: float = TIME_LIMIT_S
    limits: Limits | None = None
    """Set at run time, for every subgoal; None leaves them to the planner."""
    checkpoint: Path | None = None
    """Of a learned policy; None takes the shipped one."""
    fork: "Fork | None" = None
    """The episode that this one goes on from."""
    acting_only: bool = False
    """Record only the Steps in which a policy acts: training data a third of the size, which cannot be verified."""


@dataclass(frozen=True)
class Progress:
    """What a live display shows."""

    time_s: float
    subgoal: Subgoal | None
    phase: str


class Outcomes:
    """Collects how each subgoal went."""

    def __init__(self) -> None:
        self.subgoals: list[SubgoalOutcome] = []

    def ended(self, subgoal: Subgoal, skill: Skill, start_s: float, end_s: float) -> None:
        self.subgoals.append(
            SubgoalOutcome(
                kind=subgoal.kind.value,
                target=subgoal.target or subgoal.item,
                start_s=start_s,
                duration_s=end_s - start_s,
                attempts=skill.attempt,
                succeeded=skill.status == "succeeded",
                reason=skill.reason,
            )
        )


@dataclass
class _World:
    """What an episode runs in."""

    robot: "Robot"
    writer: "EpisodeWriter | None"
    virtual_time: bool
    errand: Errand | None
    """The one subgoal asked for; None where a planner says what to do."""
    time_limit_s: float
    simulation: "Simulation | None" = None
    """None for a robot elsewhere, whose truth the agent does not have."""


def run_episode(
    config: RunConfig,
    on_progress: Callable[[Progress], None] | None = None,
    policy_in: "Callable[[Simulation, Robot], Policy] | None" = None,
) -> EpisodeReport:
    """Run one episode, in this process's simulator or on the robot at `config.robot`, and judge it.

    `policy_in` makes the policy of a baseline that needs the simulator itself; `config.policy` then only names it.
    On a robot elsewhere success is what the planner concludes from the belief. Raises ValueError for a task, policy
    or house that does not exist, RobotLostError for a robot that cannot be reached.
    """
    began = time.perf_counter()
    fork = config.fork

    policy: Policy | None = None
    if policy_in is None:
        policy = make_policy(config.policy, config.checkpoint, config.index) if fork is None else fork.policy()
    weights = policy.checkpoint if isinstance(policy, Checkpointed) else ""
    planning = _Planning(config)
    writer: EpisodeWriter | None = None
    try:
        world = _connect(config, weights) if config.robot else _simulate(config, weights)
        reset_s = time.perf_counter() - began
        writer, simulation = world.writer, world.simulation
        belief = Belief()
        outcomes = Outcomes()
        body = world.robot if fork is None or simulation is None else fork.robot(world.robot, simulation)
        robot = TimedRobot(body)
        recorder = None
        if writer is not None:
            realtime, every_tick = not world.virtual_time, not config.acting_only
            recorder = StepRecorder(writer, robot, belief, realtime=realtime, every_tick=every_tick)

        def message(now: float, message: Any) -> None:
            if writer is not None:
                writer.message(now, message)

        if policy is None:
            assert policy_in is not None
            assert simulation is not None
            policy = policy_in(simulation, body)
        agenda = planning.agenda(world, message)
        mind = Mind(policy, agenda, outcomes.ended)
        acted = Acted()

        def record(step: Step) -> None:
            step = step if fork is None else fork.following.corrected(step)
            acted.update(step)
            if writer is None or recorder is None:
                return
            for time_s, name in simulation.news() if simulation is not None else ():
                writer.event(time_s, Event(source="world", name=name))
            if step.acting is not None or not config.acting_only:
                recorder.record(step)

        def until(step: Step) -> bool:
            done = agenda.goal_reached if simulation is None else simulation.goal.success
            if on_progress is not None and step.observation.sequence % PROGRESS_EVERY_TICKS == 0:
                on_progress(Progress(step.observation.time_s, step.subgoal, mind.phase))
            if step.observation.applied.mode == "fault":
                agenda.hopeless = "robot-fault"  # it stays until a person has looked
            return done or bool(agenda.hopeless) or step.observation.time_s >= world.time_limit_s

        with nullcontext() if world.virtual_time else still_heap():
            loop.run(robot, belief, agenda, mind, record, until)
        report = _report(world, outcomes, agenda, mind, belief, began, reset_s)
        report = acted.complete(report, weights)
        if writer is not None and recorder is not None:
            recorder.flush(belief.time_s)
            writer.finish(report, belief.time_s)
        return report
    finally:
        planning.close()
        if writer is not None:
            writer.close()


class _Planning:
    """Where subgoals come from: a planner's process, started early so that it is up when it is asked, or an errand."""

    def __init__(self, config: RunConfig) -> None:
        from agent.commands.simulation import errand_of
        from agent.planner.client import PlannerClient

        self._task = config.task
        self._limits = config.limits
        self._client = None
        if errand_of(config.task) is None:
            fork = config.fork
            self._client = (
                PlannerClient.spawn(config.planner)
                if fork is None
                else fork.planner(lambda: PlannerClient.spawn(config.planner))
            )

    def agenda(self, world: _World, on_message: Listener) -> Agenda | ErrandAgenda:
        from agent.planner.inbox import Inbox

        if world.errand is not None:
            return ErrandAgenda(world.errand, on_message, self._limits)
        assert self._client is not None
        return Agenda(self._task, Inbox(self._client, virtual=world.virtual_time), on_message, self._limits)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def _simulate(config: RunConfig, checkpoint: str) -> _World:
    from agent.commands.recording import model_bytes, record_simulation, watch_simulation
    from agent.commands.simulation import start_simulation
    from controllers.realtime_robot import RealtimeRobot
    from controllers.virtual_robot import VirtualRobot

    simulation = start_simulation(config.task, config.split, config.index, config.disturbance)
    model = b"" if config.record is None or config.acting_only else model_bytes(simulation.plant.model)
    writer = _writer(config, simulation.initial_state_hash, checkpoint, model)
    if writer is None:
        on_step = simulation.on_step
    elif config.acting_only:
        on_step = watch_simulation(writer, simulation)
    else:
        on_step = record_simulation(writer, simulation, model)
    robot = (RealtimeRobot if config.realtime else VirtualRobot)(simulation.plant, on_step=on_step)
    limit_s = min(config.time_limit_s, simulation.task.time_limit_s)
    return _World(robot, writer, not config.realtime, simulation.errand, limit_s, simulation)


def _connect(config: RunConfig, checkpoint: str) -> _World:
    from agent.commands.simulation import errand_of, time_limit_of
    from agent.episodes.identity import package_versions
    from agent.episodes.watcher import record_wire
    from agent.links.remote_robot import RemoteRobot

    robot = RemoteRobot(config.robot, version=package_versions()["doppio"])
    try:
        writer = _writer(config, "", checkpoint, realtime=not robot.virtual_time, body=robot.welcome.robot)
    except BaseException:
        robot.close()
        raise
    if writer is not None:
        record_wire(writer, robot)
    limit_s = min(config.time_limit_s, time_limit_of(config.task))
    return _World(robot, writer, robot.virtual_time, errand_of(config.task), limit_s)


def _writer(
    config: RunConfig, initial_hash: str, checkpoint: str, model: bytes = b"", realtime: bool = False, body: str = ""
) -> "EpisodeWriter | None":
    if config.record is None:
        return None
    from agent.episodes.allowance import allowance_left
    from agent.episodes.identity import new_header
    from agent.episodes.recorder import model_identity
    from agent.episodes.writer import EpisodeWriter, new_episode_directory

    directory = new_episode_directory(config.record, config.task, config.split, config.index)
    header = new_header(
        task=config.task,
        split=config.split,
        index=config.index,
        policy=config.policy,
        planner=config.planner,
        disturbance=config.disturbance,
        checkpoint=checkpoint,
        weights="" if config.checkpoint is None else str(config.checkpoint.absolute()),
        realtime=config.realtime or realtime,
        robot=config.robot or "in-process",
        body=body,
        initial_state_hash=initial_hash,
        model=model_identity(model) if model else "",
        limits=config.limits,
        **({} if config.fork is None else config.fork.header()),
    )
    return EpisodeWriter(directory, header, allowance_bytes=allowance_left(config.record))


def _report(
    world: _World,
    outcomes: Outcomes,
    agenda: Agenda | ErrandAgenda,
    mind: Mind,
    belief: Belief,
    began: float,
    reset_s: float,
) -> EpisodeReport:
    simulation = world.simulation
    goal = None if simulation is None else simulation.goal
    success = agenda.goal_reached if goal is None else goal.success
    failed = [s for s in outcomes.subgoals if not s.succeeded]
    running = agenda.current
    if running is not None:
        # The one that brings success ends with the episode, before its skill can say so.
        start_s = belief.time_s if mind.started_s is None else mind.started_s
        outcomes.subgoals.append(
            SubgoalOutcome(
                kind=running.kind.value,
                target=running.target or running.item,
                start_s=start_s,
                duration_s=belief.time_s - start_s,
                attempts=max(1, mind.attempt),
                succeeded=success,
                reason="" if success else "episode-ended",
            )
        )
    reason, subgoal = "", ""
    if not success:
        reason = agenda.hopeless or "time-limit"
        subgoal = running.kind.value if running is not None else failed[-1].kind if failed else ""
    if isinstance(agenda, ErrandAgenda):
        attempts = agenda.attempts + mind.attempt
        subgoal = "" if success else agenda.errand.kind.value
        outcomes.subgoals = [_judged(agenda, outcomes.subgoals, success, attempts, reason, belief.time_s)]
    processes = None if simulation is None else simulation.plant.processes
    return EpisodeReport(
        success=success,
        safe=None if goal is None else goal.safe_success,
        parts={"goal-believed": success} if goal is None else {part.name: part.holds for part in goal.parts()},
        safety={} if goal is None else {part.name: part.holds for part in goal.safety_parts()},
        unsafe=[] if simulation is None else _unsafe(simulation, outcomes.subgoals),
        reason=reason,
        failed_subgoal=subgoal,
        spilled_ml=0.0 if processes is None else float(processes.spilled_ml),
        broken=[] if processes is None else list(processes.broken),
        dropped=[] if processes is None else list(processes.dropped),
        duration_s=belief.time_s,
        wall_s=time.perf_counter() - began,
        reset_s=reset_s,
        initial_state_hash="" if simulation is None else simulation.initial_state_hash,
        subgoals=outcomes.subgoals,
        episode="" if world.writer is None else str(world.writer.directory),
    )


def _unsafe(simulation: "Simulation", subgoals: list[SubgoalOutcome]) -> list[Unsafe]:
    """What cannot be made good, and the subgoal that had begun last: what was let go of falls for a while."""
    found = []
    for part, (time_s, value) in simulation.broke.items():
        begun = [s for s in subgoals if s.start_s <= time_s]
        kind, target = (begun[-1].kind, begun[-1].target) if begun else ("", "")
        found.append(Unsafe(part=part, time_s=time_s, value=value, subgoal=kind, target=target))
    return found


def _judged(
    agenda: ErrandAgenda, ended: list[SubgoalOutcome], success: bool, attempts: int, reason: str, now_s: float
) -> SubgoalOutcome:
    """The subgoal of an errand as one outcome, however often it was given: success is the task's, not the skill's."""
    start_s = now_s if agenda.started_s is None else agenda.started_s
    return SubgoalOutcome(
        kind=agenda.errand.kind.value,
        target=ended[-1].target if ended else "",
        start_s=start_s,
        duration_s=now_s - start_s,
        attempts=attempts,
        succeeded=success,
        reason=reason,
    )
