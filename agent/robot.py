"""The Robot seam: what the mind acts through. In-process simulation, a remote robot and hardware look the same."""

from controllers.robot import Robot

__all__ = ["Robot"]
