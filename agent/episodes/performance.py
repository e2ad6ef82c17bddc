"""Play a recorded episode on a robot: ease into its first posture, do what was done, stop where it goes another way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.episodes.reader import Episode
from agent.episodes.records import EpisodeError
from agent.frames import from_quaternion
from agent.messages import TICK_S, Action, Observation

if TYPE_CHECKING:
    from agent.robot import Robot

EASE_SPEED_M_S = 0.08
EASE_TURN_RAD_S = 0.4
EASE_WITHIN_S = 30.0
_GAIN = 1.5
_THERE_M, _THERE_RAD = 0.006, 0.03
_VALID_S = 5 * TICK_S

TOOL_APART_M = 0.04
BASE_APART_M = 0.06
WIDTH_APART_M = 0.02
FORCE_APART_N = 30.0


@dataclass(frozen=True)
class Performance:
    """How far it went."""

    steps: int
    """That were played."""
    of: int
    stopped: str
    """Why it ended before its end; empty where it did not."""
    time_s: float
    """Of the episode, where it ended."""
    tool_apart_m: float
    """Largest distance between the tool and where it was, in the base's frame."""


def perform(episode: Episode, robot: "Robot") -> Performance:
    """Play all actions of `episode` on `robot`, a tick each; at the end, also of a damaged log, the robot stands.

    Raises EpisodeError for an episode without steps, or whose first posture the robot does not reach.
    """
    if not len(episode):
        raise EpisodeError(f"{episode.directory} holds no steps to play")
    observation = _ease_in(episode.step(0).observation, robot)
    start_here, start_there = observation.base_pose_in_odom.copy(), episode.step(0).observation.base_pose_in_odom
    apart_m, played, reason, step = 0.0, 0, "", episode.step(0)
    try:
        for step in episode.steps():
            recorded = step.observation
            apart_m = max(apart_m, float(np.linalg.norm(_tool(observation) - _tool(recorded))))
            reason = _divergence(recorded, observation, start_there, start_here)
            if reason:
                break
            robot.act(_now(step.action, observation))
            observation = robot.observe()
            played += 1
    finally:
        robot.act(_standing(observation, step.action))
        robot.observe()
    return Performance(played, len(episode), reason, step.observation.time_s, apart_m)


def _ease_in(first: Observation, robot: "Robot") -> Observation:
    """Bring lift, head, fingers and tool slowly to where the recording begins."""
    observation = robot.observe()
    goal = from_quaternion(first.tool_pose_in_base[:3], first.tool_pose_in_base[3:])
    for _ in range(round(EASE_WITHIN_S / TICK_S)):
        at = from_quaternion(observation.tool_pose_in_base[:3], observation.tool_pose_in_base[3:])
        way = goal.position - at.position
        turn = 0.5 * np.cross(at.rotation, goal.rotation, axis=0).sum(axis=1)
        joints = first.joint_position - observation.joint_position
        if np.linalg.norm(way) < _THERE_M and np.linalg.norm(turn) < _THERE_RAD and abs(joints[0]) < _THERE_M:
            return observation
        twist = np.concatenate([_at_most(_GAIN * way, EASE_SPEED_M_S), _at_most(_GAIN * turn, EASE_TURN_RAD_S)])
        robot.act(
            Action(
                sequence=observation.sequence,
                valid_from_s=observation.time_s,
                expires_s=observation.time_s + _VALID_S,
                tool_twist_in_base=twist[None],
                grip_mode="width",
                grip=float(first.joint_position[8]),
                base_velocity_in_base=np.zeros(3),
                lift_rate_m_s=float(np.clip(_GAIN * joints[0], -EASE_SPEED_M_S, EASE_SPEED_M_S)),
                head_rate_rad_s=np.clip(_GAIN * joints[9:11], -EASE_TURN_RAD_S, EASE_TURN_RAD_S),
            )
        )
        observation = robot.observe()
    off_m = float(np.linalg.norm(_tool(first) - _tool(observation)))
    raise EpisodeError(
        f"the robot did not reach the posture the episode begins in within {EASE_WITHIN_S:g} s: its tool is "
        f"{100 * off_m:.0f} cm away from it; bring it there by hand"
    )


def _at_most(vector: np.ndarray, bound: float) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector if length <= bound else vector * (bound / length)


def _tool(observation: Observation) -> np.ndarray:
    return observation.tool_pose_in_base[:3]


def _now(action: Action, observation: Observation) -> Action:
    """The recorded action, for this robot's time."""
    lasts_s = max(2 * TICK_S, action.expires_s - action.valid_from_s)
    return Action(
        sequence=observation.sequence,
        valid_from_s=observation.time_s,
        expires_s=observation.time_s + lasts_s,
        tool_twist_in_base=action.tool_twist_in_base,
        grip_mode=action.grip_mode,
        grip=action.grip,
        base_velocity_in_base=action.base_velocity_in_base,
        lift_rate_m_s=action.lift_rate_m_s,
        head_rate_rad_s=action.head_rate_rad_s,
    )


def _standing(observation: Observation, last: Action) -> Action:
    """Stand, and keep what is held."""
    return Action(
        sequence=observation.sequence,
        valid_from_s=observation.time_s,
        expires_s=observation.time_s + _VALID_S,
        tool_twist_in_base=np.zeros((1, 6)),
        grip_mode=last.grip_mode,
        grip=last.grip,
        base_velocity_in_base=np.zeros(3),
        lift_rate_m_s=0.0,
        head_rate_rad_s=np.zeros(2),
    )


def _divergence(recorded: Observation, here: Observation, start_there: np.ndarray, start_here: np.ndarray) -> str:
    """Why to stop, in words; empty while it goes as it went."""
    tool_m = float(np.linalg.norm(_tool(recorded) - _tool(here)))
    if tool_m > TOOL_APART_M:
        return f"the tool is {100 * tool_m:.1f} cm from where it was, more than {100 * TOOL_APART_M:g} cm"
    base_m = float(np.linalg.norm(_since(start_there, recorded) - _since(start_here, here)))
    if base_m > BASE_APART_M:
        return f"the base is {100 * base_m:.1f} cm from where it was, more than {100 * BASE_APART_M:g} cm"
    width_m = abs(float(recorded.joint_position[8] - here.joint_position[8]))
    if width_m > WIDTH_APART_M:
        return f"the fingers are {1e3 * width_m:.0f} mm further apart or together, more than {1e3 * WIDTH_APART_M:g} mm"
    force_n = float(np.linalg.norm(here.wrist_wrench_in_tool[:3]) - np.linalg.norm(recorded.wrist_wrench_in_tool[:3]))
    if force_n > FORCE_APART_N:
        return f"the hand is pushed with {force_n:.0f} N more than then, above {FORCE_APART_N:g} N"
    if here.applied.mode == "fault":
        return "the robot has latched a fault"
    return ""


def _since(start: np.ndarray, observation: Observation) -> np.ndarray:
    """(2,) where the base is by its wheels, seen from where it began."""
    dx, dy = (observation.base_pose_in_odom[:2] - start[:2]).tolist()
    c, s = np.cos(start[2]), np.sin(start[2])
    return np.array([c * dx + s * dy, -s * dx + c * dy])
