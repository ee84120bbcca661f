"""The learned contact model (Open3DHOI, appendix C.1): which of the 34 body parts touch, from image and point clouds.

    python experiments/contact_model.py train    --data=TREE --model=DIR [--inputs=both]
    python experiments/contact_model.py evaluate --data=TREE --model=DIR,DIR2,...
    python experiments/contact_model.py predict  --data=TREE --model=DIR --out=FILE.json

Which samples are for training, validation and test is decided by a hash of their names (--split_by=category keeps whole
categories together, so that the test is of objects never seen). A training that is stopped goes on where it was. With
--feature=512 the picture is a CLIP feature, clip.npy in the sample folder (third_party_wrappers/clip makes it); otherwise
a small network looks at the photograph and its masks.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from absl import app, flags
from tqdm import tqdm

from hoijax.body.parts import PART_NAMES
from hoijax.data.atomic import save_bytes
from hoijax.data.layout import find_samples
from hoijax.data.sample import SampleError
from hoijax.metrics.labels import LabelScores, label_scores
from hoijax.report.tables import aligned, markdown
from hoijax.tasks.contact.data import Examples, load_examples, split_of, subset
from hoijax.tasks.contact.net import ContactInput, ContactNetConfig
from hoijax.tasks.contact.training import TrainOptions, judged, load_config, load_trained, train
from hoijax.tasks.training import Epoch

_DATA = flags.DEFINE_string(
    "data", None, "The tree of samples; labels in contact_label/human_part.json.", required=True
)
_MODEL = flags.DEFINE_list("model", None, "Folder of the trained network; evaluate compares several.", required=True)
_OUT = flags.DEFINE_string("out", None, "predict: the file to write.")
_INPUTS = flags.DEFINE_enum("inputs", "both", ["image", "points", "both"], "train: what the network sees.")
_FEATURE = flags.DEFINE_integer(
    "feature", 0, "train: length of the CLIP feature clip.npy; 0: the photograph.", lower_bound=0
)
_SPLIT_BY = flags.DEFINE_enum("split_by", "sample", ["sample", "category"], "What stays together in one split.")
_SPLIT = flags.DEFINE_enum("split", "test", ["train", "validation", "test", "all"], "evaluate: the samples to judge.")
_POINTS = flags.DEFINE_integer("points", 512, "Points on each of human and object.", lower_bound=128)
_EPOCHS = flags.DEFINE_integer("epochs", TrainOptions().epochs, "train: at most so many.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch", TrainOptions().batch, "train: examples a step.", lower_bound=1)
_RATE = flags.DEFINE_float("rate", TrainOptions().rate, "train: learning rate.", lower_bound=0)
_PATIENCE = flags.DEFINE_integer(
    "patience", TrainOptions().patience, "train: epochs without a better F1.", lower_bound=1
)
_SEED = flags.DEFINE_integer("seed", 0, "train: start, order and changes of the examples.")


def read(feature: int, split: Callable[[str], bool]) -> Examples:
    """The samples of a split. Exits with a sentence where there are none."""
    tree = Path(_DATA.value)
    named = {folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)}
    chosen = {name: folder for name, folder in named.items() if split(name)}
    missed: list[str] = []
    if not chosen:
        sys.exit(f"{tree}: of its {len(named)} samples none belongs to this split")
    try:
        found = load_examples(
            list(chosen.values()),
            list(chosen),
            _POINTS.value,
            feature,
            lambda name, why: missed.append(why),
            lambda folders: tqdm(folders, "reading", unit="sample", leave=False),
        )
    except ValueError as error:
        sys.exit(f"{tree}: {error}; the first: {missed[0] if missed else ''}")
    if missed:
        print(f"{len(missed)} of {len(chosen)} samples left out; the first: {missed[0]}", file=sys.stderr)
    return found


def train_model() -> None:
    """Trains one network and shows each epoch."""
    config = ContactNetConfig(inputs=_INPUTS.value, feature=_FEATURE.value)
    options = TrainOptions(_EPOCHS.value, _BATCH.value, _PATIENCE.value, _SEED.value, _RATE.value)
    every = read(config.feature, lambda name: split_of(name, _SPLIT_BY.value) != "test")
    part = np.array([split_of(name, _SPLIT_BY.value) for name in every.names])
    learned, validation = (subset(every, part == split) for split in ("train", "validation"))
    if not (learned.names and validation.names):
        sys.exit(
            f"{_DATA.value}: {len(learned.names)} samples to train and {len(validation.names)} to validate on; expected some"
        )
    print(f"{len(learned.names)} samples to train on, {len(validation.names)} to validate; {jax.devices()[0].platform}")
    last = time.perf_counter()
    with tqdm(total=options.epochs, unit="epoch") as bar:

        def tell(epoch: Epoch) -> None:
            nonlocal last
            now = time.perf_counter()
            seconds, last = now - last, now
            bar.update(epoch.epoch - bar.n)
            mark = " *" if epoch.best else ""
            tqdm.write(f"epoch {epoch.epoch:3d}  loss {epoch.loss:.3f}  F1 {epoch.score:.3f}  {seconds:.1f} s{mark}")

        train(config, options, learned, validation, Path(_MODEL.value[0]), tell)


def evaluate_models() -> None:
    """One row for each network, and for saying of every part what is most common."""
    rows: list[list[str]] = []
    heads = ["model", "inputs", "n", "F1 ↑", "Hamming ↓", "Jaccard ↑"]
    for folder in map(Path, _MODEL.value):
        feature = load_config(folder)[0].feature
        examples = read(feature, lambda name: _SPLIT.value in ("all", split_of(name, _SPLIT_BY.value)))
        trained = load_trained(folder, first_of(examples))
        scores = label_scores(judged(trained, examples), examples.labels)
        rows.append([folder.name, trained.config.inputs, str(len(examples.names)), *told(scores)])
    constant = read(0, lambda name: split_of(name, _SPLIT_BY.value) == "train").labels.mean(0) > 0.5
    scores = label_scores(np.broadcast_to(constant, examples.labels.shape), examples.labels)
    rows.append(["the same for all", "–", str(len(examples.names)), *told(scores)])
    print(aligned(heads, rows))
    if _OUT.value:
        save_bytes(_OUT.value, markdown(heads, rows).encode())


def predict_model() -> None:
    """The parts of every sample, as JSON."""
    if not _OUT.value:
        sys.exit("predict: --out=FILE.json is needed")
    folder = Path(_MODEL.value[0])
    examples = read(load_config(folder)[0].feature, lambda name: True)
    found = judged(load_trained(folder, first_of(examples)), examples)
    parts = {name: [PART_NAMES[k] for k in np.flatnonzero(row)] for name, row in zip(examples.names, found)}
    save_bytes(_OUT.value, json.dumps(parts, indent=1).encode())
    print(f"{len(parts)} samples: {_OUT.value}")


def first_of(examples: Examples) -> ContactInput:
    return ContactInput(*(field[0] for field in examples.given))


def told(scores: LabelScores) -> list[str]:
    return [f"{value:.3f}" for value in scores]


def main(arguments: list[str]) -> None:
    """train, evaluate or predict."""
    commands = {"train": train_model, "evaluate": evaluate_models, "predict": predict_model}
    if len(arguments) != 2 or arguments[1] not in commands:
        sys.exit(f"usage: {arguments[0]} {'|'.join(commands)} --data=TREE --model=DIR (--help tells the flags)")
    try:
        commands[arguments[1]]()
    except SampleError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    app.run(main)
