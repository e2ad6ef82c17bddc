"""The Robot seam: what the mind acts through. In-process simulation, a remote robot and hardware look the same."""

from typing import Protocol

from agent.messages import Action, Observation


class Robot(Protocol):
    """100 Hz. `act` returns at once; what was really applied comes back in the next Observation."""

    def observe(self) -> Observation: ...

    def act(self, action: Action) -> None: ...

    def close(self) -> None: ...
