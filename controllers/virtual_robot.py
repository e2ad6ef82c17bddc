"""A Robot in virtual time: `observe` runs the plant for one tick, as fast as the machine can."""

from agent.messages import Action, Observation
from controllers.action_window import check_action
from controllers.gate import GateLimits
from controllers.plant import Plant
from controllers.robot_side import RobotSide, StepHook


class VirtualRobot:
    """The Robot seam over a Plant that advances only when told to: the same actions give the same observations."""

    def __init__(self, plant: Plant, limits: GateLimits | None = None, on_step: StepHook | None = None) -> None:
        self.side = RobotSide(plant, limits, on_step)
        self._action: Action | None = None
        self._begun = False
        self._closed = False

    def observe(self) -> Observation:
        """The next observation. The first call only senses; each later one advances one tick with the last action.

        Raises RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("observe() after close()")
        if not self._begun:
            self._begun = True
            return self.side.first()
        action, self._action = self._action, None
        return self.side.tick(action)

    def act(self, action: Action) -> None:
        """Sets what the next tick does; returns at once.

        Raises TypeError or ValueError for a malformed action, and RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("act() after close()")
        check_action(action)
        self._action = action

    def close(self) -> None:
        """Closes the plant; further calls do nothing."""
        if not self._closed:
            self._closed = True
            self.side.close()
