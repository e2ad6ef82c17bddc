"""Base motion: planar poses, path planning, path following, exploration and doors. Only numpy."""
