"""The process that writes an episode's log, so that no disk ever holds up the one that controls a robot.

Standard library and zstandard only: it is there in a tenth of a second, and nothing in it can be large enough to be
killed.
"""
