"""Training of the contact network: its step, its validation, its options on the disk."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from hoijax.data.sample import SampleError
from hoijax.metrics.labels import label_scores
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
from hoijax.tasks.training import CONFIG_FILE, Epoch, LoopOptions, load_best, load_options, run_epochs, start_folder

CHUNK = 32  # examples judged at once


@dataclass(frozen=True)
class TrainOptions(LoopOptions):
    """How to train: AdamW's learning rate beside the loop's options; the score is the validation's F1."""

    rate: float = 1e-3


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
    start_folder(folder, {"network": asdict(config), "training": asdict(options)})
    first = ContactInput(*(field[0] for field in learned.given))
    update = train_step(config, options.rate)
    judge = jax.jit(lambda params, given: logits(config, params, given))

    def step(state: TrainState, chosen: np.ndarray, rng: np.random.Generator) -> tuple[TrainState, Float[Array, ""]]:
        part = augmented(subset(learned, chosen), rng)
        return update(state, part.given, jnp.asarray(part.labels, jnp.float32))

    def score(state: TrainState) -> float:
        return label_scores(predicted(judge, state.params, validation) > 0, validation.labels).f1

    state = init_state(config, first, options.rate, jax.random.key(options.seed))
    run_epochs(state, step, score, len(learned.names), options, folder, tell)


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
    state, progress = load_best(folder, init_state(config, first, options.rate, jax.random.key(0)))
    return Trained(config, state.params, progress.epoch)


def judged(trained: Trained, examples: Examples) -> Bool[np.ndarray, "n 34"]:
    """The parts that the network takes for touching."""
    judge = jax.jit(lambda params, given: logits(trained.config, params, given))
    return predicted(judge, trained.params, examples) > 0


def load_config(folder: Path) -> tuple[ContactNetConfig, TrainOptions]:
    """What a training was asked for. Raises SampleError where there is none, or one of another version."""
    record = load_options(folder)
    try:
        network, training = record["network"], record["training"]
        levels = tuple(Level(**{**level, "widths": tuple(level["widths"])}) for level in network["levels"])
        lists = {
            field.name: tuple(network[field.name])
            for field in fields(ContactNetConfig)
            if isinstance(network[field.name], list)
        }
        return ContactNetConfig(**{**network, **lists, "levels": levels}), TrainOptions(**training)
    except (KeyError, TypeError) as error:
        raise SampleError(folder / CONFIG_FILE, f"cannot be understood ({error})") from error
