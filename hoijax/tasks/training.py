"""Epochs of any network: seeded order, early stopping, a checkpoint after each, from which a stopped training goes on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError
from hoijax.tasks.checkpoints import load_state, save_state

CONFIG_FILE = "config.json"
LAST, BEST = "last", "best"

# (state, indices of the batch's examples, random numbers for changing them) -> (state, loss)
Step = Callable[[Any, np.ndarray, np.random.Generator], tuple[Any, Float[Array, ""]]]


@dataclass(frozen=True)
class LoopOptions:
    """`batch`: examples a step. `patience`: epochs without a better score before it stops."""

    epochs: int = 60
    batch: int = 16
    patience: int = 12
    seed: int = 0


class Epoch(NamedTuple):
    """What an epoch came to; `epoch` counts from 1, `loss` is the mean over its steps."""

    epoch: int
    loss: float
    score: float
    best: bool


class Progress(NamedTuple):
    """Where a training stands, beside its arrays."""

    epoch: int
    best: float
    since_best: int


def run_epochs(
    state: Any,
    step: Step,
    score: Callable[[Any], float],
    count: int,
    options: LoopOptions,
    folder: Path,
    tell: Callable[[Epoch], None] = lambda epoch: None,
) -> Progress:
    """Trains on `count` examples from `state` until the epochs are over or patience is.

    `score(state)`, higher is better, is of the validation examples; `folder`/best keeps the state of the best epoch,
    `folder`/last that of the last one. A training that was stopped goes on after its last whole epoch, to the same bits
    as one that was not: `state` then only tells the structure. Read the best with `load_best`.
    Raises: ValueError for no examples; SampleError where the checkpoints are of another network, unreadable, or of more
    epochs than are asked for, and where loss or score are no longer finite.
    """
    if count < 1:
        raise ValueError("run_epochs: there is no example to learn from")
    progress = Progress(0, -float("inf"), 0)
    found = load_state(folder / LAST, state)
    if found is not None:
        state, progress = found[0], Progress(**found[1])
    if progress.epoch > options.epochs:
        raise SampleError(
            folder, f"holds {progress.epoch} epochs, more than the {options.epochs} asked for; choose another folder"
        )
    while progress.epoch < options.epochs and progress.since_best < options.patience:
        state, loss = one_epoch(state, step, count, options, progress.epoch)
        value = float(score(state))
        if not (np.isfinite(loss) and np.isfinite(value)):
            raise SampleError(
                folder,
                f"epoch {progress.epoch + 1} came to loss {loss} and score {value}, expected finite numbers: the learning "
                "rate may be too high; what was learned before it is kept",
            )
        better = value > progress.best
        progress = Progress(progress.epoch + 1, max(value, progress.best), 0 if better else progress.since_best + 1)
        if better:
            save_state(folder / BEST, state, progress._asdict())
        save_state(folder / LAST, state, progress._asdict())
        tell(Epoch(progress.epoch, loss, value, better))
    return progress


def one_epoch(state: Any, step: Step, count: int, options: LoopOptions, epoch: int) -> tuple[Any, float]:
    """Every example once, in another order each epoch. The last batch is filled up from the first: one shape, one
    compilation."""
    rng = np.random.default_rng([options.seed, epoch])
    order = rng.permutation(count)
    batch = min(options.batch, count)
    order = np.concatenate([order, order[: -count % batch]])
    losses = []
    for chosen in order.reshape(-1, batch):
        state, loss = step(state, chosen, rng)
        losses.append(loss)
    return state, float(jnp.stack(losses).mean())


def load_best(folder: Path, like: Any) -> tuple[Any, Progress]:
    """The state of the best epoch. Raises SampleError where no epoch ended, or the state is of another network."""
    found = load_state(folder / BEST, like)
    if found is None:
        raise SampleError(folder, "holds no trained network: no epoch of its training ended")
    return found[0], Progress(**found[1])


def start_folder(folder: Path, record: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes the options of a training (JSON, by group); of a folder that has some, makes sure that they are the same.

    A group's "epochs" may differ, so that a training can be made longer. Raises SampleError for other options.
    """

    def fixed(groups: Mapping[str, Any]) -> dict[str, Any]:
        return {name: {key: value for key, value in group.items() if key != "epochs"} for name, group in groups.items()}

    path, text = folder / CONFIG_FILE, json.dumps(record, indent=1)
    if path.exists():
        found, wanted = fixed(load_options(folder)), fixed(json.loads(text))
        if found != wanted:
            names = [
                f"{group}.{key}"
                for group in sorted({*found, *wanted})
                for key in sorted({*found.get(group, {}), *wanted.get(group, {})})
                if found.get(group, {}).get(key) != wanted.get(group, {}).get(key)
            ]
            raise SampleError(
                folder,
                f"holds a training with other options ({', '.join(names)}); choose another folder, or remove this one",
            )
    save_bytes(path, text.encode())


def load_options(folder: Path) -> dict[str, dict[str, Any]]:
    """What `start_folder` wrote. Raises SampleError where there is none, or no JSON."""
    path = folder / CONFIG_FILE
    try:
        record = json.loads(path.read_text())
    except FileNotFoundError:
        raise SampleError(folder, f"holds no {CONFIG_FILE}, so it is no training of a network") from None
    except (OSError, ValueError) as error:
        raise SampleError(path, f"cannot be understood ({error})") from error
    if not (isinstance(record, dict) and all(isinstance(group, dict) for group in record.values())):
        raise SampleError(path, "expected groups of options, each with its values")
    return record
