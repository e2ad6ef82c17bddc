"""How fast the mind answers, tick by tick, while the robot's simulation runs in real time in a process of its own.

The whole mind runs as in `doppio deploy`: belief, agenda, skills, policy. In ticks in which no skill acts the policy
thinks all the same, about reaching for a point ahead, so that every tick is as dear as the dearest.
"""

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.agenda import Agenda
from agent.belief.belief import Belief
from agent.commands.outcome import CommandError, Exit
from agent.errand import ErrandAgenda
from agent.frames import Pose, planar, tool_rotation
from agent.messages import TICK_S, Action, Limits, Observation, Subgoal, SubgoalKind
from agent.mind import Mind
from agent.policies.interface import Goal, Policy, Situation
from agent.policies.learned import LearnedPolicy
from agent.skills.skill import Skill
from controllers.heap import still_heap

if TYPE_CHECKING:
    from agent.robot import Robot

START_WITHIN_S = 30.0
WARM_UP_S = 3.0
"""Not counted: the first planning of a process compiles and allocates."""
AHEAD_M = 0.2


@dataclass
class Measured:
    """What the loop noted."""

    answers_s: list[float] = field(default_factory=list)
    """From an observation's arrival to the action's leaving."""
    ticks_s: list[float] = field(default_factory=list)
    """The same with what is thought after that."""
    missed: int = 0
    """Observations that the mind did not see, for it was still at an older one."""
    acting: int = 0
    """Ticks in which a skill asked the policy."""


class BusyMind(Mind):
    """A mind whose policy is asked in every tick."""

    def __init__(self, policy: Policy, agenda: Agenda | ErrandAgenda) -> None:
        super().__init__(policy, agenda, _nothing)
        self._thinker = policy
        self._began_s: float | None = None

    def act(self, belief: Belief, observation: Observation, subgoal: Subgoal | None) -> Action:
        action = super().act(belief, observation, subgoal)
        if self.acting is not None:
            self._began_s = None
            return action
        if self._began_s is None:
            self._began_s = observation.time_s
            self._thinker.reset()
        self._think(belief, observation, observation.time_s - self._began_s)
        return action

    def _think(self, belief: Belief, observation: Observation, elapsed_s: float) -> None:
        hand = belief.hand
        x, y, z = (float(v) for v in hand.tool_in_base.position)
        target = planar(x + AHEAD_M, y, 0.0, z)
        situation = Situation(
            kind=SubgoalKind.PICK,
            goal=Goal(Pose(np.zeros(3), tool_rotation(0.4))),
            limits=Limits(),
            tool_in_target=target.inverse() @ hand.tool_in_base,
            target_in_base=target,
            target_std_m=0.01,
            observation=observation,
            width_m=hand.width_m,
            grip_force_n=hand.force_n,
            pads_touch=hand.pads_touch,
            holding=hand.held is not None,
            supported=hand.supported,
            force_in_target_n=hand.force_in_base_n,
            elapsed_s=elapsed_s,
        )
        self._thinker.act(situation)


def measure_loop(task: str, split: str, index: int, policy: Policy, seconds: float) -> dict[str, Any]:
    """Run the mind against a robot in another process for so long; errands start anew when they end.

    Raises CommandError where the robot does not come up.
    """
    from agent.commands.simulation import errand_of
    from agent.episodes import cpu_name, package_versions
    from agent.links.remote_robot import RemoteRobot

    errand = errand_of(task)
    if errand is None:
        raise CommandError(f"`bench loop` runs one subgoal, and {task!r} is many; choose for example --task pick-mug")
    noted = Measured()
    with _robot_elsewhere(task, split, index) as address:
        robot = RemoteRobot(address, version=package_versions()["doppio"])
        belief = Belief()
        agenda = ErrandAgenda(errand, _no_message)
        mind = BusyMind(policy, agenda)
        began = perf_counter()
        try:
            with still_heap():
                _run(robot, belief, agenda, mind, seconds + WARM_UP_S, noted)
        finally:
            robot.close()
        wall_s = perf_counter() - began
    answers = np.array(noted.answers_s) * 1e3
    p50, p99, p999 = (float(v) for v in np.quantile(answers, (0.5, 0.99, 0.999)))
    counted_s = len(answers) * TICK_S
    return {
        "task": task,
        "split": split,
        "index": index,
        "policy": policy.name,
        "cpu": cpu_name(),
        "seconds": counted_s,
        "wall_s": wall_s,
        "ticks": len(answers),
        "acting_ticks": noted.acting,
        "p50_ms": p50,
        "p99_ms": p99,
        "p999_ms": p999,
        "worst_ms": float(answers.max()),
        "tick_p99_ms": 1e3 * float(np.quantile(noted.ticks_s, 0.99)),
        "missed": noted.missed,
        "plan_hz": (policy.plans if isinstance(policy, LearnedPolicy) else 0) / (counted_s + WARM_UP_S),
    }


def _run(robot: "Robot", belief: Belief, agenda: ErrandAgenda, mind: BusyMind, seconds: float, noted: Measured) -> None:
    last = -1
    while True:
        observation = robot.observe()
        came = perf_counter()
        belief.update(observation)
        subgoal = agenda.due(belief) if not agenda.hopeless else None
        action = mind.act(belief, observation, subgoal)
        robot.act(action)
        answered = perf_counter()
        mind.think(belief)
        if observation.time_s > WARM_UP_S:
            noted.answers_s.append(answered - came)
            noted.ticks_s.append(perf_counter() - came)
            noted.missed += max(0, observation.sequence - last - 1) if last >= 0 else 0
            noted.acting += mind.acting is not None
        last = observation.sequence
        if observation.time_s >= seconds:
            return


@contextlib.contextmanager
def _robot_elsewhere(task: str, split: str, index: int) -> Iterator[str]:
    """Address of a simulated robot in real time in its own process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="doppio-bench-") as folder:
        arguments = ["robot", "--task", task, "--split", split, "--index", str(index), "--realtime", "--once"]
        command = [sys.executable, "-m", "agent.cli", *arguments, "--bind", address, "--record", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[2])
        try:
            _wait_for(process, address)
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", address: str) -> None:
    host, port = address.removeprefix("tcp://").split(":")
    until = perf_counter() + START_WITHIN_S
    while perf_counter() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=0.2):
            return
        sleep(0.1)
    raise CommandError(f"the robot at {address} did not come up within {START_WITHIN_S:.0f} s", Exit.FAILED)


def _nothing(subgoal: Subgoal, skill: Skill, start_s: float, end_s: float) -> None:
    """Nobody asks how it went."""


def _no_message(now: float, message: object) -> None:
    """Nobody records."""
