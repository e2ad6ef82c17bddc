"""The command line: `doppio COMMAND …`. Each command is one module of agent.commands.

Heavy imports happen inside the commands, so that `doppio --help` is instant.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from agent.commands import (
    bench,
    collect,
    deploy,
    doctor,
    episodes,
    eval,
    planner,
    replay,
    results,
    robot,
    run,
    show,
    train,
)
from agent.commands.outcome import CommandError, Exit
from agent.commands.workers import ONE_THREAD

COMMANDS: dict[str, ModuleType] = {
    "run": run,
    "eval": eval,
    "collect": collect,
    "train": train,
    "results": results,
    "replay": replay,
    "episodes": episodes,
    "robot": robot,
    "deploy": deploy,
    "planner": planner,
    "show": show,
    "bench": bench,
    "doctor": doctor,
}

EPILOG = """\
first steps:
  doppio doctor                              what this machine has and lacks
  doppio run coffee --split dev --index 0    make coffee in one generated house
  doppio replay latest --video coffee.mp4    watch it

exit codes: 0 done, 1 the task failed or a check found something, 2 wrong usage or unreadable input,
3 this machine lacks something (the message says what)
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="doppio",
        description="Run, evaluate, deploy and replay household robot agents.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and the identity of the code")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, module in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=module.SUMMARY,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (agent.commands.outcome.Exit)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.version:
        return _print_version()
    if args.command is None:
        parser.print_help()
        return Exit.USAGE
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)  # as Ctrl-C: robots stop, episodes are closed
    # Before anything imports numpy: on arrays this small its threads cost more than they do.
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    try:
        return COMMANDS[args.command].run(args)
    except CommandError as error:
        print(f"doppio {args.command}: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print(f"doppio {args.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`doppio … | head`): nothing more to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except ValueError as error:
        from agent.episodes import EpisodeError

        if not isinstance(error, EpisodeError):
            raise
        print(f"doppio {args.command}: {error}", file=sys.stderr)
        return Exit.USAGE
    except RuntimeError as error:
        from sim.tasks.stage import NoStartError

        if not isinstance(error, NoStartError):
            raise
        print(f"doppio {args.command}: {error}; choose another house with --index", file=sys.stderr)
        return Exit.USAGE


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _print_version() -> int:
    from agent.episodes import code_identity, package_versions

    code = code_identity()
    print(f"doppio {package_versions()['doppio']}, sources {code.sources}, commit {code.commit or 'unknown'}")
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
