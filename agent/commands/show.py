"""Draw a generated house as a PNG.

example: doppio show house --split dev --index 7 house.png
"""

import argparse
from pathlib import Path

from agent.commands.arguments import add_house, one_of
from agent.commands.outcome import CommandError, Exit

SUMMARY = "draw a generated house"

SHOWN = ("house",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", type=one_of("picture", SHOWN), help=" or ".join(SHOWN))
    parser.add_argument("out", type=Path, metavar="OUT.png", help="the picture")
    add_house(parser)


def run(args: argparse.Namespace) -> int:
    if args.out.suffix != ".png":
        raise CommandError(f"pictures are .png files, not {args.out.suffix or 'a name without suffix'!r}: {args.out}")
    from agent.commands.graphics import use_gl

    use_gl()
    from sim.house.picture import draw_house

    draw_house(args.split, args.index, args.out)
    print(args.out)
    return Exit.OK
