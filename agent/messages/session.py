"""How an agent and a robot's server agree to talk, and what they say besides observations and actions."""

import msgspec

from agent.messages.action import Action
from agent.messages.arrays import decode
from agent.messages.observation import Observation

PROTOCOL = 1
"""Raised with every change of a message that an older side would misread."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """The agent's first word."""

    protocol: int = PROTOCOL
    version: str = ""
    """Of the agent's software, for people."""


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """The robot is this agent's until either says Farewell or goes away."""

    session: int
    protocol: int = PROTOCOL
    version: str = ""
    robot: str = ""
    """What it is, for people."""
    virtual_time: bool = False
    """The robot's time stands still until an Advance; otherwise it runs by itself after the first one."""
    tick_s: float


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """The robot will not do that."""

    reason: str


class Advance(msgspec.Struct, frozen=True, kw_only=True, tag="advance"):
    """Virtual time: run one tick and answer with its Observation. Real time: the first one starts the clock."""

    session: int
    count: int
    """0 for the first Observation, before anything moves; then one more each time. A repeated one is answered alike."""
    action: Action | None = None
    """New since the last one."""


class Farewell(msgspec.Struct, frozen=True, kw_only=True, tag="farewell"):
    reason: str = ""


FromAgent = Hello | Advance | Action | Farewell
FromRobot = Welcome | Refusal | Observation | Farewell


def decode_from_agent(data: bytes) -> FromAgent:
    """What an agent said. Raises msgspec.DecodeError."""
    return decode(data, FromAgent)  # pyright: ignore[reportArgumentType, reportReturnType]


def decode_from_robot(data: bytes) -> FromRobot:
    """What a robot said. Raises msgspec.DecodeError."""
    return decode(data, FromRobot)  # pyright: ignore[reportArgumentType, reportReturnType]
