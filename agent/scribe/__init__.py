"""The process that writes an episode's log, so that no disk ever holds up the one that controls a robot.

Standard library only: it is there in a few hundredths of a second, and nothing in it can be large enough to be killed.
"""
