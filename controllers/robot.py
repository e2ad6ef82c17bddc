"""The Robot seam (100 Hz): all that a mind can do with a body."""

from typing import Protocol

from agent.messages import Action, Observation


class Robot(Protocol):
    """Simulated in-process, simulated elsewhere, or real: a mind cannot tell which it has."""

    def observe(self) -> Observation:
        """The next observation. In virtual time all but the first call run one tick with the last action; in real
        time it waits for the tick. The first one comes before anything moved."""
        ...

    def act(self, action: Action) -> None:
        """Sets what the next tick does and returns at once. What was really applied comes in the next observation.

        Raises TypeError or ValueError for a malformed action.
        """
        ...

    def close(self) -> None: ...
