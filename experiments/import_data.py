"""Make samples from another data set: BEHAVE, InterCap, CONTHO's annotations of the two, or BOP.

    python experiments/import_data.py --format=behave --data=BEHAVE --out=TREE --view=1
    python experiments/import_data.py --format=intercap --data=InterCap --out=TREE --view=1 --masks=render
    python experiments/import_data.py --format=contho --data=CONTHO/data --out=TREE --humans=MESHES
    python experiments/import_data.py --format=bop --data=ycbv --out=TREE --humans=PEOPLE

Each picture becomes OUT/<object>/<name>, one camera per sample: metres, the camera's own frame, pictures undistorted. The
annotated object is both the truth and the start; for starts that do not know the answer run coarse.py on the new tree. What
each data set must hold, and what is done with its frames and units: docs/coordinates.md.

A folder that is there is skipped, so the program goes on where it stopped. A frame that cannot be read is reported, written
to OUT/set_aside.json, and the next one is taken; the exit code is 1 then. It stands there until a later run imports it.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from absl import app, flags
from tqdm import tqdm

from hoijax.data.atomic import save_bytes
from hoijax.data.importers.behave import find_behave, load_behave
from hoijax.data.importers.bop import find_bop, load_bop
from hoijax.data.importers.contho import find_contho, load_contho
from hoijax.data.importers.intercap import find_intercap, load_intercap
from hoijax.data.importers.options import CALIBRATIONS, MASKS, Found, ImportOptions
from hoijax.data.importers.people import record
from hoijax.data.parameters import load_json
from hoijax.data.sample import Sample, SampleError
from hoijax.data.write import save_sample

IMPORTERS: dict[str, tuple[Callable[[Path, ImportOptions], list[Found]], Callable[[Found, ImportOptions], Sample]]] = {
    "behave": (find_behave, load_behave),
    "intercap": (find_intercap, load_intercap),
    "contho": (find_contho, load_contho),
    "bop": (find_bop, load_bop),
}
OF_SOME = {  # flags that only these formats know, and why the others do not
    "view": (("behave", "intercap"), "every picture is a sample"),
    "humans": (("contho", "bop"), "the people's meshes are the data set's own"),
    "calibration": (("intercap",), "there is no choice of camera poses"),
}

_FORMAT = flags.DEFINE_enum("format", None, list(IMPORTERS), "What --data is.", required=True)
_DATA = flags.DEFINE_string("data", None, "The data set's folder, or part of it.", required=True)
_OUT = flags.DEFINE_string("out", None, "Where the sample folders go: OUT/<object>/<name>.", required=True)
_VIEW = flags.DEFINE_integer(
    "view", None, "Camera: 0-3 for behave, 1-6 for intercap; 1 by default. Others have no choice."
)
_OBJECTS = flags.DEFINE_string("objects", None, "Folder of object meshes, instead of the one inside the data set.")
_HUMANS = flags.DEFINE_string("humans", None, "What contho and bop lack of their people: see docs/coordinates.md.")
_MASKS = flags.DEFINE_enum(
    "masks", "files", list(MASKS), "render: where a mask's file is missing, what is visible of the annotated meshes."
)
_CALIBRATION = flags.DEFINE_enum(
    "calibration", None, list(CALIBRATIONS), "InterCap's camera poses; auto, the default: as its authors assign them."
)
_EVERY = flags.DEFINE_integer("every", 1, "Take every n-th frame only.", lower_bound=1)

SET_ASIDE = "set_aside.json"


def options() -> ImportOptions:
    """The options that the flags give. Exits with a sentence where they do not belong together."""
    for name, value in (("view", _VIEW.value), ("humans", _HUMANS.value), ("calibration", _CALIBRATION.value)):
        formats, why = OF_SOME[name]
        if value is not None and _FORMAT.value not in formats:
            sys.exit(f"--{name} is for {' and '.join(formats)}: with {_FORMAT.value} {why}")
    for name, folder in (("objects", _OBJECTS.value), ("humans", _HUMANS.value)):
        if folder is not None and not Path(folder).is_dir():
            sys.exit(f"--{name}={folder}: no such folder")
    return ImportOptions(
        view=1 if _VIEW.value is None else _VIEW.value,
        objects=None if _OBJECTS.value is None else Path(_OBJECTS.value),
        humans=None if _HUMANS.value is None else Path(_HUMANS.value),
        masks=_MASKS.value,
        calibration=_CALIBRATION.value or "auto",
    )


def found_frames(given: ImportOptions) -> list[Found]:
    """What there is to import. Exits with a sentence when it is nothing."""
    tree = Path(os.path.abspath(_DATA.value))  # names and companions of a frame come from the folders above it
    if not tree.exists():
        sys.exit(f"{tree}: no such file or folder")
    try:
        found = IMPORTERS[_FORMAT.value][0](tree, given)
    except SampleError as error:
        sys.exit(str(error))
    if not found:
        sys.exit(f"{tree}: nothing to import; what {_FORMAT.value} looks like is in docs/coordinates.md")
    return found[:: _EVERY.value]


def run(found: list[Found], given: ImportOptions, out: Path, aside: dict[str, str]) -> Counter[str]:
    """Imports what is not there yet. Counts of what happened; why frames were set aside is added to `aside`."""
    load = IMPORTERS[_FORMAT.value][1]
    counts: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for each in tqdm(found, unit="sample"):
        folder = out / each.place
        if folder.exists():
            counts["there"] += 1
            continue
        try:
            sample = load(each, given)
            save_sample(sample, folder)
        except (SampleError, OSError) as error:
            aside[each.place.as_posix()] = str(error)
            tqdm.write(f"{each.place}: set aside. {error}", file=sys.stderr)
            continue
        counts["imported"] += 1
        said.update(sample.warnings)
    for warning, times in said.most_common():
        print(f"{times} x {warning}")
    return counts


def waiting(out: Path) -> dict[str, str]:
    """What runs have set aside that is not there yet: place and reason. Raises SampleError for a file that is no such."""
    note = out / SET_ASIDE
    old = record(note, load_json(note)) if note.exists() else {}
    return {place: why for place, why in old.items() if not (out / place).exists()}


def save_aside(out: Path, aside: dict[str, str]) -> None:
    """Adds to what waits; other runs import other views and parts into the same tree. Without any, no file."""
    together = waiting(out) | aside
    if together:
        save_bytes(out / SET_ASIDE, (json.dumps(together, indent=1) + "\n").encode())
    else:
        (out / SET_ASIDE).unlink(missing_ok=True)


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    given, out = options(), Path(_OUT.value)
    found = found_frames(given)
    try:
        waiting(out)  # before hours of work, not after
    except SampleError as error:
        sys.exit(str(error))
    aside: dict[str, str] = {}
    try:
        counts = run(found, given, out, aside)
    finally:  # also when it is interrupted
        save_aside(out, aside)
    print(f"{counts['imported']} imported, {counts['there']} there before, {len(aside)} set aside: {out}")
    if aside:
        sys.exit(1)


if __name__ == "__main__":
    app.run(main)
