"""Sheets of pictures for the docs: four houses and four kitchens of each split.

MUJOCO_GL=egl python -m sim.house.gallery --out docs/images
"""

import argparse
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.build import build_house
from sim.house.generate import generate_house
from sim.house.picture import render_house, render_kitchen
from sim.house.schema import SPLITS, Split


def sheet(split: Split, indices: list[int], kitchens: bool, width: int, height: int) -> NDArray[np.uint8]:
    """(2 · height, 2 · width, 3) pictures of four houses of a split, or of their kitchens."""
    from sim.robot import set_home

    tiles = []
    for index in indices:
        house = generate_house(split, index)
        model = build_house(house).compile()
        data = mujoco.MjData(model)
        set_home(model, data)
        mujoco.mj_forward(model, data)
        draw = render_kitchen if kitchens else render_house
        tiles.append(draw(house, model, data, width, height))
    return np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])


def main() -> None:
    from PIL import Image

    parser = argparse.ArgumentParser(description="Pictures of generated houses")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--indices", type=int, nargs=4, default=[4, 5, 6, 8], help="houses to show (default: 4 5 6 8)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        for kitchens, name in ((False, "house"), (True, "house-kitchen")):
            path = arguments.out / f"{name}-{split}.png"
            Image.fromarray(sheet(split, arguments.indices, kitchens, 640, 480)).save(path, optimize=True)
            print(path)


if __name__ == "__main__":
    main()
