"""Curves of a training run as a picture."""

import json
from pathlib import Path

PANELS = (
    ("predict", "feel", "outcome"),
    ("imitate", "inverse", "regularise"),
    ("phase_accuracy", "success_auc", "probe_r2"),
    ("action_error",),
    ("effective_rank",),
    ("std_median", "std_least"),
)


def draw(metrics: Path, picture: Path) -> bool:
    """A PNG of the numbers in a `metrics.jsonl` over the training's minutes; False without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return False
    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, names in zip(figure.subplots(2, 3).ravel(), PANELS, strict=True):
        for name in names:
            points = [(row["seconds"] / 60.0, row[name]) for row in rows if name in row and row[name] == row[name]]
            if points:
                axes.plot(*zip(*points, strict=True), label=name)
        axes.set_xlabel("min")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(picture, dpi=110)
    return True
