"""Training of the contact network: epochs, early stopping, checkpoints from which a stopped training goes on."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError
from hoijax.metrics.labels import LabelScores, label_scores
from hoijax.tasks.contact.data import Examples, augmented, subset
from hoijax.tasks.contact.net import (
    ContactInput,
    ContactNetConfig,
    Level,
    TrainState,
    init_state,
    logits,
    train_step,
)

CONFIG_FILE = "config.json"
LAST, BEST = "last", "best"
CHUNK = 32  # examples judged at once


@dataclass(frozen=True)
class TrainOptions:
    """How to train. `patience`: epochs without a better validation F1 before it stops."""

    epochs: int = 60
    batch: int = 16
    rate: float = 1e-3
    patience: int = 12
    seed: int = 0


class Epoch(NamedTuple):
    """What an epoch came to."""

    epoch: int
    loss: float
    validation: LabelScores
    best: bool


class Progress(NamedTuple):
    """Where a training stands, beside its `TrainState`."""

    epoch: int
    best_f1: float
    since_best: int


def train(
    config: ContactNetConfig,
    options: TrainOptions,
    learned: Examples,
    validation: Examples,
    folder: Path,
    tell: Callable[[Epoch], None],
) -> None:
    """Trains until the epochs are over or patience is; `folder` holds the best and the last state, and the config.

    A training that was stopped goes on after its last whole epoch, to the same numbers as one that was not.
    Raises: SampleError where `folder` holds a training with another config or other options.
    """
    start_folder(folder, config, options)
    first = ContactInput(*(field[0] for field in learned.given))
    state = init_state(config, first, options.rate, jax.random.key(options.seed))
    progress = Progress(0, -1.0, 0)
    found = load_state(folder / LAST, state)
    if found is not None:
        state, progress = found
    step = train_step(config, options.rate)
    judge = jax.jit(lambda params, given: logits(config, params, given))
    while progress.epoch < options.epochs and progress.since_best < options.patience:
        state, loss = one_epoch(step, state, learned, options, progress.epoch)
        scores = label_scores(predicted(judge, state.params, validation) > 0, validation.labels)
        better = scores.f1 > progress.best_f1
        progress = Progress(
            progress.epoch + 1, max(scores.f1, progress.best_f1), 0 if better else progress.since_best + 1
        )
        if better:
            save_state(folder / BEST, state, progress)
        save_state(folder / LAST, state, progress)
        tell(Epoch(progress.epoch, loss, scores, better))


def one_epoch(
    step: Callable[..., Any], state: TrainState, learned: Examples, options: TrainOptions, epoch: int
) -> tuple[TrainState, float]:
    """Every example once, in another order each epoch and changed a little. The last batch is filled up from the first."""
    rng = np.random.default_rng([options.seed, epoch])
    order = rng.permutation(len(learned.names))
    batch = min(options.batch, len(order))
    order = np.concatenate([order, order[: -len(order) % batch]])
    losses = []
    for chosen in order.reshape(-1, batch):
        part = augmented(subset(learned, chosen), rng)
        state, loss = step(state, part.given, jnp.asarray(part.labels, jnp.float32))
        losses.append(loss)
    return state, float(jnp.stack(losses).mean())


def predicted(judge: Callable[..., Any], params: Any, examples: Examples) -> Float[np.ndarray, "n 34"]:
    """Logits of all examples."""
    found = []
    for at in range(0, len(examples.names), CHUNK):
        index = np.minimum(np.arange(at, at + CHUNK), len(examples.names) - 1)  # always the same shape: compiles once
        found.append(np.asarray(judge(params, subset(examples, index).given)))
    return np.concatenate(found)[: len(examples.names)]


class Trained(NamedTuple):
    """A trained network."""

    config: ContactNetConfig
    params: Any
    epoch: int


def load_trained(folder: Path, first: ContactInput) -> Trained:
    """The best state of a training. `first`: any example, for shapes. Raises SampleError where there is none."""
    config, options = load_config(folder)
    like = init_state(config, first, options.rate, jax.random.key(0))
    found = load_state(folder / BEST, like)
    if found is None:
        raise SampleError(folder, "holds no trained network: no epoch of its training ended")
    return Trained(config, found[0].params, found[1].epoch)


def judged(trained: Trained, examples: Examples) -> Bool[np.ndarray, "n 34"]:
    """The parts that the network takes for touching."""
    judge = jax.jit(lambda params, given: logits(trained.config, params, given))
    return predicted(judge, trained.params, examples) > 0


def start_folder(folder: Path, config: ContactNetConfig, options: TrainOptions) -> None:
    """Writes the config; of a folder that has one, makes sure that it is the same but for the number of epochs."""
    if (folder / CONFIG_FILE).exists():
        found = load_config(folder)
        if (found[0], asdict(found[1]) | {"epochs": 0}) != (config, asdict(options) | {"epochs": 0}):
            raise SampleError(folder, "holds a training with other options; choose another folder, or remove this one")
    record = {"network": asdict(config), "training": asdict(options)}
    save_bytes(folder / CONFIG_FILE, json.dumps(record, indent=1).encode())


def load_config(folder: Path) -> tuple[ContactNetConfig, TrainOptions]:
    """What a training was asked for. Raises SampleError where there is none, or one of another version."""
    path = folder / CONFIG_FILE
    try:
        record = json.loads(path.read_text())
        network, training = record["network"], record["training"]
        levels = tuple(Level(**{**level, "widths": tuple(level["widths"])}) for level in network["levels"])
        lists = {
            field.name: tuple(network[field.name])
            for field in fields(ContactNetConfig)
            if isinstance(network[field.name], list)
        }
        return ContactNetConfig(**{**network, **lists, "levels": levels}), TrainOptions(**training)
    except FileNotFoundError:
        raise SampleError(folder, f"holds no {CONFIG_FILE}, so it is no training of a contact network") from None
    except (ValueError, KeyError, TypeError) as error:
        raise SampleError(path, f"cannot be understood ({error})") from error


def save_state(folder: Path, state: TrainState, progress: Progress) -> None:
    """Writes a checkpoint (Orbax) whole, then removes the one before it."""
    import orbax.checkpoint as ocp

    older = sorted(path for path in folder.glob("*") if path.name.isdigit())
    arrays = state._asdict() | {"key": jax.random.key_data(state.key)}
    path = folder.absolute() / f"{progress.epoch:06d}"
    with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
        args = ocp.args.Composite(
            arrays=ocp.args.StandardSave({str(k): leaf for k, leaf in enumerate(jax.tree.leaves(arrays))}),
            progress=ocp.args.JsonSave(progress._asdict()),
        )
        checkpointer.save(path, args=args, force=True)
    for past in older:
        if past.name != path.name:
            shutil.rmtree(past, ignore_errors=True)


def load_state(folder: Path, like: TrainState) -> tuple[TrainState, Progress] | None:
    """The newest checkpoint that can be read; None where there is none."""
    import orbax.checkpoint as ocp

    structure = like._asdict() | {"key": jax.random.key_data(like.key)}
    for path in sorted((path for path in folder.glob("*") if path.name.isdigit()), reverse=True):
        try:
            with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as checkpointer:
                wanted = ocp.args.Composite(arrays=ocp.args.StandardRestore(), progress=ocp.args.JsonRestore())
                found = checkpointer.restore(path.absolute(), args=wanted)
            leaves = [found["arrays"][str(k)] for k in range(len(found["arrays"]))]
            if [leaf.shape for leaf in leaves] != [leaf.shape for leaf in jax.tree.leaves(structure)]:
                continue
            arrays = jax.tree.unflatten(jax.tree.structure(structure), [jnp.asarray(leaf) for leaf in leaves])
            return TrainState(**arrays | {"key": jax.random.wrap_key_data(arrays["key"])}), Progress(
                **found["progress"]
            )
        except Exception:  # a damaged checkpoint raises anything; an older one, or the start, serves as well
            continue
    return None
