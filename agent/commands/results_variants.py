"""Other weights that results compare with: other seeds, fewer demonstrations, one loss or one safeguard left out.

Each is trained when a table asks for it and kept below the folder of variants; training goes on where it was stopped.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.commands.outcome import CommandError


@dataclass(frozen=True)
class Variant:
    """How weights differ from the model's own."""

    about: str
    training: dict[str, Any] = field(default_factory=dict)
    """Values of agent.world_model.config.TrainingConfig."""
    demonstrations: int | None = None
    """Of each task, and no on-policy data; None takes all there is."""


SEEDS = {f"seed-{k}": Variant(f"training seed {k}", {"seed": k}) for k in (0, 1, 2)}
UNTOUCHED = {"no-touch": Variant("trained without touch", {"use_touch": False})}
FEW = {"demonstrations-50": Variant("50 demonstrations of each task, no on-policy round", {}, 50)}
LOSSES = {
    "seed-0": Variant("nothing left out"),
    "no-predict": Variant("no K-step latent prediction", {"w_predict": 0.0}),
    "no-regulariser": Variant("nothing against collapse", {"regulariser": "none"}),
    "sigreg": Variant("SIGReg in place of VICReg", {"regulariser": "sigreg"}),
    "no-inverse": Variant("no inverse dynamics", {"w_inverse": 0.0}),
    "no-feel": Variant("no foretelling of readings", {"w_feel": 0.0}),
    "no-outcome": Variant("no time to go, success, spill", {"w_outcome": 0.0}),
    "no-dropout": Variant("inputs never missing", {"drop_touch": 0.0, "drop_sight": 0.0}),
    "no-memory": Variant("no recurrent state", {"use_memory": False}),
    "no-on-policy": Variant("demonstrations alone", {}, 1_000_000),
}
SAFEGUARDS: dict[str, tuple[str, dict[str, Any]]] = {
    "no-gate": ("the best candidate always acts", {"gain_s": -1e9, "surer": 1e9, "unanimous": False}),
    "no-disagreement": (
        "the ensemble need not agree on a gain, and its disagreement costs nothing",
        {"disagreement_s": 0.0, "surer": 1e9, "unanimous": False},
    ),
    "no-stray": ("straying from the prior costs nothing", {"stray_s": 0.0}),
    "no-patience": ("plans may act for ever without getting on", {"patience_steps": 10**9}),
    "no-margin": ("no room left below the limits", {"margin": 0.0}),
}
"""What each leaves out of agent.world_model.config.PlanningConfig; the weights are the model's own."""
TRAINED = {**SEEDS, **UNTOUCHED, **FEW, **LOSSES}


@dataclass(frozen=True)
class Making:
    """Where variants come from and go to."""

    data: Path
    variants: Path
    batches: int
    """Of each training: by the clock, a machine that is busy with something else now and then would make some worse."""
    threads: int


class Variants:
    """Weights by their name; made when first asked for."""

    def __init__(self, model: Path | None, making: Making, console: Any) -> None:
        self._model, self._making, self._console = model, making, console

    def __call__(self, name: str) -> Path | None:
        """The weights; None for the shipped ones. Raises CommandError where they cannot be made."""
        if name == "":
            return self._model
        path = self._making.variants / name / "model.safetensors"
        if name in SAFEGUARDS:
            self._replan(name, path)
        elif not path.exists():
            self._train(name, path)
        return path

    def failed(self, name: str) -> str:
        """Why the weights of this name cannot be had; empty where they can."""
        path = self._making.variants / name / "failed.txt"
        if path.exists():
            return path.read_text().strip()
        try:
            self(name)
        except CommandError as error:
            return str(error)
        return path.read_text().strip() if path.exists() else ""

    def card(self, name: str) -> dict[str, Any]:
        """What training measured on houses that were held out."""
        path = self(name)
        assert path is not None
        return json.loads(path.with_suffix(".json").read_text())

    def _replan(self, name: str, path: Path) -> None:
        from agent.world_model.checkpoint import identity, load, save, shipped_checkpoint

        model = load(self._model or shipped_checkpoint())
        other = replace(model, planning=replace(model.planning, **SAFEGUARDS[name][1]))
        if not path.exists() or identity(load(path)) != identity(other):
            save(path, other)

    def _train(self, name: str, path: Path) -> None:
        """Train it. A collapse is a result too, and is kept in failed.txt."""
        import torch

        from agent.commands.train import Display, read_all
        from agent.world_model.collapse import CollapsedError
        from agent.world_model.config import ModelConfig, TrainingConfig
        from agent.world_model.data import TRAINED_ON, DataError
        from agent.world_model.training import train

        making, variant = self._making, TRAINED[name]
        torch.set_num_threads(making.threads)
        self._console.print(f"training {name}: {variant.about}", markup=False)
        folder = making.data if variant.demonstrations is None else making.data / "teacher"
        config = TrainingConfig(steps=making.batches, **variant.training)
        try:
            data = read_all([folder], making.threads, self._console, TRAINED_ON, variant.demonstrations)
            with Display(self._console, data) as display:
                train(data, path.parent, ModelConfig(), config, display.show)
        except CollapsedError as error:
            (path.parent / "failed.txt").write_text(f"{error}\n")
        except DataError as error:
            raise CommandError(f"{name} cannot be trained: {error}") from error


def settings(name: str) -> str:
    """What was changed, for a table."""
    changed = SAFEGUARDS[name][1] if name in SAFEGUARDS else asdict(TRAINED[name])["training"]
    return ", ".join(
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in changed.items()
    )
