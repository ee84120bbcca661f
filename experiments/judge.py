"""The judge: a network that learns from the filter's decisions which samples are likely to pass (Open3DHOI, B.2.4).

    python experiments/judge.py make-flawed --data=TREE --out=FLAWED          # scenes with known flaws, to try it
    python experiments/judge.py train       --data=FLAWED --model=DIR
    python experiments/judge.py evaluate    --data=FLAWED --model=DIR         # on the held-out split
    python experiments/judge.py sort        --data=TREE --model=DIR           # for the filter tool's work list

train and evaluate read what annotators decided (TREE/annotations.sqlite); a hash of the sample's name decides the split,
and copies of one scene share it. sort writes probabilities beside the store; start `annotate.py` after it. A training and a
sort that are stopped go on where they were. docs/judge.md tells the rest.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import jax
import numpy as np
from absl import app, flags, logging
from judge_decisions import ANNOTATOR, cache_folder, decide_all, find_decisions, kept_input, read_examples, source_of
from tqdm import tqdm

from hoijax.annotate.filter.state import SEES
from hoijax.annotate.items import Items, find_items, fingerprint
from hoijax.annotate.likely import Chance, Likely, likely_file, load_likely, save_likely
from hoijax.annotate.store import STORE
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError
from hoijax.data.synthetic.flawed import NOTE_FILE, copies, foreign, load_note, make_copy
from hoijax.tasks.contact.data import split_of
from hoijax.tasks.judge.calibration import both
from hoijax.tasks.judge.data import Examples, stacked, subset
from hoijax.tasks.judge.net import INPUTS, JudgeNetConfig
from hoijax.tasks.judge.training import Judge, TrainOptions, judged, load_judge, train
from hoijax.tasks.training import Epoch

T = TypeVar("T")
Around = Callable[[Sequence[T]], Iterable[T]]
SAVE_EVERY = 100  # items

_DATA = flags.DEFINE_string("data", None, "The tree of samples.", required=True)
_MODEL = flags.DEFINE_string("model", None, "Folder of the trained judge.")
_OUT = flags.DEFINE_string(
    "out", None, "make-flawed: the tree to write; evaluate: the folder, MODEL/evaluation if unset."
)
_STORE = flags.DEFINE_string("store", None, "Decisions; annotations.sqlite in the tree by default.")
_ANNOTATOR = flags.DEFINE_string("annotator", "", "train, evaluate: only what this annotator decided.")
_INPUTS = flags.DEFINE_list("inputs", list(INPUTS), f"train: what the network sees, of {', '.join(INPUTS)}.")
_FLAWS = flags.DEFINE_integer("flaws", 2, "make-flawed: flawed copies beside the good one.", 1, 99)
_NOISE = flags.DEFINE_float("noise", 0.0, "make-flawed: share of items about which the annotator errs.", 0, 1)
_SPLIT = flags.DEFINE_enum("split", "test", ["train", "validation", "test"], "evaluate: the samples to judge.")
_EPOCHS = flags.DEFINE_integer("epochs", TrainOptions().epochs, "train: at most so many.", lower_bound=1)
_PATIENCE = flags.DEFINE_integer("patience", TrainOptions().patience, "train: epochs without a likelier validation.", 1)
_BATCH = flags.DEFINE_integer("batch", TrainOptions().batch, "train: examples a step.", lower_bound=1)
_RATE = flags.DEFINE_float("rate", TrainOptions().rate, "train: learning rate.", lower_bound=0)
_POINTS = flags.DEFINE_integer("points", TrainOptions().points, "train: points on human and object.", lower_bound=64)
_SEED = flags.DEFINE_integer("seed", 0, "Start and order of the training; make-flawed: which flaws.", lower_bound=0)


def make_flawed() -> None:
    """A good copy and flawed ones of each scene, and decisions about them."""
    if not _OUT.value:
        sys.exit("make-flawed: --out=FLAWED is needed")
    out, jobs = Path(_OUT.value), copies(Path(_DATA.value), _FLAWS.value)
    out.mkdir(parents=True, exist_ok=True)
    real = next(foreign(out), None)
    if real is not None:
        sys.exit(
            f"{real}: is no copy that this program made; made-up decisions do not belong beside it, choose another --out"
        )
    trouble = []
    for job in tqdm(jobs, "copies", unit="copy"):
        try:
            note = make_copy(job, out, _SEED.value)
        except SampleError as error:
            trouble.append(str(error))
            continue
        if note.seed != _SEED.value:
            sys.exit(f"{out / job.name}: was made with --seed={note.seed}; choose another --out, or that seed")
    tell_left_out(trouble, "copies")
    store = Path(_STORE.value or out / STORE)
    count = decide_all(out, store, _NOISE.value, _SEED.value, bar("decisions"))
    print(f"{out}: {count} items decided now by {ANNOTATOR!r}, who is this program and no person; {store}")


def train_judge() -> None:
    """Trains, shows each epoch, calibrates."""
    folder = model_folder()
    unknown = [name for name in _INPUTS.value if name not in INPUTS]
    if unknown or not _INPUTS.value:
        sys.exit(f"--inputs={','.join(_INPUTS.value)}: expected some of {', '.join(INPUTS)}")
    config = JudgeNetConfig(inputs=tuple(_INPUTS.value))
    options = TrainOptions(
        epochs=_EPOCHS.value,
        batch=_BATCH.value,
        patience=_PATIENCE.value,
        seed=_SEED.value,
        rate=_RATE.value,
        points=_POINTS.value,
    )
    every, annotators = read(options.points, ("train", "validation"))
    learned, validation = (of_split(every, split) for split in ("train", "validation"))
    if not (learned.names and validation.names):
        sys.exit(
            f"{_DATA.value}: {len(learned.names)} to train on and {len(validation.names)} to validate; expected some"
        )
    print(f"{len(learned.names)} items to train on, {len(validation.names)} to validate; {jax.devices()[0].platform}")
    with tqdm(total=options.epochs, unit="epoch") as progress:

        def tell(epoch: Epoch) -> None:
            progress.update(epoch.epoch - progress.n)
            mark = " *" if epoch.best else ""
            tqdm.write(f"epoch {epoch.epoch:3d}  loss {epoch.loss:.3f}  log-likelihood {epoch.score:.3f}{mark}")

        judge = train(config, options, learned, validation, annotators, folder, tell)
    warm = ", ".join(f"{value:.2f}" for value in judge.calibration.temperature)
    print(f"{folder}: judge {judge.identity}, best after epoch {judge.epoch}, temperatures {warm}")


def evaluate_judge() -> None:
    """Tables, a reliability diagram, and what the order saves, on the held-out split."""
    from hoijax.tasks.judge.report import evaluation, reliability_figure, table_files  # draws: slow to import

    folder = model_folder()
    judge = load_judge(folder)
    every, annotators = read(judge.options.points, ("train", _SPLIT.value))
    learned, held = of_split(every, "train"), of_split(every, _SPLIT.value)
    if not held.names:
        sys.exit(f"{_DATA.value}: no decided item belongs to the split {_SPLIT.value}")
    if _SPLIT.value != "test":
        print(f"--split={_SPLIT.value}: the judge was made with these items, which flatters it", file=sys.stderr)
    if not learned.names:
        print(f"{_DATA.value}: nothing to learn from, so there is no model to compare with", file=sys.stderr)
    items = find_items(_DATA.value)
    notes = {name: load_note(items.folders[name]) for name in held.names if (items.folders[name] / NOTE_FILE).is_file()}
    flaws = {name: ("", "", "") if note.flaw is None else tuple(note.flaw) for name, note in notes.items()}
    found = evaluation(judge, learned, held, flaws)
    out = Path(_OUT.value) if _OUT.value else folder / "evaluation"
    for name, table in found.tables.items():
        for ending, text in table_files(table).items():
            if ending == ".txt":
                print(f"\n{table.title}\n{text}")
            else:
                save_bytes(out / f"{name}{ending}", text.encode())
    save_bytes(out / "reliability.png", reliability_figure(found.said, found.labels))
    print(f"\n{len(held.names)} items, decisions by {', '.join(annotators)}; judge {judge.identity}: {out}")


def sort_items() -> None:
    """Probabilities of every item, for the work list of the filter."""
    judge = load_judge(model_folder())
    items = find_items(_DATA.value)
    if ANNOTATOR in judge.learned and not all((folder / NOTE_FILE).is_file() for folder in items.folders.values()):
        print(
            f"{_MODEL.value}: learned from made-up decisions about made scenes; what it says of other items means nothing",
            file=sys.stderr,
        )
    file = likely_file(Path(_STORE.value or items.tree / STORE))
    found, cache = kept(file, judge, items), cache_folder(items, _STORE.value or "")
    left, trouble = [name for name in items.folders if name not in found], []
    for at in tqdm(range(0, len(left), SAVE_EVERY), "judging", unit=f" x{SAVE_EVERY} items"):
        given, entries = [], []
        for name in left[at : at + SAVE_EVERY]:
            try:
                version, one = kept_input(items, name, judge.options.points, cache)
            except (SampleError, ValueError) as error:
                trouble.append(f"{name}: {error}")
                continue
            given.append(one)
            entries.append((name, version))
        if given:
            said, _ = judged(judge, stacked(given))
            for (name, version), one, whole in zip(entries, said, both(said)):
                found[name] = Chance(version, float(one[0]), float(one[1]), float(whole))
        made = datetime.now(UTC).isoformat(timespec="seconds")
        save_likely(file, Likely(judge.identity, made, judge.learned, found))
    tell_left_out(trouble, "items")
    print(f"{file}: {len(found)} items ({len(left) - len(trouble)} of them judged now), judge {judge.identity}")
    print(f"python experiments/annotate.py --data={_DATA.value} --order=fine    # or doubtful; iou: as before")


def kept(file: Path, judge: Judge, items: Items) -> dict[str, Chance]:
    """What this very judge said before of files that are still the same."""
    try:
        before = load_likely(file)
    except SampleError as error:
        print(f"{error}; all items are judged anew", file=sys.stderr)
        before = None
    if before is None or before.model != judge.identity:
        return {}
    there = {name: chance for name, chance in before.items.items() if name in items.folders}
    return {name: c for name, c in there.items() if c.version == fingerprint(items.folders[name], SEES)}


def read(points: int, splits: Sequence[str]) -> tuple[Examples, list[str]]:
    """The decided items of these splits, and who decided. Exits with a sentence where there are none."""
    items = find_items(_DATA.value)
    decisions, stale = find_decisions(items, _STORE.value or "", _ANNOTATOR.value)
    if stale:
        print(f"decisions about {stale} items do not count: their files have changed or are gone", file=sys.stderr)
    chosen = [one for one in decisions if split_of(source_of(items, one.item)) in splits]
    if not chosen:
        sys.exit(
            f"{_DATA.value}: of {len(decisions)} decided items none belongs to {' or '.join(splits)}; filter some first"
        )
    trouble: list[str] = []
    cache = cache_folder(items, _STORE.value or "")
    try:
        found = read_examples(
            items, bar("reading")(chosen), points, cache, lambda name, why: trouble.append(f"{name}: {why}")
        )
    except ValueError as error:
        sys.exit(f"{_DATA.value}: {error}; the first: {trouble[0]}")
    tell_left_out(trouble, "items")
    return found, sorted({one.annotator for one in chosen})


def of_split(examples: Examples, split: str) -> Examples:
    """The examples that belong there."""
    return subset(examples, np.array([split_of(source) == split for source in examples.sources]))


def bar(title: str) -> Around:
    """A progress bar around a list."""

    def around(values: Sequence[T]) -> Iterable[T]:
        return tqdm(values, title, unit="item", leave=False)

    return around


def tell_left_out(trouble: Sequence[str], what: str) -> None:
    """Says how many could not be used."""
    if trouble:
        print(f"{len(trouble)} {what} left out; the first: {trouble[0]}", file=sys.stderr)


def model_folder() -> Path:
    """--model. Exits where it is missing."""
    if not _MODEL.value:
        sys.exit("--model=DIR is needed")
    return Path(_MODEL.value)


def main(arguments: list[str]) -> None:
    """One of the commands."""
    commands = {"make-flawed": make_flawed, "train": train_judge, "evaluate": evaluate_judge, "sort": sort_items}
    if len(arguments) != 2 or arguments[1] not in commands:
        sys.exit(f"usage: {arguments[0]} {'|'.join(commands)} --data=TREE ... (--help tells the flags)")
    logging.set_verbosity(logging.WARNING)  # each checkpoint would be told otherwise
    try:
        commands[arguments[1]]()
    except (SampleError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    app.run(main)
