"""The robot's side: plant, controllers and safety gate behind a ZeroMQ address. An agent connects with `doppio deploy`.

Each agent that connects gets the house in its initial state. Simulation keeps what the actuators were told, for
`doppio replay`, and says at the end whether the task was really done: the agent can only believe it.
Only addresses of this machine are accepted until links have keys.

example: doppio robot --split heldout --index 7 --bind tcp://127.0.0.1:5570
"""

import argparse
import logging
from typing import TYPE_CHECKING

from agent.commands.arguments import add_house, add_recording, check_task, loopback_address, one_of
from agent.commands.outcome import CommandError, Exit

if TYPE_CHECKING:
    from agent.commands.served_robot import ServedRobot

SUMMARY = "serve a simulated robot over ZeroMQ"

DEFAULT_ADDRESS = "tcp://127.0.0.1:5570"
PLANTS = ("mujoco",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plant", type=one_of("plant", PLANTS), default="mujoco", help="what is controlled (default mujoco)"
    )
    parser.add_argument("--task", default="coffee", metavar="TASK", help="whose initial state (default coffee)")
    add_house(parser)
    parser.add_argument(
        "--bind",
        type=loopback_address,
        default=DEFAULT_ADDRESS,
        metavar="ADDRESS",
        help=f"where to listen, on this machine only (default {DEFAULT_ADDRESS})",
    )
    parser.add_argument("--realtime", action="store_true", help="keep the wall clock's time instead of virtual time")
    parser.add_argument("--once", action="store_true", help="end when the first agent leaves")
    add_recording(parser)


def run(args: argparse.Namespace) -> int:
    import threading

    import zmq

    from agent.commands.served_robot import ServedRobot
    from agent.episodes import episodes_root, package_versions
    from controllers.server import RobotServer

    check_task(args.task)
    logging.basicConfig(level=logging.WARNING, format="robot: %(message)s")
    stop = threading.Event()
    results: list[bool] = []

    def ended(robot: "ServedRobot") -> None:
        results.append(robot.success)
        print(robot.verdict(), flush=True)
        if args.once:
            stop.set()

    def make_robot() -> "ServedRobot":
        root = args.record or episodes_root()
        robot = ServedRobot(args.task, args.split, args.index, realtime=args.realtime, record=root, on_end=ended)
        print(f"an agent has come; initial state {robot.initial_state_hash}", flush=True)
        return robot

    try:
        server = RobotServer(
            make_robot,
            args.bind,
            virtual_time=not args.realtime,
            description=f"{args.plant} {args.split} {args.index}",
            version=package_versions()["doppio"],
        )
    except zmq.ZMQError as error:
        raise CommandError(f"cannot listen on {args.bind}: {error}; choose another with --bind") from error
    kind = "real" if args.realtime else "virtual"
    print(f"robot ready at {server.address} ({args.split} {args.index}, {kind} time)", flush=True)
    try:
        server.serve(stop)
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    return Exit.OK if not args.once or all(results) else Exit.FAILED
