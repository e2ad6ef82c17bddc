"""A robot's server over the fake plant, for tests of links: run as `python fake_robot_process.py MODE ADDRESS`."""

import sys

from controllers.fake_plant import FakePlant
from controllers.realtime_robot import RealtimeRobot
from controllers.server import SEND_QUEUE, RobotServer
from controllers.virtual_robot import VirtualRobot


def main(mode: str, address: str) -> None:
    virtual = mode == "virtual"
    server = RobotServer(
        lambda: VirtualRobot(FakePlant()) if virtual else RealtimeRobot(FakePlant(), waiting=SEND_QUEUE),
        address,
        virtual_time=virtual,
    )
    print(server.address, flush=True)
    server.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
