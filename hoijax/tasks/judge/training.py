"""Training of the judge: early stopping on held-out likelihood, then calibration; the folder that holds it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError
from hoijax.tasks.encoders import Level
from hoijax.tasks.judge.calibration import Calibration, fit_calibration, probabilities
from hoijax.tasks.judge.data import PICTURE, SCALARS, SCHEMA, Examples, JudgeInput, augmented, subset
from hoijax.tasks.judge.net import JudgeNetConfig, JudgeState, init_state, known_loss, logits, train_step
from hoijax.tasks.training import Epoch, LoopOptions, load_best, load_options, run_epochs, start_folder

CALIBRATION_FILE = "calibration.json"
CHUNK = 32  # examples judged at once


@dataclass(frozen=True)
class TrainOptions(LoopOptions):
    """How to train, beside the loop's options; the score is the validation's likelihood. `points`: on human and object."""

    batch: int = 32
    rate: float = 2e-3
    points: int = 256


class Judge(NamedTuple):
    """A trained judge. `identity`: of its numbers, short; `learned`: the annotators whose decisions it learned from."""

    config: JudgeNetConfig
    options: TrainOptions
    state: JudgeState
    calibration: Calibration
    epoch: int
    identity: str
    learned: tuple[str, ...]


def train(
    config: JudgeNetConfig,
    options: TrainOptions,
    learned: Examples,
    validation: Examples,
    annotators: Sequence[str],
    folder: Path,
    tell: Callable[[Epoch], None] = lambda epoch: None,
) -> Judge:
    """Trains until the epochs are over or patience is, then calibrates on `validation`; `folder` holds all of it.

    A training that was stopped goes on after its last whole epoch, to the same numbers as one that was not.
    Raises: SampleError where `folder` holds a training with another config, other options or of other examples: one that
    has ended would learn nothing from these, and say that it had.
    """
    examples = {
        "annotators": sorted(annotators),
        "learned": digest_of(learned),
        "validation": digest_of(validation),
    }
    training = {**asdict(options), "inputs": SCHEMA}
    start_folder(folder, {"network": asdict(config), "training": training, "examples": examples})
    state = init_state(config, learned.given, options.rate, jax.random.key(options.seed))
    compiled = train_step(config, options.rate)

    def step(state: JudgeState, chosen: np.ndarray, rng: np.random.Generator) -> tuple[JudgeState, Any]:
        part = subset(learned, chosen)
        return compiled(state, augmented(part.given, rng), jnp.asarray(part.labels, jnp.float32))

    def score(state: JudgeState) -> float:
        found = jnp.asarray(all_logits(config, state, validation.given))
        return -float(known_loss(found, jnp.asarray(validation.labels, jnp.float32)))

    run_epochs(state, step, score, len(learned.names), options, folder, tell)
    best, _ = load_best(folder, state)
    calibration = fit_calibration(all_logits(config, best, validation.given), validation.labels)
    record = {**calibration._asdict(), "annotators": sorted(annotators)}
    save_bytes(folder / CALIBRATION_FILE, json.dumps(record, indent=1).encode())
    return load_judge(folder)


def load_judge(folder: Path) -> Judge:
    """The best state of a training, calibrated. Raises SampleError where there is none, or one of another version."""
    record = load_options(folder)
    path = folder / CALIBRATION_FILE
    try:
        network, training = dict(record["network"]), dict(record["training"])
        schema = training.pop("inputs")
        levels = tuple(Level(**{**level, "widths": tuple(level["widths"])}) for level in network["levels"])
        lists = {name: tuple(value) for name, value in network.items() if isinstance(value, list)}
        config, options = JudgeNetConfig(**{**network, **lists, "levels": levels}), TrainOptions(**training)
    except (KeyError, TypeError, ValueError) as error:
        raise SampleError(folder, f"is no training of a judge that can be understood ({error!r})") from error
    if schema != SCHEMA:
        raise SampleError(folder, f"learned from inputs of version {schema}, expected {SCHEMA}: train it again")
    state, progress = load_best(
        folder, init_state(config, empty_input(options.points), options.rate, jax.random.key(0))
    )
    try:
        found = json.loads(path.read_text())
        calibration = Calibration(
            (float(found["temperature"][0]), float(found["temperature"][1])),
            (float(found["bias"][0]), float(found["bias"][1])),
        )
        annotators = tuple(str(who) for who in found["annotators"])
    except FileNotFoundError:
        raise SampleError(folder, f"holds no {CALIBRATION_FILE}: its training has not ended; train again") from None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise SampleError(path, f"cannot be understood ({error!r})") from error
    return Judge(config, options, state, calibration, progress.epoch, identity(state, calibration), annotators)


def digest_of(examples: Examples) -> str:
    """Twelve letters that tell these examples, what is seen of them and what was decided, from others."""
    digest = hashlib.sha256(json.dumps([examples.names, examples.labels.tolist()]).encode())
    for field in examples.given:
        digest.update(np.asarray(field).tobytes())
    return digest.hexdigest()[:12]


def empty_input(points: int) -> JudgeInput:
    """One example of nothing, for shapes."""
    cloud = np.zeros((1, points, 3), np.float32)
    picture = np.zeros((1, PICTURE, PICTURE, 7), np.float32)
    return JudgeInput(picture, cloud, cloud, np.zeros((1, len(SCALARS)), np.float32))


def identity(state: JudgeState, calibration: Calibration) -> str:
    """Twelve letters that tell one judge from another: a hash of all that its probabilities follow from."""
    digest = hashlib.sha256(json.dumps(calibration).encode())
    for leaf in jax.tree.leaves((state.params, state.center, state.spread)):
        digest.update(np.asarray(leaf).tobytes())
    return digest.hexdigest()[:12]


def judged(judge: Judge, given: JudgeInput) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"]]:
    """Calibrated probabilities of human and object to be good, and the bare logits."""
    found = all_logits(judge.config, judge.state, given)
    return probabilities(judge.calibration, found), found


compiled_logits = jax.jit(logits, static_argnums=0)


def all_logits(config: JudgeNetConfig, state: JudgeState, given: JudgeInput) -> Float[np.ndarray, "n 2"]:
    """Logits of all examples, `CHUNK` at a time: always the same shape, so it compiles once, however often it is called."""
    count, found = len(given.scalars), []
    for at in range(0, count, CHUNK):
        index = np.minimum(np.arange(at, at + CHUNK), count - 1)
        found.append(
            np.asarray(compiled_logits(config, state, JudgeInput(*(np.asarray(field)[index] for field in given))))
        )
    return np.concatenate(found)[:count].astype(np.float64)
