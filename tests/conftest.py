"""Settings of all tests."""

import os

from hypothesis import settings

# In CI the same examples every time; at a desk new ones, to find what nobody thought of.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
