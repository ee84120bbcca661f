"""The learned contact model (Open3DHOI, appendix C.1): which of the 34 body parts touch, from image and point clouds.

    python experiments/contact_model.py train    --data=TREE --model=DIR [--inputs=both] [--object=start]
    python experiments/contact_model.py evaluate --data=TREE --model=DIR,DIR2,...
    python experiments/contact_model.py predict  --data=TREE --model=DIR --out=DIR
    python experiments/contact_model.py compare  --data=TREE --out=DIR [--rows=image,points,both,gaps] [--seeds=0,1,2]
    python experiments/contact_model.py features --data=TREE --features=DIR --tools=tools.json

train learns one network, compare a whole table of them beside what needs no network. Which samples are for training,
validation and test is decided by a hash of their names (--split_by=category keeps whole categories together, so that the
test is of objects never seen). A training that is stopped goes on where it was. --object=start shows the network the
coarse start instead of the annotated object. With --feature=512 the picture is a CLIP feature, NAME/clip.npy under
--features, where the command of that name puts it; otherwise a small network looks at the photograph and its masks.
docs/contact_model.md tells more.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import wrapper_flags
from absl import app, flags, logging
from tqdm import tqdm

from hoijax.body.parts import PART_NAMES
from hoijax.data.atomic import save_bytes
from hoijax.data.layout import find_samples, required_file
from hoijax.data.sample import SampleError
from hoijax.metrics.labels import label_scores
from hoijax.tasks.contact import table
from hoijax.tasks.contact.data import SPLITS, ExampleOptions, Examples, split_of, subset
from hoijax.tasks.contact.net import ContactNetConfig
from hoijax.tasks.contact.store import load_examples
from hoijax.tasks.contact.training import (
    DataRecord,
    Record,
    TrainOptions,
    load_record,
    load_trained,
    probabilities,
    train,
)
from hoijax.tasks.training import Epoch

ROWS = ("image", "points", "both", "gaps")  # what a network sees

_DATA = flags.DEFINE_string("data", None, "The tree of samples; labels in contact_label/human_part.json.")
_MODEL = flags.DEFINE_list("model", None, "Folder of the trained network; evaluate compares several.")
_OUT = flags.DEFINE_string("out", None, "predict, compare: the folder to write.")
_CACHE = flags.DEFINE_string("cache", None, "Where examples are kept between runs (beside the model, or in --out).")
_FEATURES = flags.DEFINE_string(
    "features", None, "Folder of CLIP features (NAME/clip.npy); the samples' own if not set."
)
_INPUTS = flags.DEFINE_enum("inputs", "both", ROWS, "train: what the network sees.")
_FEATURE = flags.DEFINE_integer(
    "feature", 0, "train, compare: length of the CLIP feature; 0: the photograph.", lower_bound=0
)
_OBJECT = flags.DEFINE_enum("object", "truth", ["truth", "start"], "train: the annotated object, or the coarse start.")
_SPLIT_BY = flags.DEFINE_enum("split_by", "sample", ["sample", "category"], "What stays together in one split.")
_SPLIT = flags.DEFINE_enum("split", "test", [*SPLITS, "all"], "evaluate: the samples to judge.")
_POINTS = flags.DEFINE_integer("points", ExampleOptions.points, "Points on each of human and object.", lower_bound=64)
_EPOCHS = flags.DEFINE_integer("epochs", TrainOptions.epochs, "train, compare: at most so many.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch", TrainOptions.batch, "train, compare: examples a step.", lower_bound=1)
_RATE = flags.DEFINE_float("rate", TrainOptions.rate, "train, compare: learning rate.", lower_bound=0.0)
_PATIENCE = flags.DEFINE_integer(
    "patience", TrainOptions.patience, "train, compare: epochs without a better F1.", lower_bound=1
)
_SEED = flags.DEFINE_integer("seed", 0, "train: start, order and changes of the examples.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "compare: a training each.")
_ROWS = flags.DEFINE_list("rows", list(ROWS), f"compare: the networks, of {', '.join(ROWS)}.")
_OBJECTS = flags.DEFINE_list("objects", ["truth", "start"], "compare: which objects the clouds are of.")


def needed(flag: flags.FlagHolder) -> str:
    """The flag's value. Exits with a sentence where it is not set."""
    if not flag.value:
        sys.exit(f"--{flag.name} is needed")
    return flag.value


def the_model() -> Path:
    """The one folder of --model. Exits with a sentence where there are several."""
    folders = needed(_MODEL)
    if len(folders) > 1:
        sys.exit(f"--model={','.join(folders)}: expected one folder; several are for evaluate")
    return Path(folders[0])


def samples() -> dict[str, Path]:
    """The tree's samples by name."""
    tree = Path(needed(_DATA))
    named = {folder.relative_to(tree).as_posix(): folder for folder in find_samples(tree)}
    if not named:
        sys.exit(f"{tree}: holds no sample")
    return named


def read(options: ExampleOptions, cache: Path, split: Callable[[str], bool], labelled: bool = True) -> Examples:
    """The samples of a split. Exits with a sentence where there are none."""
    chosen = {name: folder for name, folder in samples().items() if split(name)}
    missed: list[str] = []
    if not chosen:
        sys.exit(f"{_DATA.value}: none of its samples belongs to this split")
    try:
        found = load_examples(
            chosen,
            options,
            Path(_CACHE.value) if _CACHE.value else cache,
            lambda name, why: missed.append(why),
            Path(_FEATURES.value) if _FEATURES.value else None,
            labelled,
            lambda names: iter(tqdm(names, "reading", unit="sample", leave=False)),
        )
    except ValueError as error:
        sys.exit(f"{_DATA.value}: {error}; the first: {missed[0] if missed else ''}")
    if missed:
        print(f"{len(missed)} of {len(chosen)} samples left out:", *missed, sep="\n  ", file=sys.stderr)
    return found


def belongs(name: str, split_by: str) -> str:
    """The split of one of the tree's samples, the same whichever folder above it --data names."""
    return split_of(str(Path(needed(_DATA)).absolute() / name), split_by)


def part_of(examples: Examples, split: str, split_by: str) -> Examples:
    """One split of the examples. Exits with a sentence where it is empty."""
    found = subset(examples, np.array([belongs(name, split_by) == split for name in examples.names]))
    if not found.names:
        sys.exit(f"{_DATA.value}: of its {len(examples.names)} samples none is for {split}")
    return found


def train_model() -> None:
    """Trains one network."""
    config = ContactNetConfig(inputs=_INPUTS.value, feature=_FEATURE.value)
    record = Record(config, train_options(_SEED.value), DataRecord(_OBJECT.value, _POINTS.value, _SPLIT_BY.value))
    folder = the_model()
    examples = ExampleOptions(record.data.object, record.data.points, config.feature)
    every = read(examples, folder.parent / "examples", lambda name: belongs(name, _SPLIT_BY.value) != "test")
    learn(record, every, folder)


def train_options(seed: int) -> TrainOptions:
    return TrainOptions(epochs=_EPOCHS.value, batch=_BATCH.value, patience=_PATIENCE.value, seed=seed, rate=_RATE.value)


def learn(record: Record, every: Examples, folder: Path) -> None:
    """Trains, and shows each epoch."""
    learned, validation = (part_of(every, split, record.data.split_by) for split in ("train", "validation"))
    print(f"{len(learned.names)} samples to train on, {len(validation.names)} to validate; {jax.devices()[0].platform}")
    last = time.perf_counter()
    with tqdm(total=record.training.epochs, unit="epoch", desc=folder.name) as bar:

        def tell(epoch: Epoch) -> None:
            nonlocal last
            now = time.perf_counter()
            seconds, last = now - last, now
            bar.update(epoch.epoch - bar.n)
            mark = " *" if epoch.best else ""
            bar.write(
                f"epoch {epoch.epoch:3d}  loss {epoch.loss:.3f}  F1 {epoch.score:.3f}  {seconds:.1f} s{mark}",
                file=sys.stdout,
            )
            sys.stdout.flush()

        train(record.network, record.training, learned, validation, folder, tell, record.data)


def evaluate_models() -> None:
    """One row for each network, on the samples that its own split sets apart."""
    rows = []
    for folder in map(Path, needed(_MODEL)):
        network, _, data = load_record(folder)
        options = ExampleOptions(data.object, data.points, network.feature)
        every = read(options, folder.parent / "examples", lambda name: True)
        examples = every if _SPLIT.value == "all" else part_of(every, _SPLIT.value, data.split_by)
        found = probabilities(load_trained(folder, examples), examples) > 0.5
        thing = "" if network.inputs == "image" else data.object
        rows.append(table.Row(folder.name, thing, (label_scores(found, examples.labels),)))
    print(table.table_text(rows))
    if _OUT.value:
        save_table(rows, [], Path(_OUT.value))


def compare_models() -> None:
    """Trains what is not trained yet; then the table."""
    out, by = Path(needed(_OUT)), _SPLIT_BY.value
    for flag, known in ((_OBJECTS, ("truth", "start")), (_ROWS, ROWS)):
        if not flag.value or set(flag.value) - set(known):
            sys.exit(f"--{flag.name}={','.join(flag.value)}: expected some of {', '.join(known)}")
    for chosen in (_OBJECTS, _ROWS, _SEEDS):
        if len(set(chosen.value)) < len(chosen.value):
            sys.exit(f"--{chosen.name}={','.join(chosen.value)}: names one twice")
    if not _SEEDS.value or not all(seed.isdecimal() for seed in _SEEDS.value):
        sys.exit(f"--seeds={','.join(_SEEDS.value)}: expected whole numbers")
    rows: dict[tuple[str, str], table.Row] = {}
    for thing, seed in itertools.product(_OBJECTS.value, map(int, _SEEDS.value)):
        every = read(ExampleOptions(thing, _POINTS.value, _FEATURE.value), out / "examples", lambda name: True)
        test = part_of(every, "test", by)
        for row in table.plain_rows(part_of(every, "train", by), test, thing):
            rows.setdefault((row.name, row.object), row)
        for name in _ROWS.value:
            seen = "" if name == "image" else thing  # a network that sees no points is the same for both objects
            folder = out / f"{name}{'_' if seen else ''}{seen}_{by}_{seed}"
            config = ContactNetConfig(name, _FEATURE.value)
            before = rows.get((name, seen), table.Row(name, seen, ()))
            if not seen and thing != _OBJECTS.value[0]:
                continue
            learn(Record(config, train_options(seed), DataRecord(seen or "truth", _POINTS.value, by)), every, folder)
            found = probabilities(load_trained(folder, test), test) > 0.5
            scores = label_scores(found, test.labels)
            rows[name, seen] = before._replace(scores=(*before.scores, scores))
            print(f"{folder.name}: F1 {scores.f1:.3f} on {len(test.names)} samples of the test split", flush=True)
    ordered = list(rows.values())
    counts = [f"{len(part_of(every, split, by).names)} {split}" for split in SPLITS]
    footer = [f"Split by {by}: {', '.join(counts)}. Mean ± standard error over {len(_SEEDS.value)} seeds."]
    print(table.table_text(ordered) + "\n\n" + footer[0])
    save_table(ordered, footer, out)


def save_table(rows: list[table.Row], footer: list[str], out: Path) -> None:
    """The table as Markdown, LaTeX and CSV."""
    files = {
        "table.md": table.table_markdown(rows, footer),
        "table.tex": table.table_latex(rows, footer),
        "table.csv": table.table_csv(rows),
    }
    for name, text in files.items():
        save_bytes(out / name, text.encode())


def predict_model() -> None:
    """Of every sample, with labels or without: how likely each part touches, and a label file in the data's layout."""
    out, folder = Path(needed(_OUT)), the_model()
    if any((out / name).resolve() == place.resolve() for name, place in samples().items()):
        sys.exit(f"--out={out}: the data's own folder, whose labels would be overwritten; choose another")
    network, _, data = load_record(folder)
    options = ExampleOptions(data.object, data.points, network.feature)
    examples = read(options, folder.parent / "examples", lambda name: True, labelled=False)
    found = probabilities(load_trained(folder, examples), examples)
    for name, row in zip(examples.names, found):
        likely = {part: round(float(value), 4) for part, value in zip(PART_NAMES, row)}
        parts = [part for part, value in likely.items() if value > 0.5]
        save_bytes(out / name / "contact_label" / "human_part.json", json.dumps(parts, indent=1).encode())
        save_bytes(out / name / "contact_label" / "probability.json", json.dumps(likely, indent=1).encode())
    print(f"{len(found)} samples: {out}")


def make_features() -> None:
    """CLIP features of every photograph that has none yet, by CLIP's own python."""
    from third_party_wrappers.contract import run
    from third_party_wrappers.declare import Job, Outcome, Tool
    from third_party_wrappers.registry import wrappers

    out = Path(needed(_FEATURES))
    jobs, failed = [], []
    for name, folder in samples().items():
        try:
            jobs.append(Job({"image": required_file(folder, "image")}, out / name))
        except SampleError as error:
            failed.append(str(error))
    with tqdm(total=len(jobs), unit="image") as bar:

        def tell(outcome: Outcome) -> None:
            bar.update()
            if outcome.error is not None:
                failed.append(f"{outcome.job.out}: {outcome.error}")

        outcomes = run(wrappers()["clip"], wrapper_flags.tools().get("clip", Tool()), jobs, progress=tell)
    states = [outcome.state for outcome in outcomes]
    print(f"{states.count('done')} features made, {states.count('cached')} there already, {len(failed)} failed: {out}")
    if failed:
        sys.exit("\n".join(failed))


def main(arguments: list[str]) -> None:
    """One of the commands."""
    logging.set_verbosity(logging.WARNING)  # of Orbax, which tells every file
    commands = {
        "train": train_model,
        "evaluate": evaluate_models,
        "compare": compare_models,
        "predict": predict_model,
        "features": make_features,
    }
    if len(arguments) != 2 or arguments[1] not in commands:
        sys.exit(f"usage: {arguments[0]} {'|'.join(commands)} --data=TREE ... (--help tells the flags)")
    try:
        commands[arguments[1]]()
    except SampleError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    app.run(main)
