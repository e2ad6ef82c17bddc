"""The rates everything else is derived from."""

PLANT_STEP_S = 0.002
"""One physics step, and one period of the controllers (500 Hz)."""

STEPS_PER_TICK = 5

TICK_S = PLANT_STEP_S * STEPS_PER_TICK
"""One tick of the mind: an Observation in, an Action out (100 Hz)."""
