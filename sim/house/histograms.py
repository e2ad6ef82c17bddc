"""How often each feature occurs: shares and histograms over many indices, for the docs.

python -m sim.house.histograms --out docs/images [--count 1000]
"""

import argparse
from collections import Counter
from pathlib import Path

from sim.house.contents import PLACE_KINDS
from sim.house.generate import generate_house
from sim.house.schema import SPLITS, House, Split

_NAMED = ("family", "kitchen", "front_style", "handle", "palette", "lid_hinge", "button", "start_room")
_COUNTED = {name: name for name in ("rooms", "mugs", "pods", "fronts")} | {"clutter": "other small things"}
_MEASURED_M = ("counter_height_m", "table_height_m")
_BINS = 14
FEATURES = (
    *(f"mug_in_{kind}" for kind in PLACE_KINDS),
    *(f"pod_in_{kind}" for kind in PLACE_KINDS),
    "bowl",
    "loose_lid",
    "second_machine",
    "doors_shut",
    "doors_ajar",
    "doors_open",
)
"""Axes that count something; a house has the feature when the count is positive."""


def feature_shares(houses: list[House]) -> dict[str, float]:
    """Share of houses that have each feature."""
    return {name: sum(float(h.axes[name]) > 0 for h in houses) / len(houses) for name in FEATURES}


def draw_pages(houses: dict[Split, list[House]], out: Path) -> list[Path]:
    """Write `house-features.png` and `house-axes.png` into `out`; their paths."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    colors = {"train": "#6c8f7d", "dev": "#d9a05b", "heldout": "#b0605a"}
    shares = {split: feature_shares(sample) for split, sample in houses.items()}
    figure, axis = plt.subplots(figsize=(9, 9), layout="constrained")
    height = 0.8 / len(shares)
    for k, (split, share) in enumerate(shares.items()):
        axis.barh(
            [i + (k - 1) * height for i in range(len(FEATURES))],
            [share[f] for f in FEATURES],
            height,
            label=split,
            color=colors[split],
        )
    axis.axvline(0.25, color="black", linewidth=0.8, linestyle="--")
    axis.set_yticks(range(len(FEATURES)), [f.replace("_", " ") for f in FEATURES])
    axis.invert_yaxis()
    axis.set_xlabel(f"share of houses (n = {len(next(iter(houses.values())))} per split; dashed: 25 %)")
    axis.legend()
    paths = [out / "house-features.png", out / "house-axes.png"]
    figure.savefig(paths[0], dpi=90)
    plt.close(figure)

    figure, grid = plt.subplots(5, 3, figsize=(12, 15), layout="constrained")
    for axis, name in zip(grid.flat, (*_NAMED, *_COUNTED, *_MEASURED_M), strict=True):
        title = name.replace("_", " ")
        if name in _MEASURED_M:
            samples = [[float(h.axes[name]) for h in sample] for sample in houses.values()]
            each = [[1.0 / len(sample)] * len(sample) for sample in samples]
            axis.hist(samples, bins=_BINS, weights=each, color=list(colors.values()))
            axis.set_title(f"{title.removesuffix(' m')}, m ({_BINS} bins)", fontsize=10)
        else:
            counted = name in _COUNTED
            counts = {split: Counter(str(h.axes[name]) for h in sample) for split, sample in houses.items()}
            values = sorted(set().union(*counts.values()), key=lambda v: (len(v), v) if counted else (0, v))
            for k, (split, count) in enumerate(counts.items()):
                at = [i + (k - 1) * 0.27 for i in range(len(values))]
                axis.bar(at, [count[v] / count.total() for v in values], 0.27, color=colors[split])
            axis.set_xticks(range(len(values)), values, rotation=0 if counted else 30, fontsize=8)
            axis.set_title(f"number of {_COUNTED[name]}" if counted else title, fontsize=10)
        axis.set_ylabel("share of houses", fontsize=8)
    keys = [Patch(color=colors[split], label=f"{split}, n = {len(sample)}") for split, sample in houses.items()]
    figure.legend(handles=keys, loc="outside upper center", ncols=len(keys))
    figure.savefig(paths[1], dpi=80)
    plt.close(figure)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description="Histograms of generated houses")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--count", type=int, default=1000, help="indices per split (default: 1000)")
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error(f"--count is {arguments.count}; at least 1 is needed")
    arguments.out.mkdir(parents=True, exist_ok=True)
    houses: dict[Split, list[House]] = {s: [generate_house(s, i) for i in range(arguments.count)] for s in SPLITS}
    for path in draw_pages(houses, arguments.out):
        print(path)
    print(f"{'feature':<24}" + "".join(f"{split:>10}" for split in SPLITS))
    shares = [feature_shares(houses[split]) for split in SPLITS]
    for name in FEATURES:
        print(f"{name:<24}" + "".join(f"{share[name]:>10.1%}" for share in shares))
    redraws = [[float(h.axes["redraws"]) for h in houses[split]] for split in SPLITS]
    print(
        f"{'redraws, mean (max)':<24}" + "".join(f"{sum(r) / len(r):>5.2f} ({max(r):.0f})".rjust(10) for r in redraws)
    )


if __name__ == "__main__":
    main()
