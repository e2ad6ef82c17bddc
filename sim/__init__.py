"""The simulated world: houses, the robot's body, its senses, tasks.

Importing this registers the tasks as Gymnasium environments (`doppio/PickMug-v0`, …) by name alone: MuJoCo is loaded
when one is made.
"""

from sim.envs import register_all

register_all()
