"""Weights on disk: a safetensors file, and beside it a card in JSON that says what they are.

The format is the public one (an 8-byte length, a JSON header, raw little-endian arrays): nothing in it can run.
"""

import json
import struct
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from agent.world_model.config import ModelConfig, PlanningConfig
from agent.world_model.model import Calibration, Model, schema, shapes
from agent.world_model.surprise import unset

_DTYPES = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_MAX_HEADER = 1 << 20


class CheckpointError(ValueError):
    """Weights that are missing, damaged, or made for other inputs; the text names what differs."""


def shipped_checkpoint() -> Path:
    """Where the trained model lies that comes with this code: in the checkout, or inside the installed package."""
    root = Path(__file__).resolve().parents[2]
    name = Path("checkpoints") / "world-model.safetensors"
    places = (root / "assets" / name, root / "sim" / "assets" / name)
    return next((place for place in places if place.exists()), places[0])


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as safetensors; the file appears whole or not at all."""
    header: dict[str, Any] = {}
    offset = 0
    ordered = [(name, np.ascontiguousarray(arrays[name])) for name in sorted(arrays)]
    for name, array in ordered:
        code = _CODES.get(array.dtype)
        if code is None:
            raise CheckpointError(f"cannot save {name} of dtype {array.dtype}; known: {', '.join(_DTYPES)}")
        end = offset + array.nbytes
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, array in ordered:
            file.write(array.tobytes())
    part.replace(path)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file. Raises CheckpointError for one that is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"no weights at {path} ({error.strerror}); `doppio train` makes them") from error
    try:
        (length,) = struct.unpack_from("<Q", data)
        if length > _MAX_HEADER:
            raise ValueError(f"its header says it has {length} bytes")
        header = json.loads(data[8 : 8 + length])
        body = memoryview(data)[8 + length :]
        arrays = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            dtype = _DTYPES[entry["dtype"]]
            arrays[name] = np.frombuffer(bytes(body[start:end]), dtype).reshape(entry["shape"]).copy()
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is no safetensors file that can be read here: {error}") from error
    return arrays


def save(path: Path, model: Model) -> None:
    """Weights to `path`, the card beside it with the ending `.json`."""
    save_arrays(path, model.weights)
    card = {
        "schema": schema(),
        "config": asdict(model.config),
        "phases": list(model.phases),
        "calibration": asdict(model.calibration),
        "planning": _unusual(model.planning),
        "identity": identity(model),
        "parameters": model.parameters,
        **model.card,
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")


def load(path: Path) -> Model:
    """The model at `path`. Raises CheckpointError; where it was made for other inputs the text names what differs."""
    weights = load_arrays(path)
    card_path = path.with_suffix(".json")
    unreadable = f"the card {card_path} of these weights cannot be read"
    try:
        card = json.loads(card_path.read_text())
        for told_by_the_model in ("identity", "parameters"):
            card.pop(told_by_the_model, None)
        made_for = dict(card.pop("schema"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{unreadable}: {error}") from error
    # First of all: what was made for other inputs may have another card too.
    _check_schema(path, made_for)
    try:
        config, phases = ModelConfig(**card.pop("config")), tuple(card.pop("phases"))
        unusual: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in card.pop("planning").items()
        }
        model = Model(config, phases, weights, Calibration(**card.pop("calibration")), PlanningConfig(**unusual), card)
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{unreadable}: {error}") from error
    _check_shapes(path, model)
    return model


def identity(model: Model) -> str:
    """Twelve digits that change with any weight or constant."""
    made_of = (model.config, model.phases, model.calibration, _unusual(model.planning))
    digest = blake2b(repr(made_of).encode(), digest_size=6)
    for name in sorted(model.weights):
        digest.update(name.encode() + model.weights[name].tobytes())
    return digest.hexdigest()


def _unusual(planning: PlanningConfig) -> dict[str, Any]:
    """What differs from how this code plans: only that belongs to a model."""
    usual = PlanningConfig()
    return {name: value for name, value in asdict(planning).items() if value != getattr(usual, name)}


def _check_schema(path: Path, made_for: dict[str, Any]) -> None:
    now = schema()
    different = [
        f"{name}: {made_for.get(name)!r} there, {now.get(name)!r} here"
        for name in sorted({*now, *made_for})
        if made_for.get(name) != now.get(name)
    ]
    if different:
        raise CheckpointError(f"{path} was made for other inputs ({'; '.join(different)}); train anew")


def _check_shapes(path: Path, model: Model) -> None:
    constants = unset(model.config)
    expected = shapes(model.config, len(model.phases)) | {name: value.shape for name, value in constants.items()}
    wrong = [
        f"{name}: {model.weights[name].shape if name in model.weights else 'missing'} instead of {shape}"
        for name, shape in expected.items()
        if name not in model.weights or model.weights[name].shape != shape
    ]
    if wrong:
        raise CheckpointError(f"{path} does not fit its own card: {'; '.join(wrong[:5])}")
