"""What can go wrong in an episode on purpose: pushes, wrong sight, other physics, delays, and single events."""
