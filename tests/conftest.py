"""Settings of all tests."""

import os
import signal

from hypothesis import settings

# In CI the same examples every time; at a desk new ones, to find what nobody thought of.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

# A shell starts what it runs in the background with SIGINT ignored, and children inherit that: tests that interrupt
# processes would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
