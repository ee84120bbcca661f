"""Training of the contact network: its step, its validation, its options on the disk."""

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hoijax.data.sample import SampleError
from hoijax.metrics.labels import label_scores
from hoijax.tasks.contact.data import ExampleOptions, Examples, augmented, subset, with_groups
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

    epochs: int = 60
    batch: int = 8
    patience: int = 20
    rate: float = 1e-3


class DataRecord(NamedTuple):
    """What a network was trained on: which object and how many points, and what stays together in one split."""

    object: str = ExampleOptions.object
    points: int = ExampleOptions.points
    split_by: str = "sample"
    examples: str = ""  # a digest of those that it learned from and was validated on; `train` fills it in


def one_of(examples: Examples) -> ContactInput:
    """The first example alone, for shapes."""
    return jax.tree.map(lambda field: field[0], examples.given)


def digest_of(config: ContactNetConfig, *splits: Examples) -> str:
    """Changes with the examples: their names, their labels, and what the network sees of them."""
    digest = hashlib.sha256()
    for examples in splits:
        seen: list[Any] = [examples.labels]
        seen += [examples.given.image] if config.inputs != "points" else []
        seen += [examples.given.human, examples.given.object] if config.inputs != "image" else []
        seen += [examples.gaps] if config.inputs == "gaps" else []
        digest.update(json.dumps(examples.names).encode())
        for values in map(np.ascontiguousarray, seen):
            digest.update(f"{values.dtype} {values.shape}".encode() + values.tobytes())
    return digest.hexdigest()[:16]


def train(
    config: ContactNetConfig,
    options: TrainOptions,
    learned: Examples,
    validation: Examples,
    folder: Path,
    tell: Callable[[Epoch], None],
    data: DataRecord | None = None,
) -> None:
    """Trains until the epochs are over or patience is; `folder` holds the best and the last state, and the config.

    `data`: what the examples were made of, which stands in the folder beside the config.
    A training that was stopped goes on after its last whole epoch, to the same numbers as one that was not.
    Raises: SampleError where `folder` holds a training with another config, other options or other examples.
    """
    record = (data or DataRecord())._replace(examples=digest_of(config, learned, validation))
    start_folder(folder, {"network": asdict(config), "training": asdict(options), "data": record._asdict()})
    learned, validation = with_groups(learned, config), with_groups(validation, config)
    update = _compiled_step(config, options.rate)
    judge = _compiled_logits(config)

    def step(state: TrainState, chosen: np.ndarray, rng: np.random.Generator) -> tuple[TrainState, Float[Array, ""]]:
        part = augmented(subset(learned, chosen), rng)
        return update(state, part.given, jnp.asarray(part.labels, jnp.float32))

    def score(state: TrainState) -> float:
        return label_scores(predicted(judge, state.params, validation) > 0, validation.labels).f1

    state = init_state(config, one_of(learned), options.rate, jax.random.key(options.seed))
    run_epochs(state, step, score, len(learned.names), options, folder, tell)


@functools.cache
def _compiled_step(config: ContactNetConfig, rate: float) -> Callable[..., tuple[TrainState, Float[Array, ""]]]:
    return train_step(config, rate)  # one for all seeds of a comparison, which would each compile it again


@functools.cache
def _compiled_logits(config: ContactNetConfig) -> Callable[..., Float[Array, "b 34"]]:
    return jax.jit(lambda params, given: logits(config, params, given))


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


class Record(NamedTuple):
    """What a training was asked for."""

    network: ContactNetConfig
    training: TrainOptions
    data: DataRecord


def load_trained(folder: Path, examples: Examples) -> Trained:
    """The best state of a training. `examples` give shapes. Raises SampleError where there is none."""
    config, options, _ = load_record(folder)
    like = init_state(config, one_of(with_groups(subset(examples, [0]), config, 1)), options.rate, jax.random.key(0))
    state, progress = load_best(folder, like)
    return Trained(config, state.params, progress.epoch)


def probabilities(trained: Trained, examples: Examples) -> Float[np.ndarray, "n 34"]:
    """How likely each part touches, by the network; not calibrated. Above 0.5 it counts as touching."""
    found = predicted(_compiled_logits(trained.config), trained.params, with_groups(examples, trained.config))
    return np.asarray(jax.nn.sigmoid(found))


def load_record(folder: Path) -> Record:
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
        config = ContactNetConfig(**{**network, **lists, "levels": levels})
        return Record(config, TrainOptions(**training), DataRecord(**record["data"]))
    except (KeyError, TypeError) as error:
        raise SampleError(folder / CONFIG_FILE, f"cannot be understood ({error})") from error
