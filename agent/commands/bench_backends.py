"""What the model's two parts of a tick cost on numpy, which acts, and on what else was tried.

The layers are one code for numpy and torch, so every backend computes the same numbers; that they do is checked. One
thread each. `tick` is encoder and prior, every 10 ms; `search` foretells and weighs 64 candidates, every 40 ms.
"""

import argparse
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from agent.commands.arguments import check_weights
from agent.commands.outcome import CommandError, Exit, write_json

BACKENDS = ("numpy", "torch eager", "torch traced", "torch compiled")
CLOSE = 2e-3
"""So far may outputs differ between backends."""
WARM_UP = 20


def run_backends(args: argparse.Namespace) -> int:
    """`doppio bench backends`."""
    from rich.console import Console

    from agent.episodes import cpu_name
    from agent.world_model.checkpoint import load, shipped_checkpoint

    weights = check_weights(args)
    if not weights:
        raise CommandError(f"--policy {args.policy} has no weights; choose world-model or prior")
    console = Console(stderr=str(args.json) == "-", highlight=False)
    model = load(args.checkpoint if args.checkpoint is not None else shipped_checkpoint())
    found = measure_backends(model, args.times)
    for name, parts in found.items():
        for part, row in parts.items():
            words = row["missing"] or (
                f"median {row['p50_ms']:6.3f} ms  p99 {row['p99_ms']:6.3f}  first call {row['first_ms']:.0f} ms"
            )
            console.print(f"{name:15} {part:7} {words}", markup=False)
    write_json(args.json, {"cpu": cpu_name(), "checkpoint": weights, "times": args.times, "backends": found})
    return Exit.OK


def measure_backends(model: Any, times: int) -> dict[str, dict[str, dict[str, Any]]]:
    """By backend and part: milliseconds of `times` calls, and of the first, which may compile; or why there are none.

    Raises CommandError where a backend computes something else than numpy.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            return _measure(torch, model, times)
    finally:
        torch.set_num_threads(before)


def _measure(torch: Any, model: Any, times: int) -> dict[str, dict[str, dict[str, Any]]]:
    from agent.world_model.actions import ACTION_SIZE
    from agent.world_model.features import LAYOUT

    rng, config = np.random.default_rng(0), model.config

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    z, h = normal(1, config.latent), normal(1, config.memory)
    given = {
        "tick": (normal(1, LAYOUT.size), h),
        "search": (z, h, normal(model.planning.candidates, config.horizon, ACTION_SIZE)),
    }
    tensors = {name: torch.from_numpy(value) for name, value in model.weights.items()}
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in BACKENDS}
    for part, inputs in given.items():
        on_torch = tuple(torch.from_numpy(value) for value in inputs)
        plain, eager = _PARTS[part](model.weights), _PARTS[part](tensors)
        expected = plain(*inputs)
        makers: dict[str, Callable[[], Callable[..., Any]]] = {
            "numpy": lambda plain=plain: plain,
            "torch eager": lambda eager=eager: eager,
            "torch traced": lambda eager=eager, on=on_torch: torch.jit.trace(eager, on, check_trace=False),
            "torch compiled": lambda eager=eager: torch.compile(eager, dynamic=False),
        }
        for name in BACKENDS:
            found[name][part] = _time(name, makers[name], inputs if name == "numpy" else on_torch, expected, times)
    return found


def _tick(w: Any) -> Callable[..., Any]:
    from agent.world_model import encoders, prior

    def tick(x: Any, h: Any) -> Any:
        here = x[..., :1] * 0.0 + 1.0
        masked = encoders.mask(encoders.normalise(w, x), here, here)
        z = encoders.encode(w, masked)
        hidden = prior.think(w, z, h, masked)
        logits = prior.phase_logits(w, hidden)
        return prior.propose(w, hidden, logits * 0.0)[0]

    return tick


def _search(w: Any) -> Callable[..., Any]:
    from agent.world_model import heads, predictor
    from agent.world_model.planning import FORETOLD

    def search(z: Any, h: Any, actions: Any) -> Any:
        foretold = predictor.predict(w, z, h, actions, at=FORETOLD)
        return heads.foresee(w, foretold.mean(0), h[0]).log_force

    return search


_PARTS: dict[str, Callable[[Any], Callable[..., Any]]] = {"tick": _tick, "search": _search}


def _time(
    name: str, make: Callable[[], Callable[..., Any]], inputs: tuple[Any, ...], expected: np.ndarray, times: int
) -> dict[str, Any]:
    began = perf_counter()
    try:
        compute = make()
        came = np.asarray(compute(*inputs))
    except Exception as error:  # a compiler that is missing says so in many ways
        return {"missing": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}
    first_ms = 1e3 * (perf_counter() - began)
    if not np.allclose(came, expected, atol=CLOSE):
        raise CommandError(f"{name} computes something else: off by {np.abs(came - expected).max():.3g}")
    for _ in range(WARM_UP):
        compute(*inputs)
    took = np.zeros(times)
    for k in range(times):
        start = perf_counter()
        compute(*inputs)
        took[k] = perf_counter() - start
    p50, p99 = np.quantile(1e3 * took, (0.5, 0.99)).tolist()
    return {"missing": "", "p50_ms": p50, "p99_ms": p99, "first_ms": first_ms}
