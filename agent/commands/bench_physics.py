"""Intuitive physics: of two episodes that run alike up to a moment, which one does the mind find stranger after it?

One goes on as it must, in the other something impossible happens (sim/disturbances/impossible.py). No kind of pair was
ever trained on. A pair is right when the surprise at what is seen, on average over two seconds after the moment, is
larger in the impossible one: the shocks that the hand feels are the same in both, and for the first of them the hand
may hide what happens. The mind goes on watching when its skill has given up: what it feels and sees is read from the
record.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.commands.arguments import check_weights
from agent.commands.outcome import CommandError, Exit, write_json

if TYPE_CHECKING:
    from agent.messages import Step
    from agent.policies.interface import Situation
    from agent.world_model.model import Model

AFTER_S = 2.0


@dataclass(frozen=True)
class Pair:
    """One pair in one house."""

    kind: str
    index: int
    possible: float
    """Mean surprise after the moment."""
    impossible: float
    missing: str = ""
    """Why there was no such pair here."""

    @property
    def right(self) -> bool:
        return self.impossible > self.possible


@dataclass(frozen=True)
class PairJob:
    """One pair; picklable. Jobs are numbered through kinds within houses."""

    split: str
    policy: str
    checkpoint: Path | None

    def __call__(self, job: int) -> Pair:
        from sim.disturbances.impossible import PAIRS

        index, k = divmod(job, len(PAIRS))
        kind, (task, *names) = list(PAIRS.items())[k]
        found = [self._surprise(task, index, name) for name in names]
        why = next((why for _, why in found if why), "")
        return Pair(kind, index, found[0][0], found[1][0], why)

    def _surprise(self, task: str, index: int, disturbance: str) -> tuple[float, str]:
        """Mean surprise after the moment, and why it never came."""
        from agent.session import RunConfig, run_episode
        from sim.tasks.stage import NoStartError

        with tempfile.TemporaryDirectory(prefix="doppio-bench-") as folder:
            config = RunConfig(
                task=task,
                split=self.split,
                index=index,
                policy=self.policy,
                checkpoint=self.checkpoint,
                disturbance=disturbance,
                record=Path(folder),
            )
            try:
                report = run_episode(config)
            except NoStartError as error:
                return 0.0, str(error)
            return surprise_after(Path(report.episode), disturbance, self.checkpoint)


def surprise_after(folder: Path, name: str, checkpoint: Path | None) -> tuple[float, str]:
    """Mean surprise in AFTER_S after the event of this name, in a recorded episode; and why there was none."""
    from agent.episodes import Episode, Kind
    from agent.world_model.checkpoint import load, shipped_checkpoint

    episode = Episode.open(folder)
    event_s = next((place.time_s for place, event in episode.records(Kind.EVENT) if event.name == name), None)
    if event_s is None:
        return 0.0, f"{name} did not happen"
    steps = [step for _, step in episode.records(Kind.STEP)]
    begins = [
        i
        for i, step in enumerate(steps)
        if step.acting is not None and step.acting.begins and step.observation.time_s <= event_s
    ]
    if not begins:
        return 0.0, f"{name} happened before acting began"
    watched = [step for step in steps[begins[-1] :] if step.observation.time_s <= event_s + AFTER_S]
    model = load(checkpoint if checkpoint is not None else shipped_checkpoint())
    scores = [score for time_s, score in watch(model, watched) if time_s >= event_s]
    return (float(np.mean(scores)), "") if scores else (0.0, "nothing was felt after it")


def watch(model: "Model", steps: "Sequence[Step]") -> list[tuple[float, float]]:
    """(time, surprise at what is seen) at every step of 40 ms of an attempt, and on from its end through the Steps that
    follow."""
    from agent.world_model import encoders, memory
    from agent.world_model.actions import to_vector
    from agent.world_model.config import STEP_TICKS
    from agent.world_model.features import Featurizer
    from agent.world_model.mirror import mirrored, mirrored_move, needs_mirror
    from agent.world_model.surprise import Surprise

    w, here = model.weights, np.ones(1, np.float32)
    featurizer, surprise, scores = Featurizer(), Surprise(model), []
    h = np.zeros(model.config.memory, np.float32)
    done, s = [], None
    for tick, step in enumerate(steps):
        s, move = _seen(step, s)
        mirror = needs_mirror(s)
        x = encoders.normalise(w, featurizer(mirrored(s) if mirror else s))
        if tick % STEP_TICKS == 0:
            z = encoders.encode(w, encoders.mask(x, here, here))
            action = np.mean(done, axis=0).astype(np.float32) if done else np.zeros(12, np.float32)
            surprise.update(action, z, x, featurizer.missing)
            h = memory.step(w, z, h)
            surprise.remember(z, h)
            if surprise.score() is not None:
                scores.append((step.observation.time_s, surprise.of_sight()))
            done = []
        done.append(to_vector(mirrored_move(move) if mirror else move))
    return scores


def _seen(step: "Step", before: "Situation | None") -> tuple[Any, Any]:
    """The situation of a Step, and what was done: recorded while a policy acted, else told from the Observation."""
    from agent.belief.hand import FINGER, FORCE_SMOOTHING
    from agent.frames import carried_twist, from_quaternion, planar
    from agent.messages import Move
    from agent.policies.recorded import situation_of

    if step.acting is not None and step.subgoal is not None:
        return situation_of(step), step.acting.did
    assert before is not None
    o, was = step.observation, before.observation
    moved = planar(*_base(was)).inverse() @ planar(*_base(o))
    target = moved.inverse() @ before.target_in_base
    tool = from_quaternion(o.tool_pose_in_base[:3], o.tool_pose_in_base[3:])
    felt = target.rotation.T @ tool.rotation @ o.wrist_wrench_in_tool[:3]
    s = replace(
        before,
        observation=o,
        target_in_base=target,
        tool_in_target=target.inverse() @ tool,
        width_m=float(o.joint_position[FINGER]),
        grip_force_n=o.grip_force_n,
        pads_touch=before.pads_touch and o.grip_force_n > 1.0,
        holding=before.holding and o.grip_force_n > 1.0,
        force_in_target_n=before.force_in_target_n + FORCE_SMOOTHING * (felt - before.force_in_target_n),
        elapsed_s=before.elapsed_s + o.time_s - was.time_s,
    )
    vx, vy, turn = o.applied.base_velocity_in_base.tolist()
    twist = o.applied.tool_twist_in_base + carried_twist(o.applied.base_velocity_in_base, tool.position)
    in_target = np.concatenate([target.rotation.T @ twist[:3], target.rotation.T @ twist[3:]])
    mode = "force" if o.applied.grip_mode == "force" else "width"
    move = Move(
        twist_in_target=in_target,
        grip_mode=mode,
        grip=o.applied.grip,
        base_velocity_in_base=(vx, vy, turn),
        phase="",
    )
    return s, move


def _base(observation: Any) -> tuple[float, float, float]:
    x, y, yaw = observation.base_pose_in_odom.tolist()
    return x, y, yaw


def run_physics(args: argparse.Namespace) -> int:
    """`doppio bench physics`."""
    from rich.console import Console

    from agent.episodes import cpu_name

    weights = check_weights(args)
    if not weights:
        raise CommandError(f"--policy {args.policy} foresees nothing; choose world-model or prior")
    console = Console(stderr=str(args.json) == "-", highlight=False)
    job = PairJob(args.split, args.policy, args.checkpoint)
    result = summarise(measure_pairs(job, args.index, args.times, os.cpu_count() or 1, console))
    for name, row in result["kinds"].items():
        console.print(f"{name:14} {row['right']} of {row['n']} right")
    low, high = result["ci95"]
    console.print(f"{'all':14} {result['right']} of {result['n']} right, 95 % {low:.0%} to {high:.0%}")
    identity = {"split": args.split, "start": args.index, "policy": args.policy, "cpu": cpu_name()}
    write_json(args.json, identity | {"houses": args.times, "checkpoint": weights} | result)
    return Exit.OK


def measure_pairs(job: PairJob, start: int, houses: int, workers: int, console: Any) -> list[Pair]:
    """Every kind of pair in each house. Raises CommandError where a program error stopped one."""
    from rich.progress import track

    from agent.commands.workers import run_jobs
    from sim.disturbances.impossible import PAIRS

    numbers = range(start * len(PAIRS), (start + houses) * len(PAIRS))
    pairs = []
    for done in track(run_jobs(job, numbers, workers), "pairs", total=len(numbers), console=console):
        if done.error:
            raise CommandError(done.error)
        pairs.append(done.result)
    return pairs


def summarise(pairs: list[Pair]) -> dict[str, Any]:
    """How often the impossible was the stranger one; where there was no pair it counts nowhere."""
    from agent.commands.statistics import wilson_interval

    there = [pair for pair in pairs if not pair.missing]
    kinds = {}
    for kind in sorted({pair.kind for pair in pairs}):
        of_kind = [pair for pair in there if pair.kind == kind]
        kinds[kind] = {"n": len(of_kind), "right": sum(pair.right for pair in of_kind)}
    right = sum(pair.right for pair in there)
    return {"n": len(there), "right": right, "ci95": list(wilson_interval(right, len(there))), "kinds": kinds}
