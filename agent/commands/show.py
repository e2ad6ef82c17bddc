"""Draw a generated house as a PNG.

example: doppio show house --split dev --index 7 house.png
"""

import argparse
import os
import sys
from pathlib import Path

from agent.commands.arguments import add_house, one_of
from agent.commands.outcome import CommandError, Exit

SUMMARY = "draw a generated house"

SHOWN = ("house",)
WIDTH_PX, HEIGHT_PX = 1280, 800


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", type=one_of("picture", SHOWN), help=" or ".join(SHOWN))
    parser.add_argument("out", type=Path, metavar="OUT.png", help="the picture")
    add_house(parser)


def run(args: argparse.Namespace) -> int:
    if args.out.suffix != ".png":
        raise CommandError(f"pictures are .png files, not {args.out.suffix or 'a name without suffix'!r}: {args.out}")
    if sys.platform == "linux" and "DISPLAY" not in os.environ:
        os.environ.setdefault("MUJOCO_GL", "egl")  # MuJoCo reads it once, when it is imported
    try:
        import mujoco
    except Exception as error:  # an OpenGL that is there by half fails in many ways
        kind = os.environ.get("MUJOCO_GL", "")
        raise CommandError(f"no picture: MUJOCO_GL={kind} does not load ({error})", Exit.MISSING) from error
    from PIL import Image

    from sim.house.build import build_house
    from sim.house.generate import generate_house
    from sim.house.picture import render_house
    from sim.render import opengl_status

    usable, reason = opengl_status()
    if not usable:
        raise CommandError(f"no picture: {reason}", Exit.MISSING)
    house = generate_house(args.split, args.index)
    model = build_house(house).compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    picture = render_house(house, model, data, WIDTH_PX, HEIGHT_PX)
    try:
        Image.fromarray(picture).save(args.out)
    except OSError as error:
        raise CommandError(f"cannot write {args.out}: {error.strerror}") from error
    print(args.out)
    return Exit.OK
